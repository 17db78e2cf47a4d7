//! `make bench`: the switch beside its yardsticks, in one run on one machine. Machines differ, so what counts are the ratios.
//!
//! What is measured has the first core to itself, everything else the second one.

pub mod bounce;
mod programs;
mod relay;
pub mod soak;
mod stations;

use crate::run::{Audio, BUSY, Crew, Numbers, Percentiles, Process, Round, find, round};
use crate::scenario::{Agents, Arrivals, Customers, Kind, Scenario};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use programs::{House, Program, bare, kamailio, places, rtpengine};
use relay::{Relayed, Way, relay};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::LocalSet;

#[derive(clap::Args)]
pub struct Options {
    /// The switch's binary; it should be a release build.
    #[arg(long, default_value = "target/release/cordboard")]
    binary: PathBuf,
    /// Rounds of everything; what is told is their median.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Conversations at once where media are measured, unless the machine is too slow for them.
    #[arg(long, default_value_t = 500)]
    calls: u16,
    /// Conversations between customers and browsers at once.
    #[arg(long, default_value_t = 100)]
    browsers: u16,
    /// Measure this part alone.
    #[arg(long)]
    only: Option<Part>,
    /// A file for the table, in Markdown.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// Of a core.
const FULL: f64 = 0.9;

/// Seconds until a switch that gets twice what it can serve has found its limit.
const WARM_UP_OF_OVERLOAD: f64 = 10.0;

/// Says that the relay's highest rate is the generator's.
const RELAY_LIMITED: &str = "relay limited";

/// What is measured at a time.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Calls without voices: what each costs, and how many there can be.
    Signalling,
    /// Conversations, with browsers too.
    Media,
    /// Conversations with browsers alone.
    Browsers,
    /// Many workstations; and what each call and each browser keeps in memory.
    Stations,
}

/// In progress while an overload comes, with voices: they may lose nothing.
const IN_PROGRESS: u16 = 50;

/// One round's figures by their names; what could not be measured is not among them.
type Figures = BTreeMap<&'static str, f64>;

/// A row of the table: a figure of ours, the yardstick's, and what their ratio should be. Without a yardstick the figure itself is meant.
struct Row {
    what: &'static str,
    ours: &'static str,
    theirs: Option<&'static str>,
    unit: &'static str,
    goal: Goal,
}

#[derive(Clone, Copy)]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

/// So many conversations at once, and the names of their delays: the median and the 99th percentile.
struct Delays {
    calls: u16,
    /// How often both are measured, in turn; what counts is the median. A machine that others have too is away now and then, which can be most of a
    /// hundred calls' 99th percentile.
    turns: usize,
    ours: (&'static str, &'static str),
    theirs: (&'static str, &'static str),
}

const DELAYS: [Delays; 2] = [
    Delays { calls: 100, turns: 3, ours: ("few p50", "few p99"), theirs: ("rtpengine few p50", "rtpengine few p99") },
    Delays { calls: 1_000, turns: 1, ours: ("many p50", "many p99"), theirs: ("rtpengine many p50", "rtpengine many p99") },
];

const fn delay(what: &'static str, ours: &'static str, theirs: &'static str) -> Row {
    Row { what, ours, theirs: Some(theirs), unit: "ms", goal: Goal::AtMost(1.0) }
}

