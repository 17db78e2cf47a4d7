//! D4: blind transfer to a group and to an agent, and what becomes of a caller whom nobody takes.

use super::rings_at;
use crate::floor::Floor;
use crate::floor::world::{agent, group};
use cordboard_core::agent::{Chosen, Event, Seen};
use cordboard_core::call::Command;
use cordboard_core::group::Limit;
use cordboard_core::ids::{Address, AgentId, CallId, GroupId};
use cordboard_core::message::{Phase, Source, Target, Transfer};
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::setup::GroupSetup;

/// Agents 1 and 2 in group 1, agents 3 and 4 in group 2; agent 1 talks to a caller of group 1.
fn floor() -> (Floor, CallId) {
    floor_with(group(2))
}

fn floor_with(second: GroupSetup) -> (Floor, CallId) {
    let agents = vec![agent(1, &[1]), agent(2, &[1]), agent(3, &[2]), agent(4, &[2])];
    let mut floor = Floor::with(vec![group(1), second], agents);
    for id in 1..=4 {
        floor.goes_online(id);
        floor.advance(1_000);
    }
    let call = floor.calls(1);
    floor.accepts(1);
    floor.advance(5_000);
    (floor, call)
}

fn transfers(floor: &mut Floor, call: CallId, target: Target) {
    floor.commands(1, call, Command::Transfer(target));
}
fn to_group(id: i32) -> Target {
    Target::Group(GroupId(id))
}
fn to_agent(id: i32) -> Target {
    Target::Agent(AgentId(id))
}

fn shown(floor: &Floor, agent: i32, call: CallId) -> (Phase, Option<Transfer>) {
    let session = &floor.sessions[&(AgentId(agent), call)];
    (session.phase, session.transfer)
}

fn chain(floor: &Floor, call: CallId) -> Vec<(CallStatus, Option<AgentId>, Option<GroupId>)> {
    floor.row(call).records.iter().map(|r| (r.status, r.agent, r.group)).collect()
}

fn is_untouched(floor: &Floor, call: CallId, why: Transfer) {
    let (agent, leg) = floor.calls[&call].machine.agent().unwrap();
    assert_eq!((agent, floor.hears_now(floor.leg_of(call))), (AgentId(1), Source::Leg(leg)));
    assert_eq!(shown(floor, 1, call), (Phase::Talking, Some(why)));
}

#[test]
fn to_a_group_the_agent_is_released_at_once_and_the_caller_hears_music_until_somebody_answers() {
    let (mut floor, call) = floor();
    transfers(&mut floor, call, to_group(2));
    assert_eq!((floor.seen(1), shown(&floor, 1, call).0), (Seen::AfterCallWork, Phase::Ended));
    assert_eq!((rings_at(&floor, call), floor.hears_now(floor.leg_of(call))), (vec![3], Source::Music("music 2".into())));
    floor.accepts(3);
    floor.advance(5_000);
    assert_eq!(floor.calls[&call].machine.agent().map(|(agent, _)| agent), Some(AgentId(3)));
    floor.hangs_up(call);
    assert_eq!(
        chain(&floor, call),
        [(CallStatus::AgentTransfer, Some(AgentId(1)), Some(GroupId(1))), (CallStatus::NormalEnd, Some(AgentId(3)), Some(GroupId(2)))]
    );
    let row = floor.row(call);
    assert_eq!((row.records[0].hung_up_by, row.records[1].hung_up_by), (HungUpBy::Agent, HungUpBy::Customer));
    assert_eq!((row.records[0].recording, row.records[1].recording), (Some((0, 5_000)), Some((5_000, 10_000))));
    floor.check_all();
}

#[test]
fn to_an_agent_only_that_agent_rings() {
    let (mut floor, call) = floor();
    transfers(&mut floor, call, to_agent(4));
    assert_eq!((rings_at(&floor, call), floor.seen(1)), (vec![4], Seen::AfterCallWork));
    assert!(matches!(floor.hears_now(floor.leg_of(call)), Source::Music(_)));
    floor.accepts(4);
    floor.hangs_up(call);
    assert_eq!(
        chain(&floor, call),
        [(CallStatus::AgentTransfer, Some(AgentId(1)), Some(GroupId(1))), (CallStatus::NormalEnd, Some(AgentId(4)), Some(GroupId(1)))]
    );
}

#[test]
fn a_busy_agent_is_reached_directly_and_one_on_a_break_or_offline_or_in_line_is_not() {
    for (chosen, rings) in [(Chosen::Busy(None), true), (Chosen::OnBreak("lunch".into()), false), (Chosen::Offline, false)] {
        let (mut floor, call) = floor();
        floor.chooses(4, chosen);
        transfers(&mut floor, call, to_agent(4));
        if rings {
            assert_eq!(rings_at(&floor, call), [4]);
        } else {
            is_untouched(&floor, call, Transfer::AgentRefused);
        }
    }
    let (mut floor, call) = floor();
    floor.chooses(2, Chosen::Busy(None));
    floor.calls(2);
    floor.accepts(3);
    transfers(&mut floor, call, to_agent(3));
    is_untouched(&floor, call, Transfer::AgentRefused);
    transfers(&mut floor, call, to_agent(1));
    is_untouched(&floor, call, Transfer::AgentRefused);
}

