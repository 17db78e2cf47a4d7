//! A small contact centre to log in to.

use super::Switch;
use super::http::Page;
use cordboard::api::control::{Ask, Reply, carry_out};
use cordboard::api::password;
use cordboard_core::ids::AgentId;
use cordboard_db::Db;
use std::collections::BTreeMap;

pub const PASSWORD: &str = "Cordboard-1";

pub const FLOOR: &str = r#"
[groups.Orders]
[groups.Returns]
[agents."mei@example.com"]
number = "1001"
name = "Mei Chen"
groups = ["Orders"]
password_env = "PASSWORD"
[agents."tom@example.com"]
number = "1002"
name = "Tom Gray"
groups = ["Orders", "Returns"]
password_env = "PASSWORD"
[agents."sue@example.com"]
number = "2001"
name = "Sue Hall"
role = "supervisor"
groups = ["Returns"]
password_env = "PASSWORD"
[agents."ada@example.com"]
number = "9001"
name = "Ada Bell"
role = "admin"
password_env = "PASSWORD"
"#;

pub fn apply(db: &Db, text: &str) -> Reply {
    let passwords = BTreeMap::from([("PASSWORD".to_owned(), PASSWORD.to_owned())]);
    carry_out(db, "cordboard", Ask::Apply { text: text.to_owned(), passwords, dry_run: false }).0
}

impl Switch {
    /// The switch with the floor above.
    pub fn staffed(self) -> Self {
        assert!(matches!(apply(&self.db, FLOOR), Reply::Changes { .. }));
        self
    }

    pub fn agent(&self, email: &str) -> AgentId {
        self.db.account_by_email(email).unwrap().unwrap().setup.id
    }

    /// A page of this account.
    pub fn logged_in(&self, email: &str) -> Page {
        let mut page = self.page();
        assert_eq!(page.log_in(email, PASSWORD).status, 200);
        page
    }

    /// The account has its one-time password again: it is to be completed (A2).
    pub fn must_change_password(&self, email: &str) {
        self.db.set_password(self.agent(email), &password::hash(PASSWORD).unwrap(), true).unwrap();
    }
}
