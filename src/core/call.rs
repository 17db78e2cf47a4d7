//! A call: who is connected to whom, accept against hang-up, hold, recording, and the segments of the record (C, D1–D8, E, G).
//!
//! | state | event | next |
//! |---|---|---|
//! | Dialling | `ChannelGranted`, the agent's leg is up, the customer rings | Dialling |
//! | Dialling | the customer answers | Talking |
//! | Dialling | an internal call, and the calling agent's leg is up | Aside, the colleague is asked for |
//! | Dialling | barred, refused, failed, not answered in time, hung up, the agent is lost | Over |
//! | Claiming | `ChannelGranted`, the number is known | Queueing |
//! | Claiming | the caller is barred, `ChannelRefused`, unknown number | Over (refused before the answer) |
//! | Queueing | `Offer` | Queueing, one more agent rings |
//! | Queueing | `Accept` of a ringing offer | Joining |
//! | Queueing | a phone answers, an agent who is asked to presses 1 | Joining, Talking where no ding-dong comes first |
//! | Queueing | a mobile answers that must press 1 | Queueing, it is asked to |
//! | Queueing | `TurnedAway` to another group | Queueing there |
//! | Queueing | `TurnedAway`, hang up | Leaving (prompt), Over |
//! | Queueing | transferred: `TurnedAway`, the reserved agent does not answer | Queueing at the head of where it came from |
//! | Joining | the agent's leg is up, the ding-dong played | Talking |
//! | Joining | the agent's leg fails, `AgentLost` | Queueing at the head |
//! | Talking | `AgentLost` | Queueing at the head, a new segment |
//! | Talking | `Transfer` and its target is reserved (`Queued`, `Reserved`) | Queueing there, a new segment |
//! | Talking | hang-up from either side | Over |
//! | Talking | `Consult`, swap, conference, the third comes or goes | Talking |
//! | Talking | `Complete`, `AgentLost` with an answered consultation | Talking with the third, Bridged where that is a number |
//! | Talking | `StartFlow`; keys, sounds and time in the flow; `EndFlow` | Talking |
//! | Talking | the customer leaves an answered consultation | Aside |
//! | Aside | the colleague is reserved, accepts, comes | Aside |
//! | Aside | the colleague is not free, declines, does not answer, is lost | Over |
//! | Aside, Bridged | anybody hangs up | Over |
//! | Leaving | `Played` | Over |
//! | any | the customer's leg ends, a leg is gone | Over |
//! | Over | every leg closed, every offer confirmed | finished |

mod arrival;
mod aside;
mod channels;
mod consult;
mod dialling;
mod digits;
mod ending;
mod mobile;
mod offers;
mod queueing;
mod seat;
mod self_service;
mod sight;
mod talking;
mod transfer;

pub use arrival::{Arrival, Called, Departure, Route, Way};
pub use digits::{DIGIT_EVERY, MOST_DIGITS, PAUSE, are_digits};
pub use queueing::position_sounds;

use crate::cx::{Cx, Millis};
use crate::flow;
use crate::group::Limit;
use crate::ids::{AgentId, CallId, GroupId, LegId, OfferId, PeerId, TrunkId};
use crate::leg::{self, SignalCommand};
use crate::message::{Action, Device, Gateway, MediaAction, Offer, OfferEnd, Source, Target, Tell, Whom};
use crate::outcome::{CallStatus, HungUpBy};
use crate::overload::come_again;
use crate::record::What;
use crate::setup::WayOut;
use crate::trunk::{self, Channel};
use aside::Aside;
use consult::{Consult, Outside};
use dialling::Dialling;
use digits::Digits;
use mobile::MobileLeg;
use seat::Seat;
use self_service::SelfService;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Early media lasts this long at most; then the call is answered (C2).
pub const EARLY_MEDIA: Millis = 60_000;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Event {
    /// The first event: the caller's leg rings at the switch.
    Begin,
    /// The journal cannot keep this call: it is refused (design: durability).
    JournalFailed,
    /// The switch stops and waits no longer (I4).
    SwitchStops,
    Leg(LegId, leg::Event),
    /// A leg's actor is gone without a word.
    LegGone(LegId),
    // From the trunk.
    ChannelGranted {
        leg: LegId,
        gateway: Gateway,
    },
    ChannelRefused {
        leg: LegId,
        refusal: trunk::Refusal,
    },
    TrunkRestarted(TrunkId),
    // From groups.
    Queued {
        group: GroupId,
        /// The wait this is about, by the ticket.
        wait: u32,
        music: String,
        welcome: Option<String>,
    },
    /// The caller's position in the queue, and what the group says now and then (C2).
    Announce {
        group: GroupId,
        position: Option<usize>,
        sound: Option<String>,
    },
    TurnedAway {
        group: GroupId,
        wait: u32,
        limit: Limit,
        way_out: WayOut,
    },
    Offer(Box<Offer>),
    GroupRestarted(GroupId),
    // From agents.
    /// The agent is reserved for this call alone (D4).
    Reserved {
        agent: AgentId,
        offer: OfferId,
        device: Device,
        automatic: Option<bool>,
    },
    NotReserved {
        agent: AgentId,
        offer: OfferId,
        /// What a call to this agent alone is called that ends by it (E3).
        status: CallStatus,
    },
    Accept {
        offer: OfferId,
        peer: Option<PeerId>,
    },
    Declined {
        offer: OfferId,
    },
    /// The agent had to let the offer go: out of reach, offline, or too late.
    OfferGone {
        offer: OfferId,
    },
    Withdrawn {
        offer: OfferId,
    },
    AgentAway {
        agent: AgentId,
    },
    AgentBack {
        agent: AgentId,
        peer: PeerId,
    },
    AgentLost {
        agent: AgentId,
    },
    AgentRestarted(AgentId),
    Command {
        agent: AgentId,
        command: Command,
    },
    /// A sound that was asked for is over.
    Played {
        leg: LegId,
        token: u64,
    },
    /// The measured quality of the conversation (D1).
    Quality {
        mos: f32,
    },
}

