//! Everybody on the floor, as colleagues see them and find them (D4, E3).

use crate::wire::AgentState;
use cordboard_core::ids::{AgentId, GroupId};
use cordboard_db::{Account, Role};
use std::collections::HashMap;

/// Longest search, in characters.
pub const LONGEST_SEARCH: usize = 100;

#[derive(Default)]
pub struct Colleagues {
    people: HashMap<AgentId, Person>,
    present: HashMap<GroupId, Present>,
}

/// An agent as colleagues see them.
pub struct Person {
    pub name: String,
    pub role: Role,
    pub number: String,
    pub email: String,
    pub groups: Vec<GroupId>,
    pub doing: Doing,
    /// The bound number: nobody is shown it.
    mobile: Option<String>,
    /// What a search looks at, in small letters.
    searched: String,
}

/// What an agent does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doing {
    pub state: AgentState,
    /// A group's next caller would ring here at once.
    pub idle: bool,
    /// The workstation is lost, for less than the grace time (B3).
    pub away: bool,
}

/// How many of a group's agents are not offline, and how many would be rung at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Present {
    pub online: u32,
    pub idle: u32,
}

impl Colleagues {
    pub fn get(&self, agent: AgentId) -> Option<&Person> {
        self.people.get(&agent)
    }

    pub fn present(&self, group: GroupId) -> Present {
        self.present.get(&group).copied().unwrap_or_default()
    }

    /// The floor says this of the agent; what a known one does stays as it was.
    pub fn meet(&mut self, account: &Account, name_of: impl Fn(GroupId) -> String) {
        let setup = &account.setup;
        let groups: Vec<GroupId> = setup.groups.iter().map(|membership| membership.group).collect();
        let mut words = vec![setup.name.clone(), setup.number.clone(), account.email.clone()];
        words.extend(groups.iter().map(|group| name_of(*group)));
        let known = self.get(setup.id).map(|known| known.doing);
        let person = Person {
            name: setup.name.clone(),
            role: account.role,
            number: setup.number.clone(),
            email: account.email.clone(),
            groups,
            doing: known.unwrap_or(Doing { state: AgentState::Offline, idle: false, away: false }),
            mobile: account.mobile.clone(),
            searched: words.join("\n").to_lowercase(),
        };
        self.put(setup.id, person);
    }

    fn put(&mut self, agent: AgentId, person: Person) {
        count(&mut self.present, &person.groups, person.doing, |all, one| all + one);
        if let Some(Person { groups, doing, .. }) = self.people.insert(agent, person) {
            count(&mut self.present, &groups, doing, |all, one| all - one);
        }
    }

    /// Forgets who is not on the floor any more.
    pub fn keep(&mut self, is_there: impl Fn(AgentId) -> bool) {
        for (_, Person { groups, doing, .. }) in self.people.extract_if(|agent, _| !is_there(*agent)) {
            count(&mut self.present, &groups, doing, |all, one| all - one);
        }
    }

    /// The agent does something else.
    pub fn see(&mut self, agent: AgentId, doing: Doing) {
        let Some(person) = self.people.get_mut(&agent) else { return };
        let before = std::mem::replace(&mut person.doing, doing);
        if Present::of(before) != Present::of(doing) {
            count(&mut self.present, &person.groups, before, |all, one| all - one);
            count(&mut self.present, &person.groups, doing, |all, one| all + one);
        }
    }

    /// The first `most` by name of those whom the search finds, without `searcher`; and how many more it finds. Each of its words is somewhere in the name,
    /// agent id, e-mail or a group's name.
    pub fn find(&self, search: &str, searcher: AgentId, most: usize) -> (Vec<(AgentId, &Person)>, usize) {
        let search = search.to_lowercase();
        let words: Vec<&str> = search.split_whitespace().collect();
        let means = |person: &Person| words.iter().all(|word| person.searched.contains(word));
        let all = self.people.iter().filter(|(agent, person)| **agent != searcher && means(person));
        let mut found: Vec<(AgentId, &Person)> = all.map(|(agent, person)| (*agent, person)).collect();
        let by_name = |(one, a): &(AgentId, &Person), (other, b): &(AgentId, &Person)| a.name.cmp(&b.name).then(one.cmp(other));
        let beyond = found.len().saturating_sub(most);
        if beyond > 0 {
            // Whole, the list of ten thousand would be long in sorting.
            found.select_nth_unstable_by(most, by_name);
            found.truncate(most);
        }
        found.sort_unstable_by(by_name);
        (found, beyond)
    }
}

/// Puts an agent who does this to the groups' counts, or takes one away.
fn count(present: &mut HashMap<GroupId, Present>, groups: &[GroupId], doing: Doing, put: impl Fn(u32, u32) -> u32) {
    let one = Present::of(doing);
    for group in groups {
        let all = present.entry(*group).or_default();
        *all = Present { online: put(all.online, one.online), idle: put(all.idle, one.idle) };
    }
}

impl Present {
    fn of(doing: Doing) -> Self {
        Self { online: u32::from(doing.state != AgentState::Offline), idle: u32::from(doing.idle) }
    }
}

