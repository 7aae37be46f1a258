//! Open files of weights, and the places of tensors in them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::dtype::Dtype;

/// An open file.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) source: Source,
}

/// The bytes of a file.
#[derive(Debug)]
pub(super) enum Source {
    /// Tensors are the file's own pages, where they can be used as they are.
    Mapped(File),
    /// Tensors are copies, which stay whole whatever becomes of the file. The lock guards the place that is read next.
    Copied(Mutex<File>),
    Memory(Arc<Cow<'static, [u8]>>),
}

/// The place of a tensor, checked against the file's length.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// Index into `Weights::files`.
    pub(super) file: usize,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// Distance of neighbours along each axis, in elements, where it is not the row-major one.
    pub(super) strides: Option<Vec<usize>>,
    /// Bytes from the beginning of the file.
    pub(super) offset: u64,
    /// Bytes from the first element to the end of the last.
    pub(super) len: usize,
}

/// The tensors of one file of weights, before names are compared with those of other files.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) entries: Vec<(String, Entry)>,
    pub(super) metadata: BTreeMap<String, String>,
}

/// The prefixes of a network that was saved as it was wrapped: for several devices, and compiled.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];

/// A name as today's transformers has it: checkpoints converted from TensorFlow call the two
/// vectors of a layer normalisation gamma and beta, and training loops of one's own save networks in their wrappers.
pub(super) fn modern(name: &str) -> String {
    if let Some(inner) = WRAPPERS.iter().find_map(|wrapper| name.strip_prefix(wrapper)) {
        return modern(inner);
    }
    match (name.strip_suffix("LayerNorm.gamma"), name.strip_suffix("LayerNorm.beta")) {
        (Some(rest), _) => format!("{rest}LayerNorm.weight"),
        (_, Some(rest)) => format!("{rest}LayerNorm.bias"),
        _ => name.to_owned(),
    }
}
