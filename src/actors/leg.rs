//! A leg's actor: the machine, its SIP dialog where it has one, and its place in the media engine.

use super::call::{CallActor, LegQuality};
use super::gauges;
use super::shell::Deliver;
use super::sip::{FromLeg, SipActor};
use super::switch::Switch;
use super::timer::Timer;
use actix::prelude::*;
use cordboard_core::call::{self, Arrival, Route, Way};
use cordboard_core::cx::Cx;
use cordboard_core::ids::{Address, AgentId, CallId, LegId, PeerId, TrunkId};
use cordboard_core::leg::{self, Command, Failure, Input, Kind, Leg, Output, SUBSCRIBER_ABSENT, SignalCommand};
use cordboard_core::message::Tell;
use cordboard_core::setup::{PhoneContact, PhoneSetup, Transport};
use cordboard_media::{MediaError, MediaEvent, RtpRemote};
use cordboard_sip::endpoint::{Flow, NewCall, ServerKey, Why};
use cordboard_sip::message::{Method, Request, Response, Uri};
use cordboard_sip::sdp::{Description, Law, LocalMedia, RemoteMedia};
use cordboard_sip::session::{OutgoingCall, Session, SessionAction};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What comes to a leg.
pub enum LegInput {
    Command(Command),
    Sip(Box<SipInput>),
    Media(MediaEvent),
}

pub enum SipInput {
    Request { key: ServerKey, request: Request, flow: Flow },
    Response(Response),
    Ack(Request),
    Cancelled(ServerKey),
    Failed { method: Method, cseq: u32, why: Why },
}

pub struct LegActor {
    id: LegId,
    call: CallId,
    machine: Leg,
    dialog: Option<Dialog>,
    switch: Arc<Switch>,
    first: Vec<Output>,
    timer: Timer,
}

/// Where a call goes out, and whose mobile it is for (C7, E2).
pub struct Line {
    pub agent: Option<AgentId>,
    pub trunk: TrunkId,
    pub host: SocketAddr,
    pub transport: Transport,
}

/// The SIP side of a leg.
struct Dialog {
    session: Session,
    sip: Addr<SipActor>,
    first: Vec<SessionAction>,
}

impl LegActor {
    /// An INVITE from a trunk: its leg and its call. The endpoint sent 100 Trying already.
    pub fn inbound(switch: &Arc<Switch>, sip: Addr<SipActor>, new: NewCall) {
        let (leg, trunk, key) = (new.leg, new.trunk, new.key);
        let refuse = |response: Response| {
            sip.do_send(FromLeg::Respond { key, response });
            sip.do_send(FromLeg::Forget(leg));
        };
        let offered = new.offer.as_ref().and_then(Description::audio_address);
        let local = match switch.media.open_rtp_for_new_call(leg, offered) {
            Ok(addr) => local_media(switch, addr),
            Err(MediaError::PortsExhausted) => {
                metrics::counter!(super::SHED).increment(1);
                return refuse(new.invite.shed(switch.new_id()));
            }
            Err(why) => {
                tracing::error!(%why, "no RTP port for a new call");
                return refuse(new.invite.response(503));
            }
        };
        let caller = new.invite.caller().and_then(|from| from.uri.user()).unwrap_or_else(|| "anonymous".into());
        let contact = new.invite.called();
        let (session, first) = match switch.with_cx(|cx| Session::incoming(new, local, cx)) {
            Ok(made) => made,
            Err(refusal) => {
                switch.media.close(leg);
                return refuse(*refusal);
            }
        };
        let call = CallId(switch.new_id());
        tracing::debug!(%call, %leg, caller = %crate::api::mask::mask(&caller), "a call arrives");
        let way = way_of(switch, &contact, trunk, &caller);
        let (machine, outputs) = Leg::open(leg, call, Kind::Trunk { trunk, agent: None });
        Self::begin(switch, machine, outputs, Some(Dialog { session, sip, first }));
        CallActor::begin(switch, Arrival { call, leg, trunk: Some(trunk), caller, contact, way });
    }

