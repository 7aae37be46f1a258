//! Copies of the committed checkpoints, to be changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::Value;
use tempfile::TempDir;
use vulnlens_encoder::{Encoder, EncoderError, LoadOptions};

/// A committed checkpoint.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A copy of a committed checkpoint.
pub(crate) struct Sample(TempDir);

/// A tensor's bytes and its shape.
pub(crate) type Tensors = BTreeMap<String, (safetensors::Dtype, Vec<usize>, Vec<u8>)>;

impl Sample {
    pub(crate) fn of(name: &str) -> Self {
        let folder = TempDir::new().unwrap();
        for entry in fs::read_dir(fixture(name)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn open(&self) -> Result<Encoder, EncoderError> {
        Encoder::open(self.path(), &LoadOptions::default())
    }

    /// The error of opening it, which must fail.
    pub(crate) fn complaint(&self) -> String {
        self.open().expect_err("the checkpoint is damaged").to_string()
    }

    /// Changes a JSON file.
    pub(crate) fn json(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut value = serde_json::from_slice(&fs::read(self.file(name)).unwrap()).unwrap();
        change(&mut value);
        fs::write(self.file(name), value.to_string()).unwrap();
    }

    /// Changes the tensors.
    pub(crate) fn tensors(&self, change: impl FnOnce(&mut Tensors)) {
        self.tensors_of("model.safetensors", change);
    }

    /// Changes the tensors of a file.
    pub(crate) fn tensors_of(&self, name: &str, change: impl FnOnce(&mut Tensors)) {
        let file = self.file(name);
        let mut tensors = read_tensors(&file);
        change(&mut tensors);
        let views = tensors.iter().map(|(name, (dtype, shape, bytes))| {
            (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        safetensors::serialize_to_file(views, None, &file).unwrap();
    }
}

pub(crate) fn read_tensors(file: &Path) -> Tensors {
    let bytes = fs::read(file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let owned = tensors
        .iter()
        .map(|(name, view)| (name.to_owned(), (view.dtype(), view.shape().to_vec(), view.data().to_vec())));
    owned.collect()
}
