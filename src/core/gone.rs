//! What shells say for a call that is gone, so that nobody stays reserved, ringing, in line or counted for it; and for agents and trunks that
//! left the floor, so that no call waits for them.

use crate::ids::{Address, AgentId, CallId};
use crate::message::Tell;
use crate::outcome::CallStatus;
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

/// The router's answer to a message for an agent who is not on the floor any more.
pub fn no_agent(agent: AgentId, event: &agent::Event) -> Option<Tell> {
    use agent::Event as E;
    match event {
        E::Reserve { group, offer, .. } => Some(Tell::Group(*group, group::Event::NotReserved { agent, offer: *offer })),
        E::ReserveDirect { offer, call, .. } => {
            Some(Tell::Call(*call, call::Event::NotReserved { agent, offer: *offer, status: CallStatus::NoAgentOnline }))
        }
        E::Ring(ringing) => Some(Tell::Call(ringing.call, call::Event::OfferGone { offer: ringing.offer })),
        E::Withdraw { call, offer, .. } => Some(Tell::Call(*call, call::Event::Withdrawn { offer: *offer })),
        E::Won { call, .. } => Some(Tell::Call(*call, call::Event::AgentLost { agent })),
        _ => None,
    }
}

/// The router's answer to a message for a trunk that is not on the floor any more.
pub fn no_trunk(event: &trunk::Event) -> Option<Tell> {
    let trunk::Event::Claim { channel, .. } = event else { return None };
    Some(Tell::Call(channel.call, call::Event::ChannelRefused { leg: channel.leg, refusal: trunk::Refusal::Barred }))
}
