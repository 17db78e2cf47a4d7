//! A9: a second login takes over, and a call in progress moves.

use super::{floor_of, in_call, rings_at};
use crate::floor::world::group;
use cordboard_core::agent::Event;
use cordboard_core::ids::AgentId;
use cordboard_core::message::Source;

#[test]
fn a_call_in_progress_keeps_the_old_media_until_the_new_is_connected() {
    let (mut floor, call) = in_call();
    let (_, leg) = floor.calls[&call].machine.agent().unwrap();
    floor.happens(1, Event::TakenOver);
    floor.happens(1, Event::SocketUp);
    floor.advance(10_000);
    assert_eq!(floor.hears_now(floor.leg_of(call)), Source::Leg(leg));
    let old = floor.agents[&AgentId(1)].peer();
    let new = floor.new_peer(1);
    floor.settle();
    assert_ne!(old, Some(new));
    assert_eq!(floor.agents[&AgentId(1)].peer(), Some(new));
    floor.advance(60_000);
    assert_eq!((floor.agents[&AgentId(1)].in_call(), floor.hears_now(floor.leg_of(call))), (Some(call), Source::Leg(leg)));
}

#[test]
fn after_fifteen_seconds_the_old_media_is_closed_and_the_customer_hears_music() {
    let (mut floor, call) = in_call();
    floor.happens(1, Event::TakenOver);
    floor.advance(14_999);
    assert!(matches!(floor.hears_now(floor.leg_of(call)), Source::Leg(_)));
    floor.advance(1);
    assert!(matches!(floor.hears_now(floor.leg_of(call)), Source::Music(_)));
    // The new page has the grace time to bring its own.
    floor.advance(20_000);
    floor.new_peer(1);
    floor.settle();
    assert!(matches!(floor.hears_now(floor.leg_of(call)), Source::Leg(_)));
}

#[test]
fn a_ringing_call_rings_on_in_the_new_page() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    floor.happens(1, Event::TakenOver);
    floor.new_peer(1);
    floor.advance(5_000);
    assert_eq!(rings_at(&floor, call), [1]);
    floor.accepts(1);
    assert_eq!(floor.calls[&call].machine.kind(), "Talking");
}
