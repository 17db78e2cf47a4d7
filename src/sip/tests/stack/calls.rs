//! Calls that come about and end, and the ways in which they do not.

use crate::pair::{Pair, Who};
use cordboard_core::leg::{SignalCommand, SignalEvent};
use cordboard_core::setup::Transport;
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

#[test]
fn a_call_is_ended_by_the_called_side() {
    let mut pair = Pair::new();
    let (a, b) = pair.connected();
    pair.command(Who::B, b, HANG_UP);
    pair.assert_all_closed();
    assert!(pair.events(Who::A, a).ends_with(&[SignalEvent::HungUp, SignalEvent::Closed]));
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up, SignalEvent::Closed]);
}

#[test]
fn a_caller_who_gives_up_while_it_rings_cancels() {
    let mut pair = Pair::new();
    let a = pair.call(Who::A);
    pair.run(50);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Ring);
    pair.run(50);
    pair.command(Who::A, a, HANG_UP);
    pair.assert_all_closed();
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Cancelled, SignalEvent::Closed]);
    assert_eq!(pair.events(Who::A, a), vec![SignalEvent::Ringing { early_media: false }, SignalEvent::Closed]);
    assert_eq!((pair.count("B>A 200 CANCEL"), pair.count("B>A 487 INVITE"), pair.count("A>B ACK")), (1, 1, 1));
}

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
