//! Logging in and out (A3, A6, A9).

use crate::support::floor::PASSWORD;
use cordboard::api::Event;
use serde_json::json;

on_both! {
    // A3
    fn the_right_password_opens_a_session_in_a_cookie_that_scripts_cannot_read(database) {
        let switch = database.switch().staffed();
        let mut page = switch.page();
        assert_eq!(page.get("/api/v1/me").refusal(), (401, "not_logged_in".into()));
        let answer = page.log_in(" Mei@Example.com", PASSWORD);
        assert_eq!((answer.status, answer.json()["name"].as_str(), answer.json()["role"].as_str()), (200, Some("Mei Chen"), Some("agent")));
        let cookie = answer.header("Set-Cookie").unwrap();
        assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict") && cookie.contains("; Path=/"), "{cookie}");
        assert!(!cookie.contains("Secure"), "on plain http a browser would not keep it: {cookie}");
        assert_eq!(page.cookie.as_ref().unwrap().len(), 64);
        assert_eq!(page.get("/api/v1/me").json()["email"], "mei@example.com");
        assert_eq!(switch.heard(), vec![Event::LoggedIn { agent: switch.agent("mei@example.com"), epoch: 1 }]);
    }

    // A9
    fn a_second_login_takes_the_first_one_over(database) {
        let switch = database.switch().staffed();
        let mut first = switch.logged_in("mei@example.com");
        let second = switch.logged_in("mei@example.com");
        assert_eq!(first.get("/api/v1/me").refusal(), (401, "taken_over".into()));
        switch.heard();
        assert_eq!(first.post("/api/v1/logout", &json!({})).status, 204);
        assert_eq!(switch.heard(), vec![], "the agent is at work in the second one");
        assert_eq!(second.get("/api/v1/me").status, 200);
    }

    // A9
    fn logging_out_ends_the_session(database) {
        let switch = database.switch().staffed();
        let mut page = switch.logged_in("mei@example.com");
        let thief = page.clone();
        switch.heard();
        assert_eq!(page.post("/api/v1/logout", &json!({})).status, 204);
        assert_eq!(page.cookie, None);
        assert_eq!(thief.get("/api/v1/me").refusal(), (401, "not_logged_in".into()));
        assert_eq!(switch.heard(), vec![Event::LoggedOut { agent: switch.agent("mei@example.com"), end_call: false }]);
        assert_eq!(page.post("/api/v1/logout", &json!({})).status, 204);
    }

    // A6
    fn a_wrong_password_and_an_unknown_account_get_the_same_answer(database) {
        let switch = database.switch().staffed();
        let answers = ["mei@example.com", "nobody@example.com", "", "x@y\0z"].map(|email| switch.page().log_in(email, "Wrong-123"));
        for answer in &answers {
            assert_eq!(answer.refusal(), (401, "wrong_credentials".into()));
            assert_eq!((&answer.body, answer.header("Set-Cookie")), (&answers[0].body, None));
        }
        assert_eq!(switch.page().log_in("mei@example.com", &"x".repeat(60_000)).refusal(), (401, "wrong_credentials".into()));
        assert_eq!(switch.heard(), vec![]);
    }

    fn a_session_lasts_twelve_hours_after_its_last_use(database) {
        let switch = database.switch().staffed();
        let (mei, now) = (switch.agent("mei@example.com"), chrono::Utc::now().timestamp_millis());
        let mut page = switch.page();
        switch.db.create_session(mei, "over", now - 50_000_000, now - 1).unwrap();
        page.cookie = Some("over".into());
        assert_eq!(page.get("/api/v1/me").refusal(), (401, "not_logged_in".into()));
        switch.db.create_session(mei, "used", now - 40_000_000, now + 1_000_000).unwrap();
        page.cookie = Some("used".into());
        assert_eq!(page.get("/api/v1/me").status, 200);
        let until = switch.db.session("used", now).unwrap().unwrap().expires_at;
        assert!(until >= now + 12 * 3_600_000, "{until}");
    }
}

#[test]
fn behind_https_the_cookie_is_secure() {
    let switch =
        crate::support::Database::sqlite().switch_with(|config| config.web.public_url = Some("https://calls.example.com".into())).staffed();
    let body = json!({ "email": "mei@example.com", "password": PASSWORD });
    let answer = switch.page().post_from("https://calls.example.com", "/api/v1/login", &body);
    assert!(answer.header("Set-Cookie").unwrap().contains("; Secure"));
}

