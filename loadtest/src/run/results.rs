//! What became of the calls of a run.

use super::leg::{Ending, Micros};
use super::voices::Heard;
use crate::story::{CallOut, Meets};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The failure that a customer's patience makes, and not the switch.
pub const IMPATIENT: &str = "no agent in the customer's time";

/// One customer's call, as both ends saw it; times are microseconds of the run.
#[derive(Clone, Debug, Default)]
pub struct CallLog {
    pub placed: Micros,
    /// The customer's call was answered.
    pub answered: Option<Micros>,
    /// It rang at an agent's, the first time.
    pub offered: Option<Micros>,
    /// The agent was through.
    pub connected: Option<Micros>,
    pub ended: Option<Micros>,
    pub ending: Option<Ending>,
    /// Times that it did.
    pub offers: u32,
    /// The agents who were through, counted from 1.
    pub agents: Vec<u32>,
    /// The customer gave up in the moment in which the first agent came through: the conversation is on record, and there was none.
    pub crossed: bool,
    /// The switch ended the conversation before either side meant to.
    pub cut_off: bool,
    /// How long before its end the two may have heard each other last; none: the end may have come while the customer was on hold.
    pub quiet: Option<Micros>,
    pub customer_heard: Heard,
    pub agent_heard: Heard,
}

/// The two sides see a conversation begin at moments so far apart at most, in microseconds.
const APART: Micros = 500_000;

impl CallLog {
    /// The call is over. It was meant to go on for `talk`; who is handed on talks longer.
    pub fn end(&mut self, ending: Ending, now: Micros, talk: Micros, agent_hangs_up: bool) {
        (self.ended, self.ending) = (Some(now), Some(ending));
        let least = talk - APART.min(talk / 2);
        let early = |since: Micros| !agent_hangs_up || now.saturating_sub(since) < least;
        self.cut_off = ending == Ending::HungUpByFar && self.connected.is_some_and(early);
    }

    /// It came to a conversation, and one of the two hung up.
    pub fn is_served(&self) -> bool {
        self.connected.is_some() && !self.cut_off && matches!(self.ending, Some(Ending::HungUp | Ending::HungUpByFar))
    }

    /// Sides of a conversation that never heard the other, or not to its end; where the customer gave up in its first moment there was none.
    pub fn deaf_sides(&self) -> u32 {
        let fell_silent = |heard: &Heard| self.ended.zip(self.quiet).is_some_and(|(ended, quiet)| heard.last_own + quiet < ended);
        let is_deaf = |heard: &Heard| (heard.own == 0 || fell_silent(heard)) && self.is_served() && !self.crossed;
        let deaf = [self.customer_heard, self.agent_heard].into_iter().filter(is_deaf);
        u32::try_from(deaf.count()).unwrap_or(u32::MAX)
    }

    /// How it went, for whoever looks for a fault: times are seconds of the run.
    pub fn tale(&self) -> String {
        let at = |moment: Option<Micros>| moment.map_or("never".into(), |at| format!("{:.2}", Duration::from_micros(at).as_secs_f64()));
        let [placed, connected, ended] = [Some(self.placed), self.connected, self.ended].map(at);
        let heard = |heard: Heard| {
            let Heard { packets, own, last_own, .. } = heard;
            format!("{packets} packets, {own} of the other's speech, the last at {}", at((own > 0).then_some(last_own)))
        };
        let (customer, agent) = (heard(self.customer_heard), heard(self.agent_heard));
        let Self { agents, offers, ending, .. } = self;
        format!(
            "placed {placed}, offered {offers} times, connected {connected} with agents {agents:?}, ended {ended} by {ending:?}; the customer heard {customer}, the agent {agent}"
        )
    }

    /// Why it was not, in a word or two.
    fn failure(&self) -> Option<String> {
        if self.is_served() {
            return None;
        }
        Some(match self.ending {
            None => "never ended".to_owned(),
            Some(Ending::Refused(status, Some(cause))) => format!("{status}, cause {cause}"),
            Some(Ending::Refused(status, None)) => status.to_string(),
            Some(Ending::Silence) => "no answer to a message".to_owned(),
            Some(Ending::GaveUp | Ending::HungUp) => IMPATIENT.to_owned(),
            Some(Ending::HungUpByFar) if self.cut_off => "cut off by the switch".to_owned(),
            Some(Ending::HungUpByFar | Ending::TakenBack) => "ended by the switch before an agent".to_owned(),
        })
    }
}

