//! What follows from every event: deadlines that passed, reach, readiness, presence, and what people see (B1–B4).

use super::{Activity, Agent, Chosen, GRACE, Matching, RING_REACH, Seen, to_call};
use crate::cx::Cx;
use crate::ids::GroupId;
use crate::message::{Action, Presence, Standing, Tell};
use crate::{call, group};
use std::collections::BTreeMap;
use std::mem::discriminant;

impl Agent {
    pub(super) fn expire(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        if self.rests.as_ref().is_some_and(|(until, _)| *until <= cx.now) {
            self.rests = None;
        }
        if self.taken_over.is_some_and(|until| until <= cx.now) {
            self.taken_over = None;
            out.extend(self.peer.take().map(Action::ClosePeer));
        }
        if self.lease().is_some_and(|lease| lease.expires <= cx.now) {
            self.let_go(out);
        } else if matches!(self.activity, Activity::WrapUp { ends: Some(ends), .. } if ends <= cx.now) {
            self.end_occupation(cx);
        }
        let Some(since) = self.away_since else { return };
        if since + RING_REACH <= cx.now && matches!(self.activity, Activity::Reserved(_) | Activity::Ringing(_)) {
            self.let_go(out);
        }
        if since + GRACE <= cx.now {
            match self.activity {
                Activity::InCall { call } => {
                    out.push(to_call(call, call::Event::AgentLost { agent: self.setup.id }));
                    self.end_occupation(cx);
                }
                Activity::Accepted(_) => self.let_go(out),
                Activity::Free | Activity::Reserved(_) | Activity::Ringing(_) | Activity::WrapUp { .. } => {}
            }
            self.activity = Activity::Free;
            self.chosen_in_call = false;
            self.chosen = Chosen::Offline;
        }
    }

    /// Brings reach, readiness, presence and what people see in line with what happened.
    pub(super) fn settle(&mut self, out: &mut Vec<Action>, cx: &mut Cx) {
        self.settle_departure(out);
        self.settle_device(out);
        let was_away = self.away_since.is_some();
        self.settle_reach(out, cx);
        if self.away_since.is_some() != was_away {
            out.push(Action::StateChanged);
        }
        if self.is_ready() {
            if self.matching == Matching::Out {
                self.epoch += 1;
                if self.setup.groups.is_empty() {
                    self.matching = Matching::Parked;
                } else {
                    self.matching = Matching::Asking(BTreeMap::new());
                    let (id, epoch) = (self.setup.id, self.epoch);
                    out.extend(self.to_groups(|_| group::Event::Ask { agent: id, epoch }));
                }
            }
        } else if self.matching != Matching::Out {
            self.leave_groups(out);
        }
        let presence = self.presence_now();
        if presence != self.presence {
            self.presence = presence;
            out.extend(self.tell_presence());
        }
        let seen = self.seen_now();
        if seen != self.seen {
            if seen.0 != self.seen.0 {
                self.seen_since = cx.wall;
                // Going offline ends the voice path (F7); a page on its way online may bring one before its state.
                if seen.0 == Seen::Offline {
                    out.extend([self.peer.take(), self.lost_peer.take()].into_iter().flatten().map(Action::ClosePeer));
                }
                // Being rung in vain does not cost the place of the longest idle.
                if seen.0 == Seen::Available && !matches!(self.seen.0, Seen::InLine | Seen::AfterCallWork) {
                    self.free_since = cx.wall;
                }
            }
            self.seen = seen;
            out.push(Action::StateChanged);
        }
    }

    /// Between browser and phone the agent changes while offline: going online prepares what rings. A phone's new contact, and the mobile's
    /// switches (C7, E2), hold from the next call on.
    fn settle_device(&mut self, out: &mut Vec<Action>) {
        let offline = self.chosen == Chosen::Offline && self.activity == Activity::Free;
        if offline || discriminant(&self.own) == discriminant(&self.setup.device) {
            self.own.clone_from(&self.setup.device);
        }
        if !matches!(self.activity, Activity::Free | Activity::WrapUp { .. }) {
            return;
        }
        let next = self.mobile_or_own(|mobile| mobile.answering);
        let before = std::mem::replace(&mut self.device, next);
        if discriminant(&before) != discriminant(&self.device) {
            out.push(Action::StateChanged);
        }
    }

    pub(super) fn settle_reach(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        let busy = !matches!(self.activity, Activity::Free);
        if self.is_reachable() || (self.chosen == Chosen::Offline && !busy) {
            self.away_since = None;
            if self.away_told {
                self.away_told = false;
                if let (Activity::InCall { call }, Some(peer)) = (&self.activity, self.peer) {
                    out.push(to_call(*call, call::Event::AgentBack { agent: self.setup.id, peer }));
                }
            }
            return;
        }
        self.away_since = self.away_since.or(Some(cx.now));
        if let Activity::InCall { call } = self.activity
            && !self.away_told
        {
            self.away_told = true;
            out.push(to_call(call, call::Event::AgentAway { agent: self.setup.id }));
        }
    }

    pub(super) fn presence_now(&self) -> Presence {
        match self.activity {
            Activity::InCall { .. } | Activity::WrapUp { .. } | Activity::Accepted(_) | Activity::Ringing(_) | Activity::Reserved(_) => {
                match self.chosen {
                    Chosen::Available if self.departing.is_none() => Presence::Occupied,
                    Chosen::Available | Chosen::Busy(_) | Chosen::OnBreak(_) | Chosen::Offline => Presence::Away,
                }
            }
            Activity::Free if self.chosen == Chosen::Offline => Presence::Offline,
            Activity::Free if self.is_ready() => Presence::Free,
            Activity::Free => Presence::Away,
        }
    }

    pub(super) fn seen_now(&self) -> (Seen, Option<String>) {
        match &self.activity {
            Activity::Ringing(_) | Activity::Accepted(_) | Activity::InCall { .. } => (Seen::InLine, None),
            Activity::WrapUp { .. } => (Seen::AfterCallWork, None),
            Activity::Free | Activity::Reserved(_) => match &self.chosen {
                Chosen::Available => (Seen::Available, self.rests.as_ref().map(|(_, why)| why.clone())),
                Chosen::Busy(reason) => (Seen::Busy, reason.clone()),
                Chosen::OnBreak(reason) => (Seen::OnBreak, Some(reason.clone())),
                Chosen::Offline => (Seen::Offline, None),
            },
        }
    }

    pub(super) fn standing(&self, group: GroupId, cx: &Cx) -> Standing {
        let priority = self.setup.groups.iter().find(|m| m.group == group).map_or(0, |m| m.priority);
        let calls_today = if self.calls_today.0 == cx.today { self.calls_today.1 } else { 0 };
        Standing { free_since: self.free_since, calls_today, priority }
    }

    pub(super) fn leave_groups(&mut self, out: &mut Vec<Action>) {
        if self.matching != Matching::Out {
            self.epoch += 1;
            self.matching = Matching::Out;
            let (id, epoch) = (self.setup.id, self.epoch);
            out.extend(self.to_groups(|_| group::Event::Leave { agent: id, epoch }));
        }
    }

    pub(super) fn tell_presence(&self) -> Vec<Action> {
        let (agent, presence) = (self.setup.id, self.presence);
        self.to_groups(|_| group::Event::Presence { agent, presence })
    }

    pub(super) fn to_groups(&self, event: impl Fn(GroupId) -> group::Event) -> Vec<Action> {
        self.setup.groups.iter().map(|m| Action::Tell(Tell::Group(m.group, event(m.group)))).collect()
    }
}
