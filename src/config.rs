//! The configuration: a TOML file, overridden key by key by environment variables `CORDBOARD_<SECTION>__<KEY>`, parsed once into types (I4, I7).
//!
//! Without either, everything listens on loopback only.

mod values;

pub use values::{LogFormat, Method, Tls};

use actix_web::http::header::{HeaderName, HeaderValue};
use figment::error::{Actual, Kind, OneOf};
use figment::providers::{Env, Format, Toml};
use figment::{Figment, Source};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What an operator decides of one switch.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Database, recordings and spools; from `--data`, never from the file.
    #[serde(skip)]
    pub data: PathBuf,
    pub web: Web,
    pub sip: Sip,
    pub media: Media,
    pub database: Database,
    pub mail: Mail,
    pub sms: Sms,
    pub log: Log,
    pub limits: Limits,
}

/// The pages, the API and the workstations' socket.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    #[serde(deserialize_with = "values::addresses")]
    pub listen: Vec<SocketAddr>,
    /// What people type, when it is not what `listen` says (behind a proxy): scheme and host, no path.
    #[serde(deserialize_with = "values::public_url")]
    pub public_url: Option<String>,
    pub tls: Tls,
}

impl Default for Web {
    fn default() -> Self {
        Self { listen: vec![loopback(8080)], public_url: None, tls: Tls::Off }
    }
}

impl Web {
    /// Whether browsers reach the pages over HTTPS, ours or a proxy's.
    pub fn is_secure(&self) -> bool {
        self.tls != Tls::Off || self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Where a person opens the page: the public address, else the first that is listened on.
    pub fn url(&self) -> String {
        let scheme = if self.tls == Tls::Off { "http" } else { "https" };
        let own = self.listen.first().map_or_else(|| "localhost".to_owned(), ToString::to_string);
        self.public_url.clone().unwrap_or_else(|| format!("{scheme}://{own}"))
    }
}

/// The carriers' and phones' side.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sip {
    #[serde(deserialize_with = "values::address")]
    pub udp: SocketAddr,
    #[serde(deserialize_with = "values::address")]
    pub tcp: SocketAddr,
    /// SIP over TLS, with the certificate of the pages or, where those have none, one of our own; none = off (I5).
    #[serde(deserialize_with = "values::address_or_off")]
    pub tls: Option<SocketAddr>,
    /// PEM file of the authorities that we believe when we connect to a TLS host; none = those of the public web.
    #[serde(deserialize_with = "values::trust")]
    pub tls_trust: Option<PathBuf>,
    /// What phones' passwords are for (RFC 7616 §3.3): with another realm they must be applied anew.
    #[serde(deserialize_with = "values::realm")]
    pub realm: String,
    /// The address that carriers reach, told in Via, Contact and SDP; none = the one listened on.
    #[serde(deserialize_with = "values::optional_ip")]
    pub advertise: Option<IpAddr>,
}

impl Default for Sip {
    fn default() -> Self {
        Self {
            udp: loopback(5060),
            tcp: loopback(5060),
            tls: Some(loopback(5061)),
            tls_trust: None,
            realm: "cordboard".to_owned(),
            advertise: None,
        }
    }
}

/// Voice.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// Carriers send RTP to this address…
    #[serde(deserialize_with = "values::ip")]
    pub rtp_ip: IpAddr,
    /// …and these ports: an even one for RTP and the next for RTCP; calls share them as far as they can be told apart.
    #[serde(deserialize_with = "values::ports")]
    pub rtp_ports: RangeInclusive<u16>,
    /// All browsers' voice, on UDP.
    #[serde(deserialize_with = "values::address")]
    pub browser: SocketAddr,
    /// The addresses that browsers are told; empty = the one of `browser`.
    #[serde(deserialize_with = "values::ips")]
    pub advertise: Vec<IpAddr>,
}

