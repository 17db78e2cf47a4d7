//! What the endpoint answers itself, and to whom.

use crate::pair::{Pair, Who, title};
use cordboard_core::cx::{CountingIds, Cx};
use cordboard_core::ids::{LegId, TrunkId};
use cordboard_core::setup::Transport;
use cordboard_sip::digest::{Algorithm, Credentials, ha1};
use cordboard_sip::endpoint::{DialogId, Endpoint, EndpointAction, EndpointConfig, Flow, Sources, User};
use cordboard_sip::message::{Field, Message, Method, Response, Via};
use cordboard_sip::registrar::Account;
use std::collections::HashSet;

/// An endpoint under test with its wire.
struct Rig {
    endpoint: Endpoint,
    flow: Flow,
    ids: CountingIds,
}

impl Rig {
    fn new() -> Self {
        let sources = Sources {
            trunks: vec![("192.0.2.2".parse().unwrap(), TrunkId(4))],
            phones: HashSet::from(["192.0.2.3:5090".parse().unwrap()]),
        };
        Self {
            endpoint: Endpoint::new(EndpointConfig { sources, user_agent: "Cordboard".into(), realm: "here".into(), secret: 0 }),
            flow: from("192.0.2.2:5060"),
            ids: CountingIds(5),
        }
    }

    fn receive(&mut self, text: &str) -> Vec<EndpointAction> {
        self.endpoint.receive(&self.flow, text.as_bytes(), &mut Cx::new(1, 0, 0, &mut self.ids))
    }

    fn turn_away(&mut self, text: &str) -> Vec<EndpointAction> {
        self.endpoint.turn_away(&self.flow, text.as_bytes(), &mut Cx::new(1, 0, 0, &mut self.ids))
    }

    /// The last response to `text`.
    fn answer(&mut self, text: &str) -> (Flow, Response) {
        let actions = self.receive(text);
        answer_in(actions)
    }
}

/// The last response that goes out.
fn answer_in(actions: Vec<EndpointAction>) -> (Flow, Response) {
    let sent = actions.into_iter().rev().find_map(|a| match a {
        EndpointAction::Transmit { flow, bytes } => Some((flow, Message::parse(&bytes).unwrap())),
        _ => None,
    });
    match sent {
        Some((flow, Message::Response(response))) => (flow, response),
        other => panic!("no response but {other:?}"),
    }
}

fn from(remote: &str) -> Flow {
    Flow { transport: Transport::Udp, local: "192.0.2.1:5060".parse().unwrap(), remote: remote.parse().unwrap() }
}

fn request(method: &str, via: &str, more: &str) -> String {
    format!(
        "{method} sip:100@192.0.2.1 SIP/2.0\r\nVia: {via}\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:100@192.0.2.1>\r\nCall-ID: c1\r\nCSeq: 1 {method}\r\n{more}\r\n"
    )
}

const VIA: &str = "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx";

/// C1.
#[test]
fn a_stranger_is_refused_and_counted_and_a_strangers_response_is_dropped() {
    let mut rig = Rig::new();
    rig.flow = from("203.0.113.9:5060");
    let actions = rig.receive(&request("INVITE", VIA, ""));
    assert!(
        matches!(actions.as_slice(), [EndpointAction::Refused { source }, EndpointAction::Transmit { .. }] if *source == rig.flow.remote)
    );
    assert_eq!(rig.answer(&request("INVITE", VIA, "")).1.status, 403);
    assert_eq!(rig.answer(&request("OPTIONS", VIA, "").replace("OPTIONS sip", "OPTIONS  sip")).1.status, 403);
    for silent in [&request("ACK", VIA, ""), "OPTIONS  x SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", "hello\r\n\r\n"] {
        assert!(matches!(rig.receive(silent).as_slice(), [EndpointAction::Refused { .. }]), "{silent}");
    }
    assert_eq!(rig.receive("\r\n\r\n"), vec![]);
    assert_eq!(rig.endpoint.transactions(), 0);
}

