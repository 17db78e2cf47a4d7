//! All transactions of this switch, and the way from a message to the dialog, trunk or call it belongs to.
//!
//! An arriving request is looked at in this order: its source; its form; the transaction it repeats, acknowledges or cancels; method,
//! scheme, hops and extensions; its dialog; else it is a new call or a question that the endpoint answers itself.

mod receive;
mod route;
mod shed;
mod table;

pub use route::{Flow, Sources};

use crate::message::{Field, Headers, Host, Method, Request, Response, text_of, token_of};
use crate::registrar::{Account, Binding, Bound, Registrar};
use crate::sdp::Description;
use cordboard_core::cx::{Cx, Millis};
use cordboard_core::ids::{LegId, TrunkId};
use cordboard_core::overload::Overload;
use serde::{Deserialize, Serialize};
use shed::Shed;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::net::SocketAddr;
use table::{Client, ClientMachine, Server, ServerMachine, Table};

/// What this switch can do with a call.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO";
/// Extensions of ours: RFC 3262 and RFC 4028.
pub const SUPPORTED: &str = "100rel, timer";

/// Names one server transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ServerKey(u128);

/// Names one client transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct ClientKey(u128);

/// A number for a name on the wire: shorter to keep and to compare. Without the secret nobody finds two names with one number.
fn number_of(secret: u128, name: &impl Hash) -> u128 {
    let mut hasher = SipHasher13::new_with_key(&secret.to_be_bytes());
    name.hash(&mut hasher);
    hasher.finish128().as_u128()
}

/// Our halves of a dialog's id: the forks of one INVITE share them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct DialogId {
    pub call_id: String,
    pub local_tag: String,
}

impl DialogId {
    /// The dialog of a request that was sent to us with our tag.
    fn of(headers: &Headers, local_tag: &str) -> Self {
        Self { call_id: headers.call_id().unwrap_or_default().to_owned(), local_tag: local_tag.to_owned() }
    }
}

/// Who sent a request of ours and hears its responses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum User {
    Leg(LegId),
    /// OPTIONS to a trunk's host.
    Probe {
        trunk: TrunkId,
        host: SocketAddr,
    },
}

/// Why a request of ours got no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Why {
    /// To be taken as 408.
    Timeout,
    /// The flow broke: to be taken as 503.
    Transport,
}

/// An INVITE that begins a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCall {
    pub leg: LegId,
    pub trunk: TrunkId,
    pub key: ServerKey,
    pub invite: Request,
    /// What it offers; `None` when the offer is to be ours.
    pub offer: Option<Description>,
    pub flow: Flow,
}

/// What the endpoint wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EndpointAction {
    Transmit {
        flow: Flow,
        bytes: Vec<u8>,
    },
    /// 100 Trying went out already; [`Endpoint::respond`] or [`Endpoint::forget`] must follow.
    Invite(NewCall),
    /// A request in a registered dialog; must be responded to.
    InDialog {
        leg: LegId,
        key: ServerKey,
        request: Request,
        flow: Flow,
    },
    /// The ACK of a 2xx.
    Ack {
        leg: LegId,
        request: Request,
    },
    /// A pending INVITE was cancelled, with the Q.850 cause that CANCEL gave. The INVITE still wants its 487.
    Cancelled {
        leg: LegId,
        key: ServerKey,
        q850: Option<u8>,
    },
    Response {
        user: User,
        response: Response,
    },
    /// No answer to a request of `user`; `cseq` is its number. Also for an unanswered INVITE *to* us whose connection broke.
    Failed {
        user: User,
        method: Method,
        cseq: u32,
        why: Why,
    },
    /// Something came from an address that is neither a trunk's nor a phone's; to be counted (C1).
    Refused {
        source: SocketAddr,
    },
    /// A new call was turned away in overload; to be counted (G2).
    Shed,
    /// Where a phone is has changed.
    Bound(Bound),
    /// Somebody tried to register with a wrong password, or as nobody.
    WrongPassword {
        source: SocketAddr,
        user: String,
    },
}

/// How the endpoint is set up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EndpointConfig {
    pub sources: Sources,
    /// Product name in User-Agent and Server.
    pub user_agent: String,
    /// What phones' passwords are for (RFC 7616 §3.3); without quotes.
    pub realm: String,
    /// Of this process alone, and random: transactions are known by it.
    pub secret: u128,
}

