//! Turns ended calls into rows of the database, and only then lets their entries go.

use super::bell::{Answer, Bell};
use super::store::Store;
use super::under_way::{Item, UnderWay};
use super::writer::Command;
use super::{JournalError, OnWritten};
use crate::calls::Noted;
use crate::error::DbError;
use crate::pool::Db;
use cordboard_core::record::CallRow;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Calls that may wait in memory because the database refuses them alone.
const REFUSED: usize = 200;
/// Entries are let go of so often, and so many at once, since calls wait for it meanwhile.
const FORGET_EVERY: Duration = Duration::from_secs(2);
const FORGET: usize = 1_000;
/// Pauses while the database is away: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why a round ended before all was written.
#[derive(Debug, thiserror::Error)]
enum Setback {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

pub(super) struct Scribe {
    store: Store,
    db: Db,
    commands: SyncSender<Command>,
    bell: Arc<Bell>,
    on_written: OnWritten,
    /// The last entry that was read.
    read: i64,
    calls: UnderWay,
    /// What was read and is not in the database yet.
    kept: Vec<Item>,
    /// The entries that nobody needs any more, and when some were let go of last.
    spent: Vec<i64>,
    forgot_at: Instant,
}

impl Scribe {
    pub fn new(store: Store, db: Db, commands: SyncSender<Command>, bell: Arc<Bell>, on_written: OnWritten) -> Self {
        let (calls, forgot_at) = (UnderWay::default(), Instant::now());
        Self { store, db, commands, bell, on_written, read: 0, calls, kept: Vec::new(), spent: Vec::new(), forgot_at }
    }

    pub fn run(mut self) {
        let mut pause = None;
        let mut asking: VecDeque<Answer> = VecDeque::new();
        while let Some(more) = self.bell.wait(pause, (!self.spent.is_empty()).then_some(FORGET_EVERY)) {
            asking.extend(more);
            match self.round().and_then(|()| Ok(self.forget(!asking.is_empty())?)) {
                Ok(()) => {
                    if pause.take().is_some() {
                        tracing::info!("ended calls are written to the database again");
                    }
                    for answer in asking.drain(..) {
                        drop(answer.send(Ok(())));
                    }
                }
                Err(error) => {
                    if pause.is_none() {
                        tracing::error!(%error, "ended calls cannot be written to the database; they wait in the journal");
                    }
                    pause = Some(pause.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE)));
                }
            }
        }
        if let Err(error) = self.forget(true) {
            tracing::error!(%error, "the journal keeps entries that are in the database");
        }
    }

    /// Writes all calls that are due. One that the database refuses does not keep the others from it.
    fn round(&mut self) -> Result<(), Setback> {
        let mut refused = None;
        let mut items = std::mem::take(&mut self.kept);
        loop {
            refused = self.write_or_keep(items)?.or(refused);
            self.forget(false)?;
            if self.kept.len() > REFUSED || self.bell.is_stopping() {
                break;
            }
            match self.read()? {
                Some(more) => items = more,
                None => break,
            }
        }
        refused.map_or(Ok(()), |error| Err(error.into()))
    }

    /// What the next entries come to; none when all are read.
    fn read(&mut self) -> Result<Option<Vec<Item>>, JournalError> {
        let Some(mut lines) = self.bell.take(self.read) else { return Ok(None) };
        if lines.is_empty() {
            lines = self.store.after(self.read)?;
        }
        let Some((last, _)) = lines.last() else { return Ok(None) };
        self.read = *last;
        let mut items = Vec::new();
        for (seq, entry) in lines {
            let Some(entry) = entry else {
                self.spent.push(seq);
                continue;
            };
            let Some(item) = self.calls.take(seq, entry) else { continue };
            let refused = self.kept.iter_mut().find(|kept| kept.call == item.call);
            match (&item.row, refused) {
                (None, _) if item.notes.is_empty() => self.spent.extend(item.entries),
                (None, Some(kept)) => {
                    kept.notes.extend(item.notes);
                    kept.entries.extend(item.entries);
                }
                (Some(_), _) | (None, None) => items.push(item),
            }
        }
        Ok(Some(items))
    }

    /// Writes these in one transaction, or each in one if the database refuses that, and keeps what it does not take. What it said to the last
    /// one that it refused.
    fn write_or_keep(&mut self, items: Vec<Item>) -> Result<Option<DbError>, DbError> {
        let Err(error) = self.write(&items) else {
            self.spent.extend(items.into_iter().flat_map(|item| item.entries));
            return Ok(None);
        };
        if error.is_unreachable() || items.len() == 1 {
            tracing::debug!(calls = items.len(), %error, "the database does not take calls");
            self.kept.extend(items);
            return if error.is_unreachable() { Err(error) } else { Ok(Some(error)) };
        }
        let mut refused = None;
        let mut items = items.into_iter();
        while let Some(item) = items.next() {
            match self.write_or_keep(vec![item]) {
                Ok(error) => refused = error.or(refused),
                Err(error) => {
                    self.kept.extend(items);
                    return Err(error);
                }
            }
        }
        Ok(refused)
    }

    fn write(&self, items: &[Item]) -> Result<(), DbError> {
        if items.is_empty() {
            return Ok(());
        }
        let rows: Vec<&CallRow> = items.iter().filter_map(|item| item.row.as_ref()).collect();
        let notes: Vec<&Noted> = items.iter().flat_map(|item| &item.notes).collect();
        self.db.write_calls_and_notes(&rows, &notes)?;
        for item in items {
            // Whatever the callback does, the scribe goes on.
            if catch_unwind(AssertUnwindSafe(|| (self.on_written)(item.call))).is_err() {
                tracing::error!(call = %item.call, "a callback of the journal panicked");
            }
        }
        Ok(())
    }

    /// Lets go of the entries that nobody needs any more, if it is time. The oldest first: a note that is read again after a crash, and an
    /// end without its beginning, then change nothing.
    fn forget(&mut self, now: bool) -> Result<(), JournalError> {
        if !now && self.forgot_at.elapsed() < FORGET_EVERY {
            return Ok(());
        }
        self.forgot_at = Instant::now();
        self.spent.sort_unstable();
        for part in self.spent.chunks(FORGET) {
            let (done, answer) = sync_channel(1);
            self.commands.send(Command::Forget(part.to_vec(), done)).map_err(|_| JournalError::Stopped)?;
            answer.recv().map_err(|_| JournalError::Stopped)??;
        }
        self.spent.clear();
        Ok(())
    }
}
