//! A skill group's actor.

use super::board::Changed;
use super::shell::{Role, Shell, Stage};
use super::views;
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::group::{Event, Group};
use cordboard_core::ids::Address;
use cordboard_core::message::Action;

pub type GroupActor = Shell<GroupRole>;

pub struct GroupRole {
    machine: Group,
}

impl GroupRole {
    pub fn new(machine: Group) -> Self {
        Self { machine }
    }
}

impl Role for GroupRole {
    type Event = Event;

    fn address(&self) -> Address {
        Address::Group(self.machine.setup.id)
    }

    fn next_deadline(&self) -> Option<Millis> {
        self.machine.next_deadline()
    }

    fn tick(&mut self, cx: &mut Cx) -> Vec<Action> {
        self.machine.tick(cx)
    }

    fn handle(&mut self, event: Event, cx: &mut Cx) -> Vec<Action> {
        self.machine.handle(event, cx)
    }

    fn revive(&mut self, cx: &mut Cx) -> Vec<Action> {
        let (machine, first) = Group::new(self.machine.setup.clone(), cx);
        self.machine = machine;
        first
    }

    fn perform(&mut self, action: Action, stage: &mut Stage<'_, Self>) {
        match action {
            Action::AnnounceRestart => stage.switch.announce_restart(self.address()),
            Action::QueueChanged => {
                let mut directory = stage.switch.directory.write();
                directory.queues.insert(self.machine.setup.id, views::queue(&self.machine));
                if let Some(board) = &directory.board {
                    board.do_send(Changed(self.machine.setup.id));
                }
            }
            other => super::foreign(self.address(), &other),
        }
    }
}
