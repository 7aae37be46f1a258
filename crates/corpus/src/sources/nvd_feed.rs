//! NVD's yearly feeds in the JSON schema 1.1, `nvdcve-1.1-YYYY.json`, plain or with gzip.

use serde::Deserialize;

use super::items::Parse;
use super::json_text::Text;
use super::rows::When;
use crate::error::Problem;
use crate::record::{LabelSource, SourceRecord, is_english};

/// A member of the feed's array `CVE_Items`.
pub(crate) struct NvdFeed;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Item<'a> {
    #[serde(borrow)]
    cve: Cve<'a>,
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
    #[serde(borrow, default)]
    problemtype: ProblemTypes<'a>,
    #[serde(borrow)]
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
    problemtype_data: Vec<ProblemType<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct ProblemType<'a> {
    #[serde(borrow, default)]
    description: Vec<LangText<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Descriptions<'a> {
    #[serde(borrow, default)]
    description_data: Vec<LangText<'a>>,
}

/// A text and its language, as NVD's feeds and its API write them.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct LangText<'a> {
    #[serde(borrow, default)]
    pub(super) lang: Text<'a>,
    #[serde(borrow, default)]
    pub(super) value: Text<'a>,
}

impl Parse for NvdFeed {
    const ARRAY: &'static str = "CVE_Items";

    fn parse(item: &[u8]) -> Result<SourceRecord, (Option<String>, Problem)> {
        let item: Item<'_> =
            serde_json::from_slice(item).map_err(|error| (None, Problem::json(item, &error)))?;
        let id = item.cve.meta.id.0.as_ref();
        let bad = |problem| (Some(id.chars().take(40).collect()), problem);
        let cve =
            id.parse().map_err(|_| bad(Problem::bad_field("ID", id, "a CVE id such as CVE-2021-44228")))?;
        let mut record = SourceRecord::new(cve);
        record.published = item.published.day();
        record.modified = item.modified.day();
        for text in item.cve.description.description_data.iter().filter(|text| is_english(&text.lang.0)) {
            record.describe(&text.value.0);
        }
        for text in item.cve.problemtype.problemtype_data.iter().flat_map(|types| &types.description) {
            record.label(LabelSource::Nvd, &text.value.0);
        }
        Ok(record)
    }
}
