//! What a mobile number opens: the first login (A2), a login by SMS (A3), a forgotten password (A5), another number (A7).

use crate::sms::{NUMBER, bind, code_of, now, through};
use crate::support::floor::PASSWORD;
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Page};
use crate::support::{Database, Switch};
use cordboard::api::Event;
use cordboard_db::CodeFor;
use serde_json::{Value, json};

const OWN: &str = "Another-1";
const NEW_NUMBER: &str = "+8613800138000";

fn binding(number: &str, code: &str) -> Value {
    json!({ "bind": { "mobile": number, "code": code }, "nickname": " Ada ", "password": OWN })
}

fn complete(page: &mut Page, form: &Value) -> Answer {
    page.post("/api/v1/complete", form)
}

/// Ada has her one-time password again, and is logged in with it.
fn newcomer(switch: &Switch) -> Page {
    switch.must_change_password("ada@example.com");
    let page = switch.logged_in("ada@example.com");
    switch.heard();
    page
}

on_both! {
    // A2
    fn a_new_agent_binds_a_number_and_chooses_a_password_before_anything_else(database) {
        let gateway = Gateway::start();
        let switch = database.switch_with(through(&gateway)).staffed();
        switch.must_change_password("ada@example.com");
        let mut page = switch.page();
        let me = page.log_in("ada@example.com", PASSWORD).json();
        assert_eq!((&me["mustChangePassword"], &me["mobile"]), (&json!(true), &Value::Null));
        switch.heard();
        for path in ["/api/v1/records", "/api/v1/agents", "/api/v1/sms-outbox"] {
            assert_eq!(page.get(path).refusal(), (403, "password_change_required".into()), "{path}");
        }
        let change = json!({ "old": PASSWORD, "new": OWN });
        assert_eq!(page.post("/api/v1/password", &change).refusal(), (403, "password_change_required".into()), "a password alone is not enough");
        let rebind = json!({ "old": null, "mobile": NUMBER, "code": "012345" });
        assert_eq!(page.post("/api/v1/mobile", &rebind).refusal(), (403, "password_change_required".into()));

        assert_eq!(page.post("/api/v1/mobile/code", &json!({ "old": null, "mobile": NUMBER })).status, 204);
        let done = complete(&mut page, &binding(NUMBER, &gateway.code()));
        assert_eq!(done.status, 200, "{}", done.text());
        let ada = switch.agent("ada@example.com");
        assert_eq!(switch.heard(), vec![Event::SessionsEnded { agent: ada, kept: 1 }, Event::MobileChanged { agent: ada }]);
        let me = page.get("/api/v1/me").json();
        assert_eq!((me["mustChangePassword"].as_bool(), me["nickname"].as_str()), (Some(false), Some("Ada")));
        assert_eq!(me["mobile"], "+44 7700 •••• 62", "enough to recognise it");
        assert_eq!(page.get("/api/v1/agents").status, 200);
        assert_eq!(switch.db.account(ada).unwrap().unwrap().mobile.as_deref(), Some(NUMBER));
        assert_eq!(switch.page().log_in("ada@example.com", PASSWORD).status, 401);
        assert_eq!(switch.page().log_in("ada@example.com", OWN).status, 200);
        assert_eq!(complete(&mut switch.logged_in("mei@example.com"), &binding(NUMBER, "012345")).refusal(), (409, "conflict".into()));
    }

    // A2
    fn an_account_is_not_completed_by_halves(database) {
        let switch = database.switch().staffed();
        let mut page = newcomer(&switch);
        let ada = switch.agent("ada@example.com");
        code_of(&switch, NUMBER, CodeFor::Binding(ada), now());
        code_of(&switch, NEW_NUMBER, CodeFor::Binding(switch.agent("tom@example.com")), now());
        for (form, refused) in [
            (json!({ "bind": null, "nickname": null, "password": OWN }), "number_missing"),
            (binding(NUMBER, "543210"), "wrong_code"),
            (binding(NEW_NUMBER, "012345"), "wrong_code"),
            (binding("07700900162", "012345"), "wrong_number"),
            (json!({ "bind": { "mobile": NUMBER, "code": "012345" }, "nickname": null, "password": PASSWORD }), "weak_password"),
            (json!({ "bind": { "mobile": NUMBER, "code": "012345" }, "nickname": null, "password": "short" }), "weak_password"),
            (json!({ "bind": { "mobile": NUMBER, "code": "012345" }, "nickname": "a\u{7}", "password": OWN }), "invalid"),
        ] {
            assert_eq!(complete(&mut page, &form).refusal(), (422, refused.into()), "{form}");
            let account = switch.db.account(ada).unwrap().unwrap();
            assert_eq!((account.mobile, account.nickname, account.must_change_password), (None, None, true), "{form}");
        }
        assert_eq!(switch.heard(), vec![]);
        assert_eq!(complete(&mut page, &binding(NUMBER, "012345")).status, 200);
    }

    // A2
    fn after_a_reset_the_number_is_still_bound_and_only_a_password_is_chosen(database) {
        let switch = database.switch().staffed();
        bind(&switch, "ada@example.com", NUMBER);
        let mut page = newcomer(&switch);
        assert_eq!(page.get("/api/v1/me").json()["mobile"], "+44 7700 •••• 62");
        let steal = json!({ "old": null, "mobile": NEW_NUMBER });
        assert_eq!(page.post("/api/v1/mobile/code", &steal).refusal(), (422, "wrong_old_number".into()));
        assert_eq!(complete(&mut page, &json!({ "bind": null, "nickname": null, "password": OWN })).status, 200);
        assert_eq!(switch.db.account_by_email("ada@example.com").unwrap().unwrap().mobile.as_deref(), Some(NUMBER));
    }

    // A2
    fn an_account_of_a_floor_file_is_complete(database) {
        let switch = database.switch().staffed();
        let page = switch.logged_in("mei@example.com");
        let me = page.get("/api/v1/me").json();
        assert_eq!((&me["mustChangePassword"], &me["mobile"]), (&json!(false), &Value::Null));
        assert_eq!(page.get("/api/v1/records").status, 200);
    }

    // A3
    fn who_shares_a_number_chooses_the_account_to_log_in_to(database) {
        let switch = database.switch().staffed();
        bind(&switch, "mei@example.com", NUMBER);
        bind(&switch, "tom@example.com", NUMBER);
        let tom = switch.agent("tom@example.com");
        let code = code_of(&switch, NUMBER, CodeFor::Login, now());
        let mut page = switch.page();
        let mut form = json!({ "mobile": NUMBER, "code": code });
        let asked = page.post("/api/v1/sms-login", &form);
        assert_eq!((asked.status, page.cookie.is_some(), &asked.json()["me"]), (200, false, &Value::Null));
        let told: Vec<_> = asked.json()["accounts"].as_array().unwrap().iter().map(|account| (account["id"].clone(), account["email"].clone())).collect();
        assert_eq!(told, vec![(json!(switch.agent("mei@example.com").0), json!("m•••@example.com")), (json!(tom.0), json!("t•••@example.com"))]);
        form["account"] = json!(switch.agent("ada@example.com").0);
        assert_eq!(page.post("/api/v1/sms-login", &form).refusal(), (404, "not_found".into()), "the code opens no other account");
        form["account"] = json!(tom.0);
        // To choose is no try: the code is not burned by it.
        for _ in 0..6 {
            form.as_object_mut().unwrap().remove("account");
            assert_eq!(page.post("/api/v1/sms-login", &form).status, 200);
        }
        form["account"] = json!(tom.0);
        assert_eq!(page.post("/api/v1/sms-login", &form).json()["me"]["email"], "tom@example.com");
        assert_eq!(page.get("/api/v1/me").json()["email"], "tom@example.com");
        assert_eq!(switch.heard(), vec![Event::LoggedIn { agent: tom, epoch: 1 }]);
    }

    // A5
    fn who_forgot_the_password_sets_another_by_a_code(database) {
        let gateway = Gateway::start();
        let switch = database.switch_with(through(&gateway)).staffed();
        bind(&switch, "mei@example.com", NUMBER);
        bind(&switch, "tom@example.com", NUMBER);
        let (mei, tom) = (switch.logged_in("mei@example.com"), switch.logged_in("tom@example.com"));
        switch.heard();
        let mut page = switch.page();
        assert_eq!(page.post("/api/v1/recovery/code", &json!({ "mobile": NUMBER })).status, 204);
        let code = gateway.code();
        let choices = page.post("/api/v1/recovery/accounts", &json!({ "mobile": NUMBER, "code": code })).json();
        assert_eq!(choices.as_array().unwrap().len(), 2);
        let agent = switch.agent("tom@example.com");
        let mut form = json!({ "mobile": NUMBER, "code": code, "account": agent.0, "password": "weak" });
        assert_eq!(page.post("/api/v1/recovery", &form).refusal(), (422, "weak_password".into()));
        form["password"] = json!(OWN);
        let mut stranger = form.clone();
        stranger["account"] = json!(switch.agent("ada@example.com").0);
        assert_eq!(page.post("/api/v1/recovery", &stranger).refusal(), (404, "not_found".into()), "the code opens no other account");
        assert_eq!(page.post("/api/v1/sms-login", &json!({ "mobile": NUMBER, "code": code })).refusal(), (422, "wrong_code".into()), "nor for a login");
        let done = page.post("/api/v1/recovery", &form);
        assert_eq!((done.status, done.json()["email"].as_str()), (200, Some("tom@example.com")), "{}", done.text());
        assert_eq!(switch.heard(), vec![Event::LoggedIn { agent, epoch: 2 }]);
        assert_eq!(page.get("/api/v1/records").status, 200);
        assert_eq!(tom.get("/api/v1/me").status, 401, "the other sessions are over");
        assert_eq!(mei.get("/api/v1/me").status, 200, "of that account alone");
        assert_eq!(page.post("/api/v1/recovery", &form).refusal(), (422, "wrong_code".into()), "once");
        assert_eq!(switch.page().log_in("tom@example.com", PASSWORD).status, 401);
        assert_eq!(switch.page().log_in("tom@example.com", OWN).status, 200);
    }

    // A7
    fn the_number_is_changed_by_who_knows_the_old_and_has_the_new(database) {
        let gateway = Gateway::start();
        let switch = database.switch_with(through(&gateway)).staffed();
        bind(&switch, "mei@example.com", NUMBER);
        let mut page = switch.logged_in("mei@example.com");
        for old in [Value::Null, json!("+447700900163")] {
            let ask = json!({ "old": old, "mobile": NEW_NUMBER });
            assert_eq!(page.post("/api/v1/mobile/code", &ask).refusal(), (422, "wrong_old_number".into()));
        }
        assert_eq!(gateway.sent().len(), 0);
        let ask = json!({ "old": "+44 7700 900162", "mobile": "+86 138 0013 8000" });
        assert_eq!(page.post("/api/v1/mobile/code", &ask).status, 204);
        assert!(gateway.sent()[0].body.contains(NEW_NUMBER), "the code goes to the new number");
        let mut form = json!({ "old": "+447700900163", "mobile": NEW_NUMBER, "code": gateway.code() });
        assert_eq!(page.post("/api/v1/mobile", &form).refusal(), (422, "wrong_old_number".into()));
        form["old"] = json!(NUMBER);
        assert_eq!(switch.logged_in("tom@example.com").post("/api/v1/mobile", &form).refusal(), (422, "wrong_code".into()), "the code is Mei's");
        switch.heard();
        assert_eq!(page.post("/api/v1/mobile", &form).json()["mobile"], "+86 1380 •••• 00");
        assert_eq!(switch.heard(), vec![Event::MobileChanged { agent: switch.agent("mei@example.com") }]);
        assert_eq!(switch.db.accounts_by_mobile(NEW_NUMBER).unwrap().len(), 1);
        assert!(switch.db.accounts_by_mobile(NUMBER).unwrap().is_empty());
        assert_eq!(page.get("/api/v1/me").status, 200);
    }
}

// A7
#[test]
fn who_does_not_know_the_old_number_cannot_try_for_long() {
    let switch = Database::sqlite().switch().staffed();
    bind(&switch, "mei@example.com", NUMBER);
    let mut page = switch.logged_in("mei@example.com");
    let ask = json!({ "old": "+447700900163", "mobile": NEW_NUMBER });
    for _ in 0..5 {
        assert_eq!(page.post("/api/v1/mobile/code", &ask).refusal(), (422, "wrong_old_number".into()));
    }
    let ask = json!({ "old": NUMBER, "mobile": NEW_NUMBER });
    assert_eq!(page.post("/api/v1/mobile/code", &ask).refusal(), (429, "too_many_attempts".into()));
}
