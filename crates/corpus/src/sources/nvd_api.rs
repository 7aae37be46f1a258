//! Response pages of NVD's CVE API 2.0, saved on disk.

use serde::Deserialize;

use super::items::Parse;
use super::json_text::Text;
use super::nvd_feed::LangText;
use super::rows::When;
use crate::error::Problem;
use crate::record::{LabelSource, SourceRecord, is_english};

/// A member of a page's array `vulnerabilities`.
pub(crate) struct NvdApi;

/// Who NVD's own analysts are among the sources of weaknesses.
const NVD: &str = "nvd@nist.gov";
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

impl Parse for NvdApi {
    const ARRAY: &'static str = "vulnerabilities";

    fn parse(item: &[u8]) -> Result<SourceRecord, (Option<String>, Problem)> {
        let item: Item<'_> =
            serde_json::from_slice(item).map_err(|error| (None, Problem::json(item, &error)))?;
        let cve = item.cve;
        let bad = |problem| (Some(cve.id.0.chars().take(40).collect()), problem);
        let id = cve.id.0.parse();
        let id =
            id.map_err(|_| bad(Problem::bad_field("id", &cve.id.0, "a CVE id such as CVE-2021-44228")))?;
        let mut record = SourceRecord::new(id);
        record.published = cve.published.day();
        record.modified = cve.modified.day();
        record.rejected = cve.status.as_ref().is_some_and(|status| status.0 == "Rejected");
        for text in cve.descriptions.iter().filter(|text| is_english(&text.lang.0)) {
            record.describe(&text.value.0);
        }
        for weakness in &cve.weaknesses {
            let source = match weakness.source.0.as_ref() {
                NVD => LabelSource::Nvd,
                CISA_ADP => LabelSource::Adp,
                _ => LabelSource::Cna,
            };
            weakness.description.iter().for_each(|text| record.label(source, &text.value.0));
        }
        Ok(record)
    }
}
