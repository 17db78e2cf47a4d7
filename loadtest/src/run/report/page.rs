//! The page that people read: one file that needs nothing else, no script and no network.

use super::charts::{self, Dot, Ink, Line, Scale};
use super::digits::{duration, grouped, milliseconds, percent, rate, trimmed};
use crate::run::results::{Audio, CallsOut, Check, Numbers, Percentiles, Report, Round, Second, ratio};
use chrono::DateTime;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::io;

/// The house's colours and sizes, in light and dark.
const TOKENS: &str = include_str!("../../../../web/src/styles/tokens.css");
const STYLE: &str = include_str!("style.css");
/// A list shows so many of its lines; report.json has all.
const SHOWN: usize = 20;

/// The whole page.
pub fn page(report: &Report) -> io::Result<Markup> {
    let Report { about, scenario, began, rounds, .. } = report;
    let began = i64::try_from(*began).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (about) " – load test" }
                style { (PreEscaped(TOKENS)) (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.cap { "Load test" }
                    h1 { (about) }
                    p.dim { (began.format("%-d %B %Y, %H:%M:%S UTC")) " · " span.file { (scenario) } }
                }
                @match rounds.as_slice() {
                    [round] => {
                        section.sheet.verdict { (verdict(round)) }
                        (details(round)?)
                    }
                    rounds => (search(rounds, report.highest_clean_rate)?)
                }
            }
        }
    })
}

/// The highest clean rate, then each round by itself.
fn search(rounds: &[Round], highest: Option<f64>) -> io::Result<Markup> {
    let mut sorted: Vec<&Round> = rounds.iter().collect();
    sorted.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    let broke = sorted.iter().find(|round| !round.is_clean());
    let read = rounds.iter().rfind(|round| highest.is_none_or(|highest| round.rate.total_cmp(&highest).is_eq()));
    let dots =
        |read: fn(&Round) -> f64| sorted.iter().map(move |round| Dot { rate: round.rate, value: read(round), clean: round.is_clean() });
    let times: Vec<Dot> = dots(|round| round.numbers.setup_time.p99).filter(|dot| dot.value > 0.0).collect();
    let failed: Vec<Dot> = dots(|round| 100.0 * failed_share(&round.numbers)).collect();
    Ok(html! {
        section.sheet.verdict {
            @match highest {
                Some(highest) => {
                    p.headline { b { (rate(highest)) } " calls a second" }
                    p.dim { "is the highest clean rate. " @match broke {
                        Some(broke) => { "At " (rate(broke.rate)) " calls a second the round was not clean:" },
                        None => "Every round was clean: the limit lies higher.",
                    } }
                }
                None => {
                    p.headline { "No clean rate was found" }
                    @if let Some(broke) = broke { p.dim { "Even at " (rate(broke.rate)) " calls a second the round was not clean:" } }
                }
            }
            @if let Some(broke) = broke { (list(&broke.faults)) (doubts(broke)) }
        }
        section.sheet {
            h2 { "Rounds" }
            div.wide { (table(&sorted)) }
        }
        div.charts {
            @if times.len() > 1 {
                @let svg = charts::over_rate(&times, Scale::Tenfold, &duration)?;
                (chart("Setup, 99th percentile", "over calls a second", &ROUNDS, &svg))
            }
            @let svg = charts::over_rate(&failed, Scale::Even(1.0), &|value| format!("{} %", trimmed(value)))?;
            (chart("Calls that failed", "over calls a second", &ROUNDS, &svg))
        }
        h2.above { "Each round" }
        @for round in &sorted {
            details open[read.is_some_and(|read| std::ptr::eq(read, *round))] {
                summary { b { (rate(round.rate)) " calls a second" } (badges(round)) }
                @if !(round.faults.is_empty() && round.doubts.is_empty()) { section.sheet.verdict { (verdict(round)) } }
                (details(round)?)
            }
        }
    })
}

