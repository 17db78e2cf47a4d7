//! What happens in a call beside talking, the same for whoever asks: the thread of the calls and the agent's workstation, which know no more of each other than a number.

use crate::scenario::Scenario;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Story {
    pub talk: Duration,
    pub agent_hangs_up: bool,
    pub turn: Turn,
}

/// What the agent does in the middle of the talk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    None,
    /// For so long (D2).
    Hold(Duration),
    /// To the second group (D4).
    Transfer,
    /// With the second group, and handed on to it (D5).
    Consult,
}

impl Story {
    /// Of the call with that index.
    pub fn of(scenario: &Scenario, call: usize) -> Self {
        let agents = &scenario.agents;
        let call = u64::try_from(call).unwrap_or(u64::MAX);
        // Neighbouring seeds and calls have nothing in common.
        let mut random = StdRng::seed_from_u64(scenario.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ call);
        let talk = agents.talk.sample(&mut random);
        let agent_hangs_up = random.random_bool(agents.hang_up);
        let hold = agents.hold_for.sample(&mut random);
        let which: f64 = random.random();
        let turn = if which < agents.hold {
            Turn::Hold(hold)
        } else if which < agents.hold + agents.transfer {
            Turn::Transfer
        } else if which < agents.hold + agents.transfer + agents.consult {
            Turn::Consult
        } else {
            Turn::None
        };
        Self { talk, agent_hangs_up, turn }
    }
}
