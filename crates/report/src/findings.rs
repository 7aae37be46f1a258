//! The findings of a record, as exchange formats hold them: what is answered, each technique once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use vulnlens_model::{LabelSource, Labels, ScoredLabel, Task, Via};
use vulnlens_taxonomy::{CapecId, CveId, CweId, KnowledgeBase, Role, TechniqueId, Timestamp};

use crate::answer::Answer;
use crate::ids::push_entries;
use crate::rendering::Setup;
use crate::rows::BETWEEN_ENTRIES;
use crate::score::percent;
use crate::uuid::Uuid;

/// The findings of a record: the labels that are answers. Labels that are listed and are none are left out.
pub(crate) struct Findings {
    pub(crate) weaknesses: Vec<Finding<CweId>>,
    pub(crate) patterns: Vec<Finding<CapecId>>,
    /// Those that analysts assign first. Techniques that were revoked stand as their successors.
    pub(crate) techniques: Vec<TechniqueFinding>,
}

/// A label that is an answer.
pub(crate) struct Finding<L> {
    pub(crate) label: L,
    pub(crate) score: f32,
    pub(crate) via: Option<Via>,
}

/// A technique that is an answer, on one basis or on two.
pub(crate) struct TechniqueFinding {
    pub(crate) id: TechniqueId,
    /// The probability on the first basis.
    pub(crate) score: f32,
    pub(crate) bases: Vec<&'static str>,
    pub(crate) role: Option<Role>,
    pub(crate) via: Option<Via>,
}

/// The basis of a technique that analysts assign.
pub(crate) const CURATED: &str = "curated";
/// The basis of a technique that follows from a weakness.
const DERIVED: &str = "derived";
/// The basis of a technique that a checkpoint has a label of.
const PREDICTED: &str = "predicted";

impl Findings {
    /// The findings of an answer.
    pub(crate) fn of(answer: &Answer, setup: &Setup) -> Self {
        let prediction = &answer.prediction;
        let linked = match setup.run.labels {
            LabelSource::Checkpoint { derived, .. } if !derived.contains(Task::Attack) => PREDICTED,
            _ => DERIVED,
        };
        let mut techniques: Vec<TechniqueFinding> = vec![];
        for (basis, list) in [(CURATED, &prediction.attack_curated), (linked, &prediction.attack)] {
            for scored in answered(list.as_ref()) {
                let id = setup.kb.current(scored.label);
                match techniques.iter_mut().find(|known| known.id == id) {
                    Some(known) => {
                        known.via = known.via.or(scored.via);
                        if !known.bases.contains(&basis) {
                            known.bases.push(basis);
                        }
                    }
                    None => techniques.push(TechniqueFinding {
                        id,
                        score: scored.score,
                        bases: vec![basis],
                        role: scored.role,
                        via: scored.via,
                    }),
                }
            }
        }
        Self {
            weaknesses: found(prediction.cwe.as_ref()),
            patterns: found(prediction.capec.as_ref()),
            techniques,
        }
    }
}

fn answered<L>(list: Option<&Labels<L>>) -> impl Iterator<Item = &ScoredLabel<L>> {
    list.into_iter().flat_map(|list| &list.labels).filter(|scored| scored.predicted)
}

fn found<L: Copy>(list: Option<&Labels<L>>) -> Vec<Finding<L>> {
    let finding =
        |scored: &ScoredLabel<L>| Finding { label: scored.label, score: scored.score, via: scored.via };
    answered(list).map(finding).collect()
}

impl<L> Finding<L> {
    /// The basis of an attack pattern.
    pub(crate) fn basis(&self) -> &'static str {
        if self.via.is_some() { DERIVED } else { PREDICTED }
    }

    /// The finding in a line: `82.2 %, derived; CWE-89 > CWE-943`.
    pub(crate) fn reason(&self) -> String {
        let reason = format!("{}, {}", percent(self.score).trim(), self.basis());
        match self.via {
            Some(via) => format!("{reason}; {}", way(via)),
            None => reason,
        }
    }
}