const ROWS: [Row; 30] = [
    Row {
        what: "CPU per call: queue against a bare relay",
        ours: "queue cpu",
        theirs: Some("relay cpu"),
        unit: "µs",
        goal: Goal::AtMost(2.0),
    },
    Row {
        what: "highest clean rate on one core",
        ours: "queue rate",
        theirs: Some("relay rate"),
        unit: "calls/s",
        goal: Goal::AtLeast(0.5),
    },
    Row { what: "setup at half that rate, p99", ours: "queue setup", theirs: None, unit: "ms", goal: Goal::AtMost(5.0) },
    Row {
        what: "overload at twice the rate: served, of the peak",
        ours: "overload served",
        theirs: Some("queue rate"),
        unit: "calls/s",
        goal: Goal::AtLeast(0.9),
    },
    Row { what: "overload: excess refused within, p99", ours: "overload refusal", theirs: None, unit: "ms", goal: Goal::AtMost(50.0) },
    Row { what: "overload: calls neither served nor refused", ours: "overload astray", theirs: None, unit: "", goal: Goal::AtMost(0.0) },
    Row { what: "overload: packets lost of the calls in progress", ours: "overload lost", theirs: None, unit: "", goal: Goal::AtMost(0.0) },
    Row { what: "conversations at once in the two rows below", ours: "calls", theirs: None, unit: "", goal: Goal::AtMost(f64::INFINITY) },
    Row {
        what: "CPU per relayed G.711 call",
        ours: "voice cpu",
        theirs: Some("rtpengine cpu"),
        unit: "% of a core",
        goal: Goal::AtMost(0.5),
    },
    Row {
        what: "the same recorded, against rtpengine unrecorded",
        ours: "recorded cpu",
        theirs: Some("rtpengine cpu"),
        unit: "% of a core",
        goal: Goal::AtMost(1.0),
    },
    delay("one-way delay at 100 calls, median", DELAYS[0].ours.0, DELAYS[0].theirs.0),
    delay("one-way delay at 100 calls, p99", DELAYS[0].ours.1, DELAYS[0].theirs.1),
    Row {
        what: "1,000 calls, or as many as the yardstick and the generator have time for",
        ours: "many calls",
        theirs: None,
        unit: "",
        goal: Goal::AtMost(f64::INFINITY),
    },
    delay("one-way delay at so many, median", DELAYS[1].ours.0, DELAYS[1].theirs.0),
    delay("one-way delay at so many, p99", DELAYS[1].ours.1, DELAYS[1].theirs.1),
    Row {
        what: "the same of the bare loop (yardstick of the kernel)",
        ours: "bare p99",
        theirs: None,
        unit: "ms",
        goal: Goal::AtMost(f64::INFINITY),
    },
    Row { what: "packets lost", ours: "voice lost", theirs: None, unit: "", goal: Goal::AtMost(0.0) },
    Row {
        what: "calls that fill 90 % of the core, or 80 % of the generator's",
        ours: "full calls",
        theirs: None,
        unit: "",
        goal: Goal::AtMost(f64::INFINITY),
    },
    Row { what: "CPU with them", ours: "full cpu", theirs: None, unit: "% of a core", goal: Goal::AtMost(f64::INFINITY) },
    Row { what: "packets lost with them, beyond the bare loop's", ours: "full lost", theirs: None, unit: "", goal: Goal::AtMost(0.0) },
    Row {
        what: "CPU per trunk <-> browser call (DTLS-SRTP, PCMU)",
        ours: "browser cpu",
        theirs: Some("bridge cpu"),
        unit: "% of a core",
        goal: Goal::AtMost(1.0),
    },
    Row {
        what: "its one-way delay, median",
        ours: "browser p50",
        theirs: Some("bridge p50"),
        unit: "ms",
        goal: Goal::AtMost(f64::INFINITY),
    },
    Row { what: "its one-way delay, p99", ours: "browser p99", theirs: Some("bridge p99"), unit: "ms", goal: Goal::AtMost(f64::INFINITY) },
    Row { what: "its packets lost", ours: "browser lost", theirs: None, unit: "", goal: Goal::AtMost(0.0) },
    Row { what: "10,000 workstations, 100 groups: memory", ours: "stations memory", theirs: None, unit: "MiB", goal: Goal::AtMost(1024.0) },
    Row {
        what: "the same: a change of state is on all pages within, p99",
        ours: "stations state",
        theirs: None,
        unit: "ms",
        goal: Goal::AtMost(100.0),
    },
    Row {
        what: "the same: a queue's count, told every 250 ms, p99",
        ours: "stations queue",
        theirs: None,
        unit: "ms",
        goal: Goal::AtMost(350.0),
    },
    Row { what: "memory per SIP call with media", ours: "call memory", theirs: None, unit: "KiB", goal: Goal::AtMost(48.0) },
    Row { what: "the same recorded", ours: "recorded memory", theirs: None, unit: "KiB", goal: Goal::AtMost(f64::INFINITY) },
    Row { what: "memory per online browser agent", ours: "browser memory", theirs: None, unit: "KiB", goal: Goal::AtMost(200.0) },
];

pub async fn run(options: Options) -> io::Result<()> {
    on_the_second_core(work(options)).await
}

async fn on_the_second_core(work: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    let mut own = CpuSet::new();
    own.set(1)?;
    sched_setaffinity(Pid::this(), &own)?;
    LocalSet::new().run_until(work).await
}

