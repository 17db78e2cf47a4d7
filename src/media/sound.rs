//! What can be played: G.711 in frames, and how a WAV file becomes that.

use crate::g711::Law;
use std::path::Path;
use thiserror::Error;

/// Samples in the 20 ms frames that everything is sent in.
pub const FRAME: usize = 160;
/// A WAV file longer than this is cut: half an hour.
const LONGEST: usize = 30 * 60 * 8000;

/// 20 ms of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame([u8; FRAME]);

impl Frame {
    pub fn of(bytes: [u8; FRAME]) -> Self {
        Frame(bytes)
    }

    /// A part of a sound; what it lacks of a frame is zero.
    pub fn copy(bytes: &[u8]) -> Self {
        let mut frame = [0; FRAME];
        for (to, from) in frame.iter_mut().zip(bytes) {
            *to = *from;
        }
        Frame(frame)
    }

    pub fn silence(law: Law) -> Self {
        Frame([law.silence(); FRAME])
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One sound, ready in both laws so that playing costs a copy.
#[derive(Debug)]
pub struct Sound {
    mu: Vec<u8>,
    a: Vec<u8>,
}

/// Why a WAV file could not be used.
#[derive(Debug, Error)]
pub enum SoundError {
    #[error("no sound of this name")]
    Unknown,
    #[error("not a WAV file that can be played: {0}")]
    Wav(#[from] hound::Error),
    #[error("{0} samples a second; only 8000 to 96000 can be played")]
    Rate(u32),
    #[error("the file has no samples")]
    Empty,
}

impl Sound {
    /// A sound of 8 kHz samples, filled up to whole frames with silence.
    pub fn new(samples: &[i16]) -> Self {
        let length = samples.len().next_multiple_of(FRAME);
        let encode = |law: Law| {
            let mut bytes: Vec<u8> = samples.iter().map(|sample| law.encode(*sample)).collect();
            bytes.resize(length, law.silence());
            bytes
        };
        Sound { mu: encode(Law::Mu), a: encode(Law::A) }
    }

    /// Frame number `index`, `None` past the end.
    pub fn frame(&self, law: Law, index: usize) -> Option<&[u8]> {
        let bytes = match law {
            Law::A => &self.a,
            Law::Mu => &self.mu,
        };
        bytes.get(index * FRAME..(index + 1) * FRAME)
    }

    /// Frame number `index` of the sound repeated for ever.
    pub fn looped(&self, law: Law, index: usize) -> Option<&[u8]> {
        self.frame(law, index.checked_rem(self.frames())?)
    }

    pub fn frames(&self) -> usize {
        self.mu.len() / FRAME
    }
}

/// Reads a WAV file into an 8 kHz sound. Slow: not for the media thread.
pub fn load(path: &Path) -> Result<Sound, SoundError> {
    read(std::io::BufReader::new(std::fs::File::open(path).map_err(hound::Error::IoError)?))
}

/// Reads WAV, integer or float, mono or not.
pub fn read(wav: impl std::io::Read) -> Result<Sound, SoundError> {
    let reader = hound::WavReader::new(wav)?;
    let spec = reader.spec();
    if !(8000..=96_000).contains(&spec.sample_rate) {
        return Err(SoundError::Rate(spec.sample_rate));
    }
    let channels = usize::from(spec.channels.max(1));
    let limit = LONGEST * channels * usize::try_from(spec.sample_rate.div_ceil(8000)).unwrap_or(1);
    let interleaved: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.into_samples::<f32>().take(limit).collect::<Result<_, _>>()?,
        hound::SampleFormat::Int => {
            let scale = 2f32.powi(1 - i32::from(spec.bits_per_sample));
            reader.into_samples::<i32>().take(limit).map(|sample| sample.map(|value| to_f32(value) * scale)).collect::<Result<_, _>>()?
        }
    };
    if interleaved.is_empty() {
        return Err(SoundError::Empty);
    }
    let divisor = f32::from(spec.channels.max(1));
    let mono: Vec<f32> = interleaved.chunks(channels).map(|frame| frame.iter().sum::<f32>() / divisor).collect();
    Ok(Sound::new(&resample(&mono, spec.sample_rate)))
}

#[allow(clippy::as_conversions, reason = "24 significant bits of a sample are enough")]
fn to_f32(value: i32) -> f32 {
    value as f32
}

/// To 8 kHz 16-bit by a Hann-windowed sinc that is also the filter against aliasing.
#[allow(clippy::as_conversions, reason = "positions in a sound are far from any limit; the last conversion saturates, as wanted")]
fn resample(mono: &[f32], rate: u32) -> Vec<i16> {
    const LOBES: f64 = 12.0;
    let to_i16 = |sample: f32| (sample * 32_767.0) as i16;
    if rate == 8000 {
        return mono.iter().map(|sample| to_i16(*sample)).collect();
    }
    let step = f64::from(rate) / 8000.0;
    let reach = LOBES * step;
    let count = (mono.len() as f64 / step) as usize;
    (0..count.min(LONGEST))
        .map(|index| {
            let centre = index as f64 * step;
            let first = (centre - reach).ceil().max(0.0) as usize;
            let last = ((centre + reach) as usize).min(mono.len().saturating_sub(1));
            let mut sum = 0.0;
            let mut weights = 0.0;
            for (offset, sample) in mono.get(first..=last).unwrap_or_default().iter().enumerate() {
                let distance = ((first + offset) as f64 - centre) / step;
                let x = std::f64::consts::PI * distance;
                let sinc = if x.abs() < 1e-9 { 1.0 } else { x.sin() / x };
                let weight = sinc * (0.5 + 0.5 * (x / LOBES).cos());
                sum += f64::from(*sample) * weight;
                weights += weight;
            }
            to_i16(if weights.abs() > 1e-9 { (sum / weights) as f32 } else { 0.0 })
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::as_conversions)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn write_wav(path: &Path, rate: u32, channels: u16, frequency: f32) {
        let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        for index in 0..rate {
            let sample = (index as f32 * frequency * std::f32::consts::TAU / rate as f32).sin() * 10_000.0;
            for _ in 0..channels {
                writer.write_sample(sample as i16).unwrap();
            }
        }
        writer.finalize().unwrap();
    }

    fn loudness(sound: &Sound) -> f64 {
        let samples: Vec<f64> = sound.mu.iter().map(|byte| f64::from(Law::Mu.decode(*byte))).collect();
        (samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len() as f64).sqrt()
    }

    #[test]
    fn wav_files_of_the_usual_rates_keep_length_and_level() {
        let folder = tempfile::tempdir().unwrap();
        for (rate, channels) in [(8000, 1), (16_000, 2), (44_100, 2), (48_000, 1)] {
            let path = folder.path().join("a.wav");
            write_wav(&path, rate, channels, 1000.0);
            let sound = load(&path).unwrap();
            assert!((49..=51).contains(&sound.frames()), "{rate}: {} frames", sound.frames());
            assert!((6500.0..7600.0).contains(&loudness(&sound)), "{rate}: {}", loudness(&sound));
        }
    }

    #[test]
    fn what_a_telephone_cannot_carry_is_filtered_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        write_wav(&path, 48_000, 1, 7000.0);
        assert!(loudness(&load(&path).unwrap()) < 300.0);
    }

    #[test]
    fn a_broken_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        std::fs::write(&path, b"RIFFnothing").unwrap();
        assert!(matches!(load(&path), Err(SoundError::Wav(_))));
    }

    #[test]
    fn a_sound_ends_or_goes_round() {
        let sound = Sound::new(&[5000; 200]);
        assert_eq!(sound.frames(), 2);
        assert!(sound.frame(Law::A, 1).is_some());
        assert!(sound.frame(Law::A, 2).is_none());
        assert_eq!(sound.looped(Law::Mu, 2), sound.frame(Law::Mu, 0));
        assert!(Sound::new(&[]).looped(Law::Mu, 0).is_none());
    }
}
