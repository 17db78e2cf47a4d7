use super::uri::{check_address, check_via};
use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Request {
    match Message::parse(text.as_bytes()).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response"),
    }
}

#[test]
fn compact_names_folded_lines_and_lists_are_read() {
    let request = parse(
        "\r\n\r\nINVITE sip:+4930@[2001:db8::1]:5070;user=phone SIP/2.0\r\nv: SIP/2.0/UDP [2001:db8::2];branch=z9hG4bKa , SIP/2.0/TCP b:5\r\n\
         f : \"A, B\" <tel:+4420>;tag=1\r\nt: <sip:a.b@c>\r\ni: x\r\nCSeq: 1\r\n INVITE\r\nk: timer,100rel\r\nX-Own: y\r\n\r\nbody",
    );
    let vias: Vec<Via> = request.headers.list(Field::Via).unwrap().iter().map(|via| via.parse().unwrap()).collect();
    assert_eq!((vias.len(), vias[1].port, vias[1].transport.as_str()), (2, Some(5), "TCP"));
    assert_eq!(vias[0].host.ip(), Some("2001:db8::2".parse().unwrap()));
    assert_eq!(request.called(), "+4930");
    let from = request.headers.from().unwrap();
    assert_eq!((from.display.as_deref(), from.uri.user().as_deref(), from.tag()), (Some("A, B"), Some("+4420"), Some("1")));
    assert_eq!(request.headers.to().unwrap().uri.user().as_deref(), Some("a.b"));
    assert!(request.headers.lists(Field::Supported, "100REL"));
    assert_eq!(request.body, b"body");
    assert_eq!(request.uri.to_string(), "sip:+4930@[2001:db8::1]:5070;user=phone");
}

#[test]
fn what_is_written_reads_back_the_same_with_a_binary_body() {
    let mut request = Request::new(Method::Other("FETCH".into()), "sip:a@b".parse().unwrap());
    request.headers.push(Field::Via, "SIP/2.0/UDP h;branch=z9hG4bK1");
    request.headers.push(Field::From, "<sip:a@b>;tag=t");
    request.headers.push(Field::To, "<sip:c@d>");
    request.headers.push(Field::CallId, "c");
    request.headers.push(Field::CSeq, "7 FETCH");
    request.headers.push(Field::SessionExpires, "90;refresher=uas");
    request.body = vec![0, 255, 13, 10, 128];
    let bytes = request.to_bytes();
    let Message::Request(mut back) = Message::parse(&bytes).unwrap() else { panic!("a response") };
    assert_eq!(back.headers.session_expires(), Some(SessionExpires { seconds: 90, refresher: Some(Refresher::Uas) }));
    back.headers.remove(Field::ContentLength);
    assert_eq!(back, request);
}

#[test]
fn every_method_that_rsip_knows_is_read_and_written_as_it_does() {
    for method in rsip::Method::all() {
        let ours = Method::Known(method);
        assert_eq!((ours.name(), Method::parse(&method.to_string())), (method.to_string().as_str(), Some(ours.clone())));
    }
    assert_eq!(Method::parse("Invite"), Some(Method::Other("Invite".into())));
}

#[test]
fn a_stream_yields_whole_messages_and_answers_pings() {
    let mut framer = StreamFramer::default();
    assert_eq!(framer.push(b"\r\n\r\nOPTIONS a SIP/2.0\r\nl"), vec![Frame::Ping]);
    assert_eq!(framer.push(b": 3\r\n\r\nab"), vec![]);
    assert_eq!(framer.push(b"c\r\n"), vec![Frame::Message(b"OPTIONS a SIP/2.0\r\nl: 3\r\n\r\nabc".to_vec())]);
    assert_eq!(framer.push(b"\r\n"), vec![Frame::Ping]);
    assert!(matches!(framer.push(b"X SIP/2.0\r\nContent-Length: -1\r\n\r\n").as_slice(), [Frame::Broken(_)]));
    assert_eq!(framer.push(b"\r\n\r\n"), vec![]);
    let mut framer = StreamFramer::default();
    assert!(matches!(framer.push(&vec![b'a'; 40_000]).as_slice(), [Frame::Broken(_)]));
    let mut framer = StreamFramer::default();
    assert!(matches!(framer.push(b"OPTIONS a SIP/2.0\r\nl: 70000\r\n\r\n").as_slice(), [Frame::Broken(_)]), "longer than a datagram");
}

