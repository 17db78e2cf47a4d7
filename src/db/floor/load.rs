//! The floor as it stands in the database.

use super::{Agent, Floor, Group, Member, Number, Phone, Trunk, WayOut, lists};
use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::{agents, flows, groups, numbers, phones, settings, trunks};
use cordboard_core::setup::{self, DeviceSetup, PhoneContact};
use std::collections::HashMap;
use std::hash::Hash;

/// Writes the floor file (I6) that makes this floor. Passwords are not in it.
pub fn export(db: &Db) -> Result<String, DbError> {
    let mut floor = db.transaction(load)?;
    // A file that says that there is nobody would take away whom agents add later.
    floor.blocklist = floor.blocklist.filter(|entries| !entries.is_empty());
    toml::to_string(&floor).map_err(|error| DbError::Corrupt { table: "floor", column: "file", value: error.to_string() })
}

pub(super) fn load(c: &mut AnyConnection) -> Result<Floor, DbError> {
    let trunks = trunks::all(c)?;
    let groups = groups::all(c)?;
    let trunk_names: HashMap<_, _> = trunks.iter().map(|trunk| (trunk.id, trunk.name.clone())).collect();
    let group_names: HashMap<_, _> = groups.iter().map(|group| (group.id, group.name.clone())).collect();
    let mut floor = Floor { settings: settings::load(c)?, ..Floor::default() };
    for trunk in trunks {
        let name = trunk.name.clone();
        floor.trunks.insert(name, Trunk::from(trunk));
    }
    for phone in phones::all(c)? {
        floor.phones.insert(phone.setup.name.clone(), Phone::from(phone));
    }
    for group in groups {
        floor.groups.insert(group.name.clone(), group_of(group, &group_names)?);
    }
    for account in agents::all(c)? {
        floor.agents.insert(account.email.clone(), agent_of(account, &group_names)?);
    }
    for flow in flows::all(c)? {
        floor.flows.insert(flow.name.clone(), flow.into());
    }
    for number in numbers::all(c)? {
        floor.numbers.push(Number {
            did: number.did,
            trunk: number.trunk.map(|trunk| name(&trunk_names, trunk, "trunk_id")).transpose()?,
            group: name(&group_names, number.group, "group_id")?,
            early_media: number.early_media,
        });
    }
    floor.numbers.sort_by(|a, b| (&a.did, &a.trunk).cmp(&(&b.did, &b.trunk)));
    floor.dispositions = lists::load_dispositions(c)?;
    floor.blocklist = Some(lists::load_blocklist(c)?);
    Ok(floor)
}

/// Foreign keys see to it that the name is there.
fn name<I: Eq + Hash + ToString>(names: &HashMap<I, String>, id: I, column: &'static str) -> Result<String, DbError> {
    names.get(&id).cloned().ok_or_else(|| DbError::Corrupt { table: "floor", column, value: id.to_string() })
}

fn some(millis: u64) -> Option<u64> {
    (millis > 0).then_some(millis)
}

impl From<phones::Phone> for Phone {
    fn from(phone: phones::Phone) -> Self {
        let (addr, transport) = match phone.setup.contact {
            PhoneContact::Fixed { addr, transport } => (Some(addr), Some(transport)),
            PhoneContact::Registered => (None, None),
        };
        let register = addr.is_none();
        Self { user: phone.setup.user, addr, transport, register, password_env: None, md5: phone.md5, password_line: 0 }
    }
}

impl From<setup::TrunkSetup> for Trunk {
    fn from(trunk: setup::TrunkSetup) -> Self {
        Self {
            hosts: trunk.hosts,
            transport: trunk.transport,
            max_channels: trunk.max_channels,
            max_calls_per_second: trunk.max_calls_per_second,
            options_every: some(trunk.options_every),
            max_outbound: trunk.max_outbound,
            max_outbound_a_day: trunk.max_outbound_a_day,
            digits: trunk.digits,
            outcomes: trunk.outcomes,
        }
    }
}

fn group_of(group: setup::GroupSetup, names: &HashMap<cordboard_core::ids::GroupId, String>) -> Result<Group, DbError> {
    let way_out = |way: setup::WayOut| -> Result<WayOut, DbError> {
        match way {
            setup::WayOut::HangUp { prompt } => Ok(WayOut { prompt, group: None }),
            setup::WayOut::Group(group) => Ok(WayOut { prompt: None, group: Some(name(names, group, "way out")?) }),
        }
    };
    Ok(Group {
        strategy: group.strategy,
        ring: group.ring,
        wrap_up: group.wrap_up,
        automatic_answer: group.automatic_answer,
        misses: group.misses,
        last_agent_wait: some(group.last_agent_wait),
        max_wait: group.max_wait,
        on_max_wait: way_out(group.on_max_wait)?,
        max_queue: group.max_queue,
        on_max_queue: way_out(group.on_max_queue)?,
        on_no_agent: way_out(group.on_no_agent)?,
        welcome: group.welcome,
        music: group.music,
        announce_position: group.announce_position,
        announcement: group.announcement,
        announce_every: group.announce_every,
        record: group.record,
    })
}

fn agent_of(account: agents::Account, names: &HashMap<cordboard_core::ids::GroupId, String>) -> Result<Agent, DbError> {
    let mut groups = Vec::new();
    for place in account.setup.groups {
        groups.push(Member { group: name(names, place.group, "group_id")?, priority: place.priority, weight: place.weight });
    }
    groups.sort();
    Ok(Agent {
        number: account.setup.number,
        name: account.setup.name,
        nickname: account.nickname,
        role: account.role,
        groups,
        automatic_answer: account.setup.automatic_answer,
        phone: match account.setup.device {
            DeviceSetup::Browser => None,
            DeviceSetup::Phone(phone) => Some(phone.name),
        },
        password_env: None,
        password_line: 0,
    })
}
