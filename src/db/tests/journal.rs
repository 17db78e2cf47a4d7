//! The journal and its way into the database (G5).

use crate::journal::{Journal, JournalError};
use crate::records::{RecordFilter, RecordRow, Scope};
use crate::tests::support::{MEI, ORDERS, TestDb, answered};
use cordboard_core::ids::CallId;
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::record::{Entry, What};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Nobody waits that long unless something is broken.
const LONG: Duration = Duration::from_secs(60);

fn open(test: &TestDb) -> Journal {
    Journal::open(test.dir.path(), test.db.clone(), Box::new(|_| {})).unwrap()
}

fn append(journal: &Journal, entries: Vec<Entry>) {
    for entry in entries {
        journal.append(entry, None);
    }
}

/// The result of appending this entry.
fn appended(journal: &Journal, entry: Entry) -> Receiver<Result<(), JournalError>> {
    let (tell, told) = channel();
    journal.append(entry, Some(Box::new(move |result| tell.send(result).unwrap())));
    told
}

/// All records, oldest call first.
fn records(test: &TestDb) -> Vec<RecordRow> {
    let mut items = test.db.records_page(&RecordFilter::default(), &Scope::All).unwrap().items;
    items.sort_by_key(|item| (item.record.call, item.record.segment));
    items
}

fn calls(test: &TestDb) -> Vec<u128> {
    records(test).iter().map(|item| item.record.call.0).collect()
}

fn remark(call: u128, text: &str) -> Entry {
    Entry { call: CallId(call), at: 0, what: What::Remark { segment: 0, text: text.into() } }
}

/// The journal's own file, past the journal.
fn file(test: &TestDb, statement: &str) {
    let path = test.dir.path().join("journal.sqlite");
    let mut file = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    file.batch_execute(&format!("PRAGMA busy_timeout=5000; {statement}")).unwrap();
}

fn entries_left(test: &TestDb) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let path = test.dir.path().join("journal.sqlite");
    let mut file = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::sql_query("SELECT count(*) AS n FROM entries").get_result::<Count>(&mut file).unwrap().n
}

