//! What others may know of a call.

use super::{Call, State};
use crate::ids::{AgentId, GroupId, LegId, OfferId};

impl Call {
    /// The state's name, for traces and tests.
    pub fn kind(&self) -> &'static str {
        match self.state {
            State::Claiming => "Claiming",
            State::Dialling(_) => "Dialling",
            State::Queueing(_) => "Queueing",
            State::Joining(_) => "Joining",
            State::Talking(_) => "Talking",
            State::Aside(_) => "Aside",
            State::Bridged(_) => "Bridged",
            State::Leaving { .. } => "Leaving",
            State::Over => "Over",
        }
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// The agent in the call, with the leg: joining or talking.
    pub fn agent(&self) -> Option<(AgentId, LegId)> {
        self.seat().map(|seat| (seat.agent, seat.leg))
    }

    /// The agents who ring for this call, by offer.
    pub fn offered(&self) -> Vec<(OfferId, AgentId)> {
        self.seeking().into_iter().flat_map(|queueing| &queueing.offers).map(|o| (o.offer.offer, o.offer.agent)).collect()
    }

    /// The group whose queue the caller stands in.
    pub fn queue(&self) -> Option<GroupId> {
        self.seeking().filter(|queueing| !queueing.direct).map(|queueing| queueing.group)
    }

    /// The group whose call this is at the moment.
    pub fn group(&self) -> Option<GroupId> {
        self.seat().map(|seat| seat.terms.group).or(self.queue())
    }

    /// Which wait of the call this is, from 1; for the model test.
    pub fn waits(&self) -> u32 {
        self.waits
    }

    /// Everybody of ours in the call: the agent, and the one who was called in (D5).
    pub fn agents(&self) -> Vec<(AgentId, LegId)> {
        self.seats().map(|seat| (seat.agent, seat.leg)).collect()
    }

    /// Channels that the call has; for the model test.
    pub fn channels(&self) -> usize {
        usize::from(self.channel) + usize::from(self.has_outside_channel()) + self.mobile_channels()
    }

    /// The agent is out of reach; for the model test.
    pub fn is_away(&self) -> bool {
        self.seat().is_some_and(|seat| seat.away)
    }

    /// A consultation is under way, and a customer waits; for the model test.
    pub fn is_consulting(&self) -> bool {
        matches!(&self.state, State::Talking(talk) if talk.consult.is_some())
    }

    /// A colleague is called and has not come yet; for the model test.
    pub fn is_calling_colleague(&self) -> bool {
        matches!(&self.state, State::Aside(aside) if aside.consult.up().is_none())
    }

    /// The customer is in a self-service flow (D6); for the model test.
    pub fn is_in_flow(&self) -> bool {
        matches!(&self.state, State::Talking(talk) if talk.is_in_flow())
    }

    /// The legs that are in the conversation; for the model test.
    pub fn parties(&self) -> Vec<LegId> {
        let customer = (!matches!(self.state, State::Aside(_))).then_some(self.arrival.leg);
        customer.into_iter().chain(self.seats().map(|seat| seat.leg)).chain(self.outside_leg()).collect()
    }

    /// A transfer was asked for and is not decided; for the model test.
    pub fn is_transferring(&self) -> bool {
        matches!(&self.state, State::Talking(talk) if talk.transfer.is_some())
    }

    /// The customer of a call out is being called; for the model test.
    pub fn is_customer_called(&self) -> bool {
        matches!(&self.state, State::Dialling(dialling) if dialling.is_customer_called())
    }

    pub fn customer_leg(&self) -> LegId {
        self.arrival.leg
    }
}
