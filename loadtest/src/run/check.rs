//! J2: whether every call has exactly its right records and recording, as the switch tells afterwards.

use super::engine::Log;
use super::floor::{self, flow_result};
use super::leg::Ending;
use super::results::{CallLog, Check};
use crate::agents::desk::{DeskError, failed};
use crate::scenario::Scenario;
use crate::story::{CallOut, Story, Turn, index_of, number_of};
use awc::Client;
use awc::http::header;
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Records reach the database behind the calls, recordings behind their MP3s.
const PATIENCE: Duration = Duration::from_secs(120);
const EVERY: Duration = Duration::from_millis(500);
/// An answer holds 100,000 records at most: those of so many calls, of what they were handed on to, and of the calls out beside them.
const AT_ONCE: usize = 20_000;
const LARGEST: usize = 64 * 1024 * 1024;
/// So many of what is wrong are told one by one.
const EXAMPLES: usize = 20;
/// How much longer or shorter a call may be on record than it was, in seconds: on a busy machine its messages take their time.
const CLOSE: f64 = 2.0;

#[derive(Deserialize)]
struct Row {
    caller: String,
    contact: String,
    status: String,
    duration_s: f64,
    agent: String,
    flows: String,
    recording: String,
    recording_s: Option<f64>,
}

/// What the switch has on record of one call.
#[derive(Default, Debug)]
struct OnRecord {
    statuses: Vec<String>,
    agents: Vec<String>,
    /// Seconds, over all its records.
    duration: f64,
    recordings: usize,
    /// Seconds as well.
    recorded: f64,
    flows: String,
}

impl OnRecord {
    fn add(&mut self, row: Row) {
        self.statuses.push(row.status);
        self.agents.push(row.agent);
        self.duration += row.duration_s;
        self.recordings += usize::from(matches!(row.recording.as_str(), "ready" | "recovered"));
        self.recorded += row.recording_s.unwrap_or_default();
        self.flows.push_str(&row.flows);
    }

    /// Whether the records name the agents of a conversation, each once.
    fn names(&self, agents: &[u32]) -> bool {
        let sorted = |mut names: Vec<String>| {
            names.sort_unstable();
            names
        };
        let spoken = self.statuses.iter().zip(&self.agents).filter(|(status, _)| !is_abandoned(status));
        sorted(spoken.map(|(_, agent)| agent.clone()).collect()) == sorted(agents.iter().copied().map(floor::name).collect())
    }

    /// Whether the customer hung up while waiting for a second agent (D4).
    fn left_waiting(&self, call: &CallLog, turn: Turn) -> bool {
        turn == Turn::Transfer && call.is_served() && self.statuses.iter().any(|status| is_abandoned(status))
    }

    /// Whether these are the statuses of such a call: one end, and what it was handed on from.
    fn ended_as(&self, call: &CallLog, turn: Turn) -> bool {
        let count = |fits: fn(&str) -> bool| self.statuses.iter().filter(|status| fits(status)).count();
        let normal = count(|status| status == "normal_end");
        let (handed_on, left) = (count(|status| status == "agent_transfer"), usize::from(self.left_waiting(call, turn)));
        match turn {
            _ if !call.is_served() => normal == 0,
            // A consultation is on record beside the talk.
            Turn::Consult => normal == 1,
            Turn::None | Turn::Hold(_) | Turn::Transfer | Turn::SelfService(..) => {
                normal + left == 1 && normal + left + handed_on == self.statuses.len()
            }
        }
    }

    /// Whether the records, and the recordings where there are some, are together as long as a call and its conversation were; the customer may
    /// have waited in it for a second agent, which is not recorded.
    fn lasted(&self, call: &CallLog, waited: Duration) -> bool {
        let since =
            |began| call.ended.zip(began).map_or(0.0, |(ended, began)| Duration::from_micros(ended.saturating_sub(began)).as_secs_f64());
        let is_close = |on_record: f64, seen: f64, less: f64| (seen - less - CLOSE..=seen + CLOSE).contains(&on_record);
        let recorded = || is_close(self.recorded, since(call.connected), waited.as_secs_f64());
        is_close(self.duration, since(Some(call.placed)), 0.0) && (self.recordings == 0 || recorded())
    }
}

