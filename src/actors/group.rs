//! A skill group's actor.

use super::shell::{Progress, Role, Shell, Stage};
use super::views;
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::group::{Event, Group};
use cordboard_core::ids::Address;
use cordboard_core::message::Action;
use std::time::Duration;

pub type GroupActor = Shell<GroupRole>;

/// Queue counts reach the pages at most this often.
const QUEUE_EVERY: Duration = Duration::from_millis(250);

pub struct GroupRole {
    machine: Group,
    /// A queue view is on its way; later changes go with it.
    showing: bool,
}

impl GroupRole {
    pub fn new(machine: Group) -> Self {
        Self { machine, showing: false }
    }

    fn show(&self, shell: &Shell<Self>) {
        let view = views::queue(&self.machine);
        let directory = shell.switch.directory.read();
        for agent in directory.members.get(&self.machine.setup.id).into_iter().flatten() {
            if let Some(addr) = directory.agents.get(agent) {
                addr.do_send(super::agent::Desk::Queue(view.clone()));
            }
        }
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

    fn perform(&mut self, action: Action, stage: &mut Stage<'_, Self>) -> Progress {
        match action {
            Action::AnnounceRestart => stage.switch.announce_restart(self.address()),
            Action::QueueChanged => {
                if !std::mem::replace(&mut self.showing, true) {
                    actix::AsyncContext::run_later(stage.ctx, QUEUE_EVERY, |shell, _| {
                        shell.role.showing = false;
                        shell.role.show(shell);
                    });
                }
            }
            other => super::foreign(self.address(), &other),
        }
        Progress::Go
    }
}
