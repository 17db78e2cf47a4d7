//! What agents say of themselves: nickname and picture (A7).

use crate::api::auth::{Session, me_of};
use crate::api::{App, Refusal, accounts, now};
use crate::wire::{Me, ProfileForm};
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use cordboard_core::ids::AgentId;
use cordboard_db::{Account, Avatar, ImageKind};

pub(crate) const LARGEST_IMAGE: usize = 1024 * 1024;

/// `POST /profile`.
pub async fn change(app: web::Data<App>, session: Session, form: web::Json<ProfileForm>) -> Result<web::Json<Me>, Refusal> {
    let nickname = accounts::check_nickname(form.into_inner().nickname)?;
    let (agent, kept) = (session.agent, nickname.clone());
    app.with_db(move |db| db.set_nickname(agent, kept.as_deref())).await?;
    Ok(web::Json(me_of(&Account { nickname, ..session.account })))
}

/// `POST /avatar`: the image itself; an empty body takes the present one away.
pub async fn set_avatar(app: web::Data<App>, session: Session, body: Result<Bytes, actix_web::Error>) -> Result<web::Json<Me>, Refusal> {
    let image = body.map_err(|_| Refusal::Invalid("A picture has at most 1 MiB.".to_owned()))?;
    let avatar = match kind_of(&image) {
        Some(kind) => Some(Avatar { kind, image: image.to_vec() }),
        None if image.is_empty() => None,
        None => return Err(Refusal::Invalid("A picture is a PNG, JPEG or WebP file.".to_owned())),
    };
    let (agent, at) = (session.agent, now());
    let avatar_at = avatar.as_ref().map(|_| at);
    app.with_db(move |db| db.set_avatar(agent, avatar.as_ref(), at)).await?;
    Ok(web::Json(me_of(&Account { avatar_at, ..session.account })))
}

/// By its first bytes, whatever it is called.
fn kind_of(image: &[u8]) -> Option<ImageKind> {
    if image.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(ImageKind::Png);
    }
    if image.starts_with(&[0xff, 0xd8, 0xff]) {
        return Some(ImageKind::Jpeg);
    }
    let is_webp = image.starts_with(b"RIFF") && image.get(8..12) == Some(b"WEBP");
    is_webp.then_some(ImageKind::Webp)
}

/// `GET /agents/{id}/avatar`. It is an image whatever is in it: no browser takes it for a page.
pub async fn avatar(app: web::Data<App>, _: Session, id: web::Path<i32>) -> Result<HttpResponse, Refusal> {
    let agent = AgentId(id.into_inner());
    let Avatar { kind, image } = app.with_db(move |db| db.avatar(agent)).await?.ok_or(Refusal::NotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, format!("image/{}", kind.as_str())))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        // Its address changes with it.
        .insert_header((header::CACHE_CONTROL, "private, max-age=86400, immutable"))
        .body(image))
}