on_both! {
    fn an_ended_call_reaches_the_database_and_leaves_the_journal(test) {
        let (tell, told) = channel();
        let journal = Journal::open(test.dir.path(), test.db.clone(), Box::new(move |call| tell.send(call).unwrap())).unwrap();
        append(&journal, answered(1, "+44", ORDERS, MEI, 1_000));
        append(&journal, answered(2, "+44", ORDERS, MEI, 2_000)[..4].to_vec());
        assert_eq!(told.recv_timeout(LONG), Ok(CallId(1)));
        journal.flush(LONG).unwrap();
        let all = records(test);
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].record.agent, all[0].record.wait, all[0].record.duration), (Some(MEI), 10, 100));
        assert_eq!(entries_left(test), 4);
        assert!(journal.is_healthy());
    }

    fn the_last_remark_stands_whenever_it_comes(test) {
        let journal = open(test);
        let call = answered(1, "+44", ORDERS, MEI, 0);
        append(&journal, call[..4].to_vec());
        append(&journal, vec![remark(1, "during the call")]);
        journal.flush(LONG).unwrap();
        assert_eq!(calls(test), Vec::<u128>::new());
        append(&journal, call[4..].to_vec());
        journal.flush(LONG).unwrap();
        assert_eq!(records(test)[0].record.remark, "during the call");
        append(&journal, vec![remark(1, "after it"), remark(1, "long after it")]);
        journal.flush(LONG).unwrap();
        assert_eq!(records(test)[0].record.remark, "long after it");
        append(&journal, vec![remark(1, "")]);
        journal.flush(LONG).unwrap();
        assert_eq!((records(test)[0].record.remark.as_str(), records(test).len(), entries_left(test)), ("", 1, 0));
    }

    fn calls_wait_while_the_database_refuses_them(test) {
        let journal = open(test);
        test.sql("ALTER TABLE calls RENAME TO calls_away");
        append(&journal, answered(1, "+44", ORDERS, MEI, 0));
        append(&journal, answered(2, "+44", ORDERS, MEI, 0));
        assert_eq!(journal.flush(Duration::from_millis(50)), Err(JournalError::Timeout));
        append(&journal, vec![remark(2, "noted meanwhile")]);
        drop(journal);
        assert_eq!(entries_left(test), 11);
        test.sql("ALTER TABLE calls_away RENAME TO calls");
        // Also in another process.
        open(test).flush(LONG).unwrap();
        assert_eq!(calls(test), vec![1, 2]);
        assert_eq!((records(test)[1].record.remark.as_str(), entries_left(test)), ("noted meanwhile", 0));
    }

    fn a_call_that_the_database_refuses_does_not_keep_the_others_out(test) {
        test.sql("CREATE UNIQUE INDEX refusing ON calls (caller)");
        let journal = open(test);
        append(&journal, answered(1, "+441", ORDERS, MEI, 0));
        append(&journal, answered(2, "+441", ORDERS, MEI, 0));
        append(&journal, answered(3, "+443", ORDERS, MEI, 0));
        assert_eq!(journal.flush(Duration::from_millis(500)), Err(JournalError::Timeout));
        test.sql("DROP INDEX refusing");
        journal.flush(LONG).unwrap();
        assert_eq!(calls(test), vec![1, 2, 3]);
    }

    fn a_note_reaches_a_call_that_the_database_refused_before(test) {
        test.sql("CREATE UNIQUE INDEX refusing ON calls (caller)");
        let journal = open(test);
        append(&journal, answered(1, "+441", ORDERS, MEI, 0));
        append(&journal, answered(2, "+441", ORDERS, MEI, 0));
        assert_eq!(journal.flush(Duration::from_millis(500)), Err(JournalError::Timeout));
        append(&journal, vec![remark(1, "one"), remark(2, "two")]);
        assert_eq!(journal.flush(Duration::from_millis(500)), Err(JournalError::Timeout));
        test.sql("DROP INDEX refusing");
        journal.flush(LONG).unwrap();
        assert_eq!(records(test).iter().map(|item| item.record.remark.as_str()).collect::<Vec<_>>(), vec!["one", "two"]);
        assert_eq!(entries_left(test), 0);
    }

    fn what_memory_has_no_place_for_is_read_from_the_file(test) {
        let journal = open(test);
        append(&journal, answered(1, "+44", ORDERS, MEI, 0)[..4].to_vec());
        test.sql("ALTER TABLE calls RENAME TO calls_away");
        append(&journal, answered(2, "+44", ORDERS, MEI, 0));
        assert_eq!(journal.flush(Duration::from_millis(50)), Err(JournalError::Timeout));
        for call in 3..8_000 {
            let mut entries = answered(call, "+44", ORDERS, MEI, 0);
            // No faster than they are written.
            if call % 1_000 == 0 {
                assert_eq!(appended(&journal, entries.remove(0)).recv_timeout(LONG).unwrap(), Ok(()));
            }
            append(&journal, entries);
        }
        append(&journal, answered(1, "+44", ORDERS, MEI, 0)[4..].to_vec());
        append(&journal, vec![remark(1, "last")]);
        test.sql("ALTER TABLE calls_away RENAME TO calls");
        journal.flush(LONG).unwrap();
        let page = test.db.records_page(&RecordFilter::default(), &Scope::All).unwrap();
        assert_eq!((page.total, entries_left(test)), (7_999, 0));
        let first = test.db.record(&crate::calls::record_id(CallId(1), 0), &Scope::All).unwrap().unwrap().record;
        assert_eq!((first.remark.as_str(), first.wait, first.agent), ("last", 10, Some(MEI)));
    }

    fn a_call_that_is_written_again_after_a_crash_changes_nothing(test) {
        let journal = open(test);
        let call = answered(1, "+44", ORDERS, MEI, 0);
        append(&journal, call[..4].to_vec());
        append(&journal, vec![remark(1, "during the call")]);
        append(&journal, call[4..].to_vec());
        append(&journal, vec![remark(1, "after it")]);
        // In the database, but the entries stay.
        file(test, "CREATE TRIGGER staying BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'disk full'); END");
        assert_eq!(journal.flush(Duration::from_millis(300)), Err(JournalError::Timeout));
        drop(journal);
        assert_eq!((records(test)[0].record.remark.as_str(), entries_left(test)), ("after it", 7));
        file(test, "DROP TRIGGER staying");
        let journal = open(test);
        assert_eq!(journal.recover(&HashMap::new()).unwrap(), vec![]);
        journal.flush(LONG).unwrap();
        assert_eq!((records(test)[0].record.remark.as_str(), records(test).len(), entries_left(test)), ("after it", 1, 0));
    }

    fn a_journal_of_the_version_before_is_taken_over(test) {
        file(test, include_str!("../../../migrations/journal/0001_entries/up.sql"));
        file(test, "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
            INSERT INTO __diesel_schema_migrations (version) VALUES ('0001')");
        let written = answered(1, "+44", ORDERS, MEI, 0);
        test.db.write_calls(&[cordboard_core::record::fold(&written, None).unwrap()]).unwrap();
        // One call that is not in the database yet, one under way, and one that is there and has a note.
        let left = [answered(2, "+44", ORDERS, MEI, 0), answered(3, "+44", ORDERS, MEI, 1_000)[..4].to_vec(), vec![remark(1, "noted")]];
        for entry in left.concat() {
            let kind = match &entry.what {
                What::Accepted { .. } => "accepted",
                What::Ended { .. } => "ended",
                What::Remark { .. } => "remark",
                _ => "other",
            };
            let what = serde_json::to_string(&entry.what).unwrap();
            file(test, &format!("INSERT INTO entries (call_id, kind, at, what) VALUES ('{}', '{kind}', {}, '{what}')", entry.call, entry.at));
        }
        let journal = open(test);
        assert_eq!(journal.recover(&HashMap::new()).unwrap(), vec![CallId(3)]);
        append(&journal, answered(4, "+44", ORDERS, MEI, 0));
        journal.flush(LONG).unwrap();
        let all = records(test);
        let told: Vec<_> = all.iter().map(|item| (item.record.call.0, item.record.status, item.record.remark.as_str())).collect();
        assert_eq!(told, vec![
            (1, CallStatus::NormalEnd, "noted"),
            (2, CallStatus::NormalEnd, ""),
            (3, CallStatus::Interrupted, ""),
            (4, CallStatus::NormalEnd, ""),
        ]);
        assert_eq!(entries_left(test), 0);
    }

    fn a_call_that_the_process_before_left_open_ends_as_interrupted(test) {
        let journal = open(test);
        for call in 1..=3 {
            append(&journal, answered(call, "+44", ORDERS, MEI, 1_000)[..4].to_vec());
        }
        append(&journal, vec![remark(1, "kept")]);
        append(&journal, answered(4, "+44", ORDERS, MEI, 1_000));
        // Never accepted, and so never a call.
        append(&journal, answered(5, "+44", ORDERS, MEI, 1_000)[1..4].to_vec());
        drop(journal);
        let journal = open(test);
        append(&journal, answered(6, "+44", ORDERS, MEI, 9_000)[..4].to_vec());
        let mut ended = journal.recover(&HashMap::from([(CallId(2), 5_000)])).unwrap();
        ended.sort();
        assert_eq!(ended, vec![CallId(1), CallId(2), CallId(3)]);
        assert_eq!(journal.recover(&HashMap::new()).unwrap(), vec![]);
        journal.flush(LONG).unwrap();
        let all = records(test);
        let told: Vec<_> = all.iter().map(|item| (item.record.call.0, item.record.status, item.record.duration)).collect();
        assert_eq!(told, vec![
            (1, CallStatus::Interrupted, 10),
            (2, CallStatus::Interrupted, 4_000),
            (3, CallStatus::Interrupted, 10),
            (4, CallStatus::NormalEnd, 100),
        ]);
        assert_eq!(all[0].record.remark, "kept");
        assert_eq!(entries_left(test), 4);
    }
}

