//! The one thread that writes the journal's file.

use super::bell::Bell;
use super::store::Store;
use super::syncer::Syncer;
use super::{CAPACITY, Done, JournalError, Trouble};
use cordboard_core::record::{Entry, What};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

/// One commit follows another by so much at least: a busy switch then commits less often, and a quiet one at once. For a commit waits who is told that it
/// rings, who is called outside, and who is about to hear the other (G5).
const COMMIT_EVERY: Duration = Duration::from_millis(1);
/// Entries of one commit.
const BATCH: usize = 1_000;
/// After a failure, how often it is tried again when nothing new comes.
const RETRY: Duration = Duration::from_millis(250);

pub(super) enum Command {
    Append(Entry, Option<Done>),
    /// These entries, in order of their numbers, are in the database.
    Forget(Vec<i64>, SyncSender<Result<(), JournalError>>),
    /// Answers when all entries before it are committed.
    Flush(SyncSender<Result<(), JournalError>>),
    Stop,
}

pub(super) struct Writer {
    store: Store,
    queue: Receiver<Command>,
    syncer: Syncer,
    bell: Arc<Bell>,
    trouble: Arc<Trouble>,
    /// The last entry's number.
    last: i64,
    /// Entries that failed; they go before all others.
    backlog: VecDeque<Entry>,
}

impl Writer {
    pub fn new(store: Store, last: i64, queue: Receiver<Command>, syncer: Syncer, bell: Arc<Bell>, trouble: Arc<Trouble>) -> Self {
        Self { store, queue, syncer, bell, trouble, last, backlog: VecDeque::new() }
    }

    pub fn run(mut self) {
        loop {
            let first = match self.next() {
                Ok(command) => Some(command),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut batch = Vec::new();
            let mut other = None;
            for command in first.into_iter().chain(self.queue.try_iter()) {
                match command {
                    Command::Append(entry, done) => batch.push((entry, done)),
                    Command::Forget(..) | Command::Flush(_) | Command::Stop => {
                        other = Some(command);
                        break;
                    }
                }
                if batch.len() >= BATCH {
                    break;
                }
            }
            let wrote = !batch.is_empty();
            let committed = self.commit(batch);
            match other {
                Some(Command::Forget(numbers, answer)) => drop(answer.send(self.store.forget(&numbers))),
                Some(Command::Flush(answer)) => drop(answer.send(committed)),
                Some(Command::Stop) => return,
                Some(Command::Append(..)) | None => {}
            }
            if wrote {
                // Here, and not when the next entry is there: who appends it then wakes nobody.
                std::thread::sleep(COMMIT_EVERY);
            }
        }
    }

    fn next(&self) -> Result<Command, RecvTimeoutError> {
        if self.is_failing() {
            // New calls are refused meanwhile, so nothing else may come that would show that it works again.
            return self.queue.recv_timeout(RETRY);
        }
        self.queue.recv().map_err(RecvTimeoutError::from)
    }

    fn is_failing(&self) -> bool {
        self.trouble.writing.load(Ordering::Relaxed)
    }

    /// Commits the backlog and the batch; what fails is told, and kept for the next time.
    fn commit(&mut self, batch: Vec<(Entry, Option<Done>)>) -> Result<(), JournalError> {
        let result = match (batch.is_empty() && self.backlog.is_empty(), self.is_failing()) {
            (true, false) => return Ok(()),
            (true, true) => self.store.probe().map(|()| self.last),
            (false, _) => self.store.append(self.last, self.backlog.iter().chain(batch.iter().map(|(entry, _)| entry))),
        };
        let was = self.trouble.writing.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Ok(_) if was => tracing::info!("the journal is written again"),
            Err(error) if !was => tracing::error!(%error, "the journal cannot be written"),
            Ok(_) | Err(_) => {}
        }
        let (entries, waiting): (Vec<Entry>, Vec<Option<Done>>) = batch.into_iter().unzip();
        let result = match result {
            Ok(last) => {
                self.syncer.commit();
                self.bell.hand(self.backlog.drain(..).chain(entries));
                self.last = last;
                Ok(())
            }
            Err(error) => {
                entries.into_iter().for_each(|entry| self.keep(entry));
                Err(error)
            }
        };
        for done in waiting.into_iter().flatten() {
            let result = result.clone();
            // Whatever the callback does, the journal goes on.
            if catch_unwind(AssertUnwindSafe(move || done(result))).is_err() {
                tracing::error!("a callback of the journal panicked");
            }
        }
        result
    }

    fn keep(&mut self, entry: Entry) {
        if matches!(entry.what, What::Accepted { .. }) {
            // This call is refused; its row would tell of a call that never was.
            return;
        }
        if self.backlog.len() >= CAPACITY {
            tracing::error!(call = %entry.call, "an entry of the journal is lost");
            return;
        }
        self.backlog.push_back(entry);
    }
}
