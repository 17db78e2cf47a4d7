//! A far side that does what our own never would: forks, late offers, old clients, holds, small intervals.

use crate::pair::{Pair, Who};
use cordboard_core::cx::{CountingIds, Cx};
use cordboard_core::ids::{LegId, TrunkId};
use cordboard_core::leg::{SignalCommand, SignalEvent};
use cordboard_sip::endpoint::NewCall;
use cordboard_sip::message::{Field, Message, Request, Response};
use cordboard_sip::sdp::{Direction, Law, LocalMedia};
use cordboard_sip::session::{Session, SessionAction};

const HANG_UP: SignalCommand = SignalCommand::HangUp { q850: None };

const SDP: &str = "v=0\r\no=x 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0\r\n";

/// A pair whose B is deaf: the test speaks for it.
fn scripted() -> Pair {
    let mut pair = Pair::new();
    pair.fate = Box::new(|_, from, _| if from == Who::A { vec![] } else { vec![10] });
    pair
}

/// A response of the far side to our last INVITE.
fn reply(pair: &mut Pair, status: u16, tag: &str, sdp: Option<&str>, more: &[(Field, &str)]) {
    let mut response = pair.last_request("A>B INVITE").response(status);
    if !tag.is_empty() {
        response.set_to_tag(tag);
        response.headers.push(Field::Contact, format!("<sip:{tag}@192.0.2.2:5060>"));
    }
    for (field, value) in more {
        response.headers.push(*field, *value);
    }
    if let Some(sdp) = sdp {
        response.headers.push(Field::ContentType, "application/sdp");
        response.body = sdp.as_bytes().to_vec();
    }
    pair.put(Who::A, response.to_bytes(), 1);
    pair.run(5);
}

/// Answers the last request of that title with 200.
fn accept(pair: &mut Pair, title: &str) {
    let response = pair.last_request(title).response(200);
    pair.put(Who::A, response.to_bytes(), 1);
    pair.run(5);
}

fn target(request: &Request) -> String {
    request.uri.user().unwrap_or_default()
}

#[test]
fn of_two_forks_that_answer_the_first_stays_and_the_second_is_ended() {
    let mut pair = scripted();
    let a = pair.call(Who::A);
    reply(&mut pair, 180, "one", None, &[]);
    reply(&mut pair, 183, "two", Some(SDP), &[]);
    reply(&mut pair, 200, "two", Some(SDP), &[]);
    assert_eq!(target(pair.last_request("A>B ACK")), "two");
    reply(&mut pair, 200, "one", Some(SDP), &[]);
    reply(&mut pair, 200, "one", Some(SDP), &[]);
    reply(&mut pair, 200, "two", Some(SDP), &[]);
    assert_eq!((pair.count("A>B ACK"), pair.count("A>B BYE")), (4, 1));
    let bye = pair.last_request("A>B BYE");
    assert_eq!((target(bye).as_str(), bye.headers.to_tag()), ("one", Some("one")));
    let early = [SignalEvent::Ringing { early_media: false }, SignalEvent::Ringing { early_media: true }, SignalEvent::Up];
    assert_eq!(pair.events(Who::A, a), early);
    accept(&mut pair, "A>B BYE");
    pair.command(Who::A, a, HANG_UP);
    assert_eq!(target(pair.last_request("A>B BYE")), "two");
    accept(&mut pair, "A>B BYE");
    assert_eq!(pair.events(Who::A, a).last(), Some(&SignalEvent::Closed));
}

/// RFC 3261 §13.2.2.4 sets no bound; a far side that answers with a new tag each time is none of a carrier's.
#[test]
fn of_a_far_side_that_forks_without_end_only_some_dialogs_are_kept() {
    let mut pair = scripted();
    let a = pair.call(Who::A);
    let kept = |pair: &Pair| serde_json::to_value(&pair.a.sessions[&a]).unwrap()["forks"].as_array().unwrap().len();
    for n in 0..40 {
        reply(&mut pair, 180, &format!("early{n}"), None, &[(Field::Require, "100rel"), (Field::Rseq, "1")]);
    }
    assert_eq!((kept(&pair), pair.count("A>B PRACK")), (16, 16));
    reply(&mut pair, 200, "winner", Some(SDP), &[]);
    assert_eq!(pair.events(Who::A, a).last(), Some(&SignalEvent::Up));
    assert_eq!(target(pair.last_request("A>B ACK")), "winner");
    for n in 0..40 {
        reply(&mut pair, 200, &format!("late{n}"), Some(SDP), &[]);
    }
    assert_eq!((kept(&pair), pair.count("A>B BYE")), (16, 0));
    pair.command(Who::A, a, HANG_UP);
    assert_eq!(target(pair.last_request("A>B BYE")), "winner");
}

