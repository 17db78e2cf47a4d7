//! URIs, parameters and addresses. rsip's reader stops at IPv6, `tel:` and a dot in the user part, so these are read here.

use super::scan::{self, Malformed};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// `;name=value` and `;name`, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Params(SmallVec<[(CompactString, Option<CompactString>); 2]>);

impl Params {
    /// Reads what follows the first `;`. One empty parameter at the very end is tolerated.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut params = SmallVec::new();
        each_param(text, |name, value| params.push((name.into(), value.map(CompactString::from))))?;
        Ok(Self(params))
    }

    /// The value of a parameter: `None` when it is absent, `Some(None)` when it has no value.
    pub fn find(&self, name: &str) -> Option<Option<&str>> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_deref())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name).flatten()
    }

    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub fn set(&mut self, name: &str, value: Option<String>) {
        let value = value.map(CompactString::from);
        match self.0.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.into(), value)),
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }
}

/// `name=value` or `name`.
fn param(part: &str) -> (&str, Option<&str>) {
    scan::cut(part, b'=').map_or((part, None), |(name, value)| (name.trim_ascii_end(), Some(value.trim_ascii_start())))
}

fn each_param<'a>(text: &'a str, mut take: impl FnMut(&'a str, Option<&'a str>)) -> Result<(), Malformed> {
    let parts = scan::split(text, b';')?;
    let count = parts.len();
    for (at, part) in parts.into_iter().enumerate() {
        if part.is_empty() && at + 1 == count {
            continue;
        }
        let (name, value) = param(part);
        if name.is_empty() || scan::has(name, |byte| byte == b',') || value == Some("") {
            return Err(Malformed("a parameter is malformed"));
        }
        take(name, value);
    }
    Ok(())
}

/// The value of the first parameter with this name, in what follows the first `;`.
fn param_of<'a>(params: &'a str, wanted: &str) -> Option<&'a str> {
    scan::split(params, b';').ok()?.into_iter().map(param).find(|(name, _)| name.eq_ignore_ascii_case(wanted))?.1
}

fn check_params(params: Option<&str>) -> Result<(), Malformed> {
    params.map_or(Ok(()), |params| each_param(params, |_, _| ()))
}

fn read_params(params: Option<&str>) -> Result<Params, Malformed> {
    params.map_or_else(|| Ok(Params::default()), Params::parse)
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            f.write_str(";")?;
            f.write_str(name)?;
            if let Some(value) = value {
                f.write_str("=")?;
                f.write_str(value)?;
            }
        }
        Ok(())
    }
}

/// A host: an address or a name.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Host {
    Ip(IpAddr),
    Name(String),
}

impl Host {
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name(_) => None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(ip)) => write_v4(*ip, f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// In one piece: the standard library writes an address in seven, and messages are full of them.
fn write_v4(ip: Ipv4Addr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = CompactString::default();
    for (at, octet) in ip.octets().into_iter().enumerate() {
        if at > 0 {
            text.push('.');
        }
        text.push_str(itoa::Buffer::new().format(octet));
    }
    f.write_str(&text)
}

/// `:port`, where there is one.
fn write_port(port: Option<u16>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some(port) = port else { return Ok(()) };
    f.write_str(":")?;
    f.write_str(itoa::Buffer::new().format(port))
}

/// A host as it stands in a message.
enum HostText<'a> {
    Ip(IpAddr),
    Name(&'a str),
}

impl HostText<'_> {
    fn copied(&self) -> Host {
        match self {
            Self::Ip(ip) => Host::Ip(*ip),
            Self::Name(name) => Host::Name(name.to_ascii_lowercase()),
        }
    }
}

/// Reads `host[:port]`, with IPv6 in brackets.
pub fn host_port(text: &str) -> Result<(Host, Option<u16>), Malformed> {
    let (host, port) = host_text(text)?;
    Ok((host.copied(), port))
}

fn host_text(text: &str) -> Result<(HostText<'_>, Option<u16>), Malformed> {
    const BAD: Malformed = Malformed("a host is malformed");
    let text = text.trim_ascii();
    let (host, port) = match text.strip_prefix('[') {
        Some(inner) => {
            let (ip, rest) = scan::cut(inner, b']').ok_or(BAD)?;
            let rest = rest.trim_ascii_start();
            let port = rest.strip_prefix(':');
            if port.is_none() && !rest.is_empty() {
                return Err(BAD);
            }
            (HostText::Ip(IpAddr::V6(ip.parse::<Ipv6Addr>().map_err(|_| BAD)?)), port)
        }
        None => {
            let (name, port) = scan::first(text, b':');
            let name = name.trim_ascii_end();
            let host = match name.parse::<Ipv4Addr>() {
                Ok(ip) => HostText::Ip(IpAddr::V4(ip)),
                Err(_) if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) => {
                    HostText::Name(name)
                }
                Err(_) => return Err(BAD),
            };
            (host, port)
        }
    };
    let port = port.map(|port| port.trim_ascii().parse().map_err(|_| BAD)).transpose()?;
    Ok((host, port))
}

