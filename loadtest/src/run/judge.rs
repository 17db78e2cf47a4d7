//! What a round came to: its numbers, and what they fall short of.

use super::engine::{Log, micros};
use super::leg::Micros;
use super::results::{CallLog, Check, IMPATIENT, Numbers, Percentiles, Round, Second, ratio};
use crate::scenario::Scenario;
use crate::story::number_of;
use std::time::Duration;

/// What does not grow by more than this share is flat.
const FLAT: f64 = 0.03;
/// So many calls with a fault are told one by one.
const FEW: usize = 5;
/// Above this share of its core the generator's own figures are doubtful.
pub const BUSY: f64 = 0.8;
/// Above this share of the agents' time it is they who limit what can be served.
const ALL_BUSY: f64 = 0.95;
/// Later than so much after its time a call is placed by a generator that cannot keep up.
const LATE: Micros = 1_000_000;

/// The numbers of a round, and what they fall short of.
pub fn judge(rate: f64, scenario: &Scenario, log: Log, check: Option<Check>) -> Round {
    let (from, to) = log.counted;
    let mut numbers = Numbers::of(&log.calls, &log.calls_out, from, to, scenario.with_audio());
    numbers.occupancy = occupancy(&log.calls, scenario.agents.count, from, to);
    if let (Some(audio), Some(delay)) = (&mut numbers.audio, &log.delay) {
        audio.packets_sent = log.packets_sent;
        audio.delay = Percentiles::of(delay);
    }
    let whole = log.seconds.iter().skip(whole_seconds(from)).take(whole_seconds(to) - whole_seconds(from));
    numbers.own_cpu = mean(whole.clone().map(|second| second.own_cpu)).unwrap_or_default();
    numbers.switch_memory_mib = log.seconds.iter().filter_map(|second| second.switch_memory_mib).reduce(f64::max);
    numbers.switch_memory_growth_mib = numbers.switch_memory_mib.zip(log.switch_memory_mib).map(|(most, before)| most - before);
    numbers.switch_cpu = log.switch_cpu.map(|cpu| cpu.as_secs_f64() / Duration::from_micros(to - from).as_secs_f64());
    let tried = numbers.tried + numbers.calls_out.as_ref().map_or(0, |out| out.tried);
    numbers.switch_cpu_per_call = log.switch_cpu.filter(|_| tried > 0).map(|cpu| cpu.as_secs_f64() * 1e6 / f64::from(tried));
    numbers.own_drops = log.own_drops;
    let mut faults = Vec::new();
    // Who came before it may talk in it.
    if tried == 0 && numbers.audio.as_ref().is_none_or(|audio| audio.calls == 0) {
        faults.push("no call came in the time that counts".to_owned());
    }
    let clean = scenario.clean;
    let of_all = |calls: u32| f64::from(calls) / f64::from(numbers.tried.max(1));
    let impatient = numbers.failures.get(IMPATIENT).copied().unwrap_or_default();
    let failed = of_all(if clean.impatient.is_some() { numbers.failed - impatient } else { numbers.failed });
    if failed > clean.failed {
        faults.push(format!("{:.2} % of calls failed; {:.2} % may", 100.0 * failed, 100.0 * clean.failed));
    }
    if let Some(most) = clean.impatient.filter(|most| of_all(impatient) > *most) {
        faults.push(format!("{:.2} % of customers gave up; {:.2} % may", 100.0 * of_all(impatient), 100.0 * most));
    }
    if let Some(out) = &numbers.calls_out {
        let failed = f64::from(out.failed) / f64::from(out.tried);
        if failed > clean.failed {
            faults.push(format!("{:.2} % of calls out failed; {:.2} % may", 100.0 * failed, 100.0 * clean.failed));
        }
    }
    if let Some(flat_after) = clean.flat_after {
        let seconds: Vec<Second> =
            whole.clone().skip(whole_seconds(micros(Duration::from_secs_f64(flat_after))) - whole_seconds(from)).copied().collect();
        faults.extend(growth("memory", "MiB", &seconds, |second| second.switch_memory_mib));
        faults.extend(growth("open files and sockets", "", &seconds, |second| second.switch_descriptors));
    }
    if numbers.setup_time.p99 > clean.setup_p99 {
        faults.push(format!("setup took {:.1} ms at the 99th percentile; {:.1} ms may", numbers.setup_time.p99, clean.setup_p99));
    }
    if let Some(audio) = &numbers.audio {
        let lost = ratio(audio.packets_lost, audio.packets_heard + audio.packets_lost);
        if lost > clean.lost {
            faults.push(format!("{:.3} % of the audio was lost; {:.3} % may be", 100.0 * lost, 100.0 * clean.lost));
        }
        if audio.foreign_speech > 0 {
            faults.push(format!(
                "{} packets were heard in another call than theirs, or were more than a second under way",
                audio.foreign_speech
            ));
        }
        if audio.deaf_sides > 0 {
            faults.push(format!("{} sides of calls never heard the other, or not to the end", audio.deaf_sides));
            let deaf = (0..).zip(&log.calls).filter(|(_, call)| call.deaf_sides() > 0);
            faults.extend(deaf.take(FEW).map(|(index, call)| format!("deaf: {}: {}", number_of(index), call.tale())));
        }
    }
    if let Some(check) = check.as_ref().filter(|check| !check.is_right()) {
        faults.push(format!(
            "records of {} calls: {} too few, {} too many, {} of another status, {} of another agent, {} of another length, {} without recording, {} with another key",
            check.calls,
            check.missing,
            check.surplus,
            check.wrong_status,
            check.wrong_agent,
            check.wrong_length,
            check.unrecorded,
            check.wrong_key
        ));
        faults.extend(check.examples.iter().take(FEW).map(|call| format!("records: {call}")));
    }
    let mut doubts = Vec::new();
    if numbers.own_cpu > BUSY {
        doubts.push(format!("the generator itself used {:.0} % of a core", 100.0 * numbers.own_cpu));
    }
    if numbers.own_drops > 0 {
        doubts.push(format!("the generator's own sockets lost {} datagrams", numbers.own_drops));
    }
    // Where no more calls come, nobody is missing.
    if tried > 0 && numbers.occupancy > ALL_BUSY {
        doubts.push(format!("the agents were in calls {:.0} % of the time: there are no more for more calls", 100.0 * numbers.occupancy));
    }
    if log.late > LATE {
        doubts.push(format!("the generator placed a call {:.1} s after its time", Duration::from_micros(log.late).as_secs_f64()));
    }
    Round { rate, numbers, check, faults, doubts, seconds: log.seconds }
}

