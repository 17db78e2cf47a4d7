//! Calls out of the centre: the number, the caller ID, what is permitted, and what a failure is called (E1, E5, E6, G3).

use crate::ids::{GroupId, TrunkId};
use crate::leg::Failure;
use crate::outcome::CallStatus;
use crate::setup::{NumberSetup, OutcomeRule};
use std::collections::BTreeSet;

/// How long a called party rings before the switch gives up.
pub const RING_OUT: u64 = 60_000;

/// Why a text is no number to dial.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadNumber {
    Empty,
    /// It has this character in it.
    Character(char),
    /// E.164 has at most 15 digits; fewer than two call nobody.
    Length,
}

/// A number as people type or paste it, as digits with a leading plus where it is international (E1).
/// Spaces, dots, dashes, brackets, slashes and `tel:` are layout; `00` is the international prefix.
pub fn clean(text: &str) -> Result<String, BadNumber> {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let mut number = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => number.push(c),
            '+' | '\u{ff0b}' if number.is_empty() => number.push('+'),
            // Full-width digits, as Chinese input methods type them.
            '\u{ff10}'..='\u{ff19}' => number.extend(char::from_digit(u32::from(c) - 0xff10, 10)),
            c if c.is_whitespace() || c.is_control() => {}
            '.' | '-' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => {}
            other => return Err(BadNumber::Character(other)),
        }
    }
    if let Some(rest) = number.strip_prefix("00") {
        number = format!("+{rest}");
    }
    match number.trim_start_matches('+').len() {
        0 => Err(BadNumber::Empty),
        2..=15 => Ok(number),
        _ => Err(BadNumber::Length),
    }
}

/// Whether a role may call this number: it begins with one of the prefixes (E6). `00` and `+` are one.
pub fn is_permitted(number: &str, prefixes: &[String]) -> bool {
    let plain = |text: &str| text.strip_prefix("00").map_or_else(|| text.to_owned(), |rest| format!("+{rest}"));
    let number = plain(number);
    prefixes.iter().any(|prefix| number.starts_with(&plain(prefix)))
}

/// The number that is shown and the trunk it is called over: the group's number, then one of the same area code, then any (E1).
/// Within each, the one with the longest beginning in common with the called number.
pub fn caller_id<'a>(numbers: &'a [NumberSetup], group: GroupId, called: &str) -> Option<&'a NumberSetup> {
    let common = |number: &NumberSetup| number.did.chars().zip(called.chars()).take_while(|(a, b)| a == b).count();
    numbers.iter().max_by_key(|number| (number.group == group, common(number), std::cmp::Reverse(&number.did)))
}

/// The trunk for a caller ID: the number's own, else the first.
pub fn trunk_for(number: &NumberSetup, trunks: &BTreeSet<TrunkId>) -> Option<TrunkId> {
    number.trunk.or_else(|| trunks.first().copied())
}

