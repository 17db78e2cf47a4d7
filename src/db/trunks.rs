//! Trunks and their carriers' addresses.

use crate::convert::{Column, big, int, name_of};
use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::{trunk_hosts, trunks};
use cordboard_core::ids::TrunkId;
use cordboard_core::setup::TrunkSetup;
use diesel::prelude::*;
use std::collections::HashMap;

#[derive(Queryable, Selectable)]
#[diesel(table_name = trunks)]
struct Row {
    id: i32,
    name: String,
    transport: String,
    max_channels: Option<i32>,
    max_calls_per_second: Option<i32>,
    options_every_ms: i64,
    max_outbound: Option<i32>,
    max_outbound_a_day: Option<i32>,
    digits: String,
    outcomes: String,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = trunks, treat_none_as_null = true)]
struct Values<'a> {
    name: &'a str,
    transport: String,
    max_channels: Option<i32>,
    max_calls_per_second: Option<i32>,
    options_every_ms: i64,
    max_outbound: Option<i32>,
    max_outbound_a_day: Option<i32>,
    digits: String,
    outcomes: String,
}

impl Db {
    /// All trunks, by name.
    pub fn trunks(&self) -> Result<Vec<TrunkSetup>, DbError> {
        self.run(all)
    }
}

pub(crate) fn all(c: &mut AnyConnection) -> Result<Vec<TrunkSetup>, DbError> {
    let mut hosts: HashMap<i32, Vec<std::net::SocketAddr>> = HashMap::new();
    let addresses: Vec<(i32, String)> = trunk_hosts::table
        .order((trunk_hosts::trunk_id, trunk_hosts::position))
        .select((trunk_hosts::trunk_id, trunk_hosts::addr))
        .load(c)?;
    for (trunk, addr) in addresses {
        hosts.entry(trunk).or_default().push(Column("trunk_hosts", "addr").parsed(&addr)?);
    }
    let rows: Vec<Row> = trunks::table.order(trunks::name).select(Row::as_select()).load(c)?;
    rows.into_iter()
        .map(|row| {
            let count = |column, value: Option<i32>| value.map(|value| Column("trunks", column).number(value)).transpose();
            Ok(TrunkSetup {
                id: TrunkId(row.id),
                hosts: hosts.remove(&row.id).unwrap_or_default(),
                transport: Column("trunks", "transport").named(&row.transport)?,
                max_channels: count("max_channels", row.max_channels)?,
                max_calls_per_second: count("max_calls_per_second", row.max_calls_per_second)?,
                options_every: Column("trunks", "options_every_ms").number(row.options_every_ms)?,
                max_outbound: count("max_outbound", row.max_outbound)?,
                max_outbound_a_day: count("max_outbound_a_day", row.max_outbound_a_day)?,
                digits: Column("trunks", "digits").named(&row.digits)?,
                outcomes: serde_json::from_str(&row.outcomes).map_err(|_| DbError::Corrupt {
                    table: "trunks",
                    column: "outcomes",
                    value: row.outcomes.clone(),
                })?,
                name: row.name,
            })
        })
        .collect()
}

/// Writes the trunk of this name; its id is not looked at.
pub(crate) fn save(c: &mut AnyConnection, trunk: &TrunkSetup) -> Result<(), DbError> {
    let values = Values {
        name: &trunk.name,
        transport: name_of(trunk.transport),
        max_channels: trunk.max_channels.map(int),
        max_calls_per_second: trunk.max_calls_per_second.map(int),
        options_every_ms: big(trunk.options_every),
        max_outbound: trunk.max_outbound.map(int),
        max_outbound_a_day: trunk.max_outbound_a_day.map(int),
        digits: name_of(trunk.digits),
        outcomes: serde_json::to_string(&trunk.outcomes).map_err(|error| DbError::Corrupt {
            table: "trunks",
            column: "outcomes",
            value: error.to_string(),
        })?,
    };
    let named = trunks::table.filter(trunks::name.eq(&trunk.name));
    if diesel::update(named).set(&values).execute(c)? == 0 {
        diesel::insert_into(trunks::table).values(&values).execute(c)?;
    }
    let id: i32 = named.select(trunks::id).first(c)?;
    diesel::delete(trunk_hosts::table.filter(trunk_hosts::trunk_id.eq(id))).execute(c)?;
    for (position, host) in (0_i32..).zip(&trunk.hosts) {
        diesel::insert_into(trunk_hosts::table)
            .values((trunk_hosts::trunk_id.eq(id), trunk_hosts::position.eq(position), trunk_hosts::addr.eq(host.to_string())))
            .execute(c)?;
    }
    Ok(())
}

/// Deletes the trunk of this name; no number may name it any more.
pub(crate) fn delete(c: &mut AnyConnection, name: &str) -> Result<(), DbError> {
    diesel::delete(trunks::table.filter(trunks::name.eq(name))).execute(c)?;
    Ok(())
}
