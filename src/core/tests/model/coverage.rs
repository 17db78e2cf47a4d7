//! Every row of the transition tables above the state enums must have been taken, and every row is known here.

use crate::floor::Taken;
use std::collections::BTreeSet;

/// A table's row as it stands in the source, and the transitions (before, event, after) that together are the row.
type Row = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

const AGENT: &[Row] = &[
    ("Free | `Reserve` of this epoch, when ready | Reserved", &[("Free", "Reserve", "Reserved")]),
    ("Free | `ReserveDirect` from a call, when available or busy | Reserved", &[("Free", "ReserveDirect", "Reserved")]),
    ("Reserved | `Ring` | Ringing (automatic answer: Accepted)", &[("Reserved", "Ring", "Ringing"), ("Reserved", "Ring", "Accepted")]),
    (
        "Reserved, Ringing, Accepted | `Withdraw`, `Revoke`, `CallGone`, lease expired | Free",
        &[
            ("Reserved", "Withdraw", "Free"),
            ("Ringing", "Withdraw", "Free"),
            ("Accepted", "Withdraw", "Free"),
            ("Reserved", "Revoke", "Free"),
            ("Reserved", "CallGone", "Free"),
            ("Ringing", "CallGone", "Free"),
            ("Accepted", "CallGone", "Free"),
            ("Reserved", "tick", "Free"),
            ("Ringing", "tick", "Free"),
            ("Accepted", "tick", "Free"),
        ],
    ),
    (
        "Reserved | `Ring` when out of reach, a state other than available is chosen | Free, the call is told",
        &[("Reserved", "Ring", "Free"), ("Reserved", "SetState", "Free"), ("Reserved", "SetState(Offline)", "Free")],
    ),
    ("Reserved, Ringing | out of reach for 3 s | Free, the call is told", &[("Reserved", "tick", "Free"), ("Ringing", "tick", "Free")]),
    ("Ringing | offline is chosen | Free, the call is told", &[("Ringing", "SetState(Offline)", "Free")]),
    ("Ringing | `Accept` | Accepted", &[("Ringing", "Accept", "Accepted")]),
    ("Ringing | `Decline` | Free, the call is told", &[("Ringing", "Decline", "Free")]),
    ("Ringing, Accepted | `Won` | InCall", &[("Ringing", "Won", "InCall"), ("Accepted", "Won", "InCall")]),
    (
        "Free, WrapUp | `Dial`, when not offline and reachable | InCall, a call begins",
        &[("Free", "Dial", "InCall"), ("WrapUp", "Dial", "InCall")],
    ),
    (
        "any but InCall | `Reclaim` (a new machine hears of its old call) | InCall, a call that waits is told",
        &[("Free", "Reclaim", "InCall"), ("Reserved", "Reclaim", "InCall"), ("Ringing", "Reclaim", "InCall")],
    ),
    ("InCall | `CallOver` with wrap-up | WrapUp", &[("InCall", "CallOver", "WrapUp")]),
    ("InCall | `CallOver` without, `CallGone` | Free", &[("InCall", "CallOver", "Free"), ("InCall", "CallGone", "Free")]),
    ("WrapUp | its time is over, `EndWrapUp` | Free", &[("WrapUp", "tick", "Free"), ("WrapUp", "EndWrapUp", "Free")]),
    ("any | out of reach for the grace time | Free and offline, the call is told", &[("InCall", "tick", "Free")]),
    (
        "any but InCall, Accepted | `Depart` | Free and offline; a caller who rings moves on",
        &[("Free", "Depart", "Free"), ("Ringing", "Depart", "Free"), ("WrapUp", "Depart", "Free")],
    ),
    (
        "InCall, Accepted | `Depart` | the same, and offline when Free (A9)",
        &[("InCall", "Depart", "InCall"), ("Accepted", "Depart", "Accepted")],
    ),
];

