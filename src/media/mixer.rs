//! The mixer of a conference (D5): each voice in it is decoded and put on the 20 ms clock once, whoever hears it in however many mixes.
//!
//! Samples are laid down at their RTP timestamps: packets of any length fit, reordered ones find their place, lost ones are silence. A voice is held back by
//! [`DELAY`] so that jitter does not tear it; what comes later than that is dropped, and what gathers beyond it (a fast clock, a burst) is skipped.

use crate::g711::Law;
use crate::rtp::timestamp_distance;
use crate::sound::{FRAME, Frame};
use cordboard_core::ids::LegId;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Samples that a voice is held back: 40 ms, two packets.
const DELAY: u32 = 320;
/// A packet further ahead than this shows that too much has gathered, or that the sender's timestamp jumped: 200 ms.
const MAX_AHEAD: i32 = 1600;
const FRAME_TIME: u32 = 160;
/// A voice that always has this many samples left after a frame is held back for nothing.
const TOO_MUCH: usize = 480;
/// Every this many frames, one second, such a voice skips a frame.
const REVIEW: u8 = 50;
/// Samples that room is made for, so that nothing is allocated while they speak.
const ROOM: usize = 2048;

/// The voices that are heard in mixes, and what each says in the present 20 ms.
#[derive(Debug, Default)]
pub struct Mixer {
    voices: FxHashMap<LegId, Voice>,
}

/// One leg's speech, between its packets and the clock.
#[derive(Debug)]
struct Voice {
    /// How many listeners have it in their mix.
    listeners: usize,
    ssrc: Option<u32>,
    /// The RTP timestamp of the first sample held.
    next: u32,
    held: VecDeque<i16>,
    frame: [i16; FRAME],
    /// The fewest samples that a frame left behind since the last review.
    least: usize,
    reviewed: u8,
}

impl Mixer {
    /// One more listener has `leg` in its mix.
    pub fn join(&mut self, leg: LegId) {
        self.voices.entry(leg).or_insert_with(Voice::new).listeners += 1;
    }

    /// One listener less; the last one takes the voice along.
    pub fn leave(&mut self, leg: LegId) {
        if let Some(voice) = self.voices.get_mut(&leg) {
            voice.listeners = voice.listeners.saturating_sub(1);
            if voice.listeners == 0 {
                self.voices.remove(&leg);
            }
        }
    }

    /// How many legs are heard in mixes.
    pub fn voices(&self) -> usize {
        self.voices.len()
    }

    /// Takes a packet of audio; one of a leg that nobody mixes costs a look-up.
    pub fn take(&mut self, from: LegId, ssrc: u32, timestamp: u32, law: Law, payload: &[u8]) {
        if let Some(voice) = self.voices.get_mut(&from) {
            voice.take(ssrc, timestamp, law, payload);
        }
    }

    /// Goes on to the next 20 ms.
    pub fn tick(&mut self) {
        self.voices.values_mut().for_each(Voice::tick);
    }

    /// What `legs` say together in the present 20 ms; sums beyond 16 bits are clipped.
    pub fn mix(&self, legs: &[LegId], law: Law) -> Frame {
        let mut sum = [0i32; FRAME];
        for voice in legs.iter().filter_map(|leg| self.voices.get(leg)) {
            for (sum, sample) in sum.iter_mut().zip(voice.frame) {
                *sum += i32::from(sample);
            }
        }
        Frame::of(sum.map(|sum| law.encode(i16::try_from(sum).unwrap_or(if sum < 0 { i16::MIN } else { i16::MAX }))))
    }
}

impl Voice {
    fn new() -> Self {
        let held = VecDeque::with_capacity(ROOM);
        Voice { listeners: 0, ssrc: None, next: 0, held, frame: [0; FRAME], least: usize::MAX, reviewed: 0 }
    }

    fn take(&mut self, ssrc: u32, timestamp: u32, law: Law, payload: &[u8]) {
        let another = self.ssrc.replace(ssrc) != Some(ssrc);
        if another {
            self.held.clear();
        }
        let ahead = timestamp_distance(timestamp, self.next);
        // Late with nothing held is a voice that paused or fell behind: it begins anew, held back as at first.
        if another || ahead > MAX_AHEAD || ahead < 0 && self.held.is_empty() {
            self.skip_to(timestamp.wrapping_sub(DELAY));
        }
        self.lay(timestamp_distance(timestamp, self.next), law, payload);
    }