/// One instance serves the whole switch.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    overload: Overload,
    shed: Shed,
    registrar: Registrar,
    clients: Table<ClientKey, Client>,
    servers: Table<ServerKey, Server>,
    dialogs: HashMap<DialogId, LegId>,
    legs: HashMap<LegId, LegShare>,
    /// Ongoing requests outside dialogs, to tell merged ones (RFC 3261 §8.2.2.2).
    merges: BTreeMap<u128, ServerKey>,
}

/// What the endpoint holds for one leg.
#[derive(Debug, Default)]
struct LegShare {
    dialogs: Vec<DialogId>,
    /// The last INVITE that the leg sent, for its CANCEL.
    invite: Option<ClientKey>,
    clients: HashSet<ClientKey>,
    servers: HashSet<ServerKey>,
    /// It is a new call's, which the overload's limit counts.
    came: bool,
}

impl Endpoint {
    pub fn new(config: EndpointConfig) -> Self {
        Self {
            registrar: Registrar::new(config.realm.clone()),
            config,
            overload: Overload::default(),
            shed: Shed::default(),
            clients: Table::default(),
            servers: Table::default(),
            dialogs: HashMap::new(),
            legs: HashMap::new(),
            merges: BTreeMap::new(),
        }
    }

    /// Replaces the addresses that may speak to us; ongoing transactions go on.
    pub fn set_sources(&mut self, sources: Sources) {
        self.config.sources = sources;
    }

    /// Replaces the phones that may register. With none there is no registrar: a REGISTER is a request like others.
    pub fn set_accounts(&mut self, accounts: Vec<Account>) -> Vec<EndpointAction> {
        self.registrar.set_accounts(accounts).into_iter().map(EndpointAction::Bound).collect()
    }

    /// Phones that an earlier run of the switch knew are where they were, unless they have registered anew.
    pub fn restore(&mut self, user: &str, bindings: Vec<Binding>) -> Vec<EndpointAction> {
        self.registrar.restore(user, bindings).map(EndpointAction::Bound).into_iter().collect()
    }

    /// Tells how late the switch is, from time to time. While it falls behind, new calls above what it can serve are answered 503 with a
    /// Retry-After of 1 to 3 s. Gives whether that begins or ends.
    pub fn measured(&mut self, late: Millis, now: Millis) -> Option<bool> {
        self.shed.tick(now);
        self.overload.measured(late, now)
    }

    /// Requests with this Call-ID and our tag go to `leg` from now on.
    pub fn register(&mut self, dialog: DialogId, leg: LegId) {
        self.legs.entry(leg).or_default().dialogs.push(dialog.clone());
        self.dialogs.insert(dialog, leg);
    }

    /// The leg is over or its actor is gone: its dialogs are unknown from now on. Requests of its peer that it left unanswered get a 500,
    /// an INVITE of its own that is still pending is cancelled, and a late answer to it ended; its other transactions end unheard.
    pub fn forget(&mut self, leg: LegId, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let mut actions = self.cancel(leg, None, cx);
        let Some(share) = self.legs.remove(&leg) else { return actions };
        if share.came {
            self.overload.ended();
        }
        for dialog in share.dialogs {
            self.dialogs.remove(&dialog);
        }
        for key in share.clients {
            self.clients.update(&key, |c| c.user = None);
        }
        for key in share.servers {
            let pending = self.servers.get(&key).filter(|s| s.is_pending()).and_then(|s| s.request.as_ref());
            let Some(response) = pending.map(|request| Response::to(request, 500)) else { continue };
            actions.extend(self.respond(&key, response, cx));
        }
        actions
    }

    /// Sends a response of the transaction's user. A 2xx to an INVITE is the user's to repeat until its ACK.
    pub fn respond(&mut self, key: &ServerKey, mut response: Response, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        if response.status > 100 && response.headers.to_tag().is_none() {
            response.set_to_tag(&token_of(cx.next_id()));
        }
        if !self.config.user_agent.is_empty() {
            response.headers.set(Field::Server, self.config.user_agent.clone());
        }
        let (status, now) = (response.status, cx.now);
        let sent = self.servers.update(key, |server| {
            let bytes = response.to_bytes();
            let step = match &mut server.machine {
                ServerMachine::Invite(machine) => machine.respond(status, &bytes, now),
                ServerMachine::Other(machine) => machine.respond(status, &bytes, now),
            };
            server.request.take_if(|_| status >= 200);
            let sent = step.transmit.then_some(EndpointAction::Transmit { flow: server.flow, bytes });
            (sent, server.is_terminated())
        });
        let Some((sent, over)) = sent else { return Vec::new() };
        if over {
            self.remove_server(key);
        }
        sent.into_iter().collect()
    }

