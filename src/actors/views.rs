//! What machines know, as the workstation shows it. Numbers are masked here: what is masked is not sent (G4, H8).

use super::colleagues::Present;
use super::switch::{Directory, Switch};
use crate::wire;
use cordboard_core::agent::{Agent, Chosen, Departure, Seen};
use cordboard_core::cx::Millis;
use cordboard_core::group::{Group, Limit};
use cordboard_core::ids::{AgentId, GroupId};
use cordboard_core::message::{Consulted, Device, Phase, Reached, Ringing, Served, Session, Side, Transfer, Whom};
use cordboard_core::outcome::CallType;
use cordboard_core::setup::GroupSetup;

/// Colleagues of one answer: more than anybody looks through.
const MOST_AGENTS: usize = 100;

pub fn queue(group: &Group) -> wire::QueueView {
    let (waiting, oldest) = group.queue();
    wire::QueueView { group: group.setup.id.0, name: group.setup.name.clone(), waiting: u32::try_from(waiting).unwrap_or(u32::MAX), oldest }
}

/// `now` and `wall` are the same moment on the two clocks.
pub fn agent(agent: &Agent, now: Millis, wall: i64) -> wire::AgentView {
    let (seen, reason, since) = agent.seen();
    let wrap_up = agent.wrap_up();
    let total = wrap_up.and_then(|(_, total)| total).and_then(|total| i64::try_from(total).ok());
    let from_now = |at: Millis| wall + i64::try_from(at.saturating_sub(now)).unwrap_or(0);
    wire::AgentView {
        state: match seen {
            Seen::Available => wire::AgentState::Available,
            Seen::Busy => wire::AgentState::Busy,
            Seen::OnBreak => wire::AgentState::OnBreak,
            Seen::InLine => wire::AgentState::InLine,
            Seen::AfterCallWork => wire::AgentState::AfterCallWork,
            Seen::Offline => wire::AgentState::Offline,
        },
        device: match agent.device() {
            Device::Browser => wire::Device::Browser,
            Device::Phone(_) => wire::Device::Phone,
            Device::Mobile(_) => wire::Device::Mobile,
        },
        mobile_answering: agent.setup.mobile.as_ref().is_some_and(|mobile| mobile.answering),
        mobile_outbound: agent.setup.mobile.as_ref().is_some_and(|mobile| mobile.outbound),
        reason: reason.map(str::to_owned),
        since,
        then: agent.then().map(chosen),
        departing: agent.departing().map(|departure| match departure {
            Departure::LogOut => wire::Departure::LogOut,
            Departure::ForcedOffline | Departure::Removed => wire::Departure::ForcedOffline,
        }),
        wrap_up_ends: wrap_up.and_then(|(since, _)| total.map(|total| since + total)),
        wrap_up_total: total,
        rests_until: agent.rests_until().map(from_now),
    }
}

fn chosen(state: &Chosen) -> wire::ChosenState {
    match state {
        Chosen::Available => wire::ChosenState::Available,
        Chosen::Busy(_) => wire::ChosenState::Busy,
        Chosen::OnBreak(_) => wire::ChosenState::OnBreak,
        Chosen::Offline => wire::ChosenState::Offline,
    }
}

pub fn offer(ringing: &Ringing, switch: &Switch) -> wire::OfferView {
    wire::OfferView {
        offer: ringing.offer.to_string(),
        call: ringing.call.to_string(),
        caller: shown(&ringing.caller, ringing.colleague, switch),
        call_type: if ringing.colleague.is_some() { wire::CallType::Internal } else { wire::CallType::Inbound },
        caller_name: ringing.colleague.map(|agent| name_of(agent, &switch.directory.read())),
        place: None,
        called: ringing.called.clone(),
        group: ringing.group.clone(),
        waiting_since: ringing.waiting_since,
        rings_since: ringing.rings_since,
        rings_until: ringing.rings_until,
        automatic: ringing.automatic,
    }
}

/// A customer's number as agents see it, or a colleague's.
fn shown(number: &str, colleague: Option<AgentId>, switch: &Switch) -> String {
    if colleague.is_some() { number.to_owned() } else { switch.shown(number) }
}

fn name_of(agent: AgentId, directory: &Directory) -> String {
    directory.colleagues.get(agent).map(|person| person.name.clone()).unwrap_or_default()
}

