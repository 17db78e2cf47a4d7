//! What agents may say a call was about (D8, H7).

use crate::error::DbError;
use crate::flows::NameTaken;
use crate::pool::{AnyConnection, Db};
use crate::schema::dispositions;
use diesel::prelude::*;

#[derive(Clone, PartialEq, Eq, Debug, Queryable)]
pub struct Disposition {
    pub id: i32,
    pub name: String,
    /// Lower stands first in the list.
    pub position: i32,
    /// Agents may choose it.
    pub enabled: bool,
}

/// A disposition without its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DispositionForm {
    pub name: String,
    /// None: at the list's end; of one that is there already, where it is.
    pub position: Option<i32>,
    pub enabled: bool,
}

impl Db {
    /// All of them in the list's order.
    pub fn dispositions(&self) -> Result<Vec<Disposition>, DbError> {
        self.run(all)
    }

    pub fn create_disposition(&self, form: &DispositionForm) -> Result<Result<Disposition, NameTaken>, DbError> {
        self.transaction(|c| {
            if named(c, &form.name)?.is_some() {
                return Ok(Err(NameTaken));
            }
            let last: Option<i32> = dispositions::table.select(diesel::dsl::max(dispositions::position)).first(c)?;
            let position = form.position.unwrap_or_else(|| last.map_or(1, |last| last.saturating_add(1)));
            save(c, &form.name, position, form.enabled)?;
            named(c, &form.name)?.map(Ok).ok_or(DbError::Query(diesel::result::Error::NotFound))
        })
    }

    /// None: there is no such disposition. Records that have its old name keep it.
    pub fn change_disposition(&self, id: i32, form: &DispositionForm) -> Result<Option<Result<Disposition, NameTaken>>, DbError> {
        self.transaction(|c| {
            let Some(known) = dispositions::table.find(id).first::<Disposition>(c).optional()? else { return Ok(None) };
            if named(c, &form.name)?.is_some_and(|other| other.id != id) {
                return Ok(Some(Err(NameTaken)));
            }
            let changed =
                Disposition { id, name: form.name.clone(), position: form.position.unwrap_or(known.position), enabled: form.enabled };
            diesel::update(dispositions::table.find(id))
                .set((
                    dispositions::name.eq(&changed.name),
                    dispositions::position.eq(changed.position),
                    dispositions::enabled.eq(changed.enabled),
                ))
                .execute(c)?;
            Ok(Some(Ok(changed)))
        })
    }

    /// Whether there was such a disposition. Records keep its name.
    pub fn delete_disposition(&self, id: i32) -> Result<bool, DbError> {
        self.run(|c| Ok(diesel::delete(dispositions::table.find(id)).execute(c)? > 0))
    }
}

fn named(c: &mut AnyConnection, name: &str) -> Result<Option<Disposition>, DbError> {
    Ok(dispositions::table.filter(dispositions::name.eq(name)).first(c).optional()?)
}

pub(crate) fn all(c: &mut AnyConnection) -> Result<Vec<Disposition>, DbError> {
    Ok(dispositions::table.order((dispositions::position, dispositions::id)).load(c)?)
}

/// Writes the disposition of this name.
pub(crate) fn save(c: &mut AnyConnection, name: &str, position: i32, enabled: bool) -> Result<(), DbError> {
    let values = (dispositions::name.eq(name), dispositions::position.eq(position), dispositions::enabled.eq(enabled));
    if diesel::update(dispositions::table.filter(dispositions::name.eq(name))).set(values).execute(c)? == 0 {
        diesel::insert_into(dispositions::table).values(values).execute(c)?;
    }
    Ok(())
}

pub(crate) fn delete(c: &mut AnyConnection, name: &str) -> Result<(), DbError> {
    diesel::delete(dispositions::table.filter(dispositions::name.eq(name))).execute(c)?;
    Ok(())
}
