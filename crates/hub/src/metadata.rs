//! The hub's answer about a file before it is downloaded.

use ureq::http::HeaderMap;

/// The hub's name for the bytes of a file: SHA-256 for large files, git's hash for others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Etag(String);

/// A file's name for its bytes and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) etag: Etag,
    pub(crate) size: u64,
}

/// The headers of one file, gathered over the answers of a chain of redirects; the first that says something
/// counts, as later ones come from further away.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) commit: Option<String>,
    linked_etag: Option<String>,
    linked_size: Option<String>,
    etag: Option<String>,
    size: Option<String>,
}

impl Etag {
    /// The etag in a header: quotes and the mark of a weak one are dropped. `None` when it could not be a file's
    /// name.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let text = header.trim();
        let text = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        ((1..=128).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The SHA-256 that the etag spells, in lower-case digits, where it is one.
    pub(crate) fn sha256(&self) -> Option<String> {
        let digits = self.0.len() == 64 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| self.0.to_ascii_lowercase())
    }
}

impl Gathered {
    /// Adds one answer; `last` when no redirect follows, so that its own length and etag are the file's.
    pub(crate) fn add(&mut self, headers: &HeaderMap, last: bool) {
        let keep = |slot: &mut Option<String>, name: &str| {
            let value = || headers.get(name)?.to_str().ok().map(str::to_owned);
            *slot = slot.take().or_else(value);
        };
        keep(&mut self.commit, "x-repo-commit");
        keep(&mut self.linked_etag, "x-linked-etag");
        keep(&mut self.linked_size, "x-linked-size");
        if last {
            keep(&mut self.etag, "etag");
            keep(&mut self.size, "content-length");
        }
    }

    /// True if the hub has given every header that is needed, so that no redirect is followed.
    pub(crate) fn is_linked(&self) -> bool {
        self.commit.is_some() && self.linked_etag.is_some() && self.linked_size.is_some()
    }

    /// The file's metadata, or what is missing for it.
    pub(crate) fn finish(self) -> Result<Metadata, &'static str> {
        let etag = self.linked_etag.or(self.etag).ok_or("no ETag header")?;
        let size = self.linked_size.or(self.size).ok_or("no Content-Length header")?;
        Ok(Metadata {
            etag: Etag::parse(&etag).ok_or("an ETag that cannot name a file")?,
            size: size.trim().parse().map_err(|_| "a length that is not a number")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_a_safe_file_name() {
        for header in ["\"abc-1\"", "W/\"abc-1\"", " abc-1 "] {
            assert_eq!(Etag::parse(header).unwrap().as_str(), "abc-1");
        }
        let long = "a".repeat(129);
        for bad in ["", "\"\"", "../x", "a/b", "a\\b", "a.incomplete", "..", "a b", &long] {
            assert_eq!(Etag::parse(bad), None, "{bad}");
        }
        assert_eq!(Etag::parse(&"Ab".repeat(32)).unwrap().sha256(), Some("ab".repeat(32)));
        assert_eq!(Etag::parse(&"ab".repeat(20)).unwrap().sha256(), None);
    }

    #[test]
    fn the_linked_headers_of_the_first_answer_count() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect::<HeaderMap>()
        };
        let mut gathered = Gathered::default();
        gathered.add(
            &headers(&[("x-linked-etag", "\"big\""), ("x-linked-size", "9"), ("content-length", "1")]),
            false,
        );
        gathered.add(&headers(&[("etag", "\"cdn\""), ("content-length", "2"), ("x-repo-commit", "c")]), true);
        assert_eq!(gathered.commit.as_deref(), Some("c"));
        assert_eq!(gathered.finish(), Ok(Metadata { etag: Etag::parse("big").unwrap(), size: 9 }));
        let mut gathered = Gathered::default();
        gathered.add(&headers(&[("etag", "x"), ("content-length", "-1")]), true);
        assert_eq!(gathered.finish(), Err("a length that is not a number"));
    }
}
