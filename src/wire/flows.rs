//! Self-service flows, as the workstation and the API show them (D6, H5).

use cordboard_core::flow;
use cordboard_core::record::FlowRun;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `GET /flows`: agents and supervisors see those that they may start, admins all.
#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct FlowView {
    pub id: i32,
    pub name: String,
    pub enabled: bool,
}

#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct FlowResultView {
    pub name: String,
    pub value: String,
}

/// A flow in a conversation (D6).
#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct SelfServiceView {
    /// The flow's name.
    pub flow: String,
    /// The title of the step at which the customer is.
    pub step: String,
    /// Every key that was pressed, in order.
    pub keys: String,
    pub results: Vec<FlowResultView>,
    /// Not: it is over, and the two speak with each other again.
    pub running: bool,
}

/// A flow on a record, with what came of it (G1).
#[derive(Serialize, Deserialize, TS, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct FlowRunView {
    pub flow: String,
    /// It came to its own end: nobody hung up, and the agent did not take the customer back.
    pub finished: bool,
    pub results: Vec<FlowResultView>,
}

impl From<flow::FlowResult> for FlowResultView {
    fn from(result: flow::FlowResult) -> Self {
        Self { name: result.name, value: result.value }
    }
}

impl From<FlowRun> for FlowRunView {
    fn from(run: FlowRun) -> Self {
        Self { flow: run.flow, finished: run.finished, results: run.results.into_iter().map(FlowResultView::from).collect() }
    }
}
