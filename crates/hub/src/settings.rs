//! Everything the hub is told from outside.

use std::path::PathBuf;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::proxy::Proxy;
use crate::token::Token;

/// The `User-Agent` header of every request.
pub(crate) const USER_AGENT: &str = concat!("vulnlens/", env!("CARGO_PKG_VERSION"));

/// Settings of a [`Hub`](crate::Hub), made by hand or by [`Settings::from_variables`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// The hub cache: the folder that holds `models--ORG--NAME`.
    pub cache: PathBuf,
    /// The hub to ask.
    pub endpoint: Endpoint,
    /// Sent to the endpoint, and to nothing else.
    pub token: Option<Token>,
    /// True where the network may not be used.
    pub offline: bool,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// The time limits.
    pub timeouts: Timeouts,
    /// The proxy to go through.
    pub proxy: Option<Proxy>,
    /// A file of root certificates (PEM) to trust in place of Mozilla's.
    pub certificates: Option<PathBuf>,
}

/// Time limits for the other side. There is no limit on the length of a download as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, encryption included.
    pub connect: Duration,
    /// For the headers of an answer.
    pub response: Duration,
    /// For the next bytes of a file.
    pub stall: Duration,
}

impl Default for Timeouts {
    /// Ten seconds each, as huggingface_hub; thirty for the next bytes.
    fn default() -> Self {
        let [connect, response, stall] = [10, 10, 30].map(Duration::from_secs);
        Self { connect, response, stall }
    }
}

impl Settings {
    /// The public hub without a token, and a cache folder.
    #[must_use]
    pub fn new(cache: PathBuf) -> Self {
        Self {
            cache,
            endpoint: Endpoint::default(),
            token: None,
            offline: false,
            user_agent: USER_AGENT.to_owned(),
            timeouts: Timeouts::default(),
            proxy: None,
            certificates: None,
        }
    }
}
