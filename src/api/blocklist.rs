//! The blocklist, for supervisors and admins (H6, A8). Agents add the customer of a call over the workstation's socket.

use crate::api::auth::Supervisor;
use crate::api::mask::mask;
use crate::api::{App, Event, Refusal, now, to_its_end};
use crate::wire::{BlockedView, BlocklistFilter, BlocklistForm, BlocklistView};
use actix_web::{HttpResponse, web};
use cordboard_core::blocklist::Barred;
use cordboard_core::ids::AgentId;
use cordboard_core::outbound::clean;
use cordboard_db::{BlockForm, BlockedNumber, NUMBERS_PER_PAGE};

/// Of an entry's note, in characters.
pub const LONGEST_NOTE: usize = 200;

/// `GET /blocklist`.
pub async fn list(app: web::Data<App>, _: Supervisor, filter: web::Query<BlocklistFilter>) -> Result<web::Json<BlocklistView>, Refusal> {
    let BlocklistFilter { number, page } = filter.into_inner();
    let digits: String = number.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    let page = page.unwrap_or(0);
    let found = app.with_db(move |db| db.blocklist_page(&digits, page, now())).await?;
    Ok(web::Json(BlocklistView {
        items: found.items.into_iter().map(view).collect(),
        page,
        total: found.total,
        page_size: NUMBERS_PER_PAGE,
    }))
}

/// `POST /blocklist`.
pub async fn add(app: web::Data<App>, Supervisor(session): Supervisor, form: web::Json<BlocklistForm>) -> Result<HttpResponse, Refusal> {
    let form = check(form.into_inner(), session.agent)?;
    to_its_end(bar(app, form)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /blocklist/{id}`.
pub async fn remove(app: web::Data<App>, Supervisor(session): Supervisor, id: web::Path<i32>) -> Result<HttpResponse, Refusal> {
    to_its_end(unbar(app, session.agent, id.into_inner())).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn check(form: BlocklistForm, by: AgentId) -> Result<BlockForm, Refusal> {
    let number =
        clean(&form.number).map_err(|_| Refusal::Invalid("This is no telephone number: 2 to 15 digits, + at most before them.".into()))?;
    let note = form.note.trim().to_owned();
    if note.chars().count() > LONGEST_NOTE || note.contains(char::is_control) {
        return Err(Refusal::Invalid(format!("A note has one line of at most {LONGEST_NOTE} characters.")));
    }
    let at = now();
    if form.until.is_some_and(|until| until <= at) {
        return Err(Refusal::Invalid("This time is over already.".into()));
    }
    Ok(BlockForm { barred: Barred { number, prefix: form.prefix, until: form.until }, note, by: Some(by), at })
}

async fn bar(app: web::Data<App>, form: BlockForm) -> Result<(), Refusal> {
    let (by, number) = (form.by, form.barred.number.clone());
    if !app.with_db(move |db| db.bar(&form)).await? {
        return Err(Refusal::Conflict(format!("{number} is on the blocklist already, for as long or longer.")));
    }
    tracing::info!(by = ?by, number = %mask(&number), "a caller was barred");
    app.tell(Event::BlocklistChanged);
    Ok(())
}

async fn unbar(app: web::Data<App>, by: AgentId, entry: i32) -> Result<(), Refusal> {
    if !app.with_db(move |db| db.unbar(entry)).await? {
        return Err(Refusal::NotFound);
    }
    tracing::info!(%by, entry, "a caller is barred no more");
    app.tell(Event::BlocklistChanged);
    Ok(())
}

fn view(entry: BlockedNumber) -> BlockedView {
    let BlockedNumber { id, number, prefix, until, note, by, at } = entry;
    BlockedView { id, number, prefix, until, note, by, at }
}
