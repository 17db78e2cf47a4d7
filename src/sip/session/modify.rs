//! Changing a session that is up: re-INVITE (RFC 3261 §14) and UPDATE (RFC 3311) from either side, and its refreshes (RFC 4028).

use super::timer::{self, MIN_SE, SessionTimer};
use super::{Actions, Phase, Repeat, Session, SessionAction, Unacknowledged, attach};
use crate::endpoint::{ServerKey, Why};
use crate::message::{Field, Method, Refresher, Request, Response};
use crate::sdp::{self, Description, LocalMedia};
use crate::transaction::T2;
use crate::translate;
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::leg::SignalEvent;
use serde::{Deserialize, Serialize};

/// How long a change waits when it cannot be sent now.
const LATER: Millis = 2_000;

/// Why we change the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Wish {
    /// The session timer.
    Refresh,
    /// Our description changed.
    Offer,
}

/// A change of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Modify {
    Idle,
    InFlight {
        cseq: u32,
        invite: bool,
        wish: Wish,
    },
    /// To be sent (again) at a time: after 491, or when something else was under way.
    Waiting {
        at: Millis,
        wish: Wish,
    },
}

impl Modify {
    pub fn is_invite(&self, seq: u32) -> bool {
        matches!(self, Self::InFlight { cseq, invite: true, .. } if *cseq == seq)
    }
}

impl Session {
    /// Offers the far side another address for our audio, by re-INVITE.
    pub fn reoffer(&mut self, local: LocalMedia, cx: &mut Cx<'_>) -> Vec<SessionAction> {
        let mut out = Actions::new();
        self.local.addr = local.addr;
        self.start(Wish::Offer, cx, &mut out);
        out
    }

    fn start(&mut self, wish: Wish, cx: &mut Cx<'_>, out: &mut Actions) {
        if self.phase != Phase::Up {
            return;
        }
        let wish = match self.modify {
            Modify::InFlight { wish: Wish::Offer, .. } | Modify::Waiting { wish: Wish::Offer, .. } => Wish::Offer,
            Modify::Idle | Modify::InFlight { .. } | Modify::Waiting { .. } => wish,
        };
        if self.unacknowledged.is_some() || matches!(self.modify, Modify::InFlight { .. }) {
            if !matches!(self.modify, Modify::InFlight { .. }) {
                self.modify = Modify::Waiting { at: cx.now + LATER, wish };
            }
            return;
        }
        let invite = wish == Wish::Offer || !self.takes_update;
        let sdp = invite.then(|| self.our_offer());
        let mut request = self.request(if invite { Method::INVITE } else { Method::UPDATE });
        if let Some(sdp) = sdp {
            attach(&mut request.headers, &mut request.body, &sdp);
        }
        if let Some(timer) = self.timer {
            let refresher = if timer.we_refresh { Refresher::Uac } else { Refresher::Uas };
            timer::write_request(&mut request.headers, timer.interval, MIN_SE.min(timer.interval), Some(refresher));
        }
        self.modify = Modify::InFlight { cseq: self.dialog.local_cseq, invite, wish };
        out.push(SessionAction::Request { request, flow: self.flow });
    }

    pub(super) fn modify_deadline(&self) -> Option<Millis> {
        let waiting = match self.modify {
            Modify::Waiting { at, .. } => Some(at),
            Modify::Idle | Modify::InFlight { .. } => None,
        };
        let timer = self.timer.filter(|_| self.phase == Phase::Up).map(|t| t.deadline());
        [waiting.filter(|_| self.phase == Phase::Up), timer].into_iter().flatten().min()
    }

    pub(super) fn tick_modify(&mut self, cx: &mut Cx<'_>, out: &mut Actions) {
        if self.phase != Phase::Up {
            return;
        }
        if self.timer.is_some_and(|t| t.expires_at <= cx.now) {
            self.break_off(translate::own(408, "the session was not refreshed"), out);
            return;
        }
        if let Modify::Waiting { at, wish } = self.modify
            && at <= cx.now
        {
            self.modify = Modify::Idle;
            self.start(wish, cx, out);
        }
        if let Some(timer) = &mut self.timer
            && timer.refresh_at.take_if(|at| *at <= cx.now).is_some()
        {
            self.start(Wish::Refresh, cx, out);
        }
    }

