//! D6, H5: flows by themselves: what they do, what is wrong with them, and that none holds a customer for ever.

use crate::floor::random::Random;
use cordboard_core::cx::Millis;
use cordboard_core::flow::{Definition, FlowResult, LONGEST_SOUND, MOST_STEPS, Mistake, Node, Output, Run, check};
use std::collections::BTreeMap;

fn prompt(sound: &str, next: &str) -> Node {
    Node::Prompt { title: None, sounds: vec![sound.into()], next: next.into() }
}

fn menu(keys: &[(&str, &str)], otherwise: &str) -> Node {
    Node::Menu {
        title: Some("Rating".into()),
        sounds: vec!["rate".into()],
        keys: keys.iter().map(|(key, next)| ((*key).into(), (*next).into())).collect(),
        result: Some("rating".into()),
        seconds: 5,
        repeats: 1,
        otherwise: otherwise.into(),
    }
}

fn digits(next: &str, otherwise: &str) -> Node {
    Node::Digits {
        title: None,
        sounds: vec!["order".into()],
        min: 2,
        max: 4,
        result: "order".into(),
        seconds: 5,
        repeats: 1,
        next: next.into(),
        otherwise: otherwise.into(),
    }
}

fn result(value: &str, next: &str) -> Node {
    Node::Result { title: None, result: "mood".into(), value: value.into(), next: next.into() }
}

fn end() -> Node {
    Node::End { title: None }
}

fn flow(start: &str, nodes: Vec<(&str, Node)>) -> Definition {
    Definition { start: start.into(), nodes: nodes.into_iter().map(|(name, node)| (name.into(), node)).collect() }
}

/// A welcome, a rating, an order number.
pub fn survey() -> Definition {
    flow(
        "hello",
        vec![
            ("hello", prompt("hello", "rate")),
            ("rate", menu(&[("1", "bad"), ("5", "good"), ("2", "order")], "order")),
            ("bad", result("bad", "order")),
            ("good", result("good", "order")),
            ("order", digits("thanks", "end")),
            ("thanks", prompt("thanks", "end")),
            ("end", end()),
        ],
    )
}

fn plays(sound: &str) -> Output {
    Output::Play(vec![sound.into()])
}

fn gives(name: &str, value: &str) -> Output {
    Output::Result(FlowResult { name: name.into(), value: value.into() })
}

/// Takes a run to its first question: what the customer hears of it is over.
fn at_the_rating() -> Run {
    let (mut run, first) = Run::begin(survey(), 0);
    assert_eq!(first, [plays("hello")]);
    assert_eq!(run.played(1_000), [plays("rate")]);
    run
}

// D6
#[test]
fn keys_lead_through_the_flow_and_become_results() {
    let mut run = at_the_rating();
    assert_eq!(run.step(), "Rating");
    assert_eq!(run.played(2_000), []);
    assert_eq!(run.key('5', 3_000), [gives("rating", "5"), gives("mood", "good"), plays("order")]);
    assert_eq!(run.step(), "order");
    // A key cuts the question off.
    assert_eq!(run.key('4', 3_100), [Output::Quiet]);
    assert_eq!(run.key('2', 3_200), []);
    assert_eq!(run.key('#', 3_300), [gives("order", "42"), plays("thanks")]);
    assert_eq!(run.key('9', 3_400), [], "nothing is asked");
    assert_eq!(run.played(4_000), [Output::Over]);
    assert!(run.is_over());
    assert_eq!((run.keys(), run.results().len(), run.next_deadline()), ("542#9", 3, None));
}

// D6
#[test]
fn digits_end_by_their_number_by_hash_and_by_silence_and_star_begins_anew() {
    for (keys, wait, value) in [("1234", 0, "1234"), ("12#", 0, "12"), ("123", 5_000, "123"), ("99*12#", 0, "12"), ("1A2#", 0, "12")] {
        let mut run = at_the_rating();
        run.key('2', 2_000);
        let mut out: Vec<Output> = keys.chars().flat_map(|key| run.key(key, 3_000)).collect();
        assert_eq!(run.tick(3_000), []);
        out.extend(run.tick(3_000 + wait));
        assert_eq!(out, [Output::Quiet, gives("order", value), plays("thanks")], "{keys}");
    }
}

// D6
#[test]
fn who_presses_nothing_or_a_wrong_key_is_asked_again_and_then_goes_the_other_way() {
    let mut run = at_the_rating();
    run.played(2_000);
    assert_eq!(run.next_deadline(), Some(7_000));
    assert_eq!(run.tick(6_999), []);
    assert_eq!(run.tick(7_000), [plays("rate")]);
    assert_eq!(run.key('7', 7_500), [Output::Quiet, plays("order")], "no more repetitions");
    // Too few digits.
    run.played(8_000);
    assert_eq!(run.key('1', 8_100), []);
    assert_eq!(run.key('#', 8_200), [plays("order")]);
    assert_eq!(run.played(9_000), []);
    assert_eq!(run.key('2', 9_100), [], "those before count no more");
    assert_eq!(run.tick(14_100), [Output::Over]);
    assert_eq!(run.results(), []);
}

