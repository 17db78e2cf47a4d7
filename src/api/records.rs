//! Service records as each role may see them (G1, A8).

use crate::api::auth::Session;
use crate::api::mask::mask;
use crate::api::{App, Refusal};
use crate::wire::{GroupName, RecordFilter, RecordPage, RecordView, RecordingView};
use actix_web::web;
use cordboard_core::ids::GroupId;
use cordboard_core::outcome::{CallStatus, CallType};
use cordboard_db::{Account, RECORDS_PER_PAGE, RecordRow, RecordingState, Role, Scope};

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

/// `GET /records`.
pub async fn list(app: web::Data<App>, session: Session, filter: web::Query<RecordFilter>) -> Result<web::Json<RecordPage>, Refusal> {
    let filter = filter.into_inner();
    let page = filter.page.unwrap_or(0);
    let status = filter.status.filter(|status| !status.is_empty()).map(|status| {
        let known = CallStatus::ALL.into_iter().find(|known| known.as_str() == status);
        known.ok_or_else(|| Refusal::Invalid(format!("{status:?} is not the status of a call.")))
    });
    let call_type = filter.call_type.filter(|call_type| !call_type.is_empty()).map(|call_type| {
        let known = CallType::ALL.into_iter().find(|known| known.as_str() == call_type);
        known.ok_or_else(|| Refusal::Invalid(format!("{call_type:?} is not a type of call: inbound, outbound or internal.")))
    });
    let mut wanted = cordboard_db::RecordFilter {
        from: filter.from,
        to: filter.to,
        group: filter.group.map(GroupId),
        status: status.transpose()?,
        call_type: call_type.transpose()?,
        customer: None,
        caller: filter.caller,
        contact: filter.contact,
        whole_customer: false,
        page,
    };
    let scope = scope(&session.account);
    let own_groups = (session.role != Role::Admin).then(|| groups_of(&session.account));
    let is_agent = session.role == Role::Agent;
    let (found, groups, is_masked) = app
        .with_db(move |db| {
            let is_masked = is_agent && db.settings()?.mask_numbers;
            wanted.whole_customer = is_masked;
            Ok((db.records_page(&wanted, &scope)?, db.groups()?, is_masked))
        })
        .await?;
    let visible = |id: &GroupId| own_groups.as_ref().is_none_or(|own| own.contains(id));
    Ok(web::Json(RecordPage {
        items: found.items.into_iter().map(|row| view(row, is_masked)).collect(),
        page,
        total: found.total,
        page_size: RECORDS_PER_PAGE,
        groups: groups.into_iter().filter(|group| visible(&group.id)).map(|group| GroupName { id: group.id.0, name: group.name }).collect(),
    }))
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
    }
}
