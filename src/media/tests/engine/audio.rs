//! Who hears what, and with which numbers.

use crate::rig::*;
use cordboard_core::ids::{LegId, PeerId};
use cordboard_media::{Codec, Law, MediaEvent, RtpRemote, Source};
use tokio::net::UdpSocket;

#[tokio::test]
async fn customer_and_agent_hear_each_other() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    trunk.speaks(600.0);
    browser.speaks(1000.0);
    browser.ear.hears(600.0).await;
    trunk.ear.hears(1000.0).await;
}

#[tokio::test]
async fn an_a_law_trunk_is_converted_both_ways() {
    let mut rig = Rig::start();
    let (trunk, mut browser) = rig.call(Law::A).await;
    let mut trunk = trunk.use_law(Law::A);
    trunk.speaks(600.0);
    browser.speaks(1000.0);
    browser.ear.hears(600.0).await;
    trunk.ear.hears(1000.0).await;
}

/// F7.
#[tokio::test]
async fn a_browser_is_heard_and_hears_in_whichever_encryption_it_has() {
    use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
    for profile in [SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80] {
        let mut rig = Rig::start();
        let mut trunk = rig.trunk(CUSTOMER, Law::Mu).await;
        let mut browser = rig.connecting(PeerId(1), Browser::new(vec![profile]).await).await;
        rig.media.attach_peer(AGENT, PeerId(1));
        rig.told(MediaEvent::Attached { leg: AGENT }).await;
        rig.join();
        trunk.speaks(600.0);
        browser.speaks(1000.0);
        browser.ear.hears(600.0).await;
        trunk.ear.hears(1000.0).await;
    }
}

/// D2.
#[tokio::test]
async fn on_hold_the_customer_hears_music_only_and_the_agent_still_hears_the_customer() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    trunk.speaks(600.0);
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    browser.ear.hears(600.0).await;

    rig.media.hear(CUSTOMER, Source::Music("music".into()));
    while trunk.ear.share(1000.0).await > 0.5 {}
    for _ in 0..10 {
        assert!(trunk.ear.share(1000.0).await < 0.3, "the customer hears the agent on hold");
    }
    let loud = trunk.ear.packets(50).await.iter().flat_map(|packet| packet.payload.clone()).any(|byte| Law::Mu.decode(byte) > 2000);
    assert!(loud, "there is no music");
    browser.ear.forget();
    browser.ear.hears(600.0).await;

    rig.media.hear(CUSTOMER, Source::Leg(AGENT));
    trunk.ear.hears(1000.0).await;
}

#[tokio::test]
async fn silence_of_our_own_stands_in_for_a_customer_who_sends_nothing() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    let packets = browser.ear.packets(100).await;
    unbroken(&packets);
    assert!(packets.iter().filter(|packet| packet.marker).count() < 10, "one spurt, not one a packet");
    trunk.speaks(600.0);
    browser.ear.hears(600.0).await;
}

/// RFC 6263.
#[tokio::test]
async fn a_carrier_gets_a_packet_a_second_while_the_agent_sends_nothing() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    let mut last = trunk.ear.packet().await;
    let mut alone = 0;
    while alone < 3 {
        let packet = trunk.ear.packet().await;
        assert_eq!(packet.sequence.wrapping_sub(last.sequence), 1);
        let since = packet.timestamp.wrapping_sub(last.timestamp);
        // What came before the two were joined was silence without a pause.
        alone += u32::from(since >= 8000);
        assert!(since < 8000 + 1600 && (alone == 0 || since >= 8000), "{since} samples after the one before");
        assert!(packet.payload.iter().all(|byte| *byte == Law::Mu.silence()));
        last = packet;
    }
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
}

/// D3.
#[tokio::test]
async fn a_muted_agent_is_silence_to_the_customer() {
    let mut rig = Rig::start();
    let (trunk, mut browser) = rig.call(Law::A).await;
    let mut trunk = trunk.use_law(Law::A);
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    rig.media.hear(CUSTOMER, Source::Silence);
    loop {
        let packet = trunk.ear.packet().await;
        if packet.payload.iter().all(|byte| *byte == Law::A.silence()) {
            break;
        }
    }
    for packet in trunk.ear.packets(25).await {
        assert!(packet.payload.iter().all(|byte| *byte == Law::A.silence()));
    }
}

