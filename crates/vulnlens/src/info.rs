//! The facts about a model that was found by its name.

#[cfg(feature = "encoder")]
use std::path::{Path, PathBuf};

#[cfg(feature = "encoder")]
use vulnlens_encoder::{Encoder, Layout, Notice, Package, Weights};
use vulnlens_model::ModelInfo;
#[cfg(feature = "encoder")]
use vulnlens_model::{Classifier, EncoderInfo, Network};

#[cfg(feature = "encoder")]
use crate::checkpoint::{CheckpointFolder, OpenedEncoder};
use crate::error::OpenError;
use crate::open::{FoundModel, Open};

impl FoundModel {
    /// The facts about the model.
    ///
    /// # Errors
    /// It cannot be used: [`OpenError`] names the file, the problem and the remedy.
    pub fn info(&self, open: &Open<'_>) -> Result<ModelInfo, OpenError> {
        #[cfg(not(feature = "encoder"))]
        let _ = open;
        match self {
            Self::Ngram(model, bytes) => Ok(ModelInfo::ngram(model, bytes.len() as u64)),
            #[cfg(feature = "encoder")]
            Self::Package(package) => packed(package, open),
            #[cfg(feature = "encoder")]
            Self::Folder(folder) => of_folder(folder, open),
        }
    }
}

#[cfg(feature = "encoder")]
fn packed(package: &Package, open: &Open<'_>) -> Result<ModelInfo, OpenError> {
    let opened = OpenedEncoder::of_package(package, open)?;
    let max_tokens = opened.encoder().max_tokens();
    let parts = opened.encoder().parts().map(facts).collect();
    let network = opened.into_network()?;
    let mut info = ModelInfo::of(&*network, "encoder", package.len() as u64);
    info.max_tokens = Some(max_tokens);
    info.parts = parts;
    Ok(info)
}

#[cfg(feature = "encoder")]
fn of_folder(folder: &CheckpointFolder, open: &Open<'_>) -> Result<ModelInfo, OpenError> {
    let (kind, nodes) = nodes(folder.path())?;
    let opened = folder.open_unchecked(open)?;
    let parts = nodes.into_iter().zip(opened.encoder().parts());
    let parts = parts.map(|((path, parent), encoder)| part(&path, parent, encoder));
    let parts: Vec<EncoderInfo> = parts.collect::<Result<_, _>>()?;
    let max_tokens = opened.encoder().max_tokens();
    let is_sets = opened.encoder().outputs().cwe_sets().is_some();
    let classifier = Classifier::of(opened.into_network()?, open.kb());
    let bytes = parts.iter().flat_map(|part| part.bytes_by_type.values()).sum();
    let mut info = ModelInfo::of(&**classifier.network(), if is_sets { "encoder" } else { kind }, bytes);
    if !is_sets {
        info.labels = Some(classifier.label_map().counts(classifier.knowledge_base()));
        info.derived = Some(classifier.label_map().derived());
    }
    info.max_tokens = Some(max_tokens);
    info.parts = parts;
    Ok(info)
}

/// A checkpoint's folder, and the label that it refines, if it does.
#[cfg(feature = "encoder")]
type Node = (PathBuf, Option<String>);

/// The kind of a folder, and its checkpoints.
#[cfg(feature = "encoder")]
fn nodes(path: &Path) -> Result<(&'static str, Vec<Node>), OpenError> {
    match Layout::of(path)? {
        Layout::Single(path) => Ok(("checkpoint", vec![(path, None)])),
        Layout::Hierarchy(levels) => {
            let nodes = levels.into_iter().flat_map(|level| level.nodes);
            Ok(("hierarchy", nodes.map(|node| (node.folder, node.parent)).collect()))
        }
    }
}

#[cfg(feature = "encoder")]
fn facts(encoder: &Encoder) -> EncoderInfo {
    let config = encoder.config();
    let rebuilt = encoder.notices().iter().find_map(|notice| match notice {
        Notice::TokenizerRebuilt { from, .. } => Some(format!("rebuilt from {from}")),
        _ => None,
    });
    let mut facts = EncoderInfo::default();
    facts.architecture = config.architecture.model_type();
    facts.vocabulary = config.vocabulary;
    facts.hidden = config.hidden;
    facts.layers = config.layers;
    facts.heads = config.heads;
    facts.intermediate = config.intermediate;
    facts.labels = config.labels.len();
    facts.tokenizer = rebuilt.unwrap_or_else(|| "tokenizer.json".to_owned());
    facts
}

#[cfg(feature = "encoder")]
fn part(path: &Path, parent: Option<String>, encoder: &Encoder) -> Result<EncoderInfo, OpenError> {
    let mut part = facts(encoder);
    part.folder = Some(path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default());
    part.parent = parent;
    let weights = Weights::open(path)?;
    let mut parameters = 0u64;
    for name in weights.names() {
        let count: u64 = weights.shape(name).unwrap_or_default().iter().map(|&size| size as u64).product();
        parameters = parameters.saturating_add(count);
        if let Some(dtype) = weights.dtype(name) {
            *part.bytes_by_type.entry(dtype.name()).or_insert(0) += count * dtype.bytes() as u64;
        }
    }
    part.parameters = Some(parameters);
    Ok(part)
}
