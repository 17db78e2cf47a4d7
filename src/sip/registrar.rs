//! The registrar (RFC 3261 §10): which phone is where, and that it is who it says (RFC 8760).
//!
//! A phone is called over the flow that its registration came by (in the spirit of RFC 5626): the one way that leads through its NAT, and
//! the connection that it keeps. Nobody learns here whether an account exists: an unknown one is challenged and refused as a known one.

mod throttle;

use crate::digest::{Algorithm, Credentials, Nonces, challenge, ha1};
use crate::endpoint::Flow;
use crate::message::{Field, Host, NameAddr, Request, Response, SipUri, Uri};
use cordboard_core::cx::{Cx, Millis};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use throttle::Throttle;

/// Seconds that a registration lasts at least: a phone that asks for less gets a 423.
pub const MIN_EXPIRES: u32 = 60;
/// …and at most, and when it does not say.
pub const MAX_EXPIRES: u32 = 3600;
/// …at most for a phone behind a NAT on UDP, whose hole must not close.
pub const MAX_BEHIND_NAT: u32 = 120;
/// Contacts of one account; the oldest gives way, or else a phone that restarts a lot would lock itself out.
pub const MOST_BINDINGS: usize = 5;

/// Who may register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// User of the address of record and of the credentials.
    pub user: String,
    /// MD5 only for a phone that knows nothing better.
    pub algorithm: Algorithm,
    /// What the password is kept as, in hexadecimal.
    pub ha1: String,
}

/// Where a phone is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Binding {
    /// Where it wants its requests: their Request-URI.
    pub contact: Uri,
    /// The way there.
    pub flow: Flow,
    pub expires_at: Millis,
    call_id: String,
    cseq: u32,
    /// `+sip.instance` and `reg-id`: the same device, whatever its contact is now (RFC 5626 §6).
    instance: Option<String>,
}

impl Binding {
    /// The same on a clock that began `later` milliseconds after the one it was made on; `None` when it had ended by then.
    pub fn on_clock(self, later: i64) -> Option<Self> {
        let expires_at = i64::try_from(self.expires_at).ok()?.checked_sub(later)?;
        Some(Self { expires_at: Millis::try_from(expires_at).ok().filter(|at| *at > 0)?, ..self })
    }
}

/// An account's bindings as they are now, the newest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    pub user: String,
    pub bindings: Vec<Binding>,
}

/// One instance serves the whole switch.
#[derive(Debug, Default)]
pub struct Registrar {
    /// Without quotes.
    realm: String,
    accounts: BTreeMap<String, Account>,
    /// The newest first; never empty.
    bindings: BTreeMap<String, Vec<Binding>>,
    expiries: BTreeSet<(Millis, String)>,
    sources: BTreeSet<(SocketAddr, String)>,
    nonces: Nonces,
    throttle: Throttle,
}

/// What a REGISTER led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub response: Response,
    /// When bindings have changed.
    pub bound: Option<Bound>,
    /// The account that was tried with a wrong password, whether or not it exists.
    pub wrong_try: Option<String>,
}

/// A request that is not carried out: no bindings changed.
type Refusal = Box<Outcome>;

fn refuse(response: Response) -> Refusal {
    Box::new(Outcome { response, bound: None, wrong_try: None })
}

impl Registrar {
    pub fn new(realm: String) -> Self {
        Self { realm, ..Self::default() }
    }

