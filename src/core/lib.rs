//! The rules of the contact centre as pure machines: time, ids and events come in, actions go out.
//!
//! No clock, no socket, no runtime and no randomness of its own: this crate depends on serde alone, and its manifest is that rule.

pub mod agent;
pub mod blocklist;
pub mod board;
pub mod call;
pub mod cx;
pub mod flow;
pub mod gate;
pub mod gone;
pub mod group;
pub mod ids;
pub mod leg;
pub mod message;
pub mod moderation;
pub mod outbound;
pub mod outcome;
pub mod overload;
pub mod record;
pub mod setup;
pub mod trunk;
pub mod turns;
