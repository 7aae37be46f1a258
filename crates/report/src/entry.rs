//! One entry of the knowledge base, whatever its kind, as text and JSON.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use vulnlens_files::{Classified, ErrorKind};
use vulnlens_taxonomy::{
    AtlasMitigationId, AtlasTacticId, AtlasTechniqueId, CapecId, Counter, CountermeasureId, CweId,
    GroupingKind, KnowledgeBase, TacticId, TechniqueId, Threat,
};

use crate::glyphs::Glyphs;
use crate::label::Label;
use crate::layout::{ASIDE, HEADING, wrapped};
use crate::mapping::{AdvisedCwe, MappingAdvice};

/// Most countermeasures that an entry lists.
const MOST_COUNTERMEASURES: usize = 12;

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
    /// A technique or sub-technique of ATLAS.
    AtlasTechnique(AtlasTechniqueId),
    /// A tactic of ATLAS.
    AtlasTactic(AtlasTacticId),
    /// A mitigation of ATLAS.
    AtlasMitigation(AtlasMitigationId),
    /// A countermeasure of D3FEND.
    Countermeasure(CountermeasureId),
}

/// A text that is not the id of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the id of an entry; expected the form CWE-79 (or 79), CAPEC-63, T1027, T1562.003, TA0005, AML.T0051, \
     AML.TA0002, AML.M0001 or D3-FA"
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
        } else if upper.starts_with("AML.TA") {
            upper.parse().map(Self::AtlasTactic)
        } else if upper.starts_with("AML.T") {
            upper.parse().map(Self::AtlasTechnique)
        } else if upper.starts_with("AML.M") {
            upper.parse().map(Self::AtlasMitigation)
        } else if upper.starts_with("D3-") {
            upper.parse().map(Self::Countermeasure)
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
            Self::AtlasTechnique(id) => id.fmt(f),
            Self::AtlasTactic(id) => id.fmt(f),
            Self::AtlasMitigation(id) => id.fmt(f),
            Self::Countermeasure(id) => id.fmt(f),
        }
    }
}

