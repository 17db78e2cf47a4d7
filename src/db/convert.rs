//! Between the columns' types and ours.

use crate::error::DbError;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

/// A column's place, for the error of a value that does not fit it.
#[derive(Clone, Copy)]
pub(crate) struct Column(pub &'static str, pub &'static str);

impl Column {
    pub(crate) fn corrupt(self, value: impl ToString) -> DbError {
        DbError::Corrupt { table: self.0, column: self.1, value: value.to_string() }
    }

    /// A plain enum by its serde name.
    pub(crate) fn named<T: DeserializeOwned>(self, text: &str) -> Result<T, DbError> {
        let deserializer: StrDeserializer<'_, Error> = text.into_deserializer();
        T::deserialize(deserializer).map_err(|_| self.corrupt(text))
    }

    /// What was written as JSON.
    pub(crate) fn json<T: DeserializeOwned>(self, text: &str) -> Result<T, DbError> {
        serde_json::from_str(text).map_err(|_| self.corrupt(text))
    }

    pub(crate) fn parsed<T: std::str::FromStr>(self, text: &str) -> Result<T, DbError> {
        text.parse().map_err(|_| self.corrupt(text))
    }

    pub(crate) fn number<T: TryFrom<i64>>(self, value: impl Into<i64>) -> Result<T, DbError> {
        let value = value.into();
        T::try_from(value).map_err(|_| self.corrupt(value))
    }
}

/// A plain enum's serde name.
pub(crate) fn name_of<T: serde::Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Durations and counts beyond the column's range are as good as its greatest value.
pub(crate) fn big(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn int(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
