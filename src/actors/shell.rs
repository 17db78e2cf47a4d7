//! The thin actix shell around a machine: feeds it, performs its actions in order, arms one timer at its next deadline.
//!
//! A machine that panics ends alone: the mailbox lives on, and the role says what becomes of the machine.

use super::switch::Switch;
use super::timer::Timer;
use actix::prelude::*;
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::gate::Gate;
use cordboard_core::ids::Address;
use cordboard_core::message::Action;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What makes a shell an agent, a call, a group or a trunk.
pub trait Role: Sized + Unpin + 'static {
    type Event: Send + 'static;

    fn address(&self) -> Address;
    fn next_deadline(&self) -> Option<Millis>;
    fn tick(&mut self, cx: &mut Cx) -> Vec<Action>;
    fn handle(&mut self, event: Self::Event, cx: &mut Cx) -> Vec<Action>;
    /// The machine panicked: what to do about it. A role that ends stops the context in `perform` by `Action::Finished`.
    fn revive(&mut self, cx: &mut Cx) -> Vec<Action>;
    /// Actions that are this role's own.
    fn perform(&mut self, action: Action, shell: &mut Stage<'_, Self>);
}

/// What a role may reach while it performs an action.
pub struct Stage<'a, R: Role> {
    pub switch: &'a Arc<Switch>,
    pub ctx: &'a mut Context<Shell<R>>,
}

pub struct Shell<R: Role> {
    pub role: R,
    pub switch: Arc<Switch>,
    timer: Timer,
    gate: Gate,
}

/// An event for the machine.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Deliver<E: Send + 'static>(pub E);

/// The journal is done with the line that the shell waits for.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Unblock;

impl<R: Role> Shell<R> {
    /// A shell whose first actions (from making its machine) are performed as it starts.
    pub fn new(role: R, first: Vec<Action>, switch: Arc<Switch>) -> Self {
        let mut gate = Gate::default();
        gate.extend(first);
        Self { role, switch, timer: Timer::default(), gate }
    }

    pub fn feed(&mut self, ctx: &mut Context<Self>, step: impl FnOnce(&mut R, &mut Cx) -> Vec<Action>) {
        let switch = self.switch.clone();
        let role = &mut self.role;
        let stepped = switch.with_cx(|cx| catch_unwind(AssertUnwindSafe(|| step(role, cx))));
        let actions = match stepped {
            Ok(actions) => actions,
            Err(_) => {
                tracing::error!(who = ?self.role.address(), "the machine panicked and is made anew");
                switch.with_cx(|cx| self.role.revive(cx))
            }
        };
        self.gate.extend(actions);
        self.perform(ctx);
    }

    fn perform(&mut self, ctx: &mut Context<Self>) {
        while let Some(action) = self.gate.next_action() {
            match action {
                Action::Tell(tell) => self.switch.tell(self.role.address(), tell),
                other => self.role.perform(other, &mut Stage { switch: &self.switch, ctx }),
            }
        }
        self.arm(ctx);
    }

    fn arm(&mut self, ctx: &mut Context<Self>) {
        self.timer.arm(self.role.next_deadline(), &self.switch, ctx, |shell, ctx| {
            shell.timer.fired();
            shell.feed(ctx, Role::tick);
        });
    }
}

impl<R: Role> Actor for Shell<R> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.perform(ctx);
    }
}

impl<R: Role> Handler<Deliver<R::Event>> for Shell<R> {
    type Result = ();

    fn handle(&mut self, message: Deliver<R::Event>, ctx: &mut Context<Self>) {
        self.feed(ctx, |role, cx| role.handle(message.0, cx));
    }
}

impl<R: Role> Handler<Unblock> for Shell<R> {
    type Result = ();

    fn handle(&mut self, _: Unblock, ctx: &mut Context<Self>) {
        self.gate.open();
        self.perform(ctx);
    }
}
