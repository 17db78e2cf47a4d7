//! Text messages (A4): through an HTTP gateway, or into an outbox that the admin reads.

use crate::config::{Config, Method, Sms};
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web;
use cordboard_db::{Db, DbError};
use futures_util::future::LocalBoxFuture;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of a gateway's answer.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Of it in an error.
const SHOWN: usize = 200;
/// The digits of a number that are not its operator's.
const OWN: usize = 6;

/// A message to one number.
#[derive(Clone)]
pub struct Message {
    /// E.164 with its +.
    pub number: String,
    pub text: String,
    /// The code that stands in the text, for gateways that make the text themselves.
    pub code: String,
}

/// Why a message was not taken. Gateways' own words are for the log.
#[derive(Debug, Error)]
pub enum SmsError {
    #[error("the gateway cannot be reached: {0}")]
    Unreachable(String),
    #[error("the gateway's connection cannot be made safe: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the gateway answered {status}: {answer}")]
    Refused { status: u16, answer: String },
    #[error("the outbox: {0}")]
    Outbox(#[from] DbError),
    #[error("the switch is stopping")]
    Stopping,
}

/// A way for text messages. When the future ends well, the message was taken.
pub trait Provider: Send + Sync {
    fn send(&self, message: Message) -> LocalBoxFuture<'_, Result<(), SmsError>>;
}

/// The configured gateway, else the outbox.
pub fn provider(config: &Config, db: &Db) -> Box<dyn Provider> {
    match Gateway::new(&config.sms) {
        Some(gateway) => Box::new(gateway),
        None => Box::new(Outbox(db.clone())),
    }
}

struct Outbox(Db);

impl Provider for Outbox {
    fn send(&self, message: Message) -> LocalBoxFuture<'_, Result<(), SmsError>> {
        let db = self.0.clone();
        Box::pin(async move {
            let keep = move || db.add_to_outbox(&message.number, &message.text, chrono::Utc::now().timestamp_millis());
            Ok(web::block(keep).await.map_err(|_| SmsError::Stopping)??)
        })
    }
}

struct Gateway {
    url: String,
    method: Method,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: String,
    accepted: Option<String>,
}

impl Gateway {
    fn new(sms: &Sms) -> Option<Self> {
        let Sms { url, method, headers, body, accepted, text: _ } = sms.clone();
        Some(Self { url: url?, method, headers, body, accepted })
    }

    async fn ask(&self, message: &Message) -> Result<(), SmsError> {
        let unreachable = |error: &dyn std::fmt::Display| SmsError::Unreachable(error.to_string());
        // Made for each message: its connections live on the thread that made it, and messages are rare.
        let connector = awc::Connector::new().timeout(PATIENCE).rustls_0_23(Arc::new(tls()?));
        let client = awc::Client::builder().connector(connector).timeout(PATIENCE).finish();
        let url = fill(&self.url, message, in_url);
        let mut request = match self.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url),
            Method::Put => client.put(url),
        };
        for (name, value) in &self.headers {
            request = request.insert_header((name.clone(), value.clone()));
        }
        let mut answer = request.send_body(fill(&self.body, message, self.escape())).await.map_err(|error| unreachable(&error))?;
        let body = answer.body().limit(LONGEST_ANSWER).await.map_err(|error| unreachable(&error))?;
        let body = String::from_utf8_lossy(&body);
        let status = answer.status();
        if status.is_success() && self.accepted.as_ref().is_none_or(|accepted| body.contains(accepted)) {
            return Ok(());
        }
        Err(SmsError::Refused { status: status.as_u16(), answer: said(&body, message) })
    }

    /// How a value stands in the body.
    fn escape(&self) -> fn(&str) -> String {
        let kind =
            self.headers.iter().find(|(name, _)| *name == CONTENT_TYPE).and_then(|(_, value)| value.to_str().ok()).unwrap_or_default();
        match kind {
            kind if kind.contains("json") => in_json,
            kind if kind.contains("x-www-form-urlencoded") => in_url,
            kind if kind.contains("xml") => in_xml,
            _ => str::to_owned,
        }
    }
}

