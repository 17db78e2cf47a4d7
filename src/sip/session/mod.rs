//! One dialog made by INVITE, as the called or the calling side: from the first message to the last event of its leg.
//!
//! A session speaks to its far side through the endpoint and to its leg in [`SignalEvent`]s. [`SignalEvent::Closed`] is the last one, once.

mod dialog;
mod in_dialog;
mod incoming;
mod modify;
mod outgoing;
mod timer;

pub use outgoing::OutgoingCall;

use crate::endpoint::{ALLOW, DialogId, Flow, SUPPORTED, ServerKey, Why};
use crate::message::{Field, Headers, Method, NameAddr, Request, Response, Uri, text_of};
use crate::sdp::{self, Direction, Law, LocalMedia, RemoteMedia};
use crate::transaction::{GIVE_UP, T1};
use crate::translate;
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::ids::LegId;
use cordboard_core::leg::{Failure, SignalCommand, SignalEvent};
pub(crate) use dialog::Dialog;
use incoming::Incoming;
use modify::Modify;
use outgoing::{Fork, Outgoing};
use serde::{Deserialize, Serialize};
use timer::SessionTimer;

/// What a session wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionAction {
    /// For [`crate::endpoint::Endpoint::respond`].
    Respond {
        key: ServerKey,
        response: Response,
    },
    /// For [`crate::endpoint::Endpoint::request`], as the leg.
    Request {
        request: Request,
        flow: Flow,
    },
    /// For [`crate::endpoint::Endpoint::ack`].
    Ack {
        request: Request,
        flow: Flow,
    },
    /// For [`crate::endpoint::Endpoint::cancel`], with the Reason header's value.
    CancelRequest {
        reason: Option<String>,
    },
    /// The far end of the audio is new or has changed, or was told our end once more.
    Media(RemoteMedia),
    Event(SignalEvent),
    /// For [`crate::endpoint::Endpoint::register`].
    Register(DialogId),
}

/// Something sent again until it is acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Repeat {
    at: Millis,
    interval: Millis,
    /// 2xx are sent at most every T2; reliable provisionals double without a cap (RFC 3262 §3).
    cap: Millis,
    give_up_at: Millis,
}

impl Repeat {
    fn new(now: Millis, cap: Millis) -> Self {
        Self { at: now + T1, interval: T1, cap, give_up_at: now + GIVE_UP }
    }

    fn deadline(&self) -> Millis {
        self.at.min(self.give_up_at)
    }

    fn is_due(&mut self, now: Millis) -> bool {
        if self.at > now {
            return false;
        }
        self.interval = (self.interval * 2).min(self.cap);
        self.at = now + self.interval;
        true
    }
}

/// A 2xx of ours to an INVITE, sent again until its ACK (RFC 3261 §13.3.1.4).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Unacknowledged {
    key: ServerKey,
    response: Response,
    cseq: u32,
    repeat: Repeat,
    /// The 2xx carries our offer; the ACK brings the answer.
    offered: bool,
    /// The ACK makes the leg up.
    first: bool,
    /// Our hang-up waits for the ACK (RFC 3261 §15).
    hang_up: Option<HangUp>,
}

/// The leg's wish to end, with the cause to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct HangUp {
    q850: Option<u8>,
}

// | phase    | command              | far side                      | → |
// |----------|----------------------|-------------------------------|---|
// | Incoming | Ring, Progress       | PRACK, UPDATE                 | Incoming |
// | Incoming | Answer               |                               | Up, with a 2xx unacknowledged |
// | Incoming | Reject, HangUp       | CANCEL, BYE, broken flow      | Closed |
// | Outgoing | HangUp: CANCEL       | 1xx                           | Outgoing |
// | Outgoing |                      | 2xx: ACK                      | Up; after a HangUp BYE → Ending |
// | Outgoing |                      | 3xx-6xx, timeout              | Closed |
// | Up       | HangUp: BYE          | no ACK, no refresh, 408, 481  | Ending |
// | Up       |                      | re-INVITE, UPDATE, INFO, …    | Up |
// | Up       |                      | BYE                           | Closed |
// | Ending   |                      | BYE, response to ours, timeout | Closed |
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Phase {
    Incoming(Box<Incoming>),
    Outgoing(Box<Outgoing>),
    Up,
    /// Our BYE with this CSeq is under way.
    Ending {
        bye: u32,
    },
    Closed,
}

/// One call leg's SIP session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    leg: LegId,
    dialog: Dialog,
    flow: Flow,
    local: LocalMedia,
    /// Our last description, to tell whether the next is a new version.
    described: String,
    remote: Option<RemoteMedia>,
    far_holds: bool,
    /// Laws that we offer, the preferred first.
    laws: Vec<Law>,
    phase: Phase,
    forks: Vec<Fork>,
    unacknowledged: Option<Unacknowledged>,
    /// The ACK of the last 2xx to an INVITE of ours, for its repetitions.
    last_ack: Option<(u32, Request)>,
    modify: Modify,
    timer: Option<SessionTimer>,
    /// The far side takes UPDATE, by its Allow.
    takes_update: bool,
    /// The far side's own address is not the one we see: requests keep to the way that its INVITE or registration came.
    behind_nat: bool,
    /// CSeq of an in-dialog OPTIONS under way.
    probe: Option<u32>,
    /// So many in a row found no way to the far side, which has not been heard since.
    unreachable: u8,
}

