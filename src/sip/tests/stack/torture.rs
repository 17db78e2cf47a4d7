//! The torture messages of RFC 4475, each through the endpoint as a trunk would send it.

#[path = "../rfc4475/reactions.rs"]
mod reactions;

use cordboard_core::cx::{CountingIds, Cx};
use cordboard_core::ids::TrunkId;
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::{Endpoint, EndpointAction, EndpointConfig, Flow, Sources};
use cordboard_sip::message::{Frame, Message, StreamFramer};
use reactions::Reaction::{self, Call, Nothing, Status};
use reactions::{DATAGRAMS, STREAMS};
use std::collections::HashSet;
use std::net::SocketAddr;

/// The messages of the RFC, byte for byte.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rfc4475");

fn message(name: &str) -> Vec<u8> {
    std::fs::read(format!("{FOLDER}/{name}.dat")).unwrap()
}

/// From the n-th port of the trunk.
fn flow(transport: Transport, n: u16) -> Flow {
    Flow { transport, local: "198.51.100.1:5060".parse().unwrap(), remote: SocketAddr::from(([192, 0, 2, 200], 5062 + n)) }
}

fn endpoint() -> Endpoint {
    let sources = Sources { trunks: vec![("192.0.2.200".parse().unwrap(), TrunkId(1))], phones: HashSet::new() };
    Endpoint::new(EndpointConfig { sources, ..EndpointConfig::default() })
}

fn reaction(endpoint: &mut Endpoint, flow: &Flow, bytes: &[u8]) -> Reaction {
    let mut ids = CountingIds(77);
    let actions = endpoint.receive(flow, bytes, &mut Cx::new(1, 0, 0, &mut ids));
    let mut reaction = Nothing;
    for action in actions {
        match action {
            EndpointAction::Transmit { flow: to, bytes } => {
                assert_eq!((to.transport, to.remote.ip()), (flow.transport, flow.remote.ip()));
                assert!(!flow.is_reliable() || to == *flow, "the answer goes where the request came from");
                // What answers a broken request may carry its broken headers back, but the status line is ours.
                let status: u16 = String::from_utf8_lossy(&bytes)[8..11].parse().unwrap();
                if let Ok(Message::Response(response)) = Message::parse(&bytes) {
                    assert!(response.headers.top_via().unwrap().params.has("received"), "the source differs from every Via");
                    assert!(status == 100 || response.headers.to_tag().is_some());
                }
                if status != 100 {
                    reaction = Status(status);
                }
            }
            EndpointAction::Invite(_) => reaction = Call,
            other => panic!("{other:?}"),
        }
    }
    reaction
}

#[test]
fn each_of_the_49_torture_messages_has_its_reaction() {
    let files = std::fs::read_dir(FOLDER).unwrap().filter(|f| f.as_ref().is_ok_and(|f| f.path().extension().is_some_and(|e| e == "dat")));
    assert_eq!(files.count(), DATAGRAMS.len());
    for (name, expected) in DATAGRAMS {
        let bytes = message(name);
        assert_eq!(reaction(&mut endpoint(), &flow(Transport::Udp, 0), &bytes), expected, "{name}");
    }
}

#[test]
fn torture_messages_over_a_stream_are_cut_by_their_length() {
    // Some of them share a Via: on a stream a request that was answered is not repeated (Timer J is 0).
    let mut endpoint = endpoint();
    for (n, (name, expected)) in (0..).zip(STREAMS) {
        let bytes = message(name);
        let mut framer = StreamFramer::default();
        let mut reactions = Vec::new();
        for piece in bytes.chunks(7) {
            for frame in framer.push(piece) {
                let (Frame::Message(message) | Frame::Broken(message)) = frame else { continue };
                reactions.push(reaction(&mut endpoint, &flow(Transport::Tcp, n), &message));
            }
        }
        assert_eq!(reactions, expected, "{name}");
    }
}
