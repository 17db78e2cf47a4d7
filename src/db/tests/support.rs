//! A fresh database for each test.

use crate::PhoneSecret;
use crate::floor::{Passwords, apply, parse};
use crate::pool::Db;
use cordboard_core::ids::{AgentId, CallId, GroupId, TrunkId};
use cordboard_core::outcome::{CallStatus, CallType, HungUpBy};
use cordboard_core::record::{CallRow, Entry, What, fold};
use diesel::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// Runs one test on both databases.
macro_rules! on_both {
    ($($(#[$meta:meta])* fn $name:ident($test:ident) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn test($test: &$crate::tests::support::TestDb) $body
            $(#[$meta])*
            #[test]
            fn sqlite() { test(&$crate::tests::support::TestDb::sqlite()) }
            $(#[$meta])*
            #[test]
            fn postgres() { test(&$crate::tests::support::TestDb::postgres()) }
        }
    )*};
}

pub struct TestDb {
    pub db: Db,
    pub url: String,
    pub dir: tempfile::TempDir,
}

impl TestDb {
    pub fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("cordboard.sqlite").display());
        Self { db: Db::open(&url).unwrap(), url, dir }
    }

    pub fn postgres() -> Self {
        let server = Self::server();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self::administer(&format!("CREATE DATABASE {name}"));
        let url = server.replace("/postgres?", &format!("/{name}?"));
        Self { db: Db::open(&url).unwrap(), url, dir: tempfile::tempdir().unwrap() }
    }

    /// Another, empty, database of the same kind.
    pub fn fresh(&self) -> Self {
        if self.url.starts_with("sqlite:") { Self::sqlite() } else { Self::postgres() }
    }

    /// The URL of the server's own database.
    fn server() -> String {
        std::env::var("CORDBOARD_TEST_PG").expect("CORDBOARD_TEST_PG is not set: run this under tests/support/with-postgres")
    }

    /// A statement for the PostgreSQL server, outside the test's own database.
    pub fn administer(statement: &str) {
        let mut server = PgConnection::establish(&Self::server()).unwrap();
        diesel::sql_query(statement).execute(&mut server).unwrap();
    }

    /// A statement past the crate's own functions.
    pub fn sql(&self, statement: &str) {
        self.db.run(|c| Ok(diesel::sql_query(statement).execute(c)?)).unwrap();
    }

    /// Applies a floor file, and says what changed.
    pub fn apply(&self, text: &str) -> Vec<String> {
        self.apply_with(text, &|name| Some(format!("secret of {name}")))
    }

    /// …in that environment.
    pub fn apply_with(&self, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
        let floor = parse(text).unwrap_or_else(|errors| panic!("{errors:?}"));
        let passwords = Passwords { env, hash: &|password| Ok(format!("hash of {password}")), phone: &secret };
        apply(&self.db, &floor, &passwords, false).unwrap().iter().map(ToString::to_string).collect()
    }
}

/// What a phone's password is kept as here.
pub fn secret(phone: &crate::floor::Phone, password: &str) -> Result<PhoneSecret, String> {
    Ok(PhoneSecret { realm: "test".into(), ha1: format!("{} {password} {}", phone.user, phone.md5) })
}

pub const MEI: AgentId = AgentId(1);
pub const TOM: AgentId = AgentId(2);
pub const ORDERS: GroupId = GroupId(1);
pub const RETURNS: GroupId = GroupId(2);

/// The agents and groups above, in a new database.
pub const TWO_AND_TWO: &str = r#"
    [groups.Orders]
    [groups.Returns]
    [agents."a.mei@demo.example"]
    number = "1001"
    name = "Mei Chen"
    groups = ["Orders", "Returns"]
    [agents."b.tom@demo.example"]
    number = "1002"
    name = "Tom Baker"
    groups = ["Returns"]
"#;

/// The journal of a call from `caller` that begins at `at`: 10 ms of waiting, and 90 ms with the agent.
pub fn answered(call: u128, caller: &str, group: GroupId, agent: AgentId, at: i64) -> Vec<Entry> {
    let entry = |after, what| Entry { call: CallId(call), at: at + after, what };
    vec![
        entry(
            0,
            What::Accepted {
                way: CallType::Inbound,
                trunk: Some(TrunkId(1)),
                caller: caller.to_owned(),
                contact: "+442079460001".to_owned(),
            },
        ),
        entry(1, What::Queued { group }),
        entry(2, What::Ringing { agent }),
        entry(10, What::Connected { agent }),
        entry(100, What::Ended { status: CallStatus::NormalEnd, by: HungUpBy::Customer }),
    ]
}

/// The same, told.
pub fn row(call: u128, caller: &str, group: GroupId, agent: AgentId, at: i64) -> CallRow {
    fold(&answered(call, caller, group, agent, at), None).unwrap()
}
