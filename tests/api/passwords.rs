//! Changing passwords (A5, A6, A7).

use crate::support::Database;
use crate::support::floor::PASSWORD;
use crate::support::http::{Answer, Page};
use cordboard::api::Event;
use serde_json::json;

fn change(page: &mut Page, old: &str, new: &str) -> Answer {
    page.post("/api/v1/password", &json!({ "old": old, "new": new }))
}

on_both! {
    // A5, A7
    fn a_changed_password_ends_the_other_sessions(database) {
        let switch = database.switch().staffed();
        let (mei, now) = (switch.agent("mei@example.com"), chrono::Utc::now().timestamp_millis());
        switch.db.create_session(mei, "elsewhere", now, now + 1_000_000).unwrap();
        let mut page = switch.logged_in("mei@example.com");
        switch.heard();
        assert_eq!(change(&mut page, PASSWORD, "Another-1").status, 204);
        assert_eq!(switch.heard(), vec![Event::SessionsEnded { agent: mei, kept: 2 }]);
        assert!(switch.db.session("elsewhere", now).unwrap().is_none());
        assert_eq!(page.get("/api/v1/me").status, 200);
        assert_eq!(switch.page().log_in("mei@example.com", PASSWORD).status, 401);
        assert_eq!(switch.page().log_in("mei@example.com", "Another-1").status, 200);
    }
}

// A6
#[test]
fn a_weak_password_is_refused_with_what_it_lacks() {
    let switch = Database::sqlite().switch().staffed();
    let mut page = switch.logged_in("mei@example.com");
    for (new, lacks) in [
        ("Short-1", "8 to 20 characters"),
        ("Much-Too-Long-1234567", "8 to 20 characters"),
        ("12345678!", "a letter"),
        ("NoDigits!", "digit"),
        ("NoSpecial1", "special"),
        ("With spaces-1", "spaces"),
        (PASSWORD, "the old one"),
    ] {
        let answer = change(&mut page, PASSWORD, new);
        assert_eq!(answer.refusal(), (422, "weak_password".into()), "{new}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(lacks.trim_start_matches("a ")), "{new}: {message}");
    }
    assert_eq!(switch.page().log_in("mei@example.com", PASSWORD).status, 200);
}

// A7, A6
#[test]
fn who_does_not_know_the_old_password_cannot_change_it_nor_try_for_long() {
    let switch = Database::sqlite().switch().staffed();
    let mut page = switch.logged_in("mei@example.com");
    for _ in 0..5 {
        assert_eq!(change(&mut page, "Wrong-123", "Another-1").refusal(), (401, "wrong_credentials".into()));
    }
    assert_eq!(change(&mut page, PASSWORD, "Another-1").refusal(), (429, "too_many_attempts".into()));
}
