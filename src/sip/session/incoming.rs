//! The called side: from INVITE to its final response, with reliable provisionals (RFC 3262).

use super::timer::{self, MIN_SE};
use super::{Actions, Dialog, Modify, Phase, Repeat, Session, SessionAction, SessionTimer, Unacknowledged, attach};
use crate::endpoint::{NewCall, ServerKey};
use crate::message::{Field, Method, Refresher, Request, Response, token_of};
use crate::sdp::{self, Law, LocalMedia};
use crate::transaction::{GIVE_UP, T2};
use crate::translate;
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::leg::SignalEvent;
use serde::{Deserialize, Serialize};

/// A reliable provisional that waits for its PRACK.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Provisional {
    rseq: u32,
    response: Response,
    repeat: Repeat,
    has_sdp: bool,
}

/// What waits until the last reliable provisional is acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Waiting {
    Provisional { status: u16, with_sdp: bool },
    Answer,
}

/// An INVITE to us without a final response.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Incoming {
    key: ServerKey,
    /// Without its body.
    invite: Request,
    /// Our answer; `None` when the INVITE had no offer.
    answer: Option<String>,
    /// Our own offer went out in a reliable provisional.
    offered: bool,
    /// The answer, or the offer and its answer, are exchanged reliably.
    settled: bool,
    reliable: Reliability,
    rseq: u32,
    provisional: Option<Provisional>,
    waiting: Vec<Waiting>,
}

/// What the caller says of 100rel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Reliability {
    Unknown,
    Supported,
    Required,
}

impl Incoming {
    pub fn cseq(&self) -> u32 {
        self.invite.headers.cseq().map_or(0, |c| c.seq)
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.provisional.as_ref().map(|p| p.repeat.deadline())
    }

    /// Whether an offer of the caller is still without our answer on its way, or ours without theirs.
    pub fn is_negotiating(&self) -> bool {
        !self.settled
    }

    fn sends_reliably(&self, with_sdp: bool) -> bool {
        match self.reliable {
            Reliability::Unknown => false,
            // The first reliable provisional to an INVITE without an offer must carry ours: only where SDP is wanted.
            Reliability::Supported => self.answer.is_some() || with_sdp,
            Reliability::Required => true,
        }
    }
}

impl Session {
    /// A new call, as [`crate::endpoint::EndpointAction::Invite`] brought it; `local` is where its audio shall go.
    ///
    /// # Errors
    /// The refusal to respond with, when the INVITE cannot make a session (400, 422, 488).
    pub fn incoming(call: NewCall, local: LocalMedia, cx: &mut Cx<'_>) -> Result<(Self, Vec<SessionAction>), Box<Response>> {
        let NewCall { leg, trunk: _, key, mut invite, offer, flow } = call;
        let refuse = |status: u16| Box::new(invite.response(status));
        let headers = &invite.headers;
        if timer::is_too_small(headers) {
            let mut response = refuse(422);
            response.headers.push(Field::MinSe, MIN_SE.to_string());
            return Err(response);
        }
        let negotiated = offer.map(|offer| offer.answer(&local)).transpose().map_err(|e| refuse(e.status()))?;
        let (answer, remote) = negotiated.unzip();
        let dialog = Dialog::of_invite(&invite, token_of(cx.next_id())).ok_or_else(|| refuse(400))?;
        let reliable = if headers.lists(Field::Require, "100rel") {
            Reliability::Required
        } else if headers.lists(Field::Supported, "100rel") {
            Reliability::Supported
        } else {
            Reliability::Unknown
        };
        let behind_nat = headers.top_via().is_ok_and(|v| v.host.ip().is_some_and(|ip| ip != flow.remote.ip()));
        let takes_update = headers.lists(Field::Allow, "UPDATE");
        invite.body = Vec::new();
        let out = vec![SessionAction::Register(dialog.id())];
        let mut session = Self {
            leg,
            dialog,
            flow,
            local,
            described: answer.clone().unwrap_or_default(),
            remote,
            far_holds: false,
            laws: vec![Law::A, Law::Mu],
            phase: Phase::Incoming(Box::new(Incoming {
                key,
                invite,
                answer,
                offered: false,
                settled: false,
                reliable,
                // RFC 3262 §3: anything up to 2^31 - 1, here small so that it never wraps.
                rseq: 1 + u32::try_from(cx.next_id() % 1_000_000).unwrap_or(0),
                provisional: None,
                waiting: Vec::new(),
            })),
            forks: Vec::new(),
            unacknowledged: None,
            last_ack: None,
            modify: Modify::Idle,
            timer: None,
            takes_update,
            behind_nat,
            probe: None,
            unreachable: 0,
        };
        session.follow_target();
        Ok((session, out))
    }

