//! Ten thousand workstations at once, and what a call and an agent's browser keep in memory.

use super::programs::{House, places};
use super::{Figures, Options, busy_house, scenario};
use crate::agents::desk::{DeskError, Entry, Media, Script, client, failed};
use crate::agents::moves::Plot;
use crate::agents::wire::{FromSwitch, Tell};
use crate::agents::{self, LOGINS, Report};
use crate::run::leg::{Event, Leg, Output};
use crate::run::{Percentiles, Places, email, micros, own_cpu, phone_of, round};
use crate::scenario::{Arrivals, Scenario};
use crate::story::number_of;
use awc::http::header;
use awc::ws::{Codec, Frame, Message};
use awc::{BoxedSocket, Client};
use cordboard_sip::message::Message as Sip;
use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use serde_json::json;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

const AGENTS: u32 = 10_000;
const GROUPS: u32 = 100;
const GROUPS_OF_AN_AGENT: u32 = 5;
/// The first groups, and so the first agents, are never called: those are available now and then. Of the others nobody is, so that callers wait.
const QUIET_GROUPS: u32 = 20;
const QUIET_AGENTS: u32 = AGENTS / GROUPS * QUIET_GROUPS;
/// One of so many agents has a second page open.
const TWO_PAGES: u32 = 100;
/// Pages that are being opened at a time.
const OPENING: usize = 32;
/// From one change of an agent's state to the next one's.
const STATE_EVERY: Duration = Duration::from_millis(20);
/// So many agents are free at a time.
const FREE: u32 = 25;
/// From one caller who comes or goes to the next: 33 come a second, whom so many agents serve at five minutes each. One of an agent's queues changes
/// every 240 ms, so that each page is told as often as it ever is.
const QUEUE_EVERY: Duration = Duration::from_millis(15);
const WARM_UP: Duration = Duration::from_secs(3);
/// What is under way arrives within this time, or never.
const LATEST: Duration = Duration::from_secs(5);
/// Longest message of the switch.
const LARGEST: usize = 1024 * 1024;
/// Between these two the memory of a call is measured, after calls that made the switch ready.
const FIRST_CALLS: u16 = 20;
const FEW_CALLS: u16 = 100;
/// And that of a browser.
const FEW_BROWSERS: u32 = 50;
const MANY_BROWSERS: u32 = 250;
const KIB: f64 = 1024.0;

pub async fn stations(options: &Options, figures: &mut Figures) -> io::Result<()> {
    workstations(options, figures).await?;
    figures.insert("call memory", calls(options, false).await?);
    figures.insert("recorded memory", calls(options, true).await?);
    figures.insert("browser memory", browsers(options).await?);
    Ok(())
}

/// KiB that each conversation adds to a switch that has had some.
async fn calls(options: &Options, record: bool) -> io::Result<f64> {
    let (warm_up, length) = (4.0, 3.0);
    let talk = warm_up + length + 2.0;
    let all = options.calls;
    let kind = format!(
        "[customers]\naudio = true\n[agents]\nkind = \"phones\"\ncount = {all}\ntalk = {talk}\nrecord = {record}\n[clean]\nsetup_p99 = 1000"
    );
    let scenario = Scenario { seconds: warm_up + length, warm_up, ..scenario("memory", length, &kind)? };
    let (house, mut crew) = busy_house(&options.binary, &scenario).await?;
    let process = house.program.process();
    let mut memory = Vec::new();
    for calls in [FIRST_CALLS, FEW_CALLS, all] {
        let rate = f64::from(calls) / 2.0;
        let these = Scenario { at_most: Some(u32::from(calls)), arrivals: Arrivals::Constant { rate }, ..scenario.clone() };
        let done = round(&these, places(house.program.at), rate, Some(&mut crew), Some(&process)).await?;
        if !done.faults.is_empty() {
            return Err(io::Error::other(format!("{calls} conversations: {}", done.faults.join("; "))));
        }
        memory.push((f64::from(calls), done.numbers.switch_memory_mib.unwrap_or_default()));
    }
    crew.go_home().await;
    println!("MiB with so many conversations{}: {memory:.1?}", if record { ", recorded" } else { "" });
    Ok(slope(&memory))
}

