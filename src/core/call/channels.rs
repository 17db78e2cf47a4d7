//! The channels of the call's trunks (C1, E6).

use super::{Call, Channel};
use crate::ids::{LegId, TrunkId};
use crate::message::{Action, Tell};
use crate::outcome::CallType;
use crate::trunk;

impl Call {
    /// Asks the carrier for a channel, where the call needs one.
    pub(super) fn claim(&self) -> Option<Action> {
        let (channel, way) = (self.channel_of(self.arrival.leg), self.arrival.call_type());
        self.arrival.trunk.map(|trunk| Action::Tell(Tell::Trunk(trunk, trunk::Event::Claim { channel, way })))
    }

    /// Gives the channel back, where there is one.
    pub(super) fn release_channel(&mut self, out: &mut Vec<Action>) {
        if std::mem::take(&mut self.channel) {
            out.extend(self.arrival.trunk.map(|trunk| self.free_channel(trunk, self.arrival.leg)));
        }
    }

    /// Asks for a channel to call somebody with, beside the call's own.
    pub(super) fn claim_for(&self, leg: LegId, trunk: TrunkId) -> Action {
        let event = trunk::Event::Claim { channel: self.channel_of(leg), way: CallType::Outbound };
        Action::Tell(Tell::Trunk(trunk, event))
    }

    /// A new machine of the trunk hears of such a channel: it is kept where it was given, else asked for again.
    pub(super) fn claim_again(&self, leg: LegId, trunk: TrunkId, given: bool) -> Action {
        if !given {
            return self.claim_for(leg, trunk);
        }
        let event = trunk::Event::Keep { channel: self.channel_of(leg), way: CallType::Outbound };
        Action::Tell(Tell::Trunk(trunk, event))
    }

    pub(super) fn channel_of(&self, leg: LegId) -> Channel {
        Channel { call: self.id(), leg }
    }

    pub(super) fn free_channel(&self, trunk: TrunkId, leg: LegId) -> Action {
        Action::Tell(Tell::Trunk(trunk, trunk::Event::Free(self.channel_of(leg))))
    }
}
