//! What one side of a call says, packet by packet, and what it has heard.

use super::{FRAME, HEADER, SPEECH, StreamId};
use crate::browser::Browser;
use crate::run::leg::Micros;
use std::borrow::Cow;
use std::net::SocketAddrV4;

const SAMPLES: u16 = 160;
/// Frames that a key is pressed, and then packets that tell its end (RFC 4733 §2.5.1.4).
const PRESSED: u16 = 5;
const ENDS: u16 = 3;
/// Of the tone, in -dBm0.
const VOLUME: u8 = 10;
const END: u8 = 0x80;
const MARKER: u8 = 0x80;
/// Moments of sending that a stream remembers: longer under way is no call.
const REMEMBERED: usize = 64;
#[allow(clippy::as_conversions, reason = "64")]
const REMEMBERED_MOST: u64 = REMEMBERED as u64;

/// What one side heard in a call.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Heard {
    pub packets: u64,
    /// By the sequence numbers of what came.
    pub lost: u64,
    /// Packets with speech of the other side of the same call.
    pub own: u64,
    /// When the last of them came.
    pub last_own: Micros,
    /// Packets with speech of another call, which nobody should hear, or with what the other side said longer ago than is remembered.
    pub foreign: u64,
    /// RFC 3550 §6.4.1, microseconds.
    pub jitter: f64,
}

impl Heard {
    /// What the same side heard later in the call, with another telephone.
    pub fn add(&mut self, more: Self) {
        self.packets += more.packets;
        self.lost += more.lost;
        self.own += more.own;
        self.last_own = self.last_own.max(more.last_own);
        self.foreign += more.foreign;
        self.jitter = self.jitter.max(more.jitter);
    }
}

pub(super) struct Stream {
    pub socket: usize,
    pub slot: usize,
    /// Where this side's audio goes; none: nowhere.
    pub remote: Option<SocketAddrV4>,
    /// Where the other side's comes from, and its SSRC.
    pub from: Option<SocketAddrV4>,
    pub heard_ssrc: Option<u32>,
    /// Whose speech it should hear.
    pub peer: Option<StreamId>,
    ssrc: u32,
    /// Frames sent, and the piece of speech that was the first.
    pub sent: u64,
    first: u64,
    /// When the last ones were sent, by their number.
    sent_at: [Micros; REMEMBERED],
    pub heard: Heard,
    last: Option<(u16, f64)>,
    press: Option<Press>,
    /// What makes SRTP of it, on a browser's line.
    pub browser: Option<Box<Browser>>,
}

/// A key that is pressed: telephone events are sent instead of speech (RFC 4733).
struct Press {
    payload_type: u8,
    key: u8,
    /// All packets of a press have the first one's.
    timestamp: u32,
    /// Packets sent.
    sent: u16,
}

impl Stream {
    /// `first`: the piece of speech that it begins with.
    pub fn new(socket: usize, slot: usize, ssrc: u32, first: u64) -> Self {
        Self {
            socket,
            slot,
            remote: None,
            from: None,
            heard_ssrc: None,
            peer: None,
            ssrc,
            sent: 0,
            first,
            sent_at: [0; REMEMBERED],
            heard: Heard::default(),
            last: None,
            press: None,
            browser: None,
        }
    }

    /// The same on a browser's line.
    pub fn of(browser: Browser, socket: usize, slot: usize, first: u64) -> Self {
        let (ssrc, sent) = (browser.ssrc, browser.sent);
        Self { sent, browser: Some(Box::new(browser)), ..Self::new(socket, slot, ssrc, first) }
    }

    pub fn press(&mut self, key: u8, payload_type: u8) {
        self.press = Some(Press { payload_type, key, timestamp: self.timestamp(), sent: 0 });
    }

    /// What it heard so far; it goes on with a new call.
    pub fn hear_anew(&mut self) -> Heard {
        self.last = None;
        std::mem::take(&mut self.heard)
    }

