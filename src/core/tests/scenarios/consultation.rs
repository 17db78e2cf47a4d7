//! D5: consultation, conference, and every order in which its parties leave.

use super::{floor_of, rings_at};
use crate::floor::world::{TRUNK, group, trunk};
use crate::floor::{Far, Floor};
use cordboard_core::agent::{Chosen, Event, Seen};
use cordboard_core::call::Command;
use cordboard_core::ids::{AgentId, CallId, GroupId, LegId};
use cordboard_core::message::{Number, Phase, Reached, Side, Source, Transfer, Whom};
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::setup::{GroupSetup, TrunkSetup};

const HOME: i32 = 1;

fn music() -> Source {
    Source::Music("music 1".into())
}

/// Agent 1 talks to a caller and consults agent 2, who has not answered yet.
fn asked() -> (Floor, CallId) {
    let mut floor = floor_of(group(HOME), 2);
    let call = floor.calls(HOME);
    floor.accepts(1);
    floor.advance(5_000);
    floor.commands(1, call, Command::Consult(Whom::Agent(AgentId(2))));
    (floor, call)
}

/// The same, answered: the legs of the customer, the agent and the third.
fn consulting() -> (Floor, CallId, [LegId; 3]) {
    let (mut floor, call) = asked();
    floor.advance(2_000);
    floor.accepts(2);
    let legs = legs(&floor, call);
    (floor, call, legs)
}

fn number() -> Whom {
    Whom::Number(Number { trunk: TRUNK, caller: "+4430".into(), called: "+4499".into() })
}

/// Agent 1 consults a number, which has answered.
fn with_number() -> (Floor, CallId, [LegId; 3]) {
    let mut floor = floor_of(group(HOME), 1);
    let call = floor.calls(HOME);
    floor.accepts(1);
    floor.commands(1, call, Command::Consult(number()));
    let third = *floor.calls[&call].machine.parties().last().expect("a third");
    floor.phone_answers(third);
    floor.settle();
    let legs = legs(&floor, call);
    (floor, call, legs)
}

fn legs(floor: &Floor, call: CallId) -> [LegId; 3] {
    floor.calls[&call].machine.parties().try_into().expect("three parties")
}

fn hear(floor: &Floor, legs: [LegId; 3]) -> [Source; 3] {
    legs.map(|leg| floor.hears_now(leg))
}

fn side(floor: &Floor, call: CallId) -> Option<(Reached, Side)> {
    floor.sessions[&(AgentId(1), call)].consult.as_ref().map(|consult| (consult.reached, consult.side))
}

fn kind(floor: &Floor, agent: i32) -> &'static str {
    floor.agents[&AgentId(agent)].kind()
}

/// Status, agent and who hung up, record by record.
fn told(floor: &Floor, call: CallId) -> Vec<(CallStatus, Option<i32>, HungUpBy)> {
    floor.row(call).records.iter().map(|record| (record.status, record.agent.map(|agent| agent.0), record.hung_up_by)).collect()
}

#[test]
fn the_customer_waits_with_music_while_the_agents_talk() {
    let (mut floor, call) = asked();
    assert_eq!((rings_at(&floor, call), side(&floor, call)), (vec![2], Some((Reached::Ringing, Side::Third))));
    assert_eq!(floor.hears_now(floor.leg_of(call)), music());
    let (_, mine) = floor.calls[&call].machine.agent().expect("agent 1");
    assert_eq!(floor.hears_now(mine), Source::Music("ringback".into()));
    floor.accepts(2);
    let [customer, agent, third] = legs(&floor, call);
    assert_eq!(hear(&floor, [customer, agent, third]), [music(), Source::Leg(third), Source::Leg(agent)]);
    assert_eq!(side(&floor, call), Some((Reached::Up, Side::Third)));
    let guest = &floor.sessions[&(AgentId(2), call)];
    assert_eq!((guest.phase, guest.guest, guest.caller.as_str()), (Phase::Talking, true, "+4420"));
    floor.check_all();
}

