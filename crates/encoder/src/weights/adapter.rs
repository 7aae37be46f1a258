//! LoRA adapters, as PEFT stores them beside the weights that they change: `W + scale · B · A` for each pair of narrow
//! matrices, and whole tensors that take the place of the network's own.
//!
//! The places are PEFT's (0.21): keys begin with `base_model.model.`, a pair is called `….lora_A.weight` and
//! `….lora_B.weight`. Whatever else PEFT can store changes the numbers in ways that are not computed here, and is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use vulnlens_files::names::{ADAPTER_CONFIG, ADAPTER_WEIGHTS};
use vulnlens_files::read_if_there;

use super::Weights;
use super::entry::Entry;
use crate::dtype::Dtype;
use crate::error::{DOWNLOAD_AGAIN, EncoderError};

/// Longest configuration that is read; PEFT's have about 1 kB.
const MOST_BYTES: u64 = 16 << 20;
/// The fix for whatever cannot be merged here.
const MERGE: &str = "merge it once with Python: `PeftModel.from_pretrained(base, folder).merge_and_unload().save_pretrained(merged)`";
/// The beginning of the names of tensors in an adapter.
const PREFIX: &str = "base_model.model.";
/// Keys that change the numbers and are not read: set, they lead to a refusal.
const UNSUPPORTED: [&str; 12] = [
    "use_dora",
    "use_qalora",
    "use_bdlora",
    "kasa_config",
    "lora_bias",
    "alpha_pattern",
    "target_parameters",
    "trainable_token_indices",
    "layer_replication",
    "alora_invocation_tokens",
    "arrow_config",
    "monteclora_config",
];
/// The ways to begin that leave the network's own weights as they were.
const PLAIN_STARTS: [&str; 3] = ["gaussian", "eva", "orthogonal"];

/// The change of one matrix of `[out, in]`.
#[derive(Debug)]
pub(super) struct LowRank {
    /// `[rank, in]`.
    pub(super) a: Entry,
    /// `[out, rank]`.
    pub(super) b: Entry,
    pub(super) scale: f32,
}

/// The keys that are read, with PEFT's defaults.
#[derive(Deserialize)]
struct Settings {
    peft_type: String,
    #[serde(default)]
    base_model_name_or_path: Option<String>,
    #[serde(default = "eight")]
    r: usize,
    #[serde(default = "eight_point")]
    lora_alpha: f64,
    #[serde(default)]
    use_rslora: Option<bool>,
    #[serde(default)]
    rank_pattern: Option<BTreeMap<String, usize>>,
    #[serde(default)]
    bias: Option<String>,
    #[serde(default)]
    init_lora_weights: Value,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

fn eight() -> usize {
    8
}

fn eight_point() -> f64 {
    8.0
}

/// The adapter of a folder.
struct Adapter {
    file: PathBuf,
    settings: Settings,
}

/// Merges the adapter of a folder, if it has one, into the weights beside it. Returns the model that it was made for, as
/// its configuration names it.
pub(super) fn merge(folder: &Path, weights: &mut Weights) -> Result<Option<String>, EncoderError> {
    let Some(adapter) = Adapter::open(folder)? else { return Ok(None) };
    let found = ADAPTER_WEIGHTS.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    let path = found.ok_or_else(|| {
        let problem = format!("is that of an adapter whose {} is missing", ADAPTER_WEIGHTS.join(" or "));
        EncoderError::format(&adapter.file, problem, "download it too, or remove the adapter's configuration")
    })?;
    adapter.merge(Weights::open_by(&path, weights.access())?, weights)?;
    Ok(Some(adapter.settings.base_model_name_or_path.unwrap_or_else(|| "another model".to_owned())))
}

/// The error for a folder that has an adapter and no weights that it changes.
pub(crate) fn alone(folder: &Path) -> Option<EncoderError> {
    let adapter = match Adapter::open(folder) {
        Ok(adapter) => adapter?,
        Err(error) => return Some(error),
    };
    let base = adapter.settings.base_model_name_or_path;
    let base = base.map_or_else(String::new, |base| format!(", `{base}`"));
    Some(EncoderError::Layout {
        folder: folder.to_owned(),
        problem: format!("holds a LoRA adapter ({ADAPTER_CONFIG}) without the model that it changes{base}"),
        fix: format!("put that model's config.json and weights beside it, or {MERGE}"),
    })
}

impl Adapter {
    fn open(folder: &Path) -> Result<Option<Self>, EncoderError> {
        let file = folder.join(ADAPTER_CONFIG);
        let Some(json) = read_if_there(&file, MOST_BYTES)? else { return Ok(None) };
        EncoderError::refuse_pointer(&json, &file)?;
        let settings = serde_json::from_slice(&json).map_err(|error| {
            EncoderError::format(
                &file,
                format!("is not the configuration of an adapter: {error}"),
                DOWNLOAD_AGAIN,
            )
        })?;
        let adapter = Self { file, settings };
        adapter.check().map(|()| Some(adapter))
    }

