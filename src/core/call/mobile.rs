//! The agents' own mobiles in a call: a channel for each, key 1 that accepts, and what their failures are called (B4, C7, E2).

use super::{Call, InHand, State};
use crate::ids::{AgentId, LegId, TrunkId};
use crate::leg;
use crate::message::{Action, Device, Gateway, LegPlan, MediaAction, Number, Terms, Withdrawal};
use crate::outbound::status_of;
use crate::outcome::CallStatus;
use crate::setup::{Line, Mobile};
use crate::trunk;
use serde::{Deserialize, Serialize};

/// What an agent hears who shall press 1.
const PRESS_ONE: &str = "press-one";
/// No number of ours to show, no trunk, or none with a host.
const NO_LINE: &str = "mobile_no_line";

/// A mobile that is called, or in the call: from the claim of its channel to the end of its leg.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct MobileLeg {
    agent: AgentId,
    number: Number,
    /// Given with the channel.
    gateway: Option<Gateway>,
}

impl InHand {
    /// The mobile is answered, and only key 1 accepts.
    fn needs_key(&self) -> bool {
        matches!(&self.offer.device, Device::Mobile(mobile) if mobile.press_one)
    }
}

impl Call {
    /// Asks for a channel to call the mobile with. The number of ours that the customer knows is shown, else the automatic choice; without
    /// either it cannot be called.
    pub(super) fn reach_mobile(&mut self, agent: AgentId, leg: LegId, mobile: &Mobile, out: &mut Vec<Action>) -> bool {
        let known = self.arrival.trunk.map(|trunk| Line { trunk, caller: self.arrival.ours().to_owned() });
        let Some(Line { trunk, caller }) = known.or_else(|| mobile.line.clone()) else { return false };
        let number = Number { trunk, caller, called: mobile.number.clone() };
        out.push(self.claim_for(leg, trunk));
        self.mobiles.insert(leg, MobileLeg { agent, number, gateway: None });
        true
    }

    /// There is a channel; whether it was a mobile's.
    pub(super) fn mobile_granted(&mut self, leg: LegId, gateway: &Gateway, out: &mut Vec<Action>) -> bool {
        let Some(MobileLeg { agent, number, gateway: given }) = self.mobiles.get_mut(&leg) else { return false };
        if given.replace(gateway.clone()).is_some() {
            return true;
        }
        let (transport, Number { trunk, caller, called }) = (gateway.transport, number.clone());
        let agent = Some(*agent);
        match gateway.host {
            Some(host) => {
                self.legs.insert(leg);
                out.push(Action::OpenLeg { leg, plan: LegPlan::Trunk { agent, trunk, host, transport, caller, called } });
            }
            None => {
                self.free_mobile(leg, out);
                self.mobile_not_called(leg, NO_LINE, CallStatus::CarrierException, out);
            }
        }
        true
    }

    pub(super) fn mobile_refused(&mut self, leg: LegId, refusal: trunk::Refusal, out: &mut Vec<Action>) -> bool {
        let ours = self.mobiles.remove(&leg).is_some();
        if ours {
            self.mobile_not_called(leg, "trunk_full", refusal.into(), out);
        }
        ours
    }

    pub(super) fn mobile_without_line(&mut self, leg: LegId, out: &mut Vec<Action>) {
        self.mobile_not_called(leg, NO_LINE, CallStatus::CarrierException, out);
    }

    fn mobile_not_called(&mut self, leg: LegId, reason: &str, status: CallStatus, out: &mut Vec<Action>) {
        if self.is_dialled_from(leg) {
            self.dialler_lost(Some(reason), out);
        } else if let Some(offer) = self.hand_at(leg).map(|hand| hand.offer.offer) {
            self.take_back(offer, status, |_| Withdrawal::DeviceFailed(reason.to_owned()), out);
        }
    }

    pub(super) fn mobiles_trunk_restarted(&self, trunk: TrunkId, out: &mut Vec<Action>) {
        for (leg, mobile) in self.mobiles.iter().filter(|(_, mobile)| mobile.number.trunk == trunk) {
            out.push(self.claim_again(*leg, trunk, mobile.gateway.is_some()));
        }
    }

    /// The leg is over: so is the need of its channel.
    pub(super) fn free_mobile(&mut self, leg: LegId, out: &mut Vec<Action>) {
        if let Some(mobile) = self.mobiles.remove(&leg) {
            out.push(self.free_channel(mobile.number.trunk, leg));
        }
    }

