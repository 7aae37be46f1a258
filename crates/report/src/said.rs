//! Keys and notes of an answer that belong to no single label: the answer in a word, outcomes, the family.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use vulnlens_model::{Family, Prediction, ScoredLabel};
use vulnlens_taxonomy::{CweId, KnowledgeBase, Usage};

use crate::ids::push_cwe;
use crate::json_text::push_json_string;
use crate::score::{push_score, rounded};

/// The word for a weakness that must not or should not be mapped to.
pub(crate) fn restriction(id: CweId, kb: &KnowledgeBase) -> Option<&'static str> {
    match kb.weakness(id)?.usage {
        Usage::Discouraged => Some("discouraged"),
        Usage::Prohibited => Some("prohibited"),
        _ => None,
    }
}

/// Appends the keys `outcome`, `said`, `outcomes` and `family`, each with a comma in front; nothing where the answer is
/// in no word. [`serialize_said`] gives the same.
pub(crate) fn push_said(prediction: &Prediction, kb: &KnowledgeBase, out: &mut Vec<u8>) {
    let Some(said) = prediction.said else { return };
    out.extend_from_slice(b",\"outcome\":");
    push_json_string(out, said.name());
    out.extend_from_slice(b",\"said\":");
    push_json_string(out, said.sentence());
    for (number, (outcome, probability)) in prediction.outcomes.iter().enumerate() {
        out.extend_from_slice(if number == 0 { b",\"outcomes\":{" } else { b"," });
        push_json_string(out, outcome.name());
        out.push(b':');
        push_score(out, *probability);
    }
    if !prediction.outcomes.is_empty() {
        out.push(b'}');
    }
    if let Some(family) = &prediction.family {
        out.extend_from_slice(b",\"family\":");
        push_weakness(family.label, family.score, kb, out);
        if let Some(usage) = restriction(family.label, kb) {
            out.extend_from_slice(b",\"usage\":");
            push_json_string(out, usage);
        }
        out.extend_from_slice(b",\"members\":[");
        for (number, member) in family.members.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            push_weakness(member.label, member.score, kb, out);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }
}

/// Appends an object of a weakness, left open.
fn push_weakness(id: CweId, score: f32, kb: &KnowledgeBase, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"label\":\"");
    push_cwe(out, id);
    out.extend_from_slice(b"\",\"name\":");
    push_json_string(out, kb.name_of_cwe(id).unwrap_or_default());
    out.extend_from_slice(b",\"score\":");
    push_score(out, score);
}

/// Adds the keys of [`push_said`] to a map.
pub(crate) fn serialize_said<M: SerializeMap>(
    prediction: &Prediction,
    kb: &KnowledgeBase,
    map: &mut M,
) -> Result<(), M::Error> {
    let Some(said) = prediction.said else { return Ok(()) };
    map.serialize_entry("outcome", said.name())?;
    map.serialize_entry("said", said.sentence())?;
    if !prediction.outcomes.is_empty() {
        let outcomes = prediction.outcomes.iter().map(|(outcome, score)| (outcome.name(), rounded(*score)));
        map.serialize_entry("outcomes", &InOrder(outcomes.collect()))?;
    }
    match &prediction.family {
        Some(family) => map.serialize_entry("family", &FamilyItem::of(family, kb)),
        None => Ok(()),
    }
}

/// A map whose entries keep their order.
pub(crate) struct InOrder<V>(pub(crate) Vec<(&'static str, V)>);

impl<V: Serialize> Serialize for InOrder<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[derive(Serialize)]
struct FamilyItem<'a> {
    #[serde(flatten)]
    weakness: Weakness<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'static str>,
    members: Vec<Weakness<'a>>,
}

#[derive(Serialize)]
struct Weakness<'a> {
    label: String,
    name: &'a str,
    score: f64,
}

impl<'a> FamilyItem<'a> {
    fn of(family: &Family, kb: &'a KnowledgeBase) -> Self {
        let member = |member: &ScoredLabel<CweId>| Weakness::of(member.label, member.score, kb);
        Self {
            weakness: Weakness::of(family.label, family.score, kb),
            usage: restriction(family.label, kb),
            members: family.members.iter().map(member).collect(),
        }
    }
}

impl<'a> Weakness<'a> {
    fn of(id: CweId, score: f32, kb: &'a KnowledgeBase) -> Self {
        Self { label: id.to_string(), name: kb.name_of_cwe(id).unwrap_or_default(), score: rounded(score) }
    }
}