    fn refused(&self, key: &str, problem: impl Into<String>) -> EncoderError {
        EncoderError::config(&self.file, key, problem, MERGE)
    }

    /// Refuses what is not LoRA, and LoRA with more than a pair of matrices to a layer.
    fn check(&self) -> Result<(), EncoderError> {
        let settings = &self.settings;
        if settings.peft_type != "LORA" {
            let problem = format!("is `{}`; adapters of the kind `LORA` are read", settings.peft_type);
            return Err(self.refused("peft_type", problem));
        }
        if settings.bias.as_deref().is_some_and(|bias| bias != "none") {
            return Err(self.refused("bias", "is not `none`, which is not supported"));
        }
        let start = settings.init_lora_weights.as_str();
        if let Some(start) = start.filter(|start| !PLAIN_STARTS.contains(start)) {
            let problem = format!("is `{start}`, which changes the model before the adapter does");
            return Err(self.refused("init_lora_weights", problem));
        }
        match UNSUPPORTED.iter().find(|key| settings.others.get(**key).is_some_and(is_set)) {
            Some(key) => Err(self.refused(key, "is set, which is not supported")),
            None => Ok(()),
        }
    }

    /// Takes the adapter's tensors into the weights.
    fn merge(&self, adapter: Weights, weights: &mut Weights) -> Result<(), EncoderError> {
        let place = adapter.file().to_owned();
        let first = weights.files.len();
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        for (name, entry) in adapter.entries {
            entries.insert(self.plain(&name, &place)?, Entry { file: first + entry.file, ..entry });
        }
        weights.files.extend(adapter.files);
        while let Some((name, entry)) = entries.pop_first() {
            let Some(module) = name.strip_suffix(".lora_A.weight") else {
                self.replace(name, entry, weights, &place)?;
                continue;
            };
            let b = entries.remove(&format!("{module}.lora_B.weight"));
            let b = b.ok_or_else(|| damaged(&place, &format!("lacks the lora_B of `{module}`")))?;
            let target = target(weights, module).ok_or_else(|| {
                damaged(
                    &place,
                    &format!("changes `{module}`, which {} does not have", weights.place.display()),
                )
            })?;
            let change = self.low_rank(module, entry, b, weights, &target, &place)?;
            weights.low_rank.insert(target, change);
        }
        Ok(())
    }

    /// The network's name of a tensor.
    fn plain(&self, name: &str, place: &Path) -> Result<String, EncoderError> {
        let inner = name.strip_prefix(PREFIX);
        let inner = inner.ok_or_else(|| damaged(place, &format!("holds `{name}`, which is not PEFT's")))?;
        let inner = inner.replace(".modules_to_save.default.", ".").replace(".modules_to_save.", ".");
        Ok(inner.replace(".lora_A.default.", ".lora_A.").replace(".lora_B.default.", ".lora_B."))
    }

    /// Puts a whole tensor in the place of the network's own, which a base model may lack.
    fn replace(
        &self,
        name: String,
        entry: Entry,
        weights: &mut Weights,
        place: &Path,
    ) -> Result<(), EncoderError> {
        if let Some(module) = name.strip_suffix(".lora_B.weight") {
            return Err(damaged(place, &format!("lacks the lora_A of `{module}`")));
        }
        if name.contains("lora_") || name.contains("base_layer") {
            let problem = format!("holds `{name}`, a part of an adapter that is not supported");
            return Err(EncoderError::format(place, problem, MERGE));
        }
        weights.entries.insert(name, entry);
        Ok(())
    }

