//! An agent who only calls out (E1): rests, dials, and rests again when the call is over.

use crate::scenario::Scenario;
use crate::story::{CallOut, StoryOut};
use std::future::pending;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// When there is somebody who can be called.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub from: Instant,
    pub until: Instant,
}

pub struct Caller {
    scenario: Arc<Scenario>,
    window: watch::Receiver<Option<Window>>,
    next: CallOut,
    /// Since when the agent is available; none: it is not.
    free: Option<Instant>,
}

impl Caller {
    pub fn new(agent: u32, scenario: Arc<Scenario>, window: watch::Receiver<Option<Window>>) -> Self {
        Self { scenario, window, next: CallOut { agent, nth: 0 }, free: None }
    }

    /// The agent is available.
    pub fn rest(&mut self) {
        self.free = Some(Instant::now());
    }

    /// Ends when the next call is due.
    pub async fn due(&mut self) {
        let Some(free) = self.free else { return pending().await };
        let rest = StoryOut::of(&self.scenario, self.next).rest;
        loop {
            let window = *self.window.borrow_and_update();
            if let Some(Window { from, until }) = window {
                let due = free.max(from) + rest;
                if due < until {
                    return sleep_until(due).await;
                }
            }
            if self.window.changed().await.is_err() {
                return pending().await;
            }
        }
    }

    /// What is dialled now.
    pub fn dial(&mut self) -> CallOut {
        self.free = None;
        let call = self.next;
        self.next.nth += 1;
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn calls_are_due_after_the_rest_and_only_in_the_window() {
        let text = "about = \"\"\nseconds = 10\n[arrivals]\nkind = \"constant\"\nrate = 1\n[customers]\naudio = true\n[agents]\n\
            kind = \"browsers\"\ncount = 1\ntalk = 1\ncallers = 1\ncalls_after = 3";
        let (window, told) = watch::channel(None);
        let mut caller = Caller::new(2, Arc::new(Scenario::parse(text).unwrap()), told);
        let open = || Some(Window { from: Instant::now() + SECOND, until: Instant::now() + 10 * SECOND });
        let within = async |caller: &mut Caller, seconds: u32| {
            let began = Instant::now();
            timeout(seconds * SECOND, caller.due()).await.ok().map(|()| began.elapsed().as_secs())
        };
        window.send_replace(open());
        assert_eq!(within(&mut caller, 9).await, None, "not available");
        caller.rest();
        assert_eq!(within(&mut caller, 100).await, None, "the window closes before the rest is over");
        window.send_replace(open());
        assert_eq!(within(&mut caller, 100).await, Some(4), "all rest from the window's beginning");
        assert_eq!((caller.dial(), caller.dial()), (CallOut { agent: 2, nth: 0 }, CallOut { agent: 2, nth: 1 }));
        assert_eq!(within(&mut caller, 3).await, None, "in a call");
        caller.rest();
        assert_eq!(within(&mut caller, 100).await, None);
    }
}
