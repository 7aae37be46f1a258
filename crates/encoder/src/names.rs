//! Names of the files that make up a checkpoint.

/// The configuration of the network.
pub(crate) const CONFIG: &str = "config.json";
/// The tokenizer in one file.
pub(crate) const TOKENIZER: &str = "tokenizer.json";
/// The hierarchy of labels in one network.
pub(crate) const HIERARCHY: &str = "hierarchy.json";

/// The weights in one safetensors file.
pub(crate) const SAFETENSORS: &str = "model.safetensors";
/// The index of weights in several safetensors files.
pub(crate) const SAFETENSORS_INDEX: &str = "model.safetensors.index.json";
/// The weights in one file of PyTorch.
pub(crate) const PYTORCH: &str = "pytorch_model.bin";
/// The index of weights in several files of PyTorch.
pub(crate) const PYTORCH_INDEX: &str = "pytorch_model.bin.index.json";

/// The files of weights that transformers tries in a folder, in its order.
pub(crate) const WEIGHT_FILES: [&str; 4] = [SAFETENSORS, SAFETENSORS_INDEX, PYTORCH, PYTORCH_INDEX];
