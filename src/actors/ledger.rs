//! What is written to the database behind the calls, on a thread of its own, in order; but agents' changes of state, of which each call
//! makes several, are in an order of their own and share transactions.

use cordboard_db::{Db, StateChange};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Changes of state are written so much after the last ones at the earliest: on a busy switch several together.
const WRITE_EVERY: Duration = Duration::from_millis(50);
/// A statement takes so many at most.
const MOST: usize = 500;

type Work = Box<dyn FnOnce(&Db) + Send>;

/// The way to the ledger's thread, which ends when this is dropped.
pub struct Ledger(Arc<Desk>);

/// Where notes lie for the thread. A change of state wakes it only when none lies there yet.
#[derive(Default)]
struct Desk {
    notes: Mutex<Notes>,
    bell: Condvar,
}

#[derive(Default)]
struct Notes {
    states: Vec<StateChange>,
    work: VecDeque<Work>,
    /// Answered when all before it is written.
    flushes: Vec<SyncSender<()>>,
    closed: bool,
}

impl Ledger {
    pub fn open(db: Db) -> Self {
        let desk = Arc::<Desk>::default();
        let notes = desk.clone();
        std::thread::spawn(move || {
            cordboard_db::journal::wait_your_turn();
            notes.keep(&db);
        });
        Self(desk)
    }

    pub fn note(&self, work: impl FnOnce(&Db) + Send + 'static) {
        self.0.notes.lock().work.push_back(Box::new(work));
        self.0.bell.notify_one();
    }

    /// Keeps every change of state for reports (B5).
    pub fn state(&self, change: StateChange) {
        let mut notes = self.0.notes.lock();
        notes.states.push(change);
        if matches!(notes.states.len(), 1 | MOST) {
            self.0.bell.notify_one();
        }
    }

    /// Waits until all is written, for so long at most.
    pub fn flush(&self, timeout: Duration) {
        let (done, written) = sync_channel(1);
        self.0.notes.lock().flushes.push(done);
        self.0.bell.notify_one();
        if written.recv_timeout(timeout).is_err() {
            tracing::error!("the ledger was not written in time");
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.0.notes.lock().closed = true;
        self.0.bell.notify_one();
    }
}

impl Desk {
    fn keep(&self, db: &Db) {
        let mut written = Instant::now();
        let mut notes = self.notes.lock();
        loop {
            while let Some(work) = notes.work.pop_front() {
                MutexGuard::unlocked(&mut notes, || work(db));
            }
            let due = written + WRITE_EVERY;
            let asked = notes.closed || !notes.flushes.is_empty();
            if asked || notes.states.len() >= MOST || !notes.states.is_empty() && Instant::now() >= due {
                let (states, flushes) = (std::mem::take(&mut notes.states), std::mem::take(&mut notes.flushes));
                MutexGuard::unlocked(&mut notes, || write(db, &states));
                written = Instant::now();
                for done in flushes {
                    // Who asked may have waited long enough.
                    let _ = done.try_send(());
                }
            } else if notes.states.is_empty() {
                self.bell.wait(&mut notes);
            } else {
                self.bell.wait_until(&mut notes, due);
            }
            if notes.closed && notes.states.is_empty() && notes.work.is_empty() {
                return;
            }
        }
    }
}

/// One that the database refuses (its agent was deleted) does not take the others along.
fn write(db: &Db, changes: &[StateChange]) {
    match (db.add_agent_states(changes), changes) {
        (Ok(()), _) => {}
        (Err(_), [_, _, ..]) => changes.chunks(1).for_each(|change| write(db, change)),
        (Err(why), _) => tracing::error!(%why, ?changes, "an agent's change of state could not be kept"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_core::ids::AgentId;

    fn change(agent: AgentId, at: i64) -> StateChange {
        StateChange { agent, state: "available".into(), reason: None, at }
    }

    #[test]
    fn all_changes_are_kept_in_their_order_also_the_last_ones_and_those_beside_one_that_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path().join("cordboard.sqlite").to_str().unwrap()).unwrap();
        let floor = cordboard_db::floor::parse("[agents.\"a@example.com\"]\nnumber = \"1\"\nname = \"A\"\n").unwrap();
        let none = |_: &str| Err("no password".to_owned());
        let passwords = cordboard_db::floor::Passwords { env: &|_| None, hash: &none, phone: &|_, _| Err("no phone".to_owned()) };
        cordboard_db::floor::apply(&db, &floor, &passwords, false).unwrap();
        let agent = db.accounts().unwrap()[0].setup.id;
        let ledger = Ledger::open(db.clone());
        let most = i64::try_from(MOST).unwrap() + 20;
        for at in 0..most {
            ledger.state(change(agent, at));
        }
        ledger.state(change(AgentId(i32::MAX), most));
        ledger.flush(Duration::from_secs(10));
        let kept: Vec<i64> = db.agent_states(agent, 0, most).unwrap().into_iter().map(|change| change.at).collect();
        assert_eq!(kept, (0..most).collect::<Vec<_>>());
    }
}
