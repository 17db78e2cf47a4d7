//! RTCP reports on the wire (RFC 3550 section 6.4).

use crate::reception::Block;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CNAME: u8 = 1;
const BLOCK_LEN: usize = 24;

/// What a sender tells of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderInfo {
    /// Seconds since 1900 and their 2^32nd parts.
    pub ntp: u64,
    pub rtp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// A block with the times that the far side needs for the round trip.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReportBlock {
    pub block: Block,
    /// The middle of the NTP time of the last sender report, and the time since it came; both in 1/65536 s, 0 when there was none.
    pub last_report: u32,
    pub delay: u32,
}

/// A sender or receiver report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    pub ssrc: u32,
    pub sender: Option<SenderInfo>,
    pub blocks: Vec<ReportBlock>,
}

impl Report {
    /// A compound packet: the report and the sender's name (section 6.1).
    pub fn write(&self, cname: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        let (kind, own_words) = if self.sender.is_some() { (SENDER_REPORT, 6) } else { (RECEIVER_REPORT, 1) };
        let blocks = self.blocks.get(..self.blocks.len().min(31)).unwrap_or_default();
        push_header(&mut out, u8::try_from(blocks.len()).unwrap_or(0), kind, own_words + 6 * blocks.len());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        if let Some(sender) = &self.sender {
            out.extend_from_slice(&sender.ntp.to_be_bytes());
            out.extend_from_slice(&sender.rtp.to_be_bytes());
            out.extend_from_slice(&sender.packets.to_be_bytes());
            out.extend_from_slice(&sender.octets.to_be_bytes());
        }
        for ReportBlock { block, last_report, delay } in blocks {
            out.extend_from_slice(&block.ssrc.to_be_bytes());
            let [_, l1, l2, l3] = block.lost.to_be_bytes();
            out.extend_from_slice(&[block.fraction_lost, l1, l2, l3]);
            for word in [block.highest, block.jitter, *last_report, *delay] {
                out.extend_from_slice(&word.to_be_bytes());
            }
        }
        self.push_name(&mut out, cname);
        out
    }

    /// The same with a goodbye: the stream ends.
    pub fn write_goodbye(&self, cname: &str) -> Vec<u8> {
        let mut out = self.write(cname);
        push_header(&mut out, 1, GOODBYE, 1);
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out
    }

    fn push_name(&self, out: &mut Vec<u8>, cname: &str) {
        let name = cname.as_bytes().get(..cname.len().min(255)).unwrap_or_default();
        // SSRC, the item, and at least one zero byte up to the next word.
        let words = 1 + (2 + name.len() + 1).div_ceil(4);
        push_header(out, 1, SOURCE_DESCRIPTION, words);
        let end = out.len() + words * 4;
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.push(CNAME);
        out.push(u8::try_from(name.len()).unwrap_or(0));
        out.extend_from_slice(name);
        out.resize(end, 0);
    }
}

/// `words` are those after the header's one, as the length field counts.
fn push_header(out: &mut Vec<u8>, count: u8, kind: u8, words: usize) {
    out.push(0x80 | (count & 0x1F));
    out.push(kind);
    out.extend_from_slice(&u16::try_from(words).unwrap_or(u16::MAX).to_be_bytes());
}

/// Whether what came to a port that RTP shares with it is RTCP (RFC 5761 section 4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

/// The reports of a compound packet; `None` when it is not well-formed RTCP (appendix A.2).
pub fn parse(datagram: &[u8]) -> Option<Vec<Report>> {
    let mut reports = Vec::new();
    let mut rest = datagram;
    let mut first = true;
    while !rest.is_empty() {
        let &[flags, kind, high, low] = rest.first_chunk::<4>()?;
        if flags >> 6 != 2 || (first && !matches!(kind, SENDER_REPORT | RECEIVER_REPORT)) {
            return None;
        }
        first = false;
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let body = rest.get(4..length)?;
        rest = rest.get(length..)?;
        if matches!(kind, SENDER_REPORT | RECEIVER_REPORT) {
            reports.push(parse_report(body, kind == SENDER_REPORT, usize::from(flags & 0x1F))?);
        }
    }
    (!reports.is_empty()).then_some(reports)
}

fn parse_report(body: &[u8], is_sender: bool, count: usize) -> Option<Report> {
    let ssrc = word(body, 0)?;
    let sender = if is_sender {
        let ntp = u64::from(word(body, 4)?) << 32 | u64::from(word(body, 8)?);
        Some(SenderInfo { ntp, rtp: word(body, 12)?, packets: word(body, 16)?, octets: word(body, 20)? })
    } else {
        None
    };
    let start = if is_sender { 24 } else { 4 };
    let blocks = body.get(start..start + count * BLOCK_LEN)?.chunks(BLOCK_LEN).map(parse_block).collect::<Option<_>>()?;
    Some(Report { ssrc, sender, blocks })
}

fn parse_block(bytes: &[u8]) -> Option<ReportBlock> {
    let loss = word(bytes, 4)?;
    let [fraction_lost, ..] = loss.to_be_bytes();
    // 24 bits, signed.
    let lost = (loss << 8).cast_signed() >> 8;
    let block = Block { ssrc: word(bytes, 0)?, fraction_lost, lost, highest: word(bytes, 8)?, jitter: word(bytes, 12)? };
    Some(ReportBlock { block, last_report: word(bytes, 16)?, delay: word(bytes, 20)? })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(sender: bool) -> Report {
        Report {
            ssrc: 7,
            sender: sender.then_some(SenderInfo { ntp: 0x0123_4567_89AB_CDEF, rtp: 3, packets: 4, octets: 5 }),
            blocks: vec![ReportBlock {
                block: Block { ssrc: 9, fraction_lost: 25, lost: -3, highest: 70_000, jitter: 11 },
                last_report: 12,
                delay: 13,
            }],
        }
    }

    #[test]
    fn reports_read_back_with_name_and_goodbye_read_over() {
        for sender in [true, false] {
            for name in ["", "a", "abc", "cordboard"] {
                assert_eq!(parse(&report(sender).write(name)), Some(vec![report(sender)]), "{name:?}");
                assert_eq!(parse(&report(sender).write_goodbye(name)), Some(vec![report(sender)]));
                assert_eq!(report(sender).write_goodbye(name).len() % 4, 0);
            }
        }
    }

    #[test]
    fn torn_and_foreign_packets_are_refused() {
        let bytes = report(true).write("cordboard");
        for cut in 1..bytes.len() {
            // A cut between two packets of the compound leaves a valid one.
            let parsed = parse(&bytes[..cut]);
            assert!(parsed.is_none() || cut == 52, "cut at {cut}");
        }
        let mut description_first = Vec::new();
        report(true).push_name(&mut description_first, "x");
        assert!(parse(&description_first).is_none());
        let mut too_many = bytes.clone();
        too_many[0] = 0x80 | 5;
        assert!(parse(&too_many).is_none());
        assert!(parse(&[]).is_none());
    }
}
