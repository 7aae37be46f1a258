//! What a model says of one text: the type that every output format renders.

use std::sync::Arc;

use vulnlens_taxonomy::{CapecId, CweId, TechniqueId};

/// A label with its probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredLabel<L> {
    /// The label's id.
    pub label: L,
    /// The probability that the label applies, in `0.0..=1.0`.
    pub score: f32,
    /// Whether the decision rule (fitted on validation) answers with this label.
    pub predicted: bool,
}

/// The labels of one taxonomy, by falling score and then by rising id, with the probability that
/// none of its labels applies.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels<L> {
    /// The labels that the options ask for.
    pub labels: Vec<ScoredLabel<L>>,
    /// The probability that no label of the taxonomy applies; 0 in the reference label spaces,
    /// which are conditional on some label. Of a checkpoint that scores each label for itself it is
    /// the most that this can be: what the greatest score leaves.
    pub none: f32,
}

/// What a model says of one text. A taxonomy that was not asked for, or that the model does not
/// answer, is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prediction {
    /// Weaknesses.
    pub cwe: Option<Labels<CweId>>,
    /// Attack patterns; through the chain, unless the model has labels of its own for them.
    pub capec: Option<Labels<CapecId>>,
    /// ATT&CK techniques and sub-techniques; through the chain, unless the model has labels of its own
    /// for them.
    pub attack: Option<Labels<TechniqueId>>,
    /// Labels of no taxonomy, as the model writes them; by falling score, too.
    pub other: Vec<ScoredLabel<Arc<str>>>,
}

/// Where a model's labels come from, and with it what their scores mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelSource {
    /// Label spaces over a distribution of CWE sets.
    Spaces(LabelMode),
    /// The labels of a published checkpoint, as they are.
    Checkpoint {
        /// The taxonomies that it has no labels of, and whose labels follow by the chain.
        derived: Taxonomies,
        /// Whether it has labels of no taxonomy.
        other: bool,
    },
}

/// Which labels are asked for, and what their probabilities mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

/// The taxonomies that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taxonomies {
    /// Weaknesses.
    pub cwe: bool,
    /// Attack patterns.
    pub capec: bool,
    /// ATT&CK techniques.
    pub attack: bool,
}

impl Taxonomies {
    /// All three.
    pub const ALL: Self = Self { cwe: true, capec: true, attack: true };
}

impl Default for Taxonomies {
    fn default() -> Self {
        Self::ALL
    }
}

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The label spaces.
    pub labels: LabelMode,
    /// The taxonomies.
    pub taxonomies: Taxonomies,
    /// At most so many labels a taxonomy; `None` for all.
    pub top_k: Option<usize>,
    /// Only labels with at least this probability are listed. It does not change which labels are
    /// marked as predicted. 0 lists every label of the space, also those of probability 0.
    pub threshold: f32,
    /// Ask as of this year, whatever the record's own.
    pub as_of: Option<u16>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            labels: LabelMode::default(),
            taxonomies: Taxonomies::ALL,
            top_k: None,
            threshold: 0.05,
            as_of: None,
        }
    }
}

/// One text to classify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}
