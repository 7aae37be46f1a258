//! The standing of an id in the catalogues: current, withdrawn, or in none of them.

use crate::ids::{CapecId, CweId, TechniqueId};
use crate::kb::KnowledgeBase;
use crate::terms::Status;

/// The standing of an id in a knowledge base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// An entry in force.
    Current,
    /// An entry withdrawn for another.
    Revoked {
        /// What stands for it today, where the catalogue says so.
        by: Option<TechniqueId>,
    },
    /// An entry withdrawn without a successor.
    Deprecated,
    /// No entry of these releases: a later one's, or a mistake.
    Unknown,
}

impl Standing {
    fn of_status(status: Option<Status>) -> Self {
        match status {
            None => Self::Unknown,
            Some(Status::Deprecated | Status::Obsolete) => Self::Deprecated,
            Some(_) => Self::Current,
        }
    }
}

impl KnowledgeBase {
    /// The standing of a weakness, category or view.
    #[must_use]
    pub fn standing_of_cwe(&self, id: CweId) -> Standing {
        let weakness = self.weakness(id).map(|weakness| weakness.status);
        Standing::of_status(weakness.or_else(|| self.grouping(id).map(|grouping| grouping.status)))
    }

    /// The standing of an attack pattern.
    #[must_use]
    pub fn standing_of_capec(&self, id: CapecId) -> Standing {
        Standing::of_status(self.pattern(id).map(|pattern| pattern.status))
    }

    /// The standing of a technique; what revoked it is followed to the end, as
    /// [`current`](Self::current) does.
    #[must_use]
    pub fn standing_of_technique(&self, id: TechniqueId) -> Standing {
        match self.technique(id) {
            None => Standing::Unknown,
            Some(technique) if technique.revoked || technique.revoked_by.is_some() => {
                let by = self.current(id);
                Standing::Revoked { by: (by != id).then_some(by) }
            }
            Some(technique) if technique.deprecated => Standing::Deprecated,
            Some(_) => Standing::Current,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_as_their_catalogues_say() {
        let kb = KnowledgeBase::embedded();
        let technique = |text: &str| kb.standing_of_technique(text.parse().unwrap());
        assert_eq!(technique("T1190"), Standing::Current);
        assert_eq!(technique("T1086"), Standing::Revoked { by: Some("T1059.001".parse().unwrap()) });
        assert_eq!(technique("T9999"), Standing::Unknown);
        let deprecated = kb.techniques().find(|t| t.deprecated && t.revoked_by.is_none()).unwrap();
        assert_eq!(kb.standing_of_technique(deprecated.id), Standing::Deprecated);
        assert_eq!(kb.standing_of_cwe(CweId(79)), Standing::Current);
        assert_eq!(kb.standing_of_cwe(CweId(999_999)), Standing::Unknown);
        let withdrawn = kb.weaknesses().find(|weakness| weakness.status == Status::Deprecated).unwrap();
        assert_eq!(kb.standing_of_cwe(withdrawn.id), Standing::Deprecated);
        let grouping = |status: Status| kb.groupings().find(|grouping| grouping.status == status).unwrap().id;
        assert_eq!(kb.standing_of_cwe(grouping(Status::Deprecated)), Standing::Deprecated);
        assert_eq!(kb.standing_of_cwe(grouping(Status::Draft)), Standing::Current);
        let withdrawn = kb.patterns().find(|pattern| pattern.status == Status::Deprecated).unwrap();
        assert_eq!(kb.standing_of_capec(withdrawn.id), Standing::Deprecated);
        assert_eq!(kb.standing_of_capec(CapecId(99_999)), Standing::Unknown);
    }
}
