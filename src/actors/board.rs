//! Tells the pages of changed queues, a few at a time (F2).

use super::agent::Desk;
use super::switch::Switch;
use super::timer::Timer;
use crate::wire::{QueueView, ToWorkstation};
use actix::prelude::*;
use cordboard_core::board::{Board, Slot};
use cordboard_core::ids::{AgentId, GroupId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

/// The group's queue in the directory is another one than it was.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Changed(pub GroupId);

pub struct BoardActor {
    machine: Board,
    switch: Arc<Switch>,
    timer: Timer,
    /// What was told last: each lives until its pages have it.
    told: Vec<Weak<ToWorkstation>>,
}

impl BoardActor {
    pub fn new(switch: Arc<Switch>) -> Self {
        Self { machine: Board::default(), switch, timer: Timer::default(), told: Vec::new() }
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        self.timer.fired();
        let unheard = self.told.iter().filter(|told| told.strong_count() > 0).count();
        let telling = 2 * unheard > self.told.len();
        if let Some((slot, groups)) = self.machine.tick(self.switch.now(), telling) {
            self.tell(slot, &groups);
        }
        self.arm(ctx);
    }

    fn tell(&mut self, slot: Slot, groups: &BTreeSet<GroupId>) {
        let directory = self.switch.directory.read();
        let mut told: BTreeMap<AgentId, Vec<QueueView>> = BTreeMap::new();
        for (group, view) in groups.iter().filter_map(|group| directory.queues.get_key_value(group)) {
            let members = directory.members.get(group).into_iter().flatten();
            for agent in members.filter(|agent| Slot::of(**agent) == slot && directory.watching.contains(agent)) {
                told.entry(*agent).or_default().push(view.clone());
            }
        }
        self.told.clear();
        for (agent, queues) in told {
            if let Some(addr) = directory.agents.get(&agent) {
                let tell = Arc::new(ToWorkstation::Queues { queues });
                self.told.push(Arc::downgrade(&tell));
                addr.do_send(Desk::Queues(tell));
            }
        }
    }

    fn arm(&mut self, ctx: &mut Context<Self>) {
        self.timer.arm(self.machine.next_deadline(), &self.switch, ctx, Self::tick);
    }
}

impl Actor for BoardActor {
    type Context = Context<Self>;
}

impl Handler<Changed> for BoardActor {
    type Result = ();

    fn handle(&mut self, Changed(group): Changed, ctx: &mut Context<Self>) {
        self.machine.changed(group, self.switch.now());
        self.arm(ctx);
    }
}
