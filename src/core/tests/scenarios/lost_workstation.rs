//! B3: a workstation that loses its network.

use super::{floor_of, in_call, rings_at};
use crate::floor::Floor;
use crate::floor::world::{agent, group, phone};
use cordboard_core::agent::{Chosen, Event, Seen};
use cordboard_core::ids::{AgentId, GroupId};
use cordboard_core::message::{Phase, Source};
use cordboard_core::outcome::CallStatus;
use cordboard_core::setup::AgentSetup;

/// The two ways to be lost: the socket, the voice path.
const LOSSES: [fn(&mut Floor); 2] = [
    |floor| floor.happens(1, Event::SocketDown),
    |floor| {
        floor.lose_peer(1);
        floor.settle();
    },
];

fn comes_back(floor: &mut Floor) {
    floor.agent(AgentId(1), Event::SocketUp);
    floor.new_peer(1);
    floor.settle();
}

#[test]
fn it_keeps_its_state_for_the_grace_time_and_resumes() {
    for lose in LOSSES {
        let mut floor = floor_of(group(1), 1);
        lose(&mut floor);
        floor.advance(29_000);
        assert_eq!(floor.seen(1), Seen::Available);
        comes_back(&mut floor);
        floor.advance(60_000);
        let call = floor.calls(1);
        assert_eq!(rings_at(&floor, call), [1]);
    }
}

#[test]
fn after_the_grace_time_the_agent_is_offline() {
    for lose in LOSSES {
        let mut floor = floor_of(group(1), 1);
        lose(&mut floor);
        floor.advance(29_999);
        assert_eq!(floor.seen(1), Seen::Available);
        floor.advance(1);
        assert_eq!(floor.seen(1), Seen::Offline);
    }
}

#[test]
fn there_are_no_offers_meanwhile() {
    for lose in LOSSES {
        let mut floor = floor_of(group(1), 1);
        lose(&mut floor);
        let call = floor.calls(1);
        floor.advance(20_000);
        assert_eq!(rings_at(&floor, call), []);
        comes_back(&mut floor);
        assert_eq!(rings_at(&floor, call), [1]);
    }
}

#[test]
fn a_ringing_offer_moves_on_after_three_seconds_and_is_no_miss() {
    for lose in LOSSES {
        let mut floor = floor_of(cordboard_core::setup::GroupSetup { misses: 1, ..group(1) }, 2);
        let call = floor.calls(1);
        lose(&mut floor);
        floor.advance(2_999);
        assert_eq!(rings_at(&floor, call), [1]);
        floor.advance(1);
        assert_eq!((rings_at(&floor, call), floor.seen(1)), (vec![2], Seen::Available));
    }
}

#[test]
fn a_ringing_offer_stays_when_the_workstation_is_back_in_time() {
    for lose in LOSSES {
        let mut floor = floor_of(group(1), 2);
        let call = floor.calls(1);
        lose(&mut floor);
        floor.advance(2_000);
        comes_back(&mut floor);
        floor.advance(10_000);
        assert_eq!(rings_at(&floor, call), [1]);
        floor.accepts(1);
        assert_eq!(floor.calls[&call].machine.kind(), "Talking");
    }
}

#[test]
fn a_connected_customer_hears_music_and_then_the_agent_again() {
    for lose in LOSSES {
        let (mut floor, call) = in_call();
        let (_, leg) = floor.calls[&call].machine.agent().unwrap();
        lose(&mut floor);
        assert_eq!(floor.hears_now(floor.leg_of(call)), Source::Music("music 1".into()));
        assert_eq!(floor.sessions[&(AgentId(1), call)].phase, Phase::Reconnecting);
        floor.advance(20_000);
        comes_back(&mut floor);
        assert_eq!(floor.hears_now(floor.leg_of(call)), Source::Leg(leg));
        assert_eq!(floor.sessions[&(AgentId(1), call)].phase, Phase::Talking);
        assert_eq!(floor.agents[&AgentId(1)].in_call(), Some(call));
    }
}

#[test]
fn after_the_grace_time_the_customer_goes_to_the_head_of_the_groups_queue() {
    for lose in LOSSES {
        let (mut floor, call) = in_call();
        let earlier = floor.calls(1);
        floor.advance(5_000);
        lose(&mut floor);
        floor.advance(30_000);
        assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(1)));
        assert_eq!(floor.hears_now(floor.leg_of(call)), Source::Music("music 1".into()));
        assert_eq!(floor.seen(1), Seen::Offline);
        assert_eq!(floor.sessions[&(AgentId(1), call)].ended.map(|(status, _)| status), Some(CallStatus::AgentLost));
        comes_back(&mut floor);
        floor.chooses(1, Chosen::Available);
        assert_eq!((rings_at(&floor, call), rings_at(&floor, earlier)), (vec![1], vec![]), "before one who came earlier");
    }
}

#[test]
fn a_customer_at_the_head_is_exempt_from_the_queues_limits() {
    use cordboard_core::setup::GroupSetup;
    let mut floor = floor_of(GroupSetup { max_wait: Some(10_000), max_queue: Some(0), ..group(1) }, 2);
    floor.chooses(2, Chosen::Busy(None));
    let call = floor.calls(1);
    floor.accepts(1);
    floor.happens(1, Event::SocketDown);
    floor.advance(90_000);
    assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(1)));
    floor.chooses(2, Chosen::Available);
    assert_eq!(rings_at(&floor, call), [2]);
}

#[test]
fn a_page_that_is_lost_while_the_call_connects_leaves_the_customer_with_music() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    let offer = floor.offer_of(AgentId(1)).unwrap();
    floor.agent(AgentId(1), Event::Accept(offer));
    while floor.agents[&AgentId(1)].kind() != "InCall" {
        assert!(floor.step_in_order());
    }
    assert_eq!(floor.calls[&call].machine.kind(), "Joining");
    floor.happens(1, Event::SocketDown);
    assert!(matches!(floor.hears_now(floor.leg_of(call)), Source::Music(_)));
    comes_back(&mut floor);
    assert!(matches!(floor.hears_now(floor.leg_of(call)), Source::Leg(_)));
}

#[test]
fn an_agent_on_a_sip_phone_keeps_the_state_without_a_page() {
    let mut floor = Floor::with(vec![group(1)], vec![AgentSetup { device: phone(1), ..agent(1, &[1]) }]);
    floor.agent(AgentId(1), Event::SocketUp);
    floor.chooses(1, Chosen::Available);
    floor.happens(1, Event::SocketDown);
    floor.advance(3_600_000);
    assert_eq!(floor.seen(1), Seen::Available);
    floor.calls(1);
    assert!(floor.phone_leg(1).is_some());
}

#[test]
fn after_call_work_goes_on_during_a_reconnect_and_is_not_started_anew() {
    for lose in LOSSES {
        let (mut floor, call) = in_call();
        floor.hangs_up(call);
        floor.advance(4_000);
        lose(&mut floor);
        floor.advance(2_000);
        comes_back(&mut floor);
        floor.advance(3_999);
        assert_eq!(floor.seen(1), Seen::AfterCallWork);
        floor.advance(1);
        assert_eq!(floor.seen(1), Seen::Available);
    }
}
