//! CWE's notes on mapping vulnerabilities to weaknesses, for people and in JSON.

use serde::Serialize;
use vulnlens_model::Prediction;
use vulnlens_taxonomy::{CweId, KnowledgeBase, MappingNotes, MappingSuggestion, Usage};

use crate::answer::Answer;
use crate::label::Label;
use crate::layout::{ASIDE, HEADING, TableLayout, wrapped};
use crate::rendering::Setup;

/// Suggestions shown of one weakness at most, unless all are asked for.
const SUGGESTIONS: usize = 8;
/// The indent of a note's text.
const INDENT: usize = 4;

/// CWE's advice on mapping to one id: its usage, with the reason and what may fit better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MappingAdvice {
    /// The id that the advice is about.
    pub cwe: String,
    /// The permission to map to it, as CWE writes it; `Unknown` for an id that the knowledge base does not have.
    pub usage: &'static str,
    /// The reason; empty where CWE gives none.
    pub rationale: String,
    /// Entries that may fit better.
    pub suggestions: Vec<AdvisedCwe>,
}

/// An entry that may fit better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AdvisedCwe {
    /// The id of the entry.
    pub cwe: String,
    /// The case in which it fits, or its name.
    pub comment: String,
}

impl MappingAdvice {
    /// The advice on `id`.
    #[must_use]
    pub fn of(id: CweId, kb: &KnowledgeBase) -> Self {
        let MappingNotes { rationale, suggestions, .. } = kb.mapping_notes(id).unwrap_or_default();
        let usage = kb.usage_of_cwe(id).map_or("Unknown", Usage::as_str);
        let suggestions = suggestions.into_iter().map(|better| AdvisedCwe::of(better, kb)).collect();
        Self { cwe: id.to_string(), usage, rationale, suggestions }
    }
}

impl AdvisedCwe {
    /// The suggestion, with the entry's name where CWE writes no comment.
    fn of(better: MappingSuggestion, kb: &KnowledgeBase) -> Self {
        let name = || kb.name_of_cwe(better.cwe).unwrap_or_default().to_owned();
        let comment = Some(better.comment).filter(|comment| !comment.is_empty()).unwrap_or_else(name);
        Self { cwe: better.cwe.to_string(), comment }
    }
}

/// The weaknesses that the answer tells: those predicted, and the family.
fn told(prediction: &Prediction) -> impl Iterator<Item = CweId> {
    let listed = prediction.cwe.iter().flat_map(|cwe| &cwe.labels).filter(|scored| scored.predicted);
    listed.map(|scored| scored.label).chain(prediction.family.iter().map(|family| family.label))
}

/// CWE's advice on the weaknesses that the answer tells.
pub(crate) fn mapping_of(answer: &Answer, kb: &KnowledgeBase) -> Vec<MappingAdvice> {
    told(&answer.prediction).map(|id| MappingAdvice::of(id, kb)).collect()
}

/// The section on those of the weaknesses that the answer tells to which CWE discourages or prohibits mapping; nothing
/// where there are none.
pub(crate) fn mapping_text(answer: &Answer, setup: &Setup) -> String {
    let (kb, layout) = (&setup.kb, setup.layout);
    let mut text = String::new();
    for id in told(&answer.prediction) {
        let Some(usage) = kb.usage_of_cwe(id).filter(|usage| !usage.permits_mapping()) else { continue };
        if text.is_empty() {
            text = format!("{HEADING}{}{HEADING:#}\n", layout.glyphs.fit("Mapping", layout.width));
        }
        let name = id.name_for_people(kb);
        let line = format!("  {usage}: {id} {name}");
        text += &(layout.glyphs.fit(&line, layout.width) + "\n");
        text += &advice_text(&MappingAdvice::of(id, kb), layout);
    }
    text
}

/// The reason and the suggestions of an advice, indented.
pub(crate) fn advice_text(advice: &MappingAdvice, layout: TableLayout) -> String {
    let room = layout.width.saturating_sub(INDENT).max(1);
    let lines = wrapped(&advice.rationale, room);
    let mut text: String = lines
        .into_iter()
        .map(|line| format!("{:INDENT$}{ASIDE}{}{ASIDE:#}\n", "", layout.glyphs.fit(&line, room)))
        .collect();
    let shown = layout.rows.map_or(usize::MAX, |rows| rows.max(SUGGESTIONS)).min(advice.suggestions.len());
    for better in advice.suggestions.iter().take(shown) {
        let line = format!("{:INDENT$}rather {:<9}  {}", "", better.cwe, better.comment);
        text += &(layout.glyphs.fit(&line, layout.width) + "\n");
    }
    let more = advice.suggestions.len().saturating_sub(shown);
    if more > 0 {
        text += &format!(
            "{:INDENT$}{ASIDE}{}{ASIDE:#}\n",
            "",
            layout.glyphs.fit(&layout.glyphs.more(more), room)
        );
    }
    text
}
