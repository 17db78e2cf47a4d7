//! What agents say of themselves (A7): nickname and picture.

use crate::support::http::{Answer, Page};
use serde_json::json;

/// Posts these bytes as the page would post a picture.
fn upload(page: &Page, image: &[u8]) -> Answer {
    page.upload("/api/v1/avatar", image)
}

fn png(size: usize) -> Vec<u8> {
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    image.resize(size, 7);
    image
}

on_both! {
    fn a_nickname_is_changed_and_taken_away(database) {
        let switch = database.switch().staffed();
        let mut mei = switch.logged_in("mei@example.com");
        assert_eq!(mei.post("/api/v1/profile", &json!({ "nickname": "  Mei 梅 " })).json()["nickname"], "Mei 梅");
        assert_eq!(mei.get("/api/v1/me").json()["nickname"], "Mei 梅");
        assert_eq!(mei.post("/api/v1/profile", &json!({ "nickname": "a\u{7}" })).refusal(), (422, "invalid".into()));
        assert!(mei.post("/api/v1/profile", &json!({ "nickname": "" })).json()["nickname"].is_null());
        assert!(mei.get("/api/v1/me").json()["nickname"].is_null());
    }

    fn a_picture_is_shown_to_colleagues_as_a_picture_and_nothing_else(database) {
        let switch = database.switch().staffed();
        let mei = switch.logged_in("mei@example.com");
        assert!(mei.get("/api/v1/me").json()["avatar"].is_null());
        for (image, kind) in [
            (png(300), "image/png"),
            (b"\xff\xd8\xff\xe0<script>".to_vec(), "image/jpeg"),
            (b"RIFF\x10\0\0\0WEBPVP8 ".to_vec(), "image/webp"),
        ] {
            let me = upload(&mei, &image).json();
            let path = me["avatar"].as_str().unwrap();
            let shown = switch.logged_in("tom@example.com").get(path);
            assert_eq!((shown.status, shown.header("Content-Type"), &shown.body), (200, Some(kind), &image));
            assert_eq!(shown.header("X-Content-Type-Options"), Some("nosniff"));
            assert_eq!(shown.header("Content-Security-Policy"), Some("default-src 'none'; sandbox"));
            assert_eq!(mei.get("/api/v1/me").json()["avatar"], path);
            assert_eq!(switch.page().get(path).refusal(), (401, "not_logged_in".into()));
        }
        assert!(upload(&mei, b"").json()["avatar"].is_null());
        assert!(mei.get("/api/v1/me").json()["avatar"].is_null());
    }

    fn what_is_no_picture_or_too_large_is_refused(database) {
        let switch = database.switch().staffed();
        let mei = switch.logged_in("mei@example.com");
        assert_eq!(upload(&mei, &png(1024 * 1024)).status, 200);
        for wrong in [png(1024 * 1024 + 1), b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), b"GIF89a".to_vec(), b"RIFF\x10\0\0\0WAVE".to_vec()] {
            let refused = upload(&mei, &wrong);
            assert_eq!(refused.refusal(), (422, "invalid".into()));
        }
        assert!(!mei.get("/api/v1/me").json()["avatar"].is_null(), "the one before stays");
        let agent = switch.agent("tom@example.com");
        assert_eq!(mei.get(&format!("/api/v1/agents/{}/avatar", agent.0)).refusal(), (404, "not_found".into()));
    }
}
