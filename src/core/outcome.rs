//! How calls and segments end. Decided where it happens, never guessed later from a text.

use crate::group::Limit;
use crate::trunk::Refusal;
use serde::{Deserialize, Serialize};

/// Status of a service record: of inbound ones by G2, of outbound ones by G3.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    NormalEnd,
    /// The caller is barred (C1).
    Blocklist,
    AgentTransfer,
    AbandonedRinging,
    AbandonedQueue,
    NoAgentOnline,
    QueueFull,
    QueueTimeout,
    Overflow,
    UnknownNumber,
    TrunkFull,
    AgentLost,
    /// The switch itself stopped.
    Interrupted,
    // Outbound only (G3).
    Missed,
    Rejected,
    InCall,
    PowerOff,
    EmptyNumber,
    CarrierException,
    /// The agent hung up before the answer.
    CallerCancelled,
    Arrears,
    OutOfServiceArea,
    /// The switch's own guards (E6).
    NotPermitted,
}

impl CallStatus {
    pub const ALL: [CallStatus; 23] = [
        Self::NormalEnd,
        Self::Blocklist,
        Self::AgentTransfer,
        Self::AbandonedRinging,
        Self::AbandonedQueue,
        Self::NoAgentOnline,
        Self::QueueFull,
        Self::QueueTimeout,
        Self::Overflow,
        Self::UnknownNumber,
        Self::TrunkFull,
        Self::AgentLost,
        Self::Interrupted,
        Self::Missed,
        Self::Rejected,
        Self::InCall,
        Self::PowerOff,
        Self::EmptyNumber,
        Self::CarrierException,
        Self::CallerCancelled,
        Self::Arrears,
        Self::OutOfServiceArea,
        Self::NotPermitted,
    ];

    /// How a segment ends in which an agent and the customer spoke.
    pub const SPOKEN: [CallStatus; 4] = [Self::NormalEnd, Self::AgentTransfer, Self::AgentLost, Self::Interrupted];

    /// The name in the database, the API and the floor file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NormalEnd => "normal_end",
            Self::Blocklist => "blocklist",
            Self::AgentTransfer => "agent_transfer",
            Self::AbandonedRinging => "abandoned_ringing",
            Self::AbandonedQueue => "abandoned_queue",
            Self::NoAgentOnline => "no_agent_online",
            Self::QueueFull => "queue_full",
            Self::QueueTimeout => "queue_timeout",
            Self::Overflow => "overflow",
            Self::UnknownNumber => "unknown_number",
            Self::TrunkFull => "trunk_full",
            Self::AgentLost => "agent_lost",
            Self::Interrupted => "interrupted",
            Self::Missed => "missed",
            Self::Rejected => "rejected",
            Self::InCall => "in_call",
            Self::PowerOff => "power_off",
            Self::EmptyNumber => "empty_number",
            Self::CarrierException => "carrier_exception",
            Self::CallerCancelled => "caller_cancelled",
            Self::Arrears => "arrears",
            Self::OutOfServiceArea => "out_of_service_area",
            Self::NotPermitted => "not_permitted",
        }
    }
}

impl From<Limit> for CallStatus {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::NoAgentOnline => Self::NoAgentOnline,
            Limit::QueueFull => Self::QueueFull,
            Limit::QueueTimeout => Self::QueueTimeout,
        }
    }
}

impl From<Refusal> for CallStatus {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full => Self::TrunkFull,
            Refusal::Barred => Self::NotPermitted,
        }
    }
}

/// Which way a call was set up (G1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallType {
    #[default]
    Inbound,
    Outbound,
    /// Between agents (E3).
    Internal,
}

impl CallType {
    pub const ALL: [CallType; 3] = [Self::Inbound, Self::Outbound, Self::Internal];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Internal => "internal",
        }
    }
}

/// Who hung up (G1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HungUpBy {
    Customer,
    Agent,
    Switch,
}

impl HungUpBy {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
            Self::Switch => "switch",
        }
    }
}
