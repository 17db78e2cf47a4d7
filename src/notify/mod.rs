//! What leaves the switch for people's inboxes.

pub mod mail;
