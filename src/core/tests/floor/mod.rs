//! A contact centre in virtual time: the machines, their mail, and shells that do what the real ones do.
//!
//! Messages wait in one FIFO per sender and receiver. A story delivers them in the order they were posted; the model test picks any pair at random.

pub mod names;
pub mod random;
mod shells;
pub mod world;

use crate::model::mutations::Mutation;
use crate::model::reference::Reference;
use cordboard_core::agent::{self, Agent, Chosen};
use cordboard_core::call::{self, Call};
use cordboard_core::cx::{CountingIds, Cx, Millis};
use cordboard_core::gate::Gate;
use cordboard_core::group::Group;
use cordboard_core::ids::{Address, AgentId, CallId, GroupId, LegId, OfferId, PeerId, TrunkId};
use cordboard_core::leg::{self, Leg};
use cordboard_core::message::{Ringing, Session, Source, Tell};
use cordboard_core::record::{CallRow, Entry, fold};
use cordboard_core::trunk::Trunk;
use random::Random;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Wall time at virtual zero.
pub const EPOCH: i64 = 1_700_000_000_000;
/// How long every sound lasts.
pub const SOUND: Millis = 1_000;

/// Senders and receivers: the machines, and what is around them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Node {
    At(Address),
    /// The phone or carrier at the other end of a leg.
    Far(LegId),
    Media,
    Disk,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Letter {
    Tell(Tell),
    Leg(LegId, leg::Input),
    Far(LegId, leg::SignalCommand),
    Attach(LegId, PeerId),
    /// The journal has the call's durable line, or cannot keep it.
    Appended(CallId, bool),
}

/// The other end of a trunk's or phone's leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Far {
    Early,
    Up,
    Closed,
}

/// A call with what its shell keeps.
pub struct Line {
    pub machine: Call,
    told: BTreeSet<Address>,
    gate: Gate,
    /// The journal has the call, or was asked in vain.
    accepted: bool,
    ended: bool,
    /// Its machine panicked; the shell still writes the last line.
    pub dead: bool,
    /// The mailbox waits until then.
    pub stalled: Millis,
}

/// What an agent's shell keeps beyond a panic.
pub struct Kept {
    chosen: Chosen,
    pub sockets: bool,
    peer: Option<PeerId>,
    /// When the workstation last came back.
    pub back_at: Option<Millis>,
}

/// A transition that was seen: machine, state before, event, state after.
pub type Taken = (&'static str, &'static str, &'static str, &'static str);

/// What can happen next without time going by.
#[derive(Clone, Copy, Debug)]
enum Next {
    Mail(Node, Node),
    Tick(Address),
    Sound((Millis, u64)),
}

pub struct Floor {
    pub now: Millis,
    ids: CountingIds,
    pub agents: BTreeMap<AgentId, Agent>,
    pub kept: BTreeMap<AgentId, Kept>,
    pub calls: BTreeMap<CallId, Line>,
    pub groups: BTreeMap<GroupId, Group>,
    pub trunks: BTreeMap<TrunkId, Trunk>,
    pub legs: BTreeMap<LegId, Leg>,
    pub far: BTreeMap<LegId, Far>,
    peers: BTreeSet<PeerId>,
    mail: BTreeMap<(Node, Node), VecDeque<(u64, Letter)>>,
    posted: u64,
    sounds: BTreeMap<(Millis, u64), (CallId, LegId, u64)>,
    /// What each leg hears.
    pub hears: BTreeMap<LegId, Source>,
    /// Sounds that were played over a leg, in order; those of one sequence with a space between them.
    pub played: Vec<(LegId, String)>,
    pub recording: BTreeSet<CallId>,
    /// Whose recording is silent.
    pub unrecorded: BTreeSet<CallId>,
    pub journal: BTreeMap<CallId, Vec<Entry>>,
    /// The journal cannot keep the next call.
    pub disk_is_full: bool,
    pub sessions: BTreeMap<(AgentId, CallId), Session>,
    /// The answer bars that are shown.
    pub bars: BTreeMap<AgentId, Ringing>,
    /// Every answer bar that was ever shown: who, which call, when.
    pub rang: Vec<(AgentId, CallId, Millis)>,
    /// Whose login sessions ended.
    pub logged_out: Vec<AgentId>,
    /// Our number and the called one of every call out over a trunk.
    pub dialled: Vec<(String, String)>,
    /// The hosts that calls out went to.
    pub called: Vec<std::net::SocketAddr>,
    /// Digits that reached far ends: when, on which leg, how.
    pub digits: Vec<(Millis, LegId, char, &'static str)>,
    /// Commands that reached the far ends, in order.
    pub signalled: Vec<(LegId, leg::SignalCommand)>,
    /// Changes of what people see of an agent, as a shell keeps them for reports (B5).
    pub states: Vec<(AgentId, agent::Seen, Option<String>, i64)>,
    pub taken: BTreeSet<Taken>,
    pub reference: Reference,
    pub mutation: Option<Mutation>,
    pub log: Option<Vec<String>>,
}

impl Floor {
    pub fn new() -> Self {
        Self {
            now: 10_000,
            ids: CountingIds(0),
            agents: BTreeMap::new(),
            kept: BTreeMap::new(),
            calls: BTreeMap::new(),
            groups: BTreeMap::new(),
            trunks: BTreeMap::new(),
            legs: BTreeMap::new(),
            far: BTreeMap::new(),
            peers: BTreeSet::new(),
            mail: BTreeMap::new(),
            posted: 0,
            sounds: BTreeMap::new(),
            hears: BTreeMap::new(),
            played: Vec::new(),
            recording: BTreeSet::new(),
            unrecorded: BTreeSet::new(),
            journal: BTreeMap::new(),
            disk_is_full: false,
            sessions: BTreeMap::new(),
            bars: BTreeMap::new(),
            rang: Vec::new(),
            logged_out: Vec::new(),
            dialled: Vec::new(),
            called: Vec::new(),
            digits: Vec::new(),
            signalled: Vec::new(),
            states: Vec::new(),
            taken: BTreeSet::new(),
            reference: Reference::default(),
            mutation: None,
            log: None,
        }
    }

