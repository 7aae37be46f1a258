//! Records in JSON of one's own: an object with `description` (or `text`) and, if known, `id`, `published`, `cwes`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::date::When;
use crate::error::{BadRecord, Problem};
use crate::record::Record;
use crate::sources::format::{Needs, ObjectFormat};
use crate::sources::json_text::{Id, IdList, Text};
use crate::sources::object::Object;
use crate::sources::rows::Row;

/// An object with the columns of a table as keys.
pub(crate) struct JsonRow;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Columns<'a> {
    #[serde(borrow, default, alias = "cve_id")]
    id: Option<Id<'a>>,
    #[serde(default)]
    published: When,
    #[serde(default)]
    modified: When,
    #[serde(borrow, default)]
    description: Option<Text<'a>>,
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default, alias = "cwe_ids")]
    cwes: IdList<'a>,
}

impl ObjectFormat for JsonRow {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "JSON objects with the keys id and description"
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        object.has_any(&["description", "text"])
    }

    fn read(&self, object: &[u8], needs: Needs) -> Result<Record, BadRecord> {
        if object.trim_ascii_start().starts_with(b"[") {
            return Err(Problem::Json("an array; give one object a line".to_owned()).into());
        }
        let columns: Columns<'_> =
            serde_json::from_slice(object).map_err(|error| Problem::json(object, &error))?;
        let has_text = columns.description.is_some() || columns.text.is_some();
        let texts = [columns.description, columns.text].into_iter().flatten();
        let text = { texts }.find(|text| !text.0.trim().is_empty()).map(|text| text.0);
        let row = Row {
            id: columns.id.map(|id| as_given(id.0, object)),
            published: columns.published,
            modified: columns.modified.day(),
            text: text.or(has_text.then_some(Cow::Borrowed(""))),
            cwes: columns.cwes.0,
        };
        row.into_record(needs)
    }
}

/// The id as it stands in `object`: the reader of a number may give other digits.
fn as_given<'a>(id: Cow<'a, str>, object: &'a [u8]) -> Cow<'a, str> {
    #[derive(Deserialize)]
    struct Given<'a> {
        #[serde(borrow, alias = "cve_id")]
        id: &'a RawValue,
    }
    if matches!(id, Cow::Borrowed(_)) {
        return id;
    }
    match serde_json::from_slice::<Given<'_>>(object) {
        Ok(given) if !given.id.get().starts_with('"') => Cow::Borrowed(given.id.get()),
        _ => id,
    }
}
