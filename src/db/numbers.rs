//! Numbers (DIDs) and where their calls go.

use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::numbers;
use cordboard_core::ids::{GroupId, TrunkId};
use cordboard_core::setup::NumberSetup;
use diesel::prelude::*;

impl Db {
    /// All numbers, in order of their digits.
    pub fn numbers(&self) -> Result<Vec<NumberSetup>, DbError> {
        self.run(all)
    }
}

pub(crate) fn all(c: &mut AnyConnection) -> Result<Vec<NumberSetup>, DbError> {
    let rows: Vec<(String, Option<i32>, i32, bool)> = numbers::table
        .order((numbers::did, numbers::id))
        .select((numbers::did, numbers::trunk_id, numbers::group_id, numbers::early_media))
        .load(c)?;
    Ok(rows
        .into_iter()
        .map(|(did, trunk, group, early_media)| NumberSetup { did, trunk: trunk.map(TrunkId), group: GroupId(group), early_media })
        .collect())
}

/// Writes the number with these digits and this trunk.
pub(crate) fn save(c: &mut AnyConnection, number: &NumberSetup) -> Result<(), DbError> {
    delete(c, &number.did, number.trunk)?;
    diesel::insert_into(numbers::table)
        .values((
            numbers::did.eq(&number.did),
            numbers::trunk_id.eq(number.trunk.map(|trunk| trunk.0)),
            numbers::group_id.eq(number.group.0),
            numbers::early_media.eq(number.early_media),
        ))
        .execute(c)?;
    Ok(())
}

pub(crate) fn delete(c: &mut AnyConnection, did: &str, trunk: Option<TrunkId>) -> Result<(), DbError> {
    let these = numbers::table.filter(numbers::did.eq(did));
    match trunk {
        Some(trunk) => diesel::delete(these.filter(numbers::trunk_id.eq(trunk.0))).execute(c)?,
        None => diesel::delete(these.filter(numbers::trunk_id.is_null())).execute(c)?,
    };
    Ok(())
}
