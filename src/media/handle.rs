//! The handle of the media engine, and its start.

use crate::engine::{self, Lateness, Setup};
use crate::event::{Codec, Command, DtmfMode, Events, RtpRemote, Sizes, Source};
use crate::library::Library;
use crate::ports::{self, PortPool};
use crate::queue::{self, Asker};
use crate::recording::{self, Job};
use cordboard_core::ids::{CallId, LegId, PeerId};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;
use thiserror::Error;
use tokio::sync::oneshot;

/// Where media flows and where recordings lie.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Address that SIP legs' RTP sockets are bound to.
    pub bind_ip: IpAddr,
    /// Address that SDP tells carriers.
    pub advertise_ip: IpAddr,
    /// SIP legs share even ports for RTP, with the next for RTCP.
    pub rtp_ports: RangeInclusive<u16>,
    /// The one UDP port of all browsers.
    pub browser_addr: SocketAddr,
    /// Addresses that browsers are told; empty: the one of `browser_addr`.
    pub browser_advertise: Vec<IpAddr>,
    /// WAV files that can be played by name (without `.wav`); one with the name of a shipped sound takes its place, from the next start on.
    pub sounds_dir: Option<PathBuf>,
    /// Recordings of calls in progress.
    pub spool_dir: PathBuf,
    /// Finished recordings.
    pub mp3_dir: PathBuf,
}

/// What the engine cannot do.
#[derive(Debug, Error)]
pub enum MediaError {
    #[error("UDP {addr} for browsers: {source}")]
    BrowserPort { addr: SocketAddr, source: std::io::Error },
    #[error("an RTP port on {ip}: {source}")]
    RtpPort { ip: IpAddr, source: std::io::Error },
    #[error("every RTP port is taken")]
    PortsExhausted,
    #[error("recordings: {0}")]
    Recordings(std::io::Error),
    #[error("the media thread: {0}")]
    Thread(std::io::Error),
    #[error("the media engine has ended")]
    Ended,
}

/// The handle. Cheap to clone; the engine ends when the last one is gone.
#[derive(Clone)]
pub struct Media {
    asker: Arc<Asker>,
    ports: Arc<PortPool>,
    advertise_ip: IpAddr,
    browser_addr: SocketAddr,
    spool_dir: PathBuf,
    mp3_dir: PathBuf,
    jobs: Sender<Job>,
    lateness: Arc<Lateness>,
}