/// A call out of the centre (E1), as the customer saw it who was called: placed when the agent dialled, offered with the INVITE.
#[derive(Clone, Debug)]
pub struct LogOut {
    pub meets: Meets,
    pub seen: CallLog,
}

impl LogOut {
    pub fn new(meets: Meets) -> Self {
        Self { meets, seen: CallLog::default() }
    }

    /// The status on record (G3).
    pub fn status(&self) -> &'static str {
        match self.meets {
            Meets::Answer(_) => "normal_end",
            Meets::Busy => "in_call",
            Meets::Nobody => "missed",
        }
    }

    /// How it went otherwise than the customer meant, in a few words.
    fn failure(&self) -> Option<&'static str> {
        let Self { meets, seen } = self;
        let as_meant = match meets {
            Meets::Answer(_) => seen.is_served(),
            Meets::Busy => seen.ending == Some(Ending::GaveUp),
            Meets::Nobody => seen.ending == Some(Ending::TakenBack),
        };
        match (seen.offered, seen.ending) {
            (_, _) if as_meant => None,
            (None, _) => Some("never called"),
            (Some(_), None) => Some("never ended"),
            (Some(_), Some(Ending::Silence)) => Some("no answer to a message"),
            (Some(_), Some(_)) => Some("ended by the switch"),
        }
    }
}

/// Calls out by the numbers that were dialled.
pub type LogsOut = BTreeMap<CallOut, LogOut>;

/// Percentiles, in milliseconds unless said otherwise.
#[derive(Serialize, Clone, Copy, Debug, Default)]
#[serde(rename_all = "camelCase")]
pub struct Percentiles {
    pub count: u64,
    pub mean: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Percentiles {
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| milliseconds(histogram.value_at_quantile(quantile));
        Self {
            count: histogram.len(),
            mean: histogram.mean() / 1000.0,
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
            max: milliseconds(histogram.max()),
        }
    }

    fn over(times: impl Iterator<Item = Micros>) -> Self {
        let Ok(mut histogram) = Histogram::new_with_bounds(1, 86_400_000_000, 3) else { return Self::default() };
        times.for_each(|time| histogram.saturating_record(time.max(1)));
        Self::of(&histogram)
    }
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "microseconds of a run are well below 2^53")]
fn milliseconds(time: Micros) -> f64 {
    time as f64 / 1000.0
}

/// Each second of a run.
#[derive(Serialize, Clone, Copy, Debug, Default)]
#[serde(rename_all = "camelCase")]
pub struct Second {
    pub tried: u32,
    pub connected: u32,
    pub failed: u32,
    /// Legs at its end, of customers and phones.
    pub live: u32,
    /// Of one core.
    pub switch_cpu: Option<f64>,
    pub switch_memory_mib: Option<f64>,
    /// Open files and sockets.
    pub switch_descriptors: Option<f64>,
    pub own_cpu: f64,
}

#[derive(Serialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase")]
pub struct Audio {
    /// Those with a conversation.
    pub calls: u32,
    pub packets_sent: u64,
    pub packets_heard: u64,
    pub packets_lost: u64,
    /// Of what was heard, speech of the other side of the same call; and of another call, or too late to be told from that.
    pub own_speech: u64,
    pub foreign_speech: u64,
    /// Sides of calls with a conversation that did not hear the other, or not to its end.
    pub deaf_sides: u32,
    pub delay: Percentiles,
    pub jitter: Percentiles,
}

/// What became of the calls out of the centre, without those of the warm-up.
#[derive(Serialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase")]
pub struct CallsOut {
    pub tried: u32,
    /// The customer answered.
    pub connected: u32,
    /// They went otherwise than their customers meant.
    pub failed: u32,
    pub failures: BTreeMap<String, u32>,
    /// From the agent's dialling to the INVITE at the carrier.
    pub setup_time: Percentiles,
}