impl EntryId {
    /// The entry's name; empty where the knowledge base has none.
    #[must_use]
    pub fn name(self, kb: &KnowledgeBase) -> String {
        let atlas = || kb.atlas();
        let found = match self {
            Self::Cwe(id) => return id.name(kb).into_owned(),
            Self::Capec(id) => return id.name(kb).into_owned(),
            Self::Technique(id) => return id.name(kb).into_owned(),
            Self::Tactic(id) => return id.name(kb).into_owned(),
            Self::AtlasTechnique(id) => atlas().and_then(|atlas| atlas.full_name(id)),
            Self::AtlasTactic(id) => atlas().and_then(|atlas| Some(atlas.tactic(id)?.name.clone())),
            Self::AtlasMitigation(id) => atlas().and_then(|atlas| Some(atlas.mitigation(id)?.name.clone())),
            Self::Countermeasure(id) => kb.d3fend().and_then(|it| Some(it.countermeasure(id)?.name.clone())),
        };
        found.unwrap_or_default()
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
            EntryId::AtlasTechnique(id) => atlas_technique_facts(id, kb)?,
            EntryId::AtlasTactic(id) => atlas_tactic_facts(id, kb)?,
            EntryId::AtlasMitigation(id) => atlas_mitigation_facts(id, kb)?,
            EntryId::Countermeasure(id) => countermeasure_facts(id, kb)?,
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
    facts.extend(countermeasures(Threat::Weakness(id), kb));
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
    let mut facts = vec![
        ("domain", one(technique.domain)),
        ("state", one(state)),
        ("revoked_by", many(technique.revoked_by, kb)),
        ("parent", many(technique.parent, kb)),
        ("tactics", Fact::Many(tactics.collect())),
        ("capec", many(leads_here, kb)),
        ("cwe_reaching", many(kb.cwes_reaching(id), kb)),
        ("url", one(id.url())),
    ];
    let atlas = kb.atlas().into_iter().flat_map(|atlas| atlas.of_attack(id));
    let atlas: Vec<EntryId> = atlas.map(|technique| EntryId::AtlasTechnique(technique.id)).collect();
    if !atlas.is_empty() {
        facts.push(("atlas", named(atlas, kb)));
    }
    facts.extend(countermeasures(Threat::Technique(id), kb));
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

/// Entries with their names.
fn named(ids: impl IntoIterator<Item = EntryId>, kb: &KnowledgeBase) -> Fact {
    Fact::Many(ids.into_iter().map(|id| (id.to_string(), id.name(kb))).collect())
}

/// The countermeasures of D3FEND against a technique or weakness, with the ways through artifacts; nothing where there is
/// none.
fn countermeasures(threat: Threat, kb: &KnowledgeBase) -> Vec<(&'static str, Fact)> {
    let counters = kb.d3fend().map(|d3fend| d3fend.against(threat)).unwrap_or_default();
    if counters.is_empty() {
        return vec![];
    }
    let shown = counters.iter().take(MOST_COUNTERMEASURES);
    let shown = shown.map(|counter| (counter.countermeasure.id.to_string(), way(counter)));
    let mut facts = vec![("countermeasures", Fact::Many(shown.collect()))];
    if counters.len() > MOST_COUNTERMEASURES {
        facts.push(("countermeasures_in_all", one(counters.len())));
    }
    facts
}

/// The name and the tactic of a countermeasure, and its way: what it does to an artifact, and what the threat is to it.
fn way(counter: &Counter<'_>) -> String {
    let Counter { countermeasure, relation, artifact, threat_relation, threat_artifact, .. } = counter;
    let name = format!("{} ({}): {relation} {artifact}", countermeasure.name, countermeasure.tactic);
    if artifact == threat_artifact {
        format!("{name}, {threat_relation}")
    } else {
        format!("{name}, {threat_relation} {threat_artifact}")
    }
}

fn atlas_technique_facts(id: AtlasTechniqueId, kb: &KnowledgeBase) -> Option<Facts> {
    let atlas = kb.atlas()?;
    let technique = atlas.technique(id)?;
    let subs = atlas.techniques.iter().filter(|other| other.parent == Some(id));
    let facts = vec![
        ("parent", named(technique.parent.map(EntryId::AtlasTechnique), kb)),
        ("sub_techniques", named(subs.map(|sub| EntryId::AtlasTechnique(sub.id)), kb)),
        ("tactics", named(atlas.tactics_of(id).iter().copied().map(EntryId::AtlasTactic), kb)),
        ("attack", many(technique.attack, kb)),
        ("mitigations", named(atlas.mitigations_of(id).map(|of| EntryId::AtlasMitigation(of.id)), kb)),
        ("url", one(id.url())),
    ];
    Some((atlas.full_name(id)?, facts))
}

fn atlas_tactic_facts(id: AtlasTacticId, kb: &KnowledgeBase) -> Option<Facts> {
    let atlas = kb.atlas()?;
    let tactic = atlas.tactic(id)?;
    let members = atlas.techniques.iter().filter(|technique| technique.tactics.contains(&id));
    let facts = vec![
        ("attack", named(tactic.attack.map(EntryId::Tactic), kb)),
        ("techniques", named(members.map(|technique| EntryId::AtlasTechnique(technique.id)), kb)),
        ("url", one(id.url())),
    ];
    Some((tactic.name.clone(), facts))
}

fn atlas_mitigation_facts(id: AtlasMitigationId, kb: &KnowledgeBase) -> Option<Facts> {
    let mitigation = kb.atlas()?.mitigation(id)?;
    let techniques = mitigation.techniques.iter().copied().map(EntryId::AtlasTechnique);
    let facts = vec![("techniques", named(techniques, kb)), ("url", one(id.url()))];
    Some((mitigation.name.clone(), facts))
}

fn countermeasure_facts(id: CountermeasureId, kb: &KnowledgeBase) -> Option<Facts> {
    let d3fend = kb.d3fend()?;
    let countermeasure = d3fend.countermeasure(id)?;
    let kinds = d3fend.countermeasures.iter().filter(|other| other.parent == Some(id));
    let touched = d3fend.touched(countermeasure).map(|(relation, artifact)| format!("{relation} {artifact}"));
    let (mut techniques, mut weaknesses) = (vec![], vec![]);
    for threat in d3fend.threats(id) {
        match threat {
            Threat::Technique(id) => techniques.push(id),
            Threat::Weakness(id) => weaknesses.push(id),
        }
    }
    let facts = vec![
        ("tactic", one(countermeasure.tactic)),
        ("parent", named(countermeasure.parent.map(EntryId::Countermeasure), kb)),
        ("kinds", named(kinds.map(|kind| EntryId::Countermeasure(kind.id)), kb)),
        ("artifacts", Fact::Terms(touched.collect())),
        ("attack", many(techniques, kb)),
        ("cwe", many(weaknesses, kb)),
    ];
    Some((countermeasure.name.clone(), facts))
}
