//! Brings the database to what a floor file says, in one transaction.

use super::change::{compare, renamed};
use super::load::load;
use super::{Agent, Change, ChangeKind, FieldChange, Floor, FloorError, Group, Phone, Subject, WayOut, lists};
use crate::agents::{self, NewAccount};
use crate::error::DbError;
use crate::phones::PhoneSecret;
use crate::pool::{AnyConnection, Db};
use crate::{flows, groups, numbers, phones, settings, trunks};
use cordboard_core::ids::{AgentId, GroupId, TrunkId};
use cordboard_core::setup::{self, GroupSetup, Membership, NumberSetup, PhoneSetup, TrunkSetup};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where passwords come from.
pub struct Passwords<'a> {
    /// The value of an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The password's hash in PHC form, or what is wrong with it (A6).
    pub hash: &'a dyn Fn(&str) -> Result<String, String>,
    /// What a registering phone's password is kept as, or what is wrong with it.
    pub phone: &'a dyn Fn(&Phone, &str) -> Result<PhoneSecret, String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error(transparent)]
    Db(#[from] DbError),
    /// A password is needed, but not there or not good enough.
    #[error(transparent)]
    Password(FloorError),
}

/// What [`apply`] would change, passwords aside.
pub fn diff(db: &Db, floor: &Floor) -> Result<Vec<Change>, DbError> {
    db.transaction(|c| Ok(compare(&load(c)?, floor)))
}

/// Makes the floor what the file says, all of it or nothing; with `dry_run` only tells what would change.
/// Doing it again changes nothing.
pub fn apply(db: &Db, floor: &Floor, passwords: &Passwords<'_>, dry_run: bool) -> Result<Vec<Change>, ApplyError> {
    // Before the transaction: a good hash takes its time.
    let hashes = first_passwords(db, floor, passwords)?;
    let secrets = phone_secrets(db, floor, passwords)?;
    let changes = db.transaction(|c| {
        let now = load(c)?;
        let mut changes = compare(&now, floor);
        if !dry_run {
            write(c, &now, floor, &changes)?;
            for account in agents::all(c)?.iter().filter(|account| account.password_hash.is_none()) {
                if let Some(hash) = hashes.get(&account.email) {
                    agents::set_password(c, account.setup.id, hash, false)?;
                }
            }
            for (name, secret) in &secrets {
                phones::set_secret(c, name, secret)?;
            }
        }
        for email in hashes.keys() {
            tell_of_password(&mut changes, Subject::Agent, email);
        }
        for name in secrets.keys() {
            tell_of_password(&mut changes, Subject::Phone, name);
        }
        Ok(changes)
    })?;
    Ok(changes)
}

/// Hashes for the accounts that get their first password by this file, by address.
fn first_passwords(db: &Db, floor: &Floor, passwords: &Passwords<'_>) -> Result<BTreeMap<String, String>, ApplyError> {
    let (now, accounts) = db.transaction(|c| Ok((load(c)?, agents::all(c)?)))?;
    let names = renamed(&now, floor);
    let has_one: BTreeSet<&String> = accounts
        .iter()
        .filter(|account| account.password_hash.is_some())
        .map(|account| names.get(&account.email).unwrap_or(&account.email))
        .collect();
    let mut hashes = BTreeMap::new();
    for (email, agent) in &floor.agents {
        let Some(variable) = agent.password_env.as_ref().filter(|_| !has_one.contains(&email)) else { continue };
        let refuse = |message| {
            let key = format!("agents.{email}.password_env");
            ApplyError::Password(FloorError { line: agent.password_line, key, message })
        };
        let password = (passwords.env)(variable).ok_or_else(|| refuse(format!("{variable} is not set in the environment")))?;
        let hash = (passwords.hash)(&password).map_err(|why| refuse(format!("the password in {variable} is refused: {why}")))?;
        hashes.insert(email.clone(), hash);
    }
    Ok(hashes)
}

