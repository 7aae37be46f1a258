//! The answer of a model to one text, which every output format renders, and the options of a question.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};
use vulnlens_taxonomy::{CapecId, CweId, Outcome, Role, TacticId, TechniqueId};

use crate::additions::{Additions, AtlasAnswer, CountermeasureAnswer, DomainLabel};
use crate::decimals::rounded;
use crate::said::Said;
use crate::severity::Severity;

use crate::task::{Task, Tasks};

/// A label with its probability.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ScoredLabel<L> {
    /// The label's id.
    pub label: L,
    /// The probability that the label applies, in `0.0..=1.0`.
    pub score: f32,
    /// True if the label is one of the answers. A weakness is if the decision rule, which was fitted on validation,
    /// answers with it; a pattern or technique that follows by the chain is if it is linked to a weakness that is
    /// answered: to itself or, where nothing is, to its nearest ancestor to which anything is.
    pub predicted: bool,
    /// The way of the chain to a label that follows from a weakness: of one that is answered, else of the family, else
    /// of the first that is listed and leads there.
    pub via: Option<Via>,
    /// The role that analysts give most often to a technique that they assign.
    pub role: Option<Role>,
    /// The words that a label is known from, where no record taught it to the model.
    pub basis: Option<Basis>,
    /// The label of the knowledge base, where this one stands for it in another release.
    pub original: Option<L>,
    /// True for a label of the knowledge base that stands as it is, as the release asked for has none for it.
    pub unmapped: bool,
}

/// The source of a label that no record taught the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// A weakness, from the catalogue's words.
    Catalogue,
    /// A technique, from how similar the text is to its description.
    Similarity,
    /// A label that a text-generation model gave: the score is what that model stated, not a probability.
    Generated,
}

impl Basis {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Catalogue, Self::Similarity, Self::Generated];

    /// Its name in outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Similarity => "similarity",
            Self::Generated => "generated",
        }
    }
}

/// The shortest way of the chain from a weakness to a pattern or a technique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via {
    /// The weakness that the way begins at.
    pub weakness: CweId,
    /// The weakness that the pattern is linked to: the same, or an ancestor.
    pub ancestor: CweId,
    /// The pattern that the technique is linked to; none where the label is a pattern.
    pub pattern: Option<CapecId>,
    /// Steps from the weakness up to the ancestor; 0 where the link is direct.
    pub distance: u8,
}

impl Via {
    /// The entries on the way, the label itself left out: the weakness, the ancestor if it is another one, the pattern.
    pub fn entries(self) -> impl Iterator<Item = String> {
        let ancestor = (self.ancestor != self.weakness).then(|| self.ancestor.to_string());
        let pattern = self.pattern.map(|pattern| pattern.to_string());
        [Some(self.weakness.to_string()), ancestor, pattern].into_iter().flatten()
    }
}

/// A family: the nearest weakness above several between which the text does not decide.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Family {
    /// The ancestor. CWE may discourage mapping to it: the family is not a mapping.
    pub label: CweId,
    /// The probability that the record's weakness is the ancestor or a descendant of it.
    pub score: f32,
    /// The weaknesses of the family that may be mapped to, with their probabilities, the most probable first.
    pub members: Vec<ScoredLabel<CweId>>,
}

impl Family {
    /// The family of an ancestor, with the probability of it and of the weaknesses below.
    #[must_use]
    pub fn new(label: CweId, score: f32, members: Vec<ScoredLabel<CweId>>) -> Self {
        Self { label, score, members }
    }
}

impl<L> ScoredLabel<L> {
    /// A label with its probability, and whether it is one of the answers.
    #[must_use]
    pub fn new(label: L, score: f32, predicted: bool) -> Self {
        Self { label, score, predicted, via: None, role: None, basis: None, original: None, unmapped: false }
    }
}

/// The labels of one task, by falling score and then by rising id, with the probability that
/// none of its labels applies.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Labels<L> {
    /// The labels that the options ask for.
    pub labels: Vec<ScoredLabel<L>>,
    /// The probability that no label of the task applies; 0 in the reference label spaces,
    /// which are conditional on some label. Of a checkpoint that scores each label for itself it is
    /// the most that this can be: what the greatest score leaves.
    pub none: f32,
}

