//! The tensors of a network in training: transformers' names, shapes, places in the network, initial values.

use crate::config::Config;
use crate::forward::{LinearName, MaskedNames, Names, expected_tensors};

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
        self.name.to_ascii_lowercase().contains("norm")
    }
}

/// All tensors of a network in training, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    tensors: Vec<TensorSpec>,
}

impl Table {
    /// The tensors of a configuration.
    #[must_use]
    pub fn new(config: &Config, training: Training) -> Self {
        let names = Names::new(config, false);
        let tensors_of = |name: LinearName| [Some(name.weight), name.bias];
        let heads = [Some(names.head_dense()), names.head_norm(), Some(names.head_out())];
        let heads: Vec<String> = heads.into_iter().flatten().flat_map(tensors_of).flatten().collect();
        // The normalisation behind the layers goes with the last of them.
        let last: Vec<String> = names.final_norm().into_iter().flat_map(tensors_of).flatten().collect();
        let part = |name: &String| match names.layer_of(name) {
            _ if heads.contains(name) => Part::Head,
            _ if last.contains(name) => Part::Layer(config.layers - 1),
            None => Part::Embeddings,
            Some(number) => Part::Layer(number),
        };
        let mut tensors: Vec<TensorSpec> = expected_tensors(config, false)
            .into_iter()
            .filter(|tensor| training == Training::Classification || !heads.contains(&tensor.name))
            .map(|tensor| {
                let part = part(&tensor.name);
                TensorSpec { name: tensor.name, shape: tensor.shape, part, padding: None }
            })
            .collect();
        if training == Training::MaskedLanguage {
            tensors.extend(masked_tensors(config, &names));
        }
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let mut table = Self { tensors };
        table.set_padding(config, &names);
        table
    }

    fn set_padding(&mut self, config: &Config, names: &Names<'_>) {
        let Some(pad) = config.pad_token.map(|pad| pad as usize) else { return };
        let words = self.id(&names.words());
        self.tensors[words].padding = Some(pad);
        if let Some(positions) = names.positions().filter(|_| config.position_offset > 0) {
            let positions = self.id(&positions);
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

/// The tensors of a masked-language head.
fn masked_tensors(config: &Config, names: &Names<'_>) -> Vec<TensorSpec> {
    let MaskedNames { dense, norm, bias, .. } = names.masked();
    let (width, hidden) = (config.embedding, config.hidden);
    let matrix = |name| (Some(name), vec![width, hidden]);
    let vector = |name| (name, vec![width]);
    let all = [
        matrix(dense.weight),
        vector(dense.bias),
        vector(Some(norm.weight)),
        vector(norm.bias),
        (bias, vec![config.vocabulary]),
    ];
    let of = |(name, shape): (Option<String>, Vec<usize>)| {
        Some(TensorSpec { name: name?, shape, part: Part::Head, padding: None })
    };
    all.into_iter().filter_map(of).collect()
}
