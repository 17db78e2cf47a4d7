//! How a call comes about: a customer calls, or an agent does (C1, E1).

use crate::ids::{Address, AgentId, CallId, GroupId, LegId, PeerId, TrunkId};
use crate::message::{Device, Number, Terms};
use crate::outcome::CallType;
use crate::setup::PhoneSetup;
use serde::{Deserialize, Serialize};

/// What is known of a call when it begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Arrival {
    pub call: CallId,
    /// The customer's; of an internal call, nobody's.
    pub leg: LegId,
    /// None: the call needs no carrier.
    pub trunk: Option<TrunkId>,
    pub caller: String,
    pub contact: String,
    pub way: Way,
}

/// How a call came about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Way {
    /// A customer called. The number's group; none when nobody knows the number (C1).
    In(Option<Route>),
    /// A customer called who is on the blocklist; the number's group (C1).
    Barred(GroupId),
    /// An agent calls (E1).
    Out(Box<Departure>),
}

/// The agent who calls, and how.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Departure {
    pub agent: AgentId,
    pub leg: LegId,
    /// What the agent lifts first.
    pub device: Device,
    /// The browser's.
    pub peer: Option<PeerId>,
    pub terms: Terms,
    pub to: Called,
    /// The guards let this number pass (E6).
    pub permitted: bool,
}

/// Whom an agent calls.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Called {
    /// A number outside (E1).
    Number(TrunkId),
    /// A SIP address, or a registered phone that is no agent's (E4).
    Sip(PhoneSetup),
    /// A colleague (E3).
    Agent(AgentId),
    /// A colleague who is not online, on the mobile (E3).
    Mobile(AgentId, Number),
}

impl Called {
    pub fn trunk(&self) -> Option<TrunkId> {
        match self {
            Self::Number(trunk) => Some(*trunk),
            Self::Sip(_) | Self::Agent(_) | Self::Mobile(..) => None,
        }
    }

    /// Somebody outside; not: a colleague.
    pub fn is_customer(&self) -> bool {
        match self {
            Self::Number(_) | Self::Sip(_) => true,
            Self::Agent(_) | Self::Mobile(..) => false,
        }
    }
}

impl Arrival {
    pub fn call_type(&self) -> CallType {
        match self.way {
            Way::In(_) | Way::Barred(_) => CallType::Inbound,
            Way::Out(_) if self.colleagues().is_some() => CallType::Internal,
            Way::Out(_) => CallType::Outbound,
        }
    }

    /// Who calls whom in an internal call (E3).
    pub fn colleagues(&self) -> Option<(AgentId, AgentId)> {
        match &self.way {
            Way::Out(departure) => match departure.to {
                Called::Agent(called) | Called::Mobile(called, _) => Some((departure.agent, called)),
                Called::Number(_) | Called::Sip(_) => None,
            },
            Way::In(_) | Way::Barred(_) => None,
        }
    }

    /// The customer's number; of an internal call, the called agent's.
    pub fn customer(&self) -> &str {
        match self.way {
            Way::In(_) | Way::Barred(_) => &self.caller,
            Way::Out(_) => &self.contact,
        }
    }

    /// The other side's number, for the agent who was called or for the one who calls.
    pub fn seen_from(&self, guest: bool) -> &str {
        if guest && self.colleagues().is_some() { &self.caller } else { self.customer() }
    }

    /// Our number; of an internal call, the calling agent's.
    pub fn ours(&self) -> &str {
        match self.way {
            Way::In(_) | Way::Barred(_) => &self.contact,
            Way::Out(_) => &self.caller,
        }
    }

    /// Who counts on the call before it says a word: they hear of it when it panics.
    pub fn known_to(&self) -> Address {
        match &self.way {
            Way::In(_) | Way::Barred(_) => Address::Leg(self.leg),
            Way::Out(departure) => Address::Agent(departure.agent),
        }
    }

    /// Where an inbound call goes.
    pub fn route(&self) -> Option<&Route> {
        match &self.way {
            Way::In(route) => route.as_ref(),
            Way::Barred(_) | Way::Out(_) => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Route {
    pub group: GroupId,
    pub early_media: bool,
    /// The agent who last served this caller (C3).
    pub last_agent: Option<AgentId>,
}
