//! The tools over streamable HTTP.

use std::sync::Arc;

use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use crate::toolbox::Toolbox;

/// The tools over streamable HTTP, as a service of tower.
pub type HttpService = StreamableHttpService<Toolbox, NeverSessionManager>;

/// The service of a toolbox: each request stands for itself and is answered in JSON, without a session or a stream.
///
/// It checks neither `Host` nor `Origin` nor a key: the server around it does.
#[must_use]
pub fn http_service(toolbox: Toolbox) -> HttpService {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(None)
        .disable_allowed_hosts()
        .with_max_request_body_bytes(toolbox.limits.message_bytes);
    let sessions = Arc::new(NeverSessionManager::default());
    StreamableHttpService::new(move || Ok(toolbox.clone()), sessions, config)
}
