//! D2 and D3: who hears whom.

use super::in_call;
use crate::floor::Floor;
use crate::floor::world::{agent, group, phone};
use cordboard_core::agent::Chosen;
use cordboard_core::call::Command;
use cordboard_core::ids::{AgentId, CallId, LegId};
use cordboard_core::message::Source;
use cordboard_core::setup::AgentSetup;

fn legs(floor: &Floor, call: CallId) -> (LegId, LegId) {
    (floor.leg_of(call), floor.calls[&call].machine.agent().unwrap().1)
}

// D2, D3
#[test]
fn in_a_call_both_hear_each_other() {
    let (floor, call) = in_call();
    let (customer, agent) = legs(&floor, call);
    assert_eq!((floor.hears_now(customer), floor.hears_now(agent)), (Source::Leg(agent), Source::Leg(customer)));
}

// D2
#[test]
fn on_hold_the_customer_hears_music_and_the_agent_still_hears_the_customer() {
    let (mut floor, call) = in_call();
    let (customer, agent) = legs(&floor, call);
    floor.commands(1, call, Command::Hold);
    assert_eq!((floor.hears_now(customer), floor.hears_now(agent)), (Source::Music("music 1".into()), Source::Leg(customer)));
    assert!(floor.sessions[&(AgentId(1), call)].held);
    floor.commands(1, call, Command::Resume);
    assert_eq!(floor.hears_now(customer), Source::Leg(agent));
}

// D2
#[test]
fn hold_never_hangs_up() {
    let (mut floor, call) = in_call();
    floor.commands(1, call, Command::Hold);
    floor.advance(24 * 3_600_000);
    assert_eq!(floor.calls[&call].machine.kind(), "Talking");
    floor.hangs_up(call);
    assert_eq!(floor.row(call).records[0].hold, 24 * 3_600_000);
}

// D3
#[test]
fn muted_the_customer_hears_nothing_and_the_agent_hears_the_customer() {
    let (mut floor, call) = in_call();
    let (customer, agent) = legs(&floor, call);
    floor.commands(1, call, Command::Mute);
    assert_eq!((floor.hears_now(customer), floor.hears_now(agent)), (Source::Silence, Source::Leg(customer)));
    assert!(floor.sessions[&(AgentId(1), call)].muted);
    floor.commands(1, call, Command::Unmute);
    assert_eq!(floor.hears_now(customer), Source::Leg(agent));
}

// D2, D3
#[test]
fn resuming_a_muted_call_keeps_it_muted() {
    let (mut floor, call) = in_call();
    let (customer, _) = legs(&floor, call);
    for command in [Command::Mute, Command::Hold, Command::Resume] {
        floor.commands(1, call, command);
    }
    assert_eq!(floor.hears_now(customer), Source::Silence);
}

// D2
#[test]
fn hold_time_is_counted_once_however_often_it_is_pressed() {
    let (mut floor, call) = in_call();
    for _ in 0..3 {
        floor.commands(1, call, Command::Hold);
        floor.advance(1_000);
    }
    floor.commands(1, call, Command::Resume);
    floor.advance(5_000);
    floor.hangs_up(call);
    assert_eq!(floor.row(call).records[0].hold, 3_000);
}

// D2, D3
#[test]
fn nobody_but_the_agent_in_the_call_commands_it() {
    let (mut floor, call) = in_call();
    let (customer, agent) = legs(&floor, call);
    for command in [Command::Hold, Command::Mute, Command::HangUp] {
        floor.commands(2, call, command);
    }
    assert_eq!(floor.hears_now(customer), Source::Leg(agent));
}

// D2, D3
#[test]
fn a_call_that_moves_to_the_next_agent_is_neither_held_nor_muted() {
    let (mut floor, call) = in_call();
    for command in [Command::Hold, Command::Mute] {
        floor.commands(1, call, command);
    }
    floor.happens(1, cordboard_core::agent::Event::SocketDown);
    floor.advance(30_000);
    floor.goes_online(1);
    floor.accepts(1);
    let (customer, agent) = legs(&floor, call);
    assert_eq!(floor.hears_now(customer), Source::Leg(agent));
}

// D2, C8
#[test]
fn an_agents_phone_that_holds_holds_the_call_and_a_customers_does_not() {
    let mut floor = Floor::with(vec![group(1)], vec![AgentSetup { device: phone(1), ..agent(1, &[1]) }]);
    floor.chooses(1, Chosen::Available);
    let call = floor.calls(1);
    let agent = floor.phone_leg(1).expect("the phone rings");
    floor.phone_answers(agent);
    floor.settle();
    let customer = floor.leg_of(call);
    let far_holds = |floor: &mut Floor, leg, held| {
        floor.far_holds(leg, held);
        floor.settle();
    };
    far_holds(&mut floor, customer, true);
    assert_eq!(floor.hears_now(customer), Source::Leg(agent));
    far_holds(&mut floor, agent, true);
    assert_eq!(floor.hears_now(customer), Source::Music("music 1".into()));
    assert!(floor.sessions[&(AgentId(1), call)].held);
    floor.advance(3_000);
    far_holds(&mut floor, agent, false);
    assert_eq!(floor.hears_now(customer), Source::Leg(agent));
    floor.hangs_up(call);
    assert_eq!(floor.row(call).records[0].hold, 3_000);
}
