//! The headers of a message: rsip's header enum behind names, list splitting and typed reading.

use super::Method;
use super::scan::{self, Malformed};
use super::uri::{NameAddr, Via, branch_of, check_address, check_via, tag_of};
use memchr::memchr2;
use rsip::headers::UntypedHeader;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares the headers that this crate reads or writes: those that rsip has a type for, and those it knows not.
macro_rules! fields {
    (typed { $($typed:ident $typed_name:literal,)* } other { $($other:ident $other_name:literal,)* }) => {
        /// A header by its name.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Field { $($typed,)* $($other,)* }

        impl Field {
            /// In small and in capital letters.
            fn named(name: &str) -> Option<Self> {
                $(if name.eq_ignore_ascii_case($typed_name) { return Some(Self::$typed); })*
                $(if name.eq_ignore_ascii_case($other_name) { return Some(Self::$other); })*
                None
            }

            pub fn name(self) -> &'static str {
                match self { $(Self::$typed => $typed_name,)* $(Self::$other => $other_name,)* }
            }

            fn header(self, value: String) -> rsip::Header {
                match self {
                    $(Self::$typed => rsip::Header::$typed(rsip::headers::$typed::new(value)),)*
                    $(Self::$other => rsip::Header::Other($other_name.into(), value),)*
                }
            }
        }

        /// What a header of ours, or one that we know not, says.
        fn value_of(header: &rsip::Header) -> &str {
            match header {
                $(rsip::Header::$typed(value) => value.value(),)*
                rsip::Header::Other(_, value) => value,
                _ => "",
            }
        }
    };
}

fields! {
    typed {
    Accept "Accept",
    Allow "Allow",
    Authorization "Authorization",
    CSeq "CSeq",
    CallId "Call-ID",
    Contact "Contact",
    ContentDisposition "Content-Disposition",
    ContentEncoding "Content-Encoding",
    ContentLength "Content-Length",
    ContentType "Content-Type",
    Expires "Expires",
    From "From",
    MaxForwards "Max-Forwards",
    MinExpires "Min-Expires",
    RecordRoute "Record-Route",
    Require "Require",
    RetryAfter "Retry-After",
    Route "Route",
    Server "Server",
    Supported "Supported",
    Timestamp "Timestamp",
    To "To",
    Unsupported "Unsupported",
    UserAgent "User-Agent",
    Via "Via",
    Warning "Warning",
    WwwAuthenticate "WWW-Authenticate",
    } other {
    AssertedIdentity "P-Asserted-Identity",
    Diversion "Diversion",
    MinSe "Min-SE",
    PreferredIdentity "P-Preferred-Identity",
    Rack "RAck",
    Reason "Reason",
    Rseq "RSeq",
    SessionExpires "Session-Expires",
    }
}

/// The compact forms (RFC 3261 §7.3.3 and the IANA registry) written out.
fn full_name(name: &str) -> &str {
    let [letter] = name.as_bytes() else { return name };
    match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => name,
    }
}

/// CSeq (RFC 3261 §20.16).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CSeq {
    pub seq: u32,
    pub method: Method,
}

/// Who refreshes a session (RFC 4028).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Refresher {
    Uac,
    Uas,
}

/// Session-Expires (RFC 4028), in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionExpires {
    pub seconds: u32,
    pub refresher: Option<Refresher>,
}

/// RAck (RFC 3262).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rack {
    pub rseq: u32,
    pub cseq: u32,
    pub method: Method,
}

const NO_VIA: Malformed = Malformed("there is no Via");
const NO_FROM: Malformed = Malformed("there is no From");
const NO_TO: Malformed = Malformed("there is no To");

/// Headers in their order. One without a field is [`rsip::Header::Other`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Headers(Vec<(Option<Field>, rsip::Header)>);

impl Headers {
    /// For as many as most messages have.
    pub(super) fn with_room() -> Self {
        Self(Vec::with_capacity(16))
    }

    /// Adds a header line, unfolded. Whether it has a name.
    pub(super) fn push_line(&mut self, line: &str) -> bool {
        let named = scan::cut(line, b':').map(|(name, value)| (name.trim_ascii_end(), value.trim_ascii()));
        let Some((name, value)) = named.filter(|(name, _)| scan::is_token(name)) else { return false };
        self.push_wire(name, value);
        true
    }

    /// Adds a header as it came, by any of its names; it may be sent on, so that no line end gets in.
    fn push_wire(&mut self, name: &str, value: &str) {
        let name = full_name(name);
        let field = Field::named(name);
        let value = one_line(value.to_owned());
        let header = match field {
            Some(field) => field.header(value),
            None => rsip::Header::Other(name.to_owned(), value),
        };
        self.0.push((field, header));
    }

