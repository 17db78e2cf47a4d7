//! What arrives: from bytes to an action, or to the answer that the endpoint gives itself.

use super::route::{self, Source};
use super::shed::Glance;
use super::table::{ClientMachine, Server, ServerMachine};
use super::{ALLOW, DialogId, Endpoint, EndpointAction, Flow, NewCall, SUPPORTED, ServerKey, hop_request, number_of};
use crate::message::{Field, Message, Method, ParseError, Request, Response, Uri, Via, text_of, token_of};
use crate::registrar::Outcome;
use crate::sdp::{self, SdpRefusal};
use crate::session::Dialog;
use crate::transaction::{InviteServer, OtherServer, Step};
use cordboard_core::cx::Cx;
use cordboard_core::ids::LegId;
use std::net::SocketAddr;

impl Endpoint {
    /// Takes one datagram, or one message of a stream.
    pub fn receive(&mut self, flow: &Flow, bytes: &[u8], cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let source = self.source(flow.remote);
        if matches!(source, Some(Source::Trunk(_)))
            && let Some(actions) = self.shed_unread(flow, bytes, !self.overload.has_room())
        {
            return actions;
        }
        match (Message::parse(bytes), source) {
            (Err(ParseError::KeepAlive), _) => Vec::new(),
            (Ok(Message::Request(request)), _) if request.method == Method::REGISTER && self.registrar.is_open() => {
                self.on_register(flow, request, cx)
            }
            (Err(ParseError::Dropped(_)), None) => vec![EndpointAction::Refused { source: flow.remote }],
            (Ok(Message::Response(response)), None) if !self.awaits(flow, &response) => {
                vec![EndpointAction::Refused { source: flow.remote }]
            }
            (Ok(Message::Request(request)), None) if !self.is_of_a_call(&request) => match request.method {
                Method::ACK => vec![EndpointAction::Refused { source: flow.remote }],
                _ => self.refuse_source(flow, request.response(403), cx),
            },
            (Err(ParseError::Refused { mut response, .. }), None) => {
                response.status = 403;
                response.reason = Response::new(403).reason;
                self.refuse_source(flow, *response, cx)
            }
            (Err(ParseError::Dropped(_)), Some(_)) => Vec::new(),
            (Err(ParseError::Refused { response, .. }), Some(_)) => vec![self.stateless(flow, *response, cx)],
            (Ok(Message::Response(response)), _) => self.on_response(response, cx),
            (Ok(Message::Request(request)), source) => self.on_request(*flow, source, request, cx),
        }
    }

    /// Whether a request of ours waits for this response. Its branch is random, so who knows it was asked, listed or not.
    fn awaits(&self, flow: &Flow, response: &Response) -> bool {
        let (Some(branch), Ok(cseq)) = (response.headers.only_branch(), response.headers.cseq()) else { return false };
        let asked = self.clients.get(&self.client_key(branch, &cseq.method));
        asked.is_some_and(|client| client.flow.is_reliable() || client.flow.remote == flow.remote)
    }

    /// Whether a request belongs to a call in progress or to a transaction, or repeats one that did. Our tag is random, so who knows it takes part in the
    /// call: also a phone whose registration has ended meanwhile, or a carrier's host that no trunk names.
    fn is_of_a_call(&self, request: &Request) -> bool {
        let headers = &request.headers;
        let in_dialog = headers.to_tag().is_some_and(|tag| self.dialogs.contains_key(&DialogId::of(headers, tag)));
        // CANCEL, and the ACK of a refusal, belong to their INVITE's transaction.
        let of_invite = [Method::CANCEL, Method::ACK].contains(&request.method);
        let method = if of_invite { &Method::INVITE } else { &request.method };
        let known = |via| self.servers.get(&self.server_key(request, &via, method)).is_some();
        in_dialog || headers.top_via().is_ok_and(known)
    }