/// D2.
#[tokio::test]
async fn music_starts_with_the_next_packets_and_numbers_never_break() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    browser.speaks(1000.0);
    let mut packets = trunk.ear.packets(20).await;
    for round in 0..4 {
        let source = if round % 2 == 0 { Source::Music("music".into()) } else { Source::Leg(AGENT) };
        rig.media.hear(CUSTOMER, source);
        packets.extend(trunk.ear.packets(15).await);
    }
    rig.media.play(CUSTOMER, vec!["ding-dong".into()], 7);
    rig.told(MediaEvent::Played { leg: CUSTOMER, token: 7 }).await;
    packets.extend(trunk.ear.packets(60).await);
    unbroken(&packets);
    assert!(packets.iter().any(|packet| packet.marker) && packets.iter().any(|packet| !packet.marker));
}

/// C6.
#[tokio::test]
async fn a_prompt_plays_over_the_conversation_and_gives_way_to_it() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    trunk.speaks(600.0);
    browser.ear.hears(600.0).await;
    rig.media.play(AGENT, vec!["ding-dong".into()], 1);
    // The first chime is an E5.
    browser.ear.hears(659.26).await;
    rig.told(MediaEvent::Played { leg: AGENT, token: 1 }).await;
    browser.ear.forget();
    browser.ear.hears(600.0).await;
}

#[tokio::test]
async fn an_unknown_sound_is_over_at_once() {
    let mut rig = Rig::start();
    let _trunk = rig.trunk(CUSTOMER, Law::Mu).await;
    rig.media.play(CUSTOMER, vec!["no such sound".into()], 3);
    rig.told(MediaEvent::Played { leg: CUSTOMER, token: 3 }).await;
    rig.media.play(LegId(99), vec!["ding-dong".into()], 4);
    rig.told(MediaEvent::Played { leg: LegId(99), token: 4 }).await;
}

#[tokio::test]
async fn a_wav_file_of_the_sounds_folder_is_played_by_its_name() {
    let mut rig = Rig::start();
    rig.wav("our welcome.wav", 700.0);
    let mut trunk = rig.trunk(CUSTOMER, Law::Mu).await;
    rig.media.play(CUSTOMER, vec!["our welcome".into()], 5);
    trunk.ear.hears(700.0).await;
    rig.told(MediaEvent::Played { leg: CUSTOMER, token: 5 }).await;
    rig.media.hear(CUSTOMER, Source::Music("our welcome".into()));
    trunk.ear.hears(700.0).await;
}

/// C2.
#[tokio::test]
async fn sounds_are_played_one_after_another_and_an_unknown_one_is_left_out() {
    let mut rig = Rig::start();
    for (name, frequency) in [("one.wav", 700.0), ("two.wav", 1100.0)] {
        rig.wav(name, frequency);
    }
    let mut trunk = rig.trunk(CUSTOMER, Law::Mu).await;
    rig.media.play(CUSTOMER, ["one", "no such sound", "../two", "two"].map(Into::into).to_vec(), 5);
    trunk.ear.hears(700.0).await;
    trunk.ear.hears(1100.0).await;
    assert!(!rig.has_told(|event| matches!(event, MediaEvent::Played { .. })), "told before the end");
    rig.told(MediaEvent::Played { leg: CUSTOMER, token: 5 }).await;
}

/// C2.
#[tokio::test]
async fn who_is_to_hear_something_else_hears_it_at_once_and_not_the_rest_of_the_prompt() {
    let mut rig = Rig::start();
    rig.wav("long.wav", 700.0);
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    rig.media.hear(CUSTOMER, Source::Music("music".into()));
    rig.media.play(CUSTOMER, vec!["long".into(); 20], 1);
    trunk.ear.hears(700.0).await;
    rig.media.hear(CUSTOMER, Source::Leg(AGENT));
    trunk.ear.hears(1000.0).await;
    for _ in 0..10 {
        assert!(trunk.ear.share(700.0).await < 0.05, "the prompt goes on");
    }
    assert!(!rig.has_told(|event| matches!(event, MediaEvent::Played { .. })), "what was cut off did not play to its end");
}

