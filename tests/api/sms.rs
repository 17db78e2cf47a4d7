//! Codes by SMS and the way they are sent (A4).

use crate::support::floor::PASSWORD;
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Page};
use crate::support::{Database, Switch};
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use cordboard::api::password;
use cordboard::config::{Config, Method};
use cordboard_db::{CodeFor, Tried};
use serde_json::json;

pub const NUMBER: &str = "+447700900162";
const UNKNOWN: &str = "+447700900199";
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

pub fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Sends its codes through that gateway.
pub fn through(gateway: &Gateway) -> impl FnOnce(&mut Config) {
    let url = gateway.url();
    move |config| {
        config.sms.url = Some(url);
        config.sms.body = "to={number}&text={text}".into();
    }
}

/// A code that was sent at that moment.
pub fn code_of(switch: &Switch, number: &str, purpose: CodeFor, at: i64) -> &'static str {
    switch.db.enter_code(number, purpose, &password::hash("012345").unwrap(), at).unwrap().unwrap();
    "012345"
}

/// The account has this number; no code was ever sent to it.
pub fn bind(switch: &Switch, email: &str, number: &str) {
    let agent = switch.agent(email);
    let code = switch.db.enter_code(number, CodeFor::Binding(agent), "", 0).unwrap().unwrap();
    assert!(switch.db.change_mobile(code, agent, number).unwrap());
    switch.db.forget_code(code).unwrap();
}

fn ask(page: &mut Page, number: &str) -> Answer {
    page.post("/api/v1/sms-login/code", &json!({ "mobile": number }))
}

fn log_in(page: &mut Page, number: &str, code: &str) -> Answer {
    page.post("/api/v1/sms-login", &json!({ "mobile": number, "code": code }))
}

/// Another code of six digits.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

