//! Bodies of requests.

use std::error::Error;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::error::ApiError;
use crate::json::Object;

/// The type of a body without its parameters, in small letters; empty where none is given.
pub(super) fn kind(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The length of a body, if it is known before it comes.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    let is_chunked = headers.contains_key(header::TRANSFER_ENCODING);
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    // A request that announces nothing has none.
    announced.or((!is_chunked).then_some(0))
}

/// A request's body as a value.
///
/// # Errors
/// The body is not JSON, too long, not of the form, or has a field that the form lacks; the message names it.
pub(super) async fn json<T: DeserializeOwned>(request: Request, limit: usize) -> Result<T, ApiError> {
    let kind = kind(request.headers());
    if kind != "application/json" {
        let found = if kind.is_empty() { "none is given".to_owned() } else { format!("it is {kind}") };
        let message = format!("the Content-Type must be application/json; {found}");
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
            .hint("send the header Content-Type: application/json"));
    }
    parse(&whole(request.into_body(), limit).await?)
}

/// Parses JSON.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let read = serde_json::from_slice(bytes).map(|Object(value)| value);
    read.map_err(|error: serde_json::Error| {
        let message = format!("the body: {error}");
        match error.is_data() {
            true => ApiError::validation(message),
            false => {
                ApiError::new(StatusCode::BAD_REQUEST, "Validation", message).hint("it must be JSON in UTF-8")
            }
        }
    })
}

/// A body, whole.
///
/// # Errors
/// It is too long, too slow, or was broken off.
pub(super) async fn whole(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    to_bytes(body, limit).await.map_err(|error| reading(&error, limit as u64))
}

/// The error of a body that cannot be read.
pub(super) fn reading(error: &(dyn Error + 'static), limit: u64) -> ApiError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return ApiError::too_large(limit);
        }
        if error.is::<tower_http::timeout::TimeoutError>() {
            return ApiError::new(StatusCode::REQUEST_TIMEOUT, "Timeout", "the body came too slowly");
        }
        cause = error.source();
    }
    ApiError::new(StatusCode::BAD_REQUEST, "Validation", format!("the body was broken off: {error}"))
}
