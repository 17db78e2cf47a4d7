//! Client transactions.

use super::{GIVE_UP, Resend, Step, T2, T4, TIMER_D};
use cordboard_core::cx::Millis;

// INVITE (RFC 3261 §17.1.1, RFC 6026 §8.4)
//
// | state      | 1xx                  | 2xx                 | 300-699                      | timer                             |
// |------------|----------------------|---------------------|------------------------------|-----------------------------------|
// | Calling    | deliver → Proceeding | deliver → Accepted  | ACK, deliver → Completed     | A: send again; B: timed out → end |
// | Proceeding | deliver              | deliver → Accepted  | ACK, deliver → Completed     | after CANCEL: timed out → end     |
// | Accepted   | –                    | deliver             | –                            | M: → end                          |
// | Completed  | –                    | –                   | ACK again                    | D: → end                          |
#[derive(Clone, PartialEq, Eq, Debug)]
enum InviteState {
    Calling(Resend, Vec<u8>),
    /// The time is set once a CANCEL went out (RFC 3261 §9.1).
    Proceeding {
        give_up_at: Option<Millis>,
    },
    Accepted {
        until: Millis,
    },
    Completed {
        ack: Vec<u8>,
        until: Millis,
    },
    Terminated,
}

/// The client's side of an INVITE.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InviteClient {
    reliable: bool,
    state: InviteState,
}

impl InviteClient {
    /// The caller sends `request` for the first time itself.
    pub fn new(request: Vec<u8>, reliable: bool, now: Millis) -> Self {
        // Timer A doubles without a cap (RFC 3261 §17.1.1.2).
        Self { reliable, state: InviteState::Calling(Resend::new(now, reliable, GIVE_UP), request) }
    }

    /// `ack` makes the ACK for a refusal.
    pub fn receive(&mut self, status: u16, now: Millis, ack: impl FnOnce() -> Vec<u8>) -> Step {
        match (&self.state, status) {
            (InviteState::Calling(..), ..200) => {
                self.state = InviteState::Proceeding { give_up_at: None };
                Step::DELIVER
            }
            (InviteState::Proceeding { .. }, ..200) => Step::DELIVER,
            (InviteState::Calling(..) | InviteState::Proceeding { .. }, 200..300) => {
                self.state = InviteState::Accepted { until: now + GIVE_UP };
                Step::DELIVER
            }
            (InviteState::Calling(..) | InviteState::Proceeding { .. }, _) => {
                let until = if self.reliable { now } else { now + TIMER_D };
                self.state = InviteState::Completed { ack: ack(), until };
                Step { transmit: true, deliver: true, timed_out: false }
            }
            (InviteState::Accepted { .. }, 200..300) => Step::DELIVER,
            (InviteState::Completed { .. }, 300..) => Step::TRANSMIT,
            (InviteState::Accepted { .. } | InviteState::Completed { .. } | InviteState::Terminated, _) => Step::NOTHING,
        }
    }

    /// Whether no final response came yet.
    pub fn is_pending(&self) -> bool {
        matches!(self.state, InviteState::Calling(..) | InviteState::Proceeding { .. })
    }

    /// Whether a CANCEL is to be sent now: a provisional came, no final response, and no CANCEL went out before. From then on the final
    /// response is waited for no longer than 64·T1 (RFC 3261 §9.1).
    pub fn cancel(&mut self, now: Millis) -> bool {
        match &mut self.state {
            InviteState::Proceeding { give_up_at: give_up_at @ None } => {
                *give_up_at = Some(now + GIVE_UP);
                true
            }
            InviteState::Calling(..)
            | InviteState::Proceeding { .. }
            | InviteState::Accepted { .. }
            | InviteState::Completed { .. }
            | InviteState::Terminated => false,
        }
    }

