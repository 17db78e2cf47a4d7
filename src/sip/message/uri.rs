//! URIs, parameters and addresses. rsip's reader stops at IPv6, `tel:` and a dot in the user part, so these are read here.

use super::scan::{self, Malformed};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// `;name=value` and `;name`, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Params(SmallVec<[(CompactString, Option<CompactString>); 2]>);

impl Params {
    /// Reads what follows the first `;`. One empty parameter at the very end is tolerated.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let parts = scan::split(text, b';')?;
        let count = parts.len();
        let mut params = SmallVec::new();
        for (at, part) in parts.into_iter().enumerate() {
            if part.is_empty() && at + 1 == count {
                continue;
            }
            let (name, value) = param(part);
            if name.is_empty() || name.contains(char::is_whitespace) || name.contains(',') || value == Some("") {
                return Err(Malformed("a parameter is malformed"));
            }
            params.push((name.into(), value.map(CompactString::from)));
        }
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
    part.split_once('=').map_or((part, None), |(name, value)| (name.trim_end(), Some(value.trim_start())))
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            match value {
                Some(value) => write!(f, ";{name}={value}")?,
                None => write!(f, ";{name}")?,
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
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Reads `host[:port]`, with IPv6 in brackets.
pub fn host_port(text: &str) -> Result<(Host, Option<u16>), Malformed> {
    const BAD: Malformed = Malformed("a host is malformed");
    let text = text.trim();
    let (host, port) = match text.strip_prefix('[') {
        Some(inner) => {
            let (ip, rest) = inner.split_once(']').ok_or(BAD)?;
            (Host::Ip(IpAddr::V6(ip.parse::<Ipv6Addr>().map_err(|_| BAD)?)), rest.trim_start())
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            let name = name.trim_end();
            let host = match name.parse::<IpAddr>() {
                Ok(ip) => Host::Ip(ip),
                Err(_) if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) => {
                    Host::Name(name.to_ascii_lowercase())
                }
                Err(_) => return Err(BAD),
            };
            (host, rest)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(port) => Some(port.trim().parse().map_err(|_| BAD)?),
        None if port.is_empty() => None,
        None => return Err(BAD),
    };
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

impl FromStr for Uri {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const BAD: Malformed = Malformed("a URI is malformed");
        if text.is_empty() || text.contains(char::is_whitespace) || text.contains(['<', '>', '"']) {
            return Err(BAD);
        }
        let (scheme, rest) = text.split_once(':').ok_or(BAD)?;
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        {
            return Err(BAD);
        }
        let is = |name| scheme.eq_ignore_ascii_case(name);
        if is("tel") {
            let (number, params) = rest.split_once(';').map_or((rest, None), |(n, p)| (n, Some(p)));
            let params = params.map(Params::parse).transpose()?.unwrap_or_default();
            return Ok(Self::Tel { number: number.to_owned(), params });
        }
        let secure = is("sips");
        if !secure && !is("sip") {
            return Ok(Self::Other { scheme: scheme.to_ascii_lowercase(), rest: rest.to_owned() });
        }
        // A user part may hold ; ? and : but no bare @.
        let (user, rest) = rest.split_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        if user == Some("") {
            return Err(BAD);
        }
        let (rest, headers) = rest.split_once('?').map_or((rest, None), |(rest, headers)| (rest, Some(headers)));
        let (host, params) = rest.split_once(';').map_or((rest, None), |(host, params)| (host, Some(params)));
        let (host, port) = host_port(host)?;
        let params = params.map(Params::parse).transpose()?.unwrap_or_default();
        Ok(Self::Sip(SipUri { secure, user: user.map(str::to_owned), host, port, params, headers: headers.map(str::to_owned) }))
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => {
                f.write_str(if uri.secure { "sips:" } else { "sip:" })?;
                if let Some(user) = &uri.user {
                    write!(f, "{user}@")?;
                }
                uri.host.fmt(f)?;
                if let Some(port) = uri.port {
                    write!(f, ":{port}")?;
                }
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

    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", Some(tag.to_owned()));
        self
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
    let text = text.trim();
    let (display, rest) = if text.starts_with('"') {
        let (display, rest) = scan::quoted(text)?;
        (Some(Cow::Owned(display)), rest.trim_start().strip_prefix('<').ok_or(BAD)?)
    } else if let Some((display, rest)) = text.split_once('<') {
        let display = display.trim();
        // Tokens by the letter; other signs are let through, but for those that would make the reading doubtful.
        if display.contains([',', ';', ':', '"', '>']) {
            return Err(BAD);
        }
        ((!display.is_empty()).then_some(Cow::Borrowed(display)), rest)
    } else {
        // Without brackets, parameters are the header's and neither ? nor , may stand in the URI (RFC 3261 §20).
        let (uri, params) = text.split_once(';').map_or((text, None), |(uri, params)| (uri, Some(params)));
        if uri.contains(['?', ',']) {
            return Err(BAD);
        }
        return Ok(Cut { display: None, uri: uri.trim_end(), params });
    };
    let (uri, rest) = rest.split_once('>').ok_or(BAD)?;
    let rest = rest.trim();
    let params = rest.strip_prefix(';');
    if params.is_none() && !rest.is_empty() {
        return Err(BAD);
    }
    Ok(Cut { display, uri, params })
}

/// The tag of an address, of which nothing else is read.
pub(super) fn tag_of(address: &str) -> Option<&str> {
    let params = scan::split(cut(address).ok()?.params?, b';').ok()?;
    params.into_iter().map(param).find(|(name, _)| name.eq_ignore_ascii_case("tag"))?.1
}

impl FromStr for NameAddr {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let Cut { display, uri, params } = cut(text)?;
        let params = params.map(Params::parse).transpose()?.unwrap_or_default();
        Ok(Self { display: display.map(Cow::into_owned), uri: uri.parse()?, params })
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "\"{}\" ", display.replace('\\', "\\\\").replace('"', "\\\""))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
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
        self.params.get("branch").filter(|b| b.len() > 7 && b.get(..7).is_some_and(|c| c.eq_ignore_ascii_case("z9hG4bK")))
    }

    pub fn sent_by(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }
}

impl FromStr for Via {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const BAD: Malformed = Malformed("a Via is malformed");
        let (hop, params) = text.split_once(';').map_or((text, None), |(hop, params)| (hop, Some(params)));
        let mut parts = hop.splitn(3, '/').map(str::trim);
        let (name, version, rest) = (parts.next().ok_or(BAD)?, parts.next().ok_or(BAD)?, parts.next().ok_or(BAD)?);
        let (transport, sent_by) = rest.split_once(char::is_whitespace).ok_or(BAD)?;
        if !name.eq_ignore_ascii_case("SIP") || version != "2.0" || !scan::is_token(transport) {
            return Err(BAD);
        }
        let (host, port) = host_port(sent_by)?;
        let params = params.map(Params::parse).transpose()?.unwrap_or_default();
        Ok(Self { transport: transport.to_ascii_uppercase().into(), host, port, params })
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}{}", self.transport, self.sent_by(), self.params)
    }
}
