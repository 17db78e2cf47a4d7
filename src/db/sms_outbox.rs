//! Text messages of a switch that has no SMS gateway (A4): they stay here for its admin to read.

use crate::error::DbError;
use crate::pool::Db;
use crate::schema::sms_outbox;
use diesel::prelude::*;

/// Older messages go when a new one comes, milliseconds.
const KEPT: i64 = 7 * 24 * 3_600_000;
/// The admin sees the latest.
const SHOWN: i64 = 100;

#[derive(Clone, PartialEq, Eq, Debug, Queryable)]
pub struct OutboxMessage {
    pub at: i64,
    pub mobile: String,
    pub text: String,
}

impl Db {
    pub fn add_to_outbox(&self, mobile: &str, text: &str, now: i64) -> Result<(), DbError> {
        self.transaction(|c| {
            diesel::delete(sms_outbox::table.filter(sms_outbox::at.le(now - KEPT))).execute(c)?;
            let values = (sms_outbox::at.eq(now), sms_outbox::mobile.eq(mobile), sms_outbox::text.eq(text));
            diesel::insert_into(sms_outbox::table).values(values).execute(c)?;
            Ok(())
        })
    }

    /// The latest messages, newest first.
    pub fn outbox(&self) -> Result<Vec<OutboxMessage>, DbError> {
        self.run(|c| {
            let all = sms_outbox::table.order(sms_outbox::id.desc()).limit(SHOWN);
            Ok(all.select((sms_outbox::at, sms_outbox::mobile, sms_outbox::text)).load(c)?)
        })
    }
}
