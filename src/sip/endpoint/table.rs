//! Transactions by key, with one ordered list of their deadlines.

use super::{EndpointAction, Flow, User, Why, for_its_hop};
use crate::message::{CSeq, Headers, Method, Request};
use crate::transaction::{InviteClient, InviteServer, OtherClient, OtherServer, Step};
use cordboard_core::cx::Millis;
use cordboard_core::ids::LegId;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(super) enum ClientMachine {
    /// With the request as [`for_its_hop`] leaves it, since it stays until no stray answer is to be expected.
    Invite(InviteClient, Box<Request>),
    Other(OtherClient),
}

/// A client transaction.
#[derive(Debug)]
pub(super) struct Client {
    /// `None` for CANCEL and once the user is gone.
    pub user: Option<User>,
    pub flow: Flow,
    pub machine: ClientMachine,
    pub cseq: CSeq,
}

impl Client {
    /// The transaction of a request that was sent as `wire`.
    pub fn new(user: Option<User>, flow: Flow, request: Request, wire: Vec<u8>, now: Millis) -> Self {
        let reliable = flow.is_reliable();
        let seq = request.headers.cseq().map_or(0, |cseq| cseq.seq);
        let cseq = CSeq { seq, method: request.method.clone() };
        let machine = if request.method == Method::INVITE {
            ClientMachine::Invite(InviteClient::new(wire, reliable, now), Box::new(for_its_hop(request)))
        } else {
            ClientMachine::Other(OtherClient::new(wire, reliable, now))
        };
        Self { user, flow, machine, cseq }
    }

    pub fn is_pending(&self) -> bool {
        match &self.machine {
            ClientMachine::Invite(machine, _) => machine.is_pending(),
            ClientMachine::Other(machine) => machine.is_pending(),
        }
    }

    pub fn is_terminated(&self) -> bool {
        match &self.machine {
            ClientMachine::Invite(machine, _) => machine.is_terminated(),
            ClientMachine::Other(machine) => machine.is_terminated(),
        }
    }

    pub fn tick(&mut self, now: Millis) -> Step {
        match &mut self.machine {
            ClientMachine::Invite(machine, _) => machine.tick(now),
            ClientMachine::Other(machine) => machine.tick(now),
        }
    }

    pub fn wire(&self) -> &[u8] {
        match &self.machine {
            ClientMachine::Invite(machine, _) => machine.wire(),
            ClientMachine::Other(machine) => machine.wire(),
        }
    }

    pub fn failed(&self, why: Why) -> Option<EndpointAction> {
        let CSeq { seq, method } = &self.cseq;
        self.user.map(|user| EndpointAction::Failed { user, method: method.clone(), cseq: *seq, why })
    }
}

#[derive(Debug)]
pub(super) enum ServerMachine {
    Invite(InviteServer),
    Other(OtherServer),
}

/// A server transaction.
#[derive(Debug)]
pub(super) struct Server {
    pub leg: Option<LegId>,
    /// Where responses go.
    pub flow: Flow,
    pub machine: ServerMachine,
    /// Its key among the requests that may come by several ways.
    pub merge: Option<u128>,
    /// What responses copy of the request, until the final one: what lingers after that should be small, for there is much of it.
    pub request: Option<Headers>,
}

impl Server {
    pub fn is_pending(&self) -> bool {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.is_pending(),
            ServerMachine::Other(machine) => machine.is_pending(),
        }
    }

    pub fn is_terminated(&self) -> bool {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.is_terminated(),
            ServerMachine::Other(machine) => machine.is_terminated(),
        }
    }

    pub fn tick(&mut self, now: Millis) -> Step {
        match &mut self.machine {
            ServerMachine::Invite(machine) => machine.tick(now),
            ServerMachine::Other(machine) => machine.tick(now),
        }
    }

    pub fn wire(&self) -> &[u8] {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.wire(),
            ServerMachine::Other(machine) => machine.wire(),
        }
    }
}

/// Something with a deadline.
pub(super) trait Timed {
    fn next_deadline(&self) -> Option<Millis>;
}

impl Timed for Client {
    fn next_deadline(&self) -> Option<Millis> {
        match &self.machine {
            ClientMachine::Invite(machine, _) => machine.next_deadline(),
            ClientMachine::Other(machine) => machine.next_deadline(),
        }
    }
}

impl Timed for Server {
    fn next_deadline(&self) -> Option<Millis> {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.next_deadline(),
            ServerMachine::Other(machine) => machine.next_deadline(),
        }
    }
}

/// Entries change through [`Table::update`] alone, which keeps the deadlines true. A tree gives back what a busy hour needed; its nodes are small, since
/// most of what it holds only waits for its end.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    entries: BTreeMap<K, Box<V>>,
    deadlines: BTreeSet<(Millis, K)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), deadlines: BTreeSet::new() }
    }
}

impl<K: Copy + Ord, V: Timed> Table<K, V> {
    pub fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        if let Some(at) = value.next_deadline() {
            self.deadlines.insert((at, key));
        }
        self.entries.insert(key, Box::new(value));
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(Box::as_ref)
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let value = *self.entries.remove(key)?;
        if let Some(at) = value.next_deadline() {
            self.deadlines.remove(&(at, *key));
        }
        Some(value)
    }

    pub fn update<R>(&mut self, key: &K, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        let value = self.entries.get_mut(key)?;
        let before = value.next_deadline();
        let result = change(value);
        let after = value.next_deadline();
        if before != after {
            if let Some(at) = before {
                self.deadlines.remove(&(at, *key));
            }
            if let Some(at) = after {
                self.deadlines.insert((at, *key));
            }
        }
        Some(result)
    }

    /// Keys of the entries that fit, in no order.
    pub fn keys(&self, fits: impl Fn(&V) -> bool) -> Vec<K> {
        self.entries.iter().filter(|(_, v)| fits(v)).map(|(k, _)| *k).collect()
    }

    /// The entry that is most overdue.
    pub fn due(&self, now: Millis) -> Option<K> {
        self.deadlines.first().filter(|(at, _)| *at <= now).map(|(_, key)| *key)
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }
}
