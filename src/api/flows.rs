//! Self-service flows: the list for agents, and what an admin makes of them (D6, H5).

use crate::api::auth::{Admin, Session};
use crate::api::{App, Event, Refusal, to_its_end};
use crate::wire::FlowView;
use actix_web::{HttpResponse, web};
use cordboard_core::flow::{self, Definition, Mistake};
use cordboard_core::ids::{AgentId, FlowId};
use cordboard_core::setup::FlowSetup;
use cordboard_db::{FlowForm, NameTaken, Role};
use serde::{Deserialize, Serialize};

const LONGEST_NAME: usize = 100;

/// A flow with all that is in it; `POST /flows` and `PUT /flows/{id}` take the same without the id.
#[derive(Serialize, Debug)]
pub struct FlowDetail {
    pub id: i32,
    pub name: String,
    /// Agents may start it.
    pub enabled: bool,
    /// The first node's name, and the nodes by name.
    pub definition: Definition,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct FlowBody {
    pub name: String,
    #[serde(default)]
    pub enabled: bool,
    pub definition: Definition,
}

impl From<FlowSetup> for FlowDetail {
    fn from(flow: FlowSetup) -> Self {
        Self { id: flow.id.0, name: flow.name, enabled: flow.enabled, definition: flow.definition }
    }
}

/// `GET /flows`.
pub async fn list(app: web::Data<App>, session: Session) -> Result<web::Json<Vec<FlowView>>, Refusal> {
    let all = session.role == Role::Admin;
    let flows = app.with_db(|db| db.flows()).await?;
    let shown = flows.into_iter().filter(|flow| all || flow.enabled);
    Ok(web::Json(shown.map(|flow| FlowView { id: flow.id.0, name: flow.name, enabled: flow.enabled }).collect()))
}

/// `GET /flows/{id}`.
pub async fn show(app: web::Data<App>, _: Admin, id: web::Path<i32>) -> Result<web::Json<FlowDetail>, Refusal> {
    Ok(web::Json(read(&app, FlowId(id.into_inner())).await?))
}

/// `POST /flows`.
pub async fn create(app: web::Data<App>, Admin(admin): Admin, body: web::Json<FlowBody>) -> Result<HttpResponse, Refusal> {
    let form = check(body.into_inner())?;
    let made = to_its_end(make(app, admin.agent, form)).await?;
    Ok(HttpResponse::Created().json(made))
}

/// `PUT /flows/{id}`.
pub async fn change(
    app: web::Data<App>,
    Admin(admin): Admin,
    id: web::Path<i32>,
    body: web::Json<FlowBody>,
) -> Result<web::Json<FlowDetail>, Refusal> {
    let form = check(body.into_inner())?;
    Ok(web::Json(to_its_end(alter(app, admin.agent, FlowId(id.into_inner()), form)).await?))
}

/// `DELETE /flows/{id}`. Who is in it goes on.
pub async fn delete(app: web::Data<App>, Admin(admin): Admin, id: web::Path<i32>) -> Result<HttpResponse, Refusal> {
    to_its_end(remove(app, admin.agent, FlowId(id.into_inner()))).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn check(body: FlowBody) -> Result<FlowForm, Refusal> {
    let name = body.name.trim();
    if name.is_empty() || name.contains(char::is_control) || name.chars().count() > LONGEST_NAME {
        return Err(Refusal::Invalid(format!("A flow's name has 1 to {LONGEST_NAME} characters.")));
    }
    let mistakes: Vec<String> = flow::check(&body.definition).iter().map(Mistake::to_string).collect();
    if !mistakes.is_empty() {
        return Err(Refusal::Invalid(format!("The flow cannot be run: {}.", mistakes.join("; "))));
    }
    Ok(FlowForm { name: name.to_owned(), enabled: body.enabled, definition: body.definition })
}

async fn make(app: web::Data<App>, by: AgentId, form: FlowForm) -> Result<FlowDetail, Refusal> {
    let name = form.name.clone();
    let made = app.with_db(move |db| db.create_flow(&form)).await?;
    let flow = made.map_err(|NameTaken| taken(&name))?;
    tracing::info!(%by, %flow, "self-service flow made");
    app.tell(Event::FloorChanged);
    read(&app, flow).await
}

async fn alter(app: web::Data<App>, by: AgentId, flow: FlowId, form: FlowForm) -> Result<FlowDetail, Refusal> {
    let name = form.name.clone();
    let changed = app.with_db(move |db| db.change_flow(flow, &form)).await?;
    changed.ok_or(Refusal::NotFound)?.map_err(|NameTaken| taken(&name))?;
    tracing::info!(%by, %flow, "self-service flow changed");
    app.tell(Event::FloorChanged);
    read(&app, flow).await
}

async fn remove(app: web::Data<App>, by: AgentId, flow: FlowId) -> Result<(), Refusal> {
    if !app.with_db(move |db| db.delete_flow(flow)).await? {
        return Err(Refusal::NotFound);
    }
    tracing::info!(%by, %flow, "self-service flow deleted");
    app.tell(Event::FloorChanged);
    Ok(())
}

async fn read(app: &App, flow: FlowId) -> Result<FlowDetail, Refusal> {
    let flows = app.with_db(|db| db.flows()).await?;
    flows.into_iter().find(|known| known.id == flow).map(FlowDetail::from).ok_or(Refusal::NotFound)
}

fn taken(name: &str) -> Refusal {
    Refusal::Conflict(format!("There is a flow named {name:?} already."))
}
