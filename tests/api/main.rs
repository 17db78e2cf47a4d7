//! The HTTP API and the command line, over real sockets, on SQLite and PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by them")]

#[macro_use]
mod support;

mod agents;
mod configuration;
mod floor;
mod flows;
mod lists;
mod login;
mod mobile;
mod mobile_switches;
mod pages;
mod passwords;
mod profile;
mod recordings;
mod records;
mod sms;
