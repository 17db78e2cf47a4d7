//! What the page sends and gets about accounts, over HTTP under /api/v1: login, first login (A2), SMS login (A3), recovery (A5), profile (A7).
//!
//! Numbers are typed as people type them, with + and country code; spaces, hyphens, dots and brackets do not count.

use crate::wire::Me;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `POST /login`. Answers 200 with [`Me`] and sets the session's cookie; 401 `wrong_credentials`; 429 `too_many_attempts`.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct LoginForm {
    pub email: String,
    pub password: String,
}

/// `POST /password`. 204; 401 `wrong_credentials`; 422 `weak_password` with the sentence that says what is missing (A6).
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct PasswordForm {
    pub old: String,
    pub new: String,
}

/// `POST /sms-login/code`, `POST /recovery/code`. 204 whether or not an account has this number; 422 `wrong_number`;
/// 429 `code_too_soon`, `too_many_codes` with Retry-After; 502 `sms_failed`.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct CodeRequest {
    pub mobile: String,
}

/// `POST /sms-login`. 200 with [`SmsLoginAnswer`], and with the session's cookie if it logged in; 422 `wrong_code`, `code_burned`.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct SmsLoginForm {
    pub mobile: String,
    pub code: String,
    /// One of [`SmsLoginAnswer::accounts`]; may be left out when only one account has the number.
    pub account: Option<i32>,
}

#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct SmsLoginAnswer {
    /// Who is logged in now; null: choose an account, and send the same code again.
    pub me: Option<Me>,
    pub accounts: Vec<AccountChoice>,
}

/// An account that a number is bound to, told to who has the number's code.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct AccountChoice {
    pub id: i32,
    pub name: String,
    /// With most of its first part hidden.
    pub email: String,
}

/// `POST /recovery/accounts`: the accounts that the code is good for, as [`AccountChoice`]s. Does not use the code up.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct CodeForm {
    pub mobile: String,
    pub code: String,
}

/// `POST /recovery`. 200 with [`Me`]: logged in with the new password, and nowhere else. 422 `wrong_code`, `code_burned`, `weak_password`.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct RecoveryForm {
    pub mobile: String,
    pub code: String,
    pub account: i32,
    pub password: String,
}

/// `POST /mobile/code`: a code to the number that this account is to have. 204; 422 `wrong_old_number`; else as [`CodeRequest`].
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct MobileCodeRequest {
    /// The present one; null when there is none.
    pub old: Option<String>,
    pub mobile: String,
}

/// `POST /mobile`: binds another number (A7). 200 with [`Me`]; 422 `wrong_code`, `code_burned`, `wrong_old_number`.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct MobileForm {
    /// The present one; null when there is none.
    pub old: Option<String>,
    pub mobile: String,
    pub code: String,
}

/// `POST /mobile/switches`: what the bound mobile is used for; null leaves it as it is. 204; 422 `no_mobile` while no number is bound.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct MobileSwitchesForm {
    /// Calls ring it (C7).
    pub answering: Option<bool>,
    /// Calls out begin at it (E2).
    pub outbound: Option<bool>,
}

/// `POST /complete`: what a login with a one-time password must do before anything else (A2). 200 with [`Me`]; 422 `number_missing`,
/// `wrong_code`, `code_burned`, `weak_password`.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct CompletionForm {
    /// The number to bind and its code; null when the account has one.
    pub bind: Option<CodeForm>,
    /// Shown to customers; null or empty: what the admin chose.
    pub nickname: Option<String>,
    pub password: String,
}

/// `POST /profile`: what agents say of themselves (A7). 200 with [`Me`]; 422 `invalid`.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct ProfileForm {
    /// Shown to customers; null or empty: none.
    pub nickname: Option<String>,
}
