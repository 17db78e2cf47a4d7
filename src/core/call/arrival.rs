//! How a call comes about: a customer calls, or an agent does (C1, E1).

use crate::ids::{Address, AgentId, CallId, GroupId, LegId, TrunkId};
use crate::message::{LegPlan, Terms};
use crate::outcome::CallType;
use serde::{Deserialize, Serialize};

/// What is known of a call when it begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Arrival {
    pub call: CallId,
    pub leg: LegId,
    pub trunk: TrunkId,
    pub caller: String,
    pub contact: String,
    pub way: Way,
}

/// How a call came about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Way {
    /// A customer called. The number's group; none when nobody knows the number (C1).
    In(Option<Route>),
    /// An agent calls (E1).
    Out(Box<Departure>),
}

/// The agent who calls, and how.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Departure {
    pub agent: AgentId,
    pub leg: LegId,
    pub plan: LegPlan,
    pub terms: Terms,
    /// The guards let this number pass (E6).
    pub permitted: bool,
}

impl Arrival {
    pub fn call_type(&self) -> CallType {
        match self.way {
            Way::In(_) => CallType::Inbound,
            Way::Out(_) => CallType::Outbound,
        }
    }

    /// The customer's number.
    pub fn customer(&self) -> &str {
        match self.way {
            Way::In(_) => &self.caller,
            Way::Out(_) => &self.contact,
        }
    }

    /// Our number.
    pub fn ours(&self) -> &str {
        match self.way {
            Way::In(_) => &self.contact,
            Way::Out(_) => &self.caller,
        }
    }

    /// Who counts on the call before it says a word: they hear of it when it panics.
    pub fn known_to(&self) -> Address {
        match &self.way {
            Way::In(_) => Address::Leg(self.leg),
            Way::Out(departure) => Address::Agent(departure.agent),
        }
    }

    /// Where an inbound call goes.
    pub fn route(&self) -> Option<&Route> {
        match &self.way {
            Way::In(route) => route.as_ref(),
            Way::Out(_) => None,
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
