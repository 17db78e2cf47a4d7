//! Cutting messages out of a stream by Content-Length (RFC 3261 §18.3), with the keep-alives of RFC 5626.

/// Longest head of one message, bytes.
const MAX_HEAD: usize = 32 * 1024;
/// Longest body of one message, bytes.
const MAX_BODY: usize = 256 * 1024;

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
        self.buffer.extend_from_slice(bytes);
        while let Some(frame) = self.next() {
            self.broken = matches!(frame, Frame::Broken(_));
            frames.push(frame);
            if self.broken {
                self.buffer = Vec::new();
                break;
            }
        }
        frames
    }

    fn next(&mut self) -> Option<Frame> {
        let blank = self.buffer.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if blank > 0 {
            if self.buffer.starts_with(b"\r\n\r\n") {
                self.buffer.drain(..4);
                return Some(Frame::Ping);
            }
            if blank == self.buffer.len() && blank < 4 {
                return None;
            }
            self.buffer.drain(..blank);
        }
        let Some(head) = head_length(&self.buffer) else {
            return (self.buffer.len() > MAX_HEAD).then(|| Frame::Broken(std::mem::take(&mut self.buffer)));
        };
        let bytes = self.buffer.get(..head).unwrap_or_default();
        let is_sip = bytes.split(|b| *b == b'\n').next().is_some_and(|line| line.windows(4).any(|w| w == b"SIP/"));
        let body = match body_length(bytes) {
            Ok(body) if is_sip && head <= MAX_HEAD && body <= MAX_BODY => body,
            Ok(_) | Err(()) => return Some(Frame::Broken(self.buffer.drain(..head).collect())),
        };
        (self.buffer.len() >= head + body).then(|| Frame::Message(self.buffer.drain(..head + body).collect()))
    }
}

/// Bytes up to and with the blank line.
fn head_length(bytes: &[u8]) -> Option<usize> {
    let crlf = bytes.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4);
    let lf = bytes.windows(2).position(|w| w == b"\n\n").map(|at| at + 2);
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