#[test]
fn a_stream_in_the_smallest_pieces_yields_the_same() {
    let head = format!("OPTIONS a SIP/2.0\r\nX: {}\r\nl: 60000\r\n\r\n", "a".repeat(30_000));
    let whole = [head.as_bytes(), &[b'\r'; 60_000]].concat();
    let pings = b"\r\n\r\n".repeat(1 << 16);
    let mut framer = StreamFramer::default();
    let frames: Vec<Frame> = whole.chunks(1).flat_map(|piece| framer.push(piece)).collect();
    assert_eq!(frames, [Frame::Message(whole)]);
    assert_eq!(framer.push(&pings).len(), 1 << 16);
}

#[test]
fn a_response_gets_its_tag_and_its_phrase() {
    let request =
        parse("BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: sip:x@y\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n");
    let mut response = request.response(486);
    response.set_to_tag("zz");
    response.set_to_tag("other");
    assert_eq!(response.reason, "Busy Here");
    assert_eq!(response.headers.to_tag(), Some("zz"));
    assert_eq!(response.headers.to().unwrap().uri.to_string(), "sip:x@y");
}

#[test]
fn a_broken_request_names_its_answer_and_a_broken_response_is_dropped() {
    let status = |text: &str| match Message::parse(text.as_bytes()) {
        Err(ParseError::Refused { response, .. }) => response.status,
        Err(ParseError::Dropped(_) | ParseError::KeepAlive) => 0,
        Ok(_) => 200,
    };
    let rest = "Via: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: sip:x@y\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n";
    assert_eq!(status(&format!("BYE sip:a@b SIP/3.0\r\n{rest}")), 505);
    assert_eq!(status(&format!("BYE  sip:a@b SIP/2.0\r\n{rest}")), 400);
    assert_eq!(status(&format!("INVITE sip:a@b SIP/2.0\r\n{rest}")), 400);
    assert_eq!(status("ACK sip:a@b SIP/2.0\r\n\r\n"), 0);
    assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), 0);
    assert_eq!(status(&format!("SIP/2.0 2000 OK\r\n{rest}")), 0);
    assert_eq!(status(&format!("SIP/2.0 200\r\n{rest}")), 200);
}

#[test]
fn the_reason_header_tells_its_q850_cause() {
    let mut headers = Headers::default();
    headers.push(Field::Reason, "SIP;cause=487;text=\"a, b\", Q.850 ;cause=17;text=\"busy\"");
    assert_eq!(headers.q850(), Some(17));
}

#[test]
fn a_user_part_is_escaped_and_read_back_whole() {
    let uri = Uri::sip("a b@ü\r\nX: y", "192.0.2.1:5060".parse().unwrap());
    assert_eq!(uri.to_string(), "sip:a%20b%40%C3%BC%0D%0AX%3A%20y@192.0.2.1:5060");
    assert_eq!(uri.user().as_deref(), Some("a b@ü\r\nX: y"));
    let mut headers = Headers::default();
    headers.push(Field::Reason, "a\r\nEvil: b");
    assert_eq!(headers.get(Field::Reason), Some("a  Evil: b"));
}

proptest! {
    /// Most of a message is only checked: what is found right can be read, and nothing else.
    #[test]
    fn what_is_found_right_is_what_can_be_read(whole in prop::sample::select(WHOLE), at in 0..60usize, end in 0..60usize, part in prop::sample::select(PARTS)) {
        let (head, tail) = (whole.get(..at).unwrap_or(whole), whole.get(end..).unwrap_or_default());
        let text = format!("{head}{part}{tail}");
        prop_assert_eq!(check_address(&text).err(), text.parse::<NameAddr>().err());
        prop_assert_eq!(check_via(&text).err(), text.parse::<Via>().err());
    }
}

const WHOLE: &[&str] = &[
    "\"A, B\" <sips:a%20b@[2001:db8::1]:5061;lr?x=y>;tag=1",
    "sip:+4420@example.com:5060;user=phone",
    "Anna <tel:+4420;ext=1>;tag=2",
    "<mailto:a@b>",
    "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK1",
    "SIP / 2.0 / TCP host.example;received=192.0.2.2",
];
const PARTS: &[&str] =
    &["", "/", " ", "sip:", "<", ">", "\"", "\\", "ü", "\u{a0}", "a", "9", "@", ":", "99999", ";", "=", "?", ",", "[", "]", "%", "-"];
