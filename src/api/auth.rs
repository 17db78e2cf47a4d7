//! Logging in, staying logged in and what each role may ask for (A3, A6, A8, A9).
//!
//! A session is a random token in a cookie that scripts cannot read; the database holds its SHA-256. It lasts 12 hours after its last use.

use crate::api::mask::mask;
use crate::api::password::{self, Hasher, Weakness};
use crate::api::throttle::Throttle;
use crate::api::{App, Event, Refusal, now};
use crate::wire::{LoginForm, Me, PasswordForm};
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use cordboard_core::ids::AgentId;
use cordboard_db::{Account, Role};
use futures_util::future::LocalBoxFuture;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

/// The session's cookie.
pub const COOKIE: &str = "cordboard";
/// How long a session lasts after its last use, milliseconds.
pub(crate) const LIFETIME: i64 = 12 * 3_600_000;
/// A use within this time of the last one that was written is not written again, milliseconds.
const USE_IS_WRITTEN_EVERY: i64 = 60_000;
/// No address is longer (RFC 5321 section 4.5.3.1.3), and no password that the policy allows.
const LONGEST_EMAIL: usize = 254;
const LONGEST_PASSWORD: usize = 256;

/// What guards the passwords: whose turn it is to be hashed, and who has tried how often.
///
/// An account has a small budget for each network address, so that somebody far away cannot lock its agent out; a larger one for all
/// addresses together; and an address has one for all accounts. A login that succeeds gives the account's back.
pub struct Logins {
    pub hasher: Hasher,
    of_account_and_address: Throttle<(String, IpAddr)>,
    of_account: Throttle<String>,
    of_address: Throttle<IpAddr>,
}

const TRIES_FROM_AN_ADDRESS: NonZeroU32 = NonZeroU32::new(5).unwrap();
const TRIES_FROM_ANYWHERE: NonZeroU32 = NonZeroU32::new(30).unwrap();

impl Logins {
    pub fn new(per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            hasher: Hasher::default(),
            of_account_and_address: Throttle::new(TRIES_FROM_AN_ADDRESS, Duration::from_secs(30)),
            of_account: Throttle::new(TRIES_FROM_ANYWHERE, Duration::from_secs(10)),
            of_address: Throttle::new(per_minute, Duration::from_secs(60) / per_minute.get()),
        }
    }

    /// Counts an attempt on this account from this address, or refuses it.
    pub(crate) fn attempt(&self, account: &str, address: IpAddr) -> Result<(), Refusal> {
        let counted = self
            .of_address
            .take(address)
            .and_then(|()| self.of_account_and_address.take((account.to_owned(), address)))
            .and_then(|()| self.of_account.take(account.to_owned()));
        counted.map_err(throttled)
    }

    /// Counts an attempt from this address on whatever it is, or refuses it.
    pub(crate) fn attempt_from(&self, address: IpAddr) -> Result<(), Refusal> {
        self.of_address.take(address).map_err(throttled)
    }

    pub(crate) fn succeeded(&self, account: &str, address: IpAddr) {
        self.of_account_and_address.forgive(&(account.to_owned(), address));
        self.of_account.forgive(&account.to_owned());
    }
}

fn throttled(wait: Duration) -> Refusal {
    metrics::counter!("cordboard_logins_throttled_total").increment(1);
    Refusal::TooManyAttempts { wait }
}

/// Whose budget a request takes from: the network address; of IPv6 the /64, which is one household's or one company's.
pub(crate) fn address_of(request: &HttpRequest) -> IpAddr {
    match request.peer_addr().map(|peer| peer.ip().to_canonical()) {
        Some(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        Some(IpAddr::V4(address)) => address.into(),
        None => Ipv4Addr::UNSPECIFIED.into(),
    }
}

/// A login that is in force. As an argument of a handler it also demands that the account is complete (A2).
pub struct Session {
    pub agent: AgentId,
    pub role: Role,
    /// Counts the account's logins; only the latest is served (A9).
    pub epoch: i64,
    pub account: Account,
    pub(crate) token: String,
}

impl FromRequest for Session {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let session = find(&request).await?;
            if session.account.must_change_password { Err(Refusal::NotComplete) } else { Ok(session) }
        })
    }
}

/// A login whose account may still have to be completed.
pub struct NewSession(pub Session);

impl FromRequest for NewSession {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { find(&request).await.map(Self) })
    }
}

/// A session of an admin (A8).
pub struct Admin(pub Session);

impl FromRequest for Admin {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = at_least(Role::Admin, request, payload);
        Box::pin(async move { session.await.map(Self) })
    }
}

/// A session of a supervisor or an admin (A8).
pub struct Supervisor(pub Session);

impl FromRequest for Supervisor {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = at_least(Role::Supervisor, request, payload);
        Box::pin(async move { session.await.map(Self) })
    }
}

/// The session, where its role may do what this one may.
fn at_least(role: Role, request: &HttpRequest, payload: &mut Payload) -> impl Future<Output = Result<Session, Refusal>> + use<> {
    let session = Session::from_request(request, payload);
    async move {
        let session = session.await?;
        if session.role >= role { Ok(session) } else { Err(Refusal::NotAllowed) }
    }
}

