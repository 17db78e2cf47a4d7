//! Where browsers are while no run has them: a thread that connects them and keeps their paths open.

use super::{Identity, Line};
use crate::sockets::{Socket, wait_for};
use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// Errands do not wake the thread.
const LOOK_AT_ERRANDS: Duration = Duration::from_millis(5);

/// Lines by their agents' numbers.
pub type Lines = BTreeMap<u32, Line>;

enum Errand {
    Open(u32, oneshot::Sender<io::Result<String>>),
    Answered(u32, String),
    Close(u32),
    Lend(Sender<Lines>),
    TakeBack(Lines),
}

/// The thread ends with its last handle.
#[derive(Clone)]
pub struct Booth {
    errands: Sender<Errand>,
}

impl Booth {
    /// `host`: where the lines' sockets are.
    pub fn open(host: Ipv4Addr) -> io::Result<Self> {
        let identity = Arc::new(Identity::new().map_err(io::Error::other)?);
        let (errands, asked) = channel();
        std::thread::Builder::new().name("booth".into()).spawn(move || {
            if let Err(error) = keep(&identity, host, &asked) {
                tracing::error!(%error, "the browsers' lines");
            }
        })?;
        Ok(Self { errands })
    }

    /// A new line for that agent: its offer.
    pub async fn offer(&self, agent: u32) -> io::Result<String> {
        let (offer, offered) = oneshot::channel();
        self.ask(Errand::Open(agent, offer));
        offered.await.map_err(io::Error::other)?
    }

    pub fn answered(&self, agent: u32, sdp: String) {
        self.ask(Errand::Answered(agent, sdp));
    }

    pub fn close(&self, agent: u32) {
        self.ask(Errand::Close(agent));
    }

    /// All lines; who has them keeps them alive.
    pub fn lend(&self) -> Lines {
        let (lend, lent) = channel();
        self.ask(Errand::Lend(lend));
        lent.recv().unwrap_or_default()
    }

    pub fn take_back(&self, lines: Lines) {
        self.ask(Errand::TakeBack(lines));
    }

    fn ask(&self, errand: Errand) {
        // A thread that has ended has told why; who waits for an answer gets none.
        let _ = self.errands.send(errand);
    }
}

fn keep(identity: &Arc<Identity>, host: Ipv4Addr, errands: &Receiver<Errand>) -> io::Result<()> {
    let mut lines = Lines::new();
    loop {
        if lines.is_empty() {
            let Ok(errand) = errands.recv() else { return Ok(()) };
            run(errand, identity, host, &mut lines);
        }
        loop {
            match errands.try_recv() {
                Ok(errand) => run(errand, identity, host, &mut lines),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
        for line in lines.values_mut() {
            line.work()?;
        }
        let sockets: Vec<&Socket> = lines.values().map(|line| &line.socket).collect();
        wait_for(&sockets, Some(LOOK_AT_ERRANDS))?;
    }
}

fn run(errand: Errand, identity: &Arc<Identity>, host: Ipv4Addr, lines: &mut Lines) {
    // Who asked may be gone: the program ends.
    match errand {
        Errand::Open(agent, offer) => {
            let opened = Line::open(identity, host).map(|line| {
                let sdp = line.browser.offer();
                lines.insert(agent, line);
                sdp
            });
            let _ = offer.send(opened);
        }
        Errand::Answered(agent, sdp) => {
            if let Some(Err(error)) = lines.get_mut(&agent).map(|line| line.answered(&sdp)) {
                tracing::error!(agent, %error, "the switch's answer");
            }
        }
        Errand::Close(agent) => drop(lines.remove(&agent)),
        Errand::Lend(lend) => {
            let _ = lend.send(std::mem::take(lines));
        }
        Errand::TakeBack(back) => lines.extend(back),
    }
}
