//! E2, E3: a call out that begins at the agent's own mobile, and a colleague who is called on theirs.

use super::mobile::{channels, floor_on, floor_with};
use crate::floor::Floor;
use crate::floor::world::{agent, group, mobile, mobile_number, phone, trunk};
use cordboard_core::agent::{Chosen, Event, GRACE, NoDial, Seen};
use cordboard_core::call::Command;
use cordboard_core::ids::{AgentId, CallId, LegId};
use cordboard_core::message::{Device, Phase, Source};
use cordboard_core::outcome::{CallStatus, CallType, HungUpBy};
use cordboard_core::setup::{AgentSetup, GroupSetup, TrunkSetup, WrapUp};

// ---- E2 ----

fn dials_by_mobile() -> AgentSetup {
    AgentSetup { mobile: mobile(1, false, true), ..agent(1, &[1]) }
}

/// Agent 1 begins calls out at the mobile and has no page.
fn outbound_floor(trunk: TrunkSetup) -> Floor {
    let mut floor = floor_on(trunk, GroupSetup { wrap_up: WrapUp::Off, ..group(1) }, dials_by_mobile());
    floor.goes_online(1);
    floor
}

// E2
#[test]
fn the_mobile_is_called_first_and_the_customer_when_it_answers() {
    let mut floor = outbound_floor(trunk());
    assert_eq!(floor.agents[&AgentId(1)].device(), &Device::Browser, "answering is a switch of its own");
    let call = floor.dials(1, Floor::dial(1)).unwrap();
    assert_eq!(floor.dialled, [("+4430".into(), mobile_number(1))], "the number that the customer will see");
    assert_eq!(channels(&floor), 2);
    let leg = floor.mobile_leg(1).unwrap();
    floor.phone_answers(leg);
    floor.settle();
    assert_eq!(floor.dialled.get(1), Some(&("+4430".into(), "+4420".into())), "no key is asked for");
    floor.customer_rings(call, false);
    assert_eq!(floor.hears_now(leg), Source::Music("ringback".into()));
    floor.customer_answers(call);
    assert_eq!((floor.hears_now(leg), floor.hears_now(floor.leg_of(call))), (Source::Leg(floor.leg_of(call)), Source::Leg(leg)));
    floor.check_all();
    // B3: it needs no page.
    floor.happens(1, Event::SocketDown);
    floor.advance(GRACE * 2);
    assert_eq!(floor.calls[&call].machine.kind(), "Talking");
    floor.happens(1, Event::SocketUp);
    floor.far_hangs_up(leg);
    floor.settle();
    let row = floor.row(call);
    assert_eq!(
        (row.way, row.contact.as_str(), row.status, row.hung_up_by),
        (CallType::Outbound, "+4420", CallStatus::NormalEnd, HungUpBy::Agent)
    );
    assert_eq!((row.records.len(), row.records[0].agent, channels(&floor)), (1, Some(AgentId(1)), 0));
    assert_eq!(floor.agents[&AgentId(1)].device(), &Device::Browser);
}

// E2, B4
#[test]
fn a_mobile_that_does_not_come_ends_the_call_with_the_reason() {
    // Zero: it rings in vain.
    let failing =
        [(486, None, "mobile_busy"), (480, Some(20), "mobile_off"), (603, None, "mobile_rejected"), (0, None, "mobile_not_answered")];
    for (status, cause, reason) in failing {
        let mut floor = outbound_floor(trunk());
        let call = floor.dials(1, Floor::dial(1)).unwrap();
        let leg = floor.mobile_leg(1).unwrap();
        match status {
            0 => floor.advance(20_000),
            _ => floor.phone_fails_for(leg, status, cause),
        }
        floor.settle();
        let session = &floor.sessions[&(AgentId(1), call)];
        assert_eq!((session.phase, session.device_failed.as_deref()), (Phase::Ended, Some(reason)));
        assert_eq!(
            (floor.row(call).status, floor.dialled.len(), channels(&floor)),
            (CallStatus::AgentLost, 1, 0),
            "the customer is not called"
        );
        assert_eq!((floor.seen(1), floor.state_reason(1)), (Seen::Available, Some(reason)));
        floor.check_all();
    }
    let mut floor = outbound_floor(TrunkSetup { max_channels: Some(1), ..trunk() });
    let call = floor.dials(1, Floor::dial(1)).unwrap();
    assert_eq!(floor.sessions[&(AgentId(1), call)].device_failed.as_deref(), Some("trunk_full"));
    assert_eq!((channels(&floor), floor.calls.len(), floor.legs.len()), (0, 0, 0));
}

// E2
#[test]
fn the_agent_gives_up_while_the_mobile_rings() {
    let mut floor = outbound_floor(trunk());
    let call = floor.dials(1, Floor::dial(1)).unwrap();
    let leg = floor.mobile_leg(1).unwrap();
    floor.commands(1, call, Command::HangUp);
    assert_eq!((floor.far[&leg], channels(&floor), floor.row(call).status), (crate::floor::Far::Closed, 0, CallStatus::CallerCancelled));
    assert_eq!(floor.seen(1), Seen::Available);
}

