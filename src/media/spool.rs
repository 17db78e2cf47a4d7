//! The recording of a call in progress: a file that is only ever appended to, readable up to its last whole record (G5).
//!
//! Eight bytes of magic, then records: a mark, the kind, the length (two bytes) and the position in samples (four bytes, all big-endian), then G.711 bytes.
//! Records may overlap, lack and come out of order; each channel is laid down at its positions, so both stay on the same clock.

use crate::g711::Law;
use std::io::{self, BufRead, BufReader, Read};

/// The first bytes of every spool.
pub const MAGIC: &[u8; 8] = b"CBSPOOL1";
const MARK: u8 = 0xA5;
const RIGHT: u8 = 1;
const A_LAW: u8 = 2;
const HEADER_LEN: usize = 8;
/// Samples that records may come late by when they are read back: five seconds.
const WINDOW: usize = 5 * 8000;
/// Samples read at once.
const BLOCK: usize = 8000;
/// A position further ahead of the others than this is damage: a day.
const MAX_JUMP: u32 = 24 * 3600 * 8000;

/// One of the two channels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// What the recorded leg says: the customer.
    Left,
    /// What it hears: the agent, music, prompts.
    Right,
}

/// Appends one record. An empty payload marks how far the recording has come.
pub fn write_record(out: &mut Vec<u8>, channel: Channel, law: Law, position: u32, payload: &[u8]) {
    let channel = match channel {
        Channel::Left => 0,
        Channel::Right => RIGHT,
    };
    let law = match law {
        Law::A => A_LAW,
        Law::Mu => 0,
    };
    let Ok(length) = u16::try_from(payload.len()) else { return };
    out.push(MARK);
    out.push(channel | law);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&position.to_be_bytes());
    out.extend_from_slice(payload);
}

/// One second of both channels, the last one shorter.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    pub left: Vec<i16>,
    pub right: Vec<i16>,
}

/// Reads a spool as two channels of equal length, in bounded memory.
pub struct SpoolReader<R> {
    records: Records<R>,
    left: Vec<i16>,
    right: Vec<i16>,
    /// Position of the first sample in `left` and `right`.
    base: u32,
    /// Where the newest record reaches to.
    end: u32,
}

/// The records of a spool up to its first damage.
struct Records<R> {
    input: R,
    payload: Vec<u8>,
    over: bool,
}

struct Record {
    channel: Channel,
    law: Law,
    position: u32,
    length: u16,
}

impl<R: Read> SpoolReader<BufReader<R>> {
    /// Checks the magic; `None` when this is no spool.
    pub fn open(input: R) -> io::Result<Option<Self>> {
        let records = Records::open(BufReader::new(input))?;
        Ok(records.map(|records| SpoolReader { records, left: Vec::new(), right: Vec::new(), base: 0, end: 0 }))
    }

    /// The next second, `None` at the end.
    pub fn next_block(&mut self) -> io::Result<Option<Block>> {
        loop {
            let held = usize::try_from(self.end.saturating_sub(self.base)).unwrap_or(usize::MAX);
            if held > WINDOW + BLOCK || self.records.over {
                return Ok(self.take_block(held));
            }
            let Some(record) = self.records.next()? else { continue };
            let reach = record.position.saturating_add(u32::from(record.length));
            if reach.saturating_sub(self.end) > MAX_JUMP {
                self.records.over = true;
                continue;
            }
            self.end = self.end.max(reach);
            // What lies further ahead than the window is laid down when the window gets there; so that needs the silence before it to go out first.
            if reach.saturating_sub(self.base) > u32::try_from(WINDOW + 2 * BLOCK).unwrap_or(u32::MAX) {
                let silence = record.position.saturating_sub(self.base);
                return Ok(self.skip_to(&record, silence));
            }
            self.lay(&record);
        }
    }

    /// After a long gap (a pause) everything before it goes out as one block, silence included.
    fn skip_to(&mut self, record: &Record, silence: u32) -> Option<Block> {
        let length = usize::try_from(silence).unwrap_or(0);
        let mut block = Block { left: std::mem::take(&mut self.left), right: std::mem::take(&mut self.right) };
        block.left.resize(length, 0);
        block.right.resize(length, 0);
        self.base = record.position;
        self.lay(record);
        Some(block)
    }

    fn take_block(&mut self, held: usize) -> Option<Block> {
        let length = held.min(BLOCK);
        if length == 0 {
            return None;
        }
        let take = |samples: &mut Vec<i16>| {
            samples.resize(samples.len().max(length), 0);
            samples.drain(..length).collect()
        };
        let block = Block { left: take(&mut self.left), right: take(&mut self.right) };
        self.base = self.base.saturating_add(u32::try_from(length).unwrap_or(0));
        Some(block)
    }

    fn lay(&mut self, record: &Record) {
        let late = usize::try_from(self.base.saturating_sub(record.position)).unwrap_or(usize::MAX);
        let start = usize::try_from(record.position.saturating_sub(self.base)).unwrap_or(0);
        let samples = match record.channel {
            Channel::Left => &mut self.left,
            Channel::Right => &mut self.right,
        };
        let payload = self.records.payload.get(late..).unwrap_or_default();
        samples.resize(samples.len().max(start + payload.len()), 0);
        for (sample, byte) in samples.iter_mut().skip(start).zip(payload) {
            *sample = record.law.decode(*byte);
        }
    }
}

