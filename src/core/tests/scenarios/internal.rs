//! E3, C4: an agent calls a colleague.

use super::{floor_of, rings_at};
use crate::floor::world::{agent, group, phone};
use crate::floor::{EPOCH, Floor};
use cordboard_core::agent::{Chosen, Event, GRACE, Seen};
use cordboard_core::call::Command;
use cordboard_core::ids::{Address, AgentId, CallId, LegId};
use cordboard_core::message::{Phase, Source, Transfer};
use cordboard_core::outcome::{CallStatus, CallType, HungUpBy};
use cordboard_core::setup::GroupSetup;

/// Agent 1 calls agent 2, who rings; 3 is there too.
fn ringing() -> (Floor, CallId) {
    let mut floor = floor_of(group(1), 3);
    let call = calls_colleague(&mut floor);
    (floor, call)
}

fn calls_colleague(floor: &mut Floor) -> CallId {
    floor.dials(1, Floor::dial_colleague(1, 1, 2)).expect("a call begins")
}

/// The two speak; their legs.
fn speaking() -> (Floor, CallId, [LegId; 2]) {
    let (mut floor, call) = ringing();
    floor.advance(4_000);
    floor.accepts(2);
    let legs: Vec<LegId> = floor.calls[&call].machine.agents().into_iter().map(|(_, leg)| leg).collect();
    (floor, call, [legs[0], legs[1]])
}

fn phases(floor: &Floor, call: CallId) -> [Option<Phase>; 2] {
    [1, 2].map(|agent| floor.sessions.get(&(AgentId(agent), call)).map(|session| session.phase))
}

fn kinds(floor: &Floor) -> [&'static str; 2] {
    [1, 2].map(|agent| floor.agents[&AgentId(agent)].kind())
}

/// Agent and status of each record, and who hung up.
fn told(floor: &Floor, call: CallId) -> Vec<(Option<i32>, CallStatus, HungUpBy)> {
    floor.row(call).records.iter().map(|record| (record.agent.map(|agent| agent.0), record.status, record.hung_up_by)).collect()
}

#[test]
fn the_colleague_rings_answers_and_the_two_hear_each_other() {
    let (mut floor, call) = ringing();
    let bar = &floor.bars[&AgentId(2)];
    assert_eq!((bar.colleague, bar.caller.as_str(), bar.automatic), (Some(AgentId(1)), "1001", false));
    let (_, mine) = floor.calls[&call].machine.agent().expect("agent 1");
    assert_eq!((phases(&floor, call), floor.hears_now(mine)), ([Some(Phase::Ringing), None], Source::Music("ringback".into())));
    assert_eq!([1, 2].map(|agent| floor.seen(agent)), [Seen::InLine; 2]);
    floor.check_all();
    floor.advance(4_000);
    floor.accepts(2);
    let [mine, theirs] = [0, 1].map(|at| floor.calls[&call].machine.agents()[at].1);
    assert_eq!([mine, theirs].map(|leg| floor.hears_now(leg)), [theirs, mine].map(Source::Leg));
    assert_eq!(phases(&floor, call), [Some(Phase::Talking); 2]);
    let seen = [1, 2].map(|agent| {
        let session = &floor.sessions[&(AgentId(agent), call)];
        (session.way, session.colleague, session.caller.clone(), session.began)
    });
    let began = Some(EPOCH + floor.now as i64);
    assert_eq!(seen[0], (CallType::Internal, Some(AgentId(2)), "1002".into(), began));
    assert_eq!(seen[1], (CallType::Internal, Some(AgentId(1)), "1001".into(), began));
    assert!(!floor.recording.contains(&call), "internal calls are not recorded");
    floor.check_all();
}