/// Questions in a row that find no way to the far side before the call is given up: one a minute (G5).
const MOST_UNREACHABLE: u8 = 5;

type Actions = Vec<SessionAction>;

impl Session {
    pub fn leg(&self) -> LegId {
        self.leg
    }

    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Does what the leg asks; what does not fit the phase is passed over.
    pub fn command(&mut self, command: &SignalCommand, cx: &mut Cx<'_>) -> Actions {
        let mut out = Actions::new();
        match command {
            SignalCommand::Ring => self.ring(cx, &mut out),
            SignalCommand::Progress => self.progress(cx, &mut out),
            SignalCommand::Answer => self.answer(cx, &mut out),
            SignalCommand::Reject { status, q850, retry_after } => {
                if matches!(self.phase, Phase::Incoming(_)) {
                    self.refuse((*status).clamp(300, 699), *q850, *retry_after, &mut out);
                } else {
                    self.hang_up(*q850, &mut out);
                }
            }
            SignalCommand::HangUp { q850 } => self.hang_up(*q850, &mut out),
            SignalCommand::Digit(digit) => self.inform(*digit, &mut out),
        }
        out
    }

    /// Asks the far side in the dialog whether it lives (G5): a 408 or 481 ends the call, and so do five questions in a row that find no way to it. Some
    /// may meet a connection that only just broke, or that its far side, silent on hold, has replaced by another.
    pub fn probe(&mut self, _cx: &mut Cx<'_>) -> Actions {
        let mut out = Actions::new();
        if self.phase == Phase::Up && self.probe.is_none() {
            let request = self.request(Method::OPTIONS);
            self.probe = Some(self.dialog.local_cseq);
            out.push(SessionAction::Request { request, flow: self.flow });
        }
        out
    }

    /// A digit by INFO, as most gateways read it; whatever it is answered is no news.
    fn inform(&mut self, digit: char, out: &mut Actions) {
        if self.phase == Phase::Up {
            let mut request = self.request(Method::INFO);
            request.headers.push(Field::ContentType, "application/dtmf-relay");
            request.body = format!("Signal={digit}\r\nDuration=100\r\n").into_bytes();
            out.push(SessionAction::Request { request, flow: self.flow });
        }
    }

    fn hang_up(&mut self, q850: Option<u8>, out: &mut Actions) {
        match &mut self.phase {
            Phase::Incoming(_) => self.refuse(480, q850, None, out),
            Phase::Outgoing(_) => self.cancel_call(q850, out),
            Phase::Up => match &mut self.unacknowledged {
                Some(waiting) if waiting.first => waiting.hang_up = Some(HangUp { q850 }),
                Some(_) | None => self.bye(q850, out),
            },
            Phase::Ending { .. } | Phase::Closed => {}
        }
    }

    fn bye(&mut self, q850: Option<u8>, out: &mut Actions) {
        let mut request = self.request(Method::BYE);
        if let Some(q850) = q850 {
            request.headers.push(Field::Reason, translate::reason(q850));
        }
        self.unacknowledged = None;
        self.timer = None;
        self.phase = Phase::Ending { bye: self.dialog.local_cseq };
        out.push(SessionAction::Request { request, flow: self.flow });
    }

    /// The dialog broke: the leg hears why, the far side gets a BYE.
    fn break_off(&mut self, failure: Failure, out: &mut Actions) {
        if self.phase == Phase::Up {
            out.push(SessionAction::Event(SignalEvent::Failed(failure)));
            self.bye(None, out);
        }
    }

