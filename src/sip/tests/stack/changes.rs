//! Sessions that change while they are up: re-INVITE, UPDATE, session timers, digits, questions.

use crate::pair::{Pair, Who};
use cordboard_core::leg::{SignalCommand, SignalEvent};
use cordboard_core::setup::Transport;
use cordboard_sip::message::{Field, Method};
use cordboard_sip::sdp::LocalMedia;
use cordboard_sip::session::Session;

const HANG_UP: SignalCommand = SignalCommand::HangUp { q850: None };

fn moved(port: u16) -> LocalMedia {
    LocalMedia::new(format!("192.0.2.9:{port}").parse().unwrap(), 1)
}

#[test]
fn either_side_moves_its_audio_by_re_invite() {
    for who in [Who::A, Who::B] {
        let mut pair = Pair::new();
        let (a, b) = pair.connected();
        let (mover, other) = if who == Who::A { (a, b) } else { (b, a) };
        pair.with(who, mover, |s, cx| s.reoffer(moved(4_444), cx));
        pair.run(500);
        let media = pair.side(who.other()).media[&other].clone();
        assert_eq!((media.len(), media[1].addr.port()), (2, 4_444));
        assert_eq!(pair.side(who).media[&mover].len(), 1, "the other end did not move");
        let title = if who == Who::A { "A>B INVITE" } else { "B>A INVITE" };
        let sdp = String::from_utf8(pair.last_request(title).body.clone()).unwrap();
        assert!(sdp.contains("o=- 7 2 IN IP4"), "a changed description has a new version: {sdp}");
        pair.command(who, mover, HANG_UP);
        pair.assert_all_closed();
    }
}

#[test]
fn two_re_invites_that_cross_are_both_refused_and_both_come_through_later() {
    let mut pair = Pair::new();
    let (a, b) = pair.connected();
    pair.with(Who::A, a, |s, cx| s.reoffer(moved(4_444), cx));
    pair.with(Who::B, b, |s, cx| s.reoffer(moved(5_555), cx));
    pair.run(100);
    assert_eq!((pair.count("A>B 491 INVITE"), pair.count("B>A 491 INVITE")), (1, 1));
    pair.run(10_000);
    assert_eq!(pair.a.media[&a].last().unwrap().addr.port(), 5_555);
    assert_eq!(pair.b.media[&b].last().unwrap().addr.port(), 4_444);
    pair.command(Who::A, a, HANG_UP);
    pair.assert_all_closed();
}

#[test]
fn a_session_is_refreshed_by_update_for_as_long_as_it_lasts() {
    let mut pair = Pair::new();
    let (a, b) = pair.connected();
    let answer = pair.last_response("B>A 200 INVITE").headers.session_expires().unwrap();
    assert_eq!(answer.seconds, 1_800);
    pair.run(8_000_000);
    assert_eq!(pair.count("A>B UPDATE"), 8);
    assert_eq!(pair.log.iter().filter(|l| l.contains("BYE")).count(), 0);
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up]);
    pair.command(Who::A, a, HANG_UP);
    pair.assert_all_closed();
}

#[test]
fn a_peer_that_takes_no_update_is_refreshed_by_re_invite() {
    let mut pair = Pair::new();
    let (a, _) = pair.connected();
    pair.with(Who::A, a, |s, cx| {
        let mut value = serde_json::to_value(&*s).unwrap();
        value["takes_update"] = false.into();
        *s = serde_json::from_value::<Session>(value).unwrap();
        s.tick(cx)
    });
    pair.run(1_000_000);
    assert_eq!((pair.count("A>B UPDATE"), pair.count("A>B INVITE")), (0, 2));
    pair.run(1_000_000);
    assert_eq!(pair.log.iter().filter(|l| l.contains("BYE")).count(), 0);
    pair.command(Who::A, a, HANG_UP);
    pair.assert_all_closed();
}

/// G5.
#[test]
fn a_far_side_that_vanishes_is_noticed_by_both_refresher_and_waiting_side() {
    let mut pair = Pair::new();
    let (a, b) = pair.connected();
    pair.lose(|_, _| true);
    pair.run(940_000);
    assert!(matches!(pair.events(Who::A, a).get(2), Some(SignalEvent::Failed(f)) if f.status == 408));
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up]);
    pair.run(900_000);
    assert!(matches!(pair.events(Who::B, b).get(1), Some(SignalEvent::Failed(f)) if f.status == 408));
    pair.assert_all_closed();
}

