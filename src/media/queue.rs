//! What the engine is asked, on its way there. Waking the media thread costs more than most commands do: so only what would be heard too late
//! rings for it, and the rest is taken along with the next packets or at the next tick of its clock, 20 ms later at most.

use crate::event::Command;
use parking_lot::Mutex;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use tokio::sync::Notify;

/// As many commands wait for a tick at most.
const MOST: usize = 64;

#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

#[derive(Default)]
struct Waiting {
    commands: Vec<Command>,
    /// The thread that rings by [`Asker::flush`].
    holder: Option<ThreadId>,
    /// The holder has something that should ring.
    held: bool,
    nobody_asks: bool,
    ended: bool,
}

/// The askers' end; when it is dropped, the engine ends.
pub struct Asker(Arc<Queue>);

/// The engine's end; when it is dropped, nothing more is taken.
pub struct Asked(Arc<Queue>);

/// The engine has ended.
pub struct Ended;

pub fn queue() -> (Asker, Asked) {
    let queue = Arc::<Queue>::default();
    (Asker(queue.clone()), Asked(queue))
}

impl Asker {
    /// Commands are obeyed in the order in which they were asked for.
    pub fn ask(&self, command: Command) -> Result<(), Ended> {
        let mut waiting = self.0.waiting.lock();
        if waiting.ended {
            return Err(Ended);
        }
        let urgent = command.is_urgent();
        waiting.commands.push(command);
        let holds = waiting.holder.is_some_and(|holder| holder == thread::current().id());
        waiting.held |= urgent && holds;
        if urgent && !holds || waiting.commands.len() >= MOST {
            self.0.bell.notify_one();
        }
        Ok(())
    }

    /// From now on what this thread asks for rings when it calls [`Asker::flush`], which it does before it sleeps: several commands wake the
    /// engine once.
    pub fn hold_back(&self) {
        self.0.waiting.lock().holder = Some(thread::current().id());
    }

    pub fn flush(&self) {
        if std::mem::take(&mut self.0.waiting.lock().held) {
            self.0.bell.notify_one();
        }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.0.waiting.lock().nobody_asks = true;
        self.0.bell.notify_one();
    }
}

impl Asked {
    pub async fn rung(&self) {
        self.0.bell.notified().await;
    }

    /// All that waits; `None` when nothing will come any more.
    pub fn take(&self) -> Option<Vec<Command>> {
        let mut waiting = self.0.waiting.lock();
        let commands = std::mem::take(&mut waiting.commands);
        (!commands.is_empty() || !waiting.nobody_asks).then_some(commands)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.waiting.lock().ended = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Source;
    use cordboard_core::ids::LegId;
    use std::time::Duration;
    use tokio::time::timeout;

    fn hear(source: Source) -> Command {
        Command::Hear { leg: LegId(1), source }
    }

    async fn rings(asked: &Asked) -> bool {
        timeout(Duration::from_millis(1), asked.rung()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_heard_at_once_rings_and_the_rest_waits_for_the_clock_or_for_company() {
        let (asker, asked) = queue();
        assert!(asker.ask(hear(Source::Music("m".into()))).is_ok());
        assert!(!rings(&asked).await);
        assert!(asker.ask(hear(Source::Leg(LegId(2)))).is_ok());
        assert!(rings(&asked).await);
        assert_eq!(asked.take().unwrap().len(), 2);
        for _ in 0..MOST {
            assert!(asker.ask(Command::Close { leg: LegId(1) }).is_ok());
        }
        assert!(rings(&asked).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_thread_that_holds_back_rings_once_for_all_and_others_ring_as_ever() {
        let (asker, asked) = queue();
        asker.hold_back();
        for leg in 2..4 {
            assert!(asker.ask(hear(Source::Leg(LegId(leg)))).is_ok());
        }
        assert!(!rings(&asked).await);
        asker.flush();
        assert!(rings(&asked).await);
        asker.flush();
        assert!(!rings(&asked).await, "nothing came since");
        thread::scope(|scope| {
            scope.spawn(|| asker.ask(hear(Source::Silence)).is_ok());
        });
        assert!(rings(&asked).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_asked_last_is_still_obeyed_and_an_engine_that_ended_takes_nothing() {
        let (asker, asked) = queue();
        assert!(asker.ask(Command::Close { leg: LegId(1) }).is_ok());
        drop(asker);
        assert!(rings(&asked).await);
        assert_eq!(asked.take().unwrap().len(), 1);
        assert!(asked.take().is_none());
        let (asker, asked) = queue();
        drop(asked);
        assert!(asker.ask(Command::Close { leg: LegId(1) }).is_err());
    }
}
