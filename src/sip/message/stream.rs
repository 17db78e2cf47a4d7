//! Cutting messages out of a stream by Content-Length (RFC 3261 §18.3), with the keep-alives of RFC 5626. What is read is not searched
//! again when more comes: a stranger may send it in the smallest pieces.

use memchr::memmem;

/// Longest head of one message, bytes.
const MAX_HEAD: usize = 32 * 1024;
/// Longest body of one message, bytes: no datagram holds more.
const MAX_BODY: usize = 64 * 1024;

/// What a stream yields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// One whole message, for [`super::Message::parse`].
    Message(Vec<u8>),
    /// A double CRLF: to be answered with a single one (RFC 5626 §4.4.1).
    Ping,
    /// A message whose end cannot be told. It may be parsed, to be refused; the connection must be closed after that.
    Broken(Vec<u8>),
}

/// Holds the bytes of one connection until they make a message.
#[derive(Clone, Debug, Default)]
pub struct StreamFramer {
    buffer: Vec<u8>,
    /// So much of the buffer holds no end of a head.
    searched: usize,
    /// Length of the message that has begun, once its head is here.
    whole: Option<usize>,
    /// No more is read after [`Frame::Broken`].
    broken: bool,
}

impl StreamFramer {
    /// Takes what was read; gives what became complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        if self.broken {
            return frames;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(bytes);
        let mut rest = buffer.as_slice();
        while let Some(frame) = self.next(&mut rest) {
            self.broken = matches!(frame, Frame::Broken(_));
            frames.push(frame);
            if self.broken {
                return frames;
            }
        }
        let used = buffer.len() - rest.len();
        buffer.drain(..used);
        self.buffer = buffer;
        frames
    }

    /// Cuts the first frame off.
    fn next(&mut self, rest: &mut &[u8]) -> Option<Frame> {
        while let blank @ 1.. = rest.iter().take(4).take_while(|b| matches!(b, b'\r' | b'\n')).count() {
            let ping = rest.starts_with(b"\r\n\r\n");
            if !ping && blank == rest.len() {
                return None;
            }
            *rest = rest.get(blank..).unwrap_or_default();
            if ping {
                return Some(Frame::Ping);
            }
        }
        let whole = match self.whole {
            Some(whole) => whole,
            None => {
                let Some(head) = head_length(rest, self.searched) else {
                    self.searched = rest.len();
                    return (rest.len() > MAX_HEAD).then(|| Frame::Broken(rest.to_vec()));
                };
                self.searched = 0;
                let bytes = rest.get(..head).unwrap_or_default();
                let is_sip = bytes.split(|b| *b == b'\n').next().is_some_and(|line| line.windows(4).any(|w| w == b"SIP/"));
                match body_length(bytes) {
                    Ok(body) if is_sip && head <= MAX_HEAD && body <= MAX_BODY => head + body,
                    Ok(_) | Err(()) => return Some(Frame::Broken(bytes.to_vec())),
                }
            }
        };
        let Some((message, more)) = rest.split_at_checked(whole) else {
            self.whole = Some(whole);
            return None;
        };
        self.whole = None;
        *rest = more;
        Some(Frame::Message(message.to_vec()))
    }
}

/// Bytes up to and with the blank line, of which none is within the first `searched`.
fn head_length(bytes: &[u8], searched: usize) -> Option<usize> {
    let from = searched.saturating_sub(3);
    let new = bytes.get(from..).unwrap_or_default();
    let crlf = memmem::find(new, b"\r\n\r\n").map(|at| from + at + 4);
    let lf = memmem::find(new, b"\n\n").map(|at| from + at + 2);
    match (crlf, lf) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// Content-Length of a head; none means no body, for a stream must tell it (RFC 3261 §20.14).
fn body_length(head: &[u8]) -> Result<usize, ()> {
    let mut found = None;
    for line in head.split(|b| *b == b'\n') {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let name = name.trim_ascii_end();
        if !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let value = std::str::from_utf8(value.get(1..).unwrap_or_default()).map_err(|_| ())?.trim();
        let length = super::headers::number(value).and_then(|l| usize::try_from(l).ok()).ok_or(())?;
        if found.replace(length).is_some() {
            return Err(());
        }
    }
    Ok(found.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else a stranger's bytes, one by one, would cost the square of their number.
    #[test]
    fn what_was_searched_is_not_searched_again() {
        let mut framer = StreamFramer::default();
        for (sent, byte) in (1..).zip(b"OPTIONS a SIP/2.0\r\nX: ") {
            assert!(framer.push(&[*byte]).is_empty());
            assert_eq!((framer.searched, framer.whole), (sent, None));
        }
        framer.push(b"y\r\nl: 2\r\n\r\n");
        assert!(framer.whole.is_some_and(|whole| whole == framer.buffer.len() + 2), "the head is read once");
        assert_eq!(framer.push(b"ab").len(), 1);
        assert_eq!((framer.searched, framer.whole), (0, None));
    }
}
