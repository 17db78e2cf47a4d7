//! The floor as a file (I6): agents, groups, trunks, numbers, phones, flows and settings in TOML. Names are keys, so the file reads alone.
//!
//! Whatever the file leaves out is removed, or set to its default. Only the blocklist stays when the file has none, since agents add to it,
//! and passwords stay as they are: they never stand in the file,
//! `password_env` names the environment variable that gives an account without a password its first one, and a phone the one it has
//! from then on.

mod apply;
mod change;
mod duration;
mod flow;
mod lists;
mod load;
mod member;
mod parse;
mod source;

pub use apply::{ApplyError, Passwords, apply, diff};
pub use change::{Change, ChangeKind, FieldChange, Subject};
pub use flow::Flow;
pub use lists::{Blocked, Disposition};
pub use load::export;
pub use member::Member;
pub use parse::parse;

use crate::agents::Role;
use crate::settings::Settings;
use cordboard_core::setup::{DigitMode, OutcomeRule, PhoneContact, Strategy, Transport, WrapUp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A whole floor. Durations in milliseconds; none = off.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Floor {
    pub settings: Settings,
    pub trunks: BTreeMap<String, Trunk>,
    pub phones: BTreeMap<String, Phone>,
    pub groups: BTreeMap<String, Group>,
    /// By e-mail address in lower case.
    pub agents: BTreeMap<String, Agent>,
    pub flows: BTreeMap<String, Flow>,
    /// In order of digits and trunk.
    pub numbers: Vec<Number>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dispositions: Vec<Disposition>,
    /// None: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist: Option<Vec<Blocked>>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    pub hosts: Vec<SocketAddr>,
    #[serde(default = "default::transport")]
    pub transport: Transport,
    pub max_channels: Option<u32>,
    pub max_calls_per_second: Option<u32>,
    #[serde(with = "duration::or_off", default = "default::options_every")]
    pub options_every: Option<u64>,
    pub max_outbound: Option<u32>,
    pub max_outbound_a_day: Option<u32>,
    #[serde(default)]
    pub digits: DigitMode,
    /// In this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<OutcomeRule>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phone {
    pub user: String,
    /// Where it always is…
    pub addr: Option<SocketAddr>,
    pub transport: Option<Transport>,
    /// …or it registers, with this password.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub register: bool,
    pub password_env: Option<String>,
    /// It knows no SHA-256.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub md5: bool,
    /// Where `password_env` stands in the file, from 1.
    #[serde(skip)]
    pub(crate) password_line: usize,
}

impl Phone {
    pub(crate) fn contact(&self) -> PhoneContact {
        match self.addr {
            Some(addr) => PhoneContact::Fixed { addr, transport: self.transport.unwrap_or_else(default::transport) },
            None => PhoneContact::Registered,
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    #[serde(default = "default::strategy")]
    pub strategy: Strategy,
    #[serde(with = "duration::required", default = "default::ring")]
    pub ring: u64,
    #[serde(with = "duration::wrap_up", default = "default::wrap_up")]
    pub wrap_up: WrapUp,
    #[serde(default)]
    pub automatic_answer: bool,
    #[serde(default = "default::misses")]
    pub misses: u32,
    #[serde(with = "duration::or_off", default)]
    pub last_agent_wait: Option<u64>,
    #[serde(with = "duration::or_off", default)]
    pub max_wait: Option<u64>,
    #[serde(default, skip_serializing_if = "WayOut::is_plain")]
    pub on_max_wait: WayOut,
    pub max_queue: Option<u32>,
    #[serde(default, skip_serializing_if = "WayOut::is_plain")]
    pub on_max_queue: WayOut,
    #[serde(default, skip_serializing_if = "WayOut::is_plain")]
    pub on_no_agent: WayOut,
    pub welcome: Option<String>,
    #[serde(default = "default::music")]
    pub music: String,
    #[serde(with = "duration::or_off", default)]
    pub announce_position: Option<u64>,
    pub announcement: Option<String>,
    #[serde(with = "duration::required", default = "default::announce_every")]
    pub announce_every: u64,
    #[serde(default = "default::record")]
    pub record: bool,
}

/// `{}` hangs up, `{ prompt = "…" }` plays it first, `{ group = "…" }` goes there.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WayOut {
    pub prompt: Option<String>,
    pub group: Option<String>,
}

impl WayOut {
    fn is_plain(&self) -> bool {
        self.prompt.is_none() && self.group.is_none()
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The agent id that people use.
    pub number: String,
    pub name: String,
    pub nickname: Option<String>,
    #[serde(default)]
    pub role: Role,
    /// In order of names.
    #[serde(default)]
    pub groups: Vec<Member>,
    /// Overrides the groups'.
    pub automatic_answer: Option<bool>,
    /// The SIP phone that rings instead of the browser.
    pub phone: Option<String>,
    pub password_env: Option<String>,
    /// Where `password_env` stands in the file, from 1.
    #[serde(skip)]
    pub(crate) password_line: usize,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    pub did: String,
    pub trunk: Option<String>,
    pub group: String,
    #[serde(default)]
    pub early_media: bool,
}

impl Number {
    /// What tells it from other numbers.
    pub fn title(&self) -> String {
        match &self.trunk {
            Some(trunk) => format!("{} on {trunk}", self.did),
            None => self.did.clone(),
        }
    }
}

/// One mistake in a floor file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {key}: {message}")]
pub struct FloorError {
    /// From 1.
    pub line: usize,
    /// The way to it, such as `groups.Orders.ring`.
    pub key: String,
    pub message: String,
}

mod default {
    use super::{Strategy, Transport, WrapUp};

    pub fn transport() -> Transport {
        Transport::Udp
    }

    pub fn options_every() -> Option<u64> {
        Some(30_000)
    }

    pub fn strategy() -> Strategy {
        Strategy::LongestIdle
    }

    /// C5.
    pub fn ring() -> u64 {
        20_000
    }

    pub fn wrap_up() -> WrapUp {
        WrapUp::Millis(20_000)
    }

    /// B4.
    pub fn misses() -> u32 {
        3
    }

    pub fn music() -> String {
        "music".to_owned()
    }

    /// C2.
    pub fn announce_every() -> u64 {
        30_000
    }

    /// G4.
    pub fn record() -> bool {
        true
    }
}
