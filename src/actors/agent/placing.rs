//! Whom an agent calls, sends a customer to, or consults (D4, D5, D8, E1, E3, E4).

use super::{AgentActor, AgentRole, Refusal};
use crate::actors::dial;
use crate::actors::shell::Shell;
use crate::wire;
use actix::prelude::*;
use cordboard_core::agent::{Dial, Event};
use cordboard_core::call::Command;
use cordboard_core::ids::{AgentId, GroupId};
use cordboard_core::message::{Target, Whom};

impl Shell<AgentRole> {
    pub(super) fn dial(&mut self, to: &str, caller_id: Option<&str>, ctx: &mut Context<AgentActor>) -> Result<(), Refusal> {
        let dial = dial::dial(&self.role.machine, to, caller_id, &self.switch.directory.read())?;
        self.place(dial, ctx);
        Ok(())
    }

    pub(super) fn call_colleague(&mut self, colleague: AgentId, ctx: &mut Context<AgentActor>) -> Result<(), Refusal> {
        let dial = dial::colleague(&self.role.machine, colleague, &self.switch.directory.read())?;
        self.place(dial, ctx);
        Ok(())
    }

    /// A colleague who is not online (E3).
    pub(super) fn call_mobile(&mut self, colleague: AgentId, ctx: &mut Context<AgentActor>) -> Result<(), Refusal> {
        let dial = dial::colleagues_mobile(&self.role.machine, colleague, &self.switch.directory.read())?;
        self.place(dial, ctx);
        Ok(())
    }

    /// The other side of an earlier call again (D8).
    pub(super) fn call_back(&mut self, call: &str, ctx: &mut Context<AgentActor>) -> Result<(), Refusal> {
        let kept = self.role.kept(call)?;
        if let Some(colleague) = kept.colleague {
            return self.call_colleague(colleague, ctx);
        }
        let dial = dial::call_back(&self.role.machine, &kept.customer, &kept.view.called, &self.switch.directory.read())?;
        self.place(dial, ctx);
        Ok(())
    }

    fn place(&mut self, dial: Dial, ctx: &mut Context<AgentActor>) {
        self.event(Event::Dial(Box::new(dial)), ctx);
    }

    pub(super) fn consult(&mut self, call: &str, with: wire::ConsultTarget, ctx: &mut Context<AgentActor>) -> Result<(), Refusal> {
        let whom = self.whom(with)?;
        let calls_out = matches!(whom, Whom::Number(_));
        self.role.command(call, Command::Consult(whom), &self.switch)?;
        if calls_out {
            self.event(Event::ConsultsNumber, ctx);
        }
        Ok(())
    }

    pub(super) fn target(&self, to: wire::TransferTarget) -> Result<Target, Refusal> {
        let directory = self.switch.directory.read();
        let target = match to {
            wire::TransferTarget::Group { id } => Some(GroupId(id)).filter(|id| directory.group_setups.contains_key(id)).map(Target::Group),
            wire::TransferTarget::Agent { id } => Some(AgentId(id)).filter(|id| directory.colleagues.get(*id).is_some()).map(Target::Agent),
        };
        target.ok_or(Refusal("no_such_target", "This group or agent is not there any more. Choose another."))
    }

    fn whom(&self, with: wire::ConsultTarget) -> Result<Whom, Refusal> {
        match with {
            wire::ConsultTarget::Group { id } => self.target(wire::TransferTarget::Group { id }).map(|_| Whom::Group(GroupId(id))),
            wire::ConsultTarget::Agent { id } => self.target(wire::TransferTarget::Agent { id }).map(|_| Whom::Agent(AgentId(id))),
            wire::ConsultTarget::Number { to, caller_id } => {
                let today = self.switch.with_cx(|cx| cx.today);
                dial::consult(&self.role.machine, &to, caller_id.as_deref(), today, &self.switch.directory.read()).map(Whom::Number)
            }
        }
    }
}
