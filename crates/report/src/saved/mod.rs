//! Answers that were written, read back: JSON Lines (record output, version 1), Parquet and Arrow, plain or packed.

mod error;
mod line;
mod lines;
mod packed;
#[cfg(feature = "parquet")]
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vulnlens_files::{FileError, UNFINISHED_PREFIX};
use vulnlens_model::Run;
use vulnlens_taxonomy::KnowledgeBase;

use crate::answer::Answer;
use crate::format::Format;
use lines::Lines;
use packed::{Content, content_of_file, content_of_stream};
#[cfg(feature = "parquet")]
use table::Table;

pub use error::{SavedError, SavedPlace, SavedProblem};

/// The beginning of every answer in JSON Lines.
const ANSWER: &[u8] = b"{\"schema_version\":";

/// The cure for an input that holds something else.
const CLASSIFY_FIRST: &str = "these are records or something else, not answers that `classify` wrote as JSON Lines, \
     Parquet or Arrow; classify them first: `vulnlens classify --input FILE --out answers.jsonl`";

/// An answer that was read back, with the facts of its run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Saved {
    /// The answer.
    pub answer: Answer,
    /// The facts of the run; the same `Arc` as long as they do not change.
    pub run: Arc<Run>,
}

/// The answers of a file or a stream, one at a time, in their order. An answer that cannot be read is an error, and
/// others follow; memory is that of one answer.
///
/// JSON Lines give back all of a prediction, with probabilities of six decimals; the explanation, the text and the day
/// of publication are not read. Rows of Parquet and Arrow hold less: the releases are those of the knowledge base, the
/// label space counts as `recommended`, and there are no probabilities of outcomes, no members of a family and no
/// severity; `none` is 0 where labels are listed. A record ends where the id changes, a list begins again or a label
/// repeats.
///
/// ```
/// use vulnlens_report::SavedAnswers;
/// use vulnlens_taxonomy::KnowledgeBase;
///
/// let line = br#"{"schema_version":1,"id":"CVE-2024-1","model":"fast","model_revision":"0123456789ab",
///     "taxonomies":{"cwe":"4.18","capec":"3.9","attack":"18.1"},
///     "cwe":[{"label":"CWE-79","score":0.9,"predicted":true}],"capec":[],"attack":[],"attack_curated":[],"none":{"cwe":0.1}}"#;
/// let line: Vec<u8> = line.iter().copied().filter(|byte| *byte != b'\n').collect();
/// let mut answers = SavedAnswers::stream("answers", std::io::Cursor::new(line), &KnowledgeBase::embedded());
/// let saved = answers.next().unwrap().unwrap();
/// assert_eq!(saved.answer.record.id.as_deref(), Some("CVE-2024-1"));
/// ```
pub struct SavedAnswers {
    file: Arc<str>,
    source: Source,
    /// True until something was read of the input.
    is_first: bool,
    run: Option<Arc<Run>>,
}

enum Source {
    Lines(Lines),
    #[cfg(feature = "parquet")]
    Table(Box<Table>),
    /// An input that cannot be opened, and why.
    Wrong(Option<SavedProblem>),
}

impl SavedAnswers {
    /// The answers of the file at `path`, whose format its first bytes tell; what is wrong with the file comes as the
    /// first answer.
    #[must_use]
    pub fn file(path: &Path, kb: &KnowledgeBase) -> Self {
        Self::of(path.display().to_string(), content_of_file(path), kb)
    }

    /// The answers of a stream that messages call `name`. Parquet, which is read from its end, goes through an unnamed
    /// file in the system's folder for temporary files.
    #[must_use]
    pub fn stream(name: &str, reader: impl std::io::Read + Send + 'static, kb: &KnowledgeBase) -> Self {
        Self::of(name.to_owned(), content_of_stream(Box::new(reader)), kb)
    }

