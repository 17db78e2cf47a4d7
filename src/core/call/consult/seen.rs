//! What the two agents of a consultation see of it, and what is left to them without the customer (D5).

use super::Aside;
use crate::call::{Call, Command, Seat, State};
use crate::ids::AgentId;
use crate::message::{Action, Consulted, Reached, Side, Whom};

impl Call {
    /// The consultation, for one of the two agents.
    pub(in crate::call) fn consult_seen_by(&self, seat: &Seat) -> Option<Consulted> {
        let (seen, consultant) = match &self.state {
            State::Talking(talk) => (talk.consult.as_ref()?.seen(), talk.seat.agent),
            State::Aside(Aside { seat, whom, .. }) => {
                (Consulted { whom: whom.clone(), reached: Reached::Up, side: Side::Third, customer_left: true }, seat.agent)
            }
            State::Claiming
            | State::Dialling(_)
            | State::Queueing(_)
            | State::Joining(_)
            | State::Bridged(_)
            | State::Leaving { .. }
            | State::Over => return None,
        };
        Some(if seat.guest { Consulted { whom: Whom::Agent(consultant), ..seen } } else { seen })
    }

    pub(in crate::call) fn muted_aside(&self, seat: &Seat) -> bool {
        matches!(&self.state, State::Aside(aside) if aside.muted && !seat.guest)
    }

    /// The customer has left: all that remains to the agent is to be silent, or not.
    pub(in crate::call) fn command_aside(&mut self, agent: AgentId, command: &Command, out: &mut Vec<Action>) {
        let State::Aside(aside) = &mut self.state else { return };
        if aside.seat.agent != agent {
            return;
        }
        match command {
            Command::Mute => aside.muted = true,
            Command::Unmute => aside.muted = false,
            Command::HangUp
            | Command::Hold
            | Command::Resume
            | Command::Transfer(_)
            | Command::Digits(_)
            | Command::Consult(_)
            | Command::Swap
            | Command::Conference
            | Command::Complete
            | Command::EndConsult
            | Command::StartFlow(..)
            | Command::EndFlow => return,
        }
        self.voices_changed(out);
    }
}
