//! The demo floor: a simulated carrier beside the switch, and calls placed on request (J4).

use crate::Fault;
use crate::api::auth::Session;
use crate::api::{App, Refusal};
use crate::config::{Config, Media};
use actix_web::{HttpResponse, web};
use cordboard_db::Db;
use cordboard_db::floor::{self, Passwords};
use std::io::BufRead;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::UdpSocket;

/// The floor that `serve --demo` begins with.
pub const FLOOR: &str = include_str!("../config/floor.demo.toml");
/// The demo accounts' password. Not a secret: the demo's pages are served on loopback only.
pub const PASSWORD: &str = "Cordboard-2026";
/// The number that the simulated customers call.
const DID: &str = "+442079460001";

const CARRIER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5070);
const CONTROL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5071);
/// An address of no network (RFC 5737).
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);
const PATIENCE: Duration = Duration::from_secs(2);

/// The simulated carrier's process. It ends with the switch, however that ends: the switch holds the other end of its input.
pub struct Carrier(Child);

impl Drop for Carrier {
    fn drop(&mut self) {
        // It may be gone already: then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tells browsers this machine's network address beside the loopback one: Firefox talks to no loopback address.
pub fn reach_browsers(media: &mut Media) {
    if !media.browser.ip().is_loopback() || !media.advertise.is_empty() {
        return;
    }
    // Connecting sends nothing; it has the kernel say where it would send from.
    let own = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.connect(ELSEWHERE).and_then(|()| socket.local_addr()));
    if let Ok(own) = own {
        media.advertise = vec![media.browser.ip(), own.ip()];
        media.browser.set_ip(Ipv4Addr::UNSPECIFIED.into());
    }
}

/// Fills an empty database with the demo floor.
pub fn prepare(db: &Db) -> Result<(), Fault> {
    if !db.accounts()?.is_empty() {
        return Ok(());
    }
    let floor = floor::parse(FLOOR).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let passwords = Passwords {
        env: &|_| Some(PASSWORD.to_owned()),
        hash: &|password| crate::api::password::hash(password).map_err(|why| why.to_string()),
        phone: &|_, _| Err("no phone registers on the demo floor".to_owned()),
    };
    floor::apply(db, &floor, &passwords, false)?;
    Ok(())
}

/// Starts the carrier, tells the person at the terminal what to do, and listens for their key.
pub fn start(config: &Config) -> Result<Carrier, Fault> {
    let program = std::env::current_exe()?.with_file_name("loadtest");
    let child = Command::new(&program)
        .args([
            "carrier",
            "--listen",
            &CARRIER.to_string(),
            "--target",
            &config.sip.udp.to_string(),
            "--did",
            DID,
            "--control",
            &CONTROL.to_string(),
        ])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|why| {
            format!("the carrier simulator {} does not start: {why}; build it with `cargo build --workspace --bins`", program.display())
        })?;
    println!(
        "\n  Cordboard is open:  {url}\n\n  Agents   mei@demo.example, tom@demo.example\n  Admin    admin@demo.example\n  Password {PASSWORD}\n\n  \
         Log in as Mei, choose Available, allow the microphone. Then press c and Enter here,\n  or \"Place a test call\" in the page: a customer calls.\n  In Self-service, type keys such as 5 or 4711# and Enter here: the customer presses them.\n  Or press \"Outbound call\" (Alt+O) and call one of the carrier's numbers, which it lists below.\n",
        url = config.web.url()
    );
    std::thread::spawn(|| {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let typed = line.trim();
            let are_keys = !typed.is_empty() && typed.bytes().all(|key| key.is_ascii_digit() || matches!(key, b'*' | b'#'));
            let order = match typed {
                "c" | "C" => order(),
                keys if are_keys => format!("press {keys}\n"),
                _ => continue,
            };
            let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
            if let Err(why) = socket.and_then(|socket| socket.send_to(order.as_bytes(), CONTROL)) {
                tracing::error!(%why, "the carrier simulator cannot be reached");
            }
        }
    });
    Ok(Carrier(child))
}

fn order() -> String {
    format!("call {DID}\n")
}

/// `POST /api/v1/demo/call`: has the simulated carrier place a call. 204; 404 where no demo runs.
pub async fn call(_: Session, app: web::Data<App>) -> Result<HttpResponse, Refusal> {
    if !app.demo {
        return Err(Refusal::NotFound);
    }
    place().await.map_err(|why| {
        tracing::error!(%why, "the carrier simulator cannot be reached");
        Refusal::Stopping
    })?;
    Ok(HttpResponse::NoContent().finish())
}

async fn place() -> std::io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    socket.send_to(order().as_bytes(), CONTROL).await?;
    let mut answer = [0; 256];
    let (length, _) = tokio::time::timeout(PATIENCE, socket.recv_from(&mut answer)).await??;
    let answer = String::from_utf8_lossy(answer.get(..length).unwrap_or_default()).trim().to_owned();
    if answer == "ok" { Ok(()) } else { Err(std::io::Error::other(answer)) }
}
