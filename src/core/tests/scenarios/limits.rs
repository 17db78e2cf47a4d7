//! C1 and C2: refusals before the answer, the answer, the queue's limits and their ways out; a trunk's limits.

use super::{floor_of, rings_at};
use crate::floor::world::{TRUNK, agent, group, trunk};
use crate::floor::{Floor, SOUND};
use cordboard_core::agent::Chosen;
use cordboard_core::call::{Route, Way};
use cordboard_core::ids::{CallId, GroupId, LegId};
use cordboard_core::leg::SignalCommand;
use cordboard_core::message::Source;
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::setup::{GroupSetup, TrunkSetup, WayOut};

fn signals(floor: &Floor, leg: LegId) -> Vec<SignalCommand> {
    floor.signalled.iter().filter(|(to, _)| *to == leg).map(|(_, command)| command.clone()).collect()
}

fn rejected(status: u16, q850: Option<u8>) -> SignalCommand {
    SignalCommand::Reject { status, q850, retry_after: None }
}

/// 503 without a time to come again would be taken as 500 (RFC 3261 §21.5.4).
fn is_told_to_come_again(floor: &Floor, leg: LegId) -> bool {
    matches!(signals(floor, leg).as_slice(), [SignalCommand::Reject { status: 503, q850: None, retry_after: Some(1..=3) }])
}

/// A call that ends by itself at once: its leg, to look at what was signalled.
fn brief(floor: &mut Floor, route: Option<Route>) -> (CallId, LegId) {
    let call = floor.begin(route);
    let leg = floor.leg_of(call);
    floor.settle();
    (call, leg)
}

fn to(group: i32) -> Option<Route> {
    Some(Route { group: GroupId(group), early_media: false, last_agent: None })
}

fn busy_floor(setup: GroupSetup) -> Floor {
    let mut floor = floor_of(setup, 1);
    floor.chooses(1, Chosen::Busy(None));
    floor
}

// C1
#[test]
fn an_unknown_number_is_answered_404_and_leaves_a_record() {
    let mut floor = floor_of(group(1), 1);
    let (call, leg) = brief(&mut floor, None);
    assert_eq!(signals(&floor, leg), [rejected(404, Some(1))]);
    assert_eq!((floor.row(call).status, floor.row(call).records.len()), (CallStatus::UnknownNumber, 1));
    assert_eq!(floor.trunks[&TRUNK].channels(), 0);
}

// C1, G2, H6
#[test]
fn a_barred_caller_is_answered_603_before_anything_else_and_leaves_a_record_with_the_numbers_group() {
    let mut floor = busy_floor(group(1));
    let call = floor.begin_by(Way::Barred(GroupId(1)));
    let leg = floor.leg_of(call);
    floor.settle();
    assert_eq!(signals(&floor, leg), [rejected(603, Some(21))]);
    assert_eq!((floor.groups[&GroupId(1)].queue().0, floor.trunks[&TRUNK].channels(), floor.calls.len()), (0, 0, 0));
    let row = floor.row(call);
    assert_eq!((row.status, row.hung_up_by, row.caller.as_str()), (CallStatus::Blocklist, HungUpBy::Switch, "+4420"));
    let [record] = &row.records[..] else { panic!("{:?}", row.records) };
    assert_eq!((record.status, record.group, record.agent, record.wait), (CallStatus::Blocklist, Some(GroupId(1)), None, 0));
}

// C1
#[test]
fn a_barred_caller_takes_no_channel_of_a_full_trunk_and_is_not_sent_to_another_route() {
    let mut floor = Floor::new();
    floor.open(TrunkSetup { max_channels: Some(0), ..trunk() }, vec![group(1)], vec![agent(1, &[1])]);
    floor.goes_online(1);
    let call = floor.begin_by(Way::Barred(GroupId(1)));
    let leg = floor.leg_of(call);
    floor.settle();
    assert_eq!(signals(&floor, leg), [rejected(603, Some(21))]);
}

// C2
#[test]
fn the_caller_hears_180_then_200_before_welcome_and_music() {
    let mut floor = busy_floor(GroupSetup { welcome: Some("welcome".into()), ..group(1) });
    let call = floor.calls(1);
    let leg = floor.leg_of(call);
    assert_eq!(signals(&floor, leg), [SignalCommand::Ring, SignalCommand::Answer]);
    assert_eq!(floor.played, [(leg, "welcome".to_string())]);
    assert_eq!(floor.hears_now(leg), Source::Music("music 1".into()));
}

