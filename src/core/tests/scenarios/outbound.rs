//! E1, E5, E6, G3, D7: an agent calls out.

use super::floor_of;
use crate::floor::world::{TRUNK, group, phone, trunk};
use crate::floor::{Far, Floor};
use cordboard_core::agent::{Chosen, Dial, Event, Seen};
use cordboard_core::call::{Command, PAUSE};
use cordboard_core::ids::{AgentId, CallId};
use cordboard_core::leg::{Failure, SignalCommand, SignalEvent};
use cordboard_core::message::{Phase, Source};
use cordboard_core::outbound::RING_OUT;
use cordboard_core::outcome::{CallStatus, CallType, HungUpBy};
use cordboard_core::setup::{DigitMode, OutcomeRule, TrunkSetup};

/// An agent of group 1 who has dialled, with the call.
fn dialling(setup: TrunkSetup) -> (Floor, CallId) {
    let mut floor = Floor::new();
    floor.open(setup, vec![group(1)], vec![crate::floor::world::agent(1, &[1])]);
    floor.advance(1_000);
    floor.goes_online(1);
    let call = floor.dials(1, Floor::dial(1)).expect("a call begins");
    (floor, call)
}

fn phase(floor: &Floor, call: CallId) -> Phase {
    floor.sessions.iter().find(|((_, of), _)| *of == call).expect("the agent sees the call").1.phase
}

#[test]
fn an_agent_calls_and_hears_the_ringing_then_the_customer() {
    let (mut floor, call) = dialling(trunk());
    let (_, mine) = floor.calls[&call].machine.agent().expect("the agent is in the call");
    let customer = floor.leg_of(call);
    assert_eq!((phase(&floor, call), floor.seen(1), floor.hears_now(mine)), (Phase::Dialling, Seen::InLine, Source::Silence));
    floor.advance(2_000);
    floor.customer_rings(call, false);
    assert_eq!((phase(&floor, call), floor.hears_now(mine)), (Phase::Ringing, Source::Music("ringback".into())));
    floor.customer_rings(call, true);
    assert_eq!(floor.hears_now(mine), Source::Leg(customer), "early media is heard instead");
    floor.advance(3_000);
    floor.customer_answers(call);
    assert_eq!(
        (phase(&floor, call), floor.hears_now(mine), floor.hears_now(customer)),
        (Phase::Talking, Source::Leg(customer), Source::Leg(mine))
    );
    assert!(floor.recording.contains(&call));
    floor.check_all();
    floor.advance(10_000);
    floor.commands(1, call, Command::HangUp);
    assert_eq!((floor.seen(1), floor.far[&customer]), (Seen::AfterCallWork, Far::Closed));
    let row = floor.row(call);
    assert_eq!((row.way, row.caller.as_str(), row.contact.as_str()), (CallType::Outbound, "+4430", "+4420"));
    let record = &row.records[0];
    // G1: the time of an outbound call is when dialling began.
    assert_eq!((record.time, record.duration, record.ring, record.wait), (row.began, 15_000, 3_000, 0));
    assert_eq!(
        (record.status, record.hung_up_by, record.agent.map(|a| a.0), record.group.map(|g| g.0)),
        (CallStatus::NormalEnd, HungUpBy::Agent, Some(1), Some(1))
    );
    assert_eq!(record.recording, Some((0, 10_000)));
}

#[test]
fn an_agent_with_a_phone_lifts_it_first() {
    let mut floor = Floor::new();
    let mut setup = crate::floor::world::agent(1, &[1]);
    setup.device = phone(1);
    floor.open(trunk(), vec![group(1)], vec![setup]);
    floor.advance(1_000);
    floor.chooses(1, Chosen::Available);
    let call = floor.dials(1, Floor::dial(1)).expect("a call begins");
    assert!(!floor.legs.contains_key(&floor.leg_of(call)), "the customer is not called before");
    let mine = floor.phone_leg(1).expect("the phone rings");
    floor.phone_answers(mine);
    floor.settle();
    floor.customer_answers(call);
    assert_eq!(floor.calls[&call].machine.kind(), "Talking");
    floor.check_all();
    // One that nobody lifts is a device that failed (B4).
    let mut floor = Floor::new();
    let mut setup = crate::floor::world::agent(1, &[1]);
    setup.device = phone(1);
    floor.open(trunk(), vec![group(1)], vec![setup]);
    floor.chooses(1, Chosen::Available);
    let call = floor.dials(1, Floor::dial(1)).expect("a call begins");
    floor.advance(20_000);
    assert_eq!((floor.row(call).status, floor.agents[&cordboard_core::ids::AgentId(1)].is_ready()), (CallStatus::AgentLost, false));
}