impl<R: BufRead> Records<R> {
    fn open(mut input: R) -> io::Result<Option<Self>> {
        let mut magic = [0; MAGIC.len()];
        Ok(read_whole(&mut input, &mut magic)?.filter(|()| &magic == MAGIC).map(|()| Records { input, payload: Vec::new(), over: false }))
    }

    /// `None` once the spool is over: at its end, in the middle of a torn record, or at damage.
    fn next(&mut self) -> io::Result<Option<Record>> {
        let mut header = [0; HEADER_LEN];
        let whole = read_whole(&mut self.input, &mut header)?;
        let [mark, kind, l0, l1, p0, p1, p2, p3] = header;
        if whole.is_none() || mark != MARK || kind & !(RIGHT | A_LAW) != 0 {
            self.over = true;
            return Ok(None);
        }
        let length = u16::from_be_bytes([l0, l1]);
        self.payload.resize(usize::from(length), 0);
        if read_whole(&mut self.input, &mut self.payload)?.is_none() {
            self.over = true;
            return Ok(None);
        }
        Ok(Some(Record {
            channel: if kind & RIGHT == 0 { Channel::Left } else { Channel::Right },
            law: if kind & A_LAW == 0 { Law::Mu } else { Law::A },
            position: u32::from_be_bytes([p0, p1, p2, p3]),
            length,
        }))
    }
}

fn read_whole(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<Option<()>> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(Some(())),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// How many samples a spool holds; `None` when this is no spool.
pub fn length(input: impl Read) -> io::Result<Option<u32>> {
    let Some(mut records) = Records::open(BufReader::new(input))? else { return Ok(None) };
    let mut end: u32 = 0;
    while let Some(record) = records.next()? {
        let reach = record.position.saturating_add(u32::from(record.length));
        if reach.saturating_sub(end) > MAX_JUMP {
            break;
        }
        end = end.max(reach);
    }
    Ok(Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(records: &[(Channel, u32, u8)]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (channel, position, byte) in records {
            write_record(&mut bytes, *channel, Law::A, *position, &[*byte; 160]);
        }
        bytes
    }

    fn read(bytes: &[u8]) -> (Vec<i16>, Vec<i16>) {
        let mut reader = SpoolReader::open(bytes).unwrap().unwrap();
        let (mut left, mut right) = (Vec::new(), Vec::new());
        while let Some(block) = reader.next_block().unwrap() {
            assert_eq!(block.left.len(), block.right.len());
            left.extend(block.left);
            right.extend(block.right);
        }
        (left, right)
    }

    #[test]
    fn both_channels_are_laid_down_at_their_positions_whatever_the_order() {
        use Channel::{Left, Right};
        let bytes = spool(&[(Left, 0, 0x10), (Right, 320, 0x20), (Left, 320, 0x30), (Left, 160, 0x40), (Right, 0, 0x50)]);
        let (left, right) = read(&bytes);
        let level = |byte: u8| Law::A.decode(byte);
        assert_eq!((left.len(), length(&bytes[..]).unwrap()), (480, Some(480)));
        assert_eq!((left[0], left[159], left[160], left[479]), (level(0x10), level(0x10), level(0x40), level(0x30)));
        assert_eq!((right[0], right[160], right[320]), (level(0x50), 0, level(0x20)));
    }

    #[test]
    fn a_torn_tail_costs_the_torn_record_only() {
        let bytes = spool(&[(Channel::Left, 0, 1), (Channel::Left, 160, 2), (Channel::Left, 320, 3)]);
        for cut in 1..168 {
            assert_eq!(read(&bytes[..bytes.len() - cut]).0.len(), 320, "cut {cut}");
        }
        let mut zeroed = bytes.clone();
        zeroed.resize(bytes.len() + 4096, 0);
        assert_eq!(read(&zeroed).0.len(), 480);
        assert!(SpoolReader::open(&bytes[..5]).unwrap().is_none());
        assert!(SpoolReader::open(&b"something else"[..]).unwrap().is_none());
    }

    #[test]
    fn an_hour_with_a_long_pause_comes_out_whole_and_aligned() {
        let mut bytes = MAGIC.to_vec();
        let pause = 20 * 60 * 8000;
        for frame in 0..3000u32 {
            let position = frame * 160 + if frame >= 1500 { pause } else { 0 };
            write_record(&mut bytes, Channel::Left, Law::Mu, position, &[0x80; 160]);
            write_record(&mut bytes, Channel::Right, Law::Mu, position + 80, &[0x00; 160]);
        }
        let (left, right) = read(&bytes);
        let expected = usize::try_from(3000 * 160 + pause + 80).unwrap();
        assert_eq!(left.len(), expected);
        let second_half = usize::try_from(1500 * 160 + pause).unwrap();
        assert_eq!((left[second_half - 1], left[second_half]), (0, 32_124));
        assert_eq!((right[second_half + 79], right[second_half + 80]), (0, -32_124));
        assert_eq!(left.iter().filter(|sample| **sample != 0).count(), 3000 * 160);
    }

    #[test]
    fn a_damaged_position_ends_the_spool() {
        let bytes = spool(&[(Channel::Left, 0, 1), (Channel::Left, u32::MAX - 200, 2), (Channel::Left, 160, 3)]);
        assert_eq!(read(&bytes).0.len(), 160);
        assert_eq!(length(&bytes[..]).unwrap(), Some(160));
    }
}
