//! What every record of one run has in common.

use vulnlens_model::LabelSource;
use vulnlens_taxonomy::Versions;

/// Which model answered, and by which labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The model's name.
    pub model: String,
    /// The model's revision, 12 hexadecimal digits.
    pub model_revision: String,
    /// The releases of the knowledge base.
    pub versions: Versions,
    /// Where the labels come from, and what their scores mean.
    pub labels: LabelSource,
}
