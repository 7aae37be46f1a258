//! Training encoders: a tokenizer of the corpus, masked-language pretraining, and fine-tuning.
//!
//! [`train_tokenizer`] makes a tokenizer, [`train_masked`] a language model, [`train_classifier`] a classifier from either
//! a new network or a checkpoint. What they write are folders as Hugging Face publishes them.
//!
//! **The same bits.** Orders of texts, dropout and masks are drawn by counting from the seed, all sums have one order, and a
//! checkpoint holds everything that the next step depends on. So neither threads nor stopping and resuming change a bit.
//!
//! A run has its folder to itself (a lock that ends with the process). Files appear in it when they are whole, and
//! `config.json` last of all: a folder that has one holds a finished model.

mod batches;
mod classification;
mod curves;
mod fine_tuning;
mod fit;
mod hierarchy;
mod labels;
mod logits;
mod masking;
mod model_folder;
mod objective;
mod search;
mod settings;
mod start;
mod state;
mod store;
mod teaching;
mod thresholds;
mod token_lists;
mod tokenizer;
mod train;
mod whole_file;

pub use batches::BatchSize;
pub use fine_tuning::train_classifier;
pub use fit::{Began, Control, Observer, Stepped};
pub use hierarchy::{
    HierarchyEnding, HierarchyEvaluation, HierarchyFigures, HierarchyForm, HierarchySettings, Parents,
    evaluate_hierarchy, train_hierarchy,
};
pub use labels::Labels;
pub use search::{
    Sampler, SearchControl, SearchEnding, SearchObserver, SearchSettings, SettingRange, SettingValue, Trial,
    TrialState, search,
};
pub use settings::{FitSettings, MultiLabelLoss};
pub use start::{NetworkSize, Start};
pub use state::LogEntry;
pub use teaching::Teaching;
pub use tokenizer::{FEWEST_TOKENS, SPECIAL_TOKENS, TokenizerFiles, train_tokenizer};
pub use train::{ClassifierSettings, Ending, LabelsBeside, PretrainingSettings, train_masked};
pub use vulnlens_encoder::training::Decay;
