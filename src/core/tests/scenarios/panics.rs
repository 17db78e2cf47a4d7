//! Design, "what must hold": a panic in one machine.

use super::{floor_of, in_call, rings_at};
use crate::floor::world::{TRUNK, agent, group};
use crate::floor::{Far, Floor, Node};
use cordboard_core::agent::Chosen;
use cordboard_core::call;
use cordboard_core::group::Limit;
use cordboard_core::ids::{Address, AgentId, GroupId};
use cordboard_core::message::{Source, Tell};
use cordboard_core::outcome::CallStatus;
use cordboard_core::setup::{GroupSetup, WayOut, WrapUp};
use std::collections::BTreeMap;

fn panics(floor: &mut Floor, who: Address) {
    floor.panic(who, None);
    floor.settle();
    floor.check_all();
}

#[test]
fn a_panic_of_a_call_ends_that_call_only_and_cleanly() {
    let mut floor = floor_of(group(1), 2);
    let (first, second) = (floor.calls(1), floor.calls(1));
    floor.accepts(1);
    floor.accepts(2);
    let legs: Vec<_> = floor.legs.values().filter(|leg| leg.call == first).map(|leg| leg.id).collect();
    panics(&mut floor, Address::Call(first));
    assert!(legs.iter().all(|leg| !floor.legs.contains_key(leg) && floor.far.get(leg).is_none_or(|far| *far == Far::Closed)));
    assert_eq!((floor.row(first).status, floor.agents[&AgentId(1)].kind()), (CallStatus::Interrupted, "Free"));
    assert_eq!((floor.calls[&second].machine.kind(), floor.trunks[&TRUNK].channels()), ("Talking", 1));
}

#[test]
fn a_panic_of_a_call_that_rings_frees_the_agent() {
    let mut floor = floor_of(group(1), 1);
    let first = floor.calls(1);
    let second = floor.calls(1);
    panics(&mut floor, Address::Call(first));
    assert_eq!(rings_at(&floor, second), [1]);
}

#[test]
fn a_panic_of_a_call_over_its_first_offer_frees_the_agent_who_was_reserved() {
    use cordboard_core::call::Route;
    let mut floor = floor_of(group(1), 1);
    let call = floor.begin(Some(Route { group: GroupId(1), early_media: false, last_agent: None }));
    while floor.agents[&AgentId(1)].kind() != "Reserved" {
        assert!(floor.step_in_order());
    }
    panics(&mut floor, Address::Call(call));
    assert_eq!(floor.agents[&AgentId(1)].kind(), "Free");
}

#[test]
fn a_panic_of_a_leg_ends_its_call_with_a_bye_and_a_record() {
    let (mut floor, call) = in_call();
    let leg = floor.leg_of(call);
    panics(&mut floor, Address::Leg(leg));
    assert_eq!(
        (floor.row(call).status, floor.calls.len(), floor.legs.len(), floor.far[&leg]),
        (CallStatus::Interrupted, 0, 0, Far::Closed)
    );
}

#[test]
fn a_new_machine_of_a_group_does_not_keep_a_caller_whom_it_turned_away() {
    use cordboard_core::call::Route;
    let full = GroupSetup { max_queue: Some(0), on_max_queue: WayOut::Group(GroupId(2)), ..group(1) };
    let mut floor = Floor::with(vec![full, group(2)], vec![agent(1, &[1]), agent(2, &[2])]);
    floor.goes_online(1);
    floor.goes_online(2);
    floor.chooses(1, Chosen::Busy(None));
    let call = floor.begin(Some(Route { group: GroupId(1), early_media: false, last_agent: None }));
    while floor.calls[&call].machine.queue().is_none() {
        assert!(floor.step_in_order());
    }
    // The ticket is under way. The new machine has no room, then has an agent, before the call hears a word of it.
    let stall = floor.now + 100;
    floor.calls.get_mut(&call).expect("begun").stalled = stall;
    floor.panic(Address::Group(GroupId(1)), None);
    floor.settle();
    floor.chooses(1, Chosen::Available);
    floor.advance(100);
    floor.check_all();
    assert_eq!((rings_at(&floor, call), floor.groups[&GroupId(1)].queue().0), (vec![2], 0));
}

