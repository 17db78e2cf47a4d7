//! What is known of a far side's path: reports sent and received, its quality, and how long it has been silent.

use crate::emodel;
use crate::event::Quality;
use crate::outgoing::Outgoing;
use crate::reception::{Block, Interval, Reception};
use crate::rtcp::{Report, ReportBlock, SenderInfo};
use crate::rtp::CLOCK;
use std::time::{Duration, Instant, SystemTime};

/// Between two reports of ours; RFC 3550 section 6.2 asks for five seconds, shaken by half.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// A carrier that sends neither RTP nor RTCP for this long may have vanished (G5).
const SILENCE: Duration = Duration::from_secs(60);
/// From 1900 to 1970.
const NTP_OFFSET: u64 = 2_208_988_800;
const CNAME: &str = "cordboard";

/// The state of one far side's control channel.
#[derive(Debug)]
pub struct Control {
    /// Of the timestamps on the wire, steps a second; ours count G.711's.
    clock: u32,
    next_report: Instant,
    /// A report was sent.
    reported: bool,
    /// The middle bits of the far side's last sender report, and when it came.
    far_report: Option<(u32, Instant)>,
    far_loss_percent: f32,
    far_jitter_ms: f32,
    round_trip_ms: Option<f32>,
    last_heard: Instant,
    /// Intervals of silence told since then.
    silences: u32,
}

impl Control {
    pub fn new(clock: u32, now: Instant) -> Self {
        Control {
            clock,
            next_report: now + REPORT_INTERVAL / 2,
            reported: false,
            far_report: None,
            far_loss_percent: 0.0,
            far_jitter_ms: 0.0,
            round_trip_ms: None,
            last_heard: now,
            silences: 0,
        }
    }

    /// The far side sent something valid.
    pub fn heard(&mut self, now: Instant) {
        self.last_heard = now;
        self.silences = 0;
    }

    /// How long the far side has been silent, once for every minute of it.
    pub fn silent(&mut self, now: Instant) -> Option<Duration> {
        let silence = now.saturating_duration_since(self.last_heard);
        if silence < SILENCE * (self.silences + 1) {
            return None;
        }
        self.silences += 1;
        Some(silence)
    }

    /// Takes the far side's reports; `ours` is the SSRC we send with.
    pub fn receive(&mut self, reports: &[Report], ours: u32, now: Instant, wall: SystemTime) {
        for report in reports {
            if let Some(sender) = &report.sender {
                self.far_report = Some((middle(sender.ntp), now));
            }
            for ReportBlock { block, last_report, delay } in report.blocks.iter().filter(|block| block.block.ssrc == ours) {
                self.far_loss_percent = f32::from(block.fraction_lost) * 100.0 / 256.0;
                self.far_jitter_ms = milliseconds(block.jitter, self.clock.into());
                if *last_report != 0 {
                    let round_trip = middle(ntp(wall)).wrapping_sub(*last_report).wrapping_sub(*delay);
                    // A far side that counts wrongly must not show hours.
                    self.round_trip_ms = Some(milliseconds(round_trip, 65_536.0)).filter(|ms| *ms < 10_000.0);
                }
            }
        }
    }

    /// A report to send now, when one is due; `shake` is a random number.
    pub fn due(&mut self, outgoing: &Outgoing, reception: &mut Reception, now: Instant, wall: SystemTime, shake: u8) -> Option<Vec<u8>> {
        if now < self.next_report {
            return None;
        }
        self.reported = true;
        self.next_report = now + REPORT_INTERVAL / 2 + REPORT_INTERVAL * u32::from(shake) / 256;
        Some(self.report(outgoing, reception, now, wall).write(CNAME))
    }

    /// The last report of a leg; who never sent anything does not take leave (RFC 3550 section 6.3.7).
    pub fn goodbye(&self, outgoing: &Outgoing, reception: &mut Reception, now: Instant, wall: SystemTime) -> Option<Vec<u8>> {
        let (packets, _) = outgoing.totals();
        (self.reported || packets > 0).then(|| self.report(outgoing, reception, now, wall).write_goodbye(CNAME))
    }

