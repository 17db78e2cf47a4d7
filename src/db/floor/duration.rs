//! Durations as people write them: `"20s"`, `"5m"`, `"1h"`, `"500ms"`, and `"off"` where there may be none.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Longest first; the text uses the longest unit that divides the duration.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

pub(super) fn text(millis: u64) -> String {
    let (unit, size) = UNITS.into_iter().find(|(_, size)| millis.is_multiple_of(*size)).unwrap_or(("ms", 1));
    format!("{}{unit}", millis / size)
}

/// Milliseconds, at least one.
fn millis(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(digits)?;
    let (_, size) = UNITS.into_iter().find(|(name, _)| *name == unit.trim())?;
    let millis = count.parse::<u64>().ok()?.checked_mul(size)?;
    // Whatever is longer than a year is a slip of the finger.
    (1..=365 * 24 * 3_600_000).contains(&millis).then_some(millis)
}

fn refusal<E: Error>(given: &str, others: &str) -> E {
    E::custom(format!("{given:?} is not a duration; expected one such as \"20s\", \"5m\" or \"500ms\"{others}"))
}

pub(super) mod required {
    use super::*;

    pub fn serialize<S: Serializer>(value: &u64, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&text(*value))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
        let given = String::deserialize(d)?;
        millis(&given).ok_or_else(|| refusal(&given, ""))
    }
}

pub(super) mod or_off {
    use super::*;

    pub fn serialize<S: Serializer>(value: &Option<u64>, s: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => s.serialize_str(&text(*value)),
            None => s.serialize_str("off"),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u64>, D::Error> {
        match String::deserialize(d)?.as_str() {
            "off" => Ok(None),
            given => millis(given).map(Some).ok_or_else(|| refusal(given, ", or \"off\"")),
        }
    }
}

pub(super) mod wrap_up {
    use super::*;
    use cordboard_core::setup::WrapUp;

    pub fn serialize<S: Serializer>(value: &WrapUp, s: S) -> Result<S::Ok, S::Error> {
        match value {
            WrapUp::Off | WrapUp::Millis(0) => s.serialize_str("off"),
            WrapUp::Manual => s.serialize_str("manual"),
            WrapUp::Millis(value) => s.serialize_str(&text(*value)),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<WrapUp, D::Error> {
        match String::deserialize(d)?.as_str() {
            "off" => Ok(WrapUp::Off),
            "manual" => Ok(WrapUp::Manual),
            given => millis(given).map(WrapUp::Millis).ok_or_else(|| refusal(given, ", \"off\", or \"manual\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_back_as_it_was_written() {
        for (written, value) in [("20s", 20_000), ("90s", 90_000), ("5m", 300_000), ("2h", 7_200_000), ("1500ms", 1_500)] {
            assert_eq!((millis(written), text(value).as_str()), (Some(value), written));
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for wrong in ["", "20", "s", "-5s", "0s", "5 parsecs", "1.5s", "99999999999999999999s", "9000000h", "５s"] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }
}