    #[cfg_attr(
        not(feature = "parquet"),
        expect(unused_variables, reason = "the releases of rows alone are not in them")
    )]
    fn of(name: String, content: Result<Content, SavedProblem>, kb: &KnowledgeBase) -> Self {
        let source = content.and_then(|content| match content {
            Content::Lines(reader) => Ok(Source::Lines(Lines::new(reader))),
            #[cfg(feature = "parquet")]
            Content::Parquet(file) => Ok(Source::Table(Box::new(Table::of_parquet(file, kb)?))),
            #[cfg(feature = "parquet")]
            Content::Arrow(reader) => Ok(Source::Table(Box::new(Table::of_arrow(reader, kb)?))),
        });
        let source = source.unwrap_or_else(|problem| Source::Wrong(Some(problem)));
        Self { file: name.into(), source, is_first: true, run: None }
    }

    /// The input's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.file
    }

    /// The error at a place; one that ends the input leaves nothing behind it.
    fn error(&mut self, place: SavedPlace, problem: SavedProblem) -> SavedError {
        if matches!(problem, SavedProblem::Read(_) | SavedProblem::NoAnswers(_)) {
            self.source = Source::Wrong(None);
        }
        SavedError { file: Arc::clone(&self.file), place, problem }
    }

    fn read_line(&mut self) -> Option<Result<Saved, SavedError>> {
        let Source::Lines(lines) = &mut self.source else { return None };
        let is_first = std::mem::take(&mut self.is_first);
        let read = match lines.next()? {
            Ok(line) => line::read(line, self.run.as_ref()).map_err(|problem| match problem {
                // A damaged answer may be the first; anything else there is what the whole input is.
                SavedProblem::NotAnAnswer(_) if is_first => SavedProblem::NoAnswers(CLASSIFY_FIRST),
                SavedProblem::Json(_) if is_first && !line.starts_with(ANSWER) => {
                    SavedProblem::NoAnswers(CLASSIFY_FIRST)
                }
                other => other,
            }),
            Err(problem) => Err(problem),
        };
        let place = SavedPlace::Line(lines.number());
        Some(read.map_err(|problem| self.error(place, problem)).map(|(answer, run)| self.saved(answer, run)))
    }

    #[cfg(feature = "parquet")]
    fn read_rows(&mut self) -> Option<Result<Saved, SavedError>> {
        let Source::Table(table) = &mut self.source else { return None };
        let (row, read) = table.next(self.run.as_ref())?;
        let read = read.map_err(|problem| self.error(SavedPlace::Row(row), problem));
        Some(read.map(|(answer, run)| self.saved(answer, run)))
    }

    fn saved(&mut self, answer: Answer, run: Arc<Run>) -> Saved {
        if self.run.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &run)) {
            self.run = Some(Arc::clone(&run));
        }
        Saved { answer, run }
    }
}

impl Iterator for SavedAnswers {
    type Item = Result<Saved, SavedError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.source {
            Source::Lines(_) => self.read_line(),
            #[cfg(feature = "parquet")]
            Source::Table(_) => self.read_rows(),
            Source::Wrong(problem) => {
                let problem = problem.take()?;
                Some(Err(self.error(SavedPlace::Whole, problem)))
            }
        }
    }
}

/// The files of answers at a path: the file itself; of a folder, those in it and below that are named as answers are
/// (`.jsonl`, `.parquet`, `.arrows`, packed or not), in the order of their paths.
///
/// # Errors
/// A folder cannot be read.
pub fn saved_files(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut files, mut folders) = (vec![], vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        let failed = FileError::read(&folder);
        for entry in folder.read_dir().map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            // A link to a folder may lead in a circle.
            let is_folder = entry.file_type().map_err(&failed)?.is_dir();
            let path = entry.path();
            if is_folder {
                folders.push(path);
            } else if is_of_answers(&path) && path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// True if a file is named as answers are.
fn is_of_answers(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = [".gz", ".zst", ".xz"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let format = Format::of_file(Path::new(plain)).map(Format::name);
    !name.starts_with(UNFINISHED_PREFIX) && matches!(format, Some("jsonl" | "parquet" | "arrow"))
}
