//! What an agent uses the bound mobile for (C7, E2, F1).

use crate::sms::{NUMBER, bind};
use crate::support::Switch;
use crate::support::http::{Answer, Page};
use cordboard::api::Event;
use cordboard_db::MobileSwitches;
use serde_json::{Value, json};

fn switches(answering: Option<bool>, outbound: Option<bool>) -> Value {
    json!({ "answering": answering, "outbound": outbound })
}

fn set(page: &mut Page, answering: Option<bool>, outbound: Option<bool>) -> Answer {
    page.post("/api/v1/mobile/switches", &switches(answering, outbound))
}

fn kept(switch: &Switch, email: &str) -> (bool, bool) {
    let MobileSwitches { answering, outbound } = switch.db.account_by_email(email).unwrap().unwrap().switches;
    (answering, outbound)
}

on_both! {
    // C7, E2, F1
    fn agents_of_any_role_switch_their_own_mobile_and_it_is_kept(database) {
        let switch = database.switch().staffed();
        for email in ["mei@example.com", "sue@example.com", "ada@example.com"] {
            bind(&switch, email, NUMBER);
            let agent = switch.agent(email);
            let mut page = switch.logged_in(email);
            assert_eq!(kept(&switch, email), (false, false));
            switch.heard();
            for (change, now) in [
                ((Some(true), None), (true, false)),
                ((None, Some(true)), (true, true)),
                ((None, None), (true, true)),
                ((Some(false), Some(false)), (false, false)),
                ((Some(true), Some(true)), (true, true)),
            ] {
                assert_eq!(set(&mut page, change.0, change.1).status, 204);
                assert_eq!(kept(&switch, email), now);
                assert_eq!(switch.heard(), vec![Event::MobileChanged { agent }]);
            }
        }
        assert_eq!(kept(&switch, "tom@example.com"), (false, false), "nobody else's");
    }

    // C7
    fn who_has_no_bound_mobile_is_told_so_and_may_only_switch_it_off(database) {
        let switch = database.switch().staffed();
        let mut page = switch.logged_in("mei@example.com");
        switch.heard();
        for (answering, outbound) in [(Some(true), None), (None, Some(true)), (Some(false), Some(true))] {
            let refused = set(&mut page, answering, outbound);
            assert!(refused.text().contains("Bind your mobile number in your profile first."));
            assert_eq!(refused.refusal(), (422, "no_mobile".into()));
        }
        assert_eq!((kept(&switch, "mei@example.com"), switch.heard()), ((false, false), vec![]));
        assert_eq!(set(&mut page, Some(false), None).status, 204);
    }

    // A8, A2
    fn nobody_switches_a_mobile_without_a_login_or_before_the_account_is_completed(database) {
        let switch = database.switch().staffed();
        assert_eq!(set(&mut switch.page(), Some(true), None).refusal(), (401, "not_logged_in".into()));
        bind(&switch, "ada@example.com", NUMBER);
        switch.must_change_password("ada@example.com");
        assert_eq!(set(&mut switch.logged_in("ada@example.com"), Some(true), None).refusal(), (403, "password_change_required".into()));
        let mut page = switch.logged_in("mei@example.com");
        let other = json!({ "answering": true, "outbound": null, "agent": 2 });
        assert_eq!(page.post("/api/v1/mobile/switches", &other).refusal(), (400, "bad_request".into()), "one's own alone");
        assert_eq!(kept(&switch, "ada@example.com"), (false, false));
    }
}
