//! Callers who are refused (C1, H6). The switch keeps them in memory; this is what it starts from, and what people see.

use crate::error::DbError;
use crate::pool::{AnyConnection, Db};
use crate::schema::{agents, blocklist};
use cordboard_core::blocklist::{Barred, plain};
use cordboard_core::ids::AgentId;
use diesel::prelude::*;

pub const NUMBERS_PER_PAGE: u32 = 50;

/// An entry to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockForm {
    pub barred: Barred,
    pub note: String,
    /// None: the floor file.
    pub by: Option<AgentId>,
    pub at: i64,
}

/// An entry as people see it.
#[derive(Clone, PartialEq, Eq, Debug, Queryable)]
pub struct BlockedNumber {
    pub id: i32,
    pub number: String,
    pub prefix: bool,
    pub until: Option<i64>,
    pub note: String,
    /// Who added it, by name; none: the floor file.
    pub by: Option<String>,
    pub at: i64,
}

/// Newest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlocklistPage {
    pub items: Vec<BlockedNumber>,
    /// On all pages.
    pub total: i64,
}

/// Entries that hold at `$now`.
macro_rules! held {
    ($now:expr) => {
        blocklist::expires_at.is_null().or(blocklist::expires_at.gt($now))
    };
}

impl Db {
    /// All entries that hold at `now`.
    pub fn barred(&self, now: i64) -> Result<Vec<Barred>, DbError> {
        let rows: Vec<(String, bool, Option<i64>)> = self.run(|c| {
            let held = blocklist::table.filter(held!(now));
            Ok(held.select((blocklist::number, blocklist::is_prefix, blocklist::expires_at)).load(c)?)
        })?;
        Ok(rows.into_iter().map(|(number, prefix, until)| Barred { number, prefix, until }).collect())
    }

    /// One page, from 0, of the entries that hold at `now` and whose number has these digits in it.
    pub fn blocklist_page(&self, digits: &str, page: u32, now: i64) -> Result<BlocklistPage, DbError> {
        let found = || blocklist::table.filter(held!(now)).filter(blocklist::digits.like(format!("%{digits}%")));
        self.run(|c| {
            let total = found().count().get_result(c)?;
            let items = found()
                .left_join(agents::table)
                .order((blocklist::added_at.desc(), blocklist::id.desc()))
                .limit(i64::from(NUMBERS_PER_PAGE))
                .offset(i64::from(page) * i64::from(NUMBERS_PER_PAGE))
                .select((
                    blocklist::id,
                    blocklist::number,
                    blocklist::is_prefix,
                    blocklist::expires_at,
                    blocklist::note,
                    agents::name.nullable(),
                    blocklist::added_at,
                ))
                .load(c)?;
            Ok(BlocklistPage { items, total })
        })
    }

    /// Adds an entry, and forgets those that are over. False: the number is there already and stays for as long or longer.
    pub fn bar(&self, form: &BlockForm) -> Result<bool, DbError> {
        self.transaction(|c| {
            diesel::delete(blocklist::table.filter(blocklist::expires_at.le(form.at))).execute(c)?;
            let known: Option<Option<i64>> = blocklist::table
                .filter(blocklist::digits.eq(digits_of(&form.barred)))
                .filter(blocklist::is_prefix.eq(form.barred.prefix))
                .select(blocklist::expires_at)
                .first(c)
                .optional()?;
            let stays = |known: Option<i64>| known.is_none_or(|known| form.barred.until.is_some_and(|until| until <= known));
            if known.is_some_and(stays) {
                return Ok(false);
            }
            save(c, form)?;
            Ok(true)
        })
    }

    /// Whether there was such an entry.
    pub fn unbar(&self, entry: i32) -> Result<bool, DbError> {
        self.run(|c| Ok(diesel::delete(blocklist::table.find(entry)).execute(c)? > 0))
    }
}

/// Number, kind, end and note of all that holds at `now`, in order of digits.
pub(crate) fn all(c: &mut AnyConnection, now: i64) -> Result<Vec<(Barred, String)>, DbError> {
    let rows: Vec<(String, bool, Option<i64>, String)> = blocklist::table
        .filter(held!(now))
        .order((blocklist::digits, blocklist::is_prefix))
        .select((blocklist::number, blocklist::is_prefix, blocklist::expires_at, blocklist::note))
        .load(c)?;
    Ok(rows.into_iter().map(|(number, prefix, until, note)| (Barred { number, prefix, until }, note)).collect())
}

/// Writes the entry of this number and kind.
pub(crate) fn save(c: &mut AnyConnection, form: &BlockForm) -> Result<(), DbError> {
    let BlockForm { barred, note, by, at } = form;
    delete(c, barred)?;
    diesel::insert_into(blocklist::table)
        .values((
            blocklist::number.eq(&barred.number),
            blocklist::digits.eq(digits_of(barred)),
            blocklist::is_prefix.eq(barred.prefix),
            blocklist::expires_at.eq(barred.until),
            blocklist::note.eq(note),
            blocklist::added_by.eq(by.map(|agent| agent.0)),
            blocklist::added_at.eq(*at),
        ))
        .execute(c)?;
    Ok(())
}

pub(crate) fn delete(c: &mut AnyConnection, barred: &Barred) -> Result<(), DbError> {
    let these = blocklist::table.filter(blocklist::digits.eq(digits_of(barred))).filter(blocklist::is_prefix.eq(barred.prefix));
    diesel::delete(these).execute(c)?;
    Ok(())
}

fn digits_of(barred: &Barred) -> &str {
    plain(&barred.number).unwrap_or(&barred.number)
}