async fn work(options: Options) -> io::Result<()> {
    let mut rounds = Vec::new();
    let mut broken = 0;
    for n in 1..=options.rounds {
        println!("round {n} of {}", options.rounds);
        let mut figures = Figures::new();
        for part in [Part::Media, Part::Browsers, Part::Signalling, Part::Stations] {
            let wanted = |only| only == part || (only, part) == (Part::Media, Part::Browsers);
            if !options.only.is_none_or(wanted) {
                continue;
            }
            // What one measurement comes to is no reason to lose the others.
            if let Err(why) = measure(part, &options, &mut figures).await {
                println!("  not measured to the end: {why}");
                broken += 1;
            }
        }
        rounds.push(figures);
    }
    let table = table(&rounds, &conditions(&options), options.only.is_none());
    print!("\n{table}");
    if let Some(path) = options.write {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, table)?;
    }
    if broken == 0 { Ok(()) } else { Err(io::Error::other(format!("{broken} parts of rounds were not measured to their end"))) }
}

async fn measure(part: Part, options: &Options, figures: &mut Figures) -> io::Result<()> {
    match part {
        Part::Media => media(options, figures).await,
        Part::Browsers => browsers(options, figures).await,
        Part::Signalling => signalling(options, figures).await,
        Part::Stations => stations::stations(options, figures).await,
    }
}

fn note(figures: &mut Figures, name: &'static str, figure: Option<f64>) {
    figures.extend(figure.map(|figure| (name, figure)));
}

/// What nothing was counted of has no percentile.
fn p99(times: &Percentiles) -> Option<f64> {
    (times.count > 0).then_some(times.p99)
}

/// Signalling alone: what a call costs, how many there can be, and what too many do.
async fn signalling(options: &Options, figures: &mut Figures) -> io::Result<()> {
    let scenario = scenario(
        "queue",
        options.seconds,
        "[customers]\npatience = 20\n[agents]\nkind = \"phones\"\ncount = 1800\ntalk = 0.3\n[clean]\nsetup_p99 = 100",
    )?;
    // A new one for each round, and so of the switch: what an overload leaves behind costs for minutes.
    let mut relayed = async |rate: f64| {
        let program = kamailio().await?;
        round(&scenario, places(program.at), rate, None, Some(&program.process())).await
    };
    let (rounds, relay_rate) = find(2000.0, &mut relayed).await?;
    note(figures, "relay rate", relay_rate);
    note(figures, RELAY_LIMITED, rounds.iter().any(|round| round.faults.is_empty() && !round.is_clean()).then_some(1.0));
    let mut queued = async |rate: f64| {
        let (house, mut crew) = busy_house(&options.binary, &scenario).await?;
        let round = round(&scenario, places(house.program.at), rate, Some(&mut crew), Some(&house.program.process())).await;
        crew.go_home().await;
        round
    };
    let (_, queue_rate) = find(800.0, &mut queued).await?;
    let queue_rate = queue_rate.ok_or_else(|| io::Error::other("no rate was clean"))?;
    figures.insert("queue rate", queue_rate);
    let (house, mut crew) = busy_house(&options.binary, &scenario).await?;
    let process = house.program.process();
    let at = |rate: f64| Scenario { arrivals: Arrivals::Constant { rate }, ..scenario.clone() };
    let half = clean(&at(queue_rate / 2.0), &house.program, &process, Some(&mut crew)).await?;
    note(figures, "queue setup", p99(&half.setup_time));
    note(figures, "queue cpu", half.switch_cpu_per_call);
    // What counts is how it goes on.
    let (warm_up, seconds) = (WARM_UP_OF_OVERLOAD, WARM_UP_OF_OVERLOAD + options.seconds);
    let customers = Customers { standing: u32::from(IN_PROGRESS), ..scenario.customers.clone() };
    let overload = Scenario { warm_up, seconds, customers, ..at(queue_rate * 2.0) };
    let Round { numbers: over, check, .. } = once(&overload, &house.program, &process, Some(&mut crew)).await?;
    figures.insert("overload served", over.served_rate);
    let shed: u32 = over.failures.iter().filter(|(failure, _)| failure.starts_with("503")).map(|(_, calls)| calls).sum();
    figures.insert("overload astray", f64::from(over.failed - shed));
    note(figures, "overload refusal", p99(&over.refusal_time));
    let in_progress = over.audio.filter(|audio| audio.calls == u32::from(IN_PROGRESS) && audio.deaf_sides == 0);
    note(figures, "overload lost", in_progress.as_ref().map(lost));
    crew.go_home().await;
    drop(house);
    let program = kamailio().await?;
    let same = clean(&at(queue_rate / 2.0), &program, &program.process(), None).await?;
    note(figures, "relay cpu", same.switch_cpu_per_call);
    in_progress.ok_or_else(|| io::Error::other("of the calls that were in progress in an overload some are missing, or deaf"))?;
    if check.is_some_and(|check| check.is_right()) { Ok(()) } else { Err(io::Error::other("the records of an overload are not right")) }
}

