//! The media engine: SIP legs' RTP, browsers' WebRTC, prompts, recording.
//!
//! One thread owns every socket; packets never leave it. A [`Media`] handle sends it commands, and what it has to tell comes as [`MediaEvent`]s.
//! G.711 is relayed between legs without decoding (by table between the two laws), with sequence, timestamp and SSRC unbroken for the receiver whatever it hears.
//! Only who hears several others at once hears them decoded and mixed.

mod address;
mod browser_sdp;
mod control;
mod dtmf;
mod emodel;
mod engine;
mod event;
mod g711;
mod handle;
mod intake;
mod leg;
mod library;
mod mixer;
mod mp3;
mod mux;
mod narrow;
mod outbox;
mod outgoing;
mod packet;
mod peer;
mod ports;
mod queue;
mod reception;
mod recording;
mod rtcp;
mod rtp;
mod sharers;
mod shipped;
mod sound;
mod spool;
mod srtp;
mod srtp_keys;
mod stun;
mod synth;
mod timeline;
mod watch;

pub use event::{Codec, DtmfMode, Events, MediaEvent, Quality, RtpRemote, Sizes, Source};
pub use g711::Law;
pub use handle::{Media, MediaConfig, MediaError};
pub use mixer::Mixer;
pub use recording::spool_end;
pub use sound::Frame;