/// G5.
#[test]
fn a_probe_that_meets_no_dialog_ends_the_call_and_one_that_is_answered_does_not() {
    let mut pair = Pair::new();
    let (a, b) = pair.connected();
    pair.with(Who::A, a, Session::probe);
    pair.run(1_000);
    assert_eq!((pair.count("B>A 200 OPTIONS"), pair.events(Who::A, a).len()), (1, 2));
    // The far side restarts without its memory.
    pair.b.sessions.remove(&b);
    pair.b.legs.clear();
    pair.endpoint(Who::B, |e, cx| e.forget(b, cx));
    pair.with(Who::A, a, Session::probe);
    pair.assert_all_closed();
    let events = pair.events(Who::A, a);
    assert!(matches!(&events[2..], [SignalEvent::Failed(f), SignalEvent::Closed] if f.status == 481), "{events:?}");
}

/// G5.
#[test]
fn a_probe_without_an_answer_ends_the_call() {
    let mut pair = Pair::new();
    let (a, _) = pair.connected();
    pair.lose(|_, _| true);
    pair.with(Who::A, a, Session::probe);
    pair.run(70_000);
    let events = pair.events(Who::A, a);
    assert!(matches!(&events[2..], [SignalEvent::Failed(f), SignalEvent::Closed] if f.status == 408), "{events:?}");
}

/// G5: a carrier's connection may close and open again in mid-call.
#[test]
fn probes_that_find_no_way_to_the_far_side_five_times_in_a_row_end_the_call() {
    let mut pair = Pair::over(Transport::Tcp);
    let (a, _) = pair.connected();
    let flow = pair.a.flow;
    let answer = |pair: &mut Pair, answered: bool| {
        pair.lose(move |_, _| !answered);
        pair.with(Who::A, a, Session::probe);
        if !answered {
            pair.endpoint(Who::A, |e, _| e.flow_failed(&flow));
        }
        pair.run(60_000);
    };
    for answered in [false, false, false, false, true, false, false, false, false] {
        answer(&mut pair, answered);
        assert_eq!(pair.events(Who::A, a).len(), 2, "it is up");
    }
    answer(&mut pair, false);
    let events = pair.events(Who::A, a);
    assert!(matches!(&events[2..], [SignalEvent::Failed(f), SignalEvent::Closed] if f.status == 503), "{events:?}");
}

/// RFC 3261 §12.2.1.1: a carrier may close a connection that nothing came by, and is there all the same.
#[test]
fn a_far_side_whose_connection_is_gone_is_asked_at_its_own_address() {
    let mut pair = Pair::over(Transport::Tcp);
    pair.a.flow.remote.set_port(40_000);
    pair.connection = Some(pair.a.flow.remote);
    let (a, _) = pair.connected();
    pair.connection = None;
    let flow = pair.a.flow;
    pair.with(Who::A, a, Session::probe);
    pair.endpoint(Who::A, |e, _| e.flow_failed(&flow));
    for _ in 0..2 {
        pair.with(Who::A, a, Session::probe);
        pair.run(60_000);
    }
    assert_eq!(pair.events(Who::A, a).len(), 2, "it is up");
    assert_eq!(pair.count("B>A 200 OPTIONS"), 2);
}

#[test]
fn a_re_invite_after_the_bye_is_answered_481() {
    let mut pair = Pair::new();
    let (a, b) = pair.connected();
    pair.command(Who::B, b, HANG_UP);
    pair.with(Who::A, a, |s, cx| s.reoffer(moved(4_444), cx));
    pair.assert_all_closed();
    assert_eq!(pair.count("B>A 481 INVITE"), 1);
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up, SignalEvent::Closed]);
}

#[test]
fn digits_come_by_info_in_both_of_its_forms() {
    let mut pair = Pair::new();
    let (a, b) = pair.connected();
    let mut template = pair.last_request("A>B ACK").clone();
    template.headers.remove(Field::Via);
    for (n, (kind, body)) in [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"),
        ("application/dtmf-relay", "Signal= 11\r\n"),
        ("application/dtmf", "*"),
        ("text/plain", "7"),
        ("application/dtmf", "hello"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut info = template.clone();
        info.method = Method::INFO;
        info.headers.push(Field::Via, format!("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKinfo{n}"));
        info.headers.set(Field::CSeq, format!("{} INFO", 50 + n));
        info.headers.set(Field::ContentType, kind);
        info.body = body.as_bytes().to_vec();
        pair.put(Who::B, info.to_bytes(), 1);
        pair.run(10);
    }
    assert_eq!(pair.events(Who::B, b)[1..], ['5', '#', '*'].map(SignalEvent::Digit));
    assert_eq!((pair.count("B>A 200 INFO"), pair.count("B>A 415 INFO")), (3, 2));
    pair.command(Who::A, a, HANG_UP);
    pair.run(1_000);
}
