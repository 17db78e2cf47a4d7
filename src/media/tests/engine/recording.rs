//! What a recording holds (G4), and what is left of it when the process dies.

use crate::rig::*;
use cordboard_core::ids::{CallId, PeerId};
use cordboard_media::{Law, MediaEvent, Source, spool_end};
use std::path::Path;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::formats::TrackType;
use symphonia::core::io::MediaSourceStream;

const CALL: CallId = CallId(0x77);

/// Left, right and the sample rate of an MP3.
fn decode(path: &Path) -> (Vec<f64>, Vec<f64>, f64) {
    let source = MediaSourceStream::new(Box::new(std::fs::File::open(path).unwrap()), Default::default());
    let mut format = symphonia::default::get_probe().probe(&Default::default(), source, Default::default(), Default::default()).unwrap();
    let track = format.default_track(TrackType::Audio).unwrap();
    let parameters = track.codec_params.as_ref().unwrap().audio().unwrap().clone();
    let mut decoder = symphonia::default::get_codecs().make_audio_decoder(&parameters, &AudioDecoderOptions::default()).unwrap();
    let mut interleaved: Vec<f32> = Vec::new();
    while let Some(packet) = format.next_packet().unwrap() {
        let decoded = decoder.decode(&packet).unwrap();
        let mut samples = Vec::new();
        decoded.copy_to_vec_interleaved::<f32>(&mut samples);
        interleaved.extend(samples);
    }
    let channel = |offset: usize| interleaved.iter().skip(offset).step_by(2).map(|sample| f64::from(*sample) * 32_768.0).collect();
    (channel(0), channel(1), f64::from(parameters.sample_rate.unwrap()))
}

/// The share of a tone in the second half of a recording.
fn share(samples: &[f64], frequency: f64, rate: f64) -> f64 {
    share_of(&samples[samples.len() / 2..samples.len() * 9 / 10], frequency * 8000.0 / rate)
}

async fn ready(rig: &mut Rig) -> (std::path::PathBuf, i64, bool) {
    rig.event(|event| match event {
        MediaEvent::RecordingReady { call, path, duration_ms, recovered } if *call == CALL => {
            Some((path.clone(), *duration_ms, *recovered))
        }
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_recording_has_the_customer_left_and_the_agent_right() {
    let mut rig = Rig::start();
    let (trunk, mut browser) = rig.call(Law::A).await;
    let mut trunk = trunk.use_law(Law::A);
    trunk.speaks(600.0);
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    browser.ear.hears(600.0).await;
    rig.media.record(CALL, CUSTOMER);
    trunk.ear.packets(100).await;
    rig.media.stop_record(CALL);
    let (path, duration, recovered) = ready(&mut rig).await;
    assert!((1800..4000).contains(&duration), "{duration}");
    assert!(!recovered);
    let (left, right, rate) = decode(&path);
    assert!(share(&left, 600.0, rate) > 0.8 && share(&left, 1000.0, rate) < 0.01, "left is the customer");
    assert!(share(&right, 1000.0, rate) > 0.8 && share(&right, 600.0, rate) < 0.01, "right is the agent");
    assert!(rig.mp3_dir().join(format!("{CALL}.peaks.json")).exists());
    assert_eq!(std::fs::read_dir(rig.folder.path().join("spool")).unwrap().count(), 0);
}

#[tokio::test]
async fn on_hold_the_recording_has_what_the_customer_heard() {
    let mut rig = Rig::start();
    rig.wav("waiting.wav", 700.0);
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    browser.speaks(1000.0);
    trunk.ear.hears(1000.0).await;
    rig.media.hear(CUSTOMER, Source::Music("waiting".into()));
    rig.media.record(CALL, CUSTOMER);
    trunk.ear.hears(700.0).await;
    trunk.ear.packets(50).await;
    rig.media.stop_record(CALL);
    let (path, _, _) = ready(&mut rig).await;
    let (_, right, rate) = decode(&path);
    assert!(share(&right, 1000.0, rate) < 0.01, "the agent on hold is in the recording");
    assert!(share(&right, 700.0, rate) > 0.8);
}

/// D5, G4.
#[tokio::test]
async fn a_conference_is_recorded_with_all_that_the_customer_heard() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::A).await;
    let mut third = rig.trunk(THIRD, Law::Mu).await;
    trunk = trunk.use_law(Law::A);
    trunk.speaks(600.0);
    browser.speaks(1000.0);
    third.speaks(1400.0);
    rig.media.record(CALL, CUSTOMER);
    rig.confer(&[CUSTOMER, AGENT, THIRD]);
    trunk.ear.hears_together(&[1000.0, 1400.0]).await;
    trunk.ear.packets(100).await;
    rig.media.stop_record(CALL);
    let (path, _, _) = ready(&mut rig).await;
    let (left, right, rate) = decode(&path);
    assert!(share(&left, 600.0, rate) > 0.8, "left is the customer");
    for (frequency, heard) in [(1000.0, 0.35..0.6), (1400.0, 0.35..0.6), (600.0, 0.0..0.01)] {
        let share = share(&right, frequency, rate);
        assert!(heard.contains(&share), "{frequency}: {share} of the right side");
    }
}

#[tokio::test]
async fn a_paused_recording_has_silence_of_the_same_length() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    trunk.speaks(600.0);
    browser.speaks(1000.0);
    browser.ear.hears(600.0).await;
    rig.media.record(CALL, CUSTOMER);
    trunk.ear.forget();
    trunk.ear.packets(25).await;
    rig.media.pause_record(CALL);
    trunk.ear.forget();
    trunk.ear.packets(75).await;
    rig.media.stop_record(CALL);
    let (path, duration, _) = ready(&mut rig).await;
    assert!(duration > 1800, "{duration}");
    let (left, _, _) = decode(&path);
    let energy = |part: &[f64]| part.iter().map(|sample| sample * sample).sum::<f64>() / part.len() as f64;
    assert!(energy(&left[..left.len() / 8]) > 1_000_000.0);
    assert!(energy(&left[left.len() / 2..]) < 1000.0);
}

