//! Accounts that an admin makes one by one (A1), beside those of a floor file.

use crate::agents::{self, NewAccount, Role};
use crate::error::DbError;
use crate::pool::Db;
use crate::schema::{agents as table, sessions, skill_groups};
use cordboard_core::ids::{AgentId, GroupId};
use cordboard_core::setup::Membership;
use diesel::prelude::*;

/// What an admin fills in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountForm {
    /// In lower case.
    pub email: String,
    /// The agent id that people use: digits.
    pub number: String,
    pub name: String,
    pub nickname: Option<String>,
    pub role: Role,
    pub groups: Vec<GroupId>,
}

/// Why an account cannot be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    Email,
    Number,
    /// There is no such group.
    Group(GroupId),
}

impl Db {
    /// Makes an account without a password: nobody can log in before [`Db::set_one_time_password`].
    pub fn create_account(&self, form: &AccountForm, now: i64) -> Result<Result<AgentId, Taken>, DbError> {
        let groups: Vec<_> = form.groups.iter().map(|group| Membership { group: *group, priority: 1, weight: 1 }).collect();
        let account = NewAccount {
            email: &form.email,
            number: &form.number,
            name: &form.name,
            nickname: form.nickname.as_deref(),
            role: form.role,
            automatic_answer: None,
            phone: None,
            groups: &groups,
        };
        self.transaction(|c| {
            let active = || table::table.filter(table::active.eq(true));
            if active().filter(table::email.eq(&form.email)).count().get_result::<i64>(c)? > 0 {
                return Ok(Err(Taken::Email));
            }
            if active().filter(table::number.eq(&form.number)).count().get_result::<i64>(c)? > 0 {
                return Ok(Err(Taken::Number));
            }
            for group in &form.groups {
                let found = skill_groups::table.find(group.0).filter(skill_groups::active.eq(true));
                if found.count().get_result::<i64>(c)? == 0 {
                    return Ok(Err(Taken::Group(*group)));
                }
            }
            agents::add(c, &account, now).map(Ok)
        })
    }

    /// Takes an account out of use: no login, no groups; records still name the agent.
    pub fn remove_account(&self, agent: AgentId) -> Result<(), DbError> {
        self.transaction(|c| agents::retire(c, agent))
    }

    /// Sets a password that must be changed at the first login, and ends the account's sessions (A1).
    pub fn set_one_time_password(&self, agent: AgentId, hash: &str) -> Result<(), DbError> {
        self.transaction(|c| {
            agents::set_password(c, agent, hash, true)?;
            diesel::delete(sessions::table.filter(sessions::agent_id.eq(agent.0))).execute(c)?;
            Ok(())
        })
    }
}