#[test]
fn table_b_says_who_may_call_out() {
    let mut floor = floor_of(group(1), 1);
    for chosen in [Chosen::Available, Chosen::Busy(None), Chosen::OnBreak("lunch".into())] {
        floor.chooses(1, chosen.clone());
        let call = floor.dials(1, Floor::dial(1)).unwrap_or_else(|| panic!("{chosen:?} may call out"));
        assert_eq!(floor.dials(1, Floor::dial(1)), None, "in line may not");
        floor.commands(1, call, Command::HangUp);
        assert_eq!((floor.row(call).status, floor.row(call).hung_up_by), (CallStatus::CallerCancelled, HungUpBy::Agent));
        // Back to what it was, without after-call work: nobody was spoken to.
        assert_eq!(*floor.agents[&cordboard_core::ids::AgentId(1)].chosen(), chosen);
        assert_eq!(floor.agents[&cordboard_core::ids::AgentId(1)].kind(), "Free");
    }
    floor.chooses(1, Chosen::Available);
    let call = floor.calls(1);
    assert_eq!(floor.dials(1, Floor::dial(1)), None, "who rings may not");
    floor.accepts(1);
    floor.hangs_up(call);
    assert_eq!(floor.seen(1), Seen::AfterCallWork);
    assert!(floor.dials(1, Floor::dial(1)).is_some(), "after-call work ends with a call out");
    let mut floor = floor_of(group(1), 1);
    floor.chooses(1, Chosen::Offline);
    assert_eq!(floor.dials(1, Floor::dial(1)), None);
}

#[test]
fn the_reason_of_a_failure_is_on_the_record_and_in_the_session() {
    for (status, outcome, by) in [
        (486, CallStatus::InCall, HungUpBy::Customer),
        (603, CallStatus::Rejected, HungUpBy::Customer),
        (404, CallStatus::EmptyNumber, HungUpBy::Switch),
        (480, CallStatus::Missed, HungUpBy::Switch),
        (503, CallStatus::CarrierException, HungUpBy::Switch),
    ] {
        let (mut floor, call) = dialling(trunk());
        floor.customer_fails(call, status);
        let row = floor.row(call);
        assert_eq!((row.status, row.hung_up_by, row.records.len()), (outcome, by, 1), "status {status}");
        assert_eq!(floor.sessions.values().next().expect("a session").ended, Some((outcome, by)));
        assert_eq!((floor.seen(1), floor.calls.len(), floor.legs.len()), (Seen::Available, 0, 0));
    }
}

#[test]
fn the_cause_comes_before_the_status_and_the_trunks_own_rule_before_both() {
    let arrears = OutcomeRule { cause: None, status: None, text: Some("balance".into()), outcome: CallStatus::Arrears };
    for (text, outcome) in [("no", CallStatus::PowerOff), ("Insufficient balance", CallStatus::Arrears)] {
        let (mut floor, call) = dialling(TrunkSetup { outcomes: vec![arrears.clone()], ..trunk() });
        let leg = floor.leg_of(call);
        let why = Failure { status: 480, q850: Some(20), text: text.into(), heard: true };
        floor.leg(leg, cordboard_core::leg::Input::Signal(SignalEvent::Failed(why)));
        floor.leg(leg, cordboard_core::leg::Input::Signal(SignalEvent::Closed));
        floor.settle();
        assert_eq!(floor.row(call).status, outcome);
    }
}