on_both! {
    fn a_code_has_six_digits_and_logs_in_once(database) {
        let gateway = Gateway::start();
        let switch = database.switch_with(through(&gateway)).staffed();
        bind(&switch, "mei@example.com", NUMBER);
        let mut page = switch.page();
        assert_eq!(ask(&mut page, " +44 7700 900-162").status, 204);
        let sent = gateway.sent();
        assert_eq!(sent.len(), 1);
        assert!(sent[0].body.starts_with("to=+447700900162&text=Your Cordboard code is "), "{}", sent[0].body);
        let answer = log_in(&mut page, NUMBER, &gateway.code());
        assert_eq!((answer.status, answer.json()["me"]["email"].as_str()), (200, Some("mei@example.com")));
        assert_eq!(page.get("/api/v1/records").status, 200);
        assert_eq!(log_in(&mut switch.page(), NUMBER, &gateway.code()).refusal(), (422, "wrong_code".into()));
    }

    fn a_code_is_kept_as_an_argon2id_hash(database) {
        let gateway = Gateway::start();
        let switch = database.switch_with(through(&gateway)).staffed();
        bind(&switch, "mei@example.com", NUMBER);
        ask(&mut switch.page(), NUMBER);
        let Tried::Against { hash, .. } = switch.db.try_code(NUMBER, CodeFor::Login, now()).unwrap() else { panic!("there is a code") };
        assert!(hash.starts_with("$argon2id$") && !hash.contains(&gateway.code()), "{hash}");
    }

    fn a_code_is_good_for_five_minutes(database) {
        let switch = database.switch().staffed();
        bind(&switch, "mei@example.com", NUMBER);
        bind(&switch, "tom@example.com", UNKNOWN);
        let fresh = code_of(&switch, NUMBER, CodeFor::Login, now() - 4 * MINUTE);
        assert_eq!(log_in(&mut switch.page(), NUMBER, fresh).status, 200);
        let old = code_of(&switch, UNKNOWN, CodeFor::Login, now() - 5 * MINUTE);
        assert_eq!(log_in(&mut switch.page(), UNKNOWN, old).refusal(), (422, "wrong_code".into()));
    }

    fn a_number_waits_a_minute_for_another_code(database) {
        let gateway = Gateway::start();
        let switch = database.switch_with(through(&gateway)).staffed();
        bind(&switch, "mei@example.com", NUMBER);
        code_of(&switch, NUMBER, CodeFor::Login, now() - 50 * SECOND);
        let mut page = switch.page();
        let early = ask(&mut page, NUMBER);
        assert_eq!(early.refusal(), (429, "code_too_soon".into()));
        let wait: i64 = early.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..=10).contains(&wait), "{wait}");
        let recovery = page.post("/api/v1/recovery/code", &json!({ "mobile": NUMBER }));
        assert_eq!((recovery.refusal(), gateway.sent().len()), ((429, "code_too_soon".into()), 0));
        bind(&switch, "tom@example.com", UNKNOWN);
        code_of(&switch, UNKNOWN, CodeFor::Login, now() - 61 * SECOND);
        assert_eq!((ask(&mut page, UNKNOWN).status, gateway.sent().len()), (204, 1));
    }

    fn a_number_gets_five_codes_an_hour(database) {
        let gateway = Gateway::start();
        let switch = database.switch_with(through(&gateway)).staffed();
        bind(&switch, "mei@example.com", NUMBER);
        for n in 0..5 {
            code_of(&switch, NUMBER, CodeFor::Login, now() - 50 * MINUTE + n * 2 * MINUTE);
        }
        let refused = ask(&mut switch.page(), NUMBER);
        assert_eq!((refused.refusal(), gateway.sent().len()), ((429, "too_many_codes".into()), 0));
        assert!(refused.header("Retry-After").unwrap().parse::<i64>().unwrap() > 500);
    }

    fn five_wrong_tries_burn_a_code(database) {
        let gateway = Gateway::start();
        let switch = database.switch_with(through(&gateway)).staffed();
        bind(&switch, "mei@example.com", NUMBER);
        let mut page = switch.page();
        ask(&mut page, NUMBER);
        let (code, wrong) = (gateway.code(), wrong(&gateway.code()));
        for malformed in ["", "12345", "1234567", "12345x"] {
            assert_eq!(log_in(&mut page, NUMBER, malformed).refusal(), (422, "wrong_code".into()), "{malformed}");
        }
        for _ in 1..5 {
            assert_eq!(log_in(&mut page, NUMBER, &wrong).refusal(), (422, "wrong_code".into()));
        }
        assert_eq!(log_in(&mut page, NUMBER, &wrong).refusal(), (422, "code_burned".into()));
        assert_eq!(log_in(&mut page, NUMBER, &code).refusal(), (422, "code_burned".into()));
    }

    fn a_number_that_nobody_has_is_answered_alike(database) {
        const ANOTHER: &str = "+447700900163";
        let gateway = Gateway::start();
        let switch = database.switch_with(through(&gateway)).staffed();
        bind(&switch, "mei@example.com", NUMBER);
        bind(&switch, "tom@example.com", ANOTHER);
        let mut page = switch.page();
        for (path, numbers) in [("sms-login", [NUMBER, UNKNOWN]), ("recovery", [ANOTHER, "+447700900198"])] {
            let told = numbers.map(|number| {
                let sent = page.post(&format!("/api/v1/{path}/code"), &json!({ "mobile": number }));
                let again = page.post(&format!("/api/v1/{path}/code"), &json!({ "mobile": number }));
                let form = match path {
                    "recovery" => json!({ "mobile": number, "code": "000000", "account": 1, "password": "Another-1" }),
                    _ => json!({ "mobile": number, "code": "000000" }),
                };
                let tried = page.post(&format!("/api/v1/{path}"), &form);
                [sent, again, tried].map(|answer| (answer.status, answer.text().replace(char::is_numeric, "")))
            });
            assert_eq!(told[0], told[1], "{path}");
            assert_eq!(told[0].each_ref().map(|(status, _)| *status), [204, 429, 422], "{path}");
        }
        let reached: Vec<_> = gateway.sent().into_iter().map(|sent| sent.body).collect();
        assert!(reached.len() == 2 && reached[0].contains(NUMBER) && reached[1].contains(ANOTHER), "{reached:?}");
    }

    fn a_gateway_that_is_down_is_told_and_leaves_nothing_behind(database) {
        let gateway = Gateway::start();
        let switch = database.switch_with(through(&gateway)).staffed();
        bind(&switch, "mei@example.com", NUMBER);
        let mut page = switch.page();
        code_of(&switch, NUMBER, CodeFor::Login, now() - 2 * MINUTE);
        gateway.answers(500, "no credit left");
        let down = ask(&mut page, NUMBER);
        assert_eq!(down.refusal(), (502, "sms_failed".into()));
        assert!(!down.text().contains("credit"), "the gateway's words are for the log");
        assert_eq!(ask(&mut page, UNKNOWN).text(), down.text(), "who asks for nobody's number learns nothing by it");
        // The code of before is still good, and nobody waits for another.
        assert_eq!(log_in(&mut switch.page(), NUMBER, &wrong("012345")).refusal(), (422, "wrong_code".into()));
        gateway.answers(200, "ok");
        assert_eq!(ask(&mut page, NUMBER).status, 204);
        assert_eq!(log_in(&mut page, NUMBER, &gateway.code()).status, 200);
    }

    fn without_a_gateway_the_admin_reads_the_messages(database) {
        let switch = database.switch().staffed();
        bind(&switch, "mei@example.com", NUMBER);
        assert_eq!(ask(&mut switch.page(), NUMBER).status, 204);
        for (who, status) in [("mei@example.com", 403), ("sue@example.com", 403), ("ada@example.com", 200)] {
            assert_eq!(switch.logged_in(who).get("/api/v1/sms-outbox").status, status, "{who}");
        }
        assert_eq!(switch.page().get("/api/v1/sms-outbox").status, 401);
        let told = switch.logged_in("ada@example.com").get("/api/v1/sms-outbox").json();
        assert_eq!((told.as_array().unwrap().len(), told[0]["mobile"].as_str()), (1, Some(NUMBER)));
        let text = told[0]["text"].as_str().unwrap();
        let code = text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6).unwrap();
        assert_eq!(log_in(&mut switch.page(), NUMBER, code).status, 200);
        let printed = switch.database.cordboard(&["admin", "sms-outbox"], &[]);
        assert_eq!(printed.code, 0, "{}", printed.err);
        assert!(printed.out.contains(NUMBER) && printed.out.ends_with(&format!("{text}\n")), "{}", printed.out);
    }
}

