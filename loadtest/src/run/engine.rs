//! The calls of a run, on one thread: customers who call and SIP phones that are called, with their sockets, clocks and voices.

mod calls;
mod meter;
mod out;

use super::leg::{Leg, Micros, Output};
use super::process::Process;
use super::results::{CallLog, LogsOut, Second};
use super::voices::{Heard, StreamId, Voices};
use crate::browser::booth::Lines;
use crate::scenario::{Customers, Kind, Scenario};
use crate::sockets::{Socket, since_1970, unread_pair, wait_for};
use crate::story::{CallOut, Story};
use cordboard_core::outbound::RING_OUT;
use cordboard_sip::message::{Field, Message, Method, Response};
use hdrhistogram::Histogram;
use meter::Meter;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

const SECOND: Micros = 1_000_000;
/// What workstations tell does not wake the thread of the calls.
const LOOK_AT_DESKS: Micros = 10_000;
/// How long calls may take to end after the last customer called, beside what they talk and wait: SIP's own patience.
const FAREWELL: Micros = 40 * SECOND;

/// Where things are.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    pub switch: SocketAddrV4,
    /// Where customers call from: the trunk's host.
    pub carrier: SocketAddrV4,
    /// Where the agents' phones are, all of them.
    pub phones: SocketAddrV4,
    /// First port of the audio sockets, on both sides.
    pub audio: SocketAddrV4,
    pub audio_sockets: u16,
}

/// What happens at a workstation.
#[derive(Clone, Copy, Debug)]
pub enum AtDesk {
    /// The call is offered to an agent.
    Rings { call: usize },
    /// The agent talks in this call.
    Talks { call: usize, agent: u32 },
    /// The customer of this call is in self-service (D6).
    SelfService { call: usize },
    /// E1.
    Dials(CallOut),
}

/// All that was seen in a run.
#[derive(Default)]
pub struct Log {
    pub calls: Vec<CallLog>,
    pub calls_out: LogsOut,
    pub seconds: Vec<Second>,
    pub packets_sent: u64,
    pub delay: Option<Histogram<u64>>,
    pub own_drops: u64,
    /// How long after its time a call was placed, at most.
    pub late: Micros,
    /// Those that the engine was given.
    pub lines: Lines,
    /// First and last second of the calls that count.
    pub counted: (Micros, Micros),
    pub switch_cpu: Option<Duration>,
    /// Before the first call.
    pub switch_memory_mib: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Answer,
    /// A key in self-service.
    Press(u8),
    HangUp,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Side {
    Customer,
    Phone,
}

/// Which call a leg is part of.
#[derive(Clone, Copy, Debug)]
enum Of {
    /// A customer's who calls, by its index.
    In(usize),
    /// An agent's who calls out.
    Out(CallOut),
}

struct Live {
    leg: Leg,
    side: Side,
    of: Of,
    /// Whose phone it is.
    agent: Option<u32>,
    stream: Option<StreamId>,
    todo: Vec<(Micros, Deed)>,
    /// The earliest timer that is set for it.
    armed: Option<Micros>,
}

pub struct Engine {
    scenario: Scenario,
    places: Places,
    did: String,
    began: Instant,
    began_since_1970: Duration,
    carrier: Socket,
    phones: Socket,
    voices: Option<Voices>,
    /// Where both sides of calls without voices are.
    _unread: Option<[UdpSocket; 2]>,
    /// The agents at browsers, in the order of their lines.
    browsers: Vec<(u32, StreamId)>,
    random: StdRng,
    /// When phones are answered, and who waits how long for a second agent: in which order changes no other call.
    answers: StdRng,
    /// Names the calls of this run apart from those of another.
    run: u32,
    calls: Vec<CallLog>,
    calls_out: LogsOut,
    /// The customer's leg of each call, while it lives.
    customers: Vec<Option<usize>>,
    legs: Vec<Option<Live>>,
    free: Vec<usize>,
    /// A relay leaves the Call-ID as it is: both sides may have the same.
    by_call_id: HashMap<(Side, String), usize>,
    timers: BinaryHeap<Reverse<(Micros, usize)>>,
    seconds: Vec<Second>,
    this_second: Second,
}

impl Engine {
    /// `lines`: of the agents at browsers, whose voices are played here.
    pub fn new(scenario: Scenario, places: Places, did: &str, lines: Lines) -> io::Result<Self> {
        let mut random = StdRng::seed_from_u64(scenario.seed);
        let unread = if scenario.customers.audio { None } else { Some(unread_pair(places.audio)?) };
        let first = places.audio.port().saturating_add(if unread.is_some() { 2 } else { 0 });
        let first = SocketAddrV4::new(*places.audio.ip(), first);
        let mut voices =
            (scenario.with_audio() > 0).then(|| Voices::open(first, places.audio_sockets, StdRng::from_rng(&mut random))).transpose()?;
        let mut browsers = Vec::new();
        if let Some(voices) = &mut voices {
            for (agent, line) in lines {
                browsers.push((agent, voices.add_line(line)?));
            }
        }
        Ok(Self {
            _unread: unread,
            carrier: Socket::bind(places.carrier)?,
            phones: Socket::bind(places.phones)?,
            did: did.to_owned(),
            began: Instant::now(),
            began_since_1970: since_1970(),
            voices,
            browsers,
            answers: StdRng::from_rng(&mut random),
            random,
            run: rand::random(),
            calls: Vec::new(),
            calls_out: LogsOut::new(),
            customers: Vec::new(),
            legs: Vec::new(),
            free: Vec::new(),
            by_call_id: HashMap::new(),
            timers: BinaryHeap::new(),
            seconds: Vec::new(),
            this_second: Second::default(),
            scenario,
            places,
        })
    }