#[test]
fn a_customer_who_does_not_answer_is_missed_after_the_ring_time() {
    let (mut floor, call) = dialling(trunk());
    floor.customer_rings(call, false);
    let leg = floor.leg_of(call);
    floor.advance(RING_OUT - 1);
    assert_eq!(floor.calls.len(), 1);
    floor.advance(1);
    assert_eq!((floor.row(call).status, floor.row(call).hung_up_by), (CallStatus::Missed, HungUpBy::Switch));
    assert_eq!(floor.signalled.last(), Some(&(leg, SignalCommand::HangUp { q850: Some(16) })));
    assert_eq!((floor.calls.len(), floor.legs.len()), (0, 0));
}

#[test]
fn who_hangs_up_before_the_answer_cancelled_whatever_comes_then() {
    let (mut floor, call) = dialling(trunk());
    floor.customer_rings(call, false);
    let leg = floor.leg_of(call);
    floor.commands(1, call, Command::HangUp);
    floor.phone_answers(leg);
    floor.settle();
    assert_eq!((floor.row(call).status, floor.calls.len()), (CallStatus::CallerCancelled, 0));
}

#[test]
fn what_the_guards_forbid_leaves_a_record_and_calls_nobody() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.dials(1, Dial { permitted: false, ..Floor::dial(1) }).expect("on record");
    assert_eq!(
        (floor.row(call).status, floor.signalled.len(), floor.legs.len(), floor.seen(1)),
        (CallStatus::NotPermitted, 0, 0, Seen::Available)
    );
    for expected in [CallStatus::CallerCancelled, CallStatus::NotPermitted] {
        let call = floor.dials(1, Dial { a_day: Some(1), ..Floor::dial(1) }).expect("on record");
        floor.commands(1, call, Command::HangUp);
        assert_eq!(floor.row(call).status, expected);
    }
    floor.advance(86_400_000);
    let call = floor.dials(1, Dial { a_day: Some(1), ..Floor::dial(1) }).expect("on record");
    assert_eq!(floor.calls[&call].machine.kind(), "Dialling", "a new day");
}

#[test]
fn a_number_that_is_consulted_counts_among_the_calls_of_the_day() {
    let mut floor = floor_of(group(1), 1);
    let may_call_again = |floor: &Floor, day| floor.agents[&AgentId(1)].may_call_again(Some(1), day);
    let today = i32::try_from(floor.wall() / 86_400_000).expect("a day");
    assert!(may_call_again(&floor, today));
    floor.happens(1, Event::ConsultsNumber);
    assert_eq!((may_call_again(&floor, today), may_call_again(&floor, today + 1)), (false, true));
    let call = floor.dials(1, Dial { a_day: Some(1), ..Floor::dial(1) }).expect("on record");
    assert_eq!(floor.row(call).status, CallStatus::NotPermitted);
}

#[test]
fn a_trunks_limits_for_calls_out_bar_them_and_a_full_trunk_is_called_full() {
    let (mut floor, first) = dialling(TrunkSetup { max_outbound_a_day: Some(1), ..trunk() });
    floor.commands(1, first, Command::HangUp);
    let second = floor.dials(1, Floor::dial(1)).expect("on record");
    assert_eq!(floor.row(second).status, CallStatus::NotPermitted);
    let mut floor = Floor::new();
    floor.open(TrunkSetup { max_channels: Some(1), ..trunk() }, vec![group(1)], vec![crate::floor::world::agent(1, &[1])]);
    floor.advance(1_000);
    floor.goes_online(1);
    floor.chooses(1, Chosen::Busy(None));
    floor.calls(1);
    let call = floor.dials(1, Floor::dial(1)).expect("on record");
    assert_eq!((floor.row(call).status, floor.trunks[&TRUNK].channels()), (CallStatus::TrunkFull, 1));
}

#[test]
fn a_host_that_is_dead_is_passed_over() {
    let hosts: Vec<std::net::SocketAddr> = vec!["192.0.2.1:5060".parse().expect("one"), "192.0.2.2:5060".parse().expect("two")];
    let mut floor = Floor::new();
    floor.open(TrunkSetup { hosts: hosts.clone(), ..trunk() }, vec![group(1)], vec![crate::floor::world::agent(1, &[1])]);
    floor.advance(1_000);
    floor.goes_online(1);
    floor.trunk(TRUNK, cordboard_core::trunk::Event::Probed { host: hosts[0], alive: false });
    floor.dials(1, Floor::dial(1));
    assert_eq!(floor.called, [hosts[1]]);
}

