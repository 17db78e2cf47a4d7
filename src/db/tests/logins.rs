//! Accounts, sessions, states.

use crate::accounts::{AccountForm, Taken};
use crate::agent_states::StateChange;
use crate::agents::{ChosenState, MobileSwitches, Role};
use crate::codes::CodeFor;
use cordboard_core::ids::{AgentId, GroupId};
use cordboard_core::setup::Membership;

const TWO_AGENTS: &str = r#"
    [agents."Mei@Demo.example"]
    number = "1001"
    name = "Mei Chen"
    nickname = "Mei"
    role = "supervisor"
    password_env = "MEI"
    [agents."tom@demo.example"]
    number = "1002"
    name = "Tom Baker"
"#;

on_both! {
    // A3.
    fn an_account_is_found_by_its_address_however_it_is_typed(test) {
        test.apply(TWO_AGENTS);
        let mei = test.db.account_by_email(" MEI@demo.EXAMPLE").unwrap().unwrap();
        assert_eq!((mei.setup.name.as_str(), mei.setup.number.as_str(), mei.role), ("Mei Chen", "1001", Role::Supervisor));
        assert_eq!((mei.email.as_str(), mei.nickname.as_deref(), mei.epoch), ("mei@demo.example", Some("Mei"), 0));
        assert_eq!(mei.password_hash.as_deref(), Some("hash of secret of MEI"));
        assert!(mei.created_at > 1_700_000_000_000);
        assert_eq!(test.db.account(mei.setup.id).unwrap().unwrap().email, mei.email);
        assert!(test.db.account_by_email("nobody@demo.example").unwrap().is_none());
        assert!(test.db.account_by_email("tom@demo.example").unwrap().unwrap().password_hash.is_none());
        assert_eq!(test.db.agents().unwrap().len(), 2);
    }

    // C7, E2.
    fn a_mobile_is_switched_on_where_one_is_bound_and_is_off_when_the_account_comes_back(test) {
        test.apply(TWO_AGENTS);
        let mei = test.db.account_by_email("mei@demo.example").unwrap().unwrap().setup.id;
        let switch = |answering, outbound| test.db.switch_mobile(mei, answering, outbound).unwrap().map(|set| (set.answering, set.outbound));
        assert_eq!([switch(Some(true), None), switch(None, Some(true)), switch(Some(false), None)], [None, None, Some((false, false))]);
        let code = test.db.enter_code("+447700900162", CodeFor::Binding(mei), "", 0).unwrap().unwrap();
        assert!(test.db.change_mobile(code, mei, "+447700900162").unwrap());
        assert_eq!([switch(Some(true), None), switch(None, Some(true))], [Some((true, false)), Some((true, true))]);
        assert_eq!(test.db.account(mei).unwrap().unwrap().switches, MobileSwitches { answering: true, outbound: true });
        test.apply("");
        test.apply(TWO_AGENTS);
        let back = test.db.account(mei).unwrap().unwrap();
        assert_eq!((back.switches, back.mobile), (MobileSwitches::default(), None));
        assert_eq!(test.db.switch_mobile(AgentId(99), Some(false), None).unwrap(), None);
    }

    // A1, H1.
    fn an_account_made_alone_takes_no_address_number_or_group_that_is_not_free(test) {
        test.apply(&format!("[groups.Orders]\n{TWO_AGENTS}"));
        let orders = test.db.groups().unwrap()[0].id;
        let form = |email: &str, number: &str, group| AccountForm {
            email: email.into(), number: number.into(), name: "Ada".into(), nickname: None, role: Role::Admin, groups: vec![group],
        };
        let ada = test.db.create_account(&form("ada@demo.example", "1003", orders), 5).unwrap().unwrap();
        let found = test.db.account_by_email("ada@demo.example").unwrap().unwrap();
        assert_eq!((found.setup.id, found.role, found.created_at, &found.password_hash), (ada, Role::Admin, 5, &None));
        assert_eq!(found.setup.groups, vec![Membership { group: orders, priority: 1, weight: 1 }]);
        let none = GroupId(99);
        assert_eq!(test.db.create_account(&form("ada@demo.example", "1004", orders), 6).unwrap(), Err(Taken::Email));
        assert_eq!(test.db.create_account(&form("eve@demo.example", "1001", orders), 6).unwrap(), Err(Taken::Number));
        assert_eq!(test.db.create_account(&form("eve@demo.example", "1004", none), 6).unwrap(), Err(Taken::Group(none)));
        assert_eq!(test.db.accounts().unwrap().len(), 3);
    }

    // A1, A2.
    fn a_one_time_password_ends_the_sessions_and_must_be_changed(test) {
        test.apply(TWO_AGENTS);
        let [mei, tom] = [0, 1].map(|index| test.db.accounts().unwrap()[index].setup.id);
        test.db.create_session(mei, "meis", 0, 900).unwrap();
        test.db.create_session(tom, "toms", 0, 900).unwrap();
        test.db.set_one_time_password(mei, "hash").unwrap();
        assert_eq!((test.db.session("meis", 1).unwrap(), test.db.session("toms", 1).unwrap().is_some()), (None, true));
        assert!(test.db.account(mei).unwrap().unwrap().must_change_password);
        test.db.remove_account(tom).unwrap();
        assert_eq!((test.db.session("toms", 1).unwrap(), test.db.account(tom).unwrap().is_none()), (None, true));
    }

    // A9.
    fn a_second_login_makes_the_first_one_stale_and_leaves_others_alone(test) {
        test.apply(TWO_AGENTS);
        let [mei, tom] = [0, 1].map(|index| test.db.accounts().unwrap()[index].setup.id);
        let first = test.db.create_session(mei, "one", 1_000, 9_000).unwrap();
        test.db.create_session(tom, "toms", 1_000, 9_000).unwrap();
        assert!(!test.db.session("one", 2_000).unwrap().unwrap().stale);
        let second = test.db.create_session(mei, "two", 3_000, 9_000).unwrap();
        assert_eq!((first.epoch, second.epoch), (1, 2));
        assert!(test.db.session("one", 4_000).unwrap().unwrap().stale);
        assert_eq!(test.db.session("two", 4_000).unwrap(), Some(second));
        assert!(!test.db.session("toms", 4_000).unwrap().unwrap().stale);
        assert_eq!(test.db.account(mei).unwrap().unwrap().epoch, 2);
    }

    // A9.
    fn logins_at_the_same_time_get_different_epochs(test) {
        test.apply(TWO_AGENTS);
        let mei = test.db.accounts().unwrap()[0].setup.id;
        let mut epochs: Vec<i64> = std::thread::scope(|scope| {
            let login = |n: usize| scope.spawn(move || test.db.create_session(mei, &format!("token {n}"), 0, 9).unwrap().epoch);
            (0..8).map(login).collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        epochs.sort();
        assert_eq!(epochs, (1..=8).collect::<Vec<_>>());
    }

    // A3.
    fn the_latest_session_of_who_has_a_page_open_lasts_on_unless_it_is_over(test) {
        test.apply(TWO_AGENTS);
        let accounts = test.db.accounts().unwrap();
        let (mei, tom) = (accounts[0].setup.id, accounts[1].setup.id);
        for (agent, token, expires_at) in [(mei, "old", 100), (mei, "new", 100), (tom, "toms", 100)] {
            test.db.create_session(agent, token, 0, expires_at).unwrap();
        }
        let lasts = |token| test.db.session(token, 99).unwrap().map(|session| (session.last_seen_at, session.expires_at));
        test.db.touch_sessions_of(&[mei], 50, 150).unwrap();
        assert_eq!((lasts("old"), lasts("new"), lasts("toms")), (Some((0, 100)), Some((50, 150)), Some((0, 100))));
        test.db.touch_sessions_of(&[mei, tom], 120, 300).unwrap();
        assert_eq!((test.db.session("new", 200).unwrap().is_some(), test.db.session("toms", 200).unwrap()), (true, None));
    }

    // A9.
    fn a_session_lasts_until_it_expires_or_is_ended(test) {
        test.apply(TWO_AGENTS);
        let mei = test.db.accounts().unwrap()[0].setup.id;
        for token in ["a", "b", "c"] {
            test.db.create_session(mei, token, 0, 100).unwrap();
        }
        assert!(test.db.session("a", 100).unwrap().is_none());
        test.db.touch_session("a", 50, 150).unwrap();
        let touched = test.db.session("a", 100).unwrap().unwrap();
        assert_eq!((touched.created_at, touched.last_seen_at, touched.expires_at), (0, 50, 150));
        assert_eq!(test.db.delete_expired_sessions(100).unwrap(), 2);
        test.db.create_session(mei, "d", 0, 900).unwrap();
        assert_eq!(test.db.delete_sessions_of(mei, Some("d")).unwrap(), 1);
        assert!(test.db.session("d", 100).unwrap().is_some());
        test.db.delete_session("d").unwrap();
        assert!(test.db.session("d", 100).unwrap().is_none());
        test.db.create_session(mei, "e", 0, 900).unwrap();
        assert_eq!(test.db.delete_sessions_of(mei, None).unwrap(), 1);
    }

    // H1.
    fn a_session_of_an_agent_who_was_removed_is_over(test) {
        test.apply(TWO_AGENTS);
        let mei = test.db.accounts().unwrap()[0].setup.id;
        test.db.create_session(mei, "t", 0, 900).unwrap();
        test.apply("");
        assert!(test.db.session("t", 1).unwrap().is_none());
        assert!(test.db.create_session(mei, "u", 1, 900).is_err());
        assert!(test.db.session("u", 1).unwrap().is_none());
    }

    fn a_token_is_not_stored(test) {
        test.apply(TWO_AGENTS);
        let mei = test.db.accounts().unwrap()[0].setup.id;
        test.db.create_session(mei, "0123456789abcdef", 0, 900).unwrap();
        use diesel::prelude::*;
        let stored: Vec<Vec<u8>> =
            test.db.run(|c| Ok(crate::schema::sessions::table.select(crate::schema::sessions::token_hash).load(c)?)).unwrap();
        assert_eq!(stored[0].len(), 32);
        assert!(!stored[0].starts_with(b"0123"));
    }

    // A7, B5.
    fn a_new_password_and_the_last_chosen_state_are_kept(test) {
        test.apply(TWO_AGENTS);
        let tom = test.db.account_by_email("tom@demo.example").unwrap().unwrap().setup.id;
        test.db.set_password(tom, "hash", true).unwrap();
        let lunch = ChosenState { state: "on_break".into(), reason: Some("Lunch".into()) };
        test.db.set_chosen_state(tom, &lunch).unwrap();
        let account = test.db.account(tom).unwrap().unwrap();
        assert_eq!((account.password_hash.as_deref(), account.must_change_password), (Some("hash"), true));
        assert_eq!(account.chosen_state, Some(lunch));
        let busy = ChosenState { state: "busy".into(), reason: None };
        test.db.set_chosen_state(tom, &busy).unwrap();
        assert_eq!(test.db.account(tom).unwrap().unwrap().chosen_state, Some(busy));
    }

    // B5.
    fn the_states_of_a_day_begin_with_the_one_that_held_at_its_start(test) {
        test.apply(TWO_AGENTS);
        let [mei, tom] = [0, 1].map(|index| test.db.accounts().unwrap()[index].setup.id);
        let change = |agent: AgentId, state: &str, at| StateChange { agent, state: state.into(), reason: None, at };
        let busy = StateChange { reason: Some("3 calls missed".into()), ..change(mei, "busy", 30) };
        test.db.add_agent_states(&[change(mei, "offline", 5), change(mei, "available", 10), change(tom, "busy", 15)]).unwrap();
        test.db.add_agent_states(&[busy.clone(), change(mei, "available", 30), change(mei, "offline", 40)]).unwrap();
        test.db.add_agent_states(&[]).unwrap();
        let day = test.db.agent_states(mei, 20, 40).unwrap();
        assert_eq!(day, vec![change(mei, "available", 10), busy, change(mei, "available", 30)]);
        assert_eq!(test.db.agent_states(tom, 0, 10).unwrap(), vec![]);
    }
}
