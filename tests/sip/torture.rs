//! The torture messages of RFC 4475, from outside through a running switch: it reacts as its endpoint does, and lives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by them")]

#[path = "../../src/sip/tests/rfc4475/reactions.rs"]
mod reactions;

use cordboard_sip::message::{Frame, StreamFramer};
use reactions::Reaction::{self, Call, Nothing, Status};
use reactions::{DATAGRAMS, STREAMS};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(20);
const SIP: u16 = 5060;
/// The port of the Via of `quotbal`; no other message names one.
const ODD: u16 = 5050;

/// A switch with a trunk of one host for each message, on a network of its own within 127/8: the messages name port 5060.
struct Switch {
    network: [u8; 2],
    data: tempfile::TempDir,
    process: Child,
    probes: u32,
}

impl Switch {
    fn start() -> Self {
        static COUNT: AtomicU8 = AtomicU8::new(64);
        let network = [COUNT.fetch_add(1, Ordering::Relaxed), std::process::id().to_le_bytes()[0]];
        let data = tempfile::tempdir().unwrap();
        let hosts: Vec<String> = (0..=DATAGRAMS.len()).map(|n| format!("\"{}\"", SocketAddr::from((trunk(network, n), SIP)))).collect();
        let floor = data.path().join("floor.toml");
        std::fs::write(&floor, format!("[trunks.torture]\noptions_every = \"off\"\nhosts = [{}]\n", hosts.join(", "))).unwrap();
        let applied = program(network, &data).arg("apply").arg(&floor).output().unwrap();
        assert!(applied.status.success(), "{applied:?}");
        let log = std::fs::File::create(data.path().join("log")).unwrap();
        let process = program(network, &data).arg("serve").stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let mut switch = Self { network, data, process, probes: 0 };
        switch.check_alive();
        switch
    }

    fn addr(&self) -> SocketAddr {
        SocketAddr::from((own(self.network), SIP))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap()
    }