impl CallsOut {
    /// Of the calls dialled from `from` to `to`; none where nobody called.
    fn of(out: &LogsOut, from: Micros, to: Micros) -> Option<Self> {
        let counted = || out.values().filter(|log| (from..to).contains(&log.seen.placed));
        let mut all = Self {
            setup_time: Percentiles::over(counted().filter_map(|log| Some(log.seen.offered?.saturating_sub(log.seen.placed)))),
            ..Self::default()
        };
        for log in counted() {
            all.tried += 1;
            all.connected += u32::from(log.seen.is_served());
            if let Some(failure) = log.failure() {
                all.failed += 1;
                *all.failures.entry(failure.to_owned()).or_insert(0) += 1;
            }
        }
        (all.tried > 0).then_some(all)
    }
}

/// The numbers of a run, without its warm-up.
#[derive(Serialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase")]
pub struct Numbers {
    pub tried: u32,
    pub connected: u32,
    pub failed: u32,
    pub failures: BTreeMap<String, u32>,
    /// Calls a second that came, and that came to a conversation in the same time.
    pub offered_rate: f64,
    pub served_rate: f64,
    /// From the customer's INVITE to the answer.
    pub answer_time: Percentiles,
    /// From the customer's INVITE to the one to an agent's phone, or to the offer at an agent's page.
    pub setup_time: Percentiles,
    /// From the customer's INVITE to the agent's being through.
    pub wait_time: Percentiles,
    /// From the customer's INVITE to the switch's 503.
    pub refusal_time: Percentiles,
    pub audio: Option<Audio>,
    pub calls_out: Option<CallsOut>,
    /// Share of the agents' time in which calls rang at them or they talked.
    pub occupancy: f64,
    /// Microseconds of CPU of the switch for each call that was tried.
    pub switch_cpu_per_call: Option<f64>,
    pub switch_cpu: Option<f64>,
    pub switch_memory_mib: Option<f64>,
    /// What the calls added to what it had before the first.
    pub switch_memory_growth_mib: Option<f64>,
    pub own_cpu: f64,
    /// Datagrams that this side's sockets had no room for, on their way out or in.
    pub own_drops: u64,
}

impl Numbers {
    /// Of the calls placed from `from` to `to`. As many of the first calls as `with_audio` have audio.
    pub fn of(calls: &[CallLog], out: &LogsOut, from: Micros, to: Micros, with_audio: usize) -> Self {
        let counted = || calls.iter().filter(|call| (from..to).contains(&call.placed));
        let mut failures = BTreeMap::new();
        for failure in counted().filter_map(CallLog::failure) {
            *failures.entry(failure).or_insert(0) += 1;
        }
        let count = |some: &mut dyn Iterator<Item = &CallLog>| u32::try_from(some.count()).unwrap_or(u32::MAX);
        let tried = count(&mut counted());
        let connected = count(&mut counted().filter(|call| call.is_served()));
        let since_placed = |moment: fn(&CallLog) -> Option<Micros>| {
            Percentiles::over(counted().filter_map(move |call| Some(moment(call)?.saturating_sub(call.placed))))
        };
        let seconds = milliseconds(to.saturating_sub(from)) / 1000.0;
        let within = |at: Micros| (from..to).contains(&at);
        let both = || calls.iter().take(with_audio).chain(out.values().map(|log| &log.seen));
        Self {
            tried,
            connected,
            failed: failures.values().sum(),
            failures,
            offered_rate: f64::from(tried) / seconds,
            served_rate: f64::from(count(&mut calls.iter().filter(|call| call.is_served() && call.connected.is_some_and(within))))
                / seconds,
            answer_time: since_placed(|call| call.answered),
            setup_time: since_placed(|call| call.offered),
            wait_time: since_placed(|call| call.connected),
            refusal_time: since_placed(|call| call.ended.filter(|_| matches!(call.ending, Some(Ending::Refused(503, _))))),
            // Who began before the time that counts talks in it too.
            audio: (with_audio > 0).then(|| audio(both().filter(|call| call.placed < to && call.ended.is_some_and(|ended| ended >= from)))),
            calls_out: CallsOut::of(out, from, to),
            ..Self::default()
        }
    }
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a jitter is a positive number of microseconds"
)]
fn audio<'a>(calls: impl Iterator<Item = &'a CallLog>) -> Audio {
    let mut audio = Audio::default();
    let mut jitters = Vec::new();
    for call in calls.filter(|call| call.is_served()) {
        audio.calls += 1;
        audio.deaf_sides += call.deaf_sides();
        for heard in [call.customer_heard, call.agent_heard] {
            audio.packets_heard += heard.packets;
            audio.packets_lost += heard.lost;
            audio.own_speech += heard.own;
            // Who is handed on hears several agents.
            audio.foreign_speech += if call.agents.len() > 1 { 0 } else { heard.foreign };
            jitters.push(heard.jitter as Micros);
        }
    }
    audio.jitter = Percentiles::over(jitters.into_iter());
    audio
}

