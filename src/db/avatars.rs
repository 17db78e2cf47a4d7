//! Agents' pictures, and what else they say of themselves (A7).

use crate::convert::Column;
use crate::error::DbError;
use crate::pool::Db;
use crate::schema::{agents, avatars};
use cordboard_core::ids::AgentId;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageKind {
    Png,
    Jpeg,
    Webp,
}

impl ImageKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Avatar {
    pub kind: ImageKind,
    pub image: Vec<u8>,
}

impl Db {
    pub fn avatar(&self, agent: AgentId) -> Result<Option<Avatar>, DbError> {
        let row: Option<(String, Vec<u8>)> =
            self.run(|c| Ok(avatars::table.find(agent.0).select((avatars::kind, avatars::image)).first(c).optional()?))?;
        row.map(|(kind, image)| Ok(Avatar { kind: Column("avatars", "kind").named(&kind)?, image })).transpose()
    }

    /// Sets the picture, or (none) takes it away; `at` tells pages that it is another.
    pub fn set_avatar(&self, agent: AgentId, avatar: Option<&Avatar>, at: i64) -> Result<(), DbError> {
        self.transaction(|c| {
            diesel::delete(avatars::table.find(agent.0)).execute(c)?;
            if let Some(avatar) = avatar {
                diesel::insert_into(avatars::table)
                    .values((avatars::agent_id.eq(agent.0), avatars::kind.eq(avatar.kind.as_str()), avatars::image.eq(&avatar.image)))
                    .execute(c)?;
            }
            diesel::update(agents::table.find(agent.0)).set(agents::avatar_at.eq(avatar.map(|_| at))).execute(c)?;
            Ok(())
        })
    }

    /// The name that customers see; none = the agent's own.
    pub fn set_nickname(&self, agent: AgentId, nickname: Option<&str>) -> Result<(), DbError> {
        self.run(|c| {
            diesel::update(agents::table.find(agent.0)).set(agents::nickname.eq(nickname)).execute(c)?;
            Ok(())
        })
    }
}
