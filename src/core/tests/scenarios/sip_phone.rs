//! C8: an agent answers on a SIP phone in the same way; B4: a device that fails.

use super::rings_at;
use crate::floor::Floor;
use crate::floor::world::{agent, group, phone};
use cordboard_core::agent::{Chosen, Seen};
use cordboard_core::ids::AgentId;
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::setup::{AgentSetup, GroupSetup};

fn floor_with(setup: GroupSetup) -> Floor {
    let mut floor = Floor::with(vec![setup], vec![AgentSetup { device: phone(1), ..agent(1, &[1]) }, agent(2, &[1])]);
    floor.chooses(1, Chosen::Available);
    floor.advance(1_000);
    floor
}

// C8
#[test]
fn the_phone_rings_and_whoever_lifts_it_is_connected() {
    let mut floor = floor_with(group(1));
    let call = floor.calls(1);
    let leg = floor.phone_leg(1).expect("the phone rings");
    assert_eq!(rings_at(&floor, call), [1], "the page shows it too, where there is one");
    floor.advance(5_000);
    floor.phone_answers(leg);
    floor.settle();
    assert_eq!((floor.calls[&call].machine.kind(), floor.agents[&AgentId(1)].in_call()), ("Talking", Some(call)));
    assert_eq!(floor.hears_now(leg), cordboard_core::message::Source::Leg(floor.leg_of(call)));
}

// C8
#[test]
fn a_phone_that_is_hung_up_ends_the_call_as_the_agents_hang_up() {
    let mut floor = floor_with(group(1));
    let call = floor.calls(1);
    let leg = floor.phone_leg(1).unwrap();
    floor.phone_answers(leg);
    floor.settle();
    floor.far_hangs_up(leg);
    floor.settle();
    assert_eq!((floor.row(call).status, floor.row(call).hung_up_by), (CallStatus::NormalEnd, HungUpBy::Agent));
    assert_eq!(floor.seen(1), Seen::AfterCallWork);
}

// C8
#[test]
fn a_phone_that_is_not_answered_stops_and_the_call_goes_to_another_agent() {
    let mut floor = floor_with(group(1));
    let call = floor.calls(1);
    floor.goes_online(2);
    floor.advance(20_000);
    assert_eq!((rings_at(&floor, call), floor.phone_leg(1)), (vec![2], None));
}

// B4
#[test]
fn a_device_that_fails_is_no_miss_and_the_agent_rests_ten_seconds_with_the_reason_shown() {
    for status in [486, 503, 404] {
        let mut floor = floor_with(GroupSetup { misses: 1, ..group(1) });
        let call = floor.calls(1);
        let leg = floor.phone_leg(1).unwrap();
        floor.phone_fails(leg, status);
        floor.settle();
        assert_eq!((floor.seen(1), floor.state_reason(1), rings_at(&floor, call)), (Seen::Available, Some("device_failed"), vec![]));
        floor.advance(9_999);
        assert_eq!(rings_at(&floor, call), []);
        floor.advance(1);
        assert_eq!((rings_at(&floor, call), floor.state_reason(1)), (vec![1], None));
    }
}

// C8
#[test]
fn a_call_refused_at_the_phone_is_declined() {
    let mut floor = floor_with(group(1));
    let call = floor.calls(1);
    floor.goes_online(2);
    let leg = floor.phone_leg(1).unwrap();
    floor.phone_fails(leg, 603);
    floor.settle();
    assert_eq!((rings_at(&floor, call), floor.state_reason(1)), (vec![2], None));
}

// C8
#[test]
fn a_phone_lifted_as_the_caller_hangs_up_is_released() {
    let mut floor = floor_with(group(1));
    let call = floor.calls(1);
    let (leg, customer) = (floor.phone_leg(1).unwrap(), floor.leg_of(call));
    floor.phone_answers(leg);
    floor.far_hangs_up(customer);
    floor.settle();
    assert!(floor.calls.is_empty() && floor.legs.is_empty());
    assert_eq!(floor.far[&leg], crate::floor::Far::Closed);
}

// C8
#[test]
fn answer_in_the_page_does_nothing_and_decline_still_does() {
    let mut floor = floor_with(group(1));
    let call = floor.calls(1);
    floor.accepts(1);
    assert_eq!((floor.agents[&AgentId(1)].kind(), rings_at(&floor, call)), ("Ringing", vec![1]));
    floor.declines(1);
    assert_eq!((floor.agents[&AgentId(1)].kind(), rings_at(&floor, call), floor.phone_leg(1)), ("Free", vec![], None));
}
