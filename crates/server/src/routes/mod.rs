//! The routes: one file for each who speaks so.

mod body;
mod classify;
mod enrich;
mod gateway;
mod kb;
mod known;
#[cfg(feature = "mcp")]
mod mcp;
mod models;
mod openapi;
mod page;
mod predict;
mod query;
mod records;
mod review;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::app::App;
use crate::error::ApiError;
use crate::guard;

/// All routes of a server.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let answering = Router::new()
        .route("/v1/classify", post(classify::classify))
        .route("/v1/explain", post(classify::explain))
        .route("/predict", post(predict::predict))
        .route("/", post(predict::inference).get(page::page))
        .route("/classify/attack-techniques", post(gateway::techniques))
        .route("/classify/cwe", post(gateway::weaknesses))
        .route("/classify/severity", post(gateway::severity))
        .route("/v1/review", post(review::review))
        .route("/v1/enrich", post(enrich::enrich));
    #[cfg(feature = "mcp")]
    let answering = answering.route_service("/mcp", mcp::service(app));
    let answering = answering.layer(from_fn_with_state(Arc::clone(app), guard::limit));
    let known = Router::new()
        .route("/v1/kb/{id}", get(kb::entry))
        .route("/v1/records/{cve}", get(known::record))
        .route("/v1/models", get(models::models))
        .route("/v1/openapi.json", get(openapi::openapi))
        .route("/v1/matrix", get(kb::matrix))
        .route("/info", get(models::info))
        .route("/health", get(state::health))
        .route("/ping", get(state::ping))
        .route("/metrics", get(state::metrics))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .route("/favicon.ico", get(page::icon));
    answering
        .merge(known)
        .fallback(no_route)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(Arc::clone(app), guard::admit))
        .layer(from_fn_with_state(Arc::clone(app), guard::count))
        .layer(from_fn(page::security))
        .with_state(Arc::clone(app))
}

async fn no_route() -> ApiError {
    ApiError::not_found("there is no such route").hint("docs/serving.md lists them")
}

async fn other_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "the route has no such method")
        .hint("the header Allow lists those that it has")
}