/// The switch with all its agents online.
async fn busy_house(binary: &Path, scenario: &Scenario) -> io::Result<(House, Crew)> {
    let house = House::open(binary, scenario).await?;
    let crew = Crew::bring_online(&house.url(), &house.entry, scenario, Ipv4Addr::LOCALHOST).await.map_err(io::Error::other)?;
    Ok((house, crew))
}

async fn once(scenario: &Scenario, program: &Program, process: &Process, crew: Option<&mut Crew>) -> io::Result<Round> {
    round(scenario, places(program.at), scenario.arrivals.rate(), crew, Some(process)).await
}

/// A round whose figures count for nothing where it was not clean.
async fn clean(scenario: &Scenario, program: &Program, process: &Process, crew: Option<&mut Crew>) -> io::Result<Numbers> {
    let round = once(scenario, program, process, crew).await?;
    if round.is_clean() { Ok(round.numbers) } else { Err(io::Error::other([round.faults, round.doubts].concat().join("; "))) }
}

/// Conversations at once: what each takes, how long its packets are under way, and what is lost. On a machine on which the yardstick or the generator has
/// no time for as many as are asked for, there are fewer in either.
async fn media(options: &Options, figures: &mut Figures) -> io::Result<()> {
    let length = Duration::from_secs_f64(options.seconds);
    let [few, many] = DELAYS;
    let (relayed, lost_of_few) = delays(options, &few, few.calls, figures).await?;
    let calls = options.calls.min(calls_that_fill(few.calls, relayed.cpu, relayed.own_cpu));
    figures.insert("calls", f64::from(calls));
    let relayed = through_rtpengine(calls, length).await?;
    figures.insert("rtpengine cpu", 100.0 * relayed.cpu / f64::from(calls));
    let most = many.calls.min(calls_that_fill(calls, relayed.cpu, relayed.own_cpu));
    figures.insert("many calls", f64::from(most));
    let relayed = through_the_bare_loop(calls, length).await?;
    figures.insert("bare p99", relayed.audio.delay.p99);
    let plain = voices(options, Kind::Phones, calls, false).await?;
    note(figures, "voice cpu", cpu_a_call(&plain, calls));
    let recorded = voices(options, Kind::Phones, calls, true).await?;
    note(figures, "recorded cpu", cpu_a_call(&recorded, calls));
    let (_, lost_of_many) = delays(options, &many, most, figures).await?;
    figures.insert("voice lost", plain.audio.as_ref().map_or(0.0, lost) + lost_of_few + lost_of_many);
    let calls = calls_that_fill(calls, plain.switch_cpu.unwrap_or(FULL), plain.own_cpu);
    let bare = lost(&through_the_bare_loop(calls, length).await?.audio);
    let full = voices(options, Kind::Phones, calls, false).await?;
    figures.insert("full calls", f64::from(calls));
    note(figures, "full cpu", full.switch_cpu.map(|cpu| 100.0 * cpu));
    note(figures, "full lost", full.audio.as_ref().map(|audio| lost(audio) - bare));
    Ok(())
}

