//! Transformer encoders for sequence classification, on the CPU.
//!
//! Loads checkpoints as Hugging Face publishes them and gives the logits that transformers gives.

mod config;
mod encoder;
mod error;
mod forward;
pub mod kernels;
pub mod weights;

pub use config::{Activation, Architecture, Config, Problem};
pub use encoder::{Encoder, LoadOptions, Precision};
pub use error::EncoderError;
pub use weights::{Dtype, Tensor, Weights};
