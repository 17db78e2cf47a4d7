//! The flows that an agent may start (D6).

use super::Refusal;
use crate::actors::switch::Directory;
use cordboard_core::call::Command;

/// A flow is taken as it stands now: who is in it does not notice when it is changed.
pub(super) fn start(flow: i32, directory: &Directory) -> Result<Command, Refusal> {
    let known = directory.flows.iter().find(|known| known.id.0 == flow && known.enabled);
    known
        .map(|known| Command::StartFlow(known.name.clone(), Box::new(known.definition.clone())))
        .ok_or(Refusal("no_such_flow", "This flow is not there any more. Choose another."))
}