    fn report(&self, outgoing: &Outgoing, reception: &mut Reception, now: Instant, wall: SystemTime) -> Report {
        let (packets, octets) = outgoing.totals();
        let sender =
            (packets > 0).then(|| SenderInfo { ntp: ntp(wall), rtp: self.on_the_wire(outgoing.timestamp_at(now)), packets, octets });
        let (last_report, delay) = self.far_report.map_or((0, 0), |(report, at)| {
            let delay = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
            (report, u32::try_from(delay).unwrap_or(u32::MAX))
        });
        let block = reception.block().map(|block| Block { jitter: self.on_the_wire(block.jitter), ..block });
        let blocks = block.map(|block| ReportBlock { block, last_report, delay }).into_iter().collect();
        Report { ssrc: outgoing.ssrc(), sender, blocks }
    }

    fn on_the_wire(&self, timestamp: u32) -> u32 {
        timestamp.wrapping_mul(self.clock / CLOCK)
    }

    /// The quality since `earlier`, of both directions.
    pub fn quality(&self, heard: Heard) -> Quality {
        let round_trip = self.round_trip_ms.unwrap_or(0.0);
        let towards_us = emodel::mos(heard.loss_percent, heard.jitter_ms, round_trip);
        let towards_them = emodel::mos(self.far_loss_percent, self.far_jitter_ms, round_trip);
        Quality {
            mos: towards_us.min(towards_them),
            loss_percent: heard.loss_percent.max(self.far_loss_percent),
            jitter_ms: heard.jitter_ms.max(self.far_jitter_ms),
            round_trip_ms: self.round_trip_ms,
        }
    }
}

/// What was received in one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    pub loss_percent: f32,
    pub jitter_ms: f32,
}

/// Cuts a reception into intervals.
#[derive(Debug, Default)]
pub struct Meter {
    last: Option<(u32, Interval)>,
}

impl Meter {
    /// The interval since the last call; `None` when nothing came.
    pub fn interval(&mut self, reception: &Reception) -> Option<Heard> {
        let (ssrc, now) = reception.progress()?;
        let before = self.last.filter(|(before, _)| *before == ssrc).map_or(Interval::default(), |(_, interval)| interval);
        self.last = Some((ssrc, now));
        (now.received != before.received).then(|| Heard { loss_percent: now.loss_since(before), jitter_ms: reception.jitter_ms() })
    }
}

fn ntp(wall: SystemTime) -> u64 {
    let since_1970 = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
    (since_1970.as_secs() + NTP_OFFSET) << 32 | fraction
}

/// The middle 32 of the 64 bits, 1/65536 s.
fn middle(ntp: u64) -> u32 {
    u32::try_from(ntp >> 16 & u64::from(u32::MAX)).unwrap_or(0)
}

