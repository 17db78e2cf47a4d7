//! The SIP endpoint's actor: owns all transactions, hands requests and responses to the legs they belong to.

use super::leg::{LegActor, LegInput, SipInput};
use super::shell::Deliver;
use super::switch::Switch;
use super::timer::Timer;
use crate::net::{NetEvent, Sockets};
use actix::prelude::*;
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::ids::{LegId, TrunkId};
use cordboard_core::setup::Transport;
use cordboard_core::trunk;
use cordboard_core::turns::Turns;
use cordboard_db::PhoneBindings;
use cordboard_sip::endpoint::{DialogId, Endpoint, EndpointAction, Flow, ServerKey, Sources, User};
use cordboard_sip::message::{Request, Response};
use cordboard_sip::registrar::{Account, Binding, Bound};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// How often the switch's lateness is measured.
const MEASURE_EVERY: Millis = 20;

pub struct SipActor {
    endpoint: Endpoint,
    sockets: Sockets,
    switch: Arc<Switch>,
    timer: Timer,
    /// New calls.
    turns: Turns<(Flow, Vec<u8>)>,
    idle: Arc<Idle>,
    /// The longest that something from the net waited for its turn, since that was last measured.
    waited: Millis,
}

/// Tells the endpoint when the actors' thread has nothing else to do.
#[derive(Default)]
pub struct Idle {
    /// A new call waits for it.
    wanted: AtomicBool,
    bell: Notify,
}

impl Idle {
    /// Whether the thread has something to do instead.
    pub fn about_to_sleep(&self) -> bool {
        let wanted = self.wanted.swap(false, Ordering::Relaxed);
        if wanted {
            self.bell.notify_one();
        }
        wanted
    }
}

/// There is time for a new call.
#[derive(Message)]
#[rtype(result = "()")]
struct Turn;

/// What legs ask of the endpoint.
#[derive(Message)]
#[rtype(result = "()")]
pub enum FromLeg {
    Respond {
        key: ServerKey,
        response: Response,
    },
    Request {
        leg: LegId,
        request: Request,
        flow: Flow,
    },
    Ack {
        request: Request,
        flow: Flow,
    },
    Cancel {
        leg: LegId,
        reason: Option<String>,
    },
    Register {
        dialog: DialogId,
        leg: LegId,
    },
    /// The leg is over.
    Forget(LegId),
}

/// A trunk asks whether its host lives.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Probe {
    pub trunk: TrunkId,
    pub host: SocketAddr,
    pub transport: Transport,
}

/// Something from the net, and when it came.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FromNet(pub NetEvent, pub Millis);

/// The floor's addresses or phones changed.
#[derive(Message)]
#[rtype(result = "()")]
pub enum Tune {
    Sources(Sources),
    Accounts(Vec<Account>),
    /// Where a phone was when the last switch stopped.
    Restore {
        user: String,
        bindings: Vec<Binding>,
    },
}

impl SipActor {
    pub fn new(endpoint: Endpoint, sockets: Sockets, switch: Arc<Switch>, idle: Arc<Idle>) -> Self {
        Self { endpoint, sockets, switch, timer: Timer::default(), turns: Turns::default(), idle, waited: 0 }
    }

    fn take_turn(&mut self, ctx: &mut Context<Self>) {
        if let Some((flow, bytes)) = self.turns.take() {
            self.step(ctx, |endpoint, cx| endpoint.receive(&flow, &bytes, cx));
        }
        self.turn_away_the_late(ctx);
    }

    /// Calls for which there was no time are turned away.
    fn turn_away_the_late(&mut self, ctx: &mut Context<Self>) {
        while let Some((flow, bytes)) = self.turns.late(self.switch.now()) {
            self.step(ctx, |endpoint, cx| endpoint.turn_away(&flow, &bytes, cx));
        }
        self.idle.wanted.store(!self.turns.is_empty(), Ordering::Relaxed);
    }

    fn step(&mut self, ctx: &mut Context<Self>, step: impl FnOnce(&mut Endpoint, &mut Cx) -> Vec<EndpointAction>) {
        let actions = self.switch.with_cx(|cx| step(&mut self.endpoint, cx));
        for action in actions {
            self.perform(action, ctx);
        }
        self.arm(ctx);
    }

