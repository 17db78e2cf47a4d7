//! What operators' machines ask: does it live, may visitors come, how is it (I3, I7).

use crate::api::App;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use std::sync::atomic::Ordering;

/// `GET /healthz`: the process answers.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("alive\n")
}

/// `GET /readyz`: 200 when new visitors are welcome; 503 with the reason while the database is away or the switch drains.
pub async fn ready(app: web::Data<App>) -> HttpResponse {
    if app.draining.load(Ordering::Relaxed) {
        return HttpResponse::ServiceUnavailable().content_type(ContentType::plaintext()).body("draining\n");
    }
    match app.with_db(|db| db.settings()).await {
        Ok(_) => HttpResponse::Ok().content_type(ContentType::plaintext()).body("ready\n"),
        Err(refusal) => HttpResponse::ServiceUnavailable().content_type(ContentType::plaintext()).body(format!("{refusal}\n")),
    }
}

/// `GET /metrics`, for Prometheus.
pub async fn metrics(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(app.metrics.render())
}
