//! The journal's file: SQLite in WAL mode.

use super::JournalError;
use cordboard_core::ids::CallId;
use cordboard_core::record::{Entry, What};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::collections::HashSet;
use std::path::Path;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/journal");

/// Lines of one statement: SQLite takes at most 32,766 values unless built otherwise.
const STATEMENT: usize = 1_000;

diesel::table! {
    entries (seq) {
        seq -> BigInt,
        call_id -> Text,
        kind -> Text,
        at -> BigInt,
        what -> Text,
    }
}

#[derive(Insertable)]
#[diesel(table_name = entries)]
struct Line {
    call_id: String,
    kind: &'static str,
    at: i64,
    what: String,
}

#[derive(QueryableByName)]
struct CallAt {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    call_id: String,
}

/// What the scribe looks for.
fn kind(what: &What) -> &'static str {
    match what {
        What::Accepted { .. } => "accepted",
        What::Ended { .. } => "ended",
        // Any note of an agent's.
        What::Remark { .. } | What::Disposition { .. } => "remark",
        What::Barred { .. }
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
        | What::Quality { .. } => "other",
    }
}

/// How long the write-ahead log becomes before it is moved into the file, which keeps calls waiting for some milliseconds: 32 MiB.
const LOG_PAGES: u32 = 8_192;

/// Calls that wait for the scribe.
pub(super) struct Due {
    pub calls: Vec<CallId>,
    /// Where to look for more; none = there are no more.
    pub next: Option<i64>,
}

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

    /// Clears away what came after a call had left the journal, and tells the last entry there is; 0 = none.
    pub fn begin(&mut self) -> Result<i64, JournalError> {
        diesel::sql_query(
            "DELETE FROM entries WHERE kind = 'other' AND NOT EXISTS \
             (SELECT 1 FROM entries AS a WHERE a.call_id = entries.call_id AND a.kind = 'accepted')",
        )
        .execute(&mut self.connection)
        .map_err(disk)?;
        let last: Option<i64> = entries::table.select(diesel::dsl::max(entries::seq)).first(&mut self.connection).map_err(disk)?;
        Ok(last.unwrap_or(0))
    }

    /// All in one transaction.
    pub fn append<'a>(&mut self, new: impl Iterator<Item = &'a Entry>) -> Result<(), JournalError> {
        let mut lines = Vec::new();
        for entry in new {
            let what = serde_json::to_string(&entry.what).map_err(disk)?;
            lines.push(Line { call_id: entry.call.to_string(), kind: kind(&entry.what), at: entry.at, what });
        }
        self.connection
            .immediate_transaction(|c| {
                for part in lines.chunks(STATEMENT) {
                    diesel::insert_into(entries::table).values(part).execute(c)?;
                }
                Ok(())
            })
            .map_err(|error: diesel::result::Error| disk(error))
    }

    /// Whether the file can be written: writes a line and takes it back.
    pub fn probe(&mut self) -> Result<(), JournalError> {
        self.connection
            .immediate_transaction(|c| {
                let line = Line { call_id: String::new(), kind: "other", at: 0, what: String::new() };
                diesel::insert_into(entries::table).values(&line).execute(c)?;
                diesel::delete(entries::table.filter(entries::call_id.eq(""))).execute(c)
            })
            .map(drop)
            .map_err(|error: diesel::result::Error| disk(error))
    }

    /// Lets go of each call's entries up to the given one.
    pub fn forget(&mut self, calls: &[(CallId, i64)]) -> Result<(), JournalError> {
        self.connection
            .immediate_transaction(|c| {
                for (call, last) in calls {
                    diesel::delete(entries::table.filter(entries::call_id.eq(call.to_string())).filter(entries::seq.le(last)))
                        .execute(c)?;
                }
                Ok(())
            })
            .map_err(|error: diesel::result::Error| disk(error))
    }

    /// Some of the calls, from the entry after `after` on, that have ended, or were written already and have a new note.
    pub fn due(&mut self, after: i64, most: i64) -> Result<Due, JournalError> {
        let rows: Vec<CallAt> = diesel::sql_query(
            "SELECT seq, call_id FROM entries WHERE seq > ? AND kind IN ('ended', 'remark') AND (kind = 'ended' OR NOT EXISTS \
             (SELECT 1 FROM entries AS a WHERE a.call_id = entries.call_id AND a.kind = 'accepted')) ORDER BY seq LIMIT ?",
        )
        .bind::<BigInt, _>(after)
        .bind::<BigInt, _>(most)
        .load(&mut self.connection)
        .map_err(disk)?;
        let next = rows.last().map(|row| row.seq);
        let mut seen = HashSet::new();
        let calls = rows.iter().filter_map(|row| row.call_id.parse().ok()).filter(|call| seen.insert(*call)).collect();
        Ok(Due { calls, next })
    }

    /// Calls that were accepted at or before the entry `last` and have no end.
    pub fn unfinished(&mut self, last: i64) -> Result<Vec<CallId>, JournalError> {
        let rows: Vec<CallAt> = diesel::sql_query(
            "SELECT seq, call_id FROM entries WHERE kind = 'accepted' AND seq <= ? AND NOT EXISTS \
             (SELECT 1 FROM entries AS e WHERE e.call_id = entries.call_id AND e.kind = 'ended') ORDER BY seq",
        )
        .bind::<BigInt, _>(last)
        .load(&mut self.connection)
        .map_err(disk)?;
        let mut seen = HashSet::new();
        Ok(rows.iter().filter_map(|row| row.call_id.parse().ok()).filter(|call| seen.insert(*call)).collect())
    }

    /// The call's entries with their numbers, in order of writing. One that cannot be understood does not stop the others.
    pub fn entries_of(&mut self, call: CallId) -> Result<Vec<(i64, Entry)>, JournalError> {
        let rows: Vec<(i64, i64, String)> = entries::table
            .filter(entries::call_id.eq(call.to_string()))
            .order(entries::seq)
            .select((entries::seq, entries::at, entries::what))
            .load(&mut self.connection)
            .map_err(disk)?;
        let entry = |(seq, at, text): (i64, i64, String)| match serde_json::from_str(&text) {
            Ok(what) => Some((seq, Entry { call, at, what })),
            Err(error) => {
                tracing::error!(%call, seq, %error, "an entry of the journal cannot be understood");
                None
            }
        };
        Ok(rows.into_iter().filter_map(entry).collect())
    }
}