#[test]
fn reliable_provisionals_are_acknowledged_in_order_and_once() {
    let mut pair = scripted();
    let a = pair.call(Who::A);
    let reliable = |rseq| vec![(Field::Require, "100rel"), (Field::Rseq, rseq)];
    reply(&mut pair, 180, "one", None, &reliable("7"));
    reply(&mut pair, 180, "one", None, &reliable("7"));
    assert_eq!(pair.last_request("A>B PRACK").headers.get(Field::Rack), Some("7 1 INVITE"));
    reply(&mut pair, 183, "one", Some(SDP), &reliable("9"));
    assert_eq!(pair.count("A>B PRACK"), 1);
    accept(&mut pair, "A>B PRACK");
    reply(&mut pair, 183, "one", Some(SDP), &reliable("8"));
    assert_eq!(pair.count("A>B PRACK"), 2);
    // The answer came reliably: the 200 need not repeat it.
    reply(&mut pair, 200, "one", None, &[]);
    assert_eq!(pair.events(Who::A, a).last(), Some(&SignalEvent::Up));
    pair.command(Who::A, a, HANG_UP);
    assert_eq!(pair.last_request("A>B BYE").headers.cseq().unwrap().seq, 4);
}

#[test]
fn an_interval_that_is_too_small_for_the_far_side_is_raised() {
    let mut pair = scripted();
    let a = pair.call(Who::A);
    reply(&mut pair, 422, "x", None, &[(Field::MinSe, "3600")]);
    let invite = pair.last_request("A>B INVITE");
    let asked = invite.headers.session_expires().unwrap().seconds;
    assert_eq!((asked, invite.headers.min_se(), invite.headers.cseq().unwrap().seq), (3_600, Some(3_600), 2));
    reply(&mut pair, 422, "x", None, &[(Field::MinSe, "3600")]);
    assert!(matches!(pair.events(Who::A, a).as_slice(), [SignalEvent::Failed(f), SignalEvent::Closed] if f.status == 422));
}

#[test]
fn an_answer_without_usable_audio_is_acknowledged_and_ended() {
    for sdp in [None, Some("v=0\r\nm=audio 0 RTP/AVP 0\r\n"), Some("nonsense")] {
        let mut pair = scripted();
        let a = pair.call(Who::A);
        reply(&mut pair, 200, "one", sdp, &[]);
        assert_eq!((pair.count("A>B ACK"), pair.count("A>B BYE")), (1, 1));
        accept(&mut pair, "A>B BYE");
        assert!(matches!(pair.events(Who::A, a).as_slice(), [SignalEvent::Failed(f), SignalEvent::Closed] if f.status == 488));
    }
}

#[test]
fn a_request_in_the_dialog_follows_the_reversed_record_route_and_a_strict_router_is_the_request_uri() {
    let mut pair = scripted();
    let a = pair.call(Who::A);
    reply(&mut pair, 200, "one", Some(SDP), &[(Field::RecordRoute, "<sip:far.example>, <sip:192.0.2.2;lr>")]);
    let routes: Vec<_> = pair.last_request("A>B ACK").headers.list(Field::Route).unwrap().iter().map(|r| (*r).to_owned()).collect();
    assert_eq!(routes, ["<sip:192.0.2.2;lr>", "<sip:far.example>"]);
    pair.command(Who::A, a, HANG_UP);
    assert_eq!(target(pair.last_request("A>B BYE")), "one");
    let mut pair = scripted();
    pair.call(Who::A);
    reply(&mut pair, 200, "one", Some(SDP), &[(Field::RecordRoute, "<sip:192.0.2.2:5060>")]);
    let ack = pair.last_request("A>B ACK");
    assert_eq!((ack.uri.to_string().as_str(), ack.headers.get(Field::Route)), ("sip:192.0.2.2:5060", Some("<sip:one@192.0.2.2:5060>")));
}

