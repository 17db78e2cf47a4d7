//! Cordboard: the telephone side of a contact centre.
//!
//! Direction of dependencies: `cordboard-core` <- `cordboard-sip`, `cordboard-db`, [`wire`], `cordboard-media`, [`net`] <- [`actors`] <- [`api`] <- [`serve`].
//! Lower floors report upward through senders that [`serve`] gives them. `ARCHITECTURE.md` walks one call through the house.

pub mod actors;
pub mod api;
pub mod cli;
pub mod config;
pub mod demo;
mod moderated;
pub mod net;
pub mod notify;
pub mod retention;
pub mod serve;
mod sessions;
pub mod tls;
pub mod wire;

/// What keeps the switch from starting or going on, in the operator's words.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;