fn table(rounds: &[&Round]) -> Markup {
    let measured = rounds.iter().any(|round| round.numbers.switch_cpu.is_some());
    html! { table {
        thead { tr {
            th.r { "Calls a second" }
            th { "Verdict" }
            th { "Why" }
            th.r { "Tried" }
            th.r { "Failed" }
            th.r { "Setup, 99 %, ms" }
            @if measured {
                th.r { "Switch, CPU" }
                th.r { "CPU a call, µs" }
            }
        } }
        tbody { @for round in rounds { @let numbers = &round.numbers; tr {
            td.r { b { (rate(round.rate)) } }
            td { (badges(round)) }
            td.why { @match round.faults.as_slice() {
                [] => span.none { "–" },
                [fault] => (fault),
                [fault, more @ ..] => { (fault) " (and " (more.len()) " more)" },
            } }
            td.r { (grouped(numbers.tried)) }
            td.r {
                (amount(numbers.failed))
                @if numbers.failed > 0 { span.dim { " · " (percent(failed_share(numbers), 2)) } }
            }
            td.r { (or_dash(Some(numbers.setup_time).filter(|time| time.count > 0).map(|time| milliseconds(time.p99)))) }
            @if measured {
                td.r { (or_dash(numbers.switch_cpu.map(|cpu| percent(cpu, 0)))) }
                td.r { (or_dash(numbers.switch_cpu_per_call.map(|cpu| grouped(format!("{cpu:.0}"))))) }
            }
        } } }
    } }
}

/// What dots over rates mean.
const ROUNDS: [(&str, &str); 2] = [("clean", "good"), ("not clean", "bad hollow")];

/// Everything about one round but its verdict.
fn details(round: &Round) -> io::Result<Markup> {
    let Round { numbers, check, seconds, .. } = round;
    Ok(html! {
        section.sheet {
            h2 { "Key figures" span.dim { "without the warm-up" } }
            (figures(round.rate, numbers))
        }
        @if seconds.len() > 1 { div.charts { (over_time(seconds)?) } }
        section.sheet {
            h2 { "Times" span.dim { "in milliseconds" } }
            div.wide { (times(numbers)) }
        }
        div.cards {
            @if !numbers.failures.is_empty() { (failures(numbers)) }
            @if let Some(check) = check { (records(check)) }
            @if let Some(out) = &numbers.calls_out { (calls_out(out)) }
            @if let Some(audio) = &numbers.audio { (voices(audio)) }
        }
    })
}

fn badges(round: &Round) -> Markup {
    html! {
        @if round.faults.is_empty() { span.badge.ok { "Clean" } } @else { span.badge.bad { "Not clean" } }
        @if !round.doubts.is_empty() { " " span.badge.warn { "Doubtful" } }
    }
}

fn verdict(round: &Round) -> Markup {
    html! {
        p { (badges(round)) }
        @if round.faults.is_empty() { p { "The switch did all that the scenario asks for." } } @else { (list(&round.faults)) }
        (doubts(round))
    }
}

fn doubts(round: &Round) -> Markup {
    html! { @if !round.doubts.is_empty() {
        p.dim { "Not the switch’s, but what the figures are to be read with:" }
        (list(&round.doubts))
    } }
}

fn list(lines: &[String]) -> Markup {
    html! { ul {
        @for line in lines.iter().take(SHOWN) { li { (line) } }
        @if lines.len() > SHOWN { li.dim { "and " (lines.len() - SHOWN) " more, in report.json" } }
    } }
}

fn figures(asked: f64, numbers: &Numbers) -> Markup {
    let share = if numbers.failed > 0 { percent(failed_share(numbers), 2) } else { String::new() };
    html! {
        div.figs {
            (figure("calls tried", &grouped(numbers.tried), ""))
            (figure("connected", &grouped(numbers.connected), ""))
            (figure("failed", &grouped(numbers.failed), &share))
            (figure(&format!("offered; asked for: {}", rate(asked)), &rate(numbers.offered_rate), "calls/s"))
            (figure("served", &rate(numbers.served_rate), "calls/s"))
            (figure("of the agents’ time, in calls", &trimmed(100.0 * numbers.occupancy), "%"))
            @if let Some(cpu) = numbers.switch_cpu_per_call { (figure("CPU of the switch a call", &grouped(format!("{cpu:.0}")), "µs")) }
            @if let Some(cpu) = numbers.switch_cpu { (figure("CPU of the switch, of a core", &trimmed(100.0 * cpu), "%")) }
            @if let Some(memory) = numbers.switch_memory_mib {
                (figure("memory of the switch, at most", &grouped(format!("{memory:.1}")), "MiB"))
            }
            (figure("CPU of the generator, of a core", &trimmed(100.0 * numbers.own_cpu), "%"))
        }
    }
}

