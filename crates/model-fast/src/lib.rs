//! The embedded n-gram model `fast`, as data: [its card](https://github.com/vulnlens/vulnlens/blob/main/crates/model-fast/fast.md)
//! says what it was fitted on and how well it does.

/// The bytes of the model's file.
pub static FAST: &[u8] = include_bytes!("../fast.safetensors");