    pub fn tick(&mut self, now: Millis) -> Step {
        let (over, step) = match &mut self.state {
            InviteState::Calling(resend, _) => match (now >= resend.give_up_at, resend.is_due(now)) {
                (true, _) => (true, Step::TIMED_OUT),
                (false, true) => (false, Step::TRANSMIT),
                (false, false) => (false, Step::NOTHING),
            },
            InviteState::Proceeding { give_up_at: Some(at) } if *at <= now => (true, Step::TIMED_OUT),
            InviteState::Proceeding { .. } => (false, Step::NOTHING),
            InviteState::Accepted { until } | InviteState::Completed { until, .. } => (*until <= now, Step::NOTHING),
            InviteState::Terminated => (true, Step::NOTHING),
        };
        if over {
            self.state = InviteState::Terminated;
        }
        step
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        match &self.state {
            InviteState::Calling(resend, _) => Some(resend.deadline()),
            InviteState::Proceeding { give_up_at } => *give_up_at,
            InviteState::Accepted { until } | InviteState::Completed { until, .. } => Some(*until),
            InviteState::Terminated => None,
        }
    }

    pub fn is_terminated(&self) -> bool {
        self.state == InviteState::Terminated
    }

    /// What is sent again; empty in the states in which nothing is.
    pub fn wire(&self) -> &[u8] {
        match &self.state {
            InviteState::Calling(_, wire) | InviteState::Completed { ack: wire, .. } => wire,
            InviteState::Proceeding { .. } | InviteState::Accepted { .. } | InviteState::Terminated => &[],
        }
    }
}

// Any other request (RFC 3261 §17.1.2)
//
// | state      | 1xx                  | 200-699             | timer                             |
// |------------|----------------------|---------------------|-----------------------------------|
// | Trying     | deliver → Proceeding | deliver → Completed | E: send again; F: timed out → end |
// | Proceeding | deliver              | deliver → Completed | E (at T2); F: timed out → end     |
// | Completed  | –                    | –                   | K: → end                          |
#[derive(Clone, PartialEq, Eq, Debug)]
enum OtherState {
    Trying(Resend),
    Proceeding(Resend),
    Completed { until: Millis },
    Terminated,
}

/// The client's side of any request but INVITE and ACK.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherClient {
    request: Vec<u8>,
    reliable: bool,
    state: OtherState,
}

impl OtherClient {
    /// The caller sends `request` for the first time itself.
    pub fn new(request: Vec<u8>, reliable: bool, now: Millis) -> Self {
        Self { request, reliable, state: OtherState::Trying(Resend::new(now, reliable, T2)) }
    }

    pub fn receive(&mut self, status: u16, now: Millis) -> Step {
        match &self.state {
            OtherState::Trying(resend) | OtherState::Proceeding(resend) => {
                self.state = if status < 200 {
                    OtherState::Proceeding(Resend { interval: T2, ..*resend })
                } else {
                    self.request = Vec::new();
                    OtherState::Completed { until: if self.reliable { now } else { now + T4 } }
                };
                Step::DELIVER
            }
            OtherState::Completed { .. } | OtherState::Terminated => Step::NOTHING,
        }
    }

    /// Whether no final response came yet.
    pub fn is_pending(&self) -> bool {
        matches!(self.state, OtherState::Trying(_) | OtherState::Proceeding(_))
    }

    pub fn tick(&mut self, now: Millis) -> Step {
        let (over, step) = match &mut self.state {
            OtherState::Trying(resend) | OtherState::Proceeding(resend) => match (now >= resend.give_up_at, resend.is_due(now)) {
                (true, _) => (true, Step::TIMED_OUT),
                (false, true) => (false, Step::TRANSMIT),
                (false, false) => (false, Step::NOTHING),
            },
            OtherState::Completed { until } => (*until <= now, Step::NOTHING),
            OtherState::Terminated => (true, Step::NOTHING),
        };
        if over {
            self.state = OtherState::Terminated;
        }
        step
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        match &self.state {
            OtherState::Trying(resend) | OtherState::Proceeding(resend) => Some(resend.deadline()),
            OtherState::Completed { until } => Some(*until),
            OtherState::Terminated => None,
        }
    }

    pub fn is_terminated(&self) -> bool {
        self.state == OtherState::Terminated
    }

    /// What is sent again; empty after the final response.
    pub fn wire(&self) -> &[u8] {
        &self.request
    }
}
