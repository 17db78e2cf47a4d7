//! The values that keys take, each with the words for what was expected.

use actix_web::http::header::{HeaderName, HeaderValue};
use serde::de::{Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

const ADDRESS: &str = "an address and port such as 127.0.0.1:8080 or [::1]:8080";
const IP: &str = "an IP address such as 192.0.2.10";

/// HTTPS of the pages (F7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    #[default]
    Off,
    /// A certificate of our own, made at the first start.
    SelfMade,
    Files {
        cert: PathBuf,
        key: PathBuf,
    },
}

impl<'de> Deserialize<'de> for Tls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Tls;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"off\", \"self-made\" or { cert = \"FILE.pem\", key = \"FILE.pem\" }")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Tls, E> {
                match text {
                    "off" => Ok(Tls::Off),
                    "self-made" => Ok(Tls::SelfMade),
                    other => Err(E::invalid_value(Unexpected::Str(other), &self)),
                }
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Tls, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Files {
                    cert: PathBuf,
                    key: PathBuf,
                }
                let Files { cert, key } = Files::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Tls::Files { cert, key })
            }
        }
        deserializer.deserialize_any(Words)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

/// Of a request to the SMS gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Get,
    Post,
    Put,
}

/// A text that `read` understands, or the error that says what was expected.
fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    read(&text).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &expected))
}

pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    text(deserializer, ADDRESS, |text| text.parse().ok())
}

pub(super) fn address_or_off<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    text(deserializer, "an address and port such as 127.0.0.1:5061, or \"off\"", |text| {
        if text == "off" { Some(None) } else { text.parse().ok().map(Some) }
    })
}

pub(super) fn trust<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    text(deserializer, "\"public\", or a PEM file of authorities such as /etc/cordboard/carriers.pem", |text| {
        (!text.is_empty()).then(|| (text != "public").then(|| text.into()))
    })
}

pub(super) fn realm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer, "a name such as calls.example.com: letters, digits, dots, hyphens and underscores", |text| {
        let fits = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
        fits.then(|| text.to_owned())
    })
}

pub(super) fn ip<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IpAddr, D::Error> {
    text(deserializer, IP, |text| text.parse().ok())
}

pub(super) fn optional_ip<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    ip(deserializer).map(Some)
}

/// A list, or a text of one or several with commas: what is comfortable in an environment variable.
struct ListOf<T>(&'static str, PhantomData<T>);

impl<'de, T: FromStr> Visitor<'de> for ListOf<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        let item = |item: &str| item.trim().parse().map_err(|_| E::invalid_value(Unexpected::Str(item), &self.0));
        text.split(',').map(item).collect()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<String>()? {
            list.push(item.parse().map_err(|_| A::Error::invalid_value(Unexpected::Str(&item), &self.0))?);
        }
        Ok(list)
    }
}

pub(super) fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    let list = deserializer.deserialize_any(ListOf(ADDRESS, PhantomData))?;
    if list.is_empty() {
        return Err(D::Error::invalid_value(Unexpected::Other("an empty list"), &"at least one address and port"));
    }
    Ok(list)
}

pub(super) fn ips<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpAddr>, D::Error> {
    deserializer.deserialize_any(ListOf(IP, PhantomData))
}

pub(super) fn ports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RangeInclusive<u16>, D::Error> {
    text(deserializer, "first and last port such as \"20000-29999\", at least two ports from 1024 up", |text| {
        let (first, last) = text.split_once('-')?;
        let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first >= 1024 && first < last).then_some(first..=last)
    })
}

pub(super) fn public_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(deserializer, "http:// or https:// with a host, without a path, such as https://calls.example.com", |text| {
        let text = text.trim_end_matches('/');
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let fits = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
        fits.then(|| Some(text.to_ascii_lowercase()))
    })
}

pub(super) fn database_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(deserializer, "sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE", |text| {
        let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
        known.then(|| Some(text.to_owned()))
    })
}

pub(super) fn smtp_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(deserializer, "smtp://HOST:PORT, smtp://USER:PASSWORD@HOST?tls=required or smtps://USER:PASSWORD@HOST", |text| {
        let known = ["smtp://", "smtps://"].iter().any(|scheme| text.starts_with(scheme));
        let sound = lettre::AsyncSmtpTransport::<lettre::Tokio1Executor>::from_url(text).is_ok();
        (known && sound).then(|| Some(text.to_owned()))
    })
}

pub(super) fn mailbox<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<lettre::message::Mailbox>, D::Error> {
    text(deserializer, "a sender such as \"Cordboard <cordboard@example.com>\"", |text| text.parse().ok().map(Some))
}

pub(super) fn gateway_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(deserializer, "http:// or https:// with a host, such as https://sms.example.com/send", |text| {
        let known = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
        // What stands in braces is filled in later.
        let filled: actix_web::http::Uri = text.replace(['{', '}'], "").parse().ok()?;
        (known && filled.host().is_some_and(|host| !host.is_empty())).then(|| Some(text.to_owned()))
    })
}

/// A table of header names and values; the values may be secrets and are never shown.
pub(super) fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(HeaderName, HeaderValue)>, D::Error> {
    let table: BTreeMap<String, String> = BTreeMap::deserialize(deserializer)?;
    let read = |(name, value): (String, String)| {
        let known = HeaderName::from_str(&name)
            .map_err(|_| D::Error::invalid_value(Unexpected::Str(&name), &"the name of a header such as Authorization"))?;
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| D::Error::invalid_value(Unexpected::Other(&name), &"a header's value: one line of plain characters"))?;
        value.set_sensitive(true);
        Ok((known, value))
    };
    table.into_iter().map(read).collect()
}

pub(super) fn message<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer, "a message with {code} in it", |text| text.contains("{code}").then(|| text.to_owned()))
}

pub(super) fn log_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer, "error, warn, info, debug, trace, or directives such as info,cordboard::api=debug", |text| {
        tracing_subscriber::EnvFilter::builder().parse(text).is_ok().then(|| text.to_owned())
    })
}

pub(super) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        0 => Err(D::Error::invalid_value(Unexpected::Unsigned(0), &"a whole number from 1 up")),
        number => Ok(number),
    }
}

/// A URL as an error may show it: what stands between scheme and `@` is left out.
pub(super) fn without_password(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            let (Some(head), Some(tail)) = (text.get(..scheme + 3), text.get(at..)) else { return "…".to_owned() };
            format!("{head}…{tail}")
        }
        (Some(_) | None, Some(_) | None) => text.to_owned(),
    }
}
