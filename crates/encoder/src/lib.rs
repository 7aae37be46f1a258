//! Transformer encoders for sequence classification, on the CPU.
//!
//! Loads checkpoints as Hugging Face publishes them and gives the logits that transformers gives.

pub mod kernels;
