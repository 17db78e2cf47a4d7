//! J1–J3: runs a scenario against a switch (or anything that relays SIP), tells what it measures, and finds the highest rate that holds.

mod check;
mod engine;
mod floor;
pub mod leg;
mod process;
mod report;
mod results;
mod sockets;
mod voices;

pub use engine::{Places, micros, phone_of};
pub use floor::{email, floor as floor_for};
pub use leg::media;
pub use process::{Process, own_cpu};
pub use report::write as write_report;
pub use results::{Audio, Numbers, Percentiles, Report, Round};
pub use sockets::{Socket, since_1970, wait_for};
pub use voices::{Heard, Voices};

use crate::agents::caller::{Caller, Window};
use crate::agents::desk::{Desk, DeskError, Entry, Media, Script, client, failed, log_in};
use crate::agents::moves::Plot;
use crate::agents::{self, LOGINS};
use crate::browser::booth::{Booth, Lines};
use crate::scenario::{Kind, Scenario};
use crate::story::index_of;
use awc::http::header;
use engine::{AtDesk, Engine, Log};
use results::{CallsOut, Check, IMPATIENT, Second, ratio};
use serde::Deserialize;
use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc as tokio_mpsc, watch};
use tokio::task::{JoinSet, LocalSet};

/// The rate is found to within so much of it.
const FOUND: f64 = 0.05;
/// Rounds of a search: enough to double nine times and to halve four times.
const ROUNDS: u32 = 14;
/// What does not grow by more than this share is flat.
const FLAT: f64 = 0.03;
/// Nobody dials so shortly before the end that the call may come when all others are over.
const LAST_DIAL: Duration = Duration::from_secs(1);
/// Calls a second that no machine makes.
const MOST: f64 = 100_000.0;
/// Above this share of its core the generator's own figures are doubtful.
pub const BUSY: f64 = 0.8;

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
    /// First address of the audio of both sides, and how many ports they share.
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
    let began = milliseconds_since_1970();
    let switch = (!options.pid.is_empty()).then(|| Process::new(&options.pid));
    let mut crew = match &options.url {
        Some(url) => {
            let name = &options.scene.password_env;
            let password = std::env::var(name).map_err(|why| io::Error::other(format!("{name}: {why}")))?;
            Some(Crew::bring_online(url, &Entry::Password(password), &scenario).await.map_err(io::Error::other)?)
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
    if let Some(rate) = highest_clean_rate {
        println!("highest clean rate: {rate:.0} calls/s");
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
    if !(rate > 0.0 && rate <= MOST) {
        return Err(io::Error::other(format!("a rate of {rate} calls/s; expected more than 0 and at most {MOST}")));
    }
    let scenario = Scenario { arrivals: scenario.arrivals.at(rate), ..scenario.clone() };
    let from = milliseconds_since_1970();
    let booth = crew.as_ref().and_then(|crew| crew.booth.clone());
    let lines = booth.as_ref().map(Booth::lend).unwrap_or_default();
    if let Some(crew) = &crew {
        let from = tokio::time::Instant::now();
        crew.window.send_replace(Some(Window { from, until: from + scenario.length().saturating_sub(LAST_DIAL) }));
    }
    let mut log = play(scenario.clone(), places, lines, crew.as_mut().map(|crew| &mut crew.at_desks), switch).await?;
    if let Some(booth) = booth {
        booth.take_back(std::mem::take(&mut log.lines));
    }
    let checked = match &crew {
        Some(crew) => Some(crew.check(&log, &scenario, from).await.map_err(io::Error::other)?),
        None => None,
    };
    let mut round = judge(rate, &scenario, log, checked);
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
        let clean = done.faults.is_empty();
        rounds.push(done);
        if clean {
            held = Some(rate)
        } else {
            broke = Some(rate)
        }
        rate = match (held, broke) {
            (Some(held), Some(broke)) if broke - held <= FOUND * broke => break,
            (Some(held), Some(broke)) => f64::midpoint(held, broke),
            (Some(held), None) => 2.0 * held,
            (None, Some(broke)) if broke < 1.0 => break,
            (None, Some(broke)) => broke / 2.0,
            (None, None) => break,
        };
    }
    Ok((rounds, held))
}

/// What happens at the desks, and when.
type AtDesks = tokio_mpsc::UnboundedReceiver<(Instant, AtDesk)>;

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

/// The numbers of a round, and what they fall short of.
fn judge(rate: f64, scenario: &Scenario, log: Log, check: Option<Check>) -> Round {
    let (from, to) = log.counted;
    let mut numbers = Numbers::of(&log.calls, &log.calls_out, from, to, scenario.customers.audio);
    if let (Some(audio), Some(delay)) = (&mut numbers.audio, &log.delay) {
        audio.packets_sent = log.packets_sent;
        audio.delay = Percentiles::of(delay);
    }
    let whole = log.seconds.iter().skip(whole_seconds(from)).take(whole_seconds(to) - whole_seconds(from));
    let mean = |read: fn(&Second) -> Option<f64>| {
        let read: Vec<f64> = whole.clone().filter_map(read).collect();
        (!read.is_empty()).then(|| read.iter().sum::<f64>() / f64::from(u32::try_from(read.len()).unwrap_or(u32::MAX)))
    };
    numbers.own_cpu = mean(|second| Some(second.own_cpu)).unwrap_or_default();
    numbers.switch_memory_mib = log.seconds.iter().filter_map(|second| second.switch_memory_mib).reduce(f64::max);
    numbers.switch_memory_growth_mib = numbers.switch_memory_mib.zip(log.switch_memory_mib).map(|(most, before)| most - before);
    numbers.switch_cpu = log.switch_cpu.map(|cpu| cpu.as_secs_f64() / Duration::from_micros(to - from).as_secs_f64());
    let tried = numbers.tried + numbers.calls_out.as_ref().map_or(0, |out| out.tried);
    numbers.switch_cpu_per_call = log.switch_cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / f64::from(tried.max(1)));
    numbers.own_drops = log.own_drops;
    let mut faults = Vec::new();
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
            faults.push(format!("{} packets were heard in another call than theirs", audio.foreign_speech));
        }
        if audio.deaf_sides > 0 {
            faults.push(format!("{} sides of calls never heard the other", audio.deaf_sides));
        }
    }
    if let Some(check) = check.filter(|check| !check.is_right()) {
        faults.push(format!(
            "records of {} calls: {} too few, {} too many, {} of another status, {} without recording, {} with another key",
            check.calls, check.missing, check.surplus, check.wrong_status, check.unrecorded, check.wrong_key
        ));
    }
    let mut doubts = Vec::new();
    if numbers.own_cpu > BUSY {
        doubts.push(format!("the generator itself used {:.0} % of a core", 100.0 * numbers.own_cpu));
    }
    if numbers.own_drops > 0 {
        doubts.push(format!("{} datagrams did not leave the generator", numbers.own_drops));
    }
    Round { rate, numbers, check, faults, doubts, seconds: log.seconds }
}