    /// Channels that were asked for and are needed no more. A mobile that was called keeps its own to the end of its leg.
    pub(super) fn drop_mobiles(&mut self, out: &mut Vec<Action>) {
        let asked = self.mobiles.iter().filter(|(_, mobile)| mobile.gateway.is_none()).map(|(leg, _)| *leg);
        let unneeded: Vec<LegId> = asked.filter(|leg| self.hand_at(*leg).is_none() && !self.is_dialled_from(*leg)).collect();
        for leg in unneeded {
            self.free_mobile(leg, out);
        }
    }

    pub(super) fn mobile_channels(&self) -> usize {
        self.mobiles.values().filter(|mobile| mobile.gateway.is_some()).count()
    }

    fn is_dialled_from(&self, leg: LegId) -> bool {
        matches!(&self.state, State::Dialling(dialling) if dialling.seat.leg == leg)
    }

    /// The offer for which this leg rings.
    pub(super) fn hand_at(&self, leg: LegId) -> Option<&InHand> {
        self.seeking()?.offers.iter().find(|hand| hand.leg == Some(leg) && hand.withdrawn.is_none())
    }

    fn hand_at_mut(&mut self, leg: LegId) -> Option<&mut InHand> {
        self.seeking_mut()?.offers.iter_mut().find(|hand| hand.leg == Some(leg) && hand.withdrawn.is_none())
    }

    // ---- key 1 ----

    /// The phone was answered. Whether the agent must press 1 first; if so, they are asked to.
    pub(super) fn asks_for_key(&mut self, leg: LegId, out: &mut Vec<Action>) -> bool {
        if !self.hand_at(leg).is_some_and(InHand::needs_key) {
            return false;
        }
        let token = self.token();
        if let Some(hand) = self.hand_at_mut(leg) {
            hand.asked = Some(token);
        }
        out.push(Action::Media(MediaAction::Play { leg, sounds: vec![PRESS_ONE.into()], token }));
        true
    }

    /// The prompt is over: it is heard again, until 1 is pressed or the ring's time is over.
    pub(super) fn asks_again(&mut self, leg: LegId, token: u64, out: &mut Vec<Action>) {
        if self.hand_at(leg).is_some_and(|hand| hand.asked == Some(token)) {
            self.asks_for_key(leg, out);
        }
    }

    // ---- failures ----

    /// What the failure of an agent's phone or mobile is called (G3).
    pub(super) fn device_status(&self, leg: LegId, why: &leg::Failure) -> CallStatus {
        let gateway = self.mobiles.get(&leg).and_then(|mobile| mobile.gateway.as_ref());
        status_of(why, Gateway::outcomes(gateway))
    }
}

/// Whether a device's failure is the person's no, a ring in vain, or the device's own (B4).
pub(super) fn withdrawal_for(device: &Device, why: &leg::Failure, status: CallStatus, terms: &Terms) -> Withdrawal {
    match (device, status, why.status, why.q850) {
        (Device::Mobile(_), CallStatus::Rejected, _, _) => Withdrawal::NotNeeded,
        (Device::Mobile(_), CallStatus::Missed, _, _) => Withdrawal::RingTimeout { misses: terms.misses },
        (Device::Browser | Device::Phone(_), _, 603, _) => Withdrawal::NotNeeded,
        (Device::Browser | Device::Phone(_), _, _, Some(leg::SUBSCRIBER_ABSENT)) => Withdrawal::DeviceFailed("phone_not_registered".into()),
        (Device::Mobile(_) | Device::Browser | Device::Phone(_), _, _, _) => {
            Withdrawal::DeviceFailed(failure_of(device, Some(status)).into())
        }
    }
}

/// Why a device is not there: stable words, for which the page has sentences (B4).
pub(super) fn failure_of(device: &Device, status: Option<CallStatus>) -> &'static str {
    match (device, status) {
        (Device::Browser | Device::Phone(_), _) => "device_failed",
        (Device::Mobile(_), Some(CallStatus::InCall)) => "mobile_busy",
        (Device::Mobile(_), Some(CallStatus::PowerOff)) => "mobile_off",
        (Device::Mobile(_), Some(CallStatus::Missed)) => "mobile_not_answered",
        (Device::Mobile(_), Some(CallStatus::Rejected)) => "mobile_rejected",
        (Device::Mobile(_), Some(_) | None) => "mobile_failed",
    }
}
