//! Reviews in JSON Lines.

use serde::Serialize;

use super::judge::Review;
use super::objection::Objection;
use crate::mapping::AdvisedCwe;
use crate::score::rounded;
use vulnlens_taxonomy::{CweId, KnowledgeBase, Usage};

/// A review as a JSON object.
#[derive(Serialize)]
pub(super) struct ReviewItem<'a> {
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    assigner: String,
    mapped: Vec<MappedItem<'a>>,
    suggested: Vec<SuggestedItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<FamilyItem<'a>>,
    verdict: &'static str,
    by_assigner: Vec<AssignerItem<'a>>,
    rationale: &'a str,
    suggestions: &'a [AdvisedCwe],
}

#[derive(Serialize)]
struct MappedItem<'a> {
    cwe: String,
    name: &'a str,
    assigner: &'a str,
    usage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    objection: Option<&'static str>,
}

#[derive(Serialize)]
struct SuggestedItem<'a> {
    cwe: String,
    name: &'a str,
    score: f64,
    asserted: bool,
}

#[derive(Serialize)]
struct FamilyItem<'a> {
    cwe: String,
    name: &'a str,
    score: f64,
}

#[derive(Serialize)]
struct AssignerItem<'a> {
    assigner: &'a str,
    verdict: &'static str,
}

impl<'a> ReviewItem<'a> {
    pub(super) fn of(review: &'a Review, kb: &'a KnowledgeBase) -> Self {
        let name = |id: CweId| kb.name_of_cwe(id).unwrap_or_default();
        let assigners: Vec<&str> = review.by_assigner.iter().map(|(assigner, _)| assigner.as_ref()).collect();
        let mapped = review.mapped.iter().map(|mapped| MappedItem {
            cwe: mapped.cwe.to_string(),
            name: name(mapped.cwe),
            assigner: &mapped.assigner,
            usage: kb.usage_of_cwe(mapped.cwe).map_or("Unknown", Usage::as_str),
            objection: Objection::to(mapped.cwe, kb).map(Objection::name),
        });
        let suggested = review.suggested.iter().map(|scored| SuggestedItem {
            cwe: scored.label.to_string(),
            name: name(scored.label),
            score: rounded(scored.score),
            asserted: scored.predicted,
        });
        let family = review.family.as_ref().map(|family| FamilyItem {
            cwe: family.label.to_string(),
            name: name(family.label),
            score: rounded(family.score),
        });
        let by_assigner = review
            .by_assigner
            .iter()
            .map(|(assigner, verdict)| AssignerItem { assigner, verdict: verdict.name() });
        Self {
            id: review.record.id.as_deref(),
            line: review.record.line.filter(|_| review.record.id.is_none()),
            assigner: assigners.join(", "),
            mapped: mapped.collect(),
            suggested: suggested.collect(),
            family,
            verdict: review.verdict.name(),
            by_assigner: by_assigner.collect(),
            rationale: &review.rationale,
            suggestions: &review.suggestions,
        }
    }
}
