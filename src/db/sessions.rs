//! Logins of browsers (A9). A session's token is known to its browser alone: here is only its SHA-256.

use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::{agents, sessions};
use cordboard_core::ids::AgentId;
use diesel::dsl::exists;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

/// Agents of one statement.
const MOST_AT_ONCE: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    pub agent: AgentId,
    /// Goes up by one at each login of the agent.
    pub epoch: i64,
    pub created_at: i64,
    pub last_seen_at: i64,
    pub expires_at: i64,
    /// A later login took over: this session is refused, and its page told so.
    pub stale: bool,
}

fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

impl Db {
    /// A login: begins a session under the agent's next epoch, which makes the agent's other sessions stale.
    /// `token` is at least 128 random bits, as text.
    pub fn create_session(&self, agent: AgentId, token: &str, now: i64, expires_at: i64) -> Result<Session, DbError> {
        self.transaction(|c| begin(c, agent, token, now, expires_at))
    }

    /// The session of this token, unless it is over.
    pub fn session(&self, token: &str, now: i64) -> Result<Option<Session>, DbError> {
        let found: Option<(i32, i64, i64, i64, i64, i64)> = self.run(|c| {
            Ok(sessions::table
                .inner_join(agents::table)
                .filter(sessions::token_hash.eq(digest(token)))
                .filter(sessions::expires_at.gt(now))
                .filter(agents::active.eq(true))
                .select((
                    sessions::agent_id,
                    sessions::epoch,
                    sessions::created_at,
                    sessions::last_seen_at,
                    sessions::expires_at,
                    agents::epoch,
                ))
                .first(c)
                .optional()?)
        })?;
        Ok(found.map(|(agent, epoch, created_at, last_seen_at, expires_at, latest)| Session {
            agent: AgentId(agent),
            epoch,
            created_at,
            last_seen_at,
            expires_at,
            stale: epoch != latest,
        }))
    }

    /// The session was used; it lasts until `expires_at` now.
    pub fn touch_session(&self, token: &str, now: i64, expires_at: i64) -> Result<(), DbError> {
        self.run(|c| {
            diesel::update(sessions::table.find(digest(token)))
                .set((sessions::last_seen_at.eq(now), sessions::expires_at.eq(expires_at)))
                .execute(c)?;
            Ok(())
        })
    }

    /// The latest sessions of these agents are in use, unless they are over; they last until `expires_at` now.
    pub fn touch_sessions_of(&self, in_use: &[AgentId], now: i64, expires_at: i64) -> Result<(), DbError> {
        for some in in_use.chunks(MOST_AT_ONCE) {
            let ids: Vec<i32> = some.iter().map(|agent| agent.0).collect();
            self.run(|c| {
                let latest = agents::table.filter(agents::id.eq(sessions::agent_id)).filter(agents::epoch.eq(sessions::epoch));
                let used =
                    sessions::table.filter(sessions::agent_id.eq_any(&ids)).filter(sessions::expires_at.gt(now)).filter(exists(latest));
                diesel::update(used).set((sessions::last_seen_at.eq(now), sessions::expires_at.eq(expires_at))).execute(c)?;
                Ok(())
            })?;
        }
        Ok(())
    }

    pub fn delete_session(&self, token: &str) -> Result<(), DbError> {
        self.run(|c| {
            diesel::delete(sessions::table.find(digest(token))).execute(c)?;
            Ok(())
        })
    }

    /// Ends the agent's sessions: all, or all but the one that changed the password (A5). How many there were.
    pub fn delete_sessions_of(&self, agent: AgentId, but: Option<&str>) -> Result<usize, DbError> {
        self.run(|c| end_all(c, agent, but))
    }

    /// Ends the agent's sessions up to this epoch (A9).
    pub fn delete_sessions_until(&self, agent: AgentId, epoch: i64) -> Result<(), DbError> {
        self.run(|c| {
            let old = sessions::table.filter(sessions::agent_id.eq(agent.0)).filter(sessions::epoch.le(epoch));
            diesel::delete(old).execute(c)?;
            Ok(())
        })
    }

    /// Forgets sessions that are over. How many there were.
    pub fn delete_expired_sessions(&self, now: i64) -> Result<usize, DbError> {
        self.run(|c| Ok(diesel::delete(sessions::table.filter(sessions::expires_at.le(now))).execute(c)?))
    }
}

pub(crate) fn begin(c: &mut AnyConnection, agent: AgentId, token: &str, now: i64, expires_at: i64) -> Result<Session, DbError> {
    diesel::update(agents::table.find(agent.0)).set(agents::epoch.eq(agents::epoch + 1)).execute(c)?;
    let epoch: i64 = agents::table.find(agent.0).filter(agents::active.eq(true)).select(agents::epoch).first(c)?;
    diesel::insert_into(sessions::table)
        .values((
            sessions::token_hash.eq(digest(token)),
            sessions::agent_id.eq(agent.0),
            sessions::epoch.eq(epoch),
            sessions::created_at.eq(now),
            sessions::last_seen_at.eq(now),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(c)?;
    Ok(Session { agent, epoch, created_at: now, last_seen_at: now, expires_at, stale: false })
}

pub(crate) fn end_all(c: &mut AnyConnection, agent: AgentId, but: Option<&str>) -> Result<usize, DbError> {
    let kept = but.map(digest).unwrap_or_default();
    let others = sessions::table.filter(sessions::agent_id.eq(agent.0)).filter(sessions::token_hash.ne(kept));
    Ok(diesel::delete(others).execute(c)?)
}
