//! Who last served which caller, as the switch keeps it in memory (C3).

use crate::error::DbError;
use crate::pool::Db;
use crate::schema::{calls, service_records};
use cordboard_core::ids::{AgentId, GroupId};
use cordboard_core::outcome::CallStatus;
use diesel::prelude::*;

impl Db {
    /// Caller, group and agent of the newest `most` conversations, oldest first: the last word on a caller and a group is the newest.
    pub fn last_served(&self, most: usize) -> Result<Vec<(String, GroupId, AgentId)>, DbError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows: Vec<(String, Option<i32>, Option<i32>)> = self.run(|c| {
            Ok(service_records::table
                .inner_join(calls::table)
                .filter(service_records::group_id.is_not_null())
                .filter(service_records::agent_id.is_not_null())
                .filter(service_records::status.eq_any(CallStatus::SPOKEN.map(CallStatus::as_str)))
                .order((service_records::at.desc(), service_records::segment.desc()))
                .select((calls::customer, service_records::group_id, service_records::agent_id))
                .limit(most)
                .load(c)?)
        })?;
        Ok(rows.into_iter().rev().filter_map(|(caller, group, agent)| Some((caller, GroupId(group?), AgentId(agent?)))).collect())
    }
}
