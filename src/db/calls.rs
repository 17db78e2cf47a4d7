//! Calls and their service records, as the journal's fold tells them (G1, G5).

use crate::convert::Column;
use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::{calls, service_records};
use cordboard_core::ids::{AgentId, CallId, GroupId};
use cordboard_core::outcome::{CallStatus, CallType};
use cordboard_core::record::{CallRow, ServiceRecord};
use diesel::prelude::*;
use diesel::upsert::excluded;
use std::collections::HashMap;

/// Rows of one statement: SQLite takes at most 32,766 values unless built otherwise.
const BATCH: usize = 500;

#[derive(Insertable)]
#[diesel(table_name = calls, treat_none_as_default_value = false)]
struct CallValues {
    id: String,
    trunk_id: Option<i32>,
    caller: String,
    contact: String,
    customer: String,
    began_at: i64,
    ended_at: i64,
    status: &'static str,
    hung_up_by: &'static str,
    recording_began_at: Option<i64>,
}

#[derive(Insertable)]
#[diesel(table_name = service_records, treat_none_as_default_value = false)]
struct RecordValues {
    id: String,
    call_id: String,
    segment: i32,
    call_type: &'static str,
    at: i64,
    status: &'static str,
    hung_up_by: &'static str,
    group_id: Option<i32>,
    agent_id: Option<i32>,
    duration_ms: i64,
    wait_ms: i64,
    ring_ms: i64,
    hold_ms: i64,
    mos: Option<f32>,
    remark: String,
    disposition: String,
    recording_from_ms: Option<i64>,
    recording_to_ms: Option<i64>,
    flows: String,
}

/// PostgreSQL has no place for this character in a text, and a record must not fail for what a caller sent.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

impl From<&CallRow> for CallValues {
    fn from(call: &CallRow) -> Self {
        Self {
            id: call.id.to_string(),
            trunk_id: call.trunk.map(|trunk| trunk.0),
            caller: storable(&call.caller),
            contact: storable(&call.contact),
            customer: storable(call.customer()),
            began_at: call.began,
            ended_at: call.ended,
            status: call.status.as_str(),
            hung_up_by: call.hung_up_by.as_str(),
            recording_began_at: call.recording_began,
        }
    }
}

impl RecordValues {
    fn of(call: &CallRow, record: &ServiceRecord) -> Self {
        Self {
            id: record_id(record.call, record.segment),
            call_id: record.call.to_string(),
            segment: i32::from(record.segment),
            call_type: call.way.as_str(),
            at: record.time,
            status: record.status.as_str(),
            hung_up_by: record.hung_up_by.as_str(),
            group_id: record.group.map(|group| group.0),
            agent_id: record.agent.map(|agent| agent.0),
            duration_ms: record.duration,
            wait_ms: record.wait,
            ring_ms: record.ring,
            hold_ms: record.hold,
            mos: record.mos.filter(|mos| mos.is_finite()),
            remark: storable(&record.remark),
            disposition: storable(&record.disposition),
            recording_from_ms: record.recording.map(|(from, _)| from),
            recording_to_ms: record.recording.map(|(_, to)| to),
            flows: serde_json::to_string(&record.flows).unwrap_or_else(|_| "[]".to_owned()),
        }
    }
}

/// A service record's id, globally unique.
pub(crate) fn record_id(call: CallId, segment: u16) -> String {
    format!("{call}-{segment}")
}

/// What an agent noted on a segment; it may come after its call's row was written (D8).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Noted {
    pub call: CallId,
    pub segment: u16,
    pub note: Note,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Note {
    Remark(String),
    Disposition(String),
}

/// An earlier call of the same customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PastCall {
    pub call: CallId,
    pub began: i64,
    /// The number they called.
    pub contact: String,
    pub status: CallStatus,
    pub duration: i64,
    /// Who spoke with them last in it.
    pub agent: Option<String>,
    /// Of the last segment that has one.
    pub remark: String,
}

impl Db {
    /// Writes calls and their records, each exactly once however often it is written; of remarks and dispositions the last one that says something stands.
    pub fn write_calls(&self, rows: &[CallRow]) -> Result<(), DbError> {
        self.write_calls_and_notes(&rows.iter().collect::<Vec<_>>(), &[])
    }

    /// The remark of a record that is already written; of one that is not, nothing.
    pub fn set_remark(&self, call: CallId, segment: u16, text: &str) -> Result<(), DbError> {
        self.run(|c| write_note(c, &Noted { call, segment, note: Note::Remark(text.to_owned()) }))
    }

    /// The disposition, likewise.
    pub fn set_disposition(&self, call: CallId, segment: u16, name: &str) -> Result<(), DbError> {
        self.run(|c| write_note(c, &Noted { call, segment, note: Note::Disposition(name.to_owned()) }))
    }