#[test]
fn a_group_that_cannot_take_the_caller_leaves_the_call_untouched() {
    let (mut floor, call) = floor();
    for id in [3, 4] {
        floor.chooses(id, Chosen::Offline);
    }
    transfers(&mut floor, call, to_group(2));
    is_untouched(&floor, call, Transfer::QueueRefused(Limit::NoAgentOnline));

    let (mut floor, call) = floor_with(GroupSetup { max_queue: Some(1), ..group(2) });
    for id in [3, 4] {
        floor.chooses(id, Chosen::Busy(None));
    }
    floor.calls(2);
    transfers(&mut floor, call, to_group(2));
    is_untouched(&floor, call, Transfer::QueueRefused(Limit::QueueFull));
    // The next try is not held against the last.
    floor.chooses(3, Chosen::Available);
    transfers(&mut floor, call, to_agent(4));
    assert_eq!(rings_at(&floor, call), [4]);
}

#[test]
fn a_caller_whom_the_agent_does_not_take_comes_back_to_the_head_and_the_transferring_agent_is_last() {
    let ends: [fn(&mut Floor); 2] = [|floor| floor.declines(4), |floor| floor.advance(20_000)];
    for ends in ends {
        let (mut floor, call) = floor();
        floor.chooses(2, Chosen::Busy(None));
        let other = floor.calls(1);
        transfers(&mut floor, call, to_agent(4));
        floor.happens(1, Event::EndWrapUp);
        // Whoever was there takes the next caller; agent 1 has that one now.
        assert_eq!(rings_at(&floor, other), [1]);
        floor.accepts(1);
        ends(&mut floor);
        assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(1)));
        let last = floor.calls(1);
        floor.chooses(2, Chosen::Available);
        assert_eq!((rings_at(&floor, call), rings_at(&floor, last)), (vec![2], vec![]));
    }
}

#[test]
fn the_transferring_agent_takes_the_caller_back_when_nobody_else_does() {
    let (mut floor, call) = floor();
    floor.chooses(2, Chosen::Busy(None));
    transfers(&mut floor, call, to_agent(4));
    floor.happens(1, Event::EndWrapUp);
    floor.declines(4);
    assert_eq!(rings_at(&floor, call), []);
    floor.advance(5_000);
    assert_eq!(rings_at(&floor, call), [1]);
    floor.accepts(1);
    floor.hangs_up(call);
    let chain: Vec<_> = chain(&floor, call).into_iter().map(|(status, agent, _)| (status, agent)).collect();
    assert_eq!(
        chain,
        [(CallStatus::AgentTransfer, Some(AgentId(1))), (CallStatus::Overflow, None), (CallStatus::NormalEnd, Some(AgentId(1)))]
    );
}

#[test]
fn a_caller_whom_the_group_does_not_take_in_time_comes_back_beyond_all_limits() {
    let (mut floor, call) = floor_with(GroupSetup { max_wait: Some(30_000), ..group(2) });
    for id in [3, 4] {
        floor.chooses(id, Chosen::Busy(None));
    }
    floor.chooses(2, Chosen::Offline);
    transfers(&mut floor, call, to_group(2));
    assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(2)));
    floor.chooses(1, Chosen::Offline);
    floor.advance(30_000);
    assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(1)));
    floor.advance(600_000);
    floor.goes_online(2);
    assert_eq!(rings_at(&floor, call), [2]);
}

#[test]
fn a_caller_who_hangs_up_on_the_way_leaves_nobody_reserved() {
    for target in [to_agent(4), to_group(2)] {
        let (mut floor, call) = floor();
        floor.call(
            crate::floor::Node::Media,
            call,
            cordboard_core::call::Event::Command { agent: AgentId(1), command: Command::Transfer(target) },
        );
        floor.hangs_up(call);
        floor.check_all();
        assert_eq!((floor.agents[&AgentId(3)].kind(), floor.agents[&AgentId(4)].kind(), floor.calls.len()), ("Free", "Free", 0));
    }
}

#[test]
fn a_panic_of_the_target_while_it_is_asked_leaves_the_call_untouched_or_brings_it_there() {
    let (mut floor, call) = floor();
    floor.call(
        crate::floor::Node::Media,
        call,
        cordboard_core::call::Event::Command { agent: AgentId(1), command: Command::Transfer(to_agent(4)) },
    );
    floor.panic(Address::Agent(AgentId(4)), Some(&mut crate::floor::random::Random::new(1)));
    floor.settle();
    floor.check_all();
    is_untouched(&floor, call, Transfer::AgentRefused);

    transfers(&mut floor, call, to_group(2));
    floor.panic(Address::Group(GroupId(2)), None);
    floor.settle();
    floor.check_all();
    assert_eq!(rings_at(&floor, call).len(), 1);
}
