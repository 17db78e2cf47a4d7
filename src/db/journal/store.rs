//! The journal's file: SQLite in WAL mode. It is written at its end and let go of in runs, which touches few pages.

use super::JournalError;
use cordboard_core::record::Entry;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::path::Path;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/journal");

diesel::table! {
    entries (seq) {
        seq -> BigInt,
        call_id -> Text,
        at -> BigInt,
        what -> Text,
    }
}

/// How long the write-ahead log becomes before it is moved into the file, which keeps calls waiting for some milliseconds: 32 MiB.
const LOG_PAGES: u32 = 8_192;

/// Entries read at once.
const PAGE: i64 = 1_000;

/// An entry and its number; none instead of one that cannot be understood.
pub(super) type Line = (i64, Option<Entry>);

pub(super) struct Store {
    connection: SqliteConnection,
}

fn disk(error: impl ToString) -> JournalError {
    JournalError::Disk(error.to_string())
}

impl Store {
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let opened = |error: &dyn ToString| JournalError::Open(error.to_string());
        let mut connection = SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| opened(&error))?;
        connection
            .batch_execute(&format!(
                "PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint={LOG_PAGES};"
            ))
            .map_err(|error| opened(&error))?;
        connection.run_pending_migrations(MIGRATIONS).map_err(|error| opened(&error))?;
        Ok(Self { connection })
    }

    /// The last entry there is; 0 = none.
    pub fn last(&mut self) -> Result<i64, JournalError> {
        let last: Option<i64> = entries::table.select(diesel::dsl::max(entries::seq)).first(&mut self.connection).map_err(disk)?;
        Ok(last.unwrap_or(0))
    }

    /// All in one transaction, numbered from the one after `last` on. The last one's number.
    pub fn append<'a>(&mut self, last: i64, new: impl Iterator<Item = &'a Entry>) -> Result<i64, JournalError> {
        let mut seq = last;
        let mut lines = Vec::new();
        for entry in new {
            seq += 1;
            let what = serde_json::to_string(&entry.what).map_err(disk)?;
            lines.push((
                entries::seq.eq(seq),
                entries::call_id.eq(entry.call.to_string()),
                entries::at.eq(entry.at),
                entries::what.eq(what),
            ));
        }
        self.connection
            .immediate_transaction(|c| {
                // One by one: the statement is prepared once and for all then.
                lines.iter().try_for_each(|line| diesel::insert_into(entries::table).values(line).execute(c).map(drop))
            })
            .map_err(|error: diesel::result::Error| disk(error))?;
        Ok(seq)
    }

    /// Whether the file can be written: writes a line and takes it back.
    pub fn probe(&mut self) -> Result<(), JournalError> {
        self.connection
            .immediate_transaction(|c| {
                let line = (entries::seq.eq(0), entries::call_id.eq(""), entries::at.eq(0), entries::what.eq(""));
                diesel::insert_into(entries::table).values(line).execute(c)?;
                diesel::delete(entries::table.find(0)).execute(c)
            })
            .map(drop)
            .map_err(|error: diesel::result::Error| disk(error))
    }

    /// Lets go of these entries; they are in order.
    pub fn forget(&mut self, numbers: &[i64]) -> Result<(), JournalError> {
        let mut runs = numbers.chunk_by(|one, next| one + 1 == *next);
        self.connection
            .immediate_transaction(|c| {
                runs.try_for_each(|run| match (run.first(), run.last()) {
                    (Some(first), Some(last)) => {
                        diesel::delete(entries::table.filter(entries::seq.between(first, last))).execute(c).map(drop)
                    }
                    (None, _) | (_, None) => Ok(()),
                })
            })
            .map_err(|error: diesel::result::Error| disk(error))
    }

    /// Some entries after that number, in their order; empty when there are no more.
    pub fn after(&mut self, seq: i64) -> Result<Vec<Line>, JournalError> {
        page(&mut self.connection, seq).map_err(disk)
    }

    /// All entries, as they are at one moment.
    pub fn each(&mut self, mut look: impl FnMut(i64, Entry)) -> Result<(), JournalError> {
        self.connection
            .transaction(|c| {
                let mut last = 0;
                loop {
                    let found = page(c, last)?;
                    let Some((seq, _)) = found.last() else { return Ok(()) };
                    last = *seq;
                    for (seq, entry) in found {
                        if let Some(entry) = entry {
                            look(seq, entry);
                        }
                    }
                }
            })
            .map_err(|error: diesel::result::Error| disk(error))
    }
}

fn page(c: &mut SqliteConnection, after: i64) -> QueryResult<Vec<Line>> {
    let rows: Vec<(i64, String, i64, String)> = entries::table.filter(entries::seq.gt(after)).order(entries::seq).limit(PAGE).load(c)?;
    let entry = |(seq, call, at, text): (i64, String, i64, String)| {
        let entry = match (call.parse(), serde_json::from_str(&text)) {
            (Ok(call), Ok(what)) => Some(Entry { call, at, what }),
            (call, what) => {
                tracing::error!(?call, seq, error = ?what.err(), "an entry of the journal cannot be understood");
                None
            }
        };
        (seq, entry)
    };
    Ok(rows.into_iter().map(entry).collect())
}
