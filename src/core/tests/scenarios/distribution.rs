//! C3: who gets whom.

use super::{floor_of, rings_at};
use crate::floor::Floor;
use crate::floor::world::{agent, group};
use cordboard_core::agent::Chosen;
use cordboard_core::ids::CallId;
use cordboard_core::setup::{GroupSetup, Strategy, WrapUp};
use std::collections::BTreeMap;

fn with(strategy: Strategy) -> GroupSetup {
    GroupSetup { strategy, wrap_up: WrapUp::Off, ..group(1) }
}

/// The agent serves the caller who rings, for so long.
fn serves(floor: &mut Floor, agent: i32, call: CallId, millis: u64) {
    assert_eq!(rings_at(floor, call), [agent]);
    floor.accepts(agent);
    floor.advance(millis);
    floor.hangs_up(call);
}

#[test]
fn longest_idle_rings_whoever_waits_longest_for_a_call() {
    let mut floor = floor_of(with(Strategy::LongestIdle), 3);
    for expected in [1, 2, 3, 1, 2] {
        let call = floor.calls(1);
        serves(&mut floor, expected, call, 1_000);
    }
}

#[test]
fn being_rung_in_vain_does_not_cost_the_place_of_the_longest_idle() {
    let mut floor = floor_of(with(Strategy::LongestIdle), 2);
    let call = floor.calls(1);
    floor.hangs_up(call);
    floor.advance(1_000);
    let call = floor.calls(1);
    assert_eq!(rings_at(&floor, call), [1]);
}

#[test]
fn fewest_calls_today_rings_whoever_had_the_fewest() {
    let mut floor = floor_of(with(Strategy::FewestCallsToday), 2);
    let call = floor.calls(1);
    serves(&mut floor, 1, call, 1_000);
    let call = floor.calls(1);
    serves(&mut floor, 2, call, 60_000);
    // Both had one: the longer idle one is next, and the other after that although idle longer.
    let call = floor.calls(1);
    serves(&mut floor, 1, call, 1_000);
    let call = floor.calls(1);
    serves(&mut floor, 2, call, 1_000);
}

#[test]
fn calls_of_yesterday_do_not_count_today() {
    let mut floor = floor_of(with(Strategy::FewestCallsToday), 2);
    let call = floor.calls(1);
    serves(&mut floor, 1, call, 1_000);
    floor.chooses(2, Chosen::Busy(None));
    let call = floor.calls(1);
    serves(&mut floor, 1, call, 1_000);
    floor.advance(86_400_000);
    floor.chooses(2, Chosen::Available);
    let call = floor.calls(1);
    assert_eq!(rings_at(&floor, call), [1], "nobody had a call today, and 1 is idle longer");
}

#[test]
fn agent_priority_rings_the_lowest_number_first() {
    let mut second = agent(1, &[1]);
    second.groups[0].priority = 2;
    let mut first = agent(2, &[1]);
    first.groups[0].priority = 1;
    let mut floor = Floor::with(vec![with(Strategy::AgentPriority)], vec![second, first]);
    floor.goes_online(1);
    floor.goes_online(2);
    let one = floor.calls(1);
    let two = floor.calls(1);
    assert_eq!((rings_at(&floor, one), rings_at(&floor, two)), (vec![2], vec![1]));
}

#[test]
fn round_robin_takes_turns_whatever_the_calls_last() {
    let mut floor = floor_of(with(Strategy::RoundRobin), 3);
    for (expected, millis) in [(1, 60_000), (2, 1_000), (3, 1_000), (1, 1_000), (2, 1_000)] {
        let call = floor.calls(1);
        serves(&mut floor, expected, call, millis);
    }
}

#[test]
fn ring_all_rings_everybody_who_is_available() {
    let mut floor = floor_of(with(Strategy::RingAll), 3);
    floor.chooses(2, Chosen::Busy(None));
    let call = floor.calls(1);
    assert_eq!(rings_at(&floor, call), [1, 3]);
    // Who becomes available while it rings joins in.
    floor.chooses(2, Chosen::Available);
    assert_eq!(rings_at(&floor, call), [1, 2, 3]);
}

#[test]
fn the_agent_who_last_served_the_caller_comes_first() {
    let mut floor = floor_of(with(Strategy::LongestIdle), 3);
    let call = floor.calls_after(1, Some(3));
    assert_eq!(rings_at(&floor, call), [3]);
}

