//! Consultation and conference: the customer waits while the agent speaks with a third party; then any two of them, or all three, go on (D5).

mod seen;

use super::{Call, Channel, Queueing, Seat, State, Talk, hang_up};
use crate::agent;
use crate::cx::{Cx, Millis};
use crate::group::Limit;
use crate::ids::{AgentId, LegId, OfferId, TrunkId};
use crate::leg;
use crate::message::{
    Action, Consulted, Device, Gateway, LegPlan, MediaAction, Number, Offer, Phase, Reached, Side, Source, Tell, Transfer, Whom,
};
use crate::outbound::{RING_OUT, status_of};
use crate::outcome::{CallStatus, CallType, HungUpBy};
use crate::record::What;
use crate::setup::{DigitMode, WrapUp};
use crate::trunk;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Consult {
    whom: Whom,
    stage: Stage,
    side: Side,
    /// The third was with the customer, so that it is their call too: recording, after-call work.
    joined: bool,
    segment: u16,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Stage {
    /// An agent is sought: the place in the group's queue, or the reservation of the one who is asked.
    Seeking {
        place: Box<Queueing>,
        asked: Option<(AgentId, OfferId)>,
    },
    /// The agent accepted; the leg comes up.
    Joining(Seat),
    /// A number is called.
    Calling(Outside),
    Up(Third),
}

/// The third party.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) enum Third {
    Agent(Seat),
    Outside(Outside),
}

impl Third {
    fn leg(&self) -> LegId {
        match self {
            Self::Agent(seat) => seat.leg,
            Self::Outside(outside) => outside.leg,
        }
    }

    fn seat(&self) -> Option<&Seat> {
        match self {
            Self::Agent(seat) => Some(seat),
            Self::Outside(_) => None,
        }
    }
}

/// A number that the switch calls beside the customer's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Outside {
    leg: LegId,
    number: Number,
    /// Given with the channel.
    gateway: Option<Gateway>,
    until: Millis,
    rings: bool,
    early_media: bool,
}

/// A consultation whose customer has left.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Aside {
    pub seat: Seat,
    whom: Whom,
    third: Third,
    joined: bool,
    muted: bool,
    began: i64,
}

impl Consult {
    pub fn place(&self) -> Option<&Queueing> {
        match &self.stage {
            Stage::Seeking { place, .. } => Some(place),
            Stage::Joining(_) | Stage::Calling(_) | Stage::Up(_) => None,
        }
    }

    pub fn place_mut(&mut self) -> Option<&mut Queueing> {
        match &mut self.stage {
            Stage::Seeking { place, .. } => Some(place),
            Stage::Joining(_) | Stage::Calling(_) | Stage::Up(_) => None,
        }
    }

    pub fn segment(&self) -> u16 {
        self.segment
    }

    fn guest(&self) -> Option<&Seat> {
        match &self.stage {
            Stage::Joining(seat) => Some(seat),
            Stage::Up(third) => third.seat(),
            Stage::Seeking { .. } | Stage::Calling(_) => None,
        }
    }

    fn guest_mut(&mut self) -> Option<&mut Seat> {
        match &mut self.stage {
            Stage::Joining(seat) | Stage::Up(Third::Agent(seat)) => Some(seat),
            Stage::Seeking { .. } | Stage::Calling(_) | Stage::Up(Third::Outside(_)) => None,
        }
    }

    fn outside(&self) -> Option<&Outside> {
        match &self.stage {
            Stage::Calling(outside) | Stage::Up(Third::Outside(outside)) => Some(outside),
            Stage::Seeking { .. } | Stage::Joining(_) | Stage::Up(Third::Agent(_)) => None,
        }
    }

    fn up(&self) -> Option<&Third> {
        match &self.stage {
            Stage::Up(third) => Some(third),
            Stage::Seeking { .. } | Stage::Joining(_) | Stage::Calling(_) => None,
        }
    }

