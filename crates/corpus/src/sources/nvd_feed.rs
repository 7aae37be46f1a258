//! NVD's yearly feeds in the JSON schema 1.1, `nvdcve-1.1-YYYY.json`, plain or with gzip.

use serde::Deserialize;

use crate::date::When;
use crate::problem::{BadRecord, Problem};
use crate::record::{Assigner, Record, is_english};
use crate::record_id::RecordId;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{List, Text, or_default};
use crate::sources::object::Object;

/// The analysts of the National Vulnerability Database.
pub(super) const NVD: Assigner = Assigner { rank: 10, name: "nvd", added: false };

/// A member of the feed's array.
pub(super) struct NvdFeed;

/// The key of the feed's array.
const ITEMS: &str = "CVE_Items";
/// A key of the feed itself.
const FEED: &str = "CVE_data_type";

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Item<'a> {
    #[serde(borrow)]
    cve: Cve<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    impact: Impact<'a>,
    #[serde(default, rename = "publishedDate")]
    published: When,
    #[serde(default, rename = "lastModifiedDate")]
    modified: When,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Cve<'a> {
    #[serde(borrow, rename = "CVE_data_meta")]
    meta: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    problemtype: ProblemTypes<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    description: Descriptions<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Meta<'a> {
    #[serde(borrow, rename = "ID")]
    id: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct ProblemTypes<'a> {
    #[serde(borrow, default)]
    problemtype_data: List<ProblemType<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct ProblemType<'a> {
    #[serde(borrow, default)]
    description: List<LangText<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Descriptions<'a> {
    #[serde(borrow, default)]
    description_data: List<LangText<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Impact<'a> {
    #[serde(borrow, default, rename = "baseMetricV3", deserialize_with = "or_default")]
    v3: BaseMetric<'a>,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct BaseMetric<'a> {
    #[serde(borrow, default, rename = "cvssV3", deserialize_with = "or_default")]
    cvss: Cvss<'a>,
}

/// The fields of a CVSS document that are read.
#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
pub(super) struct Cvss<'a> {
    #[serde(borrow, default, rename = "vectorString")]
    pub(super) vector: Text<'a>,
}

/// A text and its language, in NVD's feeds and its API.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct LangText<'a> {
    #[serde(borrow, default)]
    pub(super) lang: Text<'a>,
    #[serde(borrow, default)]
    pub(super) value: Text<'a>,
}

impl ObjectFormat for NvdFeed {
    fn name(&self) -> &'static str {
        "nvd-feed"
    }

    fn about(&self) -> &'static str {
        "NVD's yearly feeds"
    }

    fn arrays(&self) -> &'static [&'static str] {
        &[ITEMS]
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        object.object("cve").is_some_and(|cve| cve.has("CVE_data_meta")) || is_empty_feed(object)
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        vec![read(object)]
    }
}

/// Tests for a feed without its array of CVEs.
fn is_empty_feed(object: &Object<'_>) -> bool {
    object.has(FEED) && object.array(ITEMS).is_none()
}

fn read(object: &[u8]) -> Parsed {
    if is_empty_feed(&Object::new(object)) {
        return Err(Problem::MissingField(ITEMS).into());
    }
    let item: Item<'_> = serde_json::from_slice(object).map_err(|error| Problem::json(object, &error))?;
    let id = RecordId::new(item.cve.meta.id.0.as_ref());
    if id.cve().is_none() {
        return Err(BadRecord::not_a_cve("ID", id.as_str()));
    }
    let mut record = Record::new(Some(id), Problem::NoDescription("English description"));
    record.dates.published = item.published;
    record.dates.modified = item.modified.day();
    for text in item.cve.description.description_data.0.iter().filter(|text| is_english(&text.lang.0)) {
        record.describe(&text.value.0);
    }
    for text in item.cve.problemtype.problemtype_data.0.iter().flat_map(|types| &types.description.0) {
        record.label(NVD, &text.value.0);
    }
    record.rate(NVD, &item.impact.v3.cvss.vector.0);
    Ok(record)
}