// A3, I5
#[test]
fn over_tls_the_page_logs_in_and_its_cookie_is_secure() {
    use cordboard::config::Tls;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};
    let switch = crate::support::Database::sqlite().switch_with(|config| config.web.tls = Tls::SelfMade).staffed();
    let mut roots = rustls::RootCertStore::empty();
    let own = switch.database.data.path().join("tls/cert.pem");
    roots.add(CertificateDer::from_pem_file(own).unwrap()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = rustls::ClientConnection::new(client.into(), name).unwrap();
    let stream = rustls::StreamOwned::new(connection, std::net::TcpStream::connect(switch.addr).unwrap());
    let (host, body) = (switch.addr.to_string(), json!({ "email": "mei@example.com", "password": PASSWORD }).to_string());
    let origin = format!("https://{host}");
    let headers = [("Origin", origin.as_str()), ("Content-Type", "application/json")];
    let answer = crate::support::http::exchange(stream, &host, "POST", "/api/v1/login", &headers, &body);
    assert_eq!(answer.status, 200);
    assert!(answer.header("Set-Cookie").unwrap().contains("; Secure"));
}

// A6
#[test]
fn after_five_wrong_tries_an_account_rests_and_others_do_not() {
    let switch = crate::support::Database::sqlite().switch().staffed();
    for email in ["mei@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(switch.page().log_in(email, "Wrong-123").refusal(), (401, "wrong_credentials".into()));
        }
        let answer = switch.page().log_in(email, PASSWORD);
        assert_eq!(answer.refusal(), (429, "too_many_attempts".into()));
        let wait: u32 = answer.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
    }
    assert_eq!(switch.page().log_in("tom@example.com", PASSWORD).status, 200);
}

// A6
#[test]
fn a_login_that_succeeds_gives_the_tries_back() {
    let switch = crate::support::Database::sqlite().switch().staffed();
    for _ in 0..2 {
        for _ in 0..4 {
            assert_eq!(switch.page().log_in("mei@example.com", "Wrong-123").status, 401);
        }
        assert_eq!(switch.page().log_in("mei@example.com", PASSWORD).status, 200);
    }
}

// A6
#[test]
fn one_address_has_only_so_many_attempts_on_all_accounts() {
    let switch = crate::support::Database::sqlite().switch_with(|config| config.limits.logins_per_minute = 3).staffed();
    for name in ["a", "b", "c"] {
        assert_eq!(switch.page().log_in(&format!("{name}@example.com"), "Wrong-123").status, 401);
    }
    assert_eq!(switch.page().log_in("mei@example.com", PASSWORD).refusal(), (429, "too_many_attempts".into()));
}

#[test]
fn what_does_not_come_from_the_own_page_changes_nothing() {
    let switch = crate::support::Database::sqlite().switch().staffed();
    let mut page = switch.logged_in("mei@example.com");
    for origin in ["http://evil.example.com", "null", &format!("https://{}", switch.addr)] {
        assert_eq!(page.post_from(origin, "/api/v1/logout", &json!({})).refusal(), (403, "wrong_origin".into()), "{origin}");
    }
    let cookie = format!("cordboard={}", page.cookie.as_ref().unwrap());
    assert_eq!(page.bare("POST", "/api/v1/logout", &[("Cookie", &cookie)], "{}").refusal(), (403, "wrong_origin".into()));
    let forged = [("Cookie", cookie.as_str()), ("Origin", "http://evil.example.com"), ("X-Forwarded-Host", "evil.example.com")];
    assert_eq!(page.bare("POST", "/api/v1/logout", &forged, "{}").refusal(), (403, "wrong_origin".into()));
    let own = format!("http://{}/", switch.addr);
    for (referer, origin) in [
        (format!("http://evil.example.com/{own}"), None),
        (format!("{}.evil.example.com/", &own[..own.len() - 1]), None),
        (own.clone(), Some("null")),
    ] {
        let headers: Vec<_> =
            [("Cookie", cookie.as_str()), ("Referer", &referer)].into_iter().chain(origin.map(|origin| ("Origin", origin))).collect();
        assert_eq!(page.bare("POST", "/api/v1/logout", &headers, "{}").refusal(), (403, "wrong_origin".into()), "{referer}");
    }
    assert_eq!(page.get("/api/v1/me").status, 200);
    // F5: Chromium 70 names no origin to the origin itself.
    assert_eq!(page.bare("POST", "/api/v1/logout", &[("Cookie", &cookie), ("Referer", &own)], "{}").status, 204);
}

#[test]
fn a_form_that_is_not_understood_is_refused() {
    let switch = crate::support::Database::sqlite().switch();
    let mut page = switch.page();
    assert_eq!(page.post("/api/v1/login", &json!({ "email": "mei@example.com" })).refusal(), (400, "bad_request".into()));
    let more = json!({ "email": "mei@example.com", "password": "x", "role": "admin" });
    assert_eq!(page.post("/api/v1/login", &more).refusal(), (400, "bad_request".into()));
}
