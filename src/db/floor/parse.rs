//! Reads a floor file, and says everything that is wrong with it at once.

use super::source::Source;
use super::{Agent, Blocked, Disposition, Floor, FloorError, Flow, Group, Number, Phone, Trunk, WayOut, default, duration, lists};
use crate::settings::{Crm, Settings};
use cordboard_core::blocklist::plain;
use cordboard_core::flow::{self, Mistake};
use cordboard_core::group::ANNOUNCE_AT_LEAST;
use cordboard_core::outbound::clean;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use toml::de::DeValue;

const SECTIONS: [&str; 9] = ["settings", "trunks", "phones", "groups", "agents", "flows", "numbers", "dispositions", "blocklist"];

/// The floor that `text` describes, or all its mistakes in order of lines.
pub fn parse(text: &str) -> Result<Floor, Vec<FloorError>> {
    let (source, mut errors) = Source::read(text);
    for (key, _) in source.root() {
        if !SECTIONS.contains(&key.get_ref().as_ref()) {
            let message = format!("unknown section; expected one of {}", SECTIONS.join(", "));
            errors.push(source.error_at(key.span(), key.get_ref().to_string(), message));
        }
    }
    let mut floor = Floor {
        settings: settings(&source, &mut errors),
        trunks: tables::<Trunk>(&source, "trunks", &mut errors),
        phones: tables::<Phone>(&source, "phones", &mut errors),
        groups: tables::<Group>(&source, "groups", &mut errors),
        agents: tables::<Agent>(&source, "agents", &mut errors),
        flows: tables::<Flow>(&source, "flows", &mut errors),
        numbers: Vec::new(),
        dispositions: Vec::new(),
        blocklist: None,
    };
    let numbers = array::<Number>(&source, "numbers", &mut errors).unwrap_or_default();
    let dispositions = array::<Disposition>(&source, "dispositions", &mut errors).unwrap_or_default();
    let blocklist = array::<Blocked>(&source, "blocklist", &mut errors);
    // What a broken entry defines is still there to be referred to.
    let mut check = Check { source: &source, errors, names: HashMap::new() };
    for section in ["trunks", "phones", "groups"] {
        let names = check.source.entries(section, &mut Vec::new()).into_iter().map(|(name, _)| name).collect();
        check.names.insert(section, names);
    }
    check.settings(&floor.settings);
    check.trunks(&floor.trunks);
    check.sip_hosts(&floor.settings.outbound.sip_hosts, &floor.trunks);
    check.phones(&mut floor.phones);
    check.groups(&floor.groups);
    floor.agents = check.agents(floor.agents);
    check.flows(&floor.flows);
    floor.numbers = check.numbers(numbers);
    floor.dispositions = check.dispositions(dispositions);
    floor.blocklist = blocklist.map(|entries| check.blocklist(entries));
    let mut errors = check.errors;
    if errors.is_empty() {
        return Ok(floor);
    }
    errors.sort_by_key(|error| error.line);
    errors.dedup();
    Err(errors)
}

fn settings(source: &Source<'_>, errors: &mut Vec<FloorError>) -> Settings {
    let found = source.root().iter().find(|(key, _)| key.get_ref() == "settings");
    found.and_then(|(_, value)| source.value("settings", value, errors)).unwrap_or_default()
}

fn tables<T: DeserializeOwned>(source: &Source<'_>, section: &'static str, errors: &mut Vec<FloorError>) -> BTreeMap<String, T> {
    let mut all = BTreeMap::new();
    for (name, value) in source.entries(section, errors) {
        if let Some(value) = source.value(&format!("{section}.{name}"), &value, errors) {
            all.insert(name, value);
        }
    }
    all
}

