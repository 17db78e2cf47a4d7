//! What an agent notes on a call, for its record (D8). The journal has it at once, so that a kill keeps it.

use super::{AgentRole, NOT_HERE, Refusal};
use crate::actors::switch::Switch;
use crate::wire::{SessionView, ToWorkstation};
use cordboard_core::record::{Entry, What};

/// A remark is no longer than this many characters.
pub(super) const LONGEST_REMARK: usize = 2_000;

impl AgentRole {
    pub(super) fn remark(&mut self, call: &str, text: String, switch: &Switch) -> Result<(), Refusal> {
        if text.chars().count() > LONGEST_REMARK {
            return Err(Refusal("remark_too_long", "A remark has at most 2,000 characters."));
        }
        self.note(call, switch, |view, segment| {
            view.remark.clone_from(&text);
            What::Remark { segment, text }
        })
    }

    /// An empty name takes the choice back.
    pub(super) fn disposition(&mut self, call: &str, name: String, switch: &Switch) -> Result<(), Refusal> {
        if !name.is_empty() && !switch.directory.read().dispositions.contains(&name) {
            return Err(Refusal("no_such_disposition", "This disposition is not in the list any more. Choose another."));
        }
        self.note(call, switch, |view, segment| {
            view.disposition.clone_from(&name);
            What::Disposition { segment, name }
        })
    }

    fn note(&mut self, call: &str, switch: &Switch, enter: impl FnOnce(&mut SessionView, u16) -> What) -> Result<(), Refusal> {
        let kept = self.sessions.iter_mut().find(|kept| kept.view.call == call).ok_or(NOT_HERE)?;
        let what = enter(&mut kept.view, kept.segment);
        switch.journal.append(Entry { call: kept.call, at: switch.wall(), what }, None);
        let view = kept.view.clone();
        self.show(ToWorkstation::Session(Box::new(view)));
        Ok(())
    }
}
