//! A small model of "what must hold", kept apart from the machines: it follows what people and machines did and says what is wrong.

mod checks;
mod internal;

use crate::floor::EPOCH;
use cordboard_core::agent::{self, Agent, Chosen, Departure, GRACE, LEASE_MARGIN, REST, TAKE_OVER};
use cordboard_core::call::{self, Call, Command, Way};
use cordboard_core::cx::Millis;
use cordboard_core::group::{self, Limit, REFUSED_REST};
use cordboard_core::ids::{AgentId, CallId, GroupId, LegId, OfferId, PeerId};
use cordboard_core::leg;
use cordboard_core::message::{Device, OfferEnd, Withdrawal};
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::setup::{AgentSetup, DeviceSetup, GroupSetup, Strategy, WrapUp};
use cordboard_core::trunk;
use std::collections::{BTreeMap, BTreeSet};

pub struct AgentSight {
    pub kind: &'static str,
    pub held: Option<(CallId, Option<OfferId>)>,
}

pub struct CallSight {
    pub kind: &'static str,
    pub queue: Option<GroupId>,
    pub agent: Option<AgentId>,
    pub wait: u32,
    pub transferring: bool,
    pub consulting: bool,
    pub in_flow: bool,
    /// The agent is out of reach, as the call knows.
    pub away: bool,
    /// The customer's leg of a call out was opened.
    pub customer_called: bool,
    /// A colleague is called and has not come yet.
    pub unanswered: bool,
    pub agents: Vec<(AgentId, LegId)>,
    pub offered: Vec<(OfferId, AgentId)>,
}

struct Person {
    phone: bool,
    /// Offers ring the mobile (C7); calls out begin there (E2).
    answering: bool,
    outbound: bool,
    /// What rings next, or has the call, needs no page.
    pageless: bool,
    groups: Vec<GroupId>,
    chosen: Chosen,
    departing: Option<Departure>,
    sockets: bool,
    peer: Option<PeerId>,
    away_since: Option<Millis>,
    rests_until: Millis,
    take_over: Option<Millis>,
    misses: u32,
    /// After-call work and when it is over, if by itself.
    wrap_up: Option<Option<Millis>>,
    lease: Option<(OfferId, Millis)>,
    /// The lease was given to a call, not to a group: busy agents give such ones too (C4).
    direct: bool,
    rings_since: Option<Millis>,
    /// The call for which this agent's page rings.
    rings_for: Option<CallId>,
}

impl Person {
    fn is_reachable(&self) -> bool {
        self.pageless || (self.sockets && self.peer.is_some())
    }

    /// Whether a group may ring this agent; with `direct`, a call that is transferred to them.
    fn may_ring(&self, direct: bool, now: Millis) -> bool {
        (self.chosen == Chosen::Available || direct && matches!(self.chosen, Chosen::Busy(_)))
            && self.is_reachable()
            && self.rests_until <= now
            && self.wrap_up.is_none()
    }

    fn stays(&mut self) {
        self.departing = self.departing.filter(|departure| *departure != Departure::LogOut);
    }

    fn is_available(&self, now: Millis) -> bool {
        self.may_ring(false, now)
    }
}

struct Caller {
    group: Option<GroupId>,
    since: Millis,
    head: bool,
    last_agent: Option<AgentId>,
    held: bool,
    muted: bool,
    /// The agent paused the recording.
    unrecorded: bool,
    away: bool,
    /// In self-service (D6).
    served: bool,
    segments: Vec<CallStatus>,
    limit: CallStatus,
    taken_in: bool,
    /// There was a consultation: its records stand between the others.
    consulted: bool,
    /// Where agents are sought for the call now.
    seeks: Option<GroupId>,
    wait: u32,
    /// When the transfer that is under way was asked for.
    asked: Millis,
    /// Who transferred the caller, from where, until somebody takes them.
    transferred: Option<(GroupId, AgentId)>,
    /// Of an internal call: who holds, is silent or away.
    internal: internal::Internal,
    ended: Option<(CallStatus, HungUpBy)>,
}

#[derive(Default)]
pub struct Reference {
    people: BTreeMap<AgentId, Person>,
    callers: BTreeMap<CallId, Caller>,
    groups: BTreeMap<GroupId, GroupSetup>,
    /// Who missed or declined whom, when they did and when the group heard of it.
    refused: BTreeMap<(CallId, AgentId), (Millis, Millis)>,
    /// Who declined which offer.
    declined: BTreeMap<OfferId, AgentId>,
    /// Offers that a call panicked over; only the lease frees their agents.
    pub lost_offers: BTreeSet<OfferId>,
    pub violations: Vec<String>,
    /// A timer would spin for ever.
    pub stuck: bool,
}

