//! Whether a flow can be run, in the admin's words (H5).

use super::{Definition, Node};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

const MOST_NODES: usize = 200;
/// Of names, titles and values, in characters.
const LONGEST_TEXT: usize = 100;
const MOST_SOUNDS: usize = 20;
const SECONDS: std::ops::RangeInclusive<u32> = 1..=60;
const MOST_REPEATS: u32 = 9;
const MOST_DIGITS: u32 = 32;

/// One thing that is wrong with a flow.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mistake {
    /// None: it is about the flow as a whole.
    pub node: Option<String>,
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Some(node) => write!(f, "node {node:?}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// All mistakes, in order of nodes; none: it can be run.
pub fn check(flow: &Definition) -> Vec<Mistake> {
    let mut found = Found { flow, mistakes: Vec::new() };
    if flow.nodes.len() > MOST_NODES {
        found.whole(format!("a flow has at most {MOST_NODES} nodes, this one has {}", flow.nodes.len()));
    }
    if !flow.nodes.contains_key(&flow.start) {
        found.whole(format!("it starts at {:?}, and there is no such node", flow.start));
    }
    for (name, node) in &flow.nodes {
        found.node(name, node);
        for (how, next) in node.ways() {
            if !flow.nodes.contains_key(next) {
                found.at(name, format!("{how} leads to {next:?}, and there is no such node"));
            }
        }
    }
    // Where it leads nowhere, the rest would only repeat it.
    if found.mistakes.is_empty() {
        found.ways();
    }
    found.mistakes.sort();
    found.mistakes
}

struct Found<'a> {
    flow: &'a Definition,
    mistakes: Vec<Mistake>,
}

impl Found<'_> {
    fn whole(&mut self, message: String) {
        self.mistakes.push(Mistake { node: None, message });
    }

    fn at(&mut self, node: &str, message: impl Into<String>) {
        self.mistakes.push(Mistake { node: Some(node.to_owned()), message: message.into() });
    }

    fn node(&mut self, name: &str, node: &Node) {
        self.text(name, "the name of a node", name);
        if let Some(title) = node.title() {
            self.text(name, "title", title);
        }
        match node {
            Node::Prompt { sounds, .. } => {
                if sounds.is_empty() {
                    self.at(name, "a prompt needs a sound");
                }
                self.sounds(name, sounds);
            }
            Node::Menu { sounds, keys, result, seconds, repeats, .. } => {
                self.sounds(name, sounds);
                self.patience(name, *seconds, *repeats);
                if keys.is_empty() {
                    self.at(name, "a menu needs a key");
                }
                for key in keys.keys().filter(|key| !is_key(key)) {
                    self.at(name, format!("{key:?} is no key of a telephone: expected 0 to 9, * or #"));
                }
                if let Some(result) = result {
                    self.text(name, "result", result);
                }
            }
            Node::Digits { sounds, min, max, result, seconds, repeats, .. } => {
                self.sounds(name, sounds);
                self.patience(name, *seconds, *repeats);
                self.text(name, "result", result);
                if *min == 0 || max < min || *max > MOST_DIGITS {
                    self.at(name, format!("expected min from 1, and max from min to {MOST_DIGITS} digits, not min {min} and max {max}"));
                }
            }
            Node::Result { result, value, .. } => {
                self.text(name, "result", result);
                self.text(name, "value", value);
            }
            Node::End { .. } => {}
        }
    }

    fn text(&mut self, node: &str, what: &str, text: &str) {
        if text.trim().is_empty() || text.contains(char::is_control) || text.chars().count() > LONGEST_TEXT {
            self.at(node, format!("{what}: expected a text of at most {LONGEST_TEXT} characters"));
        }
    }

    fn sounds(&mut self, node: &str, sounds: &[String]) {
        if sounds.len() > MOST_SOUNDS {
            self.at(node, format!("at most {MOST_SOUNDS} sounds are played one after another"));
        }
        for sound in sounds {
            self.text(node, "the name of a sound", sound);
        }
    }

    fn patience(&mut self, node: &str, seconds: u32, repeats: u32) {
        if !SECONDS.contains(&seconds) {
            self.at(node, format!("expected from {} to {} seconds to wait for a key, not {seconds}", SECONDS.start(), SECONDS.end()));
        }
        if repeats > MOST_REPEATS {
            self.at(node, format!("expected at most {MOST_REPEATS} repeats, not {repeats}"));
        }
    }

    /// Every node can be reached, and from every one the flow can end.
    fn ways(&mut self) {
        let flow = self.flow;
        let reached = spread([flow.start.as_str()].into(), |name| {
            flow.nodes.get(name).into_iter().flat_map(Node::ways).map(|(_, next)| next).collect()
        });
        let mut before: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, node) in &flow.nodes {
            for (_, next) in node.ways() {
                before.entry(next).or_default().push(name);
            }
        }
        let ends = flow.nodes.iter().filter(|(_, node)| matches!(node, Node::End { .. })).map(|(name, _)| name.as_str());
        let ending = spread(ends.collect(), |name| before.get(name).cloned().unwrap_or_default());
        for name in flow.nodes.keys().map(String::as_str) {
            if !reached.contains(name) {
                self.at(name, "nothing leads here");
            } else if self.is_in_idle_loop(name) {
                self.at(name, "a loop in which nothing is played and no key is waited for");
            } else if !ending.contains(name) {
                self.at(name, "no way leads from here to an end");
            }
        }
    }

    /// Comes back to itself through results alone.
    fn is_in_idle_loop(&self, name: &str) -> bool {
        let mut at = name;
        for _ in 0..self.flow.nodes.len() {
            let Some(Node::Result { next, .. }) = self.flow.nodes.get(at) else { return false };
            if next == name {
                return true;
            }
            at = next;
        }
        false
    }
}

fn is_key(key: &str) -> bool {
    let mut chars = key.chars();
    matches!((chars.next(), chars.next()), (Some('0'..='9' | '*' | '#' | 'A'..='D'), None))
}

/// Everything that is reached from these by steps.
fn spread<'a>(from: BTreeSet<&'a str>, steps: impl Fn(&str) -> Vec<&'a str>) -> BTreeSet<&'a str> {
    let mut reached = from.clone();
    let mut todo: Vec<&str> = from.into_iter().collect();
    while let Some(name) = todo.pop() {
        todo.extend(steps(name).into_iter().filter(|next| reached.insert(next)));
    }
    reached
}
