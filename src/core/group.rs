//! A skill group's queue and its order: who is next, and which ready agent gets them (C2–C5).
//!
//! | ticket | event | next |
//! |---|---|---|
//! | — | `Enqueue`, within the limits | Waiting |
//! | — | `Enqueue`, beyond a limit | turned away |
//! | Waiting | a suitable agent is ready | Offering (`Reserve` sent) |
//! | Offering | `Reserved` | Offering (the call has the offer) |
//! | Offering | `NotReserved`, `OfferOver`, the agent's machine is new: the last one | Waiting |
//! | Waiting | longest wait over, nobody online | turned away |
//! | any | `Left`, `CallGone` | — |
//!
//! Ready agents stand in one ordered set by the strategy's key, callers in one ordered set by head, priority and arrival:
//! a decision costs a look at the front of both.

use crate::cx::{Cx, Millis};
use crate::ids::{AgentId, CallId, OfferId};
use crate::message::{Action, Device, Offer, OfferEnd, Presence, Standing, Tell, Ticket, Waiting};
use crate::setup::{GroupSetup, Strategy, WayOut};
use crate::{agent, call};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who missed or declined a caller is offered them again only after so long, or never while another agent is ready (C5).
pub const REFUSED_REST: Millis = 5_000;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Event {
    // From agents.
    Ask {
        agent: AgentId,
        epoch: u64,
    },
    /// The agent takes this group's best caller.
    Pick {
        agent: AgentId,
        epoch: u64,
        standing: Standing,
    },
    /// Nobody waits anywhere: the agent is ready in all its groups.
    Park {
        agent: AgentId,
        epoch: u64,
        standing: Standing,
    },
    Leave {
        agent: AgentId,
        epoch: u64,
    },
    Presence {
        agent: AgentId,
        presence: Presence,
    },
    Reserved {
        agent: AgentId,
        offer: OfferId,
        device: Device,
        automatic: Option<bool>,
    },
    NotReserved {
        agent: AgentId,
        offer: OfferId,
    },
    /// The agent's machine is new, or the agent left the group: forget what was known.
    AgentRestarted(AgentId),
    // From calls.
    Enqueue(Ticket),
    /// The caller is gone or served.
    Left(CallId),
    /// The call is gone without a word: who is reserved for it is let go.
    CallGone(CallId),
    OfferOver {
        call: CallId,
        offer: OfferId,
        agent: AgentId,
        how: OfferEnd,
    },
    /// The admin changed the group.
    Setup(Box<GroupSetup>),
}

/// A new group waits so long for its agents to register before it says that nobody is online.
pub const OPENING: Millis = 1_000;

/// Announcements come no closer to each other: callers are to hear the music too (C2).
pub const ANNOUNCE_AT_LEAST: Millis = 10_000;

/// Why a queue could not take a caller, or not any longer (C2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Limit {
    NoAgentOnline,
    QueueFull,
    QueueTimeout,
}

/// The order in which callers are served.
type Rank = (std::cmp::Reverse<bool>, std::cmp::Reverse<i32>, i64, CallId);

/// The order in which ready agents are asked.
type Turn = (i64, i64, AgentId);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Caller {
    ticket: Ticket,
    /// From when the longest wait counts, in machine time.
    queued: Millis,
    offers: BTreeMap<OfferId, AgentId>,
    /// Who missed or declined, and when.
    refused: BTreeMap<AgentId, Millis>,
    dues: Dues,
}

/// When a caller is to be told the position, and when to hear the group's announcement (C2).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Dues {
    position: Option<Millis>,
    announcement: Option<Millis>,
}

impl Dues {
    fn new(setup: &GroupSetup, position: Millis, now: Millis) -> Self {
        Self {
            position: setup.announce_position.map(|_| position),
            announcement: setup.announcement.as_ref().map(|_| again(setup.announce_every, now)),
        }
    }

    fn times(self) -> impl Iterator<Item = Millis> {
        [self.position, self.announcement].into_iter().flatten()
    }
}

fn again(every: Millis, now: Millis) -> Millis {
    now + every.max(ANNOUNCE_AT_LEAST)
}

