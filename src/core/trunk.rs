//! A trunk's channels, rate and health (C1, H3).

use crate::call;
use crate::cx::{Cx, Millis};
use crate::ids::CallId;
use crate::message::{Action, Tell};
use crate::setup::TrunkSetup;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A new call asks for a channel.
    Claim(CallId),
    /// A call has a channel, which a new machine does not know of.
    Keep(CallId),
    Free(CallId),
    /// The call is gone without a word.
    CallGone(CallId),
    /// A host answered an OPTIONS, or did not.
    Probed {
        host: SocketAddr,
        alive: bool,
    },
    Setup(Box<TrunkSetup>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trunk {
    pub setup: TrunkSetup,
    channels: BTreeSet<CallId>,
    /// When the calls of the last second were let in.
    recent: VecDeque<Millis>,
    alive: BTreeMap<SocketAddr, bool>,
    next_probe: Option<Millis>,
}

impl Trunk {
    pub fn new(setup: TrunkSetup, cx: &Cx) -> (Self, Vec<Action>) {
        let next_probe = (setup.options_every > 0).then_some(cx.now);
        let trunk = Self { setup, channels: BTreeSet::new(), recent: VecDeque::new(), alive: BTreeMap::new(), next_probe };
        (trunk, vec![Action::AnnounceRestart])
    }

    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    pub fn holds(&self, call: CallId) -> bool {
        self.channels.contains(&call)
    }

    /// Whether each host answered its last OPTIONS; hosts not heard of yet are absent.
    pub fn health(&self) -> &BTreeMap<SocketAddr, bool> {
        &self.alive
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        self.next_probe
    }

    pub fn tick(&mut self, cx: &mut Cx) -> Vec<Action> {
        if self.next_probe.is_none_or(|at| at > cx.now) {
            return Vec::new();
        }
        self.next_probe = (self.setup.options_every > 0).then_some(cx.now + self.setup.options_every);
        self.setup.hosts.iter().map(|host| Action::Probe { host: *host }).collect()
    }

    pub fn handle(&mut self, event: Event, cx: &mut Cx) -> Vec<Action> {
        match event {
            Event::Claim(call) => {
                let answer = if self.claim(call, cx.now) { call::Event::ChannelGranted } else { call::Event::ChannelRefused };
                vec![Action::Tell(Tell::Call(call, answer))]
            }
            Event::Keep(call) => {
                self.channels.insert(call);
                Vec::new()
            }
            Event::Free(call) | Event::CallGone(call) => {
                self.channels.remove(&call);
                Vec::new()
            }
            Event::Probed { host, alive } => {
                self.alive.insert(host, alive);
                Vec::new()
            }
            Event::Setup(setup) => {
                self.next_probe = (setup.options_every > 0).then_some(cx.now);
                self.setup = *setup;
                Vec::new()
            }
        }
    }

    fn claim(&mut self, call: CallId, now: Millis) -> bool {
        if self.channels.contains(&call) {
            return true;
        }
        while self.recent.front().is_some_and(|at| at + 1_000 <= now) {
            self.recent.pop_front();
        }
        let within = |limit: Option<u32>, used: usize| limit.is_none_or(|max| used < usize::try_from(max).unwrap_or(usize::MAX));
        if !within(self.setup.max_channels, self.channels.len()) || !within(self.setup.max_calls_per_second, self.recent.len()) {
            return false;
        }
        if self.setup.max_calls_per_second.is_some() {
            self.recent.push_back(now);
        }
        self.channels.insert(call);
        true
    }
}