impl Person {
    /// The mobile, where the agent cannot be called as usual: offline or out of reach, and in no call (E3).
    pub fn mobile_instead(&self) -> Option<&str> {
        let called = match self.doing.state {
            AgentState::Offline => true,
            AgentState::InLine => false,
            AgentState::Available | AgentState::Busy | AgentState::OnBreak | AgentState::AfterCallWork => self.doing.away,
        };
        self.mobile.as_deref().filter(|_| called)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_core::setup::{AgentSetup, DeviceSetup, Membership};
    use cordboard_db::MobileSwitches;

    const SEARCHER: AgentId = AgentId(2014);

    /// Says that the floor has this agent, whose id is the number.
    fn meet(colleagues: &mut Colleagues, name: &str, id: i32, groups: &[i32]) {
        let membership = |group: &i32| Membership { group: GroupId(*group), priority: 0, weight: 0 };
        let setup = AgentSetup {
            id: AgentId(id),
            number: id.to_string(),
            name: name.into(),
            groups: groups.iter().map(membership).collect(),
            automatic_answer: None,
            device: DeviceSetup::Browser,
            mobile: None,
        };
        let account = Account {
            setup,
            email: format!("{}@example", name.to_lowercase().replace(' ', ".")),
            nickname: None,
            role: Role::Agent,
            password_hash: None,
            must_change_password: false,
            mobile: None,
            chosen_state: None,
            epoch: 0,
            created_at: 0,
            avatar_at: None,
            switches: MobileSwitches::default(),
        };
        colleagues.meet(&account, |group| ["", "Orders", "Technical help"][usize::try_from(group.0).unwrap()].into());
    }

    fn does(colleagues: &mut Colleagues, id: i32, state: AgentState) {
        colleagues.see(AgentId(id), Doing { state, idle: state == AgentState::Available, away: false });
    }

    fn floor() -> Colleagues {
        let mut colleagues = Colleagues::default();
        meet(&mut colleagues, "Tom Brandt", 2008, &[1, 2]);
        meet(&mut colleagues, "Li Wei", 2041, &[2]);
        meet(&mut colleagues, "Mei Lin", 2014, &[1]);
        does(&mut colleagues, 2008, AgentState::Busy);
        does(&mut colleagues, 2041, AgentState::Available);
        colleagues
    }

    fn names(colleagues: &Colleagues, search: &str) -> Vec<String> {
        colleagues.find(search, SEARCHER, 10).0.into_iter().map(|(_, person)| person.name.clone()).collect()
    }

    // D4
    #[test]
    fn colleagues_are_found_by_every_word_of_the_search_and_nobody_finds_themselves() {
        let colleagues = floor();
        assert_eq!(names(&colleagues, ""), ["Li Wei", "Tom Brandt"]);
        assert_eq!(names(&colleagues, "technical"), ["Li Wei", "Tom Brandt"]);
        assert_eq!(names(&colleagues, "BRANDT"), ["Tom Brandt"]);
        assert_eq!(names(&colleagues, "2041"), ["Li Wei"]);
        assert_eq!(names(&colleagues, "tom.brandt@"), ["Tom Brandt"]);
        assert_eq!(names(&colleagues, " technical  tom "), ["Tom Brandt"]);
        assert!(names(&colleagues, "mei").is_empty() && names(&colleagues, "nobody").is_empty());
    }

    #[test]
    fn of_many_the_first_by_name_are_shown_and_the_others_counted() {
        let mut colleagues = floor();
        for n in 0..1_000 {
            meet(&mut colleagues, &format!("Agent {n:04}"), 3_000 + n, &[1]);
        }
        let (found, beyond) = colleagues.find("agent", SEARCHER, 3);
        let numbers: Vec<&str> = found.iter().map(|(_, person)| person.number.as_str()).collect();
        assert_eq!((numbers, beyond), (vec!["3000", "3001", "3002"], 997));
        assert_eq!(colleagues.find("0999", SEARCHER, 3).1, 0);
    }

    // D4, I6
    #[test]
    fn who_is_there_is_counted_by_group_as_agents_come_change_and_move() {
        let mut colleagues = floor();
        let present = |colleagues: &Colleagues| [1, 2].map(|group| colleagues.present(GroupId(group)));
        let of = |online, idle| Present { online, idle };
        assert_eq!(present(&colleagues), [of(1, 0), of(2, 1)]);
        does(&mut colleagues, 2008, AgentState::Available);
        assert_eq!(present(&colleagues), [of(1, 1), of(2, 2)]);
        does(&mut colleagues, 2041, AgentState::Offline);
        assert_eq!(present(&colleagues), [of(1, 1), of(1, 1)]);
        // What an agent does stays as it was while the floor changes.
        meet(&mut colleagues, "Tom Brandt", 2008, &[1]);
        assert_eq!(present(&colleagues), [of(1, 1), of(0, 0)]);
        assert_eq!(colleagues.get(AgentId(2008)).unwrap().doing.state, AgentState::Available);
        assert_eq!(colleagues.present(GroupId(9)), Present::default());
        colleagues.keep(|agent| agent != AgentId(2008));
        assert_eq!((present(&colleagues), colleagues.get(AgentId(2008)).is_none()), ([of(0, 0), of(0, 0)], true));
    }
}