#[test]
fn whoever_hangs_up_both_are_free_without_after_call_work_and_have_a_record() {
    for by in [1, 2] {
        let (mut floor, call, _) = speaking();
        floor.advance(10_000);
        floor.commands(by, call, Command::HangUp);
        assert_eq!((kinds(&floor), floor.calls.len(), floor.legs.len()), (["Free"; 2], 0, 0));
        assert_eq!([1, 2].map(|agent| floor.seen(agent)), [Seen::Available; 2]);
        let row = floor.row(call);
        assert_eq!((row.way, row.trunk, row.caller.as_str(), row.contact.as_str()), (CallType::Internal, None, "1001", "1002"));
        assert_eq!(told(&floor, call), [1, 2].map(|agent| (Some(agent), CallStatus::NormalEnd, HungUpBy::Agent)));
        let times: Vec<(i64, i64, i64, i64)> =
            row.records.iter().map(|record| (record.time - row.began, record.duration, record.wait, record.ring)).collect();
        assert_eq!(times, [(0, 14_000, 0, 0), (4_000, 14_000, 4_000, 4_000)]);
    }
}

#[test]
fn both_return_to_the_states_they_had() {
    let mut floor = floor_of(group(1), 3);
    floor.chooses(1, Chosen::OnBreak("lunch".into()));
    floor.chooses(2, Chosen::Busy(None));
    let call = calls_colleague(&mut floor);
    assert_eq!(rings_at(&floor, call), [2], "internal calls reach a busy agent");
    floor.accepts(2);
    floor.commands(1, call, Command::HangUp);
    assert_eq!([1, 2].map(|agent| floor.seen(agent)), [Seen::OnBreak, Seen::Busy]);
    floor.check_all();
}

#[test]
fn who_declines_or_does_not_answer_is_not_rung_longer_and_the_caller_is_told() {
    let (mut floor, call) = ringing();
    floor.declines(2);
    assert_eq!(told(&floor, call), [1, 2].map(|agent| (Some(agent), CallStatus::Rejected, HungUpBy::Agent)));
    assert_eq!(floor.sessions[&(AgentId(1), call)].transfer, None);
    let (mut floor, call) = ringing();
    floor.advance(20_000);
    assert_eq!((kinds(&floor), rings_at(&floor, call)), (["Free"; 2], vec![]));
    assert_eq!(told(&floor, call), [1, 2].map(|agent| (Some(agent), CallStatus::Missed, HungUpBy::Switch)));
    let session = &floor.sessions[&(AgentId(1), call)];
    assert_eq!((session.ended, session.transfer), (Some((CallStatus::Missed, HungUpBy::Switch)), None));
    floor.check_all();
}

/// B4.
#[test]
fn an_internal_call_that_rang_in_vain_is_no_miss_of_a_caller() {
    let mut floor = floor_of(GroupSetup { misses: 2, ..group(1) }, 2);
    calls_colleague(&mut floor);
    floor.advance(20_000);
    floor.chooses(1, Chosen::Busy(None));
    let customer = floor.calls(1);
    assert_eq!(rings_at(&floor, customer), [2]);
    floor.advance(20_000);
    assert_eq!(floor.seen(2), Seen::Available);
    floor.advance(25_000);
    assert_eq!(floor.seen(2), Seen::Busy, "the second miss of a caller");
}

#[test]
fn the_caller_gives_up_before_the_answer() {
    let (mut floor, call) = ringing();
    floor.commands(1, call, Command::HangUp);
    assert_eq!((kinds(&floor), rings_at(&floor, call), floor.calls.len()), (["Free"; 2], vec![], 0));
    assert_eq!(told(&floor, call), [1, 2].map(|agent| (Some(agent), CallStatus::CallerCancelled, HungUpBy::Agent)));
}

#[test]
fn nobody_is_rung_in_a_call_in_after_call_work_on_break_or_offline() {
    let refused = |floor: &mut Floor, status| {
        let call = calls_colleague(floor);
        assert_eq!((rings_at(floor, call), kinds(floor)[0]), (vec![], "Free"));
        assert_eq!(told(floor, call), [1, 2].map(|agent| (Some(agent), status, HungUpBy::Switch)));
        assert_eq!(floor.sessions[&(AgentId(1), call)].transfer, Some(Transfer::AgentRefused), "told from one who rang in vain");
        floor.check_all();
    };
    let mut floor = floor_of(group(1), 3);
    floor.chooses(1, Chosen::Busy(None));
    floor.chooses(3, Chosen::Busy(None));
    let customer = floor.calls(1);
    refused(&mut floor, CallStatus::InCall);
    floor.accepts(2);
    refused(&mut floor, CallStatus::InCall);
    floor.hangs_up(customer);
    assert_eq!(floor.seen(2), Seen::AfterCallWork);
    refused(&mut floor, CallStatus::Missed);
    floor.happens(2, Event::EndWrapUp);
    floor.chooses(2, Chosen::OnBreak("lunch".into()));
    refused(&mut floor, CallStatus::Missed);
    floor.chooses(2, Chosen::Offline);
    refused(&mut floor, CallStatus::NoAgentOnline);
}

