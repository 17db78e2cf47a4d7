//! A leg's life in the switch's own words. Signalling (SIP, or the use of a browser peer) is translated into these.

use serde::{Deserialize, Serialize};

/// Why a leg could not come about or ended, as the far side told it (RFC 3261, RFC 3326).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// SIP status code; 408 for our own timeout, 503 for a transport failure.
    pub status: u16,
    /// Q.850 cause of the Reason header, when there was one.
    pub q850: Option<u8>,
    /// The reason phrase or text, for people.
    pub text: String,
}

/// What signalling tells a leg.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SignalEvent {
    /// The far phone rings (180) or sends early media (183 with SDP).
    Ringing { early_media: bool },
    /// The far side answered, or our 200 was acknowledged: the leg is up.
    Up,
    /// The caller gave up before the answer (CANCEL).
    Cancelled,
    /// The far side hung up (BYE).
    HungUp,
    /// The leg did not come about, or its dialog broke.
    Failed(Failure),
    /// The far side put us on hold (`true`) or took us back, by its SDP direction.
    FarHold(bool),
    /// A digit by SIP INFO.
    Digit(char),
    /// Everything of this leg's signalling is over; its last event.
    Closed,
}

/// What a leg asks of its signalling.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SignalCommand {
    /// 180 Ringing.
    Ring,
    /// 183 with our SDP: early media (C2).
    Progress,
    /// 200 with our SDP.
    Answer,
    /// A final refusal. `q850` goes out as `Reason: Q.850;cause=n`, `retry_after` (seconds) as Retry-After.
    Reject { status: u16, q850: Option<u8>, retry_after: Option<u32> },
    /// End the leg, whatever its state: CANCEL, BYE, or a refusal.
    HangUp { q850: Option<u8> },
}
