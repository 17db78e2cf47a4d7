//! Blind transfer: the target is reserved first; then the caller waits there, and comes back to the head of the queue if nobody takes them (D4).

use super::{Back, Call, Queueing, State, Talk};
use crate::agent;
use crate::cx::{Cx, Millis};
use crate::ids::{AgentId, OfferId};
use crate::message::{Action, Device, Offer, Source, Target, Tell, Transfer};
use crate::outcome::{CallStatus, HungUpBy};
use crate::record::What;
use serde::{Deserialize, Serialize};

/// A group or an agent who is asked to take the caller (D4), or a consultation (D5), and has not said yes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    /// Where the caller will stand, or the agent waits.
    pub place: Queueing,
    /// The agent who is asked, and the reservation; none: the group is, or the word has come.
    pub agent: Option<(AgentId, OfferId)>,
}

impl Call {
    pub(super) fn start_transfer(&mut self, target: Target, out: &mut Vec<Action>, cx: &mut Cx) {
        let State::Talking(talk) = &self.state else { return };
        if talk.is_elsewhere() {
            return;
        }
        let (back, ring) = (Back { group: talk.seat.terms.group, agent: talk.seat.agent }, talk.seat.terms.ring);
        let group = match target {
            Target::Group(group) => group,
            Target::Agent(_) => back.group,
        };
        let mut place = self.place(group, cx.wall, false);
        // Who sends the caller away comes last.
        place.refused.insert(back.agent, cx.wall);
        place.back = Some(back);
        let asked = self.ask_for(target, place, ring, out, cx);
        if let State::Talking(talk) = &mut self.state {
            (talk.transfer, talk.seat.refusal) = (Some(asked), None);
        }
        self.show_talk(out);
    }

    /// Asks the group by a ticket for that place, or reserves the agent for so long a ring.
    pub(super) fn ask_for(&self, target: Target, mut place: Queueing, ring: Millis, out: &mut Vec<Action>, cx: &mut Cx) -> Asked {
        let agent = match target {
            Target::Group(_) => {
                out.push(self.ticket(&place));
                None
            }
            Target::Agent(agent) => {
                let (call, offer) = (self.id(), OfferId(cx.next_id()));
                place.direct = true;
                out.push(Action::Tell(Tell::Agent(agent, agent::Event::ReserveDirect { offer, call, ring })));
                Some((agent, offer))
            }
        };
        Asked { place, agent }
    }

    /// The group took the caller in whom the agent sends there.
    pub(super) fn transfer_queued(&mut self, wait: u32, out: &mut Vec<Action>) {
        if self.asked(|asked| asked.place.wait == wait && asked.agent.is_none()) {
            self.hand_over(out);
        }
    }

    pub(super) fn reserved(
        &mut self,
        agent: AgentId,
        offer: OfferId,
        device: Device,
        automatic: Option<bool>,
        out: &mut Vec<Action>,
        cx: &mut Cx,
    ) {
        if self.consult_reserved(agent, offer, device.clone(), out, cx) {
            return;
        }
        if !self.asked(|asked| asked.agent == Some((agent, offer))) {
            return self.send_back(offer, agent, out);
        }
        let Some(mut terms) = self.seat().map(|seat| seat.terms.clone()) else { return };
        terms.automatic = automatic.unwrap_or(terms.automatic);
        out.push(self.hear(Source::Music(terms.music.clone())));
        self.hand_over(out);
        if let State::Queueing(queueing) = &mut self.state {
            queueing.welcomed = true;
            let wait = queueing.wait;
            self.offered_to(Offer { offer, agent, wait, device, terms }, out, cx);
        }
    }

    pub(super) fn not_reserved(&mut self, agent: AgentId, offer: OfferId, status: CallStatus, out: &mut Vec<Action>) {
        self.transfer_refused(Transfer::AgentRefused, |asked| asked.agent == Some((agent, offer)), out);
        self.consult_not_reserved(agent, offer, status, out);
    }

    /// The asked agent's machine is new: it may not know of the reservation, or get to know of it now.
    pub(super) fn transfer_target_restarted(&mut self, agent: AgentId, out: &mut Vec<Action>) {
        let State::Talking(talk) = &self.state else { return };
        let Some((_, offer)) = talk.transfer.as_ref().and_then(|asked| asked.agent).filter(|(target, _)| *target == agent) else { return };
        self.not_reserved(agent, offer, CallStatus::Missed, out);
        self.send_back(offer, agent, out);
    }

    /// The target said no; the call goes on as it was.
    pub(super) fn transfer_refused(&mut self, why: Transfer, which: impl Fn(&Asked) -> bool, out: &mut Vec<Action>) {
        if self.asked(which)
            && let State::Talking(talk) = &mut self.state
        {
            (talk.transfer, talk.seat.refusal) = (None, Some(why));
            self.show_talk(out);
        }
    }

    fn asked(&self, which: impl Fn(&Asked) -> bool) -> bool {
        matches!(&self.state, State::Talking(talk) if talk.transfer.as_ref().is_some_and(which))
    }

    /// The target is reserved: the agent is released at once, the caller stands where they were sent.
    fn hand_over(&mut self, out: &mut Vec<Action>) {
        let State::Talking(mut talk) = std::mem::replace(&mut self.state, State::Claiming) else { return };
        let Some(asked) = talk.transfer.take() else { return };
        self.release(&talk, CallStatus::AgentTransfer, HungUpBy::Agent, out);
        self.end_segment(CallStatus::AgentTransfer, HungUpBy::Agent, out);
        out.push(Action::Journal(What::Queued { group: asked.place.group }));
        self.state = State::Queueing(asked.place);
    }

    /// Nobody takes the transferred caller: back to the head of where they came from, beyond its limits, the transferring agent last.
    pub(super) fn fall_back(&mut self, back: Back, out: &mut Vec<Action>, cx: &Cx) {
        self.end_segment(CallStatus::Overflow, HungUpBy::Switch, out);
        self.tried.clear();
        let mut place = self.place(back.group, cx.wall, true);
        place.refused.insert(back.agent, cx.wall);
        self.join_queue(place, out);
    }

    /// The call goes another way than the transfer that was asked for.
    pub(super) fn drop_transfer(&mut self, talk: &Talk, out: &mut Vec<Action>) {
        if let Some(asked) = &talk.transfer {
            self.drop_asked(asked, out);
        }
    }

    /// Who is asked is not needed any more.
    pub(super) fn drop_asked(&mut self, asked: &Asked, out: &mut Vec<Action>) {
        match asked.agent {
            Some((agent, offer)) => self.send_back(offer, agent, out),
            None => out.extend(self.leave(&asked.place)),
        }
    }
}
