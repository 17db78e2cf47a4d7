//! The difference between two floors, for people and for [`super::apply`].

use super::{Agent, Blocked, Floor, lists};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use toml::Table;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Subject {
    Settings,
    Trunk,
    Phone,
    Group,
    Agent,
    Flow,
    Number,
    Disposition,
    Blocklist,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeKind {
    Added,
    Changed,
    Removed,
}

/// One key's value before and after, as it stands in the file; none = the key is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldChange {
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What becomes of one entry of the floor file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub kind: ChangeKind,
    pub subject: Subject,
    /// The entry's key; of an account that gets another address, the new one.
    pub name: String,
    /// Of a change alone.
    pub fields: Vec<FieldChange>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            ChangeKind::Added => '+',
            ChangeKind::Changed => '~',
            ChangeKind::Removed => '-',
        };
        let subject = match self.subject {
            Subject::Settings => "settings",
            Subject::Trunk => "trunk",
            Subject::Phone => "phone",
            Subject::Group => "group",
            Subject::Agent => "agent",
            Subject::Flow => "flow",
            Subject::Number => "number",
            Subject::Disposition => "disposition",
            Subject::Blocklist => "blocklist",
        };
        write!(f, "{sign} {subject}")?;
        if self.subject != Subject::Settings {
            write!(f, " {}", self.name)?;
        }
        for (index, change) in self.fields.iter().enumerate() {
            let separator = if index == 0 { ":" } else { "," };
            let (before, after) = (change.before.as_deref().unwrap_or("none"), change.after.as_deref().unwrap_or("none"));
            write!(f, "{separator} {} {before} -> {after}", change.field)?;
        }
        Ok(())
    }
}

/// The addresses under which accounts of `now` stand in `wanted`: an account whose number is there under a new address is the same.
pub(super) fn renamed(now: &Floor, wanted: &Floor) -> BTreeMap<String, String> {
    let free: BTreeMap<&str, &String> = now
        .agents
        .iter()
        .filter(|(email, _)| !wanted.agents.contains_key(*email))
        .map(|(email, agent)| (agent.number.as_str(), email))
        .collect();
    let new = wanted.agents.iter().filter(|(email, _)| !now.agents.contains_key(*email));
    new.filter_map(|(email, agent)| Some(((*free.get(agent.number.as_str())?).clone(), email.clone()))).collect()
}

/// What must happen to `now` to become `wanted`; in no order that could be followed. Passwords are not looked at.
pub(super) fn compare(now: &Floor, wanted: &Floor) -> Vec<Change> {
    let mut changes = Vec::new();
    let settings = |floor: &Floor| BTreeMap::from([("settings".to_owned(), table(&floor.settings))]);
    entries(Subject::Settings, settings(now), settings(wanted), &mut changes);
    entries(Subject::Trunk, tables(&now.trunks), tables(&wanted.trunks), &mut changes);
    let phones = |floor: &Floor| floor.phones.iter().map(|(name, phone)| (name.clone(), without_password(phone))).collect();
    entries(Subject::Phone, phones(now), phones(wanted), &mut changes);
    entries(Subject::Group, tables(&now.groups), tables(&wanted.groups), &mut changes);
    let names = renamed(now, wanted);
    let before = now.agents.iter().map(|(email, agent)| (names.get(email).unwrap_or(email).clone(), account(email, agent))).collect();
    let after = wanted.agents.iter().map(|(email, agent)| (email.clone(), account(email, agent))).collect();
    entries(Subject::Agent, before, after, &mut changes);
    entries(Subject::Flow, tables(&now.flows), tables(&wanted.flows), &mut changes);
    let numbers = |floor: &Floor| floor.numbers.iter().map(|number| (number.title(), table(number))).collect();
    entries(Subject::Number, numbers(now), numbers(wanted), &mut changes);
    entries(Subject::Disposition, dispositions(now), dispositions(wanted), &mut changes);
    if let (Some(now), Some(wanted)) = (&now.blocklist, &wanted.blocklist) {
        let barred = |list: &[Blocked]| lists::held(list).map(|entry| (entry.title(), table(entry))).collect();
        entries(Subject::Blocklist, barred(now), barred(wanted), &mut changes);
    }
    changes
}

/// With the place in the list, which is not a key of the file.
fn dispositions(floor: &Floor) -> BTreeMap<String, Table> {
    let placed = (1..).zip(&floor.dispositions).map(|(place, entry)| {
        let mut table = table(entry);
        table.insert("place".to_owned(), toml::Value::Integer(place));
        (entry.name.clone(), table)
    });
    placed.collect()
}

/// An entry as the file's keys and values; only what cannot be written in TOML at all would be missing.
fn table<T: Serialize>(entry: &T) -> Table {
    Table::try_from(entry).unwrap_or_default()
}

fn tables<T: Serialize>(section: &BTreeMap<String, T>) -> BTreeMap<String, Table> {
    section.iter().map(|(name, entry)| (name.clone(), table(entry))).collect()
}

fn without_password<T: Serialize>(entry: &T) -> Table {
    let mut table = table(entry);
    table.remove("password_env");
    table
}

fn account(email: &str, agent: &Agent) -> Table {
    let mut table = without_password(agent);
    table.insert("email".to_owned(), toml::Value::from(email));
    table
}

fn entries(subject: Subject, now: BTreeMap<String, Table>, wanted: BTreeMap<String, Table>, changes: &mut Vec<Change>) {
    let names: BTreeSet<_> = now.keys().chain(wanted.keys()).collect();
    for name in names {
        let (kind, fields) = match (now.get(name), wanted.get(name)) {
            (Some(_), None) => (ChangeKind::Removed, Vec::new()),
            (None, _) => (ChangeKind::Added, Vec::new()),
            (Some(before), Some(after)) if before == after => continue,
            (Some(before), Some(after)) => (ChangeKind::Changed, fields(before, after)),
        };
        changes.push(Change { kind, subject, name: name.clone(), fields });
    }
}

fn fields(before: &Table, after: &Table) -> Vec<FieldChange> {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let text = |table: &Table, name: &String| table.get(name).map(ToString::to_string);
    changed.map(|name| FieldChange { field: name.clone(), before: text(before, name), after: text(after, name) }).collect()
}
