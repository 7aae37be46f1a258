//! CWE's notes on mapping vulnerabilities to its entries: reasons, comments and better choices, each text kept once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::CweId;

/// The notes on mapping vulnerabilities to a weakness, category or view (`Mapping_Notes`); its usage stands in the
/// entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappingNotes {
    /// The reason for the usage, in a few sentences; empty where the catalogue gives none.
    pub rationale: String,
    /// Advice to those who map; may be empty.
    pub comments: String,
    /// The reason in a word or two, like `Frequent Misuse`.
    pub reasons: Vec<String>,
    /// Entries that may fit better.
    pub suggestions: Vec<MappingSuggestion>,
}

/// An entry that may fit better than the one whose notes name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappingSuggestion {
    /// The better entry.
    pub cwe: CweId,
    /// The case in which it fits, or its name; may be empty.
    pub comment: String,
}

impl MappingNotes {
    /// True where the catalogue says nothing but the usage.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn texts(&self) -> impl Iterator<Item = &String> {
        let comments = self.suggestions.iter().map(|suggestion| &suggestion.comment);
        [&self.rationale, &self.comments].into_iter().chain(&self.reasons).chain(comments)
    }
}

/// The notes of a knowledge base. Most entries share their texts with hundreds of others, so that each text, and each
/// combination of texts, is kept once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MappingTable {
    texts: Vec<String>,
    notes: Vec<Numbered>,
    /// Entries in rising order, each with the number of its notes.
    entries: Vec<(CweId, u32)>,
}

/// Notes whose texts are numbers of texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Numbered {
    rationale: u32,
    comments: u32,
    reasons: Vec<u32>,
    suggestions: Vec<(CweId, u32)>,
}

impl MappingTable {
    pub(crate) fn of(notes: &BTreeMap<CweId, MappingNotes>) -> Self {
        let texts = numbered(notes.values().flat_map(MappingNotes::texts));
        let text = |of: &String| texts.get(of).copied().unwrap_or_default();
        let of = |notes: &MappingNotes| Numbered {
            rationale: text(&notes.rationale),
            comments: text(&notes.comments),
            reasons: notes.reasons.iter().map(text).collect(),
            suggestions: notes.suggestions.iter().map(|better| (better.cwe, text(&better.comment))).collect(),
        };
        let distinct = numbered(notes.values().map(of));
        let number = |notes: &MappingNotes| distinct.get(&of(notes)).copied().unwrap_or_default();
        Self {
            entries: notes.iter().map(|(id, notes)| (*id, number(notes))).collect(),
            texts: texts.into_keys().cloned().collect(),
            notes: distinct.into_keys().collect(),
        }
    }

    pub(crate) fn get(&self, id: CweId) -> Option<MappingNotes> {
        let at = self.entries.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        let (_, number) = self.entries.get(at)?;
        let notes = self.notes.get(*number as usize)?;
        let text = |number: &u32| self.texts.get(*number as usize).cloned().unwrap_or_default();
        Some(MappingNotes {
            rationale: text(&notes.rationale),
            comments: text(&notes.comments),
            reasons: notes.reasons.iter().map(text).collect(),
            suggestions: notes
                .suggestions
                .iter()
                .map(|(cwe, comment)| MappingSuggestion { cwe: *cwe, comment: text(comment) })
                .collect(),
        })
    }

    pub(crate) fn is_in_order(&self) -> bool {
        self.entries.is_sorted_by(|(a, _), (b, _)| a < b)
    }
}

/// The values in rising order, each once, with their places.
fn numbered<T: Ord>(values: impl Iterator<Item = T>) -> BTreeMap<T, u32> {
    values.collect::<BTreeSet<T>>().into_iter().zip(0..).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_out_as_they_went_in_and_shared_texts_stand_once() {
        let notes = |rationale: &str, suggested: u32| MappingNotes {
            rationale: rationale.to_owned(),
            comments: "See below.".to_owned(),
            reasons: vec!["Other".to_owned()],
            suggestions: vec![MappingSuggestion { cwe: CweId(suggested), comment: "Other".to_owned() }],
        };
        let all: BTreeMap<CweId, MappingNotes> =
            [(1, notes("Too wide.", 5)), (2, notes("Too wide.", 5)), (9, notes("Gone.", 6))]
                .map(|(id, notes)| (CweId(id), notes))
                .into();
        let table = MappingTable::of(&all);
        assert_eq!(table.texts, ["Gone.", "Other", "See below.", "Too wide."]);
        assert_eq!((table.notes.len(), table.is_in_order()), (2, true));
        for (id, notes) in &all {
            assert_eq!(table.get(*id).as_ref(), Some(notes));
        }
        assert_eq!(table.get(CweId(3)), None);
    }
}
