//! The floor that a scenario needs, as a file for `cordboard apply` (I6).

use super::engine::{Places, phone_of};
use crate::scenario::{Agents, Scenario};
use std::fmt::Write;

/// The number that customers call.
pub const DID: &str = "+442079460100";
pub const ADMIN: &str = "ada@load.example";
/// The group that customers come to, and the one that takes what is handed on.
const GROUP: &str = "Load";
pub const SECOND: &str = "Second";

/// Agents count from 1.
pub fn email(agent: u32) -> String {
    format!("load{agent}@load.example")
}

/// `password_env` names the variable of everybody's password; without one nobody can log in.
pub fn floor(scenario: &Scenario, places: Places, password_env: Option<&str>) -> String {
    let Agents { kind, count, second, record, .. } = scenario.agents;
    let password = password_env.map_or_else(String::new, |name| format!("password_env = \"{name}\"\n"));
    // Nobody who waits is sent away, and nobody is set busy: what fails is the switch's.
    let group = |name: &str| {
        format!(
            "[groups.{name}]\nring = \"60s\"\nwrap_up = \"off\"\nmisses = 0\nautomatic_answer = {}\nrecord = {record}\n\n",
            !kind.has_phones()
        )
    };
    let mut text = format!(
        "[settings]\nmask_numbers = false\n\n[trunks.load]\nhosts = [\"{}\"]\noptions_every = \"off\"\n\n{}{}[agents.\"{ADMIN}\"]\nnumber = \"1\"\nname = \"Ada Admin\"\nrole = \"admin\"\n{password}\n[[numbers]]\ndid = \"{DID}\"\ngroup = \"{GROUP}\"\nearly_media = true\n\n",
        places.carrier,
        group(GROUP),
        group(SECOND),
    );
    for agent in 1..=count {
        let group = if agent > count - second { SECOND } else { GROUP };
        let phone = phone_of(agent);
        // Writing to a string does not fail.
        if kind.has_phones() {
            let _ = write!(text, "[phones.{phone}]\nuser = \"{phone}\"\naddr = \"{}\"\n\n", places.phones);
        }
        let _ = write!(
            text,
            "[agents.\"{}\"]\nnumber = \"{}\"\nname = \"Agent {agent}\"\ngroups = [\"{group}\"]\n{password}",
            email(agent),
            10_000 + agent
        );
        if kind.has_phones() {
            let _ = writeln!(text, "phone = \"{phone}\"");
        }
        text.push('\n');
    }
    text
}
