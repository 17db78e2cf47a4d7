//! One line for each request. Its query may hold customers' numbers and its headers the session, so neither is written.

use actix_web::Error;
use actix_web::HttpMessage;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder, TracingLogger};

/// The middleware that opens a span for each request.
pub fn request_log() -> TracingLogger<Discreet> {
    TracingLogger::new()
}

/// Method, path, request id and status; on failure the reason.
pub struct Discreet;

impl RootSpanBuilder for Discreet {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = request.extensions().get::<RequestId>().map(ToString::to_string);
        tracing::info_span!("request", method = %request.method(), path = request.path(), id, status = tracing::field::Empty)
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
        let reason = match outcome {
            Ok(response) => response.response().error().map(ToString::to_string),
            Err(error) => Some(error.to_string()),
        };
        match reason {
            Some(reason) if status.is_server_error() => tracing::warn!(parent: &span, reason, "request failed"),
            Some(reason) => tracing::debug!(parent: &span, reason, "request refused"),
            None => tracing::debug!(parent: &span, "request done"),
        }
    }
}
