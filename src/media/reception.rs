//! What a receiver knows of one incoming RTP stream: loss and jitter (RFC 3550 appendix A.1, A.3, A.8).

use crate::rtp::{Header, sequence_distance, timestamp_distance};
use std::time::Instant;

/// A jump of the sequence further than this is a new stream.
const MAX_DROPOUT: i16 = 3000;
const MAX_MISORDER: i16 = -100;
const CLOCK: f64 = 8000.0;

/// Statistics of one incoming stream; a new SSRC starts over.
#[derive(Debug, Default)]
pub struct Reception {
    stream: Option<Stream>,
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    base: u16,
    highest: u16,
    cycles: u32,
    received: u32,
    /// In timestamp units.
    jitter: f64,
    first_arrival: Instant,
    /// Arrival less timestamp, in timestamp units that wrap.
    transit: Option<u32>,
    reported: Interval,
}

/// Packets expected and received up to a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interval {
    pub expected: u32,
    pub received: u32,
}

/// What a receiver report says of the stream (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    pub ssrc: u32,
    /// Of 256, since the last block.
    pub fraction_lost: u8,
    /// Since the beginning; 24 bits, signed.
    pub lost: i32,
    pub highest: u32,
    /// In timestamp units.
    pub jitter: u32,
}

impl Interval {
    /// Percent lost between an earlier moment and this one; repeats can make it look negative, which is none.
    pub fn loss_since(self, earlier: Interval) -> f32 {
        let expected = f64::from(self.expected.wrapping_sub(earlier.expected));
        let received = f64::from(self.received.wrapping_sub(earlier.received));
        if expected <= 0.0 { 0.0 } else { narrow((100.0 * (expected - received) / expected).clamp(0.0, 100.0)) }
    }
}

impl Reception {
    pub fn receive(&mut self, header: &Header, now: Instant) {
        let known = self.stream.as_mut().is_some_and(|stream| stream.ssrc == header.ssrc && stream.take(header, now));
        if !known {
            self.stream = Some(Stream::new(header, now));
        }
    }

    /// A packet that is not audio on the sampling clock (a telephone event keeps its first timestamp): counted, not timed.
    pub fn receive_untimed(&mut self, header: &Header, now: Instant) {
        let before = self.stream.as_ref().map(|stream| (stream.ssrc, stream.jitter));
        self.receive(header, now);
        if let (Some(stream), Some((ssrc, jitter))) = (&mut self.stream, before)
            && stream.ssrc == ssrc
        {
            stream.jitter = jitter;
            stream.transit = None;
        }
    }

    /// The SSRC, expected and received so far.
    pub fn progress(&self) -> Option<(u32, Interval)> {
        self.stream.as_ref().map(|stream| (stream.ssrc, stream.progress()))
    }

    pub fn jitter_ms(&self) -> f32 {
        self.stream.as_ref().map_or(0.0, |stream| narrow(stream.jitter * 1000.0 / CLOCK))
    }

    /// A report block; the next one counts from here.
    pub fn block(&mut self) -> Option<Block> {
        self.stream.as_mut().map(Stream::block)
    }
}

impl Stream {
    fn new(first: &Header, now: Instant) -> Self {
        Stream {
            ssrc: first.ssrc,
            base: first.sequence,
            highest: first.sequence,
            cycles: 0,
            received: 1,
            jitter: 0.0,
            first_arrival: now,
            transit: Some(0u32.wrapping_sub(first.timestamp)),
            reported: Interval::default(),
        }
    }

    /// `false` when the packet does not belong to this stream any more.
    fn take(&mut self, header: &Header, now: Instant) -> bool {
        let ahead = sequence_distance(header.sequence, self.highest);
        if !(MAX_MISORDER..=MAX_DROPOUT).contains(&ahead) {
            return false;
        }
        if ahead > 0 {
            if header.sequence < self.highest {
                self.cycles = self.cycles.wrapping_add(1 << 16);
            }
            self.highest = header.sequence;
        }
        self.received = self.received.wrapping_add(1);
        let arrival = now.saturating_duration_since(self.first_arrival).as_micros() * 8 / 1000;
        let transit = u32::try_from(arrival % (1 << 32)).unwrap_or(0).wrapping_sub(header.timestamp);
        if let Some(before) = self.transit {
            let difference = timestamp_distance(transit, before).unsigned_abs();
            self.jitter += (f64::from(difference).min(CLOCK * 10.0) - self.jitter) / 16.0;
        }
        self.transit = Some(transit);
        true
    }