#[allow(clippy::as_conversions, reason = "milliseconds need no double precision")]
fn milliseconds(units: u32, per_second: f64) -> f32 {
    (f64::from(units) * 1000.0 / per_second) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp;
    use crate::rtp::Header;

    fn header(sequence: u16) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp: u32::from(sequence) * 160, ssrc: 1 }
    }

    #[test]
    fn the_round_trip_is_what_both_ends_reports_say() {
        let (start, wall) = (Instant::now(), SystemTime::now());
        let after = |ms: u64| (start + Duration::from_millis(ms), wall + Duration::from_millis(ms));
        let mut outgoing = Outgoing::new(42, 1, 1);
        outgoing.generated(0, 160, start);
        let mut reception = Reception::default();
        let mut ours = Control::new(CLOCK, start);
        let mut theirs = Control::new(CLOCK, start);
        let mut their_reception = Reception::default();
        their_reception.receive(&Header { ssrc: 42, ..header(1) }, start);
        // Ours leaves at 5000, is there at 5040; theirs leaves at 5300, is here at 5350.
        let (now, clock) = after(5000);
        let report = ours.due(&outgoing, &mut reception, now, clock, 0).unwrap();
        let (now, clock) = after(5040);
        theirs.receive(&rtcp::parse(&report).unwrap(), 9, now, clock);
        let (now, clock) = after(5300);
        let answer = theirs.due(&Outgoing::new(9, 1, 1), &mut their_reception, now, clock, 0).unwrap();
        let (now, clock) = after(5350);
        ours.receive(&rtcp::parse(&answer).unwrap(), 42, now, clock);
        let quality = ours.quality(Heard { loss_percent: 0.0, jitter_ms: 0.0 });
        assert!((quality.round_trip_ms.unwrap() - 90.0).abs() < 1.0, "{quality:?}");
        assert!(ours.due(&outgoing, &mut reception, now, clock, 0).is_none());
    }

    #[test]
    fn the_worse_direction_counts() {
        let now = Instant::now();
        let mut control = Control::new(CLOCK, now);
        let block = Block { ssrc: 42, fraction_lost: 26, lost: 5, highest: 9, jitter: 160 };
        let report = Report { ssrc: 1, sender: None, blocks: vec![ReportBlock { block, last_report: 0, delay: 0 }] };
        control.receive(&[report], 42, now, SystemTime::now());
        let quality = control.quality(Heard { loss_percent: 0.0, jitter_ms: 3.0 });
        assert!((quality.loss_percent - 10.15).abs() < 0.1 && quality.jitter_ms == 20.0 && quality.mos < 4.0, "{quality:?}");
        assert_eq!(quality.round_trip_ms, None);
    }

    // F4
    #[test]
    fn reports_of_opus_count_in_its_own_clock() {
        let (start, wall) = (Instant::now(), SystemTime::now());
        let mut outgoing = Outgoing::new(42, 1, 1_000);
        outgoing.generated(0, 160, start);
        let mut reception = Reception::default();
        for sequence in 0..100u16 {
            let late = if sequence % 2 == 0 { 0 } else { 8 };
            reception.receive(&header(sequence), start + Duration::from_millis(u64::from(sequence) * 20 + late));
        }
        let mut control = Control::new(6 * CLOCK, start);
        let sent = rtcp::parse(&control.due(&outgoing, &mut reception, start + Duration::from_secs(3), wall, 0).unwrap()).unwrap();
        assert_eq!(sent[0].sender.unwrap().rtp, 6 * (1_000 + 3 * CLOCK));
        let jitter = sent[0].blocks[0].block.jitter;
        assert!((6 * 56..=6 * 64).contains(&jitter), "8 ms are 64 steps of ours: {jitter}");
        let block = Block { ssrc: 42, ..sent[0].blocks[0].block };
        let report = Report { ssrc: 1, sender: None, blocks: vec![ReportBlock { block, last_report: 0, delay: 0 }] };
        control.receive(&[report], 42, start, wall);
        let quality = control.quality(Heard { loss_percent: 0.0, jitter_ms: 0.0 });
        assert!((7.0..=8.0).contains(&quality.jitter_ms), "{quality:?}");
    }

    #[test]
    fn who_never_sent_anything_does_not_take_leave() {
        let (start, wall) = (Instant::now(), SystemTime::now());
        let (mut outgoing, mut reception) = (Outgoing::new(42, 1, 1_000), Reception::default());
        let mut control = Control::new(CLOCK, start);
        assert_eq!(control.goodbye(&outgoing, &mut reception, start, wall), None);
        assert!(control.due(&outgoing, &mut reception, start + Duration::from_secs(3), wall, 0).is_some());
        assert!(control.goodbye(&outgoing, &mut reception, start, wall).is_some(), "after a report");
        control = Control::new(CLOCK, start);
        outgoing.generated(0, 160, start);
        assert!(control.goodbye(&outgoing, &mut reception, start, wall).is_some(), "after audio");
    }

    #[test]
    fn silence_is_told_every_minute_until_something_is_heard() {
        let start = Instant::now();
        let mut control = Control::new(CLOCK, start);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(control.silent(after(59)), None);
        assert_eq!(control.silent(after(60)), Some(Duration::from_secs(60)));
        assert_eq!(control.silent(after(61)), None);
        assert!(control.silent(after(120)).is_some());
        control.heard(after(130));
        assert_eq!(control.silent(after(180)), None);
        assert!(control.silent(after(190)).is_some());
    }

    #[test]
    fn a_meter_measures_each_interval_by_itself() {
        let now = Instant::now();
        let mut reception = Reception::default();
        let mut meter = Meter::default();
        assert_eq!(meter.interval(&reception), None);
        for sequence in [1, 2, 4, 5] {
            reception.receive(&header(sequence), now);
        }
        assert_eq!(meter.interval(&reception).unwrap().loss_percent, 20.0);
        assert_eq!(meter.interval(&reception), None);
        reception.receive(&header(6), now);
        assert_eq!(meter.interval(&reception).unwrap().loss_percent, 0.0);
    }
}