/// KiB for each one more, from the last two measurements.
fn slope(memory: &[(f64, f64)]) -> f64 {
    match memory {
        [.., (few, before), (many, after)] => KIB * (after - before) / (many - few),
        [_] | [] => 0.0,
    }
}

/// KiB that each browser of an agent who is online adds.
async fn browsers(options: &Options) -> io::Result<f64> {
    let scenario = scenario("browsers", 1.0, &format!("[customers]\n[agents]\nkind = \"webrtc\"\ncount = {MANY_BROWSERS}\ntalk = 1"))?;
    let house = House::open(&options.binary, &scenario).await?;
    let process = house.program.process();
    let (reports, mut told) = mpsc::unbounded_channel();
    let (stop, stopped) = watch::channel(false);
    let turns = Arc::new(Semaphore::new(LOGINS));
    let mut desks = JoinSet::new();
    let mut available = HashSet::new();
    let mut memory = Vec::new();
    for (first, many) in [(1, FEW_BROWSERS), (FEW_BROWSERS + 1, MANY_BROWSERS)] {
        for agent in first..=many {
            let script = Script {
                url: house.url(),
                email: email(agent),
                entry: house.entry.clone(),
                agent,
                media: Media::Browser { hertz: 400 + 10 * agent, host: Ipv4Addr::LOCALHOST },
                plot: Plot::Digits { talk: None },
                second: None,
                flow: None,
                caller: None,
            };
            desks.spawn_local(agents::day(script, Arc::clone(&turns), reports.clone(), stopped.clone()));
        }
        while u32::try_from(available.len()).unwrap_or(u32::MAX) < many {
            match told.recv().await {
                Some(Report::Available(agent)) => drop(available.insert(agent)),
                Some(Report::Problem { agent, what }) => return Err(io::Error::other(format!("{agent}: {what}"))),
                Some(Report::Rings { .. } | Report::Talking { .. } | Report::SelfService { .. } | Report::Dials(_)) | None => {}
            }
        }
        sleep(WARM_UP).await;
        memory.push((f64::from(many), process.memory_mib().unwrap_or_default()));
    }
    stop.send_replace(true);
    while desks.join_next().await.is_some() {}
    println!("MiB with so many browsers: {memory:.1?}");
    Ok(slope(&memory))
}

/// The number that customers of a group call.
fn number_of_group(group: u32) -> String {
    format!("+4420794{group:05}")
}

fn group_of_number(name: &str) -> Option<usize> {
    name.strip_prefix('G')?.parse().ok()
}

/// Groups of an agent, both counted from 1: the quiet agents share the quiet groups, the others all others.
fn groups_of(agent: u32) -> impl Iterator<Item = u32> {
    let (first, count) = if agent <= QUIET_AGENTS { (1, QUIET_GROUPS) } else { (QUIET_GROUPS + 1, GROUPS - QUIET_GROUPS) };
    // Far from each other: callers go round, so that one of an agent's queues has always just changed.
    (0..GROUPS_OF_AN_AGENT).map(move |n| first + (agent + n * count / GROUPS_OF_AN_AGENT) % count)
}

fn floor(places: Places) -> String {
    let mut text =
        format!("[settings]\nbreak_reasons = [\"Lunch\"]\n[trunks.load]\nhosts = [\"{}\"]\noptions_every = \"off\"\n", places.carrier);
    // Writing to a string does not fail.
    for group in 1..=GROUPS {
        let _ = write!(
            text,
            "[groups.G{group}]\n[[numbers]]\ndid = \"{}\"\ngroup = \"G{group}\"\nearly_media = true\n",
            number_of_group(group)
        );
    }
    for agent in 1..=AGENTS {
        let phone = phone_of(agent);
        let groups: Vec<String> = groups_of(agent).map(|group| format!("\"G{group}\"")).collect();
        let _ = write!(
            text,
            "[phones.{phone}]\nuser = \"{phone}\"\naddr = \"{}\"\n[agents.\"{}\"]\nnumber = \"{}\"\nname = \"Agent {agent}\"\nphone = \"{phone}\"\ngroups = [{}]\n",
            places.phones,
            email(agent),
            10_000 + agent,
            groups.join(", "),
        );
    }
    text
}

