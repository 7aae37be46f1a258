//! The address of an endpoint, and the key that goes to it alone.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;
use vulnlens_hub::Origin;

use crate::error::PromptError;

/// The path of chat completions below the address.
const PATH: &str = "chat/completions";

/// The address of an OpenAI-compatible endpoint, to which `/chat/completions` is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    origin: Origin,
}

impl Endpoint {
    /// The endpoint at `address`, such as `http://127.0.0.1:8080/v1`. Plain `http` is for this machine, unless
    /// `allow_http` is set.
    ///
    /// # Errors
    /// It is not an address, or one that would send texts in the clear.
    pub fn parse(address: &str, allow_http: bool) -> Result<Self, PromptError> {
        let base = address.trim().trim_end_matches('/');
        let wrong = || PromptError::Address { address: shown(base) };
        if base.contains(['@', '?', '#']) {
            return Err(wrong());
        }
        let uri: Uri = format!("{base}/{PATH}").parse().map_err(|_| wrong())?;
        let origin = Origin::of(&uri).ok_or_else(wrong)?;
        let endpoint = Self { uri, origin };
        if endpoint.origin.scheme == "http" && !allow_http && !endpoint.is_loopback() {
            return Err(PromptError::PlainHttp { host: endpoint.origin.host });
        }
        Ok(endpoint)
    }

    /// The address that requests go to.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// `https` or `http`.
    pub(crate) fn scheme(&self) -> &str {
        &self.origin.scheme
    }

    /// True if the endpoint is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.origin.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

/// The key of an endpoint. `Debug` hides it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The key in `text`, without white space around it.
    ///
    /// # Errors
    /// It is empty, or could not stand in an HTTP header.
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        let text = text.trim();
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned())).ok_or(PromptError::Key)
    }

    /// The value of the `Authorization` header.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// The printable beginning of a text from outside.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_without_secrets() {
        let parsed = Endpoint::parse(" https://llm.example/v1/ ", false).unwrap();
        assert_eq!(parsed.to_string(), "https://llm.example/v1/chat/completions");
        for wrong in
            ["ftp://host/v1", "host/v1", "https://me:pw@host/v1", "https://host/v1?key=1", "", "https://"]
        {
            let error = Endpoint::parse(wrong, true).unwrap_err();
            assert!(matches!(error, PromptError::Address { .. }), "{wrong}: {error}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for here in
            ["http://127.0.0.1:8080/v1", "http://localhost/v1", "http://[::1]:1/v1", "HTTP://LOCALHOST/v1"]
        {
            assert!(Endpoint::parse(here, false).is_ok(), "{here}");
        }
        for away in ["http://10.0.0.1/v1", "http://localhost.example/v1", "http://127.0.0.1.example/v1"] {
            assert!(matches!(Endpoint::parse(away, false), Err(PromptError::PlainHttp { .. })), "{away}");
            assert!(Endpoint::parse(away, true).is_ok());
        }
    }

    #[test]
    fn a_key_never_shows_itself() {
        let key = Key::parse(" sk-secret\n").unwrap();
        assert_eq!(
            (key.bearer().as_str(), format!("{key:?}").contains("secret")),
            ("Bearer sk-secret", false)
        );
        for wrong in ["", "two words", "a\r\nX-Injected: 1", "\u{e9}"] {
            assert!(Key::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
