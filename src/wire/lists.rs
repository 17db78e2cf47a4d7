//! Lists that people keep: barred callers (H6), dispositions (H7); and the outbox of text messages (A4).

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// For how long an agent bars a caller.
#[derive(Deserialize, Serialize, TS, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub enum BlockFor {
    Day,
    Week,
    Good,
}

/// `GET /blocklist?…`, for supervisors and admins.
#[derive(Serialize, Deserialize, TS, Debug, Default, Clone)]
#[serde(rename_all = "camelCase", default)]
#[ts(export_to = "wire.ts")]
pub struct BlocklistFilter {
    /// Digits that the number must contain.
    pub number: Option<String>,
    /// From 0.
    pub page: Option<u32>,
}

/// 50 a page, newest first; what is over is not there.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct BlocklistView {
    pub items: Vec<BlockedView>,
    pub page: u32,
    #[ts(type = "number")]
    pub total: i64,
    pub page_size: u32,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct BlockedView {
    pub id: i32,
    pub number: String,
    /// All numbers that begin so.
    pub prefix: bool,
    /// When it ends; null: it stays for good.
    #[ts(type = "number | null")]
    pub until: Option<i64>,
    pub note: String,
    /// Who added it; null: the floor file.
    pub by: Option<String>,
    #[ts(type = "number")]
    pub at: i64,
}

/// `POST /blocklist`. 204; 409 `conflict` when the number is there for as long or longer; 422 `invalid`.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "wire.ts")]
pub struct BlocklistForm {
    /// As typed or pasted.
    pub number: String,
    #[serde(default)]
    pub prefix: bool,
    /// Null: for good.
    #[ts(type = "number | null")]
    pub until: Option<i64>,
    #[serde(default)]
    pub note: String,
}

/// `GET /dispositions`: agents and supervisors see those that may be chosen, admins all; in order.
#[derive(Serialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DispositionView {
    pub id: i32,
    pub name: String,
    /// Lower stands first.
    pub position: i32,
    /// Agents may choose it.
    pub enabled: bool,
}

/// `POST /dispositions` and `PUT /dispositions/{id}`, for admins.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DispositionForm {
    pub name: String,
    /// None: at the list's end, or where it is.
    pub position: Option<i32>,
    pub enabled: bool,
}

/// `GET /sms-outbox`: a message that was not sent, since there is no gateway (A4).
#[derive(Serialize, TS, Debug)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct SmsOutboxRow {
    #[ts(type = "number")]
    pub at: i64,
    pub mobile: String,
    pub text: String,
}
