//! The question to answers: the labels sought, and those of their labels that count.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use vulnlens_model::{Labels, Prediction, Tasks};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TacticId, TechniqueId};

use crate::column::{Column, each_column};
use crate::entry::{Entry, EntryId};
use crate::label::{OTHER, name_of_other};
use crate::score::rounded;

/// A question to answers.
///
/// Without ids it is about all labels. A technique finds its sub-techniques, too, and a tactic the techniques that serve
/// it; techniques that ATT&CK revoked count as their successors.
#[derive(Debug, Clone)]
pub struct Find {
    kb: Arc<KnowledgeBase>,
    ids: Vec<EntryId>,
    weaknesses: BTreeSet<CweId>,
    patterns: BTreeSet<CapecId>,
    /// The techniques that are sought, as they are called today.
    techniques: BTreeSet<TechniqueId>,
    /// The techniques of the knowledge base that these and the tactics find.
    with_techniques: BTreeSet<TechniqueId>,
    tactics: BTreeSet<TacticId>,
    tasks: Option<Tasks>,
    least: f32,
    is_any: bool,
}

/// A label of an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnswerLabel {
    /// An entry of a catalogue.
    Entry(EntryId),
    /// A label of no taxonomy, as a checkpoint writes it.
    Other(Arc<str>),
}

/// A label that was found in an answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FoundLabel {
    /// The list that it stands in, by its key in record output.
    pub taxonomy: &'static str,
    /// The label.
    pub label: AnswerLabel,
    /// Its probability.
    pub score: f32,
    /// True if it is one of the answers.
    pub predicted: bool,
}

impl Find {
    /// The question for all labels that are answers.
    #[must_use]
    pub fn new(kb: impl Into<Arc<KnowledgeBase>>) -> Self {
        Self {
            kb: kb.into(),
            ids: vec![],
            weaknesses: BTreeSet::new(),
            patterns: BTreeSet::new(),
            techniques: BTreeSet::new(),
            with_techniques: BTreeSet::new(),
            tactics: BTreeSet::new(),
            tasks: None,
            least: 0.0,
            is_any: false,
        }
    }

    /// The question for any of these ids; of weaknesses with all below them, if `with_descendants` is set.
    #[must_use]
    pub fn ids(mut self, ids: &[EntryId], with_descendants: bool) -> Self {
        self.ids.extend_from_slice(ids);
        for id in ids {
            match *id {
                EntryId::Cwe(id) => {
                    let kb = &self.kb;
                    let below = kb.weaknesses().map(|weakness| weakness.id);
                    let below = below.filter(|below| with_descendants && kb.ancestors(*below).contains(&id));
                    self.weaknesses.extend(below.chain([id]));
                }
                EntryId::Capec(id) => {
                    self.patterns.insert(id);
                }
                EntryId::Technique(id) => {
                    self.techniques.insert(self.kb.current(id));
                }
                EntryId::Tactic(id) => {
                    self.tactics.insert(id);
                }
                // Lists of answers hold none of the other catalogues.
                _ => {}
            }
        }
        let is_found = |id: &TechniqueId| {
            let id = self.kb.current(*id);
            self.techniques.contains(&id)
                || self.techniques.contains(&self.kb.parent_technique(id))
                || self.kb.tactics_of(id).iter().any(|tactic| self.tactics.contains(tactic))
        };
        let found = self.kb.techniques().map(|technique| technique.id).filter(is_found).collect();
        Self { with_techniques: found, ..self }
    }

    /// The question about the lists of these tasks alone.
    #[must_use]
    pub fn tasks(self, tasks: Tasks) -> Self {
        Self { tasks: Some(tasks), ..self }
    }

    /// The question about labels with at least this probability.
    #[must_use]
    pub fn min_score(self, least: f32) -> Self {
        Self { least, ..self }
    }

    /// The question about all labels that are listed, answers or not.
    #[must_use]
    pub fn all_listed(self, is_any: bool) -> Self {
        Self { is_any, ..self }
    }

    /// The source of names.
    #[must_use]
    pub fn knowledge_base(&self) -> &Arc<KnowledgeBase> {
        &self.kb
    }

