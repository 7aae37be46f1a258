//! Training encoders: a tokenizer of the corpus, masked-language pretraining, and fine-tuning.
//!
//! [`train_tokenizer`] makes a tokenizer, [`train_masked`] a language model, [`train_classifier`] a classifier from
//! either a new network or a checkpoint, and [`train_hierarchy`] a hierarchy of classifiers. They write folders as
//! Hugging Face publishes models.
//!
//! **The same bits.** Orders of texts, dropout and masks are drawn by counting from the seed, all sums have one order, and a
//! checkpoint holds everything that the next step depends on. So neither threads nor stopping and resuming change a bit.
//!
//! A run has its folder to itself (a lock that ends with the process). Files appear in it when they are whole, and
//! `config.json` last of all: a folder that has one holds a finished model.

mod classifier;
mod folder;
mod hierarchy;
mod label_table;
mod labels;
mod objective;
mod output_space;
mod pretraining;
mod run;
mod settings;
mod texts;
mod whole_file;

pub use classifier::{ClassifierSettings, train_classifier};
pub use folder::{FEWEST_TOKENS, NetworkSize, SPECIAL_TOKENS, Start, TokenizerFiles, train_tokenizer};
pub use hierarchy::{
    HierarchyEnding, HierarchyEvaluation, HierarchyFigures, HierarchyForm, HierarchySettings, Parents,
    evaluate_hierarchy, train_hierarchy,
};
pub use label_table::{LabelTable, LabelTableError};
pub use labels::{AuxiliaryLabels, ClassifierObjective, LabelKind};
pub use objective::{Distillation, MultiLabelLoss};
pub use pretraining::{PretrainingSettings, train_masked};
pub use run::{Control, Ending, LogEntry, Observer, RunPlan, StepReport};
pub use settings::FitSettings;
pub use vulnlens_encoder::training::Decay;

pub(crate) use folder::StartingPoint;
pub(crate) use run::FolderLock;
pub(crate) use whole_file::write_whole;
