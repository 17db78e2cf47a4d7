//! C5 and B4: the answer bar, who does not answer, who declines, and devices that fail.

use super::{floor_of, rings_at};
use crate::floor::world::group;
use cordboard_core::agent::{Chosen, Seen};
use cordboard_core::ids::AgentId;
use cordboard_core::setup::GroupSetup;

// C5
#[test]
fn the_answer_bar_shows_number_group_waiting_time_and_countdown() {
    let mut floor = floor_of(GroupSetup { ring: 12_000, ..group(1) }, 1);
    floor.chooses(1, Chosen::Busy(None));
    let call = floor.calls(1);
    let arrived = floor.wall();
    floor.advance(7_000);
    floor.chooses(1, Chosen::Available);
    let bar = &floor.bars[&AgentId(1)];
    assert_eq!((bar.call, bar.caller.as_str(), bar.called.as_str(), bar.group.as_str()), (call, "+4420", "+4430", "group 1"));
    assert_eq!((bar.waiting_since, bar.rings_since, bar.rings_until), (arrived, arrived + 7_000, arrived + 19_000));
}

// C5
#[test]
fn not_answered_in_time_the_call_goes_to_another_agent_of_the_group() {
    let mut floor = floor_of(group(1), 2);
    let call = floor.calls(1);
    assert_eq!(rings_at(&floor, call), [1]);
    floor.advance(19_999);
    assert_eq!(rings_at(&floor, call), [1]);
    floor.advance(1);
    assert_eq!(rings_at(&floor, call), [2]);
    floor.accepts(2);
    assert_eq!(floor.agents[&AgentId(2)].in_call(), Some(call));
}

// C5
#[test]
fn declined_the_call_goes_to_another_agent_at_once() {
    let mut floor = floor_of(group(1), 2);
    let call = floor.calls(1);
    floor.declines(1);
    assert_eq!(rings_at(&floor, call), [2]);
}

// C5
#[test]
fn who_declined_is_offered_it_again_after_five_seconds_when_nobody_else_is_there() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    floor.declines(1);
    floor.advance(4_999);
    assert_eq!(rings_at(&floor, call), []);
    floor.advance(1);
    assert_eq!(rings_at(&floor, call), [1]);
}

// C5
#[test]
fn who_declined_is_not_offered_it_again_while_another_agent_is_available() {
    let mut floor = floor_of(group(1), 3);
    floor.chooses(3, Chosen::Busy(None));
    let call = floor.calls(1);
    floor.declines(1);
    assert_eq!(rings_at(&floor, call), [2]);
    floor.advance(10_000);
    floor.chooses(3, Chosen::Available);
    floor.advance(10_000);
    // 1 has rested long ago and is idle longer than 3, and yet 3 is asked.
    assert_eq!(rings_at(&floor, call), [3]);
}

// B4
#[test]
fn an_agent_who_misses_three_in_a_row_is_set_busy_with_the_reason() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    for missed in 1..=3 {
        assert_eq!(rings_at(&floor, call), [1], "ring {missed}");
        floor.advance(25_000);
    }
    assert_eq!((floor.seen(1), floor.state_reason(1)), (Seen::Busy, Some("missed_calls")));
    assert_eq!(floor.rang.len(), 3);
    floor.chooses(1, Chosen::Available);
    assert_eq!(rings_at(&floor, call), [1]);
}

// B4
#[test]
fn answering_or_declining_starts_the_count_of_misses_anew() {
    for declines in [true, false] {
        let mut floor = floor_of(group(1), 1);
        let call = floor.calls(1);
        floor.advance(45_000);
        // Two were missed by now; the third rings.
        floor.advance(5_000);
        if declines {
            floor.declines(1);
            floor.advance(5_000);
        } else {
            floor.accepts(1);
            floor.hangs_up(call);
            floor.advance(10_000);
            floor.calls(1);
        }
        floor.advance(20_000);
        assert_eq!(floor.seen(1), Seen::Available, "one miss since then");
    }
}

// B4
#[test]
fn zero_means_that_nobody_is_set_busy() {
    let mut floor = floor_of(GroupSetup { misses: 0, ..group(1) }, 1);
    floor.calls(1);
    floor.advance(250_000);
    assert_eq!((floor.seen(1), floor.rang.len() >= 10), (Seen::InLine, true));
}

// B4
#[test]
fn misses_count_across_an_agents_groups() {
    use crate::floor::Floor;
    use crate::floor::world::agent;
    let mut floor = Floor::with(vec![GroupSetup { misses: 2, ..group(1) }, GroupSetup { misses: 2, ..group(2) }], vec![agent(1, &[1, 2])]);
    floor.goes_online(1);
    let first = floor.calls(1);
    floor.advance(20_000);
    floor.hangs_up(first);
    floor.calls(2);
    floor.advance(20_000);
    assert_eq!(floor.seen(1), Seen::Busy);
}
