//! C4: one offer, one agent, one winner; the place stays.

use super::{floor_of, in_call, rings_at};
use crate::floor::world::group;
use cordboard_core::agent::{Chosen, Event, Seen};
use cordboard_core::ids::{AgentId, GroupId, OfferId};
use cordboard_core::setup::{GroupSetup, Strategy, WrapUp};

#[test]
fn a_call_is_offered_to_one_agent_at_a_time() {
    let mut floor = floor_of(group(1), 3);
    let call = floor.calls(1);
    assert_eq!(rings_at(&floor, call).len(), 1);
    floor.advance(19_999);
    assert_eq!(floor.rang.len(), 1);
}

#[test]
fn in_a_ring_all_group_exactly_one_wins_and_the_others_stop_ringing() {
    let mut floor = floor_of(GroupSetup { strategy: Strategy::RingAll, ..group(1) }, 3);
    let call = floor.calls(1);
    let (two, three) = (floor.offer_of(AgentId(2)).unwrap(), floor.offer_of(AgentId(3)).unwrap());
    // Both press at the same moment.
    floor.agent(AgentId(2), Event::Accept(two));
    floor.agent(AgentId(3), Event::Accept(three));
    floor.settle();
    assert_eq!(floor.calls[&call].machine.agent().map(|(agent, _)| agent), Some(AgentId(2)));
    assert_eq!((rings_at(&floor, call), floor.agents[&AgentId(3)].kind(), floor.agents[&AgentId(1)].kind()), (vec![], "Free", "Free"));
}

#[test]
fn group_offers_go_to_available_agents_only() {
    for chosen in [Chosen::Busy(None), Chosen::OnBreak("lunch".into())] {
        let mut floor = floor_of(group(1), 1);
        floor.chooses(1, chosen);
        let call = floor.calls(1);
        floor.advance(60_000);
        assert_eq!(floor.rang, []);
        floor.chooses(1, Chosen::Available);
        assert_eq!(rings_at(&floor, call), [1]);
    }
}

#[test]
fn an_agent_has_at_most_one_offer() {
    let mut floor = floor_of(group(1), 1);
    let first = floor.calls(1);
    let second = floor.calls(1);
    assert_eq!((rings_at(&floor, first), rings_at(&floor, second)), (vec![1], vec![]));
}

#[test]
fn an_agent_in_several_groups_has_at_most_one_offer() {
    use crate::floor::Floor;
    use crate::floor::world::agent;
    let mut floor = Floor::with(vec![group(1), group(2)], vec![agent(1, &[1, 2])]);
    floor.goes_online(1);
    // Both callers arrive at the same moment, each in a queue of its own.
    use cordboard_core::call::Route;
    for id in [1, 2] {
        floor.begin(Some(Route { group: GroupId(id), early_media: false, last_agent: None }));
    }
    floor.settle();
    assert_eq!(floor.bars.len(), 1);
    assert_eq!(floor.rang.len(), 1);
}

#[test]
fn a_caller_does_not_lose_the_place_when_an_agent_does_not_answer() {
    let mut floor = floor_of(group(1), 1);
    let first = floor.calls(1);
    floor.advance(1_000);
    let second = floor.calls(1);
    floor.advance(19_000);
    assert_eq!(rings_at(&floor, first), [] as [i32; 0]);
    assert_eq!(floor.groups[&GroupId(1)].queue(), (2, Some(crate::floor::EPOCH + floor.now as i64 - 20_000)));
    // The agent missed the first caller and is free for the second one meanwhile.
    assert_eq!(rings_at(&floor, second), [1]);
    floor.accepts(1);
    floor.hangs_up(second);
    floor.advance(10_000);
    assert_eq!(rings_at(&floor, first), [1]);
}

#[test]
fn an_accept_that_comes_too_late_is_released() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    let offer = floor.offer_of(AgentId(1)).unwrap();
    let leg = floor.leg_of(call);
    // The caller hangs up while the agent's word is on its way.
    floor.far_hangs_up(leg);
    floor.agent(AgentId(1), Event::Accept(offer));
    floor.settle();
    assert_eq!((floor.agents[&AgentId(1)].kind(), floor.seen(1), floor.calls.len()), ("Free", Seen::Available, 0));
}

#[test]
fn a_word_about_an_offer_that_is_no_more_changes_nothing() {
    let (mut floor, call) = in_call();
    for event in [Event::Accept(OfferId(99)), Event::Decline(OfferId(99)), Event::Revoke(OfferId(99))] {
        floor.happens(1, event);
    }
    assert_eq!(floor.agents[&AgentId(1)].in_call(), Some(call));
}

#[test]
fn a_state_chosen_between_the_reservation_and_the_ring_is_respected() {
    let mut floor = floor_of(GroupSetup { wrap_up: WrapUp::Off, ..group(1) }, 1);
    use cordboard_core::call::Route;
    let call = floor.begin(Some(Route { group: GroupId(1), early_media: false, last_agent: None }));
    while floor.agents[&AgentId(1)].kind() != "Reserved" {
        assert!(floor.step_in_order());
    }
    floor.chooses(1, Chosen::Busy(None));
    assert_eq!((floor.rang.len(), floor.seen(1)), (0, Seen::Busy));
    floor.chooses(1, Chosen::Available);
    assert_eq!(rings_at(&floor, call), [1]);
}

#[test]
fn an_agent_who_is_lost_between_the_reservation_and_the_ring_is_not_rung() {
    let mut floor = floor_of(group(1), 2);
    use cordboard_core::call::Route;
    let call = floor.begin(Some(Route { group: GroupId(1), early_media: false, last_agent: None }));
    while floor.agents[&AgentId(1)].kind() != "Reserved" {
        assert!(floor.step_in_order());
    }
    floor.happens(1, Event::SocketDown);
    assert_eq!(rings_at(&floor, call), [2]);
    assert_eq!(floor.rang.len(), 1);
}
