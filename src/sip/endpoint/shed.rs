//! Refusing calls that there is no time for, at a tenth of the price of taking one: the message is not read but for what a 503 needs, and no
//! transaction is kept (RFC 3261 §8.2.7), only that it was refused.

use super::{Flow, ServerKey, route};
use crate::message::{Via, cut};
use cordboard_core::cx::Millis;
use cordboard_core::overload::come_again;
use memchr::{memchr, memmem};
use std::collections::HashSet;

/// How long a refused request may come again: as long as its sender's transaction lasts (RFC 3261 §17.1.1.2, timer B).
const REMEMBER: Millis = 32_000;

/// Who was refused lately: a repeated INVITE gets the same answer, also when there is time again, and its ACK needs no reading.
#[derive(Debug, Default)]
pub(super) struct Shed {
    recent: HashSet<ServerKey>,
    older: HashSet<ServerKey>,
    turns: Millis,
}

impl Shed {
    pub fn holds(&self, key: &ServerKey) -> bool {
        self.recent.contains(key) || self.older.contains(key)
    }

    pub fn insert(&mut self, key: ServerKey) {
        self.recent.insert(key);
    }

    pub fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.older.is_empty()
    }

    /// Forgets what is too old.
    pub fn tick(&mut self, now: Millis) {
        if self.turns <= now {
            self.older = std::mem::take(&mut self.recent);
            self.turns = now + REMEMBER;
        }
    }
}

/// What a refusal needs of an INVITE outside of dialogs, or its ACK names.
pub(super) struct Glance<'a> {
    pub is_ack: bool,
    pub via: Via,
    /// The values of the other Vias; then From, To, Call-ID and CSeq, as they came.
    vias: Vec<&'a str>,
    from: &'a str,
    to: &'a str,
    call_id: &'a str,
    cseq: &'a str,
}

impl<'a> Glance<'a> {
    /// `None` for all that is anything else or written in an uncommon way, which then is read in full.
    pub fn at(bytes: &'a [u8]) -> Option<Self> {
        let is_ack = bytes.starts_with(b"ACK ");
        if !is_ack && !bytes.starts_with(b"INVITE ") {
            return None;
        }
        let end = memmem::find(bytes, b"\r\n\r\n")?;
        let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let (mut vias, mut once) = (Vec::new(), [None; 4]);
        let (_, mut rest) = cut(head, b'\n')?;
        while !rest.is_empty() {
            let (line, more) = cut(rest, b'\n').map_or((Some(rest), ""), |(line, more)| (line.strip_suffix('\r'), more));
            rest = more;
            // A folded line begins with a blank.
            let line = line.filter(|line| !line.starts_with([' ', '\t']) && memchr(b'\r', line.as_bytes()).is_none())?;
            let (name, value) = cut(line, b':')?;
            let (name, value) = (name.trim_ascii_end(), value.trim_ascii());
            let is = |long: &str, short: &str| name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short);
            let place = match () {
                () if is("Via", "v") => {
                    vias.push(value);
                    continue;
                }
                () if is("From", "f") => 0,
                () if is("To", "t") => 1,
                () if is("Call-ID", "i") => 2,
                () if name.eq_ignore_ascii_case("CSeq") => 3,
                () => continue,
            };
            if once.get_mut(place)?.replace(value).is_some() {
                return None;
            }
        }
        let [Some(from), Some(to), Some(call_id), Some(cseq)] = once else { return None };
        let top = vias.first().filter(|top| !top.contains([',', '"']))?;
        let via: Via = top.parse().ok()?;
        vias.remove(0);
        // A dialog's, or a To that a tag cannot simply follow.
        let tagged = || to.as_bytes().windows(3).any(|part| part.eq_ignore_ascii_case(b"tag"));
        if !is_ack && (to.is_empty() || to.ends_with(';') || tagged()) {
            return None;
        }
        Some(Self { is_ack, via, vias, from, to, call_id, cseq })
    }

    /// 503 and where it goes; `server` is our product's name. Its tag follows from the request's `key`, so that a repeated one gets the same.
    pub fn refusal(mut self, key: ServerKey, flow: Flow, server: &str) -> (Flow, Vec<u8>) {
        let back = flow.back(Some(&self.via));
        route::mark_received(&mut self.via, flow.remote);
        let Self { via, vias, from, to, call_id, cseq, .. } = self;
        let mut text = format!("SIP/2.0 503 Service Unavailable\r\nVia: {via}\r\n");
        for via in vias {
            text.extend(["Via: ", via, "\r\n"]);
        }
        if !server.is_empty() {
            text.extend(["Server: ", server, "\r\n"]);
        }
        let ServerKey(tag) = key;
        let later = come_again(tag);
        let rest = format!(
            "From: {from}\r\nTo: {to};tag={tag:x}\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\nRetry-After: {later}\r\nContent-Length: 0\r\n\r\n"
        );
        text.push_str(&rest);
        (back, text.into_bytes())
    }
}
