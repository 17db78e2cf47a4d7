//! What the login page needs before anybody is known.

use crate::api::App;
use crate::wire::Hello;
use actix_web::web;

/// `GET /hello`.
pub async fn hello(app: web::Data<App>) -> web::Json<Hello> {
    web::Json(Hello { version: env!("CARGO_PKG_VERSION").to_owned(), demo: app.demo })
}
