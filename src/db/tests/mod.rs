//! Tests against both databases. Each test gets a database of its own; PostgreSQL's are made in the server that
//! `tests/support/with-postgres COMMAND` starts.

#[macro_use]
mod support;

mod codes;
mod customers;
mod floor;
mod flows;
mod journal;
mod journal_killed;
mod lists;
mod logins;
mod pool;
mod records;