/// Share of the time of so many agents in which they had calls, ringing or talking. Of what is only relayed nobody has calls.
fn occupancy(calls: &[CallLog], agents: u32, from: Micros, to: Micros) -> f64 {
    let within = |moment: Micros| moment.clamp(from, to);
    let had = calls.iter().filter(|call| !call.agents.is_empty());
    // Where customer and agent cross, the call may be over before it is offered.
    let busy = had.filter_map(|call| Some(within(call.ended.unwrap_or(to)).saturating_sub(within(call.offered?))));
    ratio(busy.sum(), u64::from(agents) * (to - from))
}

/// Whether the last tenth of these seconds is more than the first by more than [`FLAT`], or nobody knows.
fn growth(what: &str, unit: &str, seconds: &[Second], read: fn(&Second) -> Option<f64>) -> Option<String> {
    let tenth = seconds.len() / 10;
    let mean_of = |seconds: &[Second]| mean(seconds.iter().filter_map(read));
    let ends = mean_of(seconds.get(..tenth)?).zip(mean_of(seconds.get(seconds.len() - tenth..)?));
    let Some((first, last)) = ends else { return Some(format!("{what} of the switch: nothing was measured")) };
    (last > (1.0 + FLAT) * first).then(|| format!("{what} of the switch grew from {first:.0} to {last:.0} {unit}"))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX)))
}

