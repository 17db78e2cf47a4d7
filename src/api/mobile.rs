//! What a mobile number and its code open (A2, A3, A5, A7): completing an account, a login, a new password, another number.

use crate::api::auth::{self, NewSession, Session, address_of, me_of};
use crate::api::password::{self, Weakness};
use crate::api::{App, Event, Refusal, accounts, codes, now, to_its_end};
use crate::wire::{
    AccountChoice, CodeForm, CodeRequest, CompletionForm, Me, MobileCodeRequest, MobileForm, MobileSwitchesForm, RecoveryForm,
    SmsLoginAnswer, SmsLoginForm,
};
use actix_web::{HttpRequest, HttpResponse, web};
use cordboard_core::ids::AgentId;
use cordboard_db::{Account, CodeFor, CodeId, Completion};
use std::net::IpAddr;

fn number(typed: &str) -> Result<String, Refusal> {
    codes::tidy(typed).ok_or(Refusal::WrongNumber)
}

/// `POST /sms-login/code`.
pub async fn send_login_code(app: web::Data<App>, request: HttpRequest, form: web::Json<CodeRequest>) -> Result<HttpResponse, Refusal> {
    send_to_owners(app, &request, &form.mobile, CodeFor::Login).await
}

/// `POST /recovery/code`.
pub async fn send_recovery_code(app: web::Data<App>, request: HttpRequest, form: web::Json<CodeRequest>) -> Result<HttpResponse, Refusal> {
    send_to_owners(app, &request, &form.mobile, CodeFor::Recovery).await
}

