//! C9: the caller hangs up at any point; everything stops, and the record says where.

use super::{floor_of, in_call, rings_at};
use crate::floor::world::{group, phone};
use crate::floor::{Far, Floor};
use cordboard_core::call::Route;
use cordboard_core::ids::{AgentId, CallId, GroupId};
use cordboard_core::leg::{Failure, Input, SignalEvent};
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::setup::{AgentSetup, GroupSetup, WayOut};

/// Nothing of the call is left, and its record ends so.
fn is_over(floor: &mut Floor, call: CallId, status: CallStatus) {
    let ended = floor.wall();
    assert!(
        floor.calls.is_empty() && floor.legs.is_empty() && floor.bars.is_empty() && floor.hears.is_empty() && floor.recording.is_empty()
    );
    assert!(floor.far.values().all(|far| *far == Far::Closed));
    assert!(floor.groups.values().all(|group| group.queue() == (0, None)));
    assert!(floor.trunks.values().all(|trunk| trunk.channels() == 0));
    let row = floor.row(call);
    assert_eq!((row.status, row.hung_up_by, row.ended), (status, HungUpBy::Customer, ended));
    floor.check_all();
}

#[test]
fn before_the_switch_took_the_call_in() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.begin(Some(Route { group: GroupId(1), early_media: false, last_agent: None }));
    let leg = floor.leg_of(call);
    floor.far_hangs_up(leg);
    floor.settle();
    is_over(&mut floor, call, CallStatus::AbandonedQueue);
}

#[test]
fn in_the_queue() {
    let mut floor = floor_of(group(1), 1);
    floor.chooses(1, cordboard_core::agent::Chosen::Busy(None));
    let call = floor.calls(1);
    floor.advance(7_000);
    floor.hangs_up(call);
    is_over(&mut floor, call, CallStatus::AbandonedQueue);
    let record = &floor.row(call).records[0];
    assert_eq!((record.group, record.agent, record.wait, record.ring), (Some(GroupId(1)), None, 7_000, 0));
}

#[test]
fn during_ringing() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    floor.advance(7_000);
    floor.hangs_up(call);
    is_over(&mut floor, call, CallStatus::AbandonedRinging);
    assert_eq!(floor.row(call).records[0].ring, 7_000);
    assert_eq!(floor.agents[&AgentId(1)].kind(), "Free", "no after-call work without a call");
}

#[test]
fn during_ringing_of_a_phone_the_phone_stops() {
    let mut floor = Floor::with(vec![group(1)], vec![AgentSetup { device: phone(1), ..crate::floor::world::agent(1, &[1]) }]);
    floor.chooses(1, cordboard_core::agent::Chosen::Available);
    let call = floor.calls(1);
    assert!(floor.phone_leg(1).is_some());
    floor.hangs_up(call);
    is_over(&mut floor, call, CallStatus::AbandonedRinging);
}

#[test]
fn in_the_queue_after_a_ring_in_vain() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    floor.declines(1);
    floor.hangs_up(call);
    is_over(&mut floor, call, CallStatus::AbandonedQueue);
}

#[test]
fn while_the_agents_voice_path_comes_up() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    let offer = floor.offer_of(AgentId(1)).unwrap();
    floor.agent(AgentId(1), cordboard_core::agent::Event::Accept(offer));
    while floor.calls[&call].machine.kind() != "Joining" {
        assert!(floor.step_in_order());
    }
    let leg = floor.leg_of(call);
    floor.far_hangs_up(leg);
    floor.settle();
    // Both ways are right, by a hair: the voice path may have come up first.
    let status = floor.row(call).status;
    assert!(matches!(status, CallStatus::AbandonedRinging | CallStatus::NormalEnd));
    is_over(&mut floor, call, status);
}

#[test]
fn in_the_call() {
    let (mut floor, call) = in_call();
    floor.advance(30_000);
    floor.hangs_up(call);
    is_over(&mut floor, call, CallStatus::NormalEnd);
    assert_eq!(floor.row(call).records[0].agent, Some(AgentId(1)));
}

#[test]
fn during_the_last_prompt() {
    let out = WayOut::HangUp { prompt: Some("sorry".into()) };
    let mut floor = Floor::with(vec![GroupSetup { on_no_agent: out, ..group(1) }], Vec::new());
    let call = floor.calls(1);
    assert_eq!(floor.calls[&call].machine.kind(), "Leaving");
    floor.hangs_up(call);
    is_over(&mut floor, call, CallStatus::NoAgentOnline);
}

#[test]
fn a_caller_who_hangs_up_lets_the_next_one_ring() {
    let mut floor = floor_of(group(1), 1);
    let first = floor.calls(1);
    let second = floor.calls(1);
    floor.hangs_up(first);
    assert_eq!(rings_at(&floor, second), [1]);
}

/// G1: nobody hung up.
#[test]
fn a_line_that_breaks_was_hung_up_by_the_switch() {
    let (mut floor, call) = in_call();
    let gone = Failure { status: 408, q850: None, text: "no answer from the network".into(), heard: false };
    floor.leg(floor.leg_of(call), Input::Signal(SignalEvent::Failed(gone)));
    floor.settle();
    let row = floor.row(call);
    assert_eq!((row.status, row.hung_up_by), (CallStatus::NormalEnd, HungUpBy::Switch));
}