    fn perform(&mut self, action: EndpointAction, ctx: &mut Context<Self>) {
        match action {
            EndpointAction::Transmit { flow, bytes } => self.sockets.send(flow, bytes),
            EndpointAction::Invite(call) => {
                if self.switch.directory.read().draining {
                    let sent = self.switch.with_cx(|cx| {
                        let response = call.invite.shed(cx.next_id());
                        let mut actions = self.endpoint.respond(&call.key, response, cx);
                        actions.extend(self.endpoint.forget(call.leg, cx));
                        actions
                    });
                    for action in sent {
                        self.perform(action, ctx);
                    }
                    return;
                }
                LegActor::inbound(&self.switch, ctx.address(), call);
            }
            EndpointAction::InDialog { leg, key, request, flow } => self.to_leg(leg, SipInput::Request { key, request, flow }),
            EndpointAction::Ack { leg, request } => self.to_leg(leg, SipInput::Ack(request)),
            EndpointAction::Cancelled { leg, key, q850: _ } => self.to_leg(leg, SipInput::Cancelled(key)),
            EndpointAction::Response { user: User::Leg(leg), response } => self.to_leg(leg, SipInput::Response(response)),
            EndpointAction::Failed { user: User::Leg(leg), method, cseq, why } => {
                self.to_leg(leg, SipInput::Failed { method, cseq, why });
            }
            EndpointAction::Response { user: User::Probe { trunk, host }, response } => {
                // Any answer shows that the host lives; 503 that it takes no calls.
                self.probed(trunk, host, response.status != 503);
            }
            EndpointAction::Failed { user: User::Probe { trunk, host }, .. } => self.probed(trunk, host, false),
            EndpointAction::Bound(bound) => self.bound(bound),
            EndpointAction::WrongPassword { source, user } => {
                metrics::counter!("cordboard_sip_wrong_passwords_total").increment(1);
                tracing::warn!(%source, ?user, "a phone tried to register with a wrong password or an unknown user");
            }
            EndpointAction::Shed => metrics::counter!(super::SHED).increment(1),
            EndpointAction::Refused { source } => {
                metrics::counter!("cordboard_sip_strangers_total").increment(1);
                tracing::debug!(%source, "SIP from an address that is neither a trunk's nor a phone's");
            }
        }
    }

    /// Legs look up where a phone is; a switch that starts again does so too (connections do not live that long).
    fn bound(&self, Bound { user, bindings }: Bound) {
        tracing::info!(phone = %user, contacts = bindings.len(), "a phone's registration");
        let lasting: Vec<_> = bindings.iter().filter(|binding| !binding.flow.is_reliable()).cloned().collect();
        let clock_began_at = self.switch.clock_began_at();
        {
            let mut directory = self.switch.directory.write();
            match bindings.into_iter().next() {
                Some(newest) => drop(directory.registered.insert(user.clone(), newest)),
                None => drop(directory.registered.remove(&user)),
            }
            metrics::gauge!("cordboard_sip_registered_phones").set(u32::try_from(directory.registered.len()).unwrap_or(u32::MAX));
        }
        match serde_json::to_string(&lasting) {
            Ok(bindings) => {
                let row = PhoneBindings { user, bindings, clock_began_at };
                let failure = format!("where the phone {} is could not be kept for a restart", row.user);
                let known = !lasting.is_empty();
                let key = format!("phone {}", row.user);
                self.switch.ledger.note_latest(key, failure, move |db| db.set_phone_bindings(&row.user, known.then_some(&row)));
            }
            Err(why) => tracing::error!(phone = %user, %why, "where a phone is could not be kept for a restart"),
        }
    }

    fn to_leg(&self, leg: LegId, input: SipInput) {
        if let Some(addr) = self.switch.directory.read().legs.get(&leg) {
            addr.do_send(Deliver(LegInput::Sip(Box::new(input))));
        }
    }

    fn probed(&self, trunk: TrunkId, host: SocketAddr, alive: bool) {
        if let Some(addr) = self.switch.directory.read().trunks.get(&trunk) {
            addr.do_send(Deliver(trunk::Event::Probed { host, alive }));
        }
    }