/// C1.
#[test]
fn a_stranger_takes_part_in_a_call_only_with_its_tag_or_branch_which_are_random() {
    let mut rig = Rig::new();
    rig.endpoint.register(DialogId { call_id: "c1".into(), local_tag: "ours".into() }, LegId(1));
    let asked = rig.endpoint.probe(TrunkId(4), rig.flow, &mut Cx::new(1, 0, 0, &mut rig.ids));
    let [EndpointAction::Transmit { bytes, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    let Ok(Message::Request(asked)) = Message::parse(bytes) else { panic!("{asked:?}") };
    let answer = String::from_utf8(asked.response(200).to_bytes()).unwrap();
    let within =
        |method: &str, tag: &str| request(method, VIA, "").replace("<sip:100@192.0.2.1>", &format!("<sip:100@192.0.2.1>;tag={tag}"));
    let bye = within("BYE", "ours");

    rig.flow = from("203.0.113.9:5060");
    for foreign in [within("BYE", "other"), bye.replace("Call-ID: c1", "Call-ID: c2"), request("BYE", VIA, "")] {
        assert_eq!(rig.answer(&foreign).1.status, 403, "{foreign}");
    }
    for foreign in [within("ACK", "other"), answer.replace("z9hG4bK", "z9hG4bKx"), answer.clone()] {
        assert!(matches!(rig.receive(&foreign).as_slice(), [EndpointAction::Refused { .. }]), "{foreign}");
    }
    assert!(matches!(rig.receive(&within("ACK", "ours")).as_slice(), [EndpointAction::Ack { leg: LegId(1), .. }]));
    let taken = rig.receive(&bye);
    let [EndpointAction::InDialog { leg: LegId(1), key, request, .. }] = taken.as_slice() else { panic!("{taken:?}") };
    let over = rig.endpoint.respond(key, request.response(200), &mut Cx::new(1, 0, 0, &mut rig.ids));
    rig.endpoint.forget(LegId(1), &mut Cx::new(1, 0, 0, &mut rig.ids));
    assert_eq!(rig.receive(&bye), over, "it comes again");

    rig.flow = from("192.0.2.2:5060");
    rig.endpoint.set_sources(Sources::default());
    assert!(matches!(rig.receive(&answer).as_slice(), [EndpointAction::Response { .. }]));
}

#[test]
fn sources_can_be_replaced_while_running() {
    let mut rig = Rig::new();
    rig.endpoint.set_sources(Sources::default());
    assert_eq!(rig.answer(&request("OPTIONS", VIA, "")).1.status, 403);
    rig.endpoint.set_sources(Sources { trunks: vec![("192.0.2.2".parse().unwrap(), TrunkId(4))], phones: HashSet::new() });
    assert_eq!(rig.answer(&request("OPTIONS", VIA, "")).1.status, 200);
}

#[test]
fn options_tell_what_this_switch_can_do() {
    let response = Rig::new().answer(&request("OPTIONS", VIA, "")).1;
    assert_eq!(response.status, 200);
    assert!(response.headers.lists(Field::Allow, "UPDATE") && response.headers.lists(Field::Supported, "timer"));
    assert_eq!(response.headers.get(Field::Accept), Some("application/sdp"));
    assert_eq!(response.headers.get(Field::Server), Some("Cordboard"));
}

#[test]
fn a_phone_may_not_call_yet_but_may_ask() {
    let mut rig = Rig::new();
    rig.flow = from("192.0.2.3:5090");
    assert_eq!(rig.answer(&request("INVITE", VIA, "")).1.status, 403);
    assert_eq!(rig.answer(&request("OPTIONS", "SIP/2.0/UDP 192.0.2.3:5090;branch=z9hG4bKy", "")).1.status, 200);
}

fn register(more: &str) -> String {
    let branch = cordboard_sip::digest::ha1(Algorithm::Md5, more, "", "");
    let via = format!("SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{branch}");
    request("REGISTER", &via, more).replace("sip:100@", "sip:mei@").replacen("sip:mei@192.0.2.1", "sip:192.0.2.1", 1)
}

/// The request again, with the password for the challenge that it got.
fn authorized(rig: &mut Rig, more: &str) -> String {
    let challenge = rig.answer(&register(more)).1.headers.get(Field::WwwAuthenticate).unwrap().to_owned();
    let nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let write = |response: &str| {
        format!(
            "Digest username=\"mei\", realm=\"here\", nonce=\"{nonce}\", uri=\"sip:192.0.2.1\", algorithm=SHA-256, qop=auth, nc=00000001, \
             cnonce=\"c\", response=\"{response}\""
        )
    };
    let ha1 = ha1(Algorithm::Sha256, "mei", "here", "password");
    let response = Credentials::parse(&write("")).unwrap().expected(&ha1, &Method::REGISTER);
    register(&format!("{more}Authorization: {}\r\n", write(&response)))
}

/// A rig with a phone that may register, and speaks from an address that nobody knows.
fn registering() -> Rig {
    let mut rig = Rig::new();
    let algorithm = Algorithm::Sha256;
    let account = Account { user: "mei".into(), algorithm, ha1: ha1(algorithm, "mei", "here", "password") };
    rig.endpoint.set_accounts(vec![account]);
    rig.flow = from("192.0.2.9:5070");
    rig
}

const CONTACT: &str = "Contact: <sip:mei@192.0.2.9:5070>\r\n";

#[test]
fn a_stranger_is_challenged_without_a_transaction_and_known_once_registered() {
    let mut rig = registering();
    let options = request("OPTIONS", "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKo", "");
    assert_eq!((rig.answer(&register(CONTACT)).1.status, rig.answer(&options).1.status), (401, 403));
    assert_eq!(rig.endpoint.transactions(), 0);
    let good = authorized(&mut rig, CONTACT);
    let actions = rig.receive(&good);
    let [EndpointAction::Bound(bound), EndpointAction::Transmit { bytes: first, .. }] = actions.as_slice() else { panic!("{actions:?}") };
    assert_eq!((bound.user.as_str(), bound.bindings[0].flow), ("mei", rig.flow));
    assert!(String::from_utf8_lossy(first).starts_with("SIP/2.0 200 "));
    // Its repetition gets the same answer, and is no replay.
    assert!(matches!(rig.receive(&good).as_slice(), [EndpointAction::Transmit { bytes, .. }] if bytes == first));
    assert_eq!(rig.endpoint.transactions(), 1);
    assert_eq!(rig.answer(&options).1.status, 200);
    rig.flow = from("192.0.2.9:5999");
    let other = options.replace("z9hG4bKo", "z9hG4bKp").replace("Call-ID: c1", "Call-ID: c2");
    assert_eq!(rig.answer(&other).1.status, 200, "another port of the same phone");
    let invite = request("INVITE", "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKi", "");
    assert_eq!(rig.answer(&invite).1.status, 403, "phones place no calls yet");
}

#[test]
fn a_wrong_password_is_told_of_and_leaves_nothing() {
    let mut rig = registering();
    let wrong = authorized(&mut rig, CONTACT).replace("response=\"", "response=\"0");
    let actions = rig.receive(&wrong);
    assert!(matches!(&actions[0], EndpointAction::WrongPassword { source, user } if *source == rig.flow.remote && user == "mei"));
    assert_eq!((actions.len(), rig.endpoint.transactions()), (2, 0));
    assert_eq!(rig.answer(&register("Require: gruu\r\n")).1.status, 420);
}

#[test]
fn a_registration_ends_by_its_time_or_with_its_connection() {
    let mut rig = registering();
    rig.flow.transport = Transport::Tcp;
    let good = authorized(&mut rig, CONTACT);
    rig.receive(&good);
    let gone = |actions: Vec<EndpointAction>| matches!(actions.as_slice(), [EndpointAction::Bound(bound)] if bound.bindings.is_empty());
    let flow = rig.flow;
    assert!(gone(rig.endpoint.flow_failed(&flow)));
    let again = authorized(&mut rig, &format!("{CONTACT}Expires: 60\r\n"));
    let again = again.replace("CSeq: 1", "CSeq: 2");
    rig.receive(&again);
    assert_eq!(rig.endpoint.next_deadline(), Some(60_001));
    assert!(gone(rig.endpoint.tick(&mut Cx::new(60_001, 0, 0, &mut rig.ids))));
}

#[test]
fn responses_go_where_rfc_3261_and_3581_send_them() {
    for (via, remote, received) in [
        ("SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK1", "192.0.2.2:5070", None),
        ("SIP/2.0/UDP host.example;branch=z9hG4bK2", "192.0.2.2:5060", Some("192.0.2.2")),
        ("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK3", "192.0.2.2:7777", Some("192.0.2.2")),
        // Only the source itself hears an answer, whatever the Via says.
        ("SIP/2.0/UDP 10.0.0.1:5070;maddr=192.0.2.77;branch=z9hG4bK4", "192.0.2.2:5070", Some("192.0.2.2")),
        ("SIP/2.0/UDP 192.0.2.2:0;branch=z9hG4bK5", "192.0.2.2:5060", None),
    ] {
        let mut rig = Rig::new();
        rig.flow = from("192.0.2.2:7777");
        let (flow, response) = rig.answer(&request("OPTIONS", via, ""));
        let top = response.headers.top_via().unwrap();
        assert_eq!((flow.remote, top.params.get("received")), (remote.parse().unwrap(), received), "{via}");
        assert_eq!(top.params.get("rport"), via.contains("rport").then_some("7777"));
    }
}

#[test]
fn a_new_call_is_told_with_its_trunk_and_its_repetition_gets_the_same_trying() {
    let mut rig = Rig::new();
    let invite = request("INVITE", VIA, "Max-Forwards: 70\r\n");
    let first = rig.receive(&invite);
    let [EndpointAction::Transmit { bytes, .. }, EndpointAction::Invite(call)] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!(call.trunk, TrunkId(4));
    assert_eq!(title(&Message::parse(bytes).unwrap()), "100 INVITE");
    assert_eq!(rig.receive(&invite), vec![first[0].clone()]);
    // The same request by another way (RFC 3261 §8.2.2.2).
    assert_eq!(rig.answer(&request("INVITE", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKother", "")).1.status, 482);
}

#[test]
fn what_cannot_be_taken_is_refused_by_its_kind() {
    for (method, more, status) in [
        ("REGISTER", "", 405),
        ("SUBSCRIBE", "", 405),
        ("FETCH", "", 501),
        ("invite", "", 501),
        ("BYE", "", 481),
        ("UPDATE", "", 481),
        ("CANCEL", "", 481),
        ("INVITE", "Max-Forwards: 0\r\n", 483),
        ("INVITE", "Require: precondition\r\n", 420),
        ("INVITE", "Content-Type: text/plain\r\n\r\nhello", 415),
        ("INVITE", "Accept: text/plain\r\n", 406),
    ] {
        let response = Rig::new().answer(&request(method, VIA, more)).1;
        assert_eq!(response.status, status, "{method} {more}");
        assert_eq!(response.headers.get(Field::Allow).is_some(), matches!(status, 405 | 501));
    }
    let response = Rig::new().answer(&request("INVITE", VIA, "Require: timer, precondition, x\r\n")).1;
    assert_eq!(response.headers.get(Field::Unsupported), Some("precondition, x"));
}

/// G2.
#[test]
fn in_overload_new_calls_are_shed_with_a_time_to_come_again() {
    let mut rig = Rig::new();
    let mut late = (0..).step_by(20).map(|now| (500, now)).take(11).chain((220..400_000).step_by(20).map(|now| (0, now)));
    let began = late.by_ref().find_map(|(late, now)| rig.endpoint.measured(late, now));
    assert_eq!(began, Some(true));
    let mut seen = Vec::new();
    for n in 0..35 {
        let invite = request("INVITE", &format!("{VIA}{n}"), "").replace("Call-ID: c1", &format!("Call-ID: shed{n}"));
        let response = rig.answer(&invite).1;
        // A few are always taken.
        if n < 5 {
            assert_eq!(response.status, 100);
            continue;
        }
        assert_eq!(response.status, 503);
        seen.push(response.headers.retry_after().unwrap());
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, vec![1, 2, 3]);
    let ended = late.find_map(|(late, now)| rig.endpoint.measured(late, now));
    assert_eq!(ended, Some(false));
    assert!(rig.receive(&request("INVITE", VIA, "")).iter().any(|a| matches!(a, EndpointAction::Invite(_))));
}

/// G2.
#[test]
fn who_was_shed_gets_the_same_answer_again_and_no_call_and_who_was_taken_is_not_shed() {
    let mut rig = Rig::new();
    let invite =
        |n: u32, more: &str| request("INVITE", &format!("{VIA}{n};rport"), more).replace("Call-ID: c1", &format!("Call-ID: shed{n}"));
    let mut late = (0..).step_by(20).map(|now| (500, now)).take(11).chain((220..400_000).step_by(20).map(|now| (0, now)));
    late.by_ref().find_map(|(late, now)| rig.endpoint.measured(late, now)).unwrap();
    for n in 0..5 {
        assert_eq!(rig.answer(&invite(n, "")).1.status, 100);
    }
    let more = "Via: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKfar\r\nv: SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKfarther\r\n";
    let (flow, first) = rig.answer(&invite(5, more));
    assert_eq!((flow, first.status), (rig.flow, 503));
    let vias: Vec<String> =
        first.headers.list(Field::Via).unwrap().iter().map(|via| via.parse::<Via>().unwrap().host.to_string()).collect();
    assert_eq!(vias.get(1..).unwrap(), ["198.51.100.1", "198.51.100.2"]);
    let top = first.headers.top_via().unwrap();
    assert_eq!(
        (top.branch(), top.params.get("rport")),
        (Some(format!("{}5", VIA.split_once("branch=").unwrap().1).as_str()), Some("5060"))
    );
    assert_eq!((first.headers.call_id(), first.headers.from_tag(), first.headers.cseq().unwrap().seq), (Some("shed5"), Some("f"), 1));
    assert!(first.headers.to_tag().is_some());
    assert_eq!(rig.endpoint.transactions(), 5);
    assert_eq!(rig.answer(&invite(0, "")).1.status, 100, "it was taken");
    for to in ["<sip:100@192.0.2.1>; tag=ours", "<sip:100@192.0.2.1>;TAG = ours"] {
        let status = rig.answer(&invite(8, "").replace("<sip:100@192.0.2.1>", to)).1.status;
        assert_eq!(status, 481, "a dialog's, of which we know nothing");
    }
    // Folded, it is read in full, and refused as well.
    assert_eq!(rig.answer(&invite(6, "Subject: a\r\n b\r\n")).1.status, 503);
    late.find_map(|(late, now)| rig.endpoint.measured(late, now)).unwrap();
    assert_eq!(rig.answer(&invite(5, more)).1, first, "it is remembered when there is room again");
    let ack = invite(5, "")
        .replace("INVITE", "ACK")
        .replace("<sip:100@192.0.2.1>", &format!("<sip:100@192.0.2.1>;tag={}", first.headers.to_tag().unwrap()));
    assert_eq!(rig.receive(&ack), []);
    let new = rig.receive(&invite(7, ""));
    assert!(new.iter().any(|action| matches!(action, EndpointAction::Invite(_))), "{new:?}");
}

/// G2.
#[test]
fn a_new_call_whose_turn_did_not_come_is_shed_and_nothing_else_is() {
    let mut rig = Rig::new();
    let invite = |n: u32| request("INVITE", &format!("{VIA}{n}"), "").replace("Call-ID: c1", &format!("Call-ID: late{n}"));
    assert_eq!(rig.answer(&invite(0)).1.status, 100);
    let away = rig.turn_away(&invite(1));
    assert!(away.contains(&EndpointAction::Shed));
    let (_, first) = answer_in(away);
    assert_eq!((first.status, first.headers.retry_after().is_some(), rig.endpoint.transactions()), (503, true, 1));
    assert_eq!(rig.answer(&invite(1)).1, first, "it comes again");
    assert_eq!(rig.turn_away(&invite(1)).len(), 1, "it is counted once");
    let again = rig.turn_away(&invite(0));
    assert_eq!(answer_in(again).1.status, 100, "it was taken when it came first");
    let within = rig.turn_away(&invite(2).replace("<sip:100@192.0.2.1>", "<sip:100@192.0.2.1>;tag=ours"));
    assert_eq!(answer_in(within).1.status, 481, "a dialog's, of which we know nothing");
    let is_new = |rig: &Rig, text: String| rig.endpoint.is_new_call(&rig.flow, text.as_bytes());
    assert!(is_new(&rig, invite(4)) && !is_new(&rig, invite(4).replace("INVITE", "ACK")));
    assert!(!is_new(&rig, invite(4).replace("<sip:100@192.0.2.1>", "<sip:100@192.0.2.1>;tag=ours")), "it keeps its place in its dialog");
    rig.flow = from("203.0.113.9:5060");
    assert!(!is_new(&rig, invite(4)));
    let strange = rig.turn_away(&invite(3));
    assert_eq!(answer_in(strange).1.status, 403);
}

/// H3.
#[test]
fn a_trunks_host_is_asked_and_its_answer_or_silence_told() {
    let mut pair = Pair::new();
    let flow = pair.a.flow;
    pair.endpoint(Who::A, |e, cx| e.probe(TrunkId(9), flow, cx));
    pair.run(100);
    let user = User::Probe { trunk: TrunkId(9), host: flow.remote };
    assert!(matches!(&pair.a.news[0], EndpointAction::Response { user: u, response } if *u == user && response.status == 200));
    pair.lose(|_, _| true);
    pair.endpoint(Who::A, |e, cx| e.probe(TrunkId(9), flow, cx));
    pair.run(40_000);
    assert!(matches!(&pair.a.news[1], EndpointAction::Failed { user: u, .. } if *u == user));
    assert_eq!((pair.a.news.len(), pair.a.endpoint.transactions()), (2, 0));
}

#[test]
fn our_requests_ask_for_rport_and_carry_a_branch_of_their_own() {
    let mut pair = Pair::new();
    pair.connected();
    let mut branches: Vec<String> = Vec::new();
    for (_, message) in &pair.messages {
        if let Message::Request(request) = message {
            let via = request.headers.top_via().unwrap();
            assert!(via.params.has("rport"));
            assert_eq!(request.headers.max_forwards(), Some(70));
            branches.push(via.branch().unwrap().to_owned());
        }
    }
    let count = branches.len();
    branches.sort();
    branches.dedup();
    assert_eq!((branches.len(), count), (3, 3), "INVITE, PRACK, ACK");
}
