//! G.711: both laws, by table (ITU-T G.711).
#![allow(clippy::as_conversions, clippy::indexing_slicing, reason = "tables of 256 entries, filled at compile time and indexed by a byte")]

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The two companding laws.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
pub enum Law {
    /// PCMA, static payload type 8.
    A,
    /// PCMU, static payload type 0; what browsers get.
    Mu,
}

const MU_TO_LINEAR: [i16; 256] = fill_linear(Law::Mu);
const A_TO_LINEAR: [i16; 256] = fill_linear(Law::A);
const A_TO_MU: [u8; 256] = fill_conversion(Law::A);
const MU_TO_A: [u8; 256] = fill_conversion(Law::Mu);

impl Law {
    /// The static RTP payload type (RFC 3551 table 4).
    pub const fn payload_type(self) -> u8 {
        match self {
            Law::A => 8,
            Law::Mu => 0,
        }
    }

    /// The byte that stands for silence.
    pub const fn silence(self) -> u8 {
        match self {
            Law::A => 0xD5,
            Law::Mu => 0xFF,
        }
    }

    /// One sample to 16-bit linear.
    pub const fn decode(self, byte: u8) -> i16 {
        match self {
            Law::A => A_TO_LINEAR[byte as usize],
            Law::Mu => MU_TO_LINEAR[byte as usize],
        }
    }

    /// One 16-bit linear sample to this law.
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Law::A => encode_a(sample),
            Law::Mu => encode_mu(sample),
        }
    }

    /// The byte of law `to` that is nearest to this law's `byte`.
    pub const fn convert_byte(self, to: Law, byte: u8) -> u8 {
        match (self, to) {
            (Law::A, Law::Mu) => A_TO_MU[byte as usize],
            (Law::Mu, Law::A) => MU_TO_A[byte as usize],
            (Law::A, Law::A) | (Law::Mu, Law::Mu) => byte,
        }
    }

    /// A payload of this law as one of law `to`; borrowed when nothing has to change.
    pub fn convert(self, to: Law, payload: &[u8]) -> Cow<'_, [u8]> {
        if self == to { Cow::Borrowed(payload) } else { payload.iter().map(|byte| self.convert_byte(to, *byte)).collect() }
    }
}

const fn fill_linear(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = match law {
            Law::A => decode_a(i as u8),
            Law::Mu => decode_mu(i as u8),
        };
        i += 1;
    }
    table
}

const fn fill_conversion(from: Law) -> [u8; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = match from {
            Law::A => encode_mu(decode_a(i as u8)),
            Law::Mu => encode_a(decode_mu(i as u8)),
        };
        i += 1;
    }
    table
}

const fn decode_mu(byte: u8) -> i16 {
    let inverted = !byte;
    let exponent = (inverted >> 4) & 7;
    let mantissa = (inverted & 0x0F) as i16;
    let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    if inverted & 0x80 != 0 { -magnitude } else { magnitude }
}

const fn encode_mu(sample: i16) -> u8 {
    let negative = sample < 0;
    let mut magnitude = (sample as i32).unsigned_abs();
    if magnitude > 32_635 {
        magnitude = 32_635;
    }
    magnitude += 0x84;
    // The position of the leading one, 7..=14, is the segment.
    let exponent = 31 - magnitude.leading_zeros() - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0F;
    let sign = if negative { 0x80 } else { 0 };
    !(sign | (exponent << 4) as u8 | mantissa as u8)
}

const fn decode_a(byte: u8) -> i16 {
    let value = byte ^ 0x55;
    let exponent = (value >> 4) & 7;
    let mantissa = (value & 0x0F) as i16;
    let magnitude = if exponent == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 0x108) << (exponent - 1) };
    if value & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn encode_a(sample: i16) -> u8 {
    // Negative values are rounded towards minus infinity, as the ITU's own tables have it.
    let (sign, magnitude) = if sample >= 0 { (0x80, sample as i32) } else { (0, !(sample as i32)) };
    let value = if magnitude < 256 {
        magnitude >> 4
    } else {
        let exponent = (31 - (magnitude as u32).leading_zeros() - 7) as i32;
        (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0F)
    };
    (sign | value as u8) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255u8 {
            assert_eq!(Law::A.encode(Law::A.decode(byte)), byte, "A-law {byte:#x}");
            // µ-law has two zeros; the negative one becomes the positive one.
            let expected = if byte == 0x7F { 0xFF } else { byte };
            assert_eq!(Law::Mu.encode(Law::Mu.decode(byte)), expected, "µ-law {byte:#x}");
        }
    }

    #[test]
    fn known_values_of_the_standard() {
        assert_eq!(Law::Mu.decode(0xFF), 0);
        assert_eq!(Law::Mu.decode(0x80), 32_124);
        assert_eq!(Law::Mu.decode(0x00), -32_124);
        assert_eq!(Law::A.decode(0xD5), 8);
        assert_eq!(Law::A.decode(0xAA), 32_256);
        assert_eq!(Law::A.decode(0x2A), -32_256);
        assert_eq!(Law::Mu.encode(i16::MIN), 0x00);
        assert_eq!(Law::A.encode(i16::MAX), 0xAA);
    }

    #[test]
    fn a_sample_is_coded_within_the_step_of_its_segment() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            for law in [Law::A, Law::Mu] {
                let back = i32::from(law.decode(law.encode(sample)));
                let error = (back - i32::from(sample)).abs();
                let allowed = i32::from(sample).abs() / 16 + 16;
                assert!(error <= allowed.max(652), "{law:?} {sample} became {back}");
            }
        }
    }

    #[test]
    fn conversion_between_laws_keeps_the_level_and_same_law_borrows() {
        for byte in 0..=255u8 {
            let before = i32::from(Law::A.decode(byte));
            let after = i32::from(Law::Mu.decode(Law::A.convert_byte(Law::Mu, byte)));
            assert!((before - after).abs() <= before.abs() / 16 + 16, "{before} became {after}");
        }
        let payload = [1, 2, 3];
        assert!(matches!(Law::A.convert(Law::A, &payload), Cow::Borrowed(_)));
        assert_eq!(Law::A.convert(Law::Mu, &[0xD5, 0xD5]).len(), 2);
    }
}