#[test]
fn the_agent_swaps_joins_all_three_and_comes_back() {
    let (mut floor, call, legs) = consulting();
    let [customer, agent, third] = legs;
    floor.commands(1, call, Command::Swap);
    assert_eq!(hear(&floor, legs), [Source::Leg(agent), Source::Leg(customer), music()]);
    floor.commands(1, call, Command::Swap);
    assert_eq!(hear(&floor, legs), [music(), Source::Leg(third), Source::Leg(agent)]);
    floor.commands(1, call, Command::Conference);
    let all = [Source::Mix(vec![third, agent]), Source::Mix(vec![customer, third]), Source::Mix(vec![customer, agent])];
    assert_eq!(hear(&floor, legs), all);
    // Mute is towards both.
    floor.commands(1, call, Command::Mute);
    assert_eq!(hear(&floor, legs), [Source::Leg(third), Source::Mix(vec![customer, third]), Source::Leg(customer)]);
    floor.commands(1, call, Command::Unmute);
    floor.check_all();
    floor.commands(1, call, Command::EndConsult);
    assert_eq!((floor.hears_now(customer), floor.hears_now(agent), side(&floor, call)), (Source::Leg(agent), Source::Leg(customer), None));
    // Who was with the customer has after-call work; the other would have none.
    assert_eq!(kind(&floor, 2), "WrapUp");
    floor.advance(3_000);
    floor.hangs_up(call);
    assert_eq!(
        told(&floor, call),
        [(CallStatus::NormalEnd, Some(1), HungUpBy::Customer), (CallStatus::NormalEnd, Some(2), HungUpBy::Agent)]
    );
}

#[test]
fn a_consultation_is_a_segment_of_its_own_and_hears_of_the_recording_only_what_it_was_there_for() {
    let (mut floor, call, _) = consulting();
    floor.advance(4_000);
    floor.commands(1, call, Command::EndConsult);
    floor.advance(1_000);
    floor.hangs_up(call);
    let records = floor.row(call).records;
    assert_eq!((records[1].wait, records[1].duration, records[1].ring, records[1].recording), (2_000, 6_000, 2_000, None));
    // The customer was on hold for all of it.
    assert_eq!((records[0].hold, records[0].duration, records[0].recording), (6_000, 12_000, Some((0, 12_000))));
    let (mut floor, call, _) = consulting();
    floor.advance(4_000);
    floor.commands(1, call, Command::Conference);
    floor.advance(3_000);
    floor.commands(1, call, Command::Complete);
    floor.advance(1_000);
    floor.hangs_up(call);
    let records = floor.row(call).records;
    assert_eq!((records[0].hold, records[0].recording, records[1].recording), (6_000, Some((0, 14_000)), Some((11_000, 15_000))));
    assert_eq!(told(&floor, call)[0], (CallStatus::AgentTransfer, Some(1), HungUpBy::Agent));
    assert_eq!(told(&floor, call)[1], (CallStatus::NormalEnd, Some(2), HungUpBy::Customer));
}

#[test]
fn completing_it_leaves_the_customer_with_the_third() {
    let (mut floor, call, [customer, agent, third]) = consulting();
    floor.commands(1, call, Command::Complete);
    assert_eq!((floor.hears_now(customer), floor.hears_now(third)), (Source::Leg(third), Source::Leg(customer)));
    assert!(!floor.legs.contains_key(&agent));
    assert_eq!((kind(&floor, 1), kind(&floor, 2)), ("WrapUp", "InCall"));
    assert!(!floor.sessions[&(AgentId(2), call)].guest);
    floor.check_all();
    // It is agent 2's call like any other now.
    floor.commands(2, call, Command::Hold);
    assert_eq!(floor.hears_now(customer), music());
    floor.commands(2, call, Command::HangUp);
    assert_eq!((kind(&floor, 2), floor.calls.len()), ("WrapUp", 0));
}

#[test]
fn it_cannot_be_completed_or_joined_before_the_third_has_answered() {
    let (mut floor, call) = asked();
    for command in [Command::Complete, Command::Conference, Command::Swap] {
        floor.commands(1, call, command);
        assert_eq!(side(&floor, call), Some((Reached::Ringing, Side::Third)));
    }
    // Nor does a transfer or another consultation begin meanwhile.
    floor.commands(1, call, Command::Transfer(cordboard_core::message::Target::Group(GroupId(1))));
    floor.commands(1, call, Command::Consult(number()));
    assert_eq!(floor.sessions[&(AgentId(1), call)].transfer, None);
    floor.check_all();
}

