//! Service records as each role may see them (A8, G1).

use crate::support::calls::{CALLER, DID};
use crate::support::http::{Answer, Page};
use crate::support::{Database, Switch};
use cordboard::api::control::Reply;

/// Mei's call in Orders, Tom's in Returns, and one in Orders that went from Mei to Tom; from the oldest.
fn three_calls(database: Database) -> Switch {
    let switch = database.switch().staffed();
    switch.call(1, 1_000_000, "Orders", "mei@example.com", None);
    switch.call(2, 2_000_000, "Returns", "tom@example.com", None);
    switch.call(3, 3_000_000, "Orders", "mei@example.com", Some("tom@example.com"));
    switch
}

/// Who spoke in each record, newest first.
fn agents(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["items"].as_array().unwrap().iter().map(|item| item["agent"].as_str().unwrap().to_owned()).collect()
}

fn groups(page: &Page) -> Vec<String> {
    let json = page.get("/api/v1/records").json();
    json["groups"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    // A8, G1
    fn agents_see_their_own_records_supervisors_their_groups_admins_all(database) {
        let switch = three_calls(database);
        let (mei, sue, ada) = (switch.logged_in("mei@example.com"), switch.logged_in("sue@example.com"), switch.logged_in("ada@example.com"));
        assert_eq!(agents(&mei.get("/api/v1/records")), ["Mei Chen", "Mei Chen"]);
        assert_eq!(agents(&sue.get("/api/v1/records")), ["Tom Gray"]);
        assert_eq!(agents(&ada.get("/api/v1/records")), ["Tom Gray", "Mei Chen", "Tom Gray", "Mei Chen"]);
        assert_eq!(ada.get("/api/v1/records").json()["total"], 4);
        // Naming another's group shows nothing of it.
        let orders = switch.group("Orders");
        assert!(agents(&sue.get(&format!("/api/v1/records?group={orders}"))).is_empty());
        assert_eq!((groups(&mei), groups(&sue), groups(&ada)), (vec!["Orders".into()], vec!["Returns".into()], vec!["Orders".into(), "Returns".into()]));
    }

    // G1
    fn supervisors_and_admins_take_records_away_as_csv(database) {
        let switch = three_calls(database);
        let (mei, sue, ada) = (switch.logged_in("mei@example.com"), switch.logged_in("sue@example.com"), switch.logged_in("ada@example.com"));
        assert_eq!(mei.get("/api/v1/records.csv").refusal(), (403, "not_allowed".into()));
        let lines = |page: &Page, query: &str| {
            let answer = page.get(&format!("/api/v1/records.csv{query}"));
            assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("text/csv; charset=utf-8")));
            String::from_utf8(answer.body).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(lines(&sue, "").len(), 2);
        let all = lines(&ada, "");
        assert_eq!(all.len(), 5);
        assert!(all[0].starts_with("\u{feff}time,call_type,caller,contact,remark,status,"), "{}", all[0]);
        assert_eq!(lines(&ada, "?status=agent_lost").len(), 2);
        assert_eq!(ada.get("/api/v1/records.csv?status=lost").refusal(), (422, "invalid".into()));
        let newest = "1970-01-01T00:50:11.000Z,inbound,+447700900114,+442079460001,,normal_end,10.000,Orders,Tom Gray,customer,";
        assert!(all[1].starts_with(newest), "{}", all[1]);
    }

    // G1
    fn records_are_filtered_by_time_group_status_and_number(database) {
        let switch = three_calls(database);
        let ada = switch.logged_in("ada@example.com");
        let count = |query: &str| agents(&ada.get(&format!("/api/v1/records?{query}"))).len();
        assert_eq!(count("from=2000000&to=2500000"), 1);
        assert_eq!(count(&format!("group={}", switch.group("Orders"))), 3);
        assert_eq!((count("status=agent_lost"), count("status=normal_end"), count("status=")), (1, 3, 4));
        assert_eq!((count("caller=900114"), count("caller=900115"), count("contact=794600")), (4, 0, 4));
        assert_eq!((count("page=0"), count("page=1")), (4, 0));
        assert_eq!(ada.get("/api/v1/records?status=lost").refusal(), (422, "invalid".into()));
        assert_eq!(ada.get("/api/v1/records?from=yesterday").refusal(), (400, "bad_request".into()));
    }

    // H8
    fn customers_numbers_are_masked_for_agents(database) {
        let switch = three_calls(database);
        let (mei, sue) = (switch.logged_in("mei@example.com"), switch.logged_in("sue@example.com"));
        let first = |page: &Page| page.get("/api/v1/records").json()["items"][0].clone();
        assert_eq!((first(&mei)["caller"].as_str(), first(&mei)["contact"].as_str()), (Some("+44 7700 •••• 14"), Some(DID)));
        assert!(!mei.get("/api/v1/records").text().contains("7700900114"));
        assert_eq!(first(&sue)["caller"], CALLER);
        let plain = crate::support::floor::FLOOR.replace("[groups.Orders]", "[settings]\nmask_numbers = false\n[groups.Orders]");
        assert!(matches!(crate::support::floor::apply(&switch.db, &plain), Reply::Changes { .. }));
        assert_eq!(first(&mei)["caller"], CALLER);
    }

    // H8
    fn a_masked_number_is_not_found_out_by_asking_for_its_digits(database) {
        let switch = three_calls(database);
        let mei = switch.logged_in("mei@example.com");
        let count = |digits: &str| agents(&mei.get(&format!("/api/v1/records?caller={digits}"))).len();
        assert_eq!((count("7009"), count("447700900"), count("0114")), (0, 0, 0));
        // Who knows the whole number may ask for it.
        assert_eq!(count("%2B44%207700%20900114"), 2);
    }

    // G1
    fn a_record_tells_its_times_and_where_its_recording_is(database) {
        let switch = three_calls(database);
        let record = switch.logged_in("tom@example.com").get("/api/v1/records").json()["items"][0].clone();
        assert_eq!(record["id"], format!("{:032x}-1", 3));
        assert_eq!((record["time"].as_i64(), record["duration"].as_i64(), record["status"].as_str()), (Some(3_011_000), Some(10_000), Some("normal_end")));
        assert_eq!((record["hungUpBy"].as_str(), record["group"].as_str(), record["callType"].as_str()), (Some("customer"), Some("Orders"), Some("inbound")));
        assert!(record["recording"].is_null(), "there is no recording of it");
    }
}

// A8
#[test]
fn what_a_role_may_not_do_is_refused_by_the_server() {
    let switch = Database::sqlite().switch().staffed();
    for email in ["mei@example.com", "sue@example.com"] {
        let mut page = switch.logged_in(email);
        assert_eq!(page.get("/api/v1/agents").refusal(), (403, "not_allowed".into()));
        let form = serde_json::json!({ "email": "x@example.com", "number": "7", "name": "X", "role": "admin" });
        assert_eq!(page.post("/api/v1/agents", &form).refusal(), (403, "not_allowed".into()));
        assert_eq!(page.post("/api/v1/agents/1/reset", &serde_json::json!({})).refusal(), (403, "not_allowed".into()));
    }
    let stranger = switch.page();
    for path in ["/api/v1/records", "/api/v1/agents", "/api/v1/recordings/1-0.mp3", "/api/v1/recordings/1-0/waveform"] {
        assert_eq!(stranger.get(path).refusal(), (401, "not_logged_in".into()), "{path}");
    }
}
