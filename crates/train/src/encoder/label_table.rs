//! Labels of one's own: a table that gives texts of the data set labels that no taxonomy has to know.

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};

use serde::Deserialize;
use vulnlens_evaluation::{Example, Part};
use vulnlens_files::{Classified, ErrorKind, sha256_hex};

/// Labels by the ids of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelTable {
    labels: BTreeMap<String, Vec<String>>,
    sha256: String,
}

/// A table of labels that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelTableError {
    /// It cannot be read.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is longer than any table of labels.
    #[error("{file}: is longer than {LONGEST} bytes; give a table of ids and labels alone")]
    TooLong {
        /// The file.
        file: String,
    },
    /// A line is not an entry.
    #[error(
        "{file}, line {line}: {problem}; expected an object as {{\"id\": \"CVE-2024-1\", \"labels\": [\"AML.T0051\"]}}"
    )]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The reason.
        problem: String,
    },
    /// It has no entry.
    #[error("{file}: has no entry; write one JSON object a line, with `id` and `labels`")]
    Empty {
        /// The file.
        file: String,
    },
}

impl Classified for LabelTableError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } => ErrorKind::Unavailable,
            _ => ErrorKind::Input,
        }
    }
}

/// Longest table that is read.
const LONGEST: u64 = 1 << 30;

/// A line of the table.
#[derive(Deserialize)]
struct Entry {
    id: String,
    labels: Vec<String>,
}

impl LabelTable {
    /// Reads a table in JSON Lines: each line an object with the `id` of a text and its `labels`, of which there may be none.
    /// An id of several lines has the labels of all of them.
    ///
    /// # Errors
    /// [`LabelTableError`], with the line. A table with a wrong line is refused whole: half of it would teach half of the
    /// labels, and say nothing of it.
    pub fn read(reader: impl BufRead, file: &str) -> Result<Self, LabelTableError> {
        let failed = |source| LabelTableError::Io { file: file.to_owned(), source };
        let mut bytes = vec![];
        reader.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LONGEST {
            return Err(LabelTableError::TooLong { file: file.to_owned() });
        }
        let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let wrong =
                |problem: String| LabelTableError::Line { file: file.to_owned(), line: number + 1, problem };
            let entry: Entry = serde_json::from_slice(line).map_err(|error| wrong(error.to_string()))?;
            if entry.id.trim().is_empty() || entry.labels.iter().any(|label| label.trim().is_empty()) {
                return Err(wrong("an id or a label is empty".to_owned()));
            }
            let known = labels.entry(entry.id).or_default();
            known.extend(entry.labels);
            known.sort_unstable();
            known.dedup();
        }
        if labels.is_empty() {
            return Err(LabelTableError::Empty { file: file.to_owned() });
        }
        Ok(Self { labels, sha256: sha256_hex(&bytes) })
    }

    /// The ids of the table that no text of the data set has, in their order.
    #[must_use]
    pub fn unknown(&self, examples: &[Example]) -> Vec<&str> {
        let known: std::collections::BTreeSet<&str> =
            examples.iter().map(|example| example.name.as_str()).collect();
        self.labels.keys().map(String::as_str).filter(|id| !known.contains(id)).collect()
    }

    /// The number of ids.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True if it has no entry; none that was read has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The SHA-256 of the file, in hex.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The labels of a text, in alphabetical order; `None` where the table does not have its id.
    pub(crate) fn of(&self, example: &Example) -> Option<&[String]> {
        self.labels.get(&example.name).map(Vec::as_slice)
    }

    /// The texts of a part that the table has, whatever their kind.
    pub(crate) fn part<'a>(&self, examples: &'a [Example], part: Part) -> Vec<&'a Example> {
        examples.iter().filter(|example| example.part == part && self.of(example).is_some()).collect()
    }
}

#[cfg(test)]
mod tests {
    use vulnlens_taxonomy::CveId;

    use super::*;

    fn read(text: &str) -> Result<LabelTable, String> {
        LabelTable::read(text.as_bytes(), "t.jsonl").map_err(|error| error.to_string())
    }

    #[test]
    fn a_table_is_read_by_lines() {
        let table = read(
            "{\"id\": \"CVE-2024-12345\", \"labels\": [\"b\", \"a\"]}\n\n{\"id\": \"X\", \"labels\": []}\n\
             {\"id\": \"CVE-2024-12345\", \"labels\": [\"c\", \"a\"]}",
        )
        .unwrap();
        let example = Example::record(CveId::new(2024, 12345), "text".into(), 2024, vec![], Part::Train);
        assert_eq!(table.of(&example).unwrap(), ["a", "b", "c"]);
        assert_eq!((table.len(), table.unknown(std::slice::from_ref(&example))), (2, vec!["X"]));
        assert_eq!(table.part(std::slice::from_ref(&example), Part::Train).len(), 1);
        assert!(table.part(&[example], Part::Test).is_empty());
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, problem) in [
            ("{\"id\": \"A\", \"labels\": [\"x\"]}\nA,x", "t.jsonl, line 2"),
            ("{\"id\": \"\", \"labels\": []}", "empty"),
            ("{\"id\": \"A\", \"labels\": [\" \"]}", "empty"),
            ("{\"id\": \"A\"}", "labels"),
            (" \n", "no entry"),
            ("\u{0}", "line 1"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(problem), "{text:?}: {error}");
        }
    }
}
