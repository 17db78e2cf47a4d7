//! SIP without a socket or a clock: messages, transactions, dialogs and session descriptions as pure machines.
//!
//! Bytes and time come in through [`cordboard_core::cx::Cx`]; bytes and events go out as actions.

pub mod digest;
pub mod endpoint;
pub mod message;
pub mod registrar;
pub mod sdp;
pub mod session;
pub mod transaction;
pub mod translate;
