//! The admin changes an agent or a group while the floor is open (H1, H2).

use super::{floor_of, rings_at};
use crate::floor::Floor;
use crate::floor::world::{TRUNK, agent, group, phone};
use cordboard_core::agent::{Agent, Chosen, Departure, Event, Kept};
use cordboard_core::cx::{CountingIds, Cx};
use cordboard_core::group;
use cordboard_core::ids::{AgentId, GroupId};
use cordboard_core::message::{Action, Device, Source};
use cordboard_core::outcome::CallStatus;
use cordboard_core::setup::{AgentSetup, GroupSetup, Strategy};
use cordboard_core::trunk;

// H1
#[test]
fn an_agent_who_is_moved_to_another_group_is_offered_its_calls_and_not_the_old_ones() {
    let mut floor = Floor::with(vec![group(1), group(2)], vec![agent(1, &[1]), agent(2, &[1])]);
    floor.goes_online(1);
    floor.goes_online(2);
    floor.chooses(2, Chosen::Busy(None));
    floor.happens(1, Event::Setup(Box::new(agent(1, &[2]))));
    let (old, new) = (floor.calls(1), floor.calls(2));
    assert_eq!((rings_at(&floor, old), rings_at(&floor, new)), (vec![], vec![1]));
    floor.chooses(2, Chosen::Offline);
    assert_eq!(floor.row(old).status, CallStatus::NoAgentOnline);
}

// H1
#[test]
fn an_agent_who_is_moved_in_mid_call_keeps_the_call() {
    let mut floor = Floor::with(vec![group(1), group(2)], vec![agent(1, &[1])]);
    floor.goes_online(1);
    let call = floor.calls(1);
    floor.accepts(1);
    floor.happens(1, Event::Setup(Box::new(agent(1, &[2]))));
    assert_eq!(floor.calls[&call].machine.kind(), "Talking");
    floor.hangs_up(call);
    floor.advance(10_000);
    let call = floor.calls(2);
    assert_eq!(rings_at(&floor, call), [1]);
}

// H2
#[test]
fn a_group_whose_strategy_changes_orders_who_is_ready_by_the_new_one() {
    let mut second = agent(1, &[1]);
    second.groups[0].priority = 2;
    let mut first = agent(2, &[1]);
    first.groups[0].priority = 1;
    let mut floor = Floor::with(vec![group(1)], vec![second, first]);
    floor.goes_online(1);
    floor.advance(1_000);
    floor.goes_online(2);
    let setup = GroupSetup { strategy: Strategy::AgentPriority, ..group(1) };
    floor.group(GroupId(1), group::Event::Setup(Box::new(setup)));
    floor.settle();
    let call = floor.calls(1);
    assert_eq!(rings_at(&floor, call), [2]);
}

// H2
#[test]
fn a_longest_wait_that_is_set_later_holds_for_who_waits_already() {
    let mut floor = floor_of(group(1), 1);
    floor.chooses(1, Chosen::Busy(None));
    let call = floor.calls(1);
    floor.advance(5_000);
    floor.group(GroupId(1), group::Event::Setup(Box::new(GroupSetup { max_wait: Some(20_000), ..group(1) })));
    floor.advance(15_000);
    assert_eq!((floor.calls.len(), floor.row(call).status), (0, CallStatus::QueueTimeout));
}

fn on_phone(phone_id: i32) -> AgentSetup {
    AgentSetup { device: phone(phone_id), ..agent(1, &[1]) }
}

// H1
#[test]
fn an_agent_who_gets_a_phone_in_mid_call_keeps_call_and_browser_until_offline() {
    let mut floor = Floor::with(vec![group(1)], vec![agent(1, &[1])]);
    floor.goes_online(1);
    let call = floor.calls(1);
    floor.accepts(1);
    floor.happens(1, Event::Setup(Box::new(on_phone(1))));
    assert_eq!(floor.agents[&AgentId(1)].device(), &Device::Browser);
    floor.lose_peer(1);
    floor.settle();
    assert!(matches!(floor.hears_now(floor.leg_of(call)), Source::Music(_)), "the browser is what the agent hears with");
    floor.hangs_up(call);
    floor.chooses(1, Chosen::Offline);
    floor.happens(1, Event::EndWrapUp);
    assert_eq!(floor.agents[&AgentId(1)].device(), &Device::from(&phone(1)));
    floor.chooses(1, Chosen::Available);
    floor.calls(1);
    assert!(floor.phone_leg(1).is_some(), "the phone rings");
}