/// Whether the last tenth of these seconds is more than the first by more than [`FLAT`].
fn growth(what: &str, unit: &str, seconds: &[Second], read: fn(&Second) -> Option<f64>) -> Option<String> {
    let tenth = seconds.len() / 10;
    let mean = |seconds: &[Second]| {
        let read: Vec<f64> = seconds.iter().filter_map(read).collect();
        read.iter().sum::<f64>() / f64::from(u32::try_from(read.len()).unwrap_or(u32::MAX))
    };
    let (first, last) = (mean(seconds.get(..tenth)?), mean(seconds.get(seconds.len() - tenth..)?));
    (last > (1.0 + FLAT) * first).then(|| format!("{what} of the switch grew from {first:.0} to {last:.0} {unit}"))
}

fn whole_seconds(time: u64) -> usize {
    usize::try_from(time / 1_000_000).unwrap_or(usize::MAX)
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

/// The agents at work, and the admin who reads the records.
pub struct Crew {
    client: awc::Client,
    url: String,
    admin: String,
    at_desks: AtDesks,
    /// When callers call out.
    window: watch::Sender<Option<Window>>,
    problems: Receiver<String>,
    stop: watch::Sender<bool>,
    desks: JoinSet<()>,
    /// Where the agents' lines are between rounds.
    booth: Option<Booth>,
}

impl Crew {
    pub async fn bring_online(url: &str, entry: &Entry, scenario: &Scenario) -> Result<Self, DeskError> {
        let url = url.trim_end_matches('/').to_owned();
        let booth = (scenario.agents.kind == Kind::Browsers).then(Booth::open).transpose();
        let booth = booth.map_err(|error| failed("the browsers", error))?;
        let media = |agent: u32| match (scenario.agents.kind, &booth) {
            (Kind::Webrtc, _) => Media::Browser(400 + 10 * (agent % 300)),
            (Kind::Browsers, Some(booth)) => Media::Line(booth.clone()),
            (Kind::Browsers, None) | (Kind::Phones | Kind::Workstations, _) => Media::Phone,
        };
        let whole = Arc::new(scenario.clone());
        let script = |email: String, agent: u32| Script {
            url: url.clone(),
            email,
            entry: entry.clone(),
            agent,
            media: media(agent),
            plot: Plot::Scenario(Arc::clone(&whole)),
            second: (scenario.agents.second > 0).then(|| floor::SECOND.to_owned()),
            flow: None,
            caller: None,
        };
        let client = client();
        let admin = log_in(&client, &script(floor::ADMIN.to_owned(), 0)).await?;
        let flow = if scenario.agents.self_service > 0.0 { Some(flow(&client, &url, &admin).await?) } else { None };
        let (window, told_window) = watch::channel(None);
        let (reports, told) = tokio_mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let turns = Arc::new(Semaphore::new(LOGINS));
        let mut desks = JoinSet::new();
        for agent in 1..=scenario.agents.all() {
            let caller = (agent > scenario.agents.count).then(|| Caller::new(agent, Arc::clone(&whole), told_window.clone()));
            let script = Script { flow, caller, ..script(floor::email(agent), agent) };
            let (turns, reports, stopped) = (Arc::clone(&turns), reports.clone(), stopped.clone());
            if scenario.agents.kind == Kind::Phones {
                desks.spawn_local(come_and_go(script, turns, reports));
            } else {
                desks.spawn_local(async move { drop(agents::day(script, turns, reports, stopped).await) });
            }
        }
        drop(reports);
        let (at_desks, problems) = Self::listen(told, scenario.agents.all()).await?;
        Ok(Self { client, url, admin, at_desks, window, problems, stop, desks, booth })
    }

    /// Waits until all are available; then sorts what is told.
    async fn listen(mut told: tokio_mpsc::UnboundedReceiver<agents::Report>, count: u32) -> Result<(AtDesks, Receiver<String>), DeskError> {
        let mut available = HashSet::new();
        while u32::try_from(available.len()).unwrap_or(u32::MAX) < count {
            match told.recv().await {
                Some(agents::Report::Available(agent)) => drop(available.insert(agent)),
                Some(agents::Report::Talking { .. } | agents::Report::SelfService { .. } | agents::Report::Dials(_)) => {}
                Some(agents::Report::Problem { agent, what }) => return Err(failed(&agent, what)),
                None => return Err(failed("going online", "an agent did not come")),
            }
        }
        println!("{count} agents are available");
        let (tell, at_desks) = tokio_mpsc::unbounded_channel();
        let (problem, problems) = mpsc::channel();
        tokio::task::spawn_local(async move {
            while let Some(report) = told.recv().await {
                let what = match report {
                    agents::Report::Available(_) => None,
                    // Calls out are seen where they are answered.
                    agents::Report::Talking { agent, caller } => index_of(&caller).map(|call| AtDesk::Talks { call, agent }),
                    agents::Report::SelfService { caller } => index_of(&caller).map(|call| AtDesk::SelfService { call }),
                    agents::Report::Dials(call) => Some(AtDesk::Dials(call)),
                    agents::Report::Problem { agent, what } => {
                        // Nobody listens any more: the program ends.
                        let _ = problem.send(format!("{agent}: {what}"));
                        None
                    }
                };
                if let Some(what) = what {
                    let _ = tell.send((Instant::now(), what));
                }
            }
        });
        Ok((at_desks, problems))
    }

    fn problems(&mut self) -> Vec<String> {
        self.problems.try_iter().collect()
    }

    async fn check(&self, log: &Log, scenario: &Scenario, began: u64) -> Result<Check, DeskError> {
        check::check(&self.client, &self.url, &self.admin, log, scenario, began).await
    }

    pub async fn go_home(mut self) {
        self.stop.send_replace(true);
        while self.desks.join_next().await.is_some() {}
    }
}

/// The id of the flow in which customers press a key (D6).
async fn flow(client: &awc::Client, url: &str, cookie: &str) -> Result<i32, DeskError> {
    let request = client.get(format!("{url}/api/v1/flows")).insert_header((header::COOKIE, cookie));
    let mut response = request.send().await.map_err(|error| failed("asking for the flows", error))?;
    if !response.status().is_success() {
        return Err(failed("asking for the flows", response.status()));
    }
    let flows: Vec<Flow> = response.json().await.map_err(|error| failed("reading the flows", error))?;
    let known = flows.into_iter().find(|flow| flow.name == floor::FLOW);
    known.map(|flow| flow.id).ok_or_else(|| failed("the floor", format!("it has no flow {:?}", floor::FLOW)))
}

#[derive(Deserialize)]
struct Flow {
    id: i32,
    name: String,
}

/// An agent who answers on a SIP phone is made available and needs no page then (B3).
async fn come_and_go(script: Script, turns: Arc<Semaphore>, reports: tokio_mpsc::UnboundedSender<agents::Report>) {
    let agent = script.email.clone();
    let coming = async {
        let _turn = turns.acquire().await.map_err(|error| failed("waiting for a turn", error))?;
        let client = client();
        let cookie = log_in(&client, &script).await?;
        Desk::open(script, &client, &cookie, reports.clone()).await?.bring_online().await
    };
    if let Err(error) = coming.await {
        // Nobody listens any more: the program ends.
        let _ = reports.send(agents::Report::Problem { agent, what: error.to_string() });
    }
}

#[cfg(test)]
pub mod tests {
    use super::leg::Ending;
    use super::results::{CallLog, LogOut};
    use super::*;
    use crate::story::{CallOut, Meets};

    /// The first of so many UDP ports of loopback that are free.
    pub fn free_ports(count: u16) -> u16 {
        let free = |port: u16| std::net::UdpSocket::bind(("127.0.0.1", port)).is_ok();
        (0..).map(|_| rand::random_range(40_000..60_000)).find(|first| (*first..first + count).all(free)).unwrap()
    }

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
        }
        let (_, found) = find(10.0, &mut async |rate| Ok(round(rate, 0.0))).await.unwrap();
        assert_eq!(found, None);
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