/// A state that was asked for.
struct Asked {
    at: Instant,
    state: &'static str,
    /// Pages that do not show it yet.
    unseen: u32,
}

/// What all pages see.
struct Watch {
    asked: HashMap<u32, Asked>,
    /// When the last caller of each group left, and when the last one came.
    queues: Vec<[Option<Instant>; 2]>,
    /// The time that counts has come.
    counts: bool,
    state: Histogram<u64>,
    queue: Histogram<u64>,
    /// Messages about queues that each page had.
    told: Vec<u32>,
    open: u32,
    /// All pages are open, or all see what was asked for.
    done: Rc<Notify>,
    problem: Option<String>,
}

impl Watch {
    fn open(&mut self) {
        self.open += 1;
        self.done.notify_waiters();
    }

    fn state(&mut self, agent: u32, state: &str) {
        let Some(asked) = self.asked.get_mut(&agent).filter(|asked| asked.state == state) else { return };
        record(&mut self.state, asked.at);
        asked.unseen -= 1;
        if asked.unseen == 0 {
            self.asked.remove(&agent);
            self.done.notify_waiters();
        }
    }

    /// Somebody comes to the group, or leaves it.
    fn changed(&mut self, group: u32, somebody: bool) {
        if let Some([left, came]) = usize::try_from(group).ok().and_then(|group| self.queues.get_mut(group)) {
            *(if somebody { came } else { left }) = Some(Instant::now());
        }
    }

    fn queue(&mut self, name: &str, waiting: u32) {
        let changed = group_of_number(name)
            .and_then(|group| self.queues.get(group))
            .and_then(|[left, came]| if waiting == 0 { *left } else { *came });
        if let Some(at) = changed.filter(|_| self.counts) {
            record(&mut self.queue, at);
        }
    }
}

fn record(histogram: &mut Histogram<u64>, since: Instant) {
    // It has room for a minute.
    let _ = histogram.record(micros(since.elapsed()));
}

fn histogram() -> io::Result<Histogram<u64>> {
    Histogram::new_with_max(60_000_000, 3).map_err(io::Error::other)
}

