//! The line protocol by which a carrier is told to place calls: one line a datagram, one line back.
//!
//! `call DID [CALLER]` places a call; `press KEYS` presses keys in every call; `hang-up` ends every call. The answer is `ok` or `error: why`.

use std::fmt;

#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Command {
    Call { did: String, caller: Option<String> },
    Press(String),
    HangUp,
}

#[derive(Debug, PartialEq, Eq)]
pub enum CommandError {
    Unknown(String),
    NotANumber(String),
    NoNumber,
    NoKeys,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(word) => write!(f, "unknown command {word:?}: call DID [CALLER], press KEYS or hang-up"),
            Self::NotANumber(word) => write!(f, "{word:?} is no telephone number"),
            Self::NoNumber => write!(f, "call needs the number to call"),
            Self::NoKeys => write!(f, "press needs keys: digits, * and #"),
        }
    }
}

pub fn parse(line: &str) -> Result<Command, CommandError> {
    let mut words = line.split_whitespace();
    match words.next() {
        Some("call") => {
            let did = number(words.next().ok_or(CommandError::NoNumber)?)?;
            let caller = words.next().map(number).transpose()?;
            Ok(Command::Call { did, caller })
        }
        Some("press") => words.next().filter(|keys| are_keys(keys)).map(|keys| Command::Press(keys.to_owned())).ok_or(CommandError::NoKeys),
        Some("hang-up") => Ok(Command::HangUp),
        other => Err(CommandError::Unknown(other.unwrap_or_default().to_owned())),
    }
}

/// Whether a telephone has all these keys.
pub fn are_keys(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|key| key.is_ascii_digit() || matches!(key, b'*' | b'#'))
}

fn number(word: &str) -> Result<String, CommandError> {
    let digits = word.strip_prefix('+').unwrap_or(word);
    let is_number = (1..=32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if is_number { Ok(word.to_owned()) } else { Err(CommandError::NotANumber(word.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_the_number_and_maybe_the_caller() {
        assert_eq!(parse("call +442079460100\n"), Ok(Command::Call { did: "+442079460100".into(), caller: None }));
        assert_eq!(parse("call 100 +447700900123"), Ok(Command::Call { did: "100".into(), caller: Some("+447700900123".into()) }));
        assert_eq!(parse("hang-up\n"), Ok(Command::HangUp));
    }

    #[test]
    fn keys_are_those_of_a_telephone() {
        assert_eq!(parse("press 4711#\n"), Ok(Command::Press("4711#".into())));
        assert_eq!(parse("press"), Err(CommandError::NoKeys));
        assert_eq!(parse("press 4x"), Err(CommandError::NoKeys));
    }

    #[test]
    fn what_is_no_number_never_reaches_a_sip_uri() {
        assert_eq!(parse("call a@b"), Err(CommandError::NotANumber("a@b".into())));
        assert_eq!(parse("call +"), Err(CommandError::NotANumber("+".into())));
        assert_eq!(parse("call"), Err(CommandError::NoNumber));
        assert_eq!(parse(""), Err(CommandError::Unknown(String::new())));
        assert_eq!(parse("cal 1"), Err(CommandError::Unknown("cal".into())));
    }
}
