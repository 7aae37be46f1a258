//! Kinds of labels that a classifier can be trained on: CWE sets, or labels that the chain leads to.

use vulnlens_taxonomy::{AttackLevel, CweId, CweLevel, KnowledgeBase};

/// The objective of a classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassifierObjective {
    /// The CWE set of a record; everything else follows by the chain.
    CweSets,
    /// The labels of a record, each for itself.
    Multilabel,
}

impl ClassifierObjective {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::CweSets, Self::Multilabel];

    /// Its name in arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CweSets => "cwe-sets",
            Self::Multilabel => "multilabel",
        }
    }

    /// Its description in the help of an argument.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::CweSets => "The record's CWE set; everything else follows by the chain",
            Self::Multilabel => "The record's labels, each for itself",
        }
    }

    /// The kind of labels: CWE sets, or `labels`.
    #[must_use]
    pub fn labels(self, labels: LabelKind) -> LabelKind {
        match self {
            Self::CweSets => LabelKind::CweSets,
            Self::Multilabel => labels,
        }
    }
}

/// A kind of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelKind {
    /// The sets of CWE ids of the training part, one of which applies: everything else follows from it by the chain.
    CweSets,
    /// CWE ids as assigned.
    Cwe,
    /// CWE ids with their ancestors.
    CweWithAncestors,
    /// CWE ids to which vulnerabilities may be mapped.
    CweAllowed,
    /// Attack patterns.
    Capec,
    /// ATT&CK's techniques and sub-techniques as the chain writes them: the published 175.
    Attack,
    /// ATT&CK's techniques, with sub-techniques as their parents.
    Techniques,
    /// ATT&CK's tactics.
    Tactics,
    /// Those of a table: [`ClassifierSettings::table`](super::ClassifierSettings::table).
    Own,
}

impl LabelKind {
    /// All that follow from CWE ids.
    pub const ALL: [Self; 8] = [
        Self::CweSets,
        Self::Cwe,
        Self::CweWithAncestors,
        Self::CweAllowed,
        Self::Capec,
        Self::Attack,
        Self::Techniques,
        Self::Tactics,
    ];

    /// The kinds whose labels do not exclude each other.
    pub const MULTILABEL: [Self; 7] = [
        Self::Cwe,
        Self::CweWithAncestors,
        Self::CweAllowed,
        Self::Capec,
        Self::Attack,
        Self::Techniques,
        Self::Tactics,
    ];

    /// Its description in the help of an argument.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::CweSets => "Sets of CWE ids, one of which applies",
            Self::Cwe => "CWE ids as assigned",
            Self::CweWithAncestors => "CWE ids with their ancestors",
            Self::CweAllowed => "CWE ids to which vulnerabilities may be mapped",
            Self::Capec => "Attack patterns",
            Self::Attack => "ATT&CK techniques and sub-techniques as the chain writes them",
            Self::Techniques => "ATT&CK techniques",
            Self::Tactics => "ATT&CK tactics",
            Self::Own => "Labels of a table",
        }
    }

    /// Its name in files and arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CweSets => "cwe-sets",
            Self::Cwe => "cwe",
            Self::CweWithAncestors => "cwe-with-ancestors",
            Self::CweAllowed => "cwe-allowed",
            Self::Capec => "capec",
            Self::Attack => "attack",
            Self::Techniques => "techniques",
            Self::Tactics => "tactics",
            Self::Own => "own",
        }
    }

    /// The labels of a record with these CWE ids, in the order of their ids; none for sets and
    /// labels of a table.
    pub(crate) fn of(self, kb: &KnowledgeBase, cwes: &[CweId]) -> Vec<String> {
        fn written<T: ToString>(ids: impl IntoIterator<Item = T>) -> Vec<String> {
            ids.into_iter().map(|id| id.to_string()).collect()
        }
        let attack = |level| written(kb.attack_at(level, &kb.chain(cwes).techniques));
        match self {
            Self::CweSets | Self::Own => vec![],
            Self::Cwe => written(kb.cwe_at(CweLevel::Assigned, cwes)),
            Self::CweWithAncestors => written(kb.cwe_at(CweLevel::WithAncestors, cwes)),
            Self::CweAllowed => written(kb.cwe_at(CweLevel::Allowed, cwes)),
            Self::Capec => written(kb.chain(cwes).capec),
            Self::Attack => attack(AttackLevel::SubTechnique),
            Self::Techniques => attack(AttackLevel::Technique),
            Self::Tactics => attack(AttackLevel::Tactic),
        }
    }
}

/// Labels whose cross-entropies are minimised together with that of CWE sets. A label is as probable as the sets that lead
/// to it together, so they need no outputs of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AuxiliaryLabels {
    /// The labels.
    pub labels: LabelKind,
    /// The factor of the sum of their cross-entropies in the loss.
    pub weight: f32,
}
