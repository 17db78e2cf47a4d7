//! What is written to the database behind the calls, on a thread of its own, in order; but agents' changes of state, of which each call
//! makes several, are in an order of their own and share transactions.

use cordboard_db::{Db, StateChange};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

/// Changes of state are written so much after the last ones at the earliest: on a busy switch several together.
const WRITE_EVERY: Duration = Duration::from_millis(50);
/// A statement takes so many at most.
const MOST: usize = 500;

type Work = Box<dyn FnOnce(&Db) + Send>;

enum Note {
    State(StateChange),
    Other(Work),
    /// Answered when all before it is written.
    Flush(SyncSender<()>),
}

/// The way to the ledger's thread, which ends when this is dropped.
pub struct Ledger(Sender<Note>);

impl Ledger {
    pub fn open(db: Db) -> Self {
        let (ledger, notes) = channel();
        std::thread::spawn(move || {
            cordboard_db::journal::wait_your_turn();
            keep(&db, &notes);
        });
        Self(ledger)
    }

    pub fn note(&self, work: impl FnOnce(&Db) + Send + 'static) {
        self.send(Note::Other(Box::new(work)));
    }

    /// Keeps every change of state for reports (B5).
    pub fn state(&self, change: StateChange) {
        self.send(Note::State(change));
    }

    /// Waits until all is written, for so long at most.
    pub fn flush(&self, timeout: Duration) {
        let (done, written) = sync_channel(1);
        self.send(Note::Flush(done));
        if written.recv_timeout(timeout).is_err() {
            tracing::error!("the ledger was not written in time");
        }
    }

    fn send(&self, note: Note) {
        if self.0.send(note).is_err() {
            tracing::error!("the ledger's thread is gone");
        }
    }
}

fn keep(db: &Db, notes: &Receiver<Note>) {
    let mut changes: Vec<StateChange> = Vec::new();
    let mut written = Instant::now();
    loop {
        let next = match changes.len() {
            0 => notes.recv().map_err(RecvTimeoutError::from),
            MOST.. => Err(RecvTimeoutError::Timeout),
            _ => notes.recv_timeout(WRITE_EVERY.saturating_sub(written.elapsed())),
        };
        match next {
            Ok(Note::State(change)) => changes.push(change),
            Ok(Note::Other(work)) => work(db),
            Ok(Note::Flush(done)) => {
                write(db, &changes);
                changes.clear();
                // Who asked may have waited long enough.
                let _ = done.try_send(());
            }
            Err(end) => {
                write(db, &changes);
                changes.clear();
                written = Instant::now();
                if end == RecvTimeoutError::Disconnected {
                    return;
                }
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
        let (ledger, notes) = channel();
        let most = i64::try_from(MOST).unwrap() + 20;
        for at in 0..most {
            ledger.send(Note::State(change(agent, at))).unwrap();
        }
        ledger.send(Note::State(change(AgentId(i32::MAX), most))).unwrap();
        drop(ledger);
        keep(&db, &notes);
        let kept: Vec<i64> = db.agent_states(agent, 0, most).unwrap().into_iter().map(|change| change.at).collect();
        assert_eq!(kept, (0..most).collect::<Vec<_>>());
    }
}
