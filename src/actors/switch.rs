//! The switchboard: who is where, the clock, and what all actors share. Messages between actors pass through [`Switch::tell`].

use super::agent::AgentActor;
use super::board::BoardActor;
use super::call::CallActor;
use super::colleagues::Colleagues;
use super::group::GroupActor;
use super::ledger::Ledger;
use super::leg::{LegActor, LegInput};
use super::shell::Deliver;
use super::sip::SipActor;
use super::trunk::TrunkActor;
use crate::wire::QueueView;
use actix::prelude::*;
use cordboard_core::blocklist::Blocklist;
use cordboard_core::cx::{Cx, Ids, Millis};
use cordboard_core::ids::{Address, AgentId, CallId, GroupId, LegId, PeerId, TrunkId};
use cordboard_core::message::Tell;
use cordboard_core::setup::{FlowSetup, GroupSetup, NumberSetup, OutboundRules, PhoneSetup, Transport};
use cordboard_core::{agent, call, gone};
use cordboard_db::{Db, DbError, Journal};
use cordboard_media::Media;
use cordboard_sip::endpoint::Sources;
use cordboard_sip::registrar::Binding;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

/// Actors by what they stand for.
#[derive(Default)]
pub struct Directory {
    pub agents: HashMap<AgentId, Addr<AgentActor>>,
    pub calls: HashMap<CallId, Addr<CallActor>>,
    pub groups: HashMap<GroupId, Addr<GroupActor>>,
    pub legs: HashMap<LegId, Addr<LegActor>>,
    pub trunks: HashMap<TrunkId, Addr<TrunkActor>>,
    /// Those that a call out may take.
    pub trunks_out: BTreeSet<TrunkId>,
    /// Who may speak SIP to us; also the carriers of removed trunks, as long as they have calls.
    pub sources: Sources,
    pub sip: Option<Addr<SipActor>>,
    pub board: Option<Addr<BoardActor>>,
    /// Our end of new SIP flows.
    pub sip_local: HashMap<Transport, SocketAddr>,
    /// Where each phone that registers is now, by its user.
    pub registered: HashMap<String, Binding>,
    /// Whose page a peer is.
    pub peers: HashMap<PeerId, AgentId>,
    pub numbers: Vec<NumberSetup>,
    /// Which agents see which group's queue (F2).
    pub members: HashMap<GroupId, HashSet<AgentId>>,
    /// Agents with an open page.
    pub watching: HashSet<AgentId>,
    /// Each queue as pages show it; none: nobody has waited yet.
    pub queues: HashMap<GroupId, QueueView>,
    /// For who looks for a colleague (D4).
    pub colleagues: Colleagues,
    /// Every SIP phone of the floor by its user, and whose it is (E4).
    pub phones: HashMap<String, (PhoneSetup, Option<AgentId>)>,
    pub group_setups: HashMap<GroupId, GroupSetup>,
    /// Self-service (D6).
    pub flows: Vec<FlowSetup>,
    pub break_reasons: Vec<String>,
    /// What agents may say a call was about, in the list's order (D8).
    pub dispositions: Vec<String>,
    /// Who may not call (C1).
    pub blocklist: Blocklist,
    /// What may be called (E6).
    pub outbound: OutboundRules,
    /// Who answers on a mobile must press 1 (C7).
    pub mobile_press_one: bool,
    /// Agents see customers' numbers with their middle hidden (H8).
    pub mask_numbers: bool,
    pub demo: bool,
    /// The CRM's page, with its places to fill (F3).
    pub crm_url: Option<String>,
    /// No new calls: the switch drains (I4).
    pub draining: bool,
}

pub struct Switch {
    pub directory: RwLock<Directory>,
    pub db: Db,
    pub journal: Journal,
    pub media: Media,
    /// Who last served a caller in a group (C3); bounded, the oldest are forgotten.
    pub last_served: Mutex<LastServed>,
    /// The last call is over.
    pub idle: Notify,
    /// What is written behind.
    pub ledger: Ledger,
    started: Instant,
    /// The local date in this second of wall time; a time zone is too much work for each step.
    today: Mutex<(i64, i32)>,
}

struct UuidIds;

impl Ids for UuidIds {
    fn next_id(&mut self) -> u128 {
        uuid::Uuid::now_v7().as_u128()
    }
}

impl Switch {
    pub fn new(db: Db, journal: Journal, media: Media, directory: Directory) -> Arc<Self> {
        let ledger = Ledger::open(db.clone());
        Arc::new(Self {
            directory: RwLock::new(directory),
            db,
            journal,
            media,
            last_served: Mutex::default(),
            idle: Notify::new(),
            started: Instant::now(),
            today: Mutex::default(),
            ledger,
        })
    }

    /// What earlier runs know of who last served whom.
    pub fn load_last_served(&self) -> Result<(), DbError> {
        let mut served = self.last_served.lock();
        for (caller, group, agent) in self.db.last_served(LastServed::MOST)? {
            served.insert(&caller, group, agent);
        }
        Ok(())
    }

