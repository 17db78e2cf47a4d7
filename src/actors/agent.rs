//! An agent's actor: the machine, and the desk with the agent's workstations around it.

mod blocking;
mod customers;
mod echo;
mod notes;
mod pages;
mod placing;
mod self_service;

use super::call::CallActor;
use super::colleagues::{Doing, LONGEST_SEARCH};
use super::shell::{Role, Shell, Stage};
use super::switch::Switch;
use super::{dial, views};
use crate::wire::{self, Ask, ToWorkstation};
use actix::prelude::*;
use cordboard_core::agent::{Agent, Chosen, Departure, Event, Seen};
use cordboard_core::call::{self, Command};
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::ids::{Address, AgentId, CallId, OfferId, PeerId};
use cordboard_core::message::{Action, Session};
use cordboard_core::setup::AgentSetup;
use cordboard_db::ChosenState;
use cordboard_media::{Codec, MediaEvent};
use pages::Page;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub type AgentActor = Shell<AgentRole>;

/// Ended sessions that stay on a desk.
const MOST_ENDED: usize = 100;

/// A message for one page.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub struct ToPage(pub Arc<ToWorkstation>);

/// What comes to an agent's desk beside the machine's events.
#[derive(Message)]
#[rtype(result = "()")]
pub enum Desk {
    Attach {
        page: u64,
        tab: Option<u64>,
        to: Recipient<ToPage>,
        epoch: i64,
        me: wire::Me,
    },
    Detach {
        page: u64,
    },
    Request {
        page: u64,
        request: wire::Request,
    },
    /// Queues of the agent's groups that changed.
    Queues(Arc<ToWorkstation>),
    Session(Box<Session>),
    Quality(wire::QualityView),
    Media(MediaEvent),
    /// What became of a request that took its time.
    Answer {
        page: u64,
        id: u32,
        refusal: Option<Refusal>,
    },
    /// A customer's card was read for the call's owner.
    Customer(Box<wire::CustomerView>),
    /// Pages of login sessions before this epoch are told that they were taken over, and stop (A9).
    EndPages {
        before: i64,
    },
    /// The agent is not in the database any more: offered nothing, and gone as soon as no call holds them (I6).
    Remove,
    /// The agent is to go offline, as soon as no call holds them; or, with `end_call`, now (A9).
    Depart {
        departure: Departure,
        end_call: bool,
    },
}

/// A session on the desk, with what the wire does not tell.
struct Kept {
    view: wire::SessionView,
    call: CallId,
    segment: u16,
    /// The customer's number, whole: the page may see it masked. Of an internal call, the colleague's.
    customer: String,
    /// The other of an internal call.
    colleague: Option<AgentId>,
}

pub struct AgentRole {
    pub machine: Agent,
    pages: BTreeMap<u64, Page>,
    /// The page that has the audio (F6).
    audio: Option<u64>,
    /// The newest peer, its page and its state.
    peer: Option<(PeerId, u64)>,
    peer_state: wire::PeerState,
    offer: Option<wire::OfferView>,
    /// The whole number of who rings.
    offer_caller: String,
    sessions: VecDeque<Kept>,
    /// Names of the customers on the desk, by call (F3).
    names: BTreeMap<String, String>,
    echo: Option<echo::Echo>,
    logged: Option<(String, Option<String>)>,
    /// The chosen state as the database has it: what the agent comes back to after a restart of the switch.
    kept_choice: Chosen,
    /// A log-out ends the login sessions up to this epoch: a later one stays.
    logs_out: i64,
}

impl AgentRole {
    pub fn new(machine: Agent) -> Self {
        Self {
            kept_choice: machine.chosen().clone(),
            machine,
            pages: BTreeMap::new(),
            audio: None,
            peer: None,
            peer_state: wire::PeerState::None,
            offer: None,
            offer_caller: String::new(),
            sessions: VecDeque::new(),
            names: BTreeMap::new(),
            echo: None,
            logged: None,
            logs_out: 0,
        }
    }

