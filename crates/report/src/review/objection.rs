//! Objections to ids that records are mapped to.

use vulnlens_taxonomy::{CweId, GroupingKind, KnowledgeBase, Standing, Usage};

/// The objection to an id that a record is mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Objection {
    /// The knowledge base does not know it.
    Unknown,
    /// It is a category.
    Category,
    /// It is a view.
    View,
    /// The entry was withdrawn.
    Deprecated,
    /// CWE prohibits mapping to it.
    Prohibited,
    /// CWE discourages mapping to it.
    Discouraged,
}

impl Objection {
    /// The objection to `id`, the first in the order of the variants; none to a weakness that CWE lets be mapped to.
    #[must_use]
    pub fn to(id: CweId, kb: &KnowledgeBase) -> Option<Self> {
        let kind = kb.grouping(id).map(|grouping| grouping.kind);
        match (kb.standing_of_cwe(id), kind, kb.usage_of_cwe(id)) {
            (Standing::Unknown, ..) => Some(Self::Unknown),
            (_, Some(GroupingKind::Category), _) => Some(Self::Category),
            (_, Some(_), _) => Some(Self::View),
            (Standing::Deprecated | Standing::Revoked { .. }, ..) => Some(Self::Deprecated),
            (.., Some(Usage::Prohibited)) => Some(Self::Prohibited),
            (.., Some(Usage::Discouraged)) => Some(Self::Discouraged),
            _ => None,
        }
    }

    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Deprecated => "deprecated",
            Self::Category => "category",
            Self::View => "view",
            Self::Prohibited => "prohibited",
            Self::Discouraged => "discouraged",
        }
    }

    /// The sentence on an id where CWE gives no rationale.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Unknown => "The knowledge base does not know the id.",
            Self::Deprecated => "The entry was withdrawn.",
            Self::Category => "The entry is a category, not a weakness.",
            Self::View => "The entry is a view, not a weakness.",
            Self::Prohibited => "CWE prohibits mapping to the entry.",
            Self::Discouraged => "CWE discourages mapping to the entry.",
        }
    }
}