impl<L> Labels<L> {
    /// Labels, the best first, and the probability that none applies.
    #[must_use]
    pub fn new(labels: Vec<ScoredLabel<L>>, none: f32) -> Self {
        Self { labels, none }
    }
}

/// The answer of a model to one text. A task that was not asked for, or that the model does not
/// answer, is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Prediction {
    /// Weaknesses.
    pub cwe: Option<Labels<CweId>>,
    /// Attack patterns; through the chain, unless the model has labels of its own for them.
    pub capec: Option<Labels<CapecId>>,
    /// ATT&CK techniques and sub-techniques; through the chain, unless the model has labels of its own
    /// for them.
    pub attack: Option<Labels<TechniqueId>>,
    /// ATT&CK techniques as analysts assign them.
    pub attack_curated: Option<Labels<TechniqueId>>,
    /// The tactics of the techniques, where they stand in place of [`attack`](Self::attack).
    pub attack_tactics: Option<Labels<TacticId>>,
    /// The tactics of the techniques that analysts assign, where they stand in place of
    /// [`attack_curated`](Self::attack_curated).
    pub attack_curated_tactics: Option<Labels<TacticId>>,
    /// Labels of no task, as the model writes them; by falling score, too.
    pub other: Vec<ScoredLabel<Arc<str>>>,
    /// The answer in a word; `None` where that is not decided: in the reference label spaces, and by checkpoints.
    pub said: Option<Said>,
    /// The family of the weakness, where no single one is answered and one family is.
    pub family: Option<Family>,
    /// The severity: `None` where it was not asked for, `Some(None)` where the text has none or the model answers none.
    pub severity: Option<Option<Severity>>,
    /// The probabilities of the outcomes that are not weaknesses, as far as the model knows them.
    pub outcomes: Vec<(Outcome, f32)>,
    /// Techniques of ATLAS, where they were asked for.
    pub atlas: Option<AtlasAnswer>,
    /// Countermeasures of D3FEND, where they were asked for.
    pub d3fend: Option<Vec<CountermeasureAnswer>>,
    /// Techniques of ATT&CK for ICS and Mobile, where they were asked for.
    pub other_domains: Option<Vec<DomainLabel>>,
}

impl Prediction {
    /// The probability that the text does not describe a vulnerability; 0 where the model does not know it.
    #[must_use]
    pub fn no_vulnerability(&self) -> f32 {
        let of = self.outcomes.iter().find(|(outcome, _)| *outcome == Outcome::NotAVulnerability);
        of.map_or(0.0, |(_, probability)| *probability)
    }
}

/// The keys of record output, version 1, without those of the record and the run, and without the names of labels: lists
/// by the keys of their tasks, `none`, and `other` where there are such labels.
impl Serialize for Prediction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn list<L>(labels: &Option<Labels<L>>) -> &[ScoredLabel<L>] {
            labels.as_ref().map_or(&[], |labels| &labels.labels)
        }
        let of_tactics = |tactics: &Option<Labels<TacticId>>| tactics.as_ref().map(|labels| labels.none);
        let none = [
            (Task::Cwe, self.cwe.as_ref().map(|labels| labels.none)),
            (Task::Capec, self.capec.as_ref().map(|labels| labels.none)),
            (Task::Attack, self.attack.as_ref().map(|l| l.none).or(of_tactics(&self.attack_tactics))),
            (
                Task::AttackCurated,
                self.attack_curated.as_ref().map(|l| l.none).or(of_tactics(&self.attack_curated_tactics)),
            ),
        ];
        let none = none.into_iter().filter_map(|(task, none)| Some((task, rounded(none?))));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(&Task::Cwe, list(&self.cwe))?;
        map.serialize_entry(&Task::Capec, list(&self.capec))?;
        match &self.attack_tactics {
            Some(tactics) => map.serialize_entry(&Task::Attack, &tactics.labels)?,
            None => map.serialize_entry(&Task::Attack, list(&self.attack))?,
        }
        match &self.attack_curated_tactics {
            Some(tactics) => map.serialize_entry(&Task::AttackCurated, &tactics.labels)?,
            None => map.serialize_entry(&Task::AttackCurated, list(&self.attack_curated))?,
        }
        map.serialize_entry("none", &none.collect::<BTreeMap<_, _>>())?;
        if !self.other.is_empty() {
            map.serialize_entry("other", &self.other)?;
        }
        if let Some(said) = self.said {
            map.serialize_entry("outcome", said.name())?;
            map.serialize_entry("said", said.sentence())?;
        }
        if let Some(family) = &self.family {
            map.serialize_entry("family", family)?;
        }
        if let Some(severity) = &self.severity {
            map.serialize_entry("severity", severity)?;
        }
        if let Some(atlas) = &self.atlas {
            map.serialize_entry("atlas", atlas)?;
        }
        if let Some(d3fend) = &self.d3fend {
            map.serialize_entry("d3fend", d3fend)?;
        }
        if let Some(labels) = &self.other_domains {
            map.serialize_entry("other_domains", labels)?;
        }
        map.end()
    }
}

