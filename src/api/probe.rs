//! Bytes to measure a workstation's bandwidth with (F4).

use crate::api::Refusal;
use crate::api::auth::Session;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use serde::Deserialize;

/// In one request, either way.
pub(crate) const MOST: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    bytes: usize,
}

/// `GET /probe?bytes=`: so many bytes that nothing on the way can compress.
pub async fn download(_: Session, size: web::Query<Size>) -> Result<HttpResponse, Refusal> {
    let size = size.bytes;
    if size > MOST {
        return Err(Refusal::Invalid(format!("At most {MOST} bytes at once.")));
    }
    let mut noise = vec![0; size];
    rand::Rng::fill(&mut rand::rng(), noise.as_mut_slice());
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/octet-stream")).body(noise))
}

/// `POST /probe`: takes bytes and forgets them.
pub async fn upload(_: Session, _: Bytes) -> HttpResponse {
    HttpResponse::NoContent().finish()
}
