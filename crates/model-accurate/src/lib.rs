//! The embedded encoder `accurate`, as data:
//! [its card](https://github.com/vulnlens/vulnlens/blob/main/crates/model-accurate/accurate.md) says what it was trained on and
//! how well it does. It answers together with the model `fast`.

/// The bytes of the model's file.
pub static ACCURATE: &[u8] = include_bytes!("../accurate.safetensors");
