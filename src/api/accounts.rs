//! Making accounts and giving them one-time passwords (A1): the rules that the API and the command line share.

use crate::api::{Refusal, now, password};
use cordboard_core::ids::AgentId;
use cordboard_db::{Account, AccountForm, Db, DbError, Taken};
use lettre::Address;
use thiserror::Error;

const LONGEST_NAME: usize = 64;
const LONGEST_NUMBER: usize = 16;

/// What is wrong with an account's form.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Mistake {
    #[error("{0:?} is not an e-mail address.")]
    Email(String),
    #[error("The agent id {0:?} is not a number of at most {LONGEST_NUMBER} digits.")]
    Number(String),
    #[error("The name {0:?} is empty, too long, or has characters that cannot be shown.")]
    Name(String),
}

/// Tidies and checks what was filled in.
pub fn check(mut form: AccountForm) -> Result<AccountForm, Mistake> {
    form.email = form.email.trim().to_lowercase();
    form.number = form.number.trim().to_owned();
    form.name = form.name.trim().to_owned();
    form.nickname = check_nickname(form.nickname)?;
    form.groups.sort_unstable();
    form.groups.dedup();
    if form.email.parse::<Address>().is_err() {
        return Err(Mistake::Email(form.email));
    }
    if form.number.is_empty() || form.number.len() > LONGEST_NUMBER || !form.number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Mistake::Number(form.number));
    }
    if form.name.is_empty() {
        return Err(Mistake::Name(form.name));
    }
    form.name = shown(form.name)?;
    Ok(form)
}

/// Tidies and checks a nickname; an empty one is none.
pub fn check_nickname(nickname: Option<String>) -> Result<Option<String>, Mistake> {
    let nickname = nickname.map(|nickname| nickname.trim().to_owned()).filter(|nickname| !nickname.is_empty());
    nickname.map(shown).transpose()
}

fn shown(name: String) -> Result<String, Mistake> {
    let shows = name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    if shows { Ok(name) } else { Err(Mistake::Name(name)) }
}

/// In an admin's words.
pub fn explain(taken: Taken) -> String {
    match taken {
        Taken::Email => "Another account has this e-mail address.".to_owned(),
        Taken::Number => "Another agent has this agent id.".to_owned(),
        Taken::Group(group) => format!("There is no skill group {group}."),
    }
}

/// Why the command line cannot do what it was asked for.
#[derive(Debug, Error)]
pub enum AccountError {
    #[error(transparent)]
    Mistake(#[from] Mistake),
    #[error("{}", explain(*.0))]
    Taken(Taken),
    #[error("There is no account {0}.")]
    Unknown(String),
    #[error("The password cannot be hashed: {0}")]
    Hash(argon2::password_hash::Error),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Makes an account and says its one-time password, for whoever has the machine and so needs no mail. Blocks.
pub fn create(db: &Db, form: AccountForm) -> Result<(AgentId, String), AccountError> {
    let form = check(form)?;
    let one_time = password::one_time();
    let hash = password::hash(&one_time).map_err(AccountError::Hash)?;
    let agent = db.create_account(&form, now())?.map_err(AccountError::Taken)?;
    db.set_one_time_password(agent, &hash)?;
    Ok((agent, one_time))
}

/// Gives an account a new one-time password and ends its sessions. Blocks.
pub fn reset(db: &Db, email: &str) -> Result<(AgentId, String), AccountError> {
    let account: Account = db.account_by_email(email)?.ok_or_else(|| AccountError::Unknown(email.to_owned()))?;
    let one_time = password::one_time();
    let hash = password::hash(&one_time).map_err(AccountError::Hash)?;
    db.set_one_time_password(account.setup.id, &hash)?;
    Ok((account.setup.id, one_time))
}

impl From<Mistake> for Refusal {
    fn from(mistake: Mistake) -> Self {
        Self::Invalid(mistake.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_core::ids::GroupId;
    use cordboard_db::Role;

    fn form() -> AccountForm {
        AccountForm {
            email: " Mei@Example.com ".into(),
            number: "1001".into(),
            name: " Mei Chen ".into(),
            nickname: Some(" ".into()),
            role: Role::Agent,
            groups: vec![GroupId(2), GroupId(1), GroupId(2)],
        }
    }

    #[test]
    fn a_form_is_tidied() {
        let tidy = check(form()).unwrap();
        assert_eq!((tidy.email.as_str(), tidy.name.as_str(), tidy.nickname), ("mei@example.com", "Mei Chen", None));
        assert_eq!(tidy.groups, vec![GroupId(1), GroupId(2)]);
    }

    #[test]
    fn what_is_no_address_no_number_or_no_name_is_refused() {
        for email in ["mei", "mei@", "mei@example.com\nBcc: x@example.com", ""] {
            assert!(matches!(check(AccountForm { email: email.into(), ..form() }), Err(Mistake::Email(_))), "{email}");
        }
        for number in ["", "10a", "12345678901234567"] {
            assert!(matches!(check(AccountForm { number: number.into(), ..form() }), Err(Mistake::Number(_))), "{number}");
        }
        for name in ["", "a\u{7}", &"x".repeat(65)] {
            assert!(matches!(check(AccountForm { name: name.into(), ..form() }), Err(Mistake::Name(_))), "{name}");
        }
        assert!(matches!(check(AccountForm { nickname: Some("a\0b".into()), ..form() }), Err(Mistake::Name(_))));
    }
}
