//! The argument TEXT: standard input, a file or folder, or a text.

use std::path::Path;

use vulnlens::CveId;
use vulnlens_corpus::Input;

use crate::failure::{Failure, Kind};
use crate::progress::Position;
use crate::terminal::Terminal;

/// The meaning of the argument TEXT.
pub(crate) enum TextArgument {
    Stdin,
    File(Input, Option<Position>),
    Text(String),
}

impl TextArgument {
    pub(crate) fn new(text: &str, terminal: &Terminal) -> Result<Self, Failure> {
        let path = Path::new(text);
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if text.trim().is_empty() {
            return Err(empty());
        }
        if path.exists() {
            terminal.note(&format!("reading the file {text}"));
            return file(path).map(|(input, position)| Self::File(input, position));
        }
        if looks_like_a_file(path) {
            let failure = Failure::new(Kind::Input, format!("{text}: there is no such file"));
            return Err(failure
                .hint("check the path; a text that looks like one can be given on standard input, by `-`"));
        }
        if text.parse::<CveId>().is_ok() {
            let failure =
                Failure::new(Kind::Arguments, format!("{text} is the id of a record, not its text"));
            return Err(failure.hint("`vulnlens classify --cve-id ID --data FILE` looks it up in a data set"));
        }
        Ok(Self::Text(text.to_owned()))
    }
}

/// The failure that an empty text is.
pub(crate) fn empty() -> Failure {
    Failure::new(Kind::Input, "the text is empty").hint("give a description of the vulnerability")
}

/// A file of records, or a folder of them, with the place up to which it is read.
pub(crate) fn file(path: &Path) -> Result<(Input, Option<Position>), Failure> {
    if path.read_dir().is_ok_and(|mut entries| entries.next().is_none()) {
        let failure =
            Failure::new(Kind::Input, format!("{}: is a folder with nothing in it", path.display()));
        return Err(failure.hint("give a file of records, or a folder of them"));
    }
    Ok(Position::input(path))
}

/// Tests whether a person who wrote this meant a file: one word that ends like one.
fn looks_like_a_file(path: &Path) -> bool {
    let endings = [
        "jsonl", "ndjson", "json", "sarif", "csv", "tsv", "parquet", "arrow", "feather", "txt", "md", "html",
        "htm", "eml", "xml", "pdf", "log", "gz", "xz", "zst", "zip",
    ];
    let is_known = |ending: &std::ffi::OsStr| endings.iter().any(|known| ending.eq_ignore_ascii_case(known));
    path.extension().is_some_and(is_known) && !path.to_string_lossy().contains(char::is_whitespace)
}
