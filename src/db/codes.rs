//! Codes that were sent by SMS (A4) and what one of them allows: a login (A3), a new password (A5), a number for an account (A2, A7).
//!
//! Kept is only a code's hash. A code is used up in the transaction of what it allows, so that it allows it once.

use crate::agents;
use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::{agents as accounts, sms_codes};
use crate::sessions::{self, Session};
use cordboard_core::ids::AgentId;
use diesel::prelude::*;
use std::fmt;

/// How long a code is good for, milliseconds.
const LIFETIME: i64 = 5 * 60_000;
/// How long a number waits for its next code, milliseconds.
const BETWEEN: i64 = 60_000;
/// How many codes one number gets within [`WINDOW`].
const MOST: usize = 5;
/// Milliseconds.
const WINDOW: i64 = 60 * 60_000;
/// So many wrong tries burn a code.
pub const TRIES: i32 = 5;

/// A code by its row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeId(i64);

/// What a code was asked for; it is good for nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeFor {
    Login,
    Recovery,
    /// The number is to be this agent's.
    Binding(AgentId),
}

impl fmt::Display for CodeFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login => f.write_str("login"),
            Self::Recovery => f.write_str("recovery"),
            Self::Binding(agent) => write!(f, "binding {agent}"),
        }
    }
}

/// Why a number gets no code now; `wait` is milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// The one before was sent less than a minute ago.
    TooSoon { wait: i64 },
    /// It had its codes of this hour.
    TooMany { wait: i64 },
}

/// What a code is held against.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tried {
    /// There is no code for this number: never sent, too old, or used.
    Nothing,
    /// It was tried too often.
    Burned,
    /// This try is counted; `last` = after it the code is burned.
    Against { code: CodeId, hash: String, last: bool },
}

/// How a new agent completes the account (A2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// The code that was sent to this number; none = the account has its number already.
    pub bind: Option<(CodeId, String)>,
    /// None = the one that the admin chose stays.
    pub nickname: Option<String>,
    pub password_hash: String,
}

impl Db {
    /// Enters a code that is about to be sent; [`Db::forget_code`] takes it back.
    pub fn enter_code(&self, mobile: &str, purpose: CodeFor, hash: &str, now: i64) -> Result<Result<CodeId, Held>, DbError> {
        self.transaction(|c| {
            diesel::delete(sms_codes::table.filter(sms_codes::sent_at.le(now - WINDOW))).execute(c)?;
            let own = || sms_codes::table.filter(sms_codes::mobile.eq(mobile));
            let sent: Vec<i64> = own().order(sms_codes::sent_at.desc()).select(sms_codes::sent_at).load(c)?;
            if let Some(latest) = sent.first().filter(|latest| now - **latest < BETWEEN) {
                return Ok(Err(Held::TooSoon { wait: latest + BETWEEN - now }));
            }
            if let Some(oldest) = sent.get(MOST - 1) {
                return Ok(Err(Held::TooMany { wait: oldest + WINDOW - now }));
            }
            diesel::insert_into(sms_codes::table)
                .values((
                    sms_codes::mobile.eq(mobile),
                    sms_codes::purpose.eq(purpose.to_string()),
                    sms_codes::code_hash.eq(hash),
                    sms_codes::sent_at.eq(now),
                    sms_codes::tries.eq(0),
                    sms_codes::used.eq(false),
                ))
                .execute(c)?;
            Ok(Ok(CodeId(own().order(sms_codes::id.desc()).select(sms_codes::id).first(c)?)))
        })
    }

    /// The code could not be sent: as if it had never been asked for.
    pub fn forget_code(&self, code: CodeId) -> Result<(), DbError> {
        self.run(|c| {
            diesel::delete(sms_codes::table.find(code.0)).execute(c)?;
            Ok(())
        })
    }

