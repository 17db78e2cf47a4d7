//! The rig: two endpoints with their sessions, a wire between them, one clock that jumps to the next thing to happen.

use cordboard_core::cx::{CountingIds, Cx, Millis};
use cordboard_core::ids::{LegId, TrunkId};
use cordboard_core::leg::{SignalCommand, SignalEvent};
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::{Endpoint, EndpointAction, EndpointConfig, Flow, Sources, User};
use cordboard_sip::message::{Message, Request, Response, Uri};
use cordboard_sip::sdp::{Law, LocalMedia, RemoteMedia};
use cordboard_sip::session::{OutgoingCall, Session, SessionAction};
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

pub const TRUNK: TrunkId = TrunkId(1);

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    A,
    B,
}

impl Who {
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// One switch.
pub struct Side {
    pub endpoint: Endpoint,
    pub sessions: HashMap<LegId, Session>,
    /// All that each leg heard, also after its end.
    pub events: HashMap<LegId, Vec<SignalEvent>>,
    pub media: HashMap<LegId, Vec<RemoteMedia>>,
    /// Legs in order of their making.
    pub legs: Vec<LegId>,
    /// INVITEs as they came.
    pub invites: Vec<Request>,
    /// What other parties than legs heard.
    pub news: Vec<EndpointAction>,
    pub flow: Flow,
    ids: CountingIds,
    ports: u16,
}

impl Side {
    fn new(local: &str, remote: &str, transport: Transport, seed: u128) -> Self {
        let (local, remote): (SocketAddr, SocketAddr) = (local.parse().unwrap(), remote.parse().unwrap());
        let sources = Sources { trunks: vec![(remote.ip(), TRUNK)], phones: HashSet::new() };
        Self {
            endpoint: Endpoint::new(EndpointConfig { sources, user_agent: "Cordboard".into(), ..EndpointConfig::default() }),
            sessions: HashMap::new(),
            events: HashMap::new(),
            media: HashMap::new(),
            legs: Vec::new(),
            invites: Vec::new(),
            news: Vec::new(),
            flow: Flow { transport, local, remote },
            ids: CountingIds(seed),
            ports: 10_000,
        }
    }

    fn local_media(&mut self) -> LocalMedia {
        self.ports += 2;
        LocalMedia::new(SocketAddr::new(self.flow.local.ip(), self.ports), 7)
    }

    fn deadline(&self) -> Option<Millis> {
        self.sessions.values().filter_map(Session::next_deadline).chain(self.endpoint.next_deadline()).min()
    }
}

/// A packet under way.
pub struct Packet {
    pub at: Millis,
    pub to: Who,
    pub bytes: Vec<u8>,
    order: u64,
}

/// Decides a packet's fate from its number and content: the delays of its copies; none is a loss.
pub type Fate = Box<dyn FnMut(u64, Who, &Message) -> Vec<Millis>>;

pub struct Pair {
    pub now: Millis,
    pub a: Side,
    pub b: Side,
    pub fate: Fate,
    /// What is sent to this address arrives as well: a connection that came from no address of its far side's own.
    pub connection: Option<SocketAddr>,
    wire: Vec<Packet>,
    sent: u64,
    /// `A>B INVITE` or `B>A 200 INVITE`, in order of sending.
    pub log: Vec<String>,
    /// The same messages whole.
    pub messages: Vec<(Who, Message)>,
}

impl Pair {
    pub fn new() -> Self {
        Self::over(Transport::Udp)
    }

    pub fn over(transport: Transport) -> Self {
        Self {
            now: 1_000,
            a: Side::new("192.0.2.1:5060", "192.0.2.2:5060", transport, 1 << 64),
            b: Side::new("192.0.2.2:5060", "192.0.2.1:5060", transport, 2 << 64),
            fate: Box::new(|_, _, _| vec![10]),
            connection: None,
            wire: Vec::new(),
            sent: 0,
            log: Vec::new(),
            messages: Vec::new(),
        }
    }

    pub fn side(&mut self, who: Who) -> &mut Side {
        match who {
            Who::A => &mut self.a,
            Who::B => &mut self.b,
        }
    }

    /// Loses what `lost` says; all else takes 10 ms.
    pub fn lose(&mut self, mut lost: impl FnMut(&str, Who) -> bool + 'static) {
        self.fate = Box::new(move |_, from, message| if lost(&title(message), from) { vec![] } else { vec![10] });
    }

    /// Calls from `who` to the other side; the leg of the calling side.
    pub fn call(&mut self, who: Who) -> LegId {
        self.call_offering(who, vec![Law::A, Law::Mu])
    }

    pub fn call_offering(&mut self, who: Who, laws: Vec<Law>) -> LegId {
        let now = self.now;
        let side = self.side(who);
        let call = OutgoingCall {
            target: Uri::sip("+4930123", side.flow.remote),
            flow: side.flow,
            only_way: false,
            caller_id: "+4420999".into(),
            display: Some("Caller".into()),
            routes: vec![],
            laws,
        };
        let local = side.local_media();
        let mut cx = Cx::new(now, 0, 0, &mut side.ids);
        let leg = LegId(cx.next_id());
        let (session, actions) = Session::outgoing(leg, call, local, &mut cx);
        side.sessions.insert(leg, session);
        side.legs.push(leg);
        self.perform(who, leg, actions);
        leg
    }