async fn workstations(options: &Options, figures: &mut Figures) -> io::Result<()> {
    let house = House::of(&options.binary, &floor(places(super::programs::SIP))).await?;
    let Entry::Sessions(cookies) = &house.entry else { return Err(io::Error::other("no sessions")) };
    let process = house.program.process();
    let done = Rc::new(Notify::new());
    let watch = Rc::new(RefCell::new(Watch {
        asked: HashMap::new(),
        queues: vec![[None; 2]; usize::try_from(GROUPS).unwrap_or(0) + 1],
        counts: false,
        state: histogram()?,
        queue: histogram()?,
        told: Vec::new(),
        open: 0,
        done: Rc::clone(&done),
        problem: None,
    }));
    let memory_before = process.memory_mib().unwrap_or_default();
    let client = client();
    let turns = Rc::new(Semaphore::new(OPENING));
    let mut asks = Vec::new();
    let mut pages = JoinSet::new();
    let mut open = |agent: u32| {
        let cookie = cookies.get(&email(agent)).cloned().unwrap_or_default();
        let (ask, asked) = mpsc::unbounded_channel();
        let page = Page { agent, asked, expected: 0, queues: 0 };
        let (url, client, turns, watch) = (house.url(), client.clone(), Rc::clone(&turns), Rc::clone(&watch));
        pages.spawn_local(async move {
            if let Err(why) = page.day(&client, &url, &cookie, &turns, &watch).await {
                let mut watch = watch.borrow_mut();
                watch.problem.get_or_insert(format!("{}: {why}", email(agent)));
                watch.done.notify_waiters();
            }
        });
        ask
    };
    for agent in 1..=AGENTS {
        asks.push(open(agent));
    }
    let second: Vec<_> = (1..=AGENTS).filter(|agent| agent % TWO_PAGES == 0).map(&mut open).collect();
    let all = AGENTS + AGENTS / TWO_PAGES;
    let is_open = || watch.borrow().problem.is_some() || watch.borrow().open == all;
    wait_until(&done, is_open).await;
    told_well(&watch)?;
    println!("{all} pages are open, {:.0} MiB; {memory_before:.0} MiB before", process.memory_mib().unwrap_or_default());
    let (stop, stopped) = watch::channel(false);
    let calling = tokio::task::spawn_local(Callers::new(places(house.program.at), Rc::clone(&watch)).await?.call(stopped));
    let length = Duration::from_secs_f64(options.seconds);
    let began = Instant::now();
    let mut clock = interval(STATE_EVERY);
    let (mut memory, mut used) = (0.0f64, (process.cpu(), own_cpu()));
    let mut changes = 0u32;
    while began.elapsed() < WARM_UP + length {
        clock.tick().await;
        if began.elapsed() >= WARM_UP && !watch.borrow().counts {
            used = (process.cpu(), own_cpu());
            watch.borrow_mut().counts = true;
        }
        if changes.is_multiple_of(50) {
            memory = memory.max(process.memory_mib().unwrap_or_default());
        }
        // All over the floor: one more is free, and then one who was goes on break again.
        let goes = changes % 2 == 1;
        let nth = if goes { (changes / 2).saturating_sub(FREE) } else { changes / 2 };
        let agent = nth.wrapping_mul(7_919) % AGENTS + 1;
        changes += 1;
        if goes && changes / 2 <= FREE {
            continue;
        }
        let state = match (goes, agent <= QUIET_AGENTS) {
            (true, _) => "onBreak",
            (false, true) => "available",
            (false, false) => "busy",
        };
        let pages = if agent.is_multiple_of(TWO_PAGES) { 2 } else { 1 };
        if watch.borrow().counts {
            watch.borrow_mut().asked.insert(agent, Asked { at: Instant::now(), state, unseen: pages });
        }
        if let Some(ask) = usize::try_from(agent - 1).ok().and_then(|agent| asks.get(agent)) {
            // A page that is gone has told why.
            let _ = ask.send(state);
        }
    }
    let seconds = (began.elapsed() - WARM_UP).as_secs_f64();
    watch.borrow_mut().counts = false;
    let cpu = process.cpu().zip(used.0).map_or(0.0, |(now, before)| now.saturating_sub(before).as_secs_f64() / seconds);
    let own = own_cpu().saturating_sub(used.1).as_secs_f64() / seconds;
    stop.send_replace(true);
    let refused = calling.await.map_err(io::Error::other)??;
    let seen = || watch.borrow().problem.is_some() || watch.borrow().asked.is_empty();
    let in_time = timeout(LATEST, wait_until(&done, seen)).await.is_ok();
    told_well(&watch)?;
    if !in_time {
        return Err(io::Error::other(format!("{} changes of state are not on all pages", watch.borrow().asked.len())));
    }
    drop((asks, second));
    while pages.join_next().await.is_some() {}
    let watch = watch.borrow();
    let (state, queue) = (Percentiles::of(&watch.state), Percentiles::of(&watch.queue));
    let called = watch.told.iter().filter(|told| **told > 0);
    let (most, sum, count) =
        called.fold((0, 0.0, 0.0), |(most, sum, count), told| (told.max(&most).to_owned(), sum + f64::from(*told), count + 1.0));
    println!(
        "{} changes of state on pages: {:.1} ms median, {:.1} ms p99, {:.1} ms at most; {} counts of queues: {:.0} ms median, {:.0} ms p99, {:.0} ms at most, {:.2} messages a second to a page, {:.2} at most; {refused} calls refused; {memory:.0} MiB, {:.0} % of a core, own {:.0} %",
        state.count,
        state.p50,
        state.p99,
        state.max,
        queue.count,
        queue.p50,
        queue.p99,
        queue.max,
        sum / count / seconds,
        f64::from(most) / seconds,
        100.0 * cpu,
        100.0 * own,
    );
    figures.insert("stations memory", memory);
    figures.insert("stations state", state.p99);
    figures.insert("stations queue", queue.p99);
    Ok(())
}

async fn wait_until(done: &Notify, is_so: impl Fn() -> bool) {
    loop {
        let notified = done.notified();
        if is_so() {
            return;
        }
        notified.await;
    }
}