/// `sip:` or `sips:`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SipUri {
    pub secure: bool,
    /// User and password as written, escapes included.
    pub user: Option<String>,
    pub host: Host,
    pub port: Option<u16>,
    pub params: Params,
    /// What follows `?`, as written.
    pub headers: Option<String>,
}

/// A URI of any scheme.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Uri {
    Sip(SipUri),
    Tel { number: String, params: Params },
    Other { scheme: String, rest: String },
}

impl Uri {
    /// `sip:user@addr`; the user may be empty and is escaped.
    pub fn sip(user: &str, addr: SocketAddr) -> Self {
        Self::Sip(SipUri {
            secure: false,
            user: (!user.is_empty()).then(|| scan::escape_user(user)),
            host: Host::Ip(addr.ip()),
            port: Some(addr.port()),
            params: Params::default(),
            headers: None,
        })
    }

    /// The number or name that the URI stands for, without escapes, password and user parameters.
    pub fn user(&self) -> Option<String> {
        match self {
            Self::Sip(uri) => {
                let user = uri.user.as_deref()?;
                let user = user.split([':', ';']).next().unwrap_or_default();
                Some(scan::unescape(user))
            }
            Self::Tel { number, .. } => Some(number.clone()),
            Self::Other { .. } => None,
        }
    }

    /// Whether a Route with this URI is a loose router's (RFC 3261 §16.12).
    pub fn is_loose(&self) -> bool {
        match self {
            Self::Sip(uri) => uri.params.has("lr"),
            Self::Tel { .. } | Self::Other { .. } => false,
        }
    }
}

/// A URI as it stands in a message, cut into its parts. The parameters are not read.
enum UriText<'a> {
    Sip { secure: bool, user: Option<&'a str>, host: HostText<'a>, port: Option<u16>, params: Option<&'a str>, headers: Option<&'a str> },
    Tel { number: &'a str, params: Option<&'a str> },
    Other { scheme: &'a str, rest: &'a str },
}

impl<'a> UriText<'a> {
    fn cut(text: &'a str) -> Result<Self, Malformed> {
        const BAD: Malformed = Malformed("a URI is malformed");
        if text.is_empty() || scan::has(text, |byte| matches!(byte, b'<' | b'>' | b'"')) {
            return Err(BAD);
        }
        let (scheme, rest) = scan::cut(text, b':').ok_or(BAD)?;
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        {
            return Err(BAD);
        }
        let is = |name| scheme.eq_ignore_ascii_case(name);
        if is("tel") {
            let (number, params) = scan::first(rest, b';');
            return Ok(Self::Tel { number, params });
        }
        let secure = is("sips");
        if !secure && !is("sip") {
            return Ok(Self::Other { scheme, rest });
        }
        // A user part may hold ; ? and : but no bare @.
        let (user, rest) = scan::cut(rest, b'@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        if user == Some("") {
            return Err(BAD);
        }
        let (rest, headers) = scan::first(rest, b'?');
        let (host, params) = scan::first(rest, b';');
        let (host, port) = host_text(host)?;
        Ok(Self::Sip { secure, user, host, port, params, headers })
    }

    fn check(text: &str) -> Result<(), Malformed> {
        match UriText::cut(text)? {
            UriText::Sip { params, .. } | UriText::Tel { params, .. } => check_params(params),
            UriText::Other { .. } => Ok(()),
        }
    }
}

impl FromStr for Uri {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Ok(match UriText::cut(text)? {
            UriText::Sip { secure, user, host, port, params, headers } => Self::Sip(SipUri {
                secure,
                user: user.map(str::to_owned),
                host: host.copied(),
                port,
                params: read_params(params)?,
                headers: headers.map(str::to_owned),
            }),
            UriText::Tel { number, params } => Self::Tel { number: number.to_owned(), params: read_params(params)? },
            UriText::Other { scheme, rest } => Self::Other { scheme: scheme.to_ascii_lowercase(), rest: rest.to_owned() },
        })
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => {
                f.write_str(if uri.secure { "sips:" } else { "sip:" })?;
                if let Some(user) = &uri.user {
                    f.write_str(user)?;
                    f.write_str("@")?;
                }
                uri.host.fmt(f)?;
                write_port(uri.port, f)?;
                uri.params.fmt(f)?;
                match &uri.headers {
                    Some(headers) => write!(f, "?{headers}"),
                    None => Ok(()),
                }
            }
            Self::Tel { number, params } => write!(f, "tel:{number}{params}"),
            Self::Other { scheme, rest } => write!(f, "{scheme}:{rest}"),
        }
    }
}

/// `"display" <uri>;params`, as in From, To, Contact, Route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NameAddr {
    pub display: Option<String>,
    pub uri: Uri,
    pub params: Params,
}

impl NameAddr {
    pub fn new(uri: Uri) -> Self {
        Self { display: None, uri, params: Params::default() }
    }

    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag")
    }
}

