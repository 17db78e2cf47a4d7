//! An agent's state, wrap-up timer, and the one reservation they may have (B1–B6, C4, C5).
//!
//! | activity | event | next |
//! |---|---|---|
//! | Free | `Reserve` of this epoch, when ready | Reserved |
//! | Free | `ReserveDirect` from a call, when available or busy | Reserved |
//! | Reserved | `Ring` | Ringing (automatic answer: Accepted) |
//! | Reserved, Ringing, Accepted | `Withdraw`, `Revoke`, `CallGone`, lease expired | Free |
//! | Reserved | `Ring` when out of reach, a state other than available is chosen | Free, the call is told |
//! | Reserved, Ringing | out of reach for 3 s | Free, the call is told |
//! | Ringing | offline is chosen | Free, the call is told |
//! | Ringing | `Accept` | Accepted |
//! | Ringing | `Decline` | Free, the call is told |
//! | Ringing, Accepted | `Won` | InCall |
//! | Free, WrapUp | `Dial`, when not offline and reachable | InCall, a call begins |
//! | any but InCall | `Reclaim` (a new machine hears of its old call) | InCall, a call that waits is told |
//! | InCall | `CallOver` with wrap-up | WrapUp |
//! | InCall | `CallOver` without, `CallGone` | Free |
//! | WrapUp | its time is over, `EndWrapUp` | Free |
//! | any | out of reach for the grace time | Free and offline, the call is told |
//! | any but InCall, Accepted | `Depart` | Free and offline; a caller who rings moves on |
//! | InCall, Accepted | `Depart` | the same, and offline when Free (A9) |
//!
//! Readiness carries an epoch: groups name it in `Reserve`, and one that is not the newest is refused.

mod departing;
mod dialling;
mod offers;
mod settle;

pub use dialling::{Dial, NoDial};

use crate::cx::{Cx, Millis};
use crate::ids::{CallId, GroupId, OfferId, PeerId};
use crate::message::{Action, Device, Presence, Ringing, Tell, Waiting, Withdrawal};
use crate::setup::{AgentSetup, DeviceSetup, MobileSetup, WrapUp};
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
    /// Call this number (E1); nothing happens where [`Agent::may_dial`] says no.
    Dial(Box<Dial>),
    /// The agent consults a number, which is one of the day's calls out (D5, E6).
    ConsultsNumber,
    /// The first socket came; the last one went.
    SocketUp,
    SocketDown,
    PeerUp(PeerId),
    PeerLost(PeerId),
    /// A second login took the session over; the old page is told and stops (A9).
    TakenOver,
    /// Offline as soon as no call holds the agent, without after-call work; `end_call` ends the one in progress (A9).
    Depart {
        departure: Departure,
        end_call: bool,
    },
    /// The agent thought better of a log-out that waits; so does who chooses a state.
    Stay,
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
    /// From a call that is transferred to this agent: busy or available (C4, D4).
    ReserveDirect {
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
        /// Why the agent's device failed, where it did (B4).
        device_failed: Option<String>,
    },
    /// The call has this agent, on this device, who is made anew after a panic.
    Reclaim {
        call: CallId,
        device: Device,
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

/// Why an agent goes offline whatever state was chosen (A9).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Departure {
    LogOut,
    /// By an admin.
    ForcedOffline,
    /// The agent is not on the floor any more: logged out, and the machine finished.
    Removed,
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
    /// The group that asked; none: the call itself did.
    group: Option<GroupId>,
    expires: Millis,
}

impl Lease {
    /// Whether an agent in this state may be rung for it (C4).
    fn suits(&self, chosen: &Chosen) -> bool {
        match chosen {
            Chosen::Available => true,
            Chosen::Busy(_) => self.group.is_none(),
            Chosen::OnBreak(_) | Chosen::Offline => false,
        }
    }
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
    /// Browser or phone: a change between them waits until the agent is offline.
    own: DeviceSetup,
    /// What rings for the next call, or has the present one: the mobile while it is switched on (C7, E2).
    device: Device,
    chosen: Chosen,
    /// `chosen` was changed during this call (B1: "then Busy").
    chosen_in_call: bool,
    /// Waits for the call's end. A new machine, which does not know yet of a call, has forgotten it.
    departing: Option<Departure>,
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
    dialled_today: (i32, u32),
}

