//! Flushes the journal's commits to the disk, several at a time. SQLite itself does that only when it moves its log into the file.

use super::{JournalError, Trouble, spawn};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Commits of this time share one flush; with the flush itself a power cut costs no more than 100 ms.
const GATHER: Duration = Duration::from_millis(50);

pub(super) struct Syncer {
    committed: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// `log` is the write-ahead log's file, which is there after the first commit. It may be opened beside SQLite: no locks are on it.
    pub fn start(log: PathBuf, trouble: Arc<Trouble>) -> Result<Self, JournalError> {
        let (committed, commits) = sync_channel::<()>(1);
        let thread = spawn("journal-syncer", move || {
            while commits.recv().is_ok() {
                std::thread::sleep(GATHER);
                let result = sync(&log);
                let was = trouble.syncing.swap(result.is_err(), Ordering::Relaxed);
                if let (Err(error), false) = (result, was) {
                    tracing::error!(%error, "the journal cannot be flushed to the disk");
                }
            }
        })?;
        Ok(Self { committed: Some(committed), thread: Some(thread) })
    }

    /// There is something to flush.
    pub fn commit(&self) {
        if let Some(committed) = &self.committed {
            // A full channel says the same already.
            committed.try_send(()).unwrap_or_default();
        }
    }
}

fn sync(log: &Path) -> std::io::Result<()> {
    File::open(log)?.sync_data()
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.committed = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the journal's syncer did not stop cleanly");
        }
    }
}