    /// The agent's browser takes part in a call.
    pub fn browser(switch: &Arc<Switch>, leg: LegId, call: CallId, agent: AgentId, peer: PeerId) {
        let (machine, outputs) = Leg::open(leg, call, Kind::Browser { agent, peer });
        Self::begin(switch, machine, outputs, None);
    }

    /// A SIP phone is called: an agent's, or one that is nobody's (E4).
    pub fn phone(switch: &Arc<Switch>, leg: LegId, call: CallId, agent: Option<AgentId>, phone: PhoneSetup, caller: String) {
        let way = way_to(switch, &phone);
        let registers = phone.contact == PhoneContact::Registered;
        if way.is_none() && registers {
            tracing::info!(%call, phone = %phone.name, "the phone is not registered");
            let text = "the phone is not registered".into();
            let absent = Failure { status: 480, q850: Some(SUBSCRIBER_ABSENT), text, heard: false };
            switch.tell_call(call, call::Event::Leg(leg, leg::Event::Failed(absent)));
            switch.tell_call(call, call::Event::LegGone(leg));
            return;
        }
        Self::outgoing(switch, leg, call, Kind::Phone { agent, phone }, way, registers, caller);
    }

    /// A number outside is called over a trunk (E1).
    pub fn trunk(switch: &Arc<Switch>, leg: LegId, call: CallId, line: Line, caller: String, called: &str) {
        tracing::info!(%call, %leg, called = %crate::api::mask::mask(called), "a call goes out");
        let Line { agent, trunk, host, transport } = line;
        let local = switch.directory.read().sip_local.get(&transport).copied();
        let flow = local.map(|local| Flow { transport, local, remote: host });
        let way = flow.map(|flow| (Uri::sip(called, host), flow));
        Self::outgoing(switch, leg, call, Kind::Trunk { trunk, agent }, way, false, caller);
    }

    fn outgoing(switch: &Arc<Switch>, leg: LegId, call: CallId, kind: Kind, way: Option<(Uri, Flow)>, only_way: bool, caller: String) {
        let sip = switch.directory.read().sip.clone();
        let media = switch.media.open_rtp(leg);
        let (Some(sip), Some((target, flow)), Ok(media)) = (sip, way, media) else {
            tracing::error!(%call, ?kind, "nobody can be called there: no transport or no RTP port");
            switch.media.close(leg);
            switch.tell_call(call, call::Event::LegGone(leg));
            return;
        };
        let outgoing = OutgoingCall {
            target,
            flow,
            only_way,
            caller_id: caller,
            display: None,
            routes: Vec::new(),
            // The browsers' law first: no conversion.
            laws: vec![Law::Mu, Law::A],
        };
        let media = local_media(switch, media);
        let (session, first) = switch.with_cx(|cx| Session::outgoing(leg, outgoing, media, cx));
        let (machine, outputs) = Leg::open(leg, call, kind);
        Self::begin(switch, machine, outputs, Some(Dialog { session, sip, first }));
    }

    fn begin(switch: &Arc<Switch>, machine: Leg, first: Vec<Output>, dialog: Option<Dialog>) {
        let (id, call) = (machine.id, machine.call);
        let actor = Self { id, call, machine, dialog, switch: switch.clone(), first, timer: Timer::default() };
        // Registered in the same step, so that no answer comes before the leg is known.
        let addr = actor.start();
        switch.directory.write().legs.insert(id, addr);
        gauges::LEGS.increment(1);
    }

    fn tell(&self, event: call::Event) {
        self.switch.tell(Address::Leg(self.id), Tell::Call(self.call, event));
    }

    /// Runs one step; a panic ends this leg and its call, cleanly.
    fn guarded(&mut self, ctx: &mut Context<Self>, step: impl FnOnce(&mut Self, &mut Cx)) {
        let switch = self.switch.clone();
        let done = switch.with_cx(|cx| catch_unwind(AssertUnwindSafe(|| step(self, cx))));
        if done.is_err() {
            tracing::error!(call = %self.call, leg = %self.id, "the leg panicked and ends");
            let last = switch.with_cx(|cx| {
                catch_unwind(AssertUnwindSafe(|| {
                    self.dialog.as_mut().map(|dialog| dialog.session.command(&SignalCommand::HangUp { q850: Some(41) }, cx))
                }))
            });
            for action in last.ok().flatten().unwrap_or_default() {
                self.signal(action);
            }
            self.switch.media.close(self.id);
            self.tell(call::Event::LegGone(self.id));
            return self.stop(ctx);
        }
        if self.machine.is_closed() {
            self.stop(ctx);
        } else {
            self.arm(ctx);
        }
    }

