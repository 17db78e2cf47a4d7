//! The call with an agent: joining, hold, mute, a lost agent, the end (B3, C6, D2, D3, D8).

use super::mobile::failure_of;
use super::{Call, Command, Seat, State, Talk, hang_up};
use crate::cx::Cx;
use crate::ids::{AgentId, LegId, PeerId};
use crate::leg;
use crate::message::{Action, MediaAction, Phase, Side, Source, Tell};
use crate::outcome::{CallStatus, HungUpBy};
use crate::record::What;

impl Command {
    /// What a phone does by holding, or by taking back.
    pub(super) const fn held(held: bool) -> &'static Self {
        if held { &Self::Hold } else { &Self::Resume }
    }
}

impl Call {
    pub(super) fn agent_leg(&mut self, event: leg::Event, out: &mut Vec<Action>, cx: &mut Cx) {
        match event {
            leg::Event::Up => self.joined(out, cx),
            // A phone that holds is the agent holding.
            leg::Event::Held(held) => {
                if let Some(agent) = self.seat().map(|seat| seat.agent) {
                    self.command(agent, Command::held(held), out, cx);
                }
            }
            // A phone that is hung up is the agent hanging up.
            leg::Event::HungUp => self.end(self.parting(), HungUpBy::Agent, out),
            leg::Event::Failed(_) | leg::Event::Cancelled | leg::Event::Closed => self.agent_lost(true, out, cx),
            leg::Event::Ringing { .. } | leg::Event::Digit(_) => {}
        }
    }

    /// The agent's leg is up: the ding-dong first, where the call was answered by itself (C6).
    pub(super) fn joined(&mut self, out: &mut Vec<Action>, cx: &mut Cx) {
        let State::Joining(seat) = &self.state else { return };
        let seat = seat.clone();
        if seat.terms.automatic && seat.ding_dong.is_none() {
            let (leg, token) = (seat.leg, self.token());
            out.push(Action::Media(MediaAction::Play { leg, sounds: vec!["ding-dong".into()], token }));
            if let State::Joining(seat) = &mut self.state {
                seat.ding_dong = Some(token);
            }
        } else if seat.ding_dong.is_none() {
            self.connect(seat, out, cx);
        }
    }

    pub(super) fn played(&mut self, leg: LegId, token: u64, out: &mut Vec<Action>, cx: &mut Cx) {
        self.asks_again(leg, token, out);
        match &self.state {
            State::Joining(seat) if seat.leg == leg && seat.ding_dong == Some(token) => self.connect(seat.clone(), out, cx),
            // Only the newest sound counts: a welcome that ends late is not the last prompt.
            State::Leaving { status } if leg == self.arrival.leg && token == self.tokens => {
                let status = *status;
                self.end(status, HungUpBy::Switch, out);
            }
            State::Queueing(queueing) if leg == self.arrival.leg && queueing.playing == Some(token) => self.play_next(out),
            State::Talking(_) if leg == self.arrival.leg => self.flow_played(token, out, cx),
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Talking(_)
            | State::Aside(_)
            | State::Bridged(_)
            | State::Leaving { .. }
            | State::Over => {}
        }
    }

    /// The agent and the customer talk.
    pub(super) fn connect(&mut self, seat: Seat, out: &mut Vec<Action>, cx: &Cx) {
        self.answer(out);
        if seat.terms.record && !self.recording {
            self.recording = true;
            out.push(Action::Media(MediaAction::Record { leg: self.arrival.leg }));
            out.push(Action::Journal(What::RecordingBegan));
        }
        out.push(Action::Journal(What::Connected { agent: seat.agent }));
        self.state = State::Talking(Talk::new(seat, cx.wall));
        self.join_voices(out);
        self.show_talk(out);
    }

    /// Who hears whom, from hold, mute, a consultation, and whether the agent is there (D2, D3, D5, B3).
    pub(super) fn join_voices(&self, out: &mut Vec<Action>) {
        let State::Talking(talk) = &self.state else { return self.join_two(out) };
        // In self-service the flow says what the customer hears; asking for anything would cut its sounds off.
        if talk.is_in_flow() || self.join_three(talk, out) {
            return;
        }
        out.push(self.hear(talk.seat.voice()));
        out.push(Action::Media(MediaAction::Hear { leg: talk.seat.leg, source: Source::Leg(self.arrival.leg) }));
    }

    pub(super) fn show_talk(&self, out: &mut Vec<Action>) {
        if let State::Talking(talk) = &self.state {
            self.show_here(&talk.seat, Some(talk), out);
        } else if let State::Aside(aside) = &self.state {
            self.show_here(&aside.seat, None, out);
        }
    }

    pub(super) fn show_here(&self, seat: &Seat, talk: Option<&Talk>, out: &mut Vec<Action>) {
        let phase = if seat.away { Phase::Reconnecting } else { self.phase_aside().unwrap_or(Phase::Talking) };
        out.push(self.show(seat, phase, talk, None));
    }

