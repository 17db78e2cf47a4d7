//! Calls, service records, recordings.

use crate::recordings::{Recording, RecordingState};
use crate::records::{RECORDS_PER_PAGE, RecordFilter, Scope};
use crate::tests::support::{MEI, ORDERS, RETURNS, TOM, TWO_AND_TWO, row};
use cordboard_core::ids::{AgentId, CallId, GroupId};
use cordboard_core::outcome::{CallStatus, CallType, HungUpBy};
use cordboard_core::record::{CallRow, Entry, What, fold};

/// Gave up in the queue.
fn abandoned(call: u128, caller: &str, group: GroupId, at: i64) -> CallRow {
    let entry = |after, what| Entry { call: CallId(call), at: at + after, what };
    let accepted = What::Accepted { way: CallType::Inbound, trunk: None, caller: caller.into(), contact: "+442079460002".into() };
    let ended = What::Ended { status: CallStatus::AbandonedQueue, by: HungUpBy::Customer };
    fold(&[entry(0, accepted), entry(1, What::Queued { group }), entry(50, ended)], None).unwrap()
}

fn ids(test: &crate::tests::support::TestDb, filter: RecordFilter, scope: Scope) -> Vec<u128> {
    let page = test.db.records_page(&filter, &scope).unwrap();
    assert_eq!(page.total, i64::try_from(page.items.len()).unwrap());
    page.items.iter().map(|item| item.record.call.0).collect()
}

