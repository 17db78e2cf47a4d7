//! An agent's state, wrap-up timer, and the one reservation they may have (B1–B6, C4, C5).
//!
//! | activity | event | next |
//! |---|---|---|
//! | Free | `Reserve` of this epoch, when ready | Reserved |
//! | Reserved | `Ring` | Ringing (automatic answer: Accepted) |
//! | Reserved, Ringing, Accepted | `Withdraw`, `Revoke`, `CallGone`, lease expired | Free |
//! | Reserved | `Ring` when out of reach, a state other than available is chosen | Free, the call is told |
//! | Reserved, Ringing | out of reach for 3 s | Free, the call is told |
//! | Ringing | offline is chosen | Free, the call is told |
//! | Ringing | `Accept` | Accepted |
//! | Ringing | `Decline` | Free, the call is told |
//! | Ringing, Accepted | `Won` | InCall |
//! | any but InCall | `Reclaim` (a new machine hears of its old call) | InCall, a call that waits is told |
//! | InCall | `CallOver` with wrap-up | WrapUp |
//! | InCall | `CallOver` without, `CallGone` | Free |
//! | WrapUp | its time is over, `EndWrapUp` | Free |
//! | any | out of reach for the grace time | Free and offline, the call is told |
//!
//! Readiness carries an epoch: groups name it in `Reserve`, and one that is not the newest is refused.

use crate::cx::{Cx, Millis};
use crate::ids::{CallId, GroupId, OfferId, PeerId};
use crate::message::{Action, Device, Presence, Ringing, Standing, Tell, Waiting, Withdrawal};
use crate::setup::{AgentSetup, DeviceSetup, WrapUp};
use crate::{call, group};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A lease lives this much longer than its ring, so that it frees itself when the call is silent.
pub const LEASE_MARGIN: Millis = 10_000;
/// A ringing offer moves on when the agent is out of reach for so long (B3).
pub const RING_REACH: Millis = 3_000;
/// How long an agent out of reach keeps state and call (B3).
pub const GRACE: Millis = 30_000;
/// How long an agent rests whose device failed (B4).
pub const REST: Millis = 10_000;
/// How long the old workstation's media stays after a take-over (A9).
pub const TAKE_OVER: Millis = 15_000;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Event {
    // From the workstation.
    SetState(Chosen),
    Accept(OfferId),
    Decline(OfferId),
    EndWrapUp,
    ContinueWrapUp,
    /// The first socket came; the last one went.
    SocketUp,
    SocketDown,
    PeerUp(PeerId),
    PeerLost(PeerId),
    /// A second login took the session over; the old page is told and stops (A9).
    TakenOver,
    // From groups.
    Best {
        group: GroupId,
        epoch: u64,
        waiting: Option<Waiting>,
    },
    Nothing {
        group: GroupId,
        epoch: u64,
    },
    Reserve {
        group: GroupId,
        epoch: u64,
        offer: OfferId,
        call: CallId,
        ring: Millis,
    },
    /// The group takes a reservation back that the call never heard of.
    Revoke(OfferId),
    GroupRestarted(GroupId),
    // From calls.
    Ring(Box<Ringing>),
    Withdraw {
        call: CallId,
        offer: OfferId,
        why: Withdrawal,
    },
    Won {
        offer: OfferId,
        call: CallId,
    },
    /// The agent's part in the call is over; `None`: no after-call work.
    CallOver {
        call: CallId,
        wrap_up: Option<WrapUp>,
        device_failed: bool,
    },
    /// The call has this agent, who is made anew after a panic.
    Reclaim {
        call: CallId,
    },
    /// The call is gone without a word.
    CallGone(CallId),
    /// The admin changed the agent.
    Setup(Box<AgentSetup>),
}

/// A state the agent chose (B1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Chosen {
    Available,
    /// With the switch's reason, when the switch chose it (B4).
    Busy(Option<String>),
    OnBreak(String),
    Offline,
}