    fn show(&self, tell: ToWorkstation) {
        self.share(&Arc::new(tell));
    }

    fn share(&self, tell: &Arc<ToWorkstation>) {
        for page in self.pages.values() {
            page.tell(Arc::clone(tell));
        }
    }

    fn show_to(&self, page: u64, tell: ToWorkstation) {
        if let Some(page) = self.pages.get(&page) {
            page.tell(Arc::new(tell));
        }
    }

    fn answer(&self, page: u64, id: u32, refusal: Option<Refusal>) {
        let answer = match refusal {
            None => ToWorkstation::Done { id },
            Some(Refusal(code, message)) => ToWorkstation::Refused { id, code: code.into(), message: message.into() },
        };
        self.show_to(page, answer);
    }

    fn set_peer_state(&mut self, state: wire::PeerState) {
        self.peer_state = state;
        self.show(ToWorkstation::Peer { state });
    }

    fn give_audio(&mut self, page: Option<u64>) {
        self.audio = page;
        for id in self.pages.keys() {
            self.show_to(*id, ToWorkstation::AudioOwner { mine: page == Some(*id) });
        }
    }

    fn snapshot(&self, page: u64, me: wire::Me, switch: &Switch) -> ToWorkstation {
        let directory = switch.directory.read();
        ToWorkstation::Snapshot(Box::new(wire::Snapshot {
            now: switch.wall(),
            me,
            agent: views::agent(&self.machine, switch.now(), switch.wall()),
            queues: self
                .machine
                .setup
                .groups
                .iter()
                .map(|m| {
                    directory.queues.get(&m.group).cloned().unwrap_or_else(|| wire::QueueView {
                        group: m.group.0,
                        name: directory.group_setups.get(&m.group).map(|setup| setup.name.clone()).unwrap_or_default(),
                        waiting: 0,
                        oldest: None,
                    })
                })
                .collect(),
            offer: self.offer.clone(),
            sessions: self.sessions.iter().map(|kept| kept.view.clone()).collect(),
            audio_owner: self.audio == Some(page),
            peer: self.peer_state,
            settings: wire::Settings {
                break_reasons: directory.break_reasons.clone(),
                dispositions: directory.dispositions.clone(),
                caller_ids: dial::caller_ids(&self.machine.setup, &directory),
                demo: directory.demo,
                crm_url: directory.crm_url.clone(),
            },
        }))
    }

    fn keep(&mut self, session: &Session, switch: &Switch) {
        let before = self.sessions.iter().position(|kept| kept.call == session.call);
        let mut view = views::session(session, before.and_then(|at| self.sessions.get(at)).map(|kept| &kept.view), switch);
        view.caller_name = view.caller_name.or_else(|| self.names.get(&view.call).cloned());
        if !self.pages.is_empty() {
            self.show(ToWorkstation::Session(Box::new(view.clone())));
        }
        let colleague = session.colleague;
        let kept = Kept { view, call: session.call, segment: session.segment, customer: session.caller.clone(), colleague };
        match before.and_then(|at| self.sessions.get_mut(at)) {
            Some(old) => *old = kept,
            None => self.sessions.push_front(kept),
        }
        self.sessions.truncate(MOST_ENDED);
    }

    /// Takes ended sessions off the desk (D8, F2).
    fn put_away(&mut self, which: impl Fn(&Kept) -> bool) {
        let goes = |kept: &Kept| kept.view.phase == wire::Phase::Ended && which(kept);
        let calls: Vec<String> = self.sessions.iter().filter(|kept| goes(kept)).map(|kept| kept.view.call.clone()).collect();
        self.sessions.retain(|kept| !goes(kept));
        self.show(ToWorkstation::SessionsGone { calls });
    }

    fn kept(&self, call: &str) -> Result<&Kept, Refusal> {
        self.sessions.iter().find(|kept| kept.view.call == call).ok_or(NOT_HERE)
    }

