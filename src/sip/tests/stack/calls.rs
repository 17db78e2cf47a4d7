//! Calls that come about and end, and the ways in which they do not.

use crate::pair::{Pair, Who};
use cordboard_core::leg::{SignalCommand, SignalEvent};
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::Sources;
use cordboard_sip::message::Field;
use cordboard_sip::sdp::Law;

const HANG_UP: SignalCommand = SignalCommand::HangUp { q850: Some(16) };

#[test]
fn a_call_rings_is_answered_and_ended_by_the_caller() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut pair = Pair::over(transport);
        let (a, b) = pair.connected();
        assert_eq!(pair.events(Who::A, a), vec![SignalEvent::Ringing { early_media: false }, SignalEvent::Up]);
        let (seen_by_a, seen_by_b) = (pair.a.media[&a][0], pair.b.media[&b][0]);
        assert_eq!((seen_by_a.addr.port(), seen_by_b.addr.port(), seen_by_a.law), (10_002, 10_002, Law::A));
        assert_eq!(pair.b.invites[0].called(), "+4930123");
        assert_eq!(pair.b.invites[0].caller().unwrap().uri.user().as_deref(), Some("+4420999"));
        pair.command(Who::A, a, HANG_UP);
        pair.run(100);
        assert_eq!(pair.last_request("A>B BYE").headers.q850(), Some(16));
        assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up, SignalEvent::HungUp, SignalEvent::Closed]);
        pair.assert_all_closed();
        assert_eq!(pair.log.iter().filter(|l| l.contains("BYE")).count(), 2);
    }
}

/// D8.
#[test]
fn a_call_is_ended_by_the_called_side() {
    let mut pair = Pair::new();
    let (a, b) = pair.connected();
    pair.command(Who::B, b, HANG_UP);
    pair.assert_all_closed();
    assert!(pair.events(Who::A, a).ends_with(&[SignalEvent::HungUp, SignalEvent::Closed]));
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up, SignalEvent::Closed]);
}

/// C1: a registration that ran out in mid-call, or a trunk's changed hosts.
#[test]
fn a_call_goes_on_and_ends_though_the_far_side_is_listed_no_more() {
    for (forgets, ends) in [(Who::A, Who::A), (Who::A, Who::B), (Who::B, Who::A), (Who::B, Who::B)] {
        let mut pair = Pair::new();
        let (a, b) = pair.ringing();
        pair.side(forgets).endpoint.set_sources(Sources::default());
        pair.command(Who::B, b, SignalCommand::Answer);
        pair.run(50);
        let (ender, other) = if ends == Who::A { (a, b) } else { (b, a) };
        pair.command(ends, ender, HANG_UP);
        pair.run(50);
        assert!(pair.events(ends, ender).ends_with(&[SignalEvent::Up, SignalEvent::Closed]), "{:?}", pair.log);
        assert!(pair.events(ends.other(), other).ends_with(&[SignalEvent::Up, SignalEvent::HungUp, SignalEvent::Closed]));
        pair.assert_all_closed();
        assert_eq!(pair.log.iter().filter(|l| l.contains("BYE")).count(), 2);
    }
}

/// C9; also from a host that is listed no more (C1).
#[test]
fn a_caller_who_gives_up_while_it_rings_cancels() {
    for listed in [true, false] {
        let mut pair = Pair::new();
        let (a, b) = pair.ringing();
        if !listed {
            pair.side(Who::B).endpoint.set_sources(Sources::default());
        }
        pair.command(Who::A, a, HANG_UP);
        pair.assert_all_closed();
        assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Cancelled, SignalEvent::Closed]);
        assert_eq!(pair.events(Who::A, a), vec![SignalEvent::Ringing { early_media: false }, SignalEvent::Closed]);
        assert_eq!((pair.count("B>A 200 CANCEL"), pair.count("B>A 487 INVITE"), pair.count("A>B ACK")), (1, 1, 1));
    }
}

/// E5.
#[test]
fn a_refusal_tells_its_status_its_cause_and_when_to_come_again() {
    let mut pair = Pair::new();
    let a = pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Reject { status: 486, q850: Some(17), retry_after: Some(5) });
    pair.assert_all_closed();
    let events = pair.events(Who::A, a);
    let [SignalEvent::Failed(failure), SignalEvent::Closed] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((failure.status, failure.q850, failure.text.as_str()), (486, Some(17), "Busy Here"));
    assert_eq!(pair.last_response("B>A 486 INVITE").headers.get(Field::RetryAfter), Some("5"));
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Closed]);
}

