//! What agents noted of customers, by number (F3).

use crate::error::DbError;
use crate::pool::Db;
use crate::schema::customers;
use cordboard_core::ids::AgentId;
use diesel::prelude::*;

/// What is known of a customer; either may be empty.
#[derive(Clone, PartialEq, Eq, Debug, Queryable)]
pub struct Customer {
    pub name: String,
    pub remark: String,
}

impl Customer {
    /// Whether a caller can be known again: digits, not a withheld number or the name of a SIP user.
    pub fn has(number: &str) -> bool {
        let digits = number.strip_prefix('+').unwrap_or(number);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl Db {
    /// What is known of the customer with this number, as the trunk wrote it.
    pub fn customer(&self, number: &str) -> Result<Option<Customer>, DbError> {
        self.run(|c| Ok(customers::table.find(number).select((customers::name, customers::remark)).first(c).optional()?))
    }

    /// Keeps name and remark; forgets the customer when both are empty.
    pub fn set_customer(&self, number: &str, customer: &Customer, by: AgentId, at: i64) -> Result<(), DbError> {
        self.transaction(|c| {
            diesel::delete(customers::table.find(number)).execute(c)?;
            if !customer.name.is_empty() || !customer.remark.is_empty() {
                diesel::insert_into(customers::table)
                    .values((
                        customers::number.eq(number),
                        customers::name.eq(&customer.name),
                        customers::remark.eq(&customer.remark),
                        customers::changed_by.eq(by.0),
                        customers::changed_at.eq(at),
                    ))
                    .execute(c)?;
            }
            Ok(())
        })
    }
}
