//! Agents' accounts, for admins (A1, A8). A one-time password goes to its owner by mail and to nobody else.

use crate::api::auth::{Admin, role_of};
use crate::api::{App, Event, Refusal, accounts, now, password, to_its_end};
use crate::wire;
use actix_web::{HttpResponse, web};
use cordboard_core::ids::{AgentId, GroupId};
use cordboard_db::{Account, AccountForm, Role};
use serde::{Deserialize, Serialize};

/// An account in the admin's list.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct AgentRow {
    pub id: i32,
    pub email: String,
    /// The agent id that people use.
    pub number: String,
    pub name: String,
    pub nickname: Option<String>,
    pub role: wire::Role,
    /// Skill groups by id.
    pub groups: Vec<i32>,
    /// The one-time password has not been changed yet.
    pub must_change_password: bool,
    /// Nobody can log in: no password was ever set.
    pub without_password: bool,
}

/// `POST /agents`.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAgent {
    pub email: String,
    pub number: String,
    pub name: String,
    #[serde(default)]
    pub nickname: Option<String>,
    pub role: wire::Role,
    #[serde(default)]
    pub groups: Vec<i32>,
}

impl From<Account> for AgentRow {
    fn from(account: Account) -> Self {
        Self {
            id: account.setup.id.0,
            number: account.setup.number,
            name: account.setup.name,
            nickname: account.nickname,
            role: role_of(account.role),
            groups: account.setup.groups.iter().map(|membership| membership.group.0).collect(),
            must_change_password: account.must_change_password,
            without_password: account.password_hash.is_none(),
            email: account.email,
        }
    }
}

/// `GET /agents`.
pub async fn list(app: web::Data<App>, _: Admin) -> Result<web::Json<Vec<AgentRow>>, Refusal> {
    let accounts = app.with_db(|db| db.accounts()).await?;
    Ok(web::Json(accounts.into_iter().map(AgentRow::from).collect()))
}

/// `POST /agents`: makes the account and mails its one-time password. When the mail is not accepted there is no account.
pub async fn create(app: web::Data<App>, Admin(admin): Admin, form: web::Json<NewAgent>) -> Result<HttpResponse, Refusal> {
    let form = form.into_inner();
    let form = accounts::check(AccountForm {
        email: form.email,
        number: form.number,
        name: form.name,
        nickname: form.nickname,
        role: match form.role {
            wire::Role::Agent => Role::Agent,
            wire::Role::Supervisor => Role::Supervisor,
            wire::Role::Admin => Role::Admin,
        },
        groups: form.groups.into_iter().map(GroupId).collect(),
    })?;
    let account = to_its_end(make(app, admin.agent, form)).await?;
    Ok(HttpResponse::Created().json(AgentRow::from(account)))
}

/// What becomes of a call in progress (A9).
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DepartureForm {
    /// End it now; otherwise the workstation stays until its end.
    pub end_call: Option<bool>,
}

impl DepartureForm {
    fn ends_call(&self) -> bool {
        self.end_call.unwrap_or(false)
    }
}

/// `POST /agents/{id}/reset`: mails a new one-time password and ends the account's sessions. When the mail is not accepted, the old
/// password stays.
pub async fn reset(
    app: web::Data<App>,
    Admin(admin): Admin,
    id: web::Path<i32>,
    form: web::Json<DepartureForm>,
) -> Result<HttpResponse, Refusal> {
    to_its_end(renew(app, admin.agent, AgentId(id.into_inner()), form.ends_call())).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /agents/{id}/force-offline`: the agent stays logged in.
pub async fn force_offline(
    app: web::Data<App>,
    Admin(admin): Admin,
    id: web::Path<i32>,
    form: web::Json<DepartureForm>,
) -> Result<HttpResponse, Refusal> {
    let agent = AgentId(id.into_inner());
    app.with_db(move |db| db.account(agent)).await?.ok_or(Refusal::NotFound)?;
    tracing::info!(by = %admin.agent, %agent, "taken offline");
    app.tell(Event::ForcedOffline { agent, end_call: form.ends_call() });
    Ok(HttpResponse::NoContent().finish())
}

async fn make(app: web::Data<App>, by: AgentId, form: AccountForm) -> Result<Account, Refusal> {
    let mailer = app.mailer.as_ref().ok_or(Refusal::MailNotSetUp)?;
    let one_time = password::one_time();
    let hash = app.logins.hasher.hash(one_time.clone()).await?;
    let wanted = form.clone();
    let made = app.with_db(move |db| db.create_account(&wanted, now())).await?;
    let agent = made.map_err(|taken| Refusal::Conflict(accounts::explain(taken)))?;
    // Until the mail is accepted nobody can log in, and the switch does not know of the agent.
    if let Err(error) = mailer.one_time_password(&form.name, &form.email, &one_time).await {
        tracing::warn!(%by, "an account was not made: its mail was refused");
        app.with_db(move |db| db.remove_account(agent)).await?;
        return Err(error.into());
    }
    let account = app
        .with_db(move |db| {
            db.set_one_time_password(agent, &hash)?;
            db.account(agent)
        })
        .await?;
    tracing::info!(%by, %agent, "account made");
    app.tell(Event::FloorChanged);
    account.ok_or(Refusal::NotFound)
}

async fn renew(app: web::Data<App>, by: AgentId, agent: AgentId, end_call: bool) -> Result<(), Refusal> {
    let mailer = app.mailer.as_ref().ok_or(Refusal::MailNotSetUp)?;
    let account = app.with_db(move |db| db.account(agent)).await?.ok_or(Refusal::NotFound)?;
    let one_time = password::one_time();
    let hash = app.logins.hasher.hash(one_time.clone()).await?;
    mailer.one_time_password(&account.setup.name, &account.email, &one_time).await?;
    app.with_db(move |db| db.set_one_time_password(agent, &hash)).await?;
    tracing::info!(%by, %agent, "password reset");
    app.tell(Event::LoggedOut { agent, end_call });
    Ok(())
}
