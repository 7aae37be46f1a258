//! The page for people: plain HTML, CSS and JavaScript, nothing from elsewhere.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::forms::OpenErrors;

const PAGE: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../page/page.css");
const SCRIPT: &str = include_str!("../page/page.js");
const ICON: &str = include_str!("../page/icon.svg");

/// The content-security policy: its own files and requests to its own server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /`.
#[utoipa::path(
    get,
    path = "/",
    tag = "server",
    summary = "Show the page",
    security(()),
    responses((status = 200, description = "A file", content_type = "text/html", body = String), OpenErrors)
)]
pub(super) async fn page() -> Response {
    asset("text/html; charset=utf-8", PAGE)
}

/// `GET /page.css`.
#[utoipa::path(
    get,
    path = "/page.css",
    tag = "server",
    summary = "Style the page",
    security(()),
    responses((status = 200, description = "A file", content_type = "text/css", body = String), OpenErrors)
)]
pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

/// `GET /page.js`.
#[utoipa::path(
    get,
    path = "/page.js",
    tag = "server",
    summary = "Run the page",
    security(()),
    responses((status = 200, description = "A file", content_type = "text/javascript", body = String), OpenErrors)
)]
pub(super) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// `GET /favicon.ico`.
#[utoipa::path(
    get,
    path = "/favicon.ico",
    tag = "server",
    summary = "Show the icon",
    security(()),
    responses((status = 200, description = "A file", content_type = "image/svg+xml", body = String), OpenErrors)
)]
pub(super) async fn icon() -> Response {
    asset("image/svg+xml", ICON)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    // The files change with the program, whose next version has the same addresses.
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

/// Adds the headers that keep a page from doing more than it should.
pub(super) async fn security(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let name = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(name, HeaderValue::from_static("same-origin"));
    response
}
