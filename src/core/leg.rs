//! A leg: one party's branch of a call, in the switch's own words. Signalling and media are translated into these.
//!
//! | state | command or event | next | out |
//! |---|---|---|---|
//! | Opening | `Signal(Up)`, `Attached` | Up | `Up` |
//! | Up | `Signal(FarHold)` of a phone | Up | `Held` |
//! | Opening, Up | `Signal(Cancelled / HungUp / Failed)` | Closing | the same |
//! | Up | `Signal(Digit)`, `Key` | Up | `Digit`, once where a press comes by both ways |
//! | Opening, Up | command `HangUp`, `Reject` | Closing (a browser: Closed) | to signalling, or detach |
//! | Opening | `AttachFailed` | Closed | `Failed`, `Closed` |
//! | Opening, Up | `CallGone` | Closing (a browser: Closed) | to signalling, or detach |
//! | any but Closed | `Signal(Closed)` | Closed | `Closed`, once |

use crate::cx::{Cx, Millis};
use crate::ids::{AgentId, CallId, LegId, PeerId, TrunkId};
use crate::setup::PhoneSetup;
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
    /// The far side answered at all; not: our own timer, or the connection broke.
    pub heard: bool,
}

/// The Q.850 cause of a phone that is not there: nowhere registered.
pub const SUBSCRIBER_ABSENT: u8 = 20;

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
    /// A digit by SIP INFO (D7).
    Digit(char),
}

/// What a call asks of a leg.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command {
    Signal(SignalCommand),
    /// The agent's browser has a new peer: use that one (B3, A9).
    Move(PeerId),
    /// The call is gone without a word (its actor panicked): end cleanly.
    CallGone(CallId),
}

/// What a leg tells its call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Event {
    Ringing {
        early_media: bool,
    },
    Up,
    /// The agent's phone holds (`true`) or takes back.
    Held(bool),
    Cancelled,
    HungUp,
    Failed(Failure),
    /// The far side pressed a key: `0`–`9`, `*`, `#`, `A`–`D`.
    Digit(char),
    /// The last word of a leg.
    Closed,
}

/// What comes to a leg from below and above.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Input {
    Command(Command),
    Signal(SignalEvent),
    /// The media engine joined the leg to its peer.
    Attached,
    AttachFailed,
    /// The media engine heard a telephone event (RFC 4733).
    Key(char),
}

/// Some carriers tell each press both by INFO and as a telephone event: the same key by the other way within this time is the same press.
pub const SAME_PRESS: Millis = 1_000;

/// How a key came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum KeyWay {
    Info,
    TelephoneEvent,
}

