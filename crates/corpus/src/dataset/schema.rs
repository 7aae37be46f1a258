//! Columns and metadata of the data set.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::curated;
use crate::groups::SplitOptions;

pub(crate) const NAME: &str = "name";
pub(crate) const CVE_ID: &str = "cve_id";
pub(crate) const ALIASES: &str = "aliases";
pub(crate) const KIND: &str = "kind";
pub(crate) const STYLE: &str = "style";
pub(crate) const OUTCOME: &str = "outcome";
pub(crate) const PUBLISHED: &str = "published";
pub(crate) const MODIFIED: &str = "modified";
pub(crate) const DESCRIPTION: &str = "description";
pub(crate) const CWE_IDS: &str = "cwe_ids";
pub(crate) const CWE_SOURCES: &str = "cwe_sources";
pub(crate) const CWE_DERIVED: &str = "cwe_derived";
pub(crate) const CAPEC_IDS: &str = "capec_ids";
pub(crate) const ATTACK_IDS: &str = "attack_ids";
pub(crate) const CURATED: &str = "curated";
pub(crate) const CVSS: &str = "cvss";
pub(crate) const CVSS_SOURCE: &str = "cvss_source";
pub(crate) const GROUP: &str = "group";
pub(crate) const SPLIT_RANDOM: &str = "split_random";
pub(crate) const SPLIT_TEMPORAL: &str = "split_temporal";
pub(crate) const KB_VERSION: &str = "kb_version";

/// Key of the file's metadata under which the version of this layout stands.
pub(crate) const VERSION_KEY: &str = "vulnlens.dataset";
/// The version of this layout. The first one had records alone: no `name`, `aliases`, `kind`, `style` and `outcome`;
/// the second one had no `curated`, the third one no `cvss` and `cvss_source`.
pub(crate) const VERSION: &str = "4";
/// Key of the seed of groups and random split.
pub(crate) const SEED_KEY: &str = "vulnlens.seed";
/// Key of the rules of the splits, in words.
pub(crate) const SPLITS_KEY: &str = "vulnlens.splits";
/// Key of the versions of the knowledge base that the labels were derived with.
pub(crate) const KB_KEY: &str = "vulnlens.knowledge_base";
/// Key of the version of the program that wrote the file.
pub(crate) const TOOL_KEY: &str = "vulnlens.tool";

/// Type of the items of a list column, named as Parquet's own specification names them.
pub(crate) fn list_item() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, false))
}

/// The columns, in order.
pub(crate) fn schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, false);
    let optional = |name| Field::new(name, DataType::Utf8, true);
    let date = |name| Field::new(name, DataType::Date32, true);
    let list = |name| Field::new(name, DataType::List(list_item()), false);
    Arc::new(Schema::new(vec![
        text(NAME),
        optional(CVE_ID),
        list(ALIASES),
        text(KIND),
        optional(STYLE),
        optional(OUTCOME),
        date(PUBLISHED),
        date(MODIFIED),
        text(DESCRIPTION),
        list(CWE_IDS),
        list(CWE_SOURCES),
        list(CWE_DERIVED),
        list(CAPEC_IDS),
        list(ATTACK_IDS),
        curated::field(),
        optional(CVSS),
        optional(CVSS_SOURCE),
        text(GROUP),
        text(SPLIT_RANDOM),
        text(SPLIT_TEMPORAL),
        text(KB_VERSION),
    ]))
}

/// What the file says about itself.
pub(crate) fn metadata(kb_version: &str, splits: &SplitOptions) -> Vec<(String, String)> {
    let rules = format!(
        "random: {} train, {} validation, rest test, by a hash of the group with the seed; temporal, by CVE year: \
         train to {}, validation to {}, test after; texts that are equal, of one CVE or name it are never split",
        splits.train, splits.validation, splits.train_until, splits.validation_until
    );
    let pairs = [
        (VERSION_KEY, VERSION),
        (SEED_KEY, &splits.seed.to_string()),
        (SPLITS_KEY, &rules),
        (KB_KEY, kb_version),
        (TOOL_KEY, concat!("vulnlens ", env!("CARGO_PKG_VERSION"))),
    ];
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
}