    pub(super) fn on_modify_response(&mut self, seq: u32, response: &Response, cx: &mut Cx<'_>, out: &mut Actions) {
        let Modify::InFlight { cseq, invite, wish } = self.modify else { return };
        if cseq != seq || response.is_provisional() {
            return;
        }
        self.modify = Modify::Idle;
        if response.is_success() {
            self.dialog.refresh_target(&response.headers);
            self.follow_target();
            if invite {
                self.acknowledge(seq, out);
            }
            let answer = sdp::read(&response.headers, &response.body).ok().flatten();
            if let Some(Ok(media)) = answer.map(|answer| answer.accept(&self.local)) {
                self.set_media(media, out);
            }
            if let Some(session) = response.headers.session_expires() {
                self.timer = Some(SessionTimer::new(session.seconds.max(MIN_SE), session.refresher != Some(Refresher::Uas), cx.now));
            } else if let Some(timer) = self.timer {
                self.timer = Some(SessionTimer::new(timer.interval, timer.we_refresh, cx.now));
            }
            return;
        }
        match response.status {
            408 | 481 => self.break_off(translate::failure(response), out),
            491 => {
                // RFC 3261 §14.1: the owner of the Call-ID waits longer, in steps of 10 ms.
                let steps = u64::try_from(cx.next_id() % 191).unwrap_or(0) * 10;
                let wait = if self.dialog.called_by_us { 2_100 + steps } else { steps };
                self.modify = Modify::Waiting { at: cx.now + wait, wish };
            }
            422 => {
                let min_se = response.headers.min_se().unwrap_or(0);
                if let Some(timer) = self.timer.as_mut().filter(|t| t.interval < min_se) {
                    timer.interval = min_se;
                    self.start(wish, cx, out);
                }
            }
            405 | 501 if !invite => {
                self.takes_update = false;
                self.start(wish, cx, out);
            }
            500 | 503 => {
                let wait = response.headers.retry_after().unwrap_or(5).clamp(1, 60);
                self.modify = Modify::Waiting { at: cx.now + Millis::from(wait) * 1_000, wish };
            }
            // Refused: the session stays as it was. A refresh that stays refused ends it when the timer expires.
            _ => {}
        }
    }

    pub(super) fn on_modify_failed(&mut self, seq: u32, why: Why, cx: &mut Cx<'_>, out: &mut Actions) {
        let Modify::InFlight { cseq, wish, .. } = self.modify else { return };
        if cseq != seq {
            return;
        }
        match why {
            Why::Timeout => {
                self.modify = Modify::Idle;
                self.break_off(translate::no_answer(why), out);
            }
            Why::Transport => self.modify = Modify::Waiting { at: cx.now + LATER, wish },
        }
    }

    /// A re-INVITE of the far side.
    pub(super) fn on_reinvite(&mut self, key: ServerKey, request: &Request, cx: &mut Cx<'_>, out: &mut Actions) {
        if let Some(refusal) = self.refuse_change(request, true) {
            out.push(SessionAction::Respond { key, response: refusal });
            return;
        }
        let answered = match sdp::read(&request.headers, &request.body) {
            Ok(Some(offer)) => self.answer_offer(&offer, out).map(|sdp| (sdp, false)),
            Ok(None) => Ok((self.our_offer(), true)),
            Err(refusal) => Err(refusal.status()),
        };
        let response = match answered {
            Ok((sdp, offered)) => {
                let mut response = self.accept_change(request, cx);
                attach(&mut response.headers, &mut response.body, &sdp);
                self.unacknowledged = Some(Unacknowledged {
                    key,
                    response: response.clone(),
                    cseq: request.headers.cseq().map_or(0, |c| c.seq),
                    repeat: Repeat::new(cx.now, T2),
                    offered,
                    first: false,
                    hang_up: None,
                });
                response
            }
            Err(status) => self.response(request, status),
        };
        out.push(SessionAction::Respond { key, response });
    }

