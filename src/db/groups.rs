//! Skill groups. Their members are the agents' business (`agents`).

use crate::convert::{Column, big, int, name_of};
use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::{group_members, skill_groups};
use cordboard_core::ids::GroupId;
use cordboard_core::setup::{GroupSetup, WayOut, WrapUp};
use diesel::prelude::*;
use std::collections::HashMap;

#[derive(Queryable, Selectable)]
#[diesel(table_name = skill_groups)]
struct Row {
    id: i32,
    name: String,
    strategy: String,
    ring_ms: i64,
    wrap_up_ms: Option<i64>,
    automatic_answer: bool,
    misses: i32,
    last_agent_wait_ms: i64,
    max_wait_ms: Option<i64>,
    max_wait_prompt: Option<String>,
    max_wait_group_id: Option<i32>,
    max_queue: Option<i32>,
    max_queue_prompt: Option<String>,
    max_queue_group_id: Option<i32>,
    no_agent_prompt: Option<String>,
    no_agent_group_id: Option<i32>,
    welcome: Option<String>,
    music: String,
    announce_position_ms: Option<i64>,
    announcement: Option<String>,
    announce_every_ms: i64,
    record: bool,
}

impl Row {
    fn into_setup(self) -> Result<GroupSetup, DbError> {
        let column = |name| Column("skill_groups", name);
        Ok(GroupSetup {
            id: GroupId(self.id),
            strategy: column("strategy").named(&self.strategy)?,
            ring: column("ring_ms").number(self.ring_ms)?,
            wrap_up: match self.wrap_up_ms {
                None => WrapUp::Manual,
                Some(0) => WrapUp::Off,
                Some(time) => WrapUp::Millis(column("wrap_up_ms").number(time)?),
            },
            automatic_answer: self.automatic_answer,
            misses: column("misses").number(self.misses)?,
            last_agent_wait: column("last_agent_wait_ms").number(self.last_agent_wait_ms)?,
            max_wait: self.max_wait_ms.map(|time| column("max_wait_ms").number(time)).transpose()?,
            on_max_wait: way_out(self.max_wait_prompt, self.max_wait_group_id),
            max_queue: self.max_queue.map(|most| column("max_queue").number(most)).transpose()?,
            on_max_queue: way_out(self.max_queue_prompt, self.max_queue_group_id),
            on_no_agent: way_out(self.no_agent_prompt, self.no_agent_group_id),
            announce_position: self.announce_position_ms.map(|time| column("announce_position_ms").number(time)).transpose()?,
            announcement: self.announcement,
            announce_every: column("announce_every_ms").number(self.announce_every_ms)?,
            name: self.name,
            welcome: self.welcome,
            music: self.music,
            record: self.record,
        })
    }
}

fn way_out(prompt: Option<String>, group: Option<i32>) -> WayOut {
    match group {
        Some(group) => WayOut::Group(GroupId(group)),
        None => WayOut::HangUp { prompt },
    }
}

fn way_out_columns(way: &WayOut) -> (Option<&str>, Option<i32>) {
    match way {
        WayOut::HangUp { prompt } => (prompt.as_deref(), None),
        WayOut::Group(group) => (None, Some(group.0)),
    }
}

impl Db {
    /// All groups, by name.
    pub fn groups(&self) -> Result<Vec<GroupSetup>, DbError> {
        self.run(all)
    }
}

pub(crate) fn all(c: &mut AnyConnection) -> Result<Vec<GroupSetup>, DbError> {
    let active = skill_groups::table.filter(skill_groups::active.eq(true));
    let rows: Vec<Row> = active.order(skill_groups::name).select(Row::as_select()).load(c)?;
    rows.into_iter().map(Row::into_setup).collect()
}

/// The active groups' ids by name, also of those only just claimed.
pub(crate) fn all_ids(c: &mut AnyConnection) -> Result<HashMap<String, GroupId>, DbError> {
    let active = skill_groups::table.filter(skill_groups::active.eq(true));
    let rows: Vec<(String, i32)> = active.select((skill_groups::name, skill_groups::id)).load(c)?;
    Ok(rows.into_iter().map(|(name, id)| (name, GroupId(id))).collect())
}

