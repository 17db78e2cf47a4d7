//! One browser's WebRTC connection: PCMU or Opus both ways, ICE-lite, on the shared browser port. The library negotiates it, keeps ICE and shakes hands by DTLS;
//! packets of RTP and RTCP pass it by.

use crate::browser_sdp;
use crate::control::{Control, Meter};
use crate::event::Codec;
use crate::g711::Law;
use crate::mux::{Inbox, Mux, MuxRuntime};
use crate::narrow::Narrow;
use crate::outbox::Outbox;
use crate::outgoing::Outgoing;
use crate::reception::Reception;
use crate::rtcp;
use crate::rtp::{HEADER_LEN, Header};
use crate::srtp::Srtp;
use crate::srtp_keys::{KeyNotes, PROFILES};
use bytes::BytesMut;
use cordboard_core::ids::{LegId, PeerId};
use rand::Rng;
use rtc::crypto::default_provider;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_PCMU, MIME_TYPE_TELEPHONE_EVENT};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use thiserror::Error;
use tokio::sync::mpsc::{self, UnboundedSender};
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
};

/// The library needs no network to gather; this only bounds a fault.
const GATHERING: Duration = Duration::from_secs(3);
/// The library looks at the address that a connection began with, and a browser may have gone on from another: it never gives one up (zero).
const ICE_DISCONNECTED: Duration = Duration::from_secs(5);
const ICE_FAILED: Duration = Duration::ZERO;
const ICE_KEEPALIVE: Duration = Duration::from_secs(2);

