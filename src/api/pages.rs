//! The web pages, which are inside the binary (I4).

use crate::api::{App, Refusal};
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use cordboard_db::Crm;
use rust_embed::{EmbeddedFile, RustEmbed};
use std::borrow::Cow;

/// The built pages. While developing they may not be built; then there is nothing to serve.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Pages;

const HOME: &str = "index.html";

/// Any path that is not another route's: the file of this name, or the page itself, which finds its view by the path.
pub async fn page(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Refusal::NotFound);
    }
    let path = request.path().trim_start_matches('/');
    if let Some(file) = Pages::get(path).filter(|_| !path.is_empty()) {
        return Ok(answer(&request, path, file, None));
    }
    let is_view = !path.rsplit('/').next().unwrap_or_default().contains('.');
    match Pages::get(HOME).filter(|_| is_view) {
        Some(home) => Ok(answer(&request, HOME, home, crm(&app).await.as_ref())),
        None => Err(Refusal::NotFound),
    }
}

/// The CRM that the page may frame (F3). Without the database the page comes, and without the CRM.
async fn crm(app: &App) -> Option<Crm> {
    app.with_db(|db| db.settings()).await.ok()?.crm
}

fn answer(request: &HttpRequest, path: &str, file: EmbeddedFile, crm: Option<&Crm>) -> HttpResponse {
    let framed = crm.and_then(|crm| crm.origin().ok()).unwrap_or("'none'");
    let tag = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    // The policy is part of what a browser keeps, so another CRM is another page.
    let tag = format!("\"{tag}-{framed}\"");
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, tag))
        // Files under assets/ carry their content's hash in their name.
        .insert_header((
            header::CACHE_CONTROL,
            if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" },
        ))
        .insert_header((header::CONTENT_SECURITY_POLICY, content_policy(request, framed)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((
            "Permissions-Policy",
            "microphone=(self), autoplay=(self), camera=(self), speaker-selection=(self), geolocation=()",
        ))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"));
    if known {
        return response.finish();
    }
    response.content_type(file.metadata.mimetype().to_owned());
    match file.data {
        Cow::Borrowed(bytes) => response.body(bytes),
        Cow::Owned(bytes) => response.body(bytes),
    }
}

/// Nothing from elsewhere, nothing inline. The workstation's socket is named by its host, since older browsers' `'self'` knows no `ws:`.
fn content_policy(request: &HttpRequest, framed: &str) -> String {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_plain = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
    let sockets = if is_plain { format!(" ws://{host} wss://{host}") } else { String::new() };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; media-src 'self' blob:; \
         connect-src 'self'{sockets}; frame-src {framed}; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}
