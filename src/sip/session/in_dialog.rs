//! Requests of the far side in the dialog, and where ours go.

use super::{Actions, Phase, Session, SessionAction};
use crate::endpoint::{Flow, ServerKey};
use crate::message::{Host, Method, Request, Uri};
use cordboard_core::cx::Cx;
use cordboard_core::leg::SignalEvent;
use cordboard_core::setup::Transport;
use std::net::{IpAddr, SocketAddr};

impl Session {
    /// A request in the dialog ([`crate::endpoint::EndpointAction::InDialog`]).
    pub fn on_request(&mut self, key: ServerKey, request: &Request, flow: Flow, cx: &mut Cx<'_>) -> Vec<SessionAction> {
        let mut out = Actions::new();
        if let Some(status) = self.out_of_order(request) {
            out.push(SessionAction::Respond { key, response: self.response(request, status) });
            return out;
        }
        self.unreachable = 0;
        if flow.is_reliable() {
            // The far side may have come back on another connection.
            self.flow = flow;
        }
        match &request.method {
            method if *method == Method::BYE => self.on_bye(key, request, &mut out),
            method if *method == Method::INVITE => self.on_reinvite(key, request, cx, &mut out),
            method if *method == Method::UPDATE => self.on_update(key, request, cx, &mut out),
            method if *method == Method::PRACK => self.on_prack(key, request, cx, &mut out),
            method if *method == Method::INFO => {
                let digit = digit(request);
                let known = digit.is_some() || request.body.is_empty();
                out.push(SessionAction::Respond { key, response: self.response(request, if known { 200 } else { 415 }) });
                out.extend(digit.map(|d| SessionAction::Event(SignalEvent::Digit(d))));
            }
            _ => out.push(SessionAction::Respond { key, response: self.response(request, 200) }),
        }
        out
    }

    /// 481 when the request is of no dialog of ours, 500 when it is older than one before (RFC 3261 §12.2.2).
    fn out_of_order(&mut self, request: &Request) -> Option<u16> {
        let tag = request.headers.from_tag();
        let dialog = if self.dialog.remote_tag.as_deref() == tag && !matches!(self.phase, Phase::Outgoing(_)) {
            &mut self.dialog
        } else if let Some(fork) = self.forks.iter_mut().find(|f| f.dialog.remote_tag.as_deref() == tag) {
            &mut fork.dialog
        } else {
            return Some(481);
        };
        let seq = request.headers.cseq().map_or(0, |c| c.seq);
        if dialog.remote_cseq.is_some_and(|last| seq < last) {
            return Some(500);
        }
        dialog.remote_cseq = Some(seq);
        None
    }

    fn on_bye(&mut self, key: ServerKey, request: &Request, out: &mut Actions) {
        match self.phase {
            Phase::Incoming(_) => {
                out.push(SessionAction::Respond { key, response: self.response(request, 200) });
                out.push(SessionAction::Event(SignalEvent::Cancelled));
                self.refuse(487, None, None, out);
            }
            // The called side may not end an early dialog so (RFC 3261 §15): its final response decides.
            Phase::Outgoing(_) => out.push(SessionAction::Respond { key, response: self.response(request, 481) }),
            Phase::Up if self.dialog.remote_tag.as_deref() == request.headers.from_tag() => {
                out.push(SessionAction::Respond { key, response: self.response(request, 200) });
                out.push(SessionAction::Event(SignalEvent::HungUp));
                self.close(out);
            }
            Phase::Ending { .. } if self.dialog.remote_tag.as_deref() == request.headers.from_tag() => {
                out.push(SessionAction::Respond { key, response: self.response(request, 200) });
                self.close(out);
            }
            Phase::Up | Phase::Ending { .. } => out.push(SessionAction::Respond { key, response: self.response(request, 200) }),
            Phase::Closed => out.push(SessionAction::Respond { key, response: self.response(request, 481) }),
        }
    }

    /// Requests go to the first Route or else the target, where that is an address (RFC 3261 §12.2.1.1); a connection is kept while there is one.
    /// A private address told by a public peer is a NAT's inside and not followed; where a connection is gone, its host is asked at the target's port.
    pub(super) fn follow_target(&mut self) {
        if self.behind_nat || self.flow.is_reliable() && self.unreachable == 0 {
            return;
        }
        let Uri::Sip(uri) = self.dialog.next_hop() else { return };
        let told = if let Host::Ip(ip) = uri.host { Some(ip) } else { None };
        let port = uri.port.unwrap_or(if self.flow.transport == Transport::Tls { 5061 } else { 5060 });
        let here = self.flow.remote.ip();
        let usable = |ip: &IpAddr| {
            (*ip == here || is_public(*ip) || !is_public(here)) && ip.is_ipv4() == self.flow.local.is_ipv4() && !ip.is_unspecified()
        };
        match told.filter(usable) {
            Some(ip) => self.flow.remote = SocketAddr::new(ip, port),
            None if self.flow.is_reliable() => self.flow.remote.set_port(port),
            None => {}
        }
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

/// The digit of an INFO: `Signal=5` (application/dtmf-relay) or `5` (application/dtmf).
fn digit(request: &Request) -> Option<char> {
    let text = String::from_utf8_lossy(&request.body);
    let signal = match request.headers.content_type()?.as_str() {
        "application/dtmf-relay" => text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("Signal").then(|| value.trim().to_owned())
        })?,
        "application/dtmf" => text.trim().to_owned(),
        _ => return None,
    };
    match signal.as_str() {
        "10" => Some('*'),
        "11" => Some('#'),
        one => {
            let mut chars = one.chars().map(|c| c.to_ascii_uppercase());
            match (chars.next(), chars.next()) {
                (Some(c @ ('0'..='9' | '*' | '#' | 'A'..='D')), None) => Some(c),
                _ => None,
            }
        }
    }
}
