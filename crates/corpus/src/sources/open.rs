//! The door to the records of any input: files, folders and archives of every format.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::format::{ColumnNames, Context, Needs, Settings, SourceFormat};
use super::{ALL, xml};
use crate::containers::{Folder, Member, MemberRecords, Zip, entries};
use crate::error::CorpusError;
use crate::input::{BytesRead, Content, Input, Opened};
use crate::limits::Limits;
use crate::magic;
use crate::problem::Problem;
use crate::records::Records;

/// Folders and archives that may lie within one another.
const DEEPEST: u8 = 4;

/// Options of reading.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The format of the files; none to tell it by their first bytes and their names.
    pub format: Option<SourceFormat>,
    /// Requirements on each record.
    pub needs: Needs,
    /// Columns or keys by name.
    pub columns: ColumnNames,
    /// Bounds on the input.
    pub limits: Limits,
    /// The folder for unnamed temporary files; none for the system's.
    pub spool: Option<PathBuf>,
    /// Counts the bytes that are read of files and folders.
    pub read: Option<BytesRead>,
}

/// Streams the records of `input`: a file of any format in [`ALL`], plain or packed, or a folder or zip archive of such
/// files, within one another, too.
///
/// A table needs a column `description` or `text` and takes `id`, `published` (a date or a year) and `cwes`; a folder's
/// or archive's file that is not a source is passed over ([`crate::RecordError::is_passed_over`]).
///
/// # Errors
/// An input that cannot be opened, is not a source of records, is not in the format that the options name, or lacks a
/// column that is needed.
pub fn open(input: Input, options: &Options) -> Result<Records, CorpusError> {
    let depth = input.depth();
    if let Some(folder) = input.folder() {
        if depth == 0 {
            // Elsewhere an empty folder is none that somebody asked for.
            entries(folder)?;
        }
        let members = Folder::open(folder)?;
        return Ok(members_of(input.name(), depth, members, options));
    }
    let is_path = input.is_path();
    let opened = input.open(&options.limits, options.read.as_ref())?;
    match opened.content {
        Content::Zip(_) if depth >= DEEPEST => {
            Err(opened.wrong("lies within too many other archives; unpack them"))
        }
        Content::Zip(file) => {
            // An archive within another is counted by the outer one.
            let read = options.read.as_ref().filter(|_| is_path);
            let spool = options.spool.as_deref();
            let members = Zip::open(&opened.name, file, &options.limits, spool, read)?;
            Ok(members_of(&opened.name, depth, members, options))
        }
        _ => open_file(opened, options),
    }
}

fn members_of(
    name: &str,
    depth: u8,
    members: impl Iterator<Item = Member> + Send + 'static,
    options: &Options,
) -> Records {
    let options = options.clone();
    let open = move |input: Input| open(input.at_depth(depth.saturating_add(1)), &options);
    Records::new(MemberRecords::new(name.into(), members, open))
}

fn open_file(mut file: Opened, options: &Options) -> Result<Records, CorpusError> {
    let settings = Settings { needs: options.needs, columns: options.columns.clone() };
    let forced = options.format.and_then(SourceFormat::as_file);
    let mut files = ALL.iter().filter_map(|format| format.as_file());
    let Some(format) = forced.or_else(|| files.find(|format| format.recognises(&file, &settings))) else {
        if !file.is_member {
            let other = xml::kind(&String::from_utf8_lossy(file.head()));
            if let Some(kind) = magic::kind(file.head()).map(str::to_owned).or(other) {
                return Err(file.wrong(&kind));
            }
        }
        return Err(CorpusError::NotASource { file: file.name.as_ref().to_owned(), expected: expected() });
    };
    if file.is_member && matches!(file.content, Content::Text(_)) && file.head().trim_ascii().is_empty() {
        return Err(file.wrong("the file is empty"));
    }
    let notes = std::mem::take(&mut file.notes);
    let name = Arc::clone(&file.name);
    let context = Context {
        settings,
        limits: options.limits,
        is_forced: forced.is_some(),
        objects: ALL.iter().filter_map(|format| format.as_object()).collect(),
    };
    let records = format.open(file, &context)?;
    if notes.is_empty() {
        return Ok(records);
    }
    let notes = notes.into_iter().map(|note| Err(Problem::Note(note).into()));
    Ok(Records::new(Records::of_whole(name, notes).chain(records)))
}

/// The formats by name.
fn expected() -> String {
    let names: Vec<_> =
        ALL.iter().filter(|format| format.is_of_records()).map(|format| format.name()).collect();
    names.join(", ")
}

/// The formats of whole files, which the caller may ask for.
pub fn file_formats() -> impl Iterator<Item = SourceFormat> {
    ALL.iter().copied().filter(|format| format.as_file().is_some())
}

/// The sources that `path` stands for, each to be read for itself: a file, or a folder that some format is laid out
/// as; for any other folder, the files and folders in it by name.
///
/// # Errors
/// A folder that cannot be read, or has no file in it.
pub fn expand(path: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = entries(path)?;
    let is_layout = |entry: &PathBuf| {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        ALL.iter().filter_map(|format| format.as_object()).any(|format| format.is_folder_entry(&name))
    };
    Ok(if entries.iter().any(is_layout) { vec![path.to_owned()] } else { entries })
}