/// What the agent does with the call (D).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command {
    Hold,
    Resume,
    Mute,
    Unmute,
    /// To whom the caller goes instead (D4).
    Transfer(Target),
    /// The customer waits on hold while the agent speaks with somebody else (D5).
    Consult(Whom),
    /// From the customer to the consulted party, or back.
    Swap,
    /// All three together.
    Conference,
    /// The consulted party takes the customer.
    Complete,
    /// Back to the customer alone.
    EndConsult,
    /// Digits and pauses for the far side (D7).
    Digits(String),
    /// The customer goes through a self-service flow (D6): its name, and what it is.
    StartFlow(String, Box<flow::Definition>),
    /// Back to the conversation.
    EndFlow,
    /// Nothing of what is said is recorded until it is resumed, or the agent's part is over (G4: card numbers).
    PauseRecording,
    ResumeRecording,
    HangUp,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum State {
    Claiming,
    Dialling(Dialling),
    Queueing(Queueing),
    Joining(Seat),
    Talking(Talk),
    /// Two without a customer: an internal call, or a consultation that the customer left.
    Aside(Aside),
    /// The agent left the customer with a number outside.
    Bridged(Outside),
    /// The last prompt plays; the caller is told why nobody comes.
    Leaving {
        status: CallStatus,
    },
    Over,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Queueing {
    group: GroupId,
    /// Wall time of the arrival in this queue: the caller's place.
    since: i64,
    head: bool,
    /// Which wait of the call this is.
    wait: u32,
    offers: Vec<InHand>,
    /// Who missed or declined, and when (wall time).
    refused: BTreeMap<AgentId, i64>,
    /// The group took the caller in.
    welcomed: bool,
    /// The welcome or announcement that the caller hears now.
    playing: Option<u64>,
    /// The sounds that follow it.
    next: Vec<String>,
    /// Nobody's queue: one agent was reserved for a transfer (D4).
    direct: bool,
    /// Where a transferred caller goes whom nobody takes.
    back: Option<Back>,
    /// An agent waits here for a consultation or a colleague, not the customer (D5, E3).
    consults: bool,
}

/// Where a transferred caller came from (D4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Back {
    group: GroupId,
    agent: AgentId,
}

impl Queueing {
    fn new(group: GroupId, since: i64, head: bool, wait: u32) -> Self {
        Self {
            group,
            since,
            head,
            wait,
            offers: Vec::new(),
            refused: BTreeMap::new(),
            welcomed: false,
            playing: None,
            next: Vec::new(),
            direct: false,
            back: None,
            consults: false,
        }
    }
}

