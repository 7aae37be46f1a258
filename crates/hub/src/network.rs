//! The network as all requests of the workspace reach it: encryption, proxy, time limits. Redirects are followed by
//! whoever asks, for only that one knows which hosts may be asked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::error::{Disk, HubError};
use crate::proxy::Proxy;
use crate::settings::{Timeouts, USER_AGENT};
use crate::variables::{SettingsError, Variables};

/// The way to other hosts than a hub, made by hand or by [`Network::from_variables`].
#[derive(Debug, Clone)]
pub struct Network {
    /// True where the network may not be used.
    pub offline: bool,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// The time limits.
    pub timeouts: Timeouts,
    /// The proxy for `https` addresses.
    pub https_proxy: Option<Proxy>,
    /// The proxy for `http` addresses.
    pub http_proxy: Option<Proxy>,
    /// A file of root certificates (PEM) to trust in place of Mozilla's.
    pub certificates: Option<PathBuf>,
}

/// The time for the headers of an answer: NVD's API thinks for half a minute.
const RESPONSE: Duration = Duration::from_secs(60);

impl Default for Network {
    fn default() -> Self {
        Self {
            offline: false,
            user_agent: USER_AGENT.to_owned(),
            timeouts: Timeouts { response: RESPONSE, ..Timeouts::default() },
            https_proxy: None,
            http_proxy: None,
            certificates: None,
        }
    }
}

impl Network {
    /// The network as the environment describes it, which `lookup` reads, by the variables of
    /// [`Settings::from_variables`](crate::Settings::from_variables) for offline, certificates and proxies.
    ///
    /// # Errors
    /// When a variable is malformed.
    pub fn from_variables(
        lookup: impl Fn(&str) -> Option<OsString>,
        home: Option<PathBuf>,
    ) -> Result<Self, SettingsError> {
        let variables = Variables::new(lookup, home);
        Ok(Self {
            offline: variables.offline(),
            https_proxy: variables.proxy("https")?,
            http_proxy: variables.proxy("http")?,
            certificates: variables.certificates(),
            ..Self::default()
        })
    }

    /// An agent for addresses of a scheme, `https` or `http`.
    ///
    /// # Errors
    /// The file of certificates cannot be used.
    pub fn agent(&self, scheme: &str) -> Result<Agent, HubError> {
        let proxy = if scheme == "http" { &self.http_proxy } else { &self.https_proxy };
        agent(self.timeouts, proxy.as_ref(), self.certificates.as_deref())
    }
}

/// An agent that follows no redirect and takes every status for an answer.
pub(crate) fn agent(
    wait: Timeouts,
    proxy: Option<&Proxy>,
    certificates: Option<&Path>,
) -> Result<Agent, HubError> {
    let tls = TlsConfig::builder().root_certs(root_certificates(certificates)?).build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(proxy.cloned().map(Proxy::into_inner))
        .tls_config(tls)
        .timeout_resolve(Some(wait.connect))
        .timeout_connect(Some(wait.connect))
        .timeout_recv_response(Some(wait.response))
        .timeout_per_read(Some(wait.stall))
        .build();
    Ok(config.new_agent())
}

/// Mozilla's roots, or those in a file.
fn root_certificates(path: Option<&Path>) -> Result<RootCerts, HubError> {
    let Some(path) = path else { return Ok(RootCerts::WebPki) };
    let pem = std::fs::read(path).map_err(|error| Disk::new("read the certificates", path, error))?;
    let unusable = |reason: &str| HubError::Certificates { path: path.to_owned(), reason: reason.into() };
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| unusable(&error.to_string()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() { Err(unusable("it holds none")) } else { Ok(certificates.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(variables: &[(&str, &str)]) -> Result<Network, SettingsError> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Network::from_variables(lookup, None)
    }

    #[test]
    fn the_environment_describes_the_network_without_a_home() {
        let usual = network(&[]).unwrap();
        assert!(!usual.offline && usual.https_proxy.is_none() && usual.certificates.is_none());
        let set = network(&[
            ("HF_HUB_OFFLINE", "1"),
            ("HTTPS_PROXY", "http://secure.example:3128"),
            ("http_proxy", "http://plain.example:3128"),
            ("REQUESTS_CA_BUNDLE", "/etc/roots.pem"),
        ]);
        let set = set.unwrap();
        assert!(set.offline);
        let shown = |proxy: &Option<Proxy>| format!("{proxy:?}");
        assert_eq!(shown(&set.https_proxy), "Some(Proxy(secure.example:3128))");
        assert_eq!(shown(&set.http_proxy), "Some(Proxy(plain.example:3128))");
        assert_eq!(set.certificates.as_deref(), Some(Path::new("/etc/roots.pem")));
        assert!(network(&[("HTTPS_PROXY", "gopher://x")]).is_err());
        assert!(set.agent("https").is_err(), "the certificates are not there");
    }
}