/// What is wrong with the records, in calls.
#[derive(Serialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    pub calls: u32,
    pub records: u32,
    /// Calls with too few records, and with too many.
    pub missing: u32,
    pub surplus: u32,
    /// Calls that were served and have another status, or the other way round.
    pub wrong_status: u32,
    /// Calls with a conversation on record as another agent's.
    pub wrong_agent: u32,
    /// Calls that lasted otherwise than their records or recordings say.
    pub wrong_length: u32,
    /// Calls with a conversation without a recording of it, where the group records.
    pub unrecorded: u32,
    /// Calls without the key on record that was pressed in self-service, or with one that was not.
    pub wrong_key: u32,
    /// The first of them: what was seen of each, and what is on record.
    pub examples: Vec<String>,
}

impl Check {
    pub fn is_right(&self) -> bool {
        self.faults() == 0
    }

    pub fn faults(&self) -> u32 {
        let Self { missing, surplus, wrong_status, wrong_agent, wrong_length, unrecorded, wrong_key, calls: _, records: _, examples: _ } =
            self;
        missing + surplus + wrong_status + wrong_agent + wrong_length + unrecorded + wrong_key
    }
}

/// What a run comes to, as report.json has it.
#[derive(Serialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub about: String,
    pub scenario: String,
    /// Milliseconds since 1970.
    pub began: u64,
    pub rounds: Vec<Round>,
    /// Calls a second, of a search.
    pub highest_clean_rate: Option<f64>,
}

#[derive(Serialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Round {
    /// Asked for, in calls a second.
    pub rate: f64,
    pub numbers: Numbers,
    pub check: Option<Check>,
    /// What is not as the scenario wants it; nothing: a clean round.
    pub faults: Vec<String>,
    /// Not the switch's, but what the figures are to be read with.
    pub doubts: Vec<String>,
    pub seconds: Vec<Second>,
}

