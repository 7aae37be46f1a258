//! JSON documents that the caller holds, and the layout of a text of JSON.

use std::sync::Arc;

use super::dispatch::{Dispatch, is_without_records};
use super::goes_on;
use super::row::JsonRow;
use crate::error::RecordError;
use crate::limits::Limits;
use crate::place::Place;
use crate::record::Record;
use crate::sources::ALL;
use crate::sources::format::{ColumnNames, Context, ObjectFormat, Settings, SourceFormat};

/// Reads the records of JSON documents that the caller holds, in any format of objects. Each record has its
/// [`span`](Record::span) in the document.
pub struct DocumentReader {
    dispatch: Dispatch,
    /// The format that the caller asked for.
    forced: Option<&'static dyn ObjectFormat>,
}

impl DocumentReader {
    /// A reader of records in `format`; without one, each object is read in the format that recognises it.
    #[must_use]
    pub fn new(columns: ColumnNames, format: Option<SourceFormat>) -> Self {
        let forced = format.and_then(SourceFormat::as_object);
        let all = ALL.iter().filter_map(|format| format.as_object());
        let settings = Settings { columns, ..Settings::default() };
        let objects = forced.map_or_else(|| all.collect(), |forced| vec![forced]);
        let context = Context { settings, limits: Limits::default(), is_forced: forced.is_some(), objects };
        Self { dispatch: Dispatch::new(&context), forced }
    }

    /// The records of `document`, which stands at `place` of `file`. One that holds no record at all has none.
    pub fn read(
        &mut self,
        file: &Arc<str>,
        place: &Place,
        document: &[u8],
    ) -> Vec<Result<Record, RecordError>> {
        let found = self.dispatch.records(document, None);
        let found = match found {
            Some(found) if is_without_records(&found) => Vec::new(),
            Some(found) => found,
            None => self.dispatch.read(document, self.forced.unwrap_or(&JsonRow)),
        };
        let is_alone = found.len() == 1 || *place != Place::Whole;
        let numbered = (1..).zip(found);
        let placed = numbered.map(|(number, record)| {
            let place = if is_alone { place.clone() } else { Place::Item(number) };
            match record {
                Ok(record) => Ok(Record { file: Arc::clone(file), place, ..record }),
                Err(bad) => Err(bad.at(file, place)),
            }
        });
        placed.collect()
    }
}

/// The formats of JSON objects.
pub fn object_formats() -> impl Iterator<Item = SourceFormat> {
    ALL.iter().copied().filter(|format| format.as_object().is_some() && format.is_of_records())
}

/// Tests whether the first line of a text that begins as JSON is a document, so that the others are, too; otherwise a
/// document goes on behind it. `head` ends behind the first line, or where the next one begins.
#[must_use]
pub fn begins_with_a_line(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let end = memchr::memchr(b'\n', head).unwrap_or(head.len());
    let (line, rest) = head.split_at_checked(end).unwrap_or((head, &[]));
    if !line.starts_with(b"{") || !goes_on(line) {
        return line.starts_with(b"{");
    }
    // A line that breaks off before another object begins is one that is damaged.
    let is_cut = !matches!(line.trim_ascii_end().last(), Some(b'[' | b'{' | b',' | b':'));
    is_cut && rest.trim_ascii_start().starts_with(b"{")
}

/// Tests whether a key is one under which the records of one's own have weaknesses.
#[must_use]
pub fn is_weakness_key(key: &str) -> bool {
    crate::sources::column_names::is_weakness(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(document: &str) -> Vec<String> {
        let mut reader = DocumentReader::new(ColumnNames::default(), None);
        let records = reader.read(&"in.json".into(), &Place::Whole, document.as_bytes());
        let show = |record: Record| {
            let span = record.span.unwrap();
            format!("{} {} {}", record.format, &document[span.document], &document[span.finding])
        };
        records.into_iter().map(|record| record.map_or_else(|error| error.to_string(), show)).collect()
    }

    #[test]
    fn every_record_has_its_place_in_the_document() {
        let finding = r#"{"id":"CVE-2024-0001","affects":[],"description":"D"}"#;
        let bom = format!(r#"{{"bomFormat":"CycloneDX","vulnerabilities":[ {finding}]}}"#);
        assert_eq!(spans(&bom), [format!("cyclonedx {bom} {finding}")]);
        let within = format!(r#" {{"data": [ {bom} ,{bom}]}}"#);
        assert_eq!(spans(&within), vec![format!("cyclonedx {bom} {finding}"); 2]);
        let row = r#"{"id":"x","description":"D"}"#;
        assert_eq!(spans(row), [format!("json {row} {row}")]);
        let rule = r#"{"id":"r","shortDescription":{"text":"S"}}"#;
        let result = r#"{"ruleId":"other","message":{"text":"M"}}"#;
        let log = format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"rules":[{rule}]}}}},"results":[{{"ruleId":"r"}},{result}]}}]}}"#
        );
        assert_eq!(spans(&log), [format!("sarif {log} {rule}"), format!("sarif {log} {result}")]);
        let trivy = r#"{"VulnerabilityID":"CVE-2024-0001","PkgName":"a","Title":"T"}"#;
        let report = format!(
            r#"{{"ClusterName":"c","Resources":[{{"Kind":"P","Results":[{{"Target":"t","Vulnerabilities":[{trivy}]}}]}}]}}"#
        );
        assert_eq!(spans(&report), [format!("trivy {report} {trivy}")]);
    }

    #[test]
    fn the_first_line_is_a_document_or_begins_one() {
        for (text, is_line) in [
            ("{\"a\":1}\n{\"b\":2}", true),
            ("{\"a\":1}", true),
            ("{\"a\":1\n{\"b\":2}", true),
            ("{\"a\": \"cut\n{\"b\":2}", true),
            ("{\n  \"a\": 1\n}", false),
            ("{\"a\": [\n{\"b\":2}]}", false),
            ("[{\"a\":1}]", false),
        ] {
            assert_eq!(begins_with_a_line(text.as_bytes()), is_line, "{text}");
        }
    }
}
