//! Pages of service records, as far as the viewer may see them (G1).

use crate::calls::record_id;
use crate::convert::Column;
use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::recordings::RecordingState;
use crate::schema::{agents, calls, recordings, service_records, skill_groups};
use cordboard_core::ids::{AgentId, CallId, GroupId};
use cordboard_core::outcome::{CallStatus, CallType, HungUpBy};
use cordboard_core::record::ServiceRecord;
use diesel::prelude::*;

pub const RECORDS_PER_PAGE: u32 = 50;

/// Whose records an account may see: agents their own, supervisors those of their groups, admins all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    Own(AgentId),
    Groups(Vec<GroupId>),
    All,
}

/// All conditions hold; none = any.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecordFilter {
    /// The record's time is in `from..to`.
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub group: Option<GroupId>,
    pub status: Option<CallStatus>,
    pub call_type: Option<CallType>,
    /// The customer's whole number, whoever called.
    pub customer: Option<String>,
    /// Digits that the caller's number contains; all else in the text is not looked at.
    pub caller: Option<String>,
    /// Digits that the contact number contains.
    pub contact: Option<String>,
    /// Of a customer's number, only the whole one is found: who sees it masked does not find out its digits by asking for some of them.
    pub whole_customer: bool,
    /// Its name, whole (D8).
    pub disposition: Option<String>,
    /// From 0.
    pub page: u32,
}

#[derive(Clone, PartialEq, Debug)]
pub struct RecordRow {
    pub record: ServiceRecord,
    pub call_type: CallType,
    pub caller: String,
    pub contact: String,
    pub agent: Option<String>,
    pub group: Option<String>,
    /// Of the call's recording, if the record has a part in it.
    pub recording: Option<RecordingState>,
}

impl RecordRow {
    pub fn id(&self) -> String {
        record_id(self.record.call, self.record.segment)
    }
}

/// Newest first.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordPage {
    pub items: Vec<RecordRow>,
    /// On all pages.
    pub total: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = service_records)]
