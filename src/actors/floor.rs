//! The floor's actors, made and changed as the database says (I6).

use super::agent::{AgentActor, AgentRole, choice_of_row};
use super::group::{GroupActor, GroupRole};
use super::shell::Deliver;
use super::sip::Tune;
use super::switch::Switch;
use super::trunk::{TrunkActor, TrunkRole};
use actix::prelude::*;
use cordboard_core::agent::{self, Agent, Chosen};
use cordboard_core::group::{self, Group};
use cordboard_core::setup::{AgentSetup, GroupSetup, TrunkSetup};
use cordboard_core::trunk::{self, Trunk};
use cordboard_db::DbError;
use cordboard_sip::endpoint::Sources;
use std::sync::Arc;

/// Brings the actors to what the database says: new ones are made, known ones hear of their changes. Must run on the actors' arbiter.
pub fn load(switch: &Arc<Switch>) -> Result<(), DbError> {
    let (groups, trunks, agents) = (switch.db.groups()?, switch.db.trunks()?, switch.db.agents()?);
    let (numbers, phones, settings) = (switch.db.numbers()?, switch.db.phones()?, switch.db.settings()?);
    {
        let mut directory = switch.directory.write();
        directory.numbers = numbers;
        directory.break_reasons = settings.break_reasons;
        directory.mask_numbers = settings.mask_numbers;
        directory.group_names = groups.iter().map(|group| (group.id, group.name.clone())).collect();
        directory.members.clear();
        for agent in &agents {
            for membership in &agent.groups {
                directory.members.entry(membership.group).or_default().insert(agent.id);
            }
        }
    }
    let sources = Sources {
        trunks: trunks.iter().flat_map(|trunk| trunk.hosts.iter().map(|host| (host.ip(), trunk.id))).collect(),
        phones: phones.iter().map(|phone| phone.addr).collect(),
    };
    if let Some(sip) = &switch.directory.read().sip {
        sip.do_send(Tune::Sources(sources));
    }
    for setup in groups {
        load_group(switch, setup);
    }
    for setup in trunks {
        load_trunk(switch, setup);
    }
    for setup in agents {
        load_agent(switch, setup);
    }
    Ok(())
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

fn load_agent(switch: &Arc<Switch>, setup: AgentSetup) {
    if let Some(known) = switch.directory.read().agents.get(&setup.id) {
        return known.do_send(Deliver(agent::Event::Setup(Box::new(setup))));
    }
    let id = setup.id;
    // As before a stop of the switch: a page has the grace time to come back, a phone needs none (B3).
    let chosen = last_chosen(switch, &setup);
    let (machine, first) = switch.with_cx(|cx| Agent::new(setup, agent::Kept::choice(chosen), cx));
    let addr = AgentActor::new(AgentRole::new(machine), first, switch.clone()).start();
    switch.directory.write().agents.insert(id, addr);
}

fn last_chosen(switch: &Switch, setup: &AgentSetup) -> Chosen {
    let account = match switch.db.account(setup.id) {
        Ok(account) => account,
        Err(why) => {
            tracing::error!(%why, "an agent's last state could not be read");
            None
        }
    };
    account.and_then(|account| account.chosen_state).map_or(Chosen::Offline, choice_of_row)
}