fn whole_seconds(time: u64) -> usize {
    usize::try_from(time / 1_000_000).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::leg::Ending;
    use crate::run::results::LogOut;
    use crate::run::voices::Heard;
    use crate::story::{CallOut, Meets};

    /// E1.
    #[test]
    fn calls_out_that_fail_are_a_fault() {
        let text = "about = \"\"\nseconds = 10\n[arrivals]\nkind = \"constant\"\nrate = 1\n[customers]\naudio = true\n[agents]\n\
            kind = \"browsers\"\ncount = 1\ntalk = 1\ncallers = 1\n[clean]\nfailed = 0.5";
        let faults = |failed: u32| {
            let seen = |nth| CallLog { offered: Some(1), ending: (nth >= failed).then_some(Ending::GaveUp), ..CallLog::default() };
            let calls_out = (0..4).map(|nth| (CallOut { agent: 2, nth }, LogOut { meets: Meets::Busy, seen: seen(nth) })).collect();
            judge(1.0, &Scenario::parse(text).unwrap(), Log { calls_out, counted: (0, 10_000_000), ..Log::default() }, None).faults
        };
        assert!(faults(2).is_empty());
        assert_eq!(faults(3), ["75.00 % of calls out failed; 50.00 % may"]);
    }

    #[test]
    fn a_round_without_calls_is_not_clean_and_one_that_came_late_is_doubtful() {
        let text = "about = \"\"\nseconds = 10\n[arrivals]\nkind = \"constant\"\nrate = 1\n[customers]\n[agents]\nkind = \"phones\"\ncount = 1\ntalk = 1";
        let scenario = Scenario::parse(text).unwrap();
        let log = |calls, late| Log { calls, late, counted: (0, 10_000_000), ..Log::default() };
        assert_eq!(judge(1.0, &scenario, log(Vec::new(), 0), None).faults, ["no call came in the time that counts"]);
        let served = CallLog { connected: Some(1), ending: Some(Ending::HungUp), ..CallLog::default() };
        let doubts = |late| judge(1.0, &scenario, log(vec![served.clone()], late), None).doubts;
        assert_eq!(doubts(1_300_000), ["the generator placed a call 1.3 s after its time"]);
        assert!(doubts(900_000).is_empty());
    }

    const TWO_AGENTS: &str = "about = \"\"\nseconds = 10\nwarm_up = 5\n[arrivals]\nkind = \"constant\"\nrate = 1\n[customers]\naudio = true\n[agents]\nkind = \"phones\"\ncount = 2\ntalk = 1";

    fn in_the_second_half(calls: Vec<CallLog>) -> Round {
        judge(1.0, &Scenario::parse(TWO_AGENTS).unwrap(), Log { calls, counted: (5_000_000, 10_000_000), ..Log::default() }, None)
    }

    #[test]
    fn a_round_in_which_only_those_talk_who_came_before_is_one_with_calls() {
        let heard = Heard { own: 9, ..Heard::default() };
        let talks = CallLog {
            placed: 1_000_000,
            connected: Some(1_000_000),
            offered: Some(1_000_000),
            ended: Some(11_000_000),
            ending: Some(Ending::HungUp),
            agents: vec![1],
            customer_heard: heard,
            agent_heard: heard,
            ..CallLog::default()
        };
        assert!(in_the_second_half(vec![talks; 2]).is_clean());
    }

    /// J3.
    #[test]
    fn that_all_agents_are_busy_is_told() {
        let call = |offered, ended| CallLog { placed: 5_000_000, offered: Some(offered), ended, agents: vec![1], ..CallLog::default() };
        let doubts = |calls| in_the_second_half(calls).doubts;
        let (long, endless) = (call(4_000_000, Some(11_000_000)), call(5_000_000, None));
        assert_eq!(
            doubts(vec![long.clone(), endless.clone()]),
            ["the agents were in calls 100 % of the time: there are no more for more calls"]
        );
        assert!(doubts(vec![long.clone(), call(6_000_000, Some(10_000_000))]).is_empty(), "90 %");
        assert!(doubts(vec![long.clone(), call(11_000_000, None)]).is_empty(), "the second one came too late");
        assert!(doubts(vec![call(7_000_000, Some(6_000_000))]).is_empty(), "it was given up meanwhile");
        assert!(doubts(vec![long, CallLog { agents: Vec::new(), ..endless }]).is_empty(), "it went through a relay");
    }

    #[test]
    fn what_grows_is_told_and_what_goes_up_and_down_is_flat() {
        let told = |memory: fn(u32) -> f64| {
            let second = |n| Second { switch_memory_mib: Some(memory(n)), ..Second::default() };
            growth("memory", "MiB", &(0..1000).map(second).collect::<Vec<_>>(), |second| second.switch_memory_mib)
        };
        assert_eq!(told(|n| 100.0 + f64::from(n) / 100.0).unwrap(), "memory of the switch grew from 100 to 109 MiB");
        assert_eq!(told(|n| 100.0 + f64::from(n % 7)), None);
        assert_eq!(told(|n| 200.0 - f64::from(n) / 100.0), None);
        let unknown = growth("memory", "MiB", &[Second::default(); 1000], |second| second.switch_memory_mib);
        assert_eq!(unknown.unwrap(), "memory of the switch: nothing was measured");
    }

    #[test]
    fn only_a_scenario_that_says_so_forgives_impatience() {
        let of = |clean: &str| {
            let text = format!(
                "about = \"\"\nseconds = 10\n[arrivals]\nkind = \"constant\"\nrate = 1\n[customers]\n[agents]\nkind = \"phones\"\ncount = 1\ntalk = 1\n[clean]\nfailed = 0\n{clean}"
            );
            let gone = CallLog { ending: Some(Ending::GaveUp), ..CallLog::default() };
            let served = CallLog { connected: Some(1), ending: Some(Ending::HungUp), ..CallLog::default() };
            let mut calls = vec![served; 9];
            calls.push(gone);
            judge(1.0, &Scenario::parse(&text).unwrap(), Log { calls, counted: (0, 10_000_000), ..Log::default() }, None).faults
        };
        assert_eq!(of(""), ["10.00 % of calls failed; 0.00 % may"]);
        assert_eq!(of("impatient = 0.05"), ["10.00 % of customers gave up; 5.00 % may"]);
        assert!(of("impatient = 0.1").is_empty());
    }
}
