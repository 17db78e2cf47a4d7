//! Codes by SMS (A4) and what they allow (A2, A3, A5, A7), at moments of the test's choice.

use crate::codes::{CodeFor, CodeId, Completion, Held, Tried};
use crate::tests::support::{MEI, TOM, TWO_AND_TWO, TestDb};
use diesel::prelude::*;

const NUMBER: &str = "+447700900162";
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

fn entered(test: &TestDb, purpose: CodeFor, at: i64) -> CodeId {
    test.db.enter_code(NUMBER, purpose, "hash", at).unwrap().unwrap()
}

fn tried(test: &TestDb, purpose: CodeFor, at: i64) -> Tried {
    test.db.try_code(NUMBER, purpose, at).unwrap()
}

fn against(code: CodeId, last: bool) -> Tried {
    Tried::Against { code, hash: "hash".into(), last }
}

on_both! {
    // A4
    fn a_code_is_good_for_five_minutes(test) {
        let code = entered(test, CodeFor::Login, 0);
        assert_eq!(tried(test, CodeFor::Login, 5 * MINUTE - 1), against(code, false));
        assert_eq!(tried(test, CodeFor::Login, 5 * MINUTE), Tried::Nothing);
    }

    // A4
    fn a_code_is_good_for_its_number_and_its_purpose_alone(test) {
        entered(test, CodeFor::Binding(MEI), 0);
        for other in [CodeFor::Login, CodeFor::Recovery, CodeFor::Binding(TOM)] {
            assert_eq!(tried(test, other, 1), Tried::Nothing, "{other}");
        }
        assert_eq!(test.db.try_code("+447700900163", CodeFor::Binding(MEI), 1).unwrap(), Tried::Nothing);
    }

    // A4
    fn a_number_waits_a_minute_for_another_code_which_replaces_the_first(test) {
        entered(test, CodeFor::Login, 0);
        for purpose in [CodeFor::Login, CodeFor::Recovery] {
            let early = test.db.enter_code(NUMBER, purpose, "hash", MINUTE - 1).unwrap();
            assert_eq!(early, Err(Held::TooSoon { wait: 1 }));
        }
        assert!(test.db.enter_code("+447700900163", CodeFor::Login, "hash", 1).unwrap().is_ok(), "another number does not wait");
        let second = test.db.enter_code(NUMBER, CodeFor::Login, "hash", MINUTE).unwrap().unwrap();
        assert_eq!(tried(test, CodeFor::Login, MINUTE), against(second, false));
    }

    // A4
    fn a_number_gets_five_codes_an_hour(test) {
        for n in 0..5 {
            entered(test, CodeFor::Login, n * 2 * MINUTE);
        }
        let sixth = |at| test.db.enter_code(NUMBER, CodeFor::Login, "hash", at).unwrap();
        assert_eq!(sixth(10 * MINUTE), Err(Held::TooMany { wait: 50 * MINUTE }));
        assert!(sixth(60 * MINUTE).is_ok());
    }

    // A4
    fn five_wrong_tries_burn_a_code(test) {
        let code = entered(test, CodeFor::Login, 0);
        for n in 1..=5 {
            assert_eq!(tried(test, CodeFor::Login, n), against(code, n == 5));
        }
        assert_eq!(tried(test, CodeFor::Login, 6), Tried::Burned);
        test.db.give_try_back(code).unwrap();
        assert_eq!(tried(test, CodeFor::Login, 7), against(code, true));
    }

    // A4
    fn a_code_that_could_not_be_sent_leaves_the_one_before_it_and_no_wait(test) {
        let first = entered(test, CodeFor::Login, 0);
        let failed = entered(test, CodeFor::Login, MINUTE);
        test.db.forget_code(failed).unwrap();
        assert_eq!(tried(test, CodeFor::Login, MINUTE + 1), against(first, false));
        assert!(test.db.enter_code(NUMBER, CodeFor::Login, "hash", MINUTE + 2).unwrap().is_ok());
    }

    // A3
    fn a_code_allows_one_login(test) {
        test.apply(TWO_AND_TWO);
        let code = entered(test, CodeFor::Login, 0);
        let session = test.db.create_session_by_code(code, MEI, "first", 1, 900).unwrap().unwrap();
        assert_eq!((session.agent, session.epoch), (MEI, 1));
        assert_eq!(test.db.create_session_by_code(code, MEI, "second", 2, 900).unwrap(), None);
        assert!(test.db.session("second", 3).unwrap().is_none());
        assert_eq!(tried(test, CodeFor::Login, 3), Tried::Nothing);
    }

    // A4
    fn of_several_at_once_one_uses_the_code(test) {
        test.apply(TWO_AND_TWO);
        let code = entered(test, CodeFor::Login, 0);
        let begun = std::thread::scope(|scope| {
            let login = |n: usize| scope.spawn(move || test.db.create_session_by_code(code, MEI, &format!("token {n}"), 1, 900).unwrap());
            let all: Vec<_> = (0..6).map(login).collect();
            all.into_iter().filter_map(|thread| thread.join().unwrap()).count()
        });
        assert_eq!(begun, 1);
    }

    // A5
    fn a_recovery_sets_the_password_and_ends_the_other_sessions(test) {
        test.apply(TWO_AND_TWO);
        test.db.set_one_time_password(MEI, "mailed").unwrap();
        test.db.create_session(MEI, "before", 0, 900).unwrap();
        let code = entered(test, CodeFor::Recovery, 0);
        let session = test.db.recover_account(code, MEI, "own", "after", 1, 900).unwrap().unwrap();
        let mei = test.db.account(MEI).unwrap().unwrap();
        assert_eq!((mei.password_hash.as_deref(), mei.must_change_password), (Some("own"), false));
        assert!(test.db.session("before", 2).unwrap().is_none());
        assert_eq!(test.db.session("after", 2).unwrap(), Some(session));
        assert_eq!(test.db.recover_account(code, MEI, "another", "third", 2, 900).unwrap(), None);
        assert_eq!(test.db.account(MEI).unwrap().unwrap().password_hash.as_deref(), Some("own"));
    }

    // A2
    fn an_account_is_completed_whole_or_not_at_all(test) {
        test.apply(TWO_AND_TWO);
        test.db.set_one_time_password(MEI, "mailed").unwrap();
        for token in ["here", "elsewhere"] {
            test.db.create_session(MEI, token, 0, 900).unwrap();
        }
        let code = entered(test, CodeFor::Binding(MEI), 0);
        let completion =
            Completion { bind: Some((code, NUMBER.into())), nickname: Some("Mei".into()), password_hash: "own".into() };
        test.sql("UPDATE sms_codes SET used = TRUE");
        assert!(!test.db.complete_account(MEI, &completion, "here").unwrap());
        let before = test.db.account(MEI).unwrap().unwrap();
        assert_eq!((before.mobile, before.nickname, before.must_change_password), (None, None, true));
        test.sql("UPDATE sms_codes SET used = FALSE");
        assert!(test.db.complete_account(MEI, &completion, "here").unwrap());
        let mei = test.db.account(MEI).unwrap().unwrap();
        assert_eq!((mei.mobile.as_deref(), mei.nickname.as_deref()), (Some(NUMBER), Some("Mei")));
        assert_eq!((mei.password_hash.as_deref(), mei.must_change_password), (Some("own"), false));
        assert!(test.db.session("here", 1).unwrap().is_some() && test.db.session("elsewhere", 1).unwrap().is_none());
    }

    // A5, A3
    fn a_number_leads_to_every_account_that_has_it(test) {
        test.apply(TWO_AND_TWO);
        for agent in [MEI, TOM] {
            let code = entered(test, CodeFor::Binding(agent), i64::from(agent.0) * MINUTE);
            assert!(test.db.change_mobile(code, agent, NUMBER).unwrap());
        }
        let both: Vec<_> = test.db.accounts_by_mobile(NUMBER).unwrap().into_iter().map(|account| account.setup.id).collect();
        assert_eq!(both, vec![MEI, TOM]);
        test.db.remove_account(TOM).unwrap();
        assert_eq!(test.db.accounts_by_mobile(NUMBER).unwrap().len(), 1);
        // Who takes the account's address again does not take its number with it.
        test.apply(TWO_AND_TWO);
        assert_eq!(test.db.accounts_by_mobile(NUMBER).unwrap().len(), 1);
    }

    // A4
    fn what_was_sent_longer_than_an_hour_ago_is_forgotten(test) {
        entered(test, CodeFor::Login, 0);
        entered(test, CodeFor::Login, 60 * MINUTE);
        let kept: i64 = test.db.run(|c| Ok(crate::schema::sms_codes::table.count().get_result(c)?)).unwrap();
        assert_eq!(kept, 1);
    }

    // A4
    fn the_outbox_shows_the_latest_first_and_forgets_after_a_week(test) {
        const WEEK: i64 = 7 * 24 * 60 * MINUTE;
        test.db.add_to_outbox(NUMBER, "old", 0).unwrap();
        test.db.add_to_outbox(NUMBER, "first", WEEK - 1).unwrap();
        test.db.add_to_outbox("+447700900163", "second", WEEK).unwrap();
        let told: Vec<_> = test.db.outbox().unwrap().into_iter().map(|message| (message.at, message.mobile, message.text)).collect();
        assert_eq!(told, vec![(WEEK, "+447700900163".into(), "second".into()), (WEEK - 1, NUMBER.into(), "first".into())]);
    }
}
