//! Self-service flows (D6, H5), as an admin made them.

use crate::convert::Column;
use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::flows;
use cordboard_core::flow::Definition;
use cordboard_core::ids::FlowId;
use cordboard_core::setup::FlowSetup;
use diesel::prelude::*;

/// A flow without its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlowForm {
    pub name: String,
    /// Agents may start it.
    pub enabled: bool,
    /// Checked ([`cordboard_core::flow::check`]).
    pub definition: Definition,
}

/// Another flow has this name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameTaken;

impl Db {
    /// All flows, in order of names.
    pub fn flows(&self) -> Result<Vec<FlowSetup>, DbError> {
        self.run(all)
    }

    pub fn create_flow(&self, form: &FlowForm) -> Result<Result<FlowId, NameTaken>, DbError> {
        self.transaction(|c| {
            if id_of(c, &form.name)?.is_some() {
                return Ok(Err(NameTaken));
            }
            save(c, form)?;
            id_of(c, &form.name)?.map(Ok).ok_or(DbError::Query(diesel::result::Error::NotFound))
        })
    }

    /// None: there is no such flow.
    pub fn change_flow(&self, flow: FlowId, form: &FlowForm) -> Result<Option<Result<(), NameTaken>>, DbError> {
        let definition = text(&form.definition)?;
        self.transaction(|c| {
            if id_of(c, &form.name)?.is_some_and(|other| other != flow) {
                return Ok(Some(Err(NameTaken)));
            }
            let changed = diesel::update(flows::table.find(flow.0))
                .set((flows::name.eq(&form.name), flows::enabled.eq(form.enabled), flows::definition.eq(&definition)))
                .execute(c)?;
            Ok((changed > 0).then_some(Ok(())))
        })
    }

    /// Whether there was such a flow.
    pub fn delete_flow(&self, flow: FlowId) -> Result<bool, DbError> {
        self.run(|c| Ok(diesel::delete(flows::table.find(flow.0)).execute(c)? > 0))
    }
}

fn id_of(c: &mut AnyConnection, name: &str) -> Result<Option<FlowId>, DbError> {
    let id: Option<i32> = flows::table.filter(flows::name.eq(name)).select(flows::id).first(c).optional()?;
    Ok(id.map(FlowId))
}

pub(crate) fn all(c: &mut AnyConnection) -> Result<Vec<FlowSetup>, DbError> {
    let rows: Vec<(i32, String, bool, String)> =
        flows::table.order(flows::name).select((flows::id, flows::name, flows::enabled, flows::definition)).load(c)?;
    rows.into_iter()
        .map(|(id, name, enabled, definition)| {
            Ok(FlowSetup { id: FlowId(id), name, enabled, definition: Column("flows", "definition").json(&definition)? })
        })
        .collect()
}

/// Writes the flow of this name.
pub(crate) fn save(c: &mut AnyConnection, form: &FlowForm) -> Result<(), DbError> {
    let values = (flows::name.eq(&form.name), flows::enabled.eq(form.enabled), flows::definition.eq(text(&form.definition)?));
    let named = flows::table.filter(flows::name.eq(&form.name));
    if diesel::update(named).set(values.clone()).execute(c)? == 0 {
        diesel::insert_into(flows::table).values(values).execute(c)?;
    }
    Ok(())
}

pub(crate) fn delete(c: &mut AnyConnection, name: &str) -> Result<(), DbError> {
    diesel::delete(flows::table.filter(flows::name.eq(name))).execute(c)?;
    Ok(())
}

fn text(definition: &Definition) -> Result<String, DbError> {
    serde_json::to_string(definition).map_err(|error| Column("flows", "definition").corrupt(error))
}
