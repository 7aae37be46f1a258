//! Records in JSON of one's own: an object with `description` (or another usual name of a text) and, if known, an id,
//! dates and weaknesses.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::dispatch::LISTS;
use crate::date::When;
use crate::problem::Problem;
use crate::record::{Record, is_english};
use crate::sources::column_names::{Column, column_of, is_plain, is_text};
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text};
use crate::sources::nvd_feed::LangText;
use crate::sources::object::Object;
use crate::sources::rows::Row;

/// An object with the columns of a table as keys.
pub(crate) struct JsonRow;

/// Keys that tell another format, although a description may stand beside them.
const FOREIGN: [&str; 33] = [
    "affected",
    "affects",
    "artifact",
    "artifact_digests",
    "bom-ref",
    "containers",
    "cve",
    "cveMetadata",
    "database_specific",
    "dependencies",
    "descriptions",
    "devDependencies",
    "engines",
    "external_references",
    "fix_version",
    "ghsa_id",
    "ghsaId",
    "identifiers",
    "packageManager",
    "packageName",
    "PkgName",
    "product_status",
    "purls",
    "ratings",
    "ruleId",
    "schema_version",
    "scripts",
    "security_advisory",
    "SeveritySource",
    "spec_version",
    "techniques",
    "uniqueCount",
    "vulnerabilities",
];

impl ObjectFormat for JsonRow {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "JSON objects with the keys id and description"
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        object.entries().any(|(key, _)| std::str::from_utf8(key).is_ok_and(is_text))
    }

    fn read(&self, object: &[u8], settings: &Settings) -> Vec<Parsed> {
        vec![Self::read_row(object, settings).and_then(|(row, _)| row.into_record(settings))]
    }
}

impl JsonRow {
    /// The record of a line, if it is a plain row with a text, and nothing tells that it may be of another format.
    pub(super) fn read_plain(line: &[u8], settings: &Settings) -> Option<Record> {
        let (row, is_foreign) = Self::read_row(line, settings).ok()?;
        let record = if is_foreign { None } else { row.into_record(settings).ok() };
        let record = record.filter(|record| record.text.is_ok())?;
        Some(Record { format: Self.name(), ..record })
    }

    /// The row that an object is, and whether a key of it tells another format.
    fn read_row<'a>(
        object: &'a [u8],
        settings: &Settings,
    ) -> Result<(Row<'a>, bool), crate::problem::BadRecord> {
        if object.trim_ascii_start().starts_with(b"[") {
            return Err(
                Problem::Json("an array without a record in it; give one object a line".to_owned()).into()
            );
        }
        let mut reader = serde_json::Deserializer::from_slice(object);
        let read = RowReader { settings }.deserialize(&mut reader);
        let read = read.and_then(|row| reader.end().map(|()| row));
        read.map_err(|error| Problem::json(object, &error).into())
    }
}

struct RowReader<'s> {
    settings: &'s Settings,
}

impl<'de> DeserializeSeed<'de> for RowReader<'_> {
    type Value = (Row<'de>, bool);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowReader<'_> {
    type Value = (Row<'de>, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut row, mut is_foreign) = (Row::default(), false);
        let mut plain = Vec::new();
        while let Some(Text(key)) = map.next_key()? {
            is_foreign |= FOREIGN.contains(&key.as_ref()) || LISTS.contains(&key.as_ref());
            let Some((column, rank)) = column_of(&key, &self.settings.columns) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let is_plain = is_plain(column, rank);
            if is_plain && plain.contains(&(column, rank)) {
                return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
            }
            plain.extend(is_plain.then_some((column, rank)));
            match column {
                Column::Text if is_plain => {
                    if let Some(text) = map.next_value::<Option<TextOnly<'de>>>()? {
                        row.take_text(rank, text.0);
                    }
                }
                Column::Text => {
                    let value = map.next_value()?;
                    if let Some(text) = string(value).or_else(|| in_english(value)) {
                        row.take_text(rank, text);
                    }
                }
                Column::Id => {
                    if let Some(id) = id_of(map.next_value()?, is_plain).map_err(A::Error::custom)? {
                        row.take_id(rank, id);
                    }
                }
                Column::Published | Column::Modified => {
                    row.take_date(column, rank, map.next_value::<When>()?)
                }
                Column::Cwes => row.take_cwes(map.next_value::<IdList<'de>>()?.0),
            }
        }
        Ok((row, is_foreign))
    }
}

/// A text, which a number is not.
struct TextOnly<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for TextOnly<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOnlyVisitor;
        impl<'de> Visitor<'de> for TextOnlyVisitor {
            type Value = TextOnly<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(TextOnly(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextOnly(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Err(E::custom(format_args!("found the number {number} where a string is expected")))
            }
        }
        deserializer.deserialize_any(TextOnlyVisitor)
    }
}

/// The string that a value is.
fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    let json = value.get();
    json.starts_with('"').then(|| serde_json::from_str::<Text<'_>>(json).ok()).flatten().map(|text| text.0)
}

/// The English one of a list of texts with their languages, as NVD and the CVE list write them.
fn in_english(value: &RawValue) -> Option<Cow<'_, str>> {
    let json = value.get();
    let texts =
        json.starts_with('[').then(|| serde_json::from_str::<List<LangText<'_>>>(json).ok()).flatten()?;
    texts.0.into_iter().find(|text| is_english(&text.lang.0)).map(|text| text.value.0)
}

/// The id that a value is, exactly as it is written: a string, or the digits of a number. Under a name that can mean
/// nothing else, other values are wrong; under another they are not ids.
fn id_of(value: &RawValue, is_plain: bool) -> Result<Option<Cow<'_, str>>, &'static str> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'"') => Ok(string(value)),
        Some(b'0'..=b'9' | b'-') => Ok(Some(Cow::Borrowed(json))),
        Some(b'n') => Ok(None),
        _ if is_plain => Err("the id is neither a string nor a number"),
        _ => Ok(None),
    }
}
