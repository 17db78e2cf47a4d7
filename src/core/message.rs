//! What machines tell each other and ask of their shells. All of it serialises and holds no address or handle.

use crate::call::Arrival;
use crate::flow::FlowResult;
use crate::ids::{AgentId, CallId, GroupId, LegId, OfferId, PeerId, TrunkId};
use crate::outcome::{CallStatus, CallType, HungUpBy};
use crate::record::What;
use crate::setup::{DeviceSetup, DigitMode, Mobile, OutcomeRule, PhoneSetup, Transport, WrapUp};
use crate::{agent, call, group, leg, trunk};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A message for another machine. One sender's messages to one receiver arrive in order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Tell {
    Agent(AgentId, agent::Event),
    Call(CallId, call::Event),
    Group(GroupId, group::Event),
    Trunk(TrunkId, trunk::Event),
    Leg(LegId, leg::Command),
}

/// What a machine wants done, in this order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Action {
    Tell(Tell),
    /// A machine was made anew after a panic: every call (and, for a group, every agent) hears of it from the new machine.
    AnnounceRestart,
    /// Call: append to the journal. What follows a durable line waits for it.
    Journal(What),
    /// Call: make a leg.
    OpenLeg {
        leg: LegId,
        plan: LegPlan,
    },
    Media(MediaAction),
    /// Call: what its agent sees of it.
    ShowSession {
        agent: AgentId,
        session: Session,
    },
    /// Call: nothing is left to do, the actor may go.
    Finished,
    /// Group: the queue's length or its oldest caller changed.
    QueueChanged,
    /// Agent: the state changed; kept for reports (B5).
    StateChanged,
    /// Agent: this call begins.
    PlaceCall(Box<Arrival>),
    /// Agent: the answer bar.
    ShowOffer(Option<Box<Ringing>>),
    /// Agent: this peer is of no more use.
    ClosePeer(PeerId),
    /// Agent: the login session ends now (A9).
    LogOut,
    /// Trunk: send OPTIONS to this host.
    Probe {
        host: SocketAddr,
    },
}

/// A leg to be made by a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LegPlan {
    Browser {
        agent: AgentId,
        peer: PeerId,
    },
    Phone {
        /// None: nobody's (E4).
        agent: Option<AgentId>,
        phone: PhoneSetup,
        caller: String,
    },
    /// A number outside, called over a trunk (E1).
    Trunk {
        /// Whose mobile it is (C7, E2); none: a customer's number, or another.
        agent: Option<AgentId>,
        trunk: TrunkId,
        host: SocketAddr,
        transport: Transport,
        caller: String,
        called: String,
    },
}

/// Where a trunk's calls go out, and how its carrier wants to be spoken to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Gateway {
    /// None: the trunk has no host.
    pub host: Option<SocketAddr>,
    pub transport: Transport,
    pub digits: DigitMode,
    pub outcomes: Vec<OutcomeRule>,
}

impl Gateway {
    /// What the carrier means by its failures, as far as a trunk is known yet.
    pub fn outcomes(gateway: Option<&Self>) -> &[OutcomeRule] {
        gateway.map_or(&[], |gateway| &gateway.outcomes)
    }
}

/// What the media engine is asked for a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MediaAction {
    /// From now on the leg hears this; what still plays is cut off.
    Hear {
        leg: LegId,
        source: Source,
    },
    /// Play sounds once, one after another, over what the leg hears; [`call::Event::Played`] comes back with the token.
    Play {
        leg: LegId,
        sounds: Vec<String>,
        token: u64,
    },
    /// A digit to this leg's far side, in its RTP (D7).
    Digit {
        leg: LegId,
        digit: char,
        in_band: bool,
    },
    /// Record this leg: left what it says, right what it hears (G4).
    Record {
        leg: LegId,
    },
    /// From now on the recording is silent, or not any more (G4).
    PauseRecording(bool),
    StopRecording,
}

/// What a leg hears.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Source {
    Silence,
    Leg(LegId),
    /// These together, less the listener (D5).
    Mix(Vec<LegId>),
    Music(String),
}

/// What rings for an agent, as the group learned it with the reservation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Device {
    Browser,
    Phone(PhoneSetup),
    Mobile(Mobile),
}

impl From<&DeviceSetup> for Device {
    fn from(setup: &DeviceSetup) -> Self {
        match setup {
            DeviceSetup::Browser => Self::Browser,
            DeviceSetup::Phone(phone) => Self::Phone(phone.clone()),
        }
    }
}

/// Where an agent sends a caller (D4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Target {
    Group(GroupId),
    Agent(AgentId),
}

/// With whom an agent consults (D5).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Whom {
    Group(GroupId),
    Agent(AgentId),
    Number(Number),
}

/// A number outside, and how it is called.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Number {
    pub trunk: TrunkId,
    /// Ours, which is shown.
    pub caller: String,
    pub called: String,
}

/// With whom the agent speaks in a consultation (D5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Side {
    Customer,
    Third,
    /// All three together.
    All,
}

/// How far a consultation is, for the agent who asked for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Reached {
    Asked,
    Ringing,
    Up,
}

