//! Agents' accounts and the mail with their one-time password (A1).

use crate::support::http::Page;
use crate::support::smtp::Smtp;
use crate::support::{Database, Switch};
use cordboard::api::Event;
use cordboard::config::Config;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

fn mailing(database: Database, smtp: &Smtp) -> Switch {
    let set = |config: &mut Config| {
        config.mail.smtp_url = Some(smtp.url());
        config.mail.from = Some("Cordboard <cordboard@example.com>".parse().unwrap());
    };
    let switch = database.switch_with(set).staffed();
    switch.heard();
    switch
}

fn zoe(switch: &Switch) -> Value {
    json!({ "email": "Zoe@Example.com", "number": "1003", "name": "Zoë Park", "role": "agent", "groups": [switch.group("Orders").0] })
}

fn emails(page: &Page) -> Vec<String> {
    page.get("/api/v1/agents").json().as_array().unwrap().iter().map(|agent| agent["email"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    fn a_new_agent_logs_in_with_the_password_that_was_mailed(database) {
        let smtp = Smtp::start();
        let switch = mailing(database, &smtp);
        let mut ada = switch.logged_in("ada@example.com");
        switch.heard();
        let made = ada.post("/api/v1/agents", &zoe(&switch));
        assert_eq!((made.status, made.json()["email"].as_str(), made.json()["mustChangePassword"].as_bool()), (201, Some("zoe@example.com"), Some(true)));
        assert_eq!(switch.heard(), vec![Event::FloorChanged]);
        let mails = smtp.mails();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].from.contains("<cordboard@example.com>") && mails[0].to.contains("<zoe@example.com>"), "{mails:?}");
        assert!(!made.text().contains(&mails[0].password()), "the password is for its owner alone");
        let mut page = switch.page();
        assert_eq!(page.log_in("zoe@example.com", &mails[0].password()).json()["mustChangePassword"], true);
        assert_eq!(switch.db.account_by_email("zoe@example.com").unwrap().unwrap().setup.groups[0].group, switch.group("Orders"));
    }

    fn when_the_mail_is_refused_there_is_no_account(database) {
        let smtp = Smtp::start();
        let switch = mailing(database, &smtp);
        let mut ada = switch.logged_in("ada@example.com");
        switch.heard();
        smtp.refuses.store(true, Ordering::SeqCst);
        let answer = ada.post("/api/v1/agents", &zoe(&switch));
        assert_eq!(answer.refusal(), (502, "mail_failed".into()));
        assert!(answer.json()["message"].as_str().unwrap().contains("no such mailbox"), "{}", answer.text());
        assert!(!emails(&ada).contains(&"zoe@example.com".to_owned()));
        assert_eq!(switch.heard(), vec![]);
        smtp.refuses.store(false, Ordering::SeqCst);
        assert_eq!(ada.post("/api/v1/agents", &zoe(&switch)).status, 201);
        assert!(emails(&ada).contains(&"zoe@example.com".to_owned()));
    }

    fn a_reset_mails_a_new_password_and_ends_the_sessions(database) {
        let smtp = Smtp::start();
        let switch = mailing(database, &smtp);
        let (mut ada, mei) = (switch.logged_in("ada@example.com"), switch.logged_in("mei@example.com"));
        switch.heard();
        let agent = switch.agent("mei@example.com");
        let path = format!("/api/v1/agents/{agent}/reset");
        smtp.refuses.store(true, Ordering::SeqCst);
        assert_eq!(ada.post(&path, &json!({})).refusal(), (502, "mail_failed".into()));
        assert_eq!((mei.get("/api/v1/me").status, switch.heard()), (200, vec![]));
        smtp.refuses.store(false, Ordering::SeqCst);
        assert_eq!(ada.post(&path, &json!({})).status, 204);
        assert_eq!(switch.heard(), vec![Event::LoggedOut { agent, end_call: false }]);
        assert_eq!(mei.get("/api/v1/me").refusal(), (401, "not_logged_in".into()));
        assert_eq!(switch.page().log_in("mei@example.com", crate::support::floor::PASSWORD).status, 401);
        let mut page = switch.page();
        assert_eq!(page.log_in("mei@example.com", &smtp.mails()[0].password()).json()["mustChangePassword"], true);
        assert_eq!(ada.post("/api/v1/agents/999/reset", &json!({})).refusal(), (404, "not_found".into()));
    }

    // A9
    fn an_admin_takes_an_agent_offline_after_the_call_or_with_it(database) {
        let switch = database.switch().staffed();
        let (mut ada, mut mei) = (switch.logged_in("ada@example.com"), switch.logged_in("mei@example.com"));
        switch.heard();
        let agent = switch.agent("mei@example.com");
        let path = format!("/api/v1/agents/{agent}/force-offline");
        for end_call in [false, true] {
            assert_eq!(ada.post(&path, &json!({ "endCall": end_call })).status, 204);
            assert_eq!(switch.heard(), vec![Event::ForcedOffline { agent, end_call }]);
        }
        assert_eq!(mei.get("/api/v1/me").status, 200, "the agent stays logged in");
        assert_eq!(mei.post(&path, &json!({})).refusal(), (403, "not_allowed".into()));
        assert_eq!(ada.post("/api/v1/agents/999/force-offline", &json!({})).refusal(), (404, "not_found".into()));
        assert_eq!(switch.heard(), vec![]);
    }

    fn what_another_account_has_is_refused(database) {
        let smtp = Smtp::start();
        let switch = mailing(database, &smtp);
        let mut ada = switch.logged_in("ada@example.com");
        for (field, value) in [("email", json!("MEI@example.com")), ("number", json!("1001")), ("groups", json!([999]))] {
            let mut form = zoe(&switch);
            form[field] = value;
            assert_eq!(ada.post("/api/v1/agents", &form).refusal(), (409, "conflict".into()), "{field}");
        }
        for (field, value) in [("email", json!("zoe")), ("number", json!("12a")), ("name", json!(" "))] {
            let mut form = zoe(&switch);
            form[field] = value;
            assert_eq!(ada.post("/api/v1/agents", &form).refusal(), (422, "invalid".into()), "{field}");
        }
        assert_eq!((smtp.mails().len(), emails(&ada).len()), (0, 4));
    }
}

#[test]
fn without_a_mail_server_the_admin_is_told_how_to_have_one() {
    let switch = Database::sqlite().switch().staffed();
    let answer = switch.logged_in("ada@example.com").post("/api/v1/agents", &zoe(&switch));
    assert_eq!(answer.refusal(), (503, "mail_not_set_up".into()));
    assert!(answer.json()["message"].as_str().unwrap().contains("mail.smtp_url"));
    assert!(switch.db.account_by_email("zoe@example.com").unwrap().is_none());
}

#[test]
fn a_mail_server_that_is_down_is_told() {
    let switch = Database::sqlite()
        .switch_with(|config| {
            let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            config.mail.smtp_url = Some(format!("smtp://{nobody}"));
            config.mail.from = Some("cordboard@example.com".parse().unwrap());
        })
        .staffed();
    let answer = switch.logged_in("ada@example.com").post("/api/v1/agents", &zoe(&switch));
    assert_eq!(answer.refusal(), (502, "mail_failed".into()));
    assert!(switch.db.account_by_email("zoe@example.com").unwrap().is_none());
}