/// What a gateway answered, for the log: many repeat what they were asked, and neither a number nor a code is anybody's there.
fn said(body: &str, Message { number, code, .. }: &Message) -> String {
    // Without the country's code and whatever comes before it.
    let own = number.get(number.len().saturating_sub(OWN)..).unwrap_or(number);
    let parts = [own, code].into_iter().filter(|part| !part.is_empty());
    parts.fold(body.to_owned(), |text, part| text.replace(part, "••••")).chars().take(SHOWN).collect()
}

impl Provider for Gateway {
    fn send(&self, message: Message) -> LocalBoxFuture<'_, Result<(), SmsError>> {
        Box::pin(async move { self.ask(&message).await })
    }
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Fills the places of a template in one pass, so that nothing filled in is taken for a place.
fn fill(template: &str, message: &Message, escape: fn(&str) -> String) -> String {
    let places = [
        ("{number}", message.number.as_str()),
        ("{digits}", message.number.trim_start_matches('+')),
        ("{text}", message.text.as_str()),
        ("{code}", message.code.as_str()),
    ];
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, from)) = rest.find('{').and_then(|at| rest.split_at_checked(at)) {
        filled.push_str(before);
        let place = places.iter().find_map(|(place, value)| from.strip_prefix(place).map(|after| (escape(value), after)));
        let (text, after) = place.unwrap_or_else(|| ("{".to_owned(), from.get(1..).unwrap_or_default()));
        filled.push_str(&text);
        rest = after;
    }
    filled + rest
}

/// Percent-encoded but for what is unreserved (RFC 3986 section 2.3).
fn in_url(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The inside of a JSON string.
fn in_json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

fn in_xml(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message { number: "+447700900162".into(), text: "{code} is \"it\" & <so> on".into(), code: "012345".into() }
    }

    #[test]
    fn values_are_escaped_for_where_they_stand() {
        let filled = |template, escape| fill(template, &message(), escape);
        assert_eq!(filled("https://x/{digits}?to={number}", in_url), "https://x/447700900162?to=%2B447700900162");
        assert_eq!(filled("text={text}", in_url), "text=%7Bcode%7D%20is%20%22it%22%20%26%20%3Cso%3E%20on");
        assert_eq!(filled("{\"a\": {\"text\": \"{text}\"}}", in_json), "{\"a\": {\"text\": \"{code} is \\\"it\\\" & <so> on\"}}");
        assert_eq!(filled("<t>{text}</t>", in_xml), "<t>{code} is &quot;it&quot; &amp; &lt;so&gt; on</t>");
        assert_eq!(filled("{code} {unknown} {", str::to_owned), "012345 {unknown} {");
    }

    /// A4.
    #[test]
    fn what_a_gateway_repeats_is_not_logged() {
        let answer = r#"{"error": 21211, "to": "+447700900162", "national": "07700900162", "text": "Your code is 012345."}"#;
        let shown = said(answer, &message());
        assert!(shown.contains("21211") && !shown.contains("900162") && !shown.contains("012345"), "{shown}");
        assert_eq!(said(&"é".repeat(300), &message()).chars().count(), 200);
    }

    #[test]
    fn the_body_is_escaped_for_its_content_type() {
        let of = |kind: &'static str| {
            let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(kind))];
            let sms = Sms { url: Some("http://x".into()), headers, ..Sms::default() };
            Gateway::new(&sms).unwrap().escape()("\"&")
        };
        assert_eq!(of("application/json; charset=utf-8"), "\\\"&");
        assert_eq!(of("application/x-www-form-urlencoded"), "%22%26");
        assert_eq!(of("text/xml"), "&quot;&amp;");
        assert_eq!(of("text/plain"), "\"&");
    }

    #[test]
    fn gateways_certificates_are_held_against_the_webs_roots() {
        assert!(tls().is_ok());
    }
}
