//! Records of small documents in lines, for tests of the readers.

use std::io::Cursor;

use crate::Input;
use crate::sources::{Options, open};

/// The records of a document, each in a line: format, id and aliases, day, labels, and text or problem.
pub(crate) fn shown(document: &str) -> Vec<String> {
    shown_with(document, &Options::default())
}

/// The same for a document of which only the lists are read, as of one that is too long.
pub(crate) fn shown_in_parts(document: &str) -> Vec<String> {
    let limits = crate::Limits { document_bytes: 1, ..crate::Limits::default() };
    shown_with(document, &Options { limits, ..Options::default() })
}

fn shown_with(document: &str, options: &Options) -> Vec<String> {
    let input = Input::stream("in.json", Cursor::new(document.as_bytes().to_vec()));
    let records = open(input, options).unwrap();
    let show = |record: crate::Record| {
        let ids: Vec<_> = record.id.iter().chain(&record.aliases).map(ToString::to_string).collect();
        let labels = record.labels.iter().map(|label| format!("{}:{}", label.assigner.name, label.cwe.0));
        let odd = record.unreadable_labels.iter().map(|label| format!("?{label}"));
        let labels: Vec<_> = labels.chain(odd).collect();
        let day = record.dates.published.day().map(|day| day.to_string()).unwrap_or_default();
        let withdrawn = if record.withdrawn { "withdrawn " } else { "" };
        let text = record.text.unwrap_or_else(|problem| format!("({problem})"));
        format!("{} {}|{day}|{}|{withdrawn}{text}", record.format, ids.join(","), labels.join(","))
    };
    records.map(|item| item.map_or_else(|error| error.to_string(), show)).collect()
}

/// Checks the lines of a document, of which errors are given by their beginnings.
pub(crate) fn check(document: &str, want: &[&str]) {
    compare(document, &shown(document), want);
}

/// Checks them for the document read at once and in parts.
pub(crate) fn check_in_parts(document: &str, want: &[&str]) {
    check(document, want);
    compare(document, &shown_in_parts(document), want);
}

fn compare(document: &str, got: &[String], want: &[&str]) {
    let is_same = |(got, want): (&String, &&str)| match want.strip_suffix('…') {
        Some(beginning) => got.starts_with(beginning),
        None => got == want,
    };
    assert!(
        got.len() == want.len() && got.iter().zip(want).all(is_same),
        "{document}: {got:#?} is not {want:#?}"
    );
}
