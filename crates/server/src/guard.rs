//! Guards in front of every route: whose names and pages may ask, the key, the number of requests, the count of all.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::ApiError;
use crate::host::{is_own, is_own_origin};

/// The route of a request that matches none.
const NO_ROUTE: &str = "none";

/// Routes without a key: what is asked before there is one.
const OPEN: [&str; 6] = ["/", "/page.css", "/page.js", "/health", "/ping", "/favicon.ico"];

/// Counts requests and tells of each, without its text.
pub(crate) async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let _in_flight = app.metrics.begin();
    let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let mut response = next.run(request).await;
    let took = begun.elapsed();
    app.metrics.answered(&route, response.status().as_u16(), took);
    let milliseconds = took.as_secs_f64() * 1e3;
    tracing::info!(%method, route, status = response.status().as_u16(), milliseconds, "request");
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(total) = HeaderValue::from_str(&took.as_millis().to_string()) {
        headers.insert(HeaderName::from_static("x-total-time"), total);
    }
    response
}

/// Refuses requests that a foreign page made, or that lack the key.
pub(crate) async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match check(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(app: &App, request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let forbidden = |message: String| ApiError::new(StatusCode::FORBIDDEN, "Forbidden", message);
    let host = text(headers, header::HOST).or_else(|| request.uri().authority().map(|own| own.as_str()));
    let host =
        host.ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "Validation", "there is no Host"))?;
    if !is_own(host, &app.settings.hosts) {
        return Err(forbidden(format!("{host:?} is not a name of this server"))
            .hint("call it by its address or as localhost, or start it with --host NAME"));
    }
    let foreign = |origin: &&str| !is_own_origin(origin, host, &app.settings.hosts);
    if let Some(origin) = text(headers, header::ORIGIN).filter(foreign) {
        return Err(forbidden(format!("pages of {origin:?} may not ask this server")));
    }
    let Some(key) = &app.settings.api_key else { return Ok(()) };
    let is_open = OPEN.contains(&request.uri().path()) && request.method() == axum::http::Method::GET;
    let bearer = text(headers, header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let given = bearer.or_else(|| text(headers, HeaderName::from_static("x-api-key")));
    if is_open || given.is_some_and(|given| key.is(given.trim().as_bytes())) {
        return Ok(());
    }
    let message = if given.is_some() { "the key is wrong" } else { "a key is needed" };
    Err(ApiError::new(StatusCode::UNAUTHORIZED, "Unauthorized", message)
        .hint("send the header Authorization: Bearer KEY"))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Refuses requests beyond those that the server takes at once.
pub(crate) async fn limit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.requests.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => ApiError::overloaded().into_response(),
    }
}