impl<L: Display> Serialize for ScoredLabel<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut label = serializer.serialize_struct("ScoredLabel", 6)?;
        label.serialize_field("label", &self.label.to_string())?;
        label.serialize_field("score", &rounded(self.score))?;
        label.serialize_field("predicted", &self.predicted)?;
        if let Some(via) = self.via {
            label.serialize_field("via", &via.entries().collect::<Vec<_>>())?;
            label.serialize_field("distance", &via.distance)?;
        }
        if let Some(role) = self.role {
            label.serialize_field("role", role.name())?;
        }
        if let Some(basis) = self.basis {
            label.serialize_field("basis", basis.name())?;
        }
        if let Some(original) = &self.original {
            label.serialize_field("original", &original.to_string())?;
        }
        if self.unmapped {
            label.serialize_field("unmapped", &true)?;
        }
        label.end()
    }
}

impl Serialize for Family {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut family = serializer.serialize_struct("Family", 3)?;
        family.serialize_field("label", &self.label.to_string())?;
        family.serialize_field("score", &rounded(self.score))?;
        family.serialize_field("members", &self.members)?;
        family.end()
    }
}

/// The origin of a model's labels, and with it the meaning of their scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelSource {
    /// Label spaces over a distribution of CWE sets.
    Spaces(LabelMode),
    /// The labels of a published checkpoint, as they are.
    Checkpoint {
        /// The tasks that it has no labels of, and whose labels follow by the chain.
        derived: Tasks,
        /// True when it has labels of no task.
        other: bool,
    },
}

/// The label spaces of a question, and with them the meaning of the probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LabelMode {
    /// What an analyst may use: CWE ids that the catalogue allows for mapping, current ATT&CK ids.
    /// Unconditional probabilities; "none" is a possible answer.
    #[default]
    Recommended,
    /// The label spaces of the reference system: CWE with ancestors and NVD's categories, all
    /// CAPEC, the chain's ATT&CK ids as written; each probability given that the record has some
    /// label of the taxonomy.
    Reference,
    /// CWE ids as records assign them, no ancestors added; CAPEC and ATT&CK as in
    /// [`Recommended`](Self::Recommended).
    Assigned,
}

impl LabelMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Recommended, Self::Reference, Self::Assigned];

    /// The mode's name on the command line and in the outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Reference => "reference",
            Self::Assigned => "assigned",
        }
    }

    /// The mode in one line, for people.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Recommended => "Labels for analysts: CWE ids allowed for mapping, current ATT&CK ids",
            Self::Reference => {
                "The reference system's: CWE with ancestors and categories, all CAPEC, the chain's ATT&CK; given that some label applies"
            }
            Self::Assigned => "CWE ids as records assign them, no ancestors added",
        }
    }
}

/// The labels of each task that are listed, of those from the threshold on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopK {
    /// All labels.
    All,
    /// So many, the best.
    Best(usize),
    /// All that are predicted, and of the others as many of the best as lie among the first so many.
    Predicted {
        /// The number of the best labels that are listed, predicted or not.
        and_best: usize,
    },
}

