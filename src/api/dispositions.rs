//! Dispositions: the list for everybody, and what an admin makes of it (D8, H7, A8).

use crate::api::auth::{Admin, Session};
use crate::api::{App, Event, Refusal, to_its_end};
use crate::wire::{DispositionForm, DispositionView};
use actix_web::{HttpResponse, web};
use cordboard_core::ids::AgentId;
use cordboard_db::{Disposition, NameTaken, Role};

const LONGEST_NAME: usize = 100;

/// `GET /dispositions`.
pub async fn list(app: web::Data<App>, session: Session) -> Result<web::Json<Vec<DispositionView>>, Refusal> {
    let all = session.role == Role::Admin;
    let known = app.with_db(|db| db.dispositions()).await?;
    Ok(web::Json(known.into_iter().filter(|disposition| all || disposition.enabled).map(view).collect()))
}

/// `POST /dispositions`.
pub async fn create(app: web::Data<App>, Admin(admin): Admin, form: web::Json<DispositionForm>) -> Result<HttpResponse, Refusal> {
    let form = check(form.into_inner())?;
    let made = to_its_end(make(app, admin.agent, form)).await?;
    Ok(HttpResponse::Created().json(made))
}

/// `PUT /dispositions/{id}`.
pub async fn change(
    app: web::Data<App>,
    Admin(admin): Admin,
    id: web::Path<i32>,
    form: web::Json<DispositionForm>,
) -> Result<web::Json<DispositionView>, Refusal> {
    let form = check(form.into_inner())?;
    Ok(web::Json(to_its_end(alter(app, admin.agent, id.into_inner(), form)).await?))
}

/// `DELETE /dispositions/{id}`. Records keep its name.
pub async fn delete(app: web::Data<App>, Admin(admin): Admin, id: web::Path<i32>) -> Result<HttpResponse, Refusal> {
    to_its_end(remove(app, admin.agent, id.into_inner())).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn check(form: DispositionForm) -> Result<cordboard_db::DispositionForm, Refusal> {
    let name = form.name.trim().to_owned();
    if name.is_empty() || name.contains(char::is_control) || name.chars().count() > LONGEST_NAME {
        return Err(Refusal::Invalid(format!("A disposition's name has 1 to {LONGEST_NAME} characters.")));
    }
    Ok(cordboard_db::DispositionForm { name, position: form.position, enabled: form.enabled })
}

async fn make(app: web::Data<App>, by: AgentId, form: cordboard_db::DispositionForm) -> Result<DispositionView, Refusal> {
    let name = form.name.clone();
    let made = app.with_db(move |db| db.create_disposition(&form)).await?.map_err(|NameTaken| taken(&name))?;
    tracing::info!(%by, disposition = made.id, "disposition made");
    app.tell(Event::FloorChanged);
    Ok(view(made))
}

async fn alter(app: web::Data<App>, by: AgentId, id: i32, form: cordboard_db::DispositionForm) -> Result<DispositionView, Refusal> {
    let name = form.name.clone();
    let changed = app.with_db(move |db| db.change_disposition(id, &form)).await?;
    let changed = changed.ok_or(Refusal::NotFound)?.map_err(|NameTaken| taken(&name))?;
    tracing::info!(%by, disposition = id, "disposition changed");
    app.tell(Event::FloorChanged);
    Ok(view(changed))
}

async fn remove(app: web::Data<App>, by: AgentId, id: i32) -> Result<(), Refusal> {
    if !app.with_db(move |db| db.delete_disposition(id)).await? {
        return Err(Refusal::NotFound);
    }
    tracing::info!(%by, disposition = id, "disposition deleted");
    app.tell(Event::FloorChanged);
    Ok(())
}

fn view(disposition: Disposition) -> DispositionView {
    let Disposition { id, name, position, enabled } = disposition;
    DispositionView { id, name, position, enabled }
}

fn taken(name: &str) -> Refusal {
    Refusal::Conflict(format!("There is a disposition named {name:?} already."))
}
