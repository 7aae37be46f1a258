//! The weaknesses, attack patterns and ATT&CK techniques that a vulnerability's text implies.
//!
//! The library carries a model and a knowledge base, so it answers offline and at once:
//!
//! ```
//! use vulnlens::{Input, Options};
//!
//! let classifier = vulnlens::embedded();
//! let text = "Buffer overflow in OpenSSL allows remote attackers to execute arbitrary code.";
//! let prediction = classifier.predict(Input::text(text), &Options::default());
//! for scored in prediction.cwe.iter().flat_map(|cwe| &cwe.labels) {
//!     let name = classifier.knowledge_base().name_of_cwe(scored.label).unwrap_or_default();
//!     println!("{:.3}  {}  {name}", scored.score, scored.label);
//! }
//! # assert!(prediction.attack.is_some_and(|attack| !attack.labels.is_empty()));
//! ```
//!
//! [`open`] opens any other model: a file, the folder of a checkpoint, an id of the Hugging Face hub. For more than a few
//! texts make a [`Prepared`] once ([`Classifier::prepare`]), share it between threads and give it batches.
//! [`stream`] classifies any number of records in bounded memory, in the order of the input and with the same bytes on any
//! number of threads.
//!
//! # Features
//!
//! None is on by default: the embedded n-gram model and knowledge base need no other.
//!
//! | feature | brings |
//! |---|---|
//! | `encoder` | published checkpoints and encoders of one's own |
//! | `accurate` | the embedded encoder, some ten megabytes; implies `encoder` |
//! | `hub` | checkpoints by `ORG/NAME` of the Hugging Face hub; implies `encoder` |
//! | `folder` | `KnowledgeBase::from_folder`, for MITRE's files |
//! | `parquet` | Parquet among the output formats |
//! | `records` | records of every source of `vulnlens-corpus`, as texts to answer and mappings to review |
//! | `saved` | answers that were written as JSON Lines, Arrow or (with `parquet`) Parquet, read back |
//!
//! The parts of the library stand under their names: [`taxonomy`], [`model`], [`report`] and, with the feature `encoder`,
//! `encoder`.

mod answerer;
mod asked;
#[cfg(feature = "encoder")]
mod checkpoint;
mod embedded;
#[cfg(feature = "encoder")]
mod encoder_network;
mod error;
mod info;
mod model_files;
#[cfg(feature = "encoder")]
mod naming;
mod nearest;
mod open;
#[cfg(feature = "records")]
pub mod records;
pub mod stream;

pub use answerer::Answerer;
pub use asked::{AskedError, AskedOptions, AskedRecord, MOST_LABELS, Whole, best};
#[cfg(feature = "encoder")]
pub use checkpoint::{CheckpointFolder, OpenedEncoder};
#[cfg(feature = "accurate")]
pub use embedded::ACCURATE_MODEL;
pub use embedded::{
    EMBEDDED_KNOWLEDGE_BASE, EMBEDDED_MODEL, embedded, embedded_knowledge_base, embedded_model,
};
#[cfg(feature = "encoder")]
pub use encoder_network::EncoderNetwork;
pub use error::OpenError;
pub use model_files::ModelFiles;
pub use nearest::NearestRecords;
pub use open::{ACCURATE, FAST, FoundModel, ModelKind, Open, find, open, open_ngram};
pub use stream::TextRecord;
#[cfg(feature = "encoder")]
pub use vulnlens_encoder as encoder;
#[cfg(feature = "hub")]
pub use vulnlens_hub as hub;
pub use vulnlens_model as model;
pub use vulnlens_report as report;
pub use vulnlens_taxonomy as taxonomy;

pub use vulnlens_model::{
    Classifier, Explainer, Explanation, Family, Input, LabelMode, LabelSource, Labels, ModelFileError,
    Network, NgramModel, Options, PredictBuffers, Prediction, Prepared, Run, Said, ScoredLabel, Target, Task,
    Tasks, TopK, Via, WordEvidence,
};
pub use vulnlens_taxonomy::{CapecId, CveId, CweId, KnowledgeBase, Outcome, TacticId, TechniqueId};
