//! What an agent does in a call beside talking, and when: told by the last digits of the customer's number, which the page sees.
//!
//! | last two digits mod 20 | what |
//! |---|---|
//! | 3, 13 | hold after a second, resume after another (D2) |
//! | 6 | blind transfer after a second (D4) |
//! | 9 | consultation after a second; handed over a second after its answer (D5) |

use crate::scenario::Scenario;
use crate::story::{BEAT, CallOut, Story, StoryOut, Turn, index_of};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How an agent's calls go.
#[derive(Clone, Debug)]
pub enum Plot {
    /// By the last digits; else the agent talks so long before hanging up, or until the customer hangs up.
    Digits { talk: Option<Duration> },
    /// As the scenario has it for the call that the customer's number names.
    Scenario(Arc<Scenario>),
}

impl Plot {
    /// How long the next call rings before it is answered.
    pub fn answers_after(&self) -> Duration {
        match self {
            Self::Digits { .. } => Duration::ZERO,
            Self::Scenario(scenario) => scenario.agents.answers_after.sample(&mut rand::rng()),
        }
    }

    /// What to do in a call from this number, and how long after its beginning, in order of time. `turns`: there may be more than talking.
    /// `hangs_up`: the agent has no telephone that is hung up elsewhere.
    pub fn plan(&self, caller: &str, turns: bool, hangs_up: bool) -> Vec<(Duration, Move)> {
        match self {
            Self::Digits { talk } => match Move::first(caller).filter(|_| turns) {
                Some(Move::Hold) => vec![(BEAT, Move::Hold), (2 * BEAT, Move::Resume)],
                Some(first) => vec![(BEAT, first)],
                None => talk.map(|talk| (talk, Move::HangUp)).into_iter().collect(),
            },
            Self::Scenario(scenario) => {
                if let Some(call) = CallOut::of(caller) {
                    let StoryOut { talk, agent_hangs_up, .. } = StoryOut::of(scenario, call);
                    return agent_hangs_up.then_some((talk, Move::HangUp)).into_iter().collect();
                }
                let Some(call) = index_of(caller) else { return Vec::new() };
                let Story { talk, agent_hangs_up, turn } = Story::of(scenario, call);
                let mut plan = match turn {
                    Turn::Hold(time) => vec![(talk / 2, Move::Hold), (talk / 2 + time, Move::Resume)],
                    Turn::Transfer if turns => vec![(talk / 2, Move::Transfer)],
                    Turn::Consult if turns => vec![(talk / 2, Move::Consult)],
                    Turn::SelfService(..) => vec![(talk / 2, Move::SelfService)],
                    Turn::None | Turn::Transfer | Turn::Consult => Vec::new(),
                };
                if agent_hangs_up && hangs_up {
                    plan.push((talk, Move::HangUp));
                    plan.sort_by_key(|(after, _)| *after);
                }
                plan
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    Hold,
    Resume,
    Transfer,
    Consult,
    Complete,
    SelfService,
    HangUp,
}

impl Move {
    /// The first thing to do in a call from this number, as the page has it; none: only talk.
    pub fn first(caller: &str) -> Option<Self> {
        let digits: Vec<u32> = caller.chars().filter_map(|c| c.to_digit(10)).collect();
        let &[.., tens, ones] = digits.as_slice() else { return None };
        match (tens * 10 + ones) % 20 {
            3 | 13 => Some(Self::Hold),
            6 => Some(Self::Transfer),
            9 => Some(Self::Consult),
            _ => None,
        }
    }

    /// What is asked of the switch, where transfers and consultations go to that group, and self-service is that flow.
    pub fn ask(self, call: &str, group: Option<i32>, flow: Option<i32>) -> Value {
        let group = json!({ "type": "group", "id": group });
        match self {
            Self::Hold => json!({ "type": "hold", "call": call }),
            Self::Resume => json!({ "type": "resume", "call": call }),
            Self::Transfer => json!({ "type": "transfer", "call": call, "to": group }),
            Self::Consult => json!({ "type": "consult", "call": call, "with": group }),
            Self::Complete => json!({ "type": "completeConsult", "call": call }),
            Self::SelfService => json!({ "type": "startFlow", "call": call, "flow": flow }),
            Self::HangUp => json!({ "type": "hangUp", "call": call }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::number_of;

    #[test]
    fn the_last_digits_say_what_to_do() {
        let first = |caller| Move::first(caller);
        assert_eq!(first("+44 7700 •••• 53"), Some(Move::Hold));
        assert_eq!(first("+44 7700 •••• 86"), Some(Move::Transfer));
        assert_eq!(first("+44 7700 •••• 09"), Some(Move::Consult));
        assert_eq!((first("+44 7700 •••• 16"), first("anonymous")), (None, None));
        let plot = Plot::Digits { talk: Some(3 * BEAT) };
        assert_eq!(plot.plan("+44 7700 •••• 53", true, true), [(BEAT, Move::Hold), (2 * BEAT, Move::Resume)]);
        assert_eq!(plot.plan("+44 7700 •••• 53", false, true), [(3 * BEAT, Move::HangUp)]);
    }

    /// D6, E1.
    #[test]
    fn a_scenario_sends_customers_through_self_service_and_only_hangs_up_on_those_it_calls() {
        let text = "about = \"\"\nseconds = 10\n[arrivals]\nkind = \"constant\"\nrate = 1\n[customers]\naudio = true\n[agents]\n\
            kind = \"browsers\"\ncount = 1\ntalk = 8\nhang_up = 1\nself_service = 1\ncallers = 1";
        let plot = Plot::Scenario(Arc::new(Scenario::parse(text).unwrap()));
        assert_eq!(plot.plan(&number_of(3), false, true), [(4 * BEAT, Move::SelfService), (8 * BEAT, Move::HangUp)]);
        assert_eq!(plot.plan(&CallOut { agent: 2, nth: 3 }.number(), false, true), [(8 * BEAT, Move::HangUp)]);
        assert_eq!(Move::SelfService.ask("a", None, Some(7)), json!({ "type": "startFlow", "call": "a", "flow": 7 }));
    }
}