#[tokio::test]
async fn an_operators_own_file_is_heard_in_place_of_the_shipped_sound() {
    let folder = tempfile::tempdir().unwrap();
    write_wav(&folder.path().join("busy.wav"), 700.0);
    write_wav(&folder.path().join("number-1.wav"), 1100.0);
    let rig = Rig::start_in(folder);
    let mut trunk = rig.trunk(CUSTOMER, Law::Mu).await;
    rig.media.hear(CUSTOMER, Source::Busy);
    trunk.ear.hears(700.0).await;
    rig.media.play(CUSTOMER, vec!["number-1".into()], 1);
    trunk.ear.hears(1100.0).await;
}

/// For how many packets the next whole tone sounds, and the next whole rest lasts.
async fn cadence(ear: &mut Ear) -> (usize, usize) {
    let mut runs: Vec<(bool, usize)> = Vec::new();
    while runs.len() < 4 {
        let packet = ear.packet().await;
        let sounds = packet.payload.iter().any(|byte| ear.law.decode(*byte) > 1000);
        match runs.last_mut() {
            Some((kind, length)) if *kind == sounds => *length += 1,
            _ => runs.push((sounds, 1)),
        }
    }
    // The first run may have begun before we listened.
    if runs[1].0 { (runs[1].1, runs[2].1) } else { (runs[2].1, runs[1].1) }
}

/// E5.
#[tokio::test]
async fn busy_and_congestion_have_their_own_cadence() {
    let rig = Rig::start();
    for (source, name, seconds) in [(Source::Busy, "busy", 0.35), (Source::Congestion, "congestion", 0.25)] {
        for source in [source, Source::Music(name.into())] {
            let mut trunk = rig.trunk(CUSTOMER, Law::A).await.use_law(Law::A);
            rig.media.hear(CUSTOMER, source.clone());
            trunk.ear.hears(425.0).await;
            let (sounds, rests) = cadence(&mut trunk.ear).await;
            let near = |frames: usize| (frames as f64 * 0.02 - seconds).abs() < 0.021;
            assert!(near(sounds) && near(rests), "{source:?}: {sounds} and {rests} frames");
            rig.media.close(CUSTOMER);
        }
    }
}

/// E5.
#[tokio::test]
async fn ringback_is_heard_before_the_answer() {
    let rig = Rig::start();
    let mut trunk = rig.trunk(CUSTOMER, Law::A).await.use_law(Law::A);
    rig.media.hear(CUSTOMER, Source::Ringback);
    trunk.ear.hears(425.0).await;
}

#[tokio::test]
async fn a_key_press_is_told_once_and_reaches_the_other_side_as_an_event() {
    let mut rig = Rig::start();
    let (trunk, mut browser) = rig.call(Law::Mu).await;
    for (flags, duration) in [(0x0A, 160u16), (0x0A, 320), (0x8A, 480), (0x8A, 480), (0x8A, 480)] {
        let [high, low] = duration.to_be_bytes();
        trunk.sends(EVENT_TYPE, 50_000, &[5, flags, high, low]).await;
    }
    rig.told(MediaEvent::Digit { leg: CUSTOMER, digit: '5' }).await;
    let mut events = Vec::new();
    while events.len() < 5 {
        let packet = browser.ear.packet().await;
        if packet.payload_type == 110 {
            events.push(packet);
        }
    }
    assert!(events.iter().all(|event| event.payload[0] == 5 && event.timestamp == events[0].timestamp));
    assert!(events[4].payload[1] & 0x80 != 0);
    assert!(!rig.has_told(|event| matches!(event, MediaEvent::Digit { .. })), "told twice");
}

#[tokio::test]
async fn an_agents_key_press_reaches_the_carrier() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    browser.presses(77_000, &[11, 0x8A, 0, 160]).await;
    rig.told(MediaEvent::Digit { leg: AGENT, digit: '#' }).await;
    loop {
        let packet = trunk.ear.packet().await;
        if packet.payload_type == EVENT_TYPE {
            assert_eq!(packet.payload, [11, 0x8A, 0, 160]);
            break;
        }
    }
}

