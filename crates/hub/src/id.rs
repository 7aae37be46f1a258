//! Names on the hub: repositories, revisions, commits.

use std::fmt;
use std::str::FromStr;

use vulnlens_files::{Classified, ErrorKind};

/// Longest name that the hub accepts, for an organisation and for a repository each.
const MAX_NAME: usize = 96;
/// Longest revision accepted here; git itself stops at the file system's limit.
const MAX_REVISION: usize = 200;

/// A repository of the hub: `NAME` or `ORG/NAME`, under the rules of huggingface_hub's `validate_repo_id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoId(String);

/// A branch, a tag, a reference such as `refs/pr/1`, or a full commit id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(String);

/// A full commit id: 40 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commit(String);

/// A repository at a revision, written `ORG/NAME` (the branch `main`) or `ORG/NAME@revision`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HubId {
    /// The repository.
    pub repo: RepoId,
    /// The revision of it.
    pub revision: Revision,
}

/// The reason why a text is not a [`HubId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// More than one slash: an organisation and a name are all there is.
    #[error("`{0}` is not a model id: at most one `/` may stand between organisation and name")]
    Slashes(String),
    /// A name is empty, too long, has other characters, or begins or ends with `-` or `.`.
    #[error(
        "`{0}` is not a model id: organisation and name are 1 to {MAX_NAME} letters, digits, `-`, `_` or `.`, \
         and neither begin nor end with `-` or `.`"
    )]
    Name(String),
    /// `--` and `..` are not allowed, nor is `.git` at the end.
    #[error("`{0}` is not a model id: it may not hold `--` or `..`, nor end with `.git`")]
    Sequence(String),
    /// The revision could not be a git reference.
    #[error("`{0}` is not a revision: give a branch, a tag or a full commit id")]
    Revision(String),
}

impl Classified for IdError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Arguments
    }
}

impl RepoId {
    /// The id as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder of this repository in a cache.
    pub(crate) fn folder_name(&self) -> String {
        format!("models--{}", self.0.replace('/', "--"))
    }
}

impl Revision {
    /// The branch that the hub shows first.
    #[must_use]
    pub fn main() -> Self {
        Self("main".to_owned())
    }

    /// The revision as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The commit, where the revision is one.
    #[must_use]
    pub fn as_commit(&self) -> Option<Commit> {
        Commit::parse(&self.0)
    }

    /// The revision as one segment of a URL.
    pub(crate) fn url_segment(&self) -> String {
        crate::endpoint::percent_encode(&self.0, "")
    }
}

impl Commit {
    /// The commit that `text` spells, if it does.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 40 && text.bytes().all(hexadecimal)).then(|| Self(text.to_owned()))
    }

    /// The 40 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    bytes.len() <= MAX_NAME
        && ends.iter().all(|end| end.is_some_and(|&byte| is_word(byte)))
        && bytes.iter().all(|&byte| is_word(byte) || byte == b'-' || byte == b'.')
}

impl FromStr for RepoId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.matches('/').count() > 1 {
            return Err(IdError::Slashes(text.to_owned()));
        }
        if !text.split('/').all(is_name) {
            return Err(IdError::Name(text.to_owned()));
        }
        if text.contains("--") || text.contains("..") || text.ends_with(".git") {
            return Err(IdError::Sequence(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for Revision {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let plain = |c: char| c.is_alphanumeric() || "._-+=/@".contains(c);
        let part = |part: &str| {
            !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.ends_with(".lock")
        };
        let fits = text.len() <= MAX_REVISION && text.chars().all(plain) && !text.contains("..");
        if fits && text.split('/').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::Revision(text.to_owned()))
        }
    }
}

impl FromStr for HubId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('@') {
            Some((repo, revision)) => Ok(Self { repo: repo.parse()?, revision: revision.parse()? }),
            None => Ok(Self { repo: text.parse()?, revision: Revision::main() }),
        }
    }
}

impl From<RepoId> for HubId {
    fn from(repo: RepoId) -> Self {
        Self { repo, revision: Revision::main() }
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for HubId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.revision == Revision::main() {
            return write!(formatter, "{}", self.repo);
        }
        write!(formatter, "{}@{}", self.repo, self.revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_read_as_huggingface_hub_reads_them() {
        for good in ["foo", "foo/bar", "123", "Foo-BAR_foo.bar123", "a/b", "_x/y_"] {
            assert_eq!(good.parse::<RepoId>().unwrap().as_str(), good);
        }
        let long = "a".repeat(97);
        for bad in
            ["", "/", "a/", "/a", ".repo", "repo.", "-a", "a-", "a/-b", "a b", "a\\b", "C:", "\u{e9}", &long]
        {
            assert_eq!(bad.parse::<RepoId>(), Err(IdError::Name(bad.to_owned())));
        }
        for bad in ["foo--bar", "other..repo", "foo.git", "a/b.git"] {
            assert_eq!(bad.parse::<RepoId>(), Err(IdError::Sequence(bad.to_owned())));
        }
        assert_eq!(
            "datasets/foo/bar".parse::<RepoId>(),
            Err(IdError::Slashes("datasets/foo/bar".to_owned()))
        );
    }

    #[test]
    fn a_revision_follows_the_at_sign() {
        let id: HubId = "org/name@refs/pr/1".parse().unwrap();
        assert_eq!((id.repo.as_str(), id.revision.as_str()), ("org/name", "refs/pr/1"));
        assert_eq!(id.to_string(), "org/name@refs/pr/1");
        assert_eq!(id.revision.url_segment(), "refs%2Fpr%2F1");
        assert_eq!("org/name".parse::<HubId>().unwrap().to_string(), "org/name");
        assert_eq!("org/name".parse::<RepoId>().unwrap().folder_name(), "models--org--name");
        for bad in
            ["o/n@", "o/n@../x", "o/n@a/../b", "o/n@/etc", "o/n@a//b", "o/n@a\\b", "o/n@a b", "o/n@x.lock"]
        {
            assert!(matches!(bad.parse::<HubId>(), Err(IdError::Revision(_))), "{bad}");
        }
    }

    #[test]
    fn a_commit_is_forty_lower_case_digits() {
        let digits = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(Commit::parse(digits).unwrap().as_str(), digits);
        assert!(digits.parse::<Revision>().unwrap().as_commit().is_some());
        assert_eq!(Commit::parse(&digits.to_uppercase()), None);
        assert_eq!(Commit::parse(&digits[1..]), None);
    }

    proptest! {
        #[test]
        fn whatever_parses_is_a_safe_path_and_prints_as_it_was(text in "\\PC{0,12}(/\\PC{0,12})?(@\\PC{0,12})?") {
            if let Ok(id) = text.parse::<HubId>() {
                prop_assert_eq!(id.to_string().parse::<HubId>().unwrap(), id.clone());
                prop_assert!(!id.repo.folder_name().contains(['/', '\\']) && !id.repo.folder_name().contains(".."));
                prop_assert!(id.revision.as_str().split('/').all(|part| !part.is_empty() && part != ".."));
            }
        }
    }
}