// C2
#[test]
fn with_early_media_the_answer_waits_for_the_agent_but_sixty_seconds_at_most() {
    let early = Some(Route { group: GroupId(1), early_media: true, last_agent: None });
    let mut floor = busy_floor(group(1));
    let (call, leg) = brief(&mut floor, early.clone());
    assert_eq!(signals(&floor, leg), [SignalCommand::Ring, SignalCommand::Progress]);
    floor.advance(20_000);
    floor.chooses(1, Chosen::Available);
    assert_eq!(signals(&floor, leg).len(), 2);
    floor.accepts(1);
    assert_eq!(signals(&floor, leg).last(), Some(&SignalCommand::Answer));
    floor.hangs_up(call);
    floor.chooses(1, Chosen::Busy(None));
    floor.advance(10_000);
    let (_, leg) = brief(&mut floor, early);
    floor.advance(59_999);
    assert_eq!(signals(&floor, leg).len(), 2);
    floor.advance(1);
    assert_eq!(signals(&floor, leg).last(), Some(&SignalCommand::Answer));
}

// C2
#[test]
fn when_every_member_is_offline_the_caller_is_refused_before_the_answer() {
    let mut floor = Floor::with(vec![group(1)], vec![agent(1, &[1])]);
    let (call, leg) = brief(&mut floor, to(1));
    assert_eq!(signals(&floor, leg), [rejected(480, None)]);
    assert_eq!(floor.row(call).status, CallStatus::NoAgentOnline);
}

// C2
#[test]
fn a_member_on_break_is_online() {
    let mut floor = floor_of(group(1), 1);
    floor.chooses(1, Chosen::OnBreak("lunch".into()));
    let call = floor.calls(1);
    assert_eq!(floor.calls[&call].machine.queue(), Some(GroupId(1)));
}

// C2
#[test]
fn when_the_last_member_goes_offline_who_waits_is_sent_away_too() {
    let mut floor = busy_floor(group(1));
    let call = floor.calls(1);
    floor.advance(5_000);
    floor.chooses(1, Chosen::Offline);
    assert_eq!((floor.calls.len(), floor.row(call).status, floor.row(call).hung_up_by), (0, CallStatus::NoAgentOnline, HungUpBy::Switch));
}

// C2
#[test]
fn an_agent_of_another_group_does_not_count_as_online() {
    let mut floor = Floor::with(vec![group(1), group(2)], vec![agent(1, &[1]), agent(2, &[2])]);
    floor.goes_online(2);
    // A new machine for group 1 asks everybody who they are.
    floor.panic(cordboard_core::ids::Address::Group(GroupId(1)), None);
    floor.advance(2_000);
    let (call, _) = brief(&mut floor, to(1));
    assert_eq!(floor.row(call).status, CallStatus::NoAgentOnline);
}

// C2
#[test]
fn a_queue_that_is_full_refuses_the_next_caller_but_not_one_whom_an_agent_can_take() {
    let mut floor = busy_floor(GroupSetup { max_queue: Some(2), ..group(1) });
    floor.calls(1);
    floor.calls(1);
    let (call, leg) = brief(&mut floor, to(1));
    assert_eq!(signals(&floor, leg), [rejected(486, None)]);
    assert_eq!(floor.row(call).status, CallStatus::QueueFull);
    let mut floor = floor_of(GroupSetup { max_queue: Some(0), ..group(1) }, 1);
    let call = floor.calls(1);
    assert_eq!(rings_at(&floor, call), [1]);
}

// C2
#[test]
fn the_longest_wait_ends_the_queue_for_the_caller() {
    let mut floor = busy_floor(GroupSetup { max_wait: Some(30_000), ..group(1) });
    let call = floor.calls(1);
    floor.advance(29_999);
    assert_eq!(floor.calls.len(), 1);
    floor.advance(1);
    assert_eq!((floor.calls.len(), floor.row(call).status), (0, CallStatus::QueueTimeout));
    assert_eq!(floor.row(call).records[0].wait, 30_000);
}

// C2
#[test]
fn a_call_that_rings_is_not_sent_away_but_when_the_ring_is_over() {
    let mut floor = floor_of(GroupSetup { max_wait: Some(10_000), ..group(1) }, 1);
    let call = floor.calls(1);
    floor.advance(19_999);
    assert_eq!(rings_at(&floor, call), [1]);
    floor.advance(1);
    assert_eq!((floor.calls.len(), floor.row(call).status), (0, CallStatus::QueueTimeout));
}

