//! Mutated messages: nothing from the network may panic, and what is understood is written as it was understood.

use crate::pair::{Pair, Who};
use cordboard_core::leg::{SignalCommand, SignalEvent};
use cordboard_sip::message::{Frame, Message, StreamFramer};
use cordboard_sip::sdp::{Description, LocalMedia};
use proptest::prelude::*;

/// One change of the bytes.
#[derive(Clone, Debug)]
enum Edit {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    /// Copies a piece to another place.
    Copy(prop::sample::Index, usize, prop::sample::Index),
    Cut(prop::sample::Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<prop::sample::Index>;
    let special = prop::sample::select(vec![
        "\r\n",
        "\r\n\r\n",
        ":",
        ";",
        ",",
        "<",
        ">",
        "\"",
        "\\",
        "%",
        "@",
        "?",
        "=",
        " ",
        "\t",
        "[",
        "]",
        "::1",
        "*",
        "\0",
        "é",
        "\u{ff}",
        "-1",
        "99999999999",
        "sip:",
        "tel:",
        "SIP/2.0",
        ";tag=",
        "m=audio 0 RTP/AVP\r\n",
        "c=IN IP6 ::\r\n",
        "a=rtpmap:",
    ]);
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(i, b)| Edit::Set(i, b)),
        4 => (at(), special).prop_map(|(i, s)| Edit::Insert(i, s.as_bytes().to_vec())),
        3 => (at(), 1_usize..40).prop_map(|(i, n)| Edit::Remove(i, n)),
        2 => (at(), 1_usize..60, at()).prop_map(|(i, n, to)| Edit::Copy(i, n, to)),
        1 => at().prop_map(Edit::Cut),
    ]
}

fn mutate(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        if bytes.is_empty() {
            break;
        }
        let len = bytes.len();
        match edit {
            Edit::Set(at, byte) => bytes[at.index(len)] = *byte,
            Edit::Insert(at, what) => {
                let at = at.index(len);
                bytes.splice(at..at, what.iter().copied());
            }
            Edit::Remove(at, count) => {
                let at = at.index(len);
                bytes.drain(at..(at + count).min(len));
            }
            Edit::Copy(from, count, to) => {
                let from = from.index(len);
                let piece = bytes[from..(from + count).min(len)].to_vec();
                let to = to.index(len);
                bytes.splice(to..to, piece);
            }
            Edit::Cut(at) => bytes.truncate(at.index(len)),
        }
    }
    bytes
}

/// All messages of a call with all its turns.
fn messages() -> Vec<Vec<u8>> {
    let mut pair = Pair::new();
    let (a, b) = pair.connected();
    pair.with(Who::A, a, |s, cx| s.reoffer(LocalMedia::new("192.0.2.1:999".parse().unwrap(), 1), cx));
    pair.run(1_000_000);
    pair.command(Who::B, b, SignalCommand::HangUp { q850: Some(16) });
    pair.run(100);
    let c = pair.call(Who::A);
    pair.run(50);
    pair.command(Who::A, c, SignalCommand::HangUp { q850: None });
    pair.run(1_000);
    pair.messages.iter().map(|(_, m)| m.to_bytes()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_panics_and_what_is_read_is_written_to_be_read_the_same(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec(edit(), 1..8),
        pieces in 1_usize..50,
    ) {
        thread_local!(static MESSAGES: Vec<Vec<u8>> = messages());
        let bytes = mutate(MESSAGES.with(|m| which.get(m).clone()), &edits);
        if let Ok(message) = Message::parse(&bytes) {
            let written = message.to_bytes();
            let again = Message::parse(&written);
            prop_assert!(again.is_ok(), "{:?} of {:?}", again, String::from_utf8_lossy(&written));
            prop_assert_eq!(again.unwrap().to_bytes(), written);
        }
        let mut framer = StreamFramer::default();
        for piece in bytes.chunks(pieces) {
            for frame in framer.push(piece) {
                if let Frame::Message(bytes) | Frame::Broken(bytes) = frame {
                    let _ = Message::parse(&bytes);
                }
            }
        }
        let local = LocalMedia::new("192.0.2.1:4000".parse().unwrap(), 1);
        let body = bytes.windows(3).position(|w| w == b"v=0").map_or(&bytes[..], |at| &bytes[at..]);
        if let Ok(offer) = Description::parse(body)
            && let Ok((answer, remote)) = offer.answer(&local)
        {
            let back = LocalMedia::new(remote.addr, 2);
            prop_assert!(Description::parse(answer.as_bytes()).is_ok_and(|offer| offer.answer(&back).is_ok()), "{}", answer);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_messages_amid_a_call_leave_the_switch_working(
        edits in prop::collection::vec(prop::collection::vec(edit(), 1..4), 4..24),
    ) {
        let mut pair = Pair::new();
        let (a, b) = pair.connected();
        let before: Vec<_> = pair.messages.iter().map(|(from, m)| (*from, m.to_bytes())).collect();
        for (n, edits) in edits.iter().enumerate() {
            let (from, bytes) = before[n % before.len()].clone();
            let bytes = mutate(bytes, edits);
            pair.put(from.other(), bytes.clone(), 1);
            pair.put(from, bytes, 2);
            pair.run(300);
        }
        for (who, leg) in [(Who::A, a), (Who::B, b)] {
            pair.command(who, leg, SignalCommand::HangUp { q850: None });
        }
        pair.run(100_000);
        let (a, b) = pair.connected();
        pair.command(Who::A, a, SignalCommand::HangUp { q850: None });
        pair.run(1_000);
        prop_assert!(pair.events(Who::B, b).ends_with(&[SignalEvent::HungUp, SignalEvent::Closed]));
    }
}
