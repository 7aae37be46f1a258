//! The made-up catalogues of `tests/data`, and records in CVE2CAPEC's form.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use vulnlens_taxonomy::{
    CapecId, CweId, KnowledgeBase, KnowledgeBaseBuilder, TechniqueId, atlas, attack, capec, cwe, d3fend,
};

pub(crate) const CWE: &str = include_str!("../data/cwe.xml");
pub(crate) const CAPEC: &str = include_str!("../data/capec.json");
pub(crate) const ENTERPRISE: &str = include_str!("../data/enterprise.json");
pub(crate) const MOBILE: &str = include_str!("../data/mobile.json");

pub(crate) const ATLAS: &str = include_str!("../data/atlas.yaml");
pub(crate) const D3FEND: &str = include_str!("../data/d3fend.ttl");

/// The knowledge base of the made-up catalogues, `change` made to the CWE file first.
pub(crate) fn knowledge_base_with(change: impl Fn(&str) -> String) -> KnowledgeBase {
    builder_with(change).build().unwrap()
}

/// The same with ATLAS and D3FEND of these files.
pub(crate) fn knowledge_base_with_both(atlas: &str, d3fend: &str) -> KnowledgeBase {
    builder_with(str::to_owned)
        .atlas(atlas::parse(atlas.as_bytes(), "atlas.yaml").unwrap())
        .d3fend(d3fend::parse(d3fend.as_bytes(), "d3fend.ttl").unwrap())
        .build()
        .unwrap()
}

fn builder_with(change: impl Fn(&str) -> String) -> KnowledgeBaseBuilder {
    KnowledgeBaseBuilder::new()
        .cwe(cwe::parse(change(CWE).as_bytes(), "cwe.xml").unwrap())
        .capec(capec::parse(CAPEC.as_bytes(), "capec.json").unwrap())
        .attack(attack::parse(ENTERPRISE.as_bytes(), "enterprise.json").unwrap())
        .attack(attack::parse(MOBILE.as_bytes(), "mobile.json").unwrap())
}

pub(crate) fn knowledge_base() -> KnowledgeBase {
    knowledge_base_with(str::to_owned)
}

/// `CWE-79` and the like, from numbers.
pub(crate) fn cwes(numbers: &[u32]) -> Vec<CweId> {
    numbers.iter().copied().map(CweId).collect()
}

/// Techniques from their texts.
pub(crate) fn techniques(texts: &[&str]) -> Vec<TechniqueId> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// What CVE2CAPEC gives for one record.
#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) struct Published {
    pub(crate) cwe: Vec<CweId>,
    pub(crate) capec: BTreeSet<CapecId>,
    pub(crate) techniques: BTreeSet<TechniqueId>,
}

/// The records of one line of CVE2CAPEC's files.
pub(crate) fn published(line: &str) -> BTreeMap<String, Published> {
    serde_json::from_str(line).unwrap()
}