/// An offer that an agent was given for this call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct InHand {
    offer: Offer,
    /// The phone or mobile that rings for it.
    leg: Option<LegId>,
    /// The prompt that asks the mobile's agent for key 1 (C7).
    asked: Option<u64>,
    until: Millis,
    /// Taken back: waits for the agent's word, then the group hears this.
    withdrawn: Option<OfferEnd>,
    /// What a call to this agent alone is called that ends by it (E3).
    status: CallStatus,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Talk {
    seat: Seat,
    began: i64,
    transfer: Option<transfer::Asked>,
    consult: Option<Box<Consult>>,
    /// The flow in which the customer is, or was last (D6).
    service: Option<Box<SelfService>>,
    /// The customer waits: held, or behind a consultation.
    waits: bool,
    /// The agent paused the recording.
    unrecorded: bool,
}

impl Talk {
    fn new(seat: Seat, began: i64) -> Self {
        Self { seat, began, transfer: None, consult: None, service: None, waits: false, unrecorded: false }
    }
}

/// How far the caller's leg was taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug, Serialize, Deserialize)]
enum Answered {
    No,
    Early { until: Millis },
    Yes,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    arrival: Arrival,
    state: State,
    answered: Answered,
    segment: u16,
    /// The highest number of a segment.
    segments: u16,
    waits: u32,
    recording: bool,
    recording_paused: bool,
    /// Legs that are not closed yet.
    legs: BTreeSet<LegId>,
    /// The agents' mobiles among them, and those that wait for a channel.
    mobiles: BTreeMap<LegId, MobileLeg>,
    /// Offers taken back whose agents have not confirmed after the call's end.
    unconfirmed: BTreeMap<OfferId, AgentId>,
    /// Groups this caller was already turned away from: no circles.
    tried: BTreeSet<GroupId>,
    music: String,
    channel: bool,
    /// How this trunk's carrier is spoken to.
    gateway: Option<Gateway>,
    /// Digits that are not sent yet (D7).
    digits: Digits,
    tokens: u64,
    /// Sum and count of the open segment's measured MOS.
    quality: (f32, f32),
    finished: bool,
}

impl Call {
    pub fn new(arrival: Arrival) -> Self {
        let (state, legs, answered) = match &arrival.way {
            Way::In(_) | Way::Barred(_) => (State::Claiming, BTreeSet::from([arrival.leg]), Answered::No),
            // A leg that we call is answered by the other side.
            Way::Out(departure) => (State::Dialling(Dialling::new(departure)), BTreeSet::new(), Answered::Yes),
        };
        Self {
            legs,
            arrival,
            state,
            answered,
            segment: 0,
            segments: 0,
            waits: 0,
            recording: false,
            recording_paused: false,
            mobiles: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
            tried: BTreeSet::new(),
            music: "music".into(),
            channel: false,
            gateway: None,
            digits: Digits::default(),
            tokens: 0,
            quality: (0.0, 0.0),
            finished: false,
        }
    }

    pub fn id(&self) -> CallId {
        self.arrival.call
    }

    /// What was known when the call began.
    pub fn arrival(&self) -> &Arrival {
        &self.arrival
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        let early = match self.answered {
            Answered::Early { until } if !self.is_over() => Some(until),
            Answered::Early { .. } | Answered::No | Answered::Yes => None,
        };
        let ring =
            self.seeking().into_iter().flat_map(|queueing| &queueing.offers).filter(|o| o.withdrawn.is_none()).map(|o| o.until).min();
        let dialled = if let State::Dialling(dialling) = &self.state { dialling.until() } else { self.consult().and_then(Consult::until) };
        [early, ring, dialled, self.digits.due(), self.flow_deadline()].into_iter().flatten().min()
    }

    pub fn tick(&mut self, cx: &mut Cx) -> Vec<Action> {
        let mut out = Vec::new();
        if let Answered::Early { until } = self.answered
            && until <= cx.now
            && !self.is_over()
        {
            self.answer(&mut out);
        }
        self.ring_timeouts(&mut out, cx);
        self.ring_out(&mut out, cx);
        self.consult_rings_out(&mut out, cx);
        self.send_digit(&mut out, cx);
        self.flow_tick(&mut out, cx);
        self.settle_recording(&mut out);
        self.finish(&mut out);
        out
    }

