//! One outgoing RTP stream whose numbers go on unbroken, whatever feeds it: a relayed leg, music, a prompt, another leg.

use crate::rtp::{Header, sequence_distance, timestamp_distance};
use cordboard_core::ids::LegId;
use std::time::{Duration, Instant};

/// Sequence numbers further back than this, or further ahead than [`MAX_AHEAD`], are another stream (RFC 3550 appendix A.1's idea).
const MAX_BEHIND: i16 = -100;
const MAX_AHEAD: i16 = 3000;
/// A step of the timestamp this large is another stream: ten seconds.
const MAX_TIMESTAMP_STEP: u32 = 80_000;
/// After a pause this long, generated audio starts a new talk-spurt.
const SPURT_PAUSE: Duration = Duration::from_millis(100);
const SAMPLES_PER_MS: u128 = 8;
/// Octets of a telephone event (RFC 4733 section 2.3).
const EVENT_LEN: u32 = 4;

/// Sequence, timestamp and SSRC of one outgoing stream.
#[derive(Debug)]
pub struct Outgoing {
    ssrc: u32,
    next_sequence: u16,
    /// Of the newest packet sent.
    last: Option<Sent>,
    first_timestamp: u32,
    relayed: Option<Relayed>,
    packets: u32,
    octets: u32,
}

/// The time that a packet takes in the stream; of a telephone event, the whole event so far.
#[derive(Debug, Clone, Copy)]
struct Sent {
    timestamp: u32,
    samples: u32,
    at: Instant,
}

/// How an incoming stream's numbers become ours.
#[derive(Debug, Clone, Copy)]
struct Relayed {
    from: LegId,
    ssrc: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
    /// The first of our numbers that belongs to this stream: earlier ones are taken.
    base_sequence: u16,
    newest_sequence: u16,
    newest_timestamp: u32,
}

impl Outgoing {
    /// A stream that begins at the given (random) numbers.
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Outgoing { ssrc, next_sequence: sequence, last: None, first_timestamp: timestamp, relayed: None, packets: 0, octets: 0 }
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// When the newest packet was sent.
    pub fn last_sent(&self) -> Option<Instant> {
        self.last.map(|sent| sent.at)
    }

    /// Packets and payload octets sent, as a sender report tells them.
    pub fn totals(&self) -> (u32, u32) {
        (self.packets, self.octets)
    }

    /// The RTP timestamp that belongs to the moment `now` (RFC 3550 section 6.4.1).
    pub fn timestamp_at(&self, now: Instant) -> u32 {
        self.last.map_or(self.first_timestamp, |sent| sent.timestamp.wrapping_add(samples_between(sent.at, now)))
    }

    /// The header for a frame of our own: music, a tone, a prompt, silence.
    pub fn generated(&mut self, payload_type: u8, samples: u32, now: Instant) -> Header {
        let continues = self.relayed.is_none() && self.last.is_some_and(|sent| now.saturating_duration_since(sent.at) < SPURT_PAUSE);
        let timestamp = match self.last {
            Some(sent) if continues => sent.timestamp.wrapping_add(sent.samples),
            Some(_) | None => self.resumed_timestamp(now),
        };
        self.relayed = None;
        let header = Header { marker: !continues, payload_type, sequence: self.next_sequence, timestamp, ssrc: self.ssrc };
        self.note(header, samples, Sent { timestamp, samples, at: now });
        header
    }

    /// The header for a packet of a telephone event of our own that has lasted `duration` samples; all of them carry the timestamp of its start
    /// (RFC 4733 section 2.5.1). No audio may be sent between them.
    pub fn event(&mut self, payload_type: u8, first: bool, duration: u32, now: Instant) -> Header {
        let known = self.last.filter(|_| !first);
        let start = known.unwrap_or_else(|| Sent { timestamp: self.resumed_timestamp(now), samples: 0, at: now });
        self.relayed = None;
        let header = Header { marker: first, payload_type, sequence: self.next_sequence, timestamp: start.timestamp, ssrc: self.ssrc };
        self.note(header, EVENT_LEN, Sent { samples: duration, ..start });
        header
    }

