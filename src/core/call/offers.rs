//! Agents who ring for the call: offers, accepts, time-outs, devices that fail (C4–C8).

use super::consult::Consult;
use super::mobile::{failure_of, withdrawal_for};
use super::{Call, InHand, Queueing, Seat, State, hang_up};
use crate::agent;
use crate::cx::Cx;
use crate::group;
use crate::ids::{AgentId, LegId, OfferId, PeerId};
use crate::leg;
use crate::message::{Action, Device, LegPlan, MediaAction, Offer, OfferEnd, Phase, Ringing, Source, Tell, Transfer, Withdrawal};
use crate::outcome::CallStatus;
use crate::record::What;

impl Call {
    pub(super) fn offered_to(&mut self, offer: Offer, out: &mut Vec<Action>, cx: &mut Cx) {
        let (call, caller, contact) = (self.id(), self.arrival.seen_from(true).to_owned(), self.arrival.ours().to_owned());
        let colleague = self.arrival.colleagues().map(|(caller, _)| caller);
        let Some(waiting_since) = self.seeking().filter(|queueing| queueing.wait == offer.wait).map(|queueing| queueing.since) else {
            // The race is over: the group's offer crossed the end, or another wait.
            return self.send_back(offer.offer, offer.agent, out);
        };
        let terms = &offer.terms;
        out.push(Action::Journal(What::Ringing { agent: offer.agent }));
        let ringing = Ringing {
            offer: offer.offer,
            call,
            caller: caller.clone(),
            called: contact,
            colleague,
            group: terms.group_name.clone(),
            waiting_since,
            rings_since: cx.wall,
            rings_until: cx.wall + i64::try_from(terms.ring).unwrap_or(i64::MAX),
            automatic: terms.automatic,
        };
        out.push(Action::Tell(Tell::Agent(offer.agent, agent::Event::Ring(Box::new(ringing)))));
        let (agent, until, device) = (offer.agent, cx.now + terms.ring, offer.device.clone());
        let leg = (device != Device::Browser).then(|| LegId(cx.next_id()));
        if let Some(queueing) = self.seeking_mut() {
            queueing.offers.push(InHand { offer, leg, asked: None, until, withdrawn: None, status: CallStatus::Missed });
        }
        match (device, leg) {
            (Device::Phone(phone), Some(leg)) => {
                self.legs.insert(leg);
                out.push(Action::OpenLeg { leg, plan: LegPlan::Phone { agent: Some(agent), phone, caller } });
            }
            (Device::Mobile(mobile), Some(leg)) => {
                if !self.reach_mobile(agent, leg, &mobile, out) {
                    self.mobile_without_line(leg, out);
                }
            }
            (Device::Browser | Device::Phone(_) | Device::Mobile(_), _) => {}
        }
        self.show_talk(out);
    }

    /// An offer that came too late.
    pub(super) fn send_back(&mut self, offer: OfferId, agent: AgentId, out: &mut Vec<Action>) {
        self.unconfirmed.insert(offer, agent);
        out.push(self.withdraw(offer, agent, Withdrawal::NotNeeded));
    }

    pub(super) fn ring_timeouts(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        let Some(queueing) = self.seeking() else { return };
        let late: Vec<OfferId> =
            queueing.offers.iter().filter(|o| o.withdrawn.is_none() && o.until <= cx.now).map(|o| o.offer.offer).collect();
        for offer in late {
            self.take_back(offer, CallStatus::Missed, |terms| Withdrawal::RingTimeout { misses: terms.misses }, out);
        }
    }

    /// Takes an offer back; the group's next offer waits for the agent's word.
    pub(super) fn take_back(
        &mut self,
        offer: OfferId,
        status: CallStatus,
        why: impl Fn(&crate::message::Terms) -> Withdrawal,
        out: &mut Vec<Action>,
    ) {
        let Some(queueing) = self.seeking_mut() else { return };
        let Some(hand) = queueing.offers.iter_mut().find(|o| o.offer.offer == offer && o.withdrawn.is_none()) else { return };
        (hand.withdrawn, hand.status) = (Some(OfferEnd::Refused), status);
        let (offer, leg) = (hand.offer.clone(), hand.leg);
        out.push(Action::Journal(What::RingEnded { agent: offer.agent }));
        out.push(self.withdraw(offer.offer, offer.agent, why(&offer.terms)));
        out.extend(leg.map(hang_up));
    }

    /// The agent's word that an offer is over.
    pub(super) fn offer_ended(&mut self, offer: OfferId, how: OfferEnd, out: &mut Vec<Action>, cx: &Cx) {
        self.unconfirmed.remove(&offer);
        // A winner that let go before it heard of its win says `AgentLost` to the win.
        let call = self.id();
        let Some(queueing) = self.seeking_mut() else { return };
        let Some(at) = queueing.offers.iter().position(|o| o.offer.offer == offer) else { return };
        let hand = queueing.offers.remove(at);
        // Who declines says so before anything was taken back.
        let declined = hand.withdrawn.is_none() && how == OfferEnd::Refused;
        let status = if declined { CallStatus::Rejected } else { hand.status };
        let how = hand.withdrawn.unwrap_or(how);
        if hand.withdrawn.is_none() {
            out.push(Action::Journal(What::RingEnded { agent: hand.offer.agent }));
            out.extend(hand.leg.map(hang_up));
        }
        if queueing.direct {
            match queueing.back.filter(|_| queueing.offers.is_empty()) {
                Some(back) => self.fall_back(back, out, cx),
                None => self.consult_failed(Transfer::AgentRefused, status, out),
            }
            return;
        }
        let (group, agent) = (queueing.group, hand.offer.agent);
        if how == OfferEnd::Refused {
            queueing.refused.insert(agent, cx.wall);
        }
        out.push(Action::Tell(Tell::Group(group, group::Event::OfferOver { call, offer, agent, how })));
    }