/// What a failed call is called: the trunk's own rules, then the Q.850 cause, then the SIP status (G3).
pub fn status_of(failure: &Failure, rules: &[OutcomeRule]) -> CallStatus {
    let text = failure.text.to_lowercase();
    let ruled = rules.iter().find(|rule| match rule {
        OutcomeRule { cause: Some(cause), .. } => failure.q850 == Some(*cause),
        OutcomeRule { status: Some(status), .. } => failure.status == *status,
        OutcomeRule { text: Some(part), .. } => text.contains(&part.to_lowercase()),
        OutcomeRule { .. } => false,
    });
    if let Some(rule) = ruled {
        return rule.outcome;
    }
    let by_cause = failure.q850.and_then(|cause| match cause {
        18 | 19 => Some(CallStatus::Missed),
        21 => Some(CallStatus::Rejected),
        17 => Some(CallStatus::InCall),
        20 | 27 => Some(CallStatus::PowerOff),
        1 | 22 | 28 => Some(CallStatus::EmptyNumber),
        2 | 3 | 34 | 38 | 41 | 42 | 47 => Some(CallStatus::CarrierException),
        _ => None,
    });
    by_cause.unwrap_or(match failure.status {
        // Our own timer, without a word from the carrier, is the carrier's fault.
        408 if !failure.heard => CallStatus::CarrierException,
        408 | 480 => CallStatus::Missed,
        603 | 607 => CallStatus::Rejected,
        486 | 600 => CallStatus::InCall,
        404 | 410 | 484 | 604 => CallStatus::EmptyNumber,
        _ => CallStatus::CarrierException,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(status: u16, q850: Option<u8>) -> Failure {
        Failure { status, q850, text: "Sorry".into(), heard: true }
    }

    /// E1.
    #[test]
    fn numbers_are_cleaned_of_layout_and_checked() {
        assert_eq!(clean(" tel:+44 (20) 7946-0958 ").as_deref(), Ok("+442079460958"));
        assert_eq!(clean("0044 20 7946 0958").as_deref(), Ok("+442079460958"));
        assert_eq!(clean("\u{ff10}\u{ff12}\u{ff10} 123\u{2011}45").as_deref(), Ok("02012345"));
        assert_eq!(clean("\u{202a}10086\u{202c}").as_deref(), Ok("10086"));
        assert_eq!(clean("  "), Err(BadNumber::Empty));
        assert_eq!(clean("1800-FLOWERS"), Err(BadNumber::Character('F')));
        assert_eq!(clean("12+3"), Err(BadNumber::Character('+')));
        assert_eq!(clean("1"), Err(BadNumber::Length));
        assert_eq!(clean("1234567890123456"), Err(BadNumber::Length));
    }

    /// E6.
    #[test]
    fn a_role_calls_what_its_prefixes_allow() {
        let prefixes = vec!["+44".to_owned(), "0".to_owned()];
        assert!(is_permitted("+442079460958", &prefixes) && is_permitted("02079460958", &prefixes));
        assert!(!is_permitted("+882012345", &prefixes) && !is_permitted("00882012345", &prefixes));
        assert!(!is_permitted("+442079460958", &[]));
        assert!(is_permitted("+882012345", &["+".to_owned(), String::new()]));
    }

    /// E1.
    #[test]
    fn the_caller_id_is_the_groups_then_of_the_same_area_then_any() {
        let number = |did: &str, group, trunk| NumberSetup { did: did.into(), trunk, group: GroupId(group), early_media: false };
        let numbers = [number("+442079460001", 1, None), number("+861012345678", 2, Some(TrunkId(7))), number("+442079460002", 1, None)];
        let shown = |group, called: &str| caller_id(&numbers, GroupId(group), called).map(|number| number.did.clone()).unwrap();
        assert_eq!(shown(2, "+442079460958"), "+861012345678");
        assert_eq!(shown(3, "+861099999999"), "+861012345678");
        assert_eq!(shown(1, "+861099999999"), "+442079460001");
        assert_eq!(shown(3, "12345"), "+442079460001");
        assert!(caller_id(&[], GroupId(1), "+44").is_none());
        let trunks = [TrunkId(3), TrunkId(2)].into();
        assert_eq!((trunk_for(&numbers[0], &trunks), trunk_for(&numbers[1], &trunks)), (Some(TrunkId(2)), Some(TrunkId(7))));
    }

    /// G3: the whole table of defaults.
    #[test]
    fn failures_have_the_names_of_the_table_by_cause_and_then_by_status() {
        let table: [(CallStatus, &[u8], &[u16]); 6] = [
            (CallStatus::Missed, &[18, 19], &[408, 480]),
            (CallStatus::Rejected, &[21], &[603, 607]),
            (CallStatus::InCall, &[17], &[486, 600]),
            (CallStatus::PowerOff, &[20, 27], &[]),
            (CallStatus::EmptyNumber, &[1, 22, 28], &[404, 410, 484, 604]),
            (CallStatus::CarrierException, &[2, 3, 34, 38, 41, 42, 47], &[401, 402, 403, 407, 488, 606, 300, 302, 500, 502, 503, 504]),
        ];
        for (outcome, causes, statuses) in table {
            for cause in causes {
                assert_eq!(status_of(&failed(480, Some(*cause)), &[]), outcome, "cause {cause}");
            }
            for status in statuses {
                assert_eq!(status_of(&failed(*status, None), &[]), outcome, "status {status}");
                // A cause that says nothing leaves it to the status.
                assert_eq!(status_of(&failed(*status, Some(16)), &[]), outcome, "status {status} with cause 16");
            }
        }
        assert_eq!(status_of(&Failure { heard: false, ..failed(408, None) }, &[]), CallStatus::CarrierException);
    }

    /// G3: carriers differ.
    #[test]
    fn a_trunks_own_rules_come_first() {
        let rule = OutcomeRule { cause: None, status: None, text: None, outcome: CallStatus::Arrears };
        let rules = [
            OutcomeRule { cause: Some(29), ..rule.clone() },
            OutcomeRule { status: Some(480), outcome: CallStatus::OutOfServiceArea, ..rule.clone() },
            OutcomeRule { text: Some("no credit".into()), ..rule },
        ];
        assert_eq!(status_of(&failed(503, Some(29)), &rules), CallStatus::Arrears);
        assert_eq!(status_of(&failed(480, None), &rules), CallStatus::OutOfServiceArea);
        assert_eq!(status_of(&Failure { text: "No Credit left".into(), ..failed(403, None) }, &rules), CallStatus::Arrears);
        assert_eq!(status_of(&failed(486, None), &rules), CallStatus::InCall);
    }
}