    /// Whether these are a trunk's INVITE outside of dialogs. It may wait for its turn: nothing that belongs to it comes before our 100.
    pub fn is_new_call(&self, flow: &Flow, bytes: &[u8]) -> bool {
        bytes.starts_with(b"INVITE ") && self.is_trunks(flow) && Glance::at(bytes).is_some()
    }

    /// Takes a message whose turn did not come in time: a new call is answered 503 with Retry-After (G2), anything else as ever.
    pub fn turn_away(&mut self, flow: &Flow, bytes: &[u8], cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let shed = if self.is_trunks(flow) { self.shed_unread(flow, bytes, true) } else { None };
        shed.unwrap_or_else(|| self.receive(flow, bytes, cx))
    }

    fn is_trunks(&self, flow: &Flow) -> bool {
        matches!(self.source(flow.remote), Some(Source::Trunk(_)))
    }

    /// What a new call gets that is not even read, where the switch is `full`, or was so when it came first. `None`: it is to be read.
    fn shed_unread(&mut self, flow: &Flow, bytes: &[u8], full: bool) -> Option<Vec<EndpointAction>> {
        if !full && self.shed.is_empty() {
            return None;
        }
        let glance = Glance::at(bytes)?;
        let key = self.key_of(&glance.via, &Method::INVITE)?;
        let repeated = self.shed.holds(&key);
        if glance.is_ack {
            return repeated.then(Vec::new);
        }
        if !repeated && (!full || self.servers.get(&key).is_some()) {
            return None;
        }
        self.shed.insert(key);
        let (flow, bytes) = glance.refusal(key, *flow, &self.config.user_agent);
        let mut actions = vec![EndpointAction::Transmit { flow, bytes }];
        if !repeated {
            self.overload.turned_away();
            actions.push(EndpointAction::Shed);
        }
        Some(actions)
    }

    /// Whether this flow's peer is a trunk's or a phone.
    pub fn knows(&self, flow: &Flow) -> bool {
        self.source(flow.remote).is_some()
    }

    /// A phone is told from a trunk at the same address by its port.
    fn source(&self, remote: SocketAddr) -> Option<Source> {
        if self.registrar.is_at(remote) {
            return Some(Source::Phone);
        }
        self.config.sources.find(remote).or_else(|| self.registrar.is_near(remote.ip()).then_some(Source::Phone))
    }

    fn refuse_source(&mut self, flow: &Flow, response: Response, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        vec![EndpointAction::Refused { source: flow.remote }, self.stateless(flow, response, cx)]
    }

    /// Answers without a transaction. A Via that cannot be read sends the answer back where the request came from.
    fn stateless(&self, flow: &Flow, mut response: Response, cx: &mut Cx<'_>) -> EndpointAction {
        let mut via = response.headers.top_via().ok();
        let back = flow.back(via.as_ref());
        if let Some(via) = &mut via {
            route::mark_received(via, flow.remote);
            response.headers.replace_first(Field::Via, &text_of(via));
        }
        if response.headers.to().is_ok() {
            response.set_to_tag(&token_of(cx.next_id()));
        }
        EndpointAction::Transmit { flow: back, bytes: response.to_bytes() }
    }

    /// From anywhere. Only one that succeeds gets a transaction, so that strangers cost no memory.
    fn on_register(&mut self, flow: &Flow, mut request: Request, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let Ok(mut via) = request.headers.top_via() else { return Vec::new() };
        let back = flow.back(Some(&via));
        let key = self.server_key(&request, &via, &request.method);
        if let Some(server) = self.servers.get(&key) {
            return repeat(server).into_iter().collect();
        }
        route::mark_received(&mut via, flow.remote);
        request.headers.replace_first(Field::Via, &text_of(&via));
        if let Some(response) = form_refusal(&request, false) {
            return vec![self.stateless(flow, response, cx)];
        }
        let Outcome { response, bound, wrong_try } = self.registrar.register(&request, flow, cx);
        let mut actions: Vec<_> = bound.map(EndpointAction::Bound).into_iter().collect();
        actions.extend(wrong_try.map(|user| EndpointAction::WrongPassword { source: flow.remote, user }));
        if response.is_success() {
            self.open(key, back, &request);
            actions.extend(self.respond(&key, response, cx));
        } else {
            actions.push(self.stateless(flow, response, cx));
        }
        actions
    }

