//! Flushes the journal's commits to the disk, several at a time. SQLite itself does that only when it moves its log into the file.

use super::{JournalError, Trouble, spawn};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Commits of this time share one flush; with the flush itself a power cut costs no more than 100 ms.
const GATHER: Duration = Duration::from_millis(50);

/// After a failure, how often it is tried again when nothing new is committed.
const RETRY: Duration = Duration::from_millis(250);

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
                while let Err(error) = sync(&log) {
                    if !trouble.syncing.swap(true, Ordering::Relaxed) {
                        tracing::error!(%error, "the journal cannot be flushed to the disk");
                    }
                    if commits.recv_timeout(RETRY) == Err(RecvTimeoutError::Disconnected) {
                        return;
                    }
                }
                trouble.syncing.store(false, Ordering::Relaxed);
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
