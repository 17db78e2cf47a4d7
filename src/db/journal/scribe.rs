//! Turns ended calls into rows of the database, and only then lets their entries go.

use super::store::Store;
use super::writer::Command;
use super::{JournalError, OnWritten};
use crate::calls::{Note, Noted};
use crate::error::DbError;
use crate::pool::Db;
use cordboard_core::ids::CallId;
use cordboard_core::record::{CallRow, Entry, What, fold};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Entries looked at, and so calls written, at once.
const PAGE: i64 = 200;
/// One round follows another by so much at least, unless somebody waits: on a busy switch calls share transactions.
const ROUND_EVERY: Duration = Duration::from_millis(50);
/// Pauses while the database is away: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

type Answer = SyncSender<Result<(), JournalError>>;

/// What the scribe waits for.
#[derive(Default)]
pub(super) struct Bell {
    state: Mutex<BellState>,
    changed: Condvar,
}

#[derive(Default)]
struct BellState {
    /// There may be calls to write.
    rung: bool,
    stop: bool,
    /// Those who want to know when all calls are written.
    asking: Vec<Answer>,
}

impl Bell {
    pub fn ring(&self) {
        self.change(|state| state.rung = true);
    }

    /// Answers when a look at the journal that begins after this has left nothing to write.
    pub fn ask(&self, answer: Answer) {
        self.change(|state| state.asking.push(answer));
    }

    pub fn stop(&self) {
        self.change(|state| state.stop = true);
    }

    fn is_stopping(&self) -> bool {
        self.lock().stop
    }

    fn change(&self, change: impl FnOnce(&mut BellState)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, BellState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a while, and then for work; after a failure, when work is there already, for `pause` alone. Or until somebody asks. Those who
    /// ask, or none when it is time to stop.
    fn wait(&self, pause: Option<Duration>) -> Option<Vec<Answer>> {
        let unasked = |state: &mut BellState| !state.stop && state.asking.is_empty();
        let least = pause.unwrap_or(ROUND_EVERY);
        let mut state = self.changed.wait_timeout_while(self.lock(), least, unasked).unwrap_or_else(PoisonError::into_inner).0;
        if pause.is_none() {
            let idle = |state: &mut BellState| unasked(state) && !state.rung;
            state = self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        }
        state.rung = false;
        (!state.stop).then(|| std::mem::take(&mut state.asking))
    }
}

/// Why a round ended before all was written.
#[derive(Debug, thiserror::Error)]
enum Setback {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A call's way into the database.
struct Item {
    call: CallId,
    /// The last entry that was read.
    last: i64,
    /// None when it is there already, or when there never was such a call.
    row: Option<CallRow>,
    notes: Vec<Noted>,
}

impl Item {
    fn read(call: CallId, entries: Vec<(i64, Entry)>) -> Self {
        let last = entries.last().map_or(i64::MAX, |(seq, _)| *seq);
        let entries: Vec<Entry> = entries.into_iter().map(|(_, entry)| entry).collect();
        let noted = |entry: &Entry| match &entry.what {
            What::Remark { segment, text } => Some(Noted { call, segment: *segment, note: Note::Remark(text.clone()) }),
            What::Disposition { segment, name } => Some(Noted { call, segment: *segment, note: Note::Disposition(name.clone()) }),
            What::Accepted { .. }
            | What::Barred { .. }
            | What::Dialling { .. }
            | What::Queued { .. }
            | What::Ringing { .. }
            | What::RingEnded { .. }
            | What::Connected { .. }
            | What::Held
            | What::Resumed
            | What::RecordingBegan
            | What::ConsultBegan { .. }
            | What::Conferenced
            | What::ConsultEnded { .. }
            | What::ConsultTookOver { .. }
            | What::SegmentEnded { .. }
            | What::FlowBegan { .. }
            | What::FlowResult(_)
            | What::FlowFinished
            | What::Quality { .. }
            | What::Ended { .. } => None,
        };
        Self { call, last, row: fold(&entries, None), notes: entries.iter().filter_map(noted).collect() }
    }
}

pub(super) struct Scribe {
    store: Store,
    db: Db,
    commands: SyncSender<Command>,
    bell: Arc<Bell>,
    on_written: OnWritten,
}

impl Scribe {
    pub fn new(store: Store, db: Db, commands: SyncSender<Command>, bell: Arc<Bell>, on_written: OnWritten) -> Self {
        Self { store, db, commands, bell, on_written }
    }

    pub fn run(mut self) {
        // What the process before this one left is written without a ring.
        self.bell.ring();
        let mut pause = None;
        let mut asking: VecDeque<Answer> = VecDeque::new();
        while let Some(more) = self.bell.wait(pause) {
            asking.extend(more);
            match self.round() {
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
    }

    /// Writes all calls that are due. One that the database refuses does not keep the others from it.
    fn round(&mut self) -> Result<(), Setback> {
        let mut after = 0;
        let mut refused = None;
        loop {
            let due = self.store.due(after, PAGE)?;
            let Some(next) = due.next.filter(|_| !self.bell.is_stopping()) else { return refused.map_or(Ok(()), Err) };
            after = next;
            let mut items = Vec::new();
            for call in due.calls {
                items.push(Item::read(call, self.store.entries_of(call)?));
            }
            match self.write(&items) {
                Err(Setback::Db(error)) if !error.is_unreachable() && items.len() > 1 => {
                    refused = self.write_each(&items)?.or(refused);
                }
                Err(Setback::Db(error)) if !error.is_unreachable() => refused = Some(Setback::Db(error)),
                result => result?,
            }
        }
    }

    /// One transaction a call. What the database said to the last one that it refused; an error when it refused them all.
    fn write_each(&mut self, items: &[Item]) -> Result<Option<Setback>, Setback> {
        let mut refused = None;
        let mut written = false;
        for item in items {
            match self.write(std::slice::from_ref(item)) {
                Ok(()) => written = true,
                Err(Setback::Db(error)) if !error.is_unreachable() => {
                    tracing::debug!(call = %item.call, %error, "the database refuses a call");
                    refused = Some(Setback::Db(error));
                }
                Err(error) => return Err(error),
            }
        }
        if written { Ok(refused) } else { refused.map_or(Ok(None), Err) }
    }

    /// Writes the calls, and lets go of their entries.
    fn write(&mut self, items: &[Item]) -> Result<(), Setback> {
        let rows: Vec<CallRow> = items.iter().filter_map(|item| item.row.clone()).collect();
        let notes: Vec<Noted> = items.iter().flat_map(|item| item.notes.clone()).collect();
        self.db.write_calls_and_notes(&rows, &notes)?;
        let (done, answer) = sync_channel(1);
        let forget = Command::Forget(items.iter().map(|item| (item.call, item.last)).collect(), done);
        self.commands.send(forget).map_err(|_| JournalError::Stopped)?;
        answer.recv().map_err(|_| JournalError::Stopped)??;
        for item in items {
            // Whatever the callback does, the scribe goes on.
            if catch_unwind(AssertUnwindSafe(|| (self.on_written)(item.call))).is_err() {
                tracing::error!(call = %item.call, "a callback of the journal panicked");
            }
        }
        Ok(())
    }
}
