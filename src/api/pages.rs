//! The web pages, which are inside the binary (I4).

use crate::api::Refusal;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::borrow::Cow;

/// The built pages. While developing they may not be built; then there is nothing to serve.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Pages;

const HOME: &str = "index.html";

/// Any path that is not another route's: the file of this name, or the page itself, which finds its view by the path.
pub async fn page(request: HttpRequest) -> Result<HttpResponse, Refusal> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Refusal::NotFound);
    }
    let path = request.path().trim_start_matches('/');
    if let Some(file) = Pages::get(path).filter(|_| !path.is_empty()) {
        return Ok(answer(&request, path, file));
    }
    let is_view = !path.rsplit('/').next().unwrap_or_default().contains('.');
    match Pages::get(HOME).filter(|_| is_view) {
        Some(home) => Ok(answer(&request, HOME, home)),
        None => Err(Refusal::NotFound),
    }
}

fn answer(request: &HttpRequest, path: &str, file: EmbeddedFile) -> HttpResponse {
    let tag = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    let tag = format!("\"{tag}\"");
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, tag))
        // Files under assets/ carry their content's hash in their name.
        .insert_header((
            header::CACHE_CONTROL,
            if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" },
        ))
        .insert_header((header::CONTENT_SECURITY_POLICY, content_policy(request)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header(("Permissions-Policy", "microphone=(self), autoplay=(self), camera=(), geolocation=()"))
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
fn content_policy(request: &HttpRequest) -> String {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_plain = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
    let sockets = if is_plain { format!(" ws://{host} wss://{host}") } else { String::new() };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; media-src 'self' blob:; \
         connect-src 'self'{sockets}; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}
