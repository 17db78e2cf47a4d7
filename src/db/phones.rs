//! SIP phones by name, and where those that register are.

use crate::convert::{Column, name_of};
use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::{phone_bindings, phones};
use cordboard_core::setup::{PhoneContact, PhoneSetup};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = phones)]
pub(crate) struct Row {
    name: String,
    sip_user: String,
    addr: Option<String>,
    transport: Option<String>,
    md5: bool,
    realm: Option<String>,
    ha1: Option<String>,
}

impl Row {
    pub(crate) fn into_setup(self) -> Result<PhoneSetup, DbError> {
        let contact = match (self.addr, self.transport) {
            (Some(addr), Some(transport)) => PhoneContact::Fixed {
                addr: Column("phones", "addr").parsed(&addr)?,
                transport: Column("phones", "transport").named(&transport)?,
            },
            (None, _) | (_, None) => PhoneContact::Registered,
        };
        Ok(PhoneSetup { name: self.name, user: self.sip_user, contact })
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = phones, treat_none_as_null = true)]
struct Values<'a> {
    name: &'a str,
    sip_user: &'a str,
    addr: Option<String>,
    transport: Option<String>,
    md5: bool,
}

/// What the password of a phone that registers is kept as: its HA1 (RFC 7616 §3.4.2) in hexadecimal, for one realm, user and algorithm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneSecret {
    pub realm: String,
    pub ha1: String,
}

/// A phone with what only the registrar and the floor file want to know of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Phone {
    pub setup: PhoneSetup,
    /// It proves its password by MD5, since it knows no SHA-256.
    pub md5: bool,
    pub secret: Option<PhoneSecret>,
}

/// Where the registrar knew a phone to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneBindings {
    pub user: String,
    /// The registrar's own JSON.
    pub bindings: String,
    /// When the clock began that its moments are on.
    pub clock_began_at: i64,
}

impl Db {
    /// All phones, by name.
    pub fn phones(&self) -> Result<Vec<Phone>, DbError> {
        self.run(all)
    }

    /// Where phones were; those of no account are among them.
    pub fn phone_bindings(&self) -> Result<Vec<PhoneBindings>, DbError> {
        let rows: Vec<(String, String, i64)> = self.run(|c| Ok(phone_bindings::table.load(c)?))?;
        Ok(rows.into_iter().map(|(user, bindings, clock_began_at)| PhoneBindings { user, bindings, clock_began_at }).collect())
    }

    /// Replaces an account's bindings; `None` = it has none.
    pub fn set_phone_bindings(&self, user: &str, bindings: Option<&PhoneBindings>) -> Result<(), DbError> {
        use phone_bindings as table;
        self.transaction(|c| {
            diesel::delete(table::table.filter(table::sip_user.eq(user))).execute(c)?;
            if let Some(PhoneBindings { bindings, clock_began_at, .. }) = bindings {
                let values = (table::sip_user.eq(user), table::bindings.eq(bindings), table::clock_began_at.eq(clock_began_at));
                diesel::insert_into(table::table).values(values).execute(c)?;
            }
            Ok(())
        })
    }
}

pub(crate) fn all(c: &mut AnyConnection) -> Result<Vec<Phone>, DbError> {
    let rows: Vec<Row> = phones::table.order(phones::name).select(Row::as_select()).load(c)?;
    let phone = |mut row: Row| {
        let secret = row.realm.take().zip(row.ha1.take()).map(|(realm, ha1)| PhoneSecret { realm, ha1 });
        Ok(Phone { md5: row.md5, secret, setup: row.into_setup()? })
    };
    rows.into_iter().map(phone).collect()
}

/// Writes the phone of this name. A secret that is no longer good for it goes: it is for a user and an algorithm.
pub(crate) fn save(c: &mut AnyConnection, phone: &PhoneSetup, md5: bool) -> Result<(), DbError> {
    let (addr, transport) = match phone.contact {
        PhoneContact::Fixed { addr, transport } => (Some(addr.to_string()), Some(name_of(transport))),
        PhoneContact::Registered => (None, None),
    };
    let own = phones::table.filter(phones::name.eq(&phone.name));
    let same = own.filter(phones::sip_user.eq(&phone.user)).filter(phones::md5.eq(md5)).select(phones::id).first::<i32>(c).optional()?;
    if addr.is_some() || same.is_none() {
        diesel::update(own).set((phones::realm.eq(None::<String>), phones::ha1.eq(None::<String>))).execute(c)?;
    }
    let values = Values { name: &phone.name, sip_user: &phone.user, addr, transport, md5 };
    if diesel::update(own).set(&values).execute(c)? == 0 {
        diesel::insert_into(phones::table).values(&values).execute(c)?;
    }
    Ok(())
}

/// Gives the phone of this name its password.
pub(crate) fn set_secret(c: &mut AnyConnection, name: &str, secret: &PhoneSecret) -> Result<(), DbError> {
    let values = (phones::realm.eq(Some(&secret.realm)), phones::ha1.eq(Some(&secret.ha1)));
    diesel::update(phones::table.filter(phones::name.eq(name))).set(values).execute(c)?;
    Ok(())
}

/// Deletes the phone of this name; no agent may have it any more.
pub(crate) fn delete(c: &mut AnyConnection, name: &str) -> Result<(), DbError> {
    diesel::delete(phones::table.filter(phones::name.eq(name))).execute(c)?;
    Ok(())
}
