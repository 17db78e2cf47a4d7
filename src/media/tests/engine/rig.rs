//! The engine with real sockets around it: a carrier that speaks RTP, a browser that is the WebRTC library's other end.

use cordboard_core::ids::{LegId, PeerId};
use cordboard_media::{Codec, Law, Media, MediaConfig, MediaEvent, RtpRemote, Source};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_PCMU, MIME_TYPE_TELEPHONE_EVENT};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::*;
use webrtc::runtime::TokioRuntime;

pub const CUSTOMER: LegId = LegId(0xC);
pub const AGENT: LegId = LegId(0xA);
pub const THIRD: LegId = LegId(0x3);
pub const FOURTH: LegId = LegId(0x4);
pub const EVENT_TYPE: u8 = 101;
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Nothing here takes longer on a working engine, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Each test's own range of RTP ports.
static NEXT_PORTS: AtomicU16 = AtomicU16::new(0);

pub struct Rig {
    pub media: Media,
    events: UnboundedReceiver<MediaEvent>,
    /// Told before it was asked for.
    early: Vec<MediaEvent>,
    pub folder: tempfile::TempDir,
}

impl Rig {
    pub fn start() -> Self {
        Rig::start_in(tempfile::tempdir().unwrap())
    }

    pub fn start_in(folder: tempfile::TempDir) -> Self {
        let (tell, events) = unbounded_channel();
        let first = 21_000 + NEXT_PORTS.fetch_add(1, Ordering::Relaxed) * 200;
        let config = MediaConfig {
            bind_ip: LOCALHOST,
            advertise_ip: LOCALHOST,
            rtp_ports: first..=first + 199,
            browser_addr: SocketAddr::new(LOCALHOST, 0),
            browser_advertise: Vec::new(),
            sounds_dir: Some(folder.path().to_path_buf()),
            spool_dir: folder.path().join("spool"),
            mp3_dir: folder.path().join("mp3"),
        };
        let media = Media::start(config, Arc::new(move |event| drop(tell.send(event)))).unwrap();
        Rig { media, events, early: Vec::new(), folder }
    }

    pub fn mp3_dir(&self) -> PathBuf {
        self.folder.path().join("mp3")
    }

    /// Waits for an event that `pick` takes; the others stay for later.
    pub async fn event<T>(&mut self, pick: impl Fn(&MediaEvent) -> Option<T>) -> T {
        for index in 0..self.early.len() {
            if let Some(picked) = pick(&self.early[index]) {
                self.early.remove(index);
                return picked;
            }
        }
        let waited = async {
            loop {
                let event = self.events.recv().await.expect("the engine runs");
                if let Some(picked) = pick(&event) {
                    return picked;
                }
                self.early.push(event);
            }
        };
        match tokio::time::timeout(PATIENCE, waited).await {
            Ok(picked) => picked,
            Err(_) => panic!("no such event; told were {:?}", self.early),
        }
    }

    pub async fn told(&mut self, expected: MediaEvent) {
        self.event(|event| (*event == expected).then_some(())).await;
    }

    /// Whether an event was told so far.
    pub fn has_told(&mut self, wanted: impl Fn(&MediaEvent) -> bool) -> bool {
        while let Ok(event) = self.events.try_recv() {
            self.early.push(event);
        }
        self.early.iter().any(wanted)
    }

    /// Puts a second of a tone into the sounds folder.
    pub fn wav(&self, name: &str, frequency: f64) {
        write_wav(&self.folder.path().join(name), frequency);
    }

    /// A carrier's call with its session agreed.
    pub async fn trunk(&self, leg: LegId, law: Law) -> Trunk {
        let trunk = Trunk::open(self, leg).await;
        self.media.set_remote(leg, trunk.remote(law));
        trunk
    }

    /// A browser, connected and attached to `leg`.
    pub async fn browser(&mut self, peer: PeerId, leg: LegId) -> Browser {
        let browser = self.browser_alone(peer).await;
        self.told(MediaEvent::PeerUp { peer }).await;
        self.media.attach_peer(leg, peer);
        self.told(MediaEvent::Attached { leg }).await;
        browser
    }

    /// A browser that has its answer and is connecting.
    pub async fn browser_alone(&mut self, peer: PeerId) -> Browser {
        self.connecting(peer, Browser::new(Vec::new()).await).await
    }