    pub fn handle(&mut self, event: Event, cx: &mut Cx) -> Vec<Action> {
        let mut out = Vec::new();
        match event {
            Event::Begin => {
                let (way, Arrival { trunk, caller, contact, .. }) = (self.arrival.call_type(), &self.arrival);
                out.push(Action::Journal(What::Accepted { way, trunk: *trunk, caller: caller.clone(), contact: contact.clone() }));
                if !self.refuse_barred(&mut out) && self.may_depart(&mut out) {
                    match self.claim() {
                        Some(claim) => out.push(claim),
                        None => self.depart(&mut out, cx),
                    }
                }
            }
            Event::JournalFailed if self.is_over() => {}
            Event::JournalFailed => match self.arrival.way {
                Way::In(_) | Way::Barred(_) => {
                    // Without a time to come again a carrier would take it as 500 (RFC 3261 §21.5.4).
                    let retry_after = Some(come_again(cx.next_id()));
                    self.reject(SignalCommand::Reject { status: 503, q850: None, retry_after }, CallStatus::Interrupted, &mut out);
                }
                Way::Out(_) => self.end(CallStatus::Interrupted, HungUpBy::Switch, &mut out),
            },
            Event::SwitchStops => self.end(CallStatus::Interrupted, HungUpBy::Switch, &mut out),
            Event::Leg(leg, event) => self.leg(leg, event, &mut out, cx),
            Event::LegGone(leg) => {
                self.legs.remove(&leg);
                self.leg_gone(leg, &mut out, cx);
                self.free_mobile(leg, &mut out);
            }
            Event::ChannelGranted { leg, gateway } if leg == self.arrival.leg => self.granted(gateway, &mut out, cx),
            Event::ChannelGranted { leg, gateway } => {
                if !self.mobile_granted(leg, &gateway, &mut out) {
                    self.outside_granted(leg, gateway, &mut out, cx);
                }
            }
            Event::ChannelRefused { leg, refusal } => {
                if self.mobile_refused(leg, refusal, &mut out) {
                    // The agent hears why.
                } else if leg != self.arrival.leg {
                    self.outside_refused(leg, refusal, &mut out);
                } else if self.state == State::Claiming {
                    // Trunk full: cause 34 and no Retry-After, so that the carrier takes another route (issue's trunk rule).
                    self.refuse(503, Some(34), CallStatus::TrunkFull, &mut out);
                } else {
                    self.no_channel(refusal, &mut out);
                }
            }
            Event::TrunkRestarted(trunk) => {
                self.outside_trunk_restarted(trunk, &mut out);
                self.mobiles_trunk_restarted(trunk, &mut out);
                let own = self.arrival.trunk == Some(trunk);
                if own && self.channel {
                    let (channel, way) = (self.channel_of(self.arrival.leg), self.arrival.call_type());
                    out.push(Action::Tell(Tell::Trunk(trunk, trunk::Event::Keep { channel, way })));
                } else if own && matches!(self.state, State::Claiming | State::Dialling(_)) {
                    out.extend(self.claim());
                }
            }
            Event::Queued { group, wait, music, welcome } => self.queued(group, wait, music, welcome, &mut out, cx),
            Event::Announce { group, position, sound } => self.announced(group, position, sound, &mut out),
            Event::TurnedAway { group, wait, limit, way_out } => self.turned_away(group, wait, limit, way_out, &mut out, cx),
            Event::Offer(offer) => self.offered_to(*offer, &mut out, cx),
            Event::GroupRestarted(group) => self.group_restarted(group, &mut out),
            Event::Reserved { agent, offer, device, automatic } => self.reserved(agent, offer, device, automatic, &mut out, cx),
            Event::NotReserved { agent, offer, status } => self.not_reserved(agent, offer, status, &mut out),
            Event::Accept { offer, peer } => self.accepted(offer, peer, &mut out, cx),
            Event::Declined { offer } => self.offer_ended(offer, OfferEnd::Refused, &mut out, cx),
            Event::OfferGone { offer } => self.offer_ended(offer, OfferEnd::Gone, &mut out, cx),
            Event::Withdrawn { offer } => self.offer_ended(offer, OfferEnd::Gone, &mut out, cx),
            Event::AgentAway { agent } => self.agent_away(agent, &mut out),
            Event::AgentBack { agent, peer } => self.agent_back(agent, peer, &mut out),
            Event::AgentLost { agent } => {
                if self.guest_mut().is_some_and(|seat| seat.agent == agent) {
                    self.guest_leaves(CallStatus::AgentLost, HungUpBy::Switch, &mut out);
                } else if self.seat().is_some_and(|seat| seat.agent == agent) {
                    self.agent_lost(false, &mut out, cx);
                }
            }
            Event::AgentRestarted(agent) => self.agent_restarted(agent, &mut out),
            Event::Command { agent, command } => self.command(agent, &command, &mut out, cx),
            Event::Played { leg, token } => self.played(leg, token, &mut out, cx),
            Event::Quality { mos } => {
                if matches!(self.state, State::Talking(_)) {
                    self.quality = (self.quality.0 + mos, self.quality.1 + 1.0);
                }
            }
        }
        self.settle_recording(&mut out);
        self.finish(&mut out);
        out
    }