async fn find(request: &HttpRequest) -> Result<Session, Refusal> {
    let app = request.app_data::<web::Data<App>>().ok_or(Refusal::Internal)?.clone();
    let token = request.cookie(COOKIE).ok_or(Refusal::NotLoggedIn)?.value().to_owned();
    let now = now();
    let (session, token) = app
        .with_db(move |db| {
            let Some(session) = db.session(&token, now)? else { return Ok((None, token)) };
            if !session.stale && now - session.last_seen_at > USE_IS_WRITTEN_EVERY {
                db.touch_session(&token, now, now + LIFETIME)?;
            }
            let account = db.account(session.agent)?;
            Ok((account.map(|account| (session, account)), token))
        })
        .await?;
    let (session, account) = session.ok_or(Refusal::NotLoggedIn)?;
    if session.stale {
        return Err(Refusal::TakenOver);
    }
    Ok(Session { agent: session.agent, role: account.role, epoch: session.epoch, account, token })
}

/// `POST /login`.
pub async fn log_in(app: web::Data<App>, request: HttpRequest, form: web::Json<LoginForm>) -> Result<HttpResponse, Refusal> {
    let LoginForm { email, password } = form.into_inner();
    let email = email.trim().to_lowercase();
    // A control character is in no address, and PostgreSQL takes no NUL.
    if email.len() > LONGEST_EMAIL || email.contains(char::is_control) || password.len() > LONGEST_PASSWORD {
        return Err(Refusal::WrongCredentials);
    }
    let address = address_of(&request);
    app.logins.attempt(&email, address)?;
    let wanted = email.clone();
    let account = app.with_db(move |db| db.account_by_email(&wanted)).await?;
    let hash = account.as_ref().and_then(|account| account.password_hash.clone());
    let fits = app.logins.hasher.matches(password, hash).await?;
    let Some(account) = account.filter(|_| fits) else {
        metrics::counter!("cordboard_logins_failed_total").increment(1);
        tracing::info!(%address, "a login was refused");
        return Err(Refusal::WrongCredentials);
    };
    app.logins.succeeded(&email, address);
    let token = new_token();
    let (agent, kept, now) = (account.setup.id, token.clone(), now());
    let session = app
        .with_db(move |db| {
            db.delete_expired_sessions(now)?;
            db.create_session(agent, &kept, now, now + LIFETIME)
        })
        .await?;
    tracing::info!(%agent, epoch = session.epoch, "logged in");
    app.tell(Event::LoggedIn { agent, epoch: session.epoch });
    Ok(HttpResponse::Ok().cookie(cookie(&app, token)).json(me_of(&account)))
}

/// `POST /logout`. Leaves the browser without a cookie whatever the session was. A workstation in a call stays until its end.
pub async fn log_out(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    if let Some(cookie) = request.cookie(COOKIE) {
        let (token, now) = (cookie.value().to_owned(), now());
        let ended = app
            .with_db(move |db| {
                let session = db.session(&token, now)?;
                db.delete_session(&token)?;
                Ok(session)
            })
            .await?;
        // Of a session that was taken over nobody needs to hear: the agent is at work in the later one.
        if let Some(session) = ended.filter(|session| !session.stale) {
            tracing::info!(agent = %session.agent, epoch = session.epoch, "logged out");
            app.tell(Event::LoggedOut { agent: session.agent, end_call: false });
        }
    }
    let mut gone = cookie(&app, String::new());
    gone.make_removal();
    Ok(HttpResponse::NoContent().cookie(gone).finish())
}

/// `GET /me`.
pub async fn me(NewSession(session): NewSession) -> web::Json<Me> {
    web::Json(me_of(&session.account))
}

/// `POST /password`. Ends the account's other sessions (A5).
pub async fn change_password(
    app: web::Data<App>,
    session: Session,
    request: HttpRequest,
    form: web::Json<PasswordForm>,
) -> Result<HttpResponse, Refusal> {
    let PasswordForm { old, new } = form.into_inner();
    let Session { agent, epoch, account, token, .. } = session;
    let address = address_of(&request);
    app.logins.attempt(&account.email, address)?;
    if old.len() > LONGEST_PASSWORD || !app.logins.hasher.matches(old.clone(), account.password_hash).await? {
        return Err(Refusal::WrongCredentials);
    }
    app.logins.succeeded(&account.email, address);
    password::check(&new).map_err(Refusal::WeakPassword)?;
    if old == new {
        return Err(Refusal::WeakPassword(Weakness::Unchanged));
    }
    let hash = app.logins.hasher.hash(new).await?;
    app.with_db(move |db| {
        db.set_password(agent, &hash, false)?;
        db.delete_sessions_of(agent, Some(&token))
    })
    .await?;
    tracing::info!(%agent, "the password was changed");
    app.tell(Event::SessionsEnded { agent, kept: epoch });
    Ok(HttpResponse::NoContent().finish())
}

/// What the page shows of an account; of its number, enough to recognise it.
pub fn me_of(account: &Account) -> Me {
    Me {
        name: account.setup.name.clone(),
        nickname: account.nickname.clone(),
        number: account.setup.number.clone(),
        email: account.email.clone(),
        role: role_of(account.role),
        mobile: account.mobile.as_deref().map(mask),
        avatar: account.avatar_at.map(|at| format!("/api/v1/agents/{}/avatar?v={at}", account.setup.id.0)),
        must_change_password: account.must_change_password,
    }
}

pub(crate) fn role_of(role: Role) -> crate::wire::Role {
    match role {
        Role::Agent => crate::wire::Role::Agent,
        Role::Supervisor => crate::wire::Role::Supervisor,
        Role::Admin => crate::wire::Role::Admin,
    }
}

/// 256 random bits, hexadecimal.
pub(crate) fn new_token() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Without a date of its own: the browser forgets it when it is closed, the switch after [`LIFETIME`].
pub(crate) fn cookie(app: &App, token: String) -> Cookie<'static> {
    Cookie::build(COOKIE, token).path("/").http_only(true).same_site(SameSite::Strict).secure(app.config.web.is_secure()).finish()
}
