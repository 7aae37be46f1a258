//! From the first token's vector to a logit for every label.

use super::linear::{Linear, Loading};
use super::names::Names;
use super::precision::Precision;
use crate::config::{Activation, Architecture, Config};
use crate::error::EncoderError;
use crate::kernels::{Isa, QuantizedRows, Rows, tanh_row};

/// The head of `…ForSequenceClassification`: two linear layers with something between them.
#[derive(Debug)]
pub(crate) struct Head {
    dense: Linear,
    between: Between,
    out: Linear,
    hidden: usize,
    labels: usize,
}

/// The function between the two layers.
#[derive(Debug, Clone, Copy)]
enum Between {
    /// BERT's pooler, RoBERTa's head.
    Tanh,
    /// DistilBERT, ELECTRA.
    Activation(Activation),
}

impl Head {
    pub(crate) fn load(loading: Loading<'_>, names: &Names, config: &Config) -> Result<Self, EncoderError> {
        // Few products, and the last thing before the answer: always in full precision.
        let loading = Loading { precision: Precision::F32, ..loading };
        let between = match config.architecture {
            Architecture::Bert
            | Architecture::Roberta
            | Architecture::XlmRoberta
            | Architecture::Camembert => Between::Tanh,
            Architecture::DistilBert => Between::Activation(Activation::Relu),
            // Whatever `hidden_act` says: transformers names GELU here.
            Architecture::Electra => Between::Activation(Activation::Gelu),
        };
        let (hidden, labels) = (config.hidden, config.labels.len());
        Ok(Self {
            dense: Linear::load(loading, &[names.head_dense()], hidden, hidden)?,
            between,
            out: Linear::load(loading, &[names.head_out()], hidden, labels)?,
            hidden,
            labels,
        })
    }

    /// Logits of `count` rows of hidden numbers.
    pub(crate) fn apply(&self, isa: Isa, rows: &[f32], bytes: &mut QuantizedRows) -> Vec<f32> {
        let count = rows.len() / self.hidden;
        let mut dense = vec![0.0; rows.len()];
        let activation = match self.between {
            Between::Tanh => None,
            Between::Activation(activation) => Some(activation),
        };
        self.dense.apply(
            Rows::new(rows, self.hidden, count, self.hidden),
            activation,
            &mut dense,
            self.hidden,
            bytes,
        );
        if matches!(self.between, Between::Tanh) {
            tanh_row(isa, &mut dense);
        }
        let mut logits = vec![0.0; count * self.labels];
        let dense = Rows::new(&dense, self.hidden, count, self.hidden);
        self.out.apply(dense, None, &mut logits, self.labels, bytes);
        logits
    }
}
