//! The pages inside the binary (I4), health and metrics (I7).

use crate::support::Database;
use crate::support::http::Answer;

fn policy(answer: &Answer) -> &str {
    answer.header("Content-Security-Policy").unwrap()
}

#[test]
fn the_page_comes_with_headers_that_keep_strangers_out() {
    let switch = Database::sqlite().switch();
    let home = switch.page().get("/");
    assert_eq!((home.status, home.header("Content-Type")), (200, Some("text/html")), "is web/dist built?");
    assert!(home.text().contains("<div id=\"app\">"));
    assert!(policy(&home).contains("default-src 'none'; script-src 'self';") && policy(&home).contains("frame-ancestors 'none'"));
    assert!(policy(&home).contains(&format!("connect-src 'self' ws://{0} wss://{0};", switch.addr)), "{}", policy(&home));
    assert_eq!(home.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(home.header("Referrer-Policy"), Some("same-origin"));
    assert!(home.header("Permissions-Policy").unwrap().contains("microphone=(self)"));
    assert_eq!(home.header("Cache-Control"), Some("no-cache"));
}

#[test]
fn the_page_may_frame_the_crm_of_the_floor_and_nothing_else() {
    use crate::support::floor::{FLOOR, apply};
    let switch = Database::sqlite().switch();
    let before = switch.page().get("/");
    assert!(policy(&before).contains("; frame-src 'none';"), "{}", policy(&before));
    let floor = FLOOR.replace("[groups.Orders]", "[settings]\ncrm = { url = \"https://crm.example:8443/call?{caller}\" }\n[groups.Orders]");
    assert!(matches!(apply(&switch.db, &floor), cordboard::api::control::Reply::Changes { .. }));
    let page = switch.page().get_with("/", &[("If-None-Match", before.header("ETag").unwrap())]);
    assert_eq!(page.status, 200, "another policy is another page");
    assert!(policy(&page).contains("; frame-src https://crm.example:8443;"), "{}", policy(&page));
}

#[test]
fn bytes_to_measure_with_are_for_agents_and_not_too_many() {
    let switch = Database::sqlite().switch().staffed();
    let mei = switch.logged_in("mei@example.com");
    let answer = mei.get("/api/v1/probe?bytes=70000");
    assert_eq!((answer.status, answer.body.len(), answer.header("Cache-Control")), (200, 70_000, Some("no-store")));
    assert_eq!(mei.get("/api/v1/probe?bytes=1048577").refusal(), (422, "invalid".into()));
    assert_eq!(mei.upload("/api/v1/probe", &[7; 1_048_576]).status, 204);
    assert_eq!(mei.upload("/api/v1/probe", &[7; 1_048_577]).status, 413);
    assert_eq!(switch.page().get("/api/v1/probe?bytes=1").refusal(), (401, "not_logged_in".into()));
    assert_eq!(switch.page().upload("/api/v1/probe", b"7").refusal(), (401, "not_logged_in".into()));
}

#[test]
fn a_host_that_is_none_does_not_get_into_the_policy() {
    let switch = Database::sqlite().switch();
    let stream = std::net::TcpStream::connect(switch.addr).unwrap();
    let answer = crate::support::http::exchange(stream, "a;script-src *", "GET", "/", &[], "");
    assert!(answer.status == 400 || !policy(&answer).contains('*'), "{}", answer.status);
}

// I4
#[test]
fn every_view_is_the_same_page_and_a_file_that_is_not_there_is_none() {
    let switch = Database::sqlite().switch();
    let home = switch.page().get("/");
    assert_eq!(switch.page().get("/records").body, home.body);
    assert_eq!(switch.page().get("/assets/nothing.js").refusal(), (404, "not_found".into()));
    assert_eq!(switch.page().get("/../Cargo.toml").refusal(), (404, "not_found".into()));
    assert_eq!(switch.page().get("/api/v1/nothing").refusal(), (404, "not_found".into()));
}

// I4
#[test]
fn files_named_by_their_content_are_kept_for_ever_and_the_page_is_asked_for_again() {
    let switch = Database::sqlite().switch();
    let home = switch.page().get("/");
    let text = home.text();
    let script = text.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js")).unwrap();
    let answer = switch.page().get(script);
    assert_eq!((answer.status, answer.header("Cache-Control")), (200, Some("public, max-age=31536000, immutable")));
    let again = switch.page().get_with("/", &[("If-None-Match", home.header("ETag").unwrap())]);
    assert_eq!((again.status, again.body.len()), (304, 0));
}

// I7
#[test]
fn health_and_readiness_are_told() {
    let switch = Database::sqlite().switch();
    assert_eq!(switch.page().get("/healthz").text(), "alive\n");
    assert_eq!(switch.page().get("/readyz").text(), "ready\n");
    assert_eq!(switch.page().get("/metrics").status, 200);
    switch.drain();
    let answer = switch.page().get("/readyz");
    assert_eq!((answer.status, answer.text()), (503, "draining\n".into()));
    assert_eq!(switch.page().get("/healthz").status, 200);
}

#[test]
fn hello_says_the_version_and_whether_this_is_the_demo() {
    let switch = Database::sqlite().switch();
    let hello = switch.page().get("/api/v1/hello");
    assert_eq!(hello.json(), serde_json::json!({ "version": env!("CARGO_PKG_VERSION"), "demo": false }));
    assert_eq!(hello.header("Cache-Control"), Some("no-store"));
}

// I1
#[test]
fn every_endpoint_of_the_description_is_there() {
    let switch = Database::sqlite().switch();
    let description = switch.page().get("/api/v1/openapi.json").json();
    assert_eq!(description["openapi"].as_str().unwrap().split('.').next(), Some("3"));
    let mut endpoints = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        let path = path.replace("{record}", "0-0").replace("{id}", "1");
        for method in methods.as_object().unwrap().keys() {
            let answer = match method.as_str() {
                "get" => switch.page().get(&path),
                "post" => switch.page().post(&path, &serde_json::json!({})),
                "put" => switch.page().put(&path, &serde_json::json!({})),
                "delete" => switch.page().delete(&path),
                other => panic!("{other} {path}"),
            };
            assert_ne!(answer.status, 404, "{method} {path}");
            endpoints += 1;
        }
    }
    assert!(endpoints >= 20, "{endpoints}");
    let filter = &description["paths"]["/api/v1/records"]["get"]["parameters"];
    assert_eq!(filter.as_array().unwrap().len(), 9);
}
