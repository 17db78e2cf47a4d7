//! Opus towards a browser on a narrow line (F4): everything else in the engine speaks G.711, so this stands at the browser's edge and turns one into the other.

use crate::g711::Law;
use crate::rtp::{Header, sequence_distance};
use opus::{Application, Bitrate, Channels, Decoder, Encoder, Error, Repacketizer};

/// G.711's rate, which Opus takes as it is: a telephone has no more to give.
const RATE: u32 = 8_000;
/// RTP's clock for Opus runs at 48 kHz whatever is in it (RFC 7587 section 4.1).
const CLOCK: u32 = 6;
/// With its headers a packet each 20 ms is some 45 kbit/s on the wire.
const BITRATE: i32 = 24_000;
/// What the encoder guards against, percent: a narrow line loses.
const EXPECTED_LOSS: i32 = 10;
/// 10 ms, the pieces that a frame of another length is made of.
const PIECE: usize = 80;
/// 120 ms, the longest packet.
const LONGEST: usize = 960;
/// Octets of the longest packet that we make.
const ROOM: usize = 1_275;
/// More packets than this in a row are a pause, not a loss.
const MOST_CONCEALED: i16 = 3;
/// A packet from further back than this is of another stream.
const MOST_LATE: i16 = -100;

/// One browser's encoder and decoder.
pub struct Narrow {
    encoder: Encoder,
    decoder: Decoder,
    repacketizer: Repacketizer,
    /// The newest packet that was decoded.
    heard: Option<u16>,
}

/// Audio of a packet, in µ-law, with the header it would have had in G.711.
pub struct Decoded {
    pub header: Header,
    pub payload: Vec<u8>,
}

impl Narrow {
    pub fn new() -> Result<Self, Error> {
        let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Voip)?;
        encoder.set_bitrate(Bitrate::Bits(BITRATE))?;
        encoder.set_inband_fec(true)?;
        encoder.set_packet_loss_perc(EXPECTED_LOSS)?;
        Ok(Self { encoder, decoder: Decoder::new(RATE, Channels::Mono)?, repacketizer: Repacketizer::new()?, heard: None })
    }

    /// The packet for these samples in µ-law, whose header counts in G.711's clock. Of a length that is no multiple of 10 ms, the rest is left out.
    pub fn encode(&mut self, header: Header, ulaw: &[u8]) -> Result<(Header, Vec<u8>), Error> {
        let samples: Vec<i16> = ulaw.iter().map(|byte| Law::Mu.decode(*byte)).collect();
        let whole = matches!(samples.len(), 80 | 160 | 320 | 480);
        let payload = if whole { self.encoder.encode_vec(&samples, ROOM)? } else { self.in_pieces(&samples)? };
        Ok((Header { timestamp: header.timestamp.wrapping_mul(CLOCK), ..header }, payload))
    }

    fn in_pieces(&mut self, samples: &[i16]) -> Result<Vec<u8>, Error> {
        let pieces = samples.chunks_exact(PIECE).map(|piece| self.encoder.encode_vec(piece, ROOM)).collect::<Result<Vec<_>, _>>()?;
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let mut packet = vec![0; pieces.iter().map(|piece| piece.len() + 2).sum::<usize>() + 2];
        let length = self.repacketizer.combine(&pieces, &mut packet)?;
        packet.truncate(length);
        Ok(packet)
    }

    /// What a packet says, after what stands in for packets that were lost before it; nothing of one that comes too late.
    pub fn decode(&mut self, header: Header, packet: &[u8]) -> Result<Vec<Decoded>, Error> {
        let newest = self.heard.replace(header.sequence);
        let ahead = newest.map_or(1, |newest| sequence_distance(header.sequence, newest));
        if (MOST_LATE..=0).contains(&ahead) {
            self.heard = newest;
            return Ok(Vec::new());
        }
        let header = in_g711_time(header);
        let length = self.decoder.get_nb_samples(packet)?;
        let mut decoded = Vec::with_capacity(1);
        let lost = if (2..=MOST_CONCEALED + 1).contains(&ahead) { ahead - 1 } else { 0 };
        for back in (1..=lost).rev() {
            // The packet after a lost one carries a coarse copy of it; for those before, the decoder goes on from what it heard.
            let (from, fec): (&[u8], bool) = if back == 1 { (packet, true) } else { (&[], false) };
            let payload = self.samples(from, length, fec)?;
            decoded.push(Decoded { header: before(header, back, length), payload });
        }
        let payload = self.samples(packet, LONGEST, false)?;
        decoded.push(Decoded { header, payload });
        Ok(decoded)
    }

    fn samples(&mut self, packet: &[u8], length: usize, fec: bool) -> Result<Vec<u8>, Error> {
        let mut samples = vec![0; length];
        let length = self.decoder.decode(packet, &mut samples, fec)?;
        Ok(samples.iter().take(length).map(|sample| Law::Mu.encode(*sample)).collect())
    }
}

/// An Opus packet's header, with the time as G.711 counts it.
pub fn in_g711_time(header: Header) -> Header {
    Header { timestamp: header.timestamp / CLOCK, ..header }
}

