//! What happens in a call beside talking, the same for whoever asks: the thread of the calls and the agent's workstation, which know no more of each other than a number.

use crate::scenario::Scenario;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::Duration;

/// The number of a customer who calls begins like this, and ends with the call's index in so many digits.
const CALLING: &str = "+4477";
const DIGITS: usize = 8;
/// That of one who is called goes on with agent and count.
pub const CALLED: &str = "+4478";
const AGENT_DIGITS: usize = 5;
const COUNT_DIGITS: usize = 6;
/// How long an agent speaks with a colleague before handing the customer over.
pub const BEAT: Duration = Duration::from_secs(1);
/// What two talk at least after self-service, or after being handed on: the key or the colleague is under way, and the switch busy.
const BACK: Duration = Duration::from_secs(2);
/// Two who talk hear each other at least so often: both speak all the time.
const QUIET: Duration = Duration::from_secs(2);

/// The number of the customer of the call with that index.
pub fn number_of(call: usize) -> String {
    format!("{CALLING}{call:0DIGITS$}")
}

/// The call that this customer's number names.
pub fn index_of(number: &str) -> Option<usize> {
    number.strip_prefix(CALLING)?.parse().ok()
}

/// A call out of the centre (E1): whose it is, and how many of that agent's came before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct CallOut {
    pub agent: u32,
    pub nth: u32,
}

impl CallOut {
    /// The number that is dialled: as long as numbers get (E.164).
    pub fn number(self) -> String {
        let Self { agent, nth } = self;
        format!("{CALLED}{agent:0AGENT_DIGITS$}{nth:0COUNT_DIGITS$}")
    }

    /// The call that this number names.
    pub fn of(number: &str) -> Option<Self> {
        let (agent, nth) = number.strip_prefix(CALLED)?.split_at_checked(AGENT_DIGITS)?;
        Some(Self { agent: agent.parse().ok()?, nth: nth.parse().ok()? })
    }
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
    /// Where the customer presses this key after so long (D6).
    SelfService(u8, Duration),
}

impl Turn {
    /// The customer goes on to a second agent.
    pub const fn hands_on(self) -> bool {
        matches!(self, Self::Transfer | Self::Consult)
    }
}

impl Story {
    /// Of the call with that index.
    pub fn of(scenario: &Scenario, call: usize) -> Self {
        let agents = &scenario.agents;
        if u32::try_from(call).is_ok_and(|call| call < scenario.customers.standing) {
            return Self { talk: scenario.length() + BACK, agent_hangs_up: false, turn: Turn::None };
        }
        let mut random = random(scenario, u64::try_from(call).unwrap_or(u64::MAX));
        let talk = agents.talk.sample(&mut random);
        let agent_hangs_up = random.random_bool(agents.hang_up);
        let hold = agents.hold_for.sample(&mut random);
        let which: f64 = random.random();
        let (key, presses_after) = (random.random_range(0..10), scenario.customers.presses_after.sample(&mut random));
        let handed_on = agents.hold + agents.transfer + agents.consult;
        let turn = if which < agents.hold {
            Turn::Hold(hold)
        } else if which < agents.hold + agents.transfer {
            Turn::Transfer
        } else if which < handed_on {
            Turn::Consult
        } else if which < handed_on + agents.self_service {
            Turn::SelfService(key, presses_after)
        } else {
            Turn::None
        };
        let talk = talk.max(Self::least_talk(scenario, turn));
        Self { talk, agent_hangs_up, turn }
    }

    /// Whoever is handed on, or presses a key, needs time for it in the second half of the talk.
    fn least_talk(scenario: &Scenario, turn: Turn) -> Duration {
        match turn {
            Turn::Transfer | Turn::Consult => 2 * (scenario.agents.answers_after.longest() + BEAT + BACK),
            Turn::SelfService(_, after) => 2 * (after + BACK),
            Turn::Hold(_) | Turn::None => Duration::ZERO,
        }
    }

    /// How long any of them talks.
    pub fn longest(scenario: &Scenario) -> Duration {
        let agents = &scenario.agents;
        let least = |share: f64, turn| if share > 0.0 { Self::least_talk(scenario, turn) } else { Duration::ZERO };
        let pressed = least(agents.self_service, Turn::SelfService(0, scenario.customers.presses_after.longest()));
        agents.talk.longest().max(least(agents.transfer + agents.consult, Turn::Transfer)).max(pressed)
    }

    /// How long before the call's end the two may have heard each other last; none: it may end while the customer waits for a second agent.
    pub fn quiet(self) -> Option<Duration> {
        match self.turn {
            Turn::None => Some(QUIET),
            Turn::Hold(away) | Turn::SelfService(_, away) => Some(away + QUIET),
            Turn::Transfer | Turn::Consult => None,
        }
    }
}

/// How a call out goes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StoryOut {
    /// The agent's, before it.
    pub rest: Duration,
    pub meets: Meets,
    pub talk: Duration,
    pub agent_hangs_up: bool,
}

/// What the customer does who is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meets {
    /// Answers, after so long.
    Answer(Duration),
    /// Is busy (486).
    Busy,
    /// Lets it ring until the switch gives up.
    Nobody,
}