    fn on_request(&mut self, flow: Flow, source: Option<Source>, mut request: Request, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let Ok(mut via) = request.headers.top_via() else { return Vec::new() };
        let back = flow.back(Some(&via));
        let key = self.server_key(&request, &via, &request.method);
        route::mark_received(&mut via, flow.remote);
        request.headers.replace_first(Field::Via, &text_of(&via));
        if request.method == Method::ACK {
            return self.on_ack(&self.server_key(&request, &via, &Method::INVITE), request, cx);
        }
        if let Some(server) = self.servers.get(&key) {
            return repeat(server).into_iter().collect();
        }
        let merged = self.open(key, back, &request);
        if request.method == Method::CANCEL {
            return self.on_cancel(&key, &self.server_key(&request, &via, &Method::INVITE), &request, cx);
        }
        if let Some(response) = refusal(&request, merged) {
            return self.respond(&key, response, cx);
        }
        if let Some(local_tag) = request.headers.to_tag() {
            let dialog = DialogId::of(&request.headers, local_tag);
            return match self.dialogs.get(&dialog).copied() {
                Some(leg) => {
                    self.hand_to(&key, leg);
                    vec![EndpointAction::InDialog { leg, key, request, flow }]
                }
                None => self.respond(&key, request.response(481), cx),
            };
        }
        match &request.method {
            method if *method == Method::OPTIONS => {
                let response = abilities(&request, 200);
                self.respond(&key, response, cx)
            }
            method if *method == Method::INVITE => self.on_invite(key, flow, source, request, cx),
            _ => self.respond(&key, request.response(481), cx),
        }
    }

    fn on_invite(&mut self, key: ServerKey, flow: Flow, source: Option<Source>, request: Request, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let trunk = match source {
            Some(Source::Trunk(trunk)) => trunk,
            // Phones answer calls; they do not place them yet.
            Some(Source::Phone) | None => return self.respond(&key, request.response(403), cx),
        };
        if !self.overload.admits() {
            let shed = request.shed(cx.next_id());
            let mut actions = self.respond(&key, shed, cx);
            actions.push(EndpointAction::Shed);
            return actions;
        }
        let offer = match sdp::read(&request.headers, &request.body) {
            Ok(offer) => offer,
            Err(refusal) => {
                let mut response = request.response(refusal.status());
                if matches!(refusal, SdpRefusal::Unsupported(_)) {
                    response.headers.push(Field::Accept, "application/sdp");
                }
                return self.respond(&key, response, cx);
            }
        };
        if !accepts_sdp(&request) {
            return self.respond(&key, request.response(406), cx);
        }
        let leg = LegId(cx.next_id());
        self.hand_to(&key, leg);
        self.legs.entry(leg).or_default().came = true;
        let mut actions = self.respond(&key, request.response(100), cx);
        actions.push(EndpointAction::Invite(NewCall { leg, trunk, key, invite: request, offer, flow }));
        actions
    }

    fn on_ack(&mut self, key: &ServerKey, request: Request, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let now = cx.now;
        let step = self.servers.update(key, |server| match &mut server.machine {
            ServerMachine::Invite(machine) => machine.receive_ack(now),
            ServerMachine::Other(_) => Step::default(),
        });
        if step.is_some_and(|s| !s.deliver) {
            return Vec::new();
        }
        let Some(local_tag) = request.headers.to_tag() else { return Vec::new() };
        let dialog = DialogId::of(&request.headers, local_tag);
        self.dialogs.get(&dialog).map(|leg| EndpointAction::Ack { leg: *leg, request }).into_iter().collect()
    }

