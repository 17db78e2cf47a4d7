//! Why a request is refused: one enum, told to the page as [`ApiError`] with a stable code.

use crate::api::password::Weakness;
use crate::notify::mail::MailError;
use crate::wire::ApiError;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use cordboard_db::DbError;
use std::time::Duration;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Refusal {
    #[error("Log in first.")]
    NotLoggedIn,
    #[error("This account was logged in elsewhere, which ended this session.")]
    TakenOver,
    #[error("E-mail and password do not match.")]
    WrongCredentials,
    #[error("Too many attempts. Try again in {} seconds.", seconds(*wait))]
    TooManyAttempts { wait: Duration },
    #[error("The request does not come from this switch's own page.")]
    WrongOrigin,
    #[error("This account may not do that.")]
    NotAllowed,
    /// The one-time password is still to be replaced (A2).
    #[error("The account must be completed first.")]
    NotComplete,
    #[error("This is no mobile number. Begin with + and the country code, such as +447700900162.")]
    WrongNumber,
    #[error("This is not the present mobile number.")]
    WrongOldNumber,
    #[error("The account needs a mobile number and the code that was sent to it.")]
    NumberMissing,
    #[error("Bind your mobile number in your profile first.")]
    NoMobile,
    /// Never sent, used, too old, or another: one answer for all (A4).
    #[error("The code does not fit, or is no longer good.")]
    WrongCode,
    #[error("The code was tried too often. Ask for a new one.")]
    CodeBurned,
    #[error("A code was sent a moment ago. Ask for another in {} seconds.", seconds(*wait))]
    CodeTooSoon { wait: Duration },
    #[error("Too many codes. Ask for another in {} minutes.", seconds(*wait).div_ceil(60))]
    TooManyCodes { wait: Duration },
    #[error("The code could not be sent: the SMS service does not take messages now. Try again in a few minutes, or ask your admin.")]
    SmsFailed,
    #[error("{0}")]
    WeakPassword(Weakness),
    /// The request cannot be read: not JSON, an unknown field, a wrong type.
    #[error("The request cannot be understood: {0}")]
    Form(String),
    /// A field that can be read but not taken.
    #[error("{0}")]
    Invalid(String),
    #[error("There is no such thing here.")]
    NotFound,
    #[error("The recording is not ready yet.")]
    NotReady,
    /// The address or the number is another account's.
    #[error("{0}")]
    Conflict(String),
    #[error("Sending mail is not set up: set mail.smtp_url and mail.from in the configuration.")]
    MailNotSetUp,
    #[error("The mail was not accepted, so nothing was changed: {0}")]
    MailFailed(#[from] MailError),
    #[error("The switch is busy. Try again in a moment.")]
    Busy,
    #[error("The database cannot be reached. Try again in a moment.")]
    DatabaseAway,
    #[error("The switch is stopping.")]
    Stopping,
    /// What was wrong stands in the log, not in the answer.
    #[error("The switch failed to do that; its log says why.")]
    Internal,
}

/// Whole ones, after which it is not too soon.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        if error.is_unreachable() {
            tracing::warn!(%error, "the database is away");
            return Self::DatabaseAway;
        }
        tracing::error!(%error, "a request failed in the database");
        Self::Internal
    }
}

impl Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NotLoggedIn => "not_logged_in",
            Self::TakenOver => "taken_over",
            Self::WrongCredentials => "wrong_credentials",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::WrongOrigin => "wrong_origin",
            Self::NotAllowed => "not_allowed",
            Self::NotComplete => "password_change_required",
            Self::WrongNumber => "wrong_number",
            Self::WrongOldNumber => "wrong_old_number",
            Self::NumberMissing => "number_missing",
            Self::NoMobile => "no_mobile",
            Self::WrongCode => "wrong_code",
            Self::CodeBurned => "code_burned",
            Self::CodeTooSoon { .. } => "code_too_soon",
            Self::TooManyCodes { .. } => "too_many_codes",
            Self::SmsFailed => "sms_failed",
            Self::WeakPassword(_) => "weak_password",
            Self::Form(_) => "bad_request",
            Self::Invalid(_) => "invalid",
            Self::NotFound => "not_found",
            Self::NotReady => "not_ready",
            Self::Conflict(_) => "conflict",
            Self::MailNotSetUp => "mail_not_set_up",
            Self::MailFailed(_) => "mail_failed",
            Self::Busy => "busy",
            Self::DatabaseAway => "database_away",
            Self::Stopping => "stopping",
            Self::Internal => "internal",
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotLoggedIn | Self::TakenOver | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::TooManyAttempts { .. } | Self::CodeTooSoon { .. } | Self::TooManyCodes { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::WrongOrigin | Self::NotAllowed | Self::NotComplete => StatusCode::FORBIDDEN,
            Self::WeakPassword(_)
            | Self::Invalid(_)
            | Self::WrongNumber
            | Self::WrongOldNumber
            | Self::NumberMissing
            | Self::NoMobile
            | Self::WrongCode
            | Self::CodeBurned => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Form(_) => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotReady | Self::Conflict(_) => StatusCode::CONFLICT,
            Self::MailFailed(_) | Self::SmsFailed => StatusCode::BAD_GATEWAY,
            Self::MailNotSetUp | Self::Busy | Self::DatabaseAway | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status_code());
        if let Self::TooManyAttempts { wait } | Self::CodeTooSoon { wait } | Self::TooManyCodes { wait } = self {
            response.insert_header((header::RETRY_AFTER, seconds(*wait).to_string()));
        }
        response.json(ApiError { code: self.code().to_owned(), message: self.to_string() })
    }
}