/// Secrets of the phones that get another password than they have, by name. Nobody but this file changes them.
fn phone_secrets(db: &Db, floor: &Floor, passwords: &Passwords<'_>) -> Result<BTreeMap<String, PhoneSecret>, ApplyError> {
    let now = db.phones()?;
    let mut secrets = BTreeMap::new();
    for (name, phone) in &floor.phones {
        let Some(variable) = &phone.password_env else { continue };
        let refuse = |message| {
            let key = format!("phones.{name}.password_env");
            ApplyError::Password(FloorError { line: phone.password_line, key, message })
        };
        let same = |known: &&phones::Phone| known.setup.name == *name && known.setup.user == phone.user && known.md5 == phone.md5;
        let known = now.iter().find(same).and_then(|known| known.secret.as_ref());
        match (passwords.env)(variable) {
            Some(password) => {
                let secret =
                    (passwords.phone)(phone, &password).map_err(|why| refuse(format!("the password in {variable} is refused: {why}")))?;
                if known != Some(&secret) {
                    secrets.insert(name.clone(), secret);
                }
            }
            None if known.is_some() => {}
            None => return Err(refuse(format!("{variable} is not set in the environment"))),
        }
    }
    Ok(secrets)
}

fn tell_of_password(changes: &mut Vec<Change>, subject: Subject, name: &str) {
    let told = FieldChange { field: "password".to_owned(), before: None, after: Some("set".to_owned()) };
    match changes.iter_mut().find(|change| change.subject == subject && change.name == name) {
        // A new entry's password goes without saying.
        Some(Change { kind: ChangeKind::Added, .. }) => {}
        Some(change) => change.fields.push(told),
        None => changes.push(Change { kind: ChangeKind::Changed, subject, name: name.to_owned(), fields: vec![told] }),
    }
}

/// References go from new to old: whatever is referred to is written first and removed last.
fn write(c: &mut AnyConnection, now: &Floor, floor: &Floor, changes: &[Change]) -> Result<(), DbError> {
    let names = |subject, kinds: &'static [ChangeKind]| {
        let these = changes.iter().filter(move |change| change.subject == subject && kinds.contains(&change.kind));
        these.map(|change| change.name.as_str())
    };
    const WRITTEN: &[ChangeKind] = &[ChangeKind::Added, ChangeKind::Changed];
    const REMOVED: &[ChangeKind] = &[ChangeKind::Removed];
    for _ in names(Subject::Settings, WRITTEN) {
        settings::save(c, &floor.settings)?;
    }
    for (name, trunk) in names(Subject::Trunk, WRITTEN).filter_map(|name| floor.trunks.get_key_value(name)) {
        trunks::save(c, &trunk_setup(name, trunk))?;
    }
    for (name, phone) in names(Subject::Phone, WRITTEN).filter_map(|name| floor.phones.get_key_value(name)) {
        phones::save(c, &PhoneSetup { name: name.clone(), user: phone.user.clone(), contact: phone.contact() }, phone.md5)?;
    }
    for name in names(Subject::Group, &[ChangeKind::Added]) {
        groups::claim(c, name)?;
    }
    let group_ids: HashMap<String, GroupId> = groups::all_ids(c)?;
    let trunk_ids: HashMap<String, TrunkId> = trunks::all(c)?.into_iter().map(|trunk| (trunk.name, trunk.id)).collect();
    for (name, group) in names(Subject::Group, WRITTEN).filter_map(|name| floor.groups.get_key_value(name)) {
        groups::save(c, &group_setup(name, group, &group_ids)?)?;
    }
    write_agents(c, now, floor, changes, &group_ids)?;
    for number in now.numbers.iter().filter(|number| names(Subject::Number, REMOVED).any(|name| name == number.title())) {
        numbers::delete(c, &number.did, number.trunk.as_ref().map(|trunk| id_of(&trunk_ids, trunk)).transpose()?)?;
    }
    for number in floor.numbers.iter().filter(|number| names(Subject::Number, WRITTEN).any(|name| name == number.title())) {
        let number = NumberSetup {
            did: number.did.clone(),
            trunk: number.trunk.as_ref().map(|trunk| id_of(&trunk_ids, trunk)).transpose()?,
            group: id_of(&group_ids, &number.group)?,
            early_media: number.early_media,
        };
        numbers::save(c, &number)?;
    }
    for (name, flow) in names(Subject::Flow, WRITTEN).filter_map(|name| floor.flows.get_key_value(name)) {
        flows::save(c, &flow.form(name))?;
    }
    for name in names(Subject::Flow, REMOVED) {
        flows::delete(c, name)?;
    }
    lists::write(c, now, floor, changes)?;
    for name in names(Subject::Group, REMOVED) {
        groups::retire(c, id_of(&group_ids, name)?)?;
    }
    for name in names(Subject::Phone, REMOVED) {
        phones::delete(c, name)?;
    }
    for name in names(Subject::Trunk, REMOVED) {
        trunks::delete(c, name)?;
    }
    Ok(())
}