/// The one thing an agent does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Activity {
    Free,
    Reserved(Lease),
    Ringing(Lease),
    Accepted(Lease),
    InCall { call: CallId },
    WrapUp { ends: Option<Millis>, since: i64, total: Option<u64> },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Lease {
    offer: OfferId,
    call: CallId,
    group: GroupId,
    expires: Millis,
}

/// Where a ready agent stands with its groups under the present epoch (C3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Matching {
    /// Not ready, or reserved.
    Out,
    Asking(BTreeMap<GroupId, Option<Waiting>>),
    Picked(GroupId),
    Parked,
}

/// The state of table B, as people see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Seen {
    Available,
    Busy,
    OnBreak,
    InLine,
    AfterCallWork,
    Offline,
}

impl Seen {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::OnBreak => "on_break",
            Self::InLine => "in_line",
            Self::AfterCallWork => "after_call_work",
            Self::Offline => "offline",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Agent {
    pub setup: AgentSetup,
    chosen: Chosen,
    /// `chosen` was changed during this call (B1: "then Busy").
    chosen_in_call: bool,
    activity: Activity,
    matching: Matching,
    epoch: u64,
    misses: u32,
    rests: Option<(Millis, String)>,
    sockets: bool,
    peer: Option<PeerId>,
    lost_peer: Option<PeerId>,
    /// The peer of a page that was taken over, and until when it may stay.
    taken_over: Option<Millis>,
    away_since: Option<Millis>,
    /// The ringing moved on because of `away_since`; the call was told that the agent is away.
    away_told: bool,
    presence: Presence,
    seen: (Seen, Option<String>),
    seen_since: i64,
    free_since: i64,
    calls_today: (i32, u32),
}

impl Agent {
    /// A new machine. `chosen` and `link` (a socket is there, the peer) are what outlives a panic; at a start they are `Offline` and nothing.
    pub fn new(setup: AgentSetup, chosen: Chosen, link: (bool, Option<PeerId>), cx: &mut Cx) -> (Self, Vec<Action>) {
        let mut agent = Self {
            setup,
            chosen,
            chosen_in_call: false,
            activity: Activity::Free,
            matching: Matching::Out,
            // Beyond any epoch of a machine before this one.
            epoch: cx.now << 20,
            misses: 0,
            rests: None,
            sockets: link.0,
            peer: link.1,
            lost_peer: None,
            taken_over: None,
            away_since: None,
            away_told: false,
            presence: Presence::Offline,
            seen: (Seen::Offline, None),
            seen_since: cx.wall,
            free_since: cx.wall,
            calls_today: (cx.today, 0),
        };
        let mut out = agent.to_groups(|_| group::Event::AgentRestarted(agent.setup.id));
        out.push(Action::AnnounceRestart);
        agent.presence = agent.presence_now();
        out.extend(agent.tell_presence());
        agent.settle(&mut out, cx);
        (agent, out)
    }

    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// The activity's name, for traces and tests.
    pub fn kind(&self) -> &'static str {
        match self.activity {
            Activity::Free => "Free",
            Activity::Reserved(_) => "Reserved",
            Activity::Ringing(_) => "Ringing",
            Activity::Accepted(_) => "Accepted",
            Activity::InCall { .. } => "InCall",
            Activity::WrapUp { .. } => "WrapUp",
        }
    }

    pub fn peer(&self) -> Option<PeerId> {
        self.peer
    }

    /// State, reason, and since when (wall time).
    pub fn seen(&self) -> (Seen, Option<&str>, i64) {
        (self.seen.0, self.seen.1.as_deref(), self.seen_since)
    }

    /// The state that was chosen to follow this call (B1).
    pub fn then(&self) -> Option<&Chosen> {
        self.chosen_in_call.then_some(&self.chosen)
    }

    /// After-call work: since when (wall time) and for how long, if it ends by itself.
    pub fn wrap_up(&self) -> Option<(i64, Option<u64>)> {
        match self.activity {
            Activity::WrapUp { since, total, .. } => Some((since, total)),
            Activity::Free | Activity::Reserved(_) | Activity::Ringing(_) | Activity::Accepted(_) | Activity::InCall { .. } => None,
        }
    }