/// What a leg wants done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Output {
    Signal(SignalCommand),
    Attach(PeerId),
    /// Close the leg's media.
    Detach,
    Tell(Event),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    Trunk {
        trunk: TrunkId,
        /// Whose mobile it is; none: a customer's line, or another number's.
        agent: Option<AgentId>,
    },
    Phone {
        agent: Option<AgentId>,
        phone: PhoneSetup,
    },
    Browser {
        agent: AgentId,
        peer: PeerId,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum State {
    Opening,
    Up,
    Closing,
    Closed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leg {
    pub id: LegId,
    pub call: CallId,
    kind: Kind,
    state: State,
    last_key: Option<(char, KeyWay, Millis)>,
}

impl Leg {
    /// A new leg and what to do first.
    pub fn open(id: LegId, call: CallId, kind: Kind) -> (Self, Vec<Output>) {
        let first = match &kind {
            Kind::Trunk { .. } | Kind::Phone { .. } => Vec::new(),
            Kind::Browser { peer, .. } => vec![Output::Attach(*peer)],
        };
        (Self { id, call, kind, state: State::Opening, last_key: None }, first)
    }

    /// The state's name, for traces and tests.
    pub fn state(&self) -> &'static str {
        match self.state {
            State::Opening => "Opening",
            State::Up => "Up",
            State::Closing => "Closing",
            State::Closed => "Closed",
        }
    }

    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    pub fn handle(&mut self, input: Input, cx: &mut Cx) -> Vec<Output> {
        match (input, self.state) {
            (_, State::Closed) => Vec::new(),
            (Input::Command(Command::Move(peer)), State::Opening | State::Up) => match &mut self.kind {
                Kind::Browser { peer: old, .. } => {
                    *old = peer;
                    vec![Output::Attach(peer)]
                }
                Kind::Trunk { .. } | Kind::Phone { .. } => Vec::new(),
            },
            (Input::Command(Command::Signal(command)), State::Opening | State::Up) => self.command(command),
            (Input::Command(Command::CallGone(call)), State::Opening | State::Up) if call == self.call => {
                self.command(SignalCommand::HangUp { q850: None })
            }
            (Input::Signal(SignalEvent::Up), State::Opening) | (Input::Attached, State::Opening) => {
                self.state = State::Up;
                vec![Output::Tell(Event::Up)]
            }
            (Input::Signal(SignalEvent::Ringing { early_media }), State::Opening) => vec![Output::Tell(Event::Ringing { early_media })],
            (Input::Signal(SignalEvent::FarHold(held)), State::Up) => match self.kind {
                Kind::Phone { .. } | Kind::Trunk { agent: Some(_), .. } => vec![Output::Tell(Event::Held(held))],
                // A customer who holds us is heard as they are.
                Kind::Trunk { agent: None, .. } | Kind::Browser { .. } => Vec::new(),
            },
            (Input::Signal(SignalEvent::Cancelled), State::Opening | State::Up) => self.closing(Event::Cancelled),
            (Input::Signal(SignalEvent::HungUp), State::Opening | State::Up) => self.closing(Event::HungUp),
            (Input::Signal(SignalEvent::Failed(why)), State::Opening | State::Up) => self.closing(Event::Failed(why)),
            (Input::Signal(SignalEvent::Digit(key)), State::Up) => self.key(key, KeyWay::Info, cx),
            (Input::Key(key), State::Up) => self.key(key, KeyWay::TelephoneEvent, cx),
            (Input::AttachFailed, State::Opening) => {
                self.state = State::Closed;
                let why = Failure { status: 480, q850: None, text: "the browser's voice path is gone".into(), heard: false };
                vec![Output::Detach, Output::Tell(Event::Failed(why)), Output::Tell(Event::Closed)]
            }
            (Input::Signal(SignalEvent::Closed), State::Opening | State::Up | State::Closing) => {
                self.state = State::Closed;
                vec![Output::Detach, Output::Tell(Event::Closed)]
            }
            // A peer that fails under a leg that is up is the agent's matter (B3); the rest comes too late to matter.
            (
                Input::Attached | Input::AttachFailed | Input::Signal(SignalEvent::Up | SignalEvent::Ringing { .. }),
                State::Up | State::Closing,
            )
            | (Input::Command(_) | Input::Signal(SignalEvent::Cancelled | SignalEvent::HungUp | SignalEvent::Failed(_)), State::Closing)
            | (Input::Command(Command::CallGone(_)), State::Opening | State::Up)
            | (Input::Signal(SignalEvent::Digit(_)) | Input::Key(_), State::Opening | State::Closing)
            | (Input::Signal(SignalEvent::FarHold(_)), State::Opening | State::Closing) => Vec::new(),
        }
    }

    fn key(&mut self, key: char, way: KeyWay, cx: &Cx) -> Vec<Output> {
        let again = |(last, by, at): (char, KeyWay, Millis)| last == key && by != way && cx.now < at + SAME_PRESS;
        if self.last_key.is_some_and(again) {
            return Vec::new();
        }
        self.last_key = Some((key, way, cx.now));
        vec![Output::Tell(Event::Digit(key))]
    }

    fn closing(&mut self, event: Event) -> Vec<Output> {
        self.state = State::Closing;
        vec![Output::Tell(event)]
    }

    fn command(&mut self, command: SignalCommand) -> Vec<Output> {
        let ends = matches!(command, SignalCommand::HangUp { .. } | SignalCommand::Reject { .. });
        match (&self.kind, ends) {
            (Kind::Browser { .. }, true) => {
                self.state = State::Closed;
                vec![Output::Detach, Output::Tell(Event::Closed)]
            }
            (Kind::Browser { .. }, false) => Vec::new(),
            (Kind::Trunk { .. } | Kind::Phone { .. }, true) => {
                self.state = State::Closing;
                vec![Output::Signal(command)]
            }
            (Kind::Trunk { .. } | Kind::Phone { .. }, false) => vec![Output::Signal(command)],
        }
    }
}
