//! Agents' accounts and their places in groups. The account is the e-mail address (A1).

use crate::convert::{Column, name_of};
use crate::error::DbError;
use crate::phones as phone_table;
use crate::pool::{AnyConnection, Db};
use crate::schema::{agents, avatars, group_members, phones, sessions};
use cordboard_core::ids::{AgentId, GroupId};
use cordboard_core::setup::{AgentSetup, DeviceSetup, Membership};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What an account may do (A8); each may do what the ones before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[default]
    Agent,
    Supervisor,
    Admin,
}

/// The state an agent chose last (B1), as its actor names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChosenState {
    pub state: String,
    /// The break reason.
    pub reason: Option<String>,
}

/// An agent's account. Not `Debug`: the password's hash has no place in a log.
#[derive(Clone)]
pub struct Account {
    pub setup: AgentSetup,
    /// In lower case.
    pub email: String,
    /// Shown to customers.
    pub nickname: Option<String>,
    pub role: Role,
    /// Argon2id in PHC form; none = nobody can log in.
    pub password_hash: Option<String>,
    /// The password is the one-time one that was mailed (A1): the account is still to be completed (A2).
    pub must_change_password: bool,
    /// In E.164: for SMS login, recovery and calls to the mobile (A2). Customers never see it.
    pub mobile: Option<String>,
    pub chosen_state: Option<ChosenState>,
    /// Of the latest login (A9); 0 = never logged in.
    pub epoch: i64,
    pub created_at: i64,
    /// When the picture was set (A7); none = there is none.
    pub avatar_at: Option<i64>,
    pub switches: MobileSwitches,
}

/// What an agent uses the bound mobile for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MobileSwitches {
    /// Offers ring it (C7).
    pub answering: bool,
    /// Calls out begin at it (E2).
    pub outbound: bool,
}

/// What an admin decides of an account (A1).
pub(crate) struct NewAccount<'a> {
    pub email: &'a str,
    pub number: &'a str,
    pub name: &'a str,
    pub nickname: Option<&'a str>,
    pub role: Role,
    pub automatic_answer: Option<bool>,
    /// By name; none = the browser rings.
    pub phone: Option<&'a str>,
    pub groups: &'a [Membership],
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = agents)]
struct Row {
    id: i32,
    number: String,
    name: String,
    nickname: Option<String>,
    email: String,
    role: String,
    password_hash: Option<String>,
    must_change_password: bool,
    mobile: Option<String>,
    automatic_answer: Option<bool>,
    chosen_state: Option<String>,
    chosen_reason: Option<String>,
    epoch: i64,
    created_at: i64,
    avatar_at: Option<i64>,
    mobile_answering: bool,
    mobile_outbound: bool,
}

impl Row {
    fn into_account(self, phone: Option<phone_table::Row>, groups: Vec<Membership>) -> Result<Account, DbError> {
        let device = match phone {
            Some(phone) => DeviceSetup::Phone(phone.into_setup()?),
            None => DeviceSetup::Browser,
        };
        Ok(Account {
            role: Column("agents", "role").named(&self.role)?,
            setup: AgentSetup {
                id: AgentId(self.id),
                number: self.number,
                name: self.name,
                groups,
                automatic_answer: self.automatic_answer,
                device,
                // Whoever knows the floor's trunks and numbers says how it is called.
                mobile: None,
            },
            email: self.email,
            nickname: self.nickname,
            password_hash: self.password_hash,
            must_change_password: self.must_change_password,
            mobile: self.mobile,
            chosen_state: self.chosen_state.map(|state| ChosenState { state, reason: self.chosen_reason }),
            epoch: self.epoch,
            created_at: self.created_at,
            avatar_at: self.avatar_at,
            switches: MobileSwitches { answering: self.mobile_answering, outbound: self.mobile_outbound },
        })
    }
}