// C2
#[test]
fn a_limits_way_out_can_be_a_prompt_and_a_hang_up() {
    let out = WayOut::HangUp { prompt: Some("sorry".into()) };
    let mut floor = busy_floor(GroupSetup { max_wait: Some(30_000), on_max_wait: out, ..group(1) });
    let call = floor.calls(1);
    let leg = floor.leg_of(call);
    floor.advance(30_000);
    assert_eq!(floor.played, [(leg, "sorry".to_string())]);
    floor.advance(SOUND);
    assert_eq!((floor.calls.len(), floor.row(call).status, floor.row(call).hung_up_by), (0, CallStatus::QueueTimeout, HungUpBy::Switch));
}

// C2
#[test]
fn a_limits_way_out_can_be_another_group() {
    let first = GroupSetup { max_wait: Some(30_000), on_max_wait: WayOut::Group(GroupId(2)), ..group(1) };
    let mut floor = Floor::with(vec![first, group(2)], vec![agent(1, &[1]), agent(2, &[2])]);
    floor.goes_online(1);
    floor.chooses(1, Chosen::Busy(None));
    floor.goes_online(2);
    let call = floor.calls(1);
    floor.advance(30_000);
    assert_eq!(rings_at(&floor, call), [2]);
    assert_eq!(floor.hears_now(floor.leg_of(call)), Source::Music("music 2".into()));
    floor.accepts(2);
    floor.hangs_up(call);
    let records: Vec<_> = floor.row(call).records.iter().map(|r| (r.status, r.group)).collect();
    assert_eq!(records, [(CallStatus::Overflow, Some(GroupId(1))), (CallStatus::NormalEnd, Some(GroupId(2)))]);
}

// C2
#[test]
fn groups_that_send_callers_to_each_other_do_not_send_them_in_circles() {
    let setup = |id, next| GroupSetup { on_no_agent: WayOut::Group(GroupId(next)), ..group(id) };
    let mut floor = Floor::with(vec![setup(1, 2), setup(2, 1)], Vec::new());
    let (call, _) = brief(&mut floor, to(1));
    assert_eq!((floor.calls.len(), floor.row(call).status), (0, CallStatus::NoAgentOnline));
}

// H3
#[test]
fn a_full_trunk_answers_503_with_cause_34_and_no_retry_after() {
    let mut floor = Floor::new();
    floor.open(TrunkSetup { max_channels: Some(2), ..trunk() }, vec![group(1)], vec![agent(1, &[1])]);
    floor.advance(1_000);
    floor.goes_online(1);
    let first = floor.calls(1);
    floor.calls(1);
    let (call, leg) = brief(&mut floor, to(1));
    assert_eq!(signals(&floor, leg), [rejected(503, Some(34))]);
    assert_eq!(floor.row(call).status, CallStatus::TrunkFull);
    floor.hangs_up(first);
    let third = floor.calls(1);
    assert!(floor.calls.contains_key(&third));
}

// H3
#[test]
fn a_trunk_lets_in_so_many_calls_a_second() {
    let mut floor = Floor::new();
    floor.open(TrunkSetup { max_calls_per_second: Some(2), ..trunk() }, vec![group(1)], vec![agent(1, &[1])]);
    floor.advance(1_000);
    floor.goes_online(1);
    let calls: Vec<CallId> = (0..3).map(|_| floor.calls(1)).collect();
    assert_eq!(floor.row(calls[2]).status, CallStatus::TrunkFull);
    floor.advance(1_000);
    let next = floor.calls(1);
    assert!(floor.calls.contains_key(&next));
}

// G5
#[test]
fn when_the_journal_cannot_keep_a_call_it_is_refused() {
    let mut floor = floor_of(group(1), 1);
    floor.disk_is_full = true;
    let call = floor.begin(to(1));
    let leg = floor.leg_of(call);
    floor.settle();
    assert!(is_told_to_come_again(&floor, leg));
    assert_eq!((floor.calls.len(), floor.trunks[&TRUNK].channels()), (0, 0));
}

// G5
#[test]
fn when_the_journal_fails_late_the_agents_telephone_is_silent_again_and_the_caller_is_refused() {
    let mut floor = floor_of(group(1), 1);
    floor.disk_is_full = true;
    let call = floor.begin(to(1));
    let leg = floor.leg_of(call);
    // All but the disk.
    while floor.bars.is_empty() {
        assert!(floor.step_beside_the_disk(), "the agent is rung without the disk");
    }
    assert_eq!(signals(&floor, leg), []);
    floor.settle();
    assert!(is_told_to_come_again(&floor, leg));
    assert_eq!((floor.calls.len(), floor.trunks[&TRUNK].channels(), floor.bars.len()), (0, 0, 0));
    assert_eq!(floor.row(call).status, CallStatus::Interrupted);
}
