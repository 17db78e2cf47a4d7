//! What holds for the whole floor.

use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::settings;
use cordboard_core::setup::OutboundRules;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

/// The floor's settings; stored as one JSON value a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Agents see customers' numbers with their middle hidden.
    pub mask_numbers: bool,
    /// What an agent on break may choose from (B), in the order shown.
    pub break_reasons: Vec<String>,
    /// What may be called (E6).
    pub outbound: OutboundRules,
    /// An agent who answers on a mobile must press 1, so that a mailbox takes no call (C7).
    pub mobile_press_one: bool,
    /// The CRM beside the call (F3).
    pub crm: Option<Crm>,
    /// Recordings are deleted after so many days (G4); none: never.
    pub keep_recordings: Option<u32>,
}

/// A CRM whose pages show the customer of a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crm {
    /// `https://crm.example/call?from={caller}`: the places of [`Crm::PLACES`] are filled by the workstation, percent-encoded.
    pub url: String,
}

impl Crm {
    pub const PLACES: [&str; 5] = ["caller", "called", "call_id", "agent", "group"];

    /// The only origin that the workstation lets into its frame and talks to; an error says what is wrong with the address.
    pub fn origin(&self) -> Result<&str, String> {
        let secure = self.url.strip_prefix("https://");
        let rest = secure.or_else(|| self.url.strip_prefix("http://")).ok_or("expected an address that begins with https:// or http://")?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c)) {
            return Err("expected a host name after the //, in plain letters and without places to fill".to_owned());
        }
        if self.url.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("an address has no spaces".to_owned());
        }
        for part in self.url.split('{').skip(1) {
            let place = part.split_once('}').map(|(place, _)| place);
            if !place.is_some_and(|place| Self::PLACES.contains(&place)) {
                return Err(format!("the places to fill are {{{}}}", Self::PLACES.join("}, {")));
            }
        }
        let end = self.url.len() - rest.len() + host.len();
        self.url.get(..end).ok_or_else(|| "expected an address".to_owned())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mask_numbers: true,
            break_reasons: ["Meeting", "Training", "Lunch"].map(str::to_owned).to_vec(),
            outbound: OutboundRules::default(),
            mobile_press_one: true,
            crm: None,
            keep_recordings: None,
        }
    }
}

impl Db {
    /// The settings; defaults for what was never set.
    pub fn settings(&self) -> Result<Settings, DbError> {
        self.run(load)
    }

    pub fn set_settings(&self, settings: &Settings) -> Result<(), DbError> {
        self.transaction(|c| save(c, settings))
    }
}

pub(crate) fn load(c: &mut AnyConnection) -> Result<Settings, DbError> {
    let rows: Vec<(String, String)> = settings::table.order(settings::key).load(c)?;
    let mut stored = serde_json::Map::new();
    for (key, text) in rows {
        let value = serde_json::from_str(&text).map_err(|_| corrupt(&text))?;
        stored.insert(key, value);
    }
    let stored = serde_json::Value::Object(stored);
    serde_json::from_value(stored.clone()).map_err(|_| corrupt(&stored.to_string()))
}

fn corrupt(value: &str) -> DbError {
    DbError::Corrupt { table: "settings", column: "value", value: value.to_owned() }
}

pub(crate) fn save(c: &mut AnyConnection, settings: &Settings) -> Result<(), DbError> {
    let values = match serde_json::to_value(settings) {
        Ok(serde_json::Value::Object(values)) => values,
        Ok(other) => return Err(corrupt(&other.to_string())),
        Err(error) => return Err(corrupt(&error.to_string())),
    };
    for (key, value) in values {
        let value = value.to_string();
        if diesel::update(settings::table.find(&key)).set(settings::value.eq(&value)).execute(c)? == 0 {
            diesel::insert_into(settings::table).values((settings::key.eq(&key), settings::value.eq(&value))).execute(c)?;
        }
    }
    Ok(())
}