/// How long packets are under way where there are so many conversations, in rtpengine and then in the switch: what rtpengine took, and the packets that the
/// switch lost.
async fn delays(options: &Options, names: &Delays, calls: u16, figures: &mut Figures) -> io::Result<(Relayed, f64)> {
    let (mut turns, mut lost_in_all) = (Vec::new(), 0.0);
    loop {
        let relayed = through_rtpengine(calls, Duration::from_secs_f64(options.seconds)).await?;
        let mut turn = Figures::from([(names.theirs.0, relayed.audio.delay.p50), (names.theirs.1, relayed.audio.delay.p99)]);
        if let Some(audio) = voices(options, Kind::Phones, calls, false).await?.audio {
            turn.extend([(names.ours.0, audio.delay.p50), (names.ours.1, audio.delay.p99)]);
            lost_in_all += lost(&audio);
        }
        turns.push(turn);
        if turns.len() == names.turns {
            for name in [names.ours.0, names.ours.1, names.theirs.0, names.theirs.1] {
                note(figures, name, median(&turns, |turn| turn.get(name).copied()));
            }
            return Ok((relayed, lost_in_all));
        }
    }
}

async fn through_rtpengine(calls: u16, length: Duration) -> io::Result<Relayed> {
    let program = rtpengine().await?;
    relay(&Way::Rtpengine(&program), calls, length)
}

async fn through_the_bare_loop(calls: u16, length: Duration) -> io::Result<Relayed> {
    let program = bare().await?;
    relay(&Way::Bare(&program), calls, length)
}

/// In per cent of a core.
fn cpu_a_call(numbers: &Numbers, calls: u16) -> Option<f64> {
    Some(100.0 * numbers.switch_cpu? / f64::from(calls))
}

/// As many conversations as fill [`FULL`] of the core of what is measured, or as the generator's can have: by what `calls` took of either.
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes an integer within its bounds"
)]
fn calls_that_fill(calls: u16, cpu: f64, own_cpu: f64) -> u16 {
    (f64::from(calls) * (FULL / cpu).min(BUSY / own_cpu)) as u16
}

/// The same where one side is a browser, so that each packet is decrypted or encrypted.
async fn browsers(options: &Options, figures: &mut Figures) -> io::Result<()> {
    {
        let program = rtpengine().await?;
        let relayed = relay(&Way::Bridge(&program), options.browsers, Duration::from_secs_f64(options.seconds))?;
        figures.insert("bridge cpu", 100.0 * relayed.cpu / f64::from(options.browsers));
        figures.insert("bridge p50", relayed.audio.delay.p50);
        figures.insert("bridge p99", relayed.audio.delay.p99);
    }
    let ours = voices(options, Kind::Browsers, options.browsers, false).await?;
    note(figures, "browser cpu", cpu_a_call(&ours, options.browsers));
    if let Some(audio) = &ours.audio {
        figures.insert("browser p50", audio.delay.p50);
        figures.insert("browser p99", audio.delay.p99);
        figures.insert("browser lost", lost(audio));
    }
    Ok(())
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "a count of packets")]
fn lost(audio: &Audio) -> f64 {
    audio.packets_lost as f64
}

/// All calls begin within four seconds and go on for the whole time that counts.
async fn voices(options: &Options, kind: Kind, calls: u16, record: bool) -> io::Result<Numbers> {
    let length = options.seconds;
    let warm_up = 5.0;
    let scenario = Scenario {
        seconds: warm_up + length,
        warm_up,
        ..scenario(
            "voices",
            length,
            &format!(
                "[customers]\naudio = true\n[agents]\nkind = \"phones\"\ncount = {calls}\ntalk = {}\nrecord = {record}\n[clean]\nsetup_p99 = 1000\nlost = 1",
                warm_up + length + 5.0
            ),
        )?
    };
    let agents = Agents { kind, ..scenario.agents };
    let arrivals = Arrivals::Constant { rate: f64::from(calls) / 4.0 };
    let scenario = Scenario { at_most: Some(u32::from(calls)), arrivals, agents, ..scenario };
    let (house, mut crew) = busy_house(&options.binary, &scenario).await?;
    let process = house.program.process();
    let Round { numbers, faults, seconds, .. } =
        round(&scenario, places(house.program.at), scenario.arrivals.rate(), Some(&mut crew), Some(&process)).await?;
    let connected: u32 = seconds.iter().map(|second| second.connected).sum();
    if connected != u32::from(calls) || !faults.is_empty() {
        return Err(io::Error::other(format!("{connected} of {calls} conversations: {}", faults.join("; "))));
    }
    crew.go_home().await;
    Ok(numbers)
}