impl Default for Media {
    fn default() -> Self {
        Self { rtp_ip: Ipv4Addr::LOCALHOST.into(), rtp_ports: 20_000..=29_999, browser: loopback(8443), advertise: Vec::new() }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`; none = SQLite in the data folder.
    #[serde(deserialize_with = "values::database_url")]
    pub url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// `smtp://host:25`, `smtps://user:password@host`; none = no mail, so agents are made with `cordboard admin`.
    #[serde(deserialize_with = "values::smtp_url")]
    pub smtp_url: Option<String>,
    #[serde(deserialize_with = "values::mailbox")]
    pub from: Option<lettre::message::Mailbox>,
}

/// Codes by text message (A4). Without a gateway messages stay in an outbox that the admin reads.
///
/// In `url` and `body` stand `{number}` (E.164 with its +), `{digits}` (without), `{text}` (the message) and `{code}`: each is escaped
/// for its place, in the URL as a component, in the body for the `content-type` among the headers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sms {
    #[serde(deserialize_with = "values::gateway_url")]
    pub url: Option<String>,
    pub method: Method,
    #[serde(deserialize_with = "values::headers")]
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: String,
    /// What a gateway's answer holds when it took the message, for those that answer 200 to everything; none = the status tells.
    pub accepted: Option<String>,
    /// The message, with `{code}`.
    #[serde(deserialize_with = "values::message")]
    pub text: String,
}

impl Default for Sms {
    fn default() -> Self {
        Self {
            url: None,
            method: Method::Post,
            headers: Vec::new(),
            body: String::new(),
            accepted: None,
            text: "Your Cordboard code is {code}. It is good for 5 minutes. Tell it to nobody.".to_owned(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A level, or directives such as `info,cordboard::api=debug`.
    #[serde(deserialize_with = "values::log_level")]
    pub level: String,
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Attempts to log in that one network address may make in a minute (A6): generous, since a whole centre may share one address.
    #[serde(deserialize_with = "values::positive")]
    pub logins_per_minute: u32,
    /// SMS codes that one network address may ask for in an hour (A4).
    #[serde(deserialize_with = "values::positive")]
    pub sms_codes_per_hour: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { logins_per_minute: 300, sms_codes_per_hour: 120 }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)
}

/// Why a configuration is refused: which key, its value, what was expected.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{place}: {key}{}: expected {expected}", value.as_ref().map(|value| format!(" = {value}")).unwrap_or_default())]
pub struct ConfigError {
    /// The file, or the environment.
    pub place: String,
    /// `section.key`.
    pub key: String,
    /// As it was given; passwords in URLs left out.
    pub value: Option<String>,
    pub expected: String,
}

impl Config {
    /// Reads the file, if one is named, and the environment.
    pub fn load(file: Option<&Path>, data: &Path) -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            std::fs::metadata(file).map_err(|error| ConfigError {
                place: file.display().to_string(),
                key: "--config".to_owned(),
                value: None,
                expected: format!("a TOML file that can be read ({error})"),
            })?;
            figment = figment.merge(Toml::file_exact(file));
        }
        // Other variables of ours (the tests', `CORDBOARD_CONFIG`) name no section.
        let environment = Env::prefixed("CORDBOARD_").filter(|key| key.as_str().contains("__")).split("__");
        let mut config: Self = figment.merge(environment).extract().map_err(|error| explain(&error))?;
        config.data = data.to_owned();
        config.check(file)?;
        Ok(config)
    }

