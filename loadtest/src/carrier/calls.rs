//! J4: the calls of a carrier, placed by its customers and to them: SIP through `cordboard-sip`, a stream of speech each, and what became of them in plain words.

use super::callees::{self, Behaviour};
use super::rtp::{Path, Stream};
use super::speech::Sound;
use cordboard_core::cx::{Cx, Ids, Millis};
use cordboard_core::ids::{LegId, TrunkId};
use cordboard_core::leg::{SignalCommand, SignalEvent};
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::{Endpoint, EndpointAction, EndpointConfig, Flow, NewCall, ServerKey, Sources, User};
use cordboard_sip::message::{Field, Response, Uri};
use cordboard_sip::sdp::{Law, LocalMedia, RemoteMedia};
use cordboard_sip::session::{OutgoingCall, Session, SessionAction};
use cordboard_sip::translate;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use tracing::{info, warn};

/// The switch, as far as this side's endpoint is concerned.
const SWITCH: TrunkId = TrunkId(1);

/// A datagram to send.
pub struct Datagram {
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

struct Call {
    /// Counts from 1: its name in the log.
    number: u32,
    session: Session,
    stream: Stream,
    placed: Millis,
    answered: Option<Millis>,
    remote: Option<RemoteMedia>,
    /// What the customer's side is heard with; none before anybody is there.
    sound: Option<Sound>,
    /// What the customer does then, unless the call has come to something else before.
    next: Option<(Millis, Deed)>,
}

impl Call {
    fn turn(&self) {
        self.stream.turn(Path {
            remote: self.remote.map(|remote| remote.addr),
            sound: self.sound.filter(|_| self.remote.is_some_and(|remote| remote.direction.receives())),
            keys: self.remote.and_then(|remote| remote.dtmf_type),
        });
    }
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    GiveUp,
    Answer,
    Decline,
}

pub struct Calls {
    endpoint: Endpoint,
    calls: HashMap<LegId, Call>,
    placed: u32,
    started: Instant,
    ids: RandomIds,
    local: SocketAddr,
    target: SocketAddr,
    patience: Duration,
    outbox: Vec<Datagram>,
}

impl Calls {
    /// A carrier at `local` whose customers call the switch at `target` and wait as long as `patience` for an answer.
    pub fn new(local: SocketAddr, target: SocketAddr, patience: Duration) -> Self {
        let sources = Sources { trunks: vec![(target.ip(), SWITCH)], phones: HashSet::new() };
        Self {
            endpoint: Endpoint::new(EndpointConfig {
                sources,
                user_agent: "Cordboard carrier simulator".to_owned(),
                ..EndpointConfig::default()
            }),
            calls: HashMap::new(),
            placed: 0,
            started: Instant::now(),
            ids: RandomIds,
            local,
            target,
            patience,
            outbox: Vec::new(),
        }
    }

    /// What is to be sent since the last time.
    pub fn take_outbox(&mut self) -> Vec<Datagram> {
        std::mem::take(&mut self.outbox)
    }

    pub fn place(&mut self, did: &str, caller: &str) -> std::io::Result<()> {
        let number = self.placed + 1;
        let stream = Stream::open(self.local.ip(), number)?;
        self.placed = number;
        info!("call {number}: {caller} calls {did}");
        let call = OutgoingCall {
            target: Uri::sip(did, self.target),
            flow: Flow { transport: Transport::Udp, local: self.local, remote: self.target },
            only_way: false,
            caller_id: caller.to_owned(),
            display: None,
            routes: Vec::new(),
            laws: vec![Law::Mu],
        };
        let local = LocalMedia::new(SocketAddr::new(self.local.ip(), stream.port), rand::random());
        let leg = LegId(self.ids.next_id());
        let (session, actions) = self.with_cx(|_, cx| Session::outgoing(leg, call, local, cx));
        let placed = self.now();
        let patience = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
        let next = Some((placed.saturating_add(patience), Deed::GiveUp));
        self.calls.insert(leg, Call { number, session, stream, placed, answered: None, remote: None, sound: Some(Sound::Speech), next });
        self.perform(leg, actions);
        Ok(())
    }

