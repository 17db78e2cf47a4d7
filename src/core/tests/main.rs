//! The machines on a simulated floor in virtual time: stories (`scenarios`) and random orders of events (`model`).
#![allow(clippy::as_conversions, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod floor;
mod flow;
mod model;
mod scenarios;
