//! Objectives of training: classification, by labels or by the answers of other models, and masked-language modelling.

mod classification;
mod distillation;
mod loss;
mod masked;

pub(crate) use classification::{Classification, FittedDecisions, LabelledTexts};
pub use distillation::Distillation;
pub use loss::MultiLabelLoss;
pub(crate) use masked::{MaskedLanguage, Masking};
