//! Transformer encoders for sequence classification, on the CPU.
//!
//! Loads checkpoints as Hugging Face publishes them and gives the logits that transformers gives.

mod checkpoint;
mod conditions;
mod config;
mod encoder;
mod error;
mod files;
mod forward;
mod hierarchy;
pub mod kernels;
mod layout;
mod package;
mod quantize;
mod tokenizer;
pub mod training;
pub mod weights;

pub use checkpoint::Checkpoint;
pub use conditions::Conditions;
pub use config::{Activation, Architecture, Config, Problem};
pub use encoder::{Encoder, LoadOptions, Precision};
pub use error::EncoderError;
pub use layout::{Layout, Level, Node};
pub use package::{Package, pack};
pub use quantize::{Quantization, quantize};
pub use tokenizer::{Notice, Tokenizer};
pub use weights::{Dtype, Tensor, Weights};