#[test]
fn an_internal_call_ends_after_call_work_and_none_may_be_placed_offline_or_in_line() {
    let mut floor = floor_of(group(1), 2);
    let customer = floor.calls(1);
    assert_eq!(floor.dials(1, Floor::dial_colleague(1, 1, 2)), None, "who rings may not");
    floor.accepts(1);
    floor.hangs_up(customer);
    assert_eq!(floor.seen(1), Seen::AfterCallWork);
    let call = calls_colleague(&mut floor);
    floor.commands(1, call, Command::HangUp);
    assert_eq!(floor.seen(1), Seen::Available);
    floor.chooses(1, Chosen::Offline);
    assert_eq!(floor.dials(1, Floor::dial_colleague(1, 1, 2)), None);
}

#[test]
fn either_may_hold_the_other_and_be_silent() {
    let (mut floor, call, [mine, theirs]) = speaking();
    for (agent, own, other) in [(1, mine, theirs), (2, theirs, mine)] {
        floor.commands(agent, call, Command::Mute);
        assert_eq!((floor.hears_now(other), floor.hears_now(own)), (Source::Silence, Source::Leg(other)));
        floor.commands(agent, call, Command::Unmute);
        floor.commands(agent, call, Command::Hold);
        assert_eq!((floor.hears_now(other), floor.hears_now(own)), (Source::Music("music 1".into()), Source::Leg(other)));
        assert!(floor.sessions[&(AgentId(agent), call)].held);
        floor.advance(3_000);
        floor.commands(agent, call, Command::Resume);
        assert_eq!(floor.hears_now(other), Source::Leg(own));
    }
    floor.commands(3, call, Command::Hold);
    assert_eq!([mine, theirs].map(|leg| floor.hears_now(leg)), [theirs, mine].map(Source::Leg), "nobody else may");
    floor.check_all();
    floor.commands(1, call, Command::HangUp);
    assert_eq!(floor.row(call).records.iter().map(|record| record.hold).collect::<Vec<_>>(), [6_000; 2]);
}

#[test]
fn a_lost_workstation_hears_of_it_keeps_the_call_for_the_grace_time_and_then_ends_it() {
    for lost in [1, 2] {
        let (mut floor, call, [mine, theirs]) = speaking();
        let other = if lost == 1 { theirs } else { mine };
        floor.lose_peer(lost);
        floor.settle();
        assert_eq!(floor.hears_now(other), Source::Music("music 1".into()));
        assert_eq!(floor.sessions[&(AgentId(lost), call)].phase, Phase::Reconnecting);
        floor.advance(10_000);
        floor.new_peer(lost);
        floor.settle();
        assert_eq!([mine, theirs].map(|leg| floor.hears_now(leg)), [theirs, mine].map(Source::Leg));
        floor.check_all();
        floor.lose_peer(lost);
        floor.advance(GRACE);
        assert_eq!((floor.calls.len(), floor.seen(lost), floor.seen(3 - lost)), (0, Seen::Offline, Seen::Available));
        assert_eq!(told(&floor, call), [1, 2].map(|agent| (Some(agent), CallStatus::AgentLost, HungUpBy::Switch)));
    }
}

#[test]
fn a_second_login_takes_the_call_over() {
    let (mut floor, call, [mine, theirs]) = speaking();
    floor.happens(2, Event::TakenOver);
    floor.new_peer(2);
    floor.settle();
    assert_eq!([mine, theirs].map(|leg| floor.hears_now(leg)), [theirs, mine].map(Source::Leg));
    assert_eq!(floor.calls[&call].machine.agents().len(), 2);
    floor.check_all();
}