#[test]
fn the_customer_leaves_and_the_two_go_on() {
    let (mut floor, call, [customer, agent, third]) = consulting();
    floor.hangs_up(call);
    assert_eq!(floor.calls[&call].machine.kind(), "Aside");
    assert_eq!(
        (floor.hears_now(agent), floor.hears_now(third), floor.far[&customer]),
        (Source::Leg(third), Source::Leg(agent), Far::Closed)
    );
    assert_eq!((floor.trunks[&TRUNK].channels(), floor.recording.contains(&call)), (0, false));
    floor.check_all();
    floor.advance(3_000);
    floor.commands(2, call, Command::HangUp);
    // The agent of the external call has after-call work, the other had an internal one.
    assert_eq!((floor.calls.len(), kind(&floor, 1), kind(&floor, 2)), (0, "WrapUp", "Free"));
    assert_eq!(
        told(&floor, call),
        [(CallStatus::NormalEnd, Some(1), HungUpBy::Customer), (CallStatus::NormalEnd, Some(2), HungUpBy::Agent)]
    );
}

#[test]
fn both_agents_see_with_whom_they_are_and_that_the_customer_has_left() {
    let (mut floor, call, _) = consulting();
    let seen = |floor: &Floor, agent: i32| {
        let consult = floor.sessions[&(AgentId(agent), call)].consult.clone().expect("a consultation");
        (consult.whom, consult.side, consult.customer_left)
    };
    let [first, second] = [1, 2].map(|agent| Whom::Agent(AgentId(agent)));
    for (command, side) in [(Command::Swap, Side::Customer), (Command::Conference, Side::All), (Command::Swap, Side::Third)] {
        floor.commands(1, call, command);
        assert_eq!([seen(&floor, 1), seen(&floor, 2)], [(second.clone(), side, false), (first.clone(), side, false)]);
    }
    floor.hangs_up(call);
    assert_eq!([seen(&floor, 1), seen(&floor, 2)], [(second, Side::Third, true), (first, Side::Third, true)]);
    floor.commands(1, call, Command::HangUp);
    assert_eq!([1, 2].map(|agent| floor.sessions[&(AgentId(agent), call)].consult.is_none()), [true, true]);
}

#[test]
fn the_recording_ends_with_the_customer() {
    for joined in [false, true] {
        let (mut floor, call, _) = consulting();
        if joined {
            floor.advance(1_000);
            floor.commands(1, call, Command::Conference);
        }
        floor.advance(2_000);
        floor.hangs_up(call);
        floor.advance(4_000);
        floor.commands(2, call, Command::HangUp);
        let records = floor.row(call).records;
        let second = if joined { Some((8_000, 10_000)) } else { None };
        assert_eq!([records[0].recording, records[1].recording], [Some((0, if joined { 10_000 } else { 9_000 })), second]);
    }
}

#[test]
fn mute_goes_on_without_the_customer() {
    let (mut floor, call, [_, agent, third]) = consulting();
    floor.commands(1, call, Command::Mute);
    floor.hangs_up(call);
    let heard =
        |floor: &Floor| (floor.hears_now(agent), floor.hears_now(third), [1, 2].map(|agent| floor.sessions[&(AgentId(agent), call)].muted));
    assert_eq!(heard(&floor), (Source::Leg(third), Source::Silence, [true, false]));
    floor.commands(2, call, Command::Mute);
    assert_eq!(heard(&floor), (Source::Silence, Source::Silence, [true, true]), "each has a mute of their own");
    floor.commands(2, call, Command::Unmute);
    floor.commands(1, call, Command::Unmute);
    assert_eq!(heard(&floor), (Source::Leg(third), Source::Leg(agent), [false, false]));
    floor.check_all();
}

#[test]
fn the_customer_leaves_before_the_third_has_answered() {
    let (mut floor, call) = asked();
    floor.hangs_up(call);
    assert_eq!((floor.calls.len(), kind(&floor, 1), kind(&floor, 2)), (0, "WrapUp", "Free"));
    assert_eq!(floor.seen(2), Seen::Available);
}

#[test]
fn the_agent_hangs_up_and_is_back_with_the_customer() {
    for answered in [false, true] {
        let (mut floor, call) = asked();
        if answered {
            floor.accepts(2);
        }
        floor.commands(1, call, Command::HangUp);
        let (_, agent) = floor.calls[&call].machine.agent().expect("agent 1");
        assert_eq!((floor.hears_now(floor.leg_of(call)), kind(&floor, 2)), (Source::Leg(agent), "Free"));
        floor.check_all();
        floor.commands(1, call, Command::HangUp);
        assert_eq!(floor.calls.len(), 0);
    }
}

#[test]
fn the_third_leaves_and_the_agent_is_back_with_the_customer() {
    let (mut floor, call, [customer, agent, _]) = consulting();
    floor.commands(2, call, Command::HangUp);
    assert_eq!((floor.hears_now(customer), kind(&floor, 2), side(&floor, call)), (Source::Leg(agent), "Free", None));
    floor.check_all();
}