impl Default for TopK {
    /// The predicted labels and the best five: the long tail of attack patterns makes most of a record, and says little.
    fn default() -> Self {
        Self::Predicted { and_best: 5 }
    }
}

impl From<usize> for TopK {
    fn from(number: usize) -> Self {
        Self::Best(number)
    }
}

/// A question to a model.
///
/// ```
/// use vulnlens_model::{LabelMode, Options, Task, TopK};
///
/// let options = Options::default().labels(LabelMode::Assigned).tasks(Task::Cwe).top_k(5);
/// assert_eq!((options.top_k, options.threshold), (TopK::Best(5), 0.05));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The label spaces.
    pub labels: LabelMode,
    /// The tasks.
    pub tasks: Tasks,
    /// The number of labels a task.
    pub top_k: TopK,
    /// Only labels with at least this probability are listed. It does not change which labels are
    /// marked as predicted. 0, with [`TopK::All`], lists every label of the space, also those of probability 0.
    pub threshold: f32,
    /// Ask as of this year, whatever the record's own.
    pub as_of: Option<u16>,
    /// True to answer the severity, too, if the model has a head for it.
    pub severity: bool,
    /// The answers in addition to the model's own labels.
    pub additions: Additions,
}

impl Default for Options {
    fn default() -> Self {
        let (labels, top_k) = (LabelMode::default(), TopK::default());
        let additions = Additions::NOTHING;
        Self { labels, tasks: Tasks::ALL, top_k, threshold: 0.05, as_of: None, severity: false, additions }
    }
}

impl Options {
    /// The options with these label spaces.
    #[must_use]
    pub fn labels(self, labels: LabelMode) -> Self {
        Self { labels, ..self }
    }

    /// The options with these tasks, and no others.
    #[must_use]
    pub fn tasks(self, tasks: impl Into<Tasks>) -> Self {
        Self { tasks: tasks.into(), ..self }
    }

    /// The options with so many labels a task: a number for the best.
    #[must_use]
    pub fn top_k(self, top_k: impl Into<TopK>) -> Self {
        Self { top_k: top_k.into(), ..self }
    }

    /// The options with this least probability of a label that is listed.
    #[must_use]
    pub fn threshold(self, threshold: f32) -> Self {
        Self { threshold, ..self }
    }

    /// The options with the severity, or without it.
    #[must_use]
    pub fn severity(self, severity: bool) -> Self {
        Self { severity, ..self }
    }

    /// The options with these answers in addition to the model's own.
    #[must_use]
    pub fn additions(self, additions: Additions) -> Self {
        Self { additions, ..self }
    }

    /// The options as of this year, whatever the record's own; `None` for the record's.
    #[must_use]
    pub fn as_of(self, year: impl Into<Option<u16>>) -> Self {
        Self { as_of: year.into(), ..self }
    }
}

/// One text to classify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Input<'a> {
    /// The description, in English.
    pub text: &'a str,
    /// The year of the record; `None` is asked as of the newest year that the model knows.
    pub year: Option<u16>,
}

impl<'a> Input<'a> {
    /// A text without a year.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self { text, year: None }
    }

    /// The text as of a year; `None` for the newest that the model knows.
    #[must_use]
    pub fn year(self, year: impl Into<Option<u16>>) -> Self {
        Self { year: year.into(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_prediction_in_json_has_the_keys_of_a_record() {
        let prediction = Prediction {
            cwe: Some(Labels::new(vec![ScoredLabel::new(CweId(79), 0.930_000_04, true)], f32::NAN)),
            other: vec![ScoredLabel::new("a label".into(), 2.0, false)],
            ..Prediction::default()
        };
        let want = json!({
            "cwe": [{ "label": "CWE-79", "score": 0.93, "predicted": true }],
            "capec": [], "attack": [], "attack_curated": [],
            "none": { "cwe": 0.0 },
            "other": [{ "label": "a label", "score": 1.0, "predicted": false }],
        });
        assert_eq!(serde_json::to_value(&prediction).unwrap(), want);
    }
}
