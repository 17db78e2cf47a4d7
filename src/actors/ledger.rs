//! What is written to the database behind the calls, on a thread of its own, in order; but agents' changes of state, of which each call
//! makes several, are in an order of their own and share transactions. While the database cannot be reached, all of it waits here.

use cordboard_db::{Db, DbError, StateChange};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Changes of state are written so much after the last ones at the earliest: on a busy switch several together.
const WRITE_EVERY: Duration = Duration::from_millis(50);
/// A statement takes so many at most.
const MOST: usize = 500;
/// How long a database that could not be reached is left alone before it is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// So many notes, and so many changes of state, wait for the database. One more is lost, which is logged: who makes it carries calls and
/// must not wait.
const MOST_WAITING: usize = 200_000;

type Write = Box<dyn FnMut(&Db) -> Result<(), DbError> + Send>;
type Ask = Box<dyn FnOnce(Result<&Db, DbError>) + Send>;

enum Work {
    /// Stays until the database took or refused it.
    Note { failure: Cow<'static, str>, write: Write },
    /// Somebody waits for it: where the database cannot be reached, they hear so.
    Ask(Ask),
}

impl Work {
    /// Does it, or gives it back where the database could not be reached.
    fn done(self, db: &Db) -> Option<Self> {
        match self {
            Self::Note { failure, mut write } => match write(db) {
                Ok(()) => {}
                Err(why) if why.is_unreachable() => return Some(Self::Note { failure, write }),
                Err(why) => tracing::error!(%why, "{failure}"),
            },
            Self::Ask(ask) => ask(Ok(db)),
        }
        None
    }
}

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
    /// Notes of which only the last one of its kind counts, behind the others.
    latest: BTreeMap<String, Work>,
    /// Answered when all before it is written.
    flushes: Vec<SyncSender<()>>,
    /// The database could not be reached the last time.
    away: bool,
    closed: bool,
}

impl Notes {
    fn next(&mut self) -> Option<(Option<String>, Work)> {
        let first = self.work.pop_front().map(|work| (None, work));
        first.or_else(|| self.latest.pop_first().map(|(key, work)| (Some(key), work)))
    }

    fn reached(&mut self) {
        if std::mem::take(&mut self.away) {
            tracing::info!("the database can be reached again: what waited is written");
        }
    }
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

    /// Writes as soon as the database can be reached. `failure` is what is logged where the database refuses it.
    pub fn note(&self, failure: impl Into<Cow<'static, str>>, write: impl FnMut(&Db) -> Result<(), DbError> + Send + 'static) {
        let failure = failure.into();
        let mut notes = self.0.notes.lock();
        if notes.work.len() >= MOST_WAITING {
            return tracing::error!("{failure}: too much waits for the database");
        }
        notes.work.push_back(Work::Note { failure, write: Box::new(write) });
        self.0.bell.notify_one();
    }

    /// The same, in place of one that waits under this key: what is told again and again fills no queue.
    pub fn note_latest(
        &self,
        key: String,
        failure: impl Into<Cow<'static, str>>,
        write: impl FnMut(&Db) -> Result<(), DbError> + Send + 'static,
    ) {
        self.0.notes.lock().latest.insert(key, Work::Note { failure: failure.into(), write: Box::new(write) });
        self.0.bell.notify_one();
    }

    /// Asks the database behind what was noted before. While it cannot be reached, the answer is that, and comes at once.
    pub fn ask(&self, ask: impl FnOnce(Result<&Db, DbError>) + Send + 'static) {
        let mut notes = self.0.notes.lock();
        if notes.away {
            return MutexGuard::unlocked(&mut notes, || ask(Err(is_away())));
        }
        notes.work.push_back(Work::Ask(Box::new(ask)));
        self.0.bell.notify_one();
    }

    /// Keeps every change of state for reports (B5).
    pub fn state(&self, change: StateChange) {
        let mut notes = self.0.notes.lock();
        if notes.states.len() >= MOST_WAITING {
            return tracing::error!(?change, "an agent's change of state could not be kept: too much waits for the database");
        }
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
            let mut reached = do_work(&mut notes, db);
            let due = written + WRITE_EVERY;
            let asked = notes.closed || !notes.flushes.is_empty();
            if !reached {
                self.leave_alone(&mut notes);
            } else if asked || notes.states.len() >= MOST || !notes.states.is_empty() && Instant::now() >= due {
                reached = write_states(&mut notes, db);
                written = Instant::now();
                if !reached {
                    self.leave_alone(&mut notes);
                }
            } else if notes.states.is_empty() {
                notes.reached();
                self.bell.wait(&mut notes);
            } else {
                self.bell.wait_until(&mut notes, due);
            }
            if reached {
                notes.reached();
            }
            if notes.closed && (!reached || notes.states.is_empty() && notes.work.is_empty() && notes.latest.is_empty()) {
                return;
            }
        }
    }

    /// The database could not be reached: who asks it hears so, and what is to be written waits.
    fn leave_alone(&self, notes: &mut MutexGuard<'_, Notes>) {
        if !std::mem::replace(&mut notes.away, true) {
            tracing::error!("the database cannot be reached: what is to be written waits");
            let (asks, stay) = std::mem::take(&mut notes.work).into_iter().partition(|work| matches!(work, Work::Ask(_)));
            notes.work = stay;
            MutexGuard::unlocked(notes, || refuse(asks));
        }
        let until = Instant::now() + RETRY;
        while !notes.closed && !self.bell.wait_until(notes, until).timed_out() {}
    }
}

