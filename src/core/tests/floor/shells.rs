//! What the shells do: feed a machine, perform its actions, make a new machine after a panic.

use super::{Cx, Far, Floor, Kept, Letter, Line, Node, SOUND, address_of, cx, names};
use crate::floor::random::Random;
use crate::model::mutations::Mutation;
use crate::model::reference::{AgentSight, CallSight};
use cordboard_core::agent::{self, Agent};
use cordboard_core::call::{self, Call};
use cordboard_core::gate::Gate;
use cordboard_core::gone;
use cordboard_core::group::{self, Group};
use cordboard_core::ids::{Address, AgentId, CallId, GroupId, LegId, TrunkId};
use cordboard_core::leg::{self, Kind, Leg, SignalCommand, SignalEvent};
use cordboard_core::message::{Action, LegPlan, MediaAction, Tell};
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::record::{Entry, What};
use cordboard_core::trunk::{self, Trunk};

fn sight(agent: &Agent) -> AgentSight {
    AgentSight { kind: agent.kind(), held: agent.held_by() }
}

fn call_sight(call: &Call) -> CallSight {
    CallSight {
        kind: call.kind(),
        queue: call.queue(),
        agent: call.agent().map(|(agent, _)| agent),
        wait: call.waits(),
        transferring: call.is_transferring(),
        consulting: call.is_consulting(),
        in_flow: call.is_in_flow(),
        away: call.is_away(),
        customer_called: call.is_customer_called(),
        unanswered: call.is_calling_colleague(),
        agents: call.agents(),
        offered: call.offered(),
    }
}

impl Floor {
    // ---- agents ----

    pub fn agent(&mut self, id: AgentId, event: agent::Event) {
        if let (Some(kept), agent::Event::SocketUp | agent::Event::SocketDown) = (self.kept.get_mut(&id), &event) {
            kept.sockets = event == agent::Event::SocketUp;
            kept.back_at = Some(self.now).filter(|_| kept.sockets);
        }
        let mut cx = cx!(self);
        let Some(machine) = self.agents.get_mut(&id) else {
            self.post_answer(Address::Agent(id), gone::no_agent(id, &event));
            return;
        };
        let before = sight(machine);
        let out = machine.handle(event.clone(), &mut cx);
        let after = sight(machine);
        self.taken.insert(("agent", before.kind, names::of_agent(&event), after.kind));
        self.reference.agent(self.now, machine, &event, &before, &after);
        self.after_agent(id, out);
    }

    pub(crate) fn after_agent(&mut self, id: AgentId, out: Vec<Action>) {
        if let (Some(machine), Some(kept)) = (self.agents.get(&id), self.kept.get_mut(&id)) {
            kept.chosen = machine.chosen().clone();
            kept.peer = machine.peer();
        }
        let mut gone = false;
        for action in out {
            match action {
                Action::Tell(tell) => {
                    self.post_tell(Node::At(Address::Agent(id)), tell);
                }
                Action::AnnounceRestart => self.announce(Address::Agent(id)),
                Action::StateChanged => {
                    let (seen, why, since) = self.agents[&id].seen();
                    self.states.push((id, seen, why.map(Into::into), since));
                }
                Action::ShowOffer(Some(ringing)) => {
                    self.rang.push((id, ringing.call, self.now));
                    self.bars.insert(id, *ringing);
                }
                Action::ShowOffer(None) => {
                    self.bars.remove(&id);
                }
                Action::ClosePeer(peer) => {
                    self.peers.remove(&peer);
                }
                Action::LogOut => self.logged_out.push(id),
                Action::Finished => gone = true,
                Action::PlaceCall(arrival) => self.begin_call(Call::new(*arrival)),
                other => panic!("not an agent's: {other:?}"),
            }
        }
        if gone {
            self.agents.remove(&id);
        }
    }

