//! The hub's address, and the forms of URLs below it and of redirects from it.

use std::fmt;

use ureq::http::Uri;

/// The address of a hub: `https://huggingface.co` or a mirror of it, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    text: String,
    origin: Origin,
}

/// Scheme, host and port: what a token may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The scheme, `https` or `http`.
    pub scheme: String,
    /// The host's name or address, in lower case.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The reason why a text is not an [`Endpoint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a hub's address is `https://host`, or `http://host:port` for a mirror, without a user name or a query"
)]
pub struct EndpointError;

impl Endpoint {
    /// The address that `text` gives; slashes at its end are dropped.
    ///
    /// # Errors
    /// When it is not an `http` or `https` address, or holds a user name, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim().trim_end_matches('/');
        if text.contains(['@', '?', '#']) {
            return Err(EndpointError);
        }
        let uri: Uri = text.parse().map_err(|_| EndpointError)?;
        let origin = Origin::of(&uri).ok_or(EndpointError)?;
        Ok(Self { text: text.to_owned(), origin })
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl Default for Endpoint {
    /// The public hub, `https://huggingface.co`.
    fn default() -> Self {
        let [scheme, host] = ["https", "huggingface.co"].map(str::to_owned);
        Self { text: format!("{scheme}://{host}"), origin: Origin { scheme, host, port: 443 } }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Origin {
    /// The origin of an absolute `http` or `https` address.
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        Some(Self { scheme, host, port: uri.port_u16().unwrap_or(usual) })
    }
}

/// The target of a redirect: `location` as seen from `base`. `None` when it is not an address, or one that would
/// leave `https` for `http`.
#[must_use]
pub fn redirected(base: &Uri, location: &str) -> Option<Uri> {
    let scheme = base.scheme_str()?;
    let target = if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{}{location}", base.authority()?)
    } else {
        location.to_owned()
    };
    let target: Uri = target.split('#').next()?.parse().ok()?;
    let origin = Origin::of(&target)?;
    (scheme == "http" || origin.scheme == "https").then_some(target)
}

/// `text` with everything percent-encoded but letters, digits, `-`, `_`, `.`, `~` and what `keep` lists.
pub(crate) fn percent_encode(text: &str, keep: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || keep.as_bytes().contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_without_secrets() {
        assert_eq!(
            Endpoint::parse("https://hf.example/mirror//").unwrap().as_str(),
            "https://hf.example/mirror"
        );
        assert_eq!(Endpoint::parse("https://huggingface.co/"), Ok(Endpoint::default()));
        for bad in
            ["", "huggingface.co", "ftp://x", "https://", "https://me:pw@host", "https://h?x=1", "file:///x"]
        {
            assert_eq!(Endpoint::parse(bad), Err(EndpointError), "{bad}");
        }
    }

    #[test]
    fn origins_differ_by_scheme_host_and_port() {
        let origin = |text: &str| Origin::of(&text.parse().unwrap());
        assert_eq!(origin("https://Hub/a"), origin("https://hub:443/b"));
        assert_ne!(origin("https://hub/a"), origin("http://hub/a"));
        assert_ne!(origin("http://hub:80/a"), origin("http://hub:81/a"));
        assert_ne!(origin("https://hub/a"), origin("https://hub.evil/a"));
    }

    #[test]
    fn redirects_are_joined_and_never_lose_encryption() {
        let base: Uri = "https://hub:8443/a/b".parse().unwrap();
        let cases = [
            ("/c?x=1", Some("https://hub:8443/c?x=1")),
            ("//cdn/c", Some("https://cdn/c")),
            ("https://cdn/c#part", Some("https://cdn/c")),
            ("http://cdn/c", None),
            ("c", None),
            ("file:///etc/passwd", None),
        ];
        for (location, expected) in cases {
            let target = redirected(&base, location).map(|uri| uri.to_string());
            assert_eq!(target.as_deref(), expected, "{location}");
        }
        let plain: Uri = "http://hub/a".parse().unwrap();
        assert!(redirected(&plain, "http://cdn/c").is_some());
    }

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(percent_encode("a b/c\u{e9}~", "/"), "a%20b/c%C3%A9~");
    }
}
