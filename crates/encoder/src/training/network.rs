//! A network with its parameters, both ways.

use super::adamw::{AdamW, Update};
use super::batch::{Asked, Batch};
use super::classifier::{Classifier, ClassifierTape};
use super::embeddings::{EmbeddingTape, Embeddings};
use super::gradients::Gradients;
use super::head::Head;
use super::head_pass::HeadPass;
use super::layer::{Layer, LayerRoom, LayerTape, Pass};
use super::masked::{MaskedHead, MaskedTape};
use super::noise::Noise;
use super::norm::{NormIds, NormTape};
use super::parameters::Parameters;
use super::settings::TrainingSettings;
use super::table::{Table, Training};
use crate::config::{Config, Pooling};
use crate::forward::{Names, Rotations, means};

/// A network in training.
#[derive(Debug)]
pub struct TrainingNetwork {
    config: Config,
    settings: TrainingSettings,
    parameters: Parameters,
    embeddings: Embeddings,
    layers: Vec<Layer>,
    /// Behind the layers, where these normalise their inputs.
    norm: Option<NormIds>,
    head: Head,
    /// True if the head reads the mean over each text's tokens.
    reads_mean: bool,
    /// The parameters that are packed.
    packed: PackedState,
    tape: Tape,
    room: LayerRoom,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PackedState {
    Nothing,
    /// All, but trained parameters have moved on since.
    Frozen,
    All,
}

/// Activations saved by `forward` for `backward`.
#[derive(Debug, Default)]
struct Tape {
    pass: Option<(Batch, Option<Noise>)>,
    embeddings: EmbeddingTape,
    /// Each layer's input, and the last one's output.
    rows: Vec<Vec<f32>>,
    norm: NormTape,
    normalized: Vec<f32>,
    /// One for each layer that has its own, see [`TrainingSettings::tape`].
    layers: Vec<LayerTape>,
    gradient: Vec<f32>,
}

impl TrainingNetwork {
    /// A network of the configuration with parameters that were made for it and for the same training.
    ///
    /// # Panics
    /// When the parameters are of another configuration or training, or the architecture is [not trained](crate::Architecture::is_trained).
    #[must_use]
    pub fn new(config: Config, parameters: Parameters, settings: TrainingSettings) -> Self {
        assert!(config.architecture.is_trained(), "an architecture that is trained");
        let table = Table::new(&config, settings.training);
        assert!(**parameters.table() == table, "parameters of this configuration and training");
        let names = Names::new(&config, false);
        let isa = settings.isa;
        let rotations = Rotations::of_layers(&config).into_iter().enumerate();
        let layer = |layer: (usize, _)| Layer::new(&config, &table, &names.layer(layer.0), layer, isa);
        let is_classifier = settings.training == Training::Classification;
        let head = match settings.training {
            Training::Classification => {
                Head::Classifier(Classifier::new(&config, &table, &names, isa), ClassifierTape::default())
            }
            Training::MaskedLanguage => {
                let trains_words = settings.frozen_layers.is_none();
                let head = MaskedHead::new(&config, &table, &names, isa, trains_words);
                Head::Masked(head, MaskedTape::default())
            }
        };
        Self {
            layers: rotations.map(layer).collect(),
            norm: names.final_norm().map(|name| NormIds::new(&table, &name)),
            reads_mean: is_classifier && config.form.head.pooling == Pooling::Mean,
            embeddings: Embeddings::new(&config, &table, &names, isa),
            head,
            packed: PackedState::Nothing,
            tape: Tape::default(),
            room: LayerRoom::new(isa),
            config,
            settings,
            parameters,
        }
    }

    /// The configuration of the network.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The settings of the training.
    #[must_use]
    pub fn settings(&self) -> &TrainingSettings {
        &self.settings
    }

    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The parameters, to be changed in any way; the next [`forward`](Self::forward) uses them.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        self.packed = PackedState::Nothing;
        &mut self.parameters
    }

    /// Updates the parameters by their gradients.
    pub fn step(&mut self, optimizer: &mut AdamW, gradients: &Gradients, update: Update) {
        if self.packed == PackedState::All {
            self.packed = PackedState::Frozen;
        }
        optimizer.step(&mut self.parameters, gradients, update);
    }

    /// The parameters, to be kept.
    #[must_use]
    pub fn into_parameters(self) -> Parameters {
        self.parameters
    }