async fn send_to_owners(app: web::Data<App>, request: &HttpRequest, typed: &str, purpose: CodeFor) -> Result<HttpResponse, Refusal> {
    let mobile = number(typed)?;
    let reaches = !owners(&app, &mobile).await?.is_empty();
    to_its_end(codes::send(app, mobile, purpose, address_of(request), reaches)).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn owners(app: &web::Data<App>, mobile: &str) -> Result<Vec<Account>, Refusal> {
    let mobile = mobile.to_owned();
    app.with_db(move |db| db.accounts_by_mobile(&mobile)).await
}

/// The accounts that this code is good for, at least one. A try at the code.
async fn opened(
    app: &web::Data<App>,
    address: IpAddr,
    mobile: &str,
    purpose: CodeFor,
    code: &str,
) -> Result<(CodeId, Vec<Account>), Refusal> {
    app.logins.attempt_from(address)?;
    let code = codes::check(app, mobile, purpose, code).await?;
    let accounts = owners(app, mobile).await?;
    if accounts.is_empty() { Err(Refusal::WrongCode) } else { Ok((code, accounts)) }
}

fn choices(accounts: &[Account]) -> Vec<AccountChoice> {
    let choice =
        |account: &Account| AccountChoice { id: account.setup.id.0, name: account.setup.name.clone(), email: veiled(&account.email) };
    accounts.iter().map(choice).collect()
}

/// `m•••@example.com`.
fn veiled(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let initial: String = local.chars().take(1).collect();
    format!("{initial}•••@{domain}")
}

/// `POST /sms-login` (A3).
pub async fn log_in(app: web::Data<App>, request: HttpRequest, form: web::Json<SmsLoginForm>) -> Result<HttpResponse, Refusal> {
    let SmsLoginForm { mobile, code, account } = form.into_inner();
    let mobile = number(&mobile)?;
    let (code, mut accounts) = opened(&app, address_of(&request), &mobile, CodeFor::Login, &code).await?;
    if let Some(chosen) = account {
        accounts.retain(|account| account.setup.id == AgentId(chosen));
    }
    let [account] = accounts.as_slice() else {
        app.with_db(move |db| db.give_try_back(code)).await?;
        if accounts.is_empty() {
            return Err(Refusal::NotFound);
        }
        return Ok(HttpResponse::Ok().json(SmsLoginAnswer { me: None, accounts: choices(&accounts) }));
    };
    let (agent, token) = (account.setup.id, auth::new_token());
    let (kept, now) = (token.clone(), now());
    let session = app.with_db(move |db| db.create_session_by_code(code, agent, &kept, now, now + auth::LIFETIME)).await?;
    let session = session.ok_or(Refusal::WrongCode)?;
    tracing::info!(%agent, epoch = session.epoch, "logged in by SMS");
    app.tell(Event::LoggedIn { agent, epoch: session.epoch });
    Ok(HttpResponse::Ok().cookie(auth::cookie(&app, token)).json(SmsLoginAnswer { me: Some(me_of(account)), accounts: Vec::new() }))
}

/// `POST /recovery/accounts` (A5).
pub async fn recoverable(
    app: web::Data<App>,
    request: HttpRequest,
    form: web::Json<CodeForm>,
) -> Result<web::Json<Vec<AccountChoice>>, Refusal> {
    let mobile = number(&form.mobile)?;
    let (code, accounts) = opened(&app, address_of(&request), &mobile, CodeFor::Recovery, &form.code).await?;
    app.with_db(move |db| db.give_try_back(code)).await?;
    Ok(web::Json(choices(&accounts)))
}

/// `POST /recovery` (A5).
pub async fn recover(app: web::Data<App>, request: HttpRequest, form: web::Json<RecoveryForm>) -> Result<HttpResponse, Refusal> {
    let RecoveryForm { mobile, code, account, password } = form.into_inner();
    let mobile = number(&mobile)?;
    password::check(&password).map_err(Refusal::WeakPassword)?;
    let address = address_of(&request);
    let (code, accounts) = opened(&app, address, &mobile, CodeFor::Recovery, &code).await?;
    let account = accounts.into_iter().find(|known| known.setup.id == AgentId(account)).ok_or(Refusal::NotFound)?;
    let hash = app.logins.hasher.hash(password).await?;
    let (agent, token) = (account.setup.id, auth::new_token());
    let (kept, now) = (token.clone(), now());
    let session = app.with_db(move |db| db.recover_account(code, agent, &hash, &kept, now, now + auth::LIFETIME)).await?;
    let session = session.ok_or(Refusal::WrongCode)?;
    app.logins.succeeded(&account.email, address);
    tracing::info!(%agent, "the password was recovered");
    app.tell(Event::LoggedIn { agent, epoch: session.epoch });
    let me = Me { must_change_password: false, ..me_of(&account) };
    Ok(HttpResponse::Ok().cookie(auth::cookie(&app, token)).json(me))
}

/// `POST /mobile/code` (A2, A7).
pub async fn send_binding_code(
    app: web::Data<App>,
    NewSession(session): NewSession,
    request: HttpRequest,
    form: web::Json<MobileCodeRequest>,
) -> Result<HttpResponse, Refusal> {
    let mobile = number(&form.mobile)?;
    let address = address_of(&request);
    check_old(&app, &session.account, form.old.as_deref(), address)?;
    to_its_end(codes::send(app, mobile, CodeFor::Binding(session.agent), address, true)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who changes the number knows the present one (A7).
fn check_old(app: &App, account: &Account, old: Option<&str>, address: IpAddr) -> Result<(), Refusal> {
    let Some(present) = &account.mobile else { return Ok(()) };
    app.logins.attempt(&account.email, address)?;
    if old.and_then(codes::tidy).as_ref() != Some(present) {
        return Err(Refusal::WrongOldNumber);
    }
    app.logins.succeeded(&account.email, address);
    Ok(())
}

/// `POST /mobile` (A7).
pub async fn change(
    app: web::Data<App>,
    session: Session,
    request: HttpRequest,
    form: web::Json<MobileForm>,
) -> Result<web::Json<Me>, Refusal> {
    let MobileForm { old, mobile, code } = form.into_inner();
    let mobile = number(&mobile)?;
    let (agent, address) = (session.agent, address_of(&request));
    check_old(&app, &session.account, old.as_deref(), address)?;
    app.logins.attempt_from(address)?;
    let code = codes::check(&app, &mobile, CodeFor::Binding(agent), &code).await?;
    let bound = mobile.clone();
    if !app.with_db(move |db| db.change_mobile(code, agent, &bound)).await? {
        return Err(Refusal::WrongCode);
    }
    tracing::info!(%agent, "the mobile number was changed");
    app.tell(Event::MobileChanged { agent });
    Ok(web::Json(me_of(&Account { mobile: Some(mobile), ..session.account })))
}

/// `POST /mobile/switches` (C7, E2).
pub async fn switch(app: web::Data<App>, session: Session, form: web::Json<MobileSwitchesForm>) -> Result<HttpResponse, Refusal> {
    let (agent, MobileSwitchesForm { answering, outbound }) = (session.agent, form.into_inner());
    let set = app.with_db(move |db| db.switch_mobile(agent, answering, outbound)).await?.ok_or(Refusal::NoMobile)?;
    tracing::info!(%agent, answering = set.answering, outbound = set.outbound, "the mobile was switched");
    app.tell(Event::MobileChanged { agent });
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /complete` (A2).
pub async fn complete(
    app: web::Data<App>,
    NewSession(session): NewSession,
    request: HttpRequest,
    form: web::Json<CompletionForm>,
) -> Result<web::Json<Me>, Refusal> {
    let CompletionForm { bind, nickname, password } = form.into_inner();
    let (agent, epoch, account) = (session.agent, session.epoch, session.account);
    if !account.must_change_password {
        return Err(Refusal::Conflict("This account is complete already.".to_owned()));
    }
    let nickname = accounts::check_nickname(nickname)?;
    password::check(&password).map_err(Refusal::WeakPassword)?;
    if app.logins.hasher.matches(password.clone(), account.password_hash.clone()).await? {
        return Err(Refusal::WeakPassword(Weakness::Unchanged));
    }
    let bind = match (&account.mobile, bind) {
        (None, None) => return Err(Refusal::NumberMissing),
        (None, Some(CodeForm { mobile, code })) => {
            app.logins.attempt_from(address_of(&request))?;
            let mobile = number(&mobile)?;
            Some((codes::check(&app, &mobile, CodeFor::Binding(agent), &code).await?, mobile))
        }
        // Another number is for the profile, where the present one is asked for.
        (Some(_), None | Some(_)) => None,
    };
    let password_hash = app.logins.hasher.hash(password).await?;
    let (completion, token) = (Completion { bind, nickname, password_hash }, session.token);
    let done = app.with_db(move |db| if db.complete_account(agent, &completion, &token)? { db.account(agent) } else { Ok(None) }).await?;
    let account = done.ok_or(Refusal::WrongCode)?;
    tracing::info!(%agent, "the account was completed");
    app.tell(Event::SessionsEnded { agent, kept: epoch });
    app.tell(Event::MobileChanged { agent });
    Ok(web::Json(me_of(&account)))
}
