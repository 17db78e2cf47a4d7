//! An agent's browser as far as it speaks and listens: one WebRTC connection that sends a tone from its first moment to its last.

use super::tone;
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::peer_connection::configuration::media_engine::MIME_TYPE_PCMU;
use rtc::rtp::{Packet, header::Header};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
};
use webrtc::runtime::TokioRuntime;

const PACKET: Duration = Duration::from_millis(20);
/// Gathering asks nobody outside.
const GATHERING: Duration = Duration::from_secs(20);

pub struct Voice {
    connection: Box<dyn PeerConnection>,
    gathered: watch::Receiver<bool>,
    heard: Arc<AtomicU64>,
    speaking: JoinHandle<()>,
}

#[derive(Debug)]
pub struct VoiceError(String);

impl std::fmt::Display for VoiceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the voice path: {}", self.0)
    }
}

impl std::error::Error for VoiceError {}

impl From<webrtc::error::Error> for VoiceError {
    fn from(error: webrtc::error::Error) -> Self {
        Self(error.to_string())
    }
}

/// What the connection tells.
struct Ear {
    gathered: watch::Sender<bool>,
    connected: watch::Sender<bool>,
    /// Packets with sound in them.
    heard: Arc<AtomicU64>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Ear {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.connected.send_replace(state == RTCPeerConnectionState::Connected);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let heard = Arc::clone(&self.heard);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event
                    && tone::is_loud(&packet.payload)
                {
                    heard.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
}

impl Voice {
    /// A connection from any port of `host` that has yet to be offered; it will send a tone of `hertz`.
    pub async fn new(hertz: u32, host: Ipv4Addr) -> Result<Self, VoiceError> {
        let codec = RTCRtpCodec {
            mime_type: MIME_TYPE_PCMU.to_owned(),
            clock_rate: 8000,
            channels: 1,
            sdp_fmtp_line: String::new(),
            rtcp_feedback: Vec::new(),
        };
        let mut engine = MediaEngine::default();
        engine.register_codec(RTCRtpCodecParameters { rtp_codec: codec.clone(), payload_type: 0 }, RtpCodecKind::Audio)?;
        let ssrc = rand::random();
        let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            "agent".into(),
            "microphone".into(),
            "tone".into(),
            RtpCodecKind::Audio,
            vec![RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
                codec,
                ..Default::default()
            }],
        )));
        let (gather, gathered) = watch::channel(false);
        let (connect, connected) = watch::channel(false);
        let heard = Arc::new(AtomicU64::new(0));
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(engine)
            .with_setting_engine(SettingEngineBuilder::new().with_include_loopback_candidate(true).build())
            .with_interceptor_registry(configure_rtcp_reports(Registry::new()))
            .with_handler(Arc::new(Ear { gathered: gather, connected: connect, heard: Arc::clone(&heard) }))
            .with_runtime(Arc::new(TokioRuntime))
            .with_udp_addrs(vec![format!("{host}:0")])
            .build()
            .await?;
        connection.add_track(Arc::<TrackLocalStaticRTP>::clone(&track)).await?;
        let speaking = tokio::spawn(speak(track, ssrc, tone::frames(hertz), connected));
        Ok(Self { connection: Box::new(connection), gathered, heard, speaking })
    }

    /// The SDP offer with all candidates in it.
    pub async fn offer(&mut self) -> Result<String, VoiceError> {
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer).await?;
        let gathered = timeout(GATHERING, self.gathered.wait_for(|complete| *complete)).await;
        if !matches!(gathered, Ok(Ok(_))) {
            return Err(VoiceError("no candidates".into()));
        }
        let local = self.connection.local_description().await.ok_or_else(|| VoiceError("no offer".into()))?;
        Ok(local.sdp)
    }

    pub async fn answered(&self, sdp: String) -> Result<(), VoiceError> {
        Ok(self.connection.set_remote_description(RTCSessionDescription::answer(sdp)?).await?)
    }

    /// How much sound came, all calls together.
    pub fn heard(&self) -> Duration {
        PACKET * u32::try_from(self.heard.load(Ordering::Relaxed)).unwrap_or(u32::MAX)
    }

    pub async fn close(self) -> Result<(), VoiceError> {
        self.speaking.abort();
        Ok(self.connection.close().await?)
    }
}

/// Sends the tone while the connection stands.
async fn speak(track: Arc<TrackLocalStaticRTP>, ssrc: u32, frames: Vec<bytes::Bytes>, mut connected: watch::Receiver<bool>) {
    if connected.wait_for(|connected| *connected).await.is_err() {
        return;
    }
    let mut clock = interval(PACKET);
    let (mut sequence, mut timestamp) = (0u16, 0u32);
    for payload in frames.iter().cycle() {
        clock.tick().await;
        let header = Header { version: 2, payload_type: 0, sequence_number: sequence, timestamp, ssrc, ..Default::default() };
        // A connection that is closed or broken refuses it: the desk hears of that from the switch.
        let _ = track.write_rtp(Packet { header, payload: payload.clone() }).await;
        sequence = sequence.wrapping_add(1);
        timestamp = timestamp.wrapping_add(160);
    }
}
