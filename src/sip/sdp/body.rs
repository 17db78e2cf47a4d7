//! Finding the session description in a message's body, also inside multipart (RFC 5621).

use crate::message::{Field, Headers};

/// The body is of a type that this switch does not read: 415.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a body of an unknown type")]
pub struct Unsupported;

/// The session description in a body. `None` when there is no body, or none that must be read.
///
/// # Errors
/// When the body is of another type and its Content-Disposition does not say that it is optional.
pub fn find<'a>(headers: &Headers, body: &'a [u8]) -> Result<Option<&'a [u8]>, Unsupported> {
    if body.is_empty() {
        return Ok(None);
    }
    let kind = headers.content_type().unwrap_or_default();
    if kind == "application/sdp" {
        return Ok(Some(body));
    }
    if kind.starts_with("multipart/")
        && let Some(boundary) = boundary(headers.get(Field::ContentType).unwrap_or_default())
    {
        let found = parts(body, boundary).find_map(|part| {
            let (head, content) = cut(part)?;
            is_sdp(head).then_some(content)
        });
        if found.is_some() {
            return Ok(found);
        }
    }
    let optional = headers.get(Field::ContentDisposition).is_some_and(|d| d.replace(' ', "").contains("handling=optional"));
    if optional { Ok(None) } else { Err(Unsupported) }
}

fn boundary(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|p| {
        let (name, value) = p.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })
}

/// What stands between the boundary's lines.
fn parts<'a>(body: &'a [u8], boundary: &str) -> impl Iterator<Item = &'a [u8]> {
    let mark = format!("--{boundary}").into_bytes();
    let mut rest = position(body, &mark).and_then(|at| body.get(at + mark.len()..));
    std::iter::from_fn(move || {
        let this = rest?;
        if this.starts_with(b"--") {
            return None;
        }
        let end = position(this, &mark)?;
        let (part, after) = this.split_at(end);
        rest = after.get(mark.len()..);
        let part = part.strip_suffix(b"\n").unwrap_or(part);
        Some(part.strip_suffix(b"\r").unwrap_or(part))
    })
}

/// A part's head and its content.
fn cut(part: &[u8]) -> Option<(&[u8], &[u8])> {
    for blank in [&b"\r\n\r\n"[..], b"\n\n"] {
        if let Some(at) = position(part, blank) {
            return Some((part.get(..at)?, part.get(at + blank.len()..)?));
        }
    }
    None
}

fn is_sdp(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            let name = name.trim();
            (name.eq_ignore_ascii_case("content-type") || name.eq_ignore_ascii_case("c"))
                && value.split(';').next().is_some_and(|v| v.trim().eq_ignore_ascii_case("application/sdp"))
        })
    })
}

fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len().max(1)).position(|w| w == what)
}