    /// Everything in one transaction, the notes last and in their order.
    pub(crate) fn write_calls_and_notes(&self, rows: &[&CallRow], notes: &[&Noted]) -> Result<(), DbError> {
        // One statement cannot meet the same row twice.
        let unique: HashMap<CallId, &CallRow> = rows.iter().map(|row| (row.id, *row)).collect();
        let call_values: Vec<CallValues> = unique.values().map(|row| CallValues::from(*row)).collect();
        let record_values: Vec<RecordValues> =
            unique.values().flat_map(|row| row.records.iter().map(|record| RecordValues::of(row, record))).collect();
        self.transaction(|c| {
            for batch in call_values.chunks(BATCH) {
                on_each!(c, c => diesel::insert_into(calls::table).values(batch).on_conflict(calls::id).do_nothing().execute(c))?;
            }
            for batch in record_values.chunks(BATCH) {
                on_each!(c, c => diesel::insert_into(service_records::table)
                    .values(batch)
                    .on_conflict(service_records::id)
                    .do_update()
                    .set((
                        service_records::remark.eq(
                            diesel::dsl::case_when(excluded(service_records::remark).ne(""), excluded(service_records::remark))
                                .otherwise(service_records::remark),
                        ),
                        service_records::disposition.eq(
                            diesel::dsl::case_when(excluded(service_records::disposition).ne(""), excluded(service_records::disposition))
                                .otherwise(service_records::disposition),
                        ),
                    ))
                    .execute(c))?;
            }
            notes.iter().try_for_each(|noted| write_note(c, noted))
        })
    }

    /// Who last spoke with this caller for this group (C3).
    pub fn last_agent_of(&self, caller: &str, group: GroupId) -> Result<Option<AgentId>, DbError> {
        let last: Option<Option<i32>> = self.run(|c| {
            Ok(service_records::table
                .inner_join(calls::table)
                .filter(calls::customer.eq(caller))
                .filter(service_records::group_id.eq(group.0))
                .filter(service_records::agent_id.is_not_null())
                .filter(service_records::status.eq_any(CallStatus::SPOKEN.map(CallStatus::as_str)))
                .order((service_records::at.desc(), service_records::segment.desc()))
                .select(service_records::agent_id)
                .first(c)
                .optional()?)
        })?;
        Ok(last.flatten().map(AgentId))
    }

    /// How many calls each agent spoke in since `midnight`, the day's first moment (C3); who has none is not there.
    pub fn calls_today(&self, midnight: i64) -> Result<HashMap<AgentId, u32>, DbError> {
        let counts: Vec<(Option<i32>, i64)> = self.run(|c| {
            Ok(service_records::table
                .filter(service_records::at.ge(midnight))
                .filter(service_records::agent_id.is_not_null())
                .filter(service_records::call_type.eq(CallType::Inbound.as_str()))
                .filter(service_records::status.eq_any(CallStatus::SPOKEN.map(CallStatus::as_str)))
                .group_by(service_records::agent_id)
                .select((service_records::agent_id, diesel::dsl::count_star()))
                .load(c)?)
        })?;
        counts
            .into_iter()
            .filter_map(|(agent, count)| Some((AgentId(agent?), count)))
            .map(|(agent, count)| Ok((agent, Column("service_records", "count").number(count)?)))
            .collect()
    }

    /// The caller's latest calls, newest first, at most `most`.
    pub fn past_calls(&self, caller: &str, most: u32) -> Result<Vec<PastCall>, DbError> {
        type Row = (String, i64, i64, String, String);
        type Segment = (String, Option<String>, String);
        use crate::schema::agents;
        let (rows, segments): (Vec<Row>, Vec<Segment>) = self.run(|c| {
            let rows: Vec<Row> = calls::table
                .filter(calls::customer.eq(caller))
                .order((calls::began_at.desc(), calls::id.desc()))
                .limit(i64::from(most))
                .select((calls::id, calls::began_at, calls::ended_at, calls::contact, calls::status))
                .load(c)?;
            let ids: Vec<&String> = rows.iter().map(|row| &row.0).collect();
            let segments = service_records::table
                .left_join(agents::table)
                .filter(service_records::call_id.eq_any(ids))
                .order((service_records::call_id, service_records::segment))
                .select((service_records::call_id, agents::name.nullable(), service_records::remark))
                .load(c)?;
            Ok((rows, segments))
        })?;
        rows.into_iter()
            .map(|(id, began, ended, contact, status)| {
                let own = || segments.iter().rev().filter(|segment| segment.0 == id);
                Ok(PastCall {
                    call: Column("calls", "id").parsed(&id)?,
                    began,
                    contact,
                    status: Column("calls", "status").named(&status)?,
                    duration: ended - began,
                    agent: own().find_map(|segment| segment.1.clone()),
                    remark: own().map(|segment| segment.2.clone()).find(|remark| !remark.is_empty()).unwrap_or_default(),
                })
            })
            .collect()
    }
}

fn write_note(c: &mut AnyConnection, noted: &Noted) -> Result<(), DbError> {
    let record = diesel::update(service_records::table.find(record_id(noted.call, noted.segment)));
    match &noted.note {
        Note::Remark(text) => record.set(service_records::remark.eq(storable(text))).execute(c)?,
        Note::Disposition(name) => record.set(service_records::disposition.eq(storable(name))).execute(c)?,
    };
    Ok(())
}