    fn finish(&mut self, out: &mut Vec<Action>) {
        self.drop_mobiles(out);
        if self.is_over() && self.legs.is_empty() && self.unconfirmed.is_empty() && !self.finished {
            self.finished = true;
            out.push(Action::Finished);
        }
    }

    // ---- legs ----

    fn leg(&mut self, leg: LegId, event: leg::Event, out: &mut Vec<Action>, cx: &mut Cx) {
        let closed = event == leg::Event::Closed;
        if matches!(self.state, State::Dialling(_)) {
            self.dialled_leg(leg, event, out, cx);
        } else if leg == self.arrival.leg {
            match event {
                leg::Event::Cancelled | leg::Event::HungUp | leg::Event::Closed => self.customer_left(HungUpBy::Customer, out),
                // Nobody hung up: the line broke, and the switch noticed.
                leg::Event::Failed(_) => self.customer_left(HungUpBy::Switch, out),
                leg::Event::Digit(key) => self.key_pressed(key, out, cx),
                leg::Event::Ringing { .. } | leg::Event::Up | leg::Event::Held(_) => {}
            }
        } else if self.seat().is_some_and(|seat| seat.leg == leg) {
            self.agent_leg(event, out, cx);
        } else if !self.third_leg(leg, &event, out, cx) {
            self.phone_leg(leg, event, out, cx);
        }
        if closed {
            self.legs.remove(&leg);
            self.free_mobile(leg, out);
        }
    }

    fn leg_gone(&mut self, leg: LegId, out: &mut Vec<Action>, cx: &mut Cx) {
        if self.third_of_two() == Some(leg) || leg == self.arrival.leg || self.seat().is_some_and(|seat| seat.leg == leg) {
            self.end(CallStatus::Interrupted, HungUpBy::Switch, out);
        } else if !self.third_leg(leg, &leg::Event::Closed, out, cx) {
            self.phone_leg(leg, leg::Event::Closed, out, cx);
        }
    }

    fn customer_left(&mut self, by: HungUpBy, out: &mut Vec<Action>) {
        if self.customer_leaves_consult(by, out) {
            return;
        }
        let status = match &self.state {
            State::Claiming | State::Dialling(_) => CallStatus::AbandonedQueue,
            State::Queueing(queueing) if queueing.offers.iter().any(|o| o.withdrawn.is_none()) => CallStatus::AbandonedRinging,
            State::Queueing(_) => CallStatus::AbandonedQueue,
            State::Joining(_) => CallStatus::AbandonedRinging,
            State::Talking(_) | State::Bridged(_) => CallStatus::NormalEnd,
            State::Leaving { status } => *status,
            State::Aside(_) | State::Over => return,
        };
        self.end(status, by, out);
    }

    // ---- the caller's leg ----

    fn signal(&self, command: SignalCommand) -> Action {
        Action::Tell(Tell::Leg(self.arrival.leg, leg::Command::Signal(command)))
    }

    fn hear(&self, source: Source) -> Action {
        Action::Media(MediaAction::Hear { leg: self.arrival.leg, source })
    }

    fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    fn answer(&mut self, out: &mut Vec<Action>) {
        if self.answered != Answered::Yes {
            self.answered = Answered::Yes;
            out.push(self.signal(SignalCommand::Answer));
        }
    }

    /// Says no before the answer, and leaves a record (C1).
    fn refuse(&mut self, status: u16, q850: Option<u8>, outcome: CallStatus, out: &mut Vec<Action>) {
        self.reject(SignalCommand::Reject { status, q850, retry_after: None }, outcome, out);
    }

    fn reject(&mut self, command: SignalCommand, outcome: CallStatus, out: &mut Vec<Action>) {
        out.push(self.signal(command));
        self.over(outcome, HungUpBy::Switch, out);
    }

    // ---- the end ----

    fn seat(&self) -> Option<&Seat> {
        match &self.state {
            State::Dialling(dialling) => Some(&dialling.seat),
            State::Joining(seat) => Some(seat),
            State::Talking(talk) => Some(&talk.seat),
            State::Aside(aside) => Some(&aside.seat),
            State::Claiming | State::Queueing(_) | State::Bridged(_) | State::Leaving { .. } | State::Over => None,
        }
    }
}

fn hang_up(leg: LegId) -> Action {
    Action::Tell(Tell::Leg(leg, leg::Command::Signal(SignalCommand::HangUp { q850: Some(16) })))
}
