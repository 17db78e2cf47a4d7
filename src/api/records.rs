//! Service records as each role may see them (G1, A8).

use crate::api::auth::Session;
use crate::api::mask::mask;
use crate::api::{App, Refusal};
use crate::wire::{FlowRunView, GroupName, RecordFilter, RecordPage, RecordView, RecordingView};
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use cordboard_core::ids::GroupId;
use cordboard_core::outcome::{CallStatus, CallType};
use cordboard_db::{Account, RECORDS_PER_PAGE, RecordRow, RecordingState, Role, Scope};

const MOST_EXPORTED: u32 = 100_000;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Agents see their own records, supervisors those of their groups, admins all.
pub(crate) fn scope(account: &Account) -> Scope {
    match account.role {
        Role::Agent => Scope::Own(account.setup.id),
        Role::Supervisor => Scope::Groups(groups_of(account)),
        Role::Admin => Scope::All,
    }
}

fn groups_of(account: &Account) -> Vec<GroupId> {
    account.setup.groups.iter().map(|membership| membership.group).collect()
}

/// What a page asks for, in the words of the database.
fn understood(filter: RecordFilter) -> Result<cordboard_db::RecordFilter, Refusal> {
    let status = filter.status.filter(|status| !status.is_empty()).map(|status| {
        let known = CallStatus::ALL.into_iter().find(|known| known.as_str() == status);
        known.ok_or_else(|| Refusal::Invalid(format!("{status:?} is not the status of a call.")))
    });
    let call_type = filter.call_type.filter(|call_type| !call_type.is_empty()).map(|call_type| {
        let known = CallType::ALL.into_iter().find(|known| known.as_str() == call_type);
        known.ok_or_else(|| Refusal::Invalid(format!("{call_type:?} is not a type of call: inbound, outbound or internal.")))
    });
    Ok(cordboard_db::RecordFilter {
        from: filter.from,
        to: filter.to,
        group: filter.group.map(GroupId),
        status: status.transpose()?,
        call_type: call_type.transpose()?,
        customer: None,
        caller: filter.caller,
        contact: filter.contact,
        disposition: filter.disposition.map(|name| name.replace('\0', "")).filter(|name| !name.is_empty()),
        whole_customer: false,
        page: filter.page.unwrap_or(0),
    })
}

/// `GET /records`.
pub async fn list(app: web::Data<App>, session: Session, filter: web::Query<RecordFilter>) -> Result<web::Json<RecordPage>, Refusal> {
    let mut wanted = understood(filter.into_inner())?;
    let page = wanted.page;
    let scope = scope(&session.account);
    let own_groups = (session.role != Role::Admin).then(|| groups_of(&session.account));
    let is_agent = session.role == Role::Agent;
    let (found, groups, dispositions, is_masked) = app
        .with_db(move |db| {
            let is_masked = is_agent && db.settings()?.mask_numbers;
            wanted.whole_customer = is_masked;
            Ok((db.records_page(&wanted, &scope)?, db.groups()?, db.dispositions()?, is_masked))
        })
        .await?;
    let visible = |id: &GroupId| own_groups.as_ref().is_none_or(|own| own.contains(id));
    Ok(web::Json(RecordPage {
        items: found.items.into_iter().map(|row| view(row, is_masked)).collect(),
        page,
        total: found.total,
        page_size: RECORDS_PER_PAGE,
        groups: groups.into_iter().filter(|group| visible(&group.id)).map(|group| GroupName { id: group.id.0, name: group.name }).collect(),
        dispositions: dispositions.into_iter().map(|disposition| disposition.name).collect(),
    }))
}

/// `GET /records.csv`, for supervisors and admins (G1): all that the filter lets through, newest first. UTF-8 with a byte order mark, by
/// which spreadsheets know it.
pub async fn export(app: web::Data<App>, session: Session, filter: web::Query<RecordFilter>) -> Result<HttpResponse, Refusal> {
    if session.role == Role::Agent {
        return Err(Refusal::NotAllowed);
    }
    let wanted = understood(filter.into_inner())?;
    let scope = scope(&session.account);
    let Some(rows) = app.with_db(move |db| db.all_records(&wanted, &scope, MOST_EXPORTED)).await? else {
        return Err(Refusal::Invalid(format!("These are more than {MOST_EXPORTED} records: choose a shorter time.")));
    };
    let file = web::block(move || csv(rows)).await.map_err(|_| Refusal::Stopping)?.map_err(|why| {
        tracing::error!(%why, "records could not be written as CSV");
        Refusal::Stopping
    })?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"records.csv\""))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(file))
}

