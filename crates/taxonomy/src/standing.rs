//! How an id stands in the catalogues: current, withdrawn, or in none of them.

use crate::ids::{CapecId, CweId, TechniqueId};
use crate::kb::KnowledgeBase;
use crate::terms::Status;

/// How an id stands in a knowledge base.
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
    /// No entry of these releases: a later one's, a mistake, or one of the CWE categories that NVD
    /// uses and MITRE's file leaves out.
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
    /// How a weakness, category or view stands; of the last two, files say no status.
    #[must_use]
    pub fn standing_of_cwe(&self, id: CweId) -> Standing {
        if self.grouping(id).is_some() {
            return Standing::Current;
        }
        Standing::of_status(self.weakness(id).map(|weakness| weakness.status))
    }

    /// How an attack pattern stands.
    #[must_use]
    pub fn standing_of_capec(&self, id: CapecId) -> Standing {
        Standing::of_status(self.pattern(id).map(|pattern| pattern.status))
    }

    /// How a technique stands; what revoked it is followed to the end, as
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