    /// The called number with whom the agent speaks.
    pub fn spoken_number(&self) -> Option<(LegId, DigitMode)> {
        let outside = self.outside().filter(|_| self.side == Side::Third)?;
        Some((outside.leg, outside.gateway.as_ref()?.digits))
    }

    /// When a called number has rung for long enough.
    pub fn until(&self) -> Option<Millis> {
        match &self.stage {
            Stage::Calling(outside) => outside.gateway.as_ref().map(|_| outside.until),
            Stage::Seeking { .. } | Stage::Joining(_) | Stage::Up(_) => None,
        }
    }

    /// For the agent who consults.
    fn seen(&self) -> Consulted {
        let reached = match &self.stage {
            Stage::Seeking { place, .. } if place.offers.is_empty() => Reached::Asked,
            Stage::Seeking { .. } | Stage::Joining(_) => Reached::Ringing,
            Stage::Calling(outside) if outside.rings => Reached::Ringing,
            Stage::Calling(_) => Reached::Asked,
            Stage::Up(_) => Reached::Up,
        };
        Consulted { whom: self.whom.clone(), reached, side: self.side, customer_left: false }
    }

    /// What the agent hears before the third is there.
    fn waiting_sound(&self) -> Source {
        match &self.stage {
            Stage::Calling(outside) if outside.early_media => Source::Leg(outside.leg),
            Stage::Calling(outside) if !outside.rings => Source::Silence,
            Stage::Seeking { .. } | Stage::Joining(_) | Stage::Calling(_) | Stage::Up(_) => Source::Music("ringback".into()),
        }
    }
}

impl Call {
    // ---- the agent's commands ----

    pub(super) fn start_consult(&mut self, whom: &Whom, out: &mut Vec<Action>, cx: &mut Cx) {
        let State::Talking(talk) = &self.state else { return };
        if talk.transfer.is_some() || talk.consult.is_some() {
            return;
        }
        let (agent, own_group, ring) = (talk.seat.agent, talk.seat.terms.group, talk.seat.terms.ring);
        let (call, segment) = (self.id(), self.new_segment());
        let group = if let Whom::Group(group) = whom { Some(*group) } else { None };
        out.push(Action::Journal(What::ConsultBegan { agent, group }));
        let mut place = self.place(group.unwrap_or(own_group), cx.wall, false);
        place.consults = true;
        place.refused.insert(agent, cx.wall);
        let stage = match whom {
            Whom::Group(_) => {
                out.push(self.ticket(&place));
                Stage::Seeking { place: Box::new(place), asked: None }
            }
            Whom::Agent(target) => {
                let offer = OfferId(cx.next_id());
                place.direct = true;
                out.push(Action::Tell(Tell::Agent(*target, agent::Event::ReserveDirect { offer, call, ring })));
                Stage::Seeking { place: Box::new(place), asked: Some((*target, offer)) }
            }
            Whom::Number(number) => {
                let leg = LegId(cx.next_id());
                let channel = Channel { call, leg };
                out.push(Action::Tell(Tell::Trunk(number.trunk, trunk::Event::Claim { channel, way: CallType::Outbound })));
                let number = number.clone();
                Stage::Calling(Outside { leg, number, gateway: None, until: 0, rings: false, early_media: false })
            }
        };
        if let State::Talking(talk) = &mut self.state {
            talk.consult = Some(Consult { whom: whom.clone(), stage, side: Side::Third, joined: false, segment });
            // The consultation holds the customer.
            (talk.refusal, talk.held) = (None, false);
        }
        self.voices_changed(out);
    }

    pub(super) fn speak_with(&mut self, side: impl Fn(Side) -> Side, out: &mut Vec<Action>) {
        let State::Talking(talk) = &mut self.state else { return };
        let Some(consult) = talk.consult.as_mut().filter(|consult| consult.up().is_some()) else { return };
        consult.side = side(consult.side);
        if consult.side == Side::All && !std::mem::replace(&mut consult.joined, true) {
            out.push(Action::Journal(What::Conferenced));
        }
        self.voices_changed(out);
    }

