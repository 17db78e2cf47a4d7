//! Every change of an agent's state, with its time and reason (B5).

use crate::error::DbError;
use crate::pool::Db;
use crate::schema::agent_states;
use cordboard_core::ids::AgentId;
use diesel::prelude::*;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateChange {
    pub agent: AgentId,
    /// As the agent's actor names it.
    pub state: String,
    /// The break reason; or why the switch did it (B4).
    pub reason: Option<String>,
    pub at: i64,
}

impl Db {
    /// Appends changes, in their order.
    pub fn add_agent_states(&self, changes: &[StateChange]) -> Result<(), DbError> {
        let rows: Vec<_> = changes
            .iter()
            .map(|change| {
                (
                    agent_states::agent_id.eq(change.agent.0),
                    agent_states::state.eq(&change.state),
                    agent_states::reason.eq(&change.reason),
                    agent_states::at.eq(change.at),
                )
            })
            .collect();
        self.run(|c| {
            on_each!(c, c => diesel::insert_into(agent_states::table).values(&rows).execute(c))?;
            Ok(())
        })
    }

    /// The agent's states that held at some time in `from..to`, oldest first: the first may have begun before `from`.
    pub fn agent_states(&self, agent: AgentId, from: i64, to: i64) -> Result<Vec<StateChange>, DbError> {
        let own = agent_states::table.filter(agent_states::agent_id.eq(agent.0));
        let columns = (agent_states::state, agent_states::reason, agent_states::at);
        let rows: Vec<(String, Option<String>, i64)> = self.run(|c| {
            let before = own.filter(agent_states::at.lt(from)).order((agent_states::at.desc(), agent_states::id.desc()));
            let mut rows: Vec<_> = before.select(columns).first(c).optional()?.into_iter().collect();
            let within = own.filter(agent_states::at.ge(from)).filter(agent_states::at.lt(to));
            rows.extend(within.order((agent_states::at, agent_states::id)).select(columns).load(c)?);
            Ok(rows)
        })?;
        Ok(rows.into_iter().map(|(state, reason, at)| StateChange { agent, state, reason, at }).collect())
    }
}