#[test]
fn phones_ring_on_both_sides() {
    let mut setups = vec![agent(1, &[1]), agent(2, &[1])];
    for setup in &mut setups {
        setup.device = phone(setup.id.0);
    }
    let mut floor = Floor::with(vec![group(1)], setups);
    floor.chooses(1, Chosen::Available);
    floor.chooses(2, Chosen::Available);
    let call = calls_colleague(&mut floor);
    assert_eq!((rings_at(&floor, call), floor.phone_leg(2)), (vec![], None), "the caller lifts first");
    let mine = floor.phone_leg(1).expect("the caller's phone rings");
    floor.phone_answers(mine);
    floor.settle();
    let theirs = floor.phone_leg(2).expect("the colleague's phone rings");
    floor.phone_answers(theirs);
    floor.settle();
    assert_eq!([mine, theirs].map(|leg| floor.hears_now(leg)), [theirs, mine].map(Source::Leg));
    floor.check_all();
    floor.far_hangs_up(theirs);
    floor.settle();
    assert_eq!(told(&floor, call), [1, 2].map(|agent| (Some(agent), CallStatus::NormalEnd, HungUpBy::Agent)));
}

#[test]
fn a_phone_that_refuses_gives_the_call_its_name() {
    for (status, outcome) in [(486, CallStatus::InCall), (603, CallStatus::Rejected), (480, CallStatus::Missed)] {
        let mut second = agent(2, &[1]);
        second.device = phone(2);
        let mut floor = Floor::with(vec![group(1)], vec![agent(1, &[1]), second]);
        floor.goes_online(1);
        floor.chooses(2, Chosen::Available);
        let call = calls_colleague(&mut floor);
        let theirs = floor.phone_leg(2).expect("the colleague's phone rings");
        floor.phone_fails(theirs, status);
        floor.settle();
        assert_eq!((floor.row(call).status, kinds(&floor)), (outcome, ["Free"; 2]), "status {status}");
        floor.check_all();
    }
    // The caller's own phone is hung up while the colleague rings.
    let mut first = agent(1, &[1]);
    first.device = phone(1);
    let mut floor = Floor::with(vec![group(1)], vec![first, agent(2, &[1])]);
    floor.chooses(1, Chosen::Available);
    floor.goes_online(2);
    let call = calls_colleague(&mut floor);
    let mine = floor.phone_leg(1).expect("the caller's phone rings");
    floor.phone_answers(mine);
    floor.settle();
    assert_eq!(rings_at(&floor, call), [2]);
    floor.far_hangs_up(mine);
    floor.settle();
    assert_eq!((floor.row(call).status, kinds(&floor)), (CallStatus::CallerCancelled, ["Free"; 2]));
}

#[test]
fn a_panic_of_the_call_frees_both_and_one_of_an_agent_is_not_noticed() {
    let (mut floor, call, _) = speaking();
    for agent in [1, 2] {
        floor.panic(Address::Agent(AgentId(agent)), None);
        floor.settle();
        floor.check_all();
    }
    assert_eq!(floor.calls[&call].machine.kind(), "Aside");
    floor.panic(Address::Call(call), None);
    floor.settle();
    assert_eq!((kinds(&floor), floor.legs.len()), (["Free"; 2], 0));
    assert_eq!(told(&floor, call), [1, 2].map(|agent| (Some(agent), CallStatus::Interrupted, HungUpBy::Switch)));
    // While it rings.
    let (mut floor, call) = ringing();
    floor.panic(Address::Agent(AgentId(2)), None);
    floor.settle();
    assert_eq!((floor.row(call).status, kinds(&floor)), (CallStatus::Missed, ["Free"; 2]));
    floor.check_all();
}

#[test]
fn a_journal_cut_short_leaves_both_records_interrupted() {
    let (floor, call, _) = speaking();
    assert_eq!(told(&floor, call), [1, 2].map(|agent| (Some(agent), CallStatus::Interrupted, HungUpBy::Switch)));
}
