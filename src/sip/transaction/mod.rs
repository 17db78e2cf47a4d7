//! The four transaction machines of RFC 3261 §17 with the corrections of RFC 6026.
//!
//! A machine knows neither flows nor headers: the endpoint tells it what came and does what its [`Step`] says.

mod client;
mod server;

pub use client::{InviteClient, OtherClient};
pub use server::{InviteServer, OtherServer};

use cordboard_core::cx::Millis;

/// Round-trip estimate (RFC 3261 §17.1.1.1).
pub const T1: Millis = 500;
/// Longest interval of retransmission.
pub const T2: Millis = 4_000;
/// Longest life of a message in the network.
pub const T4: Millis = 5_000;
/// Timers B, F, H, J, L and M.
pub const GIVE_UP: Millis = 64 * T1;
/// Timer D over an unreliable transport.
pub const TIMER_D: Millis = 32_000;

/// What a machine wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Step {
    /// Send what the machine's `wire` gives.
    pub transmit: bool,
    /// Hand the message to the transaction's user.
    pub deliver: bool,
    /// Tell the user that no answer came.
    pub timed_out: bool,
}

impl Step {
    const NOTHING: Self = Self { transmit: false, deliver: false, timed_out: false };
    const TRANSMIT: Self = Self { transmit: true, ..Self::NOTHING };
    const DELIVER: Self = Self { deliver: true, ..Self::NOTHING };
    const TIMED_OUT: Self = Self { timed_out: true, ..Self::NOTHING };
}

/// A message that is sent again at growing intervals until something happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Resend {
    /// `None` over a reliable transport.
    at: Option<Millis>,
    interval: Millis,
    cap: Millis,
    give_up_at: Millis,
}

impl Resend {
    fn new(now: Millis, reliable: bool, cap: Millis) -> Self {
        Self { at: (!reliable).then_some(now + T1), interval: T1, cap, give_up_at: now + GIVE_UP }
    }

    fn deadline(&self) -> Millis {
        self.at.map_or(self.give_up_at, |at| at.min(self.give_up_at))
    }

    /// Whether it is time to send again; doubles the interval.
    fn is_due(&mut self, now: Millis) -> bool {
        match self.at {
            Some(at) if at <= now => {
                self.interval = (self.interval * 2).min(self.cap);
                self.at = Some(now + self.interval);
                true
            }
            Some(_) | None => false,
        }
    }
}

#[cfg(test)]
mod tests;