    /// An UPDATE of the far side.
    pub(super) fn on_update(&mut self, key: ServerKey, request: &Request, cx: &mut Cx<'_>, out: &mut Actions) {
        let offer = sdp::read(&request.headers, &request.body);
        let response = match (self.refuse_change(request, matches!(offer, Ok(Some(_)))), offer) {
            (Some(refusal), _) => refusal,
            (None, Err(refusal)) => self.response(request, refusal.status()),
            (None, Ok(None)) => self.accept_change(request, cx),
            (None, Ok(Some(offer))) => match self.answer_offer(&offer, out) {
                Ok(sdp) => {
                    let mut response = self.accept_change(request, cx);
                    attach(&mut response.headers, &mut response.body, &sdp);
                    response
                }
                Err(status) => self.response(request, status),
            },
        };
        out.push(SessionAction::Respond { key, response });
    }

    /// Why a change cannot be taken now: it crosses another one (RFC 3261 §14.2, RFC 3311 §5.2), or the session's interval is too small.
    fn refuse_change(&self, request: &Request, offers: bool) -> Option<Response> {
        let ours = matches!(self.modify, Modify::InFlight { .. }) || self.unacknowledged.is_some();
        match &self.phase {
            Phase::Incoming(incoming) if request.method == Method::INVITE || (offers && incoming.is_negotiating()) => {
                let mut response = self.response(request, 500);
                response.headers.push(Field::RetryAfter, "3");
                return Some(response);
            }
            Phase::Outgoing(_) if request.method == Method::INVITE || (offers && self.remote.is_none()) => {
                return Some(self.response(request, 491));
            }
            Phase::Up if offers && ours => return Some(self.response(request, 491)),
            Phase::Ending { .. } | Phase::Closed => return Some(self.response(request, 481)),
            Phase::Incoming(_) | Phase::Outgoing(_) | Phase::Up => {}
        }
        if timer::is_too_small(&request.headers) {
            let mut response = self.response(request, 422);
            response.headers.push(Field::MinSe, MIN_SE.to_string());
            return Some(response);
        }
        None
    }

    /// The 2xx to a change, which refreshes target and session timer.
    fn accept_change(&mut self, request: &Request, cx: &mut Cx<'_>) -> Response {
        self.dialog.refresh_target(&request.headers);
        self.follow_target();
        self.know_peer(&request.headers);
        let mut response = self.response(request, 200);
        if self.phase == Phase::Up
            && let Some((interval, refresher)) = timer::answer(&request.headers)
        {
            timer::write_answer(&mut response.headers, interval, refresher);
            self.timer = Some(SessionTimer::new(interval, refresher == Refresher::Uas, cx.now));
        }
        response
    }

    /// Answers an offer in the dialog; the status to refuse it with when it cannot be.
    pub(super) fn answer_offer(&mut self, offer: &Description, out: &mut Actions) -> Result<String, u16> {
        let (mut answer, remote) = offer.answer(&self.local).map_err(sdp::SdpRefusal::status)?;
        if answer != self.described && !self.described.is_empty() {
            self.local.version += 1;
            answer = offer.answer(&self.local).map_err(sdp::SdpRefusal::status)?.0;
        }
        self.described = answer.clone();
        self.set_media(remote, out);
        Ok(answer)
    }

    /// The ACK of a 2xx of ours ([`crate::endpoint::EndpointAction::Ack`]).
    pub fn on_ack(&mut self, request: &Request) -> Vec<SessionAction> {
        let mut out = Actions::new();
        let cseq = request.headers.cseq().map_or(0, |c| c.seq);
        let Some(waiting) = self.unacknowledged.take_if(|u| u.cseq == cseq) else { return out };
        if let Some(hang_up) = waiting.hang_up {
            self.bye(hang_up.q850, &mut out);
            return out;
        }
        if waiting.offered {
            let answer = sdp::read(&request.headers, &request.body).ok().flatten();
            match answer.map(|answer| answer.accept(&self.local)) {
                Some(Ok(media)) => self.set_media(media, &mut out),
                Some(Err(_)) | None => {
                    self.break_off(translate::own(488, "the ACK answers our offer with no audio that we know"), &mut out);
                    return out;
                }
            }
        }
        if waiting.first {
            out.push(SessionAction::Event(SignalEvent::Up));
        }
        out
    }
}
