//! Passwords: what is demanded of them (A6), how they are kept, and the one-time ones that are mailed (A1).

use crate::api::Refusal;
use actix_web::web;
use argon2::password_hash::SaltString;
use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use rand::seq::{IndexedRandom, SliceRandom};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;

const SHORTEST: usize = 8;
const LONGEST: usize = 20;
/// A request that waits longer than this for its turn is told that the switch is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a new password lacks (A6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Weakness {
    #[error("A password has 8 to 20 characters.")]
    Length,
    #[error("A password has at least one letter.")]
    Letter,
    #[error("A password has at least one digit.")]
    Digit,
    #[error("A password has at least one special character, such as ! or #.")]
    Special,
    #[error("A password has no spaces.")]
    Space,
    #[error("The new password is the old one.")]
    Unchanged,
}

/// Checks a new password: 8–20 characters with letters, digits and a special character, no spaces.
pub fn check(password: &str) -> Result<(), Weakness> {
    let demands = [
        (!password.chars().any(char::is_whitespace), Weakness::Space),
        ((SHORTEST..=LONGEST).contains(&password.chars().count()), Weakness::Length),
        (password.chars().any(char::is_alphabetic), Weakness::Letter),
        (password.chars().any(|c| c.is_ascii_digit()), Weakness::Digit),
        (password.chars().any(|c| c.is_ascii_punctuation()), Weakness::Special),
    ];
    demands.iter().find(|(met, _)| !met).map_or(Ok(()), |(_, weakness)| Err(*weakness))
}

/// A random password that meets the policy; without characters that are easily taken for others.
pub fn one_time() -> String {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
    const DIGITS: &[u8] = b"23456789";
    const SPECIAL: &[u8] = b"!#%+-=?@";
    let rng = &mut rand::rng();
    let mut characters = Vec::new();
    for (of, count) in [(LETTERS, 9), (DIGITS, 3), (SPECIAL, 2)] {
        characters.extend((0..count).filter_map(|_| of.choose(rng)).copied().map(char::from));
    }
    characters.shuffle(rng);
    characters.into_iter().collect()
}

/// The Argon2id hash of a password, in PHC form. Takes tens of milliseconds of CPU.
pub fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>())?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string())
}

/// Whether the password is the one of this hash. Without a hash (no such account, no password yet) it takes as long and says no.
fn matches(password: &str, hash: Option<&str>) -> bool {
    static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| self::hash("nobody has this").ok());
    let of_somebody = hash.is_some();
    let Some(hash) = hash.or(NOBODYS.as_deref()) else { return false };
    let fits = PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    fits && of_somebody
}

/// Hashing for the handlers: on the blocking pool, and only so many at once that calls keep their share of the machine.
pub struct Hasher {
    turns: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { turns: Arc::new(Semaphore::new((cores / 2).max(1))) }
    }
}

impl Hasher {
    pub async fn matches(&self, password: String, hash: Option<String>) -> Result<bool, Refusal> {
        self.in_turn(move || matches(&password, hash.as_deref())).await
    }

    pub async fn hash(&self, password: String) -> Result<String, Refusal> {
        self.in_turn(move || hash(&password)).await?.map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            Refusal::Internal
        })
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await.map_err(|_| Refusal::Busy)?;
        let turn = turn.map_err(|_| Refusal::Stopping)?;
        web::block(move || {
            let _turn = turn;
            work()
        })
        .await
        .map_err(|_| Refusal::Stopping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_8_to_20_characters_with_letters_digits_and_a_special_one_and_no_spaces() {
        assert_eq!(check("Abcdef1!"), Ok(()));
        assert_eq!(check("密码密码密码1!"), Ok(()));
        assert_eq!(check("Abcde1!"), Err(Weakness::Length));
        assert_eq!(check("Abcdefghijklmnopqrs1!"), Err(Weakness::Length));
        assert_eq!(check("1234567!"), Err(Weakness::Letter));
        assert_eq!(check("Abcdefg!"), Err(Weakness::Digit));
        assert_eq!(check("Abcdefg1"), Err(Weakness::Special));
        assert_eq!(check("Abc def1!"), Err(Weakness::Space));
    }

    #[test]
    fn a_one_time_password_meets_the_policy_and_is_another_each_time() {
        let drawn: std::collections::HashSet<String> = (0..200).map(|_| one_time()).collect();
        assert_eq!(drawn.len(), 200);
        assert!(drawn.iter().all(|password| check(password).is_ok()));
    }

    #[test]
    fn a_hash_is_argon2id_and_fits_its_password_alone() {
        let kept = hash("Abcdef1!").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(matches("Abcdef1!", Some(&kept)));
        assert!(!matches("Abcdef1?", Some(&kept)));
        assert!(!matches("nobody has this", None));
    }
}
