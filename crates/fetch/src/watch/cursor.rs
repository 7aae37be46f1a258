//! The cursor of a watch: the state of each record that was answered, the files that were read, the output's length.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vulnlens_files::{FileError, WholeFile, read_if_there};

use super::output::OutputFile;
use crate::error::FetchError;
use crate::source::Source;

/// The version of the cursor's form.
const VERSION: u32 = 1;
/// Most bytes of a cursor; one of all records that there are has twelve million.
const MOST_BYTES: u64 = 512 << 20;

/// The cursor of a watch.
pub(super) struct Cursor {
    path: PathBuf,
    kept: Kept,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    source: Source,
    /// The output that the cursor belongs to; none for standard output.
    output: Option<OutputState>,
    /// The time from which changes are read.
    begun: String,
    /// The time of the last look.
    looked: Option<String>,
    /// The day whose changes are read, and are not all there yet.
    day: Option<String>,
    /// The files that were read to their end, by their checksums.
    read: BTreeMap<String, String>,
    /// The state of each record that was answered last.
    seen: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OutputState {
    path: PathBuf,
    length: u64,
}

impl Cursor {
    /// Opens the cursor at `path`, or begins one for `source` and `output`, with changes from `begun` on; the output is
    /// cut off at the length that the cursor says.
    pub(super) fn open(
        path: PathBuf,
        source: Source,
        output: Option<&Path>,
        begun: &str,
    ) -> Result<(Self, Option<OutputFile>), FetchError> {
        let output = output.map(|output| std::path::absolute(output).map_err(FileError::write(output)));
        let output = output.transpose()?;
        if let Some(kept) = read(&path)? {
            let cursor = Self { path, kept };
            cursor.check(source, output.as_deref())?;
            let length = cursor.kept.output.as_ref().map_or(0, |output| output.length);
            let output = output.map(|output| OutputFile::open_at(&output, length, &cursor.path));
            return Ok((cursor, output.transpose()?));
        }
        let file = output.as_deref().map(OutputFile::open).transpose()?;
        let output =
            output.zip(file.as_ref()).map(|(path, file)| OutputState { path, length: file.length() });
        let (read, seen, begun) = (BTreeMap::new(), BTreeMap::new(), begun.to_owned());
        let kept = Kept { version: VERSION, source, output, begun, looked: None, day: None, read, seen };
        let cursor = Self { path, kept };
        // Before the first answer: what stands in the output already is not of this cursor, and stays.
        cursor.write()?;
        Ok((cursor, file))
    }

    fn check(&self, source: Source, output: Option<&Path>) -> Result<(), FetchError> {
        let named = |source: Source, output: Option<&Path>| {
            let output =
                output.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
            format!("{} to {output}", source.name())
        };
        let kept = self.kept.output.as_ref().map(|output| output.path.as_path());
        if (self.kept.source, kept) == (source, output) {
            return Ok(());
        }
        let (found, asked) = (named(self.kept.source, kept), named(source, output));
        Err(FetchError::OtherCursor { cursor: self.path.clone(), found, asked })
    }

    pub(super) fn write(&self) -> Result<(), FetchError> {
        let json = serde_json::to_vec(&self.kept);
        let mut json =
            json.map_err(|error| FetchError::Record { path: self.path.clone(), problem: error.to_string() })?;
        json.push(b'\n');
        Ok(WholeFile::write(&self.path, json)?)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn begun(&self) -> &str {
        &self.kept.begun
    }

    pub(super) fn day(&self) -> Option<&str> {
        self.kept.day.as_deref()
    }

    pub(super) fn looked(&self) -> Option<&str> {
        self.kept.looked.as_deref()
    }

    pub(super) fn set_looked(&mut self, time: String) {
        self.kept.looked = Some(time);
    }

    pub(super) fn knows(&self, id: &str, state: &str) -> bool {
        self.kept.seen.get(id).is_some_and(|seen| seen == state)
    }

    pub(super) fn see(&mut self, id: String, state: String) {
        self.kept.seen.insert(id, state);
    }

    pub(super) fn has_read(&self, name: &str, sha256: &str) -> bool {
        self.kept.read.get(name).is_some_and(|read| read == sha256)
    }

    pub(super) fn finish(&mut self, name: String, sha256: String) {
        self.kept.read.insert(name, sha256);
    }

    pub(super) fn set_output_length(&mut self, length: u64) {
        if let Some(output) = &mut self.kept.output {
            output.length = length;
        }
    }

    /// Notes the day up to which changes were read, and forgets files that are not there any more.
    pub(super) fn end_look(&mut self, day: Option<String>, is_there: impl Fn(&str) -> bool) {
        self.kept.day = day.or_else(|| self.kept.day.take());
        self.kept.read.retain(|name, _| is_there(name));
    }
}

fn read(path: &Path) -> Result<Option<Kept>, FetchError> {
    let Some(bytes) = read_if_there(path, MOST_BYTES)? else { return Ok(None) };
    let damaged = |problem: String| FetchError::Record { path: path.to_owned(), problem };
    let kept: Kept = serde_json::from_slice(&bytes)
        .map_err(|error| damaged(format!("is not the cursor of a watch: {error}")))?;
    if kept.version != VERSION {
        return Err(damaged(format!("has the form {}, and {VERSION} is read", kept.version)));
    }
    Ok(Some(kept))
}
