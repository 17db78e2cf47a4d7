//! C2: what callers are told while they wait: the welcome, their position, and what the group says now and then.

use super::floor_of;
use crate::floor::world::{agent, group};
use crate::floor::{Floor, Node, SOUND};
use cordboard_core::agent::Chosen;
use cordboard_core::call::{Event, Route};
use cordboard_core::group;
use cordboard_core::ids::{Address, GroupId};
use cordboard_core::message::Source;
use cordboard_core::setup::{GroupSetup, WayOut};

const FIRST: &str = "you-are-number number-1 in-the-queue";
const SECOND: &str = "you-are-number number-2 in-the-queue";

fn telling(id: i32) -> GroupSetup {
    GroupSetup { announce_position: Some(30_000), ..group(id) }
}

/// One agent, who is busy.
fn busy_floor(setup: GroupSetup) -> Floor {
    let mut floor = floor_of(setup, 1);
    floor.chooses(1, Chosen::Busy(None));
    floor
}

#[test]
fn a_caller_is_told_the_position_at_once_and_then_every_so_often() {
    let mut floor = busy_floor(telling(1));
    let call = floor.calls(1);
    assert_eq!(floor.told(call), [FIRST]);
    floor.advance(29_999);
    assert!(floor.told(call).is_empty());
    floor.advance(1);
    assert_eq!(floor.told(call), [FIRST]);
    floor.advance(60_000);
    assert_eq!(floor.told(call), [FIRST, FIRST]);
    assert_eq!(floor.hears_now(floor.leg_of(call)), Source::Music("music 1".into()));
}

#[test]
fn a_group_that_is_not_to_announce_says_nothing() {
    let mut floor = busy_floor(group(1));
    let call = floor.calls(1);
    floor.advance(600_000);
    assert!(floor.told(call).is_empty());
}

#[test]
fn the_position_comes_after_the_welcome() {
    let mut floor = busy_floor(GroupSetup { welcome: Some("welcome".into()), ..telling(1) });
    let call = floor.calls(1);
    floor.advance(SOUND - 1);
    assert_eq!(floor.told(call), ["welcome"]);
    floor.advance(1);
    assert_eq!(floor.told(call), [FIRST]);
}

#[test]
fn the_position_is_the_one_of_the_moment() {
    let mut floor = busy_floor(telling(1));
    let first = floor.calls(1);
    floor.advance(5_000);
    let second = floor.calls(1);
    assert_eq!(floor.told(second), [SECOND]);
    floor.hangs_up(first);
    assert!(floor.told(second).is_empty(), "it is told when it is due, not at every change");
    floor.advance(30_000);
    assert_eq!(floor.told(second), [FIRST]);
}

#[test]
fn a_caller_for_whom_an_agent_rings_still_stands_before_the_others() {
    let mut floor = floor_of(telling(1), 1);
    let first = floor.calls(1);
    let second = floor.calls(1);
    assert_eq!((floor.told(first), floor.told(second)), (Vec::new(), vec![SECOND.to_string()]));
}

#[test]
fn while_an_agent_rings_nothing_is_announced_but_when_the_ring_was_in_vain() {
    let setup = GroupSetup { misses: 1, announcement: Some("please-hold".into()), announce_every: 10_000, ..telling(1) };
    let mut floor = floor_of(setup, 1);
    let call = floor.calls(1);
    floor.advance(19_999);
    assert!(floor.told(call).is_empty());
    floor.advance(1);
    assert_eq!(floor.told(call), [format!("{FIRST} please-hold")]);
    floor.advance(10_000);
    assert_eq!(floor.told(call), [format!("{FIRST} please-hold")], "every so often from the beginning of the wait");
}

#[test]
fn the_announcement_comes_every_so_often_and_not_at_once() {
    let mut floor = busy_floor(GroupSetup { announcement: Some("please-hold".into()), announce_every: 20_000, ..group(1) });
    let call = floor.calls(1);
    floor.advance(19_999);
    assert!(floor.told(call).is_empty());
    floor.advance(1);
    assert_eq!(floor.told(call), ["please-hold"]);
    floor.advance(40_000);
    assert_eq!(floor.told(call), ["please-hold", "please-hold"]);
}

#[test]
fn where_both_are_due_the_position_comes_first() {
    let mut floor = busy_floor(GroupSetup { announcement: Some("please-hold".into()), announce_every: 30_000, ..telling(1) });
    let call = floor.calls(1);
    floor.told(call);
    floor.advance(30_000);
    assert_eq!(floor.told(call), [format!("{FIRST} please-hold")]);
}

#[test]
fn what_comes_while_another_plays_waits_and_the_newest_alone() {
    let mut floor = busy_floor(GroupSetup { welcome: Some("welcome".into()), ..group(1) });
    let call = floor.calls(1);
    for position in [3, 2] {
        floor.call(Node::Media, call, Event::Announce { group: GroupId(1), position: Some(position), sound: None });
    }
    floor.advance(3 * SOUND);
    assert_eq!(floor.told(call), ["welcome", SECOND]);
}

