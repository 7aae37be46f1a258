//! Response pages of NVD's CVE API 2.0, saved on disk.

use serde::Deserialize;

use crate::date::When;
use crate::error::{BadRecord, Problem};
use crate::record::{Record, is_english};
use crate::record_id::RecordId;
use crate::sources::cve_record::{ADP, CNA};
use crate::sources::format::{Needs, ObjectFormat};
use crate::sources::json_text::Text;
use crate::sources::nvd_feed::{LangText, NVD};
use crate::sources::object::Object;

/// A member of a page's array.
pub(super) struct NvdApi;

/// The key of a page's array.
const ITEMS: &str = "vulnerabilities";
/// A key of a page itself.
const PAGE: &str = "resultsPerPage";
/// The name of NVD's own analysts among those who assign weaknesses.
const ANALYSTS: &str = "nvd@nist.gov";
/// The organisation id of CISA's ADP, under which Vulnrichment's weaknesses stand.
const CISA_ADP: &str = "134c704f-9b21-4f2e-91b3-4a467353bcc0";

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Item<'a> {
    #[serde(borrow)]
    cve: Cve<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Cve<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(default)]
    published: When,
    #[serde(default, rename = "lastModified")]
    modified: When,
    #[serde(borrow, default, rename = "vulnStatus")]
    status: Option<Text<'a>>,
    #[serde(borrow, default)]
    descriptions: Vec<LangText<'a>>,
    #[serde(borrow, default)]
    weaknesses: Vec<Weakness<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Weakness<'a> {
    #[serde(borrow, default)]
    source: Text<'a>,
    #[serde(borrow, default)]
    description: Vec<LangText<'a>>,
}

impl ObjectFormat for NvdApi {
    fn name(&self) -> &'static str {
        "nvd-api"
    }

    fn about(&self) -> &'static str {
        "pages of NVD's API"
    }

    fn arrays(&self) -> &'static [&'static str] {
        &[ITEMS]
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        object.object("cve").is_some_and(|cve| cve.has("id")) || object.has(PAGE)
    }

    fn read(&self, object: &[u8], _: Needs) -> Result<Record, BadRecord> {
        let item: Item<'_> = serde_json::from_slice(object).map_err(|error| {
            let is_page = Object::new(object).has(PAGE);
            if is_page { Problem::MissingField(ITEMS) } else { Problem::json(object, &error) }
        })?;
        let cve = item.cve;
        let id = RecordId::new(cve.id.0.as_ref());
        if id.cve().is_none() {
            return Err(BadRecord::not_a_cve("id", id.as_str()));
        }
        let mut record = Record::new(Some(id), Problem::NoDescription("English description"));
        record.dates.published = cve.published;
        record.dates.modified = cve.modified.day();
        record.withdrawn = cve.status.as_ref().is_some_and(|status| status.0 == "Rejected");
        for text in cve.descriptions.iter().filter(|text| is_english(&text.lang.0)) {
            record.describe(&text.value.0);
        }
        for weakness in &cve.weaknesses {
            let assigner = match weakness.source.0.as_ref() {
                ANALYSTS => NVD,
                CISA_ADP => ADP,
                _ => CNA,
            };
            weakness.description.iter().for_each(|text| record.label(assigner, &text.value.0));
        }
        Ok(record)
    }
}