    /// The logits of a batch: a row for each text, of the labels, or for each token to be predicted, of the vocabulary.
    /// Without noise they are those of evaluation.
    ///
    /// # Panics
    /// When a text is empty or longer than [`Config::max_tokens`], an id is not in the vocabulary, or a rate of dropout is not
    /// [valid](super::Dropout::is_valid).
    pub fn forward(&mut self, batch: &Batch, noise: Option<&Noise>) -> Vec<f32> {
        self.check(batch);
        let is_valid = noise.is_none_or(|noise| noise.dropout.is_valid());
        assert!(is_valid, "rates of dropout are at least 0 and below 1");
        self.repack();
        let reads_mean = self.reads_mean;
        let Self { tape, room, parameters, .. } = self;
        let count = self.layers.len();
        tape.rows.resize_with(count + 1, Vec::new);
        tape.layers.resize_with(self.settings.tape(count.saturating_sub(1)) + 1, LayerTape::default);
        self.embeddings.apply(parameters, (batch, noise), &mut tape.embeddings, &mut tape.rows[0]);
        for (number, layer) in self.layers.iter().enumerate() {
            let (below, above) = tape.rows.split_at_mut(number + 1);
            let asked = if number + 1 < count { &batch.every } else { read(batch, reads_mean) };
            let pass = Pass { parameters, batch, noise, asked, input: &below[number] };
            let at = self.settings.tape(number);
            layer.apply(pass, &mut tape.layers[at], room, &mut above[0]);
        }
        tape.pass = Some((batch.clone(), noise.copied()));
        let pass = HeadPass { parameters, noise, places: &batch.read.places };
        let read = read(batch, reads_mean);
        let rows = match self.norm {
            None => &tape.rows[count],
            Some(ids) => {
                tape.norm.normalized.clone_from(&tape.rows[count]);
                let norm = ids.norm(self.settings.isa, parameters, self.config.norm_epsilon, &read.places);
                norm.apply(&mut tape.norm, None, &mut tape.normalized);
                &tape.normalized
            }
        };
        if reads_mean {
            let rows = means(&batch.sequences, rows, self.config.hidden);
            return self.head.apply(pass, &rows);
        }
        self.head.apply(pass, rows)
    }

    /// Adds the gradients of all parameters, from those in the logits that the last [`forward`](Self::forward) gave.
    ///
    /// # Panics
    /// When there was no forward pass since the last backward pass, the parameters were changed since, or there are not as many
    /// numbers as logits.
    pub fn backward(&mut self, logits: &[f32], gradients: &mut Gradients) {
        assert!(self.packed == PackedState::All, "parameters are as they were in the forward pass");
        assert!(self.tape.pass.is_some(), "each backward pass has its own forward pass");
        let Self { tape, room, parameters, .. } = self;
        let Some((batch, noise)) = tape.pass.take() else { return };
        let noise = noise.as_ref();
        let count = self.layers.len();
        let mut gradient = std::mem::take(&mut tape.gradient);
        let pass = HeadPass { parameters, noise, places: &batch.read.places };
        let LayerRoom { weights, norm, .. } = room;
        self.head.back(pass, logits, (weights, norm, gradients), &mut gradient);
        let read = read(&batch, self.reads_mean);
        if self.reads_mean {
            gradient = spread(&batch, &gradient, self.config.hidden);
        }
        let lowest = self.settings.frozen_layers.unwrap_or(0);
        if let Some(ids) = self.norm.filter(|_| lowest < count) {
            let places = &read.places;
            let of = ids.norm(self.settings.isa, parameters, self.config.norm_epsilon, places);
            of.back(&tape.norm, &mut gradient, None, (norm, ids, &mut *gradients));
        }
        for (number, layer) in self.layers.iter().enumerate().skip(lowest).rev() {
            let asked = if number + 1 < count { &batch.every } else { read };
            let (below, above) = tape.rows.split_at_mut(number + 1);
            let pass = Pass { parameters, batch: &batch, noise, asked, input: &below[number] };
            let at = self.settings.tape(number);
            // The room still has the last layer's.
            if self.settings.recompute && number + 1 < count {
                layer.apply(pass, &mut tape.layers[0], room, &mut above[0]);
            }
            let is_lowest = self.settings.frozen_layers == Some(number);
            layer.back(pass, &tape.layers[at], (room, gradients), &mut gradient, is_lowest);
        }
        if self.settings.frozen_layers.is_none() {
            let LayerRoom { weights, norm, .. } = room;
            let sums = (weights, norm, &mut *gradients);
            self.embeddings.back(parameters, (&batch, noise), &tape.embeddings, &mut gradient, sums);
        }
        tape.gradient = gradient;
        gradients.finish();
    }

    fn check(&self, batch: &Batch) {
        let (most, vocabulary) = (self.config.max_tokens(), self.config.vocabulary);
        for ids in batch.sequences.each() {
            assert!(!ids.is_empty() && ids.len() <= most, "a text has 1 to {most} tokens");
            assert!(ids.iter().all(|&id| (id as usize) < vocabulary), "ids are below {vocabulary}");
        }
    }

    /// Packs what has changed.
    fn repack(&mut self) {
        if self.packed == PackedState::All {
            return;
        }
        let frozen = self.settings.frozen_layers;
        let is_first = self.packed == PackedState::Nothing;
        if is_first || frozen.is_none() {
            self.embeddings.repack(&self.parameters, frozen.is_none());
        }
        for layer in &mut self.layers {
            let is_trained = frozen.is_none_or(|frozen| layer.number >= frozen);
            if is_first || is_trained {
                layer.repack(&self.parameters, is_trained);
            }
        }
        self.head.repack(&self.parameters);
        self.packed = PackedState::All;
    }
}

/// The tokens at which the last layer's output is needed.
fn read(batch: &Batch, reads_mean: bool) -> &Asked {
    if reads_mean { &batch.every } else { &batch.read }
}

/// The gradients in every token's row, of those in the means.
fn spread(batch: &Batch, means: &[f32], width: usize) -> Vec<f32> {
    let mut rows = Vec::with_capacity(batch.tokens() * width);
    for (text, mean) in means.chunks_exact(width).enumerate() {
        let tokens = batch.sequences.range(text).len();
        let share = 1.0 / tokens as f32;
        (0..tokens).for_each(|_| rows.extend(mean.iter().map(|number| number * share)));
    }
    rows
}