struct Row {
    call_id: String,
    segment: i32,
    call_type: String,
    at: i64,
    status: String,
    hung_up_by: String,
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

impl Row {
    fn into_record(self) -> Result<ServiceRecord, DbError> {
        let column = |name| Column("service_records", name);
        Ok(ServiceRecord {
            call: column("call_id").parsed::<CallId>(&self.call_id)?,
            segment: column("segment").number(self.segment)?,
            time: self.at,
            status: column("status").named(&self.status)?,
            hung_up_by: column("hung_up_by").named::<HungUpBy>(&self.hung_up_by)?,
            group: self.group_id.map(GroupId),
            agent: self.agent_id.map(AgentId),
            duration: self.duration_ms,
            wait: self.wait_ms,
            ring: self.ring_ms,
            hold: self.hold_ms,
            mos: self.mos,
            remark: self.remark,
            disposition: self.disposition,
            flows: column("flows").json(&self.flows)?,
            recording: self.recording_from_ms.zip(self.recording_to_ms),
        })
    }
}

type Joined = (Row, (String, String), Option<String>, Option<String>, Option<String>);

/// The records with what is told beside them, under the filter and the scope. A macro, because the query's type has no name.
macro_rules! found {
    ($filter:expr, $scope:expr, $columns:expr) => {{
        let mut query = service_records::table
            .inner_join(calls::table)
            .left_join(agents::table)
            .left_join(skill_groups::table)
            .left_join(recordings::table.on(recordings::call_id.eq(service_records::call_id)))
            .select($columns)
            .into_boxed();
        let filter: &RecordFilter = $filter;
        if let Some(from) = filter.from {
            query = query.filter(service_records::at.ge(from));
        }
        if let Some(to) = filter.to {
            query = query.filter(service_records::at.lt(to));
        }
        if let Some(group) = filter.group {
            query = query.filter(service_records::group_id.eq(group.0));
        }
        if let Some(status) = filter.status {
            query = query.filter(service_records::status.eq(status.as_str()));
        }
        if let Some(call_type) = filter.call_type {
            query = query.filter(service_records::call_type.eq(call_type.as_str()));
        }
        if let Some(disposition) = &filter.disposition {
            query = query.filter(service_records::disposition.eq(disposition.clone()));
        }
        if let Some(digits) = digits(&filter.customer) {
            query = query.filter(calls::customer.eq_any([format!("+{digits}"), digits]));
        }
        if let Some(digits) = digits(&filter.caller) {
            query = query.filter(calls::caller.like(format!("%{digits}%")));
            if filter.whole_customer {
                let whole = calls::customer.eq_any([format!("+{digits}"), digits]);
                query = query.filter(calls::customer.ne(calls::caller).or(whole));
            }
        }
        if let Some(digits) = digits(&filter.contact) {
            query = query.filter(calls::contact.like(format!("%{digits}%")));
            if filter.whole_customer {
                let whole = calls::customer.eq_any([format!("+{digits}"), digits]);
                query = query.filter(calls::customer.ne(calls::contact).or(whole));
            }
        }
        match $scope {
            Scope::Own(agent) => query.filter(service_records::agent_id.eq(agent.0)),
            Scope::Groups(groups) => query.filter(service_records::group_id.eq_any(groups.iter().map(|group| group.0).collect::<Vec<_>>())),
            Scope::All => query,
        }
    }};
}

fn digits(text: &Option<String>) -> Option<String> {
    let digits: String = text.as_deref()?.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

impl Db {
    /// One page of the records in `scope` that the filter lets through.
    pub fn records_page(&self, filter: &RecordFilter, scope: &Scope) -> Result<RecordPage, DbError> {
        self.run(|c| {
            let total = found!(filter, scope, diesel::dsl::count_star()).first(c)?;
            let query = found!(filter, scope, columns())
                .order((service_records::at.desc(), service_records::id.desc()))
                .limit(i64::from(RECORDS_PER_PAGE))
                .offset(i64::from(filter.page) * i64::from(RECORDS_PER_PAGE));
            Ok(RecordPage { items: rows(query.load(c)?)?, total })
        })
    }

    /// All records in `scope` that the filter lets through, newest first, its page aside; none when they are more than `most`.
    pub fn all_records(&self, filter: &RecordFilter, scope: &Scope, most: u32) -> Result<Option<Vec<RecordRow>>, DbError> {
        self.run(|c| {
            let query =
                found!(filter, scope, columns()).order((service_records::at.desc(), service_records::id.desc())).limit(i64::from(most) + 1);
            let found = query.load(c)?;
            if found.len() > usize::try_from(most).unwrap_or(usize::MAX) { Ok(None) } else { rows(found).map(Some) }
        })
    }

    /// The record of this id, unless it is out of the viewer's scope.
    pub fn record(&self, id: &str, scope: &Scope) -> Result<Option<RecordRow>, DbError> {
        self.run(|c| {
            let query = found!(&RecordFilter::default(), scope, columns()).filter(service_records::id.eq(id));
            Ok(rows(query.load(c)?)?.pop())
        })
    }
}

type Columns = (
    diesel::dsl::AsSelect<Row, <AnyConnection as Connection>::Backend>,
    (calls::caller, calls::contact),
    diesel::dsl::Nullable<agents::name>,
    diesel::dsl::Nullable<skill_groups::name>,
    diesel::dsl::Nullable<recordings::state>,
);

fn columns() -> Columns {
    (
        Row::as_select(),
        (calls::caller, calls::contact),
        agents::name.nullable(),
        skill_groups::name.nullable(),
        recordings::state.nullable(),
    )
}

fn rows(joined: Vec<Joined>) -> Result<Vec<RecordRow>, DbError> {
    let row = |(row, (caller, contact), agent, group, state): Joined| {
        let call_type = Column("service_records", "call_type").named(&row.call_type)?;
        let record = row.into_record()?;
        let state = state.filter(|_| record.recording.is_some());
        let recording = state.map(|state| Column("recordings", "state").named(&state)).transpose()?;
        Ok(RecordRow { record, call_type, caller, contact, agent, group, recording })
    };
    joined.into_iter().map(row).collect()
}
