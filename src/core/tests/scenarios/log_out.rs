//! A9: log-out and being taken offline wait for the call's end, unless the call is to end.

use super::{floor_of, in_call, rings_at};
use crate::floor::Floor;
use crate::floor::world::group;
use cordboard_core::agent::{Chosen, Departure, Event, Seen};
use cordboard_core::call::Command;
use cordboard_core::ids::{Address, AgentId};
use cordboard_core::message::Whom;

fn departs(floor: &mut Floor, departure: Departure, end_call: bool) {
    floor.happens(1, Event::Depart { departure, end_call });
}

#[test]
fn a_log_out_in_mid_call_waits_for_its_end_and_there_is_no_after_call_work() {
    let (mut floor, call) = in_call();
    departs(&mut floor, Departure::LogOut, false);
    floor.advance(60_000);
    let agent = &floor.agents[&AgentId(1)];
    assert_eq!((agent.in_call(), agent.departing(), &floor.logged_out), (Some(call), Some(Departure::LogOut), &vec![]));
    floor.hangs_up(call);
    assert_eq!((floor.seen(1), &floor.logged_out), (Seen::Offline, &vec![AgentId(1)]));
    floor.advance(60_000);
    assert_eq!(floor.logged_out.len(), 1);
}

#[test]
fn or_ends_the_call_when_that_is_chosen_with_the_consultation_in_it() {
    let (mut floor, _) = in_call();
    departs(&mut floor, Departure::LogOut, true);
    assert_eq!((floor.seen(1), floor.calls.len(), floor.logged_out.len()), (Seen::Offline, 0, 1));

    let mut floor = floor_of(group(1), 2);
    let call = floor.calls(1);
    floor.accepts(1);
    floor.commands(1, call, Command::Consult(Whom::Agent(AgentId(2))));
    floor.accepts(2);
    departs(&mut floor, Departure::LogOut, true);
    assert_eq!((floor.seen(1), floor.seen(2), floor.calls.len()), (Seen::Offline, Seen::Available, 0));
}

#[test]
fn who_is_taken_offline_stays_logged_in() {
    let (mut floor, call) = in_call();
    departs(&mut floor, Departure::ForcedOffline, false);
    assert_eq!(floor.seen(1), Seen::InLine);
    floor.hangs_up(call);
    assert_eq!((floor.seen(1), floor.logged_out.len()), (Seen::Offline, 0));
}

#[test]
fn and_has_no_say_in_it() {
    let (mut floor, call) = in_call();
    departs(&mut floor, Departure::ForcedOffline, false);
    floor.happens(1, Event::Stay);
    floor.chooses(1, Chosen::Available);
    floor.hangs_up(call);
    assert_eq!(floor.seen(1), Seen::Offline);
}

#[test]
fn without_a_call_it_is_at_once() {
    let (mut floor, call) = in_call();
    floor.hangs_up(call);
    assert_eq!(floor.seen(1), Seen::AfterCallWork);
    departs(&mut floor, Departure::LogOut, false);
    assert_eq!((floor.seen(1), floor.logged_out.len()), (Seen::Offline, 1));

    // Who rings goes on to the next agent.
    let mut floor = floor_of(group(1), 2);
    let call = floor.calls(1);
    departs(&mut floor, Departure::LogOut, false);
    assert_eq!((rings_at(&floor, call), floor.seen(1), floor.logged_out.len()), (vec![2], Seen::Offline, 1));
}

#[test]
fn who_thinks_better_of_it_returns_to_the_state_held_before() {
    for again in [Event::Stay, Event::SetState(Chosen::Available)] {
        let (mut floor, call) = in_call();
        departs(&mut floor, Departure::LogOut, false);
        floor.happens(1, again);
        floor.hangs_up(call);
        floor.advance(10_000);
        assert_eq!((floor.seen(1), floor.logged_out.len()), (Seen::Available, 0));
    }
}

#[test]
fn a_new_machine_of_the_agent_has_forgotten_it_and_nobody_is_logged_out_from_under_a_call() {
    let (mut floor, call) = in_call();
    departs(&mut floor, Departure::LogOut, false);
    floor.panic(Address::Agent(AgentId(1)), None);
    floor.settle();
    assert_eq!(floor.agents[&AgentId(1)].in_call(), Some(call));
    floor.hangs_up(call);
    assert_eq!((floor.seen(1), floor.logged_out.len()), (Seen::AfterCallWork, 0));
}

#[test]
fn who_is_lost_past_the_grace_time_is_logged_out_too() {
    let (mut floor, _) = in_call();
    departs(&mut floor, Departure::LogOut, false);
    floor.happens(1, Event::SocketDown);
    floor.advance(30_000);
    assert_eq!((floor.seen(1), floor.logged_out.len()), (Seen::Offline, 1));
}
