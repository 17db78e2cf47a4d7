//! An agent bars the customer of a call (H6). The page never has the whole number: it names the call.

use super::{AgentActor, AgentRole, Desk, Refusal};
use crate::actors::shell::Shell;
use crate::api::blocklist::LONGEST_NOTE;
use crate::api::mask::mask;
use crate::wire::BlockFor;
use actix::prelude::*;
use cordboard_core::blocklist::{Barred, plain};
use cordboard_db::BlockForm;

const DAY: i64 = 24 * 3_600_000;

impl Shell<AgentRole> {
    /// The page hears when the next call of this customer is refused, not before.
    pub(super) fn block(
        &mut self,
        page: u64,
        id: u32,
        call: &str,
        keep: BlockFor,
        note: &str,
        ctx: &mut Context<AgentActor>,
    ) -> Result<(), Refusal> {
        let number = self.role.number_of(call)?;
        if plain(&number).is_none() {
            return Err(Refusal(
                "nothing_to_block",
                "There is no telephone number to block: the caller withheld it, or it is a SIP address.",
            ));
        }
        let note = note.trim().to_owned();
        if note.chars().count() > LONGEST_NOTE || note.contains(char::is_control) {
            return Err(Refusal("note_too_long", "A reason has one line of at most 200 characters."));
        }
        let at = self.switch.wall();
        let until = match keep {
            BlockFor::Day => Some(at + DAY),
            BlockFor::Week => Some(at + 7 * DAY),
            BlockFor::Good => None,
        };
        let by = self.role.machine.setup.id;
        tracing::info!(%by, call, number = %mask(&number), "an agent bars a caller");
        let desk = ctx.address();
        let form = BlockForm { barred: Barred { number, prefix: false, until }, note, by: Some(by), at };
        self.switch.bar(form, move |added| {
            let refusal = added.err().map(|why| {
                tracing::error!(%why, "a caller could not be barred");
                Refusal("not_kept", "The database cannot be reached, so the caller is not blocked. Try again in a moment.")
            });
            desk.do_send(Desk::Answer { page, id, refusal });
        });
        Ok(())
    }
}
