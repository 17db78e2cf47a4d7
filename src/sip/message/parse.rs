//! From bytes to a message, with the answer that a broken request still gets.

use super::scan::Malformed;
use super::{Field, Headers, Message, Method, Request, Response, Uri};
use memchr::memchr;
use std::borrow::Cow;

/// Why bytes are no message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseError {
    /// Nothing but line ends: a keep-alive (RFC 5626 §4.4.1).
    #[error("a keep-alive")]
    KeepAlive,
    /// Nothing that could be answered; to be dropped.
    #[error("{0}")]
    Dropped(&'static str),
    /// A broken request that gets `response` (400, 505, …), with what could be read of its headers.
    #[error("{why}")]
    Refused { why: &'static str, response: Box<Response> },
}

/// The head of a message, cut into lines.
struct Head<'a> {
    start: Cow<'a, str>,
    headers: Headers,
    /// A header line that has no name.
    broken: bool,
    body: &'a [u8],
}

pub(super) fn message(bytes: &[u8]) -> Result<Message, ParseError> {
    let head = head(bytes)?;
    if head.start.starts_with("SIP/") { response(head).map(Message::Response) } else { request(head).map(Message::Request) }
}

/// UTF-8, or else every byte a character of Latin-1, as old equipment writes names.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()),
    }
}

/// The next line without its end, and what follows. `None` without a line end.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b'\n', bytes)?;
    let (line, rest) = bytes.split_at(end);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default()))
}

fn head(bytes: &[u8]) -> Result<Head<'_>, ParseError> {
    let begin = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n' | 0)).ok_or(ParseError::KeepAlive)?;
    let (start, mut rest) = line(bytes.get(begin..).unwrap_or_default()).ok_or(ParseError::Dropped("no line end"))?;
    let start = text(start);
    let mut headers = Headers::with_room();
    let mut broken = false;
    let mut pending: Option<Cow<'_, str>> = None;
    loop {
        // A datagram cut before its blank line is still told from its headers.
        let (this, after) = line(rest).unwrap_or((rest, &[]));
        rest = after;
        if let [b' ' | b'\t', ..] = this
            && let Some(folded) = &mut pending
        {
            let folded = folded.to_mut();
            folded.push(' ');
            folded.push_str(text(this).trim_ascii());
            continue;
        }
        if let Some(whole) = pending.take() {
            broken |= !headers.push_line(&whole);
        }
        if this.is_empty() {
            break;
        }
        pending = Some(text(this));
    }
    Ok(Head { start, headers, broken, body: rest })
}

fn response(head: Head<'_>) -> Result<Response, ParseError> {
    let rest = head.start.strip_prefix("SIP/2.0 ").ok_or(ParseError::Dropped("a response of another version"))?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = match super::headers::number(code) {
        Some(status) if code.len() == 3 => u16::try_from(status).ok().filter(|s| (100..700).contains(s)),
        Some(_) | None => None,
    };
    let status = status.ok_or(ParseError::Dropped("a status code out of range"))?;
    let reason = reason.trim().to_owned();
    if head.broken || head.headers.check().is_err() {
        return Err(ParseError::Dropped("a malformed response"));
    }
    let body = body(&head).map_err(|_| ParseError::Dropped("a response cut short"))?.to_vec();
    Ok(Response { status, reason, headers: head.headers, body })
}

fn request(head: Head<'_>) -> Result<Request, ParseError> {
    let mut words = head.start.split(' ');
    let (method, uri, version, more) = (words.next().unwrap_or_default(), words.next(), words.next(), words.next());
    if !head.start.split_whitespace().next_back().is_some_and(|v| v.get(..4).is_some_and(|v| v.eq_ignore_ascii_case("SIP/"))) {
        return Err(ParseError::Dropped("not SIP"));
    }
    let refuse = |status: u16, why: &'static str| {
        // An ACK is never answered (RFC 3261 §17), nor is what no response could be matched to.
        if method == "ACK" || head.headers.get(Field::Via).is_none() {
            return ParseError::Dropped(why);
        }
        ParseError::Refused { why, response: Box::new(Response::to(&head.headers, status)) }
    };
    let bad = |Malformed(why)| refuse(400, why);
    if let (Some(version), None) = (version, more)
        && !version.eq_ignore_ascii_case("SIP/2.0")
        && !version.is_empty()
    {
        return Err(refuse(505, "another version of SIP"));
    }
    if more.is_some() || version.is_none() {
        return Err(refuse(400, "the request line is malformed"));
    }
    let known = Method::parse(method).ok_or_else(|| refuse(400, "the method is no token"))?;
    let uri: Uri = uri.unwrap_or_default().parse().map_err(bad)?;
    if head.broken {
        return Err(refuse(400, "a header has no name"));
    }
    head.headers.check().map_err(bad)?;
    check_request(&head.headers, &uri).map_err(bad)?;
    let cseq = head.headers.cseq().map_err(bad)?;
    // An unknown method's mismatch is the endpoint's to answer with 501 (RFC 4475 §3.1.2.18).
    if cseq.method != known && matches!(known, Method::Known(_)) {
        return Err(refuse(400, "CSeq names another method"));
    }
    let body = body(&head).map_err(bad)?.to_vec();
    Ok(Request { method: known, uri, headers: head.headers, body })
}

fn check_request(headers: &Headers, uri: &Uri) -> Result<(), Malformed> {
    if let Uri::Sip(uri) = uri
        && uri.headers.is_some()
    {
        return Err(Malformed("the Request-URI has headers"));
    }
    if headers.get(Field::MaxForwards).is_some() && headers.max_forwards().is_none_or(|m| m > 255) {
        return Err(Malformed("Max-Forwards is malformed"));
    }
    Ok(())
}

/// The body by Content-Length; all that follows without one (RFC 3261 §18.3).
fn body<'a>(head: &Head<'a>) -> Result<&'a [u8], Malformed> {
    let Some(length) = head.headers.get(Field::ContentLength) else { return Ok(head.body) };
    let length = super::headers::number(length).and_then(|l| usize::try_from(l).ok()).ok_or(Malformed("Content-Length is malformed"))?;
    head.body.get(..length).ok_or(Malformed("the body is shorter than Content-Length"))
}
