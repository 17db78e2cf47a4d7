//! From a spool to what people play: an MP3 (customer left, agent right) and its waveform.
#![allow(clippy::as_conversions, reason = "peaks of 16-bit samples as fractions")]

use crate::spool::{Block, SpoolReader};
use cordboard_core::ids::CallId;
use mp3lame_encoder::{Bitrate, Builder, DualPcm, Encoder, FlushNoGap, Mode, Quality, VbrMode, max_required_buffer_size};
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

const RATE: u32 = 8000;
/// Waveform slices of a recording.
const SLICES: usize = 400;
/// Samples whose loudest is kept until the length is known: 20 ms.
const PEAK_FRAME: usize = 160;

/// Why a spool could not be finished. It stays where it is.
#[derive(Debug, Error)]
pub enum FinishError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the spool is damaged")]
    NoSpool,
    #[error("nothing was recorded")]
    Empty,
    #[error("MP3: {0}")]
    Encoder(String),
}

/// The drawing of a recording: the loudest sample of each slice, 0 to 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Waveform {
    customer: Vec<f32>,
    agent: Vec<f32>,
    /// Milliseconds.
    duration: i64,
}

/// Makes `{call}.mp3` and `{call}.peaks.json` in `mp3_dir` and removes the spool once both are safe. Gives the MP3's path and the milliseconds.
pub fn finish(spool: &Path, call: CallId, mp3_dir: &Path) -> Result<(PathBuf, i64), FinishError> {
    let input = File::open(spool).map_err(at(spool))?;
    let mut reader = SpoolReader::open(input).map_err(at(spool))?.ok_or(FinishError::NoSpool)?;
    let mp3 = mp3_dir.join(format!("{call}.mp3"));
    let part = mp3_dir.join(format!("{call}.mp3.part"));
    let mut output = File::create(&part).map_err(at(&part))?;
    let mut encoder = encoder()?;
    let mut peaks = Peaks::default();
    let mut bytes = Vec::new();
    while let Some(block) = reader.next_block().map_err(at(spool))? {
        peaks.take(&block);
        for (left, right) in block.left.chunks(8000).zip(block.right.chunks(8000)) {
            bytes.clear();
            bytes.reserve(max_required_buffer_size(left.len()));
            encoder.encode_to_vec(DualPcm { left, right }, &mut bytes).map_err(|error| FinishError::Encoder(error.to_string()))?;
            output.write_all(&bytes).map_err(at(&part))?;
        }
    }
    if peaks.samples == 0 {
        remove(&part);
        remove(spool);
        return Err(FinishError::Empty);
    }
    bytes.clear();
    bytes.reserve(max_required_buffer_size(0));
    encoder.flush_to_vec::<FlushNoGap>(&mut bytes).map_err(|error| FinishError::Encoder(error.to_string()))?;
    output.write_all(&bytes).and_then(|()| output.sync_all()).map_err(at(&part))?;
    let waveform = peaks.waveform();
    write_waveform(&mp3_dir.join(format!("{call}.peaks.json")), &waveform)?;
    fs::rename(&part, &mp3).map_err(at(&mp3))?;
    File::open(mp3_dir).and_then(|folder| folder.sync_all()).map_err(at(mp3_dir))?;
    remove(spool);
    Ok((mp3, waveform.duration))
}

fn at(path: &Path) -> impl Fn(io::Error) -> FinishError + '_ {
    move |source| FinishError::File { path: path.to_path_buf(), source }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "left behind");
    }
}

fn write_waveform(path: &Path, waveform: &Waveform) -> Result<(), FinishError> {
    let json = serde_json::to_vec(waveform).map_err(|error| at(path)(error.into()))?;
    let mut file = File::create(path).map_err(at(path))?;
    file.write_all(&json).and_then(|()| file.sync_all()).map_err(at(path))
}

