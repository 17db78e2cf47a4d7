//! Self-service flows over HTTP (D6, H5): who may do what, and what is refused.

use crate::support::Switch;
use cordboard::api::Event;
use serde_json::{Value, json};

fn survey(name: &str, next: &str) -> Value {
    json!({ "name": name, "enabled": true, "definition": { "start": "rate", "nodes": {
        "rate": { "type": "menu", "title": "Rating", "sounds": ["please-rate"], "keys": { "1": next, "5": next }, "result": "rating", "otherwise": "end" },
        "end": { "type": "end" },
    } } })
}

fn names(switch: &Switch, email: &str) -> Vec<(String, bool)> {
    let list = switch.logged_in(email).get("/api/v1/flows").json();
    list.as_array().unwrap().iter().map(|flow| (flow["name"].as_str().unwrap().to_owned(), flow["enabled"] == true)).collect()
}

on_both! {
    // H5
    fn an_admin_makes_changes_and_deletes_flows(database) {
        let switch = database.switch().staffed();
        let mut ada = switch.logged_in("ada@example.com");
        switch.heard();
        let made = ada.post("/api/v1/flows", &survey("Survey", "end"));
        assert_eq!(made.status, 201, "{}", made.text());
        assert_eq!(switch.heard(), vec![Event::FloorChanged]);
        let path = format!("/api/v1/flows/{}", made.json()["id"]);
        let shown = ada.get(&path).json();
        assert_eq!((shown["name"].as_str(), shown["definition"]["nodes"]["rate"]["seconds"].as_i64()), (Some("Survey"), Some(5)));
        assert_eq!(ada.post("/api/v1/flows", &survey("Survey", "end")).refusal(), (409, "conflict".into()));
        let mut off = survey("Rating", "end");
        off["enabled"] = json!(false);
        assert_eq!(ada.put(&path, &off).status, 200);
        assert_eq!(names(&switch, "ada@example.com"), [("Rating".to_owned(), false)]);
        let ada = switch.logged_in("ada@example.com");
        assert_eq!(ada.delete(&path).status, 204);
        assert_eq!(ada.delete(&path).refusal(), (404, "not_found".into()));
        assert_eq!(ada.put(&path, &off).refusal(), (404, "not_found".into()));
        assert_eq!(switch.db.flows().unwrap().len(), 0);
    }

    // H5
    fn a_flow_that_cannot_be_run_is_refused_with_the_name_of_its_node(database) {
        let switch = database.switch().staffed();
        let mut ada = switch.logged_in("ada@example.com");
        let refused = ada.post("/api/v1/flows", &survey("Survey", "thanks"));
        assert_eq!(refused.refusal(), (422, "invalid".into()));
        let message = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("node \"rate\": key 1 leads to \"thanks\", and there is no such node"), "{message}");
        let mut unknown = survey("Survey", "end");
        unknown["definition"]["nodes"]["rate"]["repeat"] = json!(1);
        assert_eq!(ada.post("/api/v1/flows", &unknown).refusal(), (400, "bad_request".into()));
        assert_eq!(ada.post("/api/v1/flows", &survey(" ", "end")).refusal(), (422, "invalid".into()));
        assert_eq!(switch.db.flows().unwrap().len(), 0);
    }

    // A8, D6
    fn agents_see_the_enabled_ones_and_change_none(database) {
        let switch = database.switch().staffed();
        let mut ada = switch.logged_in("ada@example.com");
        let made = ada.post("/api/v1/flows", &survey("Survey", "end")).json();
        let mut off = survey("Draft", "end");
        off["enabled"] = json!(false);
        ada.post("/api/v1/flows", &off);
        assert_eq!(names(&switch, "mei@example.com"), [("Survey".to_owned(), true)]);
        let mut mei = switch.logged_in("mei@example.com");
        let path = format!("/api/v1/flows/{}", made["id"]);
        let not_allowed = (403, "not_allowed".to_owned());
        assert_eq!(mei.get(&path).refusal(), not_allowed);
        assert_eq!(mei.post("/api/v1/flows", &survey("Mine", "end")).refusal(), not_allowed);
        assert_eq!(mei.put(&path, &survey("Mine", "end")).refusal(), not_allowed);
        assert_eq!(mei.delete(&path).refusal(), not_allowed);
        assert_eq!(switch.page().get("/api/v1/flows").refusal(), (401, "not_logged_in".into()));
    }
}