impl Reference {
    pub fn wrong(&mut self, what: String) {
        if self.violations.len() < 20 {
            self.violations.push(what);
        }
    }

    // ---- agents ----

    pub fn new_agent(&mut self, now: Millis, machine: &Agent, link: (bool, Option<PeerId>)) {
        let old = self.people.remove(&machine.setup.id);
        let (misses, rests_until, wrap_up) = old.as_ref().map_or((0, 0, None), |old| (old.misses, old.rests_until, old.wrap_up));
        let person = Person {
            phone: machine.setup.device != DeviceSetup::Browser,
            answering: machine.setup.mobile.as_ref().is_some_and(|mobile| mobile.answering),
            outbound: machine.setup.mobile.as_ref().is_some_and(|mobile| mobile.outbound),
            pageless: false,
            groups: machine.setup.groups.iter().map(|m| m.group).collect(),
            departing: None,
            chosen: old.map_or(Chosen::Offline, |old| old.chosen),
            sockets: link.0,
            peer: link.1,
            away_since: None,
            rests_until,
            take_over: None,
            misses,
            wrap_up,
            lease: None,
            direct: false,
            rings_since: None,
            rings_for: None,
        };
        self.people.insert(machine.setup.id, person);
        self.after_agent(now, machine, &AgentSight { kind: machine.kind(), held: None }, &AgentSight { kind: machine.kind(), held: None });
    }

    pub fn moved(&mut self, setup: &AgentSetup) {
        if let Some(person) = self.people.get_mut(&setup.id) {
            person.groups = setup.groups.iter().map(|m| m.group).collect();
            person.answering = setup.mobile.as_ref().is_some_and(|mobile| mobile.answering);
            person.outbound = setup.mobile.as_ref().is_some_and(|mobile| mobile.outbound);
        }
    }

    pub fn agent(&mut self, now: Millis, machine: &Agent, event: &agent::Event, before: &AgentSight, after: &AgentSight) {
        let id = machine.setup.id;
        let Some(person) = self.people.get_mut(&id) else { return };
        let held_offer = before.held.and_then(|(_, offer)| offer);
        match event {
            agent::Event::SetState(chosen) => {
                person.chosen = chosen.clone();
                (person.misses, person.rests_until) = (0, 0);
                person.stays();
            }
            agent::Event::Depart { departure, .. } => (person.departing, person.wrap_up) = (Some(*departure), None),
            agent::Event::Stay => person.stays(),
            agent::Event::SocketUp => person.sockets = true,
            agent::Event::SocketDown => person.sockets = false,
            agent::Event::PeerUp(peer) => (person.peer, person.take_over) = (Some(*peer), None),
            agent::Event::PeerLost(peer) if person.peer == Some(*peer) => (person.peer, person.take_over) = (None, None),
            agent::Event::TakenOver => person.take_over = person.peer.map(|_| now + TAKE_OVER),
            agent::Event::Reserve { offer, ring, .. } if after.held.and_then(|(_, offer)| offer) == Some(*offer) => {
                (person.lease, person.direct) = (Some((*offer, now + ring + LEASE_MARGIN)), false);
            }
            agent::Event::ReserveDirect { offer, ring, .. } if after.held.and_then(|(_, offer)| offer) == Some(*offer) => {
                (person.lease, person.direct) = (Some((*offer, now + ring + LEASE_MARGIN)), true);
            }
            agent::Event::Decline(offer) if before.kind == "Ringing" && held_offer == Some(*offer) => {
                person.misses = 0;
                self.refused.extend(before.held.map(|(call, _)| ((call, id), (now, Millis::MAX))));
                self.declined.insert(*offer, id);
            }
            agent::Event::Withdraw { offer, why, call } if held_offer == Some(*offer) => match why {
                Withdrawal::NotNeeded => {}
                Withdrawal::RingTimeout { misses } => {
                    person.misses += u32::from(*misses > 0);
                    if *misses > 0 && person.misses >= *misses && person.chosen == Chosen::Available {
                        person.misses = 0;
                        person.chosen = Chosen::Busy(None);
                    }
                    self.refused.insert((*call, id), (now, Millis::MAX));
                }
                Withdrawal::DeviceFailed(_) => {
                    person.rests_until = now + REST;
                    self.refused.insert((*call, id), (now, Millis::MAX));
                }
            },
            agent::Event::Won { offer, .. } if held_offer == Some(*offer) => person.misses = 0,
            agent::Event::CallOver { call, wrap_up, device_failed } if before.held == Some((*call, None)) => {
                if device_failed.is_some() {
                    person.rests_until = now + REST;
                }
                person.wrap_up = match wrap_up.filter(|_| person.departing.is_none()) {
                    Some(WrapUp::Millis(total)) if total > 0 => Some(Some(now + total)),
                    Some(WrapUp::Manual) => Some(None),
                    Some(WrapUp::Off | WrapUp::Millis(_)) | None => None,
                };
            }
            agent::Event::Dial(_) if after.kind == "InCall" && before.kind != "InCall" => {
                person.pageless = person.phone || person.outbound;
                if person.chosen == Chosen::Offline || !person.is_reachable() || !matches!(before.kind, "Free" | "WrapUp") {
                    self.violations.push(format!("{id:?} dials while {}", before.kind));
                }
                person.wrap_up = None;
            }
            agent::Event::EndWrapUp => person.wrap_up = None,
            agent::Event::ContinueWrapUp => person.wrap_up = person.wrap_up.map(|_| None),
            agent::Event::Reclaim { device, .. } if before.kind != "InCall" && after.kind == "InCall" => {
                (person.pageless, person.wrap_up) = (*device != Device::Browser, None);
            }
            _ => {}
        }
        self.after_agent(now, machine, before, after);
    }