/// The id for this name: the group's own, or that of one that was removed and comes back with its history, or a new one.
/// The group is active afterwards; [`save`] must follow.
pub(crate) fn claim(c: &mut AnyConnection, name: &str) -> Result<GroupId, DbError> {
    let named = skill_groups::table.filter(skill_groups::name.eq(name));
    let latest = named.order((skill_groups::active.desc(), skill_groups::id.desc())).select(skill_groups::id);
    if let Some(id) = latest.first::<i32>(c).optional()? {
        diesel::update(skill_groups::table.find(id)).set(skill_groups::active.eq(true)).execute(c)?;
        return Ok(GroupId(id));
    }
    diesel::insert_into(skill_groups::table)
        .values((
            skill_groups::name.eq(name),
            skill_groups::active.eq(true),
            skill_groups::strategy.eq(""),
            skill_groups::ring_ms.eq(0_i64),
            skill_groups::automatic_answer.eq(false),
            skill_groups::misses.eq(0),
            skill_groups::last_agent_wait_ms.eq(0_i64),
            skill_groups::music.eq(""),
            skill_groups::announce_every_ms.eq(0_i64),
            skill_groups::record.eq(false),
        ))
        .execute(c)?;
    Ok(GroupId(latest.first(c)?))
}

/// Writes the group with this id.
pub(crate) fn save(c: &mut AnyConnection, group: &GroupSetup) -> Result<(), DbError> {
    let (max_wait_prompt, max_wait_group) = way_out_columns(&group.on_max_wait);
    let (max_queue_prompt, max_queue_group) = way_out_columns(&group.on_max_queue);
    let (no_agent_prompt, no_agent_group) = way_out_columns(&group.on_no_agent);
    let wrap_up = match group.wrap_up {
        WrapUp::Off => Some(0),
        WrapUp::Millis(time) => Some(big(time)),
        WrapUp::Manual => None,
    };
    diesel::update(skill_groups::table.find(group.id.0))
        .set((
            skill_groups::name.eq(&group.name),
            skill_groups::strategy.eq(name_of(group.strategy)),
            skill_groups::ring_ms.eq(big(group.ring)),
            skill_groups::wrap_up_ms.eq(wrap_up),
            skill_groups::automatic_answer.eq(group.automatic_answer),
            skill_groups::misses.eq(int(group.misses)),
            skill_groups::last_agent_wait_ms.eq(big(group.last_agent_wait)),
            (
                skill_groups::max_wait_ms.eq(group.max_wait.map(big)),
                skill_groups::max_wait_prompt.eq(max_wait_prompt),
                skill_groups::max_wait_group_id.eq(max_wait_group),
                skill_groups::max_queue.eq(group.max_queue.map(int)),
                skill_groups::max_queue_prompt.eq(max_queue_prompt),
                skill_groups::max_queue_group_id.eq(max_queue_group),
                skill_groups::no_agent_prompt.eq(no_agent_prompt),
                skill_groups::no_agent_group_id.eq(no_agent_group),
            ),
            skill_groups::welcome.eq(&group.welcome),
            skill_groups::music.eq(&group.music),
            skill_groups::announce_position_ms.eq(group.announce_position.map(big)),
            skill_groups::announcement.eq(&group.announcement),
            skill_groups::announce_every_ms.eq(big(group.announce_every)),
            skill_groups::record.eq(group.record),
        ))
        .execute(c)?;
    Ok(())
}

/// Takes the group out of use: it has no members and leads nowhere, but records still name it.
pub(crate) fn retire(c: &mut AnyConnection, group: GroupId) -> Result<(), DbError> {
    diesel::delete(group_members::table.filter(group_members::group_id.eq(group.0))).execute(c)?;
    diesel::update(skill_groups::table.find(group.0))
        .set((
            skill_groups::active.eq(false),
            skill_groups::max_wait_group_id.eq(None::<i32>),
            skill_groups::max_queue_group_id.eq(None::<i32>),
            skill_groups::no_agent_group_id.eq(None::<i32>),
        ))
        .execute(c)?;
    Ok(())
}
