//! Where a packet belongs on the clock of a recording: by its timestamp while that agrees with its arrival, else by its arrival.

use crate::rtp::timestamp_distance;

/// Packets may come this late (a stall, then a burst) and still belong where their timestamp says: two seconds.
const LATEST: i32 = 16_000;
/// A timestamp may be ahead of the clock by this much before the clock wins: 200 ms.
const EARLIEST: i32 = 1600;
/// Every this many packets the offset follows a sender whose clock is slow.
const REVIEW: u16 = 500;
/// All packets of a review being later than this is drift, not jitter: 50 ms.
const DRIFT: i32 = 400;

/// One channel's mapping from RTP timestamps to samples since the recording began.
#[derive(Debug, Default)]
pub struct Timeline {
    stream: Option<Stream>,
}

#[derive(Debug, Clone, Copy)]
struct Stream {
    ssrc: u32,
    timestamp: u32,
    position: u32,
    reviewed: u16,
    least_late: i32,
}

impl Timeline {
    /// The position of a packet that arrived at sample `now` of the recording.
    pub fn place(&mut self, ssrc: u32, timestamp: u32, now: u32) -> u32 {
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.ssrc == ssrc) {
            let position = i64::from(stream.position) + i64::from(timestamp_distance(timestamp, stream.timestamp));
            let late = i64::from(now) - position;
            if let (Ok(position), Ok(late)) = (u32::try_from(position), i32::try_from(late))
                && (-EARLIEST..=LATEST).contains(&late)
            {
                stream.review(late);
                return position;
            }
        }
        self.stream = Some(Stream { ssrc, timestamp, position: now, reviewed: 0, least_late: i32::MAX });
        now
    }
}

impl Stream {
    fn review(&mut self, late: i32) {
        self.least_late = self.least_late.min(late);
        self.reviewed += 1;
        if self.reviewed >= REVIEW {
            if self.least_late > DRIFT {
                self.position = self.position.saturating_add_signed(self.least_late);
            }
            self.reviewed = 0;
            self.least_late = i32::MAX;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_and_a_burst_do_not_move_packets() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.place(1, u32::MAX - 79, 1000), 1000);
        assert_eq!(timeline.place(1, 80, 1230), 1160);
        // A stall of a second, then all at once, out of order.
        assert_eq!(timeline.place(1, 400, 9000), 1480);
        assert_eq!(timeline.place(1, 240, 9000), 1320);
    }

    #[test]
    fn a_jump_of_the_timestamp_or_another_source_goes_by_the_clock() {
        let mut timeline = Timeline::default();
        timeline.place(1, 0, 0);
        assert_eq!(timeline.place(1, 900_000, 160), 160);
        assert_eq!(timeline.place(1, 900_160, 320), 320);
        assert_eq!(timeline.place(2, 5, 480), 480);
        // Resumed after a minute of nothing with an unmoved timestamp.
        assert_eq!(timeline.place(2, 165, 480_000), 480_000);
    }

    #[test]
    fn a_slow_sender_is_followed() {
        let mut timeline = Timeline::default();
        let mut position = 0;
        for packet in 0..100_000u32 {
            // One sample a packet slow: 0.6 %.
            position = timeline.place(1, packet * 160, packet * 161);
        }
        assert!(99_999 * 161 - position < 1500, "{position}");
    }
}
