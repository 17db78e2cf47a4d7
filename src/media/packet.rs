//! What goes out to a leg, before it has a header of the leg's own stream.

use crate::g711::Law;
use crate::outgoing::Outgoing;
use crate::rtp::Header;
use crate::sound::Frame;
use cordboard_core::ids::LegId;
use std::time::Instant;

/// 20 ms of our own.
pub enum Own {
    /// In the leg's law.
    Audio(Frame),
    /// A packet of a telephone event.
    Event { first: bool, payload: [u8; 4] },
}

/// Audio, or a telephone event.
pub enum Packet<'a> {
    Own(Own),
    /// Audio of another leg.
    Audio {
        from: LegId,
        header: &'a Header,
        law: Law,
        payload: &'a [u8],
    },
    /// A telephone event of another leg.
    Event {
        from: LegId,
        header: &'a Header,
        payload: &'a [u8],
    },
}

impl Packet<'_> {
    pub fn is_audio(&self) -> bool {
        matches!(self, Packet::Own(Own::Audio(_)) | Packet::Audio { .. })
    }

    /// Its header in this stream, with the payload types that the listener wants. `None` for what the listener does not get: an event that it has no
    /// type for, or what belongs to the time before the stream took over.
    pub fn header(&self, outgoing: &mut Outgoing, audio: u8, event: Option<u8>, now: Instant) -> Option<Header> {
        match self {
            Packet::Own(Own::Audio(frame)) => Some(outgoing.generated(audio, samples(frame.bytes()), now)),
            Packet::Own(Own::Event { first, payload }) => Some(outgoing.event(event?, *first, event_duration(payload), now)),
            Packet::Audio { from, header, payload, .. } => outgoing.relayed(*from, header, audio, samples(payload), now),
            Packet::Event { from, header, payload } => match event {
                Some(event) => outgoing.relayed(*from, header, event, event_duration(payload), now),
                None => {
                    outgoing.left_out(*from, header);
                    None
                }
            },
        }
    }

    /// Appends the payload, audio in the listener's law.
    pub fn write_payload(&self, out: &mut Vec<u8>, to: Law) {
        match self {
            Packet::Own(Own::Audio(frame)) => out.extend_from_slice(frame.bytes()),
            Packet::Own(Own::Event { payload, .. }) => out.extend_from_slice(payload),
            Packet::Audio { law, payload, .. } if *law == to => out.extend_from_slice(payload),
            Packet::Audio { law, payload, .. } => out.extend(payload.iter().map(|byte| law.convert_byte(to, *byte))),
            Packet::Event { payload, .. } => out.extend_from_slice(payload),
        }
    }
}

/// How long a key has been pressed so far, in samples (RFC 4733 section 2.3.5).
fn event_duration(payload: &[u8]) -> u32 {
    payload.first_chunk::<4>().map_or(0, |&[_, _, high, low]| u32::from(u16::from_be_bytes([high, low])))
}

/// One byte is one sample in both laws.
fn samples(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).unwrap_or(0)
}
