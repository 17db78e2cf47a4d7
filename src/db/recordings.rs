//! The recordings of calls (G4, G5): one a call, from its spool to its MP3.

use crate::convert::{Column, name_of};
use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::recordings;
use cordboard_core::ids::CallId;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// The call goes on.
    Spooling,
    Encoding,
    Ready,
    /// Ready, after a crash.
    Recovered,
    Failed,
    /// Deleted, since the floor keeps none that are so old.
    Expired,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recording {
    pub call: CallId,
    pub state: RecordingState,
    /// Relative to the data folder: the spool's, later the MP3's.
    pub path: String,
    pub began: i64,
    pub duration: i64,
}

impl Db {
    /// Writes the recording of its call, whatever was known of it before.
    pub fn set_recording(&self, recording: &Recording) -> Result<(), DbError> {
        let values = (
            recordings::state.eq(name_of(recording.state)),
            recordings::path.eq(&recording.path),
            recordings::began_at.eq(recording.began),
            recordings::duration_ms.eq(recording.duration),
        );
        let id = recording.call.to_string();
        self.run(|c| {
            on_each!(c, c => diesel::insert_into(recordings::table)
                .values((recordings::call_id.eq(&id), values.clone()))
                .on_conflict(recordings::call_id)
                .do_update()
                .set(values.clone())
                .execute(c))?;
            Ok(())
        })
    }

    pub fn recording(&self, call: CallId) -> Result<Option<Recording>, DbError> {
        self.run(|c| Ok(load(c, |query| query.filter(recordings::call_id.eq(call.to_string())))?.pop()))
    }

    /// The recordings with a file that began before this moment, oldest first.
    pub fn recordings_before(&self, began: i64) -> Result<Vec<Recording>, DbError> {
        let filed = [RecordingState::Ready, RecordingState::Recovered].map(name_of);
        self.run(|c| load(c, |query| query.filter(recordings::state.eq_any(&filed)).filter(recordings::began_at.lt(began))))
    }

    /// The recordings of which nothing is known but that they began, oldest first.
    pub fn recordings_under_way(&self) -> Result<Vec<Recording>, DbError> {
        self.run(|c| load(c, |query| query.filter(recordings::state.eq(name_of(RecordingState::Spooling)))))
    }
}

type Query<'a> = recordings::BoxedQuery<'a, <AnyConnection as Connection>::Backend>;

fn load<'a>(c: &mut AnyConnection, which: impl FnOnce(Query<'a>) -> Query<'a>) -> Result<Vec<Recording>, DbError> {
    let query = which(recordings::table.into_boxed()).order((recordings::began_at, recordings::call_id));
    let rows: Vec<(String, String, String, i64, i64)> = query.load(c)?;
    let row = |(call, state, path, began, duration): (String, String, String, i64, i64)| {
        let column = |name| Column("recordings", name);
        Ok(Recording { call: column("call_id").parsed(&call)?, state: column("state").named(&state)?, path, began, duration })
    };
    rows.into_iter().map(row).collect()
}
