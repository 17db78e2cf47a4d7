//! Sounds made by arithmetic: the tones of the network, the chimes and the waiting music. All of it is our own work.
#![allow(clippy::as_conversions, reason = "samples and times are converted between integers and f32; all values are far from any limit")]

use std::f32::consts::TAU;

/// Samples per second of everything here.
pub const RATE: f32 = 8000.0;
/// Peak of the finished sounds: about -9 dBm0, a comfortable level on a telephone.
const PEAK: f32 = 9000.0;

/// One decaying bell-like note.
struct Note {
    /// Seconds from the beginning.
    at: f32,
    frequency: f32,
    /// Relative to the other notes.
    level: f32,
    /// Seconds until the note has fallen to a third.
    decay: f32,
}

/// 425 Hz, one second of four (ETSI TR 101 041): the far phone rings.
pub fn ringback() -> Vec<i16> {
    cadence(425.0, 1.0, 4.0)
}

/// 425 Hz, 0.35 s on and off (China's cadence, within ITU-T E.180's): the called party is busy.
pub fn busy() -> Vec<i16> {
    cadence(425.0, 0.35, 0.35)
}

/// 425 Hz, a quarter of a second on and off, quicker than busy (ITU-T E.180): the network has no way through.
pub fn congestion() -> Vec<i16> {
    cadence(425.0, 0.25, 0.25)
}

/// The two tones of a key for 100 ms (ITU-T Q.23), at -11 and -9 dBm0 (ETSI ES 201 235-2); nothing for what is no key.
pub fn key(digit: char) -> Vec<i16> {
    const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
    const COLUMNS: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
    let place = "123A456B789C*0#D".find(digit);
    let tones = place.and_then(|place| Some((ROWS.get(place / 4)?, COLUMNS.get(place % 4)?)));
    tones.map_or_else(Vec::new, |(row, column)| {
        let (row, column) = (tone(*row, 0.1), tone(*column, 0.1));
        row.iter().zip(column).map(|(row, column)| (row * 6300.0 + column * 7900.0) as i16).collect()
    })
}

/// Two falling chimes, before an automatic answer (C6).
pub fn ding_dong() -> Vec<i16> {
    let notes =
        [Note { at: 0.0, frequency: pitch(76), level: 1.0, decay: 0.28 }, Note { at: 0.45, frequency: pitch(72), level: 1.0, decay: 0.35 }];
    chimes(&notes, 1.3)
}

/// Sixteen slow bars that close into their own beginning: broken chords and a pentatonic tune over them.
pub fn music() -> Vec<i16> {
    const BEAT: f32 = 0.78;
    const BARS: usize = 16;
    // Keys of the chords, low to high, four to a bar (60 is middle C).
    const CHORDS: [[u8; 4]; 8] = [
        [60, 64, 67, 71],
        [57, 64, 67, 72],
        [62, 65, 69, 72],
        [55, 62, 65, 71],
        [64, 67, 71, 74],
        [57, 64, 69, 72],
        [53, 60, 65, 69],
        [55, 62, 67, 71],
    ];
    const RISE_AND_FALL: [usize; 8] = [0, 1, 2, 3, 2, 3, 2, 1];
    // The tune: bar, beat in it, key.
    const TUNE: [(u8, f32, u8); 30] = [
        (0, 0.0, 79),
        (0, 2.0, 76),
        (1, 0.0, 81),
        (1, 3.0, 79),
        (2, 0.0, 77),
        (2, 2.0, 74),
        (3, 0.0, 74),
        (3, 2.5, 76),
        (4, 0.0, 79),
        (4, 2.0, 83),
        (5, 0.0, 81),
        (5, 2.0, 76),
        (6, 0.0, 77),
        (6, 1.0, 79),
        (6, 2.0, 81),
        (7, 0.0, 79),
        (8, 0.0, 84),
        (8, 2.0, 83),
        (9, 0.0, 81),
        (9, 1.0, 79),
        (9, 2.0, 76),
        (10, 0.0, 77),
        (10, 2.0, 81),
        (11, 0.0, 79),
        (12, 0.0, 76),
        (12, 2.0, 79),
        (13, 0.0, 84),
        (14, 0.0, 81),
        (14, 2.0, 77),
        (15, 0.0, 74),
    ];
    let bar = 4.0 * BEAT;
    let mut notes = Vec::new();
    for (index, chord) in CHORDS.iter().cycle().take(BARS).enumerate() {
        let start = index as f32 * bar;
        for (step, voice) in RISE_AND_FALL.iter().enumerate() {
            if let Some(key) = chord.get(*voice) {
                let level = if step == 0 { 0.5 } else { 0.32 };
                notes.push(Note { at: start + step as f32 * BEAT / 2.0, frequency: pitch(*key), level, decay: 0.55 });
            }
        }
    }
    for (index, beat, key) in TUNE {
        notes.push(Note { at: f32::from(index) * bar + beat * BEAT, frequency: pitch(key), level: 0.62, decay: 0.8 });
    }
    let length = (bar * BARS as f32 * RATE) as usize;
    let mut out = vec![0.0; length];
    for note in &notes {
        add_note(&mut out, note, true);
    }
    level(&out, PEAK)
}

