//! J1–J3: runs a scenario against a switch (or anything that relays SIP), tells what it measures, and finds the highest rate that holds.

mod check;
mod crew;
mod engine;
mod floor;
mod judge;
pub mod leg;
mod process;
mod report;
mod results;
mod voices;

pub use crew::Crew;
pub use engine::{Places, micros, phone_of};
pub use floor::{email, floor as floor_for};
pub use judge::BUSY;
pub use leg::media;
pub use process::{Process, own_cpu};
pub use report::write as write_report;
pub use results::{Audio, Numbers, Percentiles, Report, Round};
pub use voices::{Heard, Voices};

use crate::agents::desk::Entry;
use crate::browser::booth::Lines;
use crate::scenario::{Kind, RATES, Scenario};
use crate::sockets::since_1970;
use crew::AtDesks;
use engine::{Engine, Log};
use results::{CallsOut, Second};
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use tokio::task::LocalSet;

/// The rate is found to within so much of it.
const FOUND: f64 = 0.05;
/// Rounds of a search: enough to double nine times and to halve four times.
const ROUNDS: u32 = 14;

#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    scene: Scene,
    /// The switch's page, such as http://127.0.0.1:8080. Without it nobody is brought online and no records are checked: for what only relays SIP.
    #[arg(long)]
    url: Option<String>,
    #[arg(long, default_value = "127.0.0.1:5060")]
    switch: SocketAddrV4,
    /// Processes whose CPU and memory are told.
    #[arg(long)]
    pid: Vec<u32>,
    /// Another rate than the scenario's, in calls a second.
    #[arg(long)]
    rate: Option<f64>,
    /// Find the highest rate that holds, beginning with the scenario's.
    #[arg(long)]
    find: bool,
    /// A folder for report.html and report.json.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Scene {
    /// A file such as loadtest/scenarios/queue.toml.
    scenario: PathBuf,
    /// Where customers call from: the trunk's host.
    #[arg(long, default_value = "127.0.0.1:5070")]
    carrier: SocketAddrV4,
    /// Where the agents' SIP phones are, all of them.
    #[arg(long, default_value = "127.0.0.1:5080")]
    phones: SocketAddrV4,
    /// First address of the audio of both sides, and how many ports they share; without audio, its port and the next one are open and unread.
    #[arg(long, default_value = "127.0.0.1:40000")]
    audio: SocketAddrV4,
    #[arg(long, default_value_t = 16)]
    audio_sockets: u16,
    /// The environment variable with everybody's password.
    #[arg(long, default_value = "LOADTEST_PASSWORD")]
    password_env: String,
}

impl Scene {
    fn places(&self, switch: SocketAddrV4) -> Places {
        Places { switch, carrier: self.carrier, phones: self.phones, audio: self.audio, audio_sockets: self.audio_sockets }
    }
}

/// Prints the floor that the scenario needs.
pub fn print_floor(scene: &Scene) -> io::Result<()> {
    let scenario = Scenario::open(&scene.scenario).map_err(io::Error::other)?;
    // The switch's own address is no part of its floor.
    let places = scene.places(scene.carrier);
    write!(io::stdout().lock(), "{}", floor::floor(&scenario, places, Some(&scene.password_env)))
}

pub async fn run(options: Options) -> io::Result<()> {
    LocalSet::new().run_until(work(options)).await
}

async fn work(options: Options) -> io::Result<()> {
    let scenario = Scenario::open(&options.scene.scenario).map_err(io::Error::other)?;
    if options.url.is_none() && scenario.agents.kind != Kind::Phones {
        return Err(io::Error::other("the scenario's agents have workstations; expected --url, the switch's page"));
    }
    let began = milliseconds_since_1970();
    let switch = (!options.pid.is_empty()).then(|| Process::new(&options.pid));
    if switch.as_ref().is_some_and(|switch| switch.cpu().is_none()) {
        return Err(io::Error::other(format!("--pid: no process {:?}", options.pid)));
    }
    let mut crew = match &options.url {
        Some(url) => {
            let name = &options.scene.password_env;
            let password = std::env::var(name).map_err(|why| io::Error::other(format!("{name}: {why}")))?;
            Some(
                Crew::bring_online(url, &Entry::Password(password), &scenario, *options.scene.audio.ip())
                    .await
                    .map_err(io::Error::other)?,
            )
        }
        None => None,
    };
    let places = options.scene.places(options.switch);
    let mut one = async |rate: f64| round(&scenario, places, rate, crew.as_mut(), switch.as_ref()).await;
    let rate = options.rate.unwrap_or(scenario.arrivals.rate());
    let (rounds, highest_clean_rate) = if options.find { find(rate, &mut one).await? } else { (vec![one(rate).await?], None) };
    if let Some(crew) = crew {
        crew.go_home().await;
    }
    if options.find {
        println!("{}", found(&rounds, highest_clean_rate));
    }
    let clean = highest_clean_rate.is_some() || rounds.iter().all(|round| round.faults.is_empty());
    let report =
        Report { about: scenario.about, scenario: options.scene.scenario.display().to_string(), began, rounds, highest_clean_rate };
    if let Some(folder) = &options.report {
        report::write(&report, folder)?;
    }
    if clean { Ok(()) } else { Err(io::Error::other("the run was not clean")) }
}

