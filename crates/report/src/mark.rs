//! Marks of labels that are not in force, for models whose labels are as published.

use vulnlens_taxonomy::{Standing, TechniqueId};

/// The mark of a label that is not current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// `revoked`, `deprecated` or `unknown`.
    pub(crate) status: &'static str,
    /// The label that stands for it today.
    pub(crate) replaced_by: Option<TechniqueId>,
}

impl Mark {
    /// The mark of a label; none for one that is in force.
    pub(crate) fn of(standing: Standing) -> Option<Self> {
        let (status, replaced_by) = match standing {
            Standing::Current => return None,
            Standing::Revoked { by } => ("revoked", by),
            Standing::Deprecated => ("deprecated", None),
            Standing::Unknown => ("unknown", None),
        };
        Some(Self { status, replaced_by })
    }

    /// The keys that the mark adds to a label's object.
    pub(crate) fn json(self) -> String {
        let replaced_by = |id: TechniqueId| format!(",\"replaced_by\":\"{id}\"");
        format!(",\"status\":\"{}\"{}", self.status, self.replaced_by.map(replaced_by).unwrap_or_default())
    }
}