    pub fn packet(&mut self, now: Micros) -> Vec<u8> {
        let (second, timestamp, payload) = self.payload();
        let mut packet = Vec::with_capacity(HEADER + FRAME);
        packet.extend([0x80, second]);
        packet.extend(u16::try_from(self.sent & 0xffff).unwrap_or(0).to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend_from_slice(&payload);
        if let Some(at) = self.sent_at.get_mut(remembered(self.sent)) {
            *at = now;
        }
        self.sent += 1;
        self.press.take_if(|press| press.sent == PRESSED + ENDS);
        packet
    }

    /// What goes out now: the header's second byte, its timestamp, and what is in the packet.
    fn payload(&mut self) -> (u8, u32, Cow<'static, [u8]>) {
        match &mut self.press {
            Some(press) => {
                let first = if press.sent == 0 { MARKER } else { 0 };
                press.sent += 1;
                let end = if press.sent > PRESSED { END } else { 0 };
                let [high, low] = (SAMPLES * press.sent.min(PRESSED)).to_be_bytes();
                (first | press.payload_type, press.timestamp, vec![press.key, end | VOLUME, high, low].into())
            }
            None => {
                let piece = usize::try_from((self.first + self.sent) % length()).unwrap_or(0);
                let speech = SPEECH.get(piece * FRAME..(piece + 1) * FRAME).unwrap_or_default();
                (if self.sent == 0 { MARKER } else { 0 }, self.timestamp(), speech.into())
            }
        }
    }

    /// Of the next packet.
    fn timestamp(&self) -> u32 {
        u32::try_from((self.sent * u64::from(SAMPLES)) & 0xffff_ffff).unwrap_or(0)
    }

    /// How long that piece of this stream's speech has been under way; none: it was not sent lately.
    pub fn under_way(&self, piece: u64, now: Micros) -> Option<Micros> {
        let last = self.sent.checked_sub(1)?;
        let back = (self.first + last + length() - piece) % length();
        let number = last.checked_sub(back).filter(|_| back < REMEMBERED_MOST)?;
        let at = self.sent_at.get(remembered(number))?;
        Some(now.saturating_sub(*at))
    }

    pub fn count(&mut self, sequence: u16, now: Micros) {
        #[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "microseconds of a run are well below 2^53")]
        let transit = now as f64 - f64::from(sequence) * 20_000.0;
        self.heard.packets += 1;
        if let Some((last, last_transit)) = self.last {
            let ahead = sequence.wrapping_sub(last);
            match ahead {
                1..=0x7fff => self.heard.lost += u64::from(ahead - 1),
                // Late: it was counted as lost.
                0x8000.. => {
                    self.heard.lost = self.heard.lost.saturating_sub(1);
                    return;
                }
                0 => return,
            }
            // A number that began anew is no jitter.
            let difference = (transit - last_transit).abs();
            if ahead == 1 && difference < 1_000_000.0 {
                self.heard.jitter += (difference - self.heard.jitter) / 16.0;
            }
        }
        self.last = Some((sequence, transit));
    }
}

#[allow(clippy::as_conversions, reason = "below 64")]
const fn remembered(number: u64) -> usize {
    (number % REMEMBERED as u64) as usize
}

#[allow(clippy::as_conversions, reason = "some thousand pieces")]
pub(super) const fn length() -> u64 {
    (SPEECH.len() / FRAME) as u64
}

#[cfg(test)]
mod tests {
    use super::super::audio;
    use super::*;

    /// RFC 4733 §2.5.1, D6.
    #[test]
    fn a_key_is_one_press_in_events_between_speech() {
        let mut stream = Stream::new(0, 0, 1, 0);
        stream.packet(0);
        stream.press(7, 96);
        let packets: Vec<Vec<u8>> = (0..10).map(|_| stream.packet(0)).collect();
        let (events, speech) = packets.split_at(8);
        let timestamp = |packet: &[u8]| u32::from_be_bytes(*packet[4..].first_chunk().unwrap());
        assert_eq!(events.iter().map(|event| event[1]).collect::<Vec<_>>(), [0x80 | 96, 96, 96, 96, 96, 96, 96, 96]);
        assert!(events.iter().all(|event| timestamp(event) == 160 && event[HEADER] == 7), "{events:?}");
        let durations: Vec<u16> = events.iter().map(|event| u16::from_be_bytes([event[HEADER + 2], event[HEADER + 3]])).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800, 800]);
        assert_eq!(events.iter().map(|event| event[HEADER + 1] & END).collect::<Vec<_>>(), [0, 0, 0, 0, 0, END, END, END]);
        assert_eq!((audio(&events[0]), audio(&speech[0]).unwrap().0, timestamp(&speech[0])), (None, 9, 9 * 160));
        let sequence: Vec<u8> = packets.iter().map(|packet| packet[3]).collect();
        assert_eq!(sequence, (1..=10).collect::<Vec<u8>>());
    }

    #[test]
    fn what_does_not_come_is_lost_and_what_comes_late_is_not() {
        let mut stream = Stream::new(0, 0, 1, 0);
        for (sequence, at) in [(65534u16, 0), (65535, 20), (1, 60), (0, 61), (5, 140)] {
            stream.count(sequence, at * 1_000);
        }
        assert_eq!((stream.heard.packets, stream.heard.lost), (5, 3));
    }
}
