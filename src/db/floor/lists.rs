//! The floor file's lists: barred callers (H6) and dispositions (H7).

use super::{Change, ChangeKind, Floor, Subject};
use crate::blocklist::{self, BlockForm};
use crate::dispositions;
use crate::error::DbError;
use crate::pool::AnyConnection;
use chrono::{DateTime, SecondsFormat};
use cordboard_core::blocklist::Barred;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};
use toml::value::Datetime;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocked {
    /// A telephone number, or the beginning of some.
    pub number: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prefix: bool,
    /// None: it stays for good.
    pub expires: Option<Datetime>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// In the order in which agents see them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disposition {
    pub name: String,
    #[serde(default = "enabled")]
    pub enabled: bool,
}

/// Agents may choose it unless the file says otherwise.
fn enabled() -> bool {
    true
}

impl Blocked {
    /// What tells it from other entries.
    pub fn title(&self) -> String {
        format!("{}{}", self.number, if self.prefix { "*" } else { "" })
    }

    /// When it ends, in milliseconds since 1970 UTC; an error when the file does not say which moment that is.
    pub(super) fn until(&self) -> Result<Option<i64>, chrono::ParseError> {
        let moment = |expires: &Datetime| DateTime::parse_from_rfc3339(&expires.to_string()).map(|at| at.timestamp_millis());
        self.expires.as_ref().map(moment).transpose()
    }

    fn barred(&self) -> Barred {
        // A parsed file's moments are moments.
        Barred { number: self.number.clone(), prefix: self.prefix, until: self.until().ok().flatten() }
    }

    fn holds(&self, now: i64) -> bool {
        self.barred().until.is_none_or(|until| until > now)
    }
}

pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The entries that hold now; what is over is no difference.
pub(super) fn held(entries: &[Blocked]) -> impl Iterator<Item = &Blocked> {
    let now = now();
    entries.iter().filter(move |entry| entry.holds(now))
}

/// A moment in the one way in which it is compared.
pub(super) fn moment(millis: i64) -> Option<Datetime> {
    DateTime::from_timestamp_millis(millis)?.to_rfc3339_opts(SecondsFormat::AutoSi, true).parse().ok()
}

pub(super) fn load_blocklist(c: &mut AnyConnection) -> Result<Vec<Blocked>, DbError> {
    let entry = |(barred, note): (Barred, String)| {
        let Barred { number, prefix, until } = barred;
        Blocked { number, prefix, expires: until.and_then(moment), note }
    };
    Ok(blocklist::all(c, now())?.into_iter().map(entry).collect())
}

pub(super) fn load_dispositions(c: &mut AnyConnection) -> Result<Vec<Disposition>, DbError> {
    let all = dispositions::all(c)?.into_iter();
    Ok(all.map(|known| Disposition { name: known.name, enabled: known.enabled }).collect())
}

/// Who goes is removed first: the same number may come back in another way of writing it.
pub(super) fn write(c: &mut AnyConnection, now: &Floor, floor: &Floor, changes: &[Change]) -> Result<(), DbError> {
    let names = |subject, kind: fn(ChangeKind) -> bool| -> HashSet<&str> {
        let these = changes.iter().filter(|change| change.subject == subject && kind(change.kind));
        these.map(|change| change.name.as_str()).collect()
    };
    let removed: fn(ChangeKind) -> bool = |kind| kind == ChangeKind::Removed;
    let written: fn(ChangeKind) -> bool = |kind| kind != ChangeKind::Removed;
    let (gone, new) = (names(Subject::Blocklist, removed), names(Subject::Blocklist, written));
    for entry in now.blocklist.iter().flatten().filter(|entry| gone.contains(entry.title().as_str())) {
        blocklist::delete(c, &entry.barred())?;
    }
    let at = self::now();
    for entry in floor.blocklist.iter().flatten().filter(|entry| new.contains(entry.title().as_str())) {
        blocklist::save(c, &BlockForm { barred: entry.barred(), note: entry.note.clone(), by: None, at })?;
    }
    for name in names(Subject::Disposition, removed) {
        dispositions::delete(c, name)?;
    }
    if !names(Subject::Disposition, |_| true).is_empty() {
        for (position, entry) in (1..).zip(&floor.dispositions) {
            dispositions::save(c, &entry.name, position, entry.enabled)?;
        }
    }
    Ok(())
}
