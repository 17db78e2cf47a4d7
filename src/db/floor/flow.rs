//! A self-service flow in the floor file (D6).

use crate::flows::FlowForm;
use cordboard_core::flow::{Definition, Node};
use cordboard_core::setup::FlowSetup;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    #[serde(default = "enabled")]
    pub enabled: bool,
    pub start: String,
    pub nodes: BTreeMap<String, Node>,
}

/// Agents may start it unless the file says otherwise.
fn enabled() -> bool {
    true
}

impl Flow {
    pub(super) fn definition(&self) -> Definition {
        Definition { start: self.start.clone(), nodes: self.nodes.clone() }
    }

    pub(super) fn form(&self, name: &str) -> FlowForm {
        FlowForm { name: name.to_owned(), enabled: self.enabled, definition: self.definition() }
    }
}

impl From<FlowSetup> for Flow {
    fn from(flow: FlowSetup) -> Self {
        Self { enabled: flow.enabled, start: flow.definition.start, nodes: flow.definition.nodes }
    }
}