    fn on_cancel(&mut self, key: &ServerKey, invite: &ServerKey, request: &Request, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let Some((leg, pending)) = self.servers.get(invite).map(|s| (s.leg, s.is_pending())) else {
            return self.respond(key, request.response(481), cx);
        };
        let mut actions = self.respond(key, request.response(200), cx);
        if let (Some(leg), true) = (leg, pending) {
            actions.push(EndpointAction::Cancelled { leg, key: *invite, q850: request.headers.q850() });
        }
        actions
    }

    fn on_response(&mut self, response: Response, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        // Exactly our own Via must be left (RFC 3261 §18.1.2).
        let (Some(branch), Ok(cseq)) = (response.headers.only_branch(), response.headers.cseq()) else { return Vec::new() };
        let key = self.client_key(branch, &cseq.method);
        let now = cx.now;
        let outcome = self.clients.update(&key, |client| {
            let step = match &mut client.machine {
                ClientMachine::Invite(machine, invite) => {
                    machine.receive(response.status, now, || refusal_ack(invite, &response).to_bytes())
                }
                ClientMachine::Other(machine) => machine.receive(response.status, now),
            };
            let transmit = step.transmit.then(|| EndpointAction::Transmit { flow: client.flow, bytes: client.wire().to_vec() });
            // Nobody is left to take this news of an INVITE.
            let orphan = match &client.machine {
                ClientMachine::Invite(_, invite) if client.user.is_none() && step.deliver => Some((Request::clone(invite), client.flow)),
                ClientMachine::Invite(..) | ClientMachine::Other(_) => None,
            };
            (transmit, client.user.filter(|_| step.deliver), orphan)
        });
        let Some((transmit, user, orphan)) = outcome else { return Vec::new() };
        if let Some((invite, flow)) = orphan {
            if response.is_success() {
                return self.end_orphan(&invite, &response, flow, cx);
            }
            return transmit.into_iter().chain(self.cancel_invite(&key, None, now)).collect();
        }
        transmit.into_iter().chain(user.map(|user| EndpointAction::Response { user, response })).collect()
    }

    /// ACK and BYE for an answer that comes after its leg is gone.
    fn end_orphan(&mut self, invite: &Request, answer: &Response, flow: Flow, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let Some(mut dialog) = Dialog::of_answer(invite, answer) else { return Vec::new() };
        let mut actions = self.ack(dialog.ack(dialog.local_cseq), flow, cx);
        let bye = dialog.request(Method::BYE);
        actions.extend(self.send(None, bye, flow, cx));
        actions
    }

    /// RFC 3261 §17.2.3: by branch and sent-by, or for a client of RFC 2543 by what its requests keep.
    fn server_key(&self, request: &Request, via: &Via, method: &Method) -> ServerKey {
        let headers = &request.headers;
        self.key_of(via, method).unwrap_or_else(|| {
            let seq = headers.cseq().map_or(0, |c| c.seq);
            let (call, from) = (headers.call_id().unwrap_or_default(), headers.from_tag().unwrap_or_default());
            let branch = via.params.get("branch");
            ServerKey(number_of(self.config.secret, &(call, from, seq, branch, &via.host, via.port, method.name())))
        })
    }

    /// By branch and sent-by; `None` for a client of RFC 2543.
    fn key_of(&self, via: &Via, method: &Method) -> Option<ServerKey> {
        via.branch().map(|branch| ServerKey(number_of(self.config.secret, &(branch, &via.host, via.port, method.name()))))
    }