impl Media {
    /// Binds the browser port and starts the media thread. `events` is called on that thread and must only pass the event on.
    pub fn start(config: MediaConfig, events: Events) -> Result<Media, MediaError> {
        let browser_port = |source| MediaError::BrowserPort { addr: config.browser_addr, source };
        let browser_socket = ports::bind_shared(config.browser_addr).map_err(browser_port)?;
        let browser_addr = browser_socket.local_addr().map_err(browser_port)?;
        let (recorder, jobs) =
            recording::start(config.spool_dir.clone(), config.mp3_dir.clone(), Arc::clone(&events)).map_err(MediaError::Recordings)?;
        let (asker, asked) = queue::queue();
        let lateness = Arc::new(Lateness::default());
        let ports = Arc::new(PortPool::new(config.bind_ip, &config.rtp_ports));
        let setup = Setup {
            browser_socket,
            browser_addr,
            browser_advertise: config.browser_advertise,
            ports: Arc::clone(&ports),
            library: Library::new(config.sounds_dir),
            recorder,
            events,
            lateness: Arc::clone(&lateness),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(MediaError::Thread)?;
        std::thread::Builder::new()
            .name("cordboard-media".into())
            .spawn(move || {
                let local = tokio::task::LocalSet::new();
                if let Err(error) = local.block_on(&runtime, engine::run(setup, asked)) {
                    tracing::error!(%error, "the media thread ended");
                }
            })
            .map_err(MediaError::Thread)?;
        Ok(Media {
            asker: Arc::new(asker),
            ports,
            advertise_ip: config.advertise_ip,
            browser_addr,
            spool_dir: config.spool_dir,
            mp3_dir: config.mp3_dir,
            jobs,
            lateness,
        })
    }

    /// How late the media thread came to its clock the last time, milliseconds.
    pub fn lateness(&self) -> u64 {
        self.lateness.last()
    }

    /// Finishes the recordings that an earlier process left in the spool folder: a `RecordingReady` with `recovered` for each. Gives how many there are.
    /// To be called once, before the first call.
    pub fn recover(&self) -> Result<usize, MediaError> {
        recording::recover(&self.spool_dir, &self.mp3_dir, &self.jobs).map_err(MediaError::Recordings)
    }

    /// The browsers' port as it was bound.
    pub fn browser_addr(&self) -> SocketAddr {
        self.browser_addr
    }

    /// Finds a SIP leg a place at an RTP port and its RTCP port and gives the address for its SDP.
    pub fn open_rtp(&self, leg: LegId) -> Result<SocketAddr, MediaError> {
        self.open_rtp_beside(leg, 0, None)
    }

    /// The same for a call that comes in, as long as an eighth of the ports is left to those that are here already: callers who wait hold
    /// ports, and would wait for ever for an agent whose phone finds none. `offered` is the address in the SDP that came with it.
    pub fn open_rtp_for_new_call(&self, leg: LegId, offered: Option<SocketAddr>) -> Result<SocketAddr, MediaError> {
        self.open_rtp_beside(leg, self.ports.pairs() / 8, offered)
    }

    fn open_rtp_beside(&self, leg: LegId, keep: usize, told: Option<SocketAddr>) -> Result<SocketAddr, MediaError> {
        let failed = |source| MediaError::RtpPort { ip: self.advertise_ip, source };
        let lease = self.ports.take(keep, told, Instant::now()).map_err(failed)?.ok_or(MediaError::PortsExhausted)?;
        let port = lease.port().number;
        self.asker.ask(Command::OpenRtp { leg, lease }).map_err(|_| MediaError::Ended)?;
        Ok(SocketAddr::new(self.advertise_ip, port))
    }

    /// Tells where a SIP leg's far side is. Call it when our answer goes out or theirs comes in: for two seconds from then on the first valid packet
    /// may come from another address (NAT), which is kept. Call it again for every later agreement (re-INVITE).
    pub fn set_remote(&self, leg: LegId, remote: RtpRemote) {
        self.ask(Command::SetRemote { leg, remote });
    }

    /// Answers a browser's offer: `PeerAnswer` or `PeerFailed`; then `PeerUp` and `PeerLost` as they come.
    pub fn open_peer(&self, peer: PeerId, offer_sdp: String, codec: Codec) {
        self.ask(Command::OpenPeer { peer, offer: offer_sdp, codec });
    }

    /// Closes a browser's connection; a leg attached to it stays, without a far side.
    pub fn close_peer(&self, peer: PeerId) {
        self.ask(Command::ClosePeer { peer });
    }

    /// Makes a browser the far side of `leg`, opening the leg if it is new: `Attached` when audio can flow, or `AttachFailed`.
    /// A leg moves from peer to peer; a peer serves the leg that was attached last.
    pub fn attach_peer(&self, leg: LegId, peer: PeerId) {
        self.ask(Command::AttachPeer { leg, peer });
    }

    /// Sets what an open leg hears, from the next packet on; a voice that was in no mix so far joins one 40 ms later, for its jitter. A sound that still
    /// plays is cut off, and its `Played` never comes. A new leg hears silence.
    pub fn hear(&self, leg: LegId, source: Source) {
        self.ask(Command::Hear { leg, source });
    }

    /// Plays sounds once, one after another, over what the leg hears, then returns to that: `Played`, also when there is nothing to play.
    /// What is played next takes their place, and their `Played` never comes.
    pub fn play(&self, leg: LegId, sounds: Vec<String>, token: u64) {
        self.ask(Command::Play { leg, sounds, token });
    }

    /// Presses a key for the far side of `leg`: `0`–`9`, `*`, `#`, `A`–`D` (D7). It takes 160 ms, in which the far side is sent nothing else: what the leg
    /// hears goes on after it, a prompt where it was. Digits wait for each other, up to 64.
    pub fn send_digit(&self, leg: LegId, digit: char, mode: DtmfMode) {
        self.ask(Command::SendDigit { leg, digit, mode });
    }

    /// Records a call through its customer's leg: what the leg says left, what it hears right (so holds and prompts are as the customer heard them).
    /// Asked again with another leg, the recording goes on with that.
    pub fn record(&self, call: CallId, leg: LegId) {
        self.ask(Command::Record { call, leg, asked: Instant::now() });
    }

    /// Leaves silence in the recording until it is resumed (card numbers, G4).
    pub fn pause_record(&self, call: CallId) {
        self.ask(Command::PauseRecord { call, paused: true });
    }

    pub fn resume_record(&self, call: CallId) {
        self.ask(Command::PauseRecord { call, paused: false });
    }

    /// Ends a recording: `RecordingReady` when the MP3 is made, or `RecordingFailed`. Closing the recorded leg ends it too.
    pub fn stop_record(&self, call: CallId) {
        self.ask(Command::StopRecord { call });
    }

    /// Closes a leg. Those who hear it hear nothing.
    pub fn close(&self, leg: LegId) {
        self.ask(Command::Close { leg });
    }

    /// How much the engine holds now; `None` when it has ended.
    pub async fn sizes(&self) -> Option<Sizes> {
        let (answer, sizes) = oneshot::channel();
        self.ask(Command::Measure { answer });
        sizes.await.ok()
    }

    /// From now on what this thread asks for reaches the engine when the thread calls [`Media::flush`], which it must do before it sleeps:
    /// several commands wake the engine once. What other threads ask for goes at once, as before.
    pub fn hold_back(&self) {
        self.asker.hold_back();
    }

    /// Sends what was held back.
    pub fn flush(&self) {
        self.asker.flush();
    }

    fn ask(&self, command: Command) {
        if self.asker.ask(command).is_err() {
            tracing::error!("the media engine has ended");
        }
    }
}