fn figure(name: &str, value: &str, unit: &str) -> Markup {
    html! { div.fig {
        b { (value) @if !unit.is_empty() { small { " " (unit) } } }
        span { (name) }
    } }
}

/// The round second by second, its warm-up included.
fn over_time(seconds: &[Second]) -> io::Result<Markup> {
    let of = |name, ink, read| Line::of(seconds, name, ink, read);
    let calls = [
        of("tried", Ink::House, |second| Some(second.tried.into())),
        of("connected", Ink::Good, |second| Some(second.connected.into())),
        of("failed", Ink::Bad, |second| Some(second.failed.into())),
    ];
    let live = [of("live", Ink::House, |second| Some(second.live.into()))];
    let mut cpu = vec![
        of("switch", Ink::House, |second| second.switch_cpu.map(|cpu| 100.0 * cpu)),
        of("generator", Ink::Grey, |second| Some(100.0 * second.own_cpu)),
    ];
    cpu.retain(|line| !line.points.is_empty());
    let memory = [of("memory", Ink::House, |second| second.switch_memory_mib)];
    let descriptors = [of("descriptors", Ink::House, |second| second.switch_descriptors)];
    let mean = match charts::together(seconds) {
        1 => String::new(),
        together => format!("means of {together} s"),
    };
    let drawn = |title: &str, lines: &[Line], least: f64, up: fn(f64) -> String| -> io::Result<Markup> {
        let names: Vec<(&str, &str)> = lines.iter().map(|line| (line.name, line.ink.name())).collect();
        let names = if names.len() > 1 { names.as_slice() } else { &[] };
        Ok(chart(title, &mean, names, &charts::over_time(lines, seconds.len(), least, &up)?))
    };
    let whole: fn(f64) -> String = |value| grouped(trimmed(value));
    Ok(html! {
        (drawn("Calls a second", &calls, 5.0, whole)?)
        (drawn("Live legs", &live, 5.0, whole)?)
        @let title = if cpu.len() > 1 { "CPU, of a core" } else { "CPU of the generator, of a core" };
        (drawn(title, &cpu, 5.0, |value| format!("{} %", trimmed(value)))?)
        @if memory.iter().any(|line| !line.points.is_empty()) {
            (drawn("Memory of the switch", &memory, 5.0, |value| format!("{} MiB", grouped(trimmed(value))))?)
            (drawn("Open files and sockets of the switch", &descriptors, 5.0, whole)?)
        }
    })
}

/// A chart under its title, with what its colours mean.
fn chart(title: &str, under: &str, names: &[(&str, &str)], svg: &str) -> Markup {
    html! {
        figure.sheet {
            figcaption {
                span { b { (title) } @if !under.is_empty() { span.dim { (under) } } }
                span.names { @for (name, ink) in names { span class=(ink) { (name) } } }
            }
            div role="img" aria-label=(title) { (PreEscaped(svg)) }
        }
    }
}