    fn command(&self, call: &str, command: Command, switch: &Switch) -> Result<(), Refusal> {
        let live = self.sessions.iter().find(|kept| kept.view.call == call && kept.view.phase != wire::Phase::Ended);
        let kept = live.ok_or(Refusal("call_over", "This call is over already."))?;
        switch.tell_call(kept.call, call::Event::Command { agent: self.machine.setup.id, command });
        Ok(())
    }

    fn rings(&self, offer: &str) -> Result<OfferId, Refusal> {
        let gone = Refusal("offer_gone", "This call does not ring here any more.");
        let current = self.offer.as_ref().filter(|view| view.offer == offer).ok_or(gone)?;
        current.offer.parse().map_err(|_| gone)
    }

    fn chosen(state: wire::ChosenState, reason: Option<String>, switch: &Switch) -> Result<Chosen, Refusal> {
        match state {
            wire::ChosenState::Available => Ok(Chosen::Available),
            wire::ChosenState::Busy => Ok(Chosen::Busy(None)),
            wire::ChosenState::Offline => Ok(Chosen::Offline),
            wire::ChosenState::OnBreak => {
                let reason = reason.filter(|reason| switch.directory.read().break_reasons.contains(reason));
                reason.map(Chosen::OnBreak).ok_or(Refusal("no_break_reason", "Choose one of the break reasons of the list."))
            }
        }
    }
}

/// Why a request is refused: a stable code and a sentence for the agent.
#[derive(Clone, Copy)]
pub struct Refusal(pub &'static str, pub &'static str);

const NOT_HERE: Refusal = Refusal("no_such_call", "This call is not on your desk.");

/// When a request that is not refused is answered.
enum Answered {
    Now,
    /// By [`Desk::Answer`].
    Later,
}