#[test]
fn a_caller_waits_for_the_last_agent_who_is_in_line_up_to_the_groups_time() {
    let mut floor = floor_of(GroupSetup { last_agent_wait: 15_000, ..with(Strategy::LongestIdle) }, 2);
    let first = floor.calls(1);
    floor.accepts(1);
    let call = floor.calls_after(1, Some(1));
    assert_eq!(rings_at(&floor, call), []);
    floor.advance(14_999);
    assert_eq!(rings_at(&floor, call), [], "2 is free, but 1 may come");
    floor.advance(1);
    assert_eq!(rings_at(&floor, call), [2]);
    floor.hangs_up(call);
    let call = floor.calls_after(1, Some(1));
    floor.advance(5_000);
    floor.hangs_up(first);
    assert_eq!(rings_at(&floor, call), [1], "1 became free in time");
}

#[test]
fn a_caller_waits_for_the_last_agent_in_after_call_work_too() {
    let mut floor = floor_of(GroupSetup { last_agent_wait: 15_000, wrap_up: WrapUp::Millis(10_000), ..group(1) }, 2);
    let first = floor.calls(1);
    floor.accepts(1);
    floor.hangs_up(first);
    let call = floor.calls_after(1, Some(1));
    assert_eq!(rings_at(&floor, call), []);
    floor.advance(10_000);
    assert_eq!(rings_at(&floor, call), [1]);
}

#[test]
fn without_a_time_nobody_waits_for_the_last_agent() {
    let mut floor = floor_of(with(Strategy::LongestIdle), 2);
    floor.calls(1);
    floor.accepts(1);
    let call = floor.calls_after(1, Some(1));
    assert_eq!(rings_at(&floor, call), [2]);
}

#[test]
fn nobody_waits_for_a_last_agent_who_does_not_come() {
    for chosen in [Chosen::Busy(None), Chosen::OnBreak("lunch".into()), Chosen::Offline] {
        let mut floor = floor_of(GroupSetup { last_agent_wait: 15_000, ..with(Strategy::LongestIdle) }, 2);
        floor.calls(1);
        floor.accepts(1);
        let call = floor.calls_after(1, Some(1));
        assert_eq!(rings_at(&floor, call), []);
        // After this call the agent will not be there.
        floor.chooses(1, chosen);
        assert_eq!(rings_at(&floor, call), [2]);
    }
}

#[test]
fn callers_are_served_in_the_order_of_their_arrival() {
    let mut floor = floor_of(with(Strategy::LongestIdle), 1);
    let first = floor.calls(1);
    floor.accepts(1);
    let mut queue = Vec::new();
    for _ in 0..3 {
        floor.advance(1_000);
        queue.push(floor.calls(1));
    }
    floor.hangs_up(first);
    for call in queue {
        serves(&mut floor, 1, call, 1_000);
    }
}

#[test]
fn a_caller_of_higher_priority_comes_before_those_who_wait_longer() {
    use cordboard_core::group::Event;
    use cordboard_core::ids::{AgentId, CallId, GroupId};
    use cordboard_core::message::Ticket;
    let mut floor = floor_of(with(Strategy::LongestIdle), 1);
    let first = floor.calls(1);
    floor.accepts(1);
    let waits = floor.calls(1);
    floor.advance(1_000);
    let urgent = floor.calls(1);
    let ticket = Ticket {
        call: urgent,
        arrived: floor.wall(),
        priority: 1,
        head: false,
        last_agent: None,
        wait: 1,
        taken_in: false,
        offers: Vec::new(),
        refused: BTreeMap::new(),
    };
    floor.group(GroupId(1), Event::Enqueue(ticket));
    floor.hangs_up(first);
    assert_eq!((floor.ringing(urgent), floor.ringing(waits)), (vec![AgentId(1)], vec![]));
    let _: CallId = waits;
}

#[test]
fn of_an_agents_groups_the_heavier_one_comes_first_then_the_longest_wait() {
    let mut mine = agent(1, &[1, 2, 3]);
    mine.groups[2].weight = 5;
    let mut floor = Floor::with(vec![group(1), group(2), group(3)], vec![mine, agent(2, &[1, 2, 3])]);
    // Somebody is online, so that callers are taken in.
    floor.goes_online(2);
    floor.chooses(2, Chosen::OnBreak("meeting".into()));
    let mut callers = Vec::new();
    for id in [2, 1, 3] {
        callers.push(floor.calls(id));
        floor.advance(1_000);
    }
    floor.goes_online(1);
    for call in [callers[2], callers[0], callers[1]] {
        assert_eq!(rings_at(&floor, call), [1]);
        floor.accepts(1);
        floor.hangs_up(call);
        floor.advance(10_000);
    }
}