    /// The agent takes the customer back alone.
    pub(super) fn end_consult(&mut self, out: &mut Vec<Action>) {
        let State::Talking(talk) = &mut self.state else { return };
        let Some(consult) = talk.consult.take() else { return };
        let status = if consult.up().is_some() { CallStatus::NormalEnd } else { CallStatus::CallerCancelled };
        self.stop_consult(consult, status, HungUpBy::Agent, out);
        self.voices_changed(out);
    }

    /// The third takes the customer; the agent is released.
    pub(super) fn complete_consult(&mut self, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) -> bool {
        let State::Talking(talk) = &mut self.state else { return false };
        let Some(consult) = talk.consult.take_if(|consult| consult.up().is_some()) else { return false };
        let State::Talking(talk) = std::mem::replace(&mut self.state, State::Claiming) else { return false };
        self.release(&talk, status, by, out);
        out.push(Action::Journal(What::ConsultTookOver { status, by }));
        self.segment = consult.segment;
        match consult.stage {
            Stage::Up(Third::Agent(seat)) => {
                let (seat, began) = (Seat { guest: false, ..seat }, talk.began);
                self.state = State::Talking(Talk {
                    seat,
                    began,
                    held: false,
                    muted: false,
                    transfer: None,
                    refusal: None,
                    consult: None,
                    waits: false,
                });
            }
            Stage::Up(Third::Outside(outside)) => self.state = State::Bridged(outside),
            Stage::Seeking { .. } | Stage::Joining(_) | Stage::Calling(_) => {}
        }
        self.voices_changed(out);
        true
    }

    /// The agent's part in the conversation is over.
    pub(super) fn release(&mut self, talk: &Talk, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        self.tell_quality(out);
        out.push(hang_up(talk.seat.leg));
        out.push(self.agent_over(talk.seat.agent, Some(talk.seat.terms.wrap_up), false));
        out.push(self.show(&talk.seat, Phase::Ended, Some(talk), Some((status, by))));
    }

    // ---- the third party ----

    fn consulting(&mut self) -> Option<&mut Consult> {
        match &mut self.state {
            State::Talking(talk) => talk.consult.as_mut(),
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Aside(_)
            | State::Bridged(_)
            | State::Leaving { .. }
            | State::Over => None,
        }
    }

    /// The group takes the consultation in.
    pub(super) fn consult_queued(&mut self, wait: u32) {
        if let Some(place) = self.consulting().and_then(Consult::place_mut).filter(|place| place.wait == wait) {
            place.welcomed = true;
        }
    }

    pub(super) fn consult_turned_away(&mut self, wait: u32, limit: Limit, out: &mut Vec<Action>) {
        if self.consulting().and_then(|consult| consult.place()).is_some_and(|place| place.wait == wait) {
            self.consult_failed(Transfer::QueueRefused(limit), CallStatus::from(limit), out);
        }
    }

