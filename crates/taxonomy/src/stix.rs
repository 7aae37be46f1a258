//! STIX 2.1 bundles, object by object: what CAPEC and ATT&CK are published as. Memory holds one object at a time.

use std::fmt;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::ParseError;
use crate::json::{JsonObject, json_error, skip_byte_order_mark};
use crate::sniff::{Form, sniff};

/// An element of `external_references`: the id of this object in some catalogue.
#[derive(Deserialize)]
pub(crate) struct ExternalReference {
    pub(crate) source_name: String,
    pub(crate) external_id: Option<String>,
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
    mut each: impl FnMut(usize, Option<JsonObject>),
) -> Result<(), ParseError> {
    skip_byte_order_mark(&mut reader).map_err(ParseError::read(file))?;
    let (form, kind) = sniff(&mut reader).map_err(ParseError::read(file))?;
    if form == Form::Xml {
        return Err(ParseError::not_catalogue(file, expected, format!("it is {kind}")));
    }
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
    Err(ParseError::not_catalogue(file, expected, detail))
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

impl<'de, F: FnMut(usize, Option<JsonObject>)> Visitor<'de> for BundleVisitor<'_, F> {
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

impl<'de, F: FnMut(usize, Option<JsonObject>)> DeserializeSeed<'de> for ObjectsSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(usize, Option<JsonObject>)> Visitor<'de> for ObjectsSeed<'_, F> {
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
