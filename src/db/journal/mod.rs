//! The journal: what happens to calls goes to a local file first, and from there to the database (design: durability).
//!
//! Three threads. The *writer* alone writes the file, and commits everything that is queued at once; what is committed survives the
//! process. The *syncer* flushes commits to the disk itself, so that a power cut costs a tenth of a second at most. The *scribe* follows
//! the entries in their order, turns ended calls into rows of the database and only then lets their entries go, a while later: after a
//! crash some calls are written once more, which changes nothing. It has the entries from memory; what it is too late for, since the
//! database is away or the process new, it reads from the file.

mod bell;
mod scribe;
mod store;
mod syncer;
mod under_way;
mod writer;

use crate::pool::Db;
use bell::Bell;
use cordboard_core::ids::CallId;
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::record::{Entry, What, fold};
use scribe::Scribe;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use store::Store;
use syncer::Syncer;
use under_way::UnderWay;
use writer::{Command, Writer};

/// Entries that may wait for the writer; some 10 MB.
const CAPACITY: usize = 16_384;

/// Called once an entry is committed or has failed, on the writer's thread: it must be quick, and must not wait for the journal.
pub type Done = Box<dyn FnOnce(Result<(), JournalError>) + Send>;

/// Called with each call whose row or remark has reached the database, on the scribe's thread.
pub type OnWritten = Box<dyn Fn(CallId) + Send>;

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JournalError {
    #[error("the journal cannot be opened: {0}")]
    Open(String),
    #[error("the journal is in use by another process")]
    InUse,
    /// More entries came than the disk takes.
    #[error("the journal is full")]
    Full,
    #[error("the journal cannot be written or read: {0}")]
    Disk(String),
    #[error("the journal was not flushed in time")]
    Timeout,
    #[error("the journal has stopped")]
    Stopped,
}

/// What entries cannot reach: the file, or the disk under it.
#[derive(Default)]
struct Trouble {
    writing: AtomicBool,
    syncing: AtomicBool,
}

/// The journal of one data folder. Dropping it writes what is queued; calls that the database did not take stay in the file.
pub struct Journal {
    commands: SyncSender<Command>,
    bell: Arc<Bell>,
    trouble: Arc<Trouble>,
    path: PathBuf,
    /// The last entry of the process before this one.
    inherited: i64,
    writer: Option<JoinHandle<()>>,
    scribe: Option<JoinHandle<()>>,
    /// Locked as long as the journal is open.
    _lock: File,
}

