//! G1 and G5: one row a call, one record a segment, whatever happened.

use super::{floor_of, in_call};
use crate::floor::world::group;
use cordboard_core::agent::{Chosen, Event};
use cordboard_core::ids::{Address, AgentId, GroupId};
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::record::{What, fold};
use cordboard_core::setup::GroupSetup;

// G1
#[test]
fn a_record_tells_times_agent_group_and_who_hung_up() {
    let mut floor = floor_of(group(1), 1);
    let began = floor.wall();
    floor.chooses(1, Chosen::Busy(None));
    let call = floor.calls(1);
    floor.advance(4_000);
    floor.chooses(1, Chosen::Available);
    floor.advance(3_000);
    floor.accepts(1);
    floor.advance(10_000);
    floor.commands(1, call, cordboard_core::call::Command::HangUp);
    let row = floor.row(call);
    assert_eq!((row.began, row.ended, row.status, row.hung_up_by), (began, began + 17_000, CallStatus::NormalEnd, HungUpBy::Agent));
    let [record] = &row.records[..] else { panic!("{:?}", row.records) };
    assert_eq!((record.time, record.duration, record.wait, record.ring, record.hold), (began + 7_000, 17_000, 7_000, 3_000, 0));
    assert_eq!((record.agent, record.group), (Some(AgentId(1)), Some(GroupId(1))));
    assert_eq!((row.caller.as_str(), row.contact.as_str()), ("+4420", "+4430"));
    assert_eq!(record.recording, Some((0, 10_000)));
}

// G1, B3
#[test]
fn a_lost_agent_ends_a_segment_and_the_call_keeps_its_id_and_its_recording() {
    let mut floor = floor_of(group(1), 2);
    let call = floor.calls(1);
    floor.accepts(1);
    floor.advance(1_000);
    floor.happens(1, Event::SocketDown);
    floor.advance(30_000);
    floor.accepts(2);
    floor.advance(5_000);
    assert!(floor.recording.contains(&call));
    floor.hangs_up(call);
    let row = floor.row(call);
    let records: Vec<_> = row.records.iter().map(|r| (r.segment, r.status, r.agent, r.hung_up_by)).collect();
    assert_eq!(
        records,
        [(0, CallStatus::AgentLost, Some(AgentId(1)), HungUpBy::Switch), (1, CallStatus::NormalEnd, Some(AgentId(2)), HungUpBy::Customer),]
    );
    assert_eq!((row.records[0].recording, row.records[1].recording), (Some((0, 31_000)), Some((31_000, 36_000))));
    assert_eq!(floor.journal[&call].iter().filter(|line| line.what == What::RecordingBegan).count(), 1);
}

// G4
#[test]
fn a_group_may_not_record() {
    let mut floor = floor_of(GroupSetup { record: false, ..group(1) }, 1);
    let call = floor.calls(1);
    floor.accepts(1);
    assert!(floor.recording.is_empty());
    floor.hangs_up(call);
    assert_eq!(floor.row(call).records[0].recording, None);
}

// G5
#[test]
fn a_journal_cut_at_any_line_makes_one_row_with_every_segment_once() {
    let (mut floor, call) = in_call();
    floor.happens(1, Event::SocketDown);
    floor.advance(30_000);
    floor.hangs_up(call);
    let lines = &floor.journal[&call];
    for length in 1..=lines.len() {
        let row = fold(&lines[..length], None).expect("a row");
        let segments: Vec<u16> = row.records.iter().map(|r| r.segment).collect();
        assert_eq!(segments, (0..segments.len() as u16).collect::<Vec<_>>());
        let ended = lines[..length].iter().any(|line| matches!(line.what, What::Ended { .. }));
        assert_eq!(row.status == CallStatus::Interrupted, !ended);
    }
}

// G1
#[test]
fn the_mean_of_the_measured_quality_is_on_the_record() {
    let (mut floor, call) = in_call();
    for mos in [4.0, 3.0] {
        floor.call(crate::floor::Node::Media, call, cordboard_core::call::Event::Quality { mos });
    }
    floor.hangs_up(call);
    assert_eq!(floor.row(call).records[0].mos, Some(3.5));
}

// G5
#[test]
fn a_call_whose_machine_panics_ends_as_interrupted_once() {
    let (mut floor, call) = in_call();
    floor.advance(3_000);
    floor.panic(Address::Call(call), None);
    floor.settle();
    let ends = floor.journal[&call].iter().filter(|line| matches!(line.what, What::Ended { .. })).count();
    assert_eq!((ends, floor.row(call).status, floor.row(call).records.len()), (1, CallStatus::Interrupted, 1));
}