    /// The switch calls somebody.
    fn called(&mut self, call: NewCall) {
        let (leg, key, called) = (call.leg, call.key, call.invite.called());
        self.placed += 1;
        let number = self.placed;
        info!("call {number}: the switch calls {called}");
        let (rings, next) = match callees::behaviour(&called) {
            Behaviour::Answers { after, early_media: false } => (SignalCommand::Ring, Some((after, Deed::Answer))),
            Behaviour::Answers { after, early_media: true } => (SignalCommand::Progress, Some((after, Deed::Answer))),
            Behaviour::Declines { after } => (SignalCommand::Ring, Some((after, Deed::Decline))),
            Behaviour::RingsOut => (SignalCommand::Ring, None),
            Behaviour::Refused { status, phrase, q850 } => {
                let mut response = call.invite.response(status);
                response.reason = phrase.map_or(response.reason, str::to_owned);
                if let Some(q850) = q850 {
                    response.headers.push(Field::Reason, translate::reason(q850));
                }
                return self.refuse(leg, &key, response);
            }
        };
        let stream = match Stream::open(self.local.ip(), number) {
            Ok(stream) => stream,
            Err(error) => {
                warn!("call {number}: no port for its sound: {error}");
                return self.refuse(leg, &key, call.invite.response(503));
            }
        };
        let local = LocalMedia::new(SocketAddr::new(self.local.ip(), stream.port), rand::random());
        let (session, actions) = match self.with_cx(|_, cx| Session::incoming(call, local, cx)) {
            Ok(made) => made,
            Err(refusal) => return self.refuse(leg, &key, *refusal),
        };
        let now = self.now();
        let next = next.map(|(after, deed)| (now + after, deed));
        let sound = (rings == SignalCommand::Progress).then_some(Sound::Ringing);
        self.calls.insert(leg, Call { number, session, stream, placed: now, answered: None, remote: None, sound, next });
        self.perform(leg, actions);
        self.session(leg, |session, cx| session.command(&rings, cx));
    }

    fn refuse(&mut self, leg: LegId, key: &ServerKey, mut response: Response) {
        info!("call {}: refused with {} {}", self.placed, response.status, response.reason);
        response.set_to_tag(&format!("{:032x}", self.ids.next_id()));
        let actions = self.with_cx(|this, cx| {
            let mut actions = this.endpoint.respond(key, response, cx);
            actions.extend(this.endpoint.forget(leg, cx));
            actions
        });
        self.perform_endpoint(actions);
    }

    pub fn hang_up_all(&mut self) {
        let legs: Vec<LegId> = self.calls.keys().copied().collect();
        for leg in legs {
            self.hang_up(leg);
        }
    }

    /// Every customer who was answered presses these keys (SIP INFO).
    pub fn press(&mut self, keys: &str) {
        let answered: Vec<LegId> = self.calls.iter().filter(|(_, call)| call.answered.is_some()).map(|(leg, _)| *leg).collect();
        for leg in answered {
            for key in keys.chars() {
                self.session(leg, |session, cx| session.command(&SignalCommand::Digit(key), cx));
            }
        }
    }

    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    pub fn receive(&mut self, from: SocketAddr, bytes: &[u8]) {
        let flow = Flow { transport: Transport::Udp, local: self.local, remote: from };
        let actions = self.with_cx(|this, cx| this.endpoint.receive(&flow, bytes, cx));
        self.perform_endpoint(actions);
    }

    /// Does what is due.
    pub fn tick(&mut self) {
        let actions = self.with_cx(|this, cx| this.endpoint.tick(cx));
        self.perform_endpoint(actions);
        let now = self.now();
        let legs: Vec<LegId> = self.calls.keys().copied().collect();
        for leg in legs {
            self.session(leg, |session, cx| session.tick(cx));
            let due =
                self.calls.get_mut(&leg).and_then(|call| call.next.take_if(|(at, _)| *at <= now).map(|(_, deed)| (call.number, deed)));
            match due {
                Some((number, Deed::GiveUp)) => {
                    info!("call {number}: the customer has waited long enough");
                    self.hang_up(leg);
                }
                Some((number, Deed::Answer)) => {
                    info!("call {number}: somebody answers");
                    self.session(leg, |session, cx| session.command(&SignalCommand::Answer, cx));
                }
                Some((number, Deed::Decline)) => {
                    info!("call {number}: somebody declines");
                    let decline = SignalCommand::Reject { status: 603, q850: Some(21), retry_after: None };
                    self.session(leg, |session, cx| session.command(&decline, cx));
                }
                None => {}
            }
        }
    }

    /// When `tick` is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        let sessions = self.calls.values().flat_map(|call| [call.session.next_deadline(), call.next.map(|(at, _)| at)]);
        let next = sessions.chain([self.endpoint.next_deadline()]).flatten().min()?;
        self.started.checked_add(Duration::from_millis(next))
    }

    fn hang_up(&mut self, leg: LegId) {
        self.session(leg, |session, cx| session.command(&SignalCommand::HangUp { q850: Some(16) }, cx));
    }