    /// The asked agent is reserved for the consultation; whether this was it.
    pub(super) fn consult_reserved(&mut self, agent: AgentId, offer: OfferId, device: Device, out: &mut Vec<Action>, cx: &mut Cx) -> bool {
        let Some(mut terms) = self.seat().map(|seat| seat.terms.clone()) else { return false };
        let Some(consult) = self.consulting() else { return false };
        let Stage::Seeking { place, asked } = &mut consult.stage else { return false };
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

    pub(super) fn consult_not_reserved(&mut self, agent: AgentId, offer: OfferId, out: &mut Vec<Action>) {
        if self.consulting().is_some_and(|consult| consult.asks() == Some((agent, offer))) {
            self.consult_failed(Transfer::AgentRefused, CallStatus::Missed, out);
        }
    }

    /// The asked agent's machine is new: it may not know of the reservation, or get to know of it now.
    pub(super) fn consult_target_restarted(&mut self, agent: AgentId, out: &mut Vec<Action>) {
        let asks = self.consulting().and_then(|consult| consult.asks());
        if let Some((_, offer)) = asks.filter(|(target, _)| *target == agent) {
            self.consult_failed(Transfer::AgentRefused, CallStatus::Missed, out);
            self.send_back(offer, agent, out);
        }
    }

    /// An agent accepted.
    pub(super) fn guest_comes(&mut self, seat: Seat, out: &mut Vec<Action>) {
        if let Some(consult) = self.consulting() {
            consult.stage = Stage::Joining(seat);
        }
        self.show_talk(out);
        self.show_guest(out);
    }

    /// The leg of an agent who accepted is up.
    pub(super) fn guest_is_up(&mut self, leg: LegId, out: &mut Vec<Action>) {
        let Some(consult) = self.consulting() else { return };
        if let Stage::Joining(seat) = &consult.stage
            && seat.leg == leg
        {
            let seat = seat.clone();
            out.push(Action::Journal(What::Connected { agent: seat.agent }));
            if let Some(consult) = self.consulting() {
                consult.stage = Stage::Up(Third::Agent(seat));
            }
            self.voices_changed(out);
        }
    }

    pub(super) fn outside_granted(&mut self, leg: LegId, gateway: Gateway, out: &mut Vec<Action>, cx: &Cx) {
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
        out.push(Action::OpenLeg { leg, plan: LegPlan::Trunk { trunk, host, transport, caller, called } });
    }

    pub(super) fn outside_refused(&mut self, leg: LegId, refusal: trunk::Refusal, out: &mut Vec<Action>) {
        let status = match refusal {
            trunk::Refusal::Full => CallStatus::TrunkFull,
            trunk::Refusal::Barred => CallStatus::NotPermitted,
        };
        let waits = |consult: &mut Consult| consult.outside().is_some_and(|outside| outside.leg == leg && outside.gateway.is_none());
        if self.consulting().is_some_and(waits) {
            self.consult_failed(Transfer::NumberFailed(status), status, out);
        }
    }

    pub(super) fn outside_trunk_restarted(&self, trunk: TrunkId, out: &mut Vec<Action>) {
        let Some(outside) = self.outside().filter(|outside| outside.number.trunk == trunk) else { return };
        let (channel, way) = (self.channel_of(outside.leg), CallType::Outbound);
        let event = match outside.gateway {
            Some(_) => trunk::Event::Keep { channel, way },
            None => trunk::Event::Claim { channel, way },
        };
        out.push(Action::Tell(Tell::Trunk(trunk, event)));
    }

    pub(super) fn outside_leg(&self) -> Option<LegId> {
        self.outside().map(|outside| outside.leg)
    }

    pub(super) fn has_outside_channel(&self) -> bool {
        self.outside().is_some_and(|outside| outside.gateway.is_some())
    }

    fn outside(&self) -> Option<&Outside> {
        match &self.state {
            State::Talking(talk) => talk.consult.as_ref().and_then(Consult::outside),
            State::Aside(Aside { third: Third::Outside(outside), .. }) | State::Bridged(outside) => Some(outside),
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Aside(_)
            | State::Leaving { .. }
            | State::Over => None,
        }
    }

    pub(super) fn consult_rings_out(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        if self.consulting().and_then(|consult| consult.until()).is_some_and(|until| until <= cx.now) {
            self.consult_failed(Transfer::NumberFailed(CallStatus::Missed), CallStatus::Missed, out);
        }
    }

    /// What the third's leg says; whether it was the third's.
    pub(super) fn third_leg(&mut self, leg: LegId, event: &leg::Event, out: &mut Vec<Action>) -> bool {
        let ends = matches!(event, leg::Event::HungUp | leg::Event::Cancelled | leg::Event::Failed(_) | leg::Event::Closed);
        if let State::Aside(aside) = &self.state {
            let third = aside.third.leg() == leg;
            if third && ends {
                self.end(CallStatus::NormalEnd, HungUpBy::Agent, out);
            }
            return third;
        }
        if let State::Bridged(outside) = &self.state {
            let third = outside.leg == leg;
            if third && ends {
                self.end(CallStatus::NormalEnd, HungUpBy::Agent, out);
            }
            return third;
        }
        let Some(consult) = self.consulting() else { return false };
        match &mut consult.stage {
            Stage::Joining(seat) if seat.leg == leg => {
                if *event == leg::Event::Up {
                    self.guest_is_up(leg, out);
                } else if ends {
                    self.consult_failed(Transfer::AgentRefused, CallStatus::Missed, out);
                }
            }
            Stage::Calling(outside) if outside.leg == leg => match event {
                leg::Event::Ringing { early_media } => {
                    (outside.rings, outside.early_media) = (true, outside.early_media || *early_media);
                    self.voices_changed(out);
                }
                leg::Event::Up => self.number_answers(out),
                leg::Event::Failed(why) => {
                    let rules = outside.gateway.as_ref().map_or(&[][..], |gateway| &gateway.outcomes);
                    let status = status_of(why, rules);
                    self.consult_failed(Transfer::NumberFailed(status), status, out);
                }
                leg::Event::HungUp | leg::Event::Cancelled | leg::Event::Closed => {
                    self.consult_failed(Transfer::NumberFailed(CallStatus::CarrierException), CallStatus::CarrierException, out);
                }
            },
            Stage::Up(third) if third.leg() == leg => {
                if ends {
                    self.third_leaves(HungUpBy::Agent, out);
                }
            }
            Stage::Seeking { .. } | Stage::Joining(_) | Stage::Calling(_) | Stage::Up(_) => return false,
        }
        true
    }

    fn number_answers(&mut self, out: &mut Vec<Action>) {
        let Some(agent) = self.seat().map(|seat| seat.agent) else { return };
        let Some(consult) = self.consulting() else { return };
        if let Stage::Calling(outside) = &consult.stage {
            consult.stage = Stage::Up(Third::Outside(outside.clone()));
            out.push(Action::Journal(What::Connected { agent }));
            self.voices_changed(out);
        }
    }

    /// Back to the customer.
    fn third_leaves(&mut self, by: HungUpBy, out: &mut Vec<Action>) {
        let State::Talking(talk) = &mut self.state else { return };
        let Some(consult) = talk.consult.take() else { return };
        let status = if consult.up().is_some() { CallStatus::NormalEnd } else { CallStatus::Missed };
        self.stop_consult(consult, status, by, out);
        self.voices_changed(out);
    }

    /// Nobody was reached: back to the customer, and the agent is told why.
    pub(super) fn consult_failed(&mut self, why: Transfer, status: CallStatus, out: &mut Vec<Action>) {
        let State::Talking(talk) = &mut self.state else { return };
        let Some(consult) = talk.consult.take() else { return };
        talk.refusal = Some(why);
        self.stop_consult(consult, status, HungUpBy::Switch, out);
        self.voices_changed(out);
    }

    /// Ends what there is of a consultation.
    pub(super) fn stop_consult(&mut self, consult: Consult, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        match consult.stage {
            Stage::Seeking { place, asked } => {
                match asked {
                    Some((agent, offer)) => self.send_back(offer, agent, out),
                    None => out.extend(self.leave(&place)),
                }
                for hand in &place.offers {
                    self.abandon_offer(hand, out);
                }
            }
            Stage::Joining(seat) => self.dismiss(&Third::Agent(seat), false, status, by, out),
            Stage::Calling(outside) => self.dismiss(&Third::Outside(outside), false, status, by, out),
            Stage::Up(third) => self.dismiss(&third, consult.joined, status, by, out),
        }
        out.push(Action::Journal(What::ConsultEnded { status, by }));
    }

    /// The third is released; an agent who was with the customer has after-call work.
    fn dismiss(&mut self, third: &Third, joined: bool, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        if self.legs.contains(&third.leg()) {
            out.push(hang_up(third.leg()));
        }
        match third {
            Third::Agent(seat) => {
                let wrap_up: Option<WrapUp> = joined.then_some(seat.terms.wrap_up);
                out.push(self.agent_over(seat.agent, wrap_up, false));
                out.push(self.show(seat, Phase::Ended, None, Some((status, by))));
            }
            Third::Outside(outside) => out.push(self.free_channel(outside.number.trunk, outside.leg)),
        }
    }

    // ---- who is out of reach, who leaves ----

    fn guest(&self) -> Option<&Seat> {
        match &self.state {
            State::Talking(talk) => talk.consult.as_ref().and_then(Consult::guest),
            State::Aside(aside) => aside.third.seat(),
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Bridged(_)
            | State::Leaving { .. }
            | State::Over => None,
        }
    }

    /// Everybody of ours who is in the call.
    pub(super) fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.seat().into_iter().chain(self.guest())
    }

