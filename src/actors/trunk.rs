//! A trunk's actor.

use super::floor;
use super::shell::{Role, Shell, Stage};
use super::sip::Probe;
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::ids::Address;
use cordboard_core::message::Action;
use cordboard_core::trunk::{Event, Trunk};

pub type TrunkActor = Shell<TrunkRole>;

pub struct TrunkRole {
    pub machine: Trunk,
}

impl Role for TrunkRole {
    type Event = Event;

    fn address(&self) -> Address {
        Address::Trunk(self.machine.setup.id)
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
        let (machine, first) = Trunk::new(self.machine.setup.clone(), cx);
        self.machine = machine;
        first
    }

    fn perform(&mut self, action: Action, stage: &mut Stage<'_, Self>) {
        match action {
            Action::AnnounceRestart => stage.switch.announce_restart(self.address()),
            Action::Probe { host } => {
                let probe = Probe { trunk: self.machine.setup.id, host, transport: self.machine.setup.transport };
                if let Some(sip) = &stage.switch.directory.read().sip {
                    sip.do_send(probe);
                }
            }
            // The shell ends when nobody has its address any more.
            Action::Finished => {
                let id = self.machine.setup.id;
                let mut directory = stage.switch.directory.write();
                // One that is on the floor again is told so next.
                if directory.trunks_out.contains(&id) {
                    return;
                }
                directory.trunks.remove(&id);
                directory.sources.trunks.retain(|(_, trunk)| *trunk != id);
                floor::tell_sources(&directory);
            }
            other => super::foreign(self.address(), &other),
        }
    }
}