/// Why an offer was not answered.
#[derive(Debug, Error)]
pub enum PeerError {
    #[error("the offer has no PCMU audio")]
    NoCommonCodec,
    #[error("Opus: {0}")]
    Opus(#[from] opus::Error),
    #[error("candidates were not gathered in time")]
    Gathering,
    #[error("{0}")]
    Cryptography(#[from] rtc::crypto::CryptoError),
    #[error("{0}")]
    Library(#[from] webrtc::error::Error),
}

/// What a connection's tasks tell the engine.
pub enum Notice {
    Ready(PeerId, Result<Box<Negotiated>, PeerError>),
    State(PeerId, RTCPeerConnectionState),
}

/// A connection whose offer was answered.
pub struct Negotiated {
    pub connection: Arc<dyn PeerConnection>,
    pub answer: String,
    inbox: Arc<Inbox>,
    socket: Arc<UdpSocket>,
    keys: Arc<KeyNotes>,
    ssrc: u32,
    /// Of the voice's timestamps.
    clock: u32,
    audio_type: u8,
    event_type: Option<u8>,
    narrow: Option<Narrow>,
}

/// The engine's view of a browser.
pub struct Peer {
    pub state: PeerState,
    /// The leg whose audio this browser is.
    pub leg: Option<LegId>,
    pub opened: Instant,
}

/// How far a connection has come.
pub enum PeerState {
    /// The offer is being answered.
    Negotiating,
    Open(Box<OpenPeer>),
}

/// A connection that has been answered.
pub struct OpenPeer {
    pub connection: Arc<dyn PeerConnection>,
    pub inbox: Arc<Inbox>,
    /// Payload types.
    pub audio_type: u8,
    pub event_type: Option<u8>,
    /// The voice is Opus on its way.
    pub narrow: Option<Narrow>,
    pub outgoing: Outgoing,
    pub reception: Reception,
    pub control: Control,
    pub meter: Meter,
    /// DTLS is done and the browser is heard.
    pub up: bool,
    /// `PeerLost` was told since it was last up.
    pub lost: bool,
    socket: Arc<UdpSocket>,
    keys: Arc<KeyNotes>,
    /// From the end of the handshake to that of the connection.
    srtp: Option<Srtp>,
}

impl OpenPeer {
    pub fn new(negotiated: Negotiated) -> Self {
        OpenPeer {
            connection: negotiated.connection,
            inbox: negotiated.inbox,
            audio_type: negotiated.audio_type,
            event_type: negotiated.event_type,
            narrow: negotiated.narrow,
            // In the lower half: a browser that misses the first packets must not miss their numbers' turn too (RFC 3711 section 3.3.1).
            outgoing: Outgoing::new(negotiated.ssrc, rand::random::<u16>() / 2, rand::random()),
            reception: Reception::default(),
            control: Control::new(negotiated.clock, Instant::now()),
            meter: Meter::default(),
            up: false,
            lost: false,
            socket: negotiated.socket,
            keys: negotiated.keys,
            srtp: None,
        }
    }

    /// DTLS is done, this time or earlier.
    pub fn connected(&mut self) {
        if self.srtp.is_none() {
            self.srtp = self.keys.take().and_then(|masters| Srtp::new(masters).ok());
        }
        if self.srtp.is_none() {
            tracing::error!("a browser's connection has no keys");
        }
    }

    pub fn closed(&mut self) {
        self.srtp = None;
    }

    pub fn is_connected(&self) -> bool {
        self.srtp.is_some()
    }

    /// Sends a packet that begins with `header`. Audio is µ-law.
    pub fn send(&mut self, header: &Header, mut packet: Vec<u8>, outbox: &mut Outbox) {
        if let Some(narrow) = &mut self.narrow {
            // Where there is Opus there are no telephone events.
            match narrow.encode(*header, packet.get(HEADER_LEN..).unwrap_or_default()) {
                Ok((header, payload)) => {
                    packet.clear();
                    header.write(&mut packet);
                    packet.extend_from_slice(&payload);
                }
                Err(error) => return tracing::debug!(%error, "a frame could not be encoded"),
            }
        }
        let protected = self.srtp.as_mut().and_then(|srtp| srtp.protect(header, &packet));
        if let (Some(packet), Some(to)) = (protected, self.inbox.voice_goes()) {
            outbox.push(&self.socket, to, |out| out.extend_from_slice(&packet));
        }
    }

    /// Sends a report when one is due.
    pub fn report(&mut self, outbox: &mut Outbox, now: Instant) {
        let (Some(srtp), Some(to)) = (&mut self.srtp, self.inbox.voice_goes()) else { return };
        let report = self.control.due(&self.outgoing, &mut self.reception, now, SystemTime::now(), rand::random());
        if let Some(packet) = report.and_then(|report| srtp.protect_control(&report)) {
            outbox.push(&self.socket, to, |out| out.extend_from_slice(&packet));
        }
    }

    /// A packet of the browser's RTP. Its reports are read here.
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Instant) -> Option<BytesMut> {
        let srtp = self.srtp.as_mut()?;
        if !rtcp::is_rtcp(datagram) {
            let packet = srtp.open(datagram)?;
            self.inbox.voice_came(from, now);
            return Some(packet);
        }
        if let Some(reports) = srtp.open_control(datagram).and_then(|packet| rtcp::parse(&packet)) {
            self.control.receive(&reports, self.outgoing.ssrc(), now, SystemTime::now());
        }
        None
    }
}

/// Closes a connection in the background.
pub fn close(connection: Arc<dyn PeerConnection>) {
    tokio::task::spawn_local(async move {
        if let Err(error) = connection.close().await {
            tracing::debug!(%error, "closing a browser connection");
        }
    });
}

/// Answers a browser's offer. The connection comes up on its own; its states go to `notices`.
pub async fn negotiate(
    mux: Arc<Mux>,
    peer: PeerId,
    offer: String,
    wanted: Codec,
    (advertised, port): (Vec<IpAddr>, u16),
    notices: UnboundedSender<Notice>,
) -> Result<Box<Negotiated>, PeerError> {
    if !browser_sdp::offers_pcmu(&offer) {
        return Err(PeerError::NoCommonCodec);
    }
    let offer = browser_sdp::prepare_offer(&offer);
    let (ufrag, password) = (letters(8), letters(32));
    // The library answers with its own number for a codec, so it is given the browser's.
    let opus = if wanted == Codec::Opus { browser_sdp::opus_payload_type(&offer) } else { None };
    let narrow = opus.map(|_| Narrow::new()).transpose()?;
    let (audio_type, audio, event_type) = match opus {
        Some(payload_type) => (payload_type, opus_codec(), None),
        None => (Law::Mu.payload_type(), codec(MIME_TYPE_PCMU, ""), browser_sdp::event_payload_type(&offer)),
    };
    let clock = audio.clock_rate;
    let ssrc: u32 = rand::random();
    let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        "cordboard".into(),
        "call".into(),
        "call".into(),
        RtpCodecKind::Audio,
        vec![RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
            codec: audio.clone(),
            ..Default::default()
        }],
    )));
    let mut engine = MediaEngine::default();
    let offered = [(Some(audio_type), audio), (event_type, codec(MIME_TYPE_TELEPHONE_EVENT, "0-16"))];
    for (payload_type, rtp_codec) in offered {
        if let Some(payload_type) = payload_type {
            engine.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type }, RtpCodecKind::Audio)?;
        }
    }
    let keys = Arc::new(KeyNotes::new(default_provider()?));
    let settings = SettingEngineBuilder::new()
        .with_lite(true)
        .with_ice_credentials(ufrag.clone(), password.clone())
        .with_include_loopback_candidate(true)
        // An ICE-lite end asks nobody: no need of a multicast route, and no answer to names it is told.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_timeouts(Some(ICE_DISCONNECTED), Some(ICE_FAILED), Some(ICE_KEEPALIVE))
        .with_srtp_protection_profiles(PROFILES.to_vec())
        .with_crypto_provider(Arc::<KeyNotes>::clone(&keys))
        .build();
    let socket = Arc::clone(mux.socket());
    let runtime = MuxRuntime::new(mux, peer, ufrag, password);
    let inbox = runtime.inbox();
    let (gathered, mut gathering) = mpsc::channel(1);
    let connection: Arc<dyn PeerConnection> = Arc::new(
        PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(engine)
            .with_setting_engine(settings)
            .with_interceptor_registry(Registry::new())
            .with_handler(Arc::new(Handler { peer, gathered, notices }))
            .with_runtime(Arc::new(runtime))
            .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
            .build()
            .await?,
    );
    let answered = async {
        connection.add_track(track).await?;
        connection.set_remote_description(RTCSessionDescription::offer(offer)?).await?;
        let answer = connection.create_answer(None).await?;
        connection.set_local_description(answer).await?;
        tokio::time::timeout(GATHERING, gathering.recv()).await.map_err(|_| PeerError::Gathering)?;
        let local = connection.local_description().await.ok_or(PeerError::Gathering)?;
        Ok::<String, PeerError>(browser_sdp::finish_answer(&local.sdp, &advertised, port))
    }
    .await;
    match answered {
        Ok(answer) => {
            let event_type = browser_sdp::event_payload_type(&answer);
            Ok(Box::new(Negotiated { connection, answer, inbox, socket, keys, ssrc, clock, audio_type, event_type, narrow }))
        }
        Err(error) => {
            close(connection);
            Err(error)
        }
    }
}

fn codec(mime_type: &str, format: &str) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate: 8000,
        channels: 1,
        sdp_fmtp_line: format.to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

/// Opus as we like to be sent it: a telephone's band, and with what stands in for lost packets (RFC 7587 section 6.1).
fn opus_codec() -> RTCRtpCodec {
    let format = "maxplaybackrate=8000;maxaveragebitrate=24000;useinbandfec=1";
    RTCRtpCodec { clock_rate: 48_000, channels: 2, ..codec(MIME_TYPE_OPUS, format) }
}

/// Random letters: `ice-char`s (RFC 8839 section 5.4), some 4.7 bits each.
fn letters(count: usize) -> String {
    let mut random = rand::rng();
    (0..count).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect()
}

struct Handler {
    peer: PeerId,
    gathered: mpsc::Sender<()>,
    notices: UnboundedSender<Notice>,
}

impl Handler {
    fn tell(&self, notice: Notice) {
        if self.notices.send(notice).is_err() {
            tracing::trace!("the media engine has ended");
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete && self.gathered.try_send(()).is_err() {
            tracing::trace!("gathered more than once");
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.tell(Notice::State(self.peer, state));
    }
}