fn scenario(about: &str, seconds: f64, rest: &str) -> io::Result<Scenario> {
    let text =
        format!("about = \"{about}\"\nseconds = {}\nwarm_up = 2\n[arrivals]\nkind = \"constant\"\nrate = 1\n{rest}\n", seconds + 2.0);
    Scenario::parse(&text).map_err(io::Error::other)
}

/// Of the rounds that have it.
fn median(rounds: &[Figures], read: impl Fn(&Figures) -> Option<f64>) -> Option<f64> {
    let mut values: Vec<f64> = rounds.iter().filter_map(read).collect();
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// What the figures were got with.
fn conditions(options: &Options) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")).map_or("unknown", |name| name.trim_start_matches(['\t', ' ', ':']));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{model}, Linux {}, loopback; the program under test on one core, the generator on the other; medians of {} round(s) of {} s, {} conversations at most, {} with browsers",
        kernel.trim(),
        options.rounds,
        options.seconds,
        options.calls,
        options.browsers
    )
}

/// The medians of the rounds' figures, and that of their ratios. Of a `whole` run, rows that nothing was measured of are told.
fn table(rounds: &[Figures], conditions: &str, whole: bool) -> String {
    let mut text = format!("{conditions}\n\n| what | Cordboard | yardstick | ratio | to reach | |\n|---|---:|---:|---:|---|---|\n");
    for Row { what, ours, theirs, unit, goal } in ROWS {
        let of = |name: &str| median(rounds, |figures| figures.get(name).copied());
        let (own, yardstick) = (of(ours), theirs.and_then(of));
        let judged = match theirs {
            Some(theirs) => median(rounds, |figures| Some(figures.get(ours)? / figures.get(theirs)?)),
            None => own,
        };
        if judged.is_none() && !whole {
            continue;
        }
        let (reached, sign, limit) = match goal {
            Goal::AtMost(limit) => (judged.map(|judged| judged <= limit), "≤", limit),
            Goal::AtLeast(limit) => (judged.map(|judged| judged >= limit), "≥", limit),
        };
        let word = match reached {
            None => "not measured",
            Some(_) if limit.is_infinite() => "",
            Some(true) => "reached",
            Some(false) => "not yet",
        };
        let cell = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| figure(value, unit));
        let ratio = judged.filter(|_| theirs.is_some()).map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
        let goal = if limit.is_finite() { format!("{sign} {limit}") } else { "–".to_owned() };
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {what} | {} | {} | {ratio} | {goal} | {word} |", cell(own), cell(yardstick));
    }
    if rounds.iter().any(|figures| figures.contains_key(RELAY_LIMITED)) {
        text.push_str("\nThe relay's highest rate is where the generator takes 80 % of its core; the relay itself could do more.\n");
    }
    text
}

fn figure(value: f64, unit: &str) -> String {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 1.0 {
        1
    } else {
        3
    };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_the_medians_their_ratio_and_whether_the_goal_is_reached() {
        let round = |ours, theirs| Figures::from([("queue cpu", ours), ("relay cpu", theirs), ("queue setup", 7.0)]);
        let rounds = [round(300.0, 100.0), round(150.0, 200.0), round(180.0, 100.0)];
        let part = table(&rounds, "somewhere", false);
        assert!(part.starts_with("somewhere\n"));
        assert!(part.contains("| 180 µs | 100 µs | 1.80 | ≤ 2 | reached |"), "{part}");
        assert!(part.contains("| 7.0 ms | – | – | ≤ 5 | not yet |"), "{part}");
        assert!(!part.contains("highest clean rate"), "nothing was measured of it");
        assert!(table(&rounds, "somewhere", true).contains("| highest clean rate on one core | – | – | – | ≥ 0.5 | not measured |"));
    }

    #[test]
    fn a_yardstick_that_was_not_measured_leaves_nothing_reached() {
        let table = table(&[Figures::from([("queue cpu", 1.0)])], "", true);
        assert!(table.contains("| CPU per call: queue against a bare relay | 1.0 µs | – | – | ≤ 2 | not measured |"), "{table}");
    }

    #[test]
    fn the_median_of_two_is_between_them() {
        let rounds = [Figures::from([("a", 1.0)]), Figures::new(), Figures::from([("a", 4.0)])];
        assert_eq!(median(&rounds, |figures| figures.get("a").copied()), Some(2.5));
        assert_eq!(median(&rounds, |figures| figures.get("b").copied()), None);
    }
}