    fn progress(&self) -> Interval {
        let highest = self.cycles.wrapping_add(u32::from(self.highest));
        Interval { expected: highest.wrapping_sub(u32::from(self.base)).wrapping_add(1), received: self.received }
    }

    #[allow(clippy::as_conversions, reason = "the jitter is bounded by ten seconds of clock")]
    fn block(&mut self) -> Block {
        let now = self.progress();
        let expected = now.expected.wrapping_sub(self.reported.expected);
        let lost = expected.saturating_sub(now.received.wrapping_sub(self.reported.received));
        self.reported = now;
        let fraction = (u64::from(lost) * 256).checked_div(u64::from(expected)).unwrap_or(0).min(255);
        let total = i64::from(now.expected) - i64::from(now.received);
        Block {
            ssrc: self.ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            lost: i32::try_from(total.clamp(-0x80_0000, 0x7F_FFFF)).unwrap_or(0),
            highest: self.cycles.wrapping_add(u32::from(self.highest)),
            jitter: self.jitter as u32,
        }
    }
}

#[allow(clippy::as_conversions, reason = "percentages and milliseconds need no double precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn header(sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp, ssrc: 1 }
    }

    #[test]
    fn loss_is_what_the_numbers_say_across_a_wrap() {
        let mut reception = Reception::default();
        let start = Instant::now();
        for index in 0..100u16 {
            if index % 10 != 5 {
                let at = start + Duration::from_millis(20) * u32::from(index);
                reception.receive(&header(65_500u16.wrapping_add(index), 160 * u32::from(index)), at);
            }
        }
        let (_, progress) = reception.progress().unwrap();
        assert_eq!(progress, Interval { expected: 100, received: 90 });
        assert!((progress.loss_since(Interval::default()) - 10.0).abs() < 0.01);
        let block = reception.block().unwrap();
        assert_eq!((block.lost, block.fraction_lost, block.highest), (10, 25, 65_536 + 63));
        assert_eq!(reception.block().unwrap().fraction_lost, 0);
    }

    #[test]
    fn steady_packets_have_no_jitter_and_shaken_ones_have() {
        let start = Instant::now();
        let mut steady = Reception::default();
        let mut shaken = Reception::default();
        for index in 0..200u16 {
            let at = start + Duration::from_millis(20) * u32::from(index);
            let late = if index % 2 == 0 { Duration::ZERO } else { Duration::from_millis(8) };
            steady.receive(&header(index, 160 * u32::from(index)), at);
            shaken.receive(&header(index, 160 * u32::from(index)), at + late);
        }
        assert!(steady.jitter_ms() < 0.01);
        assert!((7.0..8.5).contains(&shaken.jitter_ms()), "{}", shaken.jitter_ms());
    }

    #[test]
    fn key_presses_and_pauses_do_not_shake_the_clock() {
        let start = Instant::now();
        let mut reception = Reception::default();
        reception.receive(&header(0, 0), start);
        for index in 1..10u16 {
            reception.receive_untimed(&header(index, 160), start + Duration::from_millis(20) * u32::from(index));
        }
        reception.receive(&header(10, 1600), start + Duration::from_millis(200));
        assert!(reception.jitter_ms() < 0.01);
        assert_eq!(reception.progress().unwrap().1.expected, 11);
    }

    #[test]
    fn another_source_starts_over_and_repeats_are_no_gain() {
        let mut reception = Reception::default();
        let now = Instant::now();
        reception.receive(&header(1, 0), now);
        reception.receive(&header(1, 0), now);
        assert_eq!(reception.progress().unwrap().1.loss_since(Interval::default()), 0.0);
        reception.receive(&Header { ssrc: 2, ..header(9, 0) }, now);
        assert_eq!(reception.progress(), Some((2, Interval { expected: 1, received: 1 })));
    }
}