    pub fn agent_tick(&mut self, now: Millis, machine: &Agent, before: &AgentSight, after: &AgentSight) {
        let Some(person) = self.people.get_mut(&machine.setup.id) else { return };
        if person.take_over.is_some_and(|at| at <= now) {
            (person.take_over, person.peer) = (None, None);
        }
        if person.wrap_up.flatten().is_some_and(|at| at <= now) {
            person.wrap_up = None;
        }
        if person.away_since.is_some_and(|since| since + GRACE <= now) {
            person.chosen = Chosen::Offline;
            person.wrap_up = None;
        }
        self.after_agent(now, machine, before, after);
    }

    fn after_agent(&mut self, now: Millis, machine: &Agent, before: &AgentSight, after: &AgentSight) {
        let id = machine.setup.id;
        let mut wrong = Vec::new();
        let Some(person) = self.people.get_mut(&id) else { return };
        if after.kind == "Free" && person.departing.take().is_some() {
            (person.chosen, person.misses, person.rests_until) = (Chosen::Offline, 0, 0);
        }
        if machine.seen().0 == agent::Seen::Offline {
            person.peer = machine.peer();
        }
        // The mobile's switches hold from the next call on.
        if matches!(after.kind, "Free" | "WrapUp") {
            person.pageless = person.phone || person.answering;
        }
        if person.is_reachable() || (person.chosen == Chosen::Offline && after.kind == "Free") {
            person.away_since = None;
        } else {
            person.away_since.get_or_insert(now);
        }
        if (after.kind == "WrapUp") != person.wrap_up.is_some() {
            wrong.push(format!("{id:?}: after-call work is {:?}, the machine says {}", person.wrap_up, after.kind));
        }
        let taken = after.held.is_some() && before.held != after.held && after.kind != "InCall";
        let rung = before.kind != "Ringing" && after.kind == "Ringing";
        if (taken || rung) && !person.may_ring(person.direct, now) {
            wrong.push(format!("{id:?} is offered a call while not available"));
        }
        if after.held.and_then(|(_, offer)| offer).is_none() {
            person.lease = None;
        }
        let rings_for = after.held.filter(|_| after.kind == "Ringing" && !person.pageless).map(|(call, _)| call);
        person.rings_for = rings_for;
        person.rings_since = if after.kind == "Ringing" { person.rings_since.or(Some(now)) } else { None };
        if std::mem::discriminant(machine.chosen()) != std::mem::discriminant(&person.chosen) {
            wrong.push(format!("{id:?} chose {:?}, the machine says {:?}", person.chosen, machine.chosen()));
        }
        if let Some(call) = rings_for.filter(|_| rung) {
            let all = self
                .callers
                .get(&call)
                .and_then(|caller| self.groups.get(&caller.seeks.or(caller.group)?))
                .is_some_and(|g| g.strategy == Strategy::RingAll);
            let others = self.people.iter().filter(|(other, person)| **other != id && person.rings_for == Some(call));
            wrong.extend(others.filter(|_| !all).map(|(other, _)| format!("{other:?} and {id:?} both ring for {call:?}")));
        }
        for what in wrong {
            self.wrong(what);
        }
    }

