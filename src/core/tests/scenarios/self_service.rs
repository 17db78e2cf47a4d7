//! D6: the agent sends the customer through a flow in the middle of the conversation.

use super::{floor_of, in_call};
use crate::floor::world::group;
use crate::floor::{Floor, SOUND};
use crate::flow::survey;
use cordboard_core::agent::Event;
use cordboard_core::call::Command;
use cordboard_core::flow::FlowResult;
use cordboard_core::ids::{Address, AgentId, CallId, GroupId, LegId};
use cordboard_core::message::{Served, Source, Target, Whom};
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::record::FlowRun;

fn start() -> Command {
    Command::StartFlow("Survey".into(), Box::new(survey()))
}

/// Agent 1 has sent the customer into the survey, whose first sound plays.
fn in_flow() -> (Floor, CallId) {
    let (mut floor, call) = in_call();
    floor.advance(5_000);
    floor.told(call);
    floor.commands(1, call, start());
    (floor, call)
}

fn legs(floor: &Floor, call: CallId) -> (LegId, LegId) {
    (floor.leg_of(call), floor.calls[&call].machine.agent().expect("an agent").1)
}

fn hear(floor: &Floor, call: CallId) -> [Source; 2] {
    let (customer, agent) = legs(floor, call);
    [floor.hears_now(customer), floor.hears_now(agent)]
}

fn each_other(floor: &Floor, call: CallId) -> [Source; 2] {
    let (customer, agent) = legs(floor, call);
    [Source::Leg(agent), Source::Leg(customer)]
}

fn sees(floor: &Floor, call: CallId) -> Served {
    floor.sessions[&(AgentId(1), call)].service.clone().expect("a flow")
}

fn result(name: &str, value: &str) -> FlowResult {
    FlowResult { name: name.into(), value: value.into() }
}

fn runs(floor: &Floor, call: CallId) -> Vec<FlowRun> {
    floor.row(call).records.into_iter().flat_map(|record| record.flows).collect()
}

// D6
#[test]
fn the_customer_is_in_the_flow_and_the_agent_neither_hears_nor_is_heard() {
    let (mut floor, call) = in_flow();
    assert_eq!((floor.told(call), hear(&floor, call)), (vec!["hello".to_owned()], [Source::Silence, Source::Silence]));
    assert!(floor.recording.contains(&call), "self-service is recorded too (G4)");
    floor.check_all();
    floor.advance(SOUND);
    assert_eq!(floor.told(call), ["rate"]);
    floor.check_all();
}

// D6
#[test]
fn the_agent_sees_the_progress_the_keys_and_the_results() {
    let (mut floor, call) = in_flow();
    let hello = Served { flow: "Survey".into(), step: "hello".into(), keys: String::new(), results: vec![], running: true };
    assert_eq!(sees(&floor, call), hello);
    floor.advance(SOUND);
    assert_eq!(sees(&floor, call), Served { step: "Rating".into(), ..hello.clone() });
    floor.presses(call, "5");
    let rated = Served { step: "order".into(), keys: "5".into(), results: vec![result("rating", "5"), result("mood", "good")], ..hello };
    assert_eq!(sees(&floor, call), rated);
    floor.presses(call, "4");
    assert_eq!(sees(&floor, call), Served { keys: "54".into(), ..rated });
}

// D6
#[test]
fn the_flows_end_returns_to_the_conversation_and_the_results_are_on_the_record() {
    let (mut floor, call) = in_flow();
    floor.advance(SOUND);
    floor.presses(call, "542#");
    assert_eq!(floor.told(call), ["hello", "rate", "order", "thanks"]);
    floor.advance(SOUND);
    assert_eq!(hear(&floor, call), each_other(&floor, call));
    let seen = sees(&floor, call);
    assert_eq!((seen.running, seen.results.len()), (false, 3), "what came of it stays to be seen");
    floor.check_all();
    // Keys in the conversation are no flow's.
    floor.presses(call, "7");
    assert_eq!(sees(&floor, call), seen);
    floor.hangs_up(call);
    let results = vec![result("rating", "5"), result("mood", "good"), result("order", "42")];
    assert_eq!(runs(&floor, call), [FlowRun { flow: "Survey".into(), finished: true, results }]);
}

