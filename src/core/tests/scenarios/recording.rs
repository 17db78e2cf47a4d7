//! G4: an agent pauses the recording while a card number is said.

use super::{floor_of, in_call};
use crate::floor::world::group;
use cordboard_core::call::Command;
use cordboard_core::ids::AgentId;
use cordboard_core::message::Target;
use cordboard_core::setup::GroupSetup;

#[test]
fn it_is_paused_and_resumed_by_the_agent_who_sees_it() {
    let (mut floor, call) = in_call();
    let paused = |floor: &crate::floor::Floor| (floor.unrecorded.contains(&call), floor.sessions[&(AgentId(1), call)].recording_paused);
    for (command, expected) in [(Command::PauseRecording, true), (Command::PauseRecording, true), (Command::ResumeRecording, false)] {
        floor.commands(1, call, command);
        assert_eq!(paused(&floor), (expected, expected));
    }
    floor.commands(1, call, Command::PauseRecording);
    floor.hangs_up(call);
    assert!(floor.recording.is_empty() && floor.unrecorded.is_empty());
}

#[test]
fn hold_does_not_end_the_pause_and_the_agents_part_in_the_call_does() {
    let mut floor = floor_of(group(1), 2);
    let call = floor.calls(1);
    floor.accepts(1);
    for command in [Command::PauseRecording, Command::Hold, Command::Resume] {
        floor.commands(1, call, command);
    }
    assert!(floor.unrecorded.contains(&call));
    floor.commands(1, call, Command::Transfer(Target::Agent(AgentId(2))));
    floor.accepts(2);
    assert_eq!((floor.unrecorded.contains(&call), floor.recording.contains(&call)), (false, true));
}

#[test]
fn what_is_not_recorded_is_not_paused() {
    let mut floor = floor_of(GroupSetup { record: false, ..group(1) }, 1);
    let call = floor.calls(1);
    floor.accepts(1);
    floor.commands(1, call, Command::PauseRecording);
    assert!(floor.unrecorded.is_empty() && !floor.sessions[&(AgentId(1), call)].recording_paused);
}