const HEADS: [&str; 20] = [
    "time",
    "call_type",
    "caller",
    "contact",
    "remark",
    "status",
    "duration_s",
    "group",
    "agent",
    "hung_up_by",
    "call",
    "wait_s",
    "ring_s",
    "hold_s",
    "mos",
    "flows",
    "record",
    "recording",
    "recording_s",
    "disposition",
];

fn csv(rows: Vec<RecordRow>) -> csv::Result<Vec<u8>> {
    let mut file = csv::Writer::from_writer(BYTE_ORDER_MARK.to_vec());
    file.write_record(HEADS)?;
    for row in rows {
        let record = view(row, false);
        let (recording, length) =
            record.recording.map_or_else(Default::default, |recording| (recording.state, seconds(recording.duration)));
        file.write_record([
            chrono::DateTime::from_timestamp_millis(record.time)
                .map_or_else(String::new, |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
            record.call_type,
            party(record.caller),
            party(record.contact),
            no_formula(record.remark),
            record.status,
            seconds(record.duration),
            no_formula(record.group.unwrap_or_default()),
            no_formula(record.agent.unwrap_or_default()),
            record.hung_up_by.unwrap_or_default(),
            record.call,
            seconds(record.wait),
            seconds(record.ring),
            seconds(record.hold),
            record.mos.map_or_else(String::new, |mos| format!("{mos:.2}")),
            no_formula(flows(&record.flows)),
            record.id,
            recording,
            length,
            no_formula(record.disposition),
        ])?;
    }
    file.into_inner().map_err(|error| error.into_error().into())
}

/// Such as `Survey: rating=5, order=4711; Survey: rating=4`.
fn flows(runs: &[FlowRunView]) -> String {
    let results =
        |run: &FlowRunView| run.results.iter().map(|result| format!("{}={}", result.name, result.value)).collect::<Vec<_>>().join(", ");
    runs.iter().map(|run| format!("{}: {}", run.flow, results(run))).collect::<Vec<_>>().join("; ")
}

fn seconds(milliseconds: i64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// What people wrote must not be run by a spreadsheet: an apostrophe makes it a text.
fn no_formula(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

/// A telephone number may begin with a plus; whatever else the network calls somebody is a text that people wrote.
fn party(text: String) -> String {
    let is_number = text.strip_prefix('+').unwrap_or(&text).bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text } else { no_formula(text) }
}

/// One record as the page shows it: the customer's number masked.
pub(crate) fn view(row: RecordRow, is_masked: bool) -> RecordView {
    let id = row.id();
    let shown = |number: String, customer: bool| if is_masked && customer { mask(&number) } else { number };
    let record = row.record;
    // The recording of a record is its own segment's part of the call's (G4), so it has the record's id.
    let recording = row.recording.zip(record.recording).map(|(state, (from, to))| RecordingView {
        id: id.clone(),
        state: name_of(state).to_owned(),
        duration: to - from,
    });
    RecordView {
        id,
        call: record.call.to_string(),
        time: record.time,
        call_type: row.call_type.as_str().to_owned(),
        caller: shown(row.caller, row.call_type == CallType::Inbound),
        contact: shown(row.contact, row.call_type == CallType::Outbound),
        status: record.status.as_str().to_owned(),
        hung_up_by: Some(record.hung_up_by.as_str().to_owned()),
        group: row.group,
        agent: row.agent,
        duration: record.duration,
        wait: record.wait,
        ring: record.ring,
        hold: record.hold,
        mos: record.mos,
        remark: record.remark,
        disposition: record.disposition,
        flows: record.flows.into_iter().map(Into::into).collect(),
        recording,
    }
}

fn name_of(state: RecordingState) -> &'static str {
    match state {
        RecordingState::Spooling => "spooling",
        RecordingState::Encoding => "encoding",
        RecordingState::Ready => "ready",
        RecordingState::Recovered => "recovered",
        RecordingState::Failed => "failed",
        RecordingState::Expired => "expired",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_a_spreadsheet_would_compute_is_a_text() {
        assert_eq!(super::no_formula("=HYPERLINK(1)".into()), "'=HYPERLINK(1)");
        assert_eq!(super::no_formula("two = 2".into()), "two = 2");
    }

    #[test]
    fn who_calls_is_a_number_or_a_text() {
        for same in ["+442079460958", "1001", "", "bob@192.0.2.7"] {
            assert_eq!(super::party(same.into()), same);
        }
        for formula in ["=HYPERLINK(\"http://x\")", "+1+cmd|' /C calc'!A0", "-1", "@SUM(1)"] {
            assert_eq!(super::party(formula.into()), format!("'{formula}"));
        }
    }
}
