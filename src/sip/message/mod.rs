//! SIP messages on the wire (RFC 3261 §7): the only place that names rsip.
//!
//! rsip gives the types of methods, status codes and headers. Framing, folding, compact names, comma lists, URIs and bodies are ours,
//! since rsip reads them partly or not at all.

mod headers;
mod parse;
mod scan;
mod stream;
mod uri;

pub use headers::{CSeq, Field, Headers, Rack, Refresher, SessionExpires};
pub use parse::ParseError;
pub use scan::Malformed;
pub(crate) use scan::{cut, quoted, split};
pub use stream::{Frame, StreamFramer};
pub use uri::{Host, NameAddr, Params, SipUri, Uri, Via, host_port};

use cordboard_core::overload::come_again;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::{self, Write};
use std::sync::LazyLock;

/// A request's method. Names are case-sensitive (RFC 3261 §7.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Method {
    Known(rsip::Method),
    Other(String),
}

impl Method {
    pub const ACK: Self = Self::Known(rsip::Method::Ack);
    pub const BYE: Self = Self::Known(rsip::Method::Bye);
    pub const CANCEL: Self = Self::Known(rsip::Method::Cancel);
    pub const INFO: Self = Self::Known(rsip::Method::Info);
    pub const INVITE: Self = Self::Known(rsip::Method::Invite);
    pub const OPTIONS: Self = Self::Known(rsip::Method::Options);
    pub const PRACK: Self = Self::Known(rsip::Method::PRack);
    pub const REGISTER: Self = Self::Known(rsip::Method::Register);
    pub const UPDATE: Self = Self::Known(rsip::Method::Update);

    /// `None` when the text is no token.
    pub fn parse(text: &str) -> Option<Self> {
        match METHODS.iter().find(|(_, name)| *name == text) {
            Some((method, _)) => Some(Self::Known(*method)),
            None => scan::is_token(text).then(|| Self::Other(text.to_owned())),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Known(method) => METHODS.iter().find(|(known, _)| known == method).map_or("", |(_, name)| name),
            Self::Other(name) => name,
        }
    }
}

/// All that rsip knows, the commonest first. It writes and reads them by way of copies.
const METHODS: [(rsip::Method, &str); 14] = [
    (rsip::Method::Invite, "INVITE"),
    (rsip::Method::Ack, "ACK"),
    (rsip::Method::Bye, "BYE"),
    (rsip::Method::Cancel, "CANCEL"),
    (rsip::Method::Options, "OPTIONS"),
    (rsip::Method::Register, "REGISTER"),
    (rsip::Method::PRack, "PRACK"),
    (rsip::Method::Update, "UPDATE"),
    (rsip::Method::Info, "INFO"),
    (rsip::Method::Message, "MESSAGE"),
    (rsip::Method::Notify, "NOTIFY"),
    (rsip::Method::Publish, "PUBLISH"),
    (rsip::Method::Refer, "REFER"),
    (rsip::Method::Subscribe, "SUBSCRIBE"),
];

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| serde::de::Error::custom("no method"))
    }
}

/// A request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    pub method: Method,
    pub uri: Uri,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: Method, uri: Uri) -> Self {
        Self { method, uri, headers: Headers::default(), body: Vec::new() }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let start = format!("{} {} SIP/2.0\r\n", self.method, self.uri);
        written(&start, &self.headers, &self.body)
    }

    /// The number that was called: the Request-URI's user part.
    pub fn called(&self) -> String {
        self.uri.user().unwrap_or_default()
    }

    /// Who calls: P-Asserted-Identity (RFC 3325) before From.
    pub fn caller(&self) -> Option<NameAddr> {
        let asserted = self.headers.addresses(Field::AssertedIdentity).ok().and_then(|l| l.into_iter().next());
        asserted.or_else(|| self.headers.from().ok())
    }

    /// 503 for a call that there is no room or time for. `id`: a fresh one.
    pub fn shed(&self, id: u128) -> Response {
        let mut response = self.response(503);
        response.headers.push(Field::RetryAfter, come_again(id).to_string());
        response
    }

    /// A response with what every response copies (RFC 3261 §8.2.6.2). The To tag is the responder's to add.
    pub fn response(&self, status: u16) -> Response {
        Response::to(&self.headers, status)
    }
}

/// A response.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Response {
    pub status: u16,
    pub reason: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Response {
    /// An empty response with the status's usual phrase.
    pub fn new(status: u16) -> Self {
        Self { status, reason: phrase(status), headers: Headers::default(), body: Vec::new() }
    }

    /// A response to a request with these headers.
    pub(crate) fn to(request: &Headers, status: u16) -> Self {
        let mut response = Self { headers: request.for_responses(), ..Self::new(status) };
        if status == 100
            && let Some(timestamp) = request.get(Field::Timestamp)
        {
            response.headers.push(Field::Timestamp, timestamp);
        }
        response
    }

    /// Gives To a tag, unless it has one; To is one that can be read.
    pub fn set_to_tag(&mut self, tag: &str) {
        let Some(to) = self.headers.get(Field::To).filter(|_| self.headers.to_tag().is_none()) else { return };
        let to = to.trim_ascii_end();
        let tagged = [to.strip_suffix(';').unwrap_or(to), ";tag=", tag].concat();
        self.headers.set(Field::To, tagged);
    }

    pub fn is_provisional(&self) -> bool {
        self.status < 200
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let start = format!("SIP/2.0 {} {}\r\n", self.status, self.reason);
        written(&start, &self.headers, &self.body)
    }
}

fn written(start: &str, headers: &Headers, body: &[u8]) -> Vec<u8> {
    let length = format!("Content-Length: {}\r\n\r\n", body.len());
    let mut out = Vec::with_capacity(start.len() + headers.written() + length.len() + body.len());
    out.extend_from_slice(start.as_bytes());
    headers.write(&mut out);
    out.extend_from_slice(length.as_bytes());
    out.extend_from_slice(body);
    out
}

/// A new tag, branch or Call-ID.
pub(crate) fn token_of(id: u128) -> String {
    HEXLOWER.encode(&id.to_be_bytes())
}

/// A header's value, with room from the beginning: `to_string` makes it three times on its way.
pub(crate) fn text_of(value: &impl fmt::Display) -> String {
    let mut text = String::with_capacity(96);
    // A string takes everything.
    let _ = write!(text, "{value}");
    text
}

/// The usual reason phrase.
fn phrase(status: u16) -> String {
    static PHRASES: LazyLock<Vec<String>> = LazyLock::new(|| (0..700).map(spelled).collect());
    PHRASES.get(usize::from(status)).cloned().unwrap_or_default()
}

/// rsip's name of a status code in words (`BusyHere` → `Busy Here`).
fn spelled(status: u16) -> String {
    let named = rsip::StatusCode::from(status).to_string();
    let name = named.split_once(' ').map_or("", |(_, name)| name);
    let mut out = String::with_capacity(name.len() + 4);
    let mut after_small = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_small {
            out.push(' ');
        }
        after_small = c.is_ascii_lowercase();
        out.push(c);
    }
    out
}

/// A request or a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    Request(Request),
    Response(Response),
}

impl Message {
    /// Reads one datagram, or one message that [`StreamFramer`] cut out.
    ///
    /// # Errors
    /// [`ParseError`] says whether the sender can still be answered.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        parse::message(bytes)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Request(request) => request.to_bytes(),
            Self::Response(response) => response.to_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
