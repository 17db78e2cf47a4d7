//! Digits that the switch sends (D7): what a carrier gets, packet by packet and tone by tone.

use crate::rig::*;
use cordboard_media::{DtmfMode, Law, MediaEvent, RtpRemote, Source};

/// Collects what an end receives from the first packet that `starts` until `enough` packets after it.
async fn from_first(ear: &mut Ear, starts: impl Fn(&Heard) -> bool, enough: usize) -> Vec<Heard> {
    // Ten seconds.
    for _ in 0..500 {
        let first = ear.packet().await;
        if starts(&first) {
            let mut packets = vec![first];
            packets.extend(ear.packets(enough - 1).await);
            return packets;
        }
    }
    panic!("it never came");
}

/// The two tones of every key (ITU-T Q.23).
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
const KEYPAD: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// The key whose two tones a packet carries, both and nothing else.
fn key_in(packet: &Heard, law: Law) -> Option<char> {
    let samples: Vec<f64> = packet.payload.iter().map(|byte| f64::from(law.decode(*byte))).collect();
    let loudest = |tones: [f64; 4]| {
        let shares = tones.map(|tone| share_of(&samples, tone));
        let best = (0..4).max_by(|a, b| shares[*a].total_cmp(&shares[*b]))?;
        (shares[best] > 0.25).then_some(best)
    };
    Some(KEYPAD[loudest(ROWS)?][loudest(COLUMNS)?])
}

/// The keys heard in a stream of packets, each with the number of packets it lasted.
fn keys_in(packets: &[Heard], law: Law) -> Vec<(char, usize)> {
    let keys: Vec<Option<char>> = packets.iter().map(|packet| key_in(packet, law)).collect();
    keys.chunk_by(|a, b| a == b).filter_map(|run| Some((run[0]?, run.len()))).collect()
}

#[tokio::test]
async fn a_digit_goes_out_as_a_whole_event_and_the_conversation_waits() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    rig.media.send_digit(CUSTOMER, '7', DtmfMode::Rfc4733);
    let packets = from_first(&mut trunk.ear, |packet| packet.payload_type == EVENT_TYPE, 20).await;
    for pair in packets.windows(2) {
        assert!(pair[1].sequence.wrapping_sub(pair[0].sequence) == 1 && pair[1].ssrc == pair[0].ssrc, "{pair:?}");
    }
    let events = &packets[..8];
    assert!(events.iter().all(|packet| packet.payload_type == EVENT_TYPE), "audio in the middle of a digit: {events:?}");
    assert!(events.iter().enumerate().all(|(index, packet)| packet.marker == (index == 0) && packet.timestamp == events[0].timestamp));
    let durations: Vec<u16> = events.iter().map(|packet| u16::from_be_bytes([packet.payload[2], packet.payload[3]])).collect();
    assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800, 800]);
    assert!(events.iter().enumerate().all(|(index, packet)| packet.payload[0] == 7 && (packet.payload[1] & 0x80 != 0) == (index >= 5)));
    let after = &packets[8];
    assert!(after.payload_type == 0 && after.marker, "{after:?}");
    assert!(after.timestamp.wrapping_sub(events[0].timestamp) >= 800, "the audio overlaps the digit");
    trunk.ear.hears(1000.0).await;
}

#[tokio::test]
async fn two_digits_at_once_arrive_one_after_the_other_and_are_received_as_two() {
    let mut rig = Rig::start();
    let mut trunk = rig.trunk(CUSTOMER, Law::Mu).await;
    // What goes out to the carrier comes back in on another leg: the switch is its own witness.
    let witness = rig.trunk(THIRD, Law::Mu).await;
    rig.media.hear(CUSTOMER, Source::Music("music".into()));
    for digit in ['4', '4', '*'] {
        rig.media.send_digit(CUSTOMER, digit, DtmfMode::Rfc4733);
    }
    let packets = from_first(&mut trunk.ear, |packet| packet.payload_type == EVENT_TYPE, 24).await;
    for packet in &packets {
        assert_eq!(packet.payload_type, EVENT_TYPE);
        witness.sends(EVENT_TYPE, packet.timestamp, &packet.payload).await;
    }
    for digit in ['4', '4', '*'] {
        rig.told(MediaEvent::Digit { leg: THIRD, digit }).await;
    }
    assert!(!rig.has_told(|event| matches!(event, MediaEvent::Digit { .. })), "a digit too many");
    let next = trunk.ear.packet().await;
    assert_eq!((next.payload_type, next.marker), (0, true), "the music goes on");
}

#[tokio::test]
async fn tones_in_band_are_every_keys_own_in_both_laws() {
    for law in [Law::A, Law::Mu] {
        let rig = Rig::start();
        let mut trunk = rig.trunk(CUSTOMER, law).await.use_law(law);
        rig.media.hear(CUSTOMER, Source::Silence);
        let keys: String = KEYPAD.iter().flatten().collect();
        for digit in keys.chars() {
            rig.media.send_digit(CUSTOMER, digit, DtmfMode::InBand);
        }
        let packets = from_first(&mut trunk.ear, |packet| key_in(packet, law).is_some(), 16 * 8).await;
        unbroken(&packets);
        let expected: Vec<(char, usize)> = keys.chars().map(|key| (key, 5)).collect();
        assert_eq!(keys_in(&packets, law), expected);
    }
}

#[tokio::test]
async fn a_carrier_without_telephone_events_gets_tones_in_place_of_the_conversation() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    rig.media.set_remote(CUSTOMER, RtpRemote { dtmf_type: None, ..trunk.remote(Law::Mu) });
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    rig.media.send_digit(CUSTOMER, '0', DtmfMode::Rfc4733);
    rig.media.send_digit(CUSTOMER, '9', DtmfMode::Rfc4733);
    let packets = from_first(&mut trunk.ear, |packet| key_in(packet, Law::Mu).is_some(), 16).await;
    assert!(packets.iter().all(|packet| packet.payload_type == 0));
    unbroken(&packets);
    assert_eq!(keys_in(&packets, Law::Mu), [('0', 5), ('9', 5)]);
    trunk.ear.hears(1000.0).await;
}

#[tokio::test]
async fn a_prompt_waits_for_the_digit_and_plays_to_its_end() {
    let mut rig = Rig::start();
    let mut trunk = rig.trunk(CUSTOMER, Law::Mu).await;
    rig.media.play(CUSTOMER, vec!["ding-dong".into()], 7);
    rig.media.send_digit(CUSTOMER, '1', DtmfMode::Rfc4733);
    let mut packets = vec![];
    while !rig.has_told(|event| *event == MediaEvent::Played { leg: CUSTOMER, token: 7 }) {
        packets.push(trunk.ear.packet().await);
    }
    assert_eq!(packets.iter().filter(|packet| packet.payload_type == EVENT_TYPE).count(), 8);
    // 1.3 seconds of chimes.
    let audio = packets.iter().filter(|packet| packet.payload_type == 0).count();
    assert!(audio >= 65, "{audio}");
}
