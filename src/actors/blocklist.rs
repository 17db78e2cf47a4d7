//! The blocklist in memory, so that a call asks no database (C1, H6). What changes it runs on the ledger's thread, in the order of writing.

use super::switch::Switch;
use cordboard_core::blocklist::Blocklist;
use cordboard_db::{BlockForm, Db, DbError};
use std::sync::Arc;

impl Switch {
    /// What the database says, before the first call.
    pub fn load_blocklist(&self) -> Result<(), DbError> {
        self.take_blocklist(&self.db)
    }

    /// The list in the database is another one than before.
    pub fn reload_blocklist(self: &Arc<Self>) {
        let switch = self.clone();
        let failure = "the changed blocklist could not be loaded; the old one holds";
        self.ledger.note(failure, move |db| switch.take_blocklist(db));
    }

    /// Adds an entry to the database and then here; `done` hears whether that went well.
    pub fn bar(self: &Arc<Self>, form: BlockForm, done: impl FnOnce(Result<(), DbError>) + Send + 'static) {
        let switch = self.clone();
        self.ledger.ask(move |db| {
            let added = db.and_then(|db| db.bar(&form)).map(|is_new| {
                if is_new {
                    switch.directory.write().blocklist.bar(&form.barred);
                }
            });
            done(added);
        });
    }

    fn take_blocklist(&self, db: &Db) -> Result<(), DbError> {
        let list: Blocklist = db.barred(self.wall())?.into_iter().collect();
        // The old one is given back after the lock.
        let old = std::mem::replace(&mut self.directory.write().blocklist, list);
        drop(old);
        Ok(())
    }
}
