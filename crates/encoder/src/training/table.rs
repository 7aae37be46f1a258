//! The tensors of a network in training: transformers' names, shapes, places in the network, initial values.

use crate::config::{Activation, Architecture, Config};
use crate::forward::{LinearName, Names, expected_tensors};

/// The task that a network is trained for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Training {
    /// `…ForSequenceClassification`: logits of labels, read at the first token.
    Classification,
    /// `…ForMaskedLM`: logits of the vocabulary at masked tokens, by the transposed table of words.
    MaskedLanguage,
}

/// A part of the network, from the input to the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Words, positions, token types, their normalisation and ELECTRA's projection.
    Embeddings,
    /// The layer of this number, from 0.
    Layer(usize),
    /// The head, after the layers.
    Head,
}

/// One tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name in transformers.
    pub name: String,
    /// Its shape; linear layers are `[out, in]`.
    pub shape: Vec<usize>,
    /// The part of the network that it belongs to.
    pub part: Part,
    /// A row that is never trained, and zero at the beginning: PyTorch's `padding_idx`.
    pub(crate) padding: Option<usize>,
}

impl TensorSpec {
    /// Numbers in the tensor.
    #[must_use]
    pub fn numbers(&self) -> usize {
        self.shape.iter().product()
    }

    /// True if weight decay applies, as transformers' `Trainer` has it: not to biases, not to normalisations.
    #[must_use]
    pub fn is_decayed(&self) -> bool {
        !self.is_bias() && !self.is_norm()
    }

    pub(crate) fn is_bias(&self) -> bool {
        self.name.ends_with("bias")
    }

    pub(crate) fn is_norm(&self) -> bool {
        self.name.contains("LayerNorm") || self.name.contains("layer_norm")
    }
}

/// All tensors of a network in training, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    tensors: Vec<TensorSpec>,
}

/// The head's tensors for masked-language training.
pub(crate) struct MaskedNames {
    pub(crate) dense: LinearName,
    pub(crate) norm: LinearName,
    /// The output's bias; its weights are the table of words.
    pub(crate) bias: String,
    pub(crate) activation: Activation,
}

impl Table {
    /// The tensors of a configuration.
    #[must_use]
    pub fn new(config: &Config, training: Training) -> Self {
        let names = Names::new(config.architecture, false);
        let heads = [names.head_dense(), names.head_out()].map(|name| [name.weight, name.bias]).concat();
        let mut tensors: Vec<TensorSpec> = expected_tensors(config, false)
            .into_iter()
            .filter(|tensor| training == Training::Classification || !heads.contains(&tensor.name))
            .map(|tensor| {
                let part = if heads.contains(&tensor.name) { Part::Head } else { part(&tensor.name) };
                TensorSpec { name: tensor.name, shape: tensor.shape, part, padding: None }
            })
            .collect();
        if training == Training::MaskedLanguage {
            tensors.extend(masked_tensors(config));
        }
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let mut table = Self { tensors };
        table.set_padding(config, &names);
        table
    }

    fn set_padding(&mut self, config: &Config, names: &Names) {
        let Some(pad) = config.pad_token.map(|pad| pad as usize) else { return };
        let words = self.id(&names.words());
        self.tensors[words].padding = Some(pad);
        if config.position_offset > 0 {
            let positions = self.id(&names.positions());
            self.tensors[positions].padding = Some(pad);
        }
    }

    /// The tensors.
    #[must_use]
    pub fn tensors(&self) -> &[TensorSpec] {
        &self.tensors
    }

    /// The place of a name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.tensors.binary_search_by(|tensor| tensor.name.as_str().cmp(name)).ok()
    }

    /// The place of a name that the configuration asks for.
    pub(crate) fn id(&self, name: &str) -> usize {
        self.position(name).unwrap_or_else(|| unreachable!("the table has {name}"))
    }
}

/// The part of the encoder that a tensor belongs to, by its name.
fn part(name: &str) -> Part {
    let after = name.split_once(".layer.").map(|(_, after)| after);
    let number = after.and_then(|after| after.split('.').next()).and_then(|number| number.parse().ok());
    number.map_or(Part::Embeddings, Part::Layer)
}

/// The names of a masked-language head.
pub(crate) fn masked_names(config: &Config) -> MaskedNames {
    let (dense, norm, bias, activation) = match config.architecture {
        Architecture::Roberta | Architecture::XlmRoberta | Architecture::Camembert => {
            ("lm_head.dense", "lm_head.layer_norm", "lm_head.bias", Activation::Gelu)
        }
        Architecture::Bert => (
            "cls.predictions.transform.dense",
            "cls.predictions.transform.LayerNorm",
            "cls.predictions.bias",
            config.activation,
        ),
        Architecture::DistilBert => {
            ("vocab_transform", "vocab_layer_norm", "vocab_projector.bias", config.activation)
        }
        Architecture::Electra => (
            "generator_predictions.dense",
            "generator_predictions.LayerNorm",
            "generator_lm_head.bias",
            Activation::Gelu,
        ),
    };
    MaskedNames {
        dense: LinearName::new(dense),
        norm: LinearName::new(norm),
        bias: bias.to_owned(),
        activation,
    }
}

fn masked_tensors(config: &Config) -> Vec<TensorSpec> {
    let MaskedNames { dense, norm, bias, .. } = masked_names(config);
    let (width, hidden) = (config.embedding, config.hidden);
    let of =
        |name, shape: &[usize]| TensorSpec { name, shape: shape.to_vec(), part: Part::Head, padding: None };
    vec![
        of(dense.weight, &[width, hidden]),
        of(dense.bias, &[width]),
        of(norm.weight, &[width]),
        of(norm.bias, &[width]),
        of(bias, &[config.vocabulary]),
    ]
}
