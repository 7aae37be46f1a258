//! The reasons of an answer as keys of record output.

use std::sync::Arc;

use serde::Serialize;
use serde::ser::SerializeMap;
use vulnlens_model::curated::{CuratedEvidence, MappedTechnique, NearCve, RuleEvidence, WeaknessEvidence};
use vulnlens_model::{EvidenceMethod, Explanation, NearRecord, ScoredLabel, Task, WordEvidence};
use vulnlens_taxonomy::{ChainPath, CweId, KnowledgeBase};

use crate::answer::Answer;
use crate::label::{Label, OTHER};
use crate::mapping::{MappingAdvice, mapping_of};
use crate::score::rounded;

/// The keys of an explanation, behind all others of a record.
#[derive(Serialize)]
pub(crate) struct ExplanationV1<'a> {
    explained: Option<ExplainedV1>,
    words: Vec<WordV1<'a>>,
    without: WithoutV1,
    paths: Vec<Vec<String>>,
    curated: Vec<CuratedV1<'a>>,
    mapping: Vec<MappingAdvice>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    records: Vec<NearRecordV1>,
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parents: Vec<ParentV1<'a>>,
}

#[derive(Serialize)]
struct ParentV1<'a> {
    label: &'a str,
    score: f64,
    predicted: bool,
}

#[derive(Serialize)]
struct NearRecordV1 {
    cve: String,
    similarity: f64,
    cwes: Vec<String>,
}

#[derive(Serialize)]
struct ExplainedV1 {
    taxonomy: &'static str,
    label: String,
    score: f64,
}

#[derive(Serialize)]
struct WithoutV1 {
    words: usize,
    score: f64,
}

#[derive(Serialize)]
struct WordV1<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    weight: f64,
}

#[derive(Serialize)]
struct CuratedV1<'a> {
    label: String,
    name: String,
    score: f64,
    base: f64,
    year: f64,
    rules: Vec<RuleV1<'a>>,
    weaknesses: Vec<WeaknessV1>,
    words: Vec<WordV1<'a>>,
    nearest: Vec<NearV1<'a>>,
}

#[derive(Serialize)]
struct RuleV1<'a> {
    rule: &'a str,
    degree: f64,
    weight: f64,
    names_it: bool,
}

#[derive(Serialize)]
struct WeaknessV1 {
    label: String,
    score: f64,
    weight: f64,
}

#[derive(Serialize)]
struct NearV1<'a> {
    cve: String,
    similarity: f64,
    techniques: Vec<PairV1<'a>>,
}

#[derive(Serialize)]
struct PairV1<'a> {
    label: String,
    role: &'static str,
    project: &'a str,
    reason: Option<&'a str>,
}

impl<'a> ExplanationV1<'a> {
    pub(crate) fn of(answer: &Answer, explanation: &'a Explanation, kb: &KnowledgeBase) -> Self {
        let Explanation { target, score, words, named, score_without, paths, curated, records, .. } =
            explanation;
        let parent = |parent: &'a ScoredLabel<Arc<str>>| ParentV1 {
            label: &parent.label,
            score: rounded(parent.score),
            predicted: parent.predicted,
        };
        let steps = |path: &ChainPath| {
            let cwes = path.cwe.iter().map(CweId::to_string);
            cwes.chain([path.capec.to_string(), path.technique.to_string()]).collect()
        };
        Self {
            explained: target.as_ref().map(|target| ExplainedV1 {
                taxonomy: target.task().map_or(OTHER, Task::key),
                label: target.to_string(),
                score: rounded(*score),
            }),
            words: words.iter().map(WordV1::of).collect(),
            without: WithoutV1 { words: *named, score: rounded(*score_without) },
            paths: paths.iter().map(steps).collect(),
            curated: curated.iter().map(|evidence| CuratedV1::of(evidence, kb)).collect(),
            mapping: mapping_of(answer, kb),
            records: records.iter().map(NearRecordV1::of).collect(),
            method: explanation.method.map(EvidenceMethod::name),
            parents: explanation.parents.iter().map(parent).collect(),
        }
    }

    /// Adds the keys to a record that is being serialised.
    pub(crate) fn serialize_in<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("explained", &self.explained)?;
        map.serialize_entry("words", &self.words)?;
        map.serialize_entry("without", &self.without)?;
        map.serialize_entry("paths", &self.paths)?;
        map.serialize_entry("curated", &self.curated)?;
        map.serialize_entry("mapping", &self.mapping)?;
        if !self.records.is_empty() {
            map.serialize_entry("records", &self.records)?;
        }
        map.serialize_entry("method", &self.method)?;
        if self.parents.is_empty() { Ok(()) } else { map.serialize_entry("parents", &self.parents) }
    }

    /// Appends the keys to a record in JSON.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        // Numbers and strings: there is nothing that cannot be written.
        let json = serde_json::to_vec(self).unwrap_or_default();
        if let Some(keys) = json.strip_prefix(b"{").and_then(|json| json.strip_suffix(b"}")) {
            out.push(b',');
            out.extend_from_slice(keys);
        }
    }
}

impl NearRecordV1 {
    fn of(near: &NearRecord) -> Self {
        let cwes = near.cwes.iter().map(CweId::to_string).collect();
        Self { cve: near.cve.to_string(), similarity: rounded(near.similarity), cwes }
    }
}

impl<'a> WordV1<'a> {
    fn of(word: &'a WordEvidence) -> Self {
        Self { text: &word.text, start: word.start, end: word.end, weight: weight(word.weight) }
    }
}

impl<'a> CuratedV1<'a> {
    fn of(evidence: &'a CuratedEvidence, kb: &KnowledgeBase) -> Self {
        let rule = |rule: &'a RuleEvidence| RuleV1 {
            rule: &rule.name,
            degree: rounded(rule.degree),
            weight: weight(rule.weight),
            names_it: rule.is_named,
        };
        let weakness = |weakness: &WeaknessEvidence| WeaknessV1 {
            label: weakness.cwe.to_string(),
            score: rounded(weakness.probability),
            weight: weight(weakness.weight),
        };
        let has_weight = |word: &&WordEvidence| weight(word.weight) != 0.0;
        Self {
            label: evidence.technique.to_string(),
            name: evidence.technique.name(kb).into_owned(),
            score: weight(evidence.score),
            base: weight(evidence.base),
            year: weight(evidence.year),
            rules: evidence.rules.iter().map(rule).collect(),
            weaknesses: evidence.weaknesses.iter().map(weakness).collect(),
            words: evidence.words.iter().filter(has_weight).map(WordV1::of).collect(),
            nearest: evidence.nearest.iter().map(NearV1::of).collect(),
        }
    }
}

impl<'a> NearV1<'a> {
    fn of(near: &'a NearCve) -> Self {
        let pair = |pair: &'a MappedTechnique| PairV1 {
            label: pair.technique.to_string(),
            role: pair.role.name(),
            project: &pair.project,
            reason: pair.reason.as_deref(),
        };
        Self {
            cve: near.mapped.cve.to_string(),
            similarity: rounded(near.similarity),
            techniques: near.mapped.pairs.iter().map(pair).collect(),
        }
    }
}

/// A weight with six decimals.
fn weight(weight: f32) -> f64 {
    (f64::from(weight) * 1e6).round() / 1e6
}