    /// Counts a try at the latest code that this number got for this purpose.
    pub fn try_code(&self, mobile: &str, purpose: CodeFor, now: i64) -> Result<Tried, DbError> {
        self.transaction(|c| {
            let latest: Option<(i64, String, i64, i32, bool)> = sms_codes::table
                .filter(sms_codes::mobile.eq(mobile))
                .filter(sms_codes::purpose.eq(purpose.to_string()))
                .order(sms_codes::id.desc())
                .select((sms_codes::id, sms_codes::code_hash, sms_codes::sent_at, sms_codes::tries, sms_codes::used))
                .first(c)
                .optional()?;
            let Some((id, hash, sent_at, tries, used)) = latest else { return Ok(Tried::Nothing) };
            if used || now - sent_at >= LIFETIME {
                return Ok(Tried::Nothing);
            }
            if tries >= TRIES {
                return Ok(Tried::Burned);
            }
            diesel::update(sms_codes::table.find(id)).set(sms_codes::tries.eq(tries + 1)).execute(c)?;
            Ok(Tried::Against { code: CodeId(id), hash, last: tries + 1 == TRIES })
        })
    }

    /// A try that was right and is to be made again with a choice is not counted.
    pub fn give_try_back(&self, code: CodeId) -> Result<(), DbError> {
        self.run(|c| {
            diesel::update(sms_codes::table.find(code.0)).set(sms_codes::tries.eq(sms_codes::tries - 1)).execute(c)?;
            Ok(())
        })
    }

    /// A login by this code (A3); none when the code was used meanwhile.
    pub fn create_session_by_code(
        &self,
        code: CodeId,
        agent: AgentId,
        token: &str,
        now: i64,
        expires_at: i64,
    ) -> Result<Option<Session>, DbError> {
        self.transaction(|c| if use_up(c, code)? { sessions::begin(c, agent, token, now, expires_at).map(Some) } else { Ok(None) })
    }

    /// A new password by this code (A5): ends the account's sessions and begins a new one. None when the code was used meanwhile.
    pub fn recover_account(
        &self,
        code: CodeId,
        agent: AgentId,
        hash: &str,
        token: &str,
        now: i64,
        expires_at: i64,
    ) -> Result<Option<Session>, DbError> {
        self.transaction(|c| {
            if !use_up(c, code)? {
                return Ok(None);
            }
            agents::set_password(c, agent, hash, false)?;
            sessions::end_all(c, agent, None)?;
            sessions::begin(c, agent, token, now, expires_at).map(Some)
        })
    }

    /// Completes an account (A2) and ends its other sessions than that of `token`. False when the code was used meanwhile.
    pub fn complete_account(&self, agent: AgentId, completion: &Completion, token: &str) -> Result<bool, DbError> {
        self.transaction(|c| {
            if let Some((code, mobile)) = &completion.bind
                && !bind(c, *code, agent, mobile)?
            {
                return Ok(false);
            }
            if let Some(nickname) = &completion.nickname {
                diesel::update(accounts::table.find(agent.0)).set(accounts::nickname.eq(nickname)).execute(c)?;
            }
            agents::set_password(c, agent, &completion.password_hash, false)?;
            sessions::end_all(c, agent, Some(token))?;
            Ok(true)
        })
    }

    /// Another number for an account (A7). False when the code was used meanwhile.
    pub fn change_mobile(&self, code: CodeId, agent: AgentId, mobile: &str) -> Result<bool, DbError> {
        self.transaction(|c| bind(c, code, agent, mobile))
    }
}

fn bind(c: &mut AnyConnection, code: CodeId, agent: AgentId, mobile: &str) -> Result<bool, DbError> {
    if !use_up(c, code)? {
        return Ok(false);
    }
    diesel::update(accounts::table.find(agent.0)).set(accounts::mobile.eq(mobile)).execute(c)?;
    Ok(true)
}

/// Whether this is the one who uses it.
fn use_up(c: &mut AnyConnection, code: CodeId) -> Result<bool, DbError> {
    let unused = sms_codes::table.filter(sms_codes::id.eq(code.0)).filter(sms_codes::used.eq(false));
    Ok(diesel::update(unused).set(sms_codes::used.eq(true)).execute(c)? == 1)
}
