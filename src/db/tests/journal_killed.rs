//! Whatever moment the process is killed at, every call that was acknowledged has its row, once (G5).

use crate::journal::Journal;
use crate::pool::Db;
use crate::tests::support::{MEI, ORDERS, TestDb, answered};
use cordboard_core::outcome::CallStatus;
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const URL: &str = "CORDBOARD_TEST_JOURNAL_DB";
const DIR: &str = "CORDBOARD_TEST_JOURNAL_DIR";
/// The first call's id.
const FROM: &str = "CORDBOARD_TEST_JOURNAL_FROM";
/// Calls of one life.
const CALLS: u128 = 100_000;

/// The process that is killed: without its variables this is no test.
#[test]
fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let journal = Journal::open(Path::new(&std::env::var(DIR).unwrap()), Db::open(&url).unwrap(), Box::new(|_| {})).unwrap();
    let from: u128 = std::env::var(FROM).unwrap().parse().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    for call in from..from + CALLS {
        for (index, entry) in answered(call, "+44", ORDERS, MEI, 1_000).into_iter().enumerate() {
            let tell = tell.clone();
            let done = move |result: Result<(), _>| {
                result.unwrap();
                writeln!(std::io::stdout(), "\nack {call} {index}").unwrap();
                tell.send(()).unwrap();
            };
            journal.append(entry, Some(Box::new(done)));
        }
        // A few calls at a time, as in life.
        if call > from + 20 {
            for _ in 0..5 {
                told.recv().unwrap();
            }
        }
    }
}

/// Runs the child until it has told of so many entries, kills it, and tells how many entries of each call it acknowledged.
fn acknowledged(test: &TestDb, from: u128, kill_after: usize) -> BTreeMap<u128, usize> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::journal_killed::child", "--nocapture"])
        .env(URL, &test.url)
        .env(DIR, test.dir.path())
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut entries = BTreeMap::new();
    let mut count = 0;
    // After the kill the pipe still holds what was told before it.
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((call, _)) = line.strip_prefix("ack ").and_then(|line| line.split_once(' ')) else { continue };
        *entries.entry(call.parse().unwrap()).or_insert(0) += 1;
        count += 1;
        if count == kill_after {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(count >= kill_after, "the child ended before it was killed");
    entries
}

on_both! {
    fn a_call_that_was_acknowledged_is_there_once_whenever_the_process_is_killed(test) {
        let mut known = BTreeMap::new();
        for (life, kill_after) in [1, 2, 9, 40, 133, 500, 1_500].into_iter().enumerate() {
            known.append(&mut acknowledged(test, 1 + u128::try_from(life).unwrap() * CALLS, kill_after));
            let journal = Journal::open(test.dir.path(), test.db.clone(), Box::new(|_| {})).unwrap();
            journal.recover(&HashMap::new()).unwrap();
            // Some lives end before all is in the database.
            if life % 2 == 0 {
                journal.flush(LONG).unwrap();
            }
        }
        let journal = Journal::open(test.dir.path(), test.db.clone(), Box::new(|_| {})).unwrap();
        assert_eq!(journal.recover(&HashMap::new()).unwrap(), vec![]);
        journal.flush(LONG).unwrap();

        use crate::schema::{calls, service_records as records};
        let calls: Vec<(String, String)> = test.db.run(|c| Ok(calls::table.select((calls::id, calls::status)).load(c)?)).unwrap();
        let records: Vec<(String, Option<i32>)> = test.db.run(|c| Ok(records::table.select((records::call_id, records::agent_id)).load(c)?)).unwrap();
        let statuses: HashMap<u128, &str> = calls.iter().map(|(id, status)| (u128::from_str_radix(id, 16).unwrap(), status.as_str())).collect();
        let agents: HashMap<u128, Option<i32>> = records.iter().map(|(id, agent)| (u128::from_str_radix(id, 16).unwrap(), *agent)).collect();
        assert_eq!((calls.len(), records.len()), (statuses.len(), agents.len()));
        assert_eq!(statuses.len(), agents.len());
        for (call, entries) in known {
            let status = statuses.get(&call).unwrap_or_else(|| panic!("call {call} is lost"));
            assert!(*status == CallStatus::Interrupted.as_str() || *status == CallStatus::NormalEnd.as_str());
            if entries >= 4 {
                assert_eq!(agents[&call], Some(MEI.0), "call {call} lost its agent");
            }
            if entries == 5 {
                assert_eq!(*status, CallStatus::NormalEnd.as_str(), "call {call} lost its end");
            }
        }
    }
}