    pub(super) fn accepted(&mut self, offer: OfferId, peer: Option<PeerId>, out: &mut Vec<Action>, cx: &mut Cx) {
        let Some(queueing) = self.seeking() else { return };
        let Some(hand) = queueing.offers.iter().find(|o| o.offer.offer == offer && o.withdrawn.is_none()) else { return };
        match (hand.leg, peer) {
            // A phone that rings is answered at the phone, not in the page.
            (Some(_), _) => {}
            (None, Some(peer)) => {
                let (leg, agent) = (LegId(cx.next_id()), hand.offer.agent);
                self.legs.insert(leg);
                self.win(offer, leg, out);
                out.push(Action::OpenLeg { leg, plan: LegPlan::Browser { agent, peer } });
            }
            (None, None) => self.take_back(offer, CallStatus::Missed, |_| Withdrawal::DeviceFailed("no_voice_path".into()), out),
        }
    }

    /// One agent has won: everybody else hears so (C4).
    fn win(&mut self, offer: OfferId, leg: LegId, out: &mut Vec<Action>) {
        let (call, guest) = (self.id(), self.consult().is_some());
        let segment = self.consult().map_or(self.segment, Consult::segment);
        out.extend(self.seeking().and_then(|place| self.leave(place)));
        let offers = self.seeking_mut().map(|place| std::mem::take(&mut place.offers)).unwrap_or_default();
        for hand in offers {
            if hand.offer.offer == offer {
                out.push(Action::Tell(Tell::Agent(hand.offer.agent, agent::Event::Won { offer, call })));
                let seat = Seat::new(hand.offer.agent, leg, hand.offer.device, hand.offer.terms, segment, guest);
                if guest {
                    self.guest_comes(seat, out);
                } else {
                    out.push(self.show(&seat, Phase::Connecting, None, None));
                    self.state = State::Joining(seat);
                }
            } else {
                self.abandon_offer(&hand, out);
            }
        }
    }

    /// The caller's place in a queue, or the one of a consultation that seeks an agent.
    pub(super) fn seeking(&self) -> Option<&Queueing> {
        if let State::Queueing(queueing) = &self.state { Some(queueing) } else { self.consult().and_then(Consult::place) }
    }

    pub(super) fn seeking_mut(&mut self) -> Option<&mut Queueing> {
        match &mut self.state {
            State::Queueing(queueing) => Some(queueing),
            State::Talking(talk) => talk.consult.as_mut()?.place_mut(),
            State::Aside(aside) => aside.consult.place_mut(),
            State::Claiming | State::Dialling(_) | State::Joining(_) | State::Bridged(_) | State::Leaving { .. } | State::Over => None,
        }
    }

    /// What happens to a phone or mobile that rings for an offer.
    pub(super) fn phone_leg(&mut self, leg: LegId, event: leg::Event, out: &mut Vec<Action>, cx: &mut Cx) {
        let Some(hand) = self.hand_at(leg) else { return };
        let (offer, device, asked) = (hand.offer.offer, hand.offer.device.clone(), hand.asked.is_some());
        match event {
            leg::Event::Up => {
                if !self.asks_for_key(leg, out) {
                    self.phone_wins(offer, leg, out, cx);
                }
            }
            leg::Event::Digit('1') if asked => {
                // The prompt stops.
                out.push(Action::Media(MediaAction::Hear { leg, source: Source::Silence }));
                self.phone_wins(offer, leg, out, cx);
            }
            // Who answers and hangs up before the key says no (C7).
            leg::Event::HungUp if asked => self.take_back(offer, CallStatus::Rejected, |_| Withdrawal::NotNeeded, out),
            leg::Event::Failed(why) => {
                let status = self.device_status(leg, &why);
                self.take_back(offer, status, |terms| withdrawal_for(&device, &why, status, terms), out);
            }
            leg::Event::Cancelled | leg::Event::HungUp | leg::Event::Closed => {
                self.take_back(offer, CallStatus::Missed, |_| Withdrawal::DeviceFailed(failure_of(&device, None).into()), out);
            }
            leg::Event::Ringing { .. } | leg::Event::Digit(_) | leg::Event::Held(_) => {}
        }
    }

    fn phone_wins(&mut self, offer: OfferId, leg: LegId, out: &mut Vec<Action>, cx: &mut Cx) {
        self.win(offer, leg, out);
        self.joined(out, cx);
        self.guest_is_up(leg, out, cx);
    }

    pub(super) fn agent_restarted(&mut self, agent: AgentId, out: &mut Vec<Action>) {
        self.unconfirmed.retain(|_, who| *who != agent);
        self.transfer_target_restarted(agent, out);
        self.consult_target_restarted(agent, out);
        // The old machine may have died over the withdrawal, and the new one may have this very offer: both answer `Withdrawn`.
        let call = self.arrival.call;
        if let Some(queueing) = self.seeking_mut() {
            for hand in queueing.offers.iter_mut().filter(|hand| hand.offer.agent == agent) {
                if hand.withdrawn.is_none() {
                    hand.withdrawn = Some(OfferEnd::Gone);
                    out.push(Action::Journal(What::RingEnded { agent }));
                    out.extend(hand.leg.map(hang_up));
                }
                let event = agent::Event::Withdraw { call, offer: hand.offer.offer, why: Withdrawal::NotNeeded };
                out.push(Action::Tell(Tell::Agent(agent, event)));
            }
        }
        if let Some(device) = self.seats().find(|seat| seat.agent == agent).map(|seat| seat.device.clone()) {
            out.push(Action::Tell(Tell::Agent(agent, agent::Event::Reclaim { call: self.id(), device })));
        }
    }
}
