//! Record output, version 1, as a value for any format of serde.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use vulnlens_model::{Basis, LabelSource, ScoredLabel};
use vulnlens_taxonomy::{KnowledgeBase, Role};

use crate::answer::Answer;
use crate::column::{Column, each_column};
use crate::evidence::ExplanationV1;
use crate::generated::GENERATED;
use crate::label::{ATLAS, D3FEND, Label, OTHER, OTHER_DOMAINS, SEVERITY, name_of_other};
use crate::mark::Mark;
use crate::rendering::Setup;
use crate::said::{InOrder, serialize_said};
use crate::score::rounded;

/// One record of record output, version 1 (`docs/schema/record-v1.json`): an answer with the names of its labels and
/// the facts of the run. [`JsonLines`](crate::JsonLines) writes the same, and many of them faster.
///
/// ```
/// use vulnlens_model::{LabelMode, LabelSource, Labels, Prediction, ScoredLabel};
/// use vulnlens_report::{Answer, Record, RecordKey, Run, Setup};
/// use vulnlens_taxonomy::{CweId, KnowledgeBase};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let kb = KnowledgeBase::embedded();
/// let labels = LabelSource::Spaces(LabelMode::Recommended);
/// let setup = Setup::new(Run::new("fast", "0123456789ab", kb.versions().clone(), labels), kb);
/// let mut prediction = Prediction::default();
/// prediction.cwe = Some(Labels::new(vec![ScoredLabel::new(CweId(416), 0.75, true)], 0.25));
/// let answer = Answer::new(RecordKey::of_id("CVE-2024-1"), prediction);
/// let record = serde_json::to_value(Record::new(&answer, &setup))?;
/// assert_eq!(record["cwe"][0]["name"], "Use After Free");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    answer: &'a Answer,
    setup: &'a Setup,
}

impl<'a> Record<'a> {
    /// The record of an answer.
    #[must_use]
    pub fn new(answer: &'a Answer, setup: &'a Setup) -> Self {
        Self { answer, setup }
    }

    /// The probabilities that none of the labels applies, by the keys of their tasks.
    fn none(&self) -> InOrder<f64> {
        let (prediction, mut none) = (&self.answer.prediction, vec![]);
        each_column!(C => none.extend(C::of(prediction).map(|l| (C::TASK.key(), rounded(l.none)))));
        InOrder(none)
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { answer, setup: Setup { run, kb, .. } } = self;
        let Answer { record, prediction, explanation, generated, .. } = answer;
        let is_marked = matches!(run.labels, LabelSource::Checkpoint { .. });
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema_version", &1)?;
        map.serialize_entry("id", &record.id)?;
        map.serialize_entry("model", &run.model)?;
        map.serialize_entry("model_revision", &run.model_revision)?;
        let versions = &run.versions;
        let versions = [("cwe", &versions.cwe), ("capec", &versions.capec), ("attack", &versions.attack)];
        map.serialize_entry("taxonomies", &InOrder(versions.to_vec()))?;
        each_column!(C => if C::is_shown(prediction) {
            let labels = C::of(prediction).map_or(&[][..], |labels| &labels.labels);
            let labels: Vec<_> = labels.iter().map(|scored| Item::of(scored, kb, is_marked)).collect();
            map.serialize_entry(C::TASK.key(), &labels)?;
        });
        map.serialize_entry("none", &self.none())?;
        if let LabelSource::Spaces(mode) = run.labels {
            map.serialize_entry("labels", mode.name())?;
        }
        serialize_said(prediction, kb, &mut map)?;
        if let (None, Some(line)) = (&record.id, record.line) {
            map.serialize_entry("line", &line)?;
        }
        if let LabelSource::Checkpoint { derived, other } = run.labels {
            map.serialize_entry("derived", &derived.iter().map(|task| task.key()).collect::<Vec<_>>())?;
            if other {
                let labels: Vec<_> =
                    prediction.other.iter().map(|scored| Item::of_other(scored, kb)).collect();
                map.serialize_entry(OTHER, &labels)?;
            }
        }
        if let Some(severity) = &prediction.severity {
            map.serialize_entry(SEVERITY, severity)?;
        }
        if let Some(atlas) = &prediction.atlas {
            map.serialize_entry(ATLAS, atlas)?;
        }
        if let Some(d3fend) = &prediction.d3fend {
            map.serialize_entry(D3FEND, d3fend)?;
        }
        if let Some(labels) = &prediction.other_domains {
            map.serialize_entry(OTHER_DOMAINS, labels)?;
        }
        if let Some(explanation) = explanation {
            ExplanationV1::of(answer, explanation, kb).serialize_in(&mut map)?;
        }
        if let Some(generated) = generated {
            map.serialize_entry(GENERATED, generated)?;
        }
        map.end()
    }
}

/// A label in a list.
#[derive(Serialize)]
struct Item<'a> {
    label: String,
    name: Cow<'a, str>,
    score: f64,
    predicted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tactics: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    unmapped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_false(value: &bool) -> bool {
    !value
}

impl<'a> Item<'a> {
    fn of<L: Label>(scored: &ScoredLabel<L>, kb: &'a KnowledgeBase, is_marked: bool) -> Self {
        let mark = is_marked.then(|| Mark::of(scored.label.standing(kb))).flatten();
        Self {
            label: scored.label.to_string(),
            name: scored.label.name(kb),
            score: rounded(scored.score),
            predicted: scored.predicted,
            via: scored.via.map(|via| via.entries().collect()),
            distance: scored.via.map(|via| via.distance),
            role: scored.role.map(Role::name),
            tactics: scored.label.tactics(kb).map(Iterator::collect),
            basis: scored.basis.map(Basis::name),
            original: scored.original.map(|original| original.to_string()),
            unmapped: scored.unmapped,
            status: mark.map(|mark| mark.status),
            replaced_by: mark.and_then(|mark| mark.replaced_by).map(|id| id.to_string()),
        }
    }

    fn of_other(scored: &ScoredLabel<Arc<str>>, kb: &'a KnowledgeBase) -> Self {
        Self {
            label: scored.label.to_string(),
            name: name_of_other(&scored.label, kb).into(),
            score: rounded(scored.score),
            predicted: scored.predicted,
            via: None,
            distance: None,
            role: None,
            tactics: None,
            basis: None,
            original: None,
            unmapped: false,
            status: None,
            replaced_by: None,
        }
    }
}
