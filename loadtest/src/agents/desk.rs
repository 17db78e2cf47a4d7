//! One scripted agent at the workstation's protocol: logs in, goes online, takes calls.

use super::Report;
use super::caller::Caller;
use super::moves::{Move, Plot};
use super::voice::{Voice, VoiceError};
use super::wire::{Agent, Consult, FromSwitch, Offer, Phase, Session, Tell};
use crate::browser::booth::Booth;
use crate::story::BEAT;
use actix_codec::Framed;
use actix_service::{Service, fn_service};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::error::{WsClientError, WsProtocolError};
use awc::http::{StatusCode, Uri, header};
use awc::ws::{Codec, Frame, Message};
use awc::{BoxedSocket, Client, Connector};
use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// Logging in hashes a password, and a hundred agents do.
const PATIENCE: Duration = Duration::from_secs(60);
/// A snapshot with all its sessions is well below.
const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Who an agent is and how it behaves.
pub struct Script {
    /// Such as `http://127.0.0.1:8080`, without a path.
    pub url: String,
    pub email: String,
    pub entry: Entry,
    /// The agent's number among the scripted ones.
    pub agent: u32,
    pub media: Media,
    pub plot: Plot,
    /// The group that takes transfers and consultations; none: there are none.
    pub second: Option<String>,
    /// The flow of self-service; none: there is none.
    pub flow: Option<i32>,
    /// Who only calls out.
    pub caller: Option<Caller>,
}

/// How agents come in.
#[derive(Clone)]
pub enum Entry {
    /// By a login with the password that all of them have.
    Password(String),
    /// By sessions that were made beforehand: each one's cookie, by address.
    Sessions(Arc<HashMap<String, String>>),
}

/// Where an agent's voice goes.
#[derive(Clone)]
pub enum Media {
    /// Over WebRTC from that address; the agent sends a tone of so many hertz.
    Browser { hertz: u32, host: Ipv4Addr },
    /// The same by a line of the booth, which somebody else plays on.
    Line(Booth),
    /// Over a SIP phone that somebody else plays.
    Phone,
}

/// What an agent has done.
#[derive(Serialize, Default, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    pub agent: String,
    pub tone: u32,
    pub offers: u32,
    pub answered: u32,
    pub ended: u32,
    pub heard_seconds: f64,
}

#[derive(Debug)]
pub struct DeskError(String);

impl Display for DeskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DeskError {}

impl From<VoiceError> for DeskError {
    fn from(error: VoiceError) -> Self {
        Self(error.to_string())
    }
}

pub fn failed(what: &str, error: impl Display) -> DeskError {
    DeskError(format!("{what}: {error}"))
}

/// The session's cookie. A switch that holds logins up (A6) is asked again when it says.
pub async fn log_in(client: &Client, script: &Script) -> Result<String, DeskError> {
    let password = match &script.entry {
        Entry::Password(password) => password,
        Entry::Sessions(cookies) => {
            return cookies.get(&script.email).cloned().ok_or_else(|| DeskError(format!("{} has no session", script.email)));
        }
    };
    let form = json!({ "email": script.email, "password": password });
    let response = loop {
        let request = client.post(format!("{}/api/v1/login", script.url)).insert_header((header::ORIGIN, script.url.as_str()));
        let response = request.send_json(&form).await.map_err(|error| failed("logging in", error))?;
        let later = response.headers().get(header::RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        match later.filter(|_| response.status() == StatusCode::TOO_MANY_REQUESTS) {
            Some(seconds) => sleep(Duration::from_secs(seconds)).await,
            None => break response,
        }
    };
    if !response.status().is_success() {
        return Err(failed("logging in", response.status()));
    }
    let cookie = response.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok()?.split(';').next());
    cookie.map(str::to_owned).ok_or_else(|| DeskError("logging in: no cookie".into()))
}