    pub(super) fn ring(&mut self, cx: &mut Cx<'_>, out: &mut Actions) {
        let Phase::Incoming(incoming) = &self.phase else { return };
        let with_sdp = incoming.reliable == Reliability::Required && incoming.answer.is_none();
        self.provisional(180, with_sdp, cx, out);
    }

    pub(super) fn progress(&mut self, cx: &mut Cx<'_>, out: &mut Actions) {
        self.provisional(183, true, cx, out);
    }

    fn provisional(&mut self, status: u16, with_sdp: bool, cx: &mut Cx<'_>, out: &mut Actions) {
        if let Phase::Incoming(incoming) = &mut self.phase
            && incoming.provisional.is_some()
        {
            incoming.waiting.push(Waiting::Provisional { status, with_sdp });
            return;
        }
        let Phase::Incoming(incoming) = &self.phase else { return };
        let (key, reliably, settled) = (incoming.key, incoming.sends_reliably(with_sdp), incoming.settled);
        let mut response = self.response(&incoming.invite, status);
        // An unreliable provisional can carry our answer, never our offer.
        let sdp = match &incoming.answer {
            Some(answer) if with_sdp => Some(answer.clone()),
            None if with_sdp && reliably && !settled => Some(self.our_offer()),
            Some(_) | None => None,
        };
        if let Some(sdp) = &sdp {
            attach(&mut response.headers, &mut response.body, sdp);
            self.expect_media(out);
        }
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        if reliably {
            response.headers.push(Field::Require, "100rel");
            response.headers.push(Field::Rseq, incoming.rseq.to_string());
            incoming.offered |= sdp.is_some() && incoming.answer.is_none();
            incoming.provisional = Some(Provisional {
                rseq: incoming.rseq,
                response: response.clone(),
                repeat: Repeat::new(cx.now, GIVE_UP),
                has_sdp: sdp.is_some(),
            });
            incoming.rseq += 1;
        }
        out.push(SessionAction::Respond { key, response });
    }

    /// Our description goes out, or goes out again: from now on the caller knows where to send, and audio can come.
    fn expect_media(&mut self, out: &mut Actions) {
        if let Some(remote) = self.remote.take() {
            self.set_media(remote, out);
        }
    }

    pub(super) fn tick_provisional(&mut self, cx: &mut Cx<'_>, out: &mut Actions) {
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        let Some(provisional) = &mut incoming.provisional else { return };
        if provisional.repeat.give_up_at <= cx.now {
            // RFC 3262 §3: no PRACK came.
            out.push(SessionAction::Event(SignalEvent::Failed(translate::own(408, "a provisional response was never acknowledged"))));
            self.refuse(504, None, None, out);
        } else if provisional.repeat.is_due(cx.now) {
            out.push(SessionAction::Respond { key: incoming.key, response: provisional.response.clone() });
        }
    }

    pub(super) fn on_prack(&mut self, key: ServerKey, request: &Request, cx: &mut Cx<'_>, out: &mut Actions) {
        let rack = request.headers.rack();
        let acknowledged = match &mut self.phase {
            Phase::Incoming(incoming) => {
                let cseq = incoming.cseq();
                let fits =
                    |p: &Provisional| rack.as_ref().is_some_and(|r| r.rseq == p.rseq && r.cseq == cseq && r.method == Method::INVITE);
                incoming.provisional.take_if(|p| fits(p))
            }
            Phase::Outgoing(_) | Phase::Up | Phase::Ending { .. } | Phase::Closed => None,
        };
        let Some(acknowledged) = acknowledged else {
            // A PRACK may come after the 2xx that overtook it (RFC 3262 §3).
            let status = if self.phase == Phase::Up && !self.dialog.called_by_us { 200 } else { 481 };
            out.push(SessionAction::Respond { key, response: self.response(request, status) });
            return;
        };
        let mut response = self.response(request, 200);
        if let Ok(Some(description)) = sdp::read(&request.headers, &request.body) {
            let ours_waits = matches!(&self.phase, Phase::Incoming(i) if i.offered && !i.settled);
            if ours_waits {
                match description.accept(&self.local) {
                    Ok(remote) => self.set_media(remote, out),
                    Err(e) => response = self.response(request, e.status()),
                }
            } else {
                match self.answer_offer(&description, out) {
                    Ok(answer) => attach(&mut response.headers, &mut response.body, &answer),
                    Err(status) => response = self.response(request, status),
                }
            }
        }
        out.push(SessionAction::Respond { key, response });
        if let Phase::Incoming(incoming) = &mut self.phase {
            incoming.settled |= acknowledged.has_sdp;
        }
        self.go_on(cx, out);
    }

