//! The third party of a consultation: sought, called, reached or not (D5).

use super::super::{Call, Seat, State, hang_up};
use super::{Asked, Consult, Outside, Stage, Third};
use crate::cx::Cx;
use crate::group::Limit;
use crate::ids::{AgentId, LegId, OfferId, TrunkId};
use crate::leg;
use crate::message::{Action, Device, Gateway, LegPlan, Number, Offer, Transfer, Whom};
use crate::outbound::{RING_OUT, status_of};
use crate::outcome::{CallStatus, HungUpBy};
use crate::record::What;
use crate::trunk;

impl Call {
    pub(in crate::call) fn consult(&self) -> Option<&Consult> {
        match &self.state {
            State::Talking(talk) => talk.consult.as_deref(),
            State::Aside(aside) => Some(&aside.consult),
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Bridged(_)
            | State::Leaving { .. }
            | State::Over => None,
        }
    }

    pub(in crate::call) fn consulting(&mut self) -> Option<&mut Consult> {
        match &mut self.state {
            State::Talking(talk) => talk.consult.as_deref_mut(),
            State::Aside(aside) => Some(&mut aside.consult),
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Bridged(_)
            | State::Leaving { .. }
            | State::Over => None,
        }
    }

    /// The group takes the consultation in.
    pub(in crate::call) fn consult_queued(&mut self, wait: u32) {
        if let Some(place) = self.consulting().and_then(Consult::place_mut).filter(|place| place.wait == wait) {
            place.welcomed = true;
        }
    }

    pub(in crate::call) fn consult_turned_away(&mut self, wait: u32, limit: Limit, out: &mut Vec<Action>) {
        if self.consult().and_then(Consult::place).is_some_and(|place| place.wait == wait) {
            self.consult_failed(Transfer::QueueRefused(limit), CallStatus::from(limit), out);
        }
    }

    /// The asked agent is reserved for the consultation; whether this was it.
    pub(in crate::call) fn consult_reserved(
        &mut self,
        agent: AgentId,
        offer: OfferId,
        device: Device,
        out: &mut Vec<Action>,
        cx: &mut Cx,
    ) -> bool {
        let Some(mut terms) = self.seat().map(|seat| seat.terms.clone()) else { return false };
        let Some(consult) = self.consulting() else { return false };
        let Stage::Seeking(Asked { place, agent: asked }) = &mut consult.stage else { return false };
        if asked.take_if(|asked| *asked == (agent, offer)).is_none() {
            return false;
        }
        // Nobody's call is answered for them in the middle of their work.
        terms.automatic = false;
        place.welcomed = true;
        let wait = place.wait;
        self.offered_to(Offer { offer, agent, wait, device, terms }, out, cx);
        true
    }

    pub(in crate::call) fn consult_not_reserved(&mut self, agent: AgentId, offer: OfferId, status: CallStatus, out: &mut Vec<Action>) {
        if let Some(Stage::Seeking(asked)) = self.consulting().map(|consult| &mut consult.stage)
            && asked.agent.take_if(|asked| *asked == (agent, offer)).is_some()
        {
            self.consult_failed(Transfer::AgentRefused, status, out);
        }
    }

    /// The asked agent's machine is new: it may not know of the reservation, or get to know of it now.
    pub(in crate::call) fn consult_target_restarted(&mut self, agent: AgentId, out: &mut Vec<Action>) {
        if let Some(Stage::Seeking(asked)) = self.consult().map(|consult| &consult.stage)
            && asked.agent.is_some_and(|(target, _)| target == agent)
        {
            self.consult_failed(Transfer::AgentRefused, CallStatus::Missed, out);
        }
    }

    /// An agent accepted.
    pub(in crate::call) fn guest_comes(&mut self, seat: Seat, out: &mut Vec<Action>) {
        if let Some(consult) = self.consulting() {
            consult.stage = Stage::Joining(seat);
        }
        self.show_talk(out);
        self.show_guest(out);
    }

