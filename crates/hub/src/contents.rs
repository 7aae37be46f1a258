//! The contents of a snapshot's folder.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::error::Disk;
use crate::files;

/// No index of shards is longer than this; a table of names for a thousand layers takes a tenth.
const MAX_INDEX_BYTES: u64 = 16 << 20;

#[derive(serde::Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Files that the snapshot `folder` lacks to be a whole model; `None` when there is no such folder.
pub(crate) fn lacking(folder: &Path) -> Result<Option<Vec<String>>, Disk> {
    let Some(names) = list(folder)? else { return Ok(None) };
    Ok(Some(files::lacking(&names, |index| shards(folder, index))))
}

/// The shards that the indexes among `selected` name and that are not in `folder`.
pub(crate) fn missing_shards(folder: &Path, selected: &[String]) -> Vec<String> {
    let indexes = selected.iter().filter(|file| file.ends_with(files::INDEX));
    indexes.flat_map(|index| shards(folder, index)).filter(|shard| !folder.join(shard).is_file()).collect()
}

/// The names of the files in `folder` and in the sub-folders of a hierarchy, each of which can be opened: a link
/// to a blob that is gone does not count.
fn list(folder: &Path) -> Result<Option<Vec<String>>, Disk> {
    let Some(mut names) = names_in(folder, Path::is_file)? else { return Ok(None) };
    for level in names_in(folder, Path::is_dir)?.unwrap_or_default() {
        if files::is_level(&level) {
            let below = names_in(&folder.join(&level), Path::is_file)?.unwrap_or_default();
            names.extend(below.iter().map(|file| files::path(&level, file)));
        }
    }
    Ok(Some(names))
}

fn names_in(folder: &Path, wanted: fn(&Path) -> bool) -> Result<Option<Vec<String>>, Disk> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Disk::new("list the folder", folder, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Disk::new("list the folder", folder, error))?;
        if wanted(&entry.path()) {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(Some(names))
}

/// The shards that an index names; the index itself where it cannot be read or names no plain files.
fn shards(folder: &Path, index: &str) -> Vec<String> {
    let parent = index.rsplit_once('/').map_or("", |(parent, _)| parent);
    let mut shards = match read_index(&folder.join(index)) {
        Some(index) if index.weight_map.values().all(|shard| files::is_plain(shard)) => {
            index.weight_map.into_values().map(|shard| files::path(parent, &shard)).collect()
        }
        _ => vec![format!("{index} (unreadable)")],
    };
    shards.sort();
    shards.dedup();
    shards
}

fn read_index(path: &Path) -> Option<Index> {
    let mut json = Vec::new();
    std::fs::File::open(path).ok()?.take(MAX_INDEX_BYTES).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}
