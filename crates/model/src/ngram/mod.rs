//! The n-gram model: its features, its network, its file and its evidence.

mod evidence;
mod file;
mod network;

pub mod gemm;
pub mod text;
pub mod vocabulary;

pub use evidence::WordEvidence;
pub use file::{ModelFileError, Tensors, with_header, write};
pub(crate) use network::NgramRoom;
pub use network::{CODE_ZERO, INPUT_GAIN, NgramModel};