    pub fn wall(&self) -> i64 {
        EPOCH + self.now as i64
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(format!("{:>7} {}", self.now, line()));
        }
    }

    pub fn log_line(&mut self, line: impl FnOnce() -> String) {
        self.note(line);
    }

    pub fn post(&mut self, from: Node, to: Node, letter: Letter) {
        self.posted += 1;
        self.mail.entry((from, to)).or_default().push_back((self.posted, letter));
    }

    pub fn post_tell(&mut self, from: Node, tell: Tell) {
        self.hasten(&tell);
        self.post(from, Node::At(address_of(&tell)), Letter::Tell(tell));
    }

    // ---- what comes next ----

    fn is_stalled(&self, address: Address) -> bool {
        matches!(address, Address::Call(id) if self.calls.get(&id).is_some_and(|line| line.stalled > self.now))
    }

    fn waits(&self, node: Node) -> bool {
        matches!(node, Node::At(address) if self.is_stalled(address))
    }

    fn deadlines(&self) -> impl Iterator<Item = (Address, Millis)> + '_ {
        let agents = self.agents.iter().filter_map(|(id, m)| Some((Address::Agent(*id), self.tampered_deadline(*id, m)?)));
        let calls = self.calls.iter().filter(|(_, line)| !line.dead);
        let calls = calls.filter_map(|(id, line)| Some((Address::Call(*id), line.machine.next_deadline()?.max(line.stalled))));
        let groups = self.groups.iter().filter_map(|(id, m)| Some((Address::Group(*id), m.next_deadline()?)));
        let trunks = self.trunks.iter().filter_map(|(id, m)| Some((Address::Trunk(*id), m.next_deadline()?)));
        agents.chain(calls).chain(groups).chain(trunks)
    }

    fn possible(&self) -> Vec<Next> {
        let mut all: Vec<Next> = self.mail.keys().filter(|(_, to)| !self.waits(*to)).map(|(from, to)| Next::Mail(*from, *to)).collect();
        all.extend(self.deadlines().filter(|(_, at)| *at <= self.now).map(|(address, _)| Next::Tick(address)));
        all.extend(self.sounds.range(..=(self.now, u64::MAX)).map(|(key, _)| Next::Sound(*key)));
        all
    }

    /// Nothing is under way: no message, no timer due, no mailbox that waits.
    pub fn is_quiet(&self) -> bool {
        self.mail.is_empty() && self.possible().is_empty()
    }

    /// The next moment at which something is due by itself.
    pub fn next_moment(&self) -> Option<Millis> {
        let sounds = self.sounds.keys().next().map(|(at, _)| *at);
        let stalls = self.calls.values().map(|line| line.stalled).filter(|at| *at > self.now);
        self.deadlines().map(|(_, at)| at).chain(sounds).chain(stalls).filter(|at| *at > self.now).min()
    }

    fn perform(&mut self, next: Next) {
        match next {
            Next::Mail(from, to) => self.deliver(from, to),
            Next::Tick(address) => self.tick(address),
            Next::Sound(key) => {
                if let Some((call, leg, token)) = self.sounds.remove(&key)
                    && self.legs.contains_key(&leg)
                {
                    self.post_tell(Node::Media, Tell::Call(call, call::Event::Played { leg, token }));
                }
            }
        }
    }

    /// One message, timer or sound, any of them.
    pub fn step_at_random(&mut self, random: &mut Random) -> bool {
        let all = self.possible();
        let Some(next) = random.pick(&all) else { return false };
        self.perform(next);
        true
    }

    /// Messages in the order they were posted; then timers.
    pub fn step_in_order(&mut self) -> bool {
        let oldest = self.mail.iter().filter(|((_, to), _)| !self.waits(*to)).min_by_key(|(_, queue)| queue[0].0);
        let next = oldest.map(|((from, to), _)| Next::Mail(*from, *to)).or_else(|| self.possible().first().copied());
        let Some(next) = next else { return false };
        self.perform(next);
        true
    }

    /// A message that is not the disk's, in the order they were posted.
    pub fn step_beside_the_disk(&mut self) -> bool {
        let mail = self.mail.iter().filter(|((from, _), _)| *from != Node::Disk);
        let Some((from, to)) = mail.min_by_key(|(_, queue)| queue[0].0).map(|(pair, _)| *pair) else { return false };
        self.deliver(from, to);
        true
    }

    /// Everything that happens without time going by.
    pub fn settle(&mut self) {
        let mut steps = 0;
        while self.step_in_order() {
            steps += 1;
            assert!(steps < 100_000, "the floor does not come to rest");
        }
    }

    pub fn settle_at_random(&mut self, random: &mut Random) {
        let mut steps = 0;
        while self.step_at_random(random) {
            steps += 1;
            if steps > 4_000 {
                self.reference.wrong("the floor does not come to rest".into());
                return;
            }
        }
    }

    /// Time goes by, from deadline to deadline.
    pub fn advance(&mut self, by: Millis) {
        let until = self.now + by;
        self.settle();
        while let Some(at) = self.next_moment().filter(|at| *at <= until) {
            self.now = at;
            self.settle();
        }
        self.now = until;
    }

    /// Holds the floor at rest against the reference model.
    pub fn check_all(&mut self) {
        let mut reference = std::mem::take(&mut self.reference);
        reference.check_moment(self);
        reference.check(self);
        self.reference = reference;
        assert!(self.reference.violations.is_empty(), "{:?}", self.reference.violations);
    }

    // ---- mail ----

    fn deliver(&mut self, from: Node, to: Node) {
        let Some(queue) = self.mail.get_mut(&(from, to)) else { return };
        let letter = queue.pop_front().map(|(_, letter)| letter);
        if queue.is_empty() {
            self.mail.remove(&(from, to));
        }
        let Some(letter) = letter else { return };
        let Some(letter) = self.tamper(letter) else { return };
        self.note(|| format!("{from:?} -> {letter:?}"));
        match letter {
            Letter::Tell(Tell::Agent(id, event)) => self.agent(id, event),
            Letter::Tell(Tell::Call(id, event)) => self.call(from, id, event),
            Letter::Tell(Tell::Group(id, event)) => self.group(id, event),
            Letter::Tell(Tell::Trunk(id, event)) => self.trunk(id, event),
            Letter::Tell(Tell::Leg(id, command)) => self.leg(id, leg::Input::Command(command)),
            Letter::Leg(id, input) => self.leg(id, input),
            Letter::Far(id, command) => self.far_hears(id, command),
            Letter::Attach(leg, peer) => {
                let input = if self.peers.contains(&peer) { leg::Input::Attached } else { leg::Input::AttachFailed };
                self.post(Node::Media, Node::At(Address::Leg(leg)), Letter::Leg(leg, input));
            }
            Letter::Appended(call, kept) => {
                if !kept {
                    self.call(Node::Disk, call, call::Event::JournalFailed);
                }
                if let Some(line) = self.calls.get_mut(&call) {
                    line.accepted = true;
                    line.gate.open();
                    self.pump(call);
                }
            }
        }
    }

    /// Loses the message that a machine panicked over, if there is one.
    fn lose_one(&mut self, to: Address, random: &mut Random) {
        let pairs: Vec<(Node, Node)> =
            self.mail.keys().filter(|(from, receiver)| *receiver == Node::At(to) && *from != Node::Disk).copied().collect();
        if let Some(pair) = random.pick(&pairs)
            && let Some(queue) = self.mail.get_mut(&pair)
        {
            let lost = queue.pop_front();
            if queue.is_empty() {
                self.mail.remove(&pair);
            }
            // Nobody knows of this offer any more: the agent's lease ends it.
            if let Some((_, Letter::Tell(Tell::Call(_, call::Event::Offer(offer))))) = lost {
                self.reference.lost_offers.insert(offer.offer);
            }
        }
    }

    // ---- what is left behind ----

    /// The call's row and records, from its journal.
    pub fn row(&self, call: CallId) -> CallRow {
        fold(&self.journal[&call], None).expect("the journal begins with the call's acceptance")
    }

    /// The agents who ring for the call now: the answer bar is shown.
    pub fn ringing(&self, call: CallId) -> Vec<AgentId> {
        self.bars.iter().filter(|(_, bar)| bar.call == call).map(|(agent, _)| *agent).collect()
    }

    pub fn offer_of(&self, agent: AgentId) -> Option<OfferId> {
        self.bars.get(&agent).map(|bar| bar.offer)
    }
}

pub fn address_of(tell: &Tell) -> Address {
    match tell {
        Tell::Agent(id, _) => Address::Agent(*id),
        Tell::Call(id, _) => Address::Call(*id),
        Tell::Group(id, _) => Address::Group(*id),
        Tell::Trunk(id, _) => Address::Trunk(*id),
        Tell::Leg(id, _) => Address::Leg(*id),
    }
}

/// The moment a machine is given.
macro_rules! cx {
    ($floor:expr) => {{
        let wall = crate::floor::EPOCH + $floor.now as i64;
        Cx::new($floor.now, wall, (wall / 86_400_000) as i32, &mut $floor.ids)
    }};
}
use cx;
