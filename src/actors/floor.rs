//! The floor's actors, made and changed as the database says (I6).

use super::agent::{AgentActor, AgentRole, Desk, choice_of_row};
use super::dial::{self, SIP_PORT};
use super::group::{GroupActor, GroupRole};
use super::shell::Deliver;
use super::sip::Tune;
use super::switch::{Directory, Switch};
use super::trunk::{TrunkActor, TrunkRole};
use actix::prelude::*;
use cordboard_core::agent::{self, Agent, Chosen};
use cordboard_core::group::{self, Group};
use cordboard_core::ids::{AgentId, TrunkId};
use cordboard_core::setup::{DeviceSetup, FlowSetup, GroupSetup, NumberSetup, PhoneContact, TrunkSetup};
use cordboard_core::trunk::{self, Trunk};
use cordboard_db::{Account, Db, DbError, Disposition, Phone, PhoneBindings, Settings};
use cordboard_sip::digest::Algorithm;
use cordboard_sip::endpoint::Sources;
use cordboard_sip::registrar::{self, Binding};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// Changes that one reading is for.
const MOST_AT_ONCE: usize = 1_000;
/// How long a database that could not be reached is left alone before it is read again.
const RETRY: Duration = Duration::from_secs(1);

/// What the database says of the floor.
pub struct Rows {
    groups: Vec<GroupSetup>,
    trunks: Vec<TrunkSetup>,
    accounts: Vec<Account>,
    numbers: Vec<NumberSetup>,
    phones: Vec<Phone>,
    settings: Settings,
    flows: Vec<FlowSetup>,
    dispositions: Vec<Disposition>,
}

impl Rows {
    pub fn read(db: &Db) -> Result<Self, DbError> {
        Ok(Self {
            groups: db.groups()?,
            trunks: db.trunks()?,
            accounts: db.accounts()?,
            numbers: db.numbers()?,
            phones: db.phones()?,
            settings: db.settings()?,
            flows: db.flows()?,
            dispositions: db.dispositions()?,
        })
    }
}

/// What the database says otherwise than before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Anything of the floor.
    Floor,
    /// The mobile is another, or used for something else (A7, C7, E2).
    Mobile(AgentId),
}

/// What was read for some changes.
enum News {
    Floor(Box<Rows>),
    Agents(Vec<Account>),
}

impl News {
    fn read(db: &Db, changes: &[Change]) -> Result<Self, DbError> {
        let mut agents = Vec::new();
        for change in changes {
            match change {
                Change::Floor => return Rows::read(db).map(Box::new).map(Self::Floor),
                Change::Mobile(agent) => agents.extend(db.account(*agent)?),
            }
        }
        Ok(Self::Agents(agents))
    }
}