    /// The header for a packet relayed from `from`; `None` when it belongs to the time before the stream took over, so that its number is taken.
    ///
    /// Gaps and reordering of the incoming stream stay as they are, so that the receiver sees the true loss.
    pub fn relayed(&mut self, from: LegId, incoming: &Header, payload_type: u8, samples: u32, now: Instant) -> Option<Header> {
        let known = self.relayed.filter(|known| known.continues(from, incoming));
        let mut marker = incoming.marker;
        let mut mapping = match known {
            Some(known) => known,
            None => {
                marker = true;
                Relayed {
                    from,
                    ssrc: incoming.ssrc,
                    sequence_offset: self.next_sequence.wrapping_sub(incoming.sequence),
                    timestamp_offset: self.resumed_timestamp(now).wrapping_sub(incoming.timestamp),
                    base_sequence: self.next_sequence,
                    newest_sequence: incoming.sequence,
                    newest_timestamp: incoming.timestamp,
                }
            }
        };
        let sequence = incoming.sequence.wrapping_add(mapping.sequence_offset);
        if sequence_distance(sequence, mapping.base_sequence) < 0 {
            return None;
        }
        if sequence_distance(incoming.sequence, mapping.newest_sequence) > 0 {
            mapping.newest_sequence = incoming.sequence;
            mapping.newest_timestamp = incoming.timestamp;
        }
        self.relayed = Some(mapping);
        let timestamp = incoming.timestamp.wrapping_add(mapping.timestamp_offset);
        let header = Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc };
        self.note(header, samples, Sent { timestamp, samples, at: now });
        Some(header)
    }

    /// A packet of the relayed stream that is left out on purpose (an event the listener cannot take): it must not look like a loss.
    pub fn left_out(&mut self, from: LegId, incoming: &Header) {
        if let Some(relayed) = self.relayed.as_mut().filter(|relayed| relayed.continues(from, incoming))
            && sequence_distance(incoming.sequence, relayed.newest_sequence) > 0
        {
            relayed.sequence_offset = relayed.sequence_offset.wrapping_sub(1);
            relayed.newest_sequence = incoming.sequence;
        }
    }

    /// Where the timestamp is after a change of source: as much later as time has passed, and never before the end of the last frame.
    fn resumed_timestamp(&self, now: Instant) -> u32 {
        self.last.map_or(self.first_timestamp, |sent| sent.timestamp.wrapping_add(samples_between(sent.at, now).max(sent.samples)))
    }

    fn note(&mut self, header: Header, octets: u32, sent: Sent) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets);
        if sequence_distance(header.sequence, self.next_sequence) >= 0 {
            self.next_sequence = header.sequence.wrapping_add(1);
            self.last = Some(sent);
        }
    }
}

impl Relayed {
    fn continues(&self, from: LegId, incoming: &Header) -> bool {
        let ahead = sequence_distance(incoming.sequence, self.newest_sequence);
        let step = timestamp_distance(incoming.timestamp, self.newest_timestamp);
        self.from == from
            && self.ssrc == incoming.ssrc
            && (MAX_BEHIND..=MAX_AHEAD).contains(&ahead)
            && step.unsigned_abs() < MAX_TIMESTAMP_STEP
    }
}