fn refuse(asks: VecDeque<Work>) {
    for work in asks {
        if let Work::Ask(ask) = work {
            ask(Err(is_away()));
        }
    }
}

fn is_away() -> DbError {
    DbError::Unreachable("it could not be the last time".into())
}

/// Whether the database could be reached for all of it. What it could not be reached for stays the first.
fn do_work(notes: &mut MutexGuard<'_, Notes>, db: &Db) -> bool {
    while let Some((key, work)) = notes.next() {
        let Some(left) = MutexGuard::unlocked(notes, || work.done(db)) else { continue };
        match key {
            None => notes.work.push_front(left),
            // There may be a later one.
            Some(key) => drop(notes.latest.entry(key).or_insert(left)),
        }
        return false;
    }
    true
}

/// Whether the database could be reached for all of them. A flush is answered then.
fn write_states(notes: &mut MutexGuard<'_, Notes>, db: &Db) -> bool {
    let (mut states, flushes) = (std::mem::take(&mut notes.states), std::mem::take(&mut notes.flushes));
    let done = MutexGuard::unlocked(notes, || write(db, &states, MOST));
    if done < states.len() {
        states.drain(..done);
        states.append(&mut notes.states);
        notes.states = states;
        notes.flushes.extend(flushes);
        return false;
    }
    for flush in flushes {
        // Who asked may have waited long enough.
        let _ = flush.try_send(());
    }
    true
}

/// How many of the changes are done with: all, or those before the database could not be reached. One that it refuses (its agent was deleted)
/// does not take the others along.
fn write(db: &Db, changes: &[StateChange], at_once: usize) -> usize {
    let mut done = 0;
    for some in changes.chunks(at_once) {
        let written = match db.add_agent_states(some) {
            Ok(()) => some.len(),
            Err(why) if why.is_unreachable() => 0,
            Err(_) if at_once > 1 => write(db, some, 1),
            Err(why) => {
                tracing::error!(%why, ?some, "an agent's change of state could not be kept");
                some.len()
            }
        };
        done += written;
        if written < some.len() {
            break;
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::floor::tests::apply;
    use cordboard_core::ids::AgentId;
    use cordboard_db::Settings;
    use diesel::{Connection, PgConnection, RunQueryDsl};

    fn change(agent: AgentId, at: i64) -> StateChange {
        StateChange { agent, state: "available".into(), reason: None, at }
    }

    fn agent_in(db: &Db) -> AgentId {
        apply(db, "[agents.\"a@example.com\"]\nnumber = \"1\"\nname = \"A\"\n");
        db.accounts().unwrap()[0].setup.id
    }

    #[test]
    fn all_changes_are_kept_in_their_order_also_the_last_ones_and_those_beside_one_that_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path().join("cordboard.sqlite").to_str().unwrap()).unwrap();
        let agent = agent_in(&db);
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

    /// G4, G5, A9, B5.
    #[test]
    fn what_cannot_be_written_while_the_database_is_away_is_written_in_its_order_when_it_is_back() {
        let server = std::env::var("CORDBOARD_TEST_PG").expect("CORDBOARD_TEST_PG is not set: run this under tests/support/with-postgres");
        let mut administrator = PgConnection::establish(&server).unwrap();
        let mut administer = move |statement: &str| diesel::sql_query(statement).execute(&mut administrator).unwrap();
        let name = format!("ledger_{}", std::process::id());
        administer(&format!("CREATE DATABASE {name}"));
        let db = Db::open(&server.replace("/postgres?", &format!("/{name}?"))).unwrap();
        let agent = agent_in(&db);
        let ledger = Ledger::open(db.clone());
        ledger.flush(Duration::from_secs(10));

        administer(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        administer(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
        let (heard, answers) = std::sync::mpsc::channel();
        for day in 1..=3 {
            ledger.note("a setting could not be kept", move |db| {
                let before = db.settings()?.keep_recordings;
                assert_eq!(before.unwrap_or(0), day - 1);
                db.set_settings(&Settings { keep_recordings: Some(day), ..Settings::default() })
            });
            ledger.state(change(agent, i64::from(day)));
        }
        for days in [7, 8] {
            ledger.note_latest("who waits".into(), "a setting could not be kept", move |db| {
                assert_eq!((days, db.settings()?.keep_recordings), (8, Some(3)), "the last one alone, behind the others");
                db.set_settings(&Settings { keep_recordings: Some(days), ..Settings::default() })
            });
        }
        let asked = heard.clone();
        ledger.ask(move |db| asked.send(db.is_ok()).unwrap());
        // Who asks does not wait until the database is back.
        assert!(!answers.recv_timeout(Duration::from_secs(20)).unwrap());
        ledger.state(change(agent, 4));

        administer(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
        ledger.flush(Duration::from_secs(30));
        assert_eq!(db.settings().unwrap().keep_recordings, Some(8));
        ledger.ask(move |db| heard.send(db.is_ok()).unwrap());
        assert!(answers.recv_timeout(Duration::from_secs(20)).unwrap(), "it is back for who asks, too");
        let kept: Vec<i64> = db.agent_states(agent, 0, 10).unwrap().into_iter().map(|change| change.at).collect();
        assert_eq!(kept, [1, 2, 3, 4]);
    }
}
