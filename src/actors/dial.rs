//! What an agent asks to be called, checked against the floor (E1, E6).

use super::agent::Refusal;
use super::switch::Directory;
use crate::api::mask::mask;
use cordboard_core::agent::{Agent, Dial, NoDial};
use cordboard_core::ids::TrunkId;
use cordboard_core::message::Number;
use cordboard_core::outbound::{self, BadNumber};
use cordboard_core::setup::{AgentSetup, GroupSetup, NumberSetup};
use cordboard_db::Role;
use std::cmp::Reverse;

/// The numbers of the agent's own groups.
fn own<'a>(setup: &'a AgentSetup, directory: &'a Directory) -> impl Iterator<Item = &'a NumberSetup> {
    directory.numbers.iter().filter(|number| setup.groups.iter().any(|membership| membership.group == number.group))
}

/// What the agent may choose to show.
pub fn caller_ids(setup: &AgentSetup, directory: &Directory) -> Vec<String> {
    own(setup, directory).map(|number| number.did.clone()).collect()
}

/// The customer of an earlier call again (D8). They are shown `ours`, the number they know from it, where the agent may show it.
pub fn call_back(agent: &Agent, customer: &str, ours: &str, directory: &Directory) -> Result<Dial, Refusal> {
    outbound::clean(customer).map_err(|_| Refusal("no_number", "This caller has withheld the number."))?;
    let known = own(&agent.setup, directory).any(|number| number.did == ours);
    dial(agent, customer, known.then_some(ours), directory)
}

/// The call as the agent's machine takes it, or why it cannot be. What only the guards forbid is left to the call, which goes on record.
pub fn dial(agent: &Agent, to: &str, caller_id: Option<&str>, directory: &Directory) -> Result<Dial, Refusal> {
    let contact = clean(to)?;
    agent.may_dial().map_err(|why| match why {
        NoDial::Offline => Refusal("dial_offline", "Go online to call."),
        NoDial::InLine => Refusal("dial_in_line", "You are in a call already."),
        NoDial::OutOfReach => Refusal("dial_no_voice", "This page has no voice path yet. Try again in a moment."),
    })?;
    if directory.draining {
        return Err(Refusal("draining", "The switch is about to stop and takes no new calls."));
    }
    let setup = &agent.setup;
    let own_group = first_group(setup, directory)?;
    let (shown, trunk) = way_out(setup, own_group, caller_id, &contact, directory)?;
    // The call belongs to the shown number's group where the agent is in it: its after-call work, its recording.
    let group = directory.group_setups.get(&shown.group).filter(|group| setup.groups.iter().any(|own| own.group == group.id));
    Ok(Dial {
        trunk,
        caller: shown.did.clone(),
        terms: group.unwrap_or(own_group).terms(None),
        permitted: is_permitted(setup, &contact, directory),
        contact,
        a_day: directory.outbound.a_day,
    })
}

/// A number that an agent consults in a call (D5). The guards refuse it before the customer is put on hold.
pub fn consult(setup: &AgentSetup, to: &str, caller_id: Option<&str>, directory: &Directory) -> Result<Number, Refusal> {
    let called = clean(to)?;
    if !is_permitted(setup, &called, directory) {
        return Err(Refusal("not_permitted", "You may not call this number."));
    }
    let (shown, trunk) = way_out(setup, first_group(setup, directory)?, caller_id, &called, directory)?;
    Ok(Number { trunk, caller: shown.did.clone(), called })
}

fn clean(to: &str) -> Result<String, Refusal> {
    outbound::clean(to).map_err(|why| match why {
        BadNumber::Empty => Refusal("number_empty", "Type the number to call."),
        BadNumber::Character(_) => {
            Refusal("number_character", "This is not a telephone number: only digits, with a + in front where it is international.")
        }
        BadNumber::Length => Refusal("number_length", "A telephone number has 2 to 15 digits."),
    })
}

/// The group of the highest weight.
fn first_group<'a>(setup: &AgentSetup, directory: &'a Directory) -> Result<&'a GroupSetup, Refusal> {
    let first = setup.groups.iter().min_by_key(|membership| (Reverse(membership.weight), membership.group));
    let group = first.and_then(|membership| directory.group_setups.get(&membership.group));
    group.ok_or(Refusal("dial_no_group", "You are in no skill group. Ask an admin for one to call out."))
}

/// The number that is shown, and the trunk (E1).
fn way_out<'a>(
    setup: &'a AgentSetup,
    group: &GroupSetup,
    caller_id: Option<&str>,
    called: &str,
    directory: &'a Directory,
) -> Result<(&'a NumberSetup, TrunkId), Refusal> {
    let shown = match caller_id {
        Some(did) => own(setup, directory).find(|number| number.did == did),
        None => outbound::caller_id(&directory.numbers, group.id, called),
    };
    let shown = shown.ok_or(Refusal("no_caller_id", "There is no number of ours to show for this call."))?;
    let trunk = outbound::trunk_for(shown, directory.trunks.keys().copied());
    Ok((shown, trunk.ok_or(Refusal("no_trunk", "No trunk is set up to call out."))?))
}

/// E6; an attempt beyond it is logged.
fn is_permitted(setup: &AgentSetup, called: &str, directory: &Directory) -> bool {
    let rules = &directory.outbound;
    let prefixes = match directory.people.get(&setup.id).map_or(Role::Agent, |person| person.role) {
        Role::Agent => &rules.agent,
        Role::Supervisor => &rules.supervisor,
        Role::Admin => &rules.admin,
    };
    let permitted = outbound::is_permitted(called, prefixes);
    if !permitted {
        tracing::warn!(agent = %setup.id, called = %mask(called), "a call out is not permitted to this role");
    }
    permitted
}