fn samples_between(from: Instant, to: Instant) -> u32 {
    let millis = to.saturating_duration_since(from).as_millis();
    u32::try_from(millis * SAMPLES_PER_MS).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOMER: LegId = LegId(1);
    const AGENT: LegId = LegId(2);

    fn incoming(sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp, ssrc: 99 }
    }

    struct Rig {
        out: Outgoing,
        now: Instant,
    }

    impl Rig {
        fn new() -> Self {
            Rig { out: Outgoing::new(5, 65_534, u32::MAX - 100), now: Instant::now() }
        }
        fn relay(&mut self, from: LegId, header: Header) -> Option<Header> {
            self.now += Duration::from_millis(20);
            self.out.relayed(from, &header, 0, 160, self.now)
        }
        fn play(&mut self) -> Header {
            self.now += Duration::from_millis(20);
            self.out.generated(0, 160, self.now)
        }
    }

    #[test]
    fn numbers_go_on_across_relay_music_and_another_leg() {
        let mut rig = Rig::new();
        let mut headers = Vec::new();
        for i in 0..3 {
            headers.push(rig.relay(AGENT, incoming(1000 + i, 5000 + 160 * u32::from(i))).unwrap());
        }
        for _ in 0..3 {
            headers.push(rig.play());
        }
        for i in 0..3 {
            headers.push(rig.relay(CUSTOMER, incoming(7 + i, 900_000 + 160 * u32::from(i))).unwrap());
        }
        for pair in headers.windows(2) {
            assert_eq!(sequence_distance(pair[1].sequence, pair[0].sequence), 1);
            assert_eq!(timestamp_distance(pair[1].timestamp, pair[0].timestamp), 160);
            assert_eq!(pair[0].ssrc, 5);
        }
        let markers: Vec<bool> = headers.iter().map(|header| header.marker).collect();
        assert_eq!(markers, [true, false, false, true, false, false, true, false, false]);
    }

    #[test]
    fn loss_and_reordering_pass_through() {
        let mut rig = Rig::new();
        let first = rig.relay(AGENT, incoming(10, 0)).unwrap();
        let fourth = rig.relay(AGENT, incoming(13, 480)).unwrap();
        let third = rig.relay(AGENT, incoming(12, 320)).unwrap();
        assert_eq!(sequence_distance(fourth.sequence, first.sequence), 3);
        assert_eq!(sequence_distance(third.sequence, first.sequence), 2);
        let next = rig.play();
        assert_eq!(sequence_distance(next.sequence, fourth.sequence), 1);
    }

    #[test]
    fn a_late_packet_from_before_the_change_is_dropped() {
        let mut rig = Rig::new();
        rig.relay(AGENT, incoming(10, 0)).unwrap();
        rig.play();
        rig.relay(AGENT, incoming(12, 320)).unwrap();
        assert_eq!(rig.relay(AGENT, incoming(11, 160)), None);
    }

    #[test]
    fn a_pause_moves_the_timestamp_with_the_clock() {
        let mut rig = Rig::new();
        let before = rig.play();
        rig.now += Duration::from_secs(2);
        let after = rig.play();
        assert_eq!(sequence_distance(after.sequence, before.sequence), 1);
        assert_eq!(timestamp_distance(after.timestamp, before.timestamp), 8 * 2020);
        assert!(after.marker);
    }

    #[test]
    fn an_event_of_our_own_keeps_its_start_and_audio_goes_on_at_the_present_time() {
        let mut rig = Rig::new();
        let before = rig.relay(AGENT, incoming(10, 0)).unwrap();
        let mut events = Vec::new();
        for frame in 1..=8u32 {
            rig.now += Duration::from_millis(20);
            events.push(rig.out.event(101, frame == 1, frame.min(5) * 160, rig.now));
        }
        let after = rig.relay(AGENT, incoming(19, 1440)).unwrap();
        assert!(events.iter().all(|event| timestamp_distance(event.timestamp, before.timestamp) == 160 && event.payload_type == 101));
        assert_eq!(events.iter().map(|event| event.marker).collect::<Vec<_>>(), [true, false, false, false, false, false, false, false]);
        assert_eq!(timestamp_distance(after.timestamp, before.timestamp), 9 * 160);
        let sequence: Vec<u16> = events.iter().chain([&after]).map(|header| header.sequence.wrapping_sub(before.sequence)).collect();
        assert_eq!(sequence, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(rig.out.totals(), (10, 2 * 160 + 8 * 4));
    }

    #[test]
    fn a_restarted_sender_does_not_break_our_numbers() {
        let mut rig = Rig::new();
        let before = rig.relay(AGENT, incoming(10, 0)).unwrap();
        let after = rig.relay(AGENT, incoming(40_000, 3_000_000)).unwrap();
        assert_eq!(sequence_distance(after.sequence, before.sequence), 1);
        assert_eq!(timestamp_distance(after.timestamp, before.timestamp), 160);
    }

    #[test]
    fn a_packet_left_out_is_no_loss() {
        let mut rig = Rig::new();
        let before = rig.relay(AGENT, incoming(10, 0)).unwrap();
        rig.out.left_out(AGENT, &incoming(11, 160));
        rig.out.left_out(AGENT, &incoming(12, 160));
        let after = rig.relay(AGENT, incoming(13, 480)).unwrap();
        assert_eq!(sequence_distance(after.sequence, before.sequence), 1);
        assert_eq!(timestamp_distance(after.timestamp, before.timestamp), 480);
    }
}