/// An address cut into its parts, none of them read.
struct Cut<'a> {
    display: Option<Cow<'a, str>>,
    uri: &'a str,
    /// What follows the first `;` of the header's own parameters.
    params: Option<&'a str>,
}

fn cut(text: &str) -> Result<Cut<'_>, Malformed> {
    const BAD: Malformed = Malformed("an address is malformed");
    let text = text.trim_ascii();
    let (display, rest) = if text.starts_with('"') {
        let (display, rest) = scan::quoted(text)?;
        (Some(Cow::Owned(display)), rest.trim_ascii_start().strip_prefix('<').ok_or(BAD)?)
    } else if let Some((display, rest)) = scan::cut(text, b'<') {
        let display = display.trim_ascii();
        // Tokens by the letter; other signs are let through, but for those that would make the reading doubtful.
        if display.bytes().any(|byte| b",;:\">".contains(&byte)) {
            return Err(BAD);
        }
        ((!display.is_empty()).then_some(Cow::Borrowed(display)), rest)
    } else {
        // Without brackets, parameters are the header's and neither ? nor , may stand in the URI (RFC 3261 §20).
        let (uri, params) = scan::first(text, b';');
        if uri.bytes().any(|byte| b"?,".contains(&byte)) {
            return Err(BAD);
        }
        return Ok(Cut { display: None, uri: uri.trim_ascii_end(), params });
    };
    let (uri, rest) = scan::cut(rest, b'>').ok_or(BAD)?;
    let rest = rest.trim_ascii();
    let params = rest.strip_prefix(';');
    if params.is_none() && !rest.is_empty() {
        return Err(BAD);
    }
    Ok(Cut { display, uri, params })
}

/// The tag of an address, of which nothing else is read.
pub(super) fn tag_of(address: &str) -> Option<&str> {
    param_of(cut(address).ok()?.params?, "tag")
}

/// Whether `text` can be read as a [`NameAddr`].
pub(super) fn check_address(text: &str) -> Result<(), Malformed> {
    let Cut { uri, params, .. } = cut(text)?;
    check_params(params)?;
    UriText::check(uri)
}

impl FromStr for NameAddr {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let Cut { display, uri, params } = cut(text)?;
        let params = read_params(params)?;
        Ok(Self { display: display.map(Cow::into_owned), uri: uri.parse()?, params })
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "\"{}\" ", display.replace('\\', "\\\\").replace('"', "\\\""))?;
        }
        f.write_str("<")?;
        self.uri.fmt(f)?;
        f.write_str(">")?;
        self.params.fmt(f)
    }
}

/// One hop of Via (RFC 3261 §20.42).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Via {
    /// In capitals: `UDP`, `TCP`, `TLS`, or what it says.
    pub transport: CompactString,
    pub host: Host,
    pub port: Option<u16>,
    pub params: Params,
}

impl Via {
    /// The branch, when it is one of RFC 3261: with the magic cookie and more after it.
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch").filter(|branch| is_unique(branch))
    }
}

/// A Via as it stands in a message, cut into its parts. The parameters are not read.
struct ViaText<'a> {
    transport: &'a str,
    host: HostText<'a>,
    port: Option<u16>,
    params: Option<&'a str>,
}

impl<'a> ViaText<'a> {
    fn cut(text: &'a str) -> Result<Self, Malformed> {
        const BAD: Malformed = Malformed("a Via is malformed");
        let (hop, params) = scan::first(text, b';');
        let (name, rest) = scan::cut(hop, b'/').ok_or(BAD)?;
        let (version, rest) = scan::cut(rest, b'/').ok_or(BAD)?;
        let (transport, sent_by) = rest.trim_ascii().split_once(|c: char| c.is_ascii_whitespace()).ok_or(BAD)?;
        if !name.trim_ascii().eq_ignore_ascii_case("SIP") || version.trim_ascii() != "2.0" || !scan::is_token(transport) {
            return Err(BAD);
        }
        let (host, port) = host_text(sent_by)?;
        Ok(Self { transport, host, port, params })
    }
}

fn is_unique(branch: &str) -> bool {
    branch.len() > 7 && branch.get(..7).is_some_and(|cookie| cookie.eq_ignore_ascii_case("z9hG4bK"))
}

/// What [`Via::branch`] gives of a Via of which nothing else is read.
pub(super) fn branch_of(via: &str) -> Option<&str> {
    param_of(ViaText::cut(via).ok()?.params?, "branch").filter(|branch| is_unique(branch))
}

/// Whether `text` can be read as a [`Via`].
pub(super) fn check_via(text: &str) -> Result<(), Malformed> {
    check_params(ViaText::cut(text)?.params)
}

impl FromStr for Via {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let ViaText { transport, host, port, params } = ViaText::cut(text)?;
        Ok(Self { transport: transport.to_ascii_uppercase().into(), host: host.copied(), port, params: read_params(params)? })
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SIP/2.0/")?;
        f.write_str(&self.transport)?;
        f.write_str(" ")?;
        self.host.fmt(f)?;
        write_port(self.port, f)?;
        self.params.fmt(f)
    }
}