/// What outlives an agent's machine when it panics: a new one goes on from here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    pub chosen: Chosen,
    /// A workstation's socket is there.
    pub sockets: bool,
    pub peer: Option<PeerId>,
    /// Browser or phone; none: what the setup says.
    own: Option<DeviceSetup>,
    /// After-call work: when it ends in machine time, since when in wall time, how long in all.
    wrap_up: Option<(Option<Millis>, i64, Option<u64>)>,
    misses: u32,
    rests: Option<(Millis, String)>,
    /// Since when the agent is without a call, wall time.
    free_since: Option<i64>,
    calls_today: (i32, u32),
    dialled_today: (i32, u32),
}

impl Kept {
    /// An agent who comes back to this state after a start of the switch, without a workstation yet.
    pub fn choice(chosen: Chosen) -> Self {
        Self {
            chosen,
            sockets: false,
            peer: None,
            own: None,
            wrap_up: None,
            misses: 0,
            rests: None,
            free_since: None,
            calls_today: (0, 0),
            dialled_today: (0, 0),
        }
    }
}

impl Agent {
    pub fn new(setup: AgentSetup, kept: Kept, cx: &mut Cx) -> (Self, Vec<Action>) {
        let own = kept.own.unwrap_or_else(|| setup.device.clone());
        let mut agent = Self {
            device: Device::from(&own),
            own,
            setup,
            chosen: kept.chosen,
            chosen_in_call: false,
            departing: None,
            activity: kept.wrap_up.map_or(Activity::Free, |(ends, since, total)| Activity::WrapUp { ends, since, total }),
            matching: Matching::Out,
            // Beyond any epoch of a machine before this one.
            epoch: cx.now << 20,
            misses: kept.misses,
            rests: kept.rests,
            sockets: kept.sockets,
            peer: kept.peer,
            lost_peer: None,
            taken_over: None,
            away_since: None,
            away_told: false,
            presence: Presence::Offline,
            seen: (Seen::Offline, None),
            seen_since: cx.wall,
            free_since: kept.free_since.unwrap_or(cx.wall),
            calls_today: kept.calls_today,
            dialled_today: kept.dialled_today,
        };
        let mut out = agent.to_groups(|_| group::Event::AgentRestarted(agent.setup.id));
        out.push(Action::AnnounceRestart);
        agent.presence = agent.presence_now();
        out.extend(agent.tell_presence());
        agent.settle(&mut out, cx);
        (agent, out)
    }