#[test]
fn a_caller_who_was_taken_in_is_not_sent_away_by_a_new_machine_that_had_no_room_before_it_heard_so() {
    let mut floor = floor_of(GroupSetup { max_queue: Some(1), ..group(1) }, 1);
    floor.chooses(1, Chosen::Busy(None));
    let call = floor.calls(1);
    let late = call::Event::TurnedAway { group: GroupId(1), wait: 1, limit: Limit::QueueFull, way_out: WayOut::HangUp { prompt: None } };
    floor.post_tell(Node::At(Address::Group(GroupId(1))), Tell::Call(call, late));
    floor.settle();
    floor.check_all();
    assert_eq!((floor.calls[&call].machine.queue(), floor.groups[&GroupId(1)].queue().0), (Some(GroupId(1)), 1));
}

#[test]
fn after_a_panic_of_a_group_nobody_loses_the_place_and_whoever_rings_goes_on_ringing() {
    let mut floor = floor_of(GroupSetup { wrap_up: WrapUp::Off, ..group(1) }, 1);
    let mut callers = Vec::new();
    for _ in 0..3 {
        callers.push(floor.calls(1));
        floor.advance(1_000);
    }
    panics(&mut floor, Address::Group(GroupId(1)));
    assert_eq!((rings_at(&floor, callers[0]), floor.rang.len()), (vec![1], 1));
    for call in callers {
        assert_eq!(rings_at(&floor, call), [1]);
        floor.accepts(1);
        floor.hangs_up(call);
    }
}

#[test]
fn after_a_panic_of_a_group_the_longest_wait_goes_on_where_it_began() {
    let mut floor = floor_of(GroupSetup { max_wait: Some(30_000), ..group(1) }, 1);
    floor.chooses(1, Chosen::Busy(None));
    let call = floor.calls(1);
    floor.advance(20_000);
    panics(&mut floor, Address::Group(GroupId(1)));
    floor.advance(10_000);
    assert_eq!((floor.calls.len(), floor.row(call).status), (0, CallStatus::QueueTimeout));
}

#[test]
fn a_new_group_does_not_say_that_nobody_is_online_before_it_heard_of_its_agents() {
    let mut floor = floor_of(group(1), 1);
    floor.chooses(1, Chosen::Busy(None));
    let call = floor.calls(1);
    panics(&mut floor, Address::Group(GroupId(1)));
    floor.advance(5_000);
    assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(1)));
}

#[test]
fn after_a_panic_of_an_agent_the_connected_call_notices_nothing() {
    let (mut floor, call) = in_call();
    let (_, leg) = floor.calls[&call].machine.agent().unwrap();
    let waits = floor.calls(1);
    panics(&mut floor, Address::Agent(AgentId(1)));
    assert_eq!((floor.agents[&AgentId(1)].in_call(), floor.hears_now(floor.leg_of(call))), (Some(call), Source::Leg(leg)));
    assert_eq!(rings_at(&floor, waits), []);
    floor.hangs_up(call);
    assert_eq!(floor.agents[&AgentId(1)].kind(), "WrapUp");
}

#[test]
fn after_a_panic_of_an_agent_who_rings_the_caller_rings_somebody() {
    let mut floor = floor_of(group(1), 2);
    let call = floor.calls(1);
    panics(&mut floor, Address::Agent(AgentId(1)));
    assert_eq!(rings_at(&floor, call).len(), 1);
    let agent = rings_at(&floor, call)[0];
    floor.accepts(agent);
    assert_eq!(floor.calls[&call].machine.kind(), "Talking");
}

#[test]
fn after_a_panic_of_an_agent_the_chosen_state_stays() {
    let mut floor = floor_of(group(1), 1);
    floor.chooses(1, Chosen::OnBreak("lunch".into()));
    panics(&mut floor, Address::Agent(AgentId(1)));
    assert_eq!((floor.seen(1), floor.state_reason(1)), (cordboard_core::agent::Seen::OnBreak, Some("lunch")));
}

#[test]
fn after_a_panic_of_an_agent_in_after_call_work_it_ends_when_it_would_have_ended() {
    let (mut floor, call) = in_call();
    floor.hangs_up(call);
    let WrapUp::Millis(total) = group(1).wrap_up else { panic!("the group's after-call work is timed") };
    floor.advance(total - 1_000);
    panics(&mut floor, Address::Agent(AgentId(1)));
    assert_eq!(floor.agents[&AgentId(1)].kind(), "WrapUp");
    floor.advance(999);
    assert_eq!(floor.agents[&AgentId(1)].kind(), "WrapUp");
    floor.advance(1);
    assert_eq!((floor.agents[&AgentId(1)].kind(), floor.seen(1)), ("Free", cordboard_core::agent::Seen::Available));
}

