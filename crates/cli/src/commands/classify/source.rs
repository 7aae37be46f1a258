//! Where the texts come from: an argument, a file, standard input, or a data set.

use std::io;
use std::path::{Path, PathBuf};

use vulnlens::CveId;

use super::arguments::ClassifyArguments;
use crate::failure::{Failure, Kind};
use crate::terminal::Terminal;

/// Where the texts come from.
pub(super) enum Source {
    Text(String),
    Records(vulnlens_corpus::Input),
    Cves(Vec<CveId>, PathBuf),
}

/// What the arguments and standard input mean.
pub(super) fn source(arguments: &ClassifyArguments, terminal: &Terminal) -> Result<Source, Failure> {
    if let (false, Some(data)) = (arguments.cve_id.is_empty(), &arguments.data) {
        return Ok(Source::Cves(arguments.cve_id.clone(), data.clone()));
    }
    match (&arguments.input, &arguments.text) {
        (Some(path), _) if path.as_os_str() == "-" => Ok(stdin()),
        (Some(path), _) => file(path),
        (None, Some(text)) => text_source(text, terminal),
        (None, None) if !terminal.stdin_is_terminal => Ok(stdin()),
        (None, None) => Err(Failure::new(Kind::Arguments, "there is nothing to classify")
            .hint("give a text in quotes, a file, or `-` to type or paste texts, one a line")),
    }
}

fn stdin() -> Source {
    Source::Records(vulnlens_corpus::Input::stream("standard input", io::stdin()))
}

fn file(path: &Path) -> Result<Source, Failure> {
    if path.is_dir() {
        let failure = Failure::new(Kind::Input, format!("{}: is a folder", path.display()));
        return Err(
            failure.hint("give one file of records; to make one of many sources, see `vulnlens data build`")
        );
    }
    Ok(Source::Records(vulnlens_corpus::Input::path(path)))
}

/// What the argument TEXT means: standard input, a file, or a text.
fn text_source(text: &str, terminal: &Terminal) -> Result<Source, Failure> {
    let path = Path::new(text);
    if text == "-" {
        return Ok(stdin());
    }
    if text.trim().is_empty() {
        return Err(
            Failure::new(Kind::Input, "the text is empty").hint("give a description of the vulnerability")
        );
    }
    if path.exists() {
        terminal.note(&format!("reading the file {text}"));
        return file(path);
    }
    if looks_like_a_file(path) {
        let failure = Failure::new(Kind::Input, format!("{text}: there is no such file"));
        return Err(failure.hint(
            "check the path; a text that looks like one can be given by `echo … | vulnlens classify`",
        ));
    }
    if text.parse::<CveId>().is_ok() {
        let failure = Failure::new(Kind::Arguments, format!("{text} is the id of a record, not its text"));
        return Err(failure.hint("look it up in a data set: --cve-id ID --data FILE"));
    }
    Ok(Source::Text(text.to_owned()))
}

/// Whether a person who wrote this meant a file: one word that ends like one.
fn looks_like_a_file(path: &Path) -> bool {
    let endings = ["jsonl", "ndjson", "json", "csv", "parquet", "txt", "gz"];
    let is_known = |ending: &std::ffi::OsStr| endings.iter().any(|known| ending.eq_ignore_ascii_case(known));
    path.extension().is_some_and(is_known) && !path.to_string_lossy().contains(char::is_whitespace)
}