    /// The leg of an agent who accepted is up.
    pub(in crate::call) fn guest_is_up(&mut self, leg: LegId, out: &mut Vec<Action>, cx: &Cx) {
        let Some(consult) = self.consulting() else { return };
        if let Stage::Joining(seat) = &consult.stage
            && seat.leg == leg
        {
            out.push(Action::Journal(What::Connected { agent: seat.agent }));
            consult.stage = Stage::Up(Third::Agent(seat.clone()));
            self.colleagues_speak(cx);
            self.voices_changed(out);
        }
    }

    pub(in crate::call) fn outside_granted(&mut self, leg: LegId, gateway: Gateway, out: &mut Vec<Action>, cx: &Cx) {
        let Some(Stage::Calling(outside)) = self.consulting().map(|consult| &mut consult.stage) else { return };
        if outside.leg != leg || outside.gateway.is_some() {
            return;
        }
        let (host, transport, number) = (gateway.host, gateway.transport, outside.number.clone());
        (outside.gateway, outside.until) = (Some(gateway), cx.now + RING_OUT);
        let Some(host) = host else {
            return self.consult_failed(Transfer::NumberFailed(CallStatus::CarrierException), CallStatus::CarrierException, out);
        };
        let Number { trunk, caller, called } = number;
        self.legs.insert(leg);
        out.push(Action::OpenLeg { leg, plan: LegPlan::Trunk { agent: None, trunk, host, transport, caller, called } });
    }

    pub(in crate::call) fn outside_refused(&mut self, leg: LegId, refusal: trunk::Refusal, out: &mut Vec<Action>) {
        let status = CallStatus::from(refusal);
        let waits = |outside: &Outside| outside.leg == leg && outside.gateway.is_none();
        if self.consult().and_then(Consult::outside).is_some_and(waits) {
            self.consult_failed(Transfer::NumberFailed(status), status, out);
        }
    }

    pub(in crate::call) fn outside_trunk_restarted(&self, trunk: TrunkId, out: &mut Vec<Action>) {
        let Some(outside) = self.outside().filter(|outside| outside.number.trunk == trunk) else { return };
        out.push(self.claim_again(outside.leg, trunk, outside.gateway.is_some()));
    }

    pub(in crate::call) fn outside_leg(&self) -> Option<LegId> {
        self.outside().map(|outside| outside.leg)
    }

    pub(in crate::call) fn has_outside_channel(&self) -> bool {
        self.outside().is_some_and(|outside| outside.gateway.is_some())
    }

    pub(in crate::call) fn outside(&self) -> Option<&Outside> {
        if let State::Bridged(outside) = &self.state { Some(outside) } else { self.consult().and_then(Consult::outside) }
    }

    /// The other end of a call of two, which the customer or the agent has left.
    pub(in crate::call) fn third_of_two(&self) -> Option<LegId> {
        match &self.state {
            State::Aside(aside) => aside.consult.up().map(Third::leg),
            State::Bridged(outside) => Some(outside.leg),
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Talking(_)
            | State::Leaving { .. }
            | State::Over => None,
        }
    }

    pub(in crate::call) fn consult_rings_out(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        if self.consult().and_then(Consult::until).is_some_and(|until| until <= cx.now) {
            self.consult_failed(Transfer::NumberFailed(CallStatus::Missed), CallStatus::Missed, out);
        }
    }

