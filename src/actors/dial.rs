//! What an agent asks to be called, checked against the floor (E1, E6).

use super::agent::Refusal;
use super::switch::Directory;
use crate::api::mask::mask;
use cordboard_core::agent::{Agent, Dial, NoDial};
use cordboard_core::outbound::{self, BadNumber};
use cordboard_core::setup::{AgentSetup, NumberSetup};
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
    let contact = outbound::clean(to).map_err(|why| match why {
        BadNumber::Empty => Refusal("number_empty", "Type the number to call."),
        BadNumber::Character(_) => {
            Refusal("number_character", "This is not a telephone number: only digits, with a + in front where it is international.")
        }
        BadNumber::Length => Refusal("number_length", "A telephone number has 2 to 15 digits."),
    })?;
    agent.may_dial().map_err(|why| match why {
        NoDial::Offline => Refusal("dial_offline", "Go online to call."),
        NoDial::InLine => Refusal("dial_in_line", "You are in a call already."),
        NoDial::OutOfReach => Refusal("dial_no_voice", "This page has no voice path yet. Try again in a moment."),
    })?;
    if directory.draining {
        return Err(Refusal("draining", "The switch is about to stop and takes no new calls."));
    }
    // The group of the highest weight is the agent's first.
    let first = agent.setup.groups.iter().min_by_key(|membership| (Reverse(membership.weight), membership.group));
    let own_group = first.and_then(|membership| directory.group_setups.get(&membership.group));
    let own_group = own_group.ok_or(Refusal("dial_no_group", "You are in no skill group. Ask an admin for one to call out."))?;
    let shown = match caller_id {
        Some(did) => own(&agent.setup, directory).find(|number| number.did == did),
        None => outbound::caller_id(&directory.numbers, own_group.id, &contact),
    };
    let shown = shown.ok_or(Refusal("no_caller_id", "There is no number of ours to show for this call."))?;
    let trunk =
        outbound::trunk_for(shown, directory.trunks.keys().copied()).ok_or(Refusal("no_trunk", "No trunk is set up to call out."))?;
    // The call belongs to the shown number's group where the agent is in it: its after-call work, its recording.
    let group = directory.group_setups.get(&shown.group).filter(|group| agent.setup.groups.iter().any(|own| own.group == group.id));
    let role = directory.people.get(&agent.setup.id).map_or(Role::Agent, |person| person.role);
    let prefixes = match role {
        Role::Agent => &directory.outbound.agent,
        Role::Supervisor => &directory.outbound.supervisor,
        Role::Admin => &directory.outbound.admin,
    };
    let permitted = outbound::is_permitted(&contact, prefixes);
    if !permitted {
        tracing::warn!(agent = %agent.setup.id, called = %mask(&contact), "a call out is not permitted to this role");
    }
    Ok(Dial {
        trunk,
        caller: shown.did.clone(),
        terms: group.unwrap_or(own_group).terms(None),
        contact,
        permitted,
        a_day: directory.outbound.a_day,
    })
}