#[test]
fn who_does_not_answer_declines_or_is_not_free_leaves_the_customer_with_the_agent() {
    let (mut floor, call) = asked();
    floor.declines(2);
    assert_eq!(floor.sessions[&(AgentId(1), call)].transfer, Some(Transfer::AgentRefused));
    floor.check_all();
    let (mut floor, call) = asked();
    floor.advance(20_000);
    assert_eq!((side(&floor, call), floor.sessions[&(AgentId(1), call)].transfer), (None, Some(Transfer::AgentRefused)));
    floor.check_all();
    floor.chooses(2, Chosen::OnBreak("lunch".into()));
    floor.commands(1, call, Command::Consult(Whom::Agent(AgentId(2))));
    assert_eq!((side(&floor, call), floor.sessions[&(AgentId(1), call)].transfer), (None, Some(Transfer::AgentRefused)));
    // Each attempt is on record, beside the call.
    floor.hangs_up(call);
    let statuses: Vec<CallStatus> = told(&floor, call).into_iter().map(|(status, ..)| status).collect();
    assert_eq!(statuses, [CallStatus::NormalEnd, CallStatus::Missed, CallStatus::Missed]);
}

#[test]
fn a_group_is_consulted_through_its_queue() {
    let other = GroupSetup { name: "other".into(), ..group(2) };
    let mut floor = Floor::with(vec![group(HOME), other], vec![crate::floor::world::agent(1, &[1]), crate::floor::world::agent(2, &[2])]);
    floor.goes_online(1);
    floor.goes_online(2);
    floor.chooses(2, Chosen::Busy(None));
    let call = floor.calls(HOME);
    floor.accepts(1);
    floor.commands(1, call, Command::Consult(Whom::Group(GroupId(2))));
    assert_eq!((side(&floor, call), floor.groups[&GroupId(2)].queue().0), (Some((Reached::Asked, Side::Third)), 1));
    assert!(floor.told(call).is_empty(), "the customer is told nothing of that queue");
    floor.chooses(2, Chosen::Available);
    floor.accepts(2);
    assert_eq!((side(&floor, call), floor.groups[&GroupId(2)].queue().0), (Some((Reached::Up, Side::Third)), 0));
    floor.check_all();
    // Given up while it waits, the queue forgets it.
    floor.commands(1, call, Command::EndConsult);
    floor.chooses(2, Chosen::Busy(None));
    floor.commands(1, call, Command::Consult(Whom::Group(GroupId(2))));
    floor.commands(1, call, Command::EndConsult);
    assert_eq!(floor.groups[&GroupId(2)].queue().0, 0);
    // Nobody there: refused at once.
    floor.chooses(2, Chosen::Offline);
    floor.commands(1, call, Command::Consult(Whom::Group(GroupId(2))));
    assert!(matches!(floor.sessions[&(AgentId(1), call)].transfer, Some(Transfer::QueueRefused(_))));
    floor.check_all();
}

#[test]
fn a_number_is_consulted_over_a_trunk_with_its_own_channel() {
    let (mut floor, call, [customer, agent, third]) = with_number();
    assert_eq!(hear(&floor, [customer, agent, third]), [music(), Source::Leg(third), Source::Leg(agent)]);
    assert_eq!(floor.trunks[&TRUNK].channels(), 2);
    // Digits go to whom the agent speaks with (D7).
    floor.commands(1, call, Command::Digits("5".into()));
    floor.commands(1, call, Command::Swap);
    floor.advance(1_000);
    floor.commands(1, call, Command::Digits("6".into()));
    assert_eq!(floor.digits.iter().map(|(_, leg, digit, _)| (*leg, *digit)).collect::<Vec<_>>(), [(third, '5'), (customer, '6')]);
    floor.check_all();
    floor.commands(1, call, Command::Complete);
    assert_eq!(floor.calls[&call].machine.kind(), "Bridged");
    assert_eq!((floor.hears_now(customer), floor.hears_now(third), kind(&floor, 1)), (Source::Leg(third), Source::Leg(customer), "WrapUp"));
    floor.check_all();
    floor.far_hangs_up(third);
    floor.settle();
    assert_eq!((floor.calls.len(), floor.far[&customer], floor.trunks[&TRUNK].channels()), (0, Far::Closed, 0));
}