/// G5.
#[tokio::test]
async fn what_a_killed_process_left_is_finished_at_the_next_start() {
    let mut rig = Rig::start();
    let (mut trunk, mut browser) = rig.call(Law::Mu).await;
    trunk.speaks(600.0);
    browser.speaks(1000.0);
    browser.ear.hears(600.0).await;
    rig.media.record(CALL, CUSTOMER);
    trunk.ear.forget();
    trunk.ear.packets(100).await;
    // The spool as a killed process leaves it, its last record torn.
    let name = format!("{CALL}.spool");
    let spool = std::fs::read(rig.folder.path().join("spool").join(&name)).unwrap();
    let next = tempfile::tempdir().unwrap();
    let dir = next.path().join("spool");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join(&name), &spool[..spool.len() - 77]).unwrap();
    std::fs::create_dir(next.path().join("mp3")).unwrap();
    std::fs::write(next.path().join("mp3").join("old.mp3.part"), b"half").unwrap();

    let ends = spool_end(&dir).unwrap();
    assert_eq!(ends.len(), 1);
    assert!(ends[0].0 == CALL && ends[0].1 > 1500, "{ends:?}");
    let mut rig = Rig::start_in(next);
    assert_eq!(rig.media.recover().unwrap(), 1);
    let (path, duration, recovered) = ready(&mut rig).await;
    assert!(recovered);
    assert_eq!(duration, ends[0].1);
    let (left, _, rate) = decode(&path);
    assert!(share(&left, 600.0, rate) > 0.8);
    assert!(!rig.mp3_dir().join("old.mp3.part").exists());
    assert_eq!(spool_end(&dir).unwrap(), []);
}

#[tokio::test]
async fn closing_the_leg_ends_its_recording() {
    let mut rig = Rig::start();
    let mut trunk = rig.trunk(CUSTOMER, Law::Mu).await;
    rig.media.hear(CUSTOMER, Source::Busy);
    rig.media.record(CALL, CUSTOMER);
    trunk.ear.packets(10).await;
    rig.media.close(CUSTOMER);
    ready(&mut rig).await;
}

#[tokio::test]
async fn a_recording_without_a_leg_is_refused() {
    let mut rig = Rig::start();
    rig.media.record(CALL, CUSTOMER);
    rig.event(|event| matches!(event, MediaEvent::RecordingFailed { call: CALL, .. }).then_some(())).await;
    rig.browser(PeerId(9), AGENT).await;
}