#[test]
fn misses_before_a_panic_of_an_agent_count_after_it() {
    let mut floor = floor_of(GroupSetup { misses: 2, ..group(1) }, 1);
    let call = floor.calls(1);
    floor.advance(20_000);
    panics(&mut floor, Address::Agent(AgentId(1)));
    while rings_at(&floor, call).is_empty() {
        floor.advance(1_000);
    }
    floor.advance(20_000);
    assert_eq!((floor.seen(1), floor.state_reason(1)), (cordboard_core::agent::Seen::Busy, Some("missed_calls")));
}

#[test]
fn after_a_panic_of_a_trunk_its_channels_are_counted_again() {
    let mut floor = floor_of(group(1), 1);
    let calls = [floor.calls(1), floor.calls(1)];
    panics(&mut floor, Address::Trunk(TRUNK));
    assert_eq!(floor.trunks[&TRUNK].channels(), 2);
    for call in calls {
        floor.hangs_up(call);
    }
    assert_eq!(floor.trunks[&TRUNK].channels(), 0);
}

#[test]
fn a_call_that_waits_for_its_channel_asks_the_new_trunk() {
    use cordboard_core::call::Route;
    let mut floor = floor_of(group(1), 1);
    let call = floor.begin(Some(Route { group: GroupId(1), early_media: false, last_agent: None }));
    // The trunk dies over the claim itself.
    floor.panic(Address::Trunk(TRUNK), Some(&mut crate::floor::random::Random::new(1)));
    floor.settle();
    assert_eq!(rings_at(&floor, call), [1]);
}

#[test]
fn a_call_that_is_silent_does_not_keep_its_agent_beyond_the_lease() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    floor.calls.get_mut(&call).unwrap().stalled = floor.now + 60_000;
    floor.advance(29_999);
    assert_eq!(rings_at(&floor, call), [1]);
    floor.advance(1);
    assert_eq!(floor.agents[&AgentId(1)].kind(), "Free");
}

#[test]
fn a_caller_who_was_taken_in_is_not_sent_away_by_a_new_group_that_is_full() {
    let mut floor = floor_of(GroupSetup { max_queue: Some(1), ..group(1) }, 1);
    floor.chooses(1, Chosen::Busy(None));
    let call = floor.calls(1);
    floor.panic(Address::Group(GroupId(1)), None);
    // A newcomer is faster at the new machine.
    let ticket = cordboard_core::message::Ticket {
        call: cordboard_core::ids::CallId(99),
        arrived: floor.wall(),
        priority: 0,
        head: false,
        last_agent: None,
        wait: 1,
        taken_in: false,
        offers: Vec::new(),
        refused: BTreeMap::new(),
    };
    floor.group(GroupId(1), cordboard_core::group::Event::Enqueue(ticket));
    floor.settle();
    assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(1)));
    assert!(floor.groups[&GroupId(1)].holds(call));
}

#[test]
fn an_offer_that_was_made_for_an_earlier_wait_is_sent_back() {
    use cordboard_core::call::Event;
    use cordboard_core::ids::OfferId;
    use cordboard_core::message::{Device, Offer};
    let (mut floor, call) = in_call();
    floor.happens(1, cordboard_core::agent::Event::SocketDown);
    floor.advance(30_000);
    let terms = group(1).terms(None);
    let late = Offer { offer: OfferId(99), agent: AgentId(1), wait: 1, device: Device::Browser, terms };
    floor.call(crate::floor::Node::Media, call, Event::Offer(Box::new(late)));
    assert_eq!(floor.calls[&call].machine.offered(), []);
    floor.settle();
    assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(1)));
}

#[test]
fn after_a_panic_of_a_group_who_declined_a_caller_is_not_asked_again_at_once() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    floor.declines(1);
    floor.advance(2_000);
    panics(&mut floor, Address::Group(GroupId(1)));
    assert_eq!(rings_at(&floor, call), []);
    floor.advance(2_999);
    assert_eq!(rings_at(&floor, call), []);
    floor.advance(1);
    assert_eq!(rings_at(&floor, call), [1]);
}
