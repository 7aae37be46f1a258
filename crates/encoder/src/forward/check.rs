//! Comparison of a file's tensors with those that a configuration asks for.

use std::collections::BTreeSet;

use super::linear::scale_name;
use super::names::{Names, TensorUse, architecture_of, expected_tensors, is_ignored};
use crate::config::Config;
use crate::dtype::Dtype;
use crate::error::EncoderError;
use crate::weights::Weights;

/// True if the encoder was saved without the classifier's prefix.
pub(crate) fn is_bare(weights: &Weights, config: &Config) -> bool {
    let has = |bare| weights.shape(&Names::new(config, bare).words()).is_some();
    !has(false) && has(true)
}

/// Refuses weights whose names are those of another architecture than the configuration says.
fn refuse_other_architecture(weights: &Weights, config: &Config, bare: bool) -> Result<(), EncoderError> {
    let has = |name: &str| weights.shape(name).is_some();
    if has(&Names::new(config, bare).words()) {
        return Ok(());
    }
    let Some(found) = architecture_of(has, config.architecture) else { return Ok(()) };
    let (said, found) = (config.architecture.model_type(), found.model_type());
    let problem =
        format!("has tensors that are named as in `{found}`, but `model_type` in config.json is `{said}`");
    let fix = "use the config.json and the weights that were published together";
    Err(EncoderError::format(weights.file(), problem, fix))
}

/// Compares names, shapes and types of all tensors with what the configuration asks for, before any is read.
pub(crate) fn check(weights: &Weights, config: &Config, bare: bool) -> Result<(), EncoderError> {
    let file = weights.file();
    refuse_other_architecture(weights, config, bare)?;
    let names = Names::new(config, bare);
    let of_head = [Some(names.head_dense()), names.head_norm(), Some(names.head_out())];
    let of_head: Vec<String> =
        of_head.into_iter().flatten().flat_map(|name| [Some(name.weight), name.bias]).flatten().collect();
    let expected = expected_tensors(config, bare);
    let mut known = BTreeSet::new();
    for tensor in &expected {
        let Some(found) = weights.shape(&tensor.name) else {
            let fix = if of_head.contains(&tensor.name) {
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
