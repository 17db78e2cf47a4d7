//! One browser's WebRTC connection: PCMU or Opus both ways, ICE-lite, on the shared browser port.

use crate::browser_reports::{BrowserReport, ReportReader};
use crate::browser_sdp;
use crate::control::Meter;
use crate::emodel;
use crate::event::{Codec, Quality};
use crate::g711::Law;
use crate::mux::{Mux, MuxRuntime};
use crate::narrow::Narrow;
use crate::outgoing::Outgoing;
use crate::reception::Reception;
use crate::rtp::Header;
use cordboard_core::ids::{LegId, PeerId};
use rand::Rng;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_PCMU, MIME_TYPE_TELEPHONE_EVENT};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::AbortHandle;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
};

/// Packets waiting for one browser; more are dropped. 64 are more than a second.
const OUT_QUEUE: usize = 64;
/// The library needs no network to gather; this only bounds a fault.
const GATHERING: Duration = Duration::from_secs(3);
/// The library looks at the address that a connection began with, and a browser may have gone on from another: it never gives one up (zero).
const ICE_DISCONNECTED: Duration = Duration::from_secs(5);
const ICE_FAILED: Duration = Duration::ZERO;
/// Before every slot of the library's own.
const NETWORK_SLOT: usize = 500;
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
    Library(#[from] webrtc::error::Error),
}

/// What a connection's tasks tell the engine.
pub enum Notice {
    Ready(PeerId, Result<Box<Negotiated>, PeerError>),
    State(PeerId, RTCPeerConnectionState),
    Track(PeerId, Arc<dyn TrackRemote>),
    Report(PeerId, BrowserReport),
}

/// A connection whose offer was answered.
pub struct Negotiated {
    pub connection: Arc<dyn PeerConnection>,
    pub track: Arc<TrackLocalStaticRTP>,
    pub ssrc: u32,
    pub answer: String,
    pub audio_type: u8,
    pub event_type: Option<u8>,
    pub narrow: Option<Narrow>,
    pub ufrag: String,
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
    pub ufrag: String,
    /// Payload types.
    pub audio_type: u8,
    pub event_type: Option<u8>,
    /// The voice is Opus on its way.
    pub narrow: Option<Narrow>,
    pub outgoing: Outgoing,
    pub reception: Reception,
    pub meter: Meter,
    /// Of what we send, as the browser sees it.
    pub reported: BrowserReport,
    /// DTLS is done and the browser is heard.
    pub up: bool,
    /// DTLS is done.
    pub connected: bool,
    /// `PeerLost` was told since it was last up.
    pub lost: bool,
    queue: mpsc::Sender<rtc::rtp::Packet>,
    tasks: Vec<AbortHandle>,
}

impl OpenPeer {
    /// Starts the task that hands packets to the library.
    pub fn start(negotiated: Negotiated) -> Self {
        let (queue, mut waiting) = mpsc::channel::<rtc::rtp::Packet>(OUT_QUEUE);
        let track = negotiated.track;
        let writer = tokio::task::spawn_local(async move {
            while let Some(packet) = waiting.recv().await {
                if let Err(error) = track.write_rtp(packet).await {
                    tracing::debug!(%error, "browser packet dropped");
                }
            }
        });
        OpenPeer {
            connection: negotiated.connection,
            ufrag: negotiated.ufrag,
            audio_type: negotiated.audio_type,
            event_type: negotiated.event_type,
            narrow: negotiated.narrow,
            outgoing: Outgoing::new(negotiated.ssrc, rand::random(), rand::random()),
            reception: Reception::default(),
            meter: Meter::default(),
            reported: BrowserReport::default(),
            up: false,
            connected: false,
            lost: false,
            queue,
            tasks: vec![writer.abort_handle()],
        }
    }

    /// A task that ends with the peer.
    pub fn owns(&mut self, task: AbortHandle) {
        self.tasks.push(task);
    }

    /// The quality of the last interval; `None` when the browser sent nothing.
    pub fn quality(&mut self) -> Option<Quality> {
        let heard = self.meter.interval(&self.reception)?;
        let reported = self.reported;
        let round_trip = reported.round_trip_ms.unwrap_or(0.0);
        let towards_us = emodel::mos(heard.loss_percent, heard.jitter_ms, round_trip);
        let towards_them = emodel::mos(reported.loss_percent, reported.jitter_ms, round_trip);
        Some(Quality {
            mos: towards_us.min(towards_them),
            loss_percent: heard.loss_percent.max(reported.loss_percent),
            jitter_ms: heard.jitter_ms.max(reported.jitter_ms),
            round_trip_ms: reported.round_trip_ms,
        })
    }

    /// Sends without ever waiting: a browser that cannot keep up loses packets. Audio is µ-law.
    pub fn send(&mut self, header: Header, payload: Vec<u8>) {
        let (header, payload) = match &mut self.narrow {
            None => (header, payload),
            // Where there is Opus there are no telephone events.
            Some(narrow) => match narrow.encode(header, &payload) {
                Ok(packet) => packet,
                Err(error) => return tracing::debug!(%error, "a frame could not be encoded"),
            },
        };
        let packet = rtc::rtp::Packet {
            header: rtc::rtp::header::Header {
                version: 2,
                marker: header.marker,
                payload_type: header.payload_type,
                sequence_number: header.sequence,
                timestamp: header.timestamp,
                ssrc: header.ssrc,
                ..Default::default()
            },
            payload: payload.into(),
        };
        if self.queue.try_send(packet).is_err() {
            tracing::trace!("browser queue full");
        }
    }
}

impl Drop for OpenPeer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
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

/// Answers a browser's offer. The connection comes up on its own; its states and its track go to `notices`.
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
    let clock = f64::from(audio.clock_rate) / 1000.0;
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
    let settings = SettingEngineBuilder::new()
        .with_lite(true)
        .with_ice_credentials(ufrag.clone(), password.clone())
        .with_include_loopback_candidate(true)
        // An ICE-lite end asks nobody: no need of a multicast route, and no answer to names it is told.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_timeouts(Some(ICE_DISCONNECTED), Some(ICE_FAILED), Some(ICE_KEEPALIVE))
        .build();
    // Nearest to the network: it must see the reports that the library's own interceptors make and take.
    let interceptors =
        configure_rtcp_reports(Registry::new()).with(Slot::from(NETWORK_SLOT), ReportReader::new(peer, ssrc, clock, notices.clone()));
    let (gathered, mut gathering) = mpsc::channel(1);
    let connection: Arc<dyn PeerConnection> = Arc::new(
        PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(engine)
            .with_setting_engine(settings)
            .with_interceptor_registry(interceptors)
            .with_handler(Arc::new(Handler { peer, gathered, notices }))
            .with_runtime(Arc::new(MuxRuntime::new(mux, peer, ufrag.clone(), password)))
            .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
            .build()
            .await?,
    );
    let answered = async {
        connection.add_track(Arc::<TrackLocalStaticRTP>::clone(&track)).await?;
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
            Ok(Box::new(Negotiated { connection, track, ssrc, answer, audio_type, event_type, narrow, ufrag }))
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

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.tell(Notice::Track(self.peer, track));
    }
}