fn pitch(key: u8) -> f32 {
    440.0 * ((f32::from(key) - 69.0) / 12.0).exp2()
}

fn chimes(notes: &[Note], seconds: f32) -> Vec<i16> {
    let mut out = vec![0.0; (seconds * RATE) as usize];
    for note in notes {
        add_note(&mut out, note, false);
    }
    // The last 20 ms fade so that the sound ends without a click.
    let fade = (0.02 * RATE) as usize;
    for (index, sample) in out.iter_mut().rev().take(fade).enumerate() {
        *sample *= index as f32 / fade as f32;
    }
    level(&out, PEAK)
}

/// Adds a note; what is left of it at the end goes on at the beginning when the sound is a loop.
fn add_note(out: &mut [f32], note: &Note, looped: bool) {
    // Fundamental and two partials, the higher the softer and the shorter.
    for (multiple, share) in [(1.0, 1.0), (2.0, 0.28), (3.0, 0.1)] {
        let frequency = note.frequency * multiple;
        if frequency > RATE * 0.42 {
            continue;
        }
        let decay = note.decay / multiple;
        let fall = (-1.0 / (decay * RATE)).exp();
        let (step_sin, step_cos) = (TAU * frequency / RATE).sin_cos();
        let (mut sin, mut cos) = (0.0f32, 1.0f32);
        let mut envelope = note.level * share;
        let start = (note.at * RATE) as usize;
        // The first 5 ms rise so that the note starts without a click.
        let rise = 0.005 * RATE;
        for index in 0..(decay * RATE * 6.0) as usize {
            let place = start + index;
            let place = if looped { place % out.len() } else { place };
            let Some(sample) = out.get_mut(place) else { break };
            *sample += sin * envelope * (index as f32 / rise).min(1.0);
            (sin, cos) = (sin * step_cos + cos * step_sin, cos * step_cos - sin * step_sin);
            envelope *= fall;
        }
    }
}

fn cadence(frequency: f32, on: f32, off: f32) -> Vec<i16> {
    let mut out = tone(frequency, on);
    out.resize(((on + off) * RATE) as usize, 0.0);
    level(&out, PEAK * 0.6)
}

/// A sine that rises and falls within 5 ms, so that it does not click.
fn tone(frequency: f32, seconds: f32) -> Vec<f32> {
    let length = (seconds * RATE) as usize;
    let ramp = 0.005 * RATE;
    (0..length)
        .map(|index| {
            let edge = (index.min(length - index) as f32 / ramp).min(1.0);
            edge * (TAU * frequency * index as f32 / RATE).sin()
        })
        .collect()
}

fn level(samples: &[f32], peak: f32) -> Vec<i16> {
    let loudest = samples.iter().fold(f32::EPSILON, |loudest, sample| loudest.max(sample.abs()));
    samples.iter().map(|sample| (sample * peak / loudest) as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sound_is_audible_and_unclipped() {
        for (name, samples) in [("ringback", ringback()), ("busy", busy()), ("congestion", congestion()), ("ding-dong", ding_dong())] {
            let loudest = samples.iter().map(|sample| i32::from(*sample).abs()).max().unwrap();
            assert!((5000..=9000).contains(&loudest), "{name} {loudest}");
        }
    }

    #[test]
    fn the_music_has_no_silent_second_and_closes_into_its_beginning() {
        let samples = music();
        assert!(samples.len() > 40 * 8000);
        for (second, slice) in samples.chunks(8000).enumerate() {
            let energy: i64 = slice.iter().map(|sample| i64::from(*sample).pow(2)).sum::<i64>() / slice.len() as i64;
            assert!(energy > 100 * 100, "second {second}: {energy}");
        }
        let seam = (i32::from(samples[0]) - i32::from(*samples.last().unwrap())).abs();
        assert!(seam < 3000, "{seam}");
    }

    #[test]
    fn ringback_is_one_second_of_five() {
        let samples = ringback();
        assert_eq!(samples.len(), 40_000);
        assert!(samples[8000..].iter().all(|sample| *sample == 0));
    }
}
