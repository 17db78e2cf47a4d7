//! The programs that are measured: the switch and its yardsticks, each started pinned to the first core, with its own folder and ports.

use crate::agents::desk::Entry;
use crate::run::{Places, Process, floor_for};
use crate::scenario::Scenario;
use crate::sockets::since_1970;
use cordboard_db::{Db, DbError};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The core of what is measured; this program stays on the other one.
const MEASURED: &str = "0";
const READY_WITHIN: Duration = Duration::from_secs(30);
const EVERY: Duration = Duration::from_millis(50);
const LOG: &str = "log";
/// How long a session lasts, milliseconds: longer than any bench.
const A_DAY: i64 = 86_400_000;

const fn here(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

pub const SIP: SocketAddrV4 = here(25_060);
const SIP_TLS: SocketAddrV4 = here(25_061);
const WEB: SocketAddrV4 = here(28_080);
const BROWSERS: SocketAddrV4 = here(28_443);
const KAMAILIO: SocketAddrV4 = here(25_160);
const NG: SocketAddrV4 = here(22_222);
const BARE: SocketAddrV4 = here(25_260);

/// Where calls come from and go to, whatever is between.
pub fn places(through: SocketAddrV4) -> Places {
    // None of these is one that the system may give to a socket of a browser or of a workstation (32,768 and above).
    Places { switch: through, carrier: here(25_070), phones: here(25_080), audio: here(19_000), audio_sockets: 16 }
}

/// A running program; dropping it ends it.
pub struct Program {
    child: Child,
    pub at: SocketAddrV4,
}

impl Program {
    /// It and the processes that it works with.
    pub fn process(&self) -> Process {
        Process::family(self.child.id())
    }

    fn start(mut command: Command, at: SocketAddrV4) -> io::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child =
            command.stdin(Stdio::null()).spawn().map_err(|why| io::Error::new(why.kind(), format!("{name} cannot be started: {why}")))?;
        Ok(Self { child, at })
    }

    /// Waits until `is_up` says so.
    async fn ready(mut self, what: &str, mut is_up: impl FnMut() -> bool) -> io::Result<Self> {
        let deadline = Instant::now() + READY_WITHIN;
        while !is_up() {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("{what} ended at once: {status}")));
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{what} is not there after {READY_WITHIN:?}")));
            }
            sleep(EVERY).await;
        }
        Ok(self)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already: then there is nothing to end.
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(0)),
            nix::sys::signal::Signal::SIGTERM,
        );
        let deadline = std::time::Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) {
            if std::time::Instant::now() > deadline {
                let _ = self.child.kill();
                break;
            }
            std::thread::sleep(EVERY);
        }
        let _ = self.child.wait();
    }
}

/// On the core that is measured. When the generator is killed, the process goes too.
fn pinned(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "-c", MEASURED]).arg(program);
    command
}

/// The switch with the scenario's floor, on SQLite in a folder of its own.
pub struct House {
    pub program: Program,
    /// The sessions of everybody on its floor.
    pub entry: Entry,
    /// Gone with it.
    folder: tempfile::TempDir,
}

impl House {
    pub async fn open(binary: &Path, scenario: &Scenario) -> io::Result<Self> {
        Self::of(binary, &floor_for(scenario, places(SIP), None)).await
    }

    /// By a floor file without passwords.
    pub async fn of(binary: &Path, text: &str) -> io::Result<Self> {
        is_free(WEB)?;
        let folder = tempfile::tempdir()?;
        let floor = folder.path().join("floor.toml");
        std::fs::write(&floor, text)?;
        let settle = |command: &mut Command| {
            command
                .env("CORDBOARD_WEB__LISTEN", WEB.to_string())
                .env("CORDBOARD_SIP__UDP", SIP.to_string())
                .env("CORDBOARD_SIP__TCP", SIP.to_string())
                .env("CORDBOARD_SIP__TLS", SIP_TLS.to_string())
                .env("CORDBOARD_MEDIA__BROWSER", BROWSERS.to_string())
                .stdout(Stdio::null());
        };
        let mut apply = Command::new(binary);
        settle(apply.arg("apply").arg(&floor).arg("--data").arg(folder.path()));
        if !apply.status()?.success() {
            return Err(io::Error::other("the floor was not taken"));
        }
        let entry = sessions(&folder.path().join("cordboard.sqlite")).map_err(io::Error::other)?;
        let log = std::fs::File::create(folder.path().join(LOG))?;
        let mut serve = pinned(binary);
        settle(serve.arg("serve").arg("--data").arg(folder.path()));
        serve.stdout(log.try_clone()?).stderr(log);
        let program = Program::start(serve, SIP)?.ready("the switch", || TcpStream::connect(WEB).is_ok()).await?;
        Ok(Self { program, entry, folder })
    }

