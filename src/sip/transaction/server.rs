//! Server transactions.

use super::{GIVE_UP, Resend, Step, T2, T4};
use cordboard_core::cx::Millis;

// INVITE (RFC 3261 §17.2.1, RFC 6026 §8.7)
//
// | state      | INVITE again | ACK              | 1xx from user | 2xx from user        | 300-699 from user    | timer                        |
// |------------|--------------|------------------|---------------|----------------------|----------------------|------------------------------|
// | Proceeding | send last    | –                | send          | send → Accepted      | send → Completed     |                              |
// | Accepted   | –            | the dialog's     | –             | send (user's repeat) | –                    | L: → end                     |
// | Completed  | send last    | → Confirmed      | –             | –                    | –                    | G: send again; H: → end      |
// | Confirmed  | –            | –                | –             | –                    | –                    | I: → end                     |
#[derive(Clone, PartialEq, Eq, Debug)]
enum InviteState {
    Proceeding,
    Accepted { until: Millis },
    Completed(Resend),
    Confirmed { until: Millis },
    Terminated,
}

/// The server's side of an INVITE.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InviteServer {
    response: Vec<u8>,
    reliable: bool,
    state: InviteState,
}

impl InviteServer {
    pub fn new(reliable: bool) -> Self {
        Self { response: Vec::new(), reliable, state: InviteState::Proceeding }
    }

    /// The same INVITE came again.
    pub fn receive_again(&self) -> Step {
        match self.state {
            InviteState::Proceeding | InviteState::Completed(_) if !self.response.is_empty() => Step::TRANSMIT,
            InviteState::Proceeding
            | InviteState::Completed(_)
            | InviteState::Accepted { .. }
            | InviteState::Confirmed { .. }
            | InviteState::Terminated => Step::NOTHING,
        }
    }

    /// An ACK that matches by branch. Delivered only where the 2xx's ACK reuses the branch, as RFC 2543 clients do.
    pub fn receive_ack(&mut self, now: Millis) -> Step {
        match self.state {
            InviteState::Completed(_) => {
                self.state = InviteState::Confirmed { until: if self.reliable { now } else { now + T4 } };
                Step::NOTHING
            }
            InviteState::Accepted { .. } => Step::DELIVER,
            InviteState::Proceeding | InviteState::Confirmed { .. } | InviteState::Terminated => Step::NOTHING,
        }
    }

    /// The user's response, to be transmitted if the step says so. Repeating a 2xx until its ACK is the work of the user, who keeps it.
    pub fn respond(&mut self, status: u16, response: &[u8], now: Millis) -> Step {
        self.state = match (&self.state, status) {
            (InviteState::Proceeding, ..200) => InviteState::Proceeding,
            (InviteState::Proceeding, 200..300) => InviteState::Accepted { until: now + GIVE_UP },
            (InviteState::Proceeding, _) => InviteState::Completed(Resend::new(now, self.reliable, T2)),
            (InviteState::Accepted { until }, 200..300) => InviteState::Accepted { until: *until },
            (InviteState::Accepted { .. } | InviteState::Completed(_) | InviteState::Confirmed { .. } | InviteState::Terminated, _) => {
                return Step::NOTHING;
            }
        };
        self.response = if matches!(self.state, InviteState::Accepted { .. }) { Vec::new() } else { response.to_vec() };
        Step::TRANSMIT
    }

    /// Whether no final response went out yet.
    pub fn is_pending(&self) -> bool {
        self.state == InviteState::Proceeding
    }

    pub fn tick(&mut self, now: Millis) -> Step {
        let (over, step) = match &mut self.state {
            InviteState::Proceeding => (false, Step::NOTHING),
            InviteState::Accepted { until } | InviteState::Confirmed { until } => (*until <= now, Step::NOTHING),
            InviteState::Completed(resend) => match (now >= resend.give_up_at, resend.is_due(now)) {
                (true, _) => (true, Step::NOTHING),
                (false, true) => (false, Step::TRANSMIT),
                (false, false) => (false, Step::NOTHING),
            },
            InviteState::Terminated => (true, Step::NOTHING),
        };
        if over {
            self.state = InviteState::Terminated;
        }
        step
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        match &self.state {
            InviteState::Proceeding | InviteState::Terminated => None,
            InviteState::Accepted { until } | InviteState::Confirmed { until } => Some(*until),
            InviteState::Completed(resend) => Some(resend.deadline()),
        }
    }

    pub fn is_terminated(&self) -> bool {
        self.state == InviteState::Terminated
    }

    /// What is sent again; empty when it is the user who does that.
    pub fn wire(&self) -> &[u8] {
        &self.response
    }
}

// Any other request (RFC 3261 §17.2.2)
//
// | state      | request again | 1xx from user     | 200-699 from user                   | timer    |
// |------------|---------------|-------------------|-------------------------------------|----------|
// | Trying     | –             | send → Proceeding | send → Completed (on a stream: end) |          |
// | Proceeding | send last     | send              | send → Completed (on a stream: end) |          |
// | Completed  | send last     | –                 | –                                   | J: → end |
#[derive(Clone, PartialEq, Eq, Debug)]
enum OtherState {
    Trying,
    Proceeding,
    Completed { until: Millis },
    Terminated,
}

/// The server's side of any request but INVITE and ACK.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherServer {
    response: Vec<u8>,
    reliable: bool,
    state: OtherState,
}

impl OtherServer {
    pub fn new(reliable: bool) -> Self {
        Self { response: Vec::new(), reliable, state: OtherState::Trying }
    }

    pub fn receive_again(&self) -> Step {
        match self.state {
            OtherState::Proceeding | OtherState::Completed { .. } => Step::TRANSMIT,
            OtherState::Trying | OtherState::Terminated => Step::NOTHING,
        }
    }

    /// The user's response, to be transmitted if the step says so.
    pub fn respond(&mut self, status: u16, response: &[u8], now: Millis) -> Step {
        match self.state {
            OtherState::Trying | OtherState::Proceeding => {
                self.response = response.to_vec();
                self.state = match status {
                    ..200 => OtherState::Proceeding,
                    // Timer J is 0: nothing repeats itself on a stream.
                    _ if self.reliable => OtherState::Terminated,
                    _ => OtherState::Completed { until: now + GIVE_UP },
                };
                Step::TRANSMIT
            }
            OtherState::Completed { .. } | OtherState::Terminated => Step::NOTHING,
        }
    }

    /// Whether no final response went out yet.
    pub fn is_pending(&self) -> bool {
        matches!(self.state, OtherState::Trying | OtherState::Proceeding)
    }

    pub fn tick(&mut self, now: Millis) -> Step {
        if let OtherState::Completed { until } = self.state
            && until <= now
        {
            self.state = OtherState::Terminated;
        }
        Step::NOTHING
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        match self.state {
            OtherState::Completed { until } => Some(until),
            OtherState::Trying | OtherState::Proceeding | OtherState::Terminated => None,
        }
    }

    pub fn is_terminated(&self) -> bool {
        self.state == OtherState::Terminated
    }

    pub fn wire(&self) -> &[u8] {
        &self.response
    }
}
