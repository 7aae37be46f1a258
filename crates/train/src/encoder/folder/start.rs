//! The starting point of a run: a network of random numbers, or a checkpoint; and the tokenizer that goes with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use vulnlens_encoder::training::{Parameters, Training};
use vulnlens_encoder::{Architecture, Config, Tokenizer, Weights};
use vulnlens_files::hex;

use crate::error::TrainError;

/// The size of a new network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkSize {
    /// Layers.
    pub layers: usize,
    /// Width of the layers.
    pub hidden: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
    /// Width within a layer.
    pub intermediate: usize,
    /// Tokens of the longest text that it can ever read.
    pub positions: usize,
}

/// A starting point.
#[derive(Debug, Clone)]
pub enum Start {
    /// A new RoBERTa, with the tokenizer in a folder.
    New(PathBuf, NetworkSize),
    /// The checkpoint in a folder: pretrained or a classifier.
    Checkpoint(PathBuf),
}

/// A starting point, loaded.
pub(crate) struct StartingPoint {
    /// `config.json`, in which labels and the kind of network are replaced.
    json: Map<String, Value>,
    weights: Option<Weights>,
    /// Files of the tokenizer: names and contents.
    pub(crate) tokenizer_files: Vec<(String, Vec<u8>)>,
    folder: PathBuf,
    /// The folder or size, in words.
    pub(crate) words: String,
}

/// Files that make a tokenizer.
const TOKENIZER_FILES: [&str; 8] = [
    "added_tokens.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
];
/// Deviation of new weights, as transformers has it.
const RANGE: f32 = 0.02;

impl StartingPoint {
    pub(crate) fn open(start: &Start) -> Result<Self, TrainError> {
        let (folder, json, weights, words) = match start {
            Start::New(folder, size) => {
                let json = new_network(folder, *size)?;
                let words = format!(
                    "a new RoBERTa: {} layers of {}, {} heads, feed-forward {}",
                    size.layers, size.hidden, size.heads, size.intermediate
                );
                (folder, json, None, words)
            }
            Start::Checkpoint(folder) => {
                let file = folder.join("config.json");
                let bytes = fs::read(&file).map_err(|error| {
                    let fix = "give the folder of a checkpoint";
                    TrainError::refused(&file, format!("cannot be read: {error}"), fix)
                })?;
                let json = serde_json::from_slice(&bytes);
                let json = json.map_err(|error| {
                    TrainError::refused(&file, format!("is not a JSON object: {error}"), "download it again")
                })?;
                let weights = Weights::open(folder)?;
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let words = format!("{name}, revision {}", vulnlens_encoder::revision(folder)?);
                (folder, json, Some(weights), words)
            }
        };
        Ok(Self { json, weights, tokenizer_files: tokenizer_files(folder)?, folder: folder.clone(), words })
    }

    /// The configuration of a classifier with these labels.
    pub(crate) fn classifier(
        &self,
        names: &[String],
        problem: &str,
    ) -> Result<(Map<String, Value>, Config), TrainError> {
        let mut json = self.json.clone();
        let numbered = names.iter().enumerate();
        let names: Map<String, Value> =
            numbered.clone().map(|(i, name)| (i.to_string(), name.as_str().into())).collect();
        json.insert("id2label".to_owned(), names.into());
        let numbers: Map<String, Value> = numbered.map(|(i, name)| (name.clone(), i.into())).collect();
        json.insert("label2id".to_owned(), numbers.into());
        json.insert("problem_type".to_owned(), problem.into());
        self.network(json, "ForSequenceClassification")
    }

    /// The configuration of a masked-language model.
    pub(crate) fn masked(&self) -> Result<(Map<String, Value>, Config), TrainError> {
        let mut json = self.json.clone();
        json.remove("id2label");
        json.remove("label2id");
        json.remove("problem_type");
        self.network(json, "ForMaskedLM")
    }

    fn network(
        &self,
        mut json: Map<String, Value>,
        class: &str,
    ) -> Result<(Map<String, Value>, Config), TrainError> {
        json.remove("num_labels");
        json.remove("_num_labels");
        json.remove("architectures");
        json.insert("torch_dtype".to_owned(), "float32".into());
        let file = self.folder.join("config.json");
        let parse = |json: &Map<String, Value>| {
            Config::from_json(Value::Object(json.clone()).to_string().as_bytes(), &file)
        };
        let config = parse(&json)?;
        if !config.architecture.is_trained() {
            let trained = Architecture::ALL.into_iter().filter(|other| other.is_trained());
            let trained: Vec<&str> = trained.map(Architecture::model_type).collect();
            let problem =
                format!("is of `{}`, which is run but not trained", config.architecture.model_type());
            return Err(TrainError::refused(
                &file,
                problem,
                &format!("begin with one of {}", trained.join(", ")),
            ));
        }
        let prefix = config.architecture.class_prefix();
        json.insert("architectures".to_owned(), json!([format!("{prefix}{class}")]));
        let config = parse(&json)?;
        Ok((json, config))
    }

    pub(crate) fn tokenizer(&self, config: &Config) -> Result<Tokenizer, TrainError> {
        Ok(Tokenizer::open(&self.folder, config)?.0)
    }

