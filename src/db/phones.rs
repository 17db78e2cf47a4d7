//! SIP phones with a fixed contact, by name.

use crate::convert::{Column, name_of};
use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::phones;
use cordboard_core::setup::PhoneSetup;
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = phones)]
pub(crate) struct Row {
    id: i32,
    name: String,
    sip_user: String,
    addr: String,
    transport: String,
}

impl Row {
    pub(crate) fn into_setup(self) -> Result<PhoneSetup, DbError> {
        Ok(PhoneSetup {
            addr: Column("phones", "addr").parsed(&self.addr)?,
            transport: Column("phones", "transport").named(&self.transport)?,
            name: self.name,
            user: self.sip_user,
        })
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = phones)]
struct Values<'a> {
    name: &'a str,
    sip_user: &'a str,
    addr: String,
    transport: String,
}

impl Db {
    /// All phones, by name.
    pub fn phones(&self) -> Result<Vec<PhoneSetup>, DbError> {
        self.run(|c| Ok(all(c)?.into_iter().map(|(_, phone)| phone).collect()))
    }
}

pub(crate) fn all(c: &mut AnyConnection) -> Result<Vec<(i32, PhoneSetup)>, DbError> {
    let rows: Vec<Row> = phones::table.order(phones::name).select(Row::as_select()).load(c)?;
    rows.into_iter().map(|row| Ok((row.id, row.into_setup()?))).collect()
}

/// Writes the phone of this name.
pub(crate) fn save(c: &mut AnyConnection, phone: &PhoneSetup) -> Result<(), DbError> {
    let values = Values { name: &phone.name, sip_user: &phone.user, addr: phone.addr.to_string(), transport: name_of(phone.transport) };
    if diesel::update(phones::table.filter(phones::name.eq(&phone.name))).set(&values).execute(c)? == 0 {
        diesel::insert_into(phones::table).values(&values).execute(c)?;
    }
    Ok(())
}

/// Deletes the phone of this name; no agent may have it any more.
pub(crate) fn delete(c: &mut AnyConnection, name: &str) -> Result<(), DbError> {
    diesel::delete(phones::table.filter(phones::name.eq(name))).execute(c)?;
    Ok(())
}