/// The scenario once, at that rate; what is told of it is printed too.
pub async fn round(
    scenario: &Scenario,
    places: Places,
    rate: f64,
    mut crew: Option<&mut Crew>,
    switch: Option<&Process>,
) -> io::Result<Round> {
    if !RATES.contains(&rate) {
        return Err(io::Error::other(format!("a rate of {rate} calls/s; expected {} to {}", RATES.start(), RATES.end())));
    }
    let scenario = Scenario { arrivals: scenario.arrivals.at(rate), ..scenario.clone() };
    let from = milliseconds_since_1970();
    let lines = crew.as_ref().map(|crew| crew.begin(scenario.length())).unwrap_or_default();
    let mut log = play(scenario.clone(), places, lines, crew.as_mut().map(|crew| &mut crew.at_desks), switch).await?;
    if let Some(crew) = &crew {
        crew.take_back(std::mem::take(&mut log.lines));
    }
    // What was measured is not lost with the records.
    let checked = match &crew {
        Some(crew) => Some(crew.check(&log, &scenario, from).await),
        None => None,
    };
    let (checked, unchecked) = checked.transpose().map_or_else(|why| (None, Some(why)), |checked| (checked, None));
    let mut round = judge::judge(rate, &scenario, log, checked);
    round.faults.extend(unchecked.map(|why| format!("the records were not checked: {why}")));
    if let Some(crew) = crew {
        round.faults.extend(crew.problems());
    }
    say(&round);
    Ok(round)
}

/// J3: doubles the rate until a round is not clean, then halves the distance between what held and what did not.
pub async fn find(first: f64, round: &mut impl AsyncFnMut(f64) -> io::Result<Round>) -> io::Result<(Vec<Round>, Option<f64>)> {
    let mut rounds = Vec::new();
    let (mut held, mut broke) = (None, None);
    let mut rate = first;
    for _ in 0..ROUNDS {
        let done = round(rate).await?;
        let clean = done.is_clean();
        rounds.push(done);
        if clean {
            held = Some(rate)
        } else {
            broke = Some(rate)
        }
        rate = match (held, broke) {
            (Some(held), Some(broke)) if broke - held <= FOUND * broke => break,
            (Some(held), Some(broke)) => f64::midpoint(held, broke),
            (Some(held), None) if held == *RATES.end() => break,
            (Some(held), None) => (2.0 * held).min(*RATES.end()),
            (None, Some(broke)) if broke < 1.0 => break,
            (None, Some(broke)) => broke / 2.0,
            (None, None) => break,
        };
    }
    Ok((rounds, held))
}

/// What a search came to, and what ended it.
fn found(rounds: &[Round], highest_clean_rate: Option<f64>) -> String {
    let Some(rate) = highest_clean_rate else { return "no rate was clean".to_owned() };
    let above = rounds.iter().filter(|round| round.rate > rate).min_by(|one, other| one.rate.total_cmp(&other.rate));
    let why = above.map_or("no higher one was tried", |round| match &round.faults[..] {
        [] => round.doubts.first().map_or("no higher one was tried", String::as_str),
        [first, ..] => first,
    });
    format!("highest clean rate: {rate:.0} calls/s; above it: {why}")
}

/// One round on a thread of its own, with its seconds told while they pass.
async fn play(
    scenario: Scenario,
    places: Places,
    lines: Lines,
    told_at_desks: Option<&mut AtDesks>,
    switch: Option<&Process>,
) -> io::Result<Log> {
    let (desks, at_desks) = mpsc::channel();
    let mut told_at_desks = told_at_desks;
    // What is left of the round before this one.
    while told_at_desks.as_mut().is_some_and(|desks| desks.try_recv().is_ok()) {}
    let (tell, told) = mpsc::channel();
    let process = switch.cloned();
    let length = scenario.length();
    let mut playing =
        tokio::task::spawn_blocking(move || Engine::new(scenario, places, floor::DID, lines)?.run(&at_desks, process.as_ref(), &tell));
    let screen = std::thread::spawn(move || show(&told, length));
    let log = match told_at_desks {
        Some(told) => loop {
            tokio::select! {
                log = &mut playing => break log,
                // It is over: nobody listens any more.
                Some(at_desk) = told.recv() => drop(desks.send(at_desk)),
            }
        },
        None => playing.await,
    };
    // It ends with the round.
    let _ = screen.join();
    log.map_err(io::Error::other)?
}

