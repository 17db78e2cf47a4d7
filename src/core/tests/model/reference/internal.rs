//! What an internal call should be, from what happened to it (E3).

use super::CallSight;
use crate::floor::Floor;
use cordboard_core::call::{self, Call, Called, Command, Way};
use cordboard_core::ids::AgentId;
use cordboard_core::leg;
use cordboard_core::message::{Device, Source};
use cordboard_core::outbound::status_of;
use cordboard_core::outcome::{CallStatus, CallType, HungUpBy};
use cordboard_core::record::{CallRow, Entry, What};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Internal {
    voices: BTreeMap<AgentId, Voice>,
    /// What the call is called once the colleague confirms that the ring is over.
    taken_back: Option<CallStatus>,
}

#[derive(Clone, Copy, Default)]
struct Voice {
    held: bool,
    muted: bool,
    away: bool,
}

impl Voice {
    fn hears(&mut self, event: &call::Event, aside: bool) {
        match event {
            call::Event::AgentAway { .. } => self.away = true,
            call::Event::AgentBack { .. } => self.away = false,
            call::Event::Command { command: Command::Hold, .. } => self.held |= aside,
            call::Event::Command { command: Command::Resume, .. } => self.held = false,
            call::Event::Leg(_, leg::Event::Held(held)) => self.held = *held && aside,
            call::Event::Command { command: Command::Mute, .. } => self.muted |= aside,
            call::Event::Command { command: Command::Unmute, .. } => self.muted = false,
            _ => {}
        }
    }
}

impl Internal {
    pub fn hears(&mut self, machine: &Call, event: &call::Event, before: &CallSight) {
        let agent = match event {
            call::Event::AgentAway { agent } | call::Event::AgentBack { agent, .. } | call::Event::Command { agent, .. } => Some(agent),
            call::Event::Leg(leg, leg::Event::Held(_)) => before.agents.iter().find(|(_, own)| own == leg).map(|(agent, _)| agent),
            _ => None,
        };
        if let Some(agent) = agent.filter(|agent| before.agents.iter().any(|(here, _)| here == *agent)) {
            self.voices.entry(*agent).or_default().hears(event, before.kind == "Aside");
        }
        if before.kind == "Aside" && !machine.offered().is_empty() {
            self.ring_ends(machine, event, before);
        }
    }

    /// The first thing that ends the ring names the call.
    fn ring_ends(&mut self, machine: &Call, event: &call::Event, before: &CallSight) {
        let own = |leg| before.agents.iter().any(|(_, own)| own == leg);
        let status = match event {
            call::Event::Leg(leg, leg::Event::Failed(why)) if !own(leg) => status_of(why, &[]),
            // A mobile that was answered, and hung up before key 1 (C7).
            call::Event::Leg(leg, leg::Event::HungUp) if !own(leg) => CallStatus::Rejected,
            // There is no number to show to the colleague's mobile.
            call::Event::Reserved { device: Device::Mobile(mobile), .. } if mobile.line.is_none() => CallStatus::CarrierException,
            call::Event::ChannelRefused { leg, refusal } if *leg != machine.customer_leg() => (*refusal).into(),
            call::Event::Leg(leg, leg::Event::Cancelled | leg::Event::Closed) | call::Event::LegGone(leg) if !own(leg) => {
                CallStatus::Missed
            }
            call::Event::AgentRestarted(agent) if machine.offered().iter().any(|(_, rung)| rung == agent) => CallStatus::Missed,
            call::Event::Accept { peer: None, .. } => CallStatus::Missed,
            _ => return,
        };
        self.taken_back.get_or_insert(status);
    }

    pub fn rang_out(&mut self, before: &CallSight) {
        if before.kind == "Aside" {
            self.taken_back.get_or_insert(CallStatus::Missed);
        }
    }

    pub fn end(&self, event: &call::Event, before: &CallSight, machine: &Call) -> (CallStatus, HungUpBy) {
        let mobile = matches!(&machine.arrival().way, Way::Out(departure) if matches!(departure.to, Called::Mobile(..)));
        let (caller, answered) = (before.agent, !before.unanswered);
        let own_leg = before.agents.first().map(|(_, leg)| *leg);
        let parting = if answered { CallStatus::NormalEnd } else { CallStatus::CallerCancelled };
        let parted = if answered { CallStatus::NormalEnd } else { CallStatus::Missed };
        let by_switch = |status| (status, if status == CallStatus::Rejected { HungUpBy::Agent } else { HungUpBy::Switch });
        match event {
            call::Event::Command { agent, .. } => (if caller == Some(*agent) { parting } else { parted }, HungUpBy::Agent),
            call::Event::Leg(leg, leg::Event::HungUp) if own_leg == Some(*leg) => (parting, HungUpBy::Agent),
            call::Event::Leg(leg, _) if own_leg == Some(*leg) => by_switch(CallStatus::AgentLost),
            call::Event::Leg(..) if answered => (CallStatus::NormalEnd, HungUpBy::Agent),
            call::Event::Leg(_, leg::Event::Failed(why)) if mobile => by_switch(status_of(why, &[])),
            call::Event::Leg(..) if mobile => by_switch(CallStatus::CarrierException),
            call::Event::ChannelRefused { refusal, .. } => by_switch((*refusal).into()),
            call::Event::Leg(..) => by_switch(CallStatus::Missed),
            call::Event::LegGone(leg) if answered || own_leg == Some(*leg) => by_switch(CallStatus::Interrupted),
            call::Event::LegGone(_) if mobile => by_switch(CallStatus::CarrierException),
            call::Event::AgentLost { agent } if answered || caller == Some(*agent) => by_switch(CallStatus::AgentLost),
            call::Event::NotReserved { status, .. } => by_switch(*status),
            call::Event::Declined { .. } => by_switch(self.taken_back.unwrap_or(CallStatus::Rejected)),
            _ => by_switch(self.taken_back.unwrap_or(CallStatus::Missed)),
        }
    }

    pub fn check_voices(&self, floor: &Floor, machine: &Call, wrong: &mut Vec<String>) {
        let agents = machine.agents();
        let [(first, first_leg), (second, second_leg)] = agents[..] else { return };
        if machine.is_calling_colleague() {
            return;
        }
        for (listens, speaks, leg) in [(first_leg, second, second_leg), (second_leg, first, first_leg)] {
            let Voice { held, muted, away } = self.voices.get(&speaks).copied().unwrap_or_default();
            let heard = floor.hears_now(listens);
            let right = match (held || away, muted) {
                (true, _) => matches!(heard, Source::Music(_)),
                (false, true) => heard == Source::Silence,
                (false, false) => heard == Source::Leg(leg),
            };
            if !right {
                wrong.push(format!("{:?}: held {held} muted {muted} away {away}, and the colleague hears {heard:?}", machine.id()));
            }
        }
    }
}

/// The records that an internal call should have: one of each agent, once the colleague was asked for.
pub fn records(row: &CallRow, lines: &[Entry]) -> Option<Vec<CallStatus>> {
    let asked = lines.iter().any(|line| matches!(line.what, What::ConsultBegan { .. }));
    (row.way == CallType::Internal).then(|| vec![row.status; if asked { 2 } else { 1 }])
}
