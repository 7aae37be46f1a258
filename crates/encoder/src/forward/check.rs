//! Comparison of a file's tensors with those that a configuration asks for.

use std::collections::BTreeSet;

use super::linear::scale_name;
use super::names::{Names, TensorUse, expected_tensors, is_ignored};
use crate::config::Config;
use crate::dtype::Dtype;
use crate::error::EncoderError;
use crate::weights::Weights;

/// True if the encoder was saved without the classifier's prefix.
pub(crate) fn is_bare(weights: &Weights, config: &Config) -> bool {
    let has = |bare| weights.shape(&Names::new(config.architecture, bare).words()).is_some();
    !has(false) && has(true)
}

/// Compares names, shapes and types of all tensors with what the configuration asks for, before any is read.
pub(crate) fn check(weights: &Weights, config: &Config, bare: bool) -> Result<(), EncoderError> {
    let file = weights.file();
    let expected = expected_tensors(config, bare);
    let mut known = BTreeSet::new();
    for tensor in &expected {
        let Some(found) = weights.shape(&tensor.name) else {
            let is_head = tensor.name.starts_with("classifier") || tensor.name.starts_with("pre_classifier");
            let fix = if is_head || tensor.name.contains("pooler") {
                "this checkpoint has no classification head: fine-tune it first, or use a classifier's"
            } else {
                "use the weights that were published with this config.json"
            };
            return Err(EncoderError::TensorMissing {
                file: file.to_owned(),
                tensor: tensor.name.clone(),
                expected: tensor.shape.clone(),
                fix: fix.to_owned(),
            });
        };
        if found != tensor.shape {
            return Err(EncoderError::TensorShape {
                file: file.to_owned(),
                tensor: tensor.name.clone(),
                found: found.to_vec(),
                expected: tensor.shape.clone(),
            });
        }
        if weights.dtype(&tensor.name) == Some(Dtype::I8) && tensor.usage != TensorUse::Other {
            known.insert(scale_name(&tensor.name));
        }
        known.insert(tensor.name.clone());
    }
    let unknown = weights.names().filter(|&name| !known.contains(name) && !is_ignored(name));
    let tensors: Vec<String> = unknown.map(str::to_owned).collect();
    if tensors.is_empty() {
        return Ok(());
    }
    let fix = "the weights are of another network than config.json describes".to_owned();
    Err(EncoderError::TensorsUnexpected { file: file.to_owned(), tensors, fix })
}