// C7, E2
#[test]
fn who_answers_on_the_mobile_dials_with_the_page_unless_that_is_switched_too() {
    let mut floor = floor_with(group(1));
    assert_eq!(floor.agents[&AgentId(1)].may_dial(), Err(NoDial::OutOfReach));
    floor.goes_online(1);
    let call = floor.dials(1, Floor::dial(1)).unwrap();
    assert_eq!((floor.mobile_leg(1), floor.agents[&AgentId(1)].device()), (None, &Device::Browser));
    floor.check_all();
    // The browser has this call: a lost page is missed.
    floor.lose_peer(1);
    floor.advance(GRACE);
    assert_eq!(floor.row(call).status, CallStatus::AgentLost);
    floor.check_all();
    floor.is_set_up(AgentSetup { mobile: mobile(1, true, true), ..agent(1, &[1]) });
    floor.chooses(1, Chosen::Available);
    assert_eq!(floor.agents[&AgentId(1)].may_dial(), Ok(()));
    floor.dials(1, Floor::dial(1)).unwrap();
    assert!(floor.mobile_leg(1).is_some());
    floor.check_all();
}

// C8, E2
#[test]
fn an_agent_with_a_phone_may_answer_there_and_dial_by_the_mobile() {
    let mut floor = floor_on(trunk(), group(1), AgentSetup { device: phone(1), ..dials_by_mobile() });
    floor.dials(1, Floor::dial(1)).unwrap();
    let leg = floor.mobile_leg(1).unwrap();
    floor.far_hangs_up(leg);
    floor.advance(10_000);
    floor.calls(1);
    assert!(floor.phone_leg(1).is_some() && floor.mobile_leg(1).is_none());
}

// ---- E3 ----

/// Agent 2 calls the mobile of 1, who is offline.
fn calls_mobile(trunk: TrunkSetup) -> (Floor, CallId) {
    let mut floor = floor_on(trunk, group(1), agent(1, &[1]));
    floor.chooses(1, Chosen::Offline);
    floor.goes_online(2);
    let call = floor.dials(2, Floor::dial_mobile(1, 2, 1)).expect("a call begins");
    (floor, call)
}

fn far_mobile(floor: &Floor, call: CallId) -> LegId {
    let (_, own) = floor.calls[&call].machine.agent().expect("agent 2");
    floor.legs.keys().copied().find(|leg| *leg != own).expect("the mobile is called")
}

// E3
#[test]
fn a_colleague_who_is_not_online_is_called_on_the_mobile() {
    let (mut floor, call) = calls_mobile(trunk());
    assert_eq!((floor.dialled.clone(), channels(&floor)), (vec![("+4431".into(), mobile_number(1))], 1));
    let (leg, own) = (far_mobile(&floor, call), floor.calls[&call].machine.agent().unwrap().1);
    let phase = |floor: &Floor| floor.sessions[&(AgentId(2), call)].phase;
    assert_eq!(phase(&floor), Phase::Dialling);
    floor.far_rings(leg, false);
    floor.settle();
    assert_eq!((phase(&floor), floor.hears_now(own)), (Phase::Ringing, Source::Music("ringback".into())));
    floor.advance(3_000);
    floor.phone_answers(leg);
    floor.settle();
    assert_eq!((phase(&floor), floor.hears_now(own), floor.hears_now(leg)), (Phase::Talking, Source::Leg(leg), Source::Leg(own)));
    let session = &floor.sessions[&(AgentId(2), call)];
    assert_eq!((session.way, session.colleague, session.caller.as_str()), (CallType::Internal, Some(AgentId(1)), "1001"));
    floor.commands(2, call, Command::Hold);
    assert_eq!(floor.hears_now(leg), Source::Music("music 1".into()));
    floor.check_all();
    assert_eq!(floor.seen(1), Seen::Offline);
    floor.advance(1_000);
    floor.far_hangs_up(leg);
    floor.settle();
    let row = floor.row(call);
    assert_eq!((row.way, row.trunk, row.contact.as_str(), row.status), (CallType::Internal, None, "1001", CallStatus::NormalEnd));
    let agents: Vec<(Option<i32>, i64)> = row.records.iter().map(|record| (record.agent.map(|agent| agent.0), record.duration)).collect();
    assert_eq!(agents, [(Some(2), 4_000), (Some(1), 4_000)]);
    assert_eq!(
        (floor.seen(2), channels(&floor), floor.legs.len(), floor.recording.len()),
        (Seen::Available, 0, 0, 0),
        "no after-call work"
    );
}

// E3
#[test]
fn a_colleagues_mobile_that_fails_gives_the_call_its_name() {
    for (status, outcome) in [(486, CallStatus::InCall), (603, CallStatus::Rejected), (404, CallStatus::EmptyNumber)] {
        let (mut floor, call) = calls_mobile(trunk());
        let leg = far_mobile(&floor, call);
        floor.phone_fails(leg, status);
        floor.settle();
        assert_eq!((floor.row(call).status, floor.seen(2), channels(&floor)), (outcome, Seen::Available, 0));
        floor.check_all();
    }
    let (mut floor, call) = calls_mobile(trunk());
    floor.advance(60_000);
    assert_eq!((floor.row(call).status, channels(&floor)), (CallStatus::Missed, 0));
    let (floor, call) = calls_mobile(TrunkSetup { max_channels: Some(0), ..trunk() });
    assert_eq!((floor.row(call).status, floor.calls.len()), (CallStatus::TrunkFull, 0));
}