    /// All actors of calls share this thread: what comes late here comes late to each of them. Armed anew each time: an interval makes up
    /// for what it missed, which hides how late it is.
    fn measure(&self, ctx: &mut Context<Self>) {
        let due = self.switch.now() + MEASURE_EVERY;
        ctx.run_later(Duration::from_millis(MEASURE_EVERY), move |sip, ctx| {
            let waited = std::mem::take(&mut sip.waited);
            let late = sip.switch.now().saturating_sub(due).max(waited).max(sip.switch.media.lateness());
            match sip.endpoint.measured(late, sip.switch.now()) {
                Some(true) => tracing::warn!(late, "the switch falls behind: new calls beyond what it can serve are refused"),
                Some(false) => tracing::warn!("the switch has caught up: new calls are no longer refused"),
                None => {}
            }
            metrics::gauge!("cordboard_sip_transactions").set(u32::try_from(sip.endpoint.transactions()).unwrap_or(u32::MAX));
            // Whatever keeps the thread busy, some calls are taken: fifty a second while it is in time.
            sip.take_turn(ctx);
            // A thread that is never idle never sleeps.
            sip.switch.media.flush();
            sip.sockets.flush();
            sip.measure(ctx);
        });
    }

    fn arm(&mut self, ctx: &mut Context<Self>) {
        self.timer.arm(self.endpoint.next_deadline(), &self.switch, ctx, |sip, ctx| {
            sip.timer.fired();
            sip.step(ctx, Endpoint::tick);
        });
    }
}

impl Actor for SipActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.measure(ctx);
        let (idle, sip) = (self.idle.clone(), ctx.address());
        actix::spawn(async move {
            loop {
                idle.bell.notified().await;
                sip.do_send(Turn);
            }
        });
    }
}

impl Handler<Turn> for SipActor {
    type Result = ();

    fn handle(&mut self, _: Turn, ctx: &mut Context<Self>) {
        self.take_turn(ctx);
    }
}

impl Handler<FromNet> for SipActor {
    type Result = ();

    fn handle(&mut self, FromNet(event, came): FromNet, ctx: &mut Context<Self>) {
        self.waited = self.waited.max(self.switch.now().saturating_sub(came));
        match event {
            NetEvent::Received { flow, bytes } => {
                if self.endpoint.is_new_call(&flow, &bytes) {
                    self.turns.wait((flow, bytes), came);
                    self.turn_away_the_late(ctx);
                } else {
                    self.step(ctx, |endpoint, cx| endpoint.receive(&flow, &bytes, cx));
                }
                if flow.is_reliable() && self.endpoint.knows(&flow) {
                    self.sockets.trust(&flow);
                }
            }
            NetEvent::Broken { flow } => {
                if flow.is_reliable() {
                    self.turns.forget(|(waits, _)| *waits == flow);
                }
                self.step(ctx, |endpoint, _| endpoint.flow_failed(&flow));
            }
        }
    }
}

impl Handler<FromLeg> for SipActor {
    type Result = ();

    fn handle(&mut self, message: FromLeg, ctx: &mut Context<Self>) {
        self.step(ctx, |endpoint, cx| match message {
            FromLeg::Respond { key, response } => endpoint.respond(&key, response, cx),
            FromLeg::Request { leg, request, flow } => endpoint.request(User::Leg(leg), request, flow, cx),
            FromLeg::Ack { request, flow } => endpoint.ack(request, flow, cx),
            FromLeg::Cancel { leg, reason } => endpoint.cancel(leg, reason, cx),
            FromLeg::Register { dialog, leg } => {
                endpoint.register(dialog, leg);
                Vec::new()
            }
            FromLeg::Forget(leg) => endpoint.forget(leg, cx),
        });
    }
}

impl Handler<Probe> for SipActor {
    type Result = ();

    fn handle(&mut self, probe: Probe, ctx: &mut Context<Self>) {
        let Some(local) = self.sockets.local(probe.transport) else { return };
        let flow = Flow { transport: probe.transport, local, remote: probe.host };
        self.step(ctx, |endpoint, cx| endpoint.probe(probe.trunk, flow, cx));
    }
}

impl Handler<Tune> for SipActor {
    type Result = ();

    fn handle(&mut self, tune: Tune, ctx: &mut Context<Self>) {
        match tune {
            Tune::Sources(sources) => self.endpoint.set_sources(sources),
            Tune::Accounts(accounts) => self.step(ctx, |endpoint, _| endpoint.set_accounts(accounts)),
            Tune::Restore { user, bindings } => {
                let Some(local) = self.sockets.local(Transport::Udp) else { return };
                let here = |mut binding: Binding| {
                    binding.flow.local = local;
                    binding
                };
                self.step(ctx, |endpoint, _| endpoint.restore(&user, bindings.into_iter().map(here).collect()));
            }
        }
    }
}
