//! What the media engine is asked and what it tells: the vocabulary of its handle.

use crate::g711::Law;
use crate::ports::Lease;
use cordboard_core::ids::{CallId, LegId, PeerId};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use tokio::sync::oneshot;

/// The callback that events go to.
pub type Events = Arc<dyn Fn(MediaEvent) + Send + Sync>;

/// The far side of a SIP leg, as the agreed SDP has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RtpRemote {
    /// Where the SDP wants our RTP.
    pub addr: SocketAddr,
    /// `a=rtcp` (RFC 3605); else the port after `addr`'s.
    pub rtcp: Option<SocketAddr>,
    pub law: Law,
    /// Of `law`, both ways.
    pub payload_type: u8,
    /// Of telephone-event at 8000 Hz, when both sides have it.
    pub dtmf_type: Option<u8>,
    /// Whether we send to it: our direction is `sendrecv` or `sendonly`.
    pub send: bool,
    /// Whether we take what it sends: our direction is `sendrecv` or `recvonly`.
    pub receive: bool,
}

impl RtpRemote {
    /// Whether RTP of this payload type is a telephone event, or audio; `None` when it is neither of this session.
    pub(crate) fn is_event(&self, payload_type: u8) -> Option<bool> {
        match payload_type {
            event if self.dtmf_type == Some(event) => Some(true),
            audio if self.payload_type == audio => Some(false),
            _ => None,
        }
    }
}

/// What a leg hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    Silence,
    /// What this leg says.
    Leg(LegId),
    /// What these legs say together (D5, D9), less the listener itself: all parties of a conference can be given the same list. A single other leg is
    /// relayed as by `Leg`. Telephone events of mixed legs are told (`Digit`) and not passed on.
    Mix(Vec<LegId>),
    /// A sound by name, repeated: `music`, or a file of the sounds folder.
    Music(String),
    /// The far phone rings.
    Ringback,
    /// The called party is busy.
    Busy,
    /// The network has no way through.
    Congestion,
}

impl Source {
    /// The same for `listener` in its plainest form: nobody hears themself or another twice, and one voice needs no mixing.
    pub(crate) fn plain_for(self, listener: LegId) -> Source {
        let Source::Mix(mut legs) = self else { return self };
        legs.retain(|leg| *leg != listener);
        legs.sort_unstable();
        legs.dedup();
        match legs.as_slice() {
            [] => Source::Silence,
            [leg] => Source::Leg(*leg),
            [_, _, ..] => Source::Mix(legs),
        }
    }

    /// The name of the sound that is repeated.
    pub(crate) fn sound(&self) -> Option<&str> {
        match self {
            Source::Silence | Source::Leg(_) | Source::Mix(_) => None,
            Source::Music(name) => Some(name),
            Source::Ringback => Some("ringback"),
            Source::Busy => Some("busy"),
            Source::Congestion => Some("congestion"),
        }
    }
}

/// How a digit is sent (D7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DtmfMode {
    /// As a telephone event; in band where the session has none.
    Rfc4733,
    /// As its two tones, in the audio.
    InBand,
}

/// Measured quality of one leg's path (both directions together, the worse counts).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Quality {
    /// 1.0 to 4.5, by the E-model (ITU-T G.107).
    pub mos: f32,
    /// Percent of the packets of the last interval.
    pub loss_percent: f32,
    /// Interarrival jitter (RFC 3550 section 6.4.1).
    pub jitter_ms: f32,
    /// From sender and receiver reports; `None` until the far side reports.
    pub round_trip_ms: Option<f32>,
}

/// What the engine tells. It is told on the media thread: the callback must only pass it on.
#[derive(Clone, PartialEq, Debug)]
pub enum MediaEvent {
    /// The SDP answer for the browser's offer.
    PeerAnswer {
        peer: PeerId,
        sdp: String,
    },
    /// The offer could not be taken, or the browser did not connect in time; the peer is gone.
    PeerFailed {
        peer: PeerId,
        why: String,
    },
    /// Audio can flow, the first time or again.
    PeerUp {
        peer: PeerId,
    },
    /// Nothing was heard of the browser for five seconds. The peer stays until it is closed and may come up again.
    PeerLost {
        peer: PeerId,
    },
    /// The leg's audio is the browser's now.
    Attached {
        leg: LegId,
    },
    /// The peer is unknown, failed or was lost before it was up.
    AttachFailed {
        leg: LegId,
    },
    /// The sounds have played to their end (or could not be played).
    Played {
        leg: LegId,
        token: u64,
    },
    /// A key was pressed (RFC 4733): `0`–`9`, `*`, `#`, `A`–`D`.
    Digit {
        leg: LegId,
        digit: char,
    },
    /// About every two seconds while packets flow.
    Quality {
        leg: LegId,
        quality: Quality,
    },
    /// A SIP leg had neither RTP nor RTCP for another 60 s (G5).
    RtpSilent {
        leg: LegId,
        since: SystemTime,
    },
    RecordingReady {
        call: CallId,
        path: PathBuf,
        duration_ms: i64,
        /// The call was not stopped but cut off by the end of an earlier process (G5).
        recovered: bool,
    },
    RecordingFailed {
        call: CallId,
        why: String,
    },
}

/// How much the engine holds: for metrics, and to see that nothing leaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    pub legs: usize,
    /// Legs that somebody hears as they are.
    pub heard: usize,
    /// Legs that are heard in mixes.
    pub mixed: usize,
    pub peers: usize,
    /// Background tasks of the media thread.
    pub tasks: usize,
}

/// How a browser's voice travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
    Pcmu,
    /// For a narrow line (F4), where the browser offers it; otherwise PCMU.
    Opus,
}

/// What the handle asks of the media thread.
#[derive(Debug)]
pub(crate) enum Command {
    OpenRtp { leg: LegId, lease: Lease },
    SetRemote { leg: LegId, remote: RtpRemote },
    OpenPeer { peer: PeerId, offer: String, codec: Codec },
    ClosePeer { peer: PeerId },
    AttachPeer { leg: LegId, peer: PeerId },
    Hear { leg: LegId, source: Source },
    Play { leg: LegId, sounds: Vec<String>, token: u64 },
    SendDigit { leg: LegId, digit: char, mode: DtmfMode },
    Record { call: CallId, leg: LegId, asked: Instant },
    PauseRecord { call: CallId, paused: bool },
    StopRecord { call: CallId },
    Close { leg: LegId },
    Measure { answer: oneshot::Sender<Sizes> },
}

impl Command {
    /// Whether it cannot wait for the next tick: it joins or parts voices, or somebody waits for an answer. What only the clock sends (music,
    /// prompts, digits) begins at a tick anyway, and packets from a socket are read after the commands before them.
    pub fn is_urgent(&self) -> bool {
        match self {
            Self::Hear { source, .. } => match source {
                Source::Leg(_) | Source::Mix(_) | Source::Silence => true,
                Source::Music(_) | Source::Ringback | Source::Busy | Source::Congestion => false,
            },
            Self::OpenPeer { .. } | Self::ClosePeer { .. } | Self::AttachPeer { .. } => true,
            Self::Record { .. } | Self::PauseRecord { .. } | Self::Measure { .. } => true,
            Self::OpenRtp { .. } | Self::SetRemote { .. } | Self::Play { .. } | Self::SendDigit { .. } => false,
            Self::StopRecord { .. } | Self::Close { .. } => false,
        }
    }
}