// H1
#[test]
fn an_agent_whose_phone_is_taken_in_mid_call_talks_on() {
    let mut floor = Floor::with(vec![group(1)], vec![on_phone(1)]);
    floor.chooses(1, Chosen::Available);
    let call = floor.calls(1);
    let leg = floor.phone_leg(1).unwrap();
    floor.phone_answers(leg);
    floor.settle();
    floor.happens(1, Event::Setup(Box::new(agent(1, &[1]))));
    floor.advance(60_000);
    assert_eq!((floor.calls[&call].machine.kind(), floor.hears_now(floor.leg_of(call))), ("Talking", Source::Leg(leg)));
}

// C8
#[test]
fn a_phones_new_contact_rings_for_the_next_call() {
    let mut floor = Floor::with(vec![group(1)], vec![on_phone(1)]);
    floor.chooses(1, Chosen::Available);
    floor.happens(1, Event::Setup(Box::new(on_phone(2))));
    assert_eq!(floor.agents[&AgentId(1)].device(), &Device::from(&phone(2)));
}

// H1
#[test]
fn an_offline_agents_page_hears_of_another_device() {
    let mut ids = CountingIds(0);
    let mut cx = Cx::new(0, 0, 0, &mut ids);
    let (mut machine, _) = Agent::new(agent(1, &[]), Kept::choice(Chosen::Offline), &mut cx);
    assert!(machine.handle(Event::Setup(Box::new(on_phone(1))), &mut cx).contains(&Action::StateChanged));
}

// H1
#[test]
fn an_agent_who_waits_for_a_phone_keeps_the_browser_beyond_a_panic() {
    let mut ids = CountingIds(0);
    let mut cx = Cx::new(0, 0, 0, &mut ids);
    let (mut machine, _) = Agent::new(agent(1, &[]), Kept::choice(Chosen::Busy(None)), &mut cx);
    machine.handle(Event::Setup(Box::new(on_phone(1))), &mut cx);
    let (machine, _) = Agent::new(machine.setup.clone(), machine.kept(), &mut cx);
    assert_eq!(machine.device(), &Device::Browser);
}

// I6
#[test]
fn an_agent_of_whom_nothing_changed_keeps_the_place_in_the_groups() {
    let mut floor = floor_of(group(1), 1);
    let mut ids = CountingIds::default();
    let cx = &mut Cx::new(floor.now, floor.wall(), 0, &mut ids);
    let machine = floor.agents.get_mut(&AgentId(1)).expect("the agent");
    assert_eq!(machine.handle(Event::Setup(Box::new(agent(1, &[1]))), cx), vec![]);
    let call = floor.calls(1);
    assert_eq!(rings_at(&floor, call), [1]);
}

/// What the shell says to an agent who is not in the database any more.
fn removes(floor: &mut Floor, id: i32) {
    floor.happens(id, Event::Setup(Box::new(agent(id, &[]))));
    floor.happens(id, Event::Depart { departure: Departure::Removed, end_call: false });
}

// I6
#[test]
fn an_agent_who_is_removed_is_offered_nothing_and_leaves_the_floor() {
    let mut floor = Floor::with(vec![group(1)], vec![AgentSetup { device: phone(1), ..agent(1, &[1]) }]);
    floor.chooses(1, Chosen::Available);
    removes(&mut floor, 1);
    assert_eq!((floor.agents.len(), &floor.logged_out), (0, &vec![AgentId(1)]));
    let call = floor.calls(1);
    assert_eq!(floor.row(call).status, CallStatus::NoAgentOnline);
}

// I6
#[test]
fn an_agent_who_is_removed_in_mid_call_leaves_at_its_end_unless_back_by_then() {
    for back in [false, true] {
        let mut floor = floor_of(group(1), 1);
        let call = floor.calls(1);
        floor.accepts(1);
        removes(&mut floor, 1);
        floor.happens(1, Event::Stay);
        if back {
            floor.happens(1, Event::Setup(Box::new(agent(1, &[1]))));
        }
        floor.advance(60_000);
        assert_eq!(floor.calls[&call].machine.kind(), "Talking");
        floor.hangs_up(call);
        assert_eq!((floor.agents.len(), floor.logged_out.len()), if back { (1, 0) } else { (0, 1) });
    }
}

// I6
#[test]
fn a_trunk_that_is_removed_takes_no_new_call_and_ends_with_its_last_one() {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    floor.accepts(1);
    floor.trunk(TRUNK, trunk::Event::Removed);
    floor.settle();
    assert_eq!((floor.calls[&call].machine.kind(), floor.trunks[&TRUNK].next_deadline()), ("Talking", None));
    for removed in [false, true] {
        let late = floor.calls(1);
        assert_eq!((floor.row(late).status, floor.calls.contains_key(&late)), (CallStatus::TrunkFull, false));
        if !removed {
            floor.hangs_up(call);
        }
        assert!(floor.trunks.is_empty());
    }
}