    /// OPTIONS from a trunk is answered.
    fn check_alive(&mut self) {
        let socket = socket(trunk(self.network, DATAGRAMS.len()), SIP);
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        self.probes += 1;
        let (from, id) = (socket.local_addr().unwrap(), format!("probe-{}", self.probes));
        let options = format!(
            "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-{id}\r\nFrom: <sip:probe@{from}>;tag=1\r\nTo: <sip:{to}>\r\n\
             Call-ID: {id}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            to = self.addr()
        );
        let (deadline, mut answer) = (Instant::now() + PATIENCE, [0; 2048]);
        // Before the switch listens nothing comes back, and before it knows its floor a 403.
        loop {
            assert!(Instant::now() < deadline && self.process.try_wait().unwrap().is_none(), "no answer from the switch:\n{}", self.log());
            socket.send_to(options.as_bytes(), self.addr()).unwrap();
            match socket.recv(&mut answer) {
                Ok(length) if String::from_utf8_lossy(&answer[..length]).contains(&id) && status(&answer) == 200 => return,
                Ok(_) => {}
                Err(why) => assert!(matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{why}"),
            }
        }
    }

    /// It is the process that was started, and it complained of nothing.
    fn check_unhurt(mut self) {
        self.check_alive();
        assert!(self.process.try_wait().unwrap().is_none());
        let log = self.log();
        assert!(!log.contains("panic") && !log.contains("ERROR"), "{log}");
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn own([high, low]: [u8; 2]) -> Ipv4Addr {
    Ipv4Addr::new(127, high, low, 1)
}

/// The trunk's host that sends message `n`.
fn trunk([high, low]: [u8; 2], n: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, high, low, 100 + u8::try_from(n).unwrap())
}

/// No trunk of the floor.
fn stranger([high, low]: [u8; 2], n: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, high, low, 2 + u8::try_from(n).unwrap())
}

fn program(network: [u8; 2], data: &tempfile::TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordboard"));
    let own = own(network);
    command.arg("--data").arg(data.path()).env_remove("CORDBOARD_CONFIG").env_remove("CORDBOARD_DATABASE__URL");
    command.env("CORDBOARD_WEB__LISTEN", format!("{own}:8080")).env("CORDBOARD_MEDIA__BROWSER", format!("{own}:8443"));
    command.env("CORDBOARD_SIP__UDP", format!("{own}:{SIP}")).env("CORDBOARD_SIP__TCP", format!("{own}:{SIP}"));
    command.env("CORDBOARD_SIP__TLS", format!("{own}:5061"));
    command.env("CORDBOARD_MEDIA__RTP_IP", own.to_string());
    command
}

fn message(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/sip/tests/rfc4475");
    std::fs::read(folder.join(format!("{name}.dat"))).unwrap()
}

fn socket(host: Ipv4Addr, port: u16) -> UdpSocket {
    UdpSocket::bind((host, port)).unwrap()
}

fn status(response: &[u8]) -> u16 {
    assert!(response.starts_with(b"SIP/2.0 "), "{}", String::from_utf8_lossy(response));
    String::from_utf8_lossy(&response[8..11]).parse().unwrap()
}

/// Whose host sends message `n`: the first one's with that method and Via. Some share them, and so are its repetitions to a switch, which
/// answers them where the first one came from (RFC 3261 section 17.2.3).
fn sender(n: usize) -> usize {
    let transaction = |(name, _): &(&str, Reaction)| {
        let text = String::from_utf8_lossy(&message(name)).into_owned();
        let via = text.lines().find(|line| line.starts_with("Via:")).map(str::to_owned);
        (text.split(' ').next().map(str::to_owned), via.filter(|via| via.contains("branch=")))
    };
    let this = transaction(&DATAGRAMS[n]);
    if this.1.is_none() {
        return n;
    }
    DATAGRAMS.iter().position(|other| transaction(other) == this).unwrap()
}

/// The final response that a message leads to: a call finds no such number here.
fn final_status(reaction: Reaction) -> Option<u16> {
    match reaction {
        Call => Some(404),
        Status(status) => Some(status),
        Nothing => None,
    }
}

/// Sends every message from a host of its own, and asks after each whether the switch lives.
fn datagrams(switch: &mut Switch, host: impl Fn([u8; 2], usize) -> Ipv4Addr, expected: impl Fn(Reaction) -> Option<u16>) {
    for (n, (name, reaction)) in DATAGRAMS.into_iter().enumerate() {
        let expected = expected(reaction);
        // Responses go to the port of the Via, and to the host that sent (RFC 3261 section 18.2.2).
        let port = if name == "quotbal" { ODD } else { SIP };
        let socket = socket(host(switch.network, sender(n)), port);
        socket.send_to(&message(name), switch.addr()).unwrap();
        let mut buffer = [0; 65_535];
        if let Some(expected) = expected {
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            let got = loop {
                let length = socket.recv(&mut buffer).unwrap_or_else(|why| panic!("{name}: {why}"));
                let status = status(&buffer[..length]);
                if status >= 200 {
                    break status;
                }
            };
            assert_eq!(got, expected, "{name}");
        }
        switch.check_alive();
        if expected.is_none() {
            // What there was to say to it has been said before the answer to OPTIONS.
            socket.set_nonblocking(true).unwrap();
            assert_eq!(socket.recv(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock, "{name}");
        }
    }
}

#[test]
fn datagrams_from_a_trunk_have_their_reactions() {
    let mut switch = Switch::start();
    datagrams(&mut switch, trunk, final_status);
    switch.check_unhurt();
}

#[test]
fn a_stranger_gets_403_for_every_request_and_nothing_for_a_response() {
    let mut switch = Switch::start();
    datagrams(&mut switch, stranger, |reaction| final_status(reaction).map(|_| 403));
    switch.check_unhurt();
}

#[test]
fn a_stream_from_a_trunk_is_cut_into_messages_that_have_their_reactions() {
    let mut switch = Switch::start();
    for (n, (name, reactions)) in STREAMS.into_iter().enumerate() {
        let mut stream = connect(trunk(switch.network, n), switch.addr());
        for piece in message(name).chunks(7) {
            // The switch may have closed it already.
            if stream.write_all(piece).is_err() {
                break;
            }
        }
        let expected: Vec<u16> = reactions.iter().copied().filter_map(final_status).collect();
        assert_eq!(finals(&mut stream, expected.len()), expected, "{name}:\n{}", switch.log());
        switch.check_alive();
        stream.set_nonblocking(true).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "{name}: no further answer, and no end yet");
    }
    switch.check_unhurt();
}

fn connect(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::from(SocketAddrV4::new(from, 0))).unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The next final responses on this stream.
fn finals(stream: &mut TcpStream, count: usize) -> Vec<u16> {
    let (mut framer, mut buffer, mut finals) = (StreamFramer::default(), [0; 4096], Vec::new());
    while finals.len() < count {
        let length = stream.read(&mut buffer).unwrap();
        if length == 0 {
            break;
        }
        for frame in framer.push(&buffer[..length]) {
            let (Frame::Message(response) | Frame::Broken(response)) = frame else { continue };
            finals.extend(Some(status(&response)).filter(|status| *status >= 200));
        }
    }
    finals
}