    pub(super) fn guest_mut(&mut self) -> Option<&mut Seat> {
        match &mut self.state {
            State::Talking(talk) => talk.consult.as_mut().and_then(Consult::guest_mut),
            State::Aside(Aside { third: Third::Agent(seat), .. }) => Some(seat),
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Aside(_)
            | State::Bridged(_)
            | State::Leaving { .. }
            | State::Over => None,
        }
    }

    /// The third is gone for good; whether it was the third.
    pub(super) fn guest_lost(&mut self, agent: AgentId, out: &mut Vec<Action>) -> bool {
        if self.guest().is_none_or(|seat| seat.agent != agent) {
            return false;
        }
        match self.state {
            State::Aside(_) => self.end(CallStatus::AgentLost, HungUpBy::Switch, out),
            _ => self.third_leaves(HungUpBy::Switch, out),
        }
        true
    }

    /// The customer leaves a consultation: answered, it goes on as a call of the two.
    pub(super) fn customer_leaves_consult(&mut self, out: &mut Vec<Action>) -> bool {
        let State::Talking(talk) = &mut self.state else { return false };
        let Some(consult) = talk.consult.take_if(|consult| consult.up().is_some()) else { return false };
        let State::Talking(talk) = std::mem::replace(&mut self.state, State::Claiming) else { return false };
        self.tell_quality(out);
        out.push(Action::Journal(What::ConsultTookOver { status: CallStatus::NormalEnd, by: HungUpBy::Customer }));
        self.segment = consult.segment;
        self.stop_recording(out);
        if std::mem::take(&mut self.channel) {
            out.push(self.free_channel(self.arrival.trunk, self.arrival.leg));
        }
        if let Stage::Up(third) = consult.stage {
            let Talk { seat, muted, began, .. } = talk;
            self.state = State::Aside(Aside { seat, whom: consult.whom, third, joined: consult.joined, muted, began });
        }
        self.voices_changed(out);
        true
    }