    /// Whether anybody may register at all.
    pub fn is_open(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// Whether a registered phone is at exactly this address.
    pub fn is_at(&self, remote: SocketAddr) -> bool {
        self.sources.range((remote, String::new())..).next().is_some_and(|(source, _)| *source == remote)
    }

    /// Whether a registered phone is at this address on any port: it opens connections from new ones.
    pub fn is_near(&self, ip: IpAddr) -> bool {
        self.sources.range((SocketAddr::new(ip, 0), String::new())..).next().is_some_and(|(source, _)| source.ip() == ip)
    }

    /// Replaces the accounts. Who is gone or has another password is registered no more.
    pub fn set_accounts(&mut self, accounts: Vec<Account>) -> Vec<Bound> {
        let new: BTreeMap<_, _> = accounts.into_iter().map(|account| (account.user.clone(), account)).collect();
        let old = std::mem::replace(&mut self.accounts, new);
        let lost: Vec<_> = self.bindings.keys().filter(|user| old.get(*user) != self.accounts.get(*user)).cloned().collect();
        lost.into_iter().map(|user| self.store(user, Vec::new())).collect()
    }

    /// What an earlier run of the switch knew; later registrations go first.
    pub fn restore(&mut self, user: &str, bindings: Vec<Binding>) -> Option<Bound> {
        (self.accounts.contains_key(user) && !self.bindings.contains_key(user)).then(|| self.store(user.to_owned(), bindings))
    }

    /// A connection ended, and with it what came by it.
    pub fn flow_failed(&mut self, flow: &Flow) -> Vec<Bound> {
        if !flow.is_reliable() {
            return Vec::new();
        }
        let users: BTreeSet<_> =
            self.sources.range((flow.remote, String::new())..).take_while(|(source, _)| *source == flow.remote).collect();
        let users: Vec<String> = users.into_iter().map(|(_, user)| user.clone()).collect();
        users.into_iter().filter_map(|user| self.keep(user, |binding| binding.flow != *flow)).collect()
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Ends what has expired.
    pub fn tick(&mut self, now: Millis) -> Vec<Bound> {
        let mut changed = Vec::new();
        while let Some((_, user)) = self.expiries.first().filter(|(at, _)| *at <= now) {
            changed.extend(self.keep(user.clone(), |binding| binding.expires_at > now));
        }
        changed
    }

    /// Answers a REGISTER, and says what has changed by it.
    pub fn register(&mut self, request: &Request, flow: &Flow, cx: &mut Cx<'_>) -> Outcome {
        let outcome = self.authenticate(request, flow, cx).and_then(|user| self.bind(user, request, flow, cx));
        outcome.unwrap_or_else(|refusal| *refusal)
    }

    /// The account that the request is allowed for. The nonce is looked at before all else, so that only answers to a challenge of ours,
    /// which the asker must have got, count as tries.
    fn authenticate(&mut self, request: &Request, flow: &Flow, cx: &mut Cx<'_>) -> Result<String, Refusal> {
        let source = flow.remote.ip();
        let own = |text: &&str| Credentials::parse(text).is_ok_and(|credentials| credentials.realm == self.realm);
        let headers = || request.headers.all(Field::Authorization);
        let Some(text) = headers().find(own).or_else(|| headers().next()) else {
            return Err(self.challenge(request, source, false, cx));
        };
        let credentials = Credentials::parse(text).map_err(|why| malformed(request, why.0))?;
        if credentials.realm != self.realm {
            return Err(self.challenge(request, source, false, cx));
        }
        if !credentials.is_for(&request.uri) {
            return Err(malformed(request, "Authorization is for another URI"));
        }
        if !self.nonces.is_fresh(&credentials.nonce, source, cx.now) {
            return Err(self.challenge(request, source, true, cx));
        }
        if let Some(wait) = self.throttle.wait(source, &credentials.user, cx.now) {
            let mut response = request.response(503);
            response.headers.push(Field::RetryAfter, wait.to_string());
            return Err(refuse(response));
        }
        let account = self.accounts.get(&credentials.user);
        let account = account.filter(|account| account.algorithm == credentials.algorithm);
        // Who is not there takes as long as who is.
        let proved = credentials.proves(account.map_or("", |account| &account.ha1), &request.method);
        if !(proved && account.is_some()) {
            self.throttle.note(source, &credentials.user, cx.now);
            let refusal = self.challenge(request, source, false, cx);
            return Err(Box::new(Outcome { wrong_try: Some(credentials.user), ..*refusal }));
        }
        if !self.nonces.count(&credentials.nonce, credentials.count, cx.now) {
            return Err(self.challenge(request, source, true, cx));
        }
        // The host is whatever name or address the phone knows us by.
        if user_of(request) != credentials.user {
            return Err(refuse(request.response(403)));
        }
        Ok(credentials.user)
    }

    /// 401 with the one algorithm of the account: a phone that knows MD5 alone gives up on a challenge of another, be it one of two
    /// (against RFC 8760 §2.4).
    fn challenge(&mut self, request: &Request, source: IpAddr, stale: bool, cx: &mut Cx<'_>) -> Refusal {
        let algorithm = self.algorithm(&user_of(request));
        let nonce = self.nonces.issue(source, cx);
        let mut response = request.response(401);
        response.headers.push(Field::WwwAuthenticate, challenge(&self.realm, algorithm, &nonce, stale));
        refuse(response)
    }

    /// A user who is not there is challenged as one of those who are, always the same: a challenge tells nothing of who is there.
    fn algorithm(&self, user: &str) -> Algorithm {
        let Some((_, first)) = self.accounts.first_key_value() else { return Algorithm::Sha256 };
        let stranger = || {
            let sum = ha1(Algorithm::Sha256, user, &first.user, &first.ha1);
            let number = sum.get(..7).and_then(|digits| usize::from_str_radix(digits, 16).ok()).unwrap_or_default();
            self.accounts.values().nth(number % self.accounts.len())
        };
        self.accounts.get(user).or_else(stranger).map_or(Algorithm::Sha256, |account| account.algorithm)
    }

    /// Does what the request asks (§10.3, steps 6 to 8), all of it or nothing.
    fn bind(&mut self, user: String, request: &Request, flow: &Flow, cx: &Cx<'_>) -> Result<Outcome, Refusal> {
        let bindings = self.bindings.get(&user).cloned().unwrap_or_default();
        let update = Update { request, flow, now: cx.now }.apply(bindings)?;
        let bound = update.map(|bindings| self.store(user.clone(), bindings));
        let mut response = request.response(200);
        for binding in self.bindings.get(&user).into_iter().flatten() {
            let mut contact = NameAddr::new(binding.contact.clone());
            contact.params.set("expires", Some(binding.expires_at.saturating_sub(cx.now).div_ceil(1000).to_string()));
            response.headers.push(Field::Contact, contact.to_string());
        }
        Ok(Outcome { response, bound, wrong_try: None })
    }

    /// Lets go of the bindings that are not to stay; `None` when all are.
    fn keep(&mut self, user: String, stays: impl Fn(&Binding) -> bool) -> Option<Bound> {
        let before = self.bindings.get(&user)?;
        let after: Vec<_> = before.iter().filter(|binding| stays(binding)).cloned().collect();
        (after.len() < before.len()).then(|| self.store(user, after))
    }

    fn store(&mut self, user: String, bindings: Vec<Binding>) -> Bound {
        for old in self.bindings.remove(&user).into_iter().flatten() {
            self.expiries.remove(&(old.expires_at, user.clone()));
            self.sources.remove(&(old.flow.remote, user.clone()));
        }
        for new in &bindings {
            self.expiries.insert((new.expires_at, user.clone()));
            self.sources.insert((new.flow.remote, user.clone()));
        }
        if !bindings.is_empty() {
            self.bindings.insert(user.clone(), bindings.clone());
        }
        Bound { user, bindings }
    }
}

/// What a REGISTER that is allowed makes of an account's bindings.
struct Update<'a> {
    request: &'a Request,
    flow: &'a Flow,
    now: Millis,
}

impl Update<'_> {
    /// `None` when it only asks.
    fn apply(&self, mut bindings: Vec<Binding>) -> Result<Option<Vec<Binding>>, Refusal> {
        let headers = &self.request.headers;
        let contacts = headers.list(Field::Contact).map_err(|why| malformed(self.request, why.0))?;
        if contacts.is_empty() {
            return Ok(None);
        }
        if contacts.contains(&"*") {
            if contacts.len() > 1 || headers.expires() != Some(0) {
                return Err(malformed(self.request, "Contact: * wants Expires: 0 and no other contact"));
            }
            bindings.iter().try_for_each(|binding| self.check_order(binding))?;
            return Ok(Some(Vec::new()));
        }
        for contact in contacts {
            let contact: NameAddr = contact.parse().map_err(|_| malformed(self.request, "Contact is malformed"))?;
            let seconds = self.expires(&contact)?;
            let instance = instance(&contact);
            let Uri::Sip(uri) = &contact.uri else { return Err(malformed(self.request, "Contact is no SIP address")) };
            let known = bindings.iter().position(|old| is_same(&old.contact, uri) || (instance.is_some() && old.instance == instance));
            if let Some(at) = known {
                self.check_order(&bindings.remove(at))?;
            }
            if seconds > 0 {
                bindings.insert(0, self.binding(&contact, instance, self.granted(seconds, uri))?);
            }
        }
        bindings.truncate(MOST_BINDINGS);
        Ok(Some(bindings))
    }

