//! Transformer encoders for sequence classification, on the CPU.
//!
//! Loads checkpoints as Hugging Face publishes them (RoBERTa, XLM-RoBERTa, CamemBERT, BERT, DistilBERT, ELECTRA, ModernBERT, DeBERTa
//! of versions 2 and 3) and gives the logits that transformers gives, without Python. The crate knows nothing of CWE, CAPEC or ATT&CK: labels are names.
//!
//! # Prepare
//!
//! A checkpoint is a folder with `config.json`, the weights (`model.safetensors`, its shards, or `pytorch_model.bin`) and the
//! tokenizer's files; nothing has to be converted. A LoRA adapter of PEFT beside the weights is merged into them. Three more
//! forms are read:
//!
//! - a hierarchy: folders `master/` and `slave_<label>/`, or `…_level_<n>_…`, each a checkpoint, whose tokenizer may
//!   stand beside them ([`Layout`]);
//! - a folder in eight bits, a quarter of the size, as [`quantize`] writes it;
//! - one packed file, as [`pack`] makes it of a folder ([`Package`]).
//!
//! # Load
//!
//! [`Checkpoint::open`] reads a folder, whatever it holds; [`Encoder::open`] a single checkpoint, [`Encoder::open_package`]
//! a packed one. [`LoadOptions`] choose the [`Precision`], the treatment of long texts and the instruction set. Names, shapes
//! and types of all tensors are compared with the configuration before any number is read, so that a checkpoint either
//! gives transformers' numbers or an [`EncoderError`] that names the file, the key or tensor, and the fix. A checkpoint that
//! is read with a remark says so once by [`Checkpoint::notices`].
//!
//! # Run
//!
//! ```
//! use std::path::Path;
//! use vulnlens_encoder::{Checkpoint, LoadOptions};
//!
//! # fn main() -> Result<(), vulnlens_encoder::EncoderError> {
//! let checkpoint = Checkpoint::open(Path::new("tests/fixtures/roberta"), &LoadOptions::default())?;
//! let texts = ["A buffer overflow in the parser.", "Cross-site scripting in a form."];
//! let scores = checkpoint.scores(&texts);
//! assert_eq!(scores.len(), texts.len() * checkpoint.labels().len());
//! for row in scores.chunks(checkpoint.labels().len()) {
//!     let (label, score) = checkpoint
//!         .labels()
//!         .iter()
//!         .zip(row)
//!         .filter_map(|(label, score)| Some((label, (*score)?)))
//!         .max_by(|(_, a), (_, b)| a.total_cmp(b))
//!         .expect("a checkpoint has labels");
//!     println!("{label}: {score:.3}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Texts of one call are packed end to end without padding. Any number of texts may go in a call; some dozens are enough to
//! use the machine well.
//!
//! # Post-process
//!
//! [`Checkpoint::scores`] lie in `0..=1`: the sigmoid of each label, or the softmax over the labels, as the checkpoint says
//! ([`Problem`]). A label of a hierarchy has no score where its parent's rules it out. [`Encoder::logits`] gives the numbers
//! before that. Thresholds and the meaning of labels are the caller's.
//!
//! # Limits
//!
//! A text longer than [`Checkpoint::max_tokens`] is cut, as transformers cuts it, or read in windows
//! ([`LoadOptions::window_overlap`]); [`Checkpoint::is_cut`] tells which texts are. Only the heads of `…ForSequenceClassification`
//! are supported, and of DeBERTa no convolution; everything else is refused, never approximated.
//!
//! # Threads
//!
//! Work is split over the rayon pool that the caller runs in. Scores are the same bits whatever the number of threads and
//! whatever the other texts of a call; the [`kernels`] say why. A checkpoint may be shared by threads.
//!
//! # Security
//!
//! Files may come from strangers: nothing in them is executed, sizes are bounded before memory is taken, and ranges are
//! checked against the file's length. PyTorch's pickles are read by an interpreter that knows tensors and refuses all else.
//! Folders are mapped into memory: a file that another process truncates meanwhile ends this one, as it does every program that
//! maps its weights. Where that must not be, [`Access::Copy`] reads them instead.
//!
//! # Features
//!
//! - `training` (off by default): the backward pass, losses and the optimiser (module `training`).

mod checkpoint;
mod config;
mod dtype;
mod error;
mod forward;
pub mod kernels;
mod repository;
mod tokenizer;
#[cfg(feature = "training")]
pub mod training;
pub mod weights;

pub use checkpoint::{Branch, Checkpoint, Conditions, Encoder, LoadOptions, Quantization, quantize};
pub use config::{Activation, Architecture, Config, Problem};
pub use dtype::Dtype;
pub use error::EncoderError;
pub use forward::Precision;
pub use repository::layout::{Layout, Level, Node};
pub use repository::package::{Package, pack};
pub use repository::revision::revision;
pub use tokenizer::{Notice, Tokenizer};
pub use weights::{Access, Tensor, Weights};
