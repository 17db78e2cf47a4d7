//! Groups ask, reserve and let go; calls ring, win and end (C3–C5, B2–B4).

use super::{Activity, Agent, Chosen, Lease, Matching, REST, to_call};
use crate::cx::Cx;
use crate::ids::{CallId, GroupId, OfferId};
use crate::message::{Action, Device, Ringing, Tell, Waiting, Withdrawal};
use crate::outcome::CallStatus;
use crate::setup::WrapUp;
use crate::{call, group};

impl Agent {
    // ---- groups ----

    pub(super) fn best(&mut self, group: GroupId, epoch: u64, waiting: Option<Waiting>, out: &mut Vec<Action>, cx: &Cx) {
        let Matching::Asking(answers) = &mut self.matching else { return };
        if epoch != self.epoch {
            return;
        }
        answers.insert(group, waiting);
        if self.setup.groups.iter().any(|m| !answers.contains_key(&m.group)) {
            return;
        }
        let chosen = self
            .setup
            .groups
            .iter()
            .filter_map(|m| answers.get(&m.group).copied().flatten().map(|w| (m.weight, w.since, m.group)))
            .min_by_key(|(weight, since, group)| (std::cmp::Reverse(*weight), *since, *group));
        let (id, epoch) = (self.setup.id, self.epoch);
        if let Some((_, _, group)) = chosen {
            let standing = self.standing(group, cx);
            out.push(Action::Tell(Tell::Group(group, group::Event::Pick { agent: id, epoch, standing })));
            self.matching = Matching::Picked(group);
        } else {
            let parked = self.to_groups(|group| group::Event::Park { agent: id, epoch, standing: self.standing(group, cx) });
            out.extend(parked);
            self.matching = Matching::Parked;
        }
    }

    pub(super) fn reserve(&mut self, epoch: u64, group: GroupId, lease: Lease, out: &mut Vec<Action>) {
        let (id, offer) = (self.setup.id, lease.offer);
        if epoch == self.epoch && self.is_ready() && matches!(self.matching, Matching::Parked | Matching::Picked(_)) {
            self.activity = Activity::Reserved(lease);
            let device = self.device.clone();
            let automatic = self.setup.automatic_answer;
            out.push(Action::Tell(Tell::Group(group, group::Event::Reserved { agent: id, offer, device, automatic })));
        } else {
            out.push(Action::Tell(Tell::Group(group, group::Event::NotReserved { agent: id, offer })));
        }
    }

    pub(super) fn reserve_direct(&mut self, lease: Lease, out: &mut Vec<Action>) {
        let (agent, offer, call) = (self.setup.id, lease.offer, lease.call);
        let free = self.activity == Activity::Free && self.away_since.is_none() && self.rests.is_none();
        if free && lease.suits(&self.chosen) {
            self.activity = Activity::Reserved(lease);
            let (device, automatic) = (self.device.clone(), self.setup.automatic_answer);
            out.push(to_call(call, call::Event::Reserved { agent, offer, device, automatic }));
        } else {
            let status = self.unreached();
            out.push(to_call(call, call::Event::NotReserved { agent, offer, status }));
        }
    }

    /// What a call to this agent alone is called, who cannot be rung (E3).
    fn unreached(&self) -> CallStatus {
        match self.activity {
            Activity::Reserved(_) | Activity::Ringing(_) | Activity::Accepted(_) | Activity::InCall { .. } => CallStatus::InCall,
            Activity::Free | Activity::WrapUp { .. } if self.chosen == Chosen::Offline => CallStatus::NoAgentOnline,
            Activity::Free | Activity::WrapUp { .. } => CallStatus::Missed,
        }
    }

    pub(super) fn group_restarted(&mut self, group: GroupId, out: &mut Vec<Action>) {
        if let Activity::Reserved(lease) = &self.activity
            && lease.group == Some(group)
        {
            self.free(out);
        }
        if !self.setup.groups.iter().any(|m| m.group == group) {
            return;
        }
        out.push(Action::Tell(Tell::Group(group, group::Event::Presence { agent: self.setup.id, presence: self.presence })));
        self.leave_groups(out);
    }

    // ---- calls ----