    /// A request of the same Call-ID must be a later one (§10.3 step 7).
    fn check_order(&self, old: &Binding) -> Result<(), Refusal> {
        let seq = self.request.headers.cseq().map_or(0, |cseq| cseq.seq);
        if self.request.headers.call_id() == Some(old.call_id.as_str()) && seq <= old.cseq {
            return Err(refuse(self.request.response(500)));
        }
        Ok(())
    }

    /// Seconds that are asked for; what cannot be read is the longest time (§20.10).
    fn expires(&self, contact: &NameAddr) -> Result<u32, Refusal> {
        let own = contact.params.get("expires").map(|text| text.parse().unwrap_or(MAX_EXPIRES));
        let seconds = own.or_else(|| self.request.headers.expires()).unwrap_or(MAX_EXPIRES);
        if seconds > 0 && seconds < MIN_EXPIRES {
            let mut response = self.request.response(423);
            response.headers.push(Field::MinExpires, MIN_EXPIRES.to_string());
            return Err(refuse(response));
        }
        Ok(seconds)
    }

    fn granted(&self, seconds: u32, contact: &SipUri) -> u32 {
        let seen = (Host::Ip(self.flow.remote.ip()), self.flow.remote.port());
        let behind_nat = (&contact.host, contact.port.unwrap_or(5060)) != (&seen.0, seen.1);
        seconds.min(if behind_nat && !self.flow.is_reliable() { MAX_BEHIND_NAT } else { MAX_EXPIRES })
    }