    fn stop(&mut self, ctx: &mut Context<Self>) {
        if let Some(dialog) = &self.dialog {
            dialog.sip.do_send(FromLeg::Forget(self.id));
        }
        self.switch.directory.write().legs.remove(&self.id);
        gauges::LEGS.decrement(1);
        ctx.stop();
    }

    /// Feeds the machine, and the dialog with what the machine wants, until both are quiet.
    fn run(&mut self, input: Input, cx: &mut Cx) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let outputs = self.machine.handle(input, cx);
            inputs.extend(self.perform(outputs, cx));
        }
    }

    /// Performs outputs; gives the events that the dialog answers with.
    fn perform(&mut self, outputs: Vec<Output>, cx: &mut Cx) -> Vec<Input> {
        let mut inputs = Vec::new();
        for output in outputs {
            match output {
                Output::Signal(command) => {
                    let actions = self.dialog.as_mut().map(|dialog| dialog.session.command(&command, cx)).unwrap_or_default();
                    inputs.extend(actions.into_iter().filter_map(|action| self.signal(action)));
                }
                Output::Attach(peer) => self.switch.media.attach_peer(self.id, peer),
                Output::Detach => self.switch.media.close(self.id),
                Output::Tell(event) => self.tell(call::Event::Leg(self.id, event)),
            }
        }
        inputs
    }

    fn dialog(&mut self, cx: &mut Cx, step: impl FnOnce(&mut Session, &mut Cx) -> Vec<SessionAction>) {
        let actions = self.dialog.as_mut().map(|dialog| step(&mut dialog.session, cx)).unwrap_or_default();
        self.signals(actions, cx);
    }

    fn signals(&mut self, actions: Vec<SessionAction>, cx: &mut Cx) {
        for action in actions {
            if let Some(input) = self.signal(action) {
                self.run(input, cx);
            }
        }
    }

    /// Performs what the dialog wants; gives what the machine should hear.
    fn signal(&self, action: SessionAction) -> Option<Input> {
        let sip = &self.dialog.as_ref()?.sip;
        match action {
            SessionAction::Respond { key, response } => sip.do_send(FromLeg::Respond { key, response }),
            SessionAction::Request { request, flow } => sip.do_send(FromLeg::Request { leg: self.id, request, flow }),
            SessionAction::Ack { request, flow } => sip.do_send(FromLeg::Ack { request, flow }),
            SessionAction::CancelRequest { reason } => sip.do_send(FromLeg::Cancel { leg: self.id, reason }),
            SessionAction::Register(dialog) => sip.do_send(FromLeg::Register { dialog, leg: self.id }),
            SessionAction::Media(remote) => self.switch.media.set_remote(self.id, rtp_remote(&remote)),
            SessionAction::Event(event) => return Some(Input::Signal(event)),
        }
        None
    }

    fn sip(&mut self, input: SipInput, cx: &mut Cx) {
        self.dialog(cx, |session, cx| match input {
            SipInput::Request { key, request, flow } => session.on_request(key, &request, flow, cx),
            SipInput::Response(response) => session.on_response(&response, cx),
            SipInput::Ack(request) => session.on_ack(&request),
            SipInput::Cancelled(key) => session.on_cancel(&key),
            SipInput::Failed { method, cseq, why } => session.on_failed(&method, cseq, why, cx),
        });
    }

    fn media(&mut self, event: MediaEvent, cx: &mut Cx) {
        match event {
            MediaEvent::Attached { .. } => self.run(Input::Attached, cx),
            MediaEvent::AttachFailed { .. } => self.run(Input::AttachFailed, cx),
            MediaEvent::Played { leg, token } => self.tell(call::Event::Played { leg, token }),
            MediaEvent::Quality { leg, quality } => {
                if let Some(addr) = self.switch.directory.read().calls.get(&self.call) {
                    addr.do_send(LegQuality { leg, quality });
                }
            }
            // Silence alone ends nothing: the far side is asked whether the dialog still stands (G5).
            MediaEvent::RtpSilent { .. } => self.dialog(cx, Session::probe),
            MediaEvent::Digit { digit, .. } => self.run(Input::Key(digit), cx),
            MediaEvent::PeerAnswer { .. }
            | MediaEvent::PeerFailed { .. }
            | MediaEvent::PeerUp { .. }
            | MediaEvent::PeerLost { .. }
            | MediaEvent::RecordingReady { .. }
            | MediaEvent::RecordingFailed { .. } => tracing::error!("a media event that is no leg's"),
        }
    }

    fn arm(&mut self, ctx: &mut Context<Self>) {
        let next = self.dialog.as_ref().and_then(|dialog| dialog.session.next_deadline());
        self.timer.arm(next, &self.switch, ctx, |leg, ctx| {
            leg.timer.fired();
            leg.guarded(ctx, |leg, cx| leg.dialog(cx, Session::tick));
        });
    }
}