    // ---- groups ----

    pub fn new_group(&mut self, setup: &GroupSetup) {
        self.groups.insert(setup.id, setup.clone());
    }

    pub fn group(&mut self, now: Millis, id: GroupId, event: &group::Event) {
        match event {
            group::Event::OfferOver { call, agent, how: OfferEnd::Refused, .. } => {
                self.refused.entry((*call, *agent)).or_insert((now, now)).1 = now;
            }
            // A new machine learns of earlier refusals from the ticket.
            group::Event::Enqueue(ticket) if self.callers.get(&ticket.call).is_some_and(|caller| caller.wait == ticket.wait) => {
                for (agent, at) in &ticket.refused {
                    let at = u64::try_from(*at - EPOCH).expect("after the floor opened");
                    let known = self.refused.entry((ticket.call, *agent)).or_insert((at, at));
                    known.1 = if known.1 == Millis::MAX { at } else { known.1.max(at) };
                }
            }
            // What was refused in the queue that the caller stands in now goes on.
            group::Event::Left(call) | group::Event::CallGone(call)
                if self.callers.get(call).is_none_or(|caller| caller.ended.is_some() || caller.group == Some(id)) =>
            {
                self.refused.retain(|(who, _), _| who != call);
            }
            _ => {}
        }
    }

    /// A group asks for an agent.
    pub fn asked(&mut self, now: Millis, agent: AgentId, call: CallId) {
        if self.refused.get(&(call, agent)).is_some_and(|(at, _)| now < at + REFUSED_REST) {
            self.wrong(format!("{agent:?} refused {call:?} and is offered it again at once"));
        }
    }

    // ---- calls ----

    pub fn new_call(&mut self, now: Millis, machine: &Call) {
        let caller = Caller {
            group: None,
            since: now,
            head: false,
            last_agent: machine.arrival().route().and_then(|route| route.last_agent),
            held: false,
            muted: false,
            unrecorded: false,
            away: false,
            served: false,
            segments: Vec::new(),
            limit: CallStatus::NormalEnd,
            taken_in: false,
            consulted: false,
            seeks: None,
            wait: 0,
            asked: 0,
            transferred: None,
            internal: internal::Internal::default(),
            ended: None,
        };
        self.callers.insert(machine.id(), caller);
    }