    fn binding(&self, contact: &NameAddr, instance: Option<String>, seconds: u32) -> Result<Binding, Refusal> {
        let headers = &self.request.headers;
        let cseq = headers.cseq().map_err(|why| malformed(self.request, why.0))?.seq;
        Ok(Binding {
            contact: contact.uri.clone(),
            flow: *self.flow,
            expires_at: self.now + Millis::from(seconds) * 1000,
            call_id: headers.call_id().unwrap_or_default().to_owned(),
            cseq,
            instance,
        })
    }
}

/// Whose bindings the request is about.
fn user_of(request: &Request) -> String {
    request.headers.to().ok().and_then(|to| to.uri.user()).unwrap_or_default()
}

/// Two contacts of one place, by what tells places apart (§19.1.4).
fn is_same(one: &Uri, other: &SipUri) -> bool {
    let Uri::Sip(one) = one else { return false };
    let transport = |uri: &SipUri| uri.params.get("transport").map(str::to_ascii_lowercase);
    let place = |uri: &SipUri| (uri.secure, uri.user.clone(), uri.host.clone(), uri.port);
    place(one) == place(other) && transport(one) == transport(other)
}

fn instance(contact: &NameAddr) -> Option<String> {
    let id = contact.params.get("+sip.instance")?;
    Some(format!("{id};{}", contact.params.get("reg-id").unwrap_or_default()))
}

fn malformed(request: &Request, why: &str) -> Refusal {
    let mut response = request.response(400);
    response.reason = why.to_owned();
    refuse(response)
}

#[cfg(test)]
mod tests;
