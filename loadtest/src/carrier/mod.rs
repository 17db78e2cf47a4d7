//! A carrier with customers, on loopback: UDP signalling, G.711 speech, a line protocol to have calls placed, and telephones to be called.

mod callees;
mod calls;
mod control;
mod rtp;
mod speech;

use calls::Calls;
use control::Command;
use rand::seq::IndexedRandom;
use std::io::{self, BufRead};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{info, warn};

/// Largest message over UDP.
const DATAGRAM: usize = 65_535;
/// How long the last calls may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub struct Options {
    /// The carrier's own SIP address (UDP).
    #[arg(long, default_value = "127.0.0.1:5070")]
    listen: SocketAddr,
    /// The switch's SIP address.
    #[arg(long, default_value = "127.0.0.1:5060")]
    target: SocketAddr,
    /// The number that customers call.
    #[arg(long)]
    did: String,
    /// Numbers of customers; one of them at random calls where none is named.
    #[arg(long = "caller", default_values = ["+447700900101", "+447700900102", "+447700900103", "+447700900104"])]
    callers: Vec<String>,
    /// Where commands are taken, one line a datagram: `call DID [CALLER]`, `press KEYS` or `hang-up`.
    #[arg(long)]
    control: Option<SocketAddr>,
    /// Seconds that a customer waits for an answer.
    #[arg(long, default_value_t = 300)]
    patience: u64,
}

/// Runs until it is interrupted or its input ends, as that of a switch's child does with the switch. `c` and Enter place a call to the first number, `h` and Enter hang all up,
/// keys and Enter are pressed by the customers.
pub async fn run(options: Options) -> io::Result<()> {
    let socket = bind(options.listen).await?;
    let control = match options.control {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let mut keys = keys();
    let mut calls = Calls::new(socket.local_addr()?, options.target, Duration::from_secs(options.patience));
    info!("carrier at {}, calling {} at {}: c and Enter places a call, h and Enter hangs up", options.listen, options.did, options.target);
    for callee in &callees::CALLEES {
        info!("+44 7700 900 {} {}", callee.ending, callee.what);
    }
    let mut message = vec![0; DATAGRAM];
    let mut line = [0; 512];
    loop {
        send(&socket, &mut calls).await;
        let deadline = calls.next_deadline();
        tokio::select! {
            received = socket.recv_from(&mut message) => receive(received, &message, &mut calls),
            (length, from) = next_line(control.as_ref(), &mut line) => {
                let text = String::from_utf8_lossy(line.get(..length).unwrap_or_default()).into_owned();
                let answer = obey(&text, &options, &mut calls);
                if let Some(control) = &control {
                    // Who asks and does not listen needs no answer.
                    let _ = control.send_to(answer.as_bytes(), from).await;
                }
            }
            key = keys.recv() => match key.as_deref().map(str::trim) {
                Some("c") => { obey(&format!("call {}", options.did), &options, &mut calls); }
                Some("h") => calls.hang_up_all(),
                Some(keys) if control::are_keys(keys) => calls.press(keys),
                Some(_) => {}
                None => break,
            },
            () = at(deadline) => calls.tick(),
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    calls.hang_up_all();
    let _ = timeout(FAREWELL, say_goodbye(&socket, &mut calls, &mut message)).await;
    Ok(())
}

async fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    UdpSocket::bind(address).await.map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

/// Does what the line says; the line to answer with.
fn obey(line: &str, options: &Options, calls: &mut Calls) -> String {
    let done = match control::parse(line) {
        Ok(Command::Call { did, caller }) => {
            let caller = caller.or_else(|| options.callers.choose(&mut rand::rng()).cloned()).unwrap_or_default();
            calls.place(&did, &caller).map_err(|error| error.to_string())
        }
        Ok(Command::Press(keys)) => {
            calls.press(&keys);
            Ok(())
        }
        Ok(Command::HangUp) => {
            calls.hang_up_all();
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(()) => "ok\n".to_owned(),
        Err(why) => {
            warn!("{why}");
            format!("error: {why}\n")
        }
    }
}

fn receive(received: io::Result<(usize, SocketAddr)>, message: &[u8], calls: &mut Calls) {
    match received {
        Ok((length, from)) => calls.receive(from, message.get(..length).unwrap_or_default()),
        // On Linux an earlier datagram found nobody: the switch is not there (yet); transactions time out by themselves.
        Err(error) => warn!("the switch cannot be reached: {error}"),
    }
}

async fn send(socket: &UdpSocket, calls: &mut Calls) {
    for datagram in calls.take_outbox() {
        if let Err(error) = socket.send_to(&datagram.bytes, datagram.to).await {
            warn!("nothing can be sent to {}: {error}", datagram.to);
        }
    }
}

async fn say_goodbye(socket: &UdpSocket, calls: &mut Calls, message: &mut [u8]) {
    while !calls.is_idle() {
        send(socket, calls).await;
        let deadline = calls.next_deadline();
        tokio::select! {
            received = socket.recv_from(message) => receive(received, message, calls),
            () = at(deadline) => calls.tick(),
        }
    }
    send(socket, calls).await;
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// The next command's length and sender; never, where there is no control socket.
async fn next_line(control: Option<&UdpSocket>, line: &mut [u8]) -> (usize, SocketAddr) {
    let Some(control) = control else { return std::future::pending().await };
    loop {
        if let Ok(received) = control.recv_from(line).await {
            return received;
        }
    }
}

/// Lines typed at the terminal, until the input ends. A thread of its own: reading a terminal blocks.
fn keys() -> mpsc::Receiver<String> {
    let (typed, keys) = mpsc::channel(8);
    std::thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
            if typed.blocking_send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    keys
}