impl StoryOut {
    /// As [`Story::quiet`].
    pub const QUIET: Duration = QUIET;

    pub fn of(scenario: &Scenario, call: CallOut) -> Self {
        let (agents, customers) = (&scenario.agents, &scenario.customers);
        // Agents count from 1: no call in has these numbers.
        let mut random = random(scenario, (u64::from(call.agent) << 32) | u64::from(call.nth));
        let rest = agents.calls_after.sample(&mut random);
        let talk = agents.talk.sample(&mut random);
        let agent_hangs_up = random.random_bool(agents.hang_up);
        let answers_after = customers.answers_after.sample(&mut random);
        let which: f64 = random.random();
        let meets = if which < customers.busy {
            Meets::Busy
        } else if which < customers.busy + customers.away {
            Meets::Nobody
        } else {
            Meets::Answer(answers_after)
        };
        Self { rest, meets, talk, agent_hangs_up }
    }
}

/// Neighbouring seeds and calls have nothing in common.
fn random(scenario: &Scenario, call: u64) -> StdRng {
    StdRng::seed_from_u64(scenario.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_calls() {
        assert_eq!(index_of(&number_of(42)), Some(42));
        assert_eq!((index_of("anonymous"), index_of("42"), index_of("")), (None, None, None));
        let out = CallOut { agent: 50_000, nth: 42 };
        assert_eq!((out.number().len(), CallOut::of(&out.number())), (16, Some(out)));
        assert_eq!((index_of(&out.number()), CallOut::of(&number_of(42)), CallOut::of("+4478")), (None, None, None));
    }

    fn scenario(customers: &str, agents: &str) -> Scenario {
        let head = "about = \"\"\nseconds = 10\n[arrivals]\nkind = \"constant\"\nrate = 1";
        let text = format!(
            "{head}\n[customers]\naudio = true\n{customers}\n[agents]\nkind = \"browsers\"\ncount = 4\nsecond = 1\ntalk = 2\n{agents}"
        );
        Scenario::parse(&text).unwrap()
    }

    fn near(found: usize, expected: usize) {
        assert!(found.abs_diff(expected) < 60, "{found} of 1000, expected {expected}");
    }

    /// D6.
    #[test]
    fn who_is_sent_through_self_service_has_the_time_for_it() {
        let scenario = scenario("presses_after = 3", "transfer = 0.2\nself_service = 0.3");
        let stories: Vec<Story> = (0..1000).map(|call| Story::of(&scenario, call)).collect();
        let served: Vec<&Story> = stories.iter().filter(|story| matches!(story.turn, Turn::SelfService(..))).collect();
        near(served.len(), 300);
        near(stories.iter().filter(|story| story.turn == Turn::Transfer).count(), 200);
        assert!(served.iter().all(|story| story.talk / 2 > Duration::from_secs(3)));
        assert!((0..10).all(|key| served.iter().any(|story| matches!(story.turn, Turn::SelfService(pressed, _) if pressed == key))));
    }

    /// D4, D5.
    #[test]
    fn who_is_handed_on_has_the_time_to_get_there() {
        let scenario = scenario("", "answers_after = { uniform = [0.5, 4] }\ntransfer = 0.5\nconsult = 0.5");
        assert!((0..100).all(|call| Story::of(&scenario, call).talk / 2 >= Duration::from_secs(4) + BEAT + BACK));
    }

    #[test]
    fn the_first_calls_may_go_on_to_the_end_with_voices_of_their_own() {
        let text = "about = \"\"\nseconds = 10\n[arrivals]\nkind = \"constant\"\nrate = 1\n[customers]\nstanding = 3\n[agents]\nkind = \"phones\"\ncount = 4\ntalk = 2";
        let scenario = Scenario::parse(text).unwrap();
        assert_eq!(scenario.with_audio(), 3);
        assert!((0..3).all(|call| Story::of(&scenario, call).talk > scenario.length()));
        assert_eq!(Story::of(&scenario, 3).talk, Duration::from_secs(2));
        let with_audio = Scenario::parse(&text.replace("standing", "audio = true\nstanding")).unwrap_err().to_string();
        assert!(with_audio.starts_with("customers.standing is 3; expected 0"), "{with_audio}");
    }

    /// E1, G3.
    #[test]
    fn who_is_called_answers_is_busy_or_is_not_there() {
        let scenario = scenario("busy = 0.2\naway = 0.1\nanswers_after = 2", "callers = 2\ncalls_after = { uniform = [1, 3] }");
        let stories: Vec<StoryOut> = (0..1000).map(|nth| StoryOut::of(&scenario, CallOut { agent: 5, nth })).collect();
        let count = |meets| stories.iter().filter(|story| story.meets == meets).count();
        near(count(Meets::Busy), 200);
        near(count(Meets::Nobody), 100);
        assert_eq!(count(Meets::Answer(Duration::from_secs(2))), 1000 - count(Meets::Busy) - count(Meets::Nobody));
        assert_ne!(stories[0].rest, stories[1].rest);
        assert_eq!(StoryOut::of(&scenario, CallOut { agent: 5, nth: 7 }), stories[7]);
    }
}