/// Its connections send at once, as a browser's do, and there may be any number of them.
pub fn client() -> Client {
    let tcp = actix_tls::connect::Connector::default().service();
    let at_once = fn_service(move |to: ConnectInfo<Uri>| {
        let connecting = tcp.call(to);
        async move {
            let connection: Connection<Uri, TcpStream> = connecting.await?;
            connection.io_ref().set_nodelay(true).map_err(ConnectError::Io)?;
            Ok::<_, ConnectError>(connection)
        }
    });
    Client::builder().connector(Connector::new().connector(at_once).limit(0)).timeout(PATIENCE).finish()
}

/// A page of an agent, open.
pub struct Desk {
    script: Script,
    socket: Framed<BoxedSocket, Codec>,
    voice: Option<Path>,
    reports: mpsc::UnboundedSender<Report>,
    tally: Tally,
    expected: u32,
    asked: u32,
    /// The agent asked for calls, once its peer was up if it has one.
    online: bool,
    /// The agent was available, once at least.
    available: bool,
    /// The offer that rings, and when it is answered.
    rings: Option<(Instant, String)>,
    in_call: Option<InCall>,
    /// The second group's id.
    second: Option<i32>,
}

/// A voice path.
enum Path {
    Voice(Voice),
    Line(Booth, u32),
}

impl Path {
    async fn offer(&mut self) -> Result<String, DeskError> {
        match self {
            Self::Voice(voice) => Ok(voice.offer().await?),
            Self::Line(booth, agent) => booth.offer(*agent).await.map_err(|error| failed("a browser's line", error)),
        }
    }

    async fn answered(&self, sdp: String) -> Result<(), DeskError> {
        match self {
            Self::Voice(voice) => voice.answered(sdp).await?,
            Self::Line(booth, agent) => booth.answered(*agent, sdp),
        }
        Ok(())
    }

    async fn close(self) -> Result<(), DeskError> {
        match self {
            Self::Voice(voice) => voice.close().await?,
            Self::Line(booth, agent) => booth.close(agent),
        }
        Ok(())
    }
}

struct InCall {
    call: String,
    /// What is still to be done, the next first.
    plan: VecDeque<(Instant, Move)>,
    consulted: bool,
    /// The customer was sent into self-service.
    served: bool,
}

impl Desk {
    pub async fn open(script: Script, client: &Client, cookie: &str, reports: mpsc::UnboundedSender<Report>) -> Result<Self, DeskError> {
        let voice = match &script.media {
            Media::Browser { hertz, host } => Some(Path::Voice(Voice::new(*hertz, *host).await?)),
            Media::Line(booth) => Some(Path::Line(booth.clone(), script.agent)),
            Media::Phone => None,
        };
        let request = client.ws(format!("{}/ws", script.url)).origin(script.url.as_str()).header(header::COOKIE, cookie);
        let opened = request.max_frame_size(LARGEST_MESSAGE).connect().await;
        let (_, socket) = opened.map_err(|error| match error {
            WsClientError::InvalidResponseStatus(status) => failed("opening the socket", status),
            other => failed("opening the socket", other),
        })?;
        let tone = if let Media::Browser { hertz, .. } = script.media { hertz } else { 0 };
        let tally = Tally { agent: script.email.clone(), tone, ..Tally::default() };
        Ok(Self {
            script,
            socket,
            voice,
            reports,
            tally,
            expected: 0,
            asked: 0,
            online: false,
            available: false,
            rings: None,
            in_call: None,
            second: None,
        })
    }