    /// Until when the agent rests, in machine time.
    pub fn rests_until(&self) -> Option<Millis> {
        self.rests.as_ref().map(|(until, _)| *until)
    }

    pub fn in_call(&self) -> Option<CallId> {
        match self.activity {
            Activity::InCall { call } => Some(call),
            Activity::Free | Activity::Reserved(_) | Activity::Ringing(_) | Activity::Accepted(_) | Activity::WrapUp { .. } => None,
        }
    }

    /// The call that holds this agent in any way: reserved, ringing or in line.
    pub fn held_by(&self) -> Option<(CallId, Option<OfferId>)> {
        match &self.activity {
            Activity::Reserved(lease) | Activity::Ringing(lease) | Activity::Accepted(lease) => Some((lease.call, Some(lease.offer))),
            Activity::InCall { call } => Some((*call, None)),
            Activity::Free | Activity::WrapUp { .. } => None,
        }
    }

    /// Whether a group may be offered this agent now.
    pub fn is_ready(&self) -> bool {
        self.chosen == Chosen::Available && self.activity == Activity::Free && self.away_since.is_none() && self.rests.is_none()
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        let activity = match &self.activity {
            Activity::Reserved(lease) | Activity::Ringing(lease) | Activity::Accepted(lease) => Some(lease.expires),
            Activity::WrapUp { ends, .. } => *ends,
            Activity::Free | Activity::InCall { .. } => None,
        };
        let rings = matches!(self.activity, Activity::Reserved(_) | Activity::Ringing(_));
        let reach = self.away_since.map(|since| since + if rings { RING_REACH } else { GRACE });
        [activity, self.rests_until(), reach, self.taken_over].into_iter().flatten().min()
    }

    /// Time passed; does what is due.
    pub fn tick(&mut self, cx: &mut Cx) -> Vec<Action> {
        let mut out = Vec::new();
        self.expire(&mut out, cx);
        self.settle(&mut out, cx);
        out
    }

