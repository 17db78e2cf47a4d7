//! The customers of the calls on a desk (F3): found by the whole number, which stays here when numbers are masked.

use super::notes::LONGEST_REMARK;
use super::{AgentActor, AgentRole, Desk, Refusal};
use crate::actors::shell::Shell;
use crate::api::records;
use crate::wire::{CallType, CustomerView, ToWorkstation};
use actix::prelude::*;
use cordboard_core::ids::AgentId;
use cordboard_db::{Customer, Db, DbError, RecordFilter};

const LONGEST_NAME: usize = 64;
/// Past calls on a card.
const SHOWN: usize = 8;

impl Shell<AgentRole> {
    pub(super) fn read_customer(&mut self, call: String, ctx: &mut Context<AgentActor>) -> Result<(), Refusal> {
        let number = self.role.number_of(&call)?;
        self.look_up(call, number, ctx);
        Ok(())
    }

    pub(super) fn save_customer(&mut self, call: String, name: &str, remark: &str, ctx: &mut Context<AgentActor>) -> Result<(), Refusal> {
        let number = self.role.number_of(&call)?;
        if !Customer::has(&number) {
            return Err(Refusal("number_withheld", "The caller withheld the number, so there is nothing to keep a name by."));
        }
        let (name, remark) = (name.trim().to_owned(), remark.trim().to_owned());
        if name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
            return Err(Refusal("name_too_long", "A customer's name has at most 64 characters."));
        }
        if remark.chars().count() > LONGEST_REMARK || remark.contains('\0') {
            return Err(Refusal("remark_too_long", "A remark has at most 2,000 characters."));
        }
        let (kept, by, at) = (number.clone(), self.role.machine.setup.id, self.switch.wall());
        let customer = Customer { name, remark };
        let failure = "what an agent noted of a customer could not be kept";
        self.switch.ledger.note(failure, move |db| db.set_customer(&kept, &customer, by, at));
        self.look_up(call, number, ctx);
        Ok(())
    }

    /// Reads behind what was written before.
    fn look_up(&self, call: String, number: String, ctx: &mut Context<AgentActor>) {
        let (agent, desk) = (self.role.machine.setup.id, ctx.address());
        let is_masked = self.switch.directory.read().mask_numbers;
        self.switch.ledger.ask(move |db| {
            let unread = || CustomerView { call: call.clone(), withheld: false, name: None, remark: String::new(), past: None };
            let view = db.and_then(|db| card(db, agent, &call, &number, is_masked)).unwrap_or_else(|why| {
                tracing::warn!(%why, "a customer's card could not be read");
                unread()
            });
            desk.do_send(Desk::Customer(Box::new(view)));
        });
    }
}

fn card(db: &Db, agent: AgentId, call: &str, number: &str, is_masked: bool) -> Result<CustomerView, DbError> {
    let empty = CustomerView { call: call.to_owned(), withheld: true, name: None, remark: String::new(), past: Some(Vec::new()) };
    if !Customer::has(number) {
        return Ok(empty);
    }
    let Some(account) = db.account(agent)? else { return Ok(CustomerView { withheld: false, ..empty }) };
    let known = db.customer(number)?;
    let filter = RecordFilter { customer: Some(number.to_owned()), ..RecordFilter::default() };
    let found = db.records_page(&filter, &records::scope(&account))?;
    let others = found.items.into_iter().filter(|row| row.record.call.to_string() != call).take(SHOWN);
    let past = Some(others.map(|row| records::view(row, is_masked)).collect());
    let (name, remark) = known.map(|known| (known.name, known.remark)).unwrap_or_default();
    Ok(CustomerView { withheld: false, name: Some(name).filter(|name| !name.is_empty()), remark, past, ..empty })
}

impl AgentRole {
    pub(super) fn number_of(&self, call: &str) -> Result<String, Refusal> {
        let has_customer = |call_type: CallType| call_type != CallType::Internal;
        let rings = self.offer.as_ref().filter(|offer| offer.call == call && has_customer(offer.call_type)).map(|_| &self.offer_caller);
        let kept =
            || self.sessions.iter().find(|kept| kept.view.call == call && has_customer(kept.view.call_type)).map(|kept| &kept.customer);
        rings.or_else(kept).cloned().ok_or(Refusal("no_such_call", "This call is not on your desk."))
    }

    /// The card; and the name wherever the call is shown.
    pub(super) fn show_customer(&mut self, card: CustomerView) {
        let on_desk: Vec<&String> =
            self.sessions.iter().map(|kept| &kept.view.call).chain(self.offer.as_ref().map(|offer| &offer.call)).collect();
        self.names.retain(|call, _| on_desk.contains(&call));
        // One that could not be read takes nobody's name away.
        if card.past.is_some() {
            match card.name.clone() {
                Some(name) => self.names.insert(card.call.clone(), name),
                None => self.names.remove(&card.call),
            };
        }
        let name = self.names.get(&card.call).cloned();
        if let Some(offer) = self.offer.as_mut().filter(|offer| offer.call == card.call && offer.caller_name != name) {
            offer.caller_name.clone_from(&name);
            let offer = Some(offer.clone());
            self.show(ToWorkstation::Offer { offer });
        }
        let kept = self.sessions.iter_mut().find(|kept| kept.view.call == card.call && kept.view.caller_name != name);
        if let Some(kept) = kept {
            kept.view.caller_name = name;
            let view = kept.view.clone();
            self.show(ToWorkstation::Session(Box::new(view)));
        }
        self.show(ToWorkstation::Customer(card));
    }
}
