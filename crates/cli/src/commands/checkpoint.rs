//! `model info`, `model pull` and `model quantize` for published checkpoints.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use vulnlens::encoder::{Encoder, Layout, Notice, Package, Weights, pack, quantize};
use vulnlens::model::labels::{Count, LabelCounts, TaxonomyFile};
use vulnlens::{
    CheckpointFolder, Classifier, FoundModel, Network, Open, OpenedEncoder, Task, Tasks,
    embedded_knowledge_base,
};
use vulnlens_hub::HubId;

use super::trained;
use crate::failure::{Failure, Kind};
use crate::hub;
use crate::model_arguments::find;
use crate::options::ViewFormat;
use crate::output::{Output, print_json, print_text};
use crate::terminal::Terminal;

/// Download a checkpoint from the Hugging Face hub, or bring it up to date
///
/// It goes to the hub's own cache (HF_HUB_CACHE, HF_HOME), where Python's libraries find it too. Prints the folder.
#[derive(Debug, Args)]
pub(crate) struct PullArguments {
    /// The id, ORG/NAME or ORG/NAME@REVISION
    #[arg(value_name = "ID")]
    id: HubId,
}

/// Write a checkpoint with its layers in eight bits: a quarter of the size, faster, and a little less exact
#[derive(Debug, Args)]
pub(crate) struct QuantizeArguments {
    /// The folder of a checkpoint, or a file in it; or an id of the hub
    #[arg(value_name = "FOLDER|ID")]
    model: String,

    /// The folder to write, which must not exist yet
    #[arg(short, long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Write an encoder of CWE sets into one file, ready for --model
///
/// Its tensors stay as they are: `model quantize` makes them smaller before.
#[derive(Debug, Args)]
pub(crate) struct PackArguments {
    /// The folder, as `train encoder` or `model quantize` wrote it
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn pull(arguments: &PullArguments, terminal: &Terminal) -> Result<(), Failure> {
    let snapshot = hub::pull(&arguments.id, terminal)?;
    let fetched = match snapshot.fetched {
        0 => "nothing was missing".to_owned(),
        bytes => format!("{} downloaded", megabytes(bytes)),
    };
    terminal.note(&format!("{} at {}: {fetched}", arguments.id.repo.as_str(), snapshot.commit.as_str()));
    print_text(&format!("{}\n", snapshot.folder.display()))
}

pub(crate) fn write_quantized(arguments: &QuantizeArguments, terminal: &Terminal) -> Result<(), Failure> {
    let FoundModel::Folder(folder) = find(&arguments.model, terminal)? else {
        let message = format!("{}: is no checkpoint; n-gram models are small already", arguments.model);
        return Err(Failure::new(Kind::Arguments, message).hint("give the folder of a checkpoint"));
    };
    let done = quantize(folder.path(), &arguments.out)?;
    terminal.note(&format!(
        "{}: {} where there were {}",
        arguments.out.display(),
        megabytes(done.bytes_after),
        megabytes(done.bytes_before)
    ));
    Ok(())
}

pub(crate) fn write_packed(arguments: &PackArguments, terminal: &Terminal) -> Result<(), Failure> {
    let mut output = Output::open(Some(&arguments.out))?;
    let bytes = pack(&arguments.folder)?;
    // What cannot be opened again is not written.
    let package = Package::from_bytes(Cow::Owned(bytes.clone()), &arguments.out)?;
    let network = OpenedEncoder::of_package(&package, &Open::new())?.into_network()?;
    output.data(&bytes)?;
    output.finish()?;
    let sets = network.outputs().len();
    let size = megabytes(bytes.len() as u64);
    terminal.note(&format!("{}: {size}, {sets} CWE sets", arguments.out.display()));
    Ok(())
}

/// Shows what a checkpoint is.
pub(crate) fn info(
    folder: &CheckpointFolder,
    format: ViewFormat,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let warn = |notice: &dyn std::fmt::Display| terminal.warn(&notice.to_string());
    let info = Info::of(folder, folder.open_labels(&Open::new().notices(&warn))?)?;
    match format {
        ViewFormat::Table => print_text(&info.text()),
        ViewFormat::Json => print_json(&info),
    }
}

#[derive(Serialize)]
struct Info {
    name: String,
    revision: String,
    kind: &'static str,
    problem: &'static str,
    labels: LabelCounts,
    derived: Vec<&'static str>,
    /// What a folder that was trained here says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    trained: Option<TaxonomyFile>,
    max_tokens: usize,
    bytes: u64,
    parts: Vec<Part>,
}

/// One checkpoint; a hierarchy has several.
#[derive(Serialize)]
struct Part {
    folder: String,
    parent: Option<String>,
    architecture: &'static str,
    parameters: u64,
    /// Bytes of the tensors, by the type of their numbers.
    bytes_by_type: BTreeMap<&'static str, u64>,
    vocabulary: usize,
    hidden: usize,
    layers: usize,
    heads: usize,
    intermediate: usize,
    labels: usize,
    tokenizer: String,
}

impl Info {
    fn of(folder: &CheckpointFolder, opened: OpenedEncoder) -> Result<Self, Failure> {
        let (kind, nodes) = match Layout::of(folder.path())? {
            Layout::Single(path) => ("checkpoint", vec![(path, None)]),
            Layout::Hierarchy(levels) => {
                let nodes = levels.into_iter().flat_map(|level| level.nodes);
                ("hierarchy", nodes.map(|node| (node.folder, node.parent)).collect())
            }
        };
        let encoder = opened.encoder();
        let parts = nodes.into_iter().zip(encoder.parts());
        let parts = parts.map(|((path, parent), encoder)| Part::of(&path, parent, encoder));
        let parts: Vec<Part> = parts.collect::<Result<_, _>>()?;
        let (max_tokens, trained) = (encoder.max_tokens(), encoder.about().cloned());
        let exclusive = encoder.outputs().labels().is_some_and(|labels| labels.exclusive);
        let classifier = Classifier::of(opened.into_network()?, Arc::new(embedded_knowledge_base()));
        let labels = classifier.label_map();
        Ok(Self {
            name: classifier.network().name().to_owned(),
            revision: classifier.network().revision().to_owned(),
            kind,
            problem: if exclusive { "single-label" } else { "multi-label" },
            labels: labels.counts(classifier.knowledge_base()),
            derived: names(labels.derived()),
            trained,
            max_tokens,
            bytes: parts.iter().flat_map(|part| part.bytes_by_type.values()).sum(),
            parts,
        })
    }

