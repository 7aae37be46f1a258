//! The settings of a fit of the n-gram model.

use std::collections::BTreeMap;

use crate::setting::{Settings as _, Use, settings};

settings! {
    /// The settings of a fit; the defaults are what validation chose on the random split of the corpus.
    pub struct Settings {
        /// Seed of every random choice
        seed: u64 = 1;

        /// Texts that an n-gram must occur in
        min_documents: u32 = 10 => Use::of("N").at_least(1.0).searchable();

        /// N-grams that are kept, the most frequent first
        max_features: usize = 100_000 => Use::of("N").within(1.0, (1 << 24) as f64).searchable();

        /// Texts that a combination of weaknesses must occur in to be an output by itself
        min_combination: u64 = 10 => Use::of("N").at_least(1.0).searchable();

        /// Times that the catalogue's own words for a weakness are learnt
        catalogue_repeats: usize = 8 => Use::of("N").within(1.0, 100.0).searchable();

        /// Width of the hidden layer
        dimensions: usize = 128 => Use::of("N").within(2.0, 4096.0).even().searchable();

        /// Texts a step
        batch: usize = 64 => Use::of("N").within(1.0, 4096.0).searchable();

        /// Passes over the texts
        epochs: usize = 7 => Use::of("N").within(1.0, 1000.0).searchable();

        /// Learning rate of the embedding
        embedding_rate: f32 = 0.02 => Use::of("RATE").above(0.0).at_most(10.0).searchable();

        /// Learning rate of everything else
        dense_rate: f32 = 0.001 => Use::of("RATE").above(0.0).at_most(10.0).searchable();

        /// Share of a text's n-grams that a step leaves out
        feature_dropout: f32 = 0.4 => Use::of("SHARE").at_least(0.0).below(1.0).searchable();

        /// Share of hidden units that a step leaves out
        hidden_dropout: f32 = 0.2 => Use::of("SHARE").at_least(0.0).below(1.0).searchable();

        /// Share of texts that are shown as of the newest year
        year_dropout: f32 = 0.0 => Use::of("SHARE").at_least(0.0).below(1.0).searchable();

        /// Models whose averaged answers the final one learns from; 0: from the labels alone
        teachers: usize = 4 => Use::of("N").at_most(64.0).searchable();

        /// Weight of the teachers' answers against the labels
        distillation: f32 = 0.7 => Use::of("SHARE").within(0.0, 1.0).searchable();
    }
}

impl Settings {
    /// The settings by name, as they go into a model's provenance; the seed stands there by itself.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.recorded().into_iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect()
    }
}