// D6
#[test]
fn back_returns_to_the_conversation_at_once() {
    let (mut floor, call) = in_flow();
    floor.advance(SOUND);
    floor.presses(call, "1");
    floor.commands(1, call, Command::EndFlow);
    assert_eq!((hear(&floor, call), floor.plays(floor.leg_of(call))), (each_other(&floor, call), false));
    assert!(!sees(&floor, call).running);
    floor.check_all();
    // Nothing of the flow comes later, and another begins anew.
    floor.advance(60_000);
    assert_eq!(hear(&floor, call), each_other(&floor, call));
    floor.commands(1, call, start());
    assert_eq!(sees(&floor, call).keys, "");
    floor.check_all();
    floor.hangs_up(call);
    let told: Vec<(bool, usize)> = runs(&floor, call).iter().map(|run| (run.finished, run.results.len())).collect();
    assert_eq!(told, [(false, 2), (false, 0)]);
}

// D6
#[test]
fn a_customer_who_presses_nothing_comes_back_by_the_flows_own_time() {
    let (mut floor, call) = in_flow();
    // Hello; then twice each of the two questions, with five seconds to answer.
    floor.advance(SOUND + 4 * (SOUND + 5_000));
    assert_eq!(hear(&floor, call), each_other(&floor, call));
    floor.check_all();
}

// D2, D3, D6
#[test]
fn hold_and_mute_are_as_they_were() {
    for (command, heard) in [(Command::Hold, Source::Music("music 1".into())), (Command::Mute, Source::Silence)] {
        let (mut floor, call) = in_call();
        floor.commands(1, call, command.clone());
        floor.advance(2_000);
        floor.commands(1, call, start());
        let opposite = if command == Command::Hold { Command::Resume } else { Command::Hold };
        floor.commands(1, call, opposite);
        assert_eq!(hear(&floor, call), [Source::Silence, Source::Silence]);
        floor.advance(3_000);
        floor.commands(1, call, Command::EndFlow);
        assert_eq!(hear(&floor, call)[0], heard);
        floor.check_all();
        floor.hangs_up(call);
        assert_eq!(
            floor.row(call).records[0].hold,
            if command == Command::Hold { 2_000 } else { 0 },
            "who is asked something does not wait"
        );
    }
}

// D6
#[test]
fn a_press_that_the_carrier_tells_both_ways_is_one() {
    let (mut floor, call) = in_flow();
    floor.advance(SOUND);
    let leg = floor.leg_of(call);
    let press = |floor: &mut Floor, key, [first, second]: [bool; 2]| {
        floor.far_presses(leg, key, first);
        floor.advance(50);
        floor.far_presses(leg, key, second);
        floor.settle();
        floor.advance(200);
    };
    press(&mut floor, '2', [false, true]);
    press(&mut floor, '4', [true, false]);
    press(&mut floor, '4', [false, true]);
    assert_eq!(sees(&floor, call).keys, "244");
    // One way alone may be as quick as it likes.
    floor.advance(2_000);
    press(&mut floor, '7', [true, true]);
    assert_eq!(sees(&floor, call).keys, "24477");
}

// D6
#[test]
fn one_thing_at_a_time() {
    let (mut floor, call) = in_flow();
    floor.told(call);
    let others =
        [Command::Transfer(Target::Group(GroupId(1))), Command::Consult(Whom::Agent(AgentId(1))), Command::Digits("1".into()), start()];
    for other in others {
        floor.commands(1, call, other);
    }
    let session = &floor.sessions[&(AgentId(1), call)];
    assert_eq!((session.transfer, session.consult.clone(), floor.digits.len()), (None, None, 0));
    assert_eq!(floor.told(call), Vec::<String>::new());
    assert!(floor.calls[&call].machine.is_in_flow());
    floor.check_all();
    // Nor while somebody else is asked or spoken with.
    for before in [Command::Transfer(Target::Agent(AgentId(2))), Command::Consult(Whom::Agent(AgentId(2)))] {
        let mut floor = floor_of(group(1), 2);
        let call = floor.calls(1);
        floor.accepts(1);
        floor.call(crate::floor::Node::Media, call, cordboard_core::call::Event::Command { agent: AgentId(1), command: before });
        floor.call(crate::floor::Node::Media, call, cordboard_core::call::Event::Command { agent: AgentId(1), command: start() });
        assert!(!floor.calls[&call].machine.is_in_flow());
        floor.settle();
        floor.check_all();
    }
}