/// A consultation, as its agent sees it, or the colleague who was called in (D5).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Consulted {
    /// For the colleague: the agent who consults.
    pub whom: Whom,
    pub reached: Reached,
    /// Always of the agent who consults.
    pub side: Side,
    /// The two go on without the customer.
    pub customer_left: bool,
}

/// A self-service flow in the conversation, as its agent sees it (D6).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Served {
    /// The flow's name.
    pub flow: String,
    /// Where the customer is in it, or was last.
    pub step: String,
    /// Every key that was pressed.
    pub keys: String,
    pub results: Vec<FlowResult>,
    /// Not: it is over, and the conversation goes on.
    pub running: bool,
}

/// How far a transfer is, for the agent who asked for it (D4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Transfer {
    Asked,
    /// The group cannot take the caller; the call is untouched.
    QueueRefused(group::Limit),
    /// The agent is not free; the call is untouched.
    AgentRefused,
    /// The consulted number could not be reached, and why (D5).
    NumberFailed(CallStatus),
}

/// A caller's place in a queue, held by the call; the group gets a copy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ticket {
    pub call: CallId,
    /// Wall time at which the caller began to wait.
    pub arrived: i64,
    /// Higher is served first (C3).
    pub priority: i32,
    /// Before everybody else and exempt from the queue's limits (B3).
    pub head: bool,
    /// The agent who last served this caller (C3).
    pub last_agent: Option<AgentId>,
    /// Counts the call's waits: an offer made for an earlier one is not for this one.
    pub wait: u32,
    /// The group took the caller in before: a new machine does so again, however full it is.
    pub taken_in: bool,
    /// Offers that the call has in hand: empty but when a new group actor is told of an old ticket.
    pub offers: Vec<(OfferId, AgentId)>,
    /// Who missed or declined this caller in this wait, and when (wall time): a new machine goes on from there (C5).
    pub refused: BTreeMap<AgentId, i64>,
}

/// The best caller a group has for an agent, so that the agent can choose among its groups (C3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Waiting {
    pub since: i64,
}

/// What a strategy needs to know of a ready agent (C3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// Wall time since when the agent is free.
    pub free_since: i64,
    pub calls_today: u32,
    pub priority: i32,
}

/// Whether an agent can be waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Presence {
    Offline,
    /// Busy, on break, resting or out of reach.
    Away,
    /// In line or in after-call work: will be free (C3, the last agent).
    Occupied,
    Free,
}

/// One agent's lease for one call, offered by the group to the call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offer {
    pub offer: OfferId,
    pub agent: AgentId,
    /// The wait it was made for, by the ticket.
    pub wait: u32,
    pub device: Device,
    pub terms: Terms,
}

/// A group's terms for its calls.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    pub group: GroupId,
    pub group_name: String,
    pub ring: u64,
    pub wrap_up: WrapUp,
    pub automatic: bool,
    pub misses: u32,
    pub music: String,
    pub record: bool,
}

impl Terms {
    /// The same for a call between agents: no after-call work, no recording, and nobody is set busy for it (E3).
    pub fn internal(self) -> Self {
        Self { wrap_up: WrapUp::Off, automatic: false, misses: 0, record: false, ..self }
    }
}

/// What the answer bar tells (C5). Numbers are whole here; the edge masks them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ringing {
    pub offer: OfferId,
    pub call: CallId,
    pub caller: String,
    pub called: String,
    /// The agent who calls, where no customer does (E3).
    pub colleague: Option<AgentId>,
    pub group: String,
    /// Wall times.
    pub waiting_since: i64,
    pub rings_since: i64,
    pub rings_until: i64,
    pub automatic: bool,
}

/// Why an offer is taken back from an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Withdrawal {
    /// It rang in vain; `misses` in a row set the agent busy (B4), 0 = never.
    RingTimeout { misses: u32 },
    /// The caller is gone, or somebody else was faster.
    NotNeeded,
    /// The agent's phone refused (B4).
    DeviceFailed(String),
}

/// How an offer ended without a conversation, for the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum OfferEnd {
    /// Missed, declined, or the device failed: not again at once (C5).
    Refused,
    /// The agent was gone; no blame.
    Gone,
}

/// What the agent sees of a call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Session {
    pub call: CallId,
    pub segment: u16,
    pub phase: Phase,
    pub way: CallType,
    /// The customer's number; of an internal call, the colleague's.
    pub caller: String,
    /// Ours: the one they called, or the one they are shown.
    pub called: String,
    /// With whom the agent speaks in an internal call (E3).
    pub colleague: Option<AgentId>,
    pub group: String,
    /// Wall time at which the conversation began.
    pub began: Option<i64>,
    pub ended: Option<(CallStatus, HungUpBy)>,
    pub held: bool,
    pub muted: bool,
    pub recording: bool,
    /// The recording is silent, as the agent asked.
    pub recording_paused: bool,
    pub transfer: Option<Transfer>,
    pub consult: Option<Consulted>,
    pub service: Option<Served>,
    /// Why the agent's own device ended a call out (E2, B4).
    pub device_failed: Option<String>,
    /// This agent was called in by another (D5), or called by one (E3).
    pub guest: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Phase {
    /// Called; nothing rings yet (E5).
    Dialling,
    /// The customer's telephone rings, or early media is heard (E5).
    Ringing,
    Connecting,
    Talking,
    Reconnecting,
    Ended,
}
