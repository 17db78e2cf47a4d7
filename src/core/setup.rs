//! How the floor is set up: what an admin decides, as the machines need it. The database and the floor file (I6) are turned into these.

use crate::flow::Definition;
use crate::ids::{AgentId, FlowId, GroupId, TrunkId};
use crate::message::Terms;
use crate::outcome::CallStatus;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// How a group chooses among its ready agents (C3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    LongestIdle,
    FewestCallsToday,
    AgentPriority,
    RoundRobin,
    RingAll,
}

/// How long after-call work lasts (B2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrapUp {
    Off,
    Millis(u64),
    /// Until the agent says so.
    Manual,
}

/// Where a caller goes whom a queue cannot take (C2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WayOut {
    /// Play the prompt, if there is one, and hang up.
    HangUp {
        prompt: Option<String>,
    },
    Group(GroupId),
}

/// A skill group. Times in milliseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupSetup {
    pub id: GroupId,
    pub name: String,
    pub strategy: Strategy,
    /// How long one agent rings (C5).
    pub ring: u64,
    pub wrap_up: WrapUp,
    /// C6.
    pub automatic_answer: bool,
    /// Ring time-outs in a row before the agent is set busy; 0 = never (B4).
    pub misses: u32,
    /// How long a caller may wait for the agent who last served them (C3); 0 = not.
    pub last_agent_wait: u64,
    /// Longest wait; none = no limit.
    pub max_wait: Option<u64>,
    pub on_max_wait: WayOut,
    /// Most callers in the queue; none = no limit.
    pub max_queue: Option<u32>,
    pub on_max_queue: WayOut,
    pub on_no_agent: WayOut,
    /// Sounds by name (the shipped ones, see `media`).
    pub welcome: Option<String>,
    pub music: String,
    /// Callers are told their position when they come in and then every so often; none = not.
    pub announce_position: Option<u64>,
    /// The sound that callers hear every so often while they wait; none = not.
    pub announcement: Option<String>,
    pub announce_every: u64,
    /// Calls of this group are recorded (G4).
    pub record: bool,
}

impl GroupSetup {
    /// The group's terms for a call; `automatic` overrides the group's answer (C6).
    pub fn terms(&self, automatic: Option<bool>) -> Terms {
        Terms {
            group: self.id,
            group_name: self.name.clone(),
            ring: self.ring,
            wrap_up: self.wrap_up,
            automatic: automatic.unwrap_or(self.automatic_answer),
            misses: self.misses,
            music: self.music.clone(),
            record: self.record,
        }
    }
}

/// An agent's place in one group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Membership {
    pub group: GroupId,
    /// For [`Strategy::AgentPriority`]: lower is asked first.
    pub priority: i32,
    /// Which of the agent's groups comes first when several have callers: higher first (C3).
    pub weight: i32,
}

/// What rings for an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceSetup {
    Browser,
    Phone(PhoneSetup),
}

/// A SIP phone (C8).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PhoneSetup {
    pub name: String,
    pub user: String,
    pub contact: PhoneContact,
}

/// Where a phone is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneContact {
    /// Always at `sip:user@addr`.
    Fixed { addr: SocketAddr, transport: Transport },
    /// Where it registered last.
    Registered,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// A number of ours, and the trunk that calls with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    pub trunk: TrunkId,
    pub caller: String,
}

/// An agent's own mobile as a device (C7, E2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mobile {
    /// The bound number, in E.164. Nobody is shown it.
    pub number: String,
    /// For a call that has no number of ours to show by itself (E1); none: the floor has none.
    pub line: Option<Line>,
    /// Only key 1 accepts an offer, so that a mailbox takes no call.
    pub press_one: bool,
}

/// What an agent uses the mobile for, while it is switched on for anything.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MobileSetup {
    pub mobile: Mobile,
    /// Offers ring it (C7).
    pub answering: bool,
    /// Calls out begin at it (E2).
    pub outbound: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentSetup {
    pub id: AgentId,
    /// The agent id that people use.
    pub number: String,
    pub name: String,
    pub groups: Vec<Membership>,
    /// Overrides the group's (C6).
    pub automatic_answer: Option<bool>,
    pub device: DeviceSetup,
    pub mobile: Option<MobileSetup>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TrunkSetup {
    pub id: TrunkId,
    pub name: String,
    /// The carrier's addresses: requests from them belong to this trunk; OPTIONS goes to each.
    pub hosts: Vec<SocketAddr>,
    pub transport: Transport,
    /// Most calls at once; none = no limit.
    pub max_channels: Option<u32>,
    /// Most new calls a second; none = no limit.
    pub max_calls_per_second: Option<u32>,
    /// Milliseconds between OPTIONS; 0 = none.
    pub options_every: u64,
    /// Most calls out at once, and in a day; none = no limit (E6).
    pub max_outbound: Option<u32>,
    pub max_outbound_a_day: Option<u32>,
    /// How digits are sent in a call (D7).
    pub digits: DigitMode,
    /// What this carrier means by its failures, before the defaults (G3).
    pub outcomes: Vec<OutcomeRule>,
}

/// How a digit reaches the far side (D7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigitMode {
    /// Telephone events in RTP (RFC 4733); tones where the far side has none.
    #[default]
    Rfc4733,
    /// SIP INFO.
    Info,
    /// Tones in the voice.
    InBand,
}

/// What one sort of failure is called (G3): exactly one of the first three is given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRule {
    /// Q.850.
    pub cause: Option<u8>,
    /// SIP.
    pub status: Option<u16>,
    /// A part of the reason phrase or text, in any case.
    pub text: Option<String>,
    pub outcome: CallStatus,
}

/// Which numbers a role may call: prefixes, in the form of [`crate::outbound::clean`] (E6).
///
/// Nobody calls anywhere unless the floor says so: toll fraud begins with what was left open.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboundRules {
    pub agent: Vec<String>,
    pub supervisor: Vec<String>,
    pub admin: Vec<String>,
    /// Most calls out of one agent in a day; none = no limit.
    pub a_day: Option<u32>,
    /// The hosts of SIP addresses that may be called (E4).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sip_hosts: Vec<IpAddr>,
}

/// A self-service flow (D6).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FlowSetup {
    pub id: FlowId,
    pub name: String,
    /// Agents may start it.
    pub enabled: bool,
    pub definition: Definition,
}

/// A number (DID) that customers call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NumberSetup {
    /// Digits, with a leading + when it is international.
    pub did: String,
    /// Only when it comes from this trunk; none = from any.
    pub trunk: Option<TrunkId>,
    pub group: GroupId,
    /// Queue in early media (183) for at most 60 s before the answer (C2).
    pub early_media: bool,
}
