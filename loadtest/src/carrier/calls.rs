//! The calls that a carrier has placed: SIP through `cordboard-sip`, a stream of speech each, and what became of them in plain words.

use super::rtp::{Path, Stream};
use cordboard_core::cx::{Cx, Ids, Millis};
use cordboard_core::ids::{LegId, TrunkId};
use cordboard_core::leg::{SignalCommand, SignalEvent};
use cordboard_core::setup::Transport;
use cordboard_sip::endpoint::{Endpoint, EndpointAction, EndpointConfig, Flow, Sources, User};
use cordboard_sip::message::Uri;
use cordboard_sip::sdp::{Law, LocalMedia};
use cordboard_sip::session::{OutgoingCall, Session, SessionAction};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
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
    /// The customer hangs up then if nobody has answered.
    patience: Option<Millis>,
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
        let sources = Sources { trunks: vec![(target.ip(), SWITCH)], phones: Vec::new() };
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
        let stream = Stream::open(self.local.ip())?;
        self.placed += 1;
        let number = self.placed;
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
        let patience = placed + u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
        self.calls.insert(leg, Call { number, session, stream, placed, answered: None, patience: Some(patience) });
        self.perform(leg, actions);
        Ok(())
    }

    pub fn hang_up_all(&mut self) {
        let legs: Vec<LegId> = self.calls.keys().copied().collect();
        for leg in legs {
            self.hang_up(leg);
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
            if let Some(call) = self.calls.get_mut(&leg)
                && call.patience.is_some_and(|patience| patience <= now)
            {
                call.patience = None;
                info!("call {}: the customer has waited long enough", call.number);
                self.hang_up(leg);
            }
        }
    }

    /// When `tick` is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        let sessions = self.calls.values().flat_map(|call| [call.session.next_deadline(), call.patience]);
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
                EndpointAction::Invite { key, request, .. } => {
                    warn!("a call from the switch to {} was refused: this carrier only places calls", request.called());
                    let actions = self.with_cx(|this, cx| this.endpoint.respond(&key, request.response(404), cx));
                    self.perform_endpoint(actions);
                }
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
                // Only INVITEs of the switch can be cancelled, and they are refused at once; nothing is probed from here.
                EndpointAction::Cancelled { .. }
                | EndpointAction::Response { user: User::Probe { .. }, .. }
                | EndpointAction::Failed { user: User::Probe { .. }, .. } => {}
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
                    if let Some(call) = this.calls.get(&leg) {
                        call.stream.turn(Path { remote: Some(remote.addr), send: remote.direction.receives() });
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
                (call.answered, call.patience) = (Some(cx.now), None);
                info!("call {number}: answered after {} s", seconds(cx.now - call.placed));
            }
            SignalEvent::FarHold(true) => info!("call {number}: on hold"),
            SignalEvent::FarHold(false) => info!("call {number}: taken back"),
            SignalEvent::HungUp => info!("call {number}: the switch hung up"),
            SignalEvent::Failed(failure) => {
                let cause = failure.q850.map(|cause| format!(", Q.850 cause {cause}")).unwrap_or_default();
                warn!("call {number}: failed with {} {}{cause}", failure.status, failure.text);
            }
            // The calling side is never cancelled by the called one.
            SignalEvent::Cancelled => {}
            SignalEvent::Digit(digit) => info!("call {number}: digit {digit}"),
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
    use cordboard_sip::message::{Field, Message, Method, Request};
    use cordboard_sip::sdp;

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
            response.body = sdp::answer(&request.body, &local).unwrap().0.into_bytes();
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
}