    fn text(&self) -> String {
        let mut rows = vec![
            ("name", self.name.clone()),
            ("revision", self.revision.clone()),
            ("kind", self.kind.to_owned()),
            ("size", megabytes(self.bytes)),
            (
                "scores",
                match self.problem {
                    "multi-label" => "of each label for itself (sigmoid)".to_owned(),
                    _ => "of labels that exclude each other (softmax)".to_owned(),
                },
            ),
            ("reads", format!("{} tokens of a text", self.max_tokens)),
        ];
        let sets = self.trained.as_ref().is_some_and(|about| about.outputs_are_cwe_sets);
        let counts = [("CWE", self.labels.cwe), ("CAPEC", self.labels.capec), ("ATT&CK", self.labels.attack)];
        let present = counts.into_iter().filter(|(_, count)| count.labels > 0);
        if sets {
            let count = self.parts.iter().map(|part| part.labels).sum::<usize>();
            rows.push(("CWE sets", count.to_string()));
            rows.push(("by the chain", "CWE, CAPEC, ATT&CK".to_owned()));
        } else {
            rows.extend(present.map(|(name, count)| ("labels", format!("{name}: {}", counted(count)))));
            if self.labels.other > 0 {
                rows.push(("labels", format!("of no taxonomy: {}", self.labels.other)));
            }
            if !self.derived.is_empty() {
                rows.push(("by the chain", self.derived.join(", ")));
            }
        }
        rows.extend(self.trained.iter().flat_map(trained::rows));
        let mut text: String = rows.iter().map(|(name, value)| format!("{name:<13} {value}\n")).collect();
        text.extend(self.parts.iter().map(Part::text));
        text
    }
}

impl Part {
    fn of(path: &Path, parent: Option<String>, encoder: &Encoder) -> Result<Self, Failure> {
        let weights = Weights::open(path)?;
        let (mut parameters, mut bytes_by_type) = (0u64, BTreeMap::new());
        for name in weights.names() {
            let count: u64 =
                weights.shape(name).unwrap_or_default().iter().map(|&size| size as u64).product();
            parameters = parameters.saturating_add(count);
            if let Some(dtype) = weights.dtype(name) {
                *bytes_by_type.entry(dtype.name()).or_insert(0u64) += count * dtype.bytes() as u64;
            }
        }
        let rebuilt = encoder.notices().iter().find_map(|notice| match notice {
            Notice::TokenizerRebuilt { from, .. } => Some(format!("rebuilt from {from}")),
            _ => None,
        });
        let config = encoder.config();
        Ok(Self {
            folder: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            parent,
            architecture: config.architecture.model_type(),
            parameters,
            bytes_by_type,
            vocabulary: config.vocabulary,
            hidden: config.hidden,
            layers: config.layers,
            heads: config.heads,
            intermediate: config.intermediate,
            labels: config.labels.len(),
            tokenizer: rebuilt.unwrap_or_else(|| "tokenizer.json".to_owned()),
        })
    }

    fn text(&self) -> String {
        let types: Vec<&str> = self.bytes_by_type.keys().copied().collect();
        let rows = [
            (
                self.architecture,
                format!(
                    "{} layers of {}, {} heads, feed-forward {}",
                    self.layers, self.hidden, self.heads, self.intermediate
                ),
            ),
            ("  parameters", format!("{} as {}", self.parameters, types.join(", "))),
            ("  tokenizer", format!("{}, {} tokens", self.tokenizer, self.vocabulary)),
            ("  labels", self.labels.to_string()),
        ];
        let below = self.parent.iter().map(|parent| format!("{:<13} {parent}\n", "  refines"));
        rows.iter().map(|(name, value)| format!("{name:<13} {value}\n")).chain(below).collect()
    }
}

fn counted(count: Count) -> String {
    let marks = [("revoked", count.revoked), ("deprecated", count.deprecated), ("unknown", count.unknown)];
    let marks = marks.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}"));
    let marks: Vec<String> = marks.collect();
    if marks.is_empty() {
        count.labels.to_string()
    } else {
        format!("{} ({})", count.labels, marks.join(", "))
    }
}

fn names(tasks: Tasks) -> Vec<&'static str> {
    let names = [(Task::Capec, "CAPEC"), (Task::Attack, "ATT&CK")];
    names.into_iter().filter(|(task, _)| tasks.contains(*task)).map(|(_, name)| name).collect()
}

pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}
