//! The torture messages of RFC 4475, each through the endpoint as a trunk would send it.

use cordboard_core::cx::{CountingIds, Cx};
use cordboard_core::ids::TrunkId;
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::{Endpoint, EndpointAction, EndpointConfig, Flow, Sources};
use cordboard_sip::message::{Frame, Message, StreamFramer};
use std::path::PathBuf;

/// What a message leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reaction {
    /// A new call.
    Call,
    /// This final response of the endpoint.
    Status(u16),
    Nothing,
}

use Reaction::{Call, Nothing, Status};

/// As one datagram: what RFC 4475 names, or one of the choices that it leaves.
const TABLE: [(&str, Reaction); 49] = [
    // Valid, however odd.
    ("wsinv", Status(481)), // To has a tag, and there is no such dialog
    ("intmeth", Status(501)),
    ("esc01", Call),
    ("escnull", Status(405)),
    ("esc02", Status(501)), // RE%47IST%45R is not REGISTER
    ("lwsdisp", Status(200)),
    ("longreq", Call),
    ("dblreq", Status(405)), // what follows the first message in a datagram is passed over
    ("semiuri", Status(200)),
    ("transports", Status(200)),
    ("mpart01", Status(405)),
    ("unreason", Nothing), // responses to nothing of ours
    ("noreason", Nothing),
    // Invalid.
    ("badinv01", Status(400)),
    ("clerr", Status(400)),
    ("ncl", Status(400)),
    ("scalar02", Status(400)),
    ("scalarlg", Nothing),
    ("quotbal", Status(400)),
    ("ltgtruri", Status(400)),
    ("lwsruri", Status(400)),
    ("lwsstart", Status(400)),
    ("trws", Status(400)),
    ("escruri", Status(400)),
    ("baddate", Call), // a Date that tells nothing is passed over
    ("regbadct", Status(400)),
    ("badaspec", Status(400)),
    ("baddn", Status(400)),
    ("badvers", Status(505)),
    ("mismatch01", Status(400)),
    ("mismatch02", Status(501)),
    ("bigcode", Nothing),
    // Transaction layer.
    ("badbranch", Status(200)),
    // Application layer.
    ("insuf", Status(400)),
    ("unkscm", Status(416)),
    ("novelsc", Status(416)),
    ("unksm2", Status(405)),
    ("bext01", Status(420)),
    ("invut", Status(415)),
    ("regaut01", Status(405)),
    ("multi01", Status(400)),
    ("mcl01", Status(400)),
    ("bcast", Nothing),
    ("zeromf", Status(483)),
    ("cparam01", Status(405)),
    ("cparam02", Status(405)),
    ("regescrt", Status(405)),
    ("sdp01", Status(406)),
    ("inv2543", Call),
];

/// The messages of the RFC, byte for byte.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/rfc4475")
}

fn flow(transport: Transport) -> Flow {
    Flow { transport, local: "198.51.100.1:5060".parse().unwrap(), remote: "192.0.2.200:5062".parse().unwrap() }
}

fn endpoint() -> Endpoint {
    let sources = Sources { trunks: vec![("192.0.2.200".parse().unwrap(), TrunkId(1))], phones: vec![] };
    Endpoint::new(EndpointConfig { sources, user_agent: String::new() })
}

fn reaction(endpoint: &mut Endpoint, flow: &Flow, bytes: &[u8]) -> Reaction {
    let mut ids = CountingIds(77);
    let actions = endpoint.receive(flow, bytes, &mut Cx::new(1, 0, 0, &mut ids));
    let mut reaction = Nothing;
    for action in actions {
        match action {
            EndpointAction::Transmit { flow: to, bytes } => {
                assert_eq!((to.transport, to.remote.ip()), (flow.transport, flow.remote.ip()));
                // What answers a broken request may carry its broken headers back, but the status line is ours.
                let status: u16 = String::from_utf8_lossy(&bytes)[8..11].parse().unwrap();
                if let Ok(Message::Response(response)) = Message::parse(&bytes) {
                    assert!(response.headers.vias().unwrap()[0].params.has("received"), "the source differs from every Via");
                    assert!(status == 100 || response.headers.to_tag().is_some());
                }
                if status != 100 {
                    reaction = Status(status);
                }
            }
            EndpointAction::Invite { .. } => reaction = Call,
            other => panic!("{other:?}"),
        }
    }
    reaction
}

#[test]
fn each_of_the_49_torture_messages_has_its_reaction() {
    let folder = folder();
    let files = std::fs::read_dir(&folder).unwrap().filter(|f| f.as_ref().is_ok_and(|f| f.path().extension().is_some_and(|e| e == "dat")));
    assert_eq!(files.count(), TABLE.len());
    for (name, expected) in TABLE {
        let bytes = std::fs::read(folder.join(format!("{name}.dat"))).unwrap();
        assert_eq!(reaction(&mut endpoint(), &flow(Transport::Udp), &bytes), expected, "{name}");
    }
}

#[test]
fn torture_messages_over_a_stream_are_cut_by_their_length() {
    let folder = folder();
    for (name, expected) in [
        ("intmeth", &[Status(501)][..]),
        ("esc02", &[Status(501)]),
        ("longreq", &[Call]),
        ("scalar02", &[Status(400)]),
        ("scalarlg", &[Nothing]),
        ("trws", &[Status(400)]),
        ("unkscm", &[Status(416)]),
        ("novelsc", &[Status(416)]),
        ("regaut01", &[Status(405)]),
        // Two requests in one stream are two. The second one's body is longer than it says, and the stream cannot be trusted after it.
        ("dblreq", &[Status(405), Call, Nothing]),
        // The rest of the body may still come.
        ("clerr", &[]),
        // A length that cannot be known: refused, and no more is read.
        ("ncl", &[Status(400)]),
        ("mcl01", &[Status(400)]),
    ] {
        let bytes = std::fs::read(folder.join(format!("{name}.dat"))).unwrap();
        let (mut endpoint, mut framer) = (endpoint(), StreamFramer::default());
        let mut reactions = Vec::new();
        for piece in bytes.chunks(7) {
            for frame in framer.push(piece) {
                let (Frame::Message(message) | Frame::Broken(message)) = frame else { continue };
                reactions.push(reaction(&mut endpoint, &flow(Transport::Tcp), &message));
            }
        }
        assert_eq!(reactions, expected, "{name}");
    }
}