    pub fn handle(&mut self, event: Event, cx: &mut Cx) -> Vec<Action> {
        let mut out = Vec::new();
        match event {
            Event::SetState(chosen) => self.choose(chosen, &mut out),
            Event::Accept(offer) => self.accept(offer, &mut out),
            Event::Decline(offer) => {
                if let Activity::Ringing(lease) = &self.activity
                    && lease.offer == offer
                {
                    out.push(to_call(lease.call, call::Event::Declined { offer }));
                    self.misses = 0;
                    self.free(&mut out);
                }
            }
            Event::EndWrapUp => {
                if let Activity::WrapUp { .. } = self.activity {
                    self.end_occupation(cx);
                }
            }
            Event::ContinueWrapUp => {
                if let Activity::WrapUp { ends, total, .. } = &mut self.activity {
                    (*ends, *total) = (None, None);
                    out.push(Action::StateChanged);
                }
            }
            Event::SocketUp => self.sockets = true,
            Event::SocketDown => self.sockets = false,
            Event::PeerUp(peer) => self.peer_up(peer, &mut out),
            Event::PeerLost(peer) => {
                // It may come up again: it is closed when another takes its place, or the agent goes offline.
                if self.peer == Some(peer) {
                    self.lost_peer = self.peer.take();
                    self.taken_over = None;
                }
            }
            Event::TakenOver => self.taken_over = self.peer.map(|_| cx.now + TAKE_OVER),
            Event::Best { group, epoch, waiting } => self.best(group, epoch, waiting, &mut out, cx),
            Event::Nothing { group, epoch } => {
                if epoch == self.epoch && self.matching == Matching::Picked(group) {
                    self.matching = Matching::Out;
                }
            }
            Event::Reserve { group, epoch, offer, call, ring } => {
                self.reserve(epoch, Lease { offer, call, group, expires: cx.now + ring + LEASE_MARGIN }, &mut out)
            }
            Event::Revoke(offer) => self.withdraw(offer, &mut out),
            Event::GroupRestarted(group) => self.group_restarted(group, &mut out),
            Event::Ring(ringing) => self.ring(ringing, &mut out),
            Event::Withdraw { call, offer, why } => self.withdrawn(call, offer, why, &mut out, cx),
            Event::Won { offer, call } => self.won(offer, call, &mut out, cx),
            Event::CallOver { call, wrap_up, device_failed } => self.call_over(call, wrap_up, device_failed, &mut out, cx),
            Event::Reclaim { call } => match self.activity {
                Activity::Free | Activity::WrapUp { .. } => self.enter_call(call),
                Activity::InCall { call: mine } if mine == call => {}
                // The customer who is in a call already comes before one who waits.
                Activity::Reserved(_) | Activity::Ringing(_) | Activity::Accepted(_) => {
                    self.let_go(&mut out);
                    self.enter_call(call);
                }
                Activity::InCall { .. } => out.push(to_call(call, call::Event::AgentLost { agent: self.setup.id })),
            },
            Event::CallGone(call) => match &self.activity {
                Activity::Reserved(lease) | Activity::Ringing(lease) | Activity::Accepted(lease) if lease.call == call => {
                    self.free(&mut out)
                }
                Activity::InCall { call: mine } if *mine == call => self.end_occupation(cx),
                Activity::Free
                | Activity::Reserved(_)
                | Activity::Ringing(_)
                | Activity::Accepted(_)
                | Activity::InCall { .. }
                | Activity::WrapUp { .. } => {}
            },
            Event::Setup(setup) => {
                let left: Vec<GroupId> =
                    self.setup.groups.iter().map(|m| m.group).filter(|g| !setup.groups.iter().any(|m| m.group == *g)).collect();
                let id = self.setup.id;
                for group in left {
                    out.push(Action::Tell(Tell::Group(group, group::Event::AgentRestarted(id))));
                    out.push(Action::Tell(Tell::Group(group, group::Event::Presence { agent: id, presence: Presence::Offline })));
                }
                self.leave_groups(&mut out);
                self.setup = *setup;
                out.extend(self.tell_presence());
            }
        }
        self.settle(&mut out, cx);
        out
    }

    // ---- the workstation ----

    fn choose(&mut self, chosen: Chosen, out: &mut Vec<Action>) {
        self.misses = 0;
        self.rests = None;
        let offline = chosen == Chosen::Offline;
        self.chosen = chosen;
        match &self.activity {
            Activity::Free => {}
            // Going offline lets a ringing caller move on at once; what does not ring yet never will.
            Activity::Ringing(_) if offline => self.let_go(out),
            Activity::Reserved(_) if self.chosen != Chosen::Available => self.let_go(out),
            Activity::Reserved(_) | Activity::Ringing(_) | Activity::Accepted(_) | Activity::InCall { .. } | Activity::WrapUp { .. } => {
                self.chosen_in_call = true;
                out.push(Action::StateChanged);
            }
        }
    }

    fn accept(&mut self, offer: OfferId, out: &mut Vec<Action>) {
        if let Activity::Ringing(lease) = &self.activity
            && lease.offer == offer
        {
            out.push(to_call(lease.call, call::Event::Accept { offer, peer: self.peer }));
            self.activity = Activity::Accepted(lease.clone());
        }
    }

    fn peer_up(&mut self, peer: PeerId, out: &mut Vec<Action>) {
        let old = [self.peer.replace(peer), self.lost_peer.take()];
        out.extend(old.into_iter().flatten().filter(|old| *old != peer).map(Action::ClosePeer));
        self.taken_over = None;
        // Whether or not the call saw the agent away, its leg moves to the new peer.
        if let Activity::InCall { call } = self.activity
            && self.sockets
        {
            self.away_told = false;
            out.push(to_call(call, call::Event::AgentBack { agent: self.setup.id, peer }));
        }
    }

    fn is_reachable(&self) -> bool {
        match self.setup.device {
            DeviceSetup::Phone(_) => true,
            DeviceSetup::Browser => self.sockets && self.peer.is_some(),
        }
    }

