//! What the endpoint answers itself, and to whom.

use crate::pair::{Pair, Who, title};
use cordboard_core::cx::{CountingIds, Cx};
use cordboard_core::ids::TrunkId;
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::{Endpoint, EndpointAction, EndpointConfig, Flow, Sources, User};
use cordboard_sip::message::{Field, Message, Response};

/// An endpoint under test with its wire.
struct Rig {
    endpoint: Endpoint,
    flow: Flow,
    ids: CountingIds,
}

impl Rig {
    fn new() -> Self {
        let sources = Sources { trunks: vec![("192.0.2.2".parse().unwrap(), TrunkId(4))], phones: vec!["192.0.2.3:5090".parse().unwrap()] };
        Self {
            endpoint: Endpoint::new(EndpointConfig { sources, user_agent: "Cordboard".into() }),
            flow: from("192.0.2.2:5060"),
            ids: CountingIds(5),
        }
    }

    fn receive(&mut self, text: &str) -> Vec<EndpointAction> {
        self.endpoint.receive(&self.flow, text.as_bytes(), &mut Cx::new(1, 0, 0, &mut self.ids))
    }

    /// The last response to `text`.
    fn answer(&mut self, text: &str) -> (Flow, Response) {
        let actions = self.receive(text);
        let sent = actions.into_iter().rev().find_map(|a| match a {
            EndpointAction::Transmit { flow, bytes } => Some((flow, Message::parse(&bytes).unwrap())),
            _ => None,
        });
        match sent {
            Some((flow, Message::Response(response))) => (flow, response),
            other => panic!("no response but {other:?}"),
        }
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

#[test]
fn sources_can_be_replaced_while_running() {
    let mut rig = Rig::new();
    rig.endpoint.set_sources(Sources::default());
    assert_eq!(rig.answer(&request("OPTIONS", VIA, "")).1.status, 403);
    rig.endpoint.set_sources(Sources { trunks: vec![("192.0.2.2".parse().unwrap(), TrunkId(4))], phones: vec![] });
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

#[test]
fn responses_go_where_rfc_3261_and_3581_send_them() {
    for (via, remote, received) in [
        ("SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK1", "192.0.2.2:5070", None),
        ("SIP/2.0/UDP host.example;branch=z9hG4bK2", "192.0.2.2:5060", Some("192.0.2.2")),
        ("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK3", "192.0.2.2:7777", Some("192.0.2.2")),
        ("SIP/2.0/UDP 10.0.0.1:5070;maddr=192.0.2.77;branch=z9hG4bK4", "192.0.2.77:5070", Some("192.0.2.2")),
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
    let [EndpointAction::Transmit { bytes, .. }, EndpointAction::Invite { trunk, .. }] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!(*trunk, TrunkId(4));
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
    rig.endpoint.set_overloaded(true);
    let mut seen = Vec::new();
    for n in 0..30 {
        let invite = request("INVITE", &format!("{VIA}{n}"), "").replace("Call-ID: c1", &format!("Call-ID: shed{n}"));
        let response = rig.answer(&invite).1;
        assert_eq!(response.status, 503);
        seen.push(response.headers.retry_after().unwrap());
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, vec![1, 2, 3]);
    rig.endpoint.set_overloaded(false);
    assert!(rig.receive(&request("INVITE", VIA, "")).iter().any(|a| matches!(a, EndpointAction::Invite { .. })));
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
