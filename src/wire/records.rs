//! Service records and recordings, as the page has them (G).

use super::FlowRunView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `GET /records?…`: agents see only their own (G1). All filters may be absent.
#[derive(Serialize, Deserialize, TS, Debug, Default, Clone)]
#[serde(rename_all = "camelCase", default)]
#[ts(export_to = "wire.ts")]
pub struct RecordFilter {
    #[ts(type = "number | null")]
    pub from: Option<i64>,
    #[ts(type = "number | null")]
    pub to: Option<i64>,
    pub group: Option<i32>,
    pub status: Option<String>,
    /// `inbound`, `outbound` or `internal`.
    pub call_type: Option<String>,
    /// Digits that the caller's number must contain.
    pub caller: Option<String>,
    /// Digits that the contact number must contain.
    pub contact: Option<String>,
    /// A disposition's name, whole.
    pub disposition: Option<String>,
    /// From 0.
    pub page: Option<u32>,
}

/// 50 a page, newest first.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct RecordPage {
    pub items: Vec<RecordView>,
    pub page: u32,
    #[ts(type = "number")]
    pub total: i64,
    pub page_size: u32,
    /// For the filter's list: the groups this account may see.
    pub groups: Vec<GroupName>,
    /// And the dispositions of the present list.
    pub dispositions: Vec<String>,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct GroupName {
    pub id: i32,
    pub name: String,
}

/// One service record (G1).
#[derive(Serialize, Deserialize, TS, Debug, Clone)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct RecordView {
    pub id: String,
    pub call: String,
    #[ts(type = "number")]
    pub time: i64,
    /// `inbound`, `outbound` or `internal`.
    pub call_type: String,
    pub caller: String,
    pub contact: String,
    pub status: String,
    pub hung_up_by: Option<String>,
    pub group: Option<String>,
    pub agent: Option<String>,
    /// Milliseconds each.
    #[ts(type = "number")]
    pub duration: i64,
    #[ts(type = "number")]
    pub wait: i64,
    #[ts(type = "number")]
    pub ring: i64,
    #[ts(type = "number")]
    pub hold: i64,
    pub mos: Option<f32>,
    pub remark: String,
    /// What the agent said it was about, by its name then; empty: nothing.
    pub disposition: String,
    /// The self-service flows that the customer was in (D6), in order of time.
    pub flows: Vec<FlowRunView>,
    /// Present when there is one: play `/api/v1/recordings/{id}.mp3`, draw `/api/v1/recordings/{id}/waveform`.
    pub recording: Option<RecordingView>,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct RecordingView {
    pub id: String,
    /// `spooling` during the call, `encoding`, `ready`, `recovered` (ready, after a crash), `failed`, `expired` (deleted by its age).
    pub state: String,
    #[ts(type = "number")]
    pub duration: i64,
}

/// `GET /recordings/{id}/waveform`: loudest sample of each slice, 0–1, for both channels; about 400 slices.
#[derive(Serialize, Deserialize, TS, Debug)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct Waveform {
    pub customer: Vec<f32>,
    pub agent: Vec<f32>,
    #[ts(type = "number")]
    pub duration: i64,
}