/// J2: a line that is written anew each second; lines one under another where it is no terminal.
fn show(told: &Receiver<Second>, length: Duration) {
    let (mut second, mut sum) = (0u64, Second::default());
    let terminal = io::stderr().is_terminal();
    while let Ok(Second { tried, connected, failed, live, switch_cpu, switch_memory_mib, own_cpu, .. }) = told.recv() {
        second += 1;
        sum.tried += tried;
        sum.connected += connected;
        sum.failed += failed;
        let switch = switch_cpu
            .map_or_else(String::new, |cpu| format!(", switch {:.0} % {:.0} MiB", 100.0 * cpu, switch_memory_mib.unwrap_or_default()));
        let line = format!(
            "{second}/{:.0} s: {} calls, {} connected, {} failed, {live} legs{switch}, own {:.0} %",
            length.as_secs_f64(),
            sum.tried,
            sum.connected,
            sum.failed,
            100.0 * own_cpu
        );
        // A terminal that is gone is no reason to stop.
        let _ = if terminal { write!(io::stderr(), "\r\x1b[K{line}") } else { writeln!(io::stderr(), "{line}") };
    }
    if terminal {
        let _ = writeln!(io::stderr());
    }
}

fn say(round: &Round) {
    let Round { rate, numbers, faults, doubts, .. } = round;
    println!(
        "{rate:.0} calls/s: {} tried, {} connected, {} failed; setup {:.1} ms median, {:.1} ms p99{}{}",
        numbers.tried,
        numbers.connected,
        numbers.failed,
        numbers.setup_time.p50,
        numbers.setup_time.p99,
        numbers.switch_cpu_per_call.map_or_else(String::new, |cpu| format!("; {cpu:.0} us of the switch's CPU a call")),
        if faults.is_empty() { "; clean" } else { "" }
    );
    for (failure, calls) in &numbers.failures {
        println!("  {calls} x {failure}");
    }
    if let Some(out) = &numbers.calls_out {
        let CallsOut { tried, connected, failed, failures, setup_time } = out;
        println!("  calls out: {tried} tried, {connected} answered, {failed} failed; setup {:.1} ms p99", setup_time.p99);
        for (failure, calls) in failures {
            println!("  {calls} x {failure}");
        }
    }
    for fault in faults {
        println!("  not clean: {fault}");
    }
    for doubt in doubts {
        println!("  but {doubt}");
    }
}

pub fn milliseconds_since_1970() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The first of so many UDP ports of loopback that are free.
    pub fn free_ports(count: u16) -> u16 {
        let free = |port: u16| std::net::UdpSocket::bind(("127.0.0.1", port)).is_ok();
        (0..).map(|_| rand::random_range(40_000..60_000)).find(|first| (*first..first + count).all(free)).unwrap()
    }

    fn round(rate: f64, limit: f64) -> Round {
        let faults = if rate > limit { vec!["too fast".into()] } else { Vec::new() };
        Round { rate, numbers: Numbers::default(), check: None, faults, doubts: Vec::new(), seconds: Vec::new() }
    }

    #[tokio::test]
    async fn the_highest_clean_rate_is_found_from_below_and_from_above() {
        for first in [10.0, 5000.0] {
            let (rounds, found) = find(first, &mut async |rate| Ok(round(rate, 730.0))).await.unwrap();
            let found = found.unwrap();
            assert!((730.0 * 0.93..=730.0).contains(&found), "{found}");
            assert!(rounds.len() <= 14);
            assert!(super::found(&rounds, Some(found)).ends_with("above it: too fast"));
        }
        let (_, found) = find(10.0, &mut async |rate| Ok(round(rate, 0.0))).await.unwrap();
        assert_eq!(found, None);
        let (rounds, found) = find(90_000.0, &mut async |rate| Ok(round(rate, f64::MAX))).await.unwrap();
        assert_eq!(found, Some(100_000.0));
        assert_eq!(super::found(&rounds, found), "highest clean rate: 100000 calls/s; above it: no higher one was tried");
    }
}