fn told_well(watch: &RefCell<Watch>) -> io::Result<()> {
    watch.borrow().problem.clone().map_or(Ok(()), |problem| Err(io::Error::other(problem)))
}

/// A workstation: it shows, and asks for the states that it is told to.
struct Page {
    agent: u32,
    asked: mpsc::UnboundedReceiver<&'static str>,
    expected: u32,
    queues: u32,
}

type Socket = actix_codec::Framed<BoxedSocket, Codec>;

impl Page {
    async fn day(mut self, client: &Client, url: &str, cookie: &str, turns: &Semaphore, watch: &RefCell<Watch>) -> Result<(), DeskError> {
        let turn = turns.acquire().await.map_err(|why| failed("waiting for a turn", why))?;
        let request = client.ws(format!("{url}/ws")).origin(url).header(header::COOKIE, cookie);
        let opened = request.max_frame_size(LARGEST).connect().await;
        let (_, mut socket) = opened.map_err(|why| failed("opening the socket", why))?;
        ask(&mut socket, "onBreak").await?;
        let mut is_open = false;
        let mut turn = Some(turn);
        loop {
            let frame = tokio::select! {
                frame = socket.next() => frame,
                state = self.asked.recv() => match state {
                    Some(state) => {
                        ask(&mut socket, state).await?;
                        continue;
                    }
                    None => break,
                },
            };
            match frame {
                Some(Ok(Frame::Text(text))) => {
                    if self.hear(&text, &mut watch.borrow_mut())? && !is_open {
                        is_open = true;
                        turn = None;
                        watch.borrow_mut().open();
                    }
                }
                Some(Ok(Frame::Ping(bytes))) => socket.send(Message::Pong(bytes)).await.map_err(|why| failed("the socket", why))?,
                Some(Ok(Frame::Pong(_) | Frame::Binary(_) | Frame::Continuation(_))) => {}
                Some(Ok(Frame::Close(reason))) => return Err(failed("the switch closed the socket", format!("{reason:?}"))),
                Some(Err(why)) => return Err(failed("the socket", why)),
                None => return Err(failed("the socket", "gone")),
            }
        }
        drop(turn);
        watch.borrow_mut().told.push(self.queues);
        socket.send(Message::Close(None)).await.map_err(|why| failed("the socket", why))
    }

    /// Whether the agent is on break, as at the beginning.
    fn hear(&mut self, text: &[u8], watch: &mut Watch) -> Result<bool, DeskError> {
        let FromSwitch { seq, tell } = serde_json::from_slice(text).map_err(|why| failed("a message", why))?;
        if seq != self.expected {
            return Err(failed("a message", format!("{seq} came where {} was due", self.expected)));
        }
        self.expected += 1;
        match tell {
            Tell::Agent(agent) | Tell::Snapshot { agent } => {
                watch.state(self.agent, &agent.state);
                return Ok(agent.state == "onBreak");
            }
            Tell::Queues { queues } => {
                self.queues += u32::from(watch.counts);
                for queue in queues {
                    watch.queue(&queue.name, queue.waiting);
                }
            }
            Tell::Refused { code } => return Err(failed("refused", code)),
            Tell::TakenOver => return Err(failed("the session", "taken over")),
            Tell::Offer { .. } | Tell::Session(_) | Tell::Targets { .. } | Tell::PeerAnswer { .. } | Tell::Peer { .. } | Tell::Other => {}
        }
        Ok(false)
    }
}

async fn ask(socket: &mut Socket, state: &str) -> Result<(), DeskError> {
    let reason = (state == "onBreak").then_some("Lunch");
    let request = json!({ "id": 1, "ask": { "type": "setState", "state": state, "breakReason": reason } });
    socket.send(Message::Text(request.to_string().into())).await.map_err(|why| failed("the socket", why))
}

/// Customers of all called groups: in each somebody comes, and leaves, and the next one comes.
struct Callers {
    places: Places,
    socket: UdpSocket,
    watch: Rc<RefCell<Watch>>,
    began: Instant,
    legs: HashMap<String, Leg>,
    /// Who waits in each group, by its number.
    waiting: HashMap<u32, String>,
    placed: usize,
    refused: u32,
}

