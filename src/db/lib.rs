//! Durable facts: the floor, logins, calls and their records, in SQLite or PostgreSQL; and the journal that calls are written to first.
//!
//! Every function here blocks: call it from a thread that may wait. Moments are milliseconds since 1970 UTC, durations milliseconds.

mod error;
#[macro_use]
mod pool;
mod accounts;
mod agent_states;
mod agents;
mod avatars;
mod blocklist;
mod calls;
mod codes;
mod convert;
mod customers;
mod dispositions;
pub mod floor;
mod flows;
mod groups;
pub mod journal;
mod last_served;
mod numbers;
mod phones;
mod recordings;
mod records;
mod schema;
mod sessions;
mod settings;
mod sms_outbox;
mod trunks;

#[cfg(test)]
mod tests;

pub use accounts::{AccountForm, Taken};
pub use agent_states::StateChange;
pub use agents::{Account, ChosenState, MobileSwitches, Role};
pub use avatars::{Avatar, ImageKind};
pub use blocklist::{BlockForm, BlockedNumber, BlocklistPage, NUMBERS_PER_PAGE};
pub use calls::PastCall;
pub use codes::{CodeFor, CodeId, Completion, Held, TRIES, Tried};
pub use customers::Customer;
pub use dispositions::{Disposition, DispositionForm};
pub use error::DbError;
pub use floor::{Change, Floor, FloorError};
pub use flows::{FlowForm, NameTaken};
pub use journal::{Journal, JournalError};
pub use phones::{Phone, PhoneBindings, PhoneSecret};
pub use pool::Db;
pub use recordings::{Recording, RecordingState};
pub use records::{RECORDS_PER_PAGE, RecordFilter, RecordPage, RecordRow, Scope};
pub use sessions::Session;
pub use settings::{Crm, Settings};
pub use sms_outbox::OutboxMessage;
