//! The revision of a checkpoint's folder, for a checkpoint without a commit.

use std::fs::File;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use vulnlens_files::names::SMALL_FILES;
use vulnlens_files::{revision as shortened, sha256_hex, sha256_of};

use super::layout::Layout;
use crate::error::EncoderError;
use crate::weights::Weights;

/// Twelve hexadecimal digits that differ between checkpoints with any difference in a file that changes answers: weights,
/// configuration, tokenizer, thresholds, description; in a hierarchy, those of every part.
///
/// They begin the SHA-256 of a list with a line `<SHA-256>  <path>` for each file, as `sha256sum` prints it, sorted by path.
/// Every byte is read, which takes some tenths of a second for a large encoder: a published checkpoint has a
/// commit, which names it without reading. Other files, such as a card or an optimiser's state, do not count.
///
/// # Errors
/// As [`Layout::of`] and [`Weights::open`]; [`EncoderError::Io`].
pub fn revision(path: &Path) -> Result<String, EncoderError> {
    let mut files = match Layout::of(path)? {
        Layout::Single(folder) => checkpoint("", &folder)?,
        Layout::Hierarchy(levels) => {
            let mut files = small("", if path.is_dir() { path } else { path.parent().unwrap_or(path) });
            for node in levels.iter().flat_map(|level| &level.nodes) {
                let name = node.folder.file_name().unwrap_or_default().to_string_lossy();
                files.extend(checkpoint(&format!("{name}/"), &node.folder)?);
            }
            files
        }
    };
    files.sort();
    let line = |(name, file): &(String, PathBuf)| {
        let checksum = File::open(file).and_then(sha256_of).map_err(EncoderError::io(file))?;
        Ok(format!("{checksum}  {name}\n"))
    };
    let lines = files.par_iter().map(line).collect::<Result<Vec<_>, EncoderError>>()?;
    Ok(shortened(&sha256_hex(lines.concat())).to_owned())
}

/// The files of one checkpoint, each under its name with `prefix`.
fn checkpoint(prefix: &str, folder: &Path) -> Result<Vec<(String, PathBuf)>, EncoderError> {
    let mut files = small(prefix, folder);
    let weights = Weights::open(folder)?;
    files.extend(weights.paths().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (format!("{prefix}{name}"), path.to_owned())
    }));
    Ok(files)
}

/// The small files of a folder that are there.
fn small(prefix: &str, folder: &Path) -> Vec<(String, PathBuf)> {
    let all = SMALL_FILES.iter().map(|name| (format!("{prefix}{name}"), folder.join(name)));
    all.filter(|(_, path)| path.is_file()).collect()
}
