//! Thin actix shells around the machines of `cordboard-core`: one actor for each agent, call, leg, skill group and trunk,
//! and one for the SIP endpoint that all legs share.

pub mod agent;
pub mod blocklist;
pub mod board;
pub mod call;
pub mod colleagues;
pub mod dial;
pub mod floor;
mod gauges;
pub mod group;
mod ledger;
pub mod leg;
pub mod shell;
pub mod sip;
pub mod switch;
pub mod timer;
pub mod trunk;
pub mod views;

use cordboard_core::ids::Address;
use cordboard_core::message::Action;

/// Calls that were turned away for want of room or time: only counted (G2).
const SHED: &str = "cordboard_calls_shed_total";

/// An action that is not this role's to perform: a fault of a machine, told and survived.
fn foreign(who: Address, action: &Action) {
    tracing::error!(?who, ?action, "an action of another role");
}