impl Round {
    /// As the scenario wants it, and nothing else was the limit.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty() && self.doubts.is_empty()
    }
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "packets of a run are well below 2^53")]
pub fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_what_became_of_them_and_the_warm_up_is_left_out() {
        let served = CallLog {
            placed: 2_000_000,
            answered: Some(2_001_000),
            offered: Some(2_004_000),
            offers: 1,
            connected: Some(2_010_000),
            ended: Some(3_000_000),
            ending: Some(Ending::HungUp),
            ..CallLog::default()
        };
        let refused =
            CallLog { placed: 2_500_000, ended: Some(2_502_000), ending: Some(Ending::Refused(503, Some(34))), ..CallLog::default() };
        let waiting = CallLog { placed: 2_600_000, ..CallLog::default() };
        let early = CallLog { placed: 500_000, ..served.clone() };
        let numbers = Numbers::of(&[early, served, refused, waiting], &LogsOut::new(), 1_000_000, 3_000_000, 0);
        assert!(numbers.calls_out.is_none());
        assert_eq!((numbers.tried, numbers.connected, numbers.failed), (3, 1, 2));
        assert_eq!(numbers.failures, BTreeMap::from([("503, cause 34".to_owned(), 1), ("never ended".to_owned(), 1)]));
        assert!((numbers.offered_rate - 1.5).abs() < 1e-9);
        assert!((numbers.setup_time.p50 - 4.0).abs() < 0.01, "{:?}", numbers.setup_time);
        assert!((numbers.refusal_time.max - 2.0).abs() < 0.01);
    }

    #[test]
    fn a_conversation_that_the_switch_ends_is_no_served_call() {
        let ended = |ending, after: Micros, agent_hangs_up| {
            let mut call = CallLog { connected: Some(1_000_000), ..CallLog::default() };
            call.end(ending, 1_000_000 + after, 5_000_000, agent_hangs_up);
            call.failure()
        };
        assert_eq!(ended(Ending::HungUp, 2_000_000, false), None, "the customer's own");
        assert_eq!(ended(Ending::HungUpByFar, 5_010_000, true), None);
        let cut_off = Some("cut off by the switch".to_owned());
        assert_eq!(ended(Ending::HungUpByFar, 5_010_000, false), cut_off, "the customer was to hang up");
        assert_eq!(ended(Ending::HungUpByFar, 3_000_000, true), cut_off);
    }

    #[test]
    fn who_never_heard_the_other_is_told_but_not_of_a_call_that_was_given_up_as_it_began() {
        let deaf = |crossed| {
            let call = CallLog { connected: Some(2), ended: Some(3), ending: Some(Ending::HungUp), crossed, ..CallLog::default() };
            Numbers::of(&[call], &LogsOut::new(), 0, 1_000_000, usize::MAX).audio.unwrap().deaf_sides
        };
        assert_eq!([deaf(false), deaf(true)], [2, 0]);
    }

    #[test]
    fn who_hears_no_more_before_the_end_is_told_but_not_of_one_on_hold() {
        let deaf = |last_own, quiet| {
            let heard = |last_own| Heard { packets: 9, own: 9, last_own, ..Heard::default() };
            let call = CallLog {
                connected: Some(1),
                ended: Some(9_000_000),
                ending: Some(Ending::HungUp),
                quiet,
                customer_heard: heard(last_own),
                agent_heard: heard(8_990_000),
                ..CallLog::default()
            };
            call.deaf_sides()
        };
        assert_eq!([deaf(6_900_000, Some(2_000_000)), deaf(7_100_000, Some(2_000_000)), deaf(6_900_000, None)], [1, 0, 0]);
    }

    /// A call that is offered again rang the first time when it should.
    #[test]
    fn setup_ends_with_the_first_offer() {
        let call = CallLog { offered: Some(4_000), offers: 2, ..CallLog::default() };
        assert_eq!(Numbers::of(&[call], &LogsOut::new(), 0, 1_000_000, 0).setup_time.count, 1);
    }

    /// E1, G3.
    #[test]
    fn a_call_out_fails_when_it_goes_otherwise_than_its_customer_meant() {
        let answer = Meets::Answer(std::time::Duration::ZERO);
        let seen = |offered, connected, ending| CallLog { placed: 2_000_000, offered, connected, ending, ..CallLog::default() };
        let (came, talked) = (Some(2_005_000), Some(2_006_000));
        let logs = [
            (answer, seen(came, talked, Some(Ending::HungUpByFar))),
            (Meets::Busy, seen(came, None, Some(Ending::GaveUp))),
            (Meets::Nobody, seen(came, None, Some(Ending::TakenBack))),
            (answer, seen(came, None, Some(Ending::TakenBack))),
            (Meets::Nobody, seen(came, None, None)),
            (answer, seen(None, None, None)),
            (answer, CallLog { placed: 10, ..seen(None, None, None) }),
        ];
        let out = (0..).zip(logs).map(|(nth, (meets, seen))| (CallOut { agent: 1, nth }, LogOut { meets, seen })).collect();
        let all = Numbers::of(&[], &out, 1_000_000, 3_000_000, 0).calls_out.unwrap();
        assert_eq!((all.tried, all.connected, all.failed), (6, 1, 3));
        assert_eq!(all.failures, ["ended by the switch", "never called", "never ended"].map(|why| (why.to_owned(), 1)).into());
        assert!((all.setup_time.p50 - 5.0).abs() < 0.01 && all.setup_time.count == 5, "{:?}", all.setup_time);
    }
}