    /// The end of a consultation without its customer.
    pub(super) fn end_aside(&mut self, aside: &Aside, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        out.push(hang_up(aside.seat.leg));
        out.push(self.agent_over(aside.seat.agent, Some(aside.seat.terms.wrap_up), false));
        out.push(self.show(&aside.seat, Phase::Ended, None, Some((status, by))));
        self.dismiss(&aside.third, aside.joined, status, by, out);
    }

    pub(super) fn guest_hangs_up(&mut self, out: &mut Vec<Action>) {
        match self.state {
            State::Aside(_) => self.end(CallStatus::NormalEnd, HungUpBy::Agent, out),
            _ => self.third_leaves(HungUpBy::Agent, out),
        }
    }

    pub(super) fn end_bridge(&mut self, outside: Outside, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        self.dismiss(&Third::Outside(outside), false, status, by, out);
    }

    // ---- who hears whom ----

    pub(super) fn voices_changed(&mut self, out: &mut Vec<Action>) {
        self.join_voices(out);
        self.settle_hold(out);
        self.show_talk(out);
        self.show_guest(out);
    }

    /// The customer's time on hold, whatever the reason (G1).
    fn settle_hold(&mut self, out: &mut Vec<Action>) {
        if let State::Talking(talk) = &mut self.state {
            let waits = talk.held || talk.consult.as_ref().is_some_and(|consult| consult.side == Side::Third);
            if std::mem::replace(&mut talk.waits, waits) != waits {
                out.push(Action::Journal(if waits { What::Held } else { What::Resumed }));
            }
        }
    }