    pub fn call(&mut self, now: Millis, machine: &Call, event: &call::Event, rings: bool, before: &CallSight, after: &CallSight) {
        let id = machine.id();
        let Some(caller) = self.callers.get_mut(&id) else { return };
        if let call::Event::TurnedAway { limit, group, .. } = event
            && before.queue == Some(*group)
        {
            if *limit == Limit::QueueFull && caller.taken_in && after.queue != before.queue {
                self.violations.push(format!("{id:?} is sent away from a queue that took it in"));
            }
            caller.limit = match limit {
                Limit::NoAgentOnline => CallStatus::NoAgentOnline,
                Limit::QueueFull => CallStatus::QueueFull,
                Limit::QueueTimeout => CallStatus::QueueTimeout,
            };
        }
        // A decline that crossed a new wait is no refusal in that one.
        if let call::Event::Declined { offer } = event
            && !before.offered.iter().any(|(known, _)| known == offer)
            && let Some(agent) = self.declined.remove(offer)
        {
            self.refused.remove(&(id, agent));
        }
        match (before.kind, after.kind, event) {
            ("Talking", "Talking", call::Event::Command { agent, command }) if before.agent == Some(*agent) => match command {
                Command::Hold => caller.held |= !before.consulting && !caller.served,
                Command::Resume => caller.held &= before.consulting || caller.served,
                Command::Mute => caller.muted = true,
                Command::Unmute => caller.muted = false,
                Command::PauseRecording => caller.unrecorded = true,
                Command::ResumeRecording => caller.unrecorded = false,
                Command::StartFlow(..) => caller.served |= !before.consulting && !before.transferring,
                Command::EndFlow => caller.served = false,
                Command::Consult(_)
                | Command::Swap
                | Command::Conference
                | Command::Complete
                | Command::EndConsult
                | Command::HangUp
                | Command::Transfer(_)
                | Command::Digits(_) => {}
            },
            ("Talking", "Talking", call::Event::Leg(leg, leg::Event::Held(held)))
                if machine.agent().is_some_and(|(_, own)| own == *leg) =>
            {
                let elsewhere = before.consulting || caller.served;
                caller.held = if *held { caller.held || !elsewhere } else { caller.held && elsewhere };
            }
            ("Queueing" | "Talking", "Queueing" | "Talking", call::Event::Queued { group, .. }) if before.queue == Some(*group) => {
                caller.taken_in = true
            }
            ("Dialling" | "Joining" | "Talking", _, call::Event::AgentAway { agent }) if before.agent == Some(*agent) => caller.away = true,
            ("Dialling" | "Joining" | "Talking", _, call::Event::AgentBack { agent, .. }) if before.agent == Some(*agent) => {
                caller.away = false
            }
            _ => {}
        }
        // A flow ends by itself only over a key, a sound or a time in it.
        let moves = matches!(event, call::Event::Played { .. } | call::Event::Leg(_, leg::Event::Digit(_)));
        let ended = before.in_flow && !after.in_flow && (moves || after.kind != "Talking");
        caller.served &= after.kind == "Talking" && !ended;
        if caller.served != after.in_flow {
            self.violations.push(format!("{id:?} is in self-service: {}, the machine says {}", caller.served, after.in_flow));
        }
        caller.unrecorded &= after.kind == "Talking";
        caller.internal.hears(machine, event, before);
        caller.consulted |= after.consulting;
        (caller.seeks, caller.wait) = (after.queue, after.wait);
        if before.kind == "Talking" && after.kind == "Talking" && before.agent != after.agent {
            (caller.held, caller.muted, caller.away) = (false, false, after.away);
            caller.unrecorded = false;
            caller.group = machine.group();
        }
        if after.consulting && !before.consulting {
            (caller.held, caller.head, caller.since, caller.taken_in) = (false, false, now, false);
        }
        if (after.transferring || after.consulting) && !(before.transferring || before.consulting) {
            caller.asked = now;
            // The queue it is to join asks by its own rules, even before the caller stands there.
            self.refused.retain(|(call, _), _| *call != id);
        }
        if matches!(after.kind, "Joining" | "Talking") {
            caller.transferred = None;
        }
        if after.kind == "Joining" && before.kind != "Joining" || after.kind == "Talking" && matches!(before.kind, "Queueing") {
            (caller.held, caller.muted, caller.away) = (false, false, false);
        }
        if after.kind == "Queueing" && (before.kind != "Queueing" || before.wait != after.wait) {
            // A new wait: who refused before may be asked again, who transfers the caller only after a rest (D4).
            self.refused.retain(|(call, _), _| *call != id);
            let (came_from, from) = (caller.group, before.agent);
            (caller.head, caller.since) = (matches!(before.kind, "Joining" | "Talking"), now);
            match (before.kind, event) {
                ("Talking", call::Event::Queued { .. } | call::Event::Reserved { .. }) => {
                    caller.segments.push(CallStatus::AgentTransfer);
                    (caller.head, caller.since) = (false, caller.asked);
                    caller.transferred = came_from.zip(from);
                    self.refused.extend(from.map(|agent| ((id, agent), (caller.asked, caller.asked))));
                }
                ("Talking", _) => caller.segments.push(CallStatus::AgentLost),
                ("Queueing", _) => {
                    caller.segments.push(CallStatus::Overflow);
                    if let Some((group, agent)) = caller.transferred.take() {
                        caller.head = true;
                        self.refused.insert((id, agent), (now, now));
                        if after.queue != Some(group) {
                            self.violations.push(format!("{id:?} comes back to {:?}, it came from {group:?}", after.queue));
                        }
                    }
                }
                _ => {}
            }
            // A caller who rings one agent only stays the group's that they came from.
            (caller.group, caller.taken_in) = (after.queue.or(came_from), matches!(event, call::Event::Queued { .. }));
        }
        if after.kind == "Over" && before.kind != "Over" {
            let internal = before.kind == "Aside" && machine.arrival().colleagues().is_some();
            let internal = internal.then(|| caller.internal.end(event, before, machine));
            caller.ended = Some(internal.unwrap_or_else(|| end_of(event, machine, rings, before, caller.limit)));
        }
        if before.kind == "Dialling" && after.kind == "Talking" {
            caller.group = machine.group();
        }
    }

