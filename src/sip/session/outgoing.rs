//! The calling side: from our INVITE to its final response, with early dialogs and forks.

use super::timer::{self, MIN_SE, OUR_SE};
use super::{Actions, Dialog, Modify, Phase, Session, SessionAction, SessionTimer, attach};
use crate::endpoint::{ALLOW, Flow, SUPPORTED};
use crate::message::{Field, Method, NameAddr, Refresher, Response, Uri, token_of};
use crate::sdp::{self, Law, LocalMedia};
use crate::translate;
use cordboard_core::cx::Cx;
use cordboard_core::ids::LegId;
use cordboard_core::leg::SignalEvent;
use serde::{Deserialize, Serialize};

/// Dialogs kept beside the one that wins. A far side that makes more gets no PRACK and no BYE for them.
const MOST_FORKS: usize = 16;

/// Whom to call, and as whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutgoingCall {
    pub target: Uri,
    pub flow: Flow,
    /// No other way leads there: a phone's that registered by this one (RFC 5626 §5.3).
    pub only_way: bool,
    /// The number shown to the called party: the user part of From.
    pub caller_id: String,
    pub display: Option<String>,
    /// Route of the INVITE, the nearest hop first.
    pub routes: Vec<Uri>,
    /// Laws to offer, the preferred first.
    pub laws: Vec<Law>,
}

/// Our INVITE without a final response.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Outgoing {
    pub cseq: u32,
    /// The session timer that it asks for (RFC 4028), in seconds.
    interval: u32,
    min_se: u32,
    /// A provisional came: CANCEL may be sent (RFC 3261 §9.1).
    heard: bool,
    cancel: Option<Cancel>,
    /// What the leg last heard of ringing.
    ringing: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Cancel {
    q850: Option<u8>,
    sent: bool,
}

/// A dialog that a response to our INVITE made beside or before the one that wins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Fork {
    pub dialog: Dialog,
    /// Of the last reliable provisional.
    rseq: Option<u32>,
    /// It was answered too late and got its BYE.
    ended: bool,
}

impl Outgoing {
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_some()
    }
}

impl Session {
    /// Calls; `local` is where the audio shall go.
    pub fn outgoing(leg: LegId, call: OutgoingCall, local: LocalMedia, cx: &mut Cx<'_>) -> (Self, Vec<SessionAction>) {
        let mut from = NameAddr::new(Uri::sip(&call.caller_id, call.flow.local));
        from.display = call.display;
        let routes = call.routes.into_iter().map(NameAddr::new).collect();
        let (call_id, tag) = (token_of(cx.next_id()), token_of(cx.next_id()));
        let mut session = Self {
            leg,
            dialog: Dialog::of_call(call_id, from, tag, call.target, routes),
            flow: call.flow,
            local,
            described: String::new(),
            remote: None,
            far_holds: false,
            laws: if call.laws.is_empty() { vec![Law::A, Law::Mu] } else { call.laws },
            phase: Phase::Closed,
            forks: Vec::new(),
            unacknowledged: None,
            last_ack: None,
            modify: Modify::Idle,
            timer: None,
            takes_update: false,
            behind_nat: call.only_way,
            probe: None,
            unreachable: 0,
        };
        let mut out = vec![SessionAction::Register(session.dialog.id())];
        session.invite(OUR_SE, MIN_SE, &mut out);
        (session, out)
    }

    fn invite(&mut self, interval: u32, min_se: u32, out: &mut Actions) {
        let contact = self.contact();
        let sdp = self.our_offer();
        let mut invite = self.dialog.request(Method::INVITE);
        invite.headers.push(Field::Contact, contact);
        invite.headers.push(Field::Allow, ALLOW);
        invite.headers.push(Field::Supported, SUPPORTED);
        timer::write_request(&mut invite.headers, interval, min_se, None);
        attach(&mut invite.headers, &mut invite.body, &sdp);
        let cseq = self.dialog.local_cseq;
        self.phase = Phase::Outgoing(Box::new(Outgoing { cseq, interval, min_se, heard: false, cancel: None, ringing: None }));
        out.push(SessionAction::Request { request: invite, flow: self.flow });
    }