    /// Sends a request in a new transaction; Via and Max-Forwards are added here. The first [`EndpointAction`] is its transmission.
    pub fn request(&mut self, user: User, request: Request, flow: Flow, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        self.send(Some(user), request, flow, cx)
    }

    fn send(&mut self, user: Option<User>, mut request: Request, flow: Flow, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let branch = ["z9hG4bK", &token_of(cx.next_id())].concat();
        self.dress(&mut request, &branch, &flow);
        let bytes = request.to_bytes();
        let key = self.client_key(&branch, &request.method);
        let is_invite = request.method == Method::INVITE;
        if let Some(User::Leg(leg)) = user {
            let share = self.legs.entry(leg).or_default();
            share.clients.insert(key);
            if is_invite {
                share.invite = Some(key);
            }
        }
        self.clients.insert(key, Client::new(user, flow, request, bytes.clone(), cx.now));
        vec![EndpointAction::Transmit { flow, bytes }]
    }

    /// Sends the ACK of a 2xx, outside any transaction. Sent again by calling again.
    pub fn ack(&mut self, mut request: Request, flow: Flow, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let branch = ["z9hG4bK", &token_of(cx.next_id())].concat();
        self.dress(&mut request, &branch, &flow);
        vec![EndpointAction::Transmit { flow, bytes: request.to_bytes() }]
    }

    /// Cancels the leg's pending INVITE, once. Nothing happens before a provisional response came (RFC 3261 §9.1).
    pub fn cancel(&mut self, leg: LegId, reason: Option<String>, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let key = self.legs.get(&leg).and_then(|l| l.invite);
        key.and_then(|key| self.cancel_invite(&key, reason, cx.now)).into_iter().collect()
    }

    fn cancel_invite(&mut self, key: &ClientKey, reason: Option<String>, now: Millis) -> Option<EndpointAction> {
        let cancelled = self.clients.update(key, |client| match &mut client.machine {
            ClientMachine::Invite(machine, invite) => machine.cancel(now).then(|| (hop_request(invite, Method::CANCEL), client.flow)),
            ClientMachine::Other(_) => None,
        });
        let (mut cancel, flow) = cancelled.flatten()?;
        if let Some(reason) = reason {
            cancel.headers.push(Field::Reason, reason);
        }
        let branch = cancel.headers.top_via().ok()?.branch()?.to_owned();
        let bytes = cancel.to_bytes();
        self.clients.insert(self.client_key(&branch, &Method::CANCEL), Client::new(None, flow, cancel, bytes.clone(), now));
        Some(EndpointAction::Transmit { flow, bytes })
    }

    /// Asks a trunk's host whether it lives (OPTIONS); the answer comes as [`EndpointAction::Response`] or `Failed` of [`User::Probe`].
    pub fn probe(&mut self, trunk: TrunkId, flow: Flow, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let uri = crate::message::Uri::sip("", flow.remote);
        let mut request = Request::new(Method::OPTIONS, uri.clone());
        let from = crate::message::Uri::sip("cordboard", flow.local);
        request.headers.push(Field::From, format!("<{from}>;tag={}", token_of(cx.next_id())));
        request.headers.push(Field::To, format!("<{uri}>"));
        request.headers.push(Field::CallId, token_of(cx.next_id()));
        request.headers.push(Field::CSeq, "1 OPTIONS");
        request.headers.push(Field::Contact, format!("<{from}>"));
        request.headers.push(Field::Accept, "application/sdp");
        self.request(User::Probe { trunk, host: flow.remote }, request, flow, cx)
    }

    /// A connection broke, or a datagram could not be sent: what waits on it fails.
    pub fn flow_failed(&mut self, flow: &Flow) -> Vec<EndpointAction> {
        let mut actions = Vec::new();
        for key in self.clients.keys(|c| c.flow == *flow && c.is_pending()) {
            let Some(client) = self.remove_client(&key) else { continue };
            actions.extend(client.failed(Why::Transport));
        }
        if !flow.is_reliable() {
            return actions;
        }
        actions.extend(self.registrar.flow_failed(flow).into_iter().map(EndpointAction::Bound));
        for key in self.servers.keys(|s| s.flow == *flow && s.is_pending()) {
            let Some(server) = self.remove_server(&key) else { continue };
            if let (Some(leg), ServerMachine::Invite(_)) = (server.leg, &server.machine) {
                let cseq = server.request.and_then(|request| request.cseq().ok()).map_or(0, |c| c.seq);
                actions.push(EndpointAction::Failed { user: User::Leg(leg), method: Method::INVITE, cseq, why: Why::Transport });
            }
        }
        actions
    }

