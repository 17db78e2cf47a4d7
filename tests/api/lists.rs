//! The blocklist (H6) and dispositions (D8, H7) over HTTP: who may do what, and what is refused.

use crate::support::Switch;
use crate::support::http::Page;
use cordboard::api::Event;
use serde_json::{Value, json};

fn not_allowed() -> (u16, String) {
    (403, "not_allowed".to_owned())
}

/// Number and whether it is a beginning, newest first.
fn numbers(page: &Page, query: &str) -> Vec<(String, bool)> {
    let answer = page.get(&format!("/api/v1/blocklist{query}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["number"].as_str().unwrap().to_owned(), entry["prefix"] == true))
        .collect()
}

fn names(switch: &Switch, email: &str) -> Vec<String> {
    let list = switch.logged_in(email).get("/api/v1/dispositions").json();
    list.as_array().unwrap().iter().map(|known| known["name"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    // H6, A8
    fn supervisors_and_admins_add_find_and_remove_barred_callers(database) {
        let switch = database.switch().staffed();
        let (mut sue, mut ada) = (switch.logged_in("sue@example.com"), switch.logged_in("ada@example.com"));
        assert_eq!(sue.get("/api/v1/blocklist").json(), json!({ "items": [], "page": 0, "total": 0, "pageSize": 50 }));
        switch.heard();
        let added = sue.post("/api/v1/blocklist", &json!({ "number": " +44 7700-900 123", "note": " Shouts " }));
        assert_eq!(added.status, 204, "{}", added.text());
        assert_eq!(switch.heard(), vec![Event::BlocklistChanged]);
        let until = chrono::Utc::now().timestamp_millis() + 60_000;
        assert_eq!(ada.post("/api/v1/blocklist", &json!({ "number": "0900", "prefix": true, "until": until })).status, 204);
        assert_eq!(numbers(&sue, ""), [("0900".to_owned(), true), ("+447700900123".to_owned(), false)]);
        assert_eq!(numbers(&sue, "?number=%2B44%20770"), [("+447700900123".to_owned(), false)]);
        let entry = sue.get("/api/v1/blocklist").json()["items"][1].clone();
        assert_eq!((entry["by"].as_str(), entry["note"].as_str(), &entry["until"]), (Some("Sue Hall"), Some("Shouts"), &Value::Null));
        assert_eq!(ada.post("/api/v1/blocklist", &json!({ "number": "00447700900123", "until": until })).refusal(), (409, "conflict".into()));
        let path = format!("/api/v1/blocklist/{}", entry["id"]);
        switch.heard();
        assert_eq!(ada.delete(&path).status, 204);
        assert_eq!(switch.heard(), vec![Event::BlocklistChanged]);
        assert_eq!(ada.delete(&path).refusal(), (404, "not_found".into()));
        assert_eq!(numbers(&sue, "").len(), 1);
    }

    // H6, A8
    fn agents_neither_see_nor_change_the_blocklist(database) {
        let switch = database.switch().staffed();
        switch.logged_in("sue@example.com").post("/api/v1/blocklist", &json!({ "number": "+447700900123" }));
        let mut mei = switch.logged_in("mei@example.com");
        switch.heard();
        assert_eq!(mei.get("/api/v1/blocklist").refusal(), not_allowed());
        assert_eq!(mei.post("/api/v1/blocklist", &json!({ "number": "+447700900124" })).refusal(), not_allowed());
        assert_eq!(mei.delete("/api/v1/blocklist/1").refusal(), not_allowed());
        assert_eq!(switch.page().get("/api/v1/blocklist").refusal(), (401, "not_logged_in".into()));
        assert_eq!((switch.heard(), switch.db.barred(0).unwrap().len()), (vec![], 1));
    }

    // H6
    fn what_is_no_number_or_over_already_is_refused(database) {
        let switch = database.switch().staffed();
        let mut sue = switch.logged_in("sue@example.com");
        let invalid = (422, "invalid".to_owned());
        for body in [
            json!({ "number": "Hannah" }),
            json!({ "number": "" }),
            json!({ "number": "+44", "until": 1 }),
            json!({ "number": "+44", "note": "x".repeat(201) }),
            json!({ "number": "+44", "note": "a\0b" }),
        ] {
            assert_eq!(sue.post("/api/v1/blocklist", &body).refusal(), invalid, "{body}");
        }
        assert_eq!(sue.post("/api/v1/blocklist", &json!({ "number": "+44", "forever": true })).refusal(), (400, "bad_request".into()));
        assert!(switch.db.barred(0).unwrap().is_empty());
    }

    // H7, A8
    fn an_admin_keeps_the_list_of_dispositions(database) {
        let switch = database.switch().staffed();
        let mut ada = switch.logged_in("ada@example.com");
        switch.heard();
        let made = ada.post("/api/v1/dispositions", &json!({ "name": " Order placed ", "enabled": true }));
        assert_eq!((made.status, made.json()["name"].as_str(), made.json()["position"].as_i64()), (201, Some("Order placed"), Some(1)));
        assert_eq!(switch.heard(), vec![Event::FloorChanged]);
        ada.post("/api/v1/dispositions", &json!({ "name": "Complaint", "enabled": true, "position": 0 }));
        assert_eq!(ada.post("/api/v1/dispositions", &json!({ "name": "Complaint", "enabled": true })).refusal(), (409, "conflict".into()));
        assert_eq!(ada.post("/api/v1/dispositions", &json!({ "name": " ", "enabled": true })).refusal(), (422, "invalid".into()));
        let path = format!("/api/v1/dispositions/{}", made.json()["id"]);
        assert_eq!(ada.put(&path, &json!({ "name": "Sale", "enabled": false })).status, 200);
        assert_eq!(names(&switch, "ada@example.com"), ["Complaint", "Sale"]);
        assert_eq!(names(&switch, "mei@example.com"), ["Complaint"], "agents see what they may choose");
        let ada = switch.logged_in("ada@example.com");
        assert_eq!(ada.put("/api/v1/dispositions/99", &json!({ "name": "X", "enabled": true })).refusal(), (404, "not_found".into()));
        assert_eq!((ada.delete(&path).status, ada.delete(&path).refusal()), (204, (404, "not_found".into())));
        for email in ["mei@example.com", "sue@example.com"] {
            let mut page = switch.logged_in(email);
            assert_eq!(page.post("/api/v1/dispositions", &json!({ "name": "Mine", "enabled": true })).refusal(), not_allowed());
            assert_eq!(page.put(&path, &json!({ "name": "Mine", "enabled": true })).refusal(), not_allowed());
            assert_eq!(page.delete(&path).refusal(), not_allowed());
        }
        assert_eq!(switch.page().get("/api/v1/dispositions").refusal(), (401, "not_logged_in".into()));
    }

    // D8, G1
    fn records_tell_their_disposition_and_are_found_by_it(database) {
        let switch = database.switch().staffed();
        switch.call(1, 1_000_000, "Orders", "mei@example.com", None);
        switch.call(2, 2_000_000, "Orders", "mei@example.com", None);
        switch.dispose(1, "=Order placed");
        let mut ada = switch.logged_in("ada@example.com");
        ada.post("/api/v1/dispositions", &json!({ "name": "Complaint", "enabled": false }));
        let page = ada.get("/api/v1/records?disposition=%3DOrder%20placed").json();
        assert_eq!((page["total"].as_i64(), page["items"][0]["disposition"].as_str()), (Some(1), Some("=Order placed")));
        assert_eq!(page["dispositions"], json!(["Complaint"]));
        assert_eq!(ada.get("/api/v1/records?disposition=").json()["total"], 2);
        assert_eq!(ada.get("/api/v1/records?disposition=Order%00").json()["total"], 0);
        let file = ada.get("/api/v1/records.csv").text();
        let lines: Vec<&str> = file.lines().collect();
        assert!(lines[0].ends_with(",disposition") && lines[1].ends_with(',') && lines[2].ends_with(",'=Order placed"), "{file}");
    }
}
