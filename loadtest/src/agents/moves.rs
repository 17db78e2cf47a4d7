//! What an agent does in a call beside talking, and when: told by the last digits of the customer's number, which the page sees.
//!
//! | last two digits mod 20 | what |
//! |---|---|
//! | 3, 13 | hold after a second, resume after another (D2) |
//! | 6 | blind transfer after a second (D4) |
//! | 9 | consultation after a second; handed over a second after its answer (D5) |

use serde_json::{Value, json};
use std::time::Duration;

pub const BEAT: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    Hold,
    Resume,
    Transfer,
    Consult,
    Complete,
    HangUp,
}

impl Move {
    /// The first thing to do in a call from this number, as the page has it; none: only talk.
    pub fn first(caller: &str) -> Option<Self> {
        let digits: Vec<u32> = caller.chars().filter_map(|c| c.to_digit(10)).collect();
        let &[.., tens, ones] = digits.as_slice() else { return None };
        match (tens * 10 + ones) % 20 {
            3 | 13 => Some(Self::Hold),
            6 => Some(Self::Transfer),
            9 => Some(Self::Consult),
            _ => None,
        }
    }

    /// What follows a beat later.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Hold => Some(Self::Resume),
            Self::Resume | Self::Transfer | Self::Consult | Self::Complete | Self::HangUp => None,
        }
    }

    /// What is asked of the switch, where transfers and consultations go to that group.
    pub fn ask(self, call: &str, group: Option<i32>) -> Value {
        let group = json!({ "type": "group", "id": group });
        match self {
            Self::Hold => json!({ "type": "hold", "call": call }),
            Self::Resume => json!({ "type": "resume", "call": call }),
            Self::Transfer => json!({ "type": "transfer", "call": call, "to": group }),
            Self::Consult => json!({ "type": "consult", "call": call, "with": group }),
            Self::Complete => json!({ "type": "completeConsult", "call": call }),
            Self::HangUp => json!({ "type": "hangUp", "call": call }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digits_say_what_to_do() {
        let first = |caller| Move::first(caller);
        assert_eq!(first("+44 7700 •••• 53"), Some(Move::Hold));
        assert_eq!(first("+44 7700 •••• 86"), Some(Move::Transfer));
        assert_eq!(first("+44 7700 •••• 09"), Some(Move::Consult));
        assert_eq!((first("+44 7700 •••• 16"), first("anonymous")), (None, None));
        assert_eq!((Move::Hold.next(), Move::Resume.next()), (Some(Move::Resume), None));
    }
}