    /// Works until it is told to stop.
    pub async fn work(mut self, mut stop: watch::Receiver<bool>) -> Result<Tally, DeskError> {
        loop {
            let moves = self.in_call.as_ref().and_then(|talking| talking.plan.front()).map(|(at, _)| *at);
            tokio::select! {
                frame = self.socket.next() => self.take(frame).await?,
                () = at(self.rings.as_ref().map(|(at, _)| *at)) => self.answer().await?,
                () = at(moves) => self.moves().await?,
                () = due(self.script.caller.as_mut()) => self.dial().await?,
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        if let Some(Path::Voice(voice)) = &self.voice {
            self.tally.heard_seconds = voice.heard().as_secs_f64();
        }
        self.ask(json!({ "type": "setState", "state": "offline", "breakReason": null })).await?;
        self.send(Message::Close(None)).await?;
        if let Some(voice) = self.voice {
            voice.close().await?;
        }
        Ok(self.tally)
    }

    /// Makes the agent available and leaves: who answers on a SIP phone needs no page.
    pub async fn bring_online(mut self) -> Result<(), DeskError> {
        while !self.available {
            let frame = self.socket.next().await;
            self.take(frame).await?;
        }
        self.send(Message::Close(None)).await
    }

    async fn take(&mut self, frame: Option<Result<Frame, WsProtocolError>>) -> Result<(), DeskError> {
        match frame {
            Some(Ok(Frame::Text(text))) => self.read(&text).await,
            Some(Ok(Frame::Ping(bytes))) => self.send(Message::Pong(bytes)).await,
            Some(Ok(Frame::Pong(_) | Frame::Binary(_) | Frame::Continuation(_))) => Ok(()),
            Some(Ok(Frame::Close(reason))) => Err(DeskError(format!("the switch closed the socket: {reason:?}"))),
            Some(Err(error)) => Err(failed("the socket", error)),
            None => Err(DeskError("the socket is gone".into())),
        }
    }

    async fn read(&mut self, text: &[u8]) -> Result<(), DeskError> {
        let FromSwitch { seq, tell } = serde_json::from_slice(text).map_err(|error| failed("a message", error))?;
        if seq != self.expected {
            return Err(DeskError(format!("message {seq} came where {} was due", self.expected)));
        }
        self.expected += 1;
        match tell {
            Tell::Snapshot { agent: Agent { state, reason } } => {
                match &mut self.voice {
                    Some(voice) => {
                        let sdp = voice.offer().await?;
                        self.ask(json!({ "type": "openPeer", "sdp": sdp })).await?;
                    }
                    None => self.go_online().await?,
                }
                self.state(&state, reason);
                // Only who hands calls on needs the groups.
                if self.script.second.is_some() {
                    self.ask(json!({ "type": "targets", "search": "" })).await?;
                }
            }
            Tell::Targets { groups } => {
                let second = groups.into_iter().find(|group| Some(&group.name) == self.script.second.as_ref());
                self.second = second.map(|group| group.id);
            }
            Tell::PeerAnswer { sdp } => {
                if let Some(voice) = &self.voice {
                    voice.answered(sdp).await?;
                }
            }
            Tell::Peer { state } => self.peer(&state).await?,
            Tell::Agent(Agent { state, reason }) => self.state(&state, reason),
            Tell::Offer { offer: Some(Offer { offer, caller, automatic }) } => {
                self.tally.offers += 1;
                self.report(Report::Rings { caller });
                // A telephone is lifted, not clicked.
                if !automatic && self.voice.is_some() {
                    self.rings = Some((Instant::now() + self.script.plot.answers_after(), offer));
                }
            }
            Tell::Offer { offer: None } => self.rings = None,
            Tell::Session(session) => self.session(session).await?,
            // What was asked passed the news of the call's end on its way: a person clicks so too.
            Tell::Refused { code } if code == "call_over" && self.in_call.is_none() => {}
            Tell::Refused { code } if code == "offer_gone" => {}
            Tell::Refused { code } => self.problem(format!("refused: {code}")),
            Tell::TakenOver => return Err(DeskError("another login took the session over".into())),
            Tell::Queues { .. } | Tell::Other => {}
        }
        Ok(())
    }

    async fn peer(&mut self, state: &str) -> Result<(), DeskError> {
        match state {
            "up" if !self.online => self.go_online().await?,
            "lost" => self.problem("the peer is lost".into()),
            _ => {}
        }
        Ok(())
    }

    async fn go_online(&mut self) -> Result<(), DeskError> {
        self.online = true;
        self.ask(json!({ "type": "setState", "state": "available", "breakReason": null })).await
    }

    fn state(&mut self, state: &str, reason: Option<String>) {
        match state {
            "available" => {
                self.available = true;
                if let Some(caller) = &mut self.script.caller {
                    caller.rest();
                }
                self.report(Report::Available(self.script.email.clone()));
            }
            "inLine" | "afterCallWork" => {}
            _ if self.available => self.problem(format!("the agent is {state}: {}", reason.unwrap_or_default())),
            _ => {}
        }
    }

    async fn session(&mut self, session: Session) -> Result<(), DeskError> {
        let Session { call, phase, caller, group, consult, service } = session;
        let in_service = service.is_some_and(|service| service.running);
        let known = self.in_call.as_mut().filter(|talking| talking.call == call);
        match (phase, known) {
            (Phase::Talking, None) => {
                self.tally.answered += 1;
                self.report(Report::Talking { agent: self.script.agent, caller: caller.clone() });
                // Who works in the second group takes what is handed on, and hands nothing on.
                let turns = self.second.is_some() && group != self.script.second;
                let now = Instant::now();
                let plan = self.script.plot.plan(&caller, turns, self.voice.is_some());
                let plan = plan.into_iter().map(|(after, next)| (now + after, next)).collect();
                self.in_call = Some(InCall { call, plan, consulted: false, served: false });
            }
            (Phase::Talking, Some(talking)) => {
                if let Some(Consult { reached, customer_left }) = consult.filter(|_| group != self.script.second) {
                    let up = reached == "up" && !std::mem::replace(&mut talking.consulted, true);
                    // The two have nothing to say to each other without a customer.
                    let next = if customer_left { Some(Move::HangUp) } else { up.then_some(Move::Complete) };
                    if let Some(next) = next {
                        talking.plan = VecDeque::from([(Instant::now() + BEAT, next)]);
                    }
                }
                if in_service && !std::mem::replace(&mut talking.served, true) {
                    self.report(Report::SelfService { caller });
                }
            }
            (Phase::Ended, Some(_)) => {
                self.tally.ended += 1;
                self.in_call = None;
                if in_service {
                    self.problem(format!("the call of {caller} ended in self-service"));
                }
                self.complete(call).await?;
            }
            // Nobody was there to talk to: who was called did not answer, or who called gave up as it rang.
            (Phase::Ended, None) => self.complete(call).await?,
            (Phase::Reconnecting, _) => self.problem("the customer hears music: the agent's voice path is away".into()),
            (Phase::Dialling | Phase::Ringing | Phase::Connecting, _) => {}
        }
        Ok(())
    }

    /// The desk is cleared for the next customer (D8).
    async fn complete(&mut self, call: String) -> Result<(), DeskError> {
        self.ask(json!({ "type": "completeService", "call": call })).await
    }

    /// E1, with the caller ID that the switch chooses.
    async fn dial(&mut self) -> Result<(), DeskError> {
        let Some(caller) = &mut self.script.caller else { return Ok(()) };
        let call = caller.dial();
        self.report(Report::Dials(call));
        self.ask(json!({ "type": "dial", "to": call.number(), "callerId": null })).await
    }

    async fn answer(&mut self) -> Result<(), DeskError> {
        let Some((_, offer)) = self.rings.take() else { return Ok(()) };
        self.ask(json!({ "type": "answer", "offer": offer })).await
    }

    async fn moves(&mut self) -> Result<(), DeskError> {
        let Some(talking) = &mut self.in_call else { return Ok(()) };
        let Some((_, now)) = talking.plan.pop_front() else { return Ok(()) };
        let ask = now.ask(&talking.call, self.second, self.script.flow);
        self.ask(ask).await
    }

    async fn ask(&mut self, ask: Value) -> Result<(), DeskError> {
        self.asked += 1;
        let request = json!({ "id": self.asked, "ask": ask });
        self.send(Message::Text(request.to_string().into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), DeskError> {
        self.socket.send(message).await.map_err(|error| failed("the socket", error))
    }

    fn problem(&self, what: String) {
        self.report(Report::Problem { agent: self.script.email.clone(), what });
    }

    fn report(&self, report: Report) {
        // Nobody listens any more: the program ends.
        let _ = self.reports.send(report);
    }
}

async fn due(caller: Option<&mut Caller>) {
    match caller {
        Some(caller) => caller.due().await,
        None => std::future::pending().await,
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