const CALL: &[Row] = &[
    (
        "Dialling | `ChannelGranted`, the agent's leg is up, the customer rings | Dialling",
        &[("Dialling", "ChannelGranted", "Dialling"), ("Dialling", "Leg(Up)", "Dialling"), ("Dialling", "Leg(Ringing)", "Dialling")],
    ),
    ("Dialling | the customer answers | Talking", &[("Dialling", "Leg(Up)", "Talking")]),
    (
        "Dialling | an internal call, and the calling agent's leg is up | Aside, the colleague is asked for",
        &[("Dialling", "Leg(Up)", "Aside")],
    ),
    (
        "Dialling | barred, refused, failed, not answered in time, hung up, the agent is lost | Over",
        &[
            ("Dialling", "Begin", "Over"),
            ("Dialling", "ChannelRefused", "Over"),
            ("Dialling", "Leg(Failed)", "Over"),
            ("Dialling", "tick", "Over"),
            ("Dialling", "HangUp", "Over"),
            ("Dialling", "AgentLost", "Over"),
        ],
    ),
    ("Claiming | `ChannelGranted`, the number is known | Queueing", &[("Claiming", "ChannelGranted", "Queueing")]),
    (
        "Claiming | the caller is barred, `ChannelRefused`, unknown number | Over (refused before the answer)",
        &[("Claiming", "Begin", "Over"), ("Claiming", "ChannelRefused", "Over"), ("Claiming", "ChannelGranted", "Over")],
    ),
    ("Queueing | `Offer` | Queueing, one more agent rings", &[("Queueing", "Offer", "Queueing")]),
    ("Queueing | `Accept` of a ringing offer | Joining", &[("Queueing", "Accept", "Joining")]),
    (
        "Queueing | a phone answers, an agent who is asked to presses 1 | Joining, Talking where no ding-dong comes first",
        &[
            ("Queueing", "Leg(Up)", "Joining"),
            ("Queueing", "Leg(Up)", "Talking"),
            ("Queueing", "Leg(Digit)", "Joining"),
            ("Queueing", "Leg(Digit)", "Talking"),
        ],
    ),
    (
        "Queueing | a mobile answers that must press 1 | Queueing, it is asked to",
        &[("Queueing", "Leg(Up)", "Queueing"), ("Queueing", "Played", "Queueing")],
    ),
    ("Queueing | `TurnedAway` to another group | Queueing there", &[("Queueing", "TurnedAway", "Queueing")]),
    (
        "Queueing | `TurnedAway`, hang up | Leaving (prompt), Over",
        &[("Queueing", "TurnedAway", "Leaving"), ("Queueing", "TurnedAway", "Over")],
    ),
    (
        "Queueing | transferred: `TurnedAway`, the reserved agent does not answer | Queueing at the head of where it came from",
        &[("Queueing", "TurnedAway", "Queueing"), ("Queueing", "Declined", "Queueing"), ("Queueing", "Withdrawn", "Queueing")],
    ),
    (
        "Joining | the agent's leg is up, the ding-dong played | Talking",
        &[("Joining", "Leg(Up)", "Talking"), ("Joining", "Played", "Talking")],
    ),
    (
        "Joining | the agent's leg fails, `AgentLost` | Queueing at the head",
        &[("Joining", "Leg(Failed)", "Queueing"), ("Joining", "AgentLost", "Queueing")],
    ),
    ("Talking | `AgentLost` | Queueing at the head, a new segment", &[("Talking", "AgentLost", "Queueing")]),
    (
        "Talking | `Transfer` and its target is reserved (`Queued`, `Reserved`) | Queueing there, a new segment",
        &[("Talking", "Queued", "Queueing"), ("Talking", "Reserved", "Queueing")],
    ),
    ("Talking | hang-up from either side | Over", &[("Talking", "HangUp", "Over"), ("Talking", "Leg(HungUp)", "Over")]),
    (
        "Talking | `Consult`, swap, conference, the third comes or goes | Talking",
        &[
            ("Talking", "Consult", "Talking"),
            ("Talking", "Accept", "Talking"),
            ("Talking", "Leg(Up)", "Talking"),
            ("Talking", "HangUp", "Talking"),
        ],
    ),
    (
        "Talking | `Complete`, `AgentLost` with an answered consultation | Talking with the third, Bridged where that is a number",
        &[("Talking", "Complete", "Talking"), ("Talking", "Complete", "Bridged"), ("Talking", "AgentLost", "Talking")],
    ),
    (
        "Talking | `StartFlow`; keys, sounds and time in the flow; `EndFlow` | Talking",
        &[
            ("Talking", "StartFlow", "Talking"),
            ("Talking", "Leg(Digit)", "Talking"),
            ("Talking", "Played", "Talking"),
            ("Talking", "tick", "Talking"),
            ("Talking", "EndFlow", "Talking"),
        ],
    ),
    ("Talking | the customer leaves an answered consultation | Aside", &[("Talking", "Leg(HungUp)", "Aside")]),
    (
        "Aside | the colleague is reserved, accepts, comes | Aside",
        &[("Aside", "Reserved", "Aside"), ("Aside", "Accept", "Aside"), ("Aside", "Leg(Up)", "Aside")],
    ),
    (
        "Aside | the colleague is not free, declines, does not answer, is lost | Over",
        &[("Aside", "NotReserved", "Over"), ("Aside", "Declined", "Over"), ("Aside", "Withdrawn", "Over"), ("Aside", "AgentLost", "Over")],
    ),
    ("Aside, Bridged | anybody hangs up | Over", &[("Aside", "HangUp", "Over"), ("Bridged", "Leg(HungUp)", "Over")]),
    ("Leaving | `Played` | Over", &[("Leaving", "Played", "Over")]),
    (
        "any | the customer's leg ends, a leg is gone | Over",
        &[
            ("Claiming", "Leg(Cancelled)", "Over"),
            ("Queueing", "Leg(HungUp)", "Over"),
            ("Joining", "Leg(HungUp)", "Over"),
            ("Leaving", "Leg(HungUp)", "Over"),
            ("Queueing", "LegGone", "Over"),
            ("Talking", "LegGone", "Over"),
        ],
    ),
    ("Over | every leg closed, every offer confirmed | finished", &[("Over", "-", "finished")]),
];

