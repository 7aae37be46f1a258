//! The head of severities: base vectors of CVSS 3.1 as analysts rate texts.
//!
//! Each metric has a logit for each of its values, linear in the text's features, the probabilities of
//! weaknesses and the year. Metrics depend on each other (a script in the browser of another changes the scope and
//! does little to each of C, I and A), so that a vector has a number of its own, too:
//!
//! P(vector) = softmax((Σ_metric logit(metric, value) + joint(vector)) / temperature), over all 2,592 vectors.

mod answer;
mod head;
mod outputs;
mod tensors;
mod training;

pub use answer::{MetricProbabilities, Severity};
pub use head::SeverityHead;
pub(crate) use head::{SeverityBuffers, SeverityText};
pub use outputs::{SEVERITY_WIDTH, SeverityOutputs, SeverityYears};
pub use tensors::SeverityTensors;
pub use training::{SeverityFeatures, distributions, features, joint_logits};
