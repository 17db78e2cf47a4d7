//! Two without a customer: an internal call from its beginning (E3), or a consultation that its customer left (D5).

use super::consult::Consult;
use super::{Call, Command, Seat, State};
use crate::cx::Cx;
use crate::ids::{AgentId, LegId};
use crate::message::{Action, Number, Phase, Reached, Target, Transfer};
use crate::outcome::{CallStatus, HungUpBy};
use crate::record::What;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Aside {
    pub seat: Seat,
    /// The other of the two: sought and reached as in a consultation.
    pub consult: Box<Consult>,
    /// When the two of an internal call began to speak.
    began: Option<i64>,
    /// One of them waits on hold.
    waits: bool,
}

impl Aside {
    pub fn new(seat: Seat, consult: Box<Consult>) -> Self {
        Self { seat, consult, began: None, waits: false }
    }

    fn seats_mut(&mut self) -> impl Iterator<Item = &mut Seat> {
        std::iter::once(&mut self.seat).chain(self.consult.guest_mut())
    }

    pub fn settle_hold(&mut self, out: &mut Vec<Action>) {
        let waits = self.seats_mut().any(|seat| seat.held);
        if std::mem::replace(&mut self.waits, waits) != waits {
            out.push(Action::Journal(if waits { What::Held } else { What::Resumed }));
        }
    }
}

impl Call {
    /// The calling agent's leg is up: the colleague is asked for, available or busy (C4).
    pub(super) fn call_colleague(&mut self, colleague: AgentId, out: &mut Vec<Action>, cx: &mut Cx) {
        let Some(seat) = self.seat().cloned() else { return };
        let segment = self.new_segment();
        out.push(Action::Journal(What::ConsultBegan { agent: colleague, group: None }));
        let mut place = self.place(seat.terms.group, cx.wall, false);
        place.consults = true;
        let asked = self.ask_for(Target::Agent(colleague), place, seat.terms.ring, out, cx);
        self.state = State::Aside(Aside::new(seat, Box::new(Consult::of_colleague(colleague, asked, segment))));
        self.voices_changed(out);
    }

    /// The calling agent's leg is up: the mobile of the colleague, who is not online, is called (E3).
    pub(super) fn call_colleagues_mobile(&mut self, colleague: AgentId, number: Number, out: &mut Vec<Action>, cx: &mut Cx) {
        let Some(seat) = self.seat().cloned() else { return };
        let segment = self.new_segment();
        out.push(Action::Journal(What::ConsultBegan { agent: colleague, group: None }));
        let called = self.call_outside(number, out, cx);
        self.state = State::Aside(Aside::new(seat, Box::new(Consult::of_colleagues_mobile(colleague, called, segment))));
        self.voices_changed(out);
    }

    pub(super) fn colleagues_speak(&mut self, cx: &Cx) {
        if let State::Aside(aside) = &mut self.state {
            aside.began = Some(cx.wall);
        }
    }

    /// The colleague was not reached.
    pub(super) fn colleague_failed(&mut self, why: Transfer, status: CallStatus, out: &mut Vec<Action>) {
        let State::Aside(aside) = &mut self.state else { return };
        // One who was never rung is told from one who rang in vain.
        aside.seat.refusal = aside.consult.place().filter(|place| !place.welcomed).map(|_| why);
        let by = if status == CallStatus::Rejected { HungUpBy::Agent } else { HungUpBy::Switch };
        self.end(status, by, out);
    }

    /// How far an internal call is.
    pub(super) fn phase_aside(&self) -> Option<Phase> {
        let State::Aside(aside) = &self.state else { return None };
        Some(match aside.consult.seen().reached {
            Reached::Asked => Phase::Dialling,
            Reached::Ringing if aside.consult.guest().is_some() => Phase::Connecting,
            Reached::Ringing => Phase::Ringing,
            Reached::Up => Phase::Talking,
        })
    }

    pub(super) fn began_aside(&self) -> Option<i64> {
        if let State::Aside(aside) = &self.state { aside.began } else { None }
    }

    /// What it is called when the agent hangs up.
    pub(super) fn parting(&self) -> CallStatus {
        let unanswered = matches!(&self.state, State::Aside(aside) if aside.consult.up().is_none());
        if unanswered { CallStatus::CallerCancelled } else { CallStatus::NormalEnd }
    }

    /// A phone that holds is its agent holding.
    pub(super) fn colleagues_phone_holds(&mut self, leg: LegId, held: bool, out: &mut Vec<Action>) {
        let State::Aside(aside) = &mut self.state else { return };
        let agent = aside.seats_mut().find(|seat| seat.leg == leg).map(|seat| seat.agent);
        if let Some(agent) = agent {
            self.command_aside(agent, Command::held(held), out);
        }
    }

    /// Without a customer either of the two may hold the other and be silent.
    pub(super) fn command_aside(&mut self, agent: AgentId, command: &Command, out: &mut Vec<Action>) {
        let State::Aside(aside) = &mut self.state else { return };
        let Some(seat) = aside.seats_mut().find(|seat| seat.agent == agent) else { return };
        match command {
            Command::Hold => seat.held = true,
            Command::Resume => seat.held = false,
            Command::Mute => seat.muted = true,
            Command::Unmute => seat.muted = false,
            Command::HangUp
            | Command::Transfer(_)
            | Command::Digits(_)
            | Command::Consult(_)
            | Command::Swap
            | Command::Conference
            | Command::Complete
            | Command::EndConsult
            | Command::StartFlow(..)
            | Command::EndFlow
            | Command::PauseRecording
            | Command::ResumeRecording => return,
        }
        self.voices_changed(out);
    }
}