#[test]
fn the_customer_leaves_the_agent_with_a_number() {
    let (mut floor, call, [_, agent, third]) = with_number();
    floor.hangs_up(call);
    assert_eq!((floor.hears_now(agent), floor.trunks[&TRUNK].channels()), (Source::Leg(third), 1));
    floor.check_all();
    floor.commands(1, call, Command::HangUp);
    assert_eq!((floor.calls.len(), floor.far[&third], floor.trunks[&TRUNK].channels()), (0, Far::Closed, 0));
}

#[test]
fn a_number_that_fails_is_told_by_its_reason() {
    for (busy, outcome) in [(true, CallStatus::InCall), (false, CallStatus::TrunkFull)] {
        let mut floor = Floor::new();
        let limit = if busy { None } else { Some(1) };
        floor.open(TrunkSetup { max_channels: limit, ..trunk() }, vec![group(HOME)], vec![crate::floor::world::agent(1, &[HOME])]);
        floor.advance(1_000);
        floor.goes_online(1);
        let call = floor.calls(HOME);
        floor.accepts(1);
        floor.commands(1, call, Command::Consult(number()));
        if busy {
            let third = *floor.calls[&call].machine.parties().last().expect("a third");
            floor.phone_fails(third, 486);
            floor.settle();
        }
        assert_eq!(floor.sessions[&(AgentId(1), call)].transfer, Some(Transfer::NumberFailed(outcome)));
        assert_eq!(floor.trunks[&TRUNK].channels(), 1);
        floor.check_all();
    }
}

#[test]
fn an_agent_who_is_lost_leaves_the_customer_to_whom_they_consulted() {
    let (mut floor, call, [customer, _, third]) = consulting();
    floor.happens(1, Event::SocketDown);
    floor.lose_peer(1);
    floor.settle();
    assert_eq!((floor.hears_now(customer), floor.hears_now(third)), (music(), music()));
    floor.advance(30_000);
    assert_eq!((floor.hears_now(customer), floor.hears_now(third)), (Source::Leg(third), Source::Leg(customer)));
    floor.check_all();
    floor.hangs_up(call);
    assert_eq!(
        told(&floor, call),
        [(CallStatus::AgentLost, Some(1), HungUpBy::Switch), (CallStatus::NormalEnd, Some(2), HungUpBy::Customer)]
    );
    // Nobody had answered: the head of the queue.
    let (mut floor, call) = asked();
    floor.chooses(2, Chosen::Busy(None));
    floor.declines(2);
    floor.commands(1, call, Command::Consult(Whom::Agent(AgentId(2))));
    floor.happens(1, Event::SocketDown);
    floor.advance(19_000);
    floor.advance(11_000);
    assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(HOME)));
    floor.check_all();
}

#[test]
fn a_third_whose_workstation_is_lost_leaves() {
    let (mut floor, call, [customer, agent, _]) = consulting();
    floor.happens(2, Event::SocketDown);
    floor.lose_peer(2);
    floor.advance(30_000);
    assert_eq!((floor.hears_now(customer), side(&floor, call)), (Source::Leg(agent), None));
    floor.check_all();
}

#[test]
fn new_machines_of_anybody_in_a_consultation_change_nothing() {
    use cordboard_core::ids::Address;
    let (mut floor, call, legs) = consulting();
    let before = hear(&floor, legs);
    for who in [Address::Agent(AgentId(1)), Address::Agent(AgentId(2)), Address::Group(GroupId(HOME)), Address::Trunk(TRUNK)] {
        floor.panic(who, None);
        floor.settle();
        floor.check_all();
    }
    assert_eq!((hear(&floor, legs), kind(&floor, 1), kind(&floor, 2)), (before, "InCall", "InCall"));
    floor.panic(Address::Call(call), None);
    floor.settle();
    assert_eq!((floor.legs.len(), kind(&floor, 1), kind(&floor, 2), floor.trunks[&TRUNK].channels()), (0, "Free", "Free", 0));
    let (mut floor, _, _) = with_number();
    floor.panic(Address::Trunk(TRUNK), None);
    floor.settle();
    assert_eq!(floor.trunks[&TRUNK].channels(), 2);
}

#[test]
fn a_leg_of_the_third_that_panics_takes_the_third_only() {
    let (mut floor, call, [customer, agent, third]) = consulting();
    floor.panic(cordboard_core::ids::Address::Leg(third), None);
    floor.settle();
    assert_eq!((floor.hears_now(customer), kind(&floor, 2), side(&floor, call)), (Source::Leg(agent), "Free", None));
    floor.check_all();
}