#[tokio::test]
async fn a_far_side_behind_nat_is_found_and_strangers_are_not_heard() {
    let mut rig = Rig::start();
    let mut trunk = Trunk::open(&rig, CUSTOMER).await;
    // The SDP names an address that nobody answers at.
    let told = RtpRemote { addr: "127.0.0.1:9".parse().unwrap(), ..trunk.remote(Law::Mu) };
    rig.media.set_remote(CUSTOMER, told);
    let mut browser = rig.browser(PeerId(1), AGENT).await;
    rig.join();
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // Not of this session: another payload type teaches nothing.
    stranger.send_to(&rtp_datagram(3, 1, 0, 5, &[0; 160]), trunk.to).await.unwrap();
    trunk.speaks(600.0);
    browser.ear.hears(600.0).await;
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    // A valid packet from elsewhere is neither relayed nor learned.
    for number in 0..20 {
        stranger.send_to(&rtp_datagram(0, number, number * 160, 5, &tone(2000.0, Law::Mu, u64::from(number))), trunk.to).await.unwrap();
    }
    for _ in 0..5 {
        assert!(browser.ear.share(2000.0).await < 0.05);
    }
    trunk.ear.forget();
    trunk.ear.hears(1000.0).await;
}

#[tokio::test]
async fn calls_share_a_port_and_each_hears_its_own_far_side() {
    let mut rig = Rig::start();
    let (mut first, mut browser) = rig.call(Law::Mu).await;
    first.speaks(600.0);
    browser.speaks(1000.0);
    browser.ear.hears(600.0).await;
    first.ear.hears(1000.0).await;
    // Its far side is found, so the next two may have their places there, one after another; these two hear each other.
    let [mut second, mut third] = [rig.trunk(THIRD, Law::Mu).await, rig.trunk(FOURTH, Law::A).await.use_law(Law::A)];
    assert_eq!(second.to, first.to);
    assert_ne!(third.to, first.to, "the second is not found yet");
    rig.media.hear(THIRD, Source::Leg(FOURTH));
    rig.media.hear(FOURTH, Source::Leg(THIRD));
    second.speaks(1400.0);
    third.speaks(1800.0);
    second.ear.hears(1800.0).await;
    third.ear.hears(1400.0).await;
    first.ear.forget();
    browser.ear.forget();
    first.ear.hears(1000.0).await;
    browser.ear.hears(600.0).await;
    // One of them hangs up and goes on to speak: the next at the port, behind a NAT, does not hear that.
    rig.media.close(CUSTOMER);
    let mut later = Trunk::open(&rig, CUSTOMER).await;
    assert_eq!(later.to, first.to);
    rig.media.set_remote(CUSTOMER, RtpRemote { addr: "127.0.0.1:9".parse().unwrap(), ..later.remote(Law::Mu) });
    rig.join();
    browser.ear.forget();
    // For a part of the two seconds in which any address is learned.
    for _ in 0..5 {
        assert!(browser.ear.share(600.0).await < 0.05);
    }
    later.speaks(800.0);
    browser.ear.hears(800.0).await;
    later.ear.hears(1000.0).await;
}

#[tokio::test]
async fn who_is_told_to_hear_a_leg_before_it_is_open_hears_it_from_then_on() {
    let mut rig = Rig::start();
    let mut agent = rig.browser(PeerId(1), AGENT).await;
    rig.media.hear(AGENT, Source::Leg(CUSTOMER));
    let mut customer = rig.trunk(CUSTOMER, Law::Mu).await;
    customer.speaks(600.0);
    agent.ear.hears(600.0).await;
    rig.media.close(CUSTOMER);
    assert_eq!(rig.media.sizes().await.map(|sizes| sizes.heard), Some(1), "the agent's leg has not been told otherwise");
    rig.media.hear(AGENT, Source::Silence);
    assert_eq!(rig.media.sizes().await.map(|sizes| sizes.heard), Some(0));
}