    fn close(&mut self, out: &mut Actions) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            self.unacknowledged = None;
            self.timer = None;
            out.push(SessionAction::Event(SignalEvent::Closed));
        }
    }

    /// A response to a request of ours.
    pub fn on_response(&mut self, response: &Response, cx: &mut Cx<'_>) -> Actions {
        let mut out = Actions::new();
        let Ok(cseq) = response.headers.cseq() else { return out };
        match cseq.method {
            Method::INVITE => self.on_invite_response(cseq.seq, response, cx, &mut out),
            Method::UPDATE => self.on_modify_response(cseq.seq, response, cx, &mut out),
            Method::BYE => {
                if !response.is_provisional() && self.phase == (Phase::Ending { bye: cseq.seq }) {
                    self.close(&mut out);
                }
            }
            Method::OPTIONS if self.probe == Some(cseq.seq) && !response.is_provisional() => {
                self.probe = None;
                self.unreachable = 0;
                if matches!(response.status, 408 | 481) {
                    self.break_off(translate::failure(response), &mut out);
                }
            }
            Method::Known(_) | Method::Other(_) => {}
        }
        out
    }

    /// A request of ours got no answer.
    pub fn on_failed(&mut self, method: &Method, cseq: u32, why: Why, cx: &mut Cx<'_>) -> Actions {
        let mut out = Actions::new();
        match &self.phase {
            Phase::Incoming(incoming) if *method == Method::INVITE && incoming.cseq() == cseq => {
                out.push(SessionAction::Event(SignalEvent::Failed(translate::no_answer(why))));
                self.close(&mut out);
            }
            Phase::Outgoing(outgoing) if *method == Method::INVITE && outgoing.cseq == cseq => {
                if !outgoing.is_cancelled() {
                    out.push(SessionAction::Event(SignalEvent::Failed(translate::no_answer(why))));
                }
                self.close(&mut out);
            }
            Phase::Ending { bye } if *method == Method::BYE && *bye == cseq => self.close(&mut out),
            Phase::Up if self.probe == Some(cseq) => {
                self.probe = None;
                self.unreachable += 1;
                if why == Why::Timeout || self.unreachable == MOST_UNREACHABLE {
                    self.break_off(translate::no_answer(why), &mut out);
                }
                self.follow_target();
            }
            Phase::Up => self.on_modify_failed(cseq, why, cx, &mut out),
            Phase::Incoming(_) | Phase::Outgoing(_) | Phase::Ending { .. } | Phase::Closed => {}
        }
        out
    }

    /// Does what is due at `cx.now`.
    pub fn tick(&mut self, cx: &mut Cx<'_>) -> Actions {
        let mut out = Actions::new();
        self.tick_provisional(cx, &mut out);
        if let Some(waiting) = &mut self.unacknowledged {
            if waiting.repeat.give_up_at <= cx.now {
                // RFC 3261 §13.3.1.4: no ACK came; the session ends.
                let hung_up = waiting.hang_up;
                match hung_up {
                    Some(HangUp { q850 }) => self.bye(q850, &mut out),
                    None => self.break_off(translate::own(408, "the answer was never acknowledged"), &mut out),
                }
            } else if waiting.repeat.is_due(cx.now) {
                out.push(SessionAction::Respond { key: waiting.key, response: waiting.response.clone() });
            }
        }
        self.tick_modify(cx, &mut out);
        out
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        let provisional = match &self.phase {
            Phase::Incoming(incoming) => incoming.deadline(),
            Phase::Outgoing(_) | Phase::Up | Phase::Ending { .. } | Phase::Closed => None,
        };
        let acknowledgement = self.unacknowledged.as_ref().map(|u| u.repeat.deadline());
        [provisional, acknowledgement, self.modify_deadline()].into_iter().flatten().min()
    }

    /// A request in the dialog with the headers that all of ours carry.
    fn request(&mut self, method: Method) -> Request {
        let contact = self.contact();
        let mut request = self.dialog.request(method);
        if request.method != Method::BYE {
            request.headers.push(Field::Contact, contact);
            request.headers.push(Field::Allow, ALLOW);
            request.headers.push(Field::Supported, SUPPORTED);
        }
        request
    }

    fn contact(&self) -> String {
        let mut uri = Uri::sip("cordboard", self.flow.local);
        if let Uri::Sip(uri) = &mut uri
            && self.flow.is_reliable()
        {
            uri.params.set("transport", Some(self.flow.via_transport().to_ascii_lowercase()));
        }
        text_of(&NameAddr::new(uri))
    }

    /// A response in the dialog: our tag, and what makes or refreshes a dialog.
    fn response(&self, request: &Request, status: u16) -> Response {
        let mut response = request.response(status);
        response.set_to_tag(&self.dialog.local_tag);
        if (101..300).contains(&status) {
            for route in request.headers.all(Field::RecordRoute) {
                response.headers.push(Field::RecordRoute, route);
            }
            response.headers.push(Field::Contact, self.contact());
            response.headers.push(Field::Allow, ALLOW);
            response.headers.push(Field::Supported, SUPPORTED);
        }
        response
    }

    fn know_peer(&mut self, headers: &Headers) {
        if headers.get(Field::Allow).is_some() {
            self.takes_update = headers.lists(Field::Allow, "UPDATE");
        }
    }

    /// Our offer as it would be now; a changed one gets a new version.
    fn our_offer(&mut self) -> String {
        let direction = Direction::SendRecv;
        let laws = self.laws.clone();
        self.describe(|local| sdp::offer(local, &laws, direction))
    }

    fn describe(&mut self, write: impl Fn(&LocalMedia) -> String) -> String {
        let same = write(&self.local);
        if self.described.is_empty() || same == self.described {
            self.described = same;
        } else {
            self.local.version += 1;
            self.described = write(&self.local);
        }
        self.described.clone()
    }

    fn set_media(&mut self, remote: RemoteMedia, out: &mut Actions) {
        if self.remote != Some(remote) {
            self.remote = Some(remote);
            out.push(SessionAction::Media(remote));
        }
        if self.far_holds != remote.holds() {
            self.far_holds = remote.holds();
            out.push(SessionAction::Event(SignalEvent::FarHold(self.far_holds)));
        }
    }
}

/// Puts a session description into a message.
fn attach(headers: &mut Headers, body: &mut Vec<u8>, sdp: &str) {
    headers.set(Field::ContentType, "application/sdp");
    *body = sdp.as_bytes().to_vec();
}