    /// Places the scenario's calls and sees them to their ends. Each second is told while it goes on.
    pub fn run(mut self, desks: &Receiver<(Instant, AtDesk)>, switch: Option<&Process>, told: &Sender<Second>) -> io::Result<Log> {
        self.began = Instant::now();
        self.began_since_1970 = since_1970();
        let end = micros(self.scenario.length());
        let warm = micros(Duration::from_secs_f64(self.scenario.warm_up));
        let switch_memory_mib = switch.and_then(Process::memory_mib);
        let most = self.scenario.at_most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let mut meter = Meter::new(switch);
        let (mut cpu_from, mut cpu_to) = (None, None);
        let mut at = 0.0;
        let mut next_call = 0;
        let mut late = 0;
        let mut next_second = SECOND;
        let mut warming_up = true;
        loop {
            let now = self.now();
            if warming_up && now >= warm {
                warming_up = false;
                cpu_from = switch.and_then(Process::cpu);
                if let Some(voices) = &mut self.voices {
                    voices.begin_to_measure();
                }
            }
            while next_call <= now && next_call < end && self.calls.len() < most {
                late = late.max(now - next_call);
                self.place(now);
                at += self.scenario.arrivals.next(at, self.scenario.seconds, &mut self.random);
                next_call = micros(Duration::from_secs_f64(at));
            }
            if cpu_to.is_none() && now >= end {
                cpu_to = switch.and_then(Process::cpu);
                if let Some(voices) = &mut self.voices {
                    voices.end_measuring();
                }
            }
            self.listen()?;
            while let Ok((at, what)) = desks.try_recv() {
                self.at_desk(micros(at.saturating_duration_since(self.began)), what);
            }
            self.tick();
            let began = self.began;
            let clock = || micros(began.elapsed());
            if let Some(voices) = &mut self.voices {
                voices.speak(clock(), clock)?;
            }
            self.carrier.flush()?;
            self.phones.flush()?;
            if now >= next_second {
                next_second += SECOND;
                meter.read(&mut self.this_second);
                self.this_second.live = u32::try_from(self.legs.len() - self.free.len()).unwrap_or(u32::MAX);
                // Nobody listens any more: the program ends.
                let _ = told.send(self.this_second);
                self.seconds.push(std::mem::take(&mut self.this_second));
            }
            if now >= end && (self.legs.len() == self.free.len() || now > end + FAREWELL + self.longest()) {
                break;
            }
            let comes = next_call < end && self.calls.len() < most;
            let desks = (!self.scenario.agents.kind.has_phones()).then(|| now + LOOK_AT_DESKS);
            let edges = [warm, end].into_iter().filter(|edge| *edge > now);
            let next = edges.chain(comes.then_some(next_call)).chain(desks).min();
            self.wait(next_second.min(next.unwrap_or(Micros::MAX)))?;
        }
        let own_drops = self.carrier.dropped() + self.phones.dropped() + self.voices.as_ref().map_or(0, Voices::dropped);
        let (packets_sent, delay) = self.voices.as_ref().map_or((0, None), |voices| (voices.sent, Some(voices.delay.clone())));
        let lines = self.voices.map_or_else(Vec::new, Voices::into_lines);
        let lines = self.browsers.iter().map(|(agent, _)| *agent).zip(lines).collect();
        Ok(Log {
            calls: self.calls,
            calls_out: self.calls_out,
            seconds: self.seconds,
            packets_sent,
            delay,
            own_drops,
            late,
            lines,
            counted: (warm, end),
            switch_cpu: cpu_to.zip(cpu_from).map(|(to, from)| to.saturating_sub(from)),
            switch_memory_mib,
        })
    }

