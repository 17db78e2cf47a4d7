//! Digits to the far side in a call, one after another, with pauses (D7).

use super::consult::Consult;
use super::{Call, State};
use crate::cx::{Cx, Millis};
use crate::ids::LegId;
use crate::leg::{self, SignalCommand};
use crate::message::{Action, MediaAction, Tell};
use crate::setup::DigitMode;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// From the beginning of one digit to the beginning of the next: 100 ms of tone, 100 ms of nothing.
pub const DIGIT_EVERY: Millis = 200;
/// What `,` and `p` wait, as on other telephones.
pub const PAUSE: Millis = 2_000;
/// Nobody's extension has more digits and pauses.
pub const MOST_DIGITS: usize = 64;

/// Whether every character is a digit that a telephone has, or a pause.
pub fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.len() <= MOST_DIGITS && text.chars().all(|c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | ',' | 'p'))
}

#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub(super) struct Digits {
    waiting: VecDeque<char>,
    /// When the next one may go.
    next: Option<Millis>,
}

impl Digits {
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    pub fn due(&self) -> Option<Millis> {
        self.next
    }
}

impl Call {
    pub(super) fn dial_digits(&mut self, digits: &str, out: &mut Vec<Action>, cx: &Cx) {
        if matches!(&self.state, State::Talking(talk) if talk.is_in_flow())
            || !are_digits(digits)
            || self.digits.waiting.len() + digits.len() > MOST_DIGITS
        {
            return;
        }
        self.digits.waiting.extend(digits.chars());
        if self.digits.next.is_none() {
            self.digits.next = Some(cx.now);
            self.send_digit(out, cx);
        }
    }

    /// The consulted number, while the agent speaks with it; else the customer.
    fn digits_go_to(&self) -> (LegId, DigitMode) {
        let customer = || (self.arrival.leg, self.gateway.as_ref().map_or(DigitMode::default(), |gateway| gateway.digits));
        self.consult().and_then(Consult::spoken_number).unwrap_or_else(customer)
    }

    pub(super) fn send_digit(&mut self, out: &mut Vec<Action>, cx: &Cx) {
        if self.digits.next.is_none_or(|next| cx.now < next) {
            return;
        }
        // Whoever the digits were for is gone.
        if !matches!(self.state, State::Talking(_)) {
            self.digits.forget();
            return;
        }
        let digit = self.digits.waiting.pop_front();
        self.digits.next = digit.map(|digit| cx.now + if matches!(digit, ',' | 'p') { PAUSE } else { DIGIT_EVERY });
        let Some(digit) = digit.filter(|digit| !matches!(digit, ',' | 'p')) else { return };
        let (leg, mode) = self.digits_go_to();
        out.push(match mode {
            DigitMode::Info => Action::Tell(Tell::Leg(leg, leg::Command::Signal(SignalCommand::Digit(digit)))),
            DigitMode::Rfc4733 => Action::Media(MediaAction::Digit { leg, digit, in_band: false }),
            DigitMode::InBand => Action::Media(MediaAction::Digit { leg, digit, in_band: true }),
        });
    }
}
