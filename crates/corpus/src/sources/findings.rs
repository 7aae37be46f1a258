//! Findings of reports and advisories. Each is read for itself, so that a damaged one loses no other.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::problem::{BadRecord, Problem};
use crate::record::Record;
use crate::record_id::RecordId;
use crate::sources::format::Parsed;
use crate::sources::json_text::Text;
use crate::sources::object::Object;
use crate::span::Span;

/// Bytes of a text that many findings share which each of them gets: more is not read of any, and a small document must
/// not grow to many times its size.
pub(super) const LONGEST: usize = 32 << 10;

/// The beginning of a text that many findings share.
pub(super) fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or(text)
}

/// The objects of the list under `key`, in which null stands for nothing. Anything else there is an error among
/// `found`.
pub(super) fn members<'a>(object: &Object<'a>, key: &'static str, found: &mut Vec<Parsed>) -> Vec<&'a [u8]> {
    let Some(list) = object.array(key) else {
        if let Some(value) = object.whole(key).filter(|value| *value != b"null") {
            found.push(Err(misplaced(key, value, "a list")));
        }
        return Vec::new();
    };
    let (objects, others): (Vec<_>, Vec<_>) = list.partition(|member| member.starts_with(b"{"));
    let others = others.into_iter().filter(|member| *member != b"null");
    found.extend(others.map(|member| Err(misplaced(key, member, "a list of objects"))));
    objects
}

/// The error of a value that cannot stand under `key`.
pub(super) fn misplaced(key: &'static str, value: &[u8], expected: &'static str) -> BadRecord {
    let beginning = value.get(..value.len().min(200)).unwrap_or_default();
    Problem::bad_field(key, &String::from_utf8_lossy(beginning), expected).into()
}

/// Reads a finding; its error names the id, which stands under the last of `path`, in the objects under the others.
pub(super) fn parse<'a, T: Deserialize<'a>>(finding: &'a [u8], path: &[&str]) -> Result<T, BadRecord> {
    serde_json::from_slice(finding).map_err(|error| {
        let id = path.split_last().and_then(|(key, outer)| {
            let holder = outer.iter().try_fold(Object::new(finding), |object, key| object.object(key));
            holder?.text(key)
        });
        BadRecord { id: id.map(|id| RecordId::beginning(&id)), problem: Problem::json(finding, &error) }
    })
}

/// A record whose id is the first of `ids` that is not blank; the others are its aliases.
pub(super) fn record<'a>(ids: impl IntoIterator<Item = Text<'a>>) -> Record {
    let mut known: Vec<RecordId> = Vec::new();
    for Text(id) in ids {
        let id = RecordId::new(id.trim());
        if !id.as_str().is_empty() && !known.contains(&id) {
            known.push(id);
        }
    }
    let mut known = known.into_iter();
    let mut record = Record::new(known.next(), Problem::NoDescription("description and no title"));
    record.aliases = known.collect();
    record
}

/// The record of a finding, with its place in the document.
pub(super) fn at(document: &[u8], finding: &[u8], parsed: Parsed) -> Parsed {
    parsed.map(|record| Record { span: Span::within(document, finding), ..record })
}

/// The findings of a document that has them in the list under `key`, each by `read`, behind those `found` before.
pub(super) fn of_list<'a>(
    document: &'a [u8],
    key: &'static str,
    mut found: Vec<Parsed>,
    read: impl Fn(&'a [u8]) -> Parsed,
) -> Vec<Parsed> {
    let items = members(&Object::new(document), key, &mut found);
    found.extend(items.into_iter().map(|item| at(document, item, read(item))));
    of_document(document, found)
}

/// The findings of a document, and an error if the document is cut off or malformed at a place where no finding is.
pub(super) fn of_document(document: &[u8], mut found: Vec<Parsed>) -> Vec<Parsed> {
    if found.iter().all(Result::is_ok)
        && let Err(error) = serde_json::from_slice::<IgnoredAny>(document)
    {
        let text = format!(
            "malformed JSON: {error}; what stood before was read, make the report again for the rest"
        );
        found.push(Err(Problem::Unreadable(text).into()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(found: Vec<Parsed>) -> Vec<String> {
        found
            .into_iter()
            .map(|item| item.map_or_else(|bad| bad.problem.to_string(), |_| String::new()))
            .collect()
    }

    #[test]
    fn what_is_not_an_object_is_told_and_null_is_nothing() {
        for (document, objects, want) in [
            (r#"{"a":[{},null,{"b":1}]}"#, 2, &[][..]),
            (r#"{"a":null}"#, 0, &[]),
            ("{}", 0, &[]),
            (r#"{"a":{"b":1}}"#, 0, &[r#"field a is "{\"b\":1}"; expected a list"#]),
            (r#"{"a":[7,{}]}"#, 1, &[r#"field a is "7"; expected a list of objects"#]),
        ] {
            let mut found = Vec::new();
            assert_eq!(
                members(&Object::new(document.as_bytes()), "a", &mut found).len(),
                objects,
                "{document}"
            );
            assert_eq!(messages(found), want, "{document}");
        }
    }

    #[test]
    fn a_document_that_is_cut_between_findings_is_told() {
        assert!(of_document(b"{\"a\":[]}", Vec::new()).is_empty());
        let told = messages(of_document(b"{\"a\":[{}", Vec::new()));
        assert!(told.len() == 1 && told[0].starts_with("malformed JSON: EOF"), "{told:?}");
        let bad: Vec<Parsed> = vec![Err(Problem::Blank.into())];
        assert_eq!(of_document(b"{\"a\":[{", bad).len(), 1, "one error is enough");
    }

    #[test]
    fn ids_are_told_apart() {
        let ids = ["", " CVE-2020-0001 ", "GHSA-2222-3333-4444", "CVE-2020-0001"];
        let record = record(ids.map(|id| Text(id.into())));
        assert_eq!(record.id, Some(RecordId::new("CVE-2020-0001")));
        assert_eq!(record.aliases, [RecordId::new("GHSA-2222-3333-4444")]);
    }
}