impl TechniqueFinding {
    /// The name of the role, in the words of record output.
    pub(crate) fn role(&self) -> Option<&'static str> {
        self.role.map(Role::name)
    }

    /// The finding in a line: `82.2 %, curated, exploitation; CWE-89 > CAPEC-66`.
    pub(crate) fn reason(&self) -> String {
        let mut reason = percent(self.score).trim().to_owned();
        for word in self.bases.iter().copied().chain(self.role()) {
            reason += ", ";
            reason += word;
        }
        match self.via {
            Some(via) => format!("{reason}; {}", way(via)),
            None => reason,
        }
    }
}

/// A way in a line: `CWE-89 > CWE-943 > CAPEC-66`.
pub(crate) fn way(via: Via) -> String {
    let mut way = Vec::new();
    push_entries(&mut way, via, BETWEEN_ENTRIES.as_bytes());
    String::from_utf8_lossy(&way).into_owned()
}

/// A probability from 0 to 100.
pub(crate) fn confidence(score: f32) -> u8 {
    // Within the range of the type, after the clamp.
    (score.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// The title of a record, which is never blank: its id, its line, or the word for a text by itself.
pub(crate) fn title(answer: &Answer) -> String {
    let title = answer.record.text().filter(|title| !title.trim().is_empty());
    title.map_or_else(|| "text".to_owned(), Cow::into_owned)
}

/// The CVE id of a record whose id is one.
pub(crate) fn cve(answer: &Answer) -> Option<CveId> {
    answer.record.id.as_deref()?.parse().ok()
}

/// The id that a record's objects are made of: that of its id, or that of its text, so that a record has the same in
/// every run and in every format.
pub(crate) fn uuid(kind: &str, answer: &Answer) -> Uuid {
    match (&answer.record.id, &answer.text) {
        (Some(id), _) => Uuid::of(kind, &["id", id]),
        (None, Some(text)) => Uuid::of(kind, &["text", text]),
        (None, None) => Uuid::of(kind, &["line", &title(answer)]),
    }
}

/// The entries that the records of an output name, for formats that describe each of them once. Threads share it; what
/// it holds does not depend on their order.
#[derive(Default)]
pub(crate) struct Seen(Mutex<SeenEntries>);

/// The entries that records name.
#[derive(Default, Clone)]
pub(crate) struct SeenEntries {
    pub(crate) weaknesses: BTreeSet<CweId>,
    pub(crate) patterns: BTreeSet<CapecId>,
    pub(crate) techniques: BTreeSet<TechniqueId>,
    /// The sum of the records' ids, as the id of all of them.
    records: u128,
    /// The number of records.
    pub(crate) count: u64,
    /// The latest day of publication.
    pub(crate) latest: Timestamp,
}

impl Seen {
    /// Takes in a record.
    pub(crate) fn add(&self, answer: &Answer, findings: &Findings) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.weaknesses.extend(findings.weaknesses.iter().map(|finding| finding.label));
        seen.patterns.extend(findings.patterns.iter().map(|finding| finding.label));
        seen.techniques.extend(findings.techniques.iter().map(|finding| finding.id));
        seen.records = seen.records.wrapping_add(uuid("record", answer).number());
        seen.count = seen.count.saturating_add(1);
        seen.latest = seen.latest.max(answer.published.unwrap_or_default());
    }

    /// The entries of all records.
    pub(crate) fn entries(&self) -> SeenEntries {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl SeenEntries {
    /// The id of an output of these records by a model.
    pub(crate) fn uuid(&self, kind: &str, setup: &Setup) -> Uuid {
        Uuid::of(kind, &[&setup.run.model, &setup.run.model_revision, &format!("{:032x}", self.records)])
    }
}

/// The name of a technique without that of the technique it belongs to, as other catalogues write it.
pub(crate) fn own_name(id: TechniqueId, kb: &KnowledgeBase) -> &str {
    kb.technique(id).map_or("", |technique| &technique.name)
}
