//! OSV records, as osv.dev, the GitHub Advisory Database and the ecosystems' databases publish them.

use serde::Deserialize;

use crate::date::When;
use crate::error::Problem;
use crate::record::{Assigner, Record};
use crate::record_id::RecordId;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text};
use crate::sources::object::Object;

/// The database that published the advisory, in practice GitHub's.
const GHSA: Assigner = Assigner { rank: 35, name: "ghsa", added: false };

/// An OSV record.
pub(super) struct Osv;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Advisory<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, default)]
    aliases: List<Text<'a>>,
    #[serde(default)]
    published: When,
    #[serde(default)]
    modified: When,
    #[serde(default)]
    withdrawn: When,
    #[serde(borrow, default)]
    summary: Text<'a>,
    #[serde(borrow, default)]
    details: Text<'a>,
    #[serde(borrow, default)]
    database_specific: Option<DatabaseSpecific<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct DatabaseSpecific<'a> {
    #[serde(borrow, default)]
    cwe_ids: IdList<'a>,
}

impl ObjectFormat for Osv {
    fn name(&self) -> &'static str {
        "osv"
    }

    fn about(&self) -> &'static str {
        "OSV records"
    }

    /// The key in answers of osv.dev's API.
    fn arrays(&self) -> &'static [&'static str] {
        &["vulns"]
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        object.has("id") && object.has_any(&["schema_version", "details", "affected"])
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        vec![read(object)]
    }
}

fn read(object: &[u8]) -> Parsed {
    let advisory: Advisory<'_> =
        serde_json::from_slice(object).map_err(|error| Problem::json(object, &error))?;
    let id = RecordId::new(advisory.id.0.into_owned());
    let mut record = Record::new(Some(id), Problem::NoDescription("details and no summary"));
    record.aliases =
        advisory.aliases.0.into_iter().map(|alias| RecordId::new(alias.0.into_owned())).collect();
    record.dates.published = advisory.published;
    record.dates.modified = advisory.modified.day();
    record.withdrawn = advisory.withdrawn != When::Unknown;
    for text in [advisory.details, advisory.summary] {
        record.describe(&text.0);
    }
    for cwe in advisory.database_specific.iter().flat_map(|specific| &specific.cwe_ids.0) {
        record.label(GHSA, cwe);
    }
    Ok(record)
}