    /// A consultation's voices; whether there is one.
    pub(super) fn join_three(&self, talk: &Talk, out: &mut Vec<Action>) -> bool {
        let Some(consult) = &talk.consult else { return false };
        let music = || Source::Music(talk.seat.terms.music.clone());
        let (customer, agent) = (self.arrival.leg, talk.seat.leg);
        let speaks = |source: Source| {
            if talk.seat.away {
                music()
            } else if talk.muted {
                Source::Silence
            } else {
                source
            }
        };
        let mut hear = |leg, source| out.push(Action::Media(MediaAction::Hear { leg, source }));
        let Some(third) = consult.up().map(Third::leg) else {
            hear(customer, music());
            hear(agent, consult.waiting_sound());
            return true;
        };
        match consult.side {
            Side::Third => {
                hear(customer, music());
                hear(agent, Source::Leg(third));
                hear(third, speaks(Source::Leg(agent)));
            }
            Side::Customer => {
                hear(customer, speaks(Source::Leg(agent)));
                hear(agent, Source::Leg(customer));
                hear(third, music());
            }
            Side::All => {
                let with_agent = |other| if talk.muted || talk.seat.away { Source::Leg(other) } else { Source::Mix(vec![other, agent]) };
                hear(customer, with_agent(third));
                hear(agent, Source::Mix(vec![customer, third]));
                hear(third, with_agent(customer));
            }
        }
        true
    }

    pub(super) fn join_two(&self, out: &mut Vec<Action>) {
        let mut hear = |leg, source| out.push(Action::Media(MediaAction::Hear { leg, source }));
        match &self.state {
            State::Aside(aside) => {
                let (agent, third) = (aside.seat.leg, aside.third.leg());
                hear(agent, Source::Leg(third));
                hear(third, if aside.muted { Source::Silence } else { Source::Leg(agent) });
            }
            State::Bridged(outside) => {
                hear(self.arrival.leg, Source::Leg(outside.leg));
                hear(outside.leg, Source::Leg(self.arrival.leg));
            }
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Talking(_)
            | State::Leaving { .. }
            | State::Over => {}
        }
    }

    /// What the third sees, where that is an agent.
    pub(super) fn show_guest(&self, out: &mut Vec<Action>) {
        if let Some(seat) = self.guest() {
            let phase = if seat.away { Phase::Reconnecting } else { Phase::Talking };
            out.push(self.show(seat, phase, None, None));
        }
    }

    pub(super) fn show_aside(&self, out: &mut Vec<Action>) {
        if let State::Aside(aside) = &self.state {
            let phase = if aside.seat.away { Phase::Reconnecting } else { Phase::Talking };
            out.push(self.show(&aside.seat, phase, None, None));
        }
    }

    /// The call ends, or its agent is lost: the consultation with it.
    pub(super) fn drop_consult(&mut self, talk: &mut Talk, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        if let Some(consult) = talk.consult.take() {
            let status = if consult.up().is_some() { status } else { CallStatus::CallerCancelled };
            self.stop_consult(consult, status, by, out);
        }
    }
}

impl Consult {
    /// The agent who is asked, until the word comes.
    fn asks(&self) -> Option<(AgentId, OfferId)> {
        match &self.stage {
            Stage::Seeking { asked, .. } => *asked,
            Stage::Joining(_) | Stage::Calling(_) | Stage::Up(_) => None,
        }
    }
}
