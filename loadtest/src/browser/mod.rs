//! A browser's end of a voice path, and no more of a browser than that: ICE towards an ICE-lite side, DTLS, SRTP (RFC 8445, 5764, 3711). It costs
//! so little that one core drives hundreds; it has no socket and no clock.

pub mod booth;
mod line;
pub mod sdp;
#[cfg(test)]
mod tests;

pub use line::Line;

use bytes::BytesMut;
use rand::Rng;
use rtc::crypto::{HashAlgorithm, RTCCryptoProvider, default_provider};
use rtc::dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::dtls::state::State;
use rtc::shared::TransportProtocol;
use rtc::shared::error::Error;
use rtc::srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc::srtp::context::Context;
use rtc::srtp::option::srtp_replay_protection;
use rtc::srtp::protection_profile::ProtectionProfile;
use rtc::stun::attributes::{ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc::stun::textattrs::TextAttribute;
use rtc::stun::xoraddr::XorMappedAddress;
use sdp::{Far, Lacks, Own};
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Checks that were not answered are sent again, and then again so that the other side knows that somebody is there.
pub const CHECK_AGAIN: Duration = Duration::from_millis(100);
const CHECK_UP: Duration = Duration::from_millis(2500);
/// The one SRTP profile that is offered, so that all programs under test have the same work: the one that they all prefer.
const PROFILE: (SrtpProtectionProfile, ProtectionProfile) =
    (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, ProtectionProfile::AeadAes128Gcm);
/// Packets (RFC 3711 §3.3.2).
const REPLAY_WINDOW: usize = 64;

/// The certificate of all browsers of a run; each of them for itself would only take longer.
pub struct Identity {
    provider: Arc<dyn RTCCryptoProvider>,
    certificate: Certificate,
    fingerprint: String,
}

impl Identity {
    pub fn new() -> Result<Self, Error> {
        let provider = default_provider().map_err(|why| Error::Crypto(why.to_string()))?;
        let certificate = Certificate::generate_self_signed(vec!["browser".to_owned()], provider.crypto())?;
        let fingerprint = certificate.certificate.first().map(|der| digest(&provider, der)).transpose()?.unwrap_or_default();
        Ok(Self { provider, certificate, fingerprint })
    }
}

fn digest(provider: &Arc<dyn RTCCryptoProvider>, der: &[u8]) -> Result<String, Error> {
    let digest = provider.crypto().hash(HashAlgorithm::Sha256, der).map_err(|why| Error::Crypto(why.to_string()))?;
    Ok(sdp::fingerprint(&digest))
}

/// One browser.
pub struct Browser {
    identity: Arc<Identity>,
    at: SocketAddrV4,
    ufrag: String,
    password: String,
    /// Of its voice.
    pub ssrc: u32,
    /// Packets of it in the runs before: their numbers go on, since none is taken twice (RFC 3711 §3.3.2).
    pub sent: u64,
    path: Option<Path>,
}

/// What an answer begins.
struct Path {
    far: Far,
    check: TransactionId,
    next_check: Instant,
    /// To the other side's own checks: the switch's library, though lite, wants them answered.
    answers: Vec<Vec<u8>>,
    dtls: Endpoint,
    keys: Option<Keys>,
}

struct Keys {
    ours: Context,
    theirs: Context,
}

impl Browser {
    pub fn new(identity: &Arc<Identity>, at: SocketAddrV4) -> Self {
        let mut random = rand::rng();
        let mut letters = |count: usize| (0..count).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect();
        Self { identity: Arc::clone(identity), at, ufrag: letters(8), password: letters(24), ssrc: rand::random(), sent: 0, path: None }
    }

    pub fn offer(&self) -> String {
        let Self { at, ufrag, password, ssrc, .. } = self;
        sdp::offer(&Own { at: *at, ufrag, password, fingerprint: &self.identity.fingerprint, ssrc: *ssrc })
    }

    /// Begins to connect. The other side says the DTLS hello, as who answers does.
    pub fn answered(&mut self, sdp: &str, now: Instant) -> Result<(), AnswerError> {
        let far = sdp::answer(sdp)?;
        let (provider, expected) = (Arc::clone(&self.identity.provider), far.fingerprint.clone());
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(&self.identity.provider))
            .with_certificates(vec![self.identity.certificate.clone()])
            .with_srtp_protection_profiles(vec![PROFILE.0])
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // Its authority is nobody; what counts is the fingerprint.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(Arc::new(move |chain, _| match chain.first() {
                Some(der) if digest(&provider, der)? == expected => Ok(()),
                Some(_) | None => Err(Error::ErrNoMatchingCertificateFingerprint),
            })))
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .build(false, None)?;
        let dtls = Endpoint::new(SocketAddr::V4(self.at), TransportProtocol::UDP, Some(Arc::new(config)));
        self.path = Some(Path { far, check: TransactionId::new(), next_check: now, answers: Vec::new(), dtls, keys: None });
        Ok(())
    }

    /// Where everything goes; none before the answer.
    pub fn remote(&self) -> Option<SocketAddrV4> {
        self.path.as_ref().map(|path| path.far.at)
    }

    /// Audio can flow.
    pub fn is_up(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.keys.is_some())
    }

    /// What is to be sent now beside audio.
    pub fn due(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let Some(path) = &mut self.path else { return Vec::new() };
        let far = SocketAddr::V4(path.far.at);
        // Before a first hello there is no connection, and nothing to repeat.
        let _ = path.dtls.handle_timeout(far, now);
        let mut due = std::mem::take(&mut path.answers);
        while let Some(transmit) = path.dtls.poll_transmit() {
            due.push(transmit.message.to_vec());
        }
        if path.next_check <= now {
            path.next_check = now + CHECK_AGAIN;
            match path.check(&self.identity.provider, &self.ufrag) {
                Ok(check) => due.push(check),
                Err(error) => tracing::warn!(%error, "a check"),
            }
        }
        due
    }

    /// Takes a datagram from the other side; a packet of RTP, if it was one.
    pub fn receive(&mut self, datagram: &[u8], now: Instant) -> Option<BytesMut> {
        let path = self.path.as_mut()?;
        // RFC 7983; of the rest RFC 5761 §4: what is RTCP.
        match datagram {
            [0..=3, ..] => path.checked(datagram, &self.identity.provider, &self.password, now),
            [20..=63, ..] => path.shaken(datagram, &self.identity.provider, now),
            [128..=191, second, ..] if !(64..=95).contains(&(second & 0x7f)) => {
                return path.keys.as_mut()?.theirs.decrypt_rtp(datagram).ok();
            }
            _ => {}
        }
        None
    }

    /// A packet of RTP as it goes out; none before the path is up.
    pub fn protect(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.path.as_mut()?.keys.as_mut()?.ours.encrypt_rtp(packet).ok().map(Into::into)
    }
}

