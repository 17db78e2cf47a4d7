//! C6: the agent hears a ding-dong, the call is connected.

use super::floor_of;
use crate::floor::world::{agent, group};
use crate::floor::{Floor, SOUND};
use cordboard_core::ids::AgentId;
use cordboard_core::message::Source;
use cordboard_core::setup::GroupSetup;

fn automatic() -> GroupSetup {
    GroupSetup { automatic_answer: true, ..group(1) }
}

#[test]
fn with_automatic_answer_the_agent_hears_a_ding_dong_and_is_connected() {
    let mut floor = floor_of(automatic(), 1);
    let call = floor.calls(1);
    let (_, leg) = floor.calls[&call].machine.agent().expect("the call answers itself");
    assert_eq!(floor.played, [(leg, "ding-dong".to_string())]);
    assert_eq!(floor.calls[&call].machine.kind(), "Joining");
    // The customer is not with the agent yet.
    assert!(matches!(floor.hears_now(floor.leg_of(call)), Source::Music(_)));
    floor.advance(SOUND);
    assert_eq!(floor.hears_now(floor.leg_of(call)), Source::Leg(leg));
}

#[test]
fn the_records_time_is_the_start_of_the_conversation_after_the_ding_dong() {
    let mut floor = floor_of(automatic(), 1);
    let arrived = floor.wall();
    let call = floor.calls(1);
    floor.advance(5_000);
    floor.hangs_up(call);
    let record = &floor.row(call).records[0];
    assert_eq!((record.time, record.wait), (arrived + SOUND as i64, SOUND as i64));
}

#[test]
fn the_agents_own_setting_comes_before_the_groups() {
    for (own, of_group, answers) in [(Some(true), false, true), (Some(false), true, false), (None, true, true), (None, false, false)] {
        let setup = cordboard_core::setup::AgentSetup { automatic_answer: own, ..agent(1, &[1]) };
        let mut floor = Floor::with(vec![GroupSetup { automatic_answer: of_group, ..group(1) }], vec![setup]);
        floor.goes_online(1);
        floor.calls(1);
        assert_eq!(floor.agents[&AgentId(1)].in_call().is_some(), answers, "{own:?} {of_group}");
    }
}

#[test]
fn a_caller_who_hangs_up_during_the_ding_dong_frees_the_agent() {
    let mut floor = floor_of(automatic(), 1);
    let call = floor.calls(1);
    floor.hangs_up(call);
    assert_eq!((floor.agents[&AgentId(1)].kind(), floor.legs.len()), ("Free", 0));
    floor.advance(SOUND);
    assert!(floor.calls.is_empty());
}