/// 32 kbit/s for both channels, coded apart so that neither leaks into the other: 14 MB an hour.
fn encoder() -> Result<Encoder, FinishError> {
    let failed = |error: mp3lame_encoder::BuildError| FinishError::Encoder(error.to_string());
    let mut builder = Builder::new().ok_or_else(|| FinishError::Encoder("out of memory".into()))?;
    builder.set_num_channels(2).map_err(failed)?;
    builder.set_sample_rate(RATE).map_err(failed)?;
    builder.set_output_sample_rate(std::num::NonZeroU32::new(RATE)).map_err(failed)?;
    builder.set_mode(Mode::Stereo).map_err(failed)?;
    builder.set_vbr_mode(VbrMode::Off).map_err(failed)?;
    builder.set_brate(Bitrate::Kbps32).map_err(failed)?;
    builder.set_quality(Quality::Good).map_err(failed)?;
    builder.set_to_write_vbr_tag(false).map_err(failed)?;
    builder.build().map_err(failed)
}

/// The loudest sample of every 20 ms of each channel.
#[derive(Default)]
struct Peaks {
    customer: Vec<u16>,
    agent: Vec<u16>,
    samples: usize,
}

impl Peaks {
    fn take(&mut self, block: &Block) {
        let loudest = |frame: &[i16]| frame.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        self.customer.extend(block.left.chunks(PEAK_FRAME).map(loudest));
        self.agent.extend(block.right.chunks(PEAK_FRAME).map(loudest));
        self.samples += block.left.len();
    }

    fn waveform(&self) -> Waveform {
        let duration = i64::try_from(self.samples * 1000 / RATE as usize).unwrap_or(i64::MAX);
        Waveform { customer: slices(&self.customer), agent: slices(&self.agent), duration }
    }
}

/// At most [`SLICES`] slices of as equal a length as can be.
fn slices(peaks: &[u16]) -> Vec<f32> {
    let count = peaks.len().min(SLICES);
    (0..count)
        .map(|slice| {
            let bounds = slice * peaks.len() / count..(slice + 1) * peaks.len() / count;
            let loudest = peaks.get(bounds).unwrap_or_default().iter().copied().max().unwrap_or(0);
            f32::from(loudest) / 32_768.0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::Law;
    use crate::spool::{Channel, MAGIC, write_record};

    #[test]
    fn a_spool_becomes_an_mp3_and_a_waveform_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = MAGIC.to_vec();
        for frame in 0..1000 {
            write_record(&mut bytes, Channel::Left, Law::Mu, frame * 160, &[0x90; 160]);
            let agent = if frame < 500 { 0xFF } else { 0x80 };
            write_record(&mut bytes, Channel::Right, Law::Mu, frame * 160, &[agent; 160]);
        }
        let spool = folder.path().join("a.spool");
        fs::write(&spool, &bytes).unwrap();
        let (mp3, duration) = finish(&spool, CallId(7), folder.path()).unwrap();
        assert_eq!(duration, 20_000);
        assert!(!spool.exists());
        let size = fs::metadata(&mp3).unwrap().len();
        assert!((75_000..90_000).contains(&size), "{size}");
        let json: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.path().join(format!("{}.peaks.json", CallId(7)))).unwrap()).unwrap();
        let level = |channel: &str, slice: usize| json[channel][slice].as_f64().unwrap();
        assert_eq!(json["customer"].as_array().unwrap().len(), 400);
        assert_eq!(json["duration"], 20_000);
        assert!(level("customer", 0) > 0.1);
        assert_eq!((level("agent", 199), level("agent", 200) > 0.9), (0.0, true));
    }

    #[test]
    fn a_spool_without_audio_is_told_and_goes_and_a_foreign_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("a.spool");
        fs::write(&spool, MAGIC).unwrap();
        assert!(matches!(finish(&spool, CallId(7), folder.path()), Err(FinishError::Empty)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(&spool, b"not a spool").unwrap();
        assert!(matches!(finish(&spool, CallId(7), folder.path()), Err(FinishError::NoSpool)));
        assert!(spool.exists());
    }

    #[test]
    fn a_short_recording_has_fewer_slices() {
        assert_eq!(slices(&[0, 16_384, 32_767]).len(), 3);
        assert_eq!(slices(&[]).len(), 0);
        assert_eq!(slices(&vec![1; 1001]).len(), 400);
    }
}