    /// Does what is due at `cx.now`.
    pub fn tick(&mut self, cx: &mut Cx<'_>) -> Vec<EndpointAction> {
        let mut actions: Vec<_> = self.registrar.tick(cx.now).into_iter().map(EndpointAction::Bound).collect();
        while let Some(key) = self.clients.due(cx.now) {
            let now = cx.now;
            let done = self.clients.update(&key, |client| {
                let step = client.tick(now);
                let transmit = step.transmit.then(|| EndpointAction::Transmit { flow: client.flow, bytes: client.wire().to_vec() });
                transmit.into_iter().chain(step.timed_out.then(|| client.failed(Why::Timeout)).flatten()).collect::<Vec<_>>()
            });
            actions.extend(done.into_iter().flatten());
            if self.clients.get(&key).is_some_and(Client::is_terminated) {
                self.remove_client(&key);
            }
        }
        while let Some(key) = self.servers.due(cx.now) {
            let now = cx.now;
            let sent = self.servers.update(&key, |server| {
                let step = server.tick(now);
                step.transmit.then(|| EndpointAction::Transmit { flow: server.flow, bytes: server.wire().to_vec() })
            });
            actions.extend(sent.flatten());
            if self.servers.get(&key).is_some_and(Server::is_terminated) {
                self.remove_server(&key);
            }
        }
        actions
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        [self.clients.next_deadline(), self.servers.next_deadline(), self.registrar.next_deadline()].into_iter().flatten().min()
    }

    /// Transactions that are not over, for metrics.
    pub fn transactions(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    fn remove_client(&mut self, key: &ClientKey) -> Option<Client> {
        let client = self.clients.remove(key)?;
        if let Some(User::Leg(leg)) = client.user
            && let Some(share) = self.legs.get_mut(&leg)
        {
            share.clients.remove(key);
            share.invite.take_if(|i| i == key);
        }
        Some(client)
    }

    fn remove_server(&mut self, key: &ServerKey) -> Option<Server> {
        let server = self.servers.remove(key)?;
        if let Some(merge) = &server.merge
            && self.merges.get(merge) == Some(key)
        {
            self.merges.remove(merge);
        }
        if let Some(share) = server.leg.and_then(|leg| self.legs.get_mut(&leg)) {
            share.servers.remove(key);
        }
        Some(server)
    }

    /// The server transaction is the leg's to answer.
    fn hand_to(&mut self, key: &ServerKey, leg: LegId) {
        self.servers.update(key, |s| s.leg = Some(leg));
        self.legs.entry(leg).or_default().servers.insert(*key);
    }

    fn client_key(&self, branch: &str, method: &Method) -> ClientKey {
        ClientKey(number_of(self.config.secret, &(branch, method.name())))
    }

    /// Adds what every request of ours carries.
    fn dress(&self, request: &mut Request, branch: &str, flow: &Flow) {
        let (host, port) = (Host::Ip(flow.local.ip()), flow.local.port());
        let via = format!("SIP/2.0/{} {host}:{port};rport;branch={branch}", flow.via_transport());
        request.headers.push_front(Field::Via, via);
        if request.headers.get(Field::MaxForwards).is_none() {
            request.headers.push(Field::MaxForwards, "70");
        }
        if !self.config.user_agent.is_empty() {
            request.headers.set(Field::UserAgent, self.config.user_agent.clone());
        }
    }
}

/// What a request to the same hop about the same INVITE copies of it, beside the top Via and the number.
const HOP_FIELDS: [Field; 5] = [Field::MaxForwards, Field::Route, Field::From, Field::To, Field::CallId];

/// What [`hop_request`] and [`crate::session::Dialog::of_answer`] read of an INVITE.
fn for_its_hop(mut invite: Request) -> Request {
    invite.body = Vec::new();
    invite.headers.keep(|field| HOP_FIELDS.contains(&field) || [Field::Via, Field::CSeq].contains(&field));
    invite
}

/// CANCEL for an INVITE, or ACK for its refusal: the same hop, the same numbers (RFC 3261 §9.1, §17.1.1.3).
fn hop_request(invite: &Request, method: Method) -> Request {
    let mut request = Request::new(method, invite.uri.clone());
    if let Ok(via) = invite.headers.top_via() {
        request.headers.push(Field::Via, text_of(&via));
    }
    for field in HOP_FIELDS {
        for value in invite.headers.all(field) {
            request.headers.push(field, value);
        }
    }
    let seq = invite.headers.cseq().map_or(0, |c| c.seq);
    request.headers.push(Field::CSeq, format!("{seq} {}", request.method));
    request
}
