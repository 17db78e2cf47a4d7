//! Key presses: those received as telephone events (RFC 4733), one digit for each whatever is lost or repeated; and those sent (D7), as events or as tones.

use crate::event::DtmfMode;
use crate::g711::Law;
use crate::packet::Own;
use crate::rtp::timestamp_distance;
use crate::sound::{Frame, Sound};
use crate::synth;
use std::collections::VecDeque;

/// Frames that a key is pressed: 100 ms.
const PRESSED: u16 = 5;
/// Frames from there to the next press: an event's end is sent three times (section 2.5.1.4), a tone is followed by 60 ms of silence (ITU-T Q.24 asks
/// for 40).
const RELEASED: u16 = 3;
/// Digits that may wait for one leg: nobody dials a longer extension.
const MOST_WAITING: usize = 64;
const SAMPLES: u16 = 160;
const END: u8 = 0x80;
/// Of the tone that the event stands for, in -dBm0 (section 2.3.4).
const VOLUME: u8 = 10;

/// Follows the telephone events of one RTP stream.
#[derive(Debug, Default)]
pub struct DigitReceiver {
    /// The stream's source: timestamps of another have nothing to do with these.
    ssrc: Option<u32>,
    current: Option<Event>,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    code: u8,
    timestamp: u32,
    duration: u16,
    ended: bool,
}

impl DigitReceiver {
    /// Takes one event packet (its RTP source, timestamp and payload) and gives the digit when a key press begins.
    ///
    /// A press is named by its timestamp (section 2.5.1.1), so repeats and the three end packets count once, and a lost first packet does not matter.
    /// A press longer than the duration field can say goes on under a new timestamp (section 2.5.1.3).
    pub fn receive(&mut self, ssrc: u32, timestamp: u32, payload: &[u8]) -> Option<char> {
        if self.ssrc.replace(ssrc) != Some(ssrc) {
            self.current = None;
        }
        let &[code, flags, high, low] = payload.first_chunk::<4>()?;
        let duration = u16::from_be_bytes([high, low]);
        let ended = flags & END != 0;
        let event = Event { code, timestamp, duration, ended };
        if let Some(current) = &mut self.current {
            let ahead = timestamp_distance(timestamp, current.timestamp);
            if ahead == 0 {
                current.duration = current.duration.max(duration);
                current.ended |= ended;
                return None;
            }
            if ahead < 0 {
                return None;
            }
            let next_segment = timestamp == current.timestamp.wrapping_add(u32::from(current.duration));
            if code == current.code && !current.ended && next_segment {
                *current = event;
                return None;
            }
        }
        self.current = Some(event);
        digit(code)
    }
}

/// Sends one digit after another, each whole.
#[derive(Debug, Default)]
pub struct DigitSender {
    waiting: VecDeque<(char, DtmfMode)>,
    pressed: Option<Press>,
}

#[derive(Debug)]
struct Press {
    /// What goes out while the key is pressed.
    key: Key,
    /// How many frames have gone out.
    frame: u16,
}

#[derive(Debug)]
enum Key {
    /// Its code.
    Event(u8),
    Tone(Sound),
}

impl DigitSender {
    /// Sends a digit after those that wait; `false` when it is none, or too many wait.
    pub fn send(&mut self, digit: char, mode: DtmfMode) -> bool {
        let room = code(digit).is_some() && self.waiting.len() < MOST_WAITING;
        if room {
            self.waiting.push_back((digit, mode));
        }
        room
    }

    /// Whether all else has to be silent.
    pub fn is_sending(&self) -> bool {
        self.pressed.is_some() || !self.waiting.is_empty()
    }

    /// The next 20 ms; `None` when nothing is to be sent. Without `events` in the session every digit is a tone.
    pub fn next_frame(&mut self, law: Law, events: bool) -> Option<Own> {
        if self.pressed.is_none() {
            let (digit, mode) = self.waiting.pop_front()?;
            let key = match mode {
                DtmfMode::Rfc4733 if events => Key::Event(code(digit)?),
                DtmfMode::Rfc4733 | DtmfMode::InBand => Key::Tone(Sound::new(&synth::key(digit))),
            };
            self.pressed = Some(Press { key, frame: 0 });
        }
        let press = self.pressed.as_mut()?;
        let own = press.own(law);
        press.frame += 1;
        if press.frame == PRESSED + RELEASED {
            self.pressed = None;
        }
        Some(own)
    }
}

impl Press {
    fn own(&self, law: Law) -> Own {
        match &self.key {
            Key::Event(code) => {
                let ended = self.frame >= PRESSED;
                let [high, low] = (SAMPLES * PRESSED.min(self.frame + 1)).to_be_bytes();
                Own::Event { first: self.frame == 0, payload: [*code, if ended { END | VOLUME } else { VOLUME }, high, low] }
            }
            Key::Tone(sound) => Own::Audio(sound.frame(law, self.frame.into()).map_or_else(|| Frame::silence(law), Frame::copy)),
        }
    }
}

/// The event code of a key.
fn code(digit: char) -> Option<u8> {
    (0..16).find(|code| self::digit(*code) == Some(digit))
}

