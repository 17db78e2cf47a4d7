//! The keys of a browser's SRTP.
//!
//! The WebRTC library derives them when the DTLS handshake is over (RFC 5764 section 4.2) and keeps them to itself, for packets that go through it. Ours do
//! not: that is most of what they would cost. But it takes the cryptography that it is given, so it is given its own with an ear on it. What is
//! listened to is RFC 3711 section 4.3.1: session keys come of AES under the master key, the first of them from a block that is the master salt and zeros. The
//! library has no other use of single blocks, makes the context of what we send before that of what we hear, and each one's cipher next after its first block.

use parking_lot::Mutex;
use rtc::crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher, CryptoAlgorithm, CryptoError,
    HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac, PublicKey, RTCCrypto, RTCCryptoProvider, RTCRandom, SecretVec,
    SignatureScheme, SigningKey, StreamCipher, StreamCipherAlgorithm,
};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::error::Error;
use rtc::srtp::context::Context;
use rtc::srtp::option::ContextOption;
use rtc::srtp::protection_profile::ProtectionProfile;
use std::sync::Arc;

/// What is agreed on with a browser: one of those whose derivation is told apart here. Old ones have the second alone.
pub const PROFILES: [SrtpProtectionProfile; 2] =
    [SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80];

/// One connection's cryptography: the given one's, and notes of the two master keys.
pub struct KeyNotes {
    provider: Arc<dyn RTCCryptoProvider>,
    notes: Mutex<Vec<Note>>,
}

struct Note {
    key: SecretVec,
    /// A block that begins with the salt.
    salt: SecretVec,
    profile: Option<ProtectionProfile>,
}

/// What a direction's session keys are derived from.
pub struct Master {
    key: SecretVec,
    salt: SecretVec,
    pub profile: ProtectionProfile,
    provider: Arc<dyn RTCCryptoProvider>,
}

impl KeyNotes {
    pub fn new(provider: Arc<dyn RTCCryptoProvider>) -> Self {
        KeyNotes { provider, notes: Mutex::default() }
    }

    /// The keys of what we send and of what we hear, once the handshake is over. They are given once: a second context of the same keys would send
    /// other packets under the same numbers.
    pub fn take(&self) -> Option<(Master, Master)> {
        let notes = std::mem::take(&mut *self.notes.lock());
        let mut masters = notes.into_iter().filter_map(|note| {
            let profile = note.profile?;
            let salt = SecretVec::new(note.salt.as_ref().get(..profile.salt_len())?.to_vec());
            Some(Master { key: note.key, salt, profile, provider: Arc::clone(&self.provider) })
        });
        Some((masters.next()?, masters.next()?))
    }

    fn cipher_follows(&self, profile: ProtectionProfile) {
        if let Some(note) = self.notes.lock().last_mut() {
            note.profile.get_or_insert(profile);
        }
    }
}

impl Master {
    /// A context whose numbers begin anew.
    pub fn context(&self, rtp: Option<ContextOption>, rtcp: Option<ContextOption>) -> Result<Context, Error> {
        Context::new(self.key.as_ref(), self.salt.as_ref(), self.profile, rtp, rtcp, self.provider.crypto())
    }
}

impl RTCCryptoProvider for KeyNotes {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.provider.random()
    }
}

impl RTCCrypto for KeyNotes {
    fn block_encrypt(&self, algorithm: BlockCipherAlgorithm, key: &[u8], block: &mut [u8]) -> Result<(), CryptoError> {
        let mut notes = self.notes.lock();
        if notes.last().is_none_or(|note| note.key.as_ref() != key) {
            notes.push(Note { key: SecretVec::new(key.to_vec()), salt: SecretVec::new(block.to_vec()), profile: None });
        }
        self.provider.crypto().block_encrypt(algorithm, key, block)
    }

    fn new_aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.cipher_follows(ProtectionProfile::AeadAes128Gcm);
        self.provider.crypto().new_aead(algorithm, key)
    }

    fn new_stream_cipher(&self, algorithm: StreamCipherAlgorithm, key: &[u8]) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.cipher_follows(ProtectionProfile::Aes128CmHmacSha1_80);
        self.provider.crypto().new_stream_cipher(algorithm, key)
    }

    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.provider.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.provider.crypto().hash(algorithm, data)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.provider.crypto().new_hmac(algorithm, key)
    }

    fn new_cbc(&self, algorithm: CbcAlgorithm, key: &[u8]) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.provider.crypto().new_cbc(algorithm, key)
    }

    fn start_key_exchange(&self, algorithm: KeyExchangeAlgorithm) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.provider.crypto().start_key_exchange(algorithm)
    }

    fn generate_signing_key(&self, scheme: SignatureScheme) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.provider.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(&self, scheme: SignatureScheme, pkcs8_der: &[u8]) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.provider.crypto().import_signing_key(scheme, pkcs8_der)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.provider.crypto().verify_signature(scheme, public_key, message, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::crypto::default_provider;

    // F7
    #[test]
    fn what_the_library_makes_its_contexts_of_is_noted_in_both_profiles() {
        for profile in [ProtectionProfile::AeadAes128Gcm, ProtectionProfile::Aes128CmHmacSha1_80] {
            let notes = KeyNotes::new(default_provider().unwrap());
            // The handshake has a cipher of its own.
            notes.crypto().new_aead(AeadAlgorithm::Aes128Gcm, &[9; 16]).unwrap();
            let salt: Vec<u8> = (1..).take(profile.salt_len()).collect();
            for key in [[1; 16], [2; 16]] {
                assert!(notes.notes.lock().len() < 2);
                Context::new(&key, &salt, profile, None, None, notes.crypto()).unwrap();
            }
            let (ours, theirs) = notes.take().unwrap();
            assert_eq!((ours.key.as_ref(), theirs.key.as_ref()), (&[1; 16][..], &[2; 16][..]));
            for master in [&ours, &theirs] {
                assert_eq!(master.salt.as_ref(), salt);
                assert_eq!(format!("{:?}", master.profile), format!("{profile:?}"));
            }
            assert!(notes.take().is_none(), "they are given once");
        }
    }
}
