//! RTP packets on the wire (RFC 3550 section 5.1).

/// Steps of G.711's clock in a second.
pub const CLOCK: u32 = 8000;
/// Length of a header without contributing sources or extension.
pub const HEADER_LEN: usize = 12;

/// The fields of a header that a relay deals with. Extensions and contributing sources are read over and never written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    /// In the codec's clock, 8000 Hz here.
    pub timestamp: u32,
    pub ssrc: u32,
}

/// A parsed packet; the payload is without padding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    pub header: Header,
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a datagram; `None` when it is not well-formed RTP version 2.
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (fixed, mut rest) = datagram.split_first_chunk::<HEADER_LEN>()?;
        let [flags, kind, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] = *fixed;
        if flags >> 6 != 2 {
            return None;
        }
        rest = rest.get(usize::from(flags & 0x0F) * 4..)?;
        if flags & 0x10 != 0 {
            let (&[_, _, high, low], after) = rest.split_first_chunk::<4>()?;
            rest = after.get(usize::from(u16::from_be_bytes([high, low])) * 4..)?;
        }
        if flags & 0x20 != 0 {
            let padding = usize::from(*rest.last()?);
            if padding == 0 {
                return None;
            }
            rest = rest.get(..rest.len().checked_sub(padding)?)?;
        }
        let header = Header {
            marker: kind & 0x80 != 0,
            payload_type: kind & 0x7F,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
        };
        Some(Packet { header, payload: rest })
    }
}

impl Header {
    /// Appends the header to `out`; the payload follows it.
    pub fn write(&self, out: &mut Vec<u8>) {
        let marker = if self.marker { 0x80 } else { 0 };
        out.push(0x80);
        out.push(marker | (self.payload_type & 0x7F));
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
    }
}

/// How far `a` is ahead of `b` in sequence numbers that wrap: negative when it is behind.
pub fn sequence_distance(a: u16, b: u16) -> i16 {
    a.wrapping_sub(b).cast_signed()
}

/// How far `a` is ahead of `b` in timestamps that wrap.
pub fn timestamp_distance(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Header {
        Header { marker: true, payload_type: 8, sequence: 0xFFFE, timestamp: 0xDEAD_BEEF, ssrc: 7 }
    }

    #[test]
    fn a_written_packet_reads_back() {
        let mut datagram = Vec::new();
        sample().write(&mut datagram);
        datagram.extend_from_slice(&[1, 2, 3]);
        assert_eq!(Packet::parse(&datagram), Some(Packet { header: sample(), payload: &[1, 2, 3] }));
    }

    #[test]
    fn contributing_sources_extension_and_padding_are_read_over() {
        let mut datagram = Vec::new();
        sample().write(&mut datagram);
        datagram[0] = 0x80 | 0x20 | 0x10 | 2;
        datagram.extend_from_slice(&[0; 8]);
        datagram.extend_from_slice(&[0xBE, 0xDE, 0, 1, 9, 9, 9, 9]);
        datagram.extend_from_slice(&[42, 0, 0, 3]);
        assert_eq!(Packet::parse(&datagram).unwrap().payload, &[42]);
    }

    #[test]
    fn torn_or_foreign_datagrams_are_refused() {
        let mut datagram = Vec::new();
        sample().write(&mut datagram);
        assert!(Packet::parse(&datagram[..11]).is_none());
        let with = |flags: u8, tail: &[u8]| {
            let mut copy = datagram.clone();
            copy[0] = flags;
            copy.extend_from_slice(tail);
            Packet::parse(&copy).is_none()
        };
        assert!(with(0x40, &[]), "version 1");
        assert!(with(0x8F, &[0; 8]), "more sources than bytes");
        assert!(with(0x90, &[0, 0, 0, 9]), "an extension longer than the packet");
        assert!(with(0xA0, &[1, 2, 200]), "more padding than payload");
        assert!(with(0xA0, &[1, 2, 0]), "padding of nothing");
        assert!(with(0xA0, &[]), "padding without a payload");
    }

    #[test]
    fn distances_wrap() {
        assert_eq!(sequence_distance(2, 0xFFFF), 3);
        assert_eq!(sequence_distance(0xFFFF, 2), -3);
        assert_eq!(timestamp_distance(100, u32::MAX - 59), 160);
    }
}
