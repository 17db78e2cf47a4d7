//! A browser's packets as they are on the wire: RTP and RTCP in their envelope (RFC 3711), by the contexts of the WebRTC library's own crate.

use crate::rtp::Header;
use crate::srtp_keys::Master;
use bytes::BytesMut;
use rtc::shared::error::Error;
use rtc::shared::replay_detector::{ReplayDetector, WrappedSlidingWindowDetector};
use rtc::srtp::context::Context;
use rtc::srtp::option::{srtcp_replay_protection, srtp_replay_protection};

/// Packets (RFC 3711 section 3.3.2).
const REPLAY_WINDOW: usize = 64;
/// A browser speaks with one SSRC, may report with another and may change it; what comes with more is not heard.
const SOURCES: usize = 8;
/// SRTCP's index and its flag for encrypted packets.
const INDEX_LEN: usize = 4;

/// Both directions of one connection.
pub struct Srtp {
    ours: Context,
    /// The numbers of what was sent: two packets of one number would tell their key (RFC 7714 section 8.4), and a far carrier could ask for that.
    sent: WrappedSlidingWindowDetector,
    far: Master,
    /// By SSRC, each one with its own context: what fails is kept nowhere.
    theirs: Vec<(u32, Context)>,
}

impl Srtp {
    pub fn new((ours, far): (Master, Master)) -> Result<Self, Error> {
        let sent = WrappedSlidingWindowDetector::new(REPLAY_WINDOW, u16::MAX.into());
        Ok(Srtp { ours: ours.context(None, None)?, sent, far, theirs: Vec::new() })
    }

    /// A packet that begins with `header`, for the wire; none that has been sent before.
    pub fn protect(&mut self, header: &Header, packet: &[u8]) -> Option<BytesMut> {
        if !self.sent.check(header.sequence.into()) {
            return None;
        }
        self.sent.accept();
        let header = rtc::rtp::Header { sequence_number: header.sequence, ssrc: header.ssrc, ..Default::default() };
        self.ours.encrypt_rtp_with_header(packet, &header).ok()
    }

    pub fn protect_control(&mut self, packet: &[u8]) -> Option<BytesMut> {
        self.ours.encrypt_rtcp(packet).ok()
    }

    /// What the browser has sent; nothing of what others have, or comes again.
    pub fn open(&mut self, datagram: &[u8]) -> Option<BytesMut> {
        self.opened(ssrc_at(datagram, 8)?, |context| context.decrypt_rtp(datagram))
    }

    /// The same for RTCP. What is not encrypted the library would take unproven.
    pub fn open_control(&mut self, datagram: &[u8]) -> Option<BytesMut> {
        let index = datagram.len().checked_sub(self.far.profile.rtcp_auth_tag_len() + INDEX_LEN)?;
        datagram.get(index).filter(|flag| **flag & 0x80 != 0)?;
        self.opened(ssrc_at(datagram, 4)?, |context| context.decrypt_rtcp(datagram))
    }

    fn opened(&mut self, ssrc: u32, open: impl FnOnce(&mut Context) -> Result<BytesMut, Error>) -> Option<BytesMut> {
        if let Some((_, context)) = self.theirs.iter_mut().find(|(known, _)| *known == ssrc) {
            return open(context).ok();
        }
        if self.theirs.len() == SOURCES {
            return None;
        }
        let (rtp, rtcp) = (srtp_replay_protection(REPLAY_WINDOW), srtcp_replay_protection(REPLAY_WINDOW));
        let mut context = self.far.context(Some(rtp), Some(rtcp)).ok()?;
        let packet = open(&mut context).ok()?;
        self.theirs.push((ssrc, context));
        Some(packet)
    }
}

