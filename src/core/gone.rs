//! What shells say for a call that is gone, so that nobody stays reserved, ringing, in line or counted for it.

use crate::ids::{Address, CallId};
use crate::message::Tell;
use crate::{agent, call, group, leg, trunk};

/// A call's last word to somebody it once told something, said by its shell after a panic.
pub fn farewell(call: CallId, to: Address) -> Option<Tell> {
    match to {
        Address::Agent(agent) => Some(Tell::Agent(agent, agent::Event::CallGone(call))),
        Address::Leg(leg) => Some(Tell::Leg(leg, leg::Command::CallGone(call))),
        Address::Group(group) => Some(Tell::Group(group, group::Event::CallGone(call))),
        Address::Trunk(trunk) => Some(Tell::Trunk(trunk, trunk::Event::CallGone(call))),
        Address::Call(_) => None,
    }
}

/// The router's answer to a message for a call that is finished or never was.
pub fn undeliverable(call: CallId, from: Address, event: &call::Event) -> Vec<Tell> {
    let mut answers: Vec<Tell> = farewell(call, from).into_iter().collect();
    // The agent was reserved for this call and would wait for its lease to end.
    if let call::Event::Offer(offer) = event {
        answers.push(Tell::Agent(offer.agent, agent::Event::CallGone(call)));
    }
    answers
}
