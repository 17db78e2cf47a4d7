//! Requests that change something come from the switch's own page: browsers say which page sent them (Origin, or Referer where an old one
//! such as Chromium 70 leaves that out), and send the session's cookie to it alone (SameSite=Strict). Both together keep other sites' pages out.

use crate::api::{App, Refusal};
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, web};
use std::future::{Ready, ready};

/// Whether the request names this switch's page as the one it comes from.
pub fn is_own(request: &HttpRequest) -> bool {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let Some(origin) = header(header::ORIGIN).or_else(|| header(header::REFERER).map(origin_of)) else { return false };
    // The Host header as it came (HTTP/2: the authority); what a proxy adds anybody could have added.
    let own = header(header::HOST).or_else(|| request.uri().authority().map(|authority| authority.as_str())).unwrap_or_default();
    let scheme = if request.app_config().secure() { "https" } else { "http" };
    let public = request.app_data::<web::Data<App>>().and_then(|app| app.config.web.public_url.as_deref());
    origin.eq_ignore_ascii_case(&format!("{scheme}://{own}")) || public.is_some_and(|public| origin.eq_ignore_ascii_case(public))
}

/// Scheme and host of an address (RFC 6454 section 4).
fn origin_of(address: &str) -> &str {
    let host = address.find("://").map_or(0, |scheme| scheme + 3);
    let end = address.get(host..).and_then(|rest| rest.find('/')).map_or(address.len(), |path| host + path);
    address.get(..end).unwrap_or_default()
}

/// As an argument of a handler: the request comes from the own page, whatever its method. Sockets are opened by a safe one.
pub struct OwnPage;

impl FromRequest for OwnPage {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(if is_own(request) { Ok(Self) } else { Err(Refusal::WrongOrigin) })
    }
}

/// Refuses what could change something and does not come from the own page.
pub async fn guard(request: ServiceRequest, next: Next<impl MessageBody>) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if !request.method().is_safe() && !is_own(request.request()) {
        return Err(Refusal::WrongOrigin.into());
    }
    next.call(request).await
}