    /// What no single key can tell.
    fn check(&self, file: Option<&Path>) -> Result<(), ConfigError> {
        let refuse = |key: &str, value: String, expected: &str| {
            let place = file.map_or_else(|| "environment".to_owned(), |file| file.display().to_string());
            Err(ConfigError { place, key: key.to_owned(), value: Some(value), expected: expected.to_owned() })
        };
        if let Some(open) = self.web.listen.iter().find(|address| !address.ip().is_loopback())
            && !self.web.is_secure()
        {
            let expected = "web.tls = \"self-made\" or { cert, key }, or a web.public_url of https:// for a proxy's: browsers give no \
                            microphone to pages over plain http except on localhost";
            return refuse("web.listen", open.to_string(), expected);
        }
        if self.sip.advertise.is_none() && self.sip.udp.ip().is_unspecified() {
            return refuse(
                "sip.udp",
                self.sip.udp.to_string(),
                "one address of this machine, or sip.advertise with the one carriers reach",
            );
        }
        if let Some(path) = &self.sip.tls_trust
            && let Err(error) = std::fs::File::open(path)
        {
            return refuse("sip.tls_trust", path.display().to_string(), &format!("a PEM file that can be read ({error})"));
        }
        if self.sip.advertise.is_none() && self.media.rtp_ip.is_unspecified() {
            let expected = "one address of this machine, or sip.advertise with the one carriers reach";
            return refuse("media.rtp_ip", self.media.rtp_ip.to_string(), expected);
        }
        if self.media.advertise.is_empty() && self.media.browser.ip().is_unspecified() {
            let expected = "one address of this machine, or media.advertise with those that browsers reach";
            return refuse("media.browser", self.media.browser.to_string(), expected);
        }
        if self.mail.smtp_url.is_some() && self.mail.from.is_none() {
            let expected = "also mail.from, the sender's address such as \"Cordboard <cordboard@example.com>\"";
            return refuse("mail.smtp_url", "…".to_owned(), expected);
        }
        if self.sms.url.is_none() && !(self.sms.body.is_empty() && self.sms.headers.is_empty()) {
            return refuse("sms.body", "…".to_owned(), "also sms.url, the gateway's address");
        }
        if let Some(url) = &self.sms.url {
            let names = |parts: [&str; 2]| parts.iter().any(|part| url.contains(part) || self.sms.body.contains(part));
            if !names(["{number}", "{digits}"]) || !names(["{text}", "{code}"]) {
                let expected = "{number} or {digits}, and {text} or {code}, in it or in sms.url: whom to send what";
                return refuse("sms.body", format!("{:?}", self.sms.body), expected);
            }
        }
        if let Tls::Files { cert, key } = &self.web.tls {
            for (name, path) in [("web.tls.cert", cert), ("web.tls.key", key)] {
                if let Err(error) = std::fs::File::open(path) {
                    return refuse(name, path.display().to_string(), &format!("a PEM file that can be read ({error})"));
                }
            }
        }
        Ok(())
    }

    /// The database's URL: the configured one, or SQLite in the data folder.
    pub fn database_url(&self) -> String {
        self.database.url.clone().unwrap_or_else(|| format!("sqlite:{}", self.data.join("cordboard.sqlite").display()))
    }
}

fn explain(error: &figment::Error) -> ConfigError {
    let from_file = match error.metadata.as_ref().and_then(|metadata| metadata.source.as_ref()) {
        Some(Source::File(path)) => Some(path.display().to_string()),
        Some(_) | None => None,
    };
    let found = |value: &Actual| match value {
        Actual::Str(text) => format!("{:?}", values::without_password(text)),
        other => other.to_string(),
    };
    let mut path = error.path.clone();
    let (value, expected) = match &error.kind {
        Kind::InvalidType(value, expected) | Kind::InvalidValue(value, expected) => (Some(found(value)), expectation(expected)),
        Kind::UnknownField(field, known) => {
            // Inside a section the path leads to the field itself.
            if path.last() != Some(field) {
                path.push(field.clone());
            }
            (None, one_of(known))
        }
        Kind::MissingField(field) => {
            path.push(field.to_string());
            (None, "a value".to_owned())
        }
        Kind::UnknownVariant(value, known) => (Some(format!("{value:?}")), one_of(known)),
        // What is not TOML at all: the parser's own words name the line.
        Kind::Message(message) => (None, message.trim_end().to_owned()),
        Kind::InvalidLength(_, _)
        | Kind::DuplicateField(_)
        | Kind::ISizeOutOfRange(_)
        | Kind::USizeOutOfRange(_)
        | Kind::Unsupported(_)
        | Kind::UnsupportedKey(_, _) => (None, error.kind.to_string()),
    };
    let variable = format!("CORDBOARD_{}", path.join("__").to_uppercase());
    let place = from_file.unwrap_or_else(|| if std::env::var_os(&variable).is_some() { variable } else { "configuration".to_owned() });
    ConfigError { place, key: if path.is_empty() { "TOML".to_owned() } else { path.join(".") }, value, expected }
}

fn one_of(known: &'static [&'static str]) -> String {
    let names = OneOf(known).to_string();
    if names.starts_with("one of ") { names } else { format!("one of {names}") }
}

/// serde's names of types, in an operator's words.
fn expectation(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "i32" | "i64" | "usize" => "a whole number".to_owned(),
        text if text.starts_with("struct ") => "a table of keys".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests;