/// Brings the actors to what the database says after each change, until nobody tells of changes any more. The database is read on a thread
/// that may wait, and read again when it is back; one reading follows the other, so that the last one is the newest. Must run on the actors'
/// arbiter. `realm` as for [`load`].
pub async fn follow(switch: Arc<Switch>, realm: String, mut changes: UnboundedReceiver<Change>) {
    let mut told = Vec::new();
    while changes.recv_many(&mut told, MOST_AT_ONCE).await > 0 {
        while !told.is_empty() {
            let (db, read) = (switch.db.clone(), told.clone());
            match actix_web::web::block(move || News::read(&db, &read)).await {
                Ok(Ok(News::Floor(rows))) => load(&switch, &realm, *rows),
                Ok(Ok(News::Agents(accounts))) => accounts.into_iter().for_each(|account| reload_agent(&switch, account)),
                Ok(Err(why)) if why.is_unreachable() => {
                    tracing::error!(%why, "the changed floor is loaded when the database is back");
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
                Ok(Err(why)) => tracing::error!(%why, "the changed floor could not be loaded"),
                Err(why) => tracing::error!(%why, "the changed floor could not be loaded"),
            }
            told.clear();
        }
    }
}

/// Brings the actors to what the database says: new ones are made, known ones hear of their changes, and those that it does not name any more
/// leave as soon as no call has them. Must run on the actors' arbiter.
/// `realm` is the one that phones prove their passwords for.
pub fn load(switch: &Arc<Switch>, realm: &str, rows: Rows) {
    let Rows { groups, trunks, accounts, numbers, phones, settings, flows, dispositions } = rows;
    let sip_hosts = settings.outbound.sip_hosts.clone();
    let agents: HashSet<AgentId> = accounts.iter().map(|account| account.setup.id).collect();
    {
        let mut directory = switch.directory.write();
        directory.numbers = numbers;
        directory.trunks_out = trunks.iter().map(|trunk| trunk.id).collect();
        directory.flows = flows;
        directory.dispositions = dispositions.into_iter().filter(|known| known.enabled).map(|known| known.name).collect();
        directory.break_reasons = settings.break_reasons;
        directory.mask_numbers = settings.mask_numbers;
        directory.mobile_press_one = settings.mobile_press_one;
        directory.crm_url = settings.crm.map(|crm| crm.url);
        directory.outbound = settings.outbound;
        let owners: HashMap<&str, AgentId> = accounts.iter().filter_map(owned).collect();
        let owner = |phone: &Phone| owners.get(phone.setup.user.as_str()).copied();
        directory.phones = phones.iter().map(|phone| (phone.setup.user.clone(), (phone.setup.clone(), owner(phone)))).collect();
        directory.group_setups = groups.iter().map(|group| (group.id, group.clone())).collect();
        directory.members.clear();
        directory.colleagues.keep(|agent| agents.contains(&agent));
        for account in &accounts {
            for membership in &account.setup.groups {
                directory.members.entry(membership.group).or_default().insert(account.setup.id);
            }
            meet(&mut directory, account);
        }
    }
    // They may speak in the calls that they were called for (E4).
    let hosts = sip_hosts.into_iter().map(|host| SocketAddr::new(host, SIP_PORT));
    let mut sources = Sources {
        trunks: trunks.iter().flat_map(|trunk| trunk.hosts.iter().map(|host| (host.ip(), trunk.id))).collect(),
        phones: phones.iter().filter_map(fixed_address).chain(hosts).collect(),
    };
    {
        let mut directory = switch.directory.write();
        let known = std::mem::take(&mut directory.sources.trunks);
        let removed = |trunk: &TrunkId| directory.trunks.contains_key(trunk) && !directory.trunks_out.contains(trunk);
        sources.trunks.extend(known.into_iter().filter(|(_, trunk)| removed(trunk)));
        directory.sources = sources;
        tell_sources(&directory);
        if let Some(sip) = &directory.sip {
            sip.do_send(Tune::Accounts(phones.into_iter().filter_map(|phone| account(phone, realm)).collect()));
        }
    }
    for setup in groups {
        load_group(switch, setup);
    }
    for setup in trunks {
        load_trunk(switch, setup);
    }
    for account in accounts {
        load_agent(switch, account);
    }
    remove_others(&switch.directory.read(), &agents);
}

/// To be told whenever [`Directory::sources`] is another.
pub fn tell_sources(directory: &Directory) {
    if let Some(sip) = &directory.sip {
        sip.do_send(Tune::Sources(directory.sources.clone()));
    }
}

/// Who is on the floor no more is offered nothing, and what is on it no more takes no new call (I6).
fn remove_others(directory: &Directory, agents: &HashSet<AgentId>) {
    for (_, agent) in directory.agents.iter().filter(|(id, _)| !agents.contains(id)) {
        agent.do_send(Desk::Remove);
    }
    for (_, trunk) in directory.trunks.iter().filter(|(id, _)| !directory.trunks_out.contains(id)) {
        trunk.do_send(Deliver(trunk::Event::Removed));
    }
}

fn reload_agent(switch: &Arc<Switch>, account: Account) {
    meet(&mut switch.directory.write(), &account);
    load_agent(switch, account);
}

/// Where phones were when the last switch on this database stopped.
pub fn restore_phones(switch: &Switch) -> Result<(), DbError> {
    let Some(sip) = switch.directory.read().sip.clone() else { return Ok(()) };
    for PhoneBindings { user, bindings, clock_began_at } in switch.db.phone_bindings()? {
        let later = switch.clock_began_at() - clock_began_at;
        match serde_json::from_str::<Vec<Binding>>(&bindings) {
            Ok(bindings) => {
                let bindings = bindings.into_iter().filter_map(|binding| binding.on_clock(later)).collect();
                sip.do_send(Tune::Restore { user, bindings });
            }
            Err(why) => tracing::warn!(phone = %user, %why, "where a phone was cannot be read: it is called when it registers again"),
        }
    }
    Ok(())
}

/// The user of the agent's own phone, and the agent.
fn owned(account: &Account) -> Option<(&str, AgentId)> {
    match &account.setup.device {
        DeviceSetup::Phone(phone) => Some((phone.user.as_str(), account.setup.id)),
        DeviceSetup::Browser => None,
    }
}

fn fixed_address(phone: &Phone) -> Option<SocketAddr> {
    match phone.setup.contact {
        PhoneContact::Fixed { addr, .. } => Some(addr),
        PhoneContact::Registered => None,
    }
}

/// The phone's account where it registers and can prove who it is.
fn account(phone: Phone, realm: &str) -> Option<registrar::Account> {
    if phone.setup.contact != PhoneContact::Registered {
        return None;
    }
    match phone.secret {
        Some(secret) if secret.realm == realm => {
            let algorithm = if phone.md5 { Algorithm::Md5 } else { Algorithm::Sha256 };
            Some(registrar::Account { user: phone.setup.user, algorithm, ha1: secret.ha1 })
        }
        Some(_) | None => {
            tracing::warn!(phone = %phone.setup.name, realm, "a phone has no password for this realm and cannot register: apply its password_env");
            None
        }
    }
}

/// Colleagues find the agent by these.
fn meet(directory: &mut Directory, account: &Account) {
    let Directory { colleagues, group_setups, .. } = directory;
    colleagues.meet(account, |group| group_setups.get(&group).map(|setup| setup.name.clone()).unwrap_or_default());
}

fn load_group(switch: &Arc<Switch>, setup: GroupSetup) {
    if let Some(known) = switch.directory.read().groups.get(&setup.id) {
        return known.do_send(Deliver(group::Event::Setup(Box::new(setup))));
    }
    let id = setup.id;
    let (machine, first) = switch.with_cx(|cx| Group::new(setup, cx));
    let addr = GroupActor::new(GroupRole::new(machine), first, switch.clone()).start();
    switch.directory.write().groups.insert(id, addr);
}

fn load_trunk(switch: &Arc<Switch>, setup: TrunkSetup) {
    if let Some(known) = switch.directory.read().trunks.get(&setup.id) {
        return known.do_send(Deliver(trunk::Event::Setup(Box::new(setup))));
    }
    let id = setup.id;
    let (machine, first) = switch.with_cx(|cx| Trunk::new(setup, cx));
    let addr = TrunkActor::new(TrunkRole { machine }, first, switch.clone()).start();
    switch.directory.write().trunks.insert(id, addr);
}

fn load_agent(switch: &Arc<Switch>, account: Account) {
    let mut setup = account.setup;
    setup.mobile = dial::mobile(&setup, account.mobile.as_deref(), account.switches, &switch.directory.read());
    if let Some(known) = switch.directory.read().agents.get(&setup.id) {
        return known.do_send(Deliver(agent::Event::Setup(Box::new(setup))));
    }
    let id = setup.id;
    // As before a stop of the switch: a page has the grace time to come back, a phone needs none (B3).
    let chosen = account.chosen_state.map_or(Chosen::Offline, choice_of_row);
    let (machine, first) = switch.with_cx(|cx| Agent::new(setup, agent::Kept::choice(chosen), cx));
    let addr = AgentActor::new(AgentRole::new(machine), first, switch.clone()).start();
    switch.directory.write().agents.insert(id, addr);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use cordboard_core::ids::{CallId, LegId};
    use cordboard_core::outcome::CallType;
    use cordboard_db::Journal;
    use cordboard_media::{Media, MediaConfig};
    use std::net::{IpAddr, Ipv4Addr};
    use std::path::Path;
    use tokio::sync::mpsc::unbounded_channel;

    const FLOOR: &str = r#"
        [groups.Orders]
        [[numbers]]
        did = "+442079460001"
        group = "Orders"
        [phones.desk]
        user = "desk"
        addr = "127.0.0.1:5071"
        [trunks.second]
        hosts = ["127.0.0.1:5072"]
        [agents."mei@example.com"]
        number = "1001"
        name = "Mei Chen"
        groups = ["Orders"]
        "#;
    const MORE: &str = r#"
        [trunks.carrier]
        hosts = ["127.0.0.1:5073"]
        [agents."tom@example.com"]
        number = "1002"
        name = "Tom Gray"
        groups = ["Orders"]
        phone = "desk"
        "#;

    pub(in crate::actors) fn apply(db: &Db, text: &str) {
        let none = |_: &str| Err("no password".to_owned());
        let passwords = cordboard_db::floor::Passwords { env: &|_| None, hash: &none, phone: &|_, _| Err("no phone".to_owned()) };
        cordboard_db::floor::apply(db, &cordboard_db::floor::parse(text).unwrap(), &passwords, false).unwrap();
    }

    fn switch_on(folder: &Path) -> Arc<Switch> {
        let db = Db::open(&format!("sqlite:{}", folder.join("cordboard.sqlite").display())).unwrap();
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let config = MediaConfig {
            bind_ip: ip,
            advertise_ip: ip,
            rtp_ports: 30_000..=30_019,
            browser_addr: (ip, 0).into(),
            browser_advertise: Vec::new(),
            sounds_dir: None,
            spool_dir: folder.join("spool"),
            mp3_dir: folder.join("recordings"),
        };
        let journal = Journal::open(folder, db.clone(), Box::new(|_| {})).unwrap();
        Switch::new(db, journal, Media::start(config, Arc::new(|_| {})).unwrap(), Directory::default())
    }

    async fn until(what: impl Fn() -> bool) {
        let waits = async {
            while !what() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), waits).await.unwrap();
    }

    // I6
    #[actix_rt::test]
    async fn who_and_what_the_database_names_no_more_leaves_the_floor_and_comes_back_when_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let switch = switch_on(folder.path());
        let counts = || {
            let directory = switch.directory.read();
            let found = directory.colleagues.find("", AgentId(0), 10).0.len();
            (directory.agents.len(), found, directory.trunks.len(), directory.trunks_out.len(), directory.sources.trunks.len())
        };
        let (changes, told) = unbounded_channel();
        let following = actix_rt::spawn(follow(switch.clone(), "realm".into(), told));
        let channel = trunk::Channel { call: CallId(1), leg: LegId(1) };
        let steps = [(MORE, (2, 2, 2, 2, 2)), ("", (1, 1, 2, 1, 2)), (MORE, (2, 2, 3, 2, 3)), ("", (1, 1, 3, 1, 3))];
        for (text, expected) in steps {
            apply(&switch.db, &format!("{FLOOR}{text}"));
            changes.send(Change::Floor).unwrap();
            until(|| counts() == expected).await;
            // A carrier that has a call speaks in it, and goes with it.
            for trunk in switch.directory.read().trunks.values() {
                trunk.do_send(Deliver(trunk::Event::Keep { channel, way: CallType::Inbound }));
            }
        }
        for trunk in switch.directory.read().trunks.values() {
            trunk.do_send(Deliver(trunk::Event::Free(channel)));
        }
        until(|| counts() == (1, 1, 1, 1, 1)).await;
        drop(changes);
        following.await.unwrap();
    }
}
