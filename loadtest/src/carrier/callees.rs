//! Whom the switch can call: telephones that answer, do not, or cannot be reached, by the last digits of their number (J4).

use cordboard_core::cx::Millis;

/// What happens to a call to somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behaviour {
    /// It rings for so long, and somebody speaks. The network plays its own ringing where there is early media.
    Answers {
        after: Millis,
        early_media: bool,
    },
    /// It rings for so long, and somebody declines.
    Declines {
        after: Millis,
    },
    RingsOut,
    /// The network refuses at once.
    Refused {
        status: u16,
        phrase: Option<&'static str>,
        q850: Option<u8>,
    },
}

pub struct Callee {
    /// The last digits of the number.
    pub ending: &'static str,
    pub what: &'static str,
    pub behaviour: Behaviour,
}

const fn refused(status: u16, q850: u8) -> Behaviour {
    Behaviour::Refused { status, phrase: None, q850: Some(q850) }
}

const ANSWERS: Behaviour = Behaviour::Answers { after: 2_000, early_media: false };

pub const CALLEES: [Callee; 11] = [
    Callee { ending: "200", what: "answers and speaks", behaviour: ANSWERS },
    Callee { ending: "201", what: "is busy", behaviour: refused(486, 17) },
    Callee { ending: "202", what: "declines", behaviour: Behaviour::Declines { after: 3_000 } },
    Callee { ending: "203", what: "does not exist", behaviour: refused(404, 1) },
    Callee { ending: "204", what: "is switched off", behaviour: refused(480, 20) },
    Callee { ending: "205", what: "rings and nobody answers", behaviour: Behaviour::RingsOut },
    Callee { ending: "206", what: "answers after 8 s", behaviour: Behaviour::Answers { after: 8_000, early_media: false } },
    Callee {
        ending: "207",
        what: "answers after 8 s of the network's own ringing",
        behaviour: Behaviour::Answers { after: 8_000, early_media: true },
    },
    Callee {
        ending: "208",
        what: "answers at once; the keys you send are printed here",
        behaviour: Behaviour::Answers { after: 0, early_media: false },
    },
    Callee { ending: "209", what: "is in arrears", behaviour: Behaviour::Refused { status: 403, phrase: Some("No credit"), q850: None } },
    Callee { ending: "210", what: "is out of the service area", behaviour: refused(480, 29) },
];

/// What a call to this number meets. Whoever is not in the table answers.
pub fn behaviour(number: &str) -> Behaviour {
    CALLEES.iter().find(|callee| number.ends_with(callee.ending)).map_or(ANSWERS, |callee| callee.behaviour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_apart_by_their_last_digits() {
        assert_eq!(behaviour("+447700900201"), refused(486, 17));
        assert_eq!(behaviour("07700900205"), Behaviour::RingsOut);
        assert_eq!(behaviour("+447700900101"), ANSWERS);
        let mut endings: Vec<&str> = CALLEES.iter().map(|callee| callee.ending).collect();
        endings.dedup();
        assert_eq!(endings.len(), CALLEES.len());
    }
}
