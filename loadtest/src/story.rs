//! What happens in a call beside talking, the same for whoever asks: the thread of the calls and the agent's workstation, which know no more of each other than a number.

use crate::scenario::Scenario;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::Duration;

/// A customer's number ends with the call's index in so many digits.
const DIGITS: usize = 8;
/// What calls with two agents talk at least.
const HANDED_ON: Duration = Duration::from_secs(6);

/// The number of the customer of the call with that index.
pub fn number_of(call: usize) -> String {
    format!("+4477{call:0DIGITS$}")
}

/// The call that this customer's number names.
pub fn index_of(number: &str) -> Option<usize> {
    number.get(number.len().checked_sub(DIGITS)?..)?.parse().ok()
}

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
        // Whoever is handed on needs time to get there.
        let talk = if matches!(turn, Turn::Transfer | Turn::Consult) { talk.max(HANDED_ON) } else { talk };
        Self { talk, agent_hangs_up, turn }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_calls() {
        assert_eq!(index_of(&number_of(42)), Some(42));
        assert_eq!((index_of("anonymous"), index_of("42"), index_of("")), (None, None, None));
    }
}