impl Path {
    /// A check that nominates the one pair at once (RFC 8445 §7.2.2, §8.1.1).
    fn check(&self, provider: &Arc<dyn RTCCryptoProvider>, ufrag: &str) -> Result<Vec<u8>, Error> {
        let mut check = Message::new();
        check.build(&[Box::new(BINDING_REQUEST), Box::new(self.check)])?;
        TextAttribute::new(ATTR_USERNAME, format!("{}:{ufrag}", self.far.ufrag)).add_to(&mut check)?;
        check.add(ATTR_ICE_CONTROLLING, &[1; 8]);
        check.add(ATTR_USE_CANDIDATE, &[]);
        check.add(ATTR_PRIORITY, &sdp::PRIORITY.to_be_bytes());
        MessageIntegrity::new_short_term_integrity_with_provider(self.far.password.clone(), provider.crypto()).add_to(&mut check)?;
        FINGERPRINT.add_to(&mut check)?;
        Ok(check.raw)
    }

    /// Answers a check. The answer to our last one makes the next one another, and a later one when all is up.
    fn checked(&mut self, datagram: &[u8], provider: &Arc<dyn RTCCryptoProvider>, password: &str, now: Instant) {
        let mut message = Message::new();
        if message.unmarshal_binary(datagram).is_err() {
            return;
        }
        let proven_by = |message: &mut Message, key: &str| MessageIntegrity::check(message, key.as_bytes(), provider.crypto()).is_ok();
        if message.typ == BINDING_REQUEST && proven_by(&mut message, password) {
            self.answers.extend(self.success(message.transaction_id, provider, password));
        } else if message.typ == BINDING_SUCCESS && message.transaction_id == self.check && proven_by(&mut message, &self.far.password) {
            self.check = TransactionId::new();
            self.next_check = now + if self.keys.is_some() { CHECK_UP } else { CHECK_AGAIN };
        }
    }

    /// RFC 8445 §7.3.1.
    fn success(&self, check: TransactionId, provider: &Arc<dyn RTCCryptoProvider>, password: &str) -> Result<Vec<u8>, Error> {
        let mut success = Message::new();
        let mapped = XorMappedAddress { ip: (*self.far.at.ip()).into(), port: self.far.at.port() };
        success.build(&[Box::new(BINDING_SUCCESS), Box::new(check), Box::new(mapped)])?;
        MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), provider.crypto()).add_to(&mut success)?;
        FINGERPRINT.add_to(&mut success)?;
        Ok(success.raw)
    }

    /// A step of the handshake.
    fn shaken(&mut self, datagram: &[u8], provider: &Arc<dyn RTCCryptoProvider>, now: Instant) {
        let far = SocketAddr::V4(self.far.at);
        let keys = self.dtls.read(now, far, None, BytesMut::from(datagram)).and_then(|events| {
            let complete = events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete));
            self.dtls.get_connection_state(far).filter(|_| complete).map(|state| Keys::of(state, provider)).transpose()
        });
        match keys {
            Ok(Some(keys)) => self.keys = Some(keys),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a DTLS handshake"),
        }
    }
}

impl Keys {
    /// RFC 5764 §4.2.
    fn of(state: &State, provider: &Arc<dyn RTCCryptoProvider>) -> Result<Self, Error> {
        let mut config = Config { profile: PROFILE.1, ..Config::default() };
        let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], config.keying_material_len())?;
        config.set_session_keys_from_keying_material(material.as_ref(), state.is_client())?;
        let (keys, crypto) = (&config.keys, provider.crypto());
        Ok(Self {
            ours: Context::new(&keys.local_master_key, &keys.local_master_salt, PROFILE.1, None, None, crypto)?,
            theirs: Context::new(
                &keys.remote_master_key,
                &keys.remote_master_salt,
                PROFILE.1,
                Some(srtp_replay_protection(REPLAY_WINDOW)),
                None,
                crypto,
            )?,
        })
    }
}

/// Why an answer was not taken.
#[derive(Debug)]
pub enum AnswerError {
    Lacks(Lacks),
    Dtls(Error),
}

impl std::fmt::Display for AnswerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lacks(lacks) => lacks.fmt(f),
            Self::Dtls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AnswerError {}

impl From<Lacks> for AnswerError {
    fn from(lacks: Lacks) -> Self {
        Self::Lacks(lacks)
    }
}

impl From<Error> for AnswerError {
    fn from(error: Error) -> Self {
        Self::Dtls(error)
    }
}