    fn now(&self) -> Micros {
        micros(self.began.elapsed())
    }

    /// How long a call may go on by itself after the last one was placed.
    fn longest(&self) -> Micros {
        let Customers { patience, answers_after, away, .. } = &self.scenario.customers;
        let rings_out = if *away > 0.0 { Duration::from_millis(RING_OUT) } else { Duration::ZERO };
        micros(Story::longest(&self.scenario) + patience.longest().max(answers_after.longest()).max(rings_out))
    }

    /// Where the next side of that call listens; `sender`: where what it hears will come from.
    fn stream(&mut self, of: Of, sender: Option<SocketAddrV4>) -> (Option<StreamId>, SocketAddrV4) {
        let silent = matches!(of, Of::In(call) if call >= self.scenario.with_audio());
        match self.voices.as_mut().filter(|_| !silent) {
            Some(voices) => {
                let (stream, audio) = voices.add(sender);
                (Some(stream), audio)
            }
            None => (None, self.places.audio),
        }
    }

    fn keep(&mut self, live: Live) -> usize {
        let index = self.free.pop().unwrap_or_else(|| {
            self.legs.push(None);
            self.legs.len() - 1
        });
        self.by_call_id.insert((live.side, live.leg.call_id.clone()), index);
        if let Some(place) = self.legs.get_mut(index) {
            *place = Some(live);
        }
        index
    }

    fn listen(&mut self) -> io::Result<()> {
        let mut came = Vec::new();
        self.carrier.receive(|_, bytes, _| came.push((Side::Customer, bytes.to_vec())))?;
        self.phones.receive(|from, bytes, _| {
            // Only the switch calls phones.
            if from == self.places.switch {
                came.push((Side::Phone, bytes.to_vec()));
            }
        })?;
        if let Some(voices) = &mut self.voices {
            voices.listen(self.began_since_1970)?;
        }
        for (side, bytes) in came {
            let Ok(message) = Message::parse(&bytes) else { continue };
            self.receive(side, message);
        }
        Ok(())
    }

    fn receive(&mut self, side: Side, message: Message) {
        let now = self.now();
        let headers = match &message {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        };
        let known = headers.call_id().and_then(|id| self.by_call_id.get(&(side, id.to_owned()))).copied();
        match (known, message) {
            (Some(index), message) => {
                let Some(Some(live)) = self.legs.get_mut(index) else { return };
                let out = live.leg.receive(&message, now);
                self.perform(index, out, now);
            }
            (None, Message::Request(request)) if request.method == Method::INVITE => match side {
                Side::Phone => self.called(request, now),
                Side::Customer => self.called_out(request, now),
            },
            // A leg that is over: its last answer was lost.
            (None, Message::Request(request)) if request.method != Method::ACK => {
                let status = if request.method == Method::OPTIONS { 200 } else { 481 };
                let mut response = request.response(status);
                response.set_to_tag("gone");
                self.send(side, response.to_bytes());
            }
            (None, Message::Response(refusal)) if side == Side::Customer && refusal.status >= 300 => {
                self.acknowledge(&refusal);
            }
            (None, _) => {}
        }
    }

    /// The ACK of a refusal was lost (RFC 3261 §17.1.1.2).
    fn acknowledge(&mut self, refusal: &Response) {
        if !refusal.headers.cseq().is_ok_and(|cseq| cseq.method == Method::INVITE) {
            return;
        }
        let value = |field: Field| refusal.headers.get(field).unwrap_or_default();
        let ack = format!(
            "ACK sip:{}@{} SIP/2.0\r\nVia: {}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
            self.did,
            self.places.switch,
            value(Field::Via),
            value(Field::From),
            value(Field::To),
            value(Field::CallId),
        );
        self.send(Side::Customer, ack.into_bytes());
    }

    fn send(&mut self, side: Side, bytes: Vec<u8>) {
        let socket = match side {
            Side::Customer => &mut self.carrier,
            Side::Phone => &mut self.phones,
        };
        socket.queue(self.places.switch, bytes);
    }

