//! Cutting header values at separators, minding quoted strings and angle brackets (RFC 3261 §25.1).

use memchr::{memchr, memchr_iter, memchr2};
use smallvec::SmallVec;

/// Most lists of a message are short.
pub type Parts<'a> = SmallVec<[&'a str; 6]>;

/// Why a header value or URI could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// What stands before and after the first `separator`, an ASCII character.
pub fn cut(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = memchr(separator, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What stands before the first `separator`, and what follows it where there is one.
pub fn first(text: &str, separator: u8) -> (&str, Option<&str>) {
    cut(text, separator).map_or((text, None), |(first, rest)| (first, Some(rest)))
}

/// Splits at `separator`, an ASCII character, wherever it stands outside quoted strings and `<…>`; the parts are trimmed.
///
/// # Errors
/// When a quoted string or an angle bracket is not closed.
pub fn split(text: &str, separator: u8) -> Result<Parts<'_>, Malformed> {
    let mut parts = Parts::new();
    let mut start = 0;
    let mut part_until = |at: usize| {
        parts.push(text.get(start..at).unwrap_or_default().trim_ascii());
        start = at + 1;
    };
    if memchr2(b'"', b'<', text.as_bytes()).is_none() {
        memchr_iter(separator, text.as_bytes()).for_each(&mut part_until);
    } else {
        unquoted(text, separator, &mut part_until)?;
    }
    part_until(text.len());
    Ok(parts)
}

/// Tells where `separator` stands outside quoted strings and `<…>`.
fn unquoted(text: &str, separator: u8, mut stands: impl FnMut(usize)) -> Result<(), Malformed> {
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted {
            match byte {
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if byte == b'"' && !angle {
            quoted = true;
        } else if byte == b'<' {
            angle = true;
        } else if byte == b'>' {
            angle = false;
        } else if byte == separator && !angle {
            stands(at);
        }
    }
    if quoted || angle { Err(Malformed("a quoted string or bracket is not closed")) } else { Ok(()) }
}

/// Reads a leading quoted string: its text without the escapes, and what follows.
pub fn quoted(text: &str) -> Result<(String, &str), Malformed> {
    let mut out = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            out.push(c);
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == '"' {
            return Ok((out, text.get(at + 1..).unwrap_or_default()));
        } else {
            out.push(c);
        }
    }
    Err(Malformed("a quoted string is not closed"))
}

/// Whether such a character, or a blank of whatever alphabet, stands in `text`.
pub fn has(text: &str, is_one: impl Fn(u8) -> bool) -> bool {
    let found = text.bytes().any(|byte| matches!(byte, 9..=13 | b' ') || is_one(byte));
    found || (!text.is_ascii() && text.contains(char::is_whitespace))
}

/// Whether `text` is a token (RFC 3261 §25.1).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
}

/// Replaces `%XX` by what it stands for; a bad escape is left as it is, other than UTF-8 is replaced.
pub fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = cut(rest, b'%') {
        bytes.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// Escapes all that may not stand in a URI's user part (RFC 3261 §25.1).
pub fn escape_user(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for c in user.chars() {
        if c.is_ascii_alphanumeric() || "-_.!~*'()&=+$,;?/".contains(c) {
            out.push(c);
        } else {
            let mut utf8 = [0; 4];
            for byte in c.encode_utf8(&mut utf8).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}