/// `began`: the run's first moment, milliseconds since 1970.
pub async fn check(client: &Client, url: &str, cookie: &str, log: &Log, scenario: &Scenario, began: u64) -> Result<Check, DeskError> {
    let deadline = Instant::now() + PATIENCE;
    let mut was_right = false;
    loop {
        let rows = records(client, url, cookie, &log.calls, began).await?;
        let settled = !rows.iter().any(|row| matches!(row.recording.as_str(), "spooling" | "encoding"));
        let checked = compare(log, scenario, rows);
        let is_right = checked.is_right() && settled;
        // A second look sees what came too often.
        if (is_right && was_right) || Instant::now() > deadline {
            return Ok(checked);
        }
        was_right = is_right;
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

fn compare(Log { calls, calls_out, .. }: &Log, scenario: &Scenario, rows: Vec<Row>) -> Check {
    let record = scenario.agents.record;
    let mut on_record: HashMap<usize, OnRecord> = HashMap::new();
    let mut out_on_record: HashMap<CallOut, OnRecord> = HashMap::new();
    let mut check = Check {
        calls: u32::try_from(calls.len() + calls_out.len()).unwrap_or(u32::MAX),
        records: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        ..Check::default()
    };
    for row in rows {
        if let Some(call) = index_of(&row.caller) {
            on_record.entry(call).or_default().add(row);
        } else if let Some(call) = CallOut::of(&row.contact) {
            out_on_record.entry(call).or_default().add(row);
        }
    }
    let example = |check: &mut Check, faults: u32, tale: &dyn Fn() -> String| {
        if check.faults() > faults && check.examples.len() < EXAMPLES {
            check.examples.push(tale());
        }
    };
    for (call, log) in calls_out {
        let faults = check.faults();
        let known = out_on_record.remove(call).unwrap_or_default();
        check.missing += u32::from(known.statuses.is_empty());
        check.surplus += u32::from(known.statuses.len() > 1);
        check.wrong_status += u32::from(known.statuses.iter().any(|status| status != log.status()));
        check.wrong_agent += u32::from(log.seen.is_served() && !known.names(&[call.agent]));
        check.wrong_length += u32::from(log.seen.is_served() && !known.lasted(&log.seen, Duration::ZERO));
        check.unrecorded += u32::from(log.seen.is_served() && known.recordings != usize::from(record));
        example(&mut check, faults, &|| format!("{}, {:?}: {}; {known:?}", call.number(), log.meets, log.seen.tale()));
    }
    for (index, call) in calls.iter().enumerate() {
        let faults = check.faults();
        let known = on_record.remove(&index).unwrap_or_default();
        // What was shed is only counted (G2); what never came in is not the switch's.
        let shed = matches!(call.ending, Some(Ending::Refused(503, None) | Ending::Silence)) && call.connected.is_none();
        let turn = Story::of(scenario, index).turn;
        let expected = if shed { 0 } else { call.agents.len().max(1) + usize::from(known.left_waiting(call, turn)) };
        check.missing += u32::from(known.statuses.len() < expected && !shed);
        check.surplus += u32::from(known.statuses.len() > expected && !(shed && known.statuses.len() == 1));
        check.wrong_status += u32::from(!known.statuses.is_empty() && !shed && !known.ended_as(call, turn));
        check.unrecorded += u32::from(call.is_served() && known.recordings != if record { call.agents.len() } else { 0 });
        let one_too_many = call.agents.len() > 1 && !turn.hands_on();
        check.wrong_agent += u32::from(call.is_served() && (one_too_many || !known.names(&call.agents)));
        let waited = if turn == Turn::Transfer { scenario.agents.answers_after.longest() } else { Duration::ZERO };
        // A consultation is on record beside the talk.
        check.wrong_length += u32::from(call.is_served() && turn != Turn::Consult && !known.lasted(call, waited));
        let pressed = match turn {
            Turn::SelfService(key, _) if call.is_served() && !call.crossed => flow_result(key),
            Turn::SelfService(..) | Turn::None | Turn::Hold(_) | Turn::Transfer | Turn::Consult => String::new(),
        };
        check.wrong_key += u32::from(known.flows != pressed);
        example(&mut check, faults, &|| format!("{}, {turn:?}: {}; {known:?}", number_of(index), call.tale()));
    }
    let unmade = on_record.into_iter().map(|(call, known)| (number_of(call), known));
    for (number, known) in unmade.chain(out_on_record.into_iter().map(|(call, known)| (call.number(), known))) {
        let faults = check.faults();
        check.surplus += 1;
        example(&mut check, faults, &|| format!("{number}: nobody called; {known:?}"));
    }
    check
}

/// The caller hung up before an agent was there (G3).
fn is_abandoned(status: &str) -> bool {
    status.starts_with("abandoned_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::results::{LogOut, LogsOut};
    use crate::scenario::Agents;
    use crate::story::Meets;

    /// Of 11 seconds, with the 10 of the conversation recorded.
    fn row(call: usize, agent: u32, status: &str, recording: &str) -> Row {
        Row {
            caller: number_of(call),
            contact: String::new(),
            status: status.into(),
            duration_s: 11.0,
            agent: floor::name(agent),
            flows: String::new(),
            recording: recording.into(),
            recording_s: (!recording.is_empty()).then_some(10.0),
        }
    }

    fn out(nth: u32, status: &str, recording: &str) -> Row {
        Row { caller: String::new(), contact: CallOut { agent: 7, nth }.number(), ..row(0, 7, status, recording) }
    }

    fn scenario(agents: &str) -> Scenario {
        let head = "about = \"\"\nseconds = 10\n[arrivals]\nkind = \"constant\"\nrate = 1\n[customers]\naudio = true";
        Scenario::parse(&format!("{head}\n[agents]\nkind = \"browsers\"\ncount = 2\ntalk = 1\nrecord = true\n{agents}")).unwrap()
    }

    fn served(agents: &[u32]) -> CallLog {
        CallLog {
            connected: Some(1_000_000),
            ended: Some(11_000_000),
            ending: Some(Ending::HungUp),
            agents: agents.to_vec(),
            ..CallLog::default()
        }
    }

    #[test]
    fn each_fault_of_the_records_is_found() {
        let gone = CallLog { ending: Some(Ending::HungUp), ..CallLog::default() };
        let log = Log { calls: vec![served(&[1]), served(&[1, 2]), gone], ..Log::default() };
        let right = || {
            vec![
                row(0, 1, "normal_end", "ready"),
                Row { duration_s: 6.0, recording_s: Some(5.0), ..row(1, 1, "agent_transfer", "ready") },
                Row { duration_s: 5.0, recording_s: Some(5.0), ..row(1, 2, "normal_end", "ready") },
                row(2, 3, "abandoned_queue", ""),
            ]
        };
        let found = |change: fn(&mut Vec<Row>)| {
            let mut rows = right();
            change(&mut rows);
            compare(&log, &scenario("transfer = 1\nsecond = 1"), rows)
        };
        assert!(found(|_| {}).is_right());
        assert_eq!(found(|rows| drop(rows.pop())).missing, 1);
        assert_eq!(found(|rows| drop(rows.remove(1))).missing, 1);
        assert_eq!(found(|rows| rows.push(row(2, 3, "abandoned_queue", ""))).surplus, 1);
        assert_eq!(found(|rows| rows.push(row(9, 1, "normal_end", "ready"))).surplus, 1);
        assert_eq!(found(|rows| rows[0].status = "agent_lost".into()).wrong_status, 1);
        assert_eq!(found(|rows| rows[0].agent = floor::name(2)).wrong_agent, 1);
        assert_eq!(found(|rows| rows[2].agent = floor::name(1)).wrong_agent, 1);
        assert_eq!(found(|rows| rows[2].duration_s += 3.0).wrong_length, 1);
        assert_eq!(found(|rows| rows[0].recording_s = Some(7.0)).wrong_length, 1);
        assert_eq!(found(|rows| rows[0].recording = "failed".into()).unrecorded, 1);
        assert_eq!(found(|rows| rows[0].flows = flow_result(1)).wrong_key, 1);
    }

    /// D4.
    #[test]
    fn a_customer_may_hang_up_while_waiting_for_a_second_agent() {
        let transfers = scenario("transfer = 1\nsecond = 1");
        let left = |status: &str| Row { duration_s: 5.0, agent: String::new(), ..row(0, 0, status, "") };
        let found = |agents: &[u32], scenario: &Scenario, status: &str| {
            let first = Row { duration_s: 6.0, ..row(0, 1, "agent_transfer", "ready") };
            compare(&Log { calls: vec![served(agents)], ..Log::default() }, scenario, vec![first, left(status)])
        };
        assert!(found(&[1], &transfers, "abandoned_queue").is_right());
        assert_eq!(found(&[1], &transfers, "queue_full").wrong_status, 1);
        assert_eq!(found(&[1], &scenario(""), "abandoned_queue").wrong_status, 1);
    }

    #[test]
    fn a_second_agent_of_a_call_that_nobody_handed_on_is_a_fault() {
        let found = |scenario: &Scenario, status: &str| {
            let first = Row { duration_s: 6.0, recording_s: Some(5.0), ..row(0, 1, status, "ready") };
            let second = Row { duration_s: 5.0, recording_s: Some(5.0), ..row(0, 2, "normal_end", "ready") };
            compare(&Log { calls: vec![served(&[1, 2])], ..Log::default() }, scenario, vec![first, second])
        };
        assert!(found(&scenario("transfer = 1\nsecond = 1"), "agent_transfer").is_right());
        assert_eq!(found(&scenario("transfer = 1\nsecond = 1"), "agent_lost").wrong_status, 1);
        assert_eq!(found(&scenario(""), "agent_transfer").wrong_agent, 1);
    }

    #[test]
    fn a_recording_where_nothing_is_to_be_recorded_is_a_fault() {
        let silent = Scenario { agents: Agents { record: false, ..scenario("").agents }, ..scenario("") };
        let log = Log { calls: vec![served(&[1])], ..Log::default() };
        let found = |recording| compare(&log, &silent, vec![row(0, 1, "normal_end", recording)]).unrecorded;
        assert_eq!([found(""), found("ready")], [0, 1]);
    }

    /// D4.
    #[test]
    fn waiting_for_a_second_agent_is_not_recorded() {
        let scenario = scenario("transfer = 1\nsecond = 1\nanswers_after = 3");
        let log = Log { calls: vec![served(&[1, 2])], ..Log::default() };
        let found = |recorded: f64| {
            let first = Row { duration_s: 6.0, recording_s: Some(5.0), ..row(0, 1, "agent_transfer", "ready") };
            let second = Row { duration_s: 5.0, recording_s: Some(recorded), ..row(0, 2, "normal_end", "ready") };
            compare(&log, &scenario, vec![first, second]).wrong_length
        };
        assert_eq!([5.0, 1.0, 7.5, -0.5].map(found), [0, 0, 1, 1]);
    }

    /// E1, G3.
    #[test]
    fn each_fault_of_the_records_of_calls_out_is_found() {
        let answered = LogOut { seen: served(&[7]), ..LogOut::new(Meets::Answer(Duration::ZERO)) };
        let logs = [answered, LogOut::new(Meets::Busy), LogOut::new(Meets::Nobody)];
        let calls_out: LogsOut = (0..).zip(logs).map(|(nth, log)| (CallOut { agent: 7, nth }, log)).collect();
        let log = Log { calls_out, ..Log::default() };
        let found = |change: fn(&mut Vec<Row>)| {
            let mut rows = vec![out(0, "normal_end", "ready"), out(1, "in_call", ""), out(2, "missed", "")];
            change(&mut rows);
            compare(&log, &scenario(""), rows)
        };
        assert!(found(|_| {}).is_right());
        assert_eq!(found(|rows| drop(rows.remove(1))).missing, 1);
        assert_eq!(found(|rows| rows.push(out(2, "missed", ""))).surplus, 1);
        assert_eq!(found(|rows| rows.push(out(3, "missed", ""))).surplus, 1);
        assert_eq!(found(|rows| rows[1].status = "carrier_exception".into()).wrong_status, 1);
        assert_eq!(found(|rows| rows[0].agent = floor::name(8)).wrong_agent, 1);
        assert_eq!(found(|rows| rows[0].recording_s = Some(1.0)).wrong_length, 1);
        assert_eq!(found(|rows| rows[0].recording.clear()).unrecorded, 1);
    }

    /// D6.
    #[test]
    fn the_key_of_self_service_is_on_record() {
        let scenario = scenario("self_service = 1");
        let log = Log { calls: vec![served(&[1])], ..Log::default() };
        let Turn::SelfService(key, _) = Story::of(&scenario, 0).turn else { panic!("no self-service") };
        let found = |flows: String| compare(&log, &scenario, vec![Row { flows, ..row(0, 1, "normal_end", "ready") }]).wrong_key;
        assert_eq!([flow_result(key), flow_result((key + 1) % 10), "Choice: ".into(), String::new()].map(found), [0, 1, 1, 1]);
        let log = Log { calls: vec![CallLog { crossed: true, ..served(&[1]) }], ..Log::default() };
        assert!(compare(&log, &scenario, vec![row(0, 1, "normal_end", "ready")]).is_right());
    }

    #[test]
    fn a_call_that_was_shed_is_only_counted() {
        let log = |ending| Log { calls: vec![CallLog { ending: Some(ending), ..CallLog::default() }], ..Log::default() };
        assert!(compare(&log(Ending::Refused(503, None)), &scenario(""), Vec::new()).is_right());
        assert_eq!(compare(&log(Ending::Refused(503, Some(34))), &scenario(""), Vec::new()).missing, 1);
    }
}