    // ---- groups ----

    fn best(&mut self, group: GroupId, epoch: u64, waiting: Option<Waiting>, out: &mut Vec<Action>, cx: &Cx) {
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

    fn reserve(&mut self, epoch: u64, lease: Lease, out: &mut Vec<Action>) {
        let (id, offer, group) = (self.setup.id, lease.offer, lease.group);
        if epoch == self.epoch && self.is_ready() && matches!(self.matching, Matching::Parked | Matching::Picked(_)) {
            self.activity = Activity::Reserved(lease);
            let device = Device::from(&self.setup.device);
            let automatic = self.setup.automatic_answer;
            out.push(Action::Tell(Tell::Group(group, group::Event::Reserved { agent: id, offer, device, automatic })));
        } else {
            out.push(Action::Tell(Tell::Group(group, group::Event::NotReserved { agent: id, offer })));
        }
    }

    fn group_restarted(&mut self, group: GroupId, out: &mut Vec<Action>) {
        if let Activity::Reserved(lease) = &self.activity
            && lease.group == group
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

    fn ring(&mut self, mut ringing: Box<Ringing>, out: &mut Vec<Action>) {
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
        ringing.automatic &= self.setup.device == DeviceSetup::Browser;
        let automatic = ringing.automatic;
        let offer = ringing.offer;
        out.push(Action::ShowOffer(Some(ringing)));
        self.activity = Activity::Ringing(lease);
        if automatic {
            self.accept(offer, out);
        }
    }

    fn refuse_ring(&self, ringing: &Ringing, out: &mut Vec<Action>) {
        out.push(to_call(ringing.call, call::Event::OfferGone { offer: ringing.offer }));
    }

    fn lease(&self) -> Option<&Lease> {
        match &self.activity {
            Activity::Reserved(lease) | Activity::Ringing(lease) | Activity::Accepted(lease) => Some(lease),
            Activity::Free | Activity::InCall { .. } | Activity::WrapUp { .. } => None,
        }
    }

    fn withdraw(&mut self, offer: OfferId, out: &mut Vec<Action>) {
        if self.lease().is_some_and(|lease| lease.offer == offer) {
            self.free(out);
        }
    }

    fn withdrawn(&mut self, call: CallId, offer: OfferId, why: Withdrawal, out: &mut Vec<Action>, cx: &Cx) {
        // Confirmed whether or not the lease was still there: the call's next offer waits for it.
        out.push(to_call(call, call::Event::Withdrawn { offer }));
        if self.lease().is_none_or(|lease| lease.offer != offer) {
            return;
        }
        self.free(out);
        match why {
            Withdrawal::NotNeeded => {}
            Withdrawal::RingTimeout { misses } => {
                self.misses += 1;
                if misses > 0 && self.misses >= misses && self.chosen == Chosen::Available {
                    self.misses = 0;
                    self.chosen = Chosen::Busy(Some("missed_calls".into()));
                }
            }
            Withdrawal::DeviceFailed(reason) => self.rests = Some((cx.now + REST, reason)),
        }
    }

    fn won(&mut self, offer: OfferId, call: CallId, out: &mut Vec<Action>, cx: &Cx) {
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

    fn enter_call(&mut self, call: CallId) {
        self.activity = Activity::InCall { call };
        self.away_told = false;
    }

    fn call_over(&mut self, call: CallId, wrap_up: Option<WrapUp>, device_failed: bool, out: &mut Vec<Action>, cx: &Cx) {
        if self.in_call() != Some(call) {
            return;
        }
        if device_failed {
            self.rests = Some((cx.now + REST, "device_failed".into()));
        }
        match wrap_up {
            Some(WrapUp::Millis(total)) if total > 0 => {
                self.activity = Activity::WrapUp { ends: Some(cx.now + total), since: cx.wall, total: Some(total) };
            }
            Some(WrapUp::Manual) => self.activity = Activity::WrapUp { ends: None, since: cx.wall, total: None },
            Some(WrapUp::Off | WrapUp::Millis(_)) | None => self.end_occupation(cx),
        }
        out.push(Action::StateChanged);
    }

    // ---- shared moves ----

    /// The reservation is over.
    fn free(&mut self, out: &mut Vec<Action>) {
        if matches!(self.activity, Activity::Ringing(_) | Activity::Accepted(_)) {
            out.push(Action::ShowOffer(None));
        }
        self.activity = Activity::Free;
        self.chosen_in_call = false;
    }

    /// The agent lets the offer go; the call looks for somebody else, without blame.
    fn let_go(&mut self, out: &mut Vec<Action>) {
        if let Some(lease) = self.lease() {
            out.push(to_call(lease.call, call::Event::OfferGone { offer: lease.offer }));
            self.free(out);
        }
    }

    /// Call or after-call work is over: back to what was chosen (B1).
    fn end_occupation(&mut self, cx: &Cx) {
        self.activity = Activity::Free;
        self.chosen_in_call = false;
        self.free_since = cx.wall;
    }

    fn expire(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        if self.rests.as_ref().is_some_and(|(until, _)| *until <= cx.now) {
            self.rests = None;
        }
        if self.taken_over.is_some_and(|until| until <= cx.now) {
            self.taken_over = None;
            out.extend(self.peer.take().map(Action::ClosePeer));
        }
        match &self.activity {
            Activity::Reserved(lease) | Activity::Ringing(lease) | Activity::Accepted(lease) if lease.expires <= cx.now => self.let_go(out),
            Activity::WrapUp { ends: Some(ends), .. } if *ends <= cx.now => self.end_occupation(cx),
            Activity::Free
            | Activity::Reserved(_)
            | Activity::Ringing(_)
            | Activity::Accepted(_)
            | Activity::InCall { .. }
            | Activity::WrapUp { .. } => {}
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
    fn settle(&mut self, out: &mut Vec<Action>, cx: &mut Cx) {
        self.settle_reach(out, cx);
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

    fn settle_reach(&mut self, out: &mut Vec<Action>, cx: &Cx) {
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

    fn presence_now(&self) -> Presence {
        match self.activity {
            Activity::InCall { .. } | Activity::WrapUp { .. } | Activity::Accepted(_) | Activity::Ringing(_) | Activity::Reserved(_) => {
                match self.chosen {
                    Chosen::Available => Presence::Occupied,
                    Chosen::Busy(_) | Chosen::OnBreak(_) | Chosen::Offline => Presence::Away,
                }
            }
            Activity::Free if self.chosen == Chosen::Offline => Presence::Offline,
            Activity::Free if self.is_ready() => Presence::Free,
            Activity::Free => Presence::Away,
        }
    }

    fn seen_now(&self) -> (Seen, Option<String>) {
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

    fn standing(&self, group: GroupId, cx: &Cx) -> Standing {
        let priority = self.setup.groups.iter().find(|m| m.group == group).map_or(0, |m| m.priority);
        let calls_today = if self.calls_today.0 == cx.today { self.calls_today.1 } else { 0 };
        Standing { free_since: self.free_since, calls_today, priority }
    }

    fn leave_groups(&mut self, out: &mut Vec<Action>) {
        if self.matching != Matching::Out {
            self.epoch += 1;
            self.matching = Matching::Out;
            let (id, epoch) = (self.setup.id, self.epoch);
            out.extend(self.to_groups(|_| group::Event::Leave { agent: id, epoch }));
        }
    }

    fn tell_presence(&self) -> Vec<Action> {
        let (agent, presence) = (self.setup.id, self.presence);
        self.to_groups(|_| group::Event::Presence { agent, presence })
    }

    fn to_groups(&self, event: impl Fn(GroupId) -> group::Event) -> Vec<Action> {
        self.setup.groups.iter().map(|m| Action::Tell(Tell::Group(m.group, event(m.group)))).collect()
    }
}

fn to_call(call: CallId, event: call::Event) -> Action {
    Action::Tell(Tell::Call(call, event))
}
