//! How the switch reacts to each message of RFC 4475 from a trunk: for the tests of the endpoint and of the running switch.

/// What a message leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reaction {
    /// A new call.
    Call,
    /// This final response of the endpoint.
    Status(u16),
    Nothing,
}

use Reaction::{Call, Nothing, Status};

/// As one datagram: what RFC 4475 names, or one of the choices that it leaves.
pub const DATAGRAMS: [(&str, Reaction); 49] = [
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

/// As the bytes of a stream, which the messages' own lengths cut into pieces: the reaction to each piece.
pub const STREAMS: [(&str, &[Reaction]); 13] = [
    ("intmeth", &[Status(501)]),
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
];
