//! Settings of a server.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use vulnlens::CveId;

/// A key that requests have to carry.
#[derive(Clone)]
pub struct ApiKey(Vec<u8>);

impl ApiKey {
    /// The key; blanks around it, as a file's last line feed, are not part of it. `None` where nothing is left.
    #[must_use]
    pub fn new(key: &str) -> Option<Self> {
        Some(key.trim()).filter(|key| !key.is_empty()).map(|key| Self(digest(key.as_bytes())))
    }

    /// True for the same key. The time that it takes tells nothing of the key: checksums are compared, whole.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        let given = digest(given);
        self.0.iter().zip(&given).fold(0, |apart, (a, b)| apart | (a ^ b)) == 0
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// The text of a CVE's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CveText {
    /// The description.
    pub text: String,
    /// The day of publication, as `2021-12-10`.
    pub published: Option<String>,
}

/// Finds the text of a CVE; an error says why the texts cannot be read.
type FindText = dyn Fn(CveId) -> Result<Option<CveText>, String> + Send + Sync;

/// Texts of CVEs that a server knows, such as those of a data set.
#[derive(Clone)]
pub struct CveTexts(Arc<FindText>);

impl CveTexts {
    /// The texts that `find` knows; an error of it says why they cannot be read.
    pub fn new(find: impl Fn(CveId) -> Result<Option<CveText>, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    pub(crate) fn of(&self, cve: CveId) -> Result<Option<CveText>, String> {
        (self.0)(cve)
    }
}

impl std::fmt::Debug for CveTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CveTexts(…)")
    }
}

/// Settings of a server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The key that requests have to carry, but for the page and `/health`.
    pub api_key: Option<ApiKey>,
    /// Names by which the server may be called, beside `localhost` and addresses.
    pub hosts: Vec<String>,
    /// The texts of CVEs that `/v1/records/{cve}` and the page show; none without them.
    pub cve_texts: Option<CveTexts>,
    /// Most bytes of a request in JSON.
    pub body_bytes: usize,
    /// Most bytes of a request with records in another form.
    pub records_bytes: u64,
    /// Most texts of a request in JSON.
    pub texts: usize,
    /// Requests that are worked on, or wait for it, at once; others are told to come again.
    pub requests: usize,
    /// Connections that are open at once; others wait.
    pub connections: usize,
    /// The time that the head of a request, or the next part of its body, may take to come.
    pub patience: Duration,
    /// Threads that a request with many records is shared out to.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_key: None,
            hosts: vec![],
            cve_texts: None,
            body_bytes: 2 << 20,
            records_bytes: 1 << 30,
            texts: 1_000,
            requests: 512,
            connections: 2_048,
            patience: Duration::from_secs(20),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_compared_whole_and_never_shown() {
        let key = ApiKey::new(" secret\n").unwrap();
        assert!(key.is(b"secret"));
        for other in ["", "secre", "secret ", "Secret", "secret2"] {
            assert!(!key.is(other.as_bytes()), "{other:?}");
        }
        assert!(!format!("{key:?}").contains("secret"));
        assert!(ApiKey::new(" \n").is_none());
    }
}
