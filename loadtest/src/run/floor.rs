//! The floor that a scenario needs, as a file for `cordboard apply` (I6).

use super::engine::{Places, phone_of};
use crate::scenario::{Agents, Scenario, Spread};
use crate::story::CALLED;
use std::fmt::Write;

/// The number that customers call.
pub const DID: &str = "+442079460100";
pub const ADMIN: &str = "ada@load.example";
/// The group that customers come to, and the one that takes what is handed on.
const GROUP: &str = "Load";
pub const SECOND: &str = "Second";
/// The group of those who only call out, and the number that they show (E1).
const CALLERS: &str = "Callers";
const SHOWN: &str = "+442079460102";
/// The flow in which customers press a key, and the result that it becomes (D6).
pub const FLOW: &str = "Choice";
const RESULT: &str = "Key";

/// Agents count from 1.
pub fn email(agent: u32) -> String {
    format!("load{agent}@load.example")
}

/// As the records have it.
pub fn name(agent: u32) -> String {
    format!("Agent {agent}")
}

/// What stands on the record of a call in whose self-service this key was pressed.
pub fn flow_result(key: u8) -> String {
    format!("{FLOW}: {RESULT}={key}")
}

/// `password_env` names the variable of everybody's password; without one nobody can log in.
pub fn floor(scenario: &Scenario, places: Places, password_env: Option<&str>) -> String {
    let Agents { kind, answers_after, count, second, callers, record, self_service, .. } = scenario.agents;
    // Who answers at once in a browser need not be asked.
    let automatic = !kind.has_phones() && answers_after == Spread::Always(0.0);
    let password = password_env.map_or_else(String::new, |name| format!("password_env = \"{name}\"\n"));
    // Nobody who waits is sent away, and nobody is set busy: what fails is the switch's.
    let group = |name: &str| {
        format!("[groups.{name}]\nring = \"60s\"\nwrap_up = \"off\"\nmisses = 0\nautomatic_answer = {automatic}\nrecord = {record}\n\n")
    };
    let mut text = format!(
        "[settings]\nmask_numbers = false\n\n[trunks.load]\nhosts = [\"{}\"]\noptions_every = \"off\"\n\n{}{}[agents.\"{ADMIN}\"]\nnumber = \"1\"\nname = \"Ada Admin\"\nrole = \"admin\"\n{password}\n[[numbers]]\ndid = \"{DID}\"\ngroup = \"{GROUP}\"\nearly_media = true\n\n",
        places.carrier,
        group(GROUP),
        group(SECOND),
    );
    // Writing to a string does not fail.
    if callers > 0 {
        let _ = write!(
            text,
            "[settings.outbound]\nagent = [\"{CALLED}\"]\n\n{}[[numbers]]\ndid = \"{SHOWN}\"\ngroup = \"{CALLERS}\"\n\n",
            group(CALLERS)
        );
    }
    if self_service > 0.0 {
        let keys: Vec<String> = (0..10).map(|key| format!("{key} = \"end\"")).collect();
        // Who presses nothing stays in it.
        let _ = write!(
            text,
            "[flows.{FLOW}]\nstart = \"choose\"\n\n[flows.{FLOW}.nodes.choose]\ntype = \"menu\"\nsounds = [\"please-rate\"]\nkeys = {{ {} }}\nresult = \"{RESULT}\"\nseconds = 60\notherwise = \"choose\"\n\n[flows.{FLOW}.nodes.end]\ntype = \"end\"\n\n",
            keys.join(", ")
        );
    }
    for agent in 1..=scenario.agents.all() {
        let group = match agent {
            _ if agent > count => CALLERS,
            _ if agent > count - second => SECOND,
            _ => GROUP,
        };
        let phone = phone_of(agent);
        if kind.has_phones() {
            let _ = write!(text, "[phones.{phone}]\nuser = \"{phone}\"\naddr = \"{}\"\n\n", places.phones);
        }
        let _ = write!(
            text,
            "[agents.\"{}\"]\nnumber = \"{}\"\nname = \"{}\"\ngroups = [\"{group}\"]\n{password}",
            email(agent),
            10_000 + agent,
            name(agent)
        );
        if kind.has_phones() {
            let _ = writeln!(text, "phone = \"{phone}\"");
        }
        text.push('\n');
    }
    text
}