    fn now(&self) -> Millis {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn with_cx<T>(&mut self, act: impl FnOnce(&mut Self, &mut Cx<'_>) -> T) -> T {
        let mut ids = self.ids;
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        let mut cx = Cx::new(self.now(), wall, 0, &mut ids);
        act(self, &mut cx)
    }

    fn session(&mut self, leg: LegId, act: impl FnOnce(&mut Session, &mut Cx<'_>) -> Vec<SessionAction>) {
        let actions = self.with_cx(|this, cx| this.calls.get_mut(&leg).map(|call| act(&mut call.session, cx)));
        self.perform(leg, actions.unwrap_or_default());
    }

    fn perform_endpoint(&mut self, actions: Vec<EndpointAction>) {
        for action in actions {
            match action {
                EndpointAction::Transmit { flow, bytes } => self.outbox.push(Datagram { to: flow.remote, bytes }),
                EndpointAction::Invite(call) => self.called(call),
                EndpointAction::Cancelled { leg, key, .. } => self.session(leg, |session, _| session.on_cancel(&key)),
                EndpointAction::InDialog { leg, key, request, flow } => {
                    self.session(leg, |session, cx| session.on_request(key, &request, flow, cx));
                }
                EndpointAction::Ack { leg, request } => self.session(leg, |session, _| session.on_ack(&request)),
                EndpointAction::Response { user: User::Leg(leg), response } => {
                    self.session(leg, |session, cx| session.on_response(&response, cx));
                }
                EndpointAction::Failed { user: User::Leg(leg), method, cseq, why } => {
                    self.session(leg, |session, cx| session.on_failed(&method, cseq, why, cx));
                }
                // Nothing is probed from here.
                EndpointAction::Response { user: User::Probe { .. }, .. } | EndpointAction::Failed { user: User::Probe { .. }, .. } => {}
                // Nobody is turned away here.
                EndpointAction::Shed => {}
                EndpointAction::Refused { source } => warn!("a message from {source}, which is not the switch"),
                // Nobody registers here.
                EndpointAction::Bound(_) | EndpointAction::WrongPassword { .. } => {}
            }
        }
    }

    fn perform(&mut self, leg: LegId, actions: Vec<SessionAction>) {
        for action in actions {
            let done = self.with_cx(|this, cx| match action {
                SessionAction::Respond { key, response } => this.endpoint.respond(&key, response, cx),
                SessionAction::Request { request, flow } => this.endpoint.request(User::Leg(leg), request, flow, cx),
                SessionAction::Ack { request, flow } => this.endpoint.ack(request, flow, cx),
                SessionAction::CancelRequest { reason } => this.endpoint.cancel(leg, reason, cx),
                SessionAction::Register(dialog) => {
                    this.endpoint.register(dialog, leg);
                    Vec::new()
                }
                SessionAction::Media(remote) => {
                    if let Some(call) = this.calls.get_mut(&leg) {
                        call.remote = Some(remote);
                        call.turn();
                    }
                    Vec::new()
                }
                SessionAction::Event(event) => this.hear(leg, event, cx),
            });
            self.perform_endpoint(done);
        }
    }

    fn hear(&mut self, leg: LegId, event: SignalEvent, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let Some(call) = self.calls.get_mut(&leg) else { return Vec::new() };
        let number = call.number;
        match event {
            SignalEvent::Ringing { early_media: false } => info!("call {number}: it rings"),
            SignalEvent::Ringing { early_media: true } => info!("call {number}: the customer hears early media"),
            SignalEvent::Up => {
                (call.answered, call.next, call.sound) = (Some(cx.now), None, Some(Sound::Speech));
                call.turn();
                info!("call {number}: answered after {} s", seconds(cx.now - call.placed));
            }
            SignalEvent::FarHold(true) => info!("call {number}: on hold"),
            SignalEvent::FarHold(false) => info!("call {number}: taken back"),
            SignalEvent::HungUp => info!("call {number}: the switch hung up"),
            SignalEvent::Failed(failure) => {
                let cause = failure.q850.map(|cause| format!(", Q.850 cause {cause}")).unwrap_or_default();
                warn!("call {number}: failed with {} {}{cause}", failure.status, failure.text);
            }
            SignalEvent::Cancelled => info!("call {number}: the switch gave up after {} s", seconds(cx.now - call.placed)),
            SignalEvent::Digit(digit) => info!("call {number}: key {digit}"),
            SignalEvent::Closed => {
                let heard = call.stream.heard();
                let talked = call.answered.map_or(0, |answered| cx.now - answered);
                info!("call {number}: over after {} s, {} packets heard, {} lost", seconds(talked), heard.packets, heard.lost);
                self.calls.remove(&leg);
                return self.endpoint.forget(leg, cx);
            }
        }
        Vec::new()
    }
}

/// With one decimal.
fn seconds(millis: Millis) -> String {
    format!("{}.{}", millis / 1000, millis % 1000 / 100)
}

#[derive(Clone, Copy)]
struct RandomIds;

impl Ids for RandomIds {
    fn next_id(&mut self) -> u128 {
        rand::random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_sip::message::{Message, Method, Request};
    use cordboard_sip::sdp::Description;

    const SWITCH_AT: &str = "127.0.0.1:5060";

    fn carrier(patience: Duration) -> Calls {
        Calls::new("127.0.0.1:5070".parse().unwrap(), SWITCH_AT.parse().unwrap(), patience)
    }

    /// The requests that the carrier has sent since the last time.
    fn requests(calls: &mut Calls) -> Vec<Request> {
        let parsed = calls.take_outbox().into_iter().map(|datagram| Message::parse(&datagram.bytes).unwrap());
        parsed.filter_map(|message| if let Message::Request(request) = message { Some(request) } else { None }).collect()
    }

    /// The switch's response; with the port of its audio, if it has any.
    fn respond(calls: &mut Calls, request: &Request, status: u16, port: Option<u16>) {
        let mut response = request.response(status);
        response.set_to_tag("switch");
        response.headers.push(Field::Contact, format!("<sip:cordboard@{SWITCH_AT}>"));
        if let Some(port) = port {
            let local = LocalMedia::new(SocketAddr::new([127, 0, 0, 1].into(), port), 1);
            response.body = Description::parse(&request.body).unwrap().answer(&local).unwrap().0.into_bytes();
            response.headers.set(Field::ContentType, "application/sdp");
        }
        calls.receive(SWITCH_AT.parse().unwrap(), &response.to_bytes());
    }

    #[tokio::test]
    async fn a_customer_who_is_answered_speaks_until_the_call_is_over() {
        let ears = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut calls = carrier(Duration::from_secs(60));
        calls.place("+442079460100", "+447700900101").unwrap();
        let invite = requests(&mut calls).remove(0);
        assert_eq!((invite.called().as_str(), &invite.method), ("+442079460100", &Method::INVITE));
        respond(&mut calls, &invite, 180, None);
        respond(&mut calls, &invite, 200, Some(ears.local_addr().unwrap().port()));
        assert_eq!(requests(&mut calls)[0].method, Method::ACK);
        let mut packet = [0; 500];
        assert_eq!(ears.recv(&mut packet).await.unwrap(), 172);
        calls.hang_up_all();
        let bye = requests(&mut calls).remove(0);
        assert_eq!(bye.method, Method::BYE);
        assert!(!calls.is_idle());
        respond(&mut calls, &bye, 200, None);
        assert!(calls.is_idle());
    }

    #[tokio::test]
    async fn a_customer_who_was_answered_presses_keys() {
        let mut calls = carrier(Duration::from_secs(60));
        calls.place("+442079460100", "+447700900101").unwrap();
        let invite = requests(&mut calls).remove(0);
        calls.press("1");
        assert_eq!(requests(&mut calls), [], "nobody is there yet");
        respond(&mut calls, &invite, 200, Some(9));
        requests(&mut calls);
        calls.press("5#");
        let told: Vec<(Method, String)> =
            requests(&mut calls).into_iter().map(|info| (info.method, String::from_utf8(info.body).unwrap())).collect();
        assert_eq!(told.iter().map(|(method, _)| method).collect::<Vec<_>>(), [&Method::INFO, &Method::INFO]);
        assert!(told[0].1.contains("Signal=5") && told[1].1.contains("Signal=#"), "{told:?}");
    }

    #[tokio::test]
    async fn a_refused_call_leaves_nothing() {
        let mut calls = carrier(Duration::from_secs(60));
        calls.place("+442079460100", "+447700900101").unwrap();
        let invite = requests(&mut calls).remove(0);
        respond(&mut calls, &invite, 503, None);
        assert!(calls.is_idle());
        assert_eq!(requests(&mut calls)[0].method, Method::ACK);
    }

    #[tokio::test]
    async fn a_customer_gives_up_when_nobody_answers_in_time() {
        let mut calls = carrier(Duration::ZERO);
        calls.place("+442079460100", "+447700900101").unwrap();
        let invite = requests(&mut calls).remove(0);
        respond(&mut calls, &invite, 180, None);
        calls.tick();
        let cancel = requests(&mut calls).remove(0);
        assert_eq!(cancel.method, Method::CANCEL);
        respond(&mut calls, &cancel, 200, None);
        respond(&mut calls, &invite, 487, None);
        assert!(calls.is_idle());
    }

    /// What came back to an INVITE, and when: status, Q.850 cause, phrase, seconds.
    type Seen = (u16, Option<u8>, String, u64);

    /// A carrier, and another in the place of the switch that calls this number of it, for so many seconds.
    async fn calling(number: &str, seconds: u64) -> (Calls, Calls, Vec<Seen>) {
        let mut called = carrier(Duration::from_secs(60));
        let mut switch = Calls::new(SWITCH_AT.parse().unwrap(), "127.0.0.1:5070".parse().unwrap(), Duration::from_secs(600));
        let began = Instant::now();
        switch.place(number, "+442079460100").unwrap();
        let mut seen = Vec::new();
        while began.elapsed() < Duration::from_secs(seconds) {
            exchange(&mut switch, &mut called, began, &mut seen);
            tokio::time::advance(Duration::from_millis(100)).await;
            switch.tick();
            called.tick();
        }
        (switch, called, seen)
    }

    fn exchange(switch: &mut Calls, called: &mut Calls, began: Instant, seen: &mut Vec<Seen>) {
        loop {
            let (there, back) = (switch.take_outbox(), called.take_outbox());
            if there.is_empty() && back.is_empty() {
                return;
            }
            for datagram in there {
                called.receive(SWITCH_AT.parse().unwrap(), &datagram.bytes);
            }
            for datagram in back {
                if let Message::Response(response) = Message::parse(&datagram.bytes).unwrap()
                    && response.headers.cseq().unwrap().method == Method::INVITE
                    && response.status != 100
                {
                    let failure = translate::failure(&response);
                    seen.push((failure.status, failure.q850, failure.text, began.elapsed().as_secs()));
                }
                switch.receive("127.0.0.1:5070".parse().unwrap(), &datagram.bytes);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_number_does_what_the_table_says() {
        let seen = |status: u16, q850: Option<u8>, at: u64| (status, q850, Response::new(status).reason, at);
        let answered = |rings: u16, at: u64| vec![seen(rings, None, 0), seen(200, None, at)];
        let expected = [
            ("200", answered(180, 2)),
            ("201", vec![seen(486, Some(17), 0)]),
            ("202", vec![seen(180, None, 0), seen(603, Some(21), 3)]),
            ("203", vec![seen(404, Some(1), 0)]),
            ("204", vec![seen(480, Some(20), 0)]),
            ("205", vec![seen(180, None, 0)]),
            ("206", answered(180, 8)),
            ("207", answered(183, 8)),
            ("208", answered(180, 0)),
            ("209", vec![(403, None, "No credit".to_owned(), 0)]),
            ("210", vec![seen(480, Some(29), 0)]),
        ];
        assert_eq!(expected.len(), callees::CALLEES.len());
        for (ending, wanted) in expected {
            let (_, mut called, got) = calling(&format!("+447700900{ending}"), 20).await;
            assert_eq!(got, wanted, "{ending}");
            let goes_on = matches!(ending, "200" | "205" | "206" | "207" | "208");
            assert_eq!(!called.is_idle(), goes_on, "{ending}");
            called.hang_up_all();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_switch_that_gives_up_and_one_that_hangs_up_leave_nothing() {
        for (number, last) in [("+447700900205", 487), ("+447700900200", 200)] {
            let (mut switch, mut called, mut seen) = calling(number, 5).await;
            switch.hang_up_all();
            exchange(&mut switch, &mut called, Instant::now(), &mut seen);
            assert_eq!(seen.last().unwrap().0, last);
            assert!(called.is_idle() && switch.is_idle());
        }
    }

    #[tokio::test]
    async fn the_networks_ringing_is_heard_before_the_answer_and_speech_after_it() {
        let mut called = carrier(Duration::from_secs(60));
        let mut switch = Calls::new(SWITCH_AT.parse().unwrap(), "127.0.0.1:5070".parse().unwrap(), Duration::from_secs(60));
        switch.place("+447700900207", "+442079460100").unwrap();
        exchange(&mut switch, &mut called, Instant::now(), &mut Vec::new());
        let heard = |calls: &Calls| calls.calls.values().next().unwrap().stream.heard().packets;
        let sound = |calls: &Calls| calls.calls.values().next().unwrap().sound;
        while heard(&switch) < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(sound(&called), Some(Sound::Ringing));
        let leg = *called.calls.keys().next().unwrap();
        called.session(leg, |session, cx| session.command(&SignalCommand::Answer, cx));
        exchange(&mut switch, &mut called, Instant::now(), &mut Vec::new());
        assert_eq!(sound(&called), Some(Sound::Speech));
    }
}
