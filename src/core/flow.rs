//! A self-service flow (D6, H5): what an admin draws, and the machine that takes one customer through it.
//!
//! | state | event | next |
//! |---|---|---|
//! | Playing | the sounds are over (or were not for a long time) | Waiting at a menu or for digits; else the next node |
//! | Playing, at a menu or for digits | a key | as Waiting, the sounds cut off |
//! | Playing, at a prompt | a key | Playing |
//! | Waiting | a key of the menu, the last digit, `#` after enough digits | the next node |
//! | Waiting | a key that the menu has not, `#` too soon, no key for so long | Playing again; after the repetitions, the `otherwise` node |
//! | any | an `end` node, [`MOST_STEPS`] nodes | Over |

mod check;

pub use check::{Mistake, check};

use crate::cx::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A flow goes through so many nodes at most: one that goes in circles comes to its end.
pub const MOST_STEPS: u32 = 200;
/// No sound is longer; when nothing was heard of one for this time, the flow goes on.
pub const LONGEST_SOUND: Millis = 300_000;
/// Keys that are kept to be shown.
const MOST_KEYS: usize = 200;

/// What an admin made: nodes by name, one of which is first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub start: String,
    pub nodes: BTreeMap<String, Node>,
}

/// A step of a flow. `title` is what the agent reads; without one, the node's name. Sounds are played one after another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Node {
    /// Plays, and goes on.
    Prompt {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        sounds: Vec<String>,
        next: String,
    },
    /// Waits for one of its keys.
    Menu {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sounds: Vec<String>,
        /// The node that follows each key.
        keys: BTreeMap<String, String>,
        /// The result that the key becomes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<String>,
        /// Seconds without a key until the sounds are played again.
        #[serde(default = "default::seconds")]
        seconds: u32,
        /// How often they are.
        #[serde(default = "default::repeats")]
        repeats: u32,
        /// The node that follows then.
        otherwise: String,
    },
    /// Collects digits until there are `max`, `#` is pressed, or no key was for `seconds`. `*` begins anew.
    Digits {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sounds: Vec<String>,
        #[serde(default = "default::min")]
        min: u32,
        max: u32,
        /// The result that the digits become.
        result: String,
        #[serde(default = "default::seconds")]
        seconds: u32,
        #[serde(default = "default::repeats")]
        repeats: u32,
        next: String,
        otherwise: String,
    },
    /// Sets a result to a value.
    Result {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        result: String,
        value: String,
        next: String,
    },
    End {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
}

mod default {
    pub fn seconds() -> u32 {
        5
    }

    pub fn repeats() -> u32 {
        1
    }

    pub fn min() -> u32 {
        1
    }
}

impl Node {
    fn title(&self) -> Option<&String> {
        match self {
            Self::Prompt { title, .. }
            | Self::Menu { title, .. }
            | Self::Digits { title, .. }
            | Self::Result { title, .. }
            | Self::End { title } => title.as_ref(),
        }
    }

    /// The nodes that can follow, and how.
    fn ways(&self) -> Vec<(String, &str)> {
        fn way<'a>(how: &str, to: &'a str) -> (String, &'a str) {
            (how.to_owned(), to)
        }
        match self {
            Self::Prompt { next, .. } | Self::Result { next, .. } => vec![way("next", next)],
            Self::Menu { keys, otherwise, .. } => {
                let keys = keys.iter().map(|(key, next)| (format!("key {key}"), next.as_str()));
                keys.chain([way("otherwise", otherwise)]).collect()
            }
            Self::Digits { next, otherwise, .. } => vec![way("next", next), way("otherwise", otherwise)],
            Self::End { .. } => Vec::new(),
        }
    }
}

/// A result of a flow, as a record keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FlowResult {
    pub name: String,
    pub value: String,
}

impl FlowResult {
    /// The last value of a name stands.
    pub fn set(results: &mut Vec<FlowResult>, new: FlowResult) {
        match results.iter_mut().find(|known| known.name == new.name) {
            Some(known) => known.value = new.value,
            None => results.push(new),
        }
    }
}

/// What the machine wants done, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Play these; [`Run::played`] when they are over.
    Play(Vec<String>),
    /// What still plays is cut off.
    Quiet,
    /// A result came about.
    Result(FlowResult),
    /// The flow is over; the last word.
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum State {
    Playing { until: Millis },
    Waiting { until: Millis },
    Over,
}

/// One customer in one flow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Run {
    definition: Definition,
    /// The present node's name.
    at: String,
    state: State,
    /// How often the present node's sounds are played again.
    repeats_left: u32,
    /// Digits of the present node.
    digits: String,
    steps: u32,
    keys: String,
    results: Vec<FlowResult>,
}