    pub(super) fn cancel_call(&mut self, q850: Option<u8>, out: &mut Actions) {
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        if outgoing.cancel.is_none() {
            outgoing.cancel = Some(Cancel { q850, sent: outgoing.heard });
            if outgoing.heard {
                out.push(SessionAction::CancelRequest { reason: q850.map(translate::reason) });
            }
        }
    }

    pub(super) fn on_invite_response(&mut self, seq: u32, response: &Response, cx: &mut Cx<'_>, out: &mut Actions) {
        match &self.phase {
            Phase::Outgoing(outgoing) if outgoing.cseq == seq => {
                if response.is_provisional() {
                    self.on_provisional(response, out);
                } else if response.is_success() {
                    self.on_answer(seq, response, cx, out);
                } else {
                    self.on_refusal(response, out);
                }
            }
            Phase::Incoming(_) | Phase::Outgoing(_) | Phase::Up | Phase::Ending { .. } | Phase::Closed => {
                if self.is_repeated(seq, response) {
                    // The far side did not see our ACK.
                    if let Some((_, ack)) = &self.last_ack {
                        out.push(SessionAction::Ack { request: ack.clone(), flow: self.flow });
                    }
                } else if self.modify.is_invite(seq) {
                    self.on_modify_response(seq, response, cx, out);
                } else if response.is_success() {
                    self.end_fork(seq, response, out);
                }
            }
        }
    }

    fn is_repeated(&self, seq: u32, response: &Response) -> bool {
        let same_dialog = response.headers.to_tag() == self.dialog.remote_tag.as_deref();
        response.is_success() && same_dialog && self.last_ack.as_ref().is_some_and(|(acked, _)| *acked == seq)
    }

    fn on_provisional(&mut self, response: &Response, out: &mut Actions) {
        let early = response.headers.to_tag().and_then(|tag| self.fork(tag, response));
        let Phase::Outgoing(outgoing) = &mut self.phase else { return };
        outgoing.heard = true;
        if let Some(cancel) = &mut outgoing.cancel {
            if !cancel.sent {
                cancel.sent = true;
                out.push(SessionAction::CancelRequest { reason: cancel.q850.map(translate::reason) });
            }
            return;
        }
        let answer = sdp::read(&response.headers, &response.body).ok().flatten();
        let media = answer.and_then(|answer| answer.accept(&self.local).ok());
        let ringing = match response.status {
            180 => Some(media.is_some() || outgoing.ringing == Some(true)),
            183 if media.is_some() => Some(true),
            _ => None,
        };
        if ringing.is_some() && outgoing.ringing != ringing {
            outgoing.ringing = ringing;
            out.push(SessionAction::Event(SignalEvent::Ringing { early_media: ringing == Some(true) }));
        }
        let cseq = outgoing.cseq;
        if let Some(media) = media {
            self.set_media(media, out);
        }
        if let (Some(at), Some(rseq), true) = (early, response.headers.rseq(), response.headers.lists(Field::Require, "100rel")) {
            self.prack(at, rseq, cseq, out);
        }
    }

