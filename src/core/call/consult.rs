//! Consultation and conference: the customer waits while the agent speaks with a third party; then any two of them, or all three, go on (D5).

mod seen;
mod third;
mod voices;

use super::aside::Aside;
use super::transfer::Asked;
use super::{Call, Queueing, Seat, State, Talk};
use crate::cx::{Cx, Millis};
use crate::ids::{AgentId, LegId};
use crate::message::{Action, Consulted, Gateway, Number, Reached, Side, Source, Target, Whom};
use crate::outcome::{CallStatus, HungUpBy};
use crate::record::What;
use crate::setup::DigitMode;
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
    Seeking(Asked),
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
    pub fn leg(&self) -> LegId {
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

    /// What is heard of them.
    fn voice(&self) -> Source {
        match self {
            Self::Agent(seat) => seat.voice(),
            Self::Outside(outside) => Source::Leg(outside.leg),
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

impl Consult {
    /// A colleague who is asked, without a customer (E3).
    pub fn of_colleague(colleague: AgentId, asked: Asked, segment: u16) -> Self {
        Self { whom: Whom::Agent(colleague), stage: Stage::Seeking(asked), side: Side::Third, joined: false, segment }
    }

    /// A colleague whose mobile is called (E3).
    pub fn of_colleagues_mobile(colleague: AgentId, called: Outside, segment: u16) -> Self {
        Self { whom: Whom::Agent(colleague), stage: Stage::Calling(called), side: Side::Third, joined: false, segment }
    }

    pub fn place(&self) -> Option<&Queueing> {
        match &self.stage {
            Stage::Seeking(asked) => Some(&asked.place),
            Stage::Joining(_) | Stage::Calling(_) | Stage::Up(_) => None,
        }
    }

    pub fn place_mut(&mut self) -> Option<&mut Queueing> {
        match &mut self.stage {
            Stage::Seeking(asked) => Some(&mut asked.place),
            Stage::Joining(_) | Stage::Calling(_) | Stage::Up(_) => None,
        }
    }

    pub fn segment(&self) -> u16 {
        self.segment
    }

    pub fn guest(&self) -> Option<&Seat> {
        match &self.stage {
            Stage::Joining(seat) => Some(seat),
            Stage::Up(third) => third.seat(),
            Stage::Seeking(_) | Stage::Calling(_) => None,
        }
    }

    pub fn guest_mut(&mut self) -> Option<&mut Seat> {
        match &mut self.stage {
            Stage::Joining(seat) | Stage::Up(Third::Agent(seat)) => Some(seat),
            Stage::Seeking(_) | Stage::Calling(_) | Stage::Up(Third::Outside(_)) => None,
        }
    }

    fn outside(&self) -> Option<&Outside> {
        match &self.stage {
            Stage::Calling(outside) | Stage::Up(Third::Outside(outside)) => Some(outside),
            Stage::Seeking(_) | Stage::Joining(_) | Stage::Up(Third::Agent(_)) => None,
        }
    }

    pub fn up(&self) -> Option<&Third> {
        match &self.stage {
            Stage::Up(third) => Some(third),
            Stage::Seeking(_) | Stage::Joining(_) | Stage::Calling(_) => None,
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
            Stage::Seeking(_) | Stage::Joining(_) | Stage::Up(_) => None,
        }
    }

    /// For the agent who consults.
    pub fn seen(&self) -> Consulted {
        let reached = match &self.stage {
            Stage::Seeking(asked) if asked.place.offers.is_empty() => Reached::Asked,
            Stage::Seeking(_) | Stage::Joining(_) => Reached::Ringing,
            Stage::Calling(outside) if outside.rings => Reached::Ringing,
            Stage::Calling(_) => Reached::Asked,
            Stage::Up(_) => Reached::Up,
        };
        Consulted { whom: self.whom.clone(), reached, side: self.side, customer_left: false }
    }

    /// What the agent hears before the third is there.
    pub fn waiting_sound(&self) -> Source {
        match &self.stage {
            Stage::Calling(outside) if outside.early_media => Source::Leg(outside.leg),
            Stage::Calling(outside) if !outside.rings => Source::Silence,
            Stage::Seeking(_) | Stage::Joining(_) | Stage::Calling(_) | Stage::Up(_) => Source::Music("ringback".into()),
        }
    }
}

impl Call {
    pub(super) fn start_consult(&mut self, whom: &Whom, out: &mut Vec<Action>, cx: &mut Cx) {
        let State::Talking(talk) = &self.state else { return };
        if talk.is_elsewhere() {
            return;
        }
        let (agent, own_group, ring) = (talk.seat.agent, talk.seat.terms.group, talk.seat.terms.ring);
        let segment = self.new_segment();
        let group = if let Whom::Group(group) = whom { Some(*group) } else { None };
        out.push(Action::Journal(What::ConsultBegan { agent, group }));
        let mut place = self.place(group.unwrap_or(own_group), cx.wall, false);
        place.consults = true;
        place.refused.insert(agent, cx.wall);
        let stage = match whom {
            Whom::Group(group) => Stage::Seeking(self.ask_for(Target::Group(*group), place, ring, out, cx)),
            Whom::Agent(target) => Stage::Seeking(self.ask_for(Target::Agent(*target), place, ring, out, cx)),
            Whom::Number(number) => Stage::Calling(self.call_outside(number.clone(), out, cx)),
        };
        if let State::Talking(talk) = &mut self.state {
            talk.consult = Some(Box::new(Consult { whom: whom.clone(), stage, side: Side::Third, joined: false, segment }));
            // The consultation holds the customer.
            (talk.seat.refusal, talk.seat.held) = (None, false);
        }
        self.voices_changed(out);
    }

    /// Asks for a channel to call a number with.
    pub(super) fn call_outside(&self, number: Number, out: &mut Vec<Action>, cx: &mut Cx) -> Outside {
        let leg = LegId(cx.next_id());
        out.push(self.claim_for(leg, number.trunk));
        Outside { leg, number, gateway: None, until: 0, rings: false, early_media: false }
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

    /// The consultation ends, answered or not; the agent is with the customer alone.
    pub(super) fn end_consult(&mut self, unanswered: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        if let State::Talking(talk) = &mut self.state
            && let Some(consult) = talk.consult.take()
        {
            let status = if consult.up().is_some() { CallStatus::NormalEnd } else { unanswered };
            self.stop_consult(*consult, status, by, out);
            self.voices_changed(out);
        }
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
                self.state = State::Talking(Talk::new(Seat { guest: false, ..seat }, talk.began));
            }
            Stage::Up(Third::Outside(outside)) => self.state = State::Bridged(outside),
            Stage::Seeking(_) | Stage::Joining(_) | Stage::Calling(_) => {}
        }
        self.voices_changed(out);
        true
    }

    /// The agent's part in the conversation is over.
    pub(super) fn release(&mut self, talk: &Talk, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        self.tell_quality(out);
        self.dismiss_agent(&talk.seat, Some(talk.seat.terms.wrap_up), Some(talk), (status, by), out);
    }

    // ---- who is out of reach, who leaves ----

    fn guest(&self) -> Option<&Seat> {
        self.consult().and_then(Consult::guest)
    }

    /// Everybody of ours who is in the call.
    pub(super) fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.seat().into_iter().chain(self.guest())
    }

    pub(super) fn guest_mut(&mut self) -> Option<&mut Seat> {
        self.consulting().and_then(Consult::guest_mut)
    }

    /// The colleague who was called in leaves, or is lost.
    pub(super) fn guest_leaves(&mut self, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        if let State::Aside(aside) = &self.state {
            // Who accepted and was never heard did not answer.
            let status = if aside.consult.up().is_some() { status } else { CallStatus::Missed };
            self.end(status, by, out);
        } else {
            self.end_consult(CallStatus::Missed, by, out);
        }
    }

    /// The customer leaves a consultation: answered, it goes on as a call of the two.
    pub(super) fn customer_leaves_consult(&mut self, by: HungUpBy, out: &mut Vec<Action>) -> bool {
        let State::Talking(talk) = &mut self.state else { return false };
        let Some(mut consult) = talk.consult.take_if(|consult| consult.up().is_some()) else { return false };
        let State::Talking(talk) = std::mem::replace(&mut self.state, State::Claiming) else { return false };
        self.tell_quality(out);
        out.push(Action::Journal(What::ConsultTookOver { status: CallStatus::NormalEnd, by }));
        self.segment = consult.segment;
        self.stop_recording(out);
        self.release_channel(out);
        consult.side = Side::Third;
        self.state = State::Aside(Aside::new(talk.seat, consult));
        self.voices_changed(out);
        true
    }

    /// The call ends, or its agent is lost: the consultation with it.
    pub(super) fn drop_consult(&mut self, talk: &mut Talk, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        if let Some(consult) = talk.consult.take() {
            let status = if consult.up().is_some() { status } else { CallStatus::CallerCancelled };
            self.stop_consult(*consult, status, by, out);
        }
    }
}
