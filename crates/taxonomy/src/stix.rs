//! STIX 2.1 bundles, object by object: what CAPEC and ATT&CK are published as.
//!
//! An object is kept as raw text until a field of it is asked for, so a field of the wrong type
//! costs that object (or field) alone and memory holds one object at a time.

use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{ParseError, excerpt};

/// The fields of one object, each still unparsed.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct StixObject {
    fields: HashMap<String, Box<RawValue>>,
}

/// A field that is missing or holds something else than it should.
pub(crate) struct BadField {
    pub(crate) field: &'static str,
    pub(crate) problem: String,
}

/// An element of `external_references`: the id of this object in some catalogue.
#[derive(Deserialize)]
pub(crate) struct ExternalReference {
    pub(crate) source_name: String,
    pub(crate) external_id: Option<String>,
}

impl StixObject {
    /// The field's value; `None` where it is absent or null.
    pub(crate) fn optional<T: DeserializeOwned>(&self, field: &'static str) -> Result<Option<T>, BadField> {
        let Some(raw) = self.fields.get(field) else { return Ok(None) };
        serde_json::from_str(raw.get()).map_err(|error| BadField { field, problem: shape_problem(&error) })
    }

    /// The field's value, or what stands for an absent one.
    pub(crate) fn or_default<T: DeserializeOwned + Default>(
        &self,
        field: &'static str,
    ) -> Result<T, BadField> {
        Ok(self.optional(field)?.unwrap_or_default())
    }

    /// The field's value, which must be there.
    pub(crate) fn required<T: DeserializeOwned>(&self, field: &'static str) -> Result<T, BadField> {
        self.optional(field)?.ok_or_else(|| BadField { field, problem: "is missing".to_owned() })
    }
}

/// serde_json's message without its position, which would be that inside the field.
fn shape_problem(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    excerpt(message.get(..end).unwrap_or_default())
}

/// Calls `each` with the index and the fields of every element of a bundle's `objects`, in their
/// order; an element that is no object comes as `None`.
///
/// # Errors
/// The reader's, malformed JSON, or a file that is no bundle (`expected` says of what).
pub(crate) fn for_each_object(
    mut reader: impl BufRead,
    file: &str,
    expected: &'static str,
    mut each: impl FnMut(usize, Option<StixObject>),
) -> Result<(), ParseError> {
    skip_byte_order_mark(&mut reader).map_err(|source| ParseError::Read { file: file.to_owned(), source })?;
    let mut json = serde_json::Deserializer::from_reader(reader);
    let head = (&mut json)
        .deserialize_any(BundleVisitor { each: &mut each })
        .and_then(|head| json.end().map(|()| head))
        .map_err(|error| json_error(error, file))?;
    let detail = match head {
        Head { is_bundle: false, .. } => "the top level is not an object with \"type\": \"bundle\"",
        Head { has_objects: false, .. } => "it has no list of \"objects\"",
        Head { .. } => return Ok(()),
    };
    Err(ParseError::NotBundle { file: file.to_owned(), expected, detail })
}

/// Passes over a UTF-8 byte order mark, which some editors put in front.
fn skip_byte_order_mark(reader: &mut impl BufRead) -> std::io::Result<()> {
    if reader.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
        reader.consume(3);
    }
    Ok(())
}

fn json_error(error: serde_json::Error, file: &str) -> ParseError {
    let file = file.to_owned();
    if error.is_io() {
        return ParseError::Read { file, source: error.into() };
    }
    ParseError::Json { file, line: error.line(), column: error.column(), detail: shape_problem(&error) }
}

/// What the top level of the file turned out to be.
#[derive(Default)]
struct Head {
    is_bundle: bool,
    has_objects: bool,
}

struct BundleVisitor<'a, F> {
    each: &'a mut F,
}

impl<'de, F: FnMut(usize, Option<StixObject>)> Visitor<'de> for BundleVisitor<'_, F> {
    type Value = Head;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a STIX 2.1 bundle")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Head, A::Error> {
        let mut head = Head::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "type" => head.is_bundle = map.next_value::<String>()? == "bundle",
                "objects" => {
                    map.next_value_seed(ObjectsSeed { each: self.each })?;
                    head.has_objects = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(head)
    }
}

struct ObjectsSeed<'a, F> {
    each: &'a mut F,
}

impl<'de, F: FnMut(usize, Option<StixObject>)> DeserializeSeed<'de> for ObjectsSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(usize, Option<StixObject>)> Visitor<'de> for ObjectsSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of STIX objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(raw) = seq.next_element::<Box<RawValue>>()? {
            (self.each)(index, serde_json::from_str(raw.get()).ok());
            index += 1;
        }
        Ok(())
    }
}