impl Shell<AgentRole> {
    fn request(&mut self, page: u64, id: u32, ask: Ask, ctx: &mut Context<Self>) -> Result<Answered, Refusal> {
        match ask {
            Ask::Ping => {}
            Ask::SetState { state, break_reason } => {
                let chosen = AgentRole::chosen(state, break_reason, &self.switch)?;
                self.event(Event::SetState(chosen), ctx);
            }
            Ask::Answer { offer } => {
                let offer = self.role.rings(&offer)?;
                self.event(Event::Accept(offer), ctx);
            }
            Ask::Decline { offer } => {
                let offer = self.role.rings(&offer)?;
                self.event(Event::Decline(offer), ctx);
            }
            Ask::HangUp { call } => self.role.command(&call, Command::HangUp, &self.switch)?,
            Ask::Hold { call } => self.role.command(&call, Command::Hold, &self.switch)?,
            Ask::Resume { call } => self.role.command(&call, Command::Resume, &self.switch)?,
            Ask::Mute { call } => self.role.command(&call, Command::Mute, &self.switch)?,
            Ask::Unmute { call } => self.role.command(&call, Command::Unmute, &self.switch)?,
            Ask::PauseRecording { call } => self.role.command(&call, Command::PauseRecording, &self.switch)?,
            Ask::ResumeRecording { call } => self.role.command(&call, Command::ResumeRecording, &self.switch)?,
            Ask::Transfer { call, to } => {
                let target = self.target(to)?;
                self.role.command(&call, Command::Transfer(target), &self.switch)?;
            }
            Ask::Consult { call, with } => self.consult(&call, with, ctx)?,
            Ask::Swap { call } => self.role.command(&call, Command::Swap, &self.switch)?,
            Ask::Conference { call } => self.role.command(&call, Command::Conference, &self.switch)?,
            Ask::CompleteConsult { call } => self.role.command(&call, Command::Complete, &self.switch)?,
            Ask::EndConsult { call } => self.role.command(&call, Command::EndConsult, &self.switch)?,
            Ask::StartFlow { call, flow } => {
                let command = self_service::start(flow, &self.switch.directory.read())?;
                self.role.command(&call, command, &self.switch)?;
            }
            Ask::EndFlow { call } => self.role.command(&call, Command::EndFlow, &self.switch)?,
            Ask::Dial { to, caller_id } => self.dial(&to, caller_id.as_deref(), ctx)?,
            Ask::CallColleague { agent } => self.call_colleague(AgentId(agent), ctx)?,
            Ask::CallMobile { agent } => self.call_mobile(AgentId(agent), ctx)?,
            Ask::CallBack { call } => self.call_back(&call, ctx)?,
            Ask::Digits { call, digits } => {
                if !call::are_digits(&digits) {
                    return Err(Refusal("no_digits", "Only digits, *, # and pauses can be sent, at most 64 at a time."));
                }
                self.role.command(&call, Command::Digits(digits), &self.switch)?;
            }
            Ask::Targets { search } => {
                if search.chars().count() > LONGEST_SEARCH {
                    return Err(Refusal("search_too_long", "Search for at most 100 characters."));
                }
                let targets = views::targets(&search, self.role.machine.setup.id, &self.switch.directory.read());
                self.role.show_to(page, ToWorkstation::Targets(targets));
            }
            Ask::Remark { call, text } => self.role.remark(&call, text, &self.switch)?,
            Ask::Disposition { call, name } => self.role.disposition(&call, name, &self.switch)?,
            Ask::Block { call, keep, note } => {
                self.block(page, id, &call, keep, &note, ctx)?;
                return Ok(Answered::Later);
            }
            Ask::EndWrapUp => self.event(Event::EndWrapUp, ctx),
            Ask::ContinueWrapUp => self.event(Event::ContinueWrapUp, ctx),
            Ask::LogOut { end_call } => self.depart(Departure::LogOut, end_call, ctx),
            Ask::Stay => self.event(Event::Stay, ctx),
            Ask::CompleteService { call } => self.role.put_away(|kept| kept.view.call == call),
            Ask::CompleteAll { internal } => self.role.put_away(|kept| kept.colleague.is_some() == internal),
            Ask::OpenPeer { sdp, narrow } => {
                let peer = PeerId(self.switch.new_id());
                self.switch.directory.write().peers.insert(peer, self.role.machine.setup.id);
                // The one before it is heard until this one is up; one that was never up is heard by nobody.
                if let Some((before, _)) = self.role.peer.replace((peer, page)).filter(|(before, _)| !self.role.machine.knows(*before)) {
                    self.close_peer(before);
                }
                if self.role.audio != Some(page) {
                    self.role.give_audio(Some(page));
                }
                self.role.set_peer_state(wire::PeerState::Connecting);
                self.switch.media.open_peer(peer, sdp, if narrow { Codec::Opus } else { Codec::Pcmu });
            }
            Ask::ClosePeer => {
                if let Some((peer, _)) = self.role.peer.filter(|(_, owner)| *owner == page) {
                    self.event(Event::PeerLost(peer), ctx);
                    self.role.set_peer_state(wire::PeerState::None);
                    self.close_peer(peer);
                }
            }
            Ask::OpenEcho { sdp } => self.open_echo(page, sdp, ctx),
            Ask::CloseEcho => self.close_echo(|echo| echo.page == page),
            Ask::Customer { call } => self.read_customer(call, ctx)?,
            Ask::SaveCustomer { call, name, remark } => self.save_customer(call, &name, &remark, ctx)?,
        }
        Ok(Answered::Now)
    }

    fn event(&mut self, event: Event, ctx: &mut Context<Self>) {
        self.feed(ctx, |role, cx| role.handle(event, cx));
    }

    fn close_peer(&self, peer: PeerId) {
        self.switch.directory.write().peers.remove(&peer);
        self.switch.media.close_peer(peer);
    }

    fn depart(&mut self, departure: Departure, end_call: bool, ctx: &mut Context<Self>) {
        self.role.logs_out = self.role.pages.values().map(|page| page.epoch).max().unwrap_or(0);
        self.event(Event::Depart { departure, end_call }, ctx);
    }

