//! J2: whether every call has exactly its right records and recording, as the switch tells afterwards.

use super::leg::Ending;
use super::results::{CallLog, Check};
use crate::agents::desk::{DeskError, failed};
use crate::story::index_of;
use awc::Client;
use awc::http::header;
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Records reach the database behind the calls, recordings behind their MP3s.
const PATIENCE: Duration = Duration::from_secs(120);
const EVERY: Duration = Duration::from_millis(500);
/// An answer holds 100,000 records at most; half of it is never too much.
const AT_ONCE: usize = 50_000;
const LARGEST: usize = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct Row {
    caller: String,
    status: String,
    recording: String,
}

/// What the switch has on record of one call.
#[derive(Default)]
struct OnRecord {
    statuses: Vec<String>,
    recordings: usize,
}

/// `began`: the run's first moment, milliseconds since 1970.
pub async fn check(client: &Client, url: &str, cookie: &str, calls: &[CallLog], began: u64, record: bool) -> Result<Check, DeskError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let rows = records(client, url, cookie, calls, began).await?;
        let settled = !rows.iter().any(|row| matches!(row.recording.as_str(), "spooling" | "encoding"));
        let checked = compare(calls, rows, record);
        if (checked.is_right() && settled) || Instant::now() > deadline {
            return Ok(checked);
        }
        sleep(EVERY).await;
    }
}

async fn records(client: &Client, url: &str, cookie: &str, calls: &[CallLog], began: u64) -> Result<Vec<Row>, DeskError> {
    let mut rows = Vec::new();
    // A record's time is that of the conversation: each question goes on where the last one stopped, and the last one has no end.
    let mut edges: Vec<u64> = calls.chunks(AT_ONCE).skip(1).filter_map(|calls| Some(began + calls.first()?.placed / 1000)).collect();
    edges.insert(0, began);
    for (n, from) in edges.iter().enumerate() {
        let to = edges.get(n + 1).map_or_else(String::new, |to| format!("&to={to}"));
        let request = client.get(format!("{url}/api/v1/records.csv?from={from}{to}")).insert_header((header::COOKIE, cookie));
        let mut response = request.send().await.map_err(|error| failed("asking for records", error))?;
        if !response.status().is_success() {
            return Err(failed("asking for records", response.status()));
        }
        let body = response.body().limit(LARGEST).await.map_err(|error| failed("reading records", error))?;
        // A byte order mark comes before the heads.
        let text = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&body);
        for row in csv::Reader::from_reader(text).deserialize() {
            rows.push(row.map_err(|error| failed("reading records", error))?);
        }
    }
    Ok(rows)
}

fn compare(calls: &[CallLog], rows: Vec<Row>, record: bool) -> Check {
    let mut on_record: HashMap<usize, OnRecord> = HashMap::new();
    let mut check = Check {
        calls: u32::try_from(calls.len()).unwrap_or(u32::MAX),
        records: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        ..Check::default()
    };
    for row in rows {
        let Some(call) = index_of(&row.caller) else { continue };
        let known = on_record.entry(call).or_default();
        known.statuses.push(row.status);
        known.recordings += usize::from(matches!(row.recording.as_str(), "ready" | "recovered"));
    }
    for (index, call) in calls.iter().enumerate() {
        let known = on_record.remove(&index).unwrap_or_default();
        // What was shed is only counted (G2); what never came in is not the switch's.
        let shed = matches!(call.ending, Some(Ending::Refused(503, None) | Ending::Silence)) && call.connected.is_none();
        let expected = if shed { 0 } else { call.agents.len().max(1) };
        check.missing += u32::from(known.statuses.len() < expected && !shed);
        check.surplus += u32::from(known.statuses.len() > expected && !(shed && known.statuses.len() == 1));
        let normal = known.statuses.iter().filter(|status| *status == "normal_end").count();
        check.wrong_status += u32::from(!known.statuses.is_empty() && !shed && normal != usize::from(call.is_served()));
        check.unrecorded += u32::from(record && call.is_served() && known.recordings != call.agents.len());
    }
    // Calls that nobody made.
    check.surplus += u32::try_from(on_record.len()).unwrap_or(u32::MAX);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(call: u32, status: &str, recording: &str) -> Row {
        Row { caller: format!("+4477{call:08}"), status: status.into(), recording: recording.into() }
    }

    fn served(agents: &[u32]) -> CallLog {
        CallLog { connected: Some(1), ending: Some(Ending::HungUp), agents: agents.to_vec(), ..CallLog::default() }
    }

    #[test]
    fn each_fault_of_the_records_is_found() {
        let gone = CallLog { ending: Some(Ending::HungUp), ..CallLog::default() };
        let calls = [served(&[1]), served(&[1, 2]), gone];
        let right = || {
            vec![
                row(0, "normal_end", "ready"),
                row(1, "agent_transfer", "ready"),
                row(1, "normal_end", "ready"),
                row(2, "abandoned_queue", ""),
            ]
        };
        let found = |change: fn(&mut Vec<Row>)| {
            let mut rows = right();
            change(&mut rows);
            compare(&calls, rows, true)
        };
        assert!(found(|_| {}).is_right());
        assert_eq!(found(|rows| drop(rows.pop())).missing, 1);
        assert_eq!(found(|rows| drop(rows.remove(1))).missing, 1);
        assert_eq!(found(|rows| rows.push(row(2, "abandoned_queue", ""))).surplus, 1);
        assert_eq!(found(|rows| rows.push(row(9, "normal_end", "ready"))).surplus, 1);
        assert_eq!(found(|rows| rows[0].status = "agent_lost".into()).wrong_status, 1);
        assert_eq!(found(|rows| rows[0].recording = "failed".into()).unrecorded, 1);
    }

    #[test]
    fn a_call_that_was_shed_is_only_counted() {
        let shed = CallLog { ending: Some(Ending::Refused(503, None)), ..CallLog::default() };
        assert!(compare(std::slice::from_ref(&shed), Vec::new(), false).is_right());
        let full = CallLog { ending: Some(Ending::Refused(503, Some(34))), ..CallLog::default() };
        assert_eq!(compare(&[full], Vec::new(), false).missing, 1);
    }
}