#[test]
fn lost_messages_of_the_set_up_are_sent_again() {
    for lost in ["INVITE", "200 INVITE", "ACK", "BYE", "200 BYE", "180 INVITE", "PRACK", "200 PRACK", "100 INVITE"] {
        let mut pair = Pair::new();
        let mut times = 0;
        pair.lose(move |title, _| {
            times += usize::from(title == lost);
            title == lost && times <= 2
        });
        let a = pair.call(Who::A);
        pair.run(4_000);
        let b = pair.b.legs[0];
        pair.command(Who::B, b, SignalCommand::Ring);
        pair.run(4_000);
        pair.command(Who::B, b, SignalCommand::Answer);
        pair.run(4_000);
        assert_eq!((pair.b.legs.len(), pair.events(Who::B, b)), (1, vec![SignalEvent::Up]), "{lost}: {:#?}", pair.log);
        assert_eq!(pair.events(Who::A, a).iter().filter(|e| **e == SignalEvent::Up).count(), 1);
        pair.command(Who::A, a, HANG_UP);
        pair.assert_all_closed();
        assert!(pair.events(Who::B, b).contains(&SignalEvent::HungUp), "{lost}");
    }
}

#[test]
fn an_answer_that_is_never_acknowledged_ends_in_a_bye_after_64_t1() {
    let mut pair = Pair::new();
    pair.lose(|title, _| title == "ACK");
    let a = pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Answer);
    let answered = pair.now;
    pair.run_to(answered + 31_999);
    assert_eq!((pair.events(Who::B, b), pair.count("B>A BYE")), (vec![], 0));
    assert!(pair.count("B>A 200 INVITE") > 8);
    pair.run(100);
    assert_eq!(pair.count("B>A BYE"), 1);
    pair.assert_all_closed();
    let events = pair.events(Who::B, b);
    assert!(matches!(events.as_slice(), [SignalEvent::Failed(f), SignalEvent::Closed] if f.status == 408), "{events:?}");
    assert_eq!(pair.events(Who::A, a), vec![SignalEvent::Up, SignalEvent::HungUp, SignalEvent::Closed]);
}

#[test]
fn a_network_that_does_not_answer_fails_the_call_as_408() {
    let mut pair = Pair::new();
    pair.lose(|_, _| true);
    let a = pair.call(Who::A);
    pair.assert_all_closed();
    let events = pair.events(Who::A, a);
    assert!(matches!(events.as_slice(), [SignalEvent::Failed(f), SignalEvent::Closed] if f.status == 408), "{events:?}");
    assert_eq!(pair.count("A>B INVITE"), 7);
}

/// C9.
#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut pair = Pair::new();
    let a = pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Answer);
    pair.command(Who::A, a, HANG_UP);
    pair.assert_all_closed();
    assert_eq!((pair.count("A>B CANCEL"), pair.count("A>B ACK"), pair.count("A>B BYE")), (1, 1, 1));
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up, SignalEvent::HungUp, SignalEvent::Closed]);
    assert_eq!(pair.events(Who::A, a), vec![SignalEvent::Closed]);
}

#[test]
fn a_cancel_waits_for_the_first_provisional() {
    let mut pair = Pair::new();
    let a = pair.call(Who::A);
    pair.command(Who::A, a, HANG_UP);
    assert_eq!(pair.count("A>B CANCEL"), 0);
    pair.assert_all_closed();
    assert_eq!((pair.count("A>B CANCEL"), pair.count("B>A 487 INVITE")), (1, 1));
    assert_eq!(pair.last_request("A>B CANCEL").headers.q850(), Some(16));
}

#[test]
fn a_cancel_without_any_final_response_ends_after_64_t1() {
    let mut pair = Pair::new();
    let a = pair.call(Who::A);
    pair.run(50);
    pair.lose(|_, _| true);
    pair.command(Who::A, a, HANG_UP);
    pair.run(40_000);
    assert_eq!(pair.events(Who::A, a), vec![SignalEvent::Closed]);
}

#[test]
fn a_hang_up_right_after_the_answer_waits_for_the_acknowledgement() {
    let mut pair = Pair::new();
    pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Answer);
    pair.command(Who::B, b, HANG_UP);
    assert_eq!(pair.count("B>A BYE"), 0);
    pair.assert_all_closed();
    assert_eq!(pair.count("B>A BYE"), 1);
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Closed]);
}