impl Run {
    pub fn begin(definition: Definition, now: Millis) -> (Self, Vec<Output>) {
        let start = definition.start.clone();
        let mut run = Self {
            definition,
            at: String::new(),
            state: State::Waiting { until: now },
            repeats_left: 0,
            digits: String::new(),
            steps: 0,
            keys: String::new(),
            results: Vec::new(),
        };
        let mut out = Vec::new();
        run.go_to(start, now, &mut out);
        (run, out)
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// What the agent reads of where the customer is.
    pub fn step(&self) -> &str {
        self.node().and_then(Node::title).unwrap_or(&self.at)
    }

    /// All keys that were pressed, the latest last.
    pub fn keys(&self) -> &str {
        &self.keys
    }

    pub fn results(&self) -> &[FlowResult] {
        &self.results
    }

    /// There is one until the flow is over.
    pub fn next_deadline(&self) -> Option<Millis> {
        match self.state {
            State::Playing { until } | State::Waiting { until } => Some(until),
            State::Over => None,
        }
    }

    /// The agent takes the customer back: nothing more is to come.
    pub fn stop(&mut self) {
        self.state = State::Over;
    }

    pub fn tick(&mut self, now: Millis) -> Vec<Output> {
        match self.state {
            State::Playing { until } if until <= now => self.played(now),
            State::Waiting { until } if until <= now => {
                let mut out = Vec::new();
                self.no_more_keys(now, &mut out);
                out
            }
            State::Playing { .. } | State::Waiting { .. } | State::Over => Vec::new(),
        }
    }

    /// The sounds are over.
    pub fn played(&mut self, now: Millis) -> Vec<Output> {
        let mut out = Vec::new();
        if let State::Playing { .. } = self.state {
            match self.node() {
                Some(Node::Prompt { next, .. }) => self.go_to(next.clone(), now, &mut out),
                Some(Node::Menu { .. } | Node::Digits { .. } | Node::Result { .. } | Node::End { .. }) | None => self.wait(now),
            }
        }
        out
    }

    /// The customer pressed a key: `0`–`9`, `*`, `#`, `A`–`D`.
    pub fn key(&mut self, key: char, now: Millis) -> Vec<Output> {
        let mut out = Vec::new();
        if self.is_over() {
            return out;
        }
        if self.keys.len() < MOST_KEYS {
            self.keys.push(key);
        }
        let plays = matches!(self.state, State::Playing { .. });
        match self.node() {
            Some(Node::Menu { keys, result, .. }) => {
                let (next, result) = (keys.get(&key.to_string()).cloned(), result.clone());
                quiet(plays, &mut out);
                match next {
                    Some(next) => {
                        self.give(result, key.to_string(), &mut out);
                        self.go_to(next, now, &mut out);
                    }
                    None => self.missed(now, &mut out),
                }
            }
            Some(Node::Digits { max, .. }) => {
                let max = *max;
                quiet(plays, &mut out);
                match key {
                    '*' => self.digits.clear(),
                    '0'..='9' => self.digits.push(key),
                    _ => {}
                }
                self.wait(now);
                if key == '#' || u32::try_from(self.digits.len()).is_ok_and(|count| count >= max) {
                    self.no_more_keys(now, &mut out);
                }
            }
            Some(Node::Prompt { .. } | Node::Result { .. } | Node::End { .. }) | None => {}
        }
        out
    }

    fn node(&self) -> Option<&Node> {
        self.definition.nodes.get(&self.at)
    }

    /// Waits for a key from now on.
    fn wait(&mut self, now: Millis) {
        let seconds = match self.node() {
            Some(Node::Menu { seconds, .. } | Node::Digits { seconds, .. }) => *seconds,
            Some(Node::Prompt { .. } | Node::Result { .. } | Node::End { .. }) | None => 0,
        };
        self.state = State::Waiting { until: now.saturating_add(u64::from(seconds) * 1_000) };
    }

    /// No key came in time, or the digits are to be taken as they are.
    fn no_more_keys(&mut self, now: Millis, out: &mut Vec<Output>) {
        if let Some(Node::Digits { min, result, next, .. }) = self.node()
            && u32::try_from(self.digits.len()).is_ok_and(|count| count >= *min)
        {
            let (result, next, digits) = (result.clone(), next.clone(), self.digits.clone());
            self.give(Some(result), digits, out);
            self.go_to(next, now, out);
        } else {
            self.missed(now, out);
        }
    }

    /// What was asked for did not come: once more, or the other way.
    fn missed(&mut self, now: Millis, out: &mut Vec<Output>) {
        let (sounds, otherwise) = match self.node() {
            Some(Node::Menu { sounds, otherwise, .. } | Node::Digits { sounds, otherwise, .. }) => (sounds.clone(), otherwise.clone()),
            Some(Node::Prompt { .. } | Node::Result { .. } | Node::End { .. }) | None => return self.over(out),
        };
        self.digits.clear();
        match self.repeats_left.checked_sub(1) {
            Some(left) => {
                self.repeats_left = left;
                self.play(sounds, now, out);
            }
            None => self.go_to(otherwise, now, out),
        }
    }

    fn play(&mut self, sounds: Vec<String>, now: Millis, out: &mut Vec<Output>) {
        if sounds.is_empty() {
            self.wait(now);
        } else {
            self.state = State::Playing { until: now.saturating_add(LONGEST_SOUND) };
            out.push(Output::Play(sounds));
        }
    }

    fn give(&mut self, name: Option<String>, value: String, out: &mut Vec<Output>) {
        if let Some(name) = name {
            let result = FlowResult { name, value };
            FlowResult::set(&mut self.results, result.clone());
            out.push(Output::Result(result));
        }
    }

    /// Goes on to a node, and through those that neither play nor wait.
    fn go_to(&mut self, mut next: String, now: Millis, out: &mut Vec<Output>) {
        loop {
            if self.steps >= MOST_STEPS {
                return self.over(out);
            }
            self.steps += 1;
            self.at = next;
            self.digits.clear();
            match self.node().cloned() {
                Some(Node::Prompt { sounds, .. }) => {
                    self.play(sounds, now, out);
                    return;
                }
                Some(Node::Menu { sounds, repeats, .. } | Node::Digits { sounds, repeats, .. }) => {
                    self.repeats_left = repeats;
                    self.play(sounds, now, out);
                    return;
                }
                Some(Node::Result { result, value, next: then, .. }) => {
                    self.give(Some(result), value, out);
                    next = then;
                }
                Some(Node::End { .. }) | None => return self.over(out),
            }
        }
    }

    fn over(&mut self, out: &mut Vec<Output>) {
        self.state = State::Over;
        out.push(Output::Over);
    }
}

fn quiet(plays: bool, out: &mut Vec<Output>) {
    if plays {
        out.push(Output::Quiet);
    }
}