    /// It rang for long enough.
    pub fn call_tick(&mut self, id: CallId, before: &CallSight, after: &CallSight) {
        let Some(caller) = self.callers.get_mut(&id) else { return };
        caller.served &= after.in_flow;
        caller.internal.rang_out(before);
        if before.kind == "Dialling" && after.kind == "Over" {
            let status = if before.customer_called { CallStatus::Missed } else { CallStatus::AgentLost };
            caller.ended = Some((status, HungUpBy::Switch));
        }
        // A colleague's mobile that rang in vain (E3).
        if before.kind == "Aside" && after.kind == "Over" {
            caller.ended = Some((CallStatus::Missed, HungUpBy::Switch));
        }
    }

    pub fn call_panicked(&mut self, call: CallId, was_over: bool) {
        if let Some(caller) = self.callers.get_mut(&call)
            && !was_over
        {
            caller.ended = Some((CallStatus::Interrupted, HungUpBy::Switch));
        }
    }
}

/// What an unanswered call out is called, from what a leg said (G3); the model's customers refuse with these statuses.
fn end_of_dialling(customer: bool, event: &leg::Event) -> (CallStatus, HungUpBy) {
    match (customer, event) {
        (true, leg::Event::Failed(why)) => match why.status {
            486 => (CallStatus::InCall, HungUpBy::Customer),
            603 => (CallStatus::Rejected, HungUpBy::Customer),
            404 => (CallStatus::EmptyNumber, HungUpBy::Switch),
            _ => (CallStatus::CarrierException, HungUpBy::Switch),
        },
        (true, _) => (CallStatus::CarrierException, HungUpBy::Switch),
        (false, leg::Event::HungUp) => (CallStatus::CallerCancelled, HungUpBy::Agent),
        (false, _) => (CallStatus::AgentLost, HungUpBy::Switch),
    }
}

/// What a call's end is called, from what ended it (G2, C9).
fn end_of(event: &call::Event, machine: &Call, rings: bool, before: &CallSight, limit: CallStatus) -> (CallStatus, HungUpBy) {
    match event {
        call::Event::Begin if before.kind == "Claiming" => (CallStatus::Blocklist, HungUpBy::Switch),
        // Their mobile cannot be called: there is no number to show it (E2).
        call::Event::Begin if matches!(&machine.arrival().way, Way::Out(departure) if departure.permitted) => {
            (CallStatus::AgentLost, HungUpBy::Switch)
        }
        call::Event::Begin => (CallStatus::NotPermitted, HungUpBy::Switch),
        // The agent's own mobile could not be called (E2).
        call::Event::ChannelRefused { leg, .. } if *leg != machine.customer_leg() => (CallStatus::AgentLost, HungUpBy::Switch),
        call::Event::ChannelRefused { refusal: trunk::Refusal::Full, .. } => (CallStatus::TrunkFull, HungUpBy::Switch),
        call::Event::ChannelRefused { refusal: trunk::Refusal::Barred, .. } => (CallStatus::NotPermitted, HungUpBy::Switch),
        call::Event::ChannelGranted { .. } => (CallStatus::UnknownNumber, HungUpBy::Switch),
        call::Event::AgentLost { .. } => (CallStatus::AgentLost, HungUpBy::Switch),
        call::Event::Leg(..) if before.kind == "Aside" => (CallStatus::NormalEnd, HungUpBy::Agent),
        call::Event::Leg(leg, _) if before.kind == "Bridged" && *leg != machine.customer_leg() => (CallStatus::NormalEnd, HungUpBy::Agent),
        call::Event::Command { .. } if before.kind == "Dialling" => (CallStatus::CallerCancelled, HungUpBy::Agent),
        call::Event::Leg(leg, event) if before.kind == "Dialling" => end_of_dialling(*leg == machine.customer_leg(), event),
        call::Event::TurnedAway { .. } | call::Event::Played { .. } => (limit, HungUpBy::Switch),
        call::Event::Command { .. } => (CallStatus::NormalEnd, HungUpBy::Agent),
        call::Event::Leg(leg, leg::Event::HungUp) if *leg != machine.customer_leg() => (CallStatus::NormalEnd, HungUpBy::Agent),
        call::Event::Leg(_, event) => {
            let by = if let leg::Event::Failed(_) = event { HungUpBy::Switch } else { HungUpBy::Customer };
            let status = match before.kind {
                "Queueing" if rings => CallStatus::AbandonedRinging,
                "Claiming" | "Queueing" => CallStatus::AbandonedQueue,
                "Joining" => CallStatus::AbandonedRinging,
                "Leaving" => limit,
                _ => CallStatus::NormalEnd,
            };
            (status, by)
        }
        _ => (CallStatus::Interrupted, HungUpBy::Switch),
    }
}