    /// What the third's leg says; whether it was the third's.
    pub(in crate::call) fn third_leg(&mut self, leg: LegId, event: &leg::Event, out: &mut Vec<Action>, cx: &Cx) -> bool {
        let ends = matches!(event, leg::Event::HungUp | leg::Event::Cancelled | leg::Event::Failed(_) | leg::Event::Closed);
        if let Some(third) = self.third_of_two() {
            if third == leg && ends {
                self.end(CallStatus::NormalEnd, HungUpBy::Agent, out);
            } else if let leg::Event::Held(held) = event {
                self.colleagues_phone_holds(leg, *held, out);
            }
            return third == leg;
        }
        let Some(consult) = self.consulting() else { return false };
        match &mut consult.stage {
            Stage::Joining(seat) if seat.leg == leg => {
                if *event == leg::Event::Up {
                    self.guest_is_up(leg, out, cx);
                } else if ends {
                    self.consult_failed(Transfer::AgentRefused, CallStatus::Missed, out);
                }
            }
            Stage::Calling(outside) if outside.leg == leg => match event {
                leg::Event::Ringing { early_media } => {
                    (outside.rings, outside.early_media) = (true, outside.early_media || *early_media);
                    self.voices_changed(out);
                }
                leg::Event::Up => self.number_answers(out, cx),
                leg::Event::Failed(why) => {
                    let status = status_of(why, Gateway::outcomes(outside.gateway.as_ref()));
                    self.consult_failed(Transfer::NumberFailed(status), status, out);
                }
                leg::Event::HungUp | leg::Event::Cancelled | leg::Event::Closed => {
                    self.consult_failed(Transfer::NumberFailed(CallStatus::CarrierException), CallStatus::CarrierException, out);
                }
                leg::Event::Digit(_) | leg::Event::Held(_) => {}
            },
            Stage::Up(third) if third.leg() == leg => {
                if ends {
                    self.end_consult(CallStatus::Missed, HungUpBy::Agent, out);
                }
            }
            Stage::Seeking(_) | Stage::Joining(_) | Stage::Calling(_) | Stage::Up(_) => return false,
        }
        true
    }

    fn number_answers(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        let Some(own) = self.seat().map(|seat| seat.agent) else { return };
        let Some(consult) = self.consulting() else { return };
        if let Stage::Calling(outside) = &consult.stage {
            // A colleague on the mobile is the one who answers (E3).
            let agent = if let Whom::Agent(colleague) = consult.whom { colleague } else { own };
            consult.stage = Stage::Up(Third::Outside(outside.clone()));
            out.push(Action::Journal(What::Connected { agent }));
            self.colleagues_speak(cx);
            self.voices_changed(out);
        }
    }

    /// Nobody was reached: back to the customer, where there is one, and the agent is told why.
    pub(in crate::call) fn consult_failed(&mut self, why: Transfer, status: CallStatus, out: &mut Vec<Action>) {
        self.colleague_failed(why, status, out);
        let State::Talking(talk) = &mut self.state else { return };
        let Some(consult) = talk.consult.take() else { return };
        talk.seat.refusal = Some(why);
        self.stop_consult(*consult, status, HungUpBy::Switch, out);
        self.voices_changed(out);
    }

    /// Ends what there is of a consultation.
    pub(in crate::call) fn stop_consult(&mut self, consult: Consult, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        match consult.stage {
            Stage::Seeking(asked) => {
                self.drop_asked(&asked, out);
                for hand in &asked.place.offers {
                    self.abandon_offer(hand, out);
                }
            }
            Stage::Joining(seat) => self.dismiss_third(&Third::Agent(seat), false, status, by, out),
            Stage::Calling(outside) => self.dismiss_third(&Third::Outside(outside), false, status, by, out),
            Stage::Up(third) => self.dismiss_third(&third, consult.joined, status, by, out),
        }
        out.push(Action::Journal(What::ConsultEnded { status, by }));
    }

    /// The third is released; an agent who was with the customer has after-call work.
    pub(in crate::call) fn dismiss_third(&mut self, third: &Third, joined: bool, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        match third {
            Third::Agent(seat) => self.dismiss_agent(seat, joined.then_some(seat.terms.wrap_up), None, (status, by), out),
            Third::Outside(outside) => {
                if self.legs.contains(&outside.leg) {
                    out.push(hang_up(outside.leg));
                }
                out.push(self.free_channel(outside.number.trunk, outside.leg));
            }
        }
    }
}