/// RFC 3261 §17.1.1.3: the INVITE's own Route and CSeq.
#[test]
fn the_ack_of_a_refused_refresh_goes_the_way_that_the_refresh_went() {
    let mut pair = scripted();
    pair.call(Who::A);
    let more = [(Field::RecordRoute, "<sip:192.0.2.2;lr>"), (Field::Require, "timer"), (Field::SessionExpires, "1800;refresher=uac")];
    reply(&mut pair, 200, "one", Some(SDP), &more);
    pair.run(900_100);
    reply(&mut pair, 488, "", None, &[]);
    for title in ["A>B INVITE", "A>B ACK"] {
        let headers = &pair.last_request(title).headers;
        assert_eq!((headers.cseq().unwrap().seq, headers.get(Field::Route)), (2, Some("<sip:192.0.2.2;lr>")), "{title}");
    }
}

/// Lays an INVITE before B; its 200, once the leg answered.
fn invite(pair: &mut Pair, more: &str, body: &str) {
    let kind = if body.is_empty() || more.contains("Content-Type") { "" } else { "Content-Type: application/sdp\r\n" };
    let text = format!(
        "INVITE sip:100@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKs1\r\nFrom: <sip:a@b>;tag=f\r\n\
         To: <sip:100@192.0.2.2>\r\nCall-ID: script\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1:5060>\r\n{more}{kind}\r\n{body}"
    );
    pair.put(Who::B, text.into_bytes(), 1);
    pair.run(5);
}

/// A request of the scripted caller in the dialog that B's 2xx or 1xx made.
fn in_dialog(pair: &mut Pair, method: &str, seq: u32, more: &str, body: &str) {
    let answer = pair.messages.iter().rev().find_map(|(from, m)| match m {
        Message::Response(r) if *from == Who::B && r.headers.to_tag().is_some() => Some(r.clone()),
        Message::Response(_) | Message::Request(_) => None,
    });
    let answer = answer.unwrap();
    let tag = answer.headers.to_tag().unwrap();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let text = format!(
        "{method} sip:cordboard@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{method}{seq}\r\n\
         From: <sip:a@b>;tag=f\r\nTo: <sip:100@192.0.2.2>;tag={tag}\r\nCall-ID: script\r\nCSeq: {seq} {method}\r\n{more}{kind}\r\n{body}"
    );
    pair.put(Who::B, text.into_bytes(), 1);
    pair.run(5);
}

fn last(pair: &Pair) -> &Response {
    match pair.messages.last() {
        Some((Who::B, Message::Response(response))) => response,
        other => panic!("{other:?}"),
    }
}

fn answered(pair: &mut Pair, more: &str, body: &str) -> LegId {
    invite(pair, more, body);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Answer);
    b
}

#[test]
fn an_invite_without_an_offer_gets_ours_and_the_ack_brings_the_answer() {
    let mut pair = Pair::new();
    let b = answered(&mut pair, "", "");
    let offer = String::from_utf8(last(&pair).body.clone()).unwrap();
    assert!(offer.contains("m=audio 10002 RTP/AVP 8 0 101\r\n"), "{offer}");
    assert_eq!(pair.b.media.get(&b), None);
    in_dialog(&mut pair, "ACK", 1, "", SDP);
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up]);
    assert_eq!((pair.b.media[&b][0].law, pair.b.media[&b][0].addr.port()), (Law::Mu, 9_000));
}

#[test]
fn an_ack_without_the_answer_to_our_offer_ends_the_call() {
    let mut pair = Pair::new();
    let b = answered(&mut pair, "", "");
    in_dialog(&mut pair, "ACK", 1, "", "");
    assert_eq!(pair.count("B>A BYE"), 1);
    assert!(matches!(pair.events(Who::B, b).first(), Some(SignalEvent::Failed(f)) if f.status == 488));
}

#[test]
fn a_late_offer_in_a_required_reliable_provisional_is_answered_in_the_prack() {
    let mut pair = Pair::new();
    invite(&mut pair, "Require: 100rel\r\n", "");
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Ring);
    let rseq = last(&pair).headers.rseq().unwrap();
    assert!(!last(&pair).body.is_empty());
    in_dialog(&mut pair, "PRACK", 2, &format!("RAck: {} 1 INVITE\r\n", rseq + 1), "");
    assert_eq!(last(&pair).status, 481);
    in_dialog(&mut pair, "PRACK", 3, &format!("RAck: {rseq} 1 INVITE\r\n"), SDP);
    assert_eq!((last(&pair).status, pair.b.media[&b].len()), (200, 1));
    pair.command(Who::B, b, SignalCommand::Answer);
    assert!(last(&pair).body.is_empty());
    in_dialog(&mut pair, "ACK", 1, "", "");
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up]);
}

