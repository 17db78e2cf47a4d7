//! Telephone events received (RFC 4733): one digit for one key press, whatever is lost or repeated.

use crate::rtp::timestamp_distance;

/// Follows the telephone events of one RTP stream.
#[derive(Debug, Default)]
pub struct DigitReceiver {
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
    /// Takes one event packet (its RTP timestamp and payload) and gives the digit when a key press begins.
    ///
    /// A press is named by its timestamp (section 2.5.1.1), so repeats and the three end packets count once, and a lost first packet does not matter.
    /// A press longer than the duration field can say goes on under a new timestamp (section 2.5.1.3).
    pub fn receive(&mut self, timestamp: u32, payload: &[u8]) -> Option<char> {
        let &[code, flags, high, low] = payload.first_chunk::<4>()?;
        let duration = u16::from_be_bytes([high, low]);
        let ended = flags & 0x80 != 0;
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
        assert_eq!(receiver.receive(1000, &packet(5, false, 160)), Some('5'));
        assert_eq!(receiver.receive(1000, &packet(5, false, 320)), None);
        for _ in 0..3 {
            assert_eq!(receiver.receive(1000, &packet(5, true, 480)), None);
        }
        assert_eq!(receiver.receive(3000, &packet(5, false, 160)), Some('5'), "the same key again");
    }

    #[test]
    fn only_the_last_packet_arriving_is_enough() {
        assert_eq!(DigitReceiver::default().receive(1, &packet(11, true, 800)), Some('#'));
    }

    #[test]
    fn a_late_packet_of_an_earlier_press_says_nothing() {
        let mut receiver = DigitReceiver::default();
        assert_eq!(receiver.receive(1000, &packet(1, true, 480)), Some('1'));
        assert_eq!(receiver.receive(3000, &packet(2, false, 160)), Some('2'));
        assert_eq!(receiver.receive(1000, &packet(1, true, 480)), None);
    }

    #[test]
    fn a_very_long_press_in_segments_is_one_press() {
        let mut receiver = DigitReceiver::default();
        assert_eq!(receiver.receive(0, &packet(9, false, 0xFFFF)), Some('9'));
        assert_eq!(receiver.receive(0xFFFF, &packet(9, false, 160)), None);
        assert_eq!(receiver.receive(0xFFFF, &packet(9, true, 320)), None);
    }

    #[test]
    fn letters_and_flash_and_torn_payloads() {
        let mut receiver = DigitReceiver::default();
        assert_eq!(receiver.receive(1, &packet(12, false, 160)), Some('A'));
        assert_eq!(receiver.receive(9000, &packet(10, false, 160)), Some('*'));
        assert_eq!(receiver.receive(18_000, &packet(16, false, 160)), None);
        assert_eq!(receiver.receive(27_000, &[1, 2, 3]), None);
    }
}
