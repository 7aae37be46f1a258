//! JSON: one document a line, or documents over several lines. The objects in them are read in the formats that
//! recognise them.

mod dispatch;
mod documents;
pub(super) mod held;
mod lines;
mod rewound;
pub(super) mod row;
mod scan;
mod walk;

use documents::DocumentRecords;
use lines::LineRecords;
use row::JsonRow;
use scan::opens_array;

use crate::error::CorpusError;
use crate::input::{Content, Opened, Text};
use crate::records::Records;
use crate::sources::format::{Context, FileFormat, ObjectFormat, Settings};
use crate::sources::object::Object;

/// Bytes that are looked at to tell lines from documents. A longer first line is a document: it may be a feed of any
/// length.
const LOOKED_AT: usize = 256 << 10;

/// JSON of any layout.
pub(super) struct Json;

impl FileFormat for Json {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn about(&self) -> &'static str {
        "One JSON object a line, or JSON documents"
    }

    fn recognises(&self, file: &Opened, _: &Settings) -> bool {
        let is_named = file.is_named(&["jsonl", "ndjson", "json"]);
        let may_be = || !file.is_named(&["txt", "csv", "parquet"]) && begins_json(file.head());
        matches!(file.content, Content::Text(_)) && (is_named || may_be())
    }

    fn open(&self, file: Opened, context: &Context) -> Result<Records, CorpusError> {
        let is_member = file.is_member;
        let is_list = file.is_named(&["jsonl", "ndjson"]);
        let (name, mut text) = file.into_text()?;
        Ok(if is_lines(&mut text, &context.objects, is_list) {
            Records::new(LineRecords::new(
                name,
                is_member,
                is_member && !is_list,
                text.into_reader(),
                context,
            ))
        } else {
            Records::new(DocumentRecords::new(name, is_member, text.into_reader(), context))
        })
    }
}

/// Tests whether a text begins as an object does, or an array of objects: `[` alone may begin a sentence.
pub(super) fn begins_json(head: &[u8]) -> bool {
    // Text sequences (RFC 7464) have a separator before each document.
    let head = head.trim_ascii_start();
    let head = head.strip_prefix(b"\x1E").unwrap_or(head).trim_ascii_start();
    head.strip_prefix(b"[").map_or(head, <[u8]>::trim_ascii_start).starts_with(b"{")
}

/// Tests whether every line is a document. The first line tells it: an array, an object with an array of records in
/// it, an object that goes on behind the line, and the only line of a file of a known kind are documents. A line that
/// breaks off before another object begins is one that is damaged.
fn is_lines(text: &mut Text, formats: &[&'static dyn ObjectFormat], is_list: bool) -> bool {
    text.look_ahead(LOOKED_AT, |head| first_line(head).is_some());
    let head = text.head().trim_ascii_start();
    let is_whole = first_line(head).is_some();
    let line = first_line(head).map_or(head, |(line, _)| line);
    if line.starts_with(b"[") || line.starts_with(b"\x1E") {
        return false;
    }
    let object = Object::new(line);
    let is_row = JsonRow.recognises(&object);
    let keys: Vec<_> = formats.iter().flat_map(|format| format.arrays()).copied().collect();
    // One page a line, or a page that is a document.
    if !is_row && opens_array(line, &keys) && (goes_on(line) || !is_whole || is_last(text.head())) {
        return false;
    }
    let is_known = !is_row && formats.iter().any(|format| format.recognises(&object));
    if !is_whole && line.len() >= LOOKED_AT {
        return is_list;
    }
    let goes_on = goes_on(line);
    // Nobody types into a file: to look at more of it is no wait.
    let is_only = is_known && !text.is_stream();
    if !goes_on && !is_only {
        return true;
    }
    let (length, end) = (line.len(), line.trim_ascii_end().last().copied());
    text.look_ahead(LOOKED_AT, |head| {
        first_line(head).is_some_and(|(_, rest)| !rest.trim_ascii().is_empty())
    });
    let rest = text.head().trim_ascii_start().get(length..).unwrap_or_default().trim_ascii_start();
    if !goes_on {
        return !rest.is_empty();
    }
    rest.starts_with(b"{") && !matches!(end, Some(b'[' | b',' | b':'))
}

/// Tests whether nothing that begins as an object follows the first line.
fn is_last(head: &[u8]) -> bool {
    let rest = first_line(head).map_or(head, |(_, rest)| rest);
    !rest.trim_ascii_start().starts_with(b"{")
}

/// The first line that is not blank, and what follows it, once its end is there.
fn first_line(head: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = head.trim_ascii_start();
    head.split_at_checked(memchr::memchr(b'\n', head)?)
}

/// Tests whether an object that a line begins is still open at its end.
fn goes_on(line: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0u64, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth = depth.saturating_add(1),
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth > 0 && !in_string
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::cve_record::CveRecord;
    use crate::sources::nvd_api::NvdApi;

    #[test]
    fn the_first_line_tells_lines_from_documents() {
        for (text, lines) in [
            ("{\"a\":1}\n{\"b\":2}", true),
            ("\n {\"a\":1}", true),
            ("{\"a\":\"{\"}", true),
            ("{\"a\":1\n{\"b\":2}", true),
            ("{]\n{\"b\":2}", true),
            ("{\"a\": \"cut\n{\"b\":2}", true),
            ("nonsense\n{\"b\":2}", true),
            ("", true),
            ("{\n  \"a\": 1\n}", false),
            ("{\"a\": [\n{\"b\":2}]}", false),
            ("{ \"a\": 1,\n  \"b\": 2}", false),
            ("{\"a\":\n\n{\"b\":2}}", false),
            ("[{\"a\":1}]", false),
            ("[\n{\"a\":1}]", false),
            ("{\"cut\": {", false),
            ("{\"vulnerabilities\":[{\"b\":1}]}", false),
            ("{\"vulnerabilities\":[{\"b\":1}],\"text\":\"a\"}\n", true),
            ("{\"cveMetadata\":{}}\n{\"cveMetadata\":{}}", true),
        ] {
            let input = crate::Input::stream("x", std::io::Cursor::new(text.as_bytes().to_vec()));
            let (_, mut text) = input.open(&crate::Limits::default(), None).unwrap().into_text().unwrap();
            let formats: [&'static dyn ObjectFormat; 3] = [&JsonRow, &CveRecord, &NvdApi];
            assert_eq!(
                is_lines(&mut text, &formats, false),
                lines,
                "{}",
                String::from_utf8_lossy(text.head())
            );
        }
    }
}
