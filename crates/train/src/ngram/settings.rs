//! The settings of a fit of the n-gram model.

use std::collections::BTreeMap;

/// All settings; [`Settings::default`] is what validation chose on the random split of the corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Seed of every random choice.
    pub seed: u64,
    /// A feature must occur in this many training texts.
    pub min_documents: u32,
    /// At most this many features are kept.
    pub max_features: usize,
    /// Width of the hidden layer; even.
    pub dimensions: usize,
    /// Texts a step.
    pub batch: usize,
    /// Passes over the texts, for each model.
    pub epochs: usize,
    /// Learning rate of the embedding (row-wise Adagrad), falling linearly to 0.
    pub embedding_rate: f32,
    /// Learning rate of everything else (Adam), falling linearly to a hundredth.
    pub dense_rate: f32,
    /// Share of a text's features that a step leaves out.
    pub feature_dropout: f32,
    /// Share of hidden units that a step leaves out.
    pub hidden_dropout: f32,
    /// Share of texts that are shown with the newest year in place of their own, so that asking
    /// "as of now" is something that the model has seen.
    pub year_dropout: f32,
    /// Models whose averaged answers the final one is fitted to; 0 fits to the labels alone.
    pub teachers: usize,
    /// Weight of the teachers' answer, against the label, for texts that have one.
    pub distillation: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            min_documents: 10,
            max_features: 100_000,
            dimensions: 128,
            batch: 64,
            epochs: 7,
            embedding_rate: 0.02,
            dense_rate: 0.001,
            feature_dropout: 0.4,
            hidden_dropout: 0.2,
            year_dropout: 0.0,
            teachers: 4,
            distillation: 0.7,
        }
    }
}

impl Settings {
    /// The settings by name, as they go into a model's provenance; the seed stands there by itself.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        let pairs: [(&str, String); 12] = [
            ("min_documents", self.min_documents.to_string()),
            ("max_features", self.max_features.to_string()),
            ("dimensions", self.dimensions.to_string()),
            ("batch", self.batch.to_string()),
            ("epochs", self.epochs.to_string()),
            ("embedding_rate", self.embedding_rate.to_string()),
            ("dense_rate", self.dense_rate.to_string()),
            ("feature_dropout", self.feature_dropout.to_string()),
            ("hidden_dropout", self.hidden_dropout.to_string()),
            ("year_dropout", self.year_dropout.to_string()),
            ("teachers", self.teachers.to_string()),
            ("distillation", self.distillation.to_string()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What is wrong with the settings, if anything: the field and its bounds.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        let share = |x: f32| (0.0..1.0).contains(&x);
        let rate = |x: f32| x > 0.0 && x <= 10.0;
        let checks = [
            (self.min_documents >= 1, "min_documents must be at least 1"),
            ((1..=1 << 24).contains(&self.max_features), "max_features must be 1 to 16777216"),
            (
                self.dimensions >= 2 && self.dimensions <= 4096 && self.dimensions.is_multiple_of(2),
                "dimensions must be an even number from 2 to 4096",
            ),
            ((1..=4096).contains(&self.batch), "batch must be 1 to 4096"),
            ((1..=1000).contains(&self.epochs), "epochs must be 1 to 1000"),
            (rate(self.embedding_rate) && rate(self.dense_rate), "rates must be above 0 and at most 10"),
            (
                share(self.feature_dropout) && share(self.hidden_dropout) && share(self.year_dropout),
                "dropouts must be at least 0 and below 1",
            ),
            (self.teachers <= 64, "teachers must be at most 64"),
            ((0.0..=1.0).contains(&self.distillation), "distillation must be 0 to 1"),
        ];
        checks.into_iter().find(|(fine, _)| !fine).map(|(_, problem)| problem)
    }
}