    pub(super) fn command(&mut self, agent: AgentId, command: &Command, out: &mut Vec<Action>, cx: &mut Cx) {
        if *command == Command::HangUp {
            self.agent_hangs_up(agent, out);
        } else if let State::Talking(talk) = &mut self.state
            && talk.seat.agent == agent
        {
            let elsewhere = talk.consult.is_some() || talk.is_in_flow();
            match command {
                // Whoever consults holds the customer by it, and takes them back by ending it; self-service leaves it as it was (D6).
                Command::Hold => talk.seat.held |= !elsewhere,
                Command::Resume => talk.seat.held &= elsewhere,
                Command::Mute => talk.seat.muted = true,
                Command::Unmute => talk.seat.muted = false,
                Command::Transfer(target) => return self.start_transfer(*target, out, cx),
                Command::Digits(digits) => return self.dial_digits(digits, out, cx),
                Command::Consult(whom) => return self.start_consult(whom, out, cx),
                Command::Swap => return self.speak_with(|side| if side == Side::Third { Side::Customer } else { Side::Third }, out),
                Command::Conference => return self.speak_with(|_| Side::All, out),
                Command::Complete => {
                    self.complete_consult(CallStatus::AgentTransfer, HungUpBy::Agent, out);
                    return;
                }
                Command::EndConsult => return self.end_consult(CallStatus::CallerCancelled, HungUpBy::Agent, out),
                Command::StartFlow(name, definition) => return self.start_flow(name, definition, out, cx),
                Command::EndFlow => return self.end_flow(out),
                Command::PauseRecording | Command::ResumeRecording => {
                    talk.unrecorded = self.recording && *command == Command::PauseRecording;
                    return self.show_talk(out);
                }
                Command::HangUp => {}
            }
            self.voices_changed(out);
        } else {
            self.command_aside(agent, command, out);
        }
    }

    /// In a consultation it is the consultation that ends (D5).
    fn agent_hangs_up(&mut self, agent: AgentId, out: &mut Vec<Action>) {
        if self.guest_mut().is_some_and(|seat| seat.agent == agent) {
            return self.guest_leaves(CallStatus::NormalEnd, HungUpBy::Agent, out);
        }
        if self.seat().is_none_or(|seat| seat.agent != agent) {
            return;
        }
        match &self.state {
            State::Talking(talk) if talk.consult.is_some() => self.end_consult(CallStatus::CallerCancelled, HungUpBy::Agent, out),
            State::Dialling(_) => self.end(CallStatus::CallerCancelled, HungUpBy::Agent, out),
            State::Claiming
            | State::Queueing(_)
            | State::Joining(_)
            | State::Talking(_)
            | State::Aside(_)
            | State::Bridged(_)
            | State::Leaving { .. }
            | State::Over => self.end(self.parting(), HungUpBy::Agent, out),
        }
    }

    // ---- the agent's reach ----

    pub(super) fn agent_away(&mut self, agent: AgentId, out: &mut Vec<Action>) {
        if self.set_away(agent, true) {
            self.voices_changed(out);
        }
    }

    pub(super) fn agent_back(&mut self, agent: AgentId, peer: PeerId, out: &mut Vec<Action>) {
        let Some(leg) = self.seats().find(|seat| seat.agent == agent).map(|seat| seat.leg) else { return };
        self.plan_peer(peer);
        if self.legs.contains(&leg) {
            out.push(Action::Tell(Tell::Leg(leg, leg::Command::Move(peer))));
        }
        self.set_away(agent, false);
        self.voices_changed(out);
    }

    /// Whether this is news.
    fn set_away(&mut self, agent: AgentId, away: bool) -> bool {
        if let Some(guest) = self.guest_mut().filter(|guest| guest.agent == agent) {
            return std::mem::replace(&mut guest.away, away) != away;
        }
        let seat = match &mut self.state {
            State::Dialling(dialling) => &mut dialling.seat,
            State::Joining(seat) => seat,
            State::Talking(talk) => &mut talk.seat,
            State::Aside(aside) => &mut aside.seat,
            State::Claiming | State::Queueing(_) | State::Bridged(_) | State::Leaving { .. } | State::Over => return false,
        };
        seat.agent == agent && std::mem::replace(&mut seat.away, away) != away
    }

    /// The agent is gone and does not come back: the consulted party takes the caller (D5), or they go to the head of the group's queue (B3).
    pub(super) fn agent_lost(&mut self, device_failed: bool, out: &mut Vec<Action>, cx: &Cx) {
        if self.complete_consult(CallStatus::AgentLost, HungUpBy::Switch, out) {
            return;
        }
        match std::mem::replace(&mut self.state, State::Claiming) {
            State::Joining(seat) => self.back_to_queue(&seat, None, device_failed, out, cx),
            State::Talking(mut talk) => {
                self.drop_consult(&mut talk, CallStatus::AgentLost, HungUpBy::Switch, out);
                self.back_to_queue(&talk.seat, Some(&talk), device_failed, out, cx);
            }
            State::Dialling(dialling) => {
                let reason = device_failed.then(|| failure_of(&dialling.seat.device, None));
                self.state = State::Dialling(dialling);
                self.dialler_lost(reason, out);
            }
            State::Aside(aside) => {
                self.state = State::Aside(aside);
                self.end(CallStatus::AgentLost, HungUpBy::Switch, out);
            }
            other @ (State::Claiming | State::Queueing(_) | State::Bridged(_) | State::Leaving { .. } | State::Over) => self.state = other,
        }
    }

    fn back_to_queue(&mut self, seat: &Seat, talk: Option<&Talk>, device_failed: bool, out: &mut Vec<Action>, cx: &Cx) {
        if let Some(talk) = talk {
            self.drop_transfer(talk, out);
        }
        out.push(hang_up(seat.leg));
        let reason = device_failed.then(|| failure_of(&seat.device, None));
        out.push(self.agent_over(seat.agent, talk.map(|_| seat.terms.wrap_up), reason));
        let ended = Some((CallStatus::AgentLost, HungUpBy::Switch));
        out.push(self.show(seat, Phase::Ended, talk, ended));
        if talk.is_some() {
            self.end_segment(CallStatus::AgentLost, HungUpBy::Switch, out);
        } else {
            out.push(Action::Journal(What::RingEnded { agent: seat.agent }));
        }
        self.tried.clear();
        out.push(self.hear(Source::Music(self.music.clone())));
        self.enqueue(seat.terms.group, cx.wall, true, out);
    }
}