    fn tick(&mut self) {
        loop {
            let now = self.now();
            match self.timers.peek() {
                Some(Reverse((at, _))) if *at <= now => {}
                Some(_) | None => return,
            }
            let Some(Reverse((at, index))) = self.timers.pop() else { return };
            let Some(Some(live)) = self.legs.get_mut(index) else { continue };
            if live.armed != Some(at) {
                continue;
            }
            live.armed = None;
            let mut out = live.leg.tick(now);
            for (_, deed) in live.todo.extract_if(.., |(due, _)| *due <= now) {
                match deed {
                    Deed::Answer => out.extend(live.leg.answer(now)),
                    Deed::Press(key) => {
                        if let (Some(voices), Some(stream), Some(events)) = (&mut self.voices, live.stream, live.leg.events) {
                            voices.press(stream, key, events);
                        }
                    }
                    Deed::HangUp => out.extend(live.leg.hang_up(now)),
                }
            }
            self.perform(index, out, now);
        }
    }

    fn perform(&mut self, index: usize, out: Vec<Output>, now: Micros) {
        for output in out {
            let Some(Some(live)) = self.legs.get_mut(index) else { return };
            match output {
                Output::Send(bytes) => {
                    let side = live.side;
                    self.send(side, bytes);
                }
                Output::Media(remote) => {
                    if let Some((voices, stream)) = self.voices.as_mut().zip(live.stream) {
                        voices.turn(stream, remote);
                    }
                }
                Output::Event(event) => self.happened(index, &event, now),
            }
        }
        self.arm(index);
    }

    fn arm(&mut self, index: usize) {
        let Some(Some(live)) = self.legs.get_mut(index) else { return };
        let next = live.leg.next_deadline().into_iter().chain(live.todo.iter().map(|(at, _)| *at)).min();
        if let Some(at) = next.filter(|at| live.armed.is_none_or(|armed| *at < armed)) {
            live.armed = Some(at);
            self.timers.push(Reverse((at, index)));
        }
    }

    fn forget(&mut self, index: usize) {
        if let Some(live) = self.legs.get_mut(index).and_then(Option::take) {
            self.by_call_id.remove(&(live.side, live.leg.call_id));
            self.free.push(index);
        }
    }

    /// The customer and the agent at a browser hear each other from now on.
    fn join_browser(&mut self, customer: Option<StreamId>, agent: u32) {
        let browser = self.browsers.iter().find(|(known, _)| *known == agent).map(|(_, stream)| *stream);
        if let (Some(customer), Some(browser), Some(voices)) = (customer, browser, &mut self.voices) {
            voices.hear_anew(browser);
            voices.join(customer, browser);
        }
    }

    fn later(&mut self, index: usize, at: Micros, deed: Deed) {
        if let Some(Some(live)) = self.legs.get_mut(index) {
            live.todo.push((at, deed));
        }
        self.arm(index);
    }

    /// Until a message comes, or something is due. Audio wakes nobody: the kernel notes when it comes, it is read when the next is sent, a millisecond
    /// later at most, and the program under test is not burdened with waking this one for each packet.
    fn wait(&mut self, at_most: Micros) -> io::Result<()> {
        let timers = self.timers.peek().map(|Reverse((at, _))| *at);
        let voices = self.voices.as_ref().and_then(Voices::next_deadline);
        let due = timers.into_iter().chain(voices).chain([at_most]).min().unwrap_or(at_most);
        let left = Duration::from_micros(due.saturating_sub(self.now()));
        wait_for(&[&self.carrier, &self.phones], Some(left))
    }
}

/// What a customer heard whose leg is over, and what the agent at a browser did: a phone's stream ends with its leg, a browser's goes on.
fn heard(voices: &mut Option<Voices>, stream: Option<StreamId>, kind: Kind) -> (Heard, Heard) {
    let Some((voices, stream)) = voices.as_mut().zip(stream) else { return Default::default() };
    let by_agent = if kind.has_phones() { None } else { voices.partner_hears_anew(stream) };
    (voices.remove(stream), by_agent.unwrap_or_default())
}

pub fn micros(time: Duration) -> Micros {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The agent whose phone this is, such as `p12`.
fn agent_of(user: &str) -> Option<u32> {
    user.strip_prefix('p')?.parse().ok()
}

/// The name by which the switch calls an agent's phone.
pub fn phone_of(agent: u32) -> String {
    format!("p{agent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_name_agents() {
        assert_eq!(agent_of(&phone_of(17)), Some(17));
        assert_eq!(agent_of("+442079460100"), None);
    }
}
