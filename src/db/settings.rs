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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mask_numbers: true,
            break_reasons: ["Meeting", "Training", "Lunch"].map(str::to_owned).to_vec(),
            outbound: OutboundRules::default(),
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
