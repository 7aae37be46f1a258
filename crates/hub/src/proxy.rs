//! The proxy that requests go through.

use std::fmt;

/// A proxy and the hosts that are reached without it. `Debug` hides user name and password.
#[derive(Clone)]
pub struct Proxy(ureq::Proxy);

/// The reason why a text is not a [`Proxy`]. The text, which may hold a password, is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a proxy's address is `http://host:port` or `https://host:port`, optionally with `user:password@`")]
pub struct ProxyError;

impl Proxy {
    /// A proxy from an address as in `HTTPS_PROXY` and a list of exceptions as in `NO_PROXY`: host names with
    /// commas between, `*` at either end for any host that ends or begins so.
    ///
    /// # Errors
    /// When the address is not one.
    pub fn parse(address: &str, exceptions: &str) -> Result<Self, ProxyError> {
        let plain = ureq::Proxy::new(address.trim()).map_err(|_| ProxyError)?;
        let mut builder = ureq::Proxy::builder(plain.protocol()).host(plain.host()).port(plain.port());
        if let Some(user) = plain.username() {
            builder = builder.username(user);
        }
        if let Some(password) = plain.password() {
            builder = builder.password(password);
        }
        for exception in exceptions.split(',').map(str::trim).filter(|exception| !exception.is_empty()) {
            builder = builder.no_proxy(exception);
        }
        builder.build().map(Self).map_err(|_| ProxyError)
    }

    pub(crate) fn into_inner(self) -> ureq::Proxy {
        self.0
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Proxy({}:{})", self.0.host(), self.0.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_keeps_its_password_and_its_exceptions() {
        let proxy = Proxy::parse("http://me:p%40ss@proxy.example:3128", "localhost, *.intern").unwrap();
        assert_eq!(format!("{proxy:?}"), "Proxy(proxy.example:3128)");
        let inner = proxy.into_inner();
        assert_eq!((inner.username(), inner.password()), (Some("me"), Some("p@ss")));
        assert!(inner.is_no_proxy(&"http://a.intern/x".parse().unwrap()));
        assert!(!inner.is_no_proxy(&"http://huggingface.co/x".parse().unwrap()));
        assert!(Proxy::parse("gopher://x", "").is_err());
    }
}
