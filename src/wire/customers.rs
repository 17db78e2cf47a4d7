//! What the workstation shows of a customer.

use super::RecordView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A customer's card, kept by number (F3). The number itself is in the call's view, masked where it must be.
#[derive(Serialize, Deserialize, TS, Debug, Clone)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "wire.ts")]
pub struct CustomerView {
    pub call: String,
    /// The caller withheld the number: there is nothing to keep a name by.
    pub withheld: bool,
    pub name: Option<String>,
    pub remark: String,
    /// The latest other calls of this number that the agent may see (G1), newest first; null: they could not be read.
    pub past: Option<Vec<RecordView>>,
}
