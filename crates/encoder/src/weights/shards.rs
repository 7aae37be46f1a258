//! `….index.json`: which file of several holds which tensor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use vulnlens_files::read_at_most;

use super::entry::modern;
use crate::error::{DOWNLOAD_AGAIN, EncoderError};

/// Longest index that is read; those of the largest models have some 5 MB.
const MOST_BYTES: u64 = 32 << 20;

/// Most shards of a checkpoint.
const MOST_SHARDS: usize = 1024;

#[derive(serde::Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The shards' paths beside the index, sorted, each once.
pub(super) fn files(index: &Path) -> Result<Vec<PathBuf>, EncoderError> {
    let names: BTreeSet<String> = read(index)?.weight_map.into_values().collect();
    if names.is_empty() || names.len() > MOST_SHARDS {
        let problem = format!("names {} files, expected 1 to {MOST_SHARDS}", names.len());
        return Err(EncoderError::format(index, problem, DOWNLOAD_AGAIN));
    }
    let folder = index.parent().unwrap_or(Path::new(""));
    names.iter().map(|name| beside(index, folder, name)).collect()
}

/// Checks that every tensor of the index was found in the shards.
pub(super) fn check(index: &Path, found: impl Fn(&str) -> bool) -> Result<(), EncoderError> {
    match read(index)?.weight_map.into_iter().find(|(name, _)| !found(&modern(name))) {
        None => Ok(()),
        Some((name, shard)) => {
            let problem = format!("says that tensor `{name}` is in `{shard}`, which does not hold it");
            Err(EncoderError::format(index, problem, "download the index and the shards again"))
        }
    }
}

fn read(index: &Path) -> Result<Index, EncoderError> {
    let bytes = read_at_most(index, MOST_BYTES)?;
    EncoderError::refuse_pointer(&bytes, index)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        EncoderError::format(index, format!("is not an index of shards: {error}"), DOWNLOAD_AGAIN)
    })
}

/// A shard's path: a plain file name, so that an index cannot reach outside its folder.
fn beside(index: &Path, folder: &Path, name: &str) -> Result<PathBuf, EncoderError> {
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    if !plain || name.contains(['/', '\\']) || name.ends_with(".index.json") {
        let problem = format!("names the shard `{}`, which is not a plain file name", name.escape_debug());
        return Err(EncoderError::format(index, problem, DOWNLOAD_AGAIN));
    }
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let problem = format!("names the shard `{name}`, which is not there");
    Err(EncoderError::format(index, problem, "download that file into the same folder"))
}