#[tokio::test]
async fn a_held_session_is_neither_sent_to_nor_heard() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    trunk.speaks(600.0);
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    browser.ear.hears(600.0).await;
    rig.media.set_remote(CUSTOMER, RtpRemote { send: false, receive: false, ..trunk.remote(Law::Mu) });
    // Silence of our own shows that the customer is not relayed any more.
    while browser.ear.share(600.0).await > 0.1 {}
    trunk.ear.forget();
    assert!(browser.ear.share(600.0).await < 0.1);
    assert!(trunk.ear.is_empty());
}

/// A9.
#[tokio::test]
async fn two_browsers_share_the_port_and_a_leg_moves_between_them() {
    let mut rig = Rig::start();
    let (mut trunk, mut first) = rig.call(Law::Mu).await;
    trunk.speaks(600.0);
    first.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    first.ear.hears(600.0).await;

    let mut second = rig.browser_alone(PeerId(2)).await;
    rig.told(MediaEvent::PeerUp { peer: PeerId(2) }).await;
    second.speaks(1400.0);
    rig.media.attach_peer(AGENT, PeerId(2));
    rig.told(MediaEvent::Attached { leg: AGENT }).await;
    second.ear.hears(600.0).await;
    trunk.ear.hears(1400.0).await;
    assert!(trunk.ear.share(1000.0).await < 0.05);
    let port = format!(" {} typ host", rig.media.browser_addr().port());
    assert!(first.answer.contains(&port) && second.answer.contains(&port), "one port for all");
}

/// F7.
#[tokio::test]
async fn a_browser_without_a_call_is_sent_nothing() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    trunk.speaks(600.0);
    browser.ear.hears(600.0).await;
    rig.media.close(AGENT);
    rig.media.play(CUSTOMER, vec!["ding-dong".into()], 1);
    rig.told(MediaEvent::Played { leg: CUSTOMER, token: 1 }).await;
    browser.ear.forget();
    rig.media.play(CUSTOMER, vec!["ding-dong".into()], 2);
    rig.told(MediaEvent::Played { leg: CUSTOMER, token: 2 }).await;
    assert!(browser.ear.is_empty());
}

#[tokio::test]
async fn an_offer_that_cannot_be_taken_is_told() {
    let mut rig = Rig::start();
    rig.media.open_peer(PeerId(1), "nonsense".into(), Codec::Pcmu);
    rig.event(|event| matches!(event, MediaEvent::PeerFailed { peer: PeerId(1), .. }).then_some(())).await;
    rig.media.open_peer(PeerId(2), "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n".into(), Codec::Pcmu);
    rig.event(|event| matches!(event, MediaEvent::PeerFailed { peer: PeerId(2), .. }).then_some(())).await;
    rig.media.attach_peer(AGENT, PeerId(1));
    rig.told(MediaEvent::AttachFailed { leg: AGENT }).await;
}

/// F7.
#[tokio::test]
async fn a_leg_may_wait_for_its_browser_to_connect() {
    let mut rig = Rig::start();
    let mut trunk = rig.trunk(CUSTOMER, Law::Mu).await;
    trunk.speaks(600.0);
    let mut browser = rig.browser_alone(PeerId(1)).await;
    rig.media.attach_peer(AGENT, PeerId(1));
    rig.join();
    rig.told(MediaEvent::Attached { leg: AGENT }).await;
    browser.ear.hears(600.0).await;
}

/// B3.
#[tokio::test]
async fn a_browser_that_falls_silent_is_lost() {
    let mut rig = Rig::start();
    let browser = rig.browser(PeerId(1), AGENT).await;
    browser.leaves().await;
    rig.told(MediaEvent::PeerLost { peer: PeerId(1) }).await;
}

/// B3. A page tries again with a new path, and never closes this one.
#[tokio::test]
async fn a_browser_that_never_connects_is_gone() {
    let mut rig = Rig::start();
    rig.media.open_peer(PeerId(1), Browser::new(Vec::new()).await.offer().await, Codec::Pcmu);
    rig.event(|event| matches!(event, MediaEvent::PeerAnswer { .. }).then_some(())).await;
    rig.event(|event| matches!(event, MediaEvent::PeerFailed { peer: PeerId(1), .. }).then_some(())).await;
    rig.media.attach_peer(AGENT, PeerId(1));
    rig.told(MediaEvent::AttachFailed { leg: AGENT }).await;
}
