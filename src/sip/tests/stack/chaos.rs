//! Random calls over a random wire: whatever is lost, repeated or late, every leg hears its last event, once.

use crate::pair::{Pair, Who};
use cordboard_core::ids::LegId;
use cordboard_core::leg::{SignalCommand, SignalEvent};
use cordboard_core::setup::Transport;
use cordboard_sip::session::Session;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Call(Who),
    Command(Who, prop::sample::Index, SignalCommand),
    Move(Who, prop::sample::Index),
    Probe(Who, prop::sample::Index),
    /// The connection, or the way of a datagram, breaks for what waits on it now.
    Break(Who),
    /// The leg's actor dies.
    Die(Who, prop::sample::Index),
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![Just(Who::A), Just(Who::B)]
}

fn command() -> impl Strategy<Value = SignalCommand> {
    prop_oneof![
        3 => Just(SignalCommand::Ring),
        1 => Just(SignalCommand::Progress),
        4 => Just(SignalCommand::Answer),
        1 => Just(SignalCommand::Reject { status: 486, q850: Some(17), retry_after: None }),
        2 => Just(SignalCommand::HangUp { q850: None }),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => who().prop_map(Op::Call),
        12 => (who(), any::<prop::sample::Index>(), command()).prop_map(|(w, i, c)| Op::Command(w, i, c)),
        3 => (who(), any::<prop::sample::Index>()).prop_map(|(w, i)| Op::Move(w, i)),
        1 => (who(), any::<prop::sample::Index>()).prop_map(|(w, i)| Op::Probe(w, i)),
        1 => who().prop_map(Op::Break),
        1 => (who(), any::<prop::sample::Index>()).prop_map(|(w, i)| Op::Die(w, i)),
    ]
}

/// A living leg of that side.
fn pick(pair: &mut Pair, who: Who, index: prop::sample::Index) -> Option<LegId> {
    let side = pair.side(who);
    let mut legs: Vec<LegId> = side.sessions.keys().copied().collect();
    legs.sort();
    (!legs.is_empty()).then(|| *index.get(&legs))
}

fn apply(pair: &mut Pair, op: Op) {
    match op {
        Op::Call(who) => {
            pair.call(who);
        }
        Op::Command(who, index, command) => {
            if let Some(leg) = pick(pair, who, index) {
                pair.command(who, leg, command);
            }
        }
        Op::Move(who, index) => {
            if let Some(leg) = pick(pair, who, index) {
                let port = 20_000 + u16::try_from(pair.now % 20_000).unwrap();
                let local = cordboard_sip::sdp::LocalMedia::new(format!("192.0.2.8:{port}").parse().unwrap(), 1);
                pair.with(who, leg, |s, cx| s.reoffer(local, cx));
            }
        }
        Op::Probe(who, index) => {
            if let Some(leg) = pick(pair, who, index) {
                pair.with(who, leg, Session::probe);
            }
        }
        Op::Break(who) => {
            let flow = pair.side(who).flow;
            pair.endpoint(who, |e, _| e.flow_failed(&flow));
        }
        Op::Die(who, index) => {
            if let Some(leg) = pick(pair, who, index) {
                let side = pair.side(who);
                side.sessions.remove(&leg);
                side.legs.retain(|l| *l != leg);
                pair.endpoint(who, |e, cx| e.forget(leg, cx));
            }
        }
    }
}

/// A cheap stream of numbers for the wire.
fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_leg_ends_whatever_the_wire_does(
        seed in 1_u64..,
        loss in 0_u64..45,
        repeat in 0_u64..30,
        slow in 1_u64..1_500,
        tcp in any::<bool>(),
        ops in prop::collection::vec((0_u64..4_000, op()), 1..40),
    ) {
        let mut pair = Pair::over(if tcp { Transport::Tcp } else { Transport::Udp });
        let mut number = numbers(seed);
        if !tcp {
            pair.fate = Box::new(move |_, _, _| {
                let copies = if number() % 100 < repeat { 2 } else { 1 };
                (0..copies).map(|_| (number() % 100, 1 + number() % slow)).filter(|(luck, _)| *luck >= loss).map(|(_, delay)| delay).collect()
            });
        }
        for (wait, op) in ops {
            pair.run(wait);
            apply(&mut pair, op);
        }
        // One side of each call hangs up; the other must learn of it, or of the silence, by itself.
        for leg in pair.a.sessions.keys().copied().collect::<Vec<_>>() {
            pair.command(Who::A, leg, SignalCommand::HangUp { q850: None });
        }
        pair.run(2_000_000);
        for who in [Who::A, Who::B] {
            for leg in pair.side(who).sessions.keys().copied().collect::<Vec<_>>() {
                // Only a call that nobody answered may still wait for its own side's word.
                prop_assert!(!pair.events(who, leg).contains(&SignalEvent::Up), "{:#?}", pair.log);
                pair.command(who, leg, SignalCommand::HangUp { q850: None });
            }
        }
        pair.assert_all_closed();
    }
}