    /// For the machine that follows this one.
    pub fn kept(&self) -> Kept {
        let wrap_up = match self.activity {
            Activity::WrapUp { ends, since, total } => Some((ends, since, total)),
            Activity::Free | Activity::Reserved(_) | Activity::Ringing(_) | Activity::Accepted(_) | Activity::InCall { .. } => None,
        };
        Kept {
            chosen: self.chosen.clone(),
            sockets: self.sockets,
            peer: self.peer,
            own: Some(self.own.clone()),
            wrap_up,
            misses: self.misses,
            rests: self.rests.clone(),
            free_since: Some(self.free_since),
            calls_today: self.calls_today,
            dialled_today: self.dialled_today,
        }
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

    /// Whether this voice path is up, or was the last that was.
    pub fn knows(&self, peer: PeerId) -> bool {
        [self.peer, self.lost_peer].contains(&Some(peer))
    }

    pub fn peer(&self) -> Option<PeerId> {
        self.peer
    }

    /// What rings for this agent now, or has the call.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// State, reason, and since when (wall time).
    pub fn seen(&self) -> (Seen, Option<&str>, i64) {
        (self.seen.0, self.seen.1.as_deref(), self.seen_since)
    }

    /// The state that was chosen to follow this call (B1).
    pub fn then(&self) -> Option<&Chosen> {
        self.chosen_in_call.then_some(&self.chosen)
    }

    /// What waits for this call's end (A9).
    pub fn departing(&self) -> Option<Departure> {
        self.departing
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
        self.lease().map(|lease| (lease.call, Some(lease.offer))).or(self.in_call().map(|call| (call, None)))
    }

    /// Without a workstation, for less than the grace time (B3).
    pub fn is_out_of_reach(&self) -> bool {
        self.away_since.is_some()
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
            Event::SetState(chosen) => {
                self.stay(&mut out);
                self.choose(chosen, &mut out);
            }
            Event::Depart { departure, end_call } => self.depart(departure, end_call, &mut out, cx),
            Event::Stay => self.stay(&mut out),
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
            Event::Dial(dial) => self.dial(*dial, &mut out, cx),
            Event::ConsultsNumber => self.count_call_out(cx),
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
                self.reserve(epoch, group, Lease { offer, call, group: Some(group), expires: cx.now + ring + LEASE_MARGIN }, &mut out)
            }
            Event::ReserveDirect { offer, call, ring } => {
                self.reserve_direct(Lease { offer, call, group: None, expires: cx.now + ring + LEASE_MARGIN }, &mut out)
            }
            Event::Revoke(offer) => self.withdraw(offer, &mut out),
            Event::GroupRestarted(group) => self.group_restarted(group, &mut out),
            Event::Ring(ringing) => self.ring(ringing, &mut out),
            Event::Withdraw { call, offer, why } => self.withdrawn(call, offer, why, &mut out, cx),
            Event::Won { offer, call } => self.won(offer, call, &mut out, cx),
            Event::CallOver { call, wrap_up, device_failed } => self.call_over(call, wrap_up, device_failed, &mut out, cx),
            Event::Reclaim { call, device } => match self.activity {
                Activity::Free | Activity::WrapUp { .. } => self.enter_call_on(call, device),
                Activity::InCall { call: mine } if mine == call => {}
                // The customer who is in a call already comes before one who waits.
                Activity::Reserved(_) | Activity::Ringing(_) | Activity::Accepted(_) => {
                    self.let_go(&mut out);
                    self.enter_call_on(call, device);
                }
                Activity::InCall { .. } => out.push(to_call(call, call::Event::AgentLost { agent: self.setup.id })),
            },
            Event::CallGone(call) => {
                if self.lease().is_some_and(|lease| lease.call == call) {
                    self.free(&mut out);
                } else if self.in_call() == Some(call) {
                    self.end_occupation(cx);
                }
            }
            Event::Setup(setup) => self.set_up(*setup, &mut out),
        }
        self.settle(&mut out, cx);
        out
    }

    fn set_up(&mut self, setup: AgentSetup, out: &mut Vec<Action>) {
        // Who was removed in mid call is on the floor again.
        if self.departing.take_if(|departure| *departure == Departure::Removed).is_some() {
            out.push(Action::StateChanged);
        }
        // The floor is told whole: most agents are who they were.
        if setup == self.setup {
            return;
        }
        let left: Vec<GroupId> =
            self.setup.groups.iter().map(|m| m.group).filter(|g| !setup.groups.iter().any(|m| m.group == *g)).collect();
        let id = self.setup.id;
        for group in left {
            out.push(Action::Tell(Tell::Group(group, group::Event::AgentRestarted(id))));
            out.push(Action::Tell(Tell::Group(group, group::Event::Presence { agent: id, presence: Presence::Offline })));
        }
        self.leave_groups(out);
        if self.setup.mobile != setup.mobile {
            out.push(Action::StateChanged);
        }
        self.setup = setup;
        out.extend(self.tell_presence());
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
            Activity::Reserved(lease) if !lease.suits(&self.chosen) => self.let_go(out),
            Activity::Reserved(_) | Activity::Ringing(_) | Activity::Accepted(_) | Activity::InCall { .. } | Activity::WrapUp { .. } => {
                self.chosen_in_call = true;
                out.push(Action::StateChanged);
            }
        }
    }

    fn accept(&mut self, offer: OfferId, out: &mut Vec<Action>) {
        // A phone is answered at the phone (C7, C8).
        if let Activity::Ringing(lease) = &self.activity
            && lease.offer == offer
            && self.device == Device::Browser
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

    /// The mobile, while it is switched on for that; else browser or phone.
    fn mobile_or_own(&self, on: impl Fn(&MobileSetup) -> bool) -> Device {
        match &self.setup.mobile {
            Some(setup) if on(setup) => Device::Mobile(setup.mobile.clone()),
            Some(_) | None => Device::from(&self.own),
        }
    }

    fn is_reachable(&self) -> bool {
        self.reaches(&self.device)
    }

    /// Whether the agent could speak on this device now.
    fn reaches(&self, device: &Device) -> bool {
        match device {
            Device::Phone(_) | Device::Mobile(_) => true,
            Device::Browser => self.sockets && self.peer.is_some(),
        }
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
}

fn to_call(call: CallId, event: call::Event) -> Action {
    Action::Tell(Tell::Call(call, event))
}