    pub fn new_agent(&mut self, setup: cordboard_core::setup::AgentSetup) {
        let id = setup.id;
        let kept = self.kept.entry(id).or_insert(Kept { chosen: agent::Chosen::Offline, sockets: false, peer: None, back_at: None });
        let mut before = self.agents.get(&id).map_or(agent::Kept::choice(kept.chosen.clone()), Agent::kept);
        (before.sockets, before.peer) = (kept.sockets, kept.peer);
        let link = (before.sockets, before.peer);
        self.bars.remove(&id);
        let mut cx = cx!(self);
        let (machine, out) = Agent::new(setup, before, &mut cx);
        self.reference.new_agent(self.now, &machine, link);
        self.agents.insert(id, machine);
        self.after_agent(id, out);
    }

    // ---- calls ----

    pub fn call(&mut self, from: Node, id: CallId, event: call::Event) {
        let mut cx = cx!(self);
        let Some(line) = self.calls.get_mut(&id).filter(|line| !line.dead) else {
            if let Node::At(from) = from {
                for answer in gone::undeliverable(id, from, &event) {
                    self.post_tell(Node::At(Address::Call(id)), answer);
                }
            }
            return;
        };
        let before = call_sight(&line.machine);
        let out = line.machine.handle(event.clone(), &mut cx);
        let after = call_sight(&line.machine);
        self.taken.insert(("call", before.kind, names::of_call(&event), after.kind));
        let rings = rings(self.journal.get(&id).map_or(&[], |lines| lines));
        self.reference.call(self.now, &line.machine, &event, rings, &before, &after);
        self.queue_actions(id, out);
    }

    fn queue_actions(&mut self, id: CallId, out: Vec<Action>) {
        let Some(line) = self.calls.get_mut(&id) else { return };
        for action in &out {
            match action {
                Action::Tell(tell) => line.told.insert(address_of(tell)),
                Action::OpenLeg { leg, .. } => line.told.insert(Address::Leg(*leg)),
                _ => false,
            };
        }
        line.ended |= out.iter().any(|action| matches!(action, Action::Journal(What::Ended { .. })));
        line.gate.extend(out);
        self.pump(id);
    }

    /// Performs a call's actions as far as the journal lets them.
    pub(super) fn pump(&mut self, id: CallId) {
        loop {
            let Some(line) = self.calls.get_mut(&id) else { return };
            let Some(action) = line.gate.next_action() else { return };
            let outside = match &action {
                Action::Media(_) | Action::OpenLeg { plan: LegPlan::Trunk { .. }, .. } => true,
                Action::Tell(Tell::Leg(leg, _)) => *leg == line.machine.customer_leg(),
                _ => false,
            };
            if outside && !line.accepted {
                self.reference.wrong(format!("{action:?} of {id:?} before the journal has it"));
            }
            let me = Node::At(Address::Call(id));
            match action {
                Action::Tell(tell) => self.post_tell(me, tell),
                Action::Journal(what) => {
                    if what.is_durable() {
                        if self.mutation == Some(Mutation::JournalNotAwaited) {
                            line.gate.open();
                        }
                        let fails = matches!(what, What::Accepted { .. }) && std::mem::take(&mut self.disk_is_full);
                        self.post(Node::Disk, me, Letter::Appended(id, !fails));
                    }
                    let at = self.wall();
                    self.note(|| format!("    journal {id:?} {what:?}"));
                    self.journal.entry(id).or_default().push(Entry { call: id, at, what });
                }
                Action::OpenLeg { leg, plan } => {
                    let kind = match plan {
                        LegPlan::Browser { agent, peer } => Kind::Browser { agent, peer },
                        LegPlan::Phone { agent, phone, .. } => {
                            self.far.insert(leg, Far::Early);
                            Kind::Phone { agent, phone }
                        }
                        LegPlan::Trunk { agent, trunk, host, caller, called, .. } => {
                            self.called.push(host);
                            self.dialled.push((caller, called));
                            self.far.insert(leg, Far::Early);
                            Kind::Trunk { trunk, agent }
                        }
                    };
                    let (machine, out) = Leg::open(leg, id, kind);
                    self.legs.insert(leg, machine);
                    self.after_leg(leg, id, out);
                }
                Action::Media(action) => self.media(id, action),
                Action::ShowSession { agent, session } => {
                    self.sessions.insert((agent, id), session);
                }
                Action::Finished => {
                    self.taken.insert(("call", "Over", "-", "finished"));
                    let line = self.calls.remove(&id).expect("a line finishes once");
                    for address in line.told {
                        if let Some(tell) = gone::farewell(id, address) {
                            self.post_tell(me, tell);
                        }
                    }
                    return;
                }
                other => panic!("not a call's: {other:?}"),
            }
        }
    }

