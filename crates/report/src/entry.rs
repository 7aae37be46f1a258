//! One entry of the knowledge base, whatever its kind, as text and JSON.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use vulnlens_files::{Classified, ErrorKind};
use vulnlens_taxonomy::{CapecId, CweId, GroupingKind, KnowledgeBase, TacticId, TechniqueId};

use crate::glyphs::Glyphs;
use crate::label::Label;
use crate::layout::{ASIDE, HEADING, wrapped};
use crate::mapping::{AdvisedCwe, MappingAdvice};

/// Characters before a fact: indent, title, gap.
const BEFORE_FACT: usize = 20;

/// The id of an entry of any of the catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryId {
    /// A weakness, category or view.
    Cwe(CweId),
    /// An attack pattern.
    Capec(CapecId),
    /// A technique or sub-technique.
    Technique(TechniqueId),
    /// A tactic.
    Tactic(TacticId),
}

/// A text that is not the id of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the id of an entry; expected the form CWE-79 (or 79), CAPEC-63, T1027, T1562.003 or TA0005"
)]
pub struct ParseEntryIdError(String);

impl Classified for ParseEntryIdError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Arguments
    }
}

impl FromStr for EntryId {
    type Err = ParseEntryIdError;

    fn from_str(text: &str) -> Result<Self, ParseEntryIdError> {
        let upper = text.trim().to_ascii_uppercase();
        let is_number = !upper.is_empty() && upper.bytes().all(|byte| byte.is_ascii_digit());
        let id = if is_number || upper.starts_with("CWE-") {
            upper.parse().map(Self::Cwe)
        } else if upper.starts_with("CAPEC-") {
            upper.parse().map(Self::Capec)
        } else if upper.starts_with("TA") {
            upper.parse().map(Self::Tactic)
        } else if upper.starts_with('T') {
            upper.parse().map(Self::Technique)
        } else {
            return Err(ParseEntryIdError(text.chars().take(40).collect()));
        };
        id.map_err(|_| ParseEntryIdError(text.chars().take(40).collect()))
    }
}

impl From<CweId> for EntryId {
    fn from(id: CweId) -> Self {
        Self::Cwe(id)
    }
}

impl From<CapecId> for EntryId {
    fn from(id: CapecId) -> Self {
        Self::Capec(id)
    }
}

impl From<TechniqueId> for EntryId {
    fn from(id: TechniqueId) -> Self {
        Self::Technique(id)
    }
}

impl From<TacticId> for EntryId {
    fn from(id: TacticId) -> Self {
        Self::Tactic(id)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cwe(id) => id.fmt(f),
            Self::Capec(id) => id.fmt(f),
            Self::Technique(id) => id.fmt(f),
            Self::Tactic(id) => id.fmt(f),
        }
    }
}

/// A fact about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// One word or phrase.
    One(String),
    /// Sentences, which are wrapped for people.
    Prose(String),
    /// Terms, side by side for people.
    Terms(Vec<String>),
    /// Any number of ids, each with its name.
    Many(Vec<(String, String)>),
    /// Any number of CWE's suggestions: ids, each with a comment.
    Advice(Vec<AdvisedCwe>),
}

impl Fact {
    fn is_empty(&self) -> bool {
        match self {
            Self::One(text) | Self::Prose(text) => text.is_empty(),
            Self::Terms(terms) => terms.is_empty(),
            Self::Many(list) => list.is_empty(),
            Self::Advice(list) => list.is_empty(),
        }
    }
}

/// An entry of the knowledge base, ready to be shown: its facts by their keys, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The other facts.
    pub facts: Vec<(&'static str, Fact)>,
}

impl Entry {
    /// The entry of `id`; `None` if the knowledge base does not have it.
    #[must_use]
    pub fn of(id: EntryId, kb: &KnowledgeBase) -> Option<Self> {
        let (name, facts) = match id {
            EntryId::Cwe(id) => cwe_facts(id, kb)?,
            EntryId::Capec(id) => capec_facts(id, kb)?,
            EntryId::Technique(id) => technique_facts(id, kb)?,
            EntryId::Tactic(id) => tactic_facts(id, kb)?,
        };
        Some(Self { id: id.to_string(), name, facts })
    }

    /// The entry for a person at a terminal, with ANSI styles.
    #[must_use]
    pub fn text(&self, width: usize, glyphs: Glyphs) -> String {
        let mut text = format!("{HEADING}{}  {}{HEADING:#}\n", self.id, self.name);
        for (key, fact) in &self.facts {
            let title = key.replace('_', " ");
            match fact {
                Fact::One(word) => text += &format!("  {title:<16}  {word}\n"),
                Fact::Prose(prose) => text += &prose_text(&title, prose, width),
                Fact::Terms(terms) => text += &prose_text(&title, &terms.join(", "), width),
                Fact::Advice(list) => {
                    for (number, better) in list.iter().enumerate() {
                        let title = if number == 0 { title.as_str() } else { "" };
                        let line = format!("  {title:<16}  {:<10}  {}", better.cwe, better.comment);
                        text += &(glyphs.fit(line.trim_end(), width) + "\n");
                    }
                }
                Fact::Many(list) if list.is_empty() => {
                    text += &format!("  {title:<16}  {ASIDE}none{ASIDE:#}\n")
                }
                Fact::Many(list) => {
                    for (number, (id, name)) in list.iter().enumerate() {
                        let title = if number == 0 { title.as_str() } else { "" };
                        let line = format!("  {title:<16}  {id:<10}  {name}");
                        text += &(glyphs.fit(line.trim_end(), width) + "\n");
                    }
                }
            }
        }
        text
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.facts.len().saturating_add(2)))?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("name", &self.name)?;
        for (key, fact) in &self.facts {
            match fact {
                Fact::One(word) | Fact::Prose(word) => map.serialize_entry(key, word)?,
                Fact::Terms(terms) => map.serialize_entry(key, terms)?,
                Fact::Advice(list) => map.serialize_entry(key, list)?,
                Fact::Many(list) => {
                    map.serialize_entry(key, &list.iter().map(|(id, _)| id).collect::<Vec<_>>())?;
                }
            }
        }
        map.end()
    }
}

