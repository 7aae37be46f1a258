//! JSON objects, field by field: what STIX bundles and CWE's REST API consist of.
//!
//! An object is kept as raw text until a field of it is asked for, so a field of the wrong type
//! costs that object (or field) alone.

use std::collections::HashMap;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::{BadField, ParseError, excerpt};

/// The fields of one object, each still unparsed.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct JsonObject {
    fields: HashMap<String, Box<RawValue>>,
}

impl JsonObject {
    /// True where the object has the field.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The field's value; `None` where it is absent or null.
    pub(crate) fn optional<T: DeserializeOwned>(&self, field: &'static str) -> Result<Option<T>, BadField> {
        let Some(raw) = self.fields.get(field) else { return Ok(None) };
        serde_json::from_str(raw.get()).map_err(|error| BadField { field, problem: shape_problem(&error) })
    }

    /// The day at the beginning of a time, `YYYY-MM-DD`; none where the field is no text of that length.
    pub(crate) fn day(&self, field: &'static str) -> Option<String> {
        let time: Option<String> = self.optional(field).ok()?;
        time.and_then(|time| time.get(..10).map(str::to_owned))
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
pub(crate) fn shape_problem(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    excerpt(message.get(..end).unwrap_or_default())
}

/// Passes over a UTF-8 byte order mark, which some editors put in front.
pub(crate) fn skip_byte_order_mark(reader: &mut impl BufRead) -> std::io::Result<()> {
    if reader.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
        reader.consume(3);
    }
    Ok(())
}

pub(crate) fn json_error(error: serde_json::Error, file: &str) -> ParseError {
    let file = file.to_owned();
    if error.is_io() {
        return ParseError::Read { file, source: error.into() };
    }
    ParseError::Json { file, line: error.line(), column: error.column(), detail: shape_problem(&error) }
}
