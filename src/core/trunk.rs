//! A trunk's channels, rate and health (C1, E6, H3).

use crate::call;
use crate::cx::{Cx, Millis};
use crate::ids::{CallId, LegId};
use crate::message::{Action, Gateway, Tell};
use crate::outcome::CallType;
use crate::setup::TrunkSetup;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::ops::RangeInclusive;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A new call asks for a channel.
    Claim {
        channel: Channel,
        way: CallType,
    },
    /// A call has a channel, which a new machine does not know of.
    Keep {
        channel: Channel,
        way: CallType,
    },
    Free(Channel),
    /// The call is gone without a word.
    CallGone(CallId),
    /// A host answered an OPTIONS, or did not.
    Probed {
        host: SocketAddr,
        alive: bool,
    },
    Setup(Box<TrunkSetup>),
    /// The admin took the trunk off the floor: it takes no new call, and is finished when its last channel is free (I6).
    Removed,
}

/// One leg's use of the trunk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Channel {
    pub call: CallId,
    pub leg: LegId,
}

impl Channel {
    /// Whatever legs of the call have, in the order of channels.
    fn all_of(call: CallId) -> RangeInclusive<Self> {
        Self { call, leg: LegId(0) }..=Self { call, leg: LegId(u128::MAX) }
    }
}

/// Why a call gets no channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// No channel is free, or too many calls came in this second (H3).
    Full,
    /// The trunk's guards for calls out (E6).
    Barred,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trunk {
    pub setup: TrunkSetup,
    channels: BTreeMap<Channel, CallType>,
    /// When the calls of the last second were let in.
    recent: VecDeque<Millis>,
    /// Calls out on a day (days since 1970).
    out_today: (i32, u32),
    alive: BTreeMap<SocketAddr, bool>,
    next_probe: Option<Millis>,
    removed: bool,
}

impl Trunk {
    pub fn new(setup: TrunkSetup, cx: &Cx) -> (Self, Vec<Action>) {
        let next_probe = (setup.options_every > 0).then_some(cx.now);
        let trunk = Self {
            setup,
            channels: BTreeMap::new(),
            recent: VecDeque::new(),
            out_today: (cx.today, 0),
            alive: BTreeMap::new(),
            next_probe,
            removed: false,
        };
        (trunk, vec![Action::AnnounceRestart])
    }

    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    pub fn holds(&self, call: CallId) -> bool {
        self.channels.range(Channel::all_of(call)).next().is_some()
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
        let mut out = match event {
            Event::Claim { channel, way } => {
                let answer = match self.claim(channel, way, cx) {
                    Ok(()) => call::Event::ChannelGranted { leg: channel.leg, gateway: self.gateway() },
                    Err(refusal) => call::Event::ChannelRefused { leg: channel.leg, refusal },
                };
                vec![Action::Tell(Tell::Call(channel.call, answer))]
            }
            Event::Keep { channel, way } => {
                self.channels.insert(channel, way);
                Vec::new()
            }
            Event::Free(channel) => {
                self.channels.remove(&channel);
                Vec::new()
            }
            Event::CallGone(call) => {
                self.channels.extract_if(Channel::all_of(call), |_, _| true).for_each(drop);
                Vec::new()
            }
            Event::Probed { host, alive } => {
                self.alive.insert(host, alive);
                Vec::new()
            }
            Event::Setup(setup) => {
                self.next_probe = (setup.options_every > 0).then_some(cx.now);
                (self.setup, self.removed) = (*setup, false);
                Vec::new()
            }
            Event::Removed => {
                (self.next_probe, self.removed) = (None, true);
                Vec::new()
            }
        };
        if self.removed && self.channels.is_empty() {
            out.push(Action::Finished);
        }
        out
    }

    /// Where a call out goes: the first host that is not known to be dead, else the first.
    fn gateway(&self) -> Gateway {
        let live = self.setup.hosts.iter().find(|host| self.alive.get(host) != Some(&false));
        let host = live.or(self.setup.hosts.first()).copied();
        Gateway { host, transport: self.setup.transport, digits: self.setup.digits, outcomes: self.setup.outcomes.clone() }
    }

    fn claim(&mut self, channel: Channel, way: CallType, cx: &Cx) -> Result<(), Refusal> {
        if self.channels.contains_key(&channel) {
            return Ok(());
        }
        if self.removed {
            return Err(Refusal::Barred);
        }
        while self.recent.front().is_some_and(|at| at + 1_000 <= cx.now) {
            self.recent.pop_front();
        }
        let within = |limit: Option<u32>, used: usize| limit.is_none_or(|max| used < usize::try_from(max).unwrap_or(usize::MAX));
        if !within(self.setup.max_channels, self.channels.len()) || !within(self.setup.max_calls_per_second, self.recent.len()) {
            return Err(Refusal::Full);
        }
        if way == CallType::Outbound {
            if self.out_today.0 != cx.today {
                self.out_today = (cx.today, 0);
            }
            let out = self.channels.values().filter(|way| **way == CallType::Outbound).count();
            if !within(self.setup.max_outbound, out) || self.setup.max_outbound_a_day.is_some_and(|max| self.out_today.1 >= max) {
                return Err(Refusal::Barred);
            }
            self.out_today.1 += 1;
        }
        if self.setup.max_calls_per_second.is_some() {
            self.recent.push_back(cx.now);
        }
        self.channels.insert(channel, way);
        Ok(())
    }
}
