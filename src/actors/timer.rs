//! An actor's one timer, armed at its machine's next deadline.

use super::gauges;
use super::switch::Switch;
use actix::prelude::*;
use cordboard_core::cx::Millis;
use std::time::Duration;

/// Armed or not. Armed timers are counted (`cordboard_timers`): an idle switch has few.
#[derive(Default)]
pub struct Timer(Option<(Millis, SpawnHandle)>);

impl Timer {
    /// Has `due` run by the moment `next`, in place of whatever was to run; `due` begins with [`Timer::fired`], does what is due and arms anew. One that is
    /// armed for an earlier moment stays: on a busy switch deadlines move away with every message, and to move a timer costs more than to wake for nothing.
    pub fn arm<A>(
        &mut self,
        next: Option<Millis>,
        switch: &Switch,
        ctx: &mut Context<A>,
        due: impl FnOnce(&mut A, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        if let Some((at, handle)) = self.0 {
            if next.is_some_and(|next| at <= next) {
                return;
            }
            ctx.cancel_future(handle);
        }
        self.fired();
        if let Some(at) = next {
            self.0 = Some((at, ctx.run_later(Duration::from_millis(at.saturating_sub(switch.now())), due)));
            gauges::TIMERS.increment(1);
        }
    }

    /// It is armed no more.
    pub fn fired(&mut self) {
        if self.0.take().is_some() {
            gauges::TIMERS.decrement(1);
        }
    }
}

/// A timer ends with its actor.
impl Drop for Timer {
    fn drop(&mut self) {
        self.fired();
    }
}