    fn media(&mut self, call: CallId, action: MediaAction) {
        match action {
            MediaAction::Hear { leg, source } => {
                self.sounds.retain(|_, (_, playing_on, _)| *playing_on != leg);
                if self.legs.contains_key(&leg) {
                    self.hears.insert(leg, source);
                }
            }
            MediaAction::Play { leg, sounds, token } => {
                if self.plays(leg) {
                    self.reference.wrong(format!("{sounds:?} cuts off what still plays on {leg:?}"));
                }
                self.played.push((leg, sounds.join(" ")));
                self.posted += 1;
                self.sounds.insert((self.now + SOUND, self.posted), (call, leg, token));
            }
            MediaAction::Digit { leg, digit, in_band } => {
                self.digits.push((self.now, leg, digit, if in_band { "in band" } else { "event" }))
            }
            MediaAction::Record { .. } => {
                self.recording.insert(call);
            }
            MediaAction::PauseRecording(paused) => {
                if !self.recording.contains(&call) {
                    self.reference.wrong(format!("{call:?} is not recorded, and its pause is {paused}"));
                }
                if paused {
                    self.unrecorded.insert(call)
                } else {
                    self.unrecorded.remove(&call)
                };
            }
            MediaAction::StopRecording => {
                self.recording.remove(&call);
                self.unrecorded.remove(&call);
            }
        }
    }

    pub fn begin_call(&mut self, machine: Call) {
        let id = machine.id();
        self.reference.new_call(self.now, &machine);
        let known_to = machine.arrival().known_to();
        let line = Line { machine, told: [known_to].into(), gate: Gate::default(), accepted: false, ended: false, dead: false, stalled: 0 };
        self.calls.insert(id, line);
        self.call(Node::Media, id, call::Event::Begin);
    }

    // ---- groups and trunks ----

