//! B1, B2, B5, B6: states, after-call work, and what is kept of them.

use super::{floor_of, in_call, rings_at};
use crate::floor::world::group;
use cordboard_core::agent::{Chosen, Event, Seen};
use cordboard_core::call::Command;
use cordboard_core::ids::AgentId;
use cordboard_core::setup::{GroupSetup, WrapUp};

// B1
#[test]
fn the_state_is_shown_with_the_time_in_it() {
    let mut floor = floor_of(group(1), 1);
    floor.advance(9_000);
    floor.chooses(1, Chosen::OnBreak("lunch".into()));
    let since = floor.wall();
    floor.advance(60_000);
    assert_eq!(floor.agents[&AgentId(1)].seen(), (Seen::OnBreak, Some("lunch"), since));
}

// B1
#[test]
fn a_state_chosen_during_a_call_takes_effect_when_the_call_and_its_after_call_work_end() {
    let (mut floor, call) = in_call();
    floor.chooses(1, Chosen::OnBreak("lunch".into()));
    assert_eq!((floor.seen(1), floor.agents[&AgentId(1)].then()), (Seen::InLine, Some(&Chosen::OnBreak("lunch".into()))));
    floor.hangs_up(call);
    assert_eq!(floor.seen(1), Seen::AfterCallWork);
    floor.advance(10_000);
    assert_eq!((floor.seen(1), floor.agents[&AgentId(1)].then()), (Seen::OnBreak, None));
}

// B1
#[test]
fn otherwise_the_agent_returns_to_the_state_held_before() {
    let (mut floor, call) = in_call();
    floor.hangs_up(call);
    floor.advance(10_000);
    assert_eq!(floor.seen(1), Seen::Available);
}

// B1
#[test]
fn an_agent_in_line_or_in_after_call_work_is_offered_nothing() {
    let (mut floor, call) = in_call();
    let second = floor.calls(1);
    floor.advance(5_000);
    assert_eq!(rings_at(&floor, second), []);
    floor.hangs_up(call);
    floor.advance(9_999);
    assert_eq!(rings_at(&floor, second), []);
    floor.advance(1);
    assert_eq!(rings_at(&floor, second), [1]);
}

// B2
#[test]
fn after_call_work_counts_down_and_returns_to_available() {
    let (mut floor, call) = in_call();
    floor.hangs_up(call);
    assert_eq!(floor.agents[&AgentId(1)].wrap_up(), Some((floor.wall(), Some(10_000))));
    floor.advance(9_999);
    assert_eq!(floor.seen(1), Seen::AfterCallWork);
    floor.advance(1);
    assert_eq!(floor.seen(1), Seen::Available);
}

// B2
#[test]
fn zero_turns_after_call_work_off() {
    for wrap_up in [WrapUp::Off, WrapUp::Millis(0)] {
        let mut floor = floor_of(GroupSetup { wrap_up, ..group(1) }, 1);
        let call = floor.calls(1);
        floor.accepts(1);
        floor.hangs_up(call);
        assert_eq!(floor.seen(1), Seen::Available);
    }
}

// B2
#[test]
fn after_call_work_can_last_until_the_agent_says_so() {
    let mut floor = floor_of(GroupSetup { wrap_up: WrapUp::Manual, ..group(1) }, 1);
    let call = floor.calls(1);
    floor.accepts(1);
    floor.hangs_up(call);
    floor.advance(3_600_000);
    assert_eq!(floor.seen(1), Seen::AfterCallWork);
    floor.happens(1, Event::EndWrapUp);
    assert_eq!(floor.seen(1), Seen::Available);
}

// B2
#[test]
fn return_to_reception_ends_it_now() {
    let (mut floor, call) = in_call();
    floor.hangs_up(call);
    floor.advance(2_000);
    floor.happens(1, Event::EndWrapUp);
    assert_eq!(floor.seen(1), Seen::Available);
}

// B2
#[test]
fn continue_after_call_work_keeps_it_until_the_agent_leaves_it() {
    let (mut floor, call) = in_call();
    floor.hangs_up(call);
    floor.happens(1, Event::ContinueWrapUp);
    floor.advance(600_000);
    assert_eq!(floor.seen(1), Seen::AfterCallWork);
    floor.happens(1, Event::EndWrapUp);
    assert_eq!(floor.seen(1), Seen::Available);
}

// B2
#[test]
fn the_agents_own_hang_up_leads_to_after_call_work_as_well() {
    let (mut floor, call) = in_call();
    floor.commands(1, call, Command::HangUp);
    assert_eq!((floor.seen(1), floor.calls.len()), (Seen::AfterCallWork, 0));
}

// B5
#[test]
fn every_change_of_state_is_kept_with_its_time_and_reason() {
    let mut floor = floor_of(group(1), 1);
    let began = floor.wall();
    let call = floor.calls(1);
    floor.advance(2_000);
    floor.accepts(1);
    floor.advance(8_000);
    floor.hangs_up(call);
    floor.advance(12_000);
    floor.chooses(1, Chosen::OnBreak("lunch".into()));
    let mut kept: Vec<(Seen, Option<String>, i64)> =
        floor.states.iter().map(|(_, seen, why, at)| (*seen, why.clone(), at - began)).collect();
    kept.dedup();
    let expected = [
        (Seen::Available, None, -1_000),
        (Seen::InLine, None, 0),
        (Seen::AfterCallWork, None, 10_000),
        (Seen::Available, None, 20_000),
        (Seen::OnBreak, Some("lunch".into()), 22_000),
    ];
    assert_eq!(kept, expected);
}

// B6
#[test]
fn offline_is_left_by_online_without_a_new_login() {
    let mut floor = floor_of(group(1), 1);
    floor.chooses(1, Chosen::Offline);
    assert_eq!(floor.seen(1), Seen::Offline);
    // Going offline closes the voice path, going online brings a new one; the socket stays.
    floor.new_peer(1);
    floor.chooses(1, Chosen::Available);
    let call = floor.calls(1);
    assert_eq!(rings_at(&floor, call), [1]);
}

// B1, A9
#[test]
fn offline_chosen_in_mid_call_waits_for_the_calls_end() {
    let (mut floor, call) = in_call();
    floor.chooses(1, Chosen::Offline);
    floor.advance(60_000);
    assert_eq!(floor.agents[&AgentId(1)].in_call(), Some(call));
    floor.hangs_up(call);
    floor.advance(10_000);
    assert_eq!(floor.seen(1), Seen::Offline);
}

// B1
#[test]
fn offline_chosen_while_it_rings_lets_the_caller_move_on_at_once() {
    let mut floor = floor_of(group(1), 2);
    let call = floor.calls(1);
    floor.chooses(1, Chosen::Offline);
    assert_eq!((rings_at(&floor, call), floor.seen(1)), (vec![2], Seen::Offline));
}