#[test]
fn provisionals_are_reliable_and_the_answer_waits_for_the_early_medias_prack() {
    let mut pair = Pair::new();
    pair.lose(|title, _| title == "PRACK");
    let a = pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Progress);
    pair.command(Who::B, b, SignalCommand::Answer);
    pair.run(3_000);
    assert!(pair.count("B>A 183 INVITE") > 1 && pair.count("B>A 200 INVITE") == 0, "{:#?}", pair.log);
    assert_eq!(pair.events(Who::A, a), vec![SignalEvent::Ringing { early_media: true }]);
    assert_eq!(pair.a.media[&a].len(), 1);
    pair.lose(|_, _| false);
    pair.run(3_000);
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up]);
    pair.command(Who::B, b, HANG_UP);
    pair.assert_all_closed();
}

/// Until our answer is on its way nobody knows where to send; who is silent while it rings may be sought elsewhere once more when the call is answered.
#[test]
fn audio_is_expected_from_our_answer_on() {
    let mut pair = Pair::new();
    pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs[0];
    let told = |pair: &Pair| pair.b.media.get(&b).map_or(0, Vec::len);
    pair.command(Who::B, b, SignalCommand::Ring);
    pair.run(50);
    assert_eq!(told(&pair), 0);
    for (command, times) in [(SignalCommand::Progress, 1), (SignalCommand::Answer, 2)] {
        pair.command(Who::B, b, command);
        pair.run(50);
        assert_eq!(told(&pair), times);
    }
    assert_eq!(pair.b.media[&b][0], pair.b.media[&b][1]);
    pair.command(Who::B, b, HANG_UP);
    pair.assert_all_closed();
}

#[test]
fn a_provisional_without_any_prack_fails_the_call() {
    let mut pair = Pair::new();
    pair.lose(|title, _| title == "PRACK");
    let a = pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Ring);
    pair.assert_all_closed();
    assert!(matches!(pair.events(Who::B, b).as_slice(), [SignalEvent::Failed(f), SignalEvent::Closed] if f.status == 408));
    let events = pair.events(Who::A, a);
    assert!(matches!(events.as_slice(), [_, SignalEvent::Failed(f), SignalEvent::Closed] if f.status == 504), "{events:?}");
}

#[test]
fn every_message_twice_is_one_call() {
    let mut pair = Pair::new();
    pair.fate = Box::new(|_, _, _| vec![10, 12]);
    let (a, b) = pair.connected();
    pair.command(Who::A, a, HANG_UP);
    pair.assert_all_closed();
    assert_eq!((pair.b.legs.len(), pair.events(Who::B, b).len()), (1, 3));
}

/// D8.
#[test]
fn both_sides_hang_up_at_once() {
    let mut pair = Pair::new();
    let (a, b) = pair.connected();
    pair.command(Who::A, a, HANG_UP);
    pair.command(Who::B, b, HANG_UP);
    pair.assert_all_closed();
    assert!(!pair.events(Who::A, a).contains(&SignalEvent::HungUp));
}

#[test]
fn a_broken_connection_fails_the_call_on_both_sides_as_503() {
    let mut pair = Pair::over(Transport::Tcp);
    let a = pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs[0];
    for who in [Who::A, Who::B] {
        let flow = pair.side(who).flow;
        pair.endpoint(who, |e, _| e.flow_failed(&flow));
    }
    pair.assert_all_closed();
    for events in [pair.events(Who::A, a), pair.events(Who::B, b)] {
        assert!(matches!(events.as_slice(), [SignalEvent::Failed(f), SignalEvent::Closed] if f.status == 503), "{events:?}");
    }
}

#[test]
fn an_actor_that_dies_leaves_no_caller_waiting() {
    let mut pair = Pair::new();
    let a = pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs.remove(0);
    pair.b.sessions.remove(&b);
    pair.endpoint(Who::B, |e, cx| e.forget(b, cx));
    pair.assert_all_closed();
    assert!(matches!(pair.events(Who::A, a).first(), Some(SignalEvent::Failed(f)) if f.status == 500));
}

#[test]
fn an_answer_to_a_call_whose_actor_died_is_acknowledged_and_ended() {
    let mut pair = Pair::new();
    let a = pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs[0];
    pair.a.sessions.remove(&a);
    pair.a.legs.clear();
    pair.lose(|title, _| title == "CANCEL");
    pair.endpoint(Who::A, |e, cx| e.forget(a, cx));
    pair.command(Who::B, b, SignalCommand::Answer);
    pair.assert_all_closed();
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up, SignalEvent::HungUp, SignalEvent::Closed]);
}