#[test]
fn entries_are_let_go_of_though_nobody_asks_and_nothing_comes() {
    let test = TestDb::sqlite();
    let journal = open(&test);
    append(&journal, answered(1, "+44", ORDERS, MEI, 0)[..4].to_vec());
    append(&journal, answered(2, "+44", ORDERS, MEI, 0));
    append(&journal, answered(1, "+44", ORDERS, MEI, 0)[4..].to_vec());
    append(&journal, answered(3, "+44", ORDERS, MEI, 0)[..4].to_vec());
    let began = Instant::now();
    while calls(&test) != vec![1, 2] || entries_left(&test) > 4 {
        assert!(began.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(entries_left(&test), 4);
    drop(journal);
}

#[test]
fn an_entry_that_cannot_be_understood_keeps_no_other_from_the_database() {
    let test = TestDb::sqlite();
    let journal = open(&test);
    append(&journal, answered(1, "+44", ORDERS, MEI, 0)[..4].to_vec());
    drop(journal);
    file(&test, "INSERT INTO entries VALUES (5, '1', 0, '{\"t\":\"unheard_of\"}'), (6, 'nobody', 0, '')");
    let journal = open(&test);
    append(&journal, answered(1, "+44", ORDERS, MEI, 0)[4..].to_vec());
    journal.flush(LONG).unwrap();
    assert_eq!((calls(&test), entries_left(&test)), (vec![1], 0));
}

#[test]
fn calls_wait_while_postgresql_is_away() {
    let test = TestDb::postgres();
    let journal = open(&test);
    append(&journal, answered(1, "+44", ORDERS, MEI, 0));
    journal.flush(LONG).unwrap();
    let name = test.url.split(['/', '?']).find(|part| part.starts_with("test_")).unwrap();
    TestDb::administer(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    TestDb::administer(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    append(&journal, answered(2, "+44", ORDERS, MEI, 0));
    append(&journal, vec![remark(1, "meanwhile")]);
    assert_eq!(journal.flush(Duration::from_millis(300)), Err(JournalError::Timeout));
    assert!(journal.is_healthy());
    TestDb::administer(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    journal.flush(LONG).unwrap();
    assert_eq!(calls(&test), vec![1, 2]);
    assert_eq!(records(&test)[0].record.remark, "meanwhile");
}

#[test]
fn a_journal_that_cannot_be_written_refuses_new_calls_and_keeps_live_ones() {
    let test = TestDb::sqlite();
    let journal = open(&test);
    let live = answered(1, "+44", ORDERS, MEI, 0);
    append(&journal, live[..3].to_vec());
    journal.flush(LONG).unwrap();
    file(&test, "CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    let refused = appended(&journal, answered(2, "+44", ORDERS, MEI, 0)[0].clone());
    assert!(matches!(refused.recv_timeout(LONG).unwrap(), Err(JournalError::Disk(_))));
    assert!(!journal.is_healthy());
    let connected = appended(&journal, live[3].clone());
    assert!(connected.recv_timeout(LONG).unwrap().is_err());
    for _ in 0..9_000 {
        journal.append(Entry { at: 20, what: What::Held, ..live[3].clone() }, None);
    }
    assert!(matches!(journal.flush(LONG), Err(JournalError::Disk(_))));
    file(&test, "DROP TRIGGER full");
    let ended = appended(&journal, live[4].clone());
    assert_eq!(ended.recv_timeout(LONG).unwrap(), Ok(()));
    assert!(journal.is_healthy());
    journal.flush(LONG).unwrap();
    assert_eq!((calls(&test), records(&test)[0].record.wait), (vec![1], 10));
}

#[test]
fn a_journal_that_can_be_written_again_says_so_though_no_call_comes() {
    let test = TestDb::sqlite();
    let journal = open(&test);
    file(&test, "CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    assert!(appended(&journal, answered(1, "+44", ORDERS, MEI, 0)[0].clone()).recv_timeout(LONG).unwrap().is_err());
    assert!(matches!(journal.flush(LONG), Err(JournalError::Disk(_))));
    assert!(!journal.is_healthy());
    file(&test, "DROP TRIGGER full");
    while !journal.is_healthy() {
        std::thread::yield_now();
    }
    assert_eq!(entries_left(&test), 0);
}

#[test]
fn what_failed_is_written_without_a_new_entry() {
    let test = TestDb::sqlite();
    let (tell, told) = channel();
    let journal = Journal::open(test.dir.path(), test.db.clone(), Box::new(move |call| tell.send(call).unwrap())).unwrap();
    let call = answered(1, "+44", ORDERS, MEI, 0);
    append(&journal, call[..4].to_vec());
    journal.flush(LONG).unwrap();
    file(&test, "CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    assert!(appended(&journal, call[4].clone()).recv_timeout(LONG).unwrap().is_err());
    file(&test, "DROP TRIGGER full");
    assert_eq!(told.recv_timeout(LONG), Ok(CallId(1)));
}

#[test]
fn a_writer_that_cannot_keep_up_says_so_and_takes_no_more_memory() {
    let test = TestDb::sqlite();
    let journal = open(&test);
    let (release, released) = channel::<()>();
    let first = Entry { call: CallId(1), at: 0, what: What::Held };
    journal.append(first.clone(), Some(Box::new(move |_| assert!(released.recv().is_err()))));
    let (tell, told) = channel();
    let mut refused = 0;
    for _ in 0..40_000 {
        let tell = tell.clone();
        journal.append(first.clone(), Some(Box::new(move |result| tell.send(result).unwrap())));
        refused += told.try_iter().filter(|result| *result == Err(JournalError::Full)).count();
    }
    assert!(refused > 0);
    assert!(!journal.is_healthy());
    drop(release);
    journal.flush(LONG).unwrap();
    assert_eq!(told.try_iter().count() + refused, 40_000);
    assert!(journal.is_healthy());
}

#[test]
fn a_callback_that_panics_does_not_stop_the_journal() {
    let test = TestDb::sqlite();
    let journal = Journal::open(test.dir.path(), test.db.clone(), Box::new(|_| panic!("written"))).unwrap();
    let call = answered(1, "+44", ORDERS, MEI, 0);
    journal.append(call[0].clone(), Some(Box::new(|_| panic!("done"))));
    append(&journal, call[1..].to_vec());
    append(&journal, answered(2, "+44", ORDERS, MEI, 0));
    journal.flush(LONG).unwrap();
    assert_eq!(calls(&test), vec![1, 2]);
}

#[test]
fn a_second_process_cannot_open_the_same_journal() {
    let test = TestDb::sqlite();
    let journal = open(&test);
    let second = Journal::open(test.dir.path(), test.db.clone(), Box::new(|_| {}));
    assert_eq!(second.err(), Some(JournalError::InUse));
    drop(journal);
    open(&test);
}

#[test]
fn entries_are_written_in_the_order_of_their_appends() {
    let test = TestDb::sqlite();
    let journal = open(&test);
    let (tell, told) = channel();
    append(&journal, answered(1, "+44", ORDERS, MEI, 0)[..1].to_vec());
    for at in 0..5_000 {
        let tell = tell.clone();
        let entry = Entry { call: CallId(1), at, what: What::Held };
        journal.append(entry, Some(Box::new(move |result| tell.send((at, result)).unwrap())));
    }
    let order: Vec<_> = told.iter().take(5_000).collect();
    assert_eq!(order, (0..5_000).map(|at| (at, Ok(()))).collect::<Vec<_>>());
    assert_eq!(entries_left(&test), 5_001);
}

#[test]
fn a_quality_that_is_no_number_spoils_no_call() {
    let test = TestDb::sqlite();
    let journal = open(&test);
    let mut call = answered(1, "+44", ORDERS, MEI, 0);
    call.insert(4, Entry { call: CallId(1), at: 90, what: What::Quality { mos: f32::NAN } });
    append(&journal, call);
    journal.flush(LONG).unwrap();
    let all = records(&test);
    assert_eq!((all[0].record.status, all[0].record.hung_up_by, all[0].record.mos), (CallStatus::NormalEnd, HungUpBy::Customer, None));
}
