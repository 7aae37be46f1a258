//! Errors as clients see them.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::oneshot::error::RecvError;
use tokio::task::JoinError;
use utoipa::ToSchema;
use vulnlens::AskedError;

/// A request that is not answered.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
    hint: Option<String>,
}

/// The form of an error: that of text-embeddings-inference, with what to do about it.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    /// The problem.
    error: String,
    /// The kind of problem, for programs.
    error_type: &'static str,
    /// The way out, where there is one to name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hint: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), hint: None }
    }

    /// The problem.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// A request that says something that makes no sense.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Validation", message)
    }

    /// A request without a text.
    pub(crate) fn empty() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Empty", "there is no text")
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    pub(crate) fn too_large(limit: u64) -> Self {
        let message = format!("the body is longer than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "TooLarge", message)
            .hint("send fewer records at once, or records as JSON Lines, which may be longer")
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Overloaded", "the server has as many requests as it takes")
            .hint("come again after the seconds of Retry-After")
    }

    /// A thread that ended without an answer.
    fn panicked() -> Self {
        Self::backend("a thread panicked; this is a fault of vulnlens")
    }

    /// A fault of the server.
    pub(crate) fn backend(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Backend", message)
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::validation(rejection.body_text())
    }
}

impl From<JoinError> for ApiError {
    fn from(_: JoinError) -> Self {
        Self::panicked()
    }
}

impl From<RecvError> for ApiError {
    fn from(_: RecvError) -> Self {
        Self::panicked()
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<AskedError> for ApiError {
    fn from(error: AskedError) -> Self {
        Self { hint: error.hint().map(str::to_owned), ..Self::validation(error.to_string()) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: self.message, error_type: self.kind, hint: self.hint };
        let mut response = (self.status, Json(body)).into_response();
        let header = match self.status {
            StatusCode::TOO_MANY_REQUESTS => Some((header::RETRY_AFTER, "1")),
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
            _ => None,
        };
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