// C9, D6
#[test]
fn whoever_hangs_up_ends_the_call_and_the_results_so_far_stay() {
    for customer in [true, false] {
        let (mut floor, call) = in_flow();
        floor.advance(SOUND);
        floor.presses(call, "2");
        if customer {
            floor.hangs_up(call);
        } else {
            floor.commands(1, call, Command::HangUp);
        }
        assert_eq!((floor.calls.len(), floor.agents[&AgentId(1)].kind()), (0, "WrapUp"));
        let by = if customer { HungUpBy::Customer } else { HungUpBy::Agent };
        let record = &floor.row(call).records[0];
        assert_eq!((record.status, record.hung_up_by), (CallStatus::NormalEnd, by));
        assert_eq!(record.flows, [FlowRun { flow: "Survey".into(), finished: false, results: vec![result("rating", "2")] }]);
        assert_eq!(sees(&floor, call).results, [result("rating", "2")]);
    }
}

// B3, D6
#[test]
fn the_flow_goes_on_while_the_workstation_is_away() {
    let (mut floor, call) = in_flow();
    floor.happens(1, Event::SocketDown);
    floor.lose_peer(1);
    floor.advance(SOUND);
    floor.presses(call, "5");
    assert_eq!((hear(&floor, call)[0].clone(), floor.plays(floor.leg_of(call))), (Source::Silence, true));
    floor.happens(1, Event::SocketUp);
    floor.new_peer(1);
    floor.settle();
    assert_eq!(sees(&floor, call).keys, "5");
    floor.check_all();
    floor.presses(call, "42#");
    floor.advance(SOUND);
    assert_eq!(hear(&floor, call), each_other(&floor, call));
    // It ends while nobody is there: music, as for any customer of an agent who is away.
    floor.commands(1, call, start());
    floor.happens(1, Event::SocketDown);
    floor.advance(SOUND);
    floor.presses(call, "542#");
    floor.advance(SOUND);
    assert_eq!(hear(&floor, call)[0], Source::Music("music 1".into()));
    floor.check_all();
}

// B3, D6
#[test]
fn an_agent_who_is_lost_leaves_the_customer_to_the_head_of_the_queue() {
    let (mut floor, call) = in_flow();
    floor.happens(1, Event::SocketDown);
    floor.lose_peer(1);
    floor.advance(SOUND);
    floor.presses(call, "5");
    floor.advance(30_000);
    assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(1)));
    assert_eq!(floor.hears_now(floor.leg_of(call)), Source::Music("music 1".into()));
    floor.check_all();
    floor.hangs_up(call);
    let record = &floor.row(call).records[0];
    assert_eq!((record.status, record.flows[0].results.len()), (CallStatus::AgentLost, 2));
}

// B3, D6
#[test]
fn new_machines_and_a_take_over_leave_the_flow_as_it_is() {
    let (mut floor, call) = in_flow();
    for who in [Address::Agent(AgentId(1)), Address::Group(GroupId(1)), Address::Trunk(crate::floor::world::TRUNK)] {
        floor.panic(who, None);
        floor.settle();
        floor.check_all();
    }
    floor.happens(1, Event::TakenOver);
    floor.new_peer(1);
    floor.settle();
    floor.check_all();
    assert!(sees(&floor, call).running);
    floor.advance(SOUND);
    assert_eq!(floor.told(call), ["hello", "rate"]);
    // The call's own machine takes the call with it, and what was pressed stays.
    floor.presses(call, "1");
    floor.panic(Address::Call(call), None);
    floor.settle();
    assert_eq!((floor.calls.len(), floor.legs.len()), (0, 0));
    assert_eq!(runs(&floor, call)[0].results, [result("rating", "1"), result("mood", "bad")]);
}