/// The key of an event code (RFC 4733 section 3.2); flash and the rest are not digits.
fn digit(code: u8) -> Option<char> {
    match code {
        0..=9 => Some(char::from(b'0' + code)),
        10 => Some('*'),
        11 => Some('#'),
        12..=15 => Some(char::from(b'A' + code - 12)),
        16..=255 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(code: u8, ended: bool, duration: u16) -> [u8; 4] {
        let [high, low] = duration.to_be_bytes();
        [code, if ended { 0x8A } else { 0x0A }, high, low]
    }

    #[test]
    fn a_press_is_reported_once_however_often_it_is_sent() {
        let mut receiver = DigitReceiver::default();
        assert_eq!(receiver.receive(1, 1000, &packet(5, false, 160)), Some('5'));
        assert_eq!(receiver.receive(1, 1000, &packet(5, false, 320)), None);
        for _ in 0..3 {
            assert_eq!(receiver.receive(1, 1000, &packet(5, true, 480)), None);
        }
        assert_eq!(receiver.receive(1, 3000, &packet(5, false, 160)), Some('5'), "the same key again");
    }

    #[test]
    fn only_the_last_packet_arriving_is_enough() {
        assert_eq!(DigitReceiver::default().receive(1, 1, &packet(11, true, 800)), Some('#'));
    }

    #[test]
    fn a_late_packet_of_an_earlier_press_says_nothing() {
        let mut receiver = DigitReceiver::default();
        assert_eq!(receiver.receive(1, 1000, &packet(1, true, 480)), Some('1'));
        assert_eq!(receiver.receive(1, 3000, &packet(2, false, 160)), Some('2'));
        assert_eq!(receiver.receive(1, 1000, &packet(1, true, 480)), None);
    }

    #[test]
    fn another_source_begins_anew_wherever_its_timestamps_begin() {
        let mut receiver = DigitReceiver::default();
        assert_eq!(receiver.receive(1, 90_000, &packet(1, true, 480)), Some('1'));
        assert_eq!(receiver.receive(2, 1000, &packet(2, false, 160)), Some('2'));
        assert_eq!(receiver.receive(2, 1000, &packet(2, true, 480)), None);
    }

    #[test]
    fn a_very_long_press_in_segments_is_one_press() {
        let mut receiver = DigitReceiver::default();
        assert_eq!(receiver.receive(1, 0, &packet(9, false, 0xFFFF)), Some('9'));
        assert_eq!(receiver.receive(1, 0xFFFF, &packet(9, false, 160)), None);
        assert_eq!(receiver.receive(1, 0xFFFF, &packet(9, true, 320)), None);
    }

    #[test]
    fn letters_and_flash_and_torn_payloads() {
        let mut receiver = DigitReceiver::default();
        assert_eq!(receiver.receive(1, 1, &packet(12, false, 160)), Some('A'));
        assert_eq!(receiver.receive(1, 9000, &packet(10, false, 160)), Some('*'));
        assert_eq!(receiver.receive(1, 18_000, &packet(16, false, 160)), None);
        assert_eq!(receiver.receive(1, 27_000, &[1, 2, 3]), None);
    }

    const KEYS: &str = "0123456789*#ABCD";

    /// All that a sender has to send, in µ-law.
    fn frames(sender: &mut DigitSender, events: bool) -> Vec<Own> {
        std::iter::from_fn(|| sender.next_frame(Law::Mu, events)).collect()
    }

    fn sends(digits: &str, mode: DtmfMode, events: bool) -> Vec<Own> {
        let mut sender = DigitSender::default();
        digits.chars().for_each(|digit| assert!(sender.send(digit, mode)));
        assert!(sender.is_sending());
        let sent = frames(&mut sender, events);
        assert!(!sender.is_sending());
        sent
    }

    #[test]
    fn an_event_grows_to_100_ms_and_ends_three_times() {
        let sent: Vec<(bool, [u8; 4])> = sends("#", DtmfMode::Rfc4733, true)
            .into_iter()
            .map(|own| match own {
                Own::Event { first, payload } => (first, payload),
                Own::Audio(_) => panic!("audio in an event"),
            })
            .collect();
        let expected = [(160u16, false), (320, false), (480, false), (640, false), (800, false), (800, true), (800, true), (800, true)];
        assert_eq!(sent.len(), expected.len());
        for (index, ((first, payload), (duration, ended))) in sent.into_iter().zip(expected).enumerate() {
            assert_eq!(first, index == 0);
            assert_eq!(payload, packet(11, ended, duration));
        }
    }

    #[test]
    fn every_key_sent_as_an_event_is_received_as_that_key() {
        let mut receiver = DigitReceiver::default();
        let mut timestamp = 0u32;
        let mut received = String::new();
        for own in sends(KEYS, DtmfMode::Rfc4733, true) {
            let Own::Event { first, payload } = own else { panic!("audio in an event") };
            timestamp += if first { 1280 } else { 0 };
            received.extend(receiver.receive(1, timestamp, &payload));
        }
        assert_eq!(received, KEYS);
    }

    #[test]
    fn tones_last_100_ms_and_are_told_apart_by_silence() {
        for (mode, events) in [(DtmfMode::InBand, true), (DtmfMode::Rfc4733, false)] {
            let sent = sends("55", mode, events);
            let loud: Vec<bool> = sent
                .iter()
                .map(|own| match own {
                    Own::Audio(frame) => frame.bytes().iter().any(|byte| Law::Mu.decode(*byte).abs() > 5000),
                    Own::Event { .. } => panic!("an event in band"),
                })
                .collect();
            let press = [true, true, true, true, true, false, false, false];
            assert_eq!(loud, [press, press].concat());
        }
    }

    #[test]
    fn what_is_no_key_and_what_is_too_much_is_refused() {
        let mut sender = DigitSender::default();
        for digit in ['E', 'x', ' ', '+', '٣'] {
            assert!(!sender.send(digit, DtmfMode::InBand), "{digit}");
        }
        assert!(!sender.is_sending());
        assert!((0..MOST_WAITING).all(|_| sender.send('1', DtmfMode::Rfc4733)));
        assert!(!sender.send('1', DtmfMode::Rfc4733));
    }
}