    /// A value never carries a line end out (header injection).
    pub fn push(&mut self, field: Field, value: impl Into<String>) {
        self.0.push((Some(field), field.header(one_line(value.into()))));
    }

    /// Sets a header that stands once.
    pub fn set(&mut self, field: Field, value: impl Into<String>) {
        self.remove(field);
        self.push(field, value);
    }

    /// Leaves the headers that are wanted, and gives the memory of the others back.
    pub(crate) fn keep(&mut self, keeps: impl Fn(Field) -> bool) {
        self.0.retain(|(field, _)| field.is_some_and(&keeps));
        self.0.shrink_to_fit();
    }

    pub fn remove(&mut self, field: Field) {
        self.0.retain(|(own, _)| *own != Some(field));
    }

    /// Puts a header before all others, as Via wants it.
    pub fn push_front(&mut self, field: Field, value: impl Into<String>) {
        self.0.insert(0, (Some(field), field.header(value.into())));
    }

    /// Replaces the first value of a list header, leaving the rest as it came.
    pub fn replace_first(&mut self, field: Field, value: &str) {
        let Some((_, header)) = self.0.iter_mut().find(|(own, _)| *own == Some(field)) else { return };
        let rest = scan::split(value_of(header), b',').map(|parts| parts.get(1..).unwrap_or_default().join(", ")).unwrap_or_default();
        *header = field.header(if rest.is_empty() { value.to_owned() } else { format!("{value}, {rest}") });
    }

