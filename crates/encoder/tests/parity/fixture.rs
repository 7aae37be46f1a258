//! The folders under `tests/fixtures`, each a checkpoint with what transformers answers for it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use vulnlens_encoder::kernels::Isa;
use vulnlens_encoder::{Encoder, LoadOptions, Precision};

/// Everything in `expected.json`, one row for each of the texts.
#[derive(Deserialize)]
pub(crate) struct Expected {
    pub(crate) max_tokens: usize,
    pub(crate) labels: Vec<String>,
    pub(crate) ids: Vec<Vec<u32>>,
    pub(crate) logits: Vec<Vec<f32>>,
    pub(crate) scores: Vec<Vec<f32>>,
    /// The scores by a function that was asked for, of a checkpoint that leaves it open.
    #[serde(default)]
    pub(crate) sigmoid: Vec<Vec<f32>>,
    #[serde(default)]
    pub(crate) softmax: Vec<Vec<f32>>,
}

pub(crate) struct Fixture {
    /// Relative to `tests/fixtures`.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) expected: Expected,
}

impl Fixture {
    pub(crate) fn open(&self) -> Encoder {
        self.open_for(Precision::F32, Isa::detected())
    }

    pub(crate) fn open_for(&self, precision: Precision, isa: Isa) -> Encoder {
        self.open_with(&LoadOptions { precision, isa, ..LoadOptions::default() })
    }

    pub(crate) fn open_with(&self, options: &LoadOptions) -> Encoder {
        Encoder::open(&self.folder, options).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The texts that every fixture has answers for.
pub(crate) fn texts() -> Vec<String> {
    serde_json::from_slice(&fs::read(root().join("texts.json")).unwrap()).unwrap()
}

/// All fixtures, by name; those of hierarchical repositories one by one.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let mut folders = vec![root()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        folders
            .extend(fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|p| p.is_dir()));
        if let Ok(json) = fs::read(folder.join("expected.json")) {
            let name = folder.strip_prefix(root()).unwrap().display().to_string();
            found.push(Fixture { name, folder, expected: serde_json::from_slice(&json).unwrap() });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}