fn write_agents(
    c: &mut AnyConnection,
    now: &Floor,
    floor: &Floor,
    changes: &[Change],
    group_ids: &HashMap<String, GroupId>,
) -> Result<(), DbError> {
    let new_addresses = renamed(now, floor);
    let ids: HashMap<String, AgentId> = agents::all(c)?
        .into_iter()
        .map(|account| (new_addresses.get(&account.email).cloned().unwrap_or(account.email), account.setup.id))
        .collect();
    let own = || changes.iter().filter(|change| change.subject == Subject::Agent);
    for change in own() {
        match change.kind {
            ChangeKind::Removed => agents::retire(c, id_of(&ids, &change.name)?)?,
            ChangeKind::Changed => agents::let_go_of_names(c, id_of(&ids, &change.name)?)?,
            ChangeKind::Added => {}
        }
    }
    let created_at = lists::now();
    for change in own() {
        let Some(agent) = floor.agents.get(&change.name) else { continue };
        let places = places(agent, group_ids)?;
        let account = NewAccount {
            email: &change.name,
            number: &agent.number,
            name: &agent.name,
            nickname: agent.nickname.as_deref(),
            role: agent.role,
            automatic_answer: agent.automatic_answer,
            phone: agent.phone.as_deref(),
            groups: &places,
        };
        match change.kind {
            ChangeKind::Added => drop(agents::add(c, &account, created_at)?),
            ChangeKind::Changed => agents::save(c, id_of(&ids, &change.name)?, &account)?,
            ChangeKind::Removed => {}
        }
    }
    Ok(())
}

/// A parsed file refers to nothing that is not in it.
fn id_of<I: Copy>(ids: &HashMap<String, I>, name: &str) -> Result<I, DbError> {
    ids.get(name).copied().ok_or_else(|| DbError::Corrupt { table: "floor", column: "name", value: name.to_owned() })
}

fn places(agent: &Agent, group_ids: &HashMap<String, GroupId>) -> Result<Vec<Membership>, DbError> {
    let place = |member: &super::Member| {
        Ok(Membership { group: id_of(group_ids, &member.group)?, priority: member.priority, weight: member.weight })
    };
    agent.groups.iter().map(place).collect()
}

fn trunk_setup(name: &str, trunk: &super::Trunk) -> TrunkSetup {
    TrunkSetup {
        id: TrunkId(0),
        name: name.to_owned(),
        hosts: trunk.hosts.clone(),
        transport: trunk.transport,
        max_channels: trunk.max_channels,
        max_calls_per_second: trunk.max_calls_per_second,
        options_every: trunk.options_every.unwrap_or(0),
        max_outbound: trunk.max_outbound,
        max_outbound_a_day: trunk.max_outbound_a_day,
        digits: trunk.digits,
        outcomes: trunk.outcomes.clone(),
    }
}

fn group_setup(name: &str, group: &Group, ids: &HashMap<String, GroupId>) -> Result<GroupSetup, DbError> {
    let way_out = |way: &WayOut| -> Result<setup::WayOut, DbError> {
        match &way.group {
            Some(group) => Ok(setup::WayOut::Group(id_of(ids, group)?)),
            None => Ok(setup::WayOut::HangUp { prompt: way.prompt.clone() }),
        }
    };
    Ok(GroupSetup {
        id: id_of(ids, name)?,
        name: name.to_owned(),
        strategy: group.strategy,
        ring: group.ring,
        wrap_up: group.wrap_up,
        automatic_answer: group.automatic_answer,
        misses: group.misses,
        last_agent_wait: group.last_agent_wait.unwrap_or(0),
        max_wait: group.max_wait,
        on_max_wait: way_out(&group.on_max_wait)?,
        max_queue: group.max_queue,
        on_max_queue: way_out(&group.on_max_queue)?,
        on_no_agent: way_out(&group.on_no_agent)?,
        welcome: group.welcome.clone(),
        music: group.music.clone(),
        announce_position: group.announce_position,
        announcement: group.announcement.clone(),
        announce_every: group.announce_every,
        record: group.record,
    })
}