    /// Acknowledges a reliable provisional, in its order (RFC 3262 §4).
    fn prack(&mut self, fork: usize, rseq: u32, cseq: u32, out: &mut Actions) {
        let Some(fork) = self.forks.get_mut(fork) else { return };
        if fork.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) {
            return;
        }
        fork.rseq = Some(rseq);
        let mut request = fork.dialog.request(Method::PRACK);
        request.headers.push(Field::Rack, format!("{rseq} {cseq} INVITE"));
        out.push(SessionAction::Request { request, flow: self.flow });
    }

    /// The place of the early dialog with this tag, made if it is new and not one too many.
    fn fork(&mut self, tag: &str, response: &Response) -> Option<usize> {
        if let Some(at) = self.forks.iter().position(|f| f.dialog.remote_tag.as_deref() == Some(tag)) {
            if let Some(fork) = self.forks.get_mut(at) {
                fork.dialog.refresh_target(&response.headers);
            }
            return Some(at);
        }
        if self.forks.len() >= MOST_FORKS {
            return None;
        }
        self.forks.push(Fork { dialog: self.dialog.clone().answered(response), rseq: None, ended: false });
        Some(self.forks.len() - 1)
    }

    fn on_answer(&mut self, seq: u32, response: &Response, cx: &mut Cx<'_>, out: &mut Actions) {
        let Phase::Outgoing(outgoing) = &self.phase else { return };
        let cancelled = outgoing.cancel;
        let early = self.fork(response.headers.to_tag().unwrap_or_default(), response).map(|at| self.forks.swap_remove(at).dialog);
        self.dialog = early.unwrap_or_else(|| self.dialog.clone()).answered(response);
        self.know_peer(&response.headers);
        self.follow_target();
        self.acknowledge(seq, out);
        self.phase = Phase::Up;
        if let Some(cancel) = cancelled {
            // The answer crossed our CANCEL (RFC 3261 §9.1).
            self.bye(cancel.q850, out);
            return;
        }
        let answer = sdp::read(&response.headers, &response.body).ok().flatten();
        match answer.map(|answer| answer.accept(&self.local)) {
            Some(Ok(media)) => self.set_media(media, out),
            // The answer came in a reliable provisional.
            None if self.remote.is_some() => {}
            Some(Err(_)) | None => {
                self.break_off(translate::own(488, "the answer has no audio that we know"), out);
                return;
            }
        }
        if let Some(session) = response.headers.session_expires() {
            let we_refresh = session.refresher != Some(Refresher::Uas);
            self.timer = Some(SessionTimer::new(session.seconds.max(MIN_SE), we_refresh, cx.now));
        }
        out.push(SessionAction::Event(SignalEvent::Up));
    }

    pub(super) fn acknowledge(&mut self, seq: u32, out: &mut Actions) {
        let ack = self.dialog.ack(seq);
        self.last_ack = Some((seq, ack.clone()));
        out.push(SessionAction::Ack { request: ack, flow: self.flow });
    }

    fn on_refusal(&mut self, response: &Response, out: &mut Actions) {
        let Phase::Outgoing(outgoing) = &self.phase else { return };
        if outgoing.is_cancelled() {
            self.close(out);
            return;
        }
        if let (422, Some(min_se)) = (response.status, response.headers.min_se())
            && min_se > outgoing.min_se
        {
            // RFC 4028 §7.3; Min-SE grows each time, so that this ends.
            let interval = outgoing.interval.max(min_se);
            self.forks.clear();
            self.invite(interval, min_se, out);
            return;
        }
        out.push(SessionAction::Event(SignalEvent::Failed(translate::failure(response))));
        self.close(out);
    }

    /// A second answer to our INVITE, from another dialog: acknowledged, and ended once (RFC 3261 §13.2.2.4).
    fn end_fork(&mut self, seq: u32, response: &Response, out: &mut Actions) {
        let Some(tag) = response.headers.to_tag() else { return };
        if !self.dialog.called_by_us || self.dialog.remote_tag.as_deref() == Some(tag) {
            return;
        }
        let Some(fork) = self.fork(tag, response).and_then(|at| self.forks.get_mut(at)) else { return };
        fork.dialog = fork.dialog.clone().answered(response);
        out.push(SessionAction::Ack { request: fork.dialog.ack(seq), flow: self.flow });
        if !fork.ended {
            fork.ended = true;
            out.push(SessionAction::Request { request: fork.dialog.request(Method::BYE), flow: self.flow });
        }
    }
}