    /// Monotonic milliseconds of the machines.
    pub fn now(&self) -> Millis {
        Millis::try_from(self.started.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    /// Wall time, milliseconds since 1970 UTC.
    pub fn wall(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// Wall time at which [`Switch::now`] was zero.
    pub fn clock_began_at(&self) -> i64 {
        self.wall() - i64::try_from(self.now()).unwrap_or(i64::MAX)
    }

    pub fn with_cx<T>(&self, step: impl FnOnce(&mut Cx) -> T) -> T {
        let wall = self.wall();
        step(&mut Cx::new(self.now(), wall, self.today(wall), &mut UuidIds))
    }

    /// The local date as days since the year 1.
    fn today(&self, wall: i64) -> i32 {
        let mut today = self.today.lock();
        if today.0 != wall / 1000 {
            *today = (wall / 1000, chrono::Datelike::num_days_from_ce(&chrono::Local::now().date_naive()));
        }
        today.1
    }

    pub fn new_id(&self) -> u128 {
        UuidIds.next_id()
    }

    /// Carries a message. A call that is gone answers for itself, so that nobody waits for it.
    pub fn tell(&self, from: Address, tell: Tell) {
        deliver(&self.directory.read(), from, tell);
    }

    /// A call's last word to everybody in `to`.
    pub fn call_gone(&self, call: CallId, to: &[Address]) {
        let directory = self.directory.read();
        for tell in to.iter().filter_map(|address| gone::farewell(call, *address)) {
            deliver(&directory, Address::Call(call), tell);
        }
    }

    /// A customer's number as agents may see it.
    pub fn shown(&self, number: &str) -> String {
        if self.directory.read().mask_numbers { crate::api::mask::mask(number) } else { number.to_owned() }
    }

    pub fn tell_call(&self, call: CallId, event: call::Event) {
        if let Some(addr) = self.directory.read().calls.get(&call) {
            addr.do_send(Deliver(event));
        }
    }

    /// A machine was made anew: its old acquaintances register again.
    pub fn announce_restart(&self, who: Address) {
        let directory = self.directory.read();
        let event = match who {
            Address::Agent(id) => call::Event::AgentRestarted(id),
            Address::Group(id) => call::Event::GroupRestarted(id),
            Address::Trunk(id) => call::Event::TrunkRestarted(id),
            Address::Call(_) | Address::Leg(_) => return,
        };
        for addr in directory.calls.values() {
            addr.do_send(Deliver(event.clone()));
        }
        if let Address::Group(id) = who {
            for addr in directory.agents.values() {
                addr.do_send(Deliver(agent::Event::GroupRestarted(id)));
            }
        }
    }
}

fn deliver(directory: &Directory, from: Address, tell: Tell) {
    let answer = |from, answer: Option<Tell>| answer.map_or((), |answer| deliver(directory, from, answer));
    match tell {
        Tell::Agent(id, event) => match directory.agents.get(&id) {
            Some(addr) => addr.do_send(Deliver(event)),
            None => answer(Address::Agent(id), gone::no_agent(id, &event)),
        },
        Tell::Group(id, event) => {
            if let Some(addr) = directory.groups.get(&id) {
                addr.do_send(Deliver(event));
            }
        }
        Tell::Trunk(id, event) => match directory.trunks.get(&id) {
            Some(addr) => addr.do_send(Deliver(event)),
            None => answer(Address::Trunk(id), gone::no_trunk(&event)),
        },
        Tell::Leg(id, command) => {
            if let Some(addr) = directory.legs.get(&id) {
                addr.do_send(Deliver(LegInput::Command(command)));
            }
        }
        Tell::Call(id, event) => match directory.calls.get(&id) {
            Some(addr) => addr.do_send(Deliver(event)),
            None => {
                for answer in gone::undeliverable(id, from, &event) {
                    deliver(directory, Address::Call(id), answer);
                }
            }
        },
    }
}

/// Who last served a caller in a group, for the newest callers. Callers are known by hashes of their numbers, in a table that has room for all of
/// them, and its 2 MiB of memory, from the beginning.
pub struct LastServed {
    secret: RandomState,
    agents: HashMap<u64, AgentId>,
    order: VecDeque<u64>,
}

impl Default for LastServed {
    fn default() -> Self {
        // To be full once gives it every page that it will ever use: what a switch takes then does not grow with its callers.
        let all = 0..=u64::try_from(Self::MOST).unwrap_or(u64::MAX);
        let (mut agents, mut order): (HashMap<_, _>, VecDeque<_>) = all.map(|key| ((key, AgentId(0)), key)).collect();
        agents.clear();
        order.clear();
        Self { secret: RandomState::new(), agents, order }
    }
}

impl LastServed {
    const MOST: usize = 50_000;

    pub fn insert(&mut self, caller: &str, group: GroupId, agent: AgentId) {
        let key = self.key(caller, group);
        if self.agents.insert(key, agent).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > Self::MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.agents.remove(&oldest);
        }
    }

    pub fn get(&self, caller: &str, group: GroupId) -> Option<AgentId> {
        self.agents.get(&self.key(caller, group)).copied()
    }

    fn key(&self, caller: &str, group: GroupId) -> u64 {
        self.secret.hash_one((caller, group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // C3
    #[test]
    fn who_served_a_caller_last_is_known_by_group_for_the_newest_callers() {
        let mut served = LastServed::default();
        let caller = |n: usize| format!("+4477{n:08}");
        for n in 0..=LastServed::MOST {
            served.insert(&caller(n), GroupId(1), AgentId(1));
            served.insert(&caller(n), GroupId(1), AgentId(2));
        }
        assert_eq!(served.get(&caller(0), GroupId(1)), None);
        assert_eq!(served.get(&caller(1), GroupId(1)), Some(AgentId(2)));
        assert_eq!(served.get(&caller(1), GroupId(2)), None);
        assert_eq!((served.agents.len(), served.order.len()), (LastServed::MOST, LastServed::MOST));
    }
}