#[test]
fn g729_alone_is_refused_and_a_multipart_offer_is_read() {
    let mut pair = Pair::new();
    invite(&mut pair, "", &SDP.replace("AVP 0", "AVP 18"));
    assert_eq!((last(&pair).status, pair.b.legs.len()), (488, 0));
    let mut pair = Pair::new();
    let body = format!(
        "--q\r\nContent-Type: application/isup\r\n\r\n\u{1}\u{2}\r\n--q\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--q--\r\n"
    );
    let b = answered(&mut pair, "Content-Type: multipart/mixed;boundary=q\r\n", &body);
    assert_eq!((last(&pair).status, pair.b.media[&b][0].addr.port()), (200, 9_000));
}

#[test]
fn the_far_side_holds_and_takes_back_by_re_invite_and_by_update() {
    for method in ["INVITE", "UPDATE"] {
        let mut pair = Pair::new();
        let b = answered(&mut pair, "", SDP);
        in_dialog(&mut pair, "ACK", 1, "", "");
        in_dialog(&mut pair, method, 2, "", &format!("{SDP}a=sendonly\r\n"));
        assert!(String::from_utf8_lossy(&last(&pair).body).contains("a=recvonly"));
        in_dialog(&mut pair, "ACK", 2, "", "");
        in_dialog(&mut pair, method, 3, "", SDP);
        assert_eq!(last(&pair).status, 200);
        in_dialog(&mut pair, "ACK", 3, "", "");
        assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up, SignalEvent::FarHold(true), SignalEvent::FarHold(false)]);
        assert_eq!(pair.b.media[&b].iter().map(|m| m.direction).collect::<Vec<_>>()[1..], [Direction::SendOnly, Direction::SendRecv]);
        // An offer that cannot be taken leaves the session as it is.
        in_dialog(&mut pair, method, 4, "", &SDP.replace("AVP 0", "AVP 18"));
        assert_eq!((last(&pair).status, pair.b.media[&b].len()), (488, 3));
        pair.command(Who::B, b, HANG_UP);
        assert_eq!(pair.count("B>A BYE"), 1);
    }
}

#[test]
fn a_re_invite_without_an_offer_gets_ours() {
    let mut pair = Pair::new();
    let b = answered(&mut pair, "", SDP);
    in_dialog(&mut pair, "ACK", 1, "", "");
    in_dialog(&mut pair, "INVITE", 2, "", "");
    assert_eq!(last(&pair).status, 200);
    // Until its ACK no other change is taken.
    in_dialog(&mut pair, "INVITE", 3, "", SDP);
    assert_eq!(last(&pair).status, 491);
    in_dialog(&mut pair, "ACK", 2, "", &SDP.replace("9000", "9002"));
    assert_eq!(pair.b.media[&b].last().unwrap().addr.port(), 9_002);
}

#[test]
fn requests_out_of_order_or_of_another_dialog_change_nothing() {
    let mut pair = Pair::new();
    let b = answered(&mut pair, "", SDP);
    in_dialog(&mut pair, "ACK", 1, "", "");
    in_dialog(&mut pair, "OPTIONS", 9, "", "");
    assert_eq!(last(&pair).status, 200);
    in_dialog(&mut pair, "BYE", 8, "", "");
    assert_eq!(last(&pair).status, 500);
    let foreign = "BYE sip:x@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKf\r\nFrom: <sip:a@b>;tag=evil\r\n";
    let tag = last(&pair).headers.to_tag().unwrap();
    pair.put(Who::B, format!("{foreign}To: <sip:c@d>;tag={tag}\r\nCall-ID: script\r\nCSeq: 10 BYE\r\n\r\n").into_bytes(), 1);
    pair.run(5);
    assert_eq!((last(&pair).status, pair.events(Who::B, b)), (481, vec![SignalEvent::Up]));
    in_dialog(&mut pair, "BYE", 11, "", "");
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Up, SignalEvent::HungUp, SignalEvent::Closed]);
    in_dialog(&mut pair, "INVITE", 12, "", SDP);
    assert_eq!(last(&pair).status, 481);
}

#[test]
fn a_session_interval_below_ours_is_refused_with_422() {
    let mut pair = Pair::new();
    invite(&mut pair, "Supported: timer\r\nSession-Expires: 30\r\n", SDP);
    assert_eq!((last(&pair).status, last(&pair).headers.min_se()), (422, Some(90)));
}

