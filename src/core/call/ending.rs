//! How a call and an agent's part in it end, and what the agent sees of it (C9, D8, G1).

use super::aside::Aside;
use super::consult::Third;
use super::dialling::Dialling;
use super::{Call, InHand, Queueing, Seat, State, Talk, hang_up};
use crate::agent;
use crate::group;
use crate::ids::{AgentId, OfferId};
use crate::leg::SignalCommand;
use crate::message::{self, Action, MediaAction, Phase, Session, Tell, Withdrawal};
use crate::outcome::{CallStatus, HungUpBy};
use crate::record::What;
use crate::setup::WrapUp;

impl Call {
    /// Ends the call for everybody: the caller's leg too.
    pub(super) fn end(&mut self, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        if self.is_over() {
            return;
        }
        // A leg that was never opened, or is closed, has nobody to hang up on.
        if by != HungUpBy::Customer && self.legs.contains(&self.arrival.leg) {
            out.push(self.signal(SignalCommand::HangUp { q850: Some(16) }));
        }
        self.over(status, by, out);
    }

    pub(super) fn over(&mut self, status: CallStatus, by: HungUpBy, out: &mut Vec<Action>) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Queueing(queueing) => {
                out.extend(self.leave(&queueing));
                for hand in queueing.offers {
                    self.abandon_offer(&hand, out);
                }
            }
            State::Dialling(Dialling { seat, .. }) | State::Joining(seat) => self.dismiss_agent(&seat, None, None, (status, by), out),
            State::Talking(mut talk) => {
                self.drop_transfer(&talk, out);
                self.drop_consult(&mut talk, status, by, out);
                self.dismiss_agent(&talk.seat, Some(talk.seat.terms.wrap_up), Some(&talk), (status, by), out);
            }
            State::Aside(Aside { seat, consult, .. }) => {
                self.dismiss_agent(&seat, Some(seat.terms.wrap_up), None, (status, by), out);
                self.stop_consult(*consult, status, by, out);
            }
            State::Bridged(outside) => self.dismiss_third(&Third::Outside(outside), false, status, by, out),
            State::Claiming | State::Leaving { .. } | State::Over => {}
        }
        self.stop_recording(out);
        self.tell_quality(out);
        out.push(Action::Journal(What::Ended { status, by }));
        self.release_channel(out);
    }

    /// An agent's part is over: the leg, the line, and what they see.
    pub(super) fn dismiss_agent(
        &self,
        seat: &Seat,
        wrap_up: Option<WrapUp>,
        talk: Option<&Talk>,
        ended: (CallStatus, HungUpBy),
        out: &mut Vec<Action>,
    ) {
        // A leg that was never opened, or is gone, has nobody to hang up on.
        if self.legs.contains(&seat.leg) {
            out.push(hang_up(seat.leg));
        }
        out.push(self.agent_over(seat.agent, wrap_up, None));
        out.push(self.show(seat, Phase::Ended, talk, Some(ended)));
    }

    pub(super) fn stop_recording(&mut self, out: &mut Vec<Action>) {
        if std::mem::take(&mut self.recording) {
            self.recording_paused = false;
            out.push(Action::Media(MediaAction::StopRecording));
        }
    }

    /// A pause is the agent's own: it ends with the agent's part in the call.
    pub(super) fn settle_recording(&mut self, out: &mut Vec<Action>) {
        let paused = self.recording && matches!(&self.state, State::Talking(talk) if talk.unrecorded);
        if std::mem::replace(&mut self.recording_paused, paused) != paused {
            out.push(Action::Media(MediaAction::PauseRecording(paused)));
        }
    }

    /// The mean quality of the segment that ends (G1).
    pub(super) fn tell_quality(&mut self, out: &mut Vec<Action>) {
        let (sum, count) = std::mem::take(&mut self.quality);
        if count > 0.0 {
            out.push(Action::Journal(What::Quality { mos: sum / count }));
        }
    }

    /// The queue is told that the caller is gone from it.
    pub(super) fn leave(&self, queueing: &Queueing) -> Option<Action> {
        (!queueing.direct).then(|| Action::Tell(Tell::Group(queueing.group, group::Event::Left(self.id()))))
    }

    /// An offer that is needed no more: the agent is told, the phone stops.
    pub(super) fn abandon_offer(&mut self, hand: &InHand, out: &mut Vec<Action>) {
        if hand.withdrawn.is_none() {
            out.push(self.withdraw(hand.offer.offer, hand.offer.agent, Withdrawal::NotNeeded));
            out.push(Action::Journal(What::RingEnded { agent: hand.offer.agent }));
            out.extend(hand.leg.map(hang_up));
        }
        self.unconfirmed.insert(hand.offer.offer, hand.offer.agent);
    }

    pub(super) fn withdraw(&self, offer: OfferId, agent: AgentId, why: Withdrawal) -> Action {
        Action::Tell(Tell::Agent(agent, agent::Event::Withdraw { call: self.id(), offer, why }))
    }

    pub(super) fn agent_over(&self, agent: AgentId, wrap_up: Option<WrapUp>, device_failed: Option<&str>) -> Action {
        let device_failed = device_failed.map(str::to_owned);
        Action::Tell(Tell::Agent(agent, agent::Event::CallOver { call: self.id(), wrap_up, device_failed }))
    }

    /// The view of the agent. Ended views carry no time of their own: the shell stamps them.
    pub(super) fn show(&self, seat: &Seat, phase: Phase, talk: Option<&Talk>, ended: Option<(CallStatus, HungUpBy)>) -> Action {
        let session = Session {
            call: self.id(),
            segment: seat.segment,
            phase,
            way: self.arrival.call_type(),
            caller: self.arrival.seen_from(seat.guest).to_owned(),
            called: self.arrival.ours().to_owned(),
            colleague: self.arrival.colleagues().map(|(caller, called)| if seat.guest { caller } else { called }),
            group: seat.terms.group_name.clone(),
            began: talk.map(|talk| talk.began).or(self.began_aside()),
            ended,
            held: seat.held,
            muted: seat.muted,
            recording: self.recording,
            recording_paused: self.recording && talk.is_some_and(|talk| talk.unrecorded),
            transfer: talk.and_then(|talk| talk.transfer.as_ref()).map(|_| message::Transfer::Asked).or(seat.refusal),
            consult: if ended.is_none() { self.consult_seen_by(seat) } else { None },
            service: talk.and_then(|talk| talk.service.as_ref()).map(|service| service.seen()),
            device_failed: seat.device_failed.clone(),
            guest: seat.guest,
        };
        Action::ShowSession { agent: seat.agent, session }
    }
}