    /// The ids that are sought.
    #[must_use]
    pub fn sought(&self) -> &[EntryId] {
        &self.ids
    }

    /// The ids that the knowledge base does not have.
    #[must_use]
    pub fn unknown(&self) -> Vec<EntryId> {
        self.ids.iter().copied().filter(|id| Entry::of(*id, &self.kb).is_none()).collect()
    }

    /// The labels of a prediction that the question is about, in the order of the lists.
    #[must_use]
    pub fn labels(&self, prediction: &Prediction) -> Vec<FoundLabel> {
        self.of_listed(self.listed(prediction))
    }

    /// The labels that the question is about, of those that are listed.
    pub(super) fn of_listed(&self, listed: Vec<FoundLabel>) -> Vec<FoundLabel> {
        listed.into_iter().filter(|found| self.is_any || found.predicted).collect()
    }

    /// The labels of a prediction that the question is about, answers or not.
    pub(super) fn listed(&self, prediction: &Prediction) -> Vec<FoundLabel> {
        let mut found = vec![];
        each_column!(C => if self.tasks.is_none_or(|tasks| tasks.contains(C::TASK)) {
            for scored in C::of(prediction).into_iter().flat_map(|list| &list.labels) {
                let id = EntryId::from(scored.label);
                if self.is_enough(scored.score) && self.seeks(id) {
                    found.push(FoundLabel {
                        taxonomy: C::TASK.key(),
                        label: AnswerLabel::Entry(id),
                        score: scored.score,
                        predicted: scored.predicted,
                    });
                }
            }
        });
        let others = prediction.other.iter().filter(|_| self.tasks.is_none());
        for scored in others.filter(|scored| self.is_enough(scored.score)) {
            let tactic = || scored.label.parse().map(EntryId::Tactic);
            if self.ids.is_empty() || tactic().is_ok_and(|id| self.seeks(id)) {
                found.push(FoundLabel {
                    taxonomy: OTHER,
                    label: AnswerLabel::Other(Arc::clone(&scored.label)),
                    score: scored.score,
                    predicted: scored.predicted,
                });
            }
        }
        found
    }

    /// True for a probability from the least on, in the six decimals that every format has.
    fn is_enough(&self, score: f32) -> bool {
        rounded(score) >= rounded(self.least)
    }

    /// True if the question is about an entry.
    fn seeks(&self, id: EntryId) -> bool {
        if self.ids.is_empty() {
            return true;
        }
        match id {
            EntryId::Cwe(id) => self.weaknesses.contains(&id),
            EntryId::Capec(id) => self.patterns.contains(&id),
            EntryId::Technique(id) => {
                // Those of another release may not be in the knowledge base.
                self.with_techniques.contains(&id)
                    || self.techniques.contains(&id)
                    || self.techniques.contains(&id.parent())
            }
            EntryId::Tactic(id) => self.tactics.contains(&id),
            _ => false,
        }
    }

    /// The prediction without the techniques that the question is not about by their lists or their probabilities.
    pub(super) fn narrowed(&self, mut prediction: Prediction) -> Prediction {
        let narrow = |list: &mut Option<Labels<TechniqueId>>, is_asked: bool| {
            if !is_asked {
                *list = None;
            }
            if let Some(list) = list {
                list.labels.retain(|scored| self.is_enough(scored.score));
            }
        };
        let asked = |task| self.tasks.is_none_or(|tasks| tasks.contains(task));
        narrow(&mut prediction.attack, asked(crate::column::Attack::TASK));
        narrow(&mut prediction.attack_curated, asked(crate::column::AttackCurated::TASK));
        prediction
    }
}

impl AnswerLabel {
    /// The label's name; empty where the knowledge base has none.
    #[must_use]
    pub fn name(&self, kb: &KnowledgeBase) -> String {
        match self {
            Self::Entry(id) => id.name(kb),
            Self::Other(label) => name_of_other(label, kb).to_owned(),
        }
    }
}

impl fmt::Display for AnswerLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(id) => id.fmt(f),
            Self::Other(label) => f.write_str(label),
        }
    }
}
