//! The header of a table: the delimiter of its fields, and whether a text begins with one.

use std::borrow::Cow;

use crate::sources::column_names::{is_text, usual};
use crate::sources::format::ColumnNames;

/// The marks that may stand between fields.
const DELIMITERS: [u8; 4] = *b",;\t|";
/// Longest cell of a header that tells one from a text.
const LONGEST_NAME: usize = 60;
/// Longest header that the delimiter is looked for in.
pub(super) const LONGEST: usize = 64 << 10;

/// The delimiter that a first line `sep=;` declares, as Excel does, and the bytes behind it.
pub(super) fn declaration(head: &[u8]) -> (Option<u8>, &[u8]) {
    let line = head.get(..4).filter(|start| start.eq_ignore_ascii_case(b"sep=")).and_then(|_| head.get(4..));
    match line {
        Some([delimiter, b'\r', b'\n', header @ ..] | [delimiter, b'\n', header @ ..]) => {
            (Some(*delimiter), header)
        }
        _ => (None, head),
    }
}

/// The cells of a header line, without quotes and blanks.
fn cells(header: &[u8], delimiter: u8) -> impl Iterator<Item = Cow<'_, str>> {
    let line = header.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.split(move |byte| *byte == delimiter).map(|cell| {
        let is_around = |c: char| c.is_whitespace() || c == '"';
        match String::from_utf8_lossy(cell) {
            Cow::Borrowed(cell) => Cow::Borrowed(cell.trim_matches(is_around)),
            Cow::Owned(cell) => Cow::Owned(cell.trim_matches(is_around).to_owned()),
        }
    })
}

/// The delimiter by which most cells of a header are known columns.
pub(super) fn delimiter(header: &[u8], usual_one: u8) -> u8 {
    let known = |delimiter| cells(header, delimiter).filter(|cell| usual(cell).is_some()).count();
    let count = |delimiter| cells(header, delimiter).count();
    let order = |delimiter: u8| (known(delimiter), count(delimiter));
    let best = |best, delimiter| if order(delimiter) > order(best) { delimiter } else { best };
    DELIMITERS.into_iter().fold(usual_one, best)
}

/// Tests whether a text of any name begins as a table: a line of short names, one of which is that of a text.
pub(super) fn has_header(head: &[u8], named: &ColumnNames) -> bool {
    let (declared, header) = declaration(head);
    let line = header.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = declared.unwrap_or_else(|| delimiter(line, b','));
    let is_name = |cell: &str| cell.len() <= LONGEST_NAME && cell.split_whitespace().count() <= 4;
    let is_alone = cells(line, delimiter).count() == 1;
    let mut names = cells(line, delimiter);
    // A single word may be a text: a table of one column is told by the two usual names alone.
    let is_meant = |cell: &str| match is_alone {
        _ if named.text.as_ref().is_some_and(|text| text.eq_ignore_ascii_case(cell)) => true,
        true => ["description", "text"].contains(&cell),
        false => is_text(cell),
    };
    line.len() < header.len()
        && cells(line, delimiter).all(|cell| is_name(&cell))
        && names.any(|cell| is_meant(&cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_told_by_its_header() {
        for (text, delimiter_of, is_table) in [
            ("id,description\n", b',', true),
            ("id;description;published\n1;", b';', true),
            ("sep=;\r\nid;description\r\n", b';', true),
            ("CVE ID\tSynopsis\n", b'\t', true),
            ("\"id\",\"Summary\"\n", b',', true),
            ("description\n", b',', true),
            ("Summary\n", b',', false),
            ("id,description", b',', false),
            ("SQL injection, which the text field allows\nmore", b',', false),
            ("Overflow in the parser, by details, of a file name that is long\nmore", b',', false),
            ("", b',', false),
        ] {
            assert_eq!(has_header(text.as_bytes(), &ColumnNames::default()), is_table, "{text}");
            let (declared, header) = declaration(text.as_bytes());
            if is_table {
                assert_eq!(declared.unwrap_or_else(|| delimiter(header, b',')), delimiter_of, "{text}");
            }
        }
    }
}
