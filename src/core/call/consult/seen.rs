//! What the two agents of a consultation see of it (D5).

use crate::call::{Call, Seat, State};
use crate::message::{Consulted, Whom};

impl Call {
    /// The consultation, for one of the two agents.
    pub(in crate::call) fn consult_seen_by(&self, seat: &Seat) -> Option<Consulted> {
        if self.arrival.colleagues().is_some() {
            return None;
        }
        let seen = self.consult()?.seen();
        let consultant = self.seat()?.agent;
        let whom = if seat.guest { Whom::Agent(consultant) } else { seen.whom };
        Some(Consulted { whom, customer_left: matches!(self.state, State::Aside(_)), ..seen })
    }
}