    /// Lays samples down `ahead` of the first one held; those before it are too late.
    fn lay(&mut self, ahead: i32, law: Law, payload: &[u8]) {
        let late = usize::try_from(ahead.saturating_neg()).unwrap_or(0);
        let Some(payload) = payload.get(late..) else { return };
        let place = usize::try_from(ahead).unwrap_or(0);
        if self.held.len() < place {
            self.held.resize(place, 0);
        }
        let (known, new) = payload.split_at(payload.len().min(self.held.len() - place));
        for (sample, byte) in self.held.iter_mut().skip(place).zip(known) {
            *sample = law.decode(*byte);
        }
        self.held.extend(new.iter().map(|byte| law.decode(*byte)));
    }

    fn skip_to(&mut self, next: u32) {
        let skipped = usize::try_from(timestamp_distance(next, self.next)).unwrap_or(0);
        self.held.drain(..skipped.min(self.held.len()));
        self.next = next;
    }

    fn tick(&mut self) {
        self.frame.fill(0);
        let count = self.held.len().min(FRAME);
        for (sample, held) in self.frame.iter_mut().zip(self.held.drain(..count)) {
            *sample = held;
        }
        self.next = self.next.wrapping_add(FRAME_TIME);
        self.least = self.least.min(self.held.len());
        self.reviewed += 1;
        if self.reviewed == REVIEW {
            if self.least >= TOO_MUCH {
                self.skip_to(self.next.wrapping_add(FRAME_TIME));
            }
            (self.least, self.reviewed) = (usize::MAX, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOMER: LegId = LegId(1);
    const AGENT: LegId = LegId(2);
    const THIRD: LegId = LegId(3);

    struct Rig {
        mixer: Mixer,
        heard: Vec<i16>,
    }

    impl Rig {
        fn new() -> Self {
            let mut mixer = Mixer::default();
            [CUSTOMER, AGENT, THIRD].into_iter().for_each(|leg| mixer.join(leg));
            Rig { mixer, heard: Vec::new() }
        }

        /// A packet of one value, number `number` of its stream.
        fn says(&mut self, leg: LegId, number: u32, sample: i16) {
            self.mixer.take(leg, 9, number.wrapping_mul(160), Law::Mu, &[Law::Mu.encode(sample); FRAME]);
        }

        /// Goes on by a frame and hears what these say.
        fn hears(&mut self, legs: &[LegId]) {
            self.mixer.tick();
            self.heard.extend(self.mixer.mix(legs, Law::Mu).bytes().iter().map(|byte| Law::Mu.decode(*byte)));
        }

        /// The values heard, one for each stretch of the same, with its length.
        fn stretches(&self) -> Vec<(i16, usize)> {
            self.heard.chunk_by(|a, b| a == b).map(|stretch| (stretch[0], stretch.len())).collect()
        }
    }

    /// A sample that both laws carry as it is.
    fn exact(sample: i16) -> i16 {
        Law::Mu.decode(Law::Mu.encode(sample))
    }

    #[test]
    fn each_hears_the_sum_of_the_others() {
        let mut rig = Rig::new();
        for number in 0..10 {
            rig.says(CUSTOMER, number, 1000);
            rig.says(AGENT, number, 4000);
            rig.says(THIRD, number, -500);
            rig.mixer.tick();
        }
        for (others, sum) in [([AGENT, THIRD], 3500), ([CUSTOMER, THIRD], 500), ([CUSTOMER, AGENT], 5000)] {
            for law in [Law::A, Law::Mu] {
                let frame = rig.mixer.mix(&others, law);
                assert!(frame.bytes().iter().all(|byte| (law.decode(*byte) - sum).abs() < 150), "{sum} {law:?}");
            }
        }
        let silence = rig.mixer.mix(&[], Law::A);
        assert!(silence.bytes().iter().all(|byte| *byte == Law::A.silence()));
    }

    #[test]
    fn loud_voices_are_clipped_and_never_turn_over() {
        let mut rig = Rig::new();
        for number in 0..4 {
            rig.says(CUSTOMER, number, i16::MAX);
            rig.says(AGENT, number, i16::MAX);
            rig.says(THIRD, number, i16::MIN);
            rig.mixer.tick();
        }
        let loudest = |legs: &[LegId]| Law::Mu.decode(rig.mixer.mix(legs, Law::Mu).bytes()[0]);
        assert_eq!(loudest(&[CUSTOMER, AGENT]), 32_124);
        assert_eq!(loudest(&[THIRD, THIRD]), -32_124);
        assert_eq!(loudest(&[CUSTOMER, AGENT, THIRD]), 32_124, "clipped once, at the end");
    }

    #[test]
    fn jitter_within_the_delay_is_not_heard() {
        let mut rig = Rig::new();
        // Two at once, out of order, then none: 20 ms of jitter, for ever.
        for pair in 0..20 {
            rig.says(AGENT, pair * 2 + 1, 2000);
            if pair > 0 {
                rig.says(AGENT, pair * 2, 2000);
            }
            rig.hears(&[AGENT]);
            rig.hears(&[AGENT]);
        }
        assert_eq!(rig.stretches(), [(0, 320), (exact(2000), 38 * 160)]);
    }

    #[test]
    fn a_lost_packet_is_silence_and_a_late_one_is_dropped() {
        let mut rig = Rig::new();
        for number in 0..8 {
            if number != 2 {
                rig.says(AGENT, number, 2000);
            }
            if number == 5 {
                rig.says(AGENT, 2, 3000);
            }
            rig.hears(&[AGENT]);
        }
        let said = exact(2000);
        assert_eq!(rig.stretches(), [(0, 320), (said, 320), (0, 160), (said, 480)]);
    }

    #[test]
    fn a_voice_that_stalled_is_heard_again_without_a_growing_delay() {
        let mut rig = Rig::new();
        for number in 0..10 {
            rig.says(AGENT, number, 2000);
            rig.hears(&[AGENT]);
        }
        for _ in 10..60 {
            rig.hears(&[AGENT]);
        }
        // A second's packets at once, then as before.
        for number in 10..60 {
            rig.says(AGENT, number, 3000);
        }
        rig.heard.clear();
        for number in 60..70 {
            rig.says(AGENT, number, 5000);
            rig.hears(&[AGENT]);
        }
        let (stalled, now) = (exact(3000), exact(5000));
        let stretches = rig.stretches();
        let caught_up: usize = stretches.iter().filter(|(value, _)| *value == stalled).map(|(_, length)| length).sum();
        assert!(caught_up <= 1600, "{stretches:?}");
        assert_eq!(stretches.last().map(|(value, _)| *value), Some(now), "{stretches:?}");
    }

    #[test]
    fn what_gathered_is_made_up_for_within_seconds() {
        let mut rig = Rig::new();
        // 160 ms more than needed.
        for number in 0..8 {
            rig.says(AGENT, number, 2000);
        }
        for number in 8..800 {
            rig.says(AGENT, number, 2000);
            rig.mixer.tick();
        }
        let held = rig.mixer.voices[&AGENT].held.len();
        assert!(held <= 480, "{held}");
        rig.hears(&[AGENT]);
        assert_eq!(rig.stretches(), [(exact(2000), 160)]);
    }

    #[test]
    fn a_fast_clock_and_a_slow_one_are_followed() {
        for samples in [158u32, 162] {
            let mut rig = Rig::new();
            let mut silent = 0;
            let payload = [Law::Mu.encode(2000); 162];
            for number in 0..3000u32 {
                rig.mixer.take(AGENT, 9, number * samples, Law::Mu, &payload[..samples.try_into().unwrap()]);
                rig.heard.clear();
                rig.hears(&[AGENT]);
                silent += rig.heard.iter().filter(|sample| **sample == 0).count();
                assert!(rig.mixer.voices[&AGENT].held.len() < 800);
            }
            // A slow one lacks 2 samples of 160 and waits for the delay now and then.
            assert!(silent < 3000 * 160 / 20, "{samples}: {silent}");
        }
    }

    #[test]
    fn another_stream_of_the_leg_begins_anew() {
        let mut rig = Rig::new();
        for number in 0..10 {
            rig.says(AGENT, number, 2000);
            rig.hears(&[AGENT]);
        }
        rig.heard.clear();
        for number in 0..4u32 {
            rig.mixer.take(AGENT, 10, number.wrapping_sub(2).wrapping_mul(160), Law::A, &[Law::A.encode(4000); 160]);
            rig.hears(&[AGENT]);
        }
        let last = *rig.heard.last().unwrap();
        assert!((last - 4000).abs() < 150, "{last}");
        assert!(rig.heard.iter().all(|sample| *sample != exact(2000)));
    }

    #[test]
    fn no_packet_makes_a_voice_hold_much() {
        let mut mixer = Mixer::default();
        mixer.join(AGENT);
        for (ssrc, timestamp, length) in
            [(1, 0, 160), (1, 1900, 2036), (1, u32::MAX - 5, 2036), (1, 1 << 31, 2036), (2, (1 << 31) - 1, 0), (2, 5, 1), (2, 1500, 2036)]
        {
            mixer.take(AGENT, ssrc, timestamp, Law::A, &vec![0; length]);
            assert!(mixer.voices[&AGENT].held.len() < 4096);
            mixer.tick();
        }
    }

    #[test]
    fn a_voice_goes_with_its_last_listener() {
        let mut rig = Rig::new();
        rig.mixer.join(AGENT);
        rig.mixer.leave(AGENT);
        assert_eq!(rig.mixer.voices(), 3);
        rig.mixer.leave(AGENT);
        rig.mixer.leave(AGENT);
        assert_eq!(rig.mixer.voices(), 2);
        rig.says(AGENT, 0, 100);
    }
}
