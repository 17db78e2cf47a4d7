//! Digest authentication of requests, the server's side (RFC 8760, RFC 7616 §3, RFC 3261 §22). Passwords are kept as HA1 alone.

use crate::message::{Malformed, Method, Uri, quoted, split};
use cordboard_core::cx::{Cx, Millis};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// How long a nonce is good: a phone that comes later gets a new one with `stale=true`.
pub const NONCE_LIFE: Millis = 5 * 60_000;

/// A hash function of RFC 8760, the one that we would rather have first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Algorithm {
    Sha256,
    Md5,
}

impl Algorithm {
    /// As it stands in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    /// No name at all stands for MD5 (RFC 7616 §3.4).
    fn named(name: Option<&str>) -> Option<Self> {
        let Some(name) = name else { return Some(Self::Md5) };
        [Self::Sha256, Self::Md5].into_iter().find(|algorithm| name.eq_ignore_ascii_case(algorithm.name()))
    }

    /// In small hexadecimal digits.
    fn hash(self, text: &str) -> String {
        match self {
            Self::Sha256 => hex(&Sha256::digest(text)),
            Self::Md5 => {
                use md5::Digest as _;
                hex(&Md5::digest(text))
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

/// What a password is kept as: `H(user:realm:password)`, in hexadecimal (RFC 7616 §3.4.2).
pub fn ha1(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> String {
    algorithm.hash(&format!("{user}:{realm}:{password}"))
}

/// An Authorization header (RFC 3261 §20.7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    pub user: String,
    pub realm: String,
    pub nonce: String,
    /// As it stands there: it goes into the hash.
    pub uri: String,
    pub response: String,
    pub algorithm: Algorithm,
    pub cnonce: String,
    /// How often the client has used this nonce, with this time.
    pub count: u32,
}

impl Credentials {
    /// Reads a header's value. Only `qop=auth` is taken, as it alone was offered.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        const BAD: Malformed = Malformed("Authorization is malformed");
        let (scheme, rest) = text.trim().split_once(char::is_whitespace).ok_or(BAD)?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return Err(Malformed("Authorization is of another scheme than Digest"));
        }
        let mut params = BTreeMap::new();
        for param in split(rest, b',')? {
            let (name, value) = param.split_once('=').ok_or(BAD)?;
            let value = value.trim();
            let value = if value.starts_with('"') { quoted(value)?.0 } else { value.to_owned() };
            if params.insert(name.trim().to_ascii_lowercase(), value).is_some() {
                return Err(BAD);
            }
        }
        let mut take = |name: &str| params.remove(name);
        let qop = take("qop").ok_or(Malformed("Authorization has no qop"))?;
        let count = take("nc").filter(|nc| nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit())).ok_or(BAD)?;
        if !qop.eq_ignore_ascii_case("auth") {
            return Err(Malformed("Authorization has another qop than auth"));
        }
        Ok(Self {
            user: take("username").ok_or(BAD)?,
            realm: take("realm").ok_or(BAD)?,
            nonce: take("nonce").ok_or(BAD)?,
            uri: take("uri").ok_or(BAD)?,
            response: take("response").ok_or(BAD)?,
            algorithm: Algorithm::named(take("algorithm").as_deref()).ok_or(Malformed("Authorization has an unknown algorithm"))?,
            cnonce: take("cnonce").ok_or(BAD)?,
            count: u32::from_str_radix(&count, 16).map_err(|_| BAD)?,
        })
    }

    /// What the response must be for a user of that HA1 (RFC 7616 §3.4.1).
    pub fn expected(&self, ha1: &str, method: &Method) -> String {
        let Self { nonce, count, cnonce, uri, algorithm, .. } = self;
        let ha2 = algorithm.hash(&format!("{method}:{uri}"));
        algorithm.hash(&format!("{ha1}:{nonce}:{count:08x}:{cnonce}:auth:{ha2}"))
    }

    /// Whether the sender knows the password; takes the same time wherever the two differ.
    pub fn proves(&self, ha1: &str, method: &Method) -> bool {
        self.expected(ha1, method).as_bytes().ct_eq(self.response.to_ascii_lowercase().as_bytes()).into()
    }

    /// Whether it was made for a request to this URI.
    pub fn is_for(&self, uri: &Uri) -> bool {
        self.uri.parse::<Uri>().is_ok_and(|own| own == *uri)
    }
}

/// A WWW-Authenticate header's value. `stale`: the password may be right, only the nonce is not. The realm has no quotes in it.
pub fn challenge(realm: &str, algorithm: Algorithm, nonce: &str, stale: bool) -> String {
    let stale = if stale { ", stale=true" } else { "" };
    format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={}, qop=\"auth\"{stale}", algorithm.name())
}

/// Nonces that tell of themselves that they are ours, so that those who never prove anything cost no memory: a time, an id, and a mark
/// over both and the asker's address that only this process can make.
#[derive(Debug, Default)]
pub struct Nonces {
    /// Made at the first challenge: a restart ends all nonces.
    key: Option<[u8; 32]>,
    /// The last count of each nonce that proved a password. A nonce begins with its time, so the oldest come first.
    used: BTreeMap<String, u32>,
}

impl Nonces {
    /// A fresh nonce for whoever asks from that address.
    pub fn issue(&mut self, source: IpAddr, cx: &mut Cx<'_>) -> String {
        let key = match self.key {
            Some(key) => key,
            None => {
                let mut seed = Sha256::new();
                for _ in 0..4 {
                    seed.update(cx.next_id().to_be_bytes());
                }
                *self.key.insert(seed.finalize().into())
            }
        };
        let (now, id) = (cx.now, cx.next_id());
        let head = format!("{now:016x}{id:032x}");
        let mark = mark(&key, &head, source);
        head + &mark
    }

    /// Whether we gave this nonce to that address, not too long ago.
    pub fn is_fresh(&self, nonce: &str, source: IpAddr, now: Millis) -> bool {
        let (Some(key), Some((head, own))) = (self.key, nonce.split_at_checked(HEAD)) else { return false };
        let Some(issued) = head.get(..16).and_then(|time| Millis::from_str_radix(time, 16).ok()) else { return false };
        bool::from(mark(&key, head, source).as_bytes().ct_eq(own.as_bytes())) && issued <= now && now - issued <= NONCE_LIFE
    }

    /// Notes that a fresh nonce proved a password for the `count`th time. `false` when that is a repetition (RFC 7616 §3.4).
    pub fn count(&mut self, nonce: &str, count: u32, now: Millis) -> bool {
        // Nonces before this one have ended.
        let oldest = format!("{:016x}", now.saturating_sub(NONCE_LIFE));
        self.used = self.used.split_off(&oldest);
        let last = self.used.entry(nonce.to_owned()).or_default();
        let further = count > *last;
        *last = count.max(*last);
        further
    }
}

/// Hexadecimal digits of a nonce's time and id.
const HEAD: usize = 48;

/// A keyed hash; its text is of one length but for the address, which ends it, and it is cut in half, so that it cannot be extended.
fn mark(key: &[u8; 32], head: &str, source: IpAddr) -> String {
    let sum = Sha256::new().chain_update(key).chain_update(head).chain_update(source.to_string()).finalize();
    hex(sum.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests;
