//! Stories in virtual time, one file for each group of the specification's sentences.

mod agent_does_not_answer;
mod agent_states;
mod announcements;
mod automatic_answer;
mod caller_hangs_up;
mod consultation;
mod distribution;
mod hold_and_mute;
mod internal;
mod limits;
mod log_out;
mod lost_workstation;
mod mobile;
mod mobile_calls;
mod offers;
mod outbound;
mod panics;
mod recording;
mod records;
mod self_service;
mod setup_changes;
mod sip_phone;
mod take_over;
mod transfer;

use crate::floor::Floor;
use crate::floor::world::{agent, group};
use cordboard_core::ids::{AgentId, CallId};
use cordboard_core::setup::GroupSetup;

/// One group with agents 1 to `n`, all available, a second apart: 1 is idle longest.
fn floor_of(group: GroupSetup, n: i32) -> Floor {
    let agents = (1..=n).map(|id| agent(id, &[group.id.0])).collect();
    let mut floor = Floor::with(vec![group], agents);
    for id in 1..=n {
        floor.goes_online(id);
        floor.advance(1_000);
    }
    floor
}

/// A floor with one agent who talks to a caller.
fn in_call() -> (Floor, CallId) {
    let mut floor = floor_of(group(1), 1);
    let call = floor.calls(1);
    floor.accepts(1);
    assert_eq!(floor.calls[&call].machine.kind(), "Talking");
    (floor, call)
}

fn rings_at(floor: &Floor, call: CallId) -> Vec<i32> {
    floor.ringing(call).into_iter().map(|AgentId(id)| id).collect()
}
