//! An agent's place in the call, and what is heard of them (D2, D3, B3).

use crate::ids::{AgentId, LegId};
use crate::message::{Device, Source, Terms, Transfer};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Seat {
    pub agent: AgentId,
    pub leg: LegId,
    pub device: Device,
    pub terms: Terms,
    /// The ding-dong that must end first (C6).
    pub ding_dong: Option<u64>,
    /// Out of reach for the moment (B3).
    pub away: bool,
    /// The part of the call that this agent's record tells.
    pub segment: u16,
    /// Called in by another agent (D5), or called by a colleague (E3).
    pub guest: bool,
    pub held: bool,
    pub muted: bool,
    /// Why the last transfer, consultation or colleague was refused.
    pub refusal: Option<Transfer>,
    /// Why the agent's device ended the call (B4, E2).
    pub device_failed: Option<String>,
}

impl Seat {
    pub fn new(agent: AgentId, leg: LegId, device: Device, terms: Terms, segment: u16, guest: bool) -> Self {
        Self {
            agent,
            leg,
            device,
            terms,
            ding_dong: None,
            away: false,
            segment,
            guest,
            held: false,
            muted: false,
            refusal: None,
            device_failed: None,
        }
    }

    /// What the others hear.
    pub fn voice(&self) -> Source {
        if self.held || self.away {
            Source::Music(self.terms.music.clone())
        } else if self.muted {
            Source::Silence
        } else {
            Source::Leg(self.leg)
        }
    }
}
