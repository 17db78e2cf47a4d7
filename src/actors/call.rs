//! A call's actor: its lines in the journal, the media commands, the legs it makes.

use super::agent::Desk;
use super::gauges;
use super::leg::{LegActor, Line};
use super::shell::{Deliver, Role, Shell, Stage, Unblock};
use super::switch::Switch;
use actix::Actor;
use cordboard_core::call::{Arrival, Call, Event};
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::gone;
use cordboard_core::ids::{Address, CallId, LegId};
use cordboard_core::message::{Action, LegPlan, MediaAction, Source, Tell};
use cordboard_core::outcome::{CallStatus, HungUpBy};
use cordboard_core::record::{Entry, What};
use cordboard_db::{Recording, RecordingState};
use cordboard_media::{DtmfMode, Quality};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub type CallActor = Shell<CallRole>;

pub struct CallRole {
    id: CallId,
    customer: String,
    machine: Call,
    /// Everybody this call ever told something: who hears of it when its machine panics.
    told: BTreeSet<Address>,
    ended: bool,
    /// The machine panicked: it is asked nothing any more.
    dead: bool,
    /// The newest measurement of each leg.
    quality: BTreeMap<LegId, Quality>,
}

/// One leg's path was measured (D1).
#[derive(actix::Message)]
#[rtype(result = "()")]
pub struct LegQuality {
    pub leg: LegId,
    pub quality: Quality,
}

impl Shell<CallRole> {
    /// A new call: known to everybody in the same step, then begun.
    pub fn begin(switch: &Arc<Switch>, arrival: Arrival) {
        let call = arrival.call;
        let actor = Self::new(CallRole::new(arrival), Vec::new(), switch.clone()).start();
        switch.directory.write().calls.insert(call, actor.clone());
        gauges::CALLS.increment(1);
        actor.do_send(Deliver(Event::Begin));
    }
}

impl CallRole {
    fn new(arrival: Arrival) -> Self {
        let customer = arrival.customer().to_owned();
        let machine = Call::new(arrival);
        let told = BTreeSet::from([machine.arrival().known_to()]);
        Self { id: machine.id(), customer, machine, told, ended: false, dead: false, quality: BTreeMap::new() }
    }

    fn remember(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Tell(Tell::Agent(id, _)) => self.told.insert(Address::Agent(*id)),
                Action::Tell(Tell::Group(id, _)) => self.told.insert(Address::Group(*id)),
                Action::Tell(Tell::Trunk(id, _)) => self.told.insert(Address::Trunk(*id)),
                Action::Tell(Tell::Leg(id, _)) => self.told.insert(Address::Leg(*id)),
                Action::OpenLeg { leg, .. } => self.told.insert(Address::Leg(*leg)),
                Action::Journal(What::Ended { .. }) => {
                    self.ended = true;
                    continue;
                }
                Action::Tell(Tell::Call(..))
                | Action::AnnounceRestart
                | Action::Journal(_)
                | Action::Media(_)
                | Action::ShowSession { .. }
                | Action::Finished
                | Action::QueueChanged
                | Action::StateChanged
                | Action::PlaceCall(_)
                | Action::ShowOffer(_)
                | Action::ClosePeer(_)
                | Action::LogOut
                | Action::Probe { .. } => continue,
            };
        }
    }

    fn journal(&mut self, what: What, stage: &mut Stage<'_, Self>) {
        use actix::AsyncContext;
        match &what {
            What::Ended { status, .. } => {
                metrics::counter!("cordboard_calls_total", "status" => status.as_str()).increment(1);
            }
            What::Connected { agent } => self.note_served(*agent, stage),
            What::Accepted { .. }
            | What::Barred { .. }
            | What::Dialling { .. }
            | What::Queued { .. }
            | What::Ringing { .. }
            | What::RingEnded { .. }
            | What::Held
            | What::Resumed
            | What::RecordingBegan
            | What::ConsultBegan { .. }
            | What::Conferenced
            | What::ConsultEnded { .. }
            | What::ConsultTookOver { .. }
            | What::SegmentEnded { .. }
            | What::FlowBegan { .. }
            | What::FlowResult(_)
            | What::FlowFinished
            | What::Quality { .. }
            | What::Remark { .. }
            | What::Disposition { .. } => {}
        }
        let durable = what.is_durable();
        let refusable = matches!(what, What::Accepted { .. });
        let entry = Entry { call: self.id, at: stage.switch.wall(), what };
        if !durable {
            return stage.switch.journal.append(entry, None);
        }
        let addr = stage.ctx.address();
        stage.switch.journal.append(
            entry,
            Some(Box::new(move |done| {
                if let (Err(why), true) = (&done, refusable) {
                    tracing::error!(%why, "the journal cannot keep a new call");
                    addr.do_send(Deliver(Event::JournalFailed));
                }
                addr.do_send(Unblock);
            })),
        );
    }

    /// For the agent who comes first at the caller's next call (C3).
    fn note_served(&self, agent: cordboard_core::ids::AgentId, stage: &Stage<'_, Self>) {
        if let Some(group) = self.machine.group().filter(|_| self.machine.arrival().colleagues().is_none()) {
            stage.switch.last_served.lock().insert(&self.customer, group, agent);
        }
    }

    fn media(&self, action: MediaAction, stage: &Stage<'_, Self>) {
        let media = &stage.switch.media;
        match action {
            MediaAction::Hear { leg, source } => {
                let source = match source {
                    Source::Silence => cordboard_media::Source::Silence,
                    Source::Leg(leg) => cordboard_media::Source::Leg(leg),
                    Source::Mix(legs) => cordboard_media::Source::Mix(legs),
                    Source::Music(name) => cordboard_media::Source::Music(name),
                };
                media.hear(leg, source);
            }
            MediaAction::Digit { leg, digit, in_band } => {
                media.send_digit(leg, digit, if in_band { DtmfMode::InBand } else { DtmfMode::Rfc4733 });
            }
            MediaAction::Play { leg, sounds, token } => media.play(leg, sounds, token),
            MediaAction::Record { leg } => {
                media.record(self.id, leg);
                let recording = Recording {
                    call: self.id,
                    state: RecordingState::Spooling,
                    path: String::new(),
                    began: stage.switch.wall(),
                    duration: 0,
                };
                let failure = format!("the row of the recording of call {} could not be made", self.id);
                stage.switch.ledger.note(failure, move |db| db.set_recording(&recording));
            }
            MediaAction::PauseRecording(true) => media.pause_record(self.id),
            MediaAction::PauseRecording(false) => media.resume_record(self.id),
            MediaAction::StopRecording => media.stop_record(self.id),
        }
    }
}