    pub(super) fn ring(&mut self, mut ringing: Box<Ringing>, out: &mut Vec<Action>) {
        let Activity::Reserved(lease) = &self.activity else {
            return self.refuse_ring(&ringing, out);
        };
        if lease.offer != ringing.offer {
            return self.refuse_ring(&ringing, out);
        }
        // Whoever went out of reach meanwhile is not rung at all (B3).
        if self.away_since.is_some() {
            return self.let_go(out);
        }
        let lease = lease.clone();
        // A phone rings by itself (C6).
        ringing.automatic &= self.device == Device::Browser;
        let automatic = ringing.automatic;
        let offer = ringing.offer;
        out.push(Action::ShowOffer(Some(ringing)));
        self.activity = Activity::Ringing(lease);
        if automatic {
            self.accept(offer, out);
        }
    }

    pub(super) fn refuse_ring(&self, ringing: &Ringing, out: &mut Vec<Action>) {
        out.push(to_call(ringing.call, call::Event::OfferGone { offer: ringing.offer }));
    }

    pub(super) fn lease(&self) -> Option<&Lease> {
        match &self.activity {
            Activity::Reserved(lease) | Activity::Ringing(lease) | Activity::Accepted(lease) => Some(lease),
            Activity::Free | Activity::InCall { .. } | Activity::WrapUp { .. } => None,
        }
    }

    pub(super) fn withdraw(&mut self, offer: OfferId, out: &mut Vec<Action>) {
        if self.lease().is_some_and(|lease| lease.offer == offer) {
            self.free(out);
        }
    }

    pub(super) fn withdrawn(&mut self, call: CallId, offer: OfferId, why: Withdrawal, out: &mut Vec<Action>, cx: &Cx) {
        // Confirmed whether or not the lease was still there: the call's next offer waits for it.
        out.push(to_call(call, call::Event::Withdrawn { offer }));
        if self.lease().is_none_or(|lease| lease.offer != offer) {
            return;
        }
        self.free(out);
        match why {
            Withdrawal::NotNeeded => {}
            Withdrawal::RingTimeout { misses: 0 } => {}
            Withdrawal::RingTimeout { misses } => {
                self.misses += 1;
                if self.misses >= misses && self.chosen == Chosen::Available {
                    self.misses = 0;
                    self.chosen = Chosen::Busy(Some("missed_calls".into()));
                }
            }
            Withdrawal::DeviceFailed(reason) => self.rests = Some((cx.now + REST, reason)),
        }
    }

    pub(super) fn won(&mut self, offer: OfferId, call: CallId, out: &mut Vec<Action>, cx: &Cx) {
        match self.lease() {
            Some(lease) if lease.offer == offer => {
                self.misses = 0;
                if self.calls_today.0 != cx.today {
                    self.calls_today = (cx.today, 0);
                }
                self.calls_today.1 += 1;
                out.push(Action::ShowOffer(None));
                self.enter_call(call);
            }
            // The lease ran out or the machine is new: this agent is not theirs.
            Some(_) | None => out.push(to_call(call, call::Event::AgentLost { agent: self.setup.id })),
        }
    }

    pub(super) fn enter_call(&mut self, call: CallId) {
        self.activity = Activity::InCall { call };
        self.away_told = false;
    }

    pub(super) fn enter_call_on(&mut self, call: CallId, device: Device) {
        self.device = device;
        self.enter_call(call);
    }

    pub(super) fn call_over(
        &mut self,
        call: CallId,
        wrap_up: Option<WrapUp>,
        device_failed: Option<String>,
        out: &mut Vec<Action>,
        cx: &Cx,
    ) {
        if self.in_call() != Some(call) {
            return;
        }
        if let Some(reason) = device_failed {
            self.rests = Some((cx.now + REST, reason));
        }
        match wrap_up.filter(|_| self.departing.is_none()) {
            Some(WrapUp::Millis(total)) if total > 0 => {
                self.activity = Activity::WrapUp { ends: Some(cx.now + total), since: cx.wall, total: Some(total) };
            }
            Some(WrapUp::Manual) => self.activity = Activity::WrapUp { ends: None, since: cx.wall, total: None },
            Some(WrapUp::Off | WrapUp::Millis(_)) | None => self.end_occupation(cx),
        }
        out.push(Action::StateChanged);
    }
}
