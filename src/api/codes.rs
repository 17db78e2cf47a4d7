//! Codes by SMS (A4): 6 digits, good for 5 minutes and for one use; 60 s before another; 5 wrong tries burn one.
//!
//! Those rules are the database's. Here a code is made, sent and held against what was typed; and who asks for one without a login learns
//! nothing of numbers: one that nobody has gets the same answers, after the same time, as one that somebody has.

use crate::api::throttle::Throttle;
use crate::api::{App, Refusal, now};
use crate::config::Config;
use crate::notify::sms::{self, Message, Provider};
use actix_web::web;
use cordboard_db::{CodeFor, CodeId, Db, Held, Tried};
use parking_lot::Mutex;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

const DIGITS: usize = 6;
/// For so long after a message was not taken, the provider counts as down for numbers that nobody has.
const DOWN: Duration = Duration::from_secs(60);

/// What sends codes.
pub struct Codes {
    provider: Box<dyn Provider>,
    /// With `{code}`.
    text: String,
    of_address: Throttle<IpAddr>,
    last: Mutex<Last>,
}

/// How the last message went.
#[derive(Clone, Copy, Default)]
struct Last {
    took: Duration,
    failed: Option<Instant>,
}

/// The message was not taken; why stands in the log.
struct NotTaken;

impl Codes {
    pub fn new(config: &Config, db: &Db) -> Self {
        let per_hour = NonZeroU32::new(config.limits.sms_codes_per_hour).unwrap_or(NonZeroU32::MIN);
        Self {
            provider: sms::provider(config, db),
            text: config.sms.text.clone(),
            of_address: Throttle::new(per_hour, Duration::from_secs(3600) / per_hour.get()),
            last: Mutex::default(),
        }
    }

    async fn deliver(&self, number: String, code: String) -> Result<(), NotTaken> {
        let text = self.text.replace("{code}", &code);
        let began = Instant::now();
        let sent = self.provider.send(Message { number, text, code }).await;
        let failed = sent.is_err().then(Instant::now);
        *self.last.lock() = Last { took: began.elapsed(), failed };
        sent.map_err(|error| {
            metrics::counter!("cordboard_sms_failed_total").increment(1);
            tracing::error!(%error, "a code could not be sent");
            NotTaken
        })
    }

    /// Takes as long as the last message, and goes as it went.
    async fn pretend(&self) -> Result<(), NotTaken> {
        let Last { took, failed } = *self.last.lock();
        tokio::time::sleep(took).await;
        if failed.is_some_and(|at| at.elapsed() < DOWN) { Err(NotTaken) } else { Ok(()) }
    }
}

/// Sends a code, for an address that asks; `reaches` = somebody has this number. When the provider does not take it, it was never asked for.
pub async fn send(app: web::Data<App>, mobile: String, purpose: CodeFor, address: IpAddr, reaches: bool) -> Result<(), Refusal> {
    app.codes.of_address.take(address).map_err(|wait| Refusal::TooManyCodes { wait })?;
    let code = format!("{:0DIGITS$}", rand::random_range(0..1_000_000_u32));
    let hash = app.logins.hasher.hash(code.clone()).await?;
    let number = mobile.clone();
    let entered = app.with_db(move |db| db.enter_code(&number, purpose, &hash, now())).await?;
    let id = entered.map_err(|held| match held {
        Held::TooSoon { wait } => Refusal::CodeTooSoon { wait: milliseconds(wait) },
        Held::TooMany { wait } => Refusal::TooManyCodes { wait: milliseconds(wait) },
    })?;
    let sent = if reaches { app.codes.deliver(mobile, code).await } else { app.codes.pretend().await };
    if let Err(NotTaken) = sent {
        app.with_db(move |db| db.forget_code(id)).await?;
        return Err(Refusal::SmsFailed);
    }
    Ok(())
}

fn milliseconds(wait: i64) -> Duration {
    Duration::from_millis(u64::try_from(wait).unwrap_or_default())
}

/// Holds what was typed against the code that the number got for this. The code is not used up by it.
pub async fn check(app: &web::Data<App>, mobile: &str, purpose: CodeFor, typed: &str) -> Result<CodeId, Refusal> {
    let typed = typed.trim().to_owned();
    if typed.len() != DIGITS || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::WrongCode);
    }
    let number = mobile.to_owned();
    match app.with_db(move |db| db.try_code(&number, purpose, now())).await? {
        Tried::Nothing => Err(Refusal::WrongCode),
        Tried::Burned => Err(Refusal::CodeBurned),
        Tried::Against { code, hash, last } => match app.logins.hasher.matches(typed, Some(hash)).await? {
            true => Ok(code),
            false => Err(if last { Refusal::CodeBurned } else { Refusal::WrongCode }),
        },
    }
}

/// A number as people type it, in E.164: + (or 00), country code, at most 15 digits. None = it cannot be one.
pub fn tidy(typed: &str) -> Option<String> {
    let plain: String = typed.chars().filter(|c| !c.is_whitespace() && !"-.()".contains(*c)).take(20).collect();
    let digits = plain.strip_prefix('+').or_else(|| plain.strip_prefix("00"))?;
    let fits = (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    fits.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn a_number_is_read_as_people_type_it() {
        for typed in ["+447700900162", " +44 7700 900-162 ", "0044 (7700) 900.162", "+44\u{a0}7700900162"] {
            assert_eq!(tidy(typed).as_deref(), Some("+447700900162"), "{typed}");
        }
        for typed in ["", "+", "07700900162", "+0447700900162", "+4477009", "+1234567890123456", "+44770090016x", "447700900162"] {
            assert_eq!(tidy(typed), None, "{typed}");
        }
    }
}
