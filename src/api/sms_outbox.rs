//! The text messages of a switch without a gateway, for its admin to read (A4).

use crate::api::auth::Admin;
use crate::api::{App, Refusal};
use crate::wire::SmsOutboxRow;
use actix_web::web;

/// `GET /sms-outbox`: the latest 100, newest first.
pub async fn list(app: web::Data<App>, _: Admin) -> Result<web::Json<Vec<SmsOutboxRow>>, Refusal> {
    let messages = app.with_db(|db| db.outbox()).await?;
    let row = |message: cordboard_db::OutboxMessage| SmsOutboxRow { at: message.at, mobile: message.mobile, text: message.text };
    Ok(web::Json(messages.into_iter().map(row).collect()))
}
