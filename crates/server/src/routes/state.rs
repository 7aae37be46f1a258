//! The state of the server: that it answers, and its metrics.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use crate::app::App;
use crate::forms::{KnownErrors, OpenErrors};

#[utoipa::path(
    get,
    path = "/health",
    tag = "server",
    summary = "Tell that the server answers",
    security(()),
    responses((status = 200, description = "It does"), OpenErrors)
)]
pub(super) async fn health() -> StatusCode {
    StatusCode::OK
}

#[utoipa::path(
    get,
    path = "/ping",
    tag = "server",
    summary = "Tell that the server answers",
    security(()),
    responses((status = 200, description = "It does"), OpenErrors)
)]
pub(super) async fn ping() -> StatusCode {
    StatusCode::OK
}

#[utoipa::path(
    get,
    path = "/metrics",
    tag = "server",
    summary = "Measure the server, for Prometheus",
    responses(
        (status = 200, description = "The metrics", content_type = "application/openmetrics-text", body = String),
        KnownErrors,
    )
)]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.text())
}