pub fn session(session: &Session, before: Option<&wire::SessionView>, switch: &Switch) -> wire::SessionView {
    wire::SessionView {
        call: session.call.to_string(),
        call_type: match session.way {
            CallType::Inbound => wire::CallType::Inbound,
            CallType::Outbound => wire::CallType::Outbound,
            CallType::Internal => wire::CallType::Internal,
        },
        phase: match session.phase {
            Phase::Dialling => wire::Phase::Dialling,
            Phase::Ringing => wire::Phase::Ringing,
            Phase::Connecting => wire::Phase::Connecting,
            Phase::Talking => wire::Phase::Talking,
            Phase::Reconnecting => wire::Phase::Reconnecting,
            Phase::Ended => wire::Phase::Ended,
        },
        caller: shown(&session.caller, session.colleague, switch),
        caller_name: session.colleague.map(|agent| name_of(agent, &switch.directory.read())),
        place: None,
        called: session.called.clone(),
        group: Some(session.group.clone()),
        began: session.began.or(before.map(|view| view.began)).unwrap_or_else(|| switch.wall()),
        ended: session.ended.map(|_| switch.wall()),
        outcome: session.ended.map(|(status, _)| status.as_str().to_owned()),
        hung_up_by: session.ended.map(|(_, by)| by.as_str().to_owned()),
        held: session.held,
        muted: session.muted,
        recording: session.recording,
        recording_paused: session.recording_paused,
        transfer: session.transfer.map(transfer),
        consult: session.consult.as_ref().map(|consult| consulted(consult, &switch.directory.read())),
        consult_outcome: session.transfer.and_then(|transfer| match transfer {
            Transfer::NumberFailed(status) => Some(status.as_str().to_owned()),
            Transfer::Asked | Transfer::QueueRefused(_) | Transfer::AgentRefused => None,
        }),
        service: session.service.as_ref().map(service),
        device_failed: session.device_failed.clone(),
        guest: session.guest,
        remark: before.map(|view| view.remark.clone()).unwrap_or_default(),
        disposition: before.map(|view| view.disposition.clone()).unwrap_or_default(),
    }
}

fn transfer(transfer: Transfer) -> wire::TransferView {
    match transfer {
        Transfer::Asked => wire::TransferView::Asked,
        Transfer::QueueRefused(Limit::NoAgentOnline) => wire::TransferView::NoAgentOnline,
        Transfer::QueueRefused(Limit::QueueFull | Limit::QueueTimeout) => wire::TransferView::QueueFull,
        Transfer::AgentRefused => wire::TransferView::AgentNotFree,
        Transfer::NumberFailed(_) => wire::TransferView::NumberFailed,
    }
}

fn consulted(consult: &Consulted, directory: &Directory) -> wire::ConsultView {
    let whom = match &consult.whom {
        Whom::Group(group) => directory.group_setups.get(group).map(|setup| setup.name.clone()),
        Whom::Agent(agent) => Some(name_of(*agent, directory)),
        // The agent typed it.
        Whom::Number(number) => Some(number.called.clone()),
    };
    wire::ConsultView {
        whom: whom.unwrap_or_default(),
        reached: match consult.reached {
            Reached::Asked => wire::Reached::Asked,
            Reached::Ringing => wire::Reached::Ringing,
            Reached::Up => wire::Reached::Up,
        },
        side: match consult.side {
            Side::Customer => wire::Side::Customer,
            Side::Third => wire::Side::Third,
            Side::All => wire::Side::All,
        },
        customer_left: consult.customer_left,
    }
}

fn service(service: &Served) -> wire::SelfServiceView {
    wire::SelfServiceView {
        flow: service.flow.clone(),
        step: service.step.clone(),
        keys: service.keys.clone(),
        results: service.results.iter().cloned().map(Into::into).collect(),
        running: service.running,
    }
}

/// Whom a customer can be sent to, by name (D4).
pub fn targets(search: &str, searcher: AgentId, directory: &Directory) -> wire::TargetsView {
    let group = |(id, setup): (&GroupId, &GroupSetup)| {
        let Present { online, idle } = directory.colleagues.present(*id);
        wire::TargetGroup { id: id.0, name: setup.name.clone(), idle, staffed: online > 0 }
    };
    let mut groups: Vec<wire::TargetGroup> = directory.group_setups.iter().map(group).collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    let (found, beyond) = directory.colleagues.find(search, searcher, MOST_AGENTS);
    let agents = found.into_iter().map(|(id, person)| wire::TargetAgent {
        id: id.0,
        name: person.name.clone(),
        number: person.number.clone(),
        email: person.email.clone(),
        groups: person.groups.iter().map(|group| group.0).collect(),
        state: person.doing.state,
        mobile: person.mobile_instead().is_some(),
    });
    wire::TargetsView { search: search.to_owned(), groups, agents: agents.collect(), more: u32::try_from(beyond).unwrap_or(u32::MAX) }
}
