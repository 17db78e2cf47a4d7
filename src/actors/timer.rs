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
    /// Has `due` run at the moment `next`, in place of whatever was to run; `due` begins with [`Timer::fired`].
    pub fn arm<A>(
        &mut self,
        next: Option<Millis>,
        switch: &Switch,
        ctx: &mut Context<A>,
        due: impl FnOnce(&mut A, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        if self.0.map(|(at, _)| at) == next {
            return;
        }
        if let Some((_, handle)) = self.0 {
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
