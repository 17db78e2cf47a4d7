//! What leaves the switch for people's inboxes and pockets.

pub mod mail;
pub mod sms;