    /// The change of one matrix, whose shapes fit each other.
    fn low_rank(
        &self,
        module: &str,
        a: Entry,
        b: Entry,
        weights: &Weights,
        target: &str,
        place: &Path,
    ) -> Result<LowRank, EncoderError> {
        if weights.dtype(target) == Some(Dtype::I8) {
            let problem = format!("changes `{module}`, which is stored in eight bits");
            return Err(EncoderError::format(place, problem, "put the adapter beside the full weights"));
        }
        let rank = match (weights.shape(target), a.shape.as_slice(), b.shape.as_slice()) {
            (Some(&[out, inner]), &[rank, a_in], &[b_out, b_rank])
                if rank == b_rank && rank > 0 && (out, inner) == (b_out, a_in) =>
            {
                rank
            }
            (whole, ..) => {
                let whole = whole.unwrap_or_default();
                let problem = format!(
                    "has matrices of {:?} and {:?} for `{module}`, which is {whole:?}",
                    a.shape, b.shape
                );
                return Err(damaged(place, &problem));
            }
        };
        let has_pattern = self.settings.rank_pattern.as_ref().is_some_and(|pattern| !pattern.is_empty());
        if rank != self.settings.r && !has_pattern {
            return Err(self.refused("r", format!("is {}, but `{module}` has rank {rank}", self.settings.r)));
        }
        let alpha = self.settings.lora_alpha;
        let rank = rank as f64;
        let scale = if self.settings.use_rslora == Some(true) { alpha / rank.sqrt() } else { alpha / rank };
        #[expect(clippy::cast_possible_truncation, reason = "the network computes in f32, as PEFT does")]
        let scale = scale as f32;
        if !scale.is_finite() {
            return Err(self.refused("lora_alpha", format!("is {alpha}, too large")));
        }
        Ok(LowRank { a, b, scale })
    }
}

/// The tensor that a module's change is of. A base model that was saved by itself lacks the first part of the name.
fn target(weights: &Weights, module: &str) -> Option<String> {
    let bare = module.split_once('.').map(|(_, bare)| bare);
    let mut names = [Some(module), bare].into_iter().flatten().map(|module| format!("{module}.weight"));
    names.find(|name| weights.entries.contains_key(name))
}

fn damaged(file: &Path, problem: &str) -> EncoderError {
    EncoderError::format(file, problem, "use the adapter's files and the model that it was made for")
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    }
}

/// Adds `scale · B · A` to a matrix with rows of `inner` numbers.
pub(super) fn add(numbers: &mut [f32], inner: usize, a: &[f32], b: &[f32], scale: f32) {
    let rank = a.len() / inner.max(1);
    let mut change = vec![0.0_f32; inner];
    for (row, factors) in numbers.chunks_exact_mut(inner.max(1)).zip(b.chunks_exact(rank.max(1))) {
        change.fill(0.0);
        for (factor, direction) in factors.iter().zip(a.chunks_exact(inner.max(1))) {
            change.iter_mut().zip(direction).for_each(|(sum, part)| *sum += factor * part);
        }
        row.iter_mut().zip(&change).for_each(|(weight, change)| *weight += scale * change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_the_scaled_product_of_both_matrices() {
        let mut numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        // Two rows of three; rank two.
        add(&mut numbers, 3, &[1.0, 0.0, 2.0, 0.0, 1.0, 1.0], &[1.0, 2.0, 0.0, -1.0], 0.5);
        assert_eq!(numbers, [1.5, 3.0, 5.0, 4.0, 4.5, 5.5]);
    }

    #[test]
    fn settings_have_the_defaults_of_peft_and_others_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let read = |json: &str| {
            std::fs::write(folder.path().join(ADAPTER_CONFIG), json).unwrap();
            Adapter::open(folder.path()).map(Option::unwrap).map_err(|error| error.to_string())
        };
        let plain = read(r#"{"peft_type": "LORA"}"#).unwrap().settings;
        assert_eq!((plain.r, plain.lora_alpha, plain.use_rslora), (8, 8.0, None));
        assert!(
            read(r#"{"peft_type": "LORA", "use_dora": false, "alpha_pattern": {}, "bias": "none"}"#).is_ok()
        );
        for (json, words) in [
            (r#"{"peft_type": "IA3"}"#, "`peft_type` is `IA3`"),
            (r#"{"peft_type": "LORA", "use_dora": true}"#, "`use_dora` is set"),
            (r#"{"peft_type": "LORA", "bias": "all"}"#, "`bias` is not `none`"),
            (
                r#"{"peft_type": "LORA", "init_lora_weights": "pissa_niter_4"}"#,
                "`init_lora_weights` is `pissa_niter_4`",
            ),
            (r#"{"peft_type": "LORA", "alpha_pattern": {"query": 3}}"#, "`alpha_pattern` is set"),
            (r#"{"r": 8}"#, "peft_type"),
            ("[]", "is not the configuration of an adapter"),
        ] {
            let error = read(json).err().unwrap();
            assert!(error.contains(words) && error.contains(ADAPTER_CONFIG), "{json}: {error}");
        }
    }
}