    pub fn command(&mut self, who: Who, leg: LegId, command: SignalCommand) {
        self.with(who, leg, |session, cx| session.command(&command, cx));
    }

    /// Does something with a session, if it still lives, and what follows from it.
    pub fn with(&mut self, who: Who, leg: LegId, act: impl FnOnce(&mut Session, &mut Cx<'_>) -> Vec<SessionAction>) {
        let now = self.now;
        let side = self.side(who);
        let mut cx = Cx::new(now, 0, 0, &mut side.ids);
        let Some(session) = side.sessions.get_mut(&leg) else { return };
        // A session is plain data: it goes on from its own text.
        let text = serde_json::to_string(session).unwrap();
        *session = serde_json::from_str(&text).unwrap();
        let actions = act(session, &mut cx);
        self.perform(who, leg, actions);
    }

    /// Does something with an endpoint, and what follows from it.
    pub fn endpoint(&mut self, who: Who, act: impl FnOnce(&mut Endpoint, &mut Cx<'_>) -> Vec<EndpointAction>) {
        let now = self.now;
        let side = self.side(who);
        let mut cx = Cx::new(now, 0, 0, &mut side.ids);
        let actions = act(&mut side.endpoint, &mut cx);
        self.spread(who, actions);
    }

    pub fn perform(&mut self, who: Who, leg: LegId, actions: Vec<SessionAction>) {
        let mut queue: VecDeque<SessionAction> = actions.into();
        while let Some(action) = queue.pop_front() {
            match action {
                SessionAction::Respond { key, response } => self.endpoint(who, |e, cx| e.respond(&key, response, cx)),
                SessionAction::Request { request, flow } => self.endpoint(who, |e, cx| e.request(User::Leg(leg), request, flow, cx)),
                SessionAction::Ack { request, flow } => self.endpoint(who, |e, cx| e.ack(request, flow, cx)),
                SessionAction::CancelRequest { reason } => self.endpoint(who, |e, cx| e.cancel(leg, reason, cx)),
                SessionAction::Register(dialog) => self.side(who).endpoint.register(dialog, leg),
                SessionAction::Media(media) => self.side(who).media.entry(leg).or_default().push(media),
                SessionAction::Event(event) => {
                    let events = self.side(who).events.entry(leg).or_default();
                    assert!(!events.contains(&SignalEvent::Closed), "{event:?} after the last event");
                    events.push(event.clone());
                    if event == SignalEvent::Closed {
                        assert!(self.side(who).sessions.remove(&leg).is_some_and(|s| s.is_closed()));
                        // The shell lets go of a leg once all of its last actions are done.
                        for action in std::mem::take(&mut queue) {
                            assert!(!matches!(action, SessionAction::Event(_)), "{action:?} after the last event");
                            self.perform(who, leg, vec![action]);
                        }
                        self.endpoint(who, |e, cx| e.forget(leg, cx));
                    }
                }
            }
        }
    }

    fn spread(&mut self, who: Who, actions: Vec<EndpointAction>) {
        for action in actions {
            match action {
                EndpointAction::Transmit { flow, bytes } => {
                    assert_eq!(flow.local, self.side(who).flow.local);
                    let there = self.side(who.other()).flow.local;
                    self.transmit(who, bytes, flow.remote == there || Some(flow.remote) == self.connection);
                }
                EndpointAction::Invite(call) => {
                    assert_eq!(call.trunk, TRUNK);
                    let now = self.now;
                    let side = self.side(who);
                    side.invites.push(call.invite.clone());
                    let (leg, key, local) = (call.leg, call.key, side.local_media());
                    let made = Session::incoming(call, local, &mut Cx::new(now, 0, 0, &mut side.ids));
                    match made {
                        Ok((session, actions)) => {
                            side.sessions.insert(leg, session);
                            side.legs.push(leg);
                            self.perform(who, leg, actions);
                        }
                        Err(response) => self.endpoint(who, |e, cx| e.respond(&key, *response, cx)),
                    }
                }
                EndpointAction::InDialog { leg, key, request, flow } => {
                    self.with(who, leg, |s, cx| s.on_request(key, &request, flow, cx));
                }
                EndpointAction::Ack { leg, request } => self.with(who, leg, |s, _| s.on_ack(&request)),
                EndpointAction::Cancelled { leg, key, .. } => self.with(who, leg, |s, _| s.on_cancel(&key)),
                EndpointAction::Response { user: User::Leg(leg), response } => {
                    self.with(who, leg, |s, cx| s.on_response(&response, cx));
                }
                EndpointAction::Failed { user: User::Leg(leg), method, cseq, why } => {
                    self.with(who, leg, |s, cx| s.on_failed(&method, cseq, why, cx));
                }
                EndpointAction::Response { user: User::Probe { .. }, .. }
                | EndpointAction::Failed { user: User::Probe { .. }, .. }
                | EndpointAction::Refused { .. }
                | EndpointAction::Shed
                | EndpointAction::Bound(_)
                | EndpointAction::WrongPassword { .. } => self.side(who).news.push(action),
            }
        }
    }

    fn transmit(&mut self, from: Who, bytes: Vec<u8>, arrives: bool) {
        // What answers a broken request carries its broken headers back.
        let Ok(message) = Message::parse(&bytes) else { return };
        self.log.push(format!("{} {}", if from == Who::A { "A>B" } else { "B>A" }, title(&message)));
        self.sent += 1;
        if arrives {
            for delay in (self.fate)(self.sent, from, &message) {
                self.put(from.other(), bytes.clone(), delay);
            }
        }
        self.messages.push((from, message));
    }

    /// Lays a packet on the wire.
    pub fn put(&mut self, to: Who, bytes: Vec<u8>, delay: Millis) {
        self.sent += 1;
        let (at, order) = (self.now + delay, self.sent);
        self.wire.push(Packet { at, to, bytes, order });
    }

    /// Goes on until nothing is due up to `until`.
    pub fn run_to(&mut self, until: Millis) {
        while let Some(next) = self.next().filter(|at| *at <= until) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now = until;
    }

    pub fn run(&mut self, millis: Millis) {
        self.run_to(self.now + millis);
    }

    fn next(&self) -> Option<Millis> {
        let wire = self.wire.iter().map(|p| p.at).min();
        [wire, self.a.deadline(), self.b.deadline()].into_iter().flatten().min()
    }

    fn step(&mut self) {
        let mut due: Vec<Packet> = Vec::new();
        let now = self.now;
        self.wire.retain_mut(|packet| {
            let arrived = packet.at <= now;
            if arrived {
                due.push(Packet { bytes: std::mem::take(&mut packet.bytes), ..*packet });
            }
            !arrived
        });
        due.sort_by_key(|p| (p.at, p.order));
        for packet in due {
            let flow = self.side(packet.to).flow;
            self.endpoint(packet.to, |e, cx| e.receive(&flow, &packet.bytes, cx));
        }
        for who in [Who::A, Who::B] {
            self.endpoint(who, |e, cx| e.tick(cx));
            for leg in self.side(who).sessions.keys().copied().collect::<Vec<_>>() {
                if self.side(who).sessions.get(&leg).and_then(Session::next_deadline).is_some_and(|at| at <= now) {
                    self.with(who, leg, Session::tick);
                }
            }
        }
    }

    pub fn events(&self, who: Who, leg: LegId) -> Vec<SignalEvent> {
        let side = match who {
            Who::A => &self.a,
            Who::B => &self.b,
        };
        side.events.get(&leg).cloned().unwrap_or_default()
    }

    pub fn count(&self, title: &str) -> usize {
        self.log.iter().filter(|l| *l == title).count()
    }

    /// The last message of that title.
    pub fn last(&self, title: &str) -> &Message {
        let at = self.log.iter().rposition(|l| l == title).unwrap_or_else(|| panic!("no {title} in {:#?}", self.log));
        &self.messages[at].1
    }

    pub fn last_request(&self, title: &str) -> &Request {
        match self.last(title) {
            Message::Request(request) => request,
            Message::Response(_) => panic!("a response"),
        }
    }

    pub fn last_response(&self, title: &str) -> &Response {
        match self.last(title) {
            Message::Response(response) => response,
            Message::Request(_) => panic!("a request"),
        }
    }

    /// A call from A that rings at B: the legs at A and at B.
    pub fn ringing(&mut self) -> (LegId, LegId) {
        let a = self.call(Who::A);
        self.run(50);
        let b = *self.b.legs.last().unwrap();
        self.command(Who::B, b, SignalCommand::Ring);
        self.run(50);
        (a, b)
    }

    /// A call from A to B that is up on both sides: the legs at A and at B.
    pub fn connected(&mut self) -> (LegId, LegId) {
        let (a, b) = self.ringing();
        self.command(Who::B, b, SignalCommand::Answer);
        self.run(50);
        assert_eq!(self.events(Who::A, a).last(), Some(&SignalEvent::Up));
        assert_eq!(self.events(Who::B, b), vec![SignalEvent::Up]);
        (a, b)
    }

    /// Nothing of any call is left: each leg heard its last event, and no transaction lingers.
    pub fn assert_all_closed(&mut self) {
        self.run(200_000);
        for side in [&self.a, &self.b] {
            assert!(side.sessions.is_empty(), "{:#?}\n{:#?}", side.sessions, self.log);
            for leg in &side.legs {
                assert_eq!(side.events.get(leg).and_then(|e| e.last()), Some(&SignalEvent::Closed));
            }
            assert_eq!(side.endpoint.transactions(), 0, "{:#?}", side.endpoint);
        }
    }
}

/// `INVITE` or `200 INVITE`.
pub fn title(message: &Message) -> String {
    match message {
        Message::Request(request) => request.method.to_string(),
        Message::Response(response) => format!("{} {}", response.status, response.headers.cseq().unwrap().method),
    }
}