impl Journal {
    /// Opens or makes the journal in this folder, and begins to write ended calls to the database.
    pub fn open(dir: &Path, db: Db, on_written: OnWritten) -> Result<Self, JournalError> {
        let failed = |error: std::io::Error| JournalError::Open(error.to_string());
        std::fs::create_dir_all(dir).map_err(failed)?;
        let lock = File::create(dir.join("journal.lock")).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => JournalError::InUse,
            std::fs::TryLockError::Error(error) => failed(error),
        })?;
        let path = dir.join("journal.sqlite");
        let mut store = Store::open(&path)?;
        let inherited = store.last()?;
        let trouble = Arc::new(Trouble::default());
        let bell = Arc::new(Bell::new(inherited));
        let (commands, queue) = sync_channel(CAPACITY);
        let syncer = Syncer::start(dir.join("journal.sqlite-wal"), trouble.clone())?;
        let writer = Writer::new(store, inherited, queue, syncer, bell.clone(), trouble.clone());
        let scribe = Scribe::new(Store::open(&path)?, db, commands.clone(), bell.clone(), on_written);
        Ok(Self {
            writer: Some(spawn("journal-writer", move || writer.run())?),
            scribe: Some(spawn("journal-scribe", move || scribe.run())?),
            commands,
            bell,
            trouble,
            path,
            inherited,
            _lock: lock,
        })
    }

    /// Queues an entry; never blocks. Entries are written in the order of their appends.
    ///
    /// An entry that fails is tried again until it can be written, unless it is [`What::Accepted`]: that call is refused.
    pub fn append(&self, entry: Entry, done: Option<Done>) {
        let (command, error) = match self.commands.try_send(Command::Append(entry, done)) {
            Ok(()) => return,
            Err(TrySendError::Full(command)) => (command, JournalError::Full),
            Err(TrySendError::Disconnected(command)) => (command, JournalError::Stopped),
        };
        if !self.trouble.writing.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the journal takes no more entries");
        }
        if let Command::Append(_, Some(done)) = command {
            done(Err(error));
        }
    }

    /// Whether entries reach the disk. While they do not, new calls are to be refused.
    pub fn is_healthy(&self) -> bool {
        !self.trouble.writing.load(Ordering::Relaxed) && !self.trouble.syncing.load(Ordering::Relaxed)
    }

    /// Ends the calls that the process before this one left without an end, as interrupted (G2): at `cut`, the last moment known of
    /// a call such as its recording's end, or at its last entry. Their ids. Calls of this process are not touched.
    pub fn recover(&self, cut: &HashMap<CallId, i64>) -> Result<Vec<CallId>, JournalError> {
        let mut calls = UnderWay::default();
        Store::open(&self.path)?.each(|seq, entry| drop(calls.take(seq, entry)))?;
        let (done, results) = sync_channel(CAPACITY);
        let mut ended = Vec::new();
        for entries in calls.begun_by(self.inherited) {
            let Some(call) = entries.first().map(|entry| entry.call) else { continue };
            let Some(row) = fold(&entries, cut.get(&call).copied()) else { continue };
            let end = What::Ended { status: CallStatus::Interrupted, by: HungUpBy::Switch };
            let done = done.clone();
            let done: Done = Box::new(move |result| drop(done.try_send(result)));
            let command = Command::Append(Entry { call, at: row.ended, what: end }, Some(done));
            self.commands.send(command).map_err(|_| JournalError::Stopped)?;
            ended.push(call);
            if ended.len().is_multiple_of(CAPACITY) {
                collect(&results, CAPACITY)?;
            }
        }
        collect(&results, ended.len() % CAPACITY)?;
        Ok(ended)
    }

    /// Waits until all that was appended before is committed, and all calls that ended are in the database.
    /// Not to be called from [`Done`] or [`OnWritten`].
    pub fn flush(&self, timeout: Duration) -> Result<(), JournalError> {
        let deadline = Instant::now() + timeout;
        let wait = |answer: Receiver<Result<(), JournalError>>| {
            answer.recv_timeout(deadline.saturating_duration_since(Instant::now())).map_err(|error| match error {
                RecvTimeoutError::Timeout => JournalError::Timeout,
                RecvTimeoutError::Disconnected => JournalError::Stopped,
            })?
        };
        let (done, answer) = sync_channel(1);
        self.commands.send(Command::Flush(done)).map_err(|_| JournalError::Stopped)?;
        wait(answer)?;
        let (done, answer) = sync_channel(1);
        self.bell.ask(done);
        wait(answer)
    }
}

fn collect(results: &Receiver<Result<(), JournalError>>, count: usize) -> Result<(), JournalError> {
    results.iter().take(count).collect()
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, JournalError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    let started = thread.spawn(move || {
        wait_your_turn();
        work();
    });
    started.map_err(|error| JournalError::Open(error.to_string()))
}

/// Keeps this thread from interrupting others of the same core when it is woken (`SCHED_BATCH`, sched(7)): on a busy machine it then finds
/// several entries to commit at once, on an idle one it begins as early as before. For threads that write behind.
pub fn wait_your_turn() {
    let policy = libc::sched_param { sched_priority: 0 };
    // SAFETY: 0 is this thread; the parameter is read during the call only.
    let done = unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const policy) };
    if done != 0 {
        tracing::debug!(error = %std::io::Error::last_os_error(), "a thread that writes behind interrupts others");
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.bell.stop();
        let ended = self.scribe.take().map(JoinHandle::join);
        // The scribe asks the writer for something until its own end.
        let stopped = self.commands.send(Command::Stop).is_ok();
        let written = self.writer.take().map(JoinHandle::join);
        if !stopped || matches!(ended, Some(Err(_))) || matches!(written, Some(Err(_))) {
            tracing::error!("the journal did not stop cleanly");
        }
    }
}