impl Actor for LegActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let outputs = std::mem::take(&mut self.first);
        let actions = self.dialog.as_mut().map(|dialog| std::mem::take(&mut dialog.first)).unwrap_or_default();
        self.guarded(ctx, |leg, cx| {
            leg.perform(outputs, cx);
            leg.signals(actions, cx);
        });
    }
}

impl Handler<Deliver<LegInput>> for LegActor {
    type Result = ();

    fn handle(&mut self, Deliver(input): Deliver<LegInput>, ctx: &mut Context<Self>) {
        self.guarded(ctx, |leg, cx| match input {
            LegInput::Command(command) => leg.run(Input::Command(command), cx),
            LegInput::Sip(input) => leg.sip(*input, cx),
            LegInput::Media(event) => leg.media(event, cx),
        });
    }
}

/// The phone's address and the way there; none when it is not registered, or there is no such transport here.
fn way_to(switch: &Switch, phone: &PhoneSetup) -> Option<(Uri, Flow)> {
    let directory = switch.directory.read();
    match phone.contact {
        PhoneContact::Fixed { addr, transport } => {
            let local = directory.sip_local.get(&transport).copied()?;
            Some((Uri::sip(&phone.user, addr), Flow { transport, local, remote: addr }))
        }
        PhoneContact::Registered => directory.registered.get(&phone.user).map(|binding| (binding.contact.clone(), binding.flow)),
    }
}

fn local_media(switch: &Switch, addr: std::net::SocketAddr) -> LocalMedia {
    // The session's id in `o=` is a number of at most 63 bits, so that nobody reads it as negative.
    let session = u64::try_from(switch.new_id() & 0x7fff_ffff_ffff_ffff).unwrap_or_default();
    LocalMedia::new(addr, session)
}

fn rtp_remote(remote: &RemoteMedia) -> RtpRemote {
    RtpRemote {
        addr: remote.addr,
        rtcp: remote.rtcp,
        law: match remote.law {
            Law::Mu => cordboard_media::Law::Mu,
            Law::A => cordboard_media::Law::A,
        },
        payload_type: remote.payload_type,
        dtmf_type: remote.dtmf_type,
        // The direction is the far side's: it receives what we send.
        send: remote.direction.receives(),
        receive: remote.direction.sends(),
    }
}

/// The number, then the blocklist, then the number's group (C1). A DID is compared by its digits, with or without the leading plus.
fn way_of(switch: &Switch, contact: &str, trunk: TrunkId, caller: &str) -> Way {
    let digits = |number: &str| number.chars().filter(char::is_ascii_digit).collect::<String>();
    let called = digits(contact);
    let directory = switch.directory.read();
    let fits = directory.numbers.iter().filter(|number| digits(&number.did) == called && number.trunk.is_none_or(|own| own == trunk));
    let Some(number) = fits.max_by_key(|number| number.trunk.is_some()) else { return Way::In(None) };
    if directory.blocklist.bars(caller, switch.wall()) {
        return Way::Barred(number.group);
    }
    let last_agent = switch.last_served.lock().get(caller, number.group);
    Way::In(Some(Route { group: number.group, early_media: number.early_media, last_agent }))
}