/// Sentences behind a title, in lines as wide as the terminal.
fn prose_text(title: &str, prose: &str, width: usize) -> String {
    let lines = wrapped(prose, width.saturating_sub(BEFORE_FACT).max(1)).into_iter().enumerate();
    lines.map(|(number, line)| format!("  {:<16}  {line}\n", if number == 0 { title } else { "" })).collect()
}

type Facts = (String, Vec<(&'static str, Fact)>);

fn one(text: impl ToString) -> Fact {
    Fact::One(text.to_string())
}

fn many<L: Label>(ids: impl IntoIterator<Item = L>, kb: &KnowledgeBase) -> Fact {
    Fact::Many(ids.into_iter().map(|id| (id.to_string(), id.name(kb).into_owned())).collect())
}

fn cwe_facts(id: CweId, kb: &KnowledgeBase) -> Option<Facts> {
    let Some(weakness) = kb.weakness(id) else {
        let grouping = kb.grouping(id)?;
        let members = match grouping.kind {
            GroupingKind::ImplicitView => {
                one("those that a filter selects; the catalogue does not list them")
            }
            _ => many(grouping.members.iter().copied(), kb),
        };
        let mut facts = vec![
            ("kind", one(grouping.kind)),
            ("status", one(grouping.status)),
            ("mapping_usage", one(grouping.usage)),
        ];
        facts.extend(mapping_facts(id, kb));
        facts.extend([("members", members), ("url", one(id.url()))]);
        return Some((grouping.name.clone(), facts));
    };
    let reached = kb.chain(&[id]);
    let mut facts = vec![
        ("abstraction", one(weakness.abstraction)),
        ("status", one(weakness.status)),
        ("mapping_usage", one(weakness.usage)),
    ];
    facts.extend(mapping_facts(id, kb));
    facts.extend([
        ("in_view_1003", one(if kb.is_in_view_1003(id) { "yes" } else { "no" })),
        ("parents", many(kb.parents(id).iter().copied(), kb)),
        ("ancestors", many(kb.ancestors(id).iter().copied(), kb)),
        ("capec", many(weakness.capecs.iter().copied(), kb)),
        ("capec_reached", many(reached.capec, kb)),
        ("attack_reached", many(reached.techniques, kb)),
        ("url", one(id.url())),
    ]);
    Some((weakness.name.clone(), facts))
}

/// CWE's notes on mapping vulnerabilities to an entry, as far as it has any.
fn mapping_facts(id: CweId, kb: &KnowledgeBase) -> Vec<(&'static str, Fact)> {
    let Some(notes) = kb.mapping_notes(id) else { return vec![] };
    let suggestions = MappingAdvice::of(id, kb).suggestions;
    let facts = [
        ("rationale", Fact::Prose(notes.rationale)),
        ("comments", Fact::Prose(notes.comments)),
        ("reasons", Fact::Terms(notes.reasons)),
        ("suggestions", Fact::Advice(suggestions)),
    ];
    facts.into_iter().filter(|(_, fact)| !fact.is_empty()).collect()
}

fn capec_facts(id: CapecId, kb: &KnowledgeBase) -> Option<Facts> {
    let pattern = kb.pattern(id)?;
    let facts = vec![
        ("abstraction", one(pattern.abstraction)),
        ("status", one(pattern.status)),
        ("parents", many(pattern.parents.iter().copied(), kb)),
        ("cwe", many(pattern.cwes.iter().copied(), kb)),
        ("attack", many(pattern.techniques.iter().copied(), kb)),
        ("url", one(id.url())),
    ];
    Some((pattern.name.clone(), facts))
}

fn technique_facts(id: TechniqueId, kb: &KnowledgeBase) -> Option<Facts> {
    let technique = kb.technique(id)?;
    let state = match (technique.revoked, technique.deprecated) {
        (true, _) => "revoked",
        (_, true) => "deprecated",
        _ => "current",
    };
    let leads_here =
        kb.patterns().filter(|pattern| pattern.techniques.contains(&id)).map(|pattern| pattern.id);
    let tactics = technique.tactics.iter().map(|tactic| (tactic.to_string(), tactic_name(*tactic, kb)));
    let facts = vec![
        ("domain", one(technique.domain)),
        ("state", one(state)),
        ("revoked_by", many(technique.revoked_by, kb)),
        ("parent", many(technique.parent, kb)),
        ("tactics", Fact::Many(tactics.collect())),
        ("capec", many(leads_here, kb)),
        ("cwe_reaching", many(kb.cwes_reaching(id), kb)),
        ("url", one(id.url())),
    ];
    Some((id.name(kb).into_owned(), facts))
}

fn tactic_facts(id: TacticId, kb: &KnowledgeBase) -> Option<Facts> {
    let tactic = kb.tactic(id)?;
    let members = kb.techniques().filter(|t| t.tactics.contains(&id) && !t.revoked && !t.deprecated);
    let facts = vec![
        ("domain", one(tactic.domain)),
        ("short_name", one(&tactic.shortname)),
        ("techniques", many(members.map(|technique| technique.id), kb)),
        ("url", one(id.url())),
    ];
    Some((tactic.name.clone(), facts))
}

fn tactic_name(id: TacticId, kb: &KnowledgeBase) -> String {
    kb.tactic(id).map(|tactic| tactic.name.clone()).unwrap_or_default()
}