    /// The same with a browser that is there.
    pub async fn connecting(&mut self, peer: PeerId, mut browser: Browser) -> Browser {
        self.media.open_peer(peer, browser.offer().await, Codec::Pcmu);
        let answer = self
            .event(|event| match event {
                MediaEvent::PeerAnswer { peer: answered, sdp } if *answered == peer => Some(sdp.clone()),
                _ => None,
            })
            .await;
        browser.answer = answer.clone();
        browser.connection.set_remote_description(RTCSessionDescription::answer(answer).unwrap()).await.unwrap();
        browser
    }

    /// A customer on a trunk and an agent in a browser who hear each other.
    pub async fn call(&mut self, law: Law) -> (Trunk, Browser) {
        let trunk = self.trunk(CUSTOMER, law).await;
        let browser = self.browser(PeerId(1), AGENT).await;
        self.join();
        (trunk, browser)
    }

    /// All of these hear each other.
    pub fn confer(&self, legs: &[LegId]) {
        for leg in legs {
            self.media.hear(*leg, Source::Mix(legs.to_vec()));
        }
    }

    pub fn join(&self) {
        self.media.hear(CUSTOMER, Source::Leg(AGENT));
        self.media.hear(AGENT, Source::Leg(CUSTOMER));
    }
}

/// A second of a tone.
pub fn write_wav(path: &Path, frequency: f64) {
    let spec = hound::WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for index in 0..16_000 {
        let phase = f64::from(index) * frequency * std::f64::consts::TAU / 16_000.0;
        writer.write_sample((phase.sin() * 9000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// One packet that an end received.
#[derive(Debug, Clone)]
pub struct Heard {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
}

/// Judges the numbers of a stream of audio: no packet lacks, and the timestamp goes with the time.
pub fn unbroken(packets: &[Heard]) {
    for pair in packets.windows(2) {
        assert_eq!(pair[1].sequence.wrapping_sub(pair[0].sequence), 1, "sequence");
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        assert!((160..8000).contains(&step) && step % 8 == 0, "timestamp step {step}");
        assert_eq!(pair[1].ssrc, pair[0].ssrc);
    }
}

/// What an end received, and how to judge it.
pub struct Ear {
    packets: UnboundedReceiver<Heard>,
    pub law: Law,
}

impl Ear {
    pub async fn packet(&mut self) -> Heard {
        tokio::time::timeout(PATIENCE, self.packets.recv()).await.expect("a packet in time").expect("the end lives")
    }

    /// The next `count` packets.
    pub async fn packets(&mut self, count: usize) -> Vec<Heard> {
        let mut packets = Vec::new();
        while packets.len() < count {
            packets.push(self.packet().await);
        }
        packets
    }

    /// Forgets what came so far.
    pub fn forget(&mut self) {
        while self.packets.try_recv().is_ok() {}
    }

    pub fn is_empty(&mut self) -> bool {
        self.packets.is_empty()
    }

    /// Waits until ten packets in a row carry the tone and little else.
    pub async fn hears(&mut self, frequency: f64) {
        self.hears_together(&[frequency]).await;
    }

    /// Waits until ten packets in a row carry these tones, all about as loud, and little else.
    pub async fn hears_together(&mut self, frequencies: &[f64]) {
        let mut window: Vec<f64> = Vec::new();
        for _ in 0..1000 {
            let packet = self.packet().await;
            if packet.payload_type != self.law.payload_type() {
                continue;
            }
            window.extend(packet.payload.iter().map(|byte| f64::from(self.law.decode(*byte))));
            if window.len() >= 1600 {
                let shares: Vec<f64> = frequencies.iter().map(|frequency| share_of(&window, *frequency)).collect();
                let least = 0.6 / frequencies.len() as f64;
                if shares.iter().sum::<f64>() > 0.8 && shares.iter().all(|share| *share > least) {
                    return;
                }
                window.drain(..160);
            }
        }
        panic!("{frequencies:?} Hz were never heard");
    }

    /// The share of the tone in the next ten packets.
    pub async fn share(&mut self, frequency: f64) -> f64 {
        let mut window = Vec::new();
        for packet in self.packets(10).await {
            window.extend(packet.payload.iter().map(|byte| f64::from(self.law.decode(*byte))));
        }
        share_of(&window, frequency)
    }
}

/// Goertzel: the part of a signal's energy at one frequency, 0 to 1.
pub fn share_of(samples: &[f64], frequency: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * frequency / 8000.0).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        let next = sample + coefficient * one - two;
        (two, one) = (one, next);
    }
    let power = one * one + two * two - coefficient * one * two;
    let total: f64 = samples.iter().map(|sample| sample * sample).sum();
    if total < 1.0 { 0.0 } else { 2.0 * power / (total * samples.len() as f64) }
}

pub fn tone(frequency: f64, law: Law, frame: u64) -> Vec<u8> {
    (0..160u64)
        .map(|index| {
            let phase = (frame * 160 + index) as f64 * frequency * std::f64::consts::TAU / 8000.0;
            law.encode((phase.sin() * 9000.0) as i16)
        })
        .collect()
}

/// A carrier's end of one call.
pub struct Trunk {
    pub socket: Arc<UdpSocket>,
    /// The engine's RTP address.
    pub to: SocketAddr,
    pub ear: Ear,
    law: Law,
    ssrc: u32,
    sequence: Arc<AtomicU32>,
    tasks: Vec<JoinHandle<()>>,
}

impl Trunk {
    pub async fn open(rig: &Rig, leg: LegId) -> Self {
        Trunk::at(rig.media.open_rtp(leg).unwrap()).await
    }

    /// One that sends to an open leg, from an address and with a stream of its own.
    pub async fn at(to: SocketAddr) -> Self {
        let socket = Arc::new(UdpSocket::bind((LOCALHOST, 0)).await.unwrap());
        let (heard, packets) = unbounded_channel();
        let reader = Arc::clone(&socket);
        let task = tokio::spawn(async move {
            let mut buffer = [0; 2048];
            while let Ok((length, _)) = reader.recv_from(&mut buffer).await {
                let bytes = &buffer[..length];
                let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
                let packet = Heard {
                    marker: bytes[1] & 0x80 != 0,
                    payload_type: bytes[1] & 0x7F,
                    sequence: u16::from_be_bytes([bytes[2], bytes[3]]),
                    timestamp: word(4),
                    ssrc: word(8),
                    payload: bytes[12..].to_vec(),
                };
                if heard.send(packet).is_err() {
                    break;
                }
            }
        });
        let ear = Ear { packets, law: Law::Mu };
        let ssrc = socket.local_addr().unwrap().port().into();
        Trunk { socket, to, ear, law: Law::Mu, ssrc, sequence: Arc::new(AtomicU32::new(100)), tasks: vec![task] }
    }

    pub fn remote(&self, law: Law) -> RtpRemote {
        RtpRemote {
            addr: self.socket.local_addr().unwrap(),
            rtcp: None,
            law,
            payload_type: law.payload_type(),
            dtmf_type: Some(EVENT_TYPE),
            send: true,
            receive: true,
        }
    }

    pub fn use_law(mut self, law: Law) -> Self {
        self.law = law;
        self.ear.law = law;
        self
    }

    /// Speaks a tone from now on.
    pub fn speaks(&mut self, frequency: f64) {
        let (socket, to, law, ssrc, sequence) = (Arc::clone(&self.socket), self.to, self.law, self.ssrc, Arc::clone(&self.sequence));
        self.tasks.push(tokio::spawn(async move {
            let mut clock = tokio::time::interval(Duration::from_millis(20));
            for frame in 0.. {
                clock.tick().await;
                let number = sequence.fetch_add(1, Ordering::Relaxed);
                let datagram = rtp_datagram(law.payload_type(), number, number.wrapping_mul(160), ssrc, &tone(frequency, law, frame));
                socket.send_to(&datagram, to).await.unwrap();
            }
        }));
    }

    /// One packet of the stream.
    pub async fn sends(&self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        self.socket.send_to(&rtp_datagram(payload_type, number, timestamp, self.ssrc, payload), self.to).await.unwrap();
    }
}

impl Drop for Trunk {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

pub fn rtp_datagram(payload_type: u8, sequence: u32, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0x80, payload_type];
    datagram.extend_from_slice(&(sequence as u16).to_be_bytes());
    datagram.extend_from_slice(&timestamp.to_be_bytes());
    datagram.extend_from_slice(&ssrc.to_be_bytes());
    datagram.extend_from_slice(payload);
    datagram
}

/// A browser's end: full ICE on a socket of its own.
pub struct Browser {
    pub connection: Arc<dyn PeerConnection>,
    pub ear: Ear,
    pub answer: String,
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    sequence: Arc<AtomicU64>,
    gathered: UnboundedReceiver<()>,
    tasks: Vec<JoinHandle<()>>,
}

struct Handler {
    heard: UnboundedSender<Heard>,
    gathered: UnboundedSender<()>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.gathered.send(());
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let heard = self.heard.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
                let packet = Heard {
                    marker: packet.header.marker,
                    payload_type: packet.header.payload_type,
                    sequence: packet.header.sequence_number,
                    timestamp: packet.header.timestamp,
                    ssrc: packet.header.ssrc,
                    payload: packet.payload.to_vec(),
                };
                if heard.send(packet).is_err() {
                    break;
                }
            }
        });
    }
}

