//! The floor's actors, made and changed as the database says (I6).

use super::agent::{AgentActor, AgentRole, choice_of_row};
use super::dial::{self, SIP_PORT};
use super::group::{GroupActor, GroupRole};
use super::shell::Deliver;
use super::sip::Tune;
use super::switch::{Directory, Switch};
use super::trunk::{TrunkActor, TrunkRole};
use actix::prelude::*;
use cordboard_core::agent::{self, Agent, Chosen};
use cordboard_core::group::{self, Group};
use cordboard_core::ids::AgentId;
use cordboard_core::setup::{DeviceSetup, GroupSetup, PhoneContact, TrunkSetup};
use cordboard_core::trunk::{self, Trunk};
use cordboard_db::{Account, DbError, Phone, PhoneBindings};
use cordboard_sip::digest::Algorithm;
use cordboard_sip::endpoint::Sources;
use cordboard_sip::registrar::{self, Binding};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// Brings the actors to what the database says: new ones are made, known ones hear of their changes. Must run on the actors' arbiter.
/// `realm` is the one that phones prove their passwords for.
pub fn load(switch: &Arc<Switch>, realm: &str) -> Result<(), DbError> {
    let (groups, trunks, accounts) = (switch.db.groups()?, switch.db.trunks()?, switch.db.accounts()?);
    let (numbers, phones, settings) = (switch.db.numbers()?, switch.db.phones()?, switch.db.settings()?);
    let flows = switch.db.flows()?;
    let dispositions = switch.db.dispositions()?.into_iter().filter(|known| known.enabled).map(|known| known.name).collect();
    let sip_hosts = settings.outbound.sip_hosts.clone();
    {
        let mut directory = switch.directory.write();
        directory.numbers = numbers;
        directory.flows = flows;
        directory.dispositions = dispositions;
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
        for account in &accounts {
            for membership in &account.setup.groups {
                directory.members.entry(membership.group).or_default().insert(account.setup.id);
            }
            meet(&mut directory, account);
        }
    }
    // They may speak in the calls that they were called for (E4).
    let hosts = sip_hosts.into_iter().map(|host| SocketAddr::new(host, SIP_PORT));
    let sources = Sources {
        trunks: trunks.iter().flat_map(|trunk| trunk.hosts.iter().map(|host| (host.ip(), trunk.id))).collect(),
        phones: phones.iter().filter_map(fixed_address).chain(hosts).collect(),
    };
    if let Some(sip) = &switch.directory.read().sip {
        sip.do_send(Tune::Sources(sources));
        sip.do_send(Tune::Accounts(phones.into_iter().filter_map(|phone| account(phone, realm)).collect()));
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
    Ok(())
}

/// Brings one agent to what the database says: the mobile is another, or used for something else (A7, C7, E2).
pub fn reload_agent(switch: &Arc<Switch>, agent: AgentId) -> Result<(), DbError> {
    if let Some(account) = switch.db.account(agent)? {
        meet(&mut switch.directory.write(), &account);
        load_agent(switch, account);
    }
    Ok(())
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