    fn media(&mut self, event: MediaEvent, ctx: &mut Context<Self>) {
        if self.echo_heard(&event) {
            return;
        }
        match event {
            MediaEvent::PeerAnswer { peer, sdp } => {
                if let Some((current, page)) = self.role.peer
                    && current == peer
                {
                    self.role.show_to(page, ToWorkstation::PeerAnswer { sdp });
                }
            }
            // It was closed while this was on its way.
            MediaEvent::PeerUp { peer } if !self.switch.directory.read().peers.contains_key(&peer) => {}
            MediaEvent::PeerUp { peer } => {
                if self.is_current(peer) {
                    self.role.set_peer_state(wire::PeerState::Up);
                }
                self.event(Event::PeerUp(peer), ctx);
            }
            MediaEvent::PeerLost { peer } => {
                if self.is_current(peer) {
                    self.role.set_peer_state(wire::PeerState::Lost);
                }
                self.event(Event::PeerLost(peer), ctx);
            }
            MediaEvent::PeerFailed { peer, why } => {
                tracing::warn!(agent = %self.role.machine.setup.id, %why, "a browser's voice path could not be set up");
                if self.is_current(peer) {
                    self.role.set_peer_state(wire::PeerState::Lost);
                }
                self.event(Event::PeerLost(peer), ctx);
                self.close_peer(peer);
            }
            other => tracing::error!(?other, "a media event that is no agent's"),
        }
    }

    fn is_current(&self, peer: PeerId) -> bool {
        self.role.peer.is_some_and(|(current, _)| current == peer)
    }
}

impl Handler<Desk> for Shell<AgentRole> {
    type Result = ();

    fn handle(&mut self, desk: Desk, ctx: &mut Context<Self>) {
        match desk {
            Desk::Attach { page, tab, to, epoch, me } => self.attach(page, tab, to, epoch, me, ctx),
            Desk::Detach { page } => self.detach(page, ctx),
            Desk::Request { page, request } => {
                let id = request.id;
                match self.request(page, id, request.ask, ctx) {
                    Ok(Answered::Now) => self.role.answer(page, id, None),
                    Ok(Answered::Later) => {}
                    Err(refusal) => self.role.answer(page, id, Some(refusal)),
                }
            }
            Desk::Answer { page, id, refusal } => self.role.answer(page, id, refusal),
            Desk::Queues(queues) => self.role.share(&queues),
            Desk::Session(session) => {
                let switch = self.switch.clone();
                self.role.keep(&session, &switch);
            }
            Desk::Quality(view) => self.role.show(ToWorkstation::Quality(view)),
            Desk::Media(event) => self.media(event, ctx),
            Desk::Customer(view) => self.role.show_customer(*view),
            Desk::EndPages { before } => self.end_pages(before, ctx),
            Desk::Remove => {
                let setup = AgentSetup { groups: Vec::new(), mobile: None, ..self.role.machine.setup.clone() };
                self.event(Event::Setup(Box::new(setup)), ctx);
                self.depart(Departure::Removed, false, ctx);
            }
            Desk::Depart { departure, end_call } => self.depart(departure, end_call, ctx),
        }
        self.drop_stuck_pages(ctx);
    }
}

impl Role for AgentRole {
    type Event = Event;

    fn address(&self) -> Address {
        Address::Agent(self.machine.setup.id)
    }

    fn next_deadline(&self) -> Option<Millis> {
        self.machine.next_deadline()
    }

    fn tick(&mut self, cx: &mut Cx) -> Vec<Action> {
        self.machine.tick(cx)
    }

    fn handle(&mut self, event: Event, cx: &mut Cx) -> Vec<Action> {
        self.machine.handle(event, cx)
    }

    fn revive(&mut self, cx: &mut Cx) -> Vec<Action> {
        let mut kept = self.machine.kept();
        kept.sockets = !self.pages.is_empty();
        let (machine, mut first) = Agent::new(self.machine.setup.clone(), kept, cx);
        self.machine = machine;
        first.extend([Action::ShowOffer(None), Action::StateChanged]);
        first
    }

