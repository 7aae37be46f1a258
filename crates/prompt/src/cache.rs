//! Replies on disk: a file for each, named by the SHA-256 of model and request, written aside and renamed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vulnlens_files::{FileError, WholeFile, read_if_there, sha256_hex};

use crate::client::Completion;

/// The form of the entries.
const VERSION: u32 = 1;
/// The longest entry that is read: twice the longest reply, as escapes take room.
const LONGEST: u64 = 2 * crate::client::LONGEST_REPLY;
/// Digits of a key that name the folder of its entry, so that no folder gets too many files.
const SHARD: usize = 2;

/// A folder of replies.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

/// What a cache has for a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cached {
    /// A reply.
    Found(Completion),
    /// Nothing.
    Missing,
    /// An entry that is not as it was written.
    Damaged,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    version: u32,
    key: String,
    /// SHA-256 of the key and the completion as JSON.
    sha256: String,
    completion: Completion,
}

/// The name of a request in the cache.
pub(crate) fn key(model: &str, body: &[u8]) -> String {
    // Lengths first, so that no model's name can run into a body.
    let mut bytes = format!("{} {} ", model.len(), body.len()).into_bytes();
    bytes.extend_from_slice(model.as_bytes());
    bytes.extend_from_slice(body);
    sha256_hex(bytes)
}

impl Cache {
    /// The cache in a folder, which is created where it is missing.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        std::fs::create_dir_all(folder).map_err(FileError::write(folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The reply to the request with this key.
    pub(crate) fn find(&self, key: &str) -> Cached {
        let bytes = match read_if_there(&self.path(key), LONGEST) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Cached::Missing,
            Err(_) => return Cached::Damaged,
        };
        let entry: Option<Entry> = serde_json::from_slice(&bytes).ok();
        let is_whole = |entry: &Entry| {
            entry.version == VERSION && entry.key == key && entry.sha256 == checksum(key, &entry.completion)
        };
        entry.filter(is_whole).map_or(Cached::Damaged, |entry| Cached::Found(entry.completion))
    }

    /// Keeps a reply.
    pub(crate) fn keep(&self, key: &str, completion: &Completion) -> Result<(), FileError> {
        let path = self.path(key);
        let folder = vulnlens_files::folder_of(&path);
        std::fs::create_dir_all(folder).map_err(FileError::write(folder))?;
        let sha256 = checksum(key, completion);
        let entry = Entry { version: VERSION, key: key.to_owned(), sha256, completion: completion.clone() };
        // Texts and numbers always become JSON.
        WholeFile::write(&path, serde_json::to_vec(&entry).unwrap_or_default())
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(key.get(..SHARD).unwrap_or_default()).join(format!("{key}.json"))
    }
}

fn checksum(key: &str, completion: &Completion) -> String {
    let json = serde_json::to_string(completion).unwrap_or_default();
    sha256_hex(format!("{key} {json}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_until_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("new/cache")).unwrap();
        let (one, other) = (key("m", b"body"), key("mb", b"ody"));
        assert_ne!(one, other);
        let completion = Completion { content: "{\"labels\":[]}".to_owned(), ..Completion::default() };
        assert_eq!(cache.find(&one), Cached::Missing);
        cache.keep(&one, &completion).unwrap();
        assert_eq!((cache.find(&one), cache.find(&other)), (Cached::Found(completion), Cached::Missing));
        let path = cache.path(&one);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(cache.find(&one), Cached::Damaged, "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.find(&one), Cached::Damaged, "cut at {at}");
        }
        // An entry under the name of another request does not answer that.
        std::fs::create_dir_all(cache.path(&other).parent().unwrap()).unwrap();
        std::fs::write(cache.path(&other), &whole).unwrap();
        assert_eq!(cache.find(&other), Cached::Damaged);
    }
}