    /// The initial parameters, and the names of those that are new.
    pub(crate) fn parameters(
        &self,
        config: &Config,
        training: Training,
        seed: u64,
    ) -> Result<(Parameters, Vec<String>), TrainError> {
        match &self.weights {
            Some(weights) => Ok(Parameters::load(config, training, weights, RANGE, seed)?),
            None => {
                let parameters = Parameters::random(config, training, RANGE, seed);
                let names = parameters.table().tensors().iter().map(|tensor| tensor.name.clone()).collect();
                Ok((parameters, names))
            }
        }
    }

    /// Gives outputs that the starting point has, too, the weights that they have there, where the head is new because
    /// others of its outputs are: what was learnt of them is not lost.
    pub(crate) fn carry_over(&self, parameters: &mut Parameters, names: &[String]) -> Result<(), TrainError> {
        let (Some(weights), Some(Value::Object(labels))) = (&self.weights, self.json.get("id2label")) else {
            return Ok(());
        };
        let numbers =
            labels.iter().filter_map(|(number, label)| Some((label.as_str()?, number.parse().ok()?)));
        let number_of: BTreeMap<&str, usize> = numbers.collect();
        for head in ["classifier.out_proj", "classifier"] {
            for part in ["weight", "bias"] {
                let name = format!("{head}.{part}");
                let Some(shape) = weights.shape(&name).map(<[usize]>::to_vec) else { continue };
                let row = shape.iter().skip(1).product::<usize>();
                let is_other = shape.first().is_some_and(|rows| *rows != names.len());
                let Some(new) =
                    parameters.get_mut(&name).filter(|new| is_other && new.len() == names.len() * row)
                else {
                    continue;
                };
                let old = weights.f32(&name, &shape)?;
                let known = names.iter().map(|name| number_of.get(name.as_str()));
                for (new, number) in new.chunks_exact_mut(row.max(1)).zip(known) {
                    let start = number.map(|number| number * row);
                    if let Some(old) = start.and_then(|start| old.get(start..start + row)) {
                        new.copy_from_slice(old);
                    }
                }
            }
        }
        Ok(())
    }

    /// The mask's id, and those of all special tokens.
    pub(crate) fn special_tokens(&self) -> Result<(u32, Vec<u32>), TrainError> {
        let tokenizer = whole_tokenizer(&self.folder)?;
        let ids: Vec<u32> = tokenizer
            .get_added_tokens_decoder()
            .into_iter()
            .filter(|(_, token)| token.special)
            .map(|(id, _)| id)
            .collect();
        let mask = ["<mask>", "[MASK]"].into_iter().find_map(|token| tokenizer.token_to_id(token));
        let missing = || {
            let fix = "give a tokenizer that was made for masked-language models";
            TrainError::refused(&self.folder, "the tokenizer has neither <mask> nor [MASK]", fix)
        };
        let mask = mask.ok_or_else(missing)?;
        let mut ids: Vec<u32> = ids.into_iter().chain([mask]).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok((mask, ids))
    }

    /// A hash of everything that a run starts from.
    pub(crate) fn hash(&self, config: &Map<String, Value>) -> Result<String, TrainError> {
        let mut digest = Sha256::new();
        digest.update(Value::Object(config.clone()).to_string());
        for (name, bytes) in &self.tokenizer_files {
            digest.update(name);
            digest.update(bytes);
        }
        if self.weights.is_some() {
            digest.update(vulnlens_encoder::revision(&self.folder)?);
        }
        Ok(hex(&digest.finalize()))
    }
}

fn tokenizer_files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, TrainError> {
    let mut files = Vec::new();
    for name in TOKENIZER_FILES {
        let path = folder.join(name);
        if path.is_file() {
            files.push((name.to_owned(), fs::read(&path).map_err(TrainError::io(&path))?));
        }
    }
    Ok(files)
}

fn whole_tokenizer(folder: &Path) -> Result<tokenizers::Tokenizer, TrainError> {
    let file = folder.join("tokenizer.json");
    tokenizers::Tokenizer::from_file(&file).map_err(|error| {
        let fix = "give the folder of a tokenizer; `train tokenizer` makes one";
        TrainError::refused(&file, format!("cannot be read: {error}"), fix)
    })
}

/// The configuration of a new network for a tokenizer.
fn new_network(folder: &Path, size: NetworkSize) -> Result<Map<String, Value>, TrainError> {
    let tokenizer = whole_tokenizer(folder)?;
    let id = |token: &str| {
        let missing = || {
            let fix = "give a tokenizer with RoBERTa's special tokens; `train tokenizer` makes one";
            TrainError::refused(folder, format!("the tokenizer has no token {token}"), fix)
        };
        tokenizer.token_to_id(token).ok_or_else(missing)
    };
    let pad = id("<pad>")?;
    let json = json!({
        "attention_probs_dropout_prob": 0.1,
        "bos_token_id": id("<s>")?,
        "eos_token_id": id("</s>")?,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": size.hidden,
        "initializer_range": 0.02,
        "intermediate_size": size.intermediate,
        "layer_norm_eps": 1e-5,
        // Positions are counted from behind the padding token's.
        "max_position_embeddings": size.positions + pad as usize + 1,
        "model_type": "roberta",
        "num_attention_heads": size.heads,
        "num_hidden_layers": size.layers,
        "pad_token_id": pad,
        "position_embedding_type": "absolute",
        "type_vocab_size": 1,
        "vocab_size": tokenizer.get_vocab_size(true),
    });
    match json {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}