    fn perform(&mut self, action: Action, stage: &mut Stage<'_, Self>) {
        match action {
            Action::AnnounceRestart => stage.switch.announce_restart(self.address()),
            Action::StateChanged => {
                let view = views::agent(&self.machine, stage.switch.now(), stage.switch.wall());
                let doing = Doing { state: view.state, idle: self.machine.is_ready(), away: self.machine.is_out_of_reach() };
                stage.switch.directory.write().colleagues.see(self.machine.setup.id, doing);
                self.log_state(stage);
                self.keep_choice(stage);
                self.show(ToWorkstation::Agent(view));
            }
            Action::ShowOffer(ringing) => {
                self.offer = ringing.as_deref().map(|ringing| views::offer(ringing, stage.switch));
                self.offer_caller = ringing.map(|ringing| ringing.caller).unwrap_or_default();
                self.show(ToWorkstation::Offer { offer: self.offer.clone() });
            }
            Action::PlaceCall(arrival) => CallActor::begin(stage.switch, *arrival),
            Action::ClosePeer(peer) => {
                stage.switch.directory.write().peers.remove(&peer);
                stage.switch.media.close_peer(peer);
                if self.peer.is_some_and(|(current, _)| current == peer) {
                    self.peer = None;
                    self.set_peer_state(wire::PeerState::None);
                }
            }
            Action::LogOut => self.log_out(stage),
            // The shell ends when what was sent to it is answered and nobody has its address any more.
            Action::Finished => {
                let id = self.machine.setup.id;
                let mut directory = stage.switch.directory.write();
                // Who is on the floor again is told so next.
                if directory.colleagues.get(id).is_none() {
                    directory.agents.remove(&id);
                    directory.watching.remove(&id);
                }
            }
            other => super::foreign(self.address(), &other),
        }
    }
}

impl AgentRole {
    /// The pages close when they hear of it.
    fn log_out(&self, stage: &Stage<'_, Self>) {
        for (page, _) in self.pages.iter().filter(|(_, page)| page.epoch <= self.logs_out) {
            self.show_to(*page, ToWorkstation::LoggedOut);
        }
        let (agent, epoch) = (self.machine.setup.id, self.logs_out);
        let failure = format!("the sessions of agent {agent}, who logged out, could not be ended");
        stage.switch.ledger.note(failure, move |db| db.delete_sessions_until(agent, epoch));
    }

    /// Keeps every change of state for reports (B5).
    fn log_state(&mut self, stage: &Stage<'_, Self>) {
        let (seen, reason, since) = self.machine.seen();
        let now = (seen.as_str().to_owned(), reason.map(str::to_owned));
        if self.logged.as_ref() == Some(&now) {
            return;
        }
        self.logged = Some(now.clone());
        let agent = self.machine.setup.id;
        let change = cordboard_db::StateChange { agent, state: now.0, reason: now.1, at: since };
        stage.switch.ledger.state(change);
    }

    fn keep_choice(&mut self, stage: &Stage<'_, Self>) {
        if self.machine.chosen() == &self.kept_choice {
            return;
        }
        self.kept_choice = self.machine.chosen().clone();
        let (agent, choice) = (self.machine.setup.id, choice_to_row(&self.kept_choice));
        stage.switch.ledger.note("an agent's choice of state could not be kept", move |db| db.set_chosen_state(agent, &choice));
    }
}

fn choice_to_row(chosen: &Chosen) -> ChosenState {
    let (state, reason) = match chosen {
        Chosen::Available => (Seen::Available, None),
        Chosen::Busy(reason) => (Seen::Busy, reason.clone()),
        Chosen::OnBreak(reason) => (Seen::OnBreak, Some(reason.clone())),
        Chosen::Offline => (Seen::Offline, None),
    };
    ChosenState { state: state.as_str().to_owned(), reason }
}

/// The choice that [`AgentRole`] kept; offline for what is no choice.
pub fn choice_of_row(row: ChosenState) -> Chosen {
    if row.state == Seen::Available.as_str() {
        Chosen::Available
    } else if row.state == Seen::Busy.as_str() {
        Chosen::Busy(row.reason)
    } else if row.state == Seen::OnBreak.as_str() {
        Chosen::OnBreak(row.reason.unwrap_or_default())
    } else {
        Chosen::Offline
    }
}
