//! The n-gram model: its features, its network, its file and its evidence.

mod evidence;
mod file;
mod network;
mod room;
mod rows;
mod scoring;

pub mod gemm;
pub mod text;
pub mod vocabulary;

pub use file::{ModelFileError, Tensors, upper_half, with_curated, with_header, with_severity, write};
pub use network::{INPUT_GAIN, NgramModel};
pub(crate) use room::NgramRoom;
pub use rows::CODE_ZERO;