impl Callers {
    async fn new(places: Places, watch: Rc<RefCell<Watch>>) -> io::Result<Self> {
        let socket = UdpSocket::bind(places.carrier).await?;
        Ok(Self { places, socket, watch, began: Instant::now(), legs: HashMap::new(), waiting: HashMap::new(), placed: 0, refused: 0 })
    }

    /// Until it is told to stop, and all are gone. How many the switch refused.
    async fn call(mut self, mut stop: watch::Receiver<bool>) -> io::Result<u32> {
        let mut clock = interval(QUEUE_EVERY);
        let mut buffer = vec![0; 4096];
        let mut group = QUIET_GROUPS;
        while !*stop.borrow_and_update() || !self.legs.is_empty() {
            tokio::select! {
                _ = clock.tick() => {
                    let stops = *stop.borrow();
                    group = if group == GROUPS { QUIET_GROUPS + 1 } else { group + 1 };
                    self.turn(group, stops).await?;
                    self.repeat().await?;
                }
                came = self.socket.recv_from(&mut buffer) => {
                    // Nobody there, for a moment: signalling notices by itself.
                    let Ok((length, _)) = came else { continue };
                    self.receive(buffer.get(..length).unwrap_or_default()).await?;
                }
            }
        }
        Ok(self.refused)
    }

    fn now(&self) -> u64 {
        micros(self.began.elapsed())
    }

    /// The next one comes to the group, or the one who waits there leaves.
    async fn turn(&mut self, group: u32, leaves_only: bool) -> io::Result<()> {
        let now = self.now();
        let (somebody, id, out) = match self.waiting.remove(&group) {
            Some(id) => {
                let Some(leg) = self.legs.get_mut(&id) else { return Ok(()) };
                let out = leg.hang_up(now);
                (false, id, out)
            }
            None if leaves_only => return Ok(()),
            None => {
                let id = format!("{:08x}-{}", std::process::id(), self.placed);
                let (caller, called) = (number_of(self.placed), number_of_group(group));
                self.placed += 1;
                let Places { switch, carrier, audio, .. } = self.places;
                let (leg, out) = Leg::customer(id.clone(), &caller, &called, carrier, audio, switch, now);
                self.legs.insert(id.clone(), leg);
                self.waiting.insert(group, id.clone());
                (true, id, out)
            }
        };
        self.watch.borrow_mut().changed(group, somebody);
        self.perform(&id, out).await
    }

    async fn repeat(&mut self) -> io::Result<()> {
        let now = self.now();
        let due: Vec<String> =
            self.legs.iter().filter(|(_, leg)| leg.next_deadline().is_some_and(|at| at <= now)).map(|(id, _)| id.clone()).collect();
        for id in due {
            let out = self.legs.get_mut(&id).map(|leg| leg.tick(now)).unwrap_or_default();
            self.perform(&id, out).await?;
        }
        Ok(())
    }

    async fn receive(&mut self, bytes: &[u8]) -> io::Result<()> {
        let now = self.now();
        let Ok(message) = Sip::parse(bytes) else { return Ok(()) };
        let headers = match &message {
            Sip::Request(request) => &request.headers,
            Sip::Response(response) => &response.headers,
        };
        let Some(id) = headers.call_id().map(str::to_owned) else { return Ok(()) };
        let out = self.legs.get_mut(&id).map(|leg| leg.receive(&message, now)).unwrap_or_default();
        self.perform(&id, out).await
    }

    async fn perform(&mut self, id: &str, out: Vec<Output>) -> io::Result<()> {
        for output in out {
            match output {
                Output::Send(bytes) => drop(self.socket.send_to(&bytes, self.places.switch).await?),
                Output::Event(Event::Over(_)) => {
                    self.legs.remove(id);
                    // Who leaves is not among those who wait.
                    let waited = self.waiting.len();
                    self.waiting.retain(|_, waiting| *waiting != *id);
                    self.refused += u32::from(self.waiting.len() < waited);
                }
                Output::Event(Event::Rings | Event::Up) | Output::Media(_) => {}
            }
        }
        Ok(())
    }
}