const GROUP: &[Row] = &[
    ("— | `Enqueue`, within the limits | Waiting", &[("—", "Enqueue", "Waiting")]),
    ("— | `Enqueue`, beyond a limit | turned away", &[("—", "Enqueue", "—")]),
    (
        "Waiting | a suitable agent is ready | Offering (`Reserve` sent)",
        &[("Waiting", "Pick", "Offering"), ("Waiting", "Park", "Offering")],
    ),
    ("Offering | `Reserved` | Offering (the call has the offer)", &[("Offering", "Reserved", "Offering")]),
    (
        "Offering | `NotReserved`, `OfferOver`, the agent's machine is new: the last one | Waiting",
        &[("Offering", "NotReserved", "Waiting"), ("Offering", "OfferOver", "Waiting"), ("Offering", "AgentRestarted", "Waiting")],
    ),
    ("Waiting | longest wait over, nobody online | turned away", &[("Waiting", "tick", "—"), ("Waiting", "Presence", "—")]),
    (
        "any | `Left`, `CallGone` | —",
        &[("Waiting", "Left", "—"), ("Offering", "Left", "—"), ("Waiting", "CallGone", "—"), ("Offering", "CallGone", "—")],
    ),
];

const LEG: &[Row] = &[
    ("Opening | `Signal(Up)`, `Attached` | Up | `Up`", &[("Opening", "Signal(Up)", "Up"), ("Opening", "Attached", "Up")]),
    ("Up | `Signal(FarHold)` of a phone | Up | `Held`", &[("Up", "Signal(FarHold)", "Up")]),
    (
        "Opening, Up | `Signal(Cancelled / HungUp / Failed)` | Closing | the same",
        &[("Opening", "Signal(Cancelled)", "Closing"), ("Up", "Signal(HungUp)", "Closing"), ("Opening", "Signal(Failed)", "Closing")],
    ),
    (
        "Up | `Signal(Digit)`, `Key` | Up | `Digit`, once where a press comes by both ways",
        &[("Up", "Signal(Digit)", "Up"), ("Up", "Key", "Up")],
    ),
    (
        "Opening, Up | command `HangUp`, `Reject` | Closing (a browser: Closed) | to signalling, or detach",
        &[
            ("Opening", "HangUp", "Closing"),
            ("Up", "HangUp", "Closing"),
            ("Opening", "Reject", "Closing"),
            ("Opening", "HangUp", "Closed"),
            ("Up", "HangUp", "Closed"),
        ],
    ),
    ("Opening | `AttachFailed` | Closed | `Failed`, `Closed`", &[("Opening", "AttachFailed", "Closed")]),
    (
        "Opening, Up | `CallGone` | Closing (a browser: Closed) | to signalling, or detach",
        &[("Opening", "CallGone", "Closing"), ("Up", "CallGone", "Closing"), ("Up", "CallGone", "Closed")],
    ),
    ("any but Closed | `Signal(Closed)` | Closed | `Closed`, once", &[("Closing", "Signal(Closed)", "Closed")]),
];

pub fn every_row_was_taken(taken: &BTreeSet<Taken>) {
    let mut missing = Vec::new();
    for (machine, source, rows) in [
        ("agent", include_str!("../../agent.rs"), AGENT),
        ("call", include_str!("../../call.rs"), CALL),
        ("group", include_str!("../../group.rs"), GROUP),
        ("leg", include_str!("../../leg.rs"), LEG),
    ] {
        let table = source.lines().filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |")).skip(1);
        let table: Vec<&str> = table.filter(|row| !row.starts_with("---")).collect();
        missing.extend(
            table.iter().filter(|row| !rows.iter().any(|(known, _)| known == *row)).map(|row| format!("{machine}: unknown row: {row}")),
        );
        for (row, steps) in rows {
            if !table.contains(row) {
                missing.push(format!("{machine}: no such row: {row}"));
            }
            let untaken = steps.iter().filter(|(before, event, after)| !taken.contains(&(machine, before, event, after)));
            missing.extend(untaken.map(|step| format!("{machine}: {step:?} of the row {row:?}")));
        }
    }
    assert!(missing.is_empty(), "rows of the transition tables that were never taken:\n{}", missing.join("\n"));
}
