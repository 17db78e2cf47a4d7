//! Two switches joined by a wire that loses, repeats and reorders, in virtual time; and what others may send.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions, reason = "tests fail by panicking")]

mod calls;
mod changes;
mod chaos;
mod front;
mod fuzz;
mod pair;
mod script;
mod torture;