fn times(numbers: &Numbers) -> Markup {
    let mut rows: Vec<(&str, &str, Percentiles)> = vec![
        ("Answer", "from the customer’s INVITE to the answer", numbers.answer_time),
        ("Setup", "from the customer’s INVITE to the one to the agent’s phone", numbers.setup_time),
        ("Wait", "from the customer’s INVITE until the agent is through", numbers.wait_time),
        ("Refusal", "from the customer’s INVITE to a 503", numbers.refusal_time),
    ];
    if let Some(audio) = &numbers.audio {
        rows.push(("One-way delay", "of the audio, from one side to the other", audio.delay));
        rows.push(("Jitter", "of the audio that each side heard", audio.jitter));
    }
    rows.retain(|(_, _, times)| times.count > 0);
    html! { table {
        thead { tr { th { "Time" } th.r { "Count" } th.r { "Mean" } th.r { "50 %" } th.r { "95 %" } th.r { "99 %" } th.r { "Longest" } } }
        tbody { @for (name, what, times) in rows { tr {
            td { b { (name) } " " span.dim { (what) } }
            td.r { (grouped(times.count)) }
            @for time in [times.mean, times.p50, times.p95, times.p99, times.max] { td.r { (milliseconds(time)) } }
        } } }
    } }
}

fn failures(numbers: &Numbers) -> Markup {
    let mut causes: Vec<(&String, u32)> = numbers.failures.iter().map(|(cause, calls)| (cause, *calls)).collect();
    causes.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
    html! { section.sheet {
        h2 { "Failures" span.dim { "by cause" } }
        table {
            thead { tr { th { "Cause" } th.r { "Calls" } th.r { "Of all tried" } } }
            tbody { @for (cause, calls) in causes { tr {
                td.why { (cause) }
                td.r { (grouped(calls)) }
                td.r { (percent(ratio(calls.into(), numbers.tried.into()), 2)) }
            } } }
        }
    } }
}

fn records(check: &Check) -> Markup {
    html! { section.sheet {
        h2 { "Records" @if check.is_right() { span.badge.ok { "All right" } } @else { span.badge.bad { "Not right" } } }
        (facts(&[
            ("Calls", html! { (grouped(check.calls)) }),
            ("Records", html! { (grouped(check.records)) }),
            ("Calls with too few records", amount(check.missing)),
            ("Calls with too many records", amount(check.surplus)),
            ("Calls of another status", amount(check.wrong_status)),
            ("Calls of another agent", amount(check.wrong_agent)),
            ("Calls of another length", amount(check.wrong_length)),
            ("Calls without a recording", amount(check.unrecorded)),
            ("Calls with another key of self-service", amount(check.wrong_key)),
        ]))
    } }
}

fn calls_out(out: &CallsOut) -> Markup {
    html! { section.sheet {
        h2 { "Calls out" }
        (facts(&[
            ("Tried", html! { (grouped(out.tried)) }),
            ("Answered", html! { (grouped(out.connected)) }),
            ("Otherwise than the customer meant", amount(out.failed)),
            ("From dialling to the carrier, 99th percentile, ms", html! { (milliseconds(out.setup_time.p99)) }),
        ]))
    } }
}

fn voices(audio: &Audio) -> Markup {
    let lost = ratio(audio.packets_lost, audio.packets_heard + audio.packets_lost);
    html! { section.sheet {
        h2 { "Audio" span.dim { "in packets" } }
        (facts(&[
            ("Sent", html! { (grouped(audio.packets_sent)) }),
            ("Heard", html! { (grouped(audio.packets_heard)) }),
            ("Lost", html! { (amount(audio.packets_lost)) @if audio.packets_lost > 0 { span.dim { " · " (percent(lost, 3)) } } }),
            ("Heard in another call than theirs, or over a second late", amount(audio.foreign_speech)),
            ("Sides of calls that never heard the other", amount(audio.deaf_sides)),
        ]))
    } }
}

fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! { table.facts { tbody { @for (name, value) in facts { tr { td { (name) } td.r { (value) } } } } } }
}

/// Of what should not be: nothing is grey, anything is red.
fn amount(count: impl Into<u64>) -> Markup {
    let count = count.into();
    html! { @if count == 0 { span.none { "0" } } @else { b.wrong { (grouped(count)) } } }
}

fn or_dash(value: Option<String>) -> Markup {
    html! { @match value { Some(value) => (value), None => span.none { "–" } } }
}

fn failed_share(numbers: &Numbers) -> f64 {
    ratio(numbers.failed.into(), numbers.tried.into())
}
