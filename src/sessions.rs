//! A page that is open uses its login session, which else would end in mid call: a browser asks nothing by HTTP while its socket holds (A3, B3).

use crate::actors::switch::Switch;
use crate::api::auth::LIFETIME;
use cordboard_core::ids::AgentId;
use std::sync::Arc;
use std::time::Duration;

/// Well within the lifetime of a session.
const EVERY: Duration = Duration::from_secs(3_600);

/// Writes every hour whose pages are open, until the future is dropped.
pub async fn watch(switch: Arc<Switch>) {
    let mut hours = tokio::time::interval(EVERY);
    loop {
        hours.tick().await;
        let open: Vec<AgentId> = switch.directory.read().watching.iter().copied().collect();
        let now = switch.wall();
        let failure = "the sessions of those whose pages are open could not be made to last";
        switch.ledger.note(failure, move |db| db.touch_sessions_of(&open, now, now + LIFETIME));
    }
}