fn ssrc_at(datagram: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*datagram.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::srtp_keys::KeyNotes;
    use rtc::crypto::{RTCCryptoProvider, default_provider};
    use rtc::srtp::protection_profile::ProtectionProfile;

    const BOTH: [ProtectionProfile; 2] = [ProtectionProfile::AeadAes128Gcm, ProtectionProfile::Aes128CmHmacSha1_80];

    /// The two ends of a connection.
    fn pair(profile: ProtectionProfile) -> (Srtp, Srtp) {
        let end = |keys: [u8; 2]| {
            let notes = KeyNotes::new(default_provider().unwrap());
            for key in keys {
                Context::new(&[key; 16], &vec![key; profile.salt_len()], profile, None, None, notes.crypto()).unwrap();
            }
            Srtp::new(notes.take().unwrap()).unwrap()
        };
        (end([1, 2]), end([2, 1]))
    }

    fn packet(sequence: u16, ssrc: u32) -> (Header, Vec<u8>) {
        let header = Header { sequence, ssrc, ..Header::default() };
        let mut packet = Vec::new();
        header.write(&mut packet);
        packet.extend_from_slice(b"voice");
        (header, packet)
    }

    fn sealed(from: &mut Srtp, sequence: u16, ssrc: u32) -> BytesMut {
        let (header, packet) = packet(sequence, ssrc);
        from.protect(&header, &packet).unwrap()
    }

    const REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 7];

    // F7
    #[test]
    fn what_one_end_sends_the_other_hears_once_and_unchanged() {
        for profile in BOTH {
            let (mut one, mut other) = pair(profile);
            // Over the end of the numbers, and in another order.
            for sequence in [65_534, 65_535, 1, 0, 2] {
                let wire = sealed(&mut one, sequence, 7);
                assert!(!wire.windows(5).any(|part| part == b"voice"));
                let mut other_voice = wire.clone();
                other_voice[14] ^= 1;
                assert_eq!(other.open(&other_voice), None);
                assert_eq!(other.open(&wire).unwrap(), packet(sequence, 7).1);
                assert_eq!(other.open(&wire), None, "it came again");
            }
            let wire = one.protect_control(&REPORT).unwrap();
            assert_eq!(other.open_control(&wire).unwrap(), &REPORT[..]);
            assert_eq!(other.open_control(&wire), None, "it came again");
        }
    }

    #[test]
    fn two_packets_of_one_number_are_not_sent() {
        let (mut one, _) = pair(ProtectionProfile::AeadAes128Gcm);
        sealed(&mut one, 5, 7);
        sealed(&mut one, 4, 7);
        let (header, packet) = packet(5, 7);
        assert_eq!(one.protect(&header, &packet), None);
        sealed(&mut one, 6, 7);
    }

    #[test]
    fn a_report_that_is_not_encrypted_is_not_taken() {
        let (_, mut other) = pair(ProtectionProfile::Aes128CmHmacSha1_80);
        let mut plain = REPORT.to_vec();
        // The index without its flag, and room for the tag.
        plain.extend_from_slice(&[0; 14]);
        assert_eq!(other.open_control(&plain), None);
    }

    #[test]
    fn torn_and_foreign_packets_are_neither_heard_nor_kept() {
        for profile in BOTH {
            let (mut one, mut other) = pair(profile);
            let (wire, report) = (sealed(&mut one, 9, 7), one.protect_control(&REPORT).unwrap());
            for first in 128..=191 {
                for cut in 0..wire.len().max(report.len()) {
                    let torn = |bytes: &[u8]| {
                        let mut torn = bytes.get(..cut).unwrap_or(bytes).to_vec();
                        if let Some(byte) = torn.first_mut() {
                            *byte = first;
                        }
                        torn
                    };
                    for bytes in [torn(&wire), torn(&report)] {
                        let untouched = bytes == wire || bytes == report;
                        assert!(untouched || other.open(&bytes).is_none() && other.open_control(&bytes).is_none());
                    }
                }
            }
            assert!(other.theirs.is_empty());
            assert!(other.open(&wire).is_some() && other.open_control(&report).is_some());
        }
    }

    #[test]
    fn of_a_browser_with_many_voices_the_first_are_heard() {
        let (mut one, mut other) = pair(ProtectionProfile::AeadAes128Gcm);
        for (ssrc, sequence) in (0u32..).zip(0u16..).take(SOURCES + 3) {
            let wire = sealed(&mut one, sequence, ssrc);
            assert_eq!(other.open(&wire).is_some(), sequence < u16::try_from(SOURCES).unwrap());
        }
        let wire = sealed(&mut one, 100, 0);
        assert!(other.open(&wire).is_some());
    }
}