/// The entries of an array with their places in the file; none when there is no such array.
fn array<T: DeserializeOwned>(source: &Source<'_>, section: &'static str, errors: &mut Vec<FloorError>) -> Option<Vec<(String, T)>> {
    let (key, value) = source.root().iter().find(|(key, _)| key.get_ref() == section)?;
    let DeValue::Array(items) = value.get_ref() else {
        errors.push(source.error_at(key.span(), section.to_owned(), format!("expected entries that begin with [[{section}]]")));
        return None;
    };
    let read = |(index, item)| {
        let index: usize = index;
        Some((index.to_string(), source.value(&format!("{section}.{index}"), item, errors)?))
    };
    Some(items.iter().enumerate().filter_map(read).collect())
}

/// Digits with a leading + when it is international; what people put between them is left out.
fn did(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    (1..=32).contains(&digits.len()).then_some(())?;
    digits.bytes().all(|b| b.is_ascii_digit()).then_some(plain)
}

/// Everything that one entry alone cannot tell.
struct Check<'a, 'i> {
    source: &'a Source<'i>,
    errors: Vec<FloorError>,
    names: HashMap<&'static str, HashSet<String>>,
}

impl Check<'_, '_> {
    fn fail(&mut self, path: &[&str], message: impl Into<String>) {
        self.errors.push(self.source.error(path, message.into()));
    }

    fn exists(&mut self, section: &'static str, name: &str, path: &[&str]) {
        if !self.names.get(section).is_some_and(|names| names.contains(name)) {
            self.fail(path, format!("there is no {name:?} in [{section}]"));
        }
    }

