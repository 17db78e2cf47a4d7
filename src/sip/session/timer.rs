//! Session timers (RFC 4028).

use crate::message::{Field, Headers, Refresher};
use cordboard_core::cx::Millis;
use serde::{Deserialize, Serialize};

/// The shortest interval that we take, seconds (RFC 4028 §4 recommends no less).
pub(super) const MIN_SE: u32 = 90;
/// The interval that we ask for, seconds.
pub(super) const OUR_SE: u32 = 1_800;

/// A running session timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct SessionTimer {
    /// Seconds.
    pub interval: u32,
    pub we_refresh: bool,
    /// When we refresh; moved on while a refresh is under way.
    pub refresh_at: Option<Millis>,
    /// When the session is over for lack of a refresh.
    pub expires_at: Millis,
}

impl SessionTimer {
    pub fn new(interval: u32, we_refresh: bool, now: Millis) -> Self {
        let millis = Millis::from(interval) * 1_000;
        // The side that waits gives up a little early (RFC 4028 §10).
        let early = Millis::from((interval / 3).min(32)) * 1_000;
        Self { interval, we_refresh, refresh_at: we_refresh.then_some(now + millis / 2), expires_at: now + millis - early }
    }

    pub fn deadline(&self) -> Millis {
        self.refresh_at.map_or(self.expires_at, |at| at.min(self.expires_at))
    }
}

/// Whether an INVITE or UPDATE asks for less than we take: to be refused with 422.
pub(super) fn is_too_small(headers: &Headers) -> bool {
    headers.lists(Field::Supported, "timer") && headers.session_expires().is_some_and(|s| s.seconds < MIN_SE)
}

/// What we answer to a request: interval and refresher. `None` when the far side knows no session timers.
pub(super) fn answer(headers: &Headers) -> Option<(u32, Refresher)> {
    let supported = headers.lists(Field::Supported, "timer");
    match headers.session_expires() {
        Some(asked) if supported => Some((asked.seconds, asked.refresher.unwrap_or(Refresher::Uac))),
        // A proxy asked on behalf of a client that cannot refresh.
        Some(asked) if asked.seconds >= MIN_SE => Some((asked.seconds, Refresher::Uas)),
        Some(_) => None,
        None if supported => Some((OUR_SE, Refresher::Uas)),
        None => None,
    }
}

/// Writes the answer into a 2xx.
pub(super) fn write_answer(headers: &mut Headers, interval: u32, refresher: Refresher) {
    headers.push(Field::SessionExpires, format!("{interval};refresher={}", name(refresher)));
    if refresher == Refresher::Uac {
        headers.push(Field::Require, "timer");
    }
}

/// Writes the wish into an INVITE or UPDATE of ours.
pub(super) fn write_request(headers: &mut Headers, interval: u32, min_se: u32, refresher: Option<Refresher>) {
    let refresher = refresher.map(|r| format!(";refresher={}", name(r))).unwrap_or_default();
    headers.push(Field::SessionExpires, format!("{interval}{refresher}"));
    headers.push(Field::MinSe, min_se.to_string());
}

fn name(refresher: Refresher) -> &'static str {
    match refresher {
        Refresher::Uac => "uac",
        Refresher::Uas => "uas",
    }
}