    pub fn group(&mut self, id: GroupId, event: group::Event) {
        let mut cx = cx!(self);
        let Some(machine) = self.groups.get_mut(&id) else { return };
        let before: Vec<(CallId, &'static str)> = self.calls.keys().map(|call| (*call, machine.kind(*call))).collect();
        let out = machine.handle(event.clone(), &mut cx);
        for (call, kind) in before {
            self.taken.insert(("group", kind, names::of_group(&event), machine.kind(call)));
        }
        self.reference.group(self.now, id, &event);
        self.after_group(id, out);
    }

    fn after_group(&mut self, id: GroupId, out: Vec<Action>) {
        for action in out {
            match action {
                Action::Tell(tell) => {
                    if let Tell::Agent(agent, agent::Event::Reserve { call, .. }) = &tell {
                        self.reference.asked(self.now, *agent, *call);
                    }
                    self.post_tell(Node::At(Address::Group(id)), tell);
                }
                Action::AnnounceRestart => self.announce(Address::Group(id)),
                Action::QueueChanged => {}
                other => panic!("not a group's: {other:?}"),
            }
        }
    }

    pub fn new_group(&mut self, setup: cordboard_core::setup::GroupSetup) {
        let id = setup.id;
        self.reference.new_group(&setup);
        let (machine, out) = Group::new(setup, &cx!(self));
        self.groups.insert(id, machine);
        self.after_group(id, out);
    }

    pub fn trunk(&mut self, id: TrunkId, event: trunk::Event) {
        let mut cx = cx!(self);
        let Some(machine) = self.trunks.get_mut(&id) else {
            self.post_answer(Address::Trunk(id), gone::no_trunk(&event));
            return;
        };
        let out = machine.handle(event, &mut cx);
        self.after_trunk(id, out);
    }

    fn after_trunk(&mut self, id: TrunkId, out: Vec<Action>) {
        for action in out {
            match action {
                Action::Tell(tell) => self.post_tell(Node::At(Address::Trunk(id)), tell),
                Action::AnnounceRestart => self.announce(Address::Trunk(id)),
                Action::Probe { .. } => {}
                Action::Finished => drop(self.trunks.remove(&id)),
                other => panic!("not a trunk's: {other:?}"),
            }
        }
    }

    fn post_answer(&mut self, from: Address, answer: Option<Tell>) {
        if let Some(tell) = answer {
            self.post_tell(Node::At(from), tell);
        }
    }

    pub fn new_trunk(&mut self, setup: cordboard_core::setup::TrunkSetup) {
        let id = setup.id;
        let (machine, out) = Trunk::new(setup, &cx!(self));
        self.trunks.insert(id, machine);
        self.after_trunk(id, out);
    }

    fn announce(&mut self, who: Address) {
        let event = match who {
            Address::Agent(id) => call::Event::AgentRestarted(id),
            Address::Group(id) => call::Event::GroupRestarted(id),
            Address::Trunk(id) => call::Event::TrunkRestarted(id),
            Address::Call(_) | Address::Leg(_) => return,
        };
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        for call in calls {
            self.post_tell(Node::At(who), Tell::Call(call, event.clone()));
        }
        if let Address::Group(id) = who {
            let agents: Vec<AgentId> = self.agents.keys().copied().collect();
            for agent in agents {
                self.post_tell(Node::At(who), Tell::Agent(agent, agent::Event::GroupRestarted(id)));
            }
        }
    }

    // ---- legs ----

    pub fn leg(&mut self, id: LegId, input: leg::Input) {
        let mut cx = cx!(self);
        let Some(machine) = self.legs.get_mut(&id) else { return };
        let (before, call) = (machine.state(), machine.call);
        let name = names::of_leg(&input);
        let out = machine.handle(input, &mut cx);
        self.taken.insert(("leg", before, name, machine.state()));
        if machine.is_closed() {
            self.legs.remove(&id);
            self.hears.remove(&id);
        }
        self.after_leg(id, call, out);
    }

    fn after_leg(&mut self, id: LegId, call: CallId, out: Vec<leg::Output>) {
        let me = Node::At(Address::Leg(id));
        for output in out {
            match output {
                leg::Output::Signal(command) => self.post(me, Node::Far(id), Letter::Far(id, command)),
                leg::Output::Attach(peer) => self.post(me, Node::Media, Letter::Attach(id, peer)),
                leg::Output::Detach => {
                    self.hears.remove(&id);
                }
                leg::Output::Tell(event) => self.post_tell(me, Tell::Call(call, call::Event::Leg(id, event))),
            }
        }
    }

    /// The far end's answer to what the switch signals.
    pub(super) fn far_hears(&mut self, id: LegId, command: SignalCommand) {
        if let SignalCommand::Digit(digit) = command {
            return self.digits.push((self.now, id, digit, "info"));
        }
        self.signalled.push((id, command.clone()));
        let Some(far) = self.far.get_mut(&id) else { return };
        match (command, *far) {
            (SignalCommand::Answer, Far::Early) => {
                *far = Far::Up;
                self.far_says(id, SignalEvent::Up);
            }
            (SignalCommand::Reject { .. } | SignalCommand::HangUp { .. }, Far::Early | Far::Up) => {
                *far = Far::Closed;
                self.far_says(id, SignalEvent::Closed);
            }
            (SignalCommand::Ring | SignalCommand::Progress | SignalCommand::Answer | SignalCommand::Digit(_), _) | (_, Far::Closed) => {}
        }
    }

    pub(super) fn far_says(&mut self, id: LegId, event: SignalEvent) {
        self.post(Node::Far(id), Node::At(Address::Leg(id)), Letter::Leg(id, leg::Input::Signal(event)));
    }

    // ---- time and panics ----

    pub(super) fn tick(&mut self, address: Address) {
        self.note(|| format!("tick {address:?}"));
        let mut cx = cx!(self);
        match address {
            Address::Agent(id) => {
                let Some(machine) = self.agents.get_mut(&id) else { return };
                let before = sight(machine);
                let out = machine.tick(&mut cx);
                let after = sight(machine);
                self.taken.insert(("agent", before.kind, "tick", after.kind));
                self.reference.agent_tick(self.now, machine, &before, &after);
                self.after_agent(id, out);
            }
            Address::Call(id) => {
                let Some(line) = self.calls.get_mut(&id) else { return };
                let before = call_sight(&line.machine);
                let out = line.machine.tick(&mut cx);
                let after = call_sight(&line.machine);
                self.taken.insert(("call", before.kind, "tick", after.kind));
                self.reference.call_tick(id, &before, &after);
                self.queue_actions(id, out);
            }
            Address::Group(id) => {
                let Some(machine) = self.groups.get_mut(&id) else { return };
                let before: Vec<(CallId, &'static str)> = self.calls.keys().map(|call| (*call, machine.kind(*call))).collect();
                let out = machine.tick(&mut cx);
                for (call, kind) in before {
                    self.taken.insert(("group", kind, "tick", machine.kind(call)));
                }
                self.after_group(id, out);
            }
            Address::Trunk(id) => {
                let Some(machine) = self.trunks.get_mut(&id) else { return };
                let out = machine.tick(&mut cx);
                self.after_trunk(id, out);
            }
            Address::Leg(_) => {}
        }
        if self.deadlines().any(|(who, at)| who == address && at <= self.now) {
            self.reference.wrong(format!("{address:?} has a deadline that its tick does not serve"));
            self.reference.stuck = true;
        }
    }

    /// The machine panics; with `over`, while it handled a message, which is lost.
    pub fn panic(&mut self, who: Address, over: Option<&mut Random>) {
        self.note(|| format!("PANIC {who:?}"));
        if let Some(random) = over {
            self.lose_one(who, random);
        }
        match who {
            Address::Agent(id) => {
                if let Some(machine) = self.agents.get(&id) {
                    self.new_agent(machine.setup.clone());
                }
            }
            Address::Group(id) => {
                if let Some(machine) = self.groups.get(&id) {
                    self.new_group(machine.setup.clone());
                }
            }
            Address::Trunk(id) => {
                if let Some(machine) = self.trunks.get(&id) {
                    self.new_trunk(machine.setup.clone());
                }
            }
            Address::Call(id) => {
                let Some(line) = self.calls.get_mut(&id).filter(|line| !line.dead) else { return };
                line.dead = true;
                line.stalled = 0;
                self.reference.call_panicked(line.machine.id(), line.machine.is_over());
                let mut last = vec![Action::Media(MediaAction::StopRecording)];
                if !line.ended {
                    last.push(Action::Journal(What::Ended { status: CallStatus::Interrupted, by: HungUpBy::Switch }));
                }
                last.push(Action::Finished);
                line.gate.extend(last);
                self.pump(id);
            }
            Address::Leg(id) => {
                let Some(leg) = self.legs.remove(&id) else { return };
                self.hears.remove(&id);
                // The shell's last act: a BYE.
                self.far.insert(id, Far::Closed);
                self.post_tell(Node::At(who), Tell::Call(leg.call, call::Event::LegGone(id)));
            }
        }
    }
}

/// Whether somebody rings for the call, by its journal.
fn rings(lines: &[Entry]) -> bool {
    let mut ringing = 0;
    for line in lines {
        match line.what {
            What::Ringing { .. } => ringing += 1,
            What::RingEnded { .. } => ringing -= 1,
            What::Connected { .. } | What::ConsultEnded { .. } | What::ConsultTookOver { .. } => ringing = 0,
            _ => {}
        }
    }
    ringing > 0
}