    /// Sends what waited for the PRACK.
    fn go_on(&mut self, cx: &mut Cx<'_>, out: &mut Actions) {
        while let Phase::Incoming(incoming) = &mut self.phase
            && incoming.provisional.is_none()
            && !incoming.waiting.is_empty()
        {
            match incoming.waiting.remove(0) {
                Waiting::Provisional { status, with_sdp } => self.provisional(status, with_sdp, cx, out),
                Waiting::Answer => self.answer(cx, out),
            }
        }
    }

    pub(super) fn answer(&mut self, cx: &mut Cx<'_>, out: &mut Actions) {
        let Phase::Incoming(incoming) = &mut self.phase else { return };
        if incoming.provisional.as_ref().is_some_and(|p| p.has_sdp) {
            // RFC 3262 §3: no 2xx before the PRACK of a provisional with SDP. What else waited is overtaken.
            incoming.waiting = vec![Waiting::Answer];
            return;
        }
        let Phase::Incoming(incoming) = &self.phase else { return };
        let (key, cseq, offers) = (incoming.key, incoming.cseq(), incoming.answer.is_none() && !incoming.settled);
        let timer = timer::answer(&incoming.invite.headers);
        let mut response = self.response(&incoming.invite, 200);
        let sdp = match &incoming.answer {
            // After a change in the early dialog the description last agreed on stands.
            Some(answer) => Some(if self.described.is_empty() { answer.clone() } else { self.described.clone() }),
            None if offers => Some(self.our_offer()),
            None => None,
        };
        if let Some(sdp) = sdp {
            attach(&mut response.headers, &mut response.body, &sdp);
            self.expect_media(out);
        }
        if let Some((interval, refresher)) = timer {
            timer::write_answer(&mut response.headers, interval, refresher);
            self.timer = Some(SessionTimer::new(interval, refresher == Refresher::Uas, cx.now));
        }
        self.unacknowledged = Some(Unacknowledged {
            key,
            response: response.clone(),
            cseq,
            repeat: Repeat::new(cx.now, T2),
            offered: offers,
            first: true,
            hang_up: None,
        });
        self.phase = Phase::Up;
        out.push(SessionAction::Respond { key, response });
    }

    /// Ends the call before its answer with a final response.
    pub(super) fn refuse(&mut self, status: u16, q850: Option<u8>, retry_after: Option<u32>, out: &mut Actions) {
        let Phase::Incoming(incoming) = &self.phase else { return };
        let key = incoming.key;
        let mut response = self.response(&incoming.invite, status);
        if let Some(q850) = q850 {
            response.headers.push(Field::Reason, translate::reason(q850));
        }
        if let Some(seconds) = retry_after {
            response.headers.push(Field::RetryAfter, seconds.to_string());
        }
        out.push(SessionAction::Respond { key, response });
        self.close(out);
    }

    /// The caller gave up ([`crate::endpoint::EndpointAction::Cancelled`]). After our answer it changes nothing: the caller ends the call.
    pub fn on_cancel(&mut self, key: &ServerKey) -> Vec<SessionAction> {
        let mut out = Actions::new();
        if matches!(&self.phase, Phase::Incoming(incoming) if incoming.key == *key) {
            out.push(SessionAction::Event(SignalEvent::Cancelled));
            self.refuse(487, None, None, &mut out);
        }
        out
    }
}