on_both! {
    // G1.
    fn a_call_reads_back_as_it_was_written(test) {
        test.apply(TWO_AND_TWO);
        let mut call = row(7, "+4915112345678", ORDERS, MEI, 1_000);
        call.recording_began = Some(1_005);
        let first = &mut call.records[0];
        (first.mos, first.remark, first.hold, first.recording) = (Some(4.25), "wants a refund ✓".into(), 20, Some((5, 95)));
        test.db.write_calls(std::slice::from_ref(&call)).unwrap();
        let page = test.db.records_page(&RecordFilter::default(), &Scope::All).unwrap();
        assert_eq!(page.total, 1);
        let item = &page.items[0];
        assert_eq!(item.record, call.records[0]);
        assert_eq!((item.caller.as_str(), item.contact.as_str()), ("+4915112345678", "+442079460001"));
        assert_eq!((item.agent.as_deref(), item.group.as_deref(), item.recording), (Some("Mei Chen"), Some("Orders"), None));
        assert_eq!(item.id(), "00000000000000000000000000000007-0");
        assert_eq!(test.db.record(&item.id(), &Scope::Own(MEI)).unwrap().as_ref(), Some(item));
        assert_eq!(test.db.record(&item.id(), &Scope::Own(TOM)).unwrap(), None);
        assert_eq!(test.db.record("nonsense", &Scope::All).unwrap(), None);
    }

    // G5.
    fn a_call_is_there_once_however_often_it_is_written(test) {
        let call = row(7, "+44", ORDERS, MEI, 0);
        test.db.write_calls(&[call.clone(), call.clone()]).unwrap();
        test.db.write_calls(&[call.clone(), row(8, "+44", ORDERS, MEI, 0)]).unwrap();
        assert_eq!(ids(test, RecordFilter::default(), Scope::All), vec![8, 7]);
        test.db.write_calls(&[]).unwrap();
    }

    // G5.
    fn a_thousand_calls_are_written_at_once(test) {
        let calls: Vec<_> = (1..=1_200).map(|call| row(call, "+44", ORDERS, MEI, 0)).collect();
        test.db.write_calls(&calls).unwrap();
        assert_eq!(test.db.records_page(&RecordFilter::default(), &Scope::All).unwrap().total, 1_200);
    }

    // D8.
    fn a_later_remark_wins_and_none_takes_nothing_away(test) {
        let mut call = row(7, "+44", ORDERS, MEI, 0);
        let remark = || test.db.record("00000000000000000000000000000007-0", &Scope::All).unwrap().unwrap().record.remark;
        call.records[0].remark = "first".into();
        test.db.write_calls(std::slice::from_ref(&call)).unwrap();
        call.records[0].remark = "second".into();
        test.db.write_calls(std::slice::from_ref(&call)).unwrap();
        assert_eq!(remark(), "second");
        call.records[0].remark.clear();
        test.db.write_calls(std::slice::from_ref(&call)).unwrap();
        assert_eq!(remark(), "second");
        test.db.set_remark(CallId(7), 0, "third").unwrap();
        assert_eq!(remark(), "third");
        test.db.set_remark(CallId(7), 0, "").unwrap();
        assert_eq!(remark(), "");
        test.db.set_remark(CallId(9), 0, "of nothing").unwrap();
    }

    // G5.
    fn what_a_caller_sends_cannot_keep_a_record_out(test) {
        let mut call = row(7, "+44\0 ' \" % \u{1F4DE}", ORDERS, MEI, 0);
        call.records[0].mos = Some(f32::NAN);
        test.db.write_calls(&[call]).unwrap();
        let page = test.db.records_page(&RecordFilter::default(), &Scope::All).unwrap();
        assert_eq!((page.items[0].caller.as_str(), page.items[0].record.mos), ("+44 ' \" % \u{1F4DE}", None));
    }

    // A8, G1.
    fn agents_see_their_own_records_and_supervisors_those_of_their_groups(test) {
        let calls = [row(1, "+44", ORDERS, MEI, 0), row(2, "+44", RETURNS, MEI, 1), row(3, "+44", RETURNS, TOM, 2), abandoned(4, "+44", ORDERS, 30)];
        test.db.write_calls(&calls).unwrap();
        let all = RecordFilter::default;
        assert_eq!(ids(test, all(), Scope::Own(MEI)), vec![2, 1]);
        assert_eq!(ids(test, all(), Scope::Own(AgentId(9))), Vec::<u128>::new());
        assert_eq!(ids(test, all(), Scope::Groups(vec![ORDERS])), vec![4, 1]);
        assert_eq!(ids(test, all(), Scope::Groups(vec![])), Vec::<u128>::new());
        assert_eq!(ids(test, all(), Scope::All), vec![4, 3, 2, 1]);
    }

    // G1.
    fn each_filter_narrows_the_list(test) {
        let calls = [row(1, "+4420111", ORDERS, MEI, 100), row(2, "+4930222", RETURNS, MEI, 200), abandoned(3, "+4920333", RETURNS, 300)];
        test.db.write_calls(&calls).unwrap();
        let by = |change: &dyn Fn(&mut RecordFilter)| {
            let mut filter = RecordFilter::default();
            change(&mut filter);
            ids(test, filter, Scope::All)
        };
        // The conversations began 10 ms into the calls.
        assert_eq!(by(&|f| f.from = Some(210)), vec![3, 2]);
        assert_eq!(by(&|f| f.to = Some(210)), vec![1]);
        assert_eq!(by(&|f| f.group = Some(RETURNS)), vec![3, 2]);
        assert_eq!(by(&|f| f.status = Some(CallStatus::AbandonedQueue)), vec![3]);
        assert_eq!(by(&|f| f.caller = Some("20".into())), vec![3, 1]);
        assert_eq!(by(&|f| f.caller = Some("+44 20".into())), vec![1]);
        assert_eq!(by(&|f| f.caller = Some("%".into())), vec![3, 2, 1]);
        assert_eq!(by(&|f| f.contact = Some("60002".into())), vec![3]);
        assert_eq!(by(&|f| (f.caller, f.group) = (Some("20".into()), Some(RETURNS))), vec![3]);
    }

    // G1.
    fn pages_hold_fifty_records_newest_first(test) {
        let calls: Vec<_> = (1..=120).map(|call| row(call, "+44", ORDERS, MEI, i64::try_from(call).unwrap())).collect();
        test.db.write_calls(&calls).unwrap();
        let mut seen = Vec::new();
        for page in 0..4 {
            let page = test.db.records_page(&RecordFilter { page, ..RecordFilter::default() }, &Scope::All).unwrap();
            assert_eq!(page.total, 120);
            assert!(page.items.len() <= usize::try_from(RECORDS_PER_PAGE).unwrap());
            seen.extend(page.items.iter().map(|item| item.record.call.0));
        }
        assert_eq!(seen, (1..=120).rev().collect::<Vec<_>>());
    }

    // G1.
    fn records_still_name_an_agent_and_a_group_that_were_removed(test) {
        test.apply(TWO_AND_TWO);
        test.db.write_calls(&[row(1, "+44", RETURNS, TOM, 0)]).unwrap();
        test.apply("");
        let page = test.db.records_page(&RecordFilter::default(), &Scope::All).unwrap();
        assert_eq!((page.items[0].agent.as_deref(), page.items[0].group.as_deref()), (Some("Tom Baker"), Some("Returns")));
    }

    // C3.
    fn the_last_agent_is_the_one_who_spoke_last_with_this_caller_for_this_group(test) {
        let calls = [
            row(1, "+441", ORDERS, MEI, 0),
            row(2, "+441", ORDERS, TOM, 1_000),
            row(3, "+441", RETURNS, MEI, 2_000),
            row(4, "+442", ORDERS, MEI, 3_000),
            abandoned(5, "+441", ORDERS, 4_000),
        ];
        test.db.write_calls(&calls).unwrap();
        assert_eq!(test.db.last_agent_of("+441", ORDERS).unwrap(), Some(TOM));
        assert_eq!(test.db.last_agent_of("+441", RETURNS).unwrap(), Some(MEI));
        assert_eq!(test.db.last_agent_of("+443", ORDERS).unwrap(), None);
    }

    // C3.
    fn calls_today_are_those_each_agent_spoke_in_since_midnight(test) {
        let calls = [
            row(1, "+44", ORDERS, MEI, 0),
            row(2, "+44", ORDERS, MEI, 1_000),
            row(3, "+44", ORDERS, MEI, 2_000),
            row(4, "+44", ORDERS, TOM, 0),
            abandoned(5, "+44", ORDERS, 1_500),
        ];
        test.db.write_calls(&calls).unwrap();
        assert_eq!(test.db.calls_today(1_000).unwrap(), [(MEI, 2)].into());
        assert_eq!(test.db.calls_today(0).unwrap(), [(MEI, 3), (TOM, 1)].into());
    }

    // F3.
    fn a_callers_past_calls_tell_who_spoke_and_what_was_noted(test) {
        test.apply(TWO_AND_TWO);
        let mut noted = row(1, "+44", ORDERS, MEI, 0);
        noted.records[0].remark = "call back".into();
        test.db.write_calls(&[noted, abandoned(2, "+44", ORDERS, 1_000), row(3, "+45", ORDERS, TOM, 2_000)]).unwrap();
        let past = test.db.past_calls("+44", 10).unwrap();
        let told: Vec<_> = past.iter().map(|call| (call.call.0, call.status, call.agent.as_deref(), call.remark.as_str(), call.duration)).collect();
        assert_eq!(told, vec![
            (2, CallStatus::AbandonedQueue, None, "", 50),
            (1, CallStatus::NormalEnd, Some("Mei Chen"), "call back", 100),
        ]);
        assert_eq!(test.db.past_calls("+44", 1).unwrap().len(), 1);
    }

    // G4.
    fn a_recording_goes_from_its_spool_to_its_file(test) {
        let spool = Recording { call: CallId(7), state: RecordingState::Spooling, path: "spool/7".into(), began: 5, duration: 0 };
        test.db.set_recording(&spool).unwrap();
        test.db.set_recording(&Recording { call: CallId(8), began: 4, ..spool.clone() }).unwrap();
        let ready = Recording { state: RecordingState::Ready, path: "recordings/7.mp3".into(), duration: 95, ..spool.clone() };
        test.db.set_recording(&ready).unwrap();
        assert_eq!(test.db.recording(CallId(7)).unwrap(), Some(ready));
        assert_eq!(test.db.recording(CallId(9)).unwrap(), None);
        let before = |began| test.db.recordings_before(began).unwrap().iter().map(|recording| recording.call.0).collect::<Vec<_>>();
        assert_eq!((before(5), before(6)), (vec![], vec![7]));
        test.db.set_recording(&Recording { call: CallId(8), state: RecordingState::Recovered, began: 4, ..spool }).unwrap();
        assert_eq!(before(6), vec![8, 7]);
    }

    // G4.
    fn a_record_tells_of_the_recording_only_where_it_has_a_part_in_it(test) {
        let mut with = row(7, "+44", ORDERS, MEI, 0);
        with.records[0].recording = Some((0, 90));
        test.db.write_calls(&[with, row(8, "+44", ORDERS, MEI, 1)]).unwrap();
        for call in [7, 8] {
            let recording = Recording { call: CallId(call), state: RecordingState::Recovered, path: "x".into(), began: 5, duration: 90 };
            test.db.set_recording(&recording).unwrap();
        }
        let page = test.db.records_page(&RecordFilter::default(), &Scope::All).unwrap();
        assert_eq!(page.items.iter().map(|item| item.recording).collect::<Vec<_>>(), vec![None, Some(RecordingState::Recovered)]);
    }
}