    /// The values of a header as they stand in its lines.
    pub fn all(&self, field: Field) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(own, _)| *own == Some(field)).map(|(_, header)| value_of(header))
    }

    pub fn get(&self, field: Field) -> Option<&str> {
        self.all(field).next()
    }

    /// The elements of a comma list over all its lines; empty ones are left out.
    pub fn list(&self, field: Field) -> Result<Vec<&str>, Malformed> {
        let mut out = Vec::new();
        for line in self.all(field) {
            out.extend(scan::split(line, b',')?.into_iter().filter(|e| !e.is_empty()));
        }
        Ok(out)
    }

    /// The headers that a response copies (RFC 3261 §8.2.6.2).
    #[must_use]
    pub(crate) fn for_responses(&self) -> Self {
        let copied = [Field::Via, Field::From, Field::To, Field::CallId, Field::CSeq];
        Self(self.0.iter().filter(|(field, _)| field.is_some_and(|field| copied.contains(&field))).cloned().collect())
    }

    /// Names and values, but for Content-Length, which the body tells.
    fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(field, header)| match (field, header) {
            (Some(Field::ContentLength), _) => None,
            (Some(field), header) => Some((field.name(), value_of(header))),
            (None, rsip::Header::Other(name, value)) => Some((name.as_str(), value.as_str())),
            (None, _) => None,
        })
    }

    /// How many bytes [`Self::write`] appends.
    pub(super) fn written(&self) -> usize {
        self.lines().map(|(name, value)| name.len() + value.len() + 4).sum()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in self.lines() {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }

    /// What every message must have, once (RFC 3261 §8.1.1), and whether it can be read.
    pub(super) fn check(&self) -> Result<(), Malformed> {
        for field in [Field::From, Field::To, Field::CallId, Field::CSeq, Field::MaxForwards, Field::ContentLength, Field::ContentType] {
            if self.all(field).nth(1).is_some() {
                return Err(Malformed("a header that stands once stands twice"));
            }
        }
        self.get(Field::Via).ok_or(NO_VIA)?;
        for line in self.all(Field::Via) {
            scan::split(line, b',')?.into_iter().try_for_each(check_via)?;
        }
        check_address(self.get(Field::From).ok_or(NO_FROM)?)?;
        check_address(self.get(Field::To).ok_or(NO_TO)?)?;
        self.cseq()?;
        if self.call_id().is_none_or(str::is_empty) {
            return Err(Malformed("there is no Call-ID"));
        }
        for line in [Field::Contact, Field::RecordRoute, Field::Route].into_iter().flat_map(|field| self.all(field)) {
            scan::split(line, b',')?.into_iter().filter(|part| *part != "*").try_for_each(check_address)?;
        }
        Ok(())
    }

    /// The branch of the one Via there is; `None` when there are several.
    pub(crate) fn only_branch(&self) -> Option<&str> {
        let mut lines = self.all(Field::Via);
        let (Some(line), None) = (lines.next(), lines.next()) else { return None };
        match scan::split(line, b',').ok()?.as_slice() {
            [via] => branch_of(via),
            _ => None,
        }
    }

    pub fn top_via(&self) -> Result<Via, Malformed> {
        let line = self.get(Field::Via).ok_or(NO_VIA)?;
        scan::split(line, b',')?.first().copied().unwrap_or_default().parse()
    }

    pub fn from(&self) -> Result<NameAddr, Malformed> {
        self.get(Field::From).ok_or(NO_FROM)?.parse()
    }

    pub fn to(&self) -> Result<NameAddr, Malformed> {
        self.get(Field::To).ok_or(NO_TO)?.parse()
    }

    pub fn from_tag(&self) -> Option<&str> {
        tag_of(self.get(Field::From)?)
    }

    pub fn to_tag(&self) -> Option<&str> {
        tag_of(self.get(Field::To)?)
    }

    pub fn call_id(&self) -> Option<&str> {
        self.get(Field::CallId)
    }

    pub fn cseq(&self) -> Result<CSeq, Malformed> {
        const BAD: Malformed = Malformed("CSeq is malformed");
        let text = self.get(Field::CSeq).ok_or(Malformed("there is no CSeq"))?;
        let (seq, method) = text.split_once(|c: char| c.is_ascii_whitespace()).ok_or(BAD)?;
        let seq = number(seq).filter(|seq| *seq < 1 << 31).ok_or(BAD)?;
        Ok(CSeq { seq, method: Method::parse(method.trim_ascii()).ok_or(BAD)? })
    }

    /// Addresses of a list header such as Contact, Route, P-Asserted-Identity. `*` is left out.
    pub fn addresses(&self, field: Field) -> Result<Vec<NameAddr>, Malformed> {
        let mut out = Vec::new();
        for line in self.all(field) {
            for part in scan::split(line, b',')? {
                if part != "*" {
                    out.push(part.parse()?);
                }
            }
        }
        Ok(out)
    }

    /// The far side's target for requests in the dialog.
    pub fn contact(&self) -> Option<NameAddr> {
        self.addresses(Field::Contact).ok()?.into_iter().next()
    }

    /// Whether a token stands in a list header such as Supported, Require, Allow.
    pub fn lists(&self, field: Field, token: &str) -> bool {
        self.list(field).is_ok_and(|l| l.iter().any(|t| t.eq_ignore_ascii_case(token)))
    }

    pub fn session_expires(&self) -> Option<SessionExpires> {
        let text = self.get(Field::SessionExpires)?;
        let mut parts = text.split(';');
        let seconds = number(parts.next()?.trim())?;
        let refresher = parts.find_map(|p| {
            let (name, value) = p.split_once('=')?;
            name.trim().eq_ignore_ascii_case("refresher").then(|| value.trim())
        });
        let refresher = match refresher {
            Some(who) if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) | None => None,
        };
        Some(SessionExpires { seconds, refresher })
    }

    /// Min-SE, in seconds.
    pub fn min_se(&self) -> Option<u32> {
        number(self.get(Field::MinSe)?.split(';').next()?.trim())
    }

    /// The Q.850 cause of the Reason header (RFC 3326).
    pub fn q850(&self) -> Option<u8> {
        let reasons = self.list(Field::Reason).ok()?;
        reasons.iter().find_map(|reason| {
            let (protocol, params) = reason.split_once(';')?;
            if !protocol.trim().eq_ignore_ascii_case("Q.850") {
                return None;
            }
            super::uri::Params::parse(params).ok()?.get("cause")?.parse().ok()
        })
    }

    /// Expires, in seconds; what is no number is not there (RFC 3261 §20.19).
    pub fn expires(&self) -> Option<u32> {
        number(self.get(Field::Expires)?)
    }

    /// Retry-After, in seconds.
    pub fn retry_after(&self) -> Option<u32> {
        number(self.get(Field::RetryAfter)?.split([';', '(', ' ']).next()?)
    }

    pub fn rseq(&self) -> Option<u32> {
        number(self.get(Field::Rseq)?)
    }

    pub fn rack(&self) -> Option<Rack> {
        let mut parts = self.get(Field::Rack)?.split_whitespace();
        Some(Rack { rseq: number(parts.next()?)?, cseq: number(parts.next()?)?, method: Method::parse(parts.next()?)? })
    }

    pub fn max_forwards(&self) -> Option<u32> {
        number(self.get(Field::MaxForwards)?)
    }

    /// The media type of the body in small letters, without parameters.
    pub fn content_type(&self) -> Option<String> {
        Some(self.get(Field::ContentType)?.split(';').next()?.trim().to_ascii_lowercase())
    }
}

/// As name and value of each line, in order.
impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.lines())
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut headers = Self::default();
        for (name, value) in Vec::<(String, String)>::deserialize(deserializer)? {
            headers.push_wire(&name, &value);
        }
        Ok(headers)
    }
}

fn one_line(value: String) -> String {
    if memchr2(b'\r', b'\n', value.as_bytes()).is_some() { value.replace(['\r', '\n'], " ") } else { value }
}

/// Digits alone, no sign.
pub(super) fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}