impl Role for CallRole {
    type Event = Event;

    fn address(&self) -> Address {
        Address::Call(self.id)
    }

    fn next_deadline(&self) -> Option<Millis> {
        if self.dead { None } else { self.machine.next_deadline() }
    }

    fn tick(&mut self, cx: &mut Cx) -> Vec<Action> {
        let actions = self.machine.tick(cx);
        self.remember(&actions);
        actions
    }

    fn handle(&mut self, event: Event, cx: &mut Cx) -> Vec<Action> {
        if self.dead {
            // Who sent it hears of the end anyway, but for an agent whom the group had just reserved.
            let answers = gone::undeliverable(self.id, self.address(), &event);
            return answers.into_iter().map(Action::Tell).collect();
        }
        let actions = self.machine.handle(event, cx);
        self.remember(&actions);
        actions
    }

    /// The call ends, and only this call (design: what must hold).
    fn revive(&mut self, _cx: &mut Cx) -> Vec<Action> {
        self.dead = true;
        let mut last = vec![Action::Media(MediaAction::StopRecording)];
        if !self.ended {
            last.push(Action::Journal(What::Ended { status: CallStatus::Interrupted, by: HungUpBy::Switch }));
        }
        last.push(Action::Finished);
        last
    }

    fn perform(&mut self, action: Action, stage: &mut Stage<'_, Self>) {
        use actix::ActorContext;
        match action {
            Action::Journal(what) => self.journal(what, stage),
            Action::Media(action) => self.media(action, stage),
            Action::OpenLeg { leg, plan } => match plan {
                LegPlan::Browser { agent, peer } => LegActor::browser(stage.switch, leg, self.id, agent, peer),
                LegPlan::Phone { agent, phone, caller } => LegActor::phone(stage.switch, leg, self.id, agent, phone, caller),
                LegPlan::Trunk { agent, trunk, host, transport, caller, called } => {
                    LegActor::trunk(stage.switch, leg, self.id, Line { agent, trunk, host, transport }, caller, &called);
                }
            },
            Action::ShowSession { agent, session } => {
                if let Some(addr) = stage.switch.directory.read().agents.get(&agent) {
                    addr.do_send(Desk::Session(Box::new(session)));
                }
            }
            Action::Finished => {
                stage.switch.directory.write().calls.remove(&self.id);
                if stage.switch.directory.read().calls.is_empty() {
                    stage.switch.idle.notify_waiters();
                }
                gauges::CALLS.decrement(1);
                // Whoever still counts on this call hears that it is gone; after an orderly end this is news to nobody.
                let told: Vec<Address> = self.told.iter().copied().collect();
                stage.switch.call_gone(self.id, &told);
                stage.ctx.stop();
            }
            other => super::foreign(self.address(), &other),
        }
    }
}

impl actix::Handler<LegQuality> for Shell<CallRole> {
    type Result = ();

    fn handle(&mut self, message: LegQuality, ctx: &mut actix::Context<Self>) {
        let role = &mut self.role;
        role.quality.insert(message.leg, message.quality);
        let Some((_, leg)) = role.machine.agent() else { return };
        let customer = role.quality.get(&role.machine.customer_leg());
        let worse = |own: Option<&Quality>| [customer, own].into_iter().flatten().map(|q| q.mos).fold(f32::INFINITY, f32::min);
        let mos = worse(role.quality.get(&leg));
        for (agent, leg) in role.machine.agents() {
            if let Some(own) = role.quality.get(&leg)
                && let Some(addr) = self.switch.directory.read().agents.get(&agent)
            {
                addr.do_send(Desk::Quality(crate::wire::QualityView {
                    call: role.id.to_string(),
                    mos: worse(Some(own)),
                    loss: own.loss_percent,
                    jitter: own.jitter_ms,
                    round_trip: own.round_trip_ms,
                }));
            }
        }
        self.feed(ctx, |role, cx| role.handle(Event::Quality { mos }, cx));
    }
}