/// The header of the packet that came `back` packets of `length` samples before.
fn before(header: Header, back: i16, length: usize) -> Header {
    let samples = u32::try_from(length).unwrap_or(0).wrapping_mul(u32::from(back.unsigned_abs()));
    Header {
        marker: false,
        sequence: header.sequence.wrapping_sub(back.unsigned_abs()),
        timestamp: header.timestamp.wrapping_sub(samples),
        ..header
    }
}

#[cfg(test)]
#[allow(clippy::as_conversions)]
mod tests {
    use super::*;

    const FRAME: usize = 160;

    fn header(sequence: u16) -> Header {
        Header { marker: false, payload_type: 111, sequence, timestamp: u32::from(sequence) * 960, ssrc: 9 }
    }

    /// A tone of 440 Hz as µ-law, from sample `from`.
    fn tone(from: usize, count: usize) -> Vec<u8> {
        let sample = |i: usize| (8_000.0 * (2.0 * std::f64::consts::PI * 440.0 * i as f64 / 8_000.0).sin()) as i16;
        (from..from + count).map(|i| Law::Mu.encode(sample(i))).collect()
    }

    /// How loud 440 Hz is in it, of 1 for the tone itself.
    fn loudness(ulaw: &[u8]) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, byte) in ulaw.iter().enumerate() {
            let at = 2.0 * std::f64::consts::PI * 440.0 * i as f64 / 8_000.0;
            let sample = f64::from(Law::Mu.decode(*byte)) / 8_000.0;
            (re, im) = (re + sample * at.cos(), im + sample * at.sin());
        }
        2.0 * re.hypot(im) / ulaw.len() as f64
    }

    /// Packets of a tone, as a browser would send them.
    fn packets(count: u16) -> Vec<(Header, Vec<u8>)> {
        let mut far = Narrow::new().unwrap();
        let frame =
            |i: u16| far.encode(Header { timestamp: u32::from(i) * 160, ..header(i) }, &tone(usize::from(i) * FRAME, FRAME)).unwrap();
        (0..count).map(frame).collect()
    }

    // F4
    #[test]
    fn a_tone_comes_through_both_ways_with_its_clock() {
        let mut near = Narrow::new().unwrap();
        let mut heard = Vec::new();
        for (i, (header, packet)) in (0u32..).zip(packets(50)) {
            assert_eq!(header.timestamp, i * 960);
            assert!(packet.len() < FRAME, "{} octets are no saving", packet.len());
            let decoded = near.decode(header, &packet).unwrap();
            assert_eq!((decoded.len(), decoded[0].header.timestamp, decoded[0].payload.len()), (1, i * 160, FRAME));
            heard.extend_from_slice(&decoded[0].payload);
        }
        assert!(loudness(&heard[FRAME * 10..]) > 0.8);
    }

    // F4
    #[test]
    fn frames_of_any_ten_milliseconds_fit() {
        for milliseconds in [10, 20, 30, 40, 60] {
            let (mut far, mut near) = (Narrow::new().unwrap(), Narrow::new().unwrap());
            let length = milliseconds * 8;
            let mut heard = Vec::new();
            for i in 0..20u16 {
                let (header, packet) = far.encode(header(i), &tone(usize::from(i) * length, length)).unwrap();
                heard.extend(near.decode(header, &packet).unwrap().into_iter().flat_map(|decoded| decoded.payload));
            }
            assert_eq!(heard.len(), 20 * length, "{milliseconds} ms");
            assert!(loudness(&heard[heard.len() / 2..]) > 0.8, "{milliseconds} ms");
        }
    }

    // F4
    #[test]
    fn what_is_lost_is_stood_in_for_and_what_is_late_is_left_out() {
        let mut near = Narrow::new().unwrap();
        let sent = packets(60);
        let mut heard = Vec::new();
        for (header, packet) in sent.iter().take(20).chain(&sent[21..40]).chain([&sent[43]]) {
            heard.extend(near.decode(*header, packet).unwrap());
        }
        let numbers: Vec<u32> = heard.iter().map(|decoded| decoded.header.timestamp / 160).collect();
        assert!(numbers.iter().copied().eq(0..44), "{numbers:?}");
        let loud = loudness(&heard[20].payload);
        assert!(loud > 0.5, "of the lost packet's tone {loud} is heard");
        let (header_of_late, late) = &sent[42];
        assert!(near.decode(*header_of_late, late).unwrap().is_empty());
        // Long ago, and a stream that began anew: no loss.
        assert_eq!(near.decode(header(4_000), &sent[45].1).unwrap().len(), 1);
        assert_eq!(near.decode(header(7), &sent[46].1).unwrap().len(), 1);
    }

    // F4
    #[test]
    fn what_is_no_packet_is_refused_and_the_next_one_is_heard() {
        let mut near = Narrow::new().unwrap();
        let sent = packets(2);
        assert!(near.decode(header(0), &[]).is_err());
        assert!(near.decode(header(1), &[0xff, 0xff, 0xff, 0xff]).is_err());
        assert_eq!(near.decode(sent[1].0, &sent[1].1).map(|decoded| decoded.len()).unwrap_or(0), 0, "it came twice");
        assert_eq!(near.decode(Header { sequence: 2, ..sent[1].0 }, &sent[1].1).unwrap().len(), 1);
    }
}