#[test]
fn a_gateway_is_asked_as_the_configuration_says() {
    let gateway = Gateway::start();
    let url = format!("{}?from=Cordboard&to={{digits}}", gateway.url());
    let switch = Database::sqlite()
        .switch_with(|config| {
            config.sms.url = Some(url);
            config.sms.method = Method::Put;
            config.sms.headers = vec![
                (CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (AUTHORIZATION, HeaderValue::from_static("Bearer s3cret")),
            ];
            config.sms.body = r#"{"to": "{number}", "text": "{text}", "code": "{code}"}"#.into();
            config.sms.text = "\"Northlight\": {code}".into();
        })
        .staffed();
    bind(&switch, "mei@example.com", NUMBER);
    assert_eq!(ask(&mut switch.page(), NUMBER).status, 204);
    let sent = &gateway.sent()[0];
    assert_eq!(sent.line, "PUT /send?from=Cordboard&to=447700900162 HTTP/1.1");
    assert_eq!((sent.header("content-type"), sent.header("authorization")), (Some("application/json"), Some("Bearer s3cret")));
    let body: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    let code = body["code"].as_str().unwrap();
    assert_eq!(body, json!({ "to": NUMBER, "text": format!("\"Northlight\": {code}"), "code": code }));
}

#[test]
fn a_gateway_that_answers_200_to_everything_is_judged_by_its_words() {
    let gateway = Gateway::start();
    let switch = Database::sqlite()
        .switch_with(|config| {
            through(&gateway)(config);
            config.sms.accepted = Some("\"code\":0".into());
        })
        .staffed();
    bind(&switch, "mei@example.com", NUMBER);
    let mut page = switch.page();
    gateway.answers(200, "{\"code\":1004}");
    assert_eq!(ask(&mut page, NUMBER).refusal(), (502, "sms_failed".into()));
    gateway.answers(200, "{\"code\":0}");
    assert_eq!(ask(&mut page, NUMBER).status, 204);
}

#[test]
fn a_gateway_that_nobody_reaches_is_told() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let switch = Database::sqlite()
        .switch_with(|config| {
            config.sms.url = Some(format!("http://{nobody}/send"));
            config.sms.body = "{number} {text}".into();
        })
        .staffed();
    bind(&switch, "mei@example.com", NUMBER);
    assert_eq!(ask(&mut switch.page(), NUMBER).refusal(), (502, "sms_failed".into()));
}

#[test]
fn an_address_asks_for_so_many_codes_an_hour() {
    let gateway = Gateway::start();
    let switch = Database::sqlite()
        .switch_with(|config| {
            through(&gateway)(config);
            config.limits.sms_codes_per_hour = 2;
        })
        .staffed();
    let mut page = switch.page();
    for (number, status) in [("+447700900101", 204), ("+447700900102", 204), ("+447700900103", 429)] {
        assert_eq!(ask(&mut page, number).status, status, "{number}");
    }
    let mut mei = switch.logged_in("mei@example.com");
    let binding = mei.post("/api/v1/mobile/code", &json!({ "old": null, "mobile": NUMBER }));
    assert_eq!(binding.refusal(), (429, "too_many_codes".into()), "whatever it is for");
    assert_eq!(switch.page().log_in("mei@example.com", PASSWORD).status, 200);
}

#[test]
fn what_is_no_number_is_refused() {
    let switch = Database::sqlite().switch().staffed();
    for number in ["", "07700900162", "+44", "mei@example.com", "+4477009001620000"] {
        assert_eq!(ask(&mut switch.page(), number).refusal(), (422, "wrong_number".into()), "{number}");
    }
}
