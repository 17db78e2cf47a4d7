//! A tone as G.711 µ-law frames, and whether a frame carries sound.

use bytes::Bytes;
use std::f64::consts::TAU;

/// Samples in a packet of 20 ms.
pub const FRAME: usize = 160;
/// A tone of whole tens of hertz repeats after this many frames (100 ms).
const PERIOD: usize = 5;
/// A quarter of full scale, -12 dBFS.
const AMPLITUDE: f64 = 8_000.0;

/// The frames of a tone, to be sent one after another again and again without a seam. `hertz` is a multiple of ten.
pub fn frames(hertz: u32) -> Vec<Bytes> {
    let samples: Vec<u8> = (0..PERIOD * FRAME).map(|index| ulaw(sample(hertz, index))).collect();
    samples.chunks(FRAME).map(Bytes::copy_from_slice).collect()
}

#[allow(clippy::as_conversions, reason = "small whole numbers into floats, and a float within the range of i16")]
fn sample(hertz: u32, index: usize) -> i16 {
    ((index as f64 * f64::from(hertz) * TAU / 8_000.0).sin() * AMPLITUDE) as i16
}

/// G.711 µ-law.
fn ulaw(sample: i16) -> u8 {
    let sign: u8 = if sample < 0 { 0x80 } else { 0 };
    let biased = sample.unsigned_abs().min(32_635) + 0x84;
    // The position of the highest bit, counted from bit 7.
    let exponent = u8::try_from(8u32.saturating_sub(biased.leading_zeros())).unwrap_or(0);
    let mantissa = u8::try_from((biased >> (exponent + 3)) & 0x0f).unwrap_or(0);
    !(sign | (exponent << 4) | mantissa)
}

/// Whether a µ-law frame is louder than about -30 dBFS anywhere: speech or a tone, no comfort noise.
pub fn is_loud(frame: &[u8]) -> bool {
    frame.iter().any(|byte| (!byte >> 4) & 7 >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(byte: u8) -> i32 {
        let bits = !byte;
        let magnitude = ((i32::from(bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4);
        if bits & 0x80 == 0 { magnitude - 0x84 } else { 0x84 - magnitude }
    }

    #[test]
    fn ulaw_is_within_a_step_of_what_it_stands_for() {
        for sample in (-32_000..32_000i16).step_by(7) {
            let error = (decoded(ulaw(sample)) - i32::from(sample)).abs();
            assert!(error <= 4 + i32::from(sample.unsigned_abs()) / 16, "{sample}: off by {error}");
        }
    }

    #[test]
    fn a_tone_goes_on_without_a_seam() {
        for hertz in [410, 770, 1400] {
            let frames = frames(hertz);
            assert_eq!(frames.len(), PERIOD);
            let first = i32::from(sample(hertz, 0));
            let after_the_last = i32::from(sample(hertz, PERIOD * FRAME));
            assert!((first - after_the_last).abs() <= 1, "{hertz}");
            assert!(frames.iter().all(|frame| frame.len() == FRAME && is_loud(frame)));
        }
        assert!(!is_loud(&[0xff; FRAME]) && !is_loud(&[0x7f; FRAME]));
    }
}