    /// What one request keeps while it comes by several ways; `None` in a dialog, where it cannot be merged.
    fn merge_key(&self, request: &Request) -> Option<u128> {
        let headers = &request.headers;
        if request.method == Method::CANCEL || headers.to_tag().is_some() {
            return None;
        }
        let (call, from, cseq) = (headers.call_id()?, headers.from_tag().unwrap_or_default(), headers.get(Field::CSeq)?);
        Some(number_of(self.config.secret, &(call, from, cseq)))
    }

    /// Begins a server transaction. Whether the request has come by another way before.
    fn open(&mut self, key: ServerKey, back: Flow, request: &Request) -> bool {
        let reliable = back.is_reliable();
        let machine = if request.method == Method::INVITE {
            ServerMachine::Invite(InviteServer::new(reliable))
        } else {
            ServerMachine::Other(OtherServer::new(reliable))
        };
        let merge = self.merge_key(request);
        let first = merge.is_none_or(|merge| *self.merges.entry(merge).or_insert(key) == key);
        let request = Some(request.headers.for_responses());
        self.servers.insert(key, Server { leg: None, flow: back, machine, merge, request });
        !first
    }
}

/// What a request that came before gets again.
fn repeat(server: &Server) -> Option<EndpointAction> {
    let step = match &server.machine {
        ServerMachine::Invite(machine) => machine.receive_again(),
        ServerMachine::Other(machine) => machine.receive_again(),
    };
    step.transmit.then(|| EndpointAction::Transmit { flow: server.flow, bytes: server.wire().to_vec() })
}

/// The answer to a request that cannot be taken, whatever call it belongs to (RFC 3261 §8.2).
fn refusal(request: &Request, merged: bool) -> Option<Response> {
    let known = [Method::INVITE, Method::BYE, Method::OPTIONS, Method::UPDATE, Method::PRACK, Method::INFO];
    if !known.contains(&request.method) {
        let recognised = matches!(request.method, Method::Known(_));
        return Some(abilities(request, if recognised { 405 } else { 501 }));
    }
    form_refusal(request, merged)
}

fn form_refusal(request: &Request, merged: bool) -> Option<Response> {
    match &request.uri {
        Uri::Sip(_) | Uri::Tel { .. } => {}
        Uri::Other { .. } => return Some(request.response(416)),
    }
    if merged {
        return Some(request.response(482));
    }
    let in_dialog = request.headers.to_tag().is_some();
    if !in_dialog && request.headers.max_forwards() == Some(0) {
        return Some(request.response(483));
    }
    let required = request.headers.list(Field::Require).unwrap_or_default();
    let unsupported: Vec<&str> = required.into_iter().filter(|r| !SUPPORTED.split(", ").any(|s| s.eq_ignore_ascii_case(r))).collect();
    if !unsupported.is_empty() {
        let mut response = request.response(420);
        response.headers.push(Field::Unsupported, unsupported.join(", "));
        return Some(response);
    }
    None
}

/// A response that tells what this switch can do (RFC 3261 §11.2).
fn abilities(request: &Request, status: u16) -> Response {
    let mut response = request.response(status);
    response.headers.push(Field::Allow, ALLOW);
    response.headers.push(Field::Accept, "application/sdp");
    response.headers.push(Field::Supported, SUPPORTED);
    response
}

fn accepts_sdp(request: &Request) -> bool {
    if request.headers.get(Field::Accept).is_none() {
        return true;
    }
    let types = request.headers.list(Field::Accept).unwrap_or_default();
    types.iter().filter_map(|t| t.split(';').next()).any(|t| {
        let t = t.trim();
        ["application/sdp", "application/*", "*/*"].iter().any(|ours| ours.eq_ignore_ascii_case(t))
    })
}

/// The ACK for a refusal: the INVITE's, with the To of the response (RFC 3261 §17.1.1.3).
fn refusal_ack(invite: &Request, response: &Response) -> Request {
    let mut ack = hop_request(invite, Method::ACK);
    if let Some(to) = response.headers.get(Field::To) {
        ack.headers.set(Field::To, to);
    }
    ack
}
