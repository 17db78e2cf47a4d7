//! What the scribe waits for, and what it is handed.

use super::store::Line;
use super::{CAPACITY, JournalError};
use cordboard_core::record::{Entry, What};
use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lines handed over at once.
const PART: usize = 1_000;
/// One round follows another by so much at least, unless somebody waits: on a busy switch calls share transactions.
const ROUND_EVERY: Duration = Duration::from_millis(50);

pub(super) type Answer = SyncSender<Result<(), JournalError>>;

pub(super) struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The last entry that is committed.
    last: i64,
    /// The newest entries, without a gap, so many as there is place for.
    newest: VecDeque<Line>,
    /// There may be calls to write.
    rung: bool,
    stop: bool,
    /// Those who want to know when all calls are written.
    asking: Vec<Answer>,
}

impl Bell {
    /// Rung already, for what the process before this one left: entries up to `last`.
    pub fn new(last: i64) -> Self {
        let state = State { last, newest: VecDeque::new(), rung: true, stop: false, asking: Vec::new() };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Hands over what was committed, and rings if the scribe has something to do with it.
    pub fn hand(&self, entries: impl Iterator<Item = Entry>) {
        let mut state = self.lock();
        let mut ring = false;
        for entry in entries {
            if state.newest.len() >= CAPACITY {
                // The scribe is late, and reads them from the file.
                state.newest.clear();
            }
            ring |= concerns_scribe(&entry.what);
            state.last += 1;
            let line = (state.last, Some(entry));
            state.newest.push_back(line);
        }
        ring |= state.newest.len() > CAPACITY / 2;
        if ring && !state.rung {
            state.rung = true;
            self.changed.notify_all();
        }
    }

    /// Some of the entries after that one, in their order; empty when they are in the file only, none when there are no more.
    pub fn take(&self, after: i64) -> Option<Vec<Line>> {
        let mut state = self.lock();
        while state.newest.pop_front_if(|(seq, _)| *seq <= after).is_some() {}
        let follows = state.newest.front().is_some_and(|(seq, _)| *seq == after + 1);
        let part = if follows { state.newest.len().min(PART) } else { 0 };
        (after < state.last).then(|| state.newest.drain(..part).collect())
    }

    /// Answers when a look at the journal that begins after this has left nothing to write.
    pub fn ask(&self, answer: Answer) {
        self.change(|state| state.asking.push(answer));
    }

    pub fn stop(&self) {
        self.change(|state| state.stop = true);
    }

    pub fn is_stopping(&self) -> bool {
        self.lock().stop
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a while, and then for work, but no longer than `most`; after a failure, when work is there already, for `pause` alone. Or until
    /// somebody asks. Those who ask, or none when it is time to stop.
    pub fn wait(&self, pause: Option<Duration>, most: Option<Duration>) -> Option<Vec<Answer>> {
        let unasked = |state: &mut State| !state.stop && state.asking.is_empty();
        let least = pause.unwrap_or(ROUND_EVERY);
        let mut state = self.changed.wait_timeout_while(self.lock(), least, unasked).unwrap_or_else(PoisonError::into_inner).0;
        if pause.is_none() {
            let idle = |state: &mut State| unasked(state) && !state.rung;
            let most = most.unwrap_or(Duration::MAX);
            state = self.changed.wait_timeout_while(state, most, idle).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.rung = false;
        (!state.stop).then(|| std::mem::take(&mut state.asking))
    }
}

fn concerns_scribe(what: &What) -> bool {
    matches!(what, What::Ended { .. } | What::Remark { .. } | What::Disposition { .. })
}