/// Whether it is due. It is due again a whole number of intervals later, however late it was: what is due together stays so.
fn take_due(due: &mut Option<Millis>, every: Millis, now: Millis) -> bool {
    let Some(at) = due.filter(|at| *at <= now) else { return false };
    let every = every.max(ANNOUNCE_AT_LEAST);
    *due = Some(now + every - (now - at) % every);
    true
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ready {
    epoch: u64,
    standing: Standing,
    turn: Turn,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    pub setup: GroupSetup,
    callers: BTreeMap<CallId, Caller>,
    /// Callers without an offer in hand; in a ring-all group also those with one.
    waiting: BTreeSet<Rank>,
    ready: BTreeMap<AgentId, Ready>,
    turns: BTreeSet<Turn>,
    presence: BTreeMap<AgentId, Presence>,
    /// Reservations that were asked for and not yet answered.
    asked: BTreeMap<OfferId, (CallId, AgentId)>,
    /// Round robin: counts up; an agent's last turn.
    round: i64,
    last_turn: BTreeMap<AgentId, i64>,
    online: BTreeSet<AgentId>,
    /// Arrivals, oldest first (F2).
    arrivals: BTreeSet<(i64, CallId)>,
    /// When a caller is to be looked at again: longest wait, last agent, rest after a refusal, announcements. Entries of callers who left are harmless.
    timers: BTreeSet<(Millis, CallId)>,
    opens: Millis,
    /// The date that the turns' calls of today belong to.
    today: i32,
    shown: (usize, Option<i64>),
}

impl Group {
    /// A new machine. After a panic its first word makes agents and calls register again.
    pub fn new(setup: GroupSetup, cx: &Cx) -> (Self, Vec<Action>) {
        let group = Self {
            setup,
            callers: BTreeMap::new(),
            waiting: BTreeSet::new(),
            ready: BTreeMap::new(),
            turns: BTreeSet::new(),
            presence: BTreeMap::new(),
            asked: BTreeMap::new(),
            round: 0,
            last_turn: BTreeMap::new(),
            online: BTreeSet::new(),
            arrivals: BTreeSet::new(),
            timers: BTreeSet::new(),
            opens: cx.now + OPENING,
            today: cx.today,
            shown: (0, None),
        };
        (group, vec![Action::AnnounceRestart])
    }

    /// Callers without an agent, and the arrival (wall time) of the one who waits longest (F2).
    pub fn queue(&self) -> (usize, Option<i64>) {
        (self.callers.len(), self.arrivals.first().map(|(arrived, _)| *arrived))
    }

    /// For the model test: callers who wait without an offer, in their order.
    pub fn unserved(&self) -> impl Iterator<Item = CallId> + '_ {
        self.waiting.iter().map(|rank| rank.3).filter(|call| self.callers.get(call).is_some_and(|c| c.offers.is_empty()))
    }

    pub fn holds(&self, call: CallId) -> bool {
        self.callers.contains_key(&call)
    }

    /// The ticket's state by its name in the table, for traces and tests.
    pub fn kind(&self, call: CallId) -> &'static str {
        match self.callers.get(&call) {
            None => "—",
            Some(caller) if caller.offers.is_empty() => "Waiting",
            Some(_) => "Offering",
        }
    }

    pub fn is_ready(&self, agent: AgentId) -> bool {
        self.ready.contains_key(&agent)
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub fn tick(&mut self, cx: &mut Cx) -> Vec<Action> {
        let mut out = Vec::new();
        self.begin_day(cx);
        while let Some((at, call)) = self.timers.first().copied() {
            if at > cx.now {
                break;
            }
            self.timers.pop_first();
            self.check_limits(call, &mut out, cx);
            self.announce(call, &mut out, cx);
        }
        self.settle(&mut out, cx);
        out
    }

    pub fn handle(&mut self, event: Event, cx: &mut Cx) -> Vec<Action> {
        let mut out = Vec::new();
        self.begin_day(cx);
        match event {
            Event::Ask { agent, epoch } => {
                let waiting = self
                    .waiting
                    .iter()
                    .filter_map(|rank| self.callers.get(&rank.3))
                    .find(|caller| self.is_suitable(caller, agent, cx.now))
                    .map(|caller| Waiting { since: caller.ticket.arrived });
                let group = self.setup.id;
                out.push(to_agent(agent, agent::Event::Best { group, epoch, waiting }));
            }
            Event::Pick { agent, epoch, standing } => {
                self.enter(agent, epoch, standing);
                self.dispatch(&mut out, cx);
                if self.ready.contains_key(&agent) {
                    self.leave(agent);
                    out.push(to_agent(agent, agent::Event::Nothing { group: self.setup.id, epoch }));
                }
            }
            Event::Park { agent, epoch, standing } => self.enter(agent, epoch, standing),
            Event::Leave { agent, epoch } => {
                if self.ready.get(&agent).is_some_and(|ready| ready.epoch < epoch) {
                    self.leave(agent);
                }
            }
            Event::Presence { agent, presence } => {
                self.presence.insert(agent, presence);
                if presence == Presence::Offline {
                    self.online.remove(&agent);
                    self.nobody_left(&mut out, cx);
                } else {
                    self.online.insert(agent);
                }
            }
            Event::Reserved { agent, offer, device, automatic } => self.reserved(agent, offer, device, automatic, &mut out),
            Event::NotReserved { agent: _, offer } => {
                if let Some((call, _)) = self.asked.remove(&offer) {
                    self.offer_over(call, offer, cx);
                }
            }
            Event::AgentRestarted(agent) => {
                self.leave(agent);
                let lost: Vec<(OfferId, CallId)> =
                    self.asked.iter().filter(|(_, (_, a))| *a == agent).map(|(o, (c, _))| (*o, *c)).collect();
                for (offer, call) in lost {
                    self.asked.remove(&offer);
                    self.offer_over(call, offer, cx);
                }
            }
            Event::Enqueue(ticket) => self.enqueue(ticket, &mut out, cx),
            Event::Left(call) => {
                self.remove(call);
            }
            Event::CallGone(call) => {
                let gone = self.remove(call);
                out.extend(
                    gone.iter().flat_map(|caller| &caller.offers).map(|(offer, agent)| to_agent(*agent, agent::Event::Revoke(*offer))),
                );
            }
            Event::OfferOver { call, offer, agent, how } => {
                if let (OfferEnd::Refused, Some(caller)) = (how, self.callers.get_mut(&call)) {
                    caller.refused.insert(agent, cx.now);
                    self.timers.insert((cx.now + REFUSED_REST, call));
                }
                self.offer_over(call, offer, cx);
            }
            Event::Setup(setup) => self.set_up(*setup, cx),
        }
        self.settle(&mut out, cx);
        out
    }

    // ---- callers ----

    fn enqueue(&mut self, ticket: Ticket, out: &mut Vec<Action>, cx: &Cx) {
        let (call, wait) = (ticket.call, ticket.wait);
        let known = self.remove(call);
        // A ticket that is registered again may have crossed an offer that this machine made: it counts.
        let mut offers: BTreeMap<OfferId, AgentId> = ticket.offers.iter().copied().collect();
        let known = known.filter(|caller| caller.ticket.wait == ticket.wait);
        offers.extend(known.iter().flat_map(|caller| caller.offers.clone()));
        let taken_in = ticket.taken_in || known.is_some();
        // A new machine does not know when it was told last: the position comes after a whole interval.
        let position = if taken_in { again(self.setup.announce_position.unwrap_or(0), cx.now) } else { cx.now };
        let dues = known.as_ref().map_or_else(|| Dues::new(&self.setup, position, cx.now), |caller| caller.dues);
        // Waits and rests go on where they began, whichever machine counts them.
        let since = |wall: i64| cx.now.saturating_sub(u64::try_from(cx.wall - wall).unwrap_or(0));
        let queued = since(ticket.arrived);
        let mut refused: BTreeMap<AgentId, Millis> = ticket.refused.iter().map(|(agent, at)| (*agent, since(*at))).collect();
        refused.extend(known.map(|caller| caller.refused).unwrap_or_default());
        self.timers.extend(refused.values().map(|at| (at + REFUSED_REST, call)));
        let full = self.setup.max_queue.is_some_and(|max| {
            let unserved = self.callers.values().filter(|c| c.offers.is_empty()).count();
            unserved >= usize::try_from(max).unwrap_or(usize::MAX) && self.ready.is_empty()
        });
        let offered = !offers.is_empty();
        if full && !ticket.head && !offered && !taken_in {
            return self.turn_away(call, wait, Limit::QueueFull, out);
        }
        if self.online.is_empty() && self.opens <= cx.now && !offered && !ticket.head {
            return self.turn_away(call, wait, Limit::NoAgentOnline, out);
        }
        let place = rank(&ticket);
        if self.setup.strategy == Strategy::RingAll || !offered {
            self.waiting.insert(place);
        }
        self.arrivals.insert((ticket.arrived, call));
        let limit = self.setup.max_wait.filter(|_| !ticket.head).map(|max| queued + max);
        let last = ticket.last_agent.filter(|_| self.setup.last_agent_wait > 0).map(|_| queued + self.setup.last_agent_wait);
        let opens = self.online.is_empty().then_some(self.opens);
        self.timers.extend([limit, last, opens].into_iter().flatten().chain(dues.times()).map(|at| (at, call)));
        self.callers.insert(call, Caller { ticket, queued, offers, refused, dues });
        let GroupSetup { id, music, welcome, .. } = &self.setup;
        out.push(to_call(call, call::Event::Queued { group: *id, wait, music: music.clone(), welcome: welcome.clone() }));
    }

    /// Tells a caller what is due, unless an agent rings for them: then it stays due, in case nobody answers (C2).
    fn announce(&mut self, call: CallId, out: &mut Vec<Action>, cx: &Cx) {
        let setup = &self.setup;
        let Some(caller) = self.callers.get_mut(&call).filter(|caller| caller.offers.is_empty()) else { return };
        let place = rank(&caller.ticket);
        let told = take_due(&mut caller.dues.position, setup.announce_position.unwrap_or(0), cx.now);
        let sound = take_due(&mut caller.dues.announcement, setup.announce_every, cx.now).then(|| setup.announcement.clone()).flatten();
        if !told && sound.is_none() {
            return;
        }
        self.timers.extend(caller.dues.times().map(|at| (at, call)));
        // Whoever an agent rings for is not served yet: nobody's position goes up when the ring is in vain.
        let position = told.then(|| self.callers.values().filter(|other| rank(&other.ticket) <= place).count());
        out.push(to_call(call, call::Event::Announce { group: setup.id, position, sound }));
    }

    fn remove(&mut self, call: CallId) -> Option<Caller> {
        let caller = self.callers.remove(&call)?;
        self.waiting.remove(&rank(&caller.ticket));
        self.arrivals.remove(&(caller.ticket.arrived, call));
        Some(caller)
    }

    /// Turns the caller away whose time is over, or whom nobody is left to serve; never in the middle of an offer.
    fn check_limits(&mut self, call: CallId, out: &mut Vec<Action>, cx: &Cx) {
        // Who lost an agent in mid-call waits at the head, exempt from all limits (B3).
        let Some(caller) = self.callers.get(&call).filter(|caller| caller.offers.is_empty() && !caller.ticket.head) else { return };
        let (wait, late) = (caller.ticket.wait, self.setup.max_wait.is_some_and(|max| caller.queued + max <= cx.now));
        if self.online.is_empty() && self.opens <= cx.now {
            self.turn_away(call, wait, Limit::NoAgentOnline, out);
        } else if late {
            self.turn_away(call, wait, Limit::QueueTimeout, out);
        }
    }

    fn nobody_left(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        if self.online.is_empty() {
            let calls: Vec<CallId> = self.callers.keys().copied().collect();
            for call in calls {
                self.check_limits(call, out, cx);
            }
        }
    }

    fn turn_away(&mut self, call: CallId, wait: u32, limit: Limit, out: &mut Vec<Action>) {
        self.remove(call);
        let way_out = match limit {
            Limit::NoAgentOnline => &self.setup.on_no_agent,
            Limit::QueueFull => &self.setup.on_max_queue,
            Limit::QueueTimeout => &self.setup.on_max_wait,
        };
        let event = call::Event::TurnedAway { group: self.setup.id, wait, limit, way_out: WayOut::clone(way_out) };
        out.push(to_call(call, event));
    }

    fn offer_over(&mut self, call: CallId, offer: OfferId, cx: &Cx) {
        let Some(caller) = self.callers.get_mut(&call) else { return };
        caller.offers.remove(&offer);
        if caller.offers.is_empty() {
            self.waiting.insert(rank(&caller.ticket));
            // The limits may have been passed meanwhile.
            self.timers.insert((cx.now, call));
        }
    }

    // ---- agents ----

    fn enter(&mut self, agent: AgentId, epoch: u64, standing: Standing) {
        self.leave(agent);
        let turn = self.turn(agent, standing);
        self.turns.insert(turn);
        self.ready.insert(agent, Ready { epoch, standing, turn });
    }

    fn turn(&self, agent: AgentId, standing: Standing) -> Turn {
        match self.setup.strategy {
            Strategy::LongestIdle | Strategy::RingAll => (standing.free_since, 0, agent),
            Strategy::FewestCallsToday => (i64::from(standing.calls_today), standing.free_since, agent),
            Strategy::AgentPriority => (i64::from(standing.priority), standing.free_since, agent),
            Strategy::RoundRobin => (self.last_turn.get(&agent).copied().unwrap_or(0), i64::from(agent.0), agent),
        }
    }

    /// The admin changed the group: callers and agents stand by the new rules.
    fn set_up(&mut self, setup: GroupSetup, cx: &Cx) {
        let announces = |setup: &GroupSetup| (setup.announce_position, setup.announcement.clone(), setup.announce_every);
        let anew = announces(&self.setup) != announces(&setup);
        self.setup = setup;
        if anew {
            let dues = Dues::new(&self.setup, again(self.setup.announce_position.unwrap_or(0), cx.now), cx.now);
            self.callers.values_mut().for_each(|caller| caller.dues = dues);
            self.timers.extend(self.callers.keys().flat_map(|call| dues.times().map(|at| (at, *call))));
        }
        let ready: Vec<(AgentId, Ready)> = self.ready.iter().map(|(agent, ready)| (*agent, ready.clone())).collect();
        for (agent, Ready { epoch, standing, .. }) in ready {
            self.enter(agent, epoch, standing);
        }
        let all = self.setup.strategy == Strategy::RingAll;
        self.waiting = self.callers.values().filter(|caller| all || caller.offers.is_empty()).map(|caller| rank(&caller.ticket)).collect();
        let waits = self.setup.max_wait.into_iter().chain([self.setup.last_agent_wait]);
        for wait in waits {
            self.timers.extend(self.callers.iter().map(|(call, caller)| (caller.queued + wait, *call)));
        }
    }

    /// On a new day nobody had a call yet (C3).
    fn begin_day(&mut self, cx: &Cx) {
        if std::mem::replace(&mut self.today, cx.today) == cx.today || self.setup.strategy != Strategy::FewestCallsToday {
            return;
        }
        for ready in self.ready.values_mut() {
            (ready.standing.calls_today, ready.turn.0) = (0, 0);
        }
        self.turns = self.ready.values().map(|ready| ready.turn).collect();
    }

    fn leave(&mut self, agent: AgentId) {
        if let Some(ready) = self.ready.remove(&agent) {
            self.turns.remove(&ready.turn);
        }
    }

    // ---- offers ----

    fn reserved(&mut self, agent: AgentId, offer: OfferId, device: Device, automatic: Option<bool>, out: &mut Vec<Action>) {
        let asked = self.asked.remove(&offer);
        let caller = asked.and_then(|(call, _)| self.callers.get(&call)).filter(|caller| caller.offers.contains_key(&offer));
        let Some(Ticket { call, wait, .. }) = caller.map(|caller| &caller.ticket) else {
            out.push(to_agent(agent, agent::Event::Revoke(offer)));
            return;
        };
        let (call, wait) = (*call, *wait);
        let terms = self.setup.terms(automatic);
        out.push(to_call(call, call::Event::Offer(Box::new(Offer { offer, agent, wait, device, terms }))));
    }

    /// Who refused this caller rests; the last agent is waited for (C3, C5).
    fn is_suitable(&self, caller: &Caller, agent: AgentId, now: Millis) -> bool {
        let rested = caller.refused.get(&agent).is_none_or(|at| at + REFUSED_REST <= now);
        // In a ring-all group an agent is asked once for as long as others still ring.
        let new = !caller.offers.values().any(|a| *a == agent);
        rested && new && self.reserved_for(caller, now).is_none_or(|last| last == agent)
    }

    /// The last agent, while the caller waits for them.
    fn reserved_for(&self, caller: &Caller, now: Millis) -> Option<AgentId> {
        let last = caller.ticket.last_agent?;
        let waits = now < caller.queued + self.setup.last_agent_wait;
        // One who is free asks for a caller in a moment, and this is theirs.
        let comes = matches!(self.presence.get(&last), Some(Presence::Occupied | Presence::Free));
        (waits && comes && !caller.refused.contains_key(&last)).then_some(last)
    }

    /// The agent for this caller: the last one who served them, else the first by turn (C3).
    fn choose(&self, caller: &Caller, now: Millis) -> Option<AgentId> {
        if let Some(last) = caller.ticket.last_agent
            && self.ready.contains_key(&last)
            && self.is_suitable(caller, last, now)
        {
            return Some(last);
        }
        let suitable = || self.turns.iter().map(|turn| turn.2).filter(|agent| self.is_suitable(caller, *agent, now));
        // Who refused this caller comes after everybody else, rested or not (C5).
        suitable().find(|agent| !caller.refused.contains_key(agent)).or_else(|| suitable().next())
    }

    fn dispatch(&mut self, out: &mut Vec<Action>, cx: &mut Cx) {
        let mut after: Option<Rank> = None;
        while !self.ready.is_empty() {
            let next = match after {
                None => self.waiting.first(),
                Some(rank) => self.waiting.range((std::ops::Bound::Excluded(rank), std::ops::Bound::Unbounded)).next(),
            };
            let Some(rank) = next.copied() else { return };
            let all = self.setup.strategy == Strategy::RingAll;
            while let Some(agent) = self.callers.get(&rank.3).and_then(|caller| self.choose(caller, cx.now)) {
                self.ask(rank, agent, out, cx);
                if !all {
                    self.waiting.remove(&rank);
                    break;
                }
            }
            after = Some(rank);
        }
    }

    fn ask(&mut self, rank: Rank, agent: AgentId, out: &mut Vec<Action>, cx: &mut Cx) {
        let (call, offer) = (rank.3, OfferId(cx.next_id()));
        let Some(epoch) = self.ready.get(&agent).map(|ready| ready.epoch) else { return };
        self.leave(agent);
        self.round += 1;
        self.last_turn.insert(agent, self.round);
        self.asked.insert(offer, (call, agent));
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.offers.insert(offer, agent);
        }
        let (group, ring) = (self.setup.id, self.setup.ring);
        out.push(to_agent(agent, agent::Event::Reserve { group, epoch, offer, call, ring }));
    }

    /// Gives ready agents to waiting callers and tells a changed queue.
    fn settle(&mut self, out: &mut Vec<Action>, cx: &mut Cx) {
        self.dispatch(out, cx);
        let shown = self.queue();
        if shown != self.shown {
            self.shown = shown;
            out.push(Action::QueueChanged);
        }
    }
}

fn rank(ticket: &Ticket) -> Rank {
    (std::cmp::Reverse(ticket.head), std::cmp::Reverse(ticket.priority), ticket.arrived, ticket.call)
}

fn to_agent(agent: AgentId, event: agent::Event) -> Action {
    Action::Tell(Tell::Agent(agent, event))
}

fn to_call(call: CallId, event: call::Event) -> Action {
    Action::Tell(Tell::Call(call, event))
}