    pub fn url(&self) -> String {
        format!("http://{WEB}")
    }

    /// Lines of its log that no day's work writes.
    pub fn complaints(&self) -> io::Result<Vec<String>> {
        let log = std::fs::read_to_string(self.folder.path().join(LOG))?;
        Ok(complaints(&log).map(str::to_owned).collect())
    }
}

/// Warnings, errors, and what has no level, such as a panic.
fn complaints(log: &str) -> impl Iterator<Item = &str> {
    log.lines().filter(|line| line.split_whitespace().nth(1) != Some("INFO"))
}

/// A switch that was left over would be taken for the one that is started.
fn is_free(at: SocketAddrV4) -> io::Result<()> {
    match TcpStream::connect(at) {
        Ok(_) => Err(io::Error::other(format!("something listens at {at} already"))),
        Err(_) => Ok(()),
    }
}

/// Logins that no password was checked for: that takes the switch tens of milliseconds and 19 MiB each, which would be taken for the floor's.
/// They are in the database before the switch is.
fn sessions(database: &Path) -> Result<Entry, DbError> {
    let db = Db::open(&database.to_string_lossy())?;
    let now = i64::try_from(since_1970().as_millis()).unwrap_or(i64::MAX);
    let cookies = db.accounts()?.into_iter().map(|account| {
        let token = format!("{:032x}", rand::random::<u128>());
        db.create_session(account.setup.id, &token, now, now + A_DAY)?;
        Ok((account.email, format!("cordboard={token}")))
    });
    Ok(Entry::Sessions(Arc::new(cookies.collect::<Result<_, DbError>>()?)))
}

fn yardstick(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("yardsticks").join(name)
}

/// A stateful relay of SIP, record-routing.
pub async fn kamailio() -> io::Result<Program> {
    let mut command = pinned(&yardstick("kamailio"));
    command.args([KAMAILIO.port().to_string(), places(KAMAILIO).phones.port().to_string()]);
    let asking = asking()?;
    let question = format!(
        "OPTIONS sip:{KAMAILIO} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK1;rport\r\nFrom: <sip:a@{KAMAILIO}>;tag=1\r\nTo: <sip:{KAMAILIO}>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        asking.local_addr()?
    );
    Program::start(command, KAMAILIO)?.ready("kamailio", || answers(&asking, question.as_bytes(), KAMAILIO)).await
}

/// A relay of RTP between two ports of its own, told by its NG protocol.
pub async fn rtpengine() -> io::Result<Program> {
    let mut command = pinned(&yardstick("rtpengine"));
    command.args([&NG.port().to_string(), "30000", "39999"]);
    let asking = asking()?;
    Program::start(command, NG)?.ready("rtpengine", || answers(&asking, b"1 {\"command\":\"ping\"}", NG)).await
}

/// Nothing but the kernel's datagrams, in batches: `loadtest bounce`.
pub async fn bare() -> io::Result<Program> {
    let mut command = pinned(&std::env::current_exe()?);
    command.arg("bounce").arg(BARE.to_string());
    let asking = asking()?;
    Program::start(command, BARE)?.ready("the bare loop", || answers(&asking, super::bounce::HELLO, BARE)).await
}

fn asking() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(here(0))?;
    socket.set_read_timeout(Some(EVERY))?;
    Ok(socket)
}

fn answers(socket: &UdpSocket, question: &[u8], to: SocketAddrV4) -> bool {
    socket.send_to(question, to).is_ok() && socket.recv(&mut [0; 2048]).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_news_is_a_complaint() {
        let [warning, panic] =
            ["2026-11-29T12:41:53.1Z  WARN cordboard::media: no port is free", "thread 'main' panicked at src/main.rs:1:1:"];
        let log = format!("2026-11-29T12:41:52.7Z  INFO cordboard::serve: the switch is open WARN\n{warning}\n{panic}\n");
        assert_eq!(complaints(&log).collect::<Vec<_>>(), [warning, panic]);
    }

    #[test]
    fn what_listens_already_is_not_taken_for_the_switch() {
        let listener = std::net::TcpListener::bind(here(0)).unwrap();
        let at = here(listener.local_addr().unwrap().port());
        assert_eq!(is_free(at).unwrap_err().to_string(), format!("something listens at {at} already"));
        drop(listener);
        assert!(is_free(at).is_ok());
    }
}