#[test]
fn what_was_meant_for_an_earlier_wait_or_another_queue_is_not_heard() {
    let mut floor = busy_floor(group(1));
    let announce = |group| Event::Announce { group: GroupId(group), position: Some(7), sound: None };
    let call = floor.begin(Some(Route { group: GroupId(1), early_media: false, last_agent: None }));
    while floor.calls[&call].machine.queue().is_none() {
        floor.step_in_order();
    }
    floor.call(Node::Media, call, announce(1));
    floor.settle();
    floor.call(Node::Media, call, announce(2));
    floor.settle();
    assert!(floor.told(call).is_empty());
}

#[test]
fn numbers_are_said_up_to_ninety_nine() {
    let mut floor = busy_floor(group(1));
    let call = floor.calls(1);
    for (position, said) in
        [(13, "number-13"), (20, "number-20"), (21, "number-20 number-1"), (40, "number-40"), (99, "number-90 number-9")]
    {
        floor.call(Node::Media, call, Event::Announce { group: GroupId(1), position: Some(position), sound: None });
        floor.advance(SOUND);
        assert_eq!(floor.told(call), [format!("you-are-number {said} in-the-queue")]);
    }
    floor.call(Node::Media, call, Event::Announce { group: GroupId(1), position: Some(100), sound: None });
    assert_eq!(floor.told(call), ["many-ahead"]);
}

#[test]
fn the_conversation_begins_at_once_and_what_plays_is_cut_off() {
    let mut floor = busy_floor(GroupSetup { welcome: Some("welcome".into()), ..telling(1) });
    let call = floor.calls(1);
    let leg = floor.leg_of(call);
    floor.chooses(1, Chosen::Available);
    assert!(floor.plays(leg));
    floor.accepts(1);
    assert!(!floor.plays(leg));
    assert!(matches!(floor.hears_now(leg), Source::Leg(_)));
    assert_eq!(floor.told(call), ["welcome"]);
    floor.advance(600_000);
    assert!(floor.told(call).is_empty(), "nothing is announced to who has an agent");
}

#[test]
fn on_an_early_media_number_it_is_the_same() {
    let mut floor = busy_floor(GroupSetup { welcome: Some("welcome".into()), ..telling(1) });
    let call = floor.begin(Some(Route { group: GroupId(1), early_media: true, last_agent: None }));
    floor.advance(35_000);
    assert_eq!(floor.told(call), ["welcome", FIRST, FIRST]);
}

#[test]
fn who_lost_the_agent_is_told_that_they_are_next() {
    let mut floor = floor_of(telling(1), 1);
    let lost = floor.calls(1);
    floor.accepts(1);
    let other = floor.calls(1);
    floor.told(other);
    floor.chooses(1, Chosen::Busy(None));
    floor.call(Node::Media, lost, Event::AgentLost { agent: cordboard_core::ids::AgentId(1) });
    floor.settle();
    assert_eq!(floor.told(lost), [FIRST]);
    floor.advance(30_000);
    assert_eq!(floor.told(other), [SECOND]);
}

#[test]
fn another_groups_queue_tells_its_own_position() {
    let away = GroupSetup { max_wait: Some(20_000), on_max_wait: WayOut::Group(GroupId(2)), ..telling(1) };
    let mut floor = Floor::with(vec![away, telling(2)], vec![agent(1, &[1, 2])]);
    floor.goes_online(1);
    floor.chooses(1, Chosen::Busy(None));
    floor.calls(2);
    let call = floor.calls(1);
    assert_eq!(floor.told(call), [FIRST]);
    floor.advance(20_000);
    assert_eq!(floor.told(call), [SECOND]);
    floor.advance(29_999);
    assert!(floor.told(call).is_empty());
}

#[test]
fn a_new_machine_of_the_group_does_not_begin_anew() {
    let mut floor = busy_floor(telling(1));
    let call = floor.calls(1);
    floor.told(call);
    floor.advance(10_000);
    floor.panic(Address::Group(GroupId(1)), None);
    floor.advance(29_999);
    assert!(floor.told(call).is_empty());
    floor.advance(1);
    assert_eq!(floor.told(call), [FIRST]);
}

#[test]
fn a_change_of_the_group_holds_for_who_waits() {
    let mut floor = busy_floor(group(1));
    let call = floor.calls(1);
    floor.group(GroupId(1), group::Event::Setup(Box::new(telling(1))));
    floor.advance(30_000);
    assert_eq!(floor.told(call), [FIRST]);
    floor.group(GroupId(1), group::Event::Setup(Box::new(group(1))));
    floor.advance(600_000);
    assert!(floor.told(call).is_empty());
}