/// Which accounts to load; never one that was removed.
enum Which<'a> {
    All,
    Id(AgentId),
    Email(&'a str),
    Mobile(&'a str),
}

impl Db {
    /// The account with this address, however it is typed.
    pub fn account_by_email(&self, email: &str) -> Result<Option<Account>, DbError> {
        let email = email.trim().to_lowercase();
        self.run(|c| Ok(load(c, Which::Email(&email))?.pop()))
    }

    pub fn account(&self, agent: AgentId) -> Result<Option<Account>, DbError> {
        self.run(|c| Ok(load(c, Which::Id(agent))?.pop()))
    }

    /// The accounts that this number is bound to (A5), by e-mail address.
    pub fn accounts_by_mobile(&self, mobile: &str) -> Result<Vec<Account>, DbError> {
        self.run(|c| load(c, Which::Mobile(mobile)))
    }

    /// All accounts, by e-mail address.
    pub fn accounts(&self) -> Result<Vec<Account>, DbError> {
        self.run(all)
    }

    /// All agents as the machines need them.
    pub fn agents(&self) -> Result<Vec<AgentSetup>, DbError> {
        Ok(self.accounts()?.into_iter().map(|account| account.setup).collect())
    }

    /// Sets the password's hash. The account's sessions stay; see [`Db::delete_sessions_of`].
    pub fn set_password(&self, agent: AgentId, hash: &str, must_change: bool) -> Result<(), DbError> {
        self.run(|c| set_password(c, agent, hash, must_change))
    }

    /// Sets the switches that are given, and tells what they are then; nothing is switched on while no number is bound (none).
    pub fn switch_mobile(
        &self,
        agent: AgentId,
        answering: Option<bool>,
        outbound: Option<bool>,
    ) -> Result<Option<MobileSwitches>, DbError> {
        self.transaction(|c| {
            let Some(account) = load(c, Which::Id(agent))?.pop() else { return Ok(None) };
            let (is, asked) = (account.switches, [answering, outbound].contains(&Some(true)));
            if asked && account.mobile.is_none() {
                return Ok(None);
            }
            let set = MobileSwitches { answering: answering.unwrap_or(is.answering), outbound: outbound.unwrap_or(is.outbound) };
            diesel::update(agents::table.find(agent.0))
                .set((agents::mobile_answering.eq(set.answering), agents::mobile_outbound.eq(set.outbound)))
                .execute(c)?;
            Ok(Some(set))
        })
    }

    pub fn set_chosen_state(&self, agent: AgentId, chosen: &ChosenState) -> Result<(), DbError> {
        self.run(|c| {
            diesel::update(agents::table.find(agent.0))
                .set((agents::chosen_state.eq(&chosen.state), agents::chosen_reason.eq(&chosen.reason)))
                .execute(c)?;
            Ok(())
        })
    }
}

pub(crate) fn all(c: &mut AnyConnection) -> Result<Vec<Account>, DbError> {
    load(c, Which::All)
}

fn load(c: &mut AnyConnection, which: Which<'_>) -> Result<Vec<Account>, DbError> {
    let mut query = agents::table
        .left_join(phones::table)
        .filter(agents::active.eq(true))
        .order(agents::email)
        .select((Row::as_select(), Option::<phone_table::Row>::as_select()))
        .into_boxed();
    let mut places = group_members::table
        .order((group_members::agent_id, group_members::group_id))
        .select((group_members::agent_id, group_members::group_id, group_members::priority, group_members::weight))
        .into_boxed();
    match which {
        Which::All => {}
        Which::Id(agent) => query = query.filter(agents::id.eq(agent.0)),
        Which::Email(email) => query = query.filter(agents::email.eq(email)),
        Which::Mobile(mobile) => query = query.filter(agents::mobile.eq(mobile)),
    }
    let rows: Vec<(Row, Option<phone_table::Row>)> = query.load(c)?;
    if let [(only, _)] = rows.as_slice() {
        places = places.filter(group_members::agent_id.eq(only.id));
    }
    let mut groups: HashMap<i32, Vec<Membership>> = HashMap::new();
    for (agent, group, priority, weight) in places.load::<(i32, i32, i32, i32)>(c)? {
        groups.entry(agent).or_default().push(Membership { group: GroupId(group), priority, weight });
    }
    rows.into_iter()
        .map(|(row, phone)| {
            let own = groups.remove(&row.id).unwrap_or_default();
            row.into_account(phone, own)
        })
        .collect()
}

pub(crate) fn set_password(c: &mut AnyConnection, agent: AgentId, hash: &str, must_change: bool) -> Result<(), DbError> {
    diesel::update(agents::table.find(agent.0))
        .set((agents::password_hash.eq(hash), agents::must_change_password.eq(must_change)))
        .execute(c)?;
    Ok(())
}

/// An account with this address, in lower case, that was removed comes back with its history; else a new one. Active afterwards.
pub(crate) fn add(c: &mut AnyConnection, account: &NewAccount<'_>, now: i64) -> Result<AgentId, DbError> {
    let removed = agents::table.filter(agents::email.eq(account.email)).filter(agents::active.eq(false));
    let latest: Option<i32> = removed.order(agents::id.desc()).select(agents::id).first(c).optional()?;
    let id = match latest {
        Some(id) => {
            // Under its old number it could meet one that has it now.
            diesel::update(agents::table.find(id)).set((agents::number.eq(account.number), agents::active.eq(true))).execute(c)?;
            id
        }
        None => {
            diesel::insert_into(agents::table)
                .values((
                    agents::email.eq(account.email),
                    agents::number.eq(account.number),
                    agents::name.eq(account.name),
                    agents::role.eq(name_of(account.role)),
                    agents::active.eq(true),
                    agents::must_change_password.eq(false),
                    agents::epoch.eq(0_i64),
                    agents::created_at.eq(now),
                ))
                .execute(c)?;
            let added = agents::table.filter(agents::email.eq(account.email)).filter(agents::active.eq(true));
            added.select(agents::id).first(c)?
        }
    };
    save(c, AgentId(id), account)?;
    Ok(AgentId(id))
}

pub(crate) fn save(c: &mut AnyConnection, agent: AgentId, account: &NewAccount<'_>) -> Result<(), DbError> {
    let phone: Option<i32> = match account.phone {
        Some(name) => Some(phones::table.filter(phones::name.eq(name)).select(phones::id).first(c)?),
        None => None,
    };
    diesel::update(agents::table.find(agent.0))
        .set((
            agents::email.eq(account.email),
            agents::number.eq(account.number),
            agents::name.eq(account.name),
            agents::nickname.eq(account.nickname),
            agents::role.eq(name_of(account.role)),
            agents::automatic_answer.eq(account.automatic_answer),
            agents::phone_id.eq(phone),
        ))
        .execute(c)?;
    diesel::delete(group_members::table.filter(group_members::agent_id.eq(agent.0))).execute(c)?;
    for place in account.groups {
        diesel::insert_into(group_members::table)
            .values((
                group_members::group_id.eq(place.group.0),
                group_members::agent_id.eq(agent.0),
                group_members::priority.eq(place.priority),
                group_members::weight.eq(place.weight),
            ))
            .execute(c)?;
    }
    Ok(())
}

/// Gives up what must be the account's alone, so that several can change theirs in one transaction; [`save`] must follow.
pub(crate) fn let_go_of_names(c: &mut AnyConnection, agent: AgentId) -> Result<(), DbError> {
    let nobody = format!("#{agent}");
    diesel::update(agents::table.find(agent.0)).set((agents::email.eq(&nobody), agents::number.eq(&nobody))).execute(c)?;
    Ok(())
}

/// Takes the account out of use: no login, no group, no phone; records still name the agent.
pub(crate) fn retire(c: &mut AnyConnection, agent: AgentId) -> Result<(), DbError> {
    diesel::delete(sessions::table.filter(sessions::agent_id.eq(agent.0))).execute(c)?;
    diesel::delete(group_members::table.filter(group_members::agent_id.eq(agent.0))).execute(c)?;
    diesel::delete(avatars::table.find(agent.0)).execute(c)?;
    diesel::update(agents::table.find(agent.0))
        .set((
            agents::active.eq(false),
            agents::phone_id.eq(None::<i32>),
            agents::password_hash.eq(None::<String>),
            agents::mobile.eq(None::<String>),
            agents::mobile_answering.eq(false),
            agents::mobile_outbound.eq(false),
            agents::avatar_at.eq(None::<i64>),
        ))
        .execute(c)?;
    Ok(())
}