impl Browser {
    /// One that has these SRTP profiles; the library's own when there are none.
    pub async fn new(profiles: Vec<SrtpProtectionProfile>) -> Self {
        let codec = |mime: &str, format: &str| RTCRtpCodec {
            mime_type: mime.to_owned(),
            clock_rate: 8000,
            channels: 1,
            sdp_fmtp_line: format.to_owned(),
            rtcp_feedback: Vec::new(),
        };
        let codecs = [(0, codec(MIME_TYPE_PCMU, "")), (110, codec(MIME_TYPE_TELEPHONE_EVENT, "0-16"))]
            .map(|(payload_type, rtp_codec)| RTCRtpCodecParameters { rtp_codec, payload_type });
        let mut engine = MediaEngine::default();
        for codec in &codecs {
            engine.register_codec(codec.clone(), RtpCodecKind::Audio).unwrap();
        }
        let ssrc = 4242;
        let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            "s".into(),
            "a".into(),
            "l".into(),
            RtpCodecKind::Audio,
            vec![RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
                codec: codec(MIME_TYPE_PCMU, ""),
                ..Default::default()
            }],
        )));
        let (heard, packets) = unbounded_channel();
        let (gather, gathered) = unbounded_channel();
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(engine)
            .with_setting_engine(
                SettingEngineBuilder::new().with_include_loopback_candidate(true).with_srtp_protection_profiles(profiles).build(),
            )
            .with_interceptor_registry(configure_rtcp_reports(Registry::new()))
            .with_handler(Arc::new(Handler { heard, gathered: gather }))
            .with_runtime(Arc::new(TokioRuntime))
            .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
            .build()
            .await
            .unwrap();
        connection.add_track(Arc::<TrackLocalStaticRTP>::clone(&track)).await.unwrap();
        connection.get_transceivers().await[0].set_codec_preferences(codecs.to_vec()).await.unwrap();
        Browser {
            connection: Arc::new(connection),
            ear: Ear { packets, law: Law::Mu },
            answer: String::new(),
            track,
            ssrc,
            sequence: Arc::new(AtomicU64::new(500)),
            gathered,
            tasks: Vec::new(),
        }
    }

    pub async fn offer(&mut self) -> String {
        let offer = self.connection.create_offer(None).await.unwrap();
        self.connection.set_local_description(offer).await.unwrap();
        self.gathered.recv().await.unwrap();
        self.connection.local_description().await.unwrap().sdp
    }

    pub fn speaks(&mut self, frequency: f64) {
        let (track, ssrc, sequence) = (Arc::clone(&self.track), self.ssrc, Arc::clone(&self.sequence));
        self.tasks.push(tokio::spawn(async move {
            let mut clock = tokio::time::interval(Duration::from_millis(20));
            for frame in 0.. {
                clock.tick().await;
                let number = sequence.fetch_add(1, Ordering::Relaxed);
                let _ = track.write_rtp(packet(0, number, ssrc, tone(frequency, Law::Mu, frame))).await;
            }
        }));
    }

    /// One telephone event packet.
    pub async fn presses(&self, timestamp: u32, payload: &[u8]) {
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        let mut event = packet(110, number, self.ssrc, payload.to_vec());
        event.header.timestamp = timestamp;
        self.track.write_rtp(event).await.unwrap();
    }

    pub async fn leaves(mut self) {
        self.tasks.drain(..).for_each(|task| task.abort());
        self.connection.close().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn packet(payload_type: u8, number: u64, ssrc: u32, payload: Vec<u8>) -> rtc::rtp::Packet {
    rtc::rtp::Packet {
        header: rtc::rtp::header::Header {
            version: 2,
            payload_type,
            sequence_number: number as u16,
            timestamp: (number * 160) as u32,
            ssrc,
            ..Default::default()
        },
        payload: payload.into(),
    }
}
