//! Risk against coverage: the curves of a system's first CWE and of its answers with families.

use serde::{Deserialize, Serialize};
use vulnlens_metrics::RiskCoverage;

/// Risk against coverage of a system on the labelled records of a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// The first CWE by its probability; right if it is one of the assigned ids.
    pub first_cwe: RiskCoverage,
    /// The answers with families; systems that score labels of their own lack them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub families: Option<FamilyRisk>,
}

/// Risk against coverage of answers with families.
///
/// The answer at a level of probability is the deepest weakness or class, pillars excluded, whose probability with that
/// of its descendants reaches the level. It is right if it is one of the assigned ids or an ancestor of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FamilyRisk {
    /// The level of the first curve.
    pub level: f32,
    /// The answers at that level, by their probability.
    pub fixed: RiskCoverage,
    /// The answers at every level from 0.99 down to 0.01: a point of the curve is a level.
    pub swept: RiskCoverage,
}

impl Risk {
    /// Leaves the points of the curves out.
    pub(crate) fn clear_points(&mut self) {
        self.first_cwe.points.clear();
        if let Some(families) = &mut self.families {
            families.fixed.points.clear();
            families.swept.points.clear();
        }
    }
}
