//! The engine from outside: real sockets, real WebRTC, no knowledge of its insides.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "helpers of tests"
)]

mod audio;
mod conference;
mod digits;
mod early_media;
mod path;
mod recording;
mod rig;