// D6
#[test]
fn a_sound_of_which_nothing_is_heard_does_not_hold_the_customer() {
    let (mut run, _) = Run::begin(survey(), 0);
    assert_eq!(run.tick(LONGEST_SOUND - 1), []);
    assert_eq!(run.tick(LONGEST_SOUND), [plays("rate")]);
}

fn mistakes(flow: &Definition) -> Vec<String> {
    check(flow).iter().map(Mistake::to_string).collect()
}

// H5
#[test]
fn a_flow_that_cannot_be_run_is_told_by_its_nodes() {
    assert_eq!(mistakes(&survey()), Vec::<String>::new());
    let says = |nodes, expected: &[&str]| assert_eq!(mistakes(&flow("a", nodes)), expected);
    says(vec![], &["it starts at \"a\", and there is no such node"]);
    says(vec![("a", menu(&[("1", "x")], "b")), ("b", end())], &["node \"a\": key 1 leads to \"x\", and there is no such node"]);
    says(vec![("a", end()), ("b", end())], &["node \"b\": nothing leads here"]);
    says(vec![("a", menu(&[], "b")), ("b", end())], &["node \"a\": a menu needs a key"]);
    says(vec![("a", menu(&[("12", "b")], "b")), ("b", end())], &["node \"a\": \"12\" is no key of a telephone: expected 0 to 9, * or #"]);
    let idle = "a loop in which nothing is played and no key is waited for";
    let there = |node| format!("node {node:?}: {idle}");
    says(vec![("a", result("x", "b")), ("b", result("y", "a"))], &[&there("a"), &there("b")]);
    says(vec![("a", prompt("s", "a"))], &["node \"a\": no way leads from here to an end"]);
    let mut many = survey();
    if let Some(Node::Digits { min, max, seconds, repeats, .. }) = many.nodes.get_mut("order") {
        (*min, *max, *seconds, *repeats) = (3, 2, 0, 10);
    }
    many.nodes.insert("hello".into(), Node::Prompt { title: Some(String::new()), sounds: vec![], next: "rate".into() });
    assert_eq!(
        mistakes(&many),
        [
            "node \"hello\": a prompt needs a sound",
            "node \"hello\": title: expected a text of at most 100 characters",
            "node \"order\": expected at most 9 repeats, not 10",
            "node \"order\": expected from 1 to 60 seconds to wait for a key, not 0",
            "node \"order\": expected min from 1, and max from min to 32 digits, not min 3 and max 2",
        ]
    );
}

/// Any flow, valid or not.
fn any_flow(random: &mut Random) -> Definition {
    let count = 1 + random.below(6);
    let next = |random: &mut Random| format!("n{}", random.below(count));
    let mut nodes = BTreeMap::new();
    for index in 0..count {
        let sounds = vec!["s".to_owned(); random.below(3)];
        let (seconds, repeats) = (1 + random.below(9) as u32, random.below(3) as u32);
        let keys = ["1", "2", "#"][..random.below(4)].iter().map(|key| ((*key).to_owned(), next(random))).collect();
        let (then, otherwise) = (next(random), next(random));
        let node = match random.below(6) {
            0 => Node::Prompt { title: None, sounds, next: then },
            1 => Node::Menu { title: None, sounds, keys, result: Some("key".into()), seconds, repeats, otherwise },
            2 => Node::Digits { title: None, sounds, min: 1, max: 3, result: "digits".into(), seconds, repeats, next: then, otherwise },
            3 => Node::Result { title: None, result: "r".into(), value: "v".into(), next: then },
            _ => end(),
        };
        nodes.insert(format!("n{index}"), node);
    }
    Definition { start: "n0".into(), nodes }
}

/// Takes a customer through it, who presses, waits and hears at random; fails where it does not come to an end.
fn walk(flow: Definition, random: &mut Random) {
    let mut now: Millis = 0;
    let (mut run, mut out) = Run::begin(flow, now);
    let mut plays = false;
    // Each node: its keys, its repetitions with a sound and a time each.
    for _ in 0..MOST_STEPS * 60 {
        for output in out.drain(..) {
            match output {
                Output::Play(_) => {
                    assert!(!plays, "a sound cuts off what still plays");
                    plays = true;
                }
                Output::Quiet => plays = false,
                Output::Over => assert!(run.is_over()),
                Output::Result(_) => {}
            }
        }
        let Some(due) = run.next_deadline() else {
            assert!(run.is_over(), "neither over nor with a deadline");
            return;
        };
        out = match random.below(4) {
            0 => run.key(random.pick(&['1', '2', '9', '#', '*', 'D']).expect("a key"), now),
            1 if plays => {
                plays = false;
                run.played(now)
            }
            1 => run.played(now),
            2 => {
                now += random.below(3_000) as u64;
                run.tick(now)
            }
            _ => {
                now = now.max(due);
                plays = false;
                run.tick(now)
            }
        };
        // What was played to its end, by whichever word.
        plays &= run.next_deadline().is_some_and(|due| due > now);
    }
    panic!("it does not come to an end: {run:?}");
}

// D6
#[test]
fn every_flow_comes_to_an_end_whatever_the_customer_does() {
    let mut valid = 0;
    for seed in 0..20_000 {
        let mut random = Random::new(seed);
        let flow = any_flow(&mut random);
        valid += usize::from(check(&flow).is_empty());
        walk(flow, &mut random);
    }
    assert!(valid > 1_000, "only {valid} of them were valid");
}