#[test]
fn when_the_caller_leaves_the_refreshing_to_us_we_refresh_and_without_answers_end() {
    let mut pair = Pair::new();
    let b = answered(&mut pair, "Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 100;refresher=uas\r\n", SDP);
    assert_eq!(last(&pair).headers.get(Field::SessionExpires), Some("100;refresher=uas"));
    in_dialog(&mut pair, "ACK", 1, "", "");
    pair.run(50_100);
    let update = pair.last_request("B>A UPDATE");
    assert_eq!(update.headers.get(Field::SessionExpires), Some("100;refresher=uac"));
    pair.run(60_000);
    assert!(matches!(pair.events(Who::B, b).get(1), Some(SignalEvent::Failed(_))));
}

#[test]
fn a_bye_before_the_answer_is_taken_as_giving_up() {
    let mut pair = Pair::new();
    invite(&mut pair, "", SDP);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Ring);
    in_dialog(&mut pair, "BYE", 2, "", "");
    assert_eq!((pair.count("B>A 200 BYE"), pair.count("B>A 487 INVITE")), (1, 1));
    assert_eq!(pair.events(Who::B, b), vec![SignalEvent::Cancelled, SignalEvent::Closed]);
}

#[test]
fn before_the_answer_a_re_invite_waits_and_an_update_without_an_offer_is_taken() {
    let mut pair = Pair::new();
    invite(&mut pair, "", SDP);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Ring);
    in_dialog(&mut pair, "INVITE", 2, "", SDP);
    assert_eq!((last(&pair).status, last(&pair).headers.retry_after()), (500, Some(3)));
    in_dialog(&mut pair, "UPDATE", 3, "", SDP);
    assert_eq!(last(&pair).status, 500);
    in_dialog(&mut pair, "UPDATE", 4, "", "");
    assert_eq!(last(&pair).status, 200);
}

#[test]
fn a_prack_that_the_answer_overtook_is_taken() {
    let mut pair = Pair::new();
    invite(&mut pair, "Supported: 100rel\r\n", SDP);
    let b = pair.b.legs[0];
    pair.command(Who::B, b, SignalCommand::Ring);
    let rseq = last(&pair).headers.rseq().unwrap();
    pair.command(Who::B, b, SignalCommand::Answer);
    in_dialog(&mut pair, "PRACK", 2, &format!("RAck: {rseq} 1 INVITE\r\n"), "");
    assert_eq!((last(&pair).status, pair.count("B>A 200 PRACK")), (200, 1));
}

#[test]
fn requests_go_to_the_contact_unless_it_is_behind_a_nat() {
    for (via, contact, hears) in [
        ("192.0.2.1:5060", "192.0.2.1:6060", "192.0.2.1:6060"),
        ("192.0.2.1:5060", "198.51.100.7", "198.51.100.7:5060"),
        // A private address told by a public peer, and a Via that is not the source.
        ("192.0.2.1:5060", "10.0.0.1:6060", "192.0.2.1:5060"),
        ("10.0.0.1:5060", "198.51.100.7", "192.0.2.1:5060"),
    ] {
        let mut ids = CountingIds(1);
        let text = format!(
            "INVITE sip:100@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKs1\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:100@c>\r\n\
             Call-ID: s\r\nCSeq: 1 INVITE\r\nContact: <sip:a@{contact}>\r\n\r\n"
        );
        let Ok(Message::Request(invite)) = Message::parse(text.as_bytes()) else { panic!("{text}") };
        let flow = Pair::new().b.flow;
        let key = serde_json::from_str("1").unwrap();
        let local = LocalMedia::new("192.0.2.2:4000".parse().unwrap(), 1);
        let mut cx = Cx::new(0, 0, 0, &mut ids);
        let call = NewCall { leg: LegId(1), trunk: TrunkId(1), key, invite, offer: None, flow };
        let (mut session, _) = Session::incoming(call, local, &mut cx).unwrap();
        session.command(&SignalCommand::Answer, &mut cx);
        session.command(&HANG_UP, &mut cx);
        let actions = (0..).find_map(|_| {
            let at = session.next_deadline()?;
            let actions = session.tick(&mut Cx::new(at, 0, 0, &mut CountingIds(9)));
            actions.iter().any(|a| matches!(a, SessionAction::Request { .. })).then_some(actions)
        });
        let actions = actions.unwrap();
        let Some(SessionAction::Request { flow, .. }) = actions.first() else { panic!("{actions:?}") };
        assert_eq!(flow.remote, hears.parse().unwrap());
    }
}
