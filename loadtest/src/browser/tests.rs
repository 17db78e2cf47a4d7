use super::*;
use crate::run::tests::free_ports;
use crate::run::{Voices, micros};
use crate::sockets::{since_1970, wait_for};
use cordboard_core::ids::{LegId, PeerId};
use cordboard_media::{Codec, Law, Media, MediaConfig, MediaEvent, RtpRemote, Source};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::mpsc::channel;

const PATIENCE: Duration = Duration::from_secs(20);
const CUSTOMER: LegId = LegId(1);
const AGENT: LegId = LegId(2);
const PEER: PeerId = PeerId(1);

fn deadline() -> impl Fn() {
    let began = Instant::now();
    move || assert!(began.elapsed() < PATIENCE, "not in time")
}

#[test]
fn a_browser_and_a_telephone_hear_each_others_speech_through_the_media_engine() {
    let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let folder = tempfile::tempdir().unwrap();
    let (tell, told) = channel();
    let config = MediaConfig {
        bind_ip: localhost,
        advertise_ip: localhost,
        rtp_ports: 26_000..=26_099,
        browser_addr: SocketAddr::new(localhost, 0),
        browser_advertise: Vec::new(),
        sounds_dir: None,
        spool_dir: folder.path().join("spool"),
        mp3_dir: folder.path().join("mp3"),
    };
    let media = Media::start(config, Arc::new(move |event| drop(tell.send(event)))).unwrap();

    let mut line = Line::open(&Arc::new(Identity::new().unwrap()), Ipv4Addr::LOCALHOST).unwrap();
    assert!(line.browser.protect(&[0x80; 172]).is_none() && line.browser.due(Instant::now()).is_empty());
    media.open_peer(PEER, line.browser.offer(), Codec::Pcmu);
    let MediaEvent::PeerAnswer { sdp, .. } = told.recv_timeout(PATIENCE).unwrap() else { panic!("no answer") };
    line.answered(&sdp).unwrap();
    let in_time = deadline();
    while !line.browser.is_up() {
        in_time();
        line.work().unwrap();
        wait_for(&[&line.socket], Some(CHECK_AGAIN)).unwrap();
    }
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), MediaEvent::PeerUp { peer: PEER });
    media.attach_peer(AGENT, PEER);

    let first = SocketAddrV4::new(Ipv4Addr::LOCALHOST, free_ports(1));
    let mut voices = Voices::open(first, 1, StdRng::seed_from_u64(7)).unwrap();
    let (customer, at) = voices.add(None);
    let SocketAddr::V4(to) = media.open_rtp(CUSTOMER).unwrap() else { panic!("no IPv4") };
    voices.turn(customer, Some(to));
    let remote = RtpRemote { addr: at.into(), rtcp: None, law: Law::Mu, payload_type: 0, dtmf_type: None, send: true, receive: true };
    media.set_remote(CUSTOMER, remote);
    let agent = voices.add_line(line).unwrap();
    voices.join(customer, agent);
    media.hear(CUSTOMER, Source::Leg(AGENT));
    media.hear(AGENT, Source::Leg(CUSTOMER));

    let (began, began_since_1970) = (Instant::now(), since_1970());
    let clock = || micros(began.elapsed());
    let (mut by_agent, mut by_customer) = (0, 0);
    let in_time = deadline();
    while by_agent < 30 || by_customer < 30 {
        in_time();
        voices.speak(clock(), clock).unwrap();
        voices.listen(began_since_1970).unwrap();
        (by_agent, by_customer) = (voices.heard(agent).own, voices.heard(customer).own);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(voices.partner_hears_anew(customer).unwrap().foreign, 0);
    assert_eq!(voices.heard(agent).packets, 0, "the next call is counted by itself");
    let heard = voices.remove(customer);
    assert_eq!((heard.foreign, heard.lost), (0, 0));
    assert!(voices.delay.value_at_quantile(0.5) < 100_000);
    let lines = voices.into_lines();
    assert!(lines.len() == 1 && lines.iter().all(|line| line.browser.is_up()));
}

#[test]
fn checks_are_sent_until_they_are_answered() {
    let identity = Arc::new(Identity::new().unwrap());
    let at = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9);
    let mut browser = Browser::new(&identity, at);
    let now = Instant::now();
    let answer = Browser::new(&identity, at).offer().replace("actpass", "active");
    browser.answered(&answer, now).unwrap();
    assert_eq!(browser.due(now).len(), 1, "a check");
    assert!(browser.due(now).is_empty(), "it is not sent again at once");
    let again = browser.due(now + CHECK_AGAIN);
    let [check] = &again[..] else { panic!("{again:?}") };
    let mut other = check.clone();
    // Somebody who does not know the password says that it was a success.
    other[..2].copy_from_slice(&[1, 1]);
    browser.receive(&other, now + CHECK_AGAIN);
    assert_eq!(browser.due(now + 2 * CHECK_AGAIN).len(), 1);
}