    fn settings(&mut self, settings: &Settings) {
        let rules = &settings.outbound;
        for (role, prefixes) in [("agent", &rules.agent), ("supervisor", &rules.supervisor), ("admin", &rules.admin)] {
            for prefix in prefixes.iter().filter(|prefix| !prefix.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit())) {
                self.fail(&["settings", "outbound", role], format!("{prefix:?} is not the beginning of a telephone number"));
            }
        }
        let path = ["settings", "break_reasons"];
        let mut seen = HashSet::new();
        for reason in &settings.break_reasons {
            if reason.trim().is_empty() {
                self.fail(&path, "a break reason needs a text");
            } else if !seen.insert(reason) {
                self.fail(&path, format!("{reason:?} stands here twice"));
            }
        }
        self.limit(&["settings", "keep_recordings"], settings.keep_recordings);
        if let Some(Err(why)) = settings.crm.as_ref().map(Crm::origin) {
            self.fail(&["settings", "crm", "url"], why);
        }
    }

    fn trunks(&mut self, trunks: &BTreeMap<String, Trunk>) {
        let mut owner = HashMap::new();
        for (name, trunk) in trunks {
            self.named("trunks", name);
            let path = ["trunks", name, "hosts"];
            if trunk.hosts.is_empty() {
                self.fail(&path, "a trunk needs at least one address");
            }
            for host in &trunk.hosts {
                if let Some(other) = owner.insert((*host, trunk.transport), name) {
                    self.fail(&path, format!("{host} is already trunk {other:?}'s"));
                }
            }
            for (key, limit) in [("max_channels", trunk.max_channels), ("max_calls_per_second", trunk.max_calls_per_second)] {
                self.limit(&["trunks", name, key], limit);
            }
            for rule in &trunk.outcomes {
                let conditions = [rule.cause.is_some(), rule.status.is_some(), rule.text.is_some()];
                if conditions.iter().filter(|given| **given).count() != 1 {
                    self.fail(&["trunks", name, "outcomes"], "expected one of cause, status and text in each rule");
                }
            }
        }
    }

    /// What goes out by a carrier goes by its guards (E6).
    fn sip_hosts(&mut self, hosts: &[IpAddr], trunks: &BTreeMap<String, Trunk>) {
        for host in hosts {
            if let Some((name, _)) = trunks.iter().find(|(_, trunk)| trunk.hosts.iter().any(|addr| addr.ip() == *host)) {
                self.fail(
                    &["settings", "outbound", "sip_hosts"],
                    format!("{host} is trunk {name:?}'s: it is called by numbers, under their limits"),
                );
            }
        }
    }

    /// A phone that is always somewhere gets its transport.
    fn phones(&mut self, phones: &mut BTreeMap<String, Phone>) {
        let mut users = HashMap::new();
        for (name, phone) in phones {
            self.named("phones", name);
            match (phone.addr, phone.register) {
                (Some(_), true) => self.fail(&["phones", name, "register"], "expected addr or register = true, not both"),
                (None, false) => self.fail(&["phones", name], "expected an addr, where the phone always is, or register = true"),
                (Some(_), false) => {
                    phone.transport.get_or_insert_with(default::transport);
                    for (key, is_there) in [("password_env", phone.password_env.is_some()), ("md5", phone.md5)] {
                        if is_there {
                            self.fail(&["phones", name, key], "only a phone that registers has this");
                        }
                    }
                }
                (None, true) => {
                    if phone.transport.is_some() {
                        self.fail(&["phones", name, "transport"], "a phone that registers is called by the transport it registered with");
                    }
                    if let Some(other) = users.insert(phone.user.clone(), name.clone()) {
                        self.fail(&["phones", name, "user"], format!("{:?} is already phone {other:?}'s", phone.user));
                    }
                }
            }
            phone.password_line = self.source.line(&["phones", name, "password_env"]);
            if phone.user.is_empty() || phone.user.contains(|c: char| c.is_whitespace() || c.is_control() || "@<>;:".contains(c)) {
                self.fail(&["phones", name, "user"], "expected the user part of a SIP address");
            }
        }
    }

    fn groups(&mut self, groups: &BTreeMap<String, Group>) {
        for (name, group) in groups {
            self.named("groups", name);
            self.limit(&["groups", name, "max_queue"], group.max_queue);
            self.text(&["groups", name, "music"], &group.music);
            for (key, sound) in [("welcome", &group.welcome), ("announcement", &group.announcement)] {
                sound.iter().for_each(|sound| self.text(&["groups", name, key], sound));
            }
            for (key, every) in [("announce_position", group.announce_position), ("announce_every", Some(group.announce_every))] {
                if every.is_some_and(|every| every < ANNOUNCE_AT_LEAST) {
                    let least = duration::text(ANNOUNCE_AT_LEAST);
                    self.fail(&["groups", name, key], format!("expected at least {least:?}: callers are to hear more than announcements"));
                }
            }
            for (key, way) in
                [("on_max_wait", &group.on_max_wait), ("on_max_queue", &group.on_max_queue), ("on_no_agent", &group.on_no_agent)]
            {
                self.way_out(name, key, way);
            }
        }
    }

    fn way_out(&mut self, name: &str, key: &str, way: &WayOut) {
        let path = ["groups", name, key];
        match (&way.group, &way.prompt) {
            (Some(_), Some(_)) => self.fail(&path, "expected a prompt or a group, not both"),
            (Some(group), None) if group == name => self.fail(&path, "a group cannot be its own way out"),
            (Some(group), None) => self.exists("groups", group, &["groups", name, key, "group"]),
            (None, Some(prompt)) => self.text(&["groups", name, key, "prompt"], prompt),
            (None, None) => {}
        }
    }

    /// The same agents by their address in lower case, with their groups in order.
    fn agents(&mut self, agents: BTreeMap<String, Agent>) -> BTreeMap<String, Agent> {
        let mut all = BTreeMap::new();
        let (mut numbers, mut phones) = (HashMap::new(), HashMap::new());
        for (key, mut agent) in agents {
            let email = key.trim().to_lowercase();
            if !email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
                || email.contains(|c: char| c.is_whitespace() || c.is_control())
            {
                self.fail(&["agents", &key], "expected an e-mail address");
            }
            self.text(&["agents", &key, "name"], &agent.name);
            if let Some(nickname) = &agent.nickname {
                self.text(&["agents", &key, "nickname"], nickname);
            }
            if agent.number.is_empty() || !agent.number.bytes().all(|b| b.is_ascii_digit()) {
                self.fail(&["agents", &key, "number"], "expected digits");
            } else if let Some(other) = numbers.insert(agent.number.clone(), email.clone()) {
                self.fail(&["agents", &key, "number"], format!("{} is already {other}'s", agent.number));
            }
            agent.groups.sort();
            let mut seen = HashSet::new();
            for member in &agent.groups {
                let path = ["agents", &key, "groups"];
                self.exists("groups", &member.group, &path);
                if !seen.insert(&member.group) {
                    self.fail(&path, format!("{:?} stands here twice", member.group));
                }
            }
            if let Some(phone) = &agent.phone {
                self.exists("phones", phone, &["agents", &key, "phone"]);
                if let Some(other) = phones.insert(phone.clone(), email.clone()) {
                    self.fail(&["agents", &key, "phone"], format!("{phone:?} is already {other}'s"));
                }
            }
            agent.password_line = self.source.line(&["agents", &key, "password_env"]);
            if all.insert(email.clone(), agent).is_some() {
                self.fail(&["agents", &key], format!("{email} is there twice"));
            }
        }
        all
    }

    /// Each mistake at its node.
    fn flows(&mut self, flows: &BTreeMap<String, Flow>) {
        for (name, flow) in flows {
            self.named("flows", name);
            for Mistake { node, message } in flow::check(&flow.definition()) {
                match &node {
                    Some(node) => self.fail(&["flows", name, "nodes", node], message),
                    None => self.fail(&["flows", name], message),
                }
            }
        }
    }

    fn numbers(&mut self, numbers: Vec<(String, Number)>) -> Vec<Number> {
        let mut all: BTreeMap<(String, Option<String>), Number> = BTreeMap::new();
        for (index, mut number) in numbers {
            match did(&number.did) {
                Some(plain) => number.did = plain,
                None => self.fail(&["numbers", &index, "did"], format!("{:?} is not a telephone number", number.did)),
            }
            self.exists("groups", &number.group, &["numbers", &index, "group"]);
            if let Some(trunk) = &number.trunk {
                self.exists("trunks", trunk, &["numbers", &index, "trunk"]);
            }
            let title = number.title();
            if all.insert((number.did.clone(), number.trunk.clone()), number).is_some() {
                self.fail(&["numbers", &index, "did"], format!("{title} is there twice"));
            }
        }
        all.into_values().collect()
    }

    fn dispositions(&mut self, entries: Vec<(String, Disposition)>) -> Vec<Disposition> {
        let mut seen = HashSet::new();
        for (index, entry) in &entries {
            self.text(&["dispositions", index, "name"], &entry.name);
            if !seen.insert(entry.name.clone()) {
                self.fail(&["dispositions", index, "name"], format!("{:?} stands here twice", entry.name));
            }
        }
        entries.into_iter().map(|(_, entry)| entry).collect()
    }

    fn blocklist(&mut self, entries: Vec<(String, Blocked)>) -> Vec<Blocked> {
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for (index, mut entry) in entries {
            match clean(&entry.number) {
                Ok(number) => entry.number = number,
                Err(_) => self.fail(&["blocklist", &index, "number"], format!("{:?} is not a telephone number", entry.number)),
            }
            match entry.until() {
                Ok(until) => entry.expires = until.and_then(lists::moment),
                Err(_) => self.fail(&["blocklist", &index, "expires"], "expected a moment with its offset, such as 2026-12-24T18:00:00Z"),
            }
            if entry.note.contains(char::is_control) {
                self.fail(&["blocklist", &index, "note"], "expected a text of one line");
            }
            if !seen.insert((plain(&entry.number).map(str::to_owned), entry.prefix)) {
                self.fail(&["blocklist", &index, "number"], format!("{} is there twice", entry.title()));
            }
            all.push(entry);
        }
        all
    }

    fn named(&mut self, section: &'static str, name: &str) {
        if name.trim().is_empty() || name.contains(char::is_control) {
            self.fail(&[section, name], "expected a name");
        }
    }

    fn text(&mut self, path: &[&str], text: &str) {
        if text.trim().is_empty() || text.contains(char::is_control) {
            self.fail(path, "expected a text");
        }
    }

    fn limit(&mut self, path: &[&str], limit: Option<u32>) {
        if limit == Some(0) {
            self.fail(path, "expected at least 1; leave it out for no limit");
        }
    }
}