#[test]
fn a_workstation_that_reloads_while_it_dials_keeps_the_call() {
    let (mut floor, call) = dialling(trunk());
    floor.happens(1, Event::SocketDown);
    floor.lose_peer(1);
    floor.settle();
    floor.customer_answers(call);
    assert_eq!(phase(&floor, call), Phase::Reconnecting);
    floor.happens(1, Event::SocketUp);
    floor.new_peer(1);
    floor.settle();
    assert_eq!(phase(&floor, call), Phase::Talking);
    floor.check_all();
}

#[test]
fn a_called_customer_can_be_transferred_like_any_other() {
    let mut floor = floor_of(group(1), 2);
    let call = floor.dials(1, Floor::dial(1)).expect("a call begins");
    floor.customer_answers(call);
    floor.commands(1, call, Command::Transfer(cordboard_core::message::Target::Agent(cordboard_core::ids::AgentId(2))));
    floor.accepts(2);
    floor.check_all();
    floor.hangs_up(call);
    let told: Vec<_> = floor.row(call).records.iter().map(|r| (r.status, r.agent.map(|a| a.0))).collect();
    assert_eq!(told, [(CallStatus::AgentTransfer, Some(1)), (CallStatus::NormalEnd, Some(2))]);
}

/// D7.
#[test]
fn digits_go_out_one_by_one_with_pauses_as_the_trunk_wants_them() {
    for (mode, how) in [(DigitMode::Rfc4733, "event"), (DigitMode::Info, "info"), (DigitMode::InBand, "in band")] {
        let (mut floor, call) = dialling(TrunkSetup { digits: mode, ..trunk() });
        floor.commands(1, call, Command::Digits("9".into()));
        floor.customer_answers(call);
        assert!(floor.digits.is_empty(), "nobody is there yet");
        let (begun, leg) = (floor.now, floor.leg_of(call));
        floor.commands(1, call, Command::Digits("1,2#".into()));
        floor.commands(1, call, Command::Digits("x".into()));
        floor.advance(10_000);
        let sent: Vec<_> = floor.digits.iter().map(|(at, on, digit, how)| (at - begun, *on, *digit, *how)).collect();
        assert_eq!(sent, [(0, leg, '1', how), (200 + PAUSE, leg, '2', how), (400 + PAUSE, leg, '#', how)]);
        floor.commands(1, call, Command::Digits("3,,4".into()));
        floor.hangs_up(call);
        floor.advance(10_000);
        assert_eq!(floor.digits.len(), 4, "what is left is forgotten with the call");
    }
}

/// E4.
#[test]
fn a_sip_address_is_called_without_a_carrier_and_its_failures_have_the_same_names() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.dials(1, Floor::dial_sip(1)).expect("a call begins");
    let (_, mine) = floor.calls[&call].machine.agent().expect("the agent is in the call");
    assert_eq!((floor.trunks[&TRUNK].channels(), floor.called.len()), (0, 0), "no carrier is asked");
    floor.customer_rings(call, false);
    floor.customer_answers(call);
    let lobby = floor.leg_of(call);
    assert_eq!((floor.hears_now(mine), floor.hears_now(lobby)), (Source::Leg(lobby), Source::Leg(mine)));
    floor.check_all();
    floor.hangs_up(call);
    let row = floor.row(call);
    assert_eq!((row.way, row.trunk, row.contact.as_str(), row.status), (CallType::Outbound, None, "lobby", CallStatus::NormalEnd));
    assert_eq!(floor.seen(1), Seen::AfterCallWork);
    for (status, outcome) in [(486, CallStatus::InCall), (603, CallStatus::Rejected), (404, CallStatus::EmptyNumber)] {
        let call = floor.dials(1, Floor::dial_sip(1)).expect("a call begins");
        floor.customer_fails(call, status);
        assert_eq!(floor.row(call).status, outcome, "status {status}");
    }
    let call = floor.dials(1, Floor::dial_sip(1)).expect("a call begins");
    floor.advance(RING_OUT);
    assert_eq!((floor.row(call).status, floor.calls.len()), (CallStatus::Missed, 0));
    floor.check_all();
}
