//! Response pages of NVD's CVE API 2.0, saved on disk.

use serde::Deserialize;

use crate::date::When;
use crate::problem::{BadRecord, Problem};
use crate::record::{Assigner, Record, is_english};
use crate::record_id::RecordId;
use crate::sources::cve_record::{ADP, CNA};
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{List, Text, or_default};
use crate::sources::nvd_feed::{Cvss, LangText, NVD};
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
    status: Text<'a>,
    #[serde(borrow, default)]
    descriptions: List<LangText<'a>>,
    #[serde(borrow, default)]
    weaknesses: List<Weakness<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    metrics: Metrics<'a>,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Metrics<'a> {
    #[serde(borrow, default, rename = "cvssMetricV31")]
    v31: List<Metric<'a>>,
    #[serde(borrow, default, rename = "cvssMetricV30")]
    v30: List<Metric<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Metric<'a> {
    #[serde(borrow, default)]
    source: Text<'a>,
    #[serde(borrow, default, rename = "cvssData", deserialize_with = "or_default")]
    cvss: Cvss<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Weakness<'a> {
    #[serde(borrow, default)]
    source: Text<'a>,
    #[serde(borrow, default)]
    description: List<LangText<'a>>,
}

impl ObjectFormat for NvdApi {
    fn name(&self) -> &'static str {
        "nvd-api"
    }

    fn about(&self) -> &'static str {
        "pages of NVD's API"
    }

    fn arrays(&self) -> &'static [&'static str] {
        &[ITEMS, "cve_items"]
    }

    /// A member of a page, or the CVE alone, as mirrors keep it.
    fn recognises(&self, object: &Object<'_>) -> bool {
        let is_cve = |object: &Object<'_>| object.has("id") && object.has("descriptions");
        object.object("cve").is_some_and(|cve| is_cve(&cve)) || is_cve(object) || is_empty_page(object)
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        vec![read(object)]
    }
}

/// Tests for a page without its array of CVEs.
fn is_empty_page(object: &Object<'_>) -> bool {
    object.has(PAGE) && object.array(ITEMS).is_none()
}

fn read(object: &[u8]) -> Parsed {
    let keys = Object::new(object);
    if is_empty_page(&keys) {
        return Err(Problem::MissingField(ITEMS).into());
    }
    let json = |error: serde_json::Error| Problem::json(object, &error);
    let cve: Cve<'_> = match keys.object("cve") {
        Some(_) => serde_json::from_slice::<Item<'_>>(object).map_err(json)?.cve,
        None => serde_json::from_slice(object).map_err(json)?,
    };
    let id = RecordId::new(cve.id.0.as_ref());
    if id.cve().is_none() {
        return Err(BadRecord::not_a_cve("id", id.as_str()));
    }
    let mut record = Record::new(Some(id), Problem::NoDescription("English description"));
    record.dates.published = cve.published;
    record.dates.modified = cve.modified.day();
    record.withdrawn = cve.status.0.eq_ignore_ascii_case("rejected");
    for text in cve.descriptions.0.iter().filter(|text| is_english(&text.lang.0)) {
        record.describe(&text.value.0);
    }
    for weakness in &cve.weaknesses.0 {
        let assigner = assigner(&weakness.source.0);
        weakness.description.0.iter().for_each(|text| record.label(assigner, &text.value.0));
        if assigner == CNA && record.labels.iter().any(|label| label.assigner == CNA) {
            record.assigned_by(CNA, &weakness.source.0);
        }
    }
    for metric in cve.metrics.v31.0.iter().chain(&cve.metrics.v30.0) {
        record.rate(assigner(&metric.source.0), &metric.cvss.vector.0);
    }
    Ok(record)
}

fn assigner(source: &str) -> Assigner {
    match source {
        ANALYSTS => NVD,
        CISA_ADP => ADP,
        _ => CNA,
    }
}
