//! How calls and segments end. Decided where it happens, never guessed later from a text.

use serde::{Deserialize, Serialize};

/// Status of an inbound service record (G2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    NormalEnd,
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
}

impl CallStatus {
    pub const ALL: [CallStatus; 12] = [
        Self::NormalEnd,
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
    ];

    /// The name in the database, the API and the floor file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NormalEnd => "normal_end",
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
