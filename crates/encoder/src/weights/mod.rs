//! The tensors of a checkpoint: one safetensors file, its shards, or PyTorch's `pytorch_model.bin`.
//!
//! Opening reads headers only. Every tensor is mapped by itself when it is asked for and unmapped
//! when it is dropped, so what stays resident is what the caller keeps. A process that outlives the files has them copied.

mod adapter;
mod entry;
mod map;
mod pickle;
mod safetensors;
mod shards;
mod tensor;
mod torch_zip;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub use self::pickle::reads_pickle;
pub use self::tensor::Tensor;
#[doc(hidden)]
use vulnlens_files::names::WEIGHT_FILES;

use self::adapter::LowRank;
pub(crate) use self::adapter::alone as adapter_alone;
use self::entry::{Contents, Entry, Opened, Source, modern};
use crate::dtype::Dtype;
use crate::error::{DOWNLOAD_AGAIN, EncoderError};

/// The tensors of a checkpoint, by name.
#[derive(Debug)]
pub struct Weights {
    /// The single file, or the index of the shards: for errors about no file in particular.
    place: PathBuf,
    files: Vec<Opened>,
    entries: BTreeMap<String, Entry>,
    metadata: BTreeMap<String, String>,
    /// Changes of matrices by an adapter beside the weights.
    low_rank: BTreeMap<String, LowRank>,
    /// The model that the adapter was made for, if there is one.
    adapted_from: Option<String>,
    access: Access,
}

/// The way in which tensors are taken from files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Maps them: nothing is read twice, and a file that another process cuts short ends this one by SIGBUS.
    #[default]
    Map,
    /// Copies them into memory, where they stay whole whatever becomes of the files.
    Copy,
}

impl Weights {
    /// Opens the weights of a checkpoint's folder, or one file of weights. Reads headers only.
    ///
    /// A folder is searched for `model.safetensors`, `model.safetensors.index.json`,
    /// `pytorch_model.bin` and `pytorch_model.bin.index.json`, in this order. A LoRA adapter of PEFT beside them is
    /// merged into them.
    ///
    /// # Errors
    /// [`EncoderError::FileMissing`], [`EncoderError::Io`]; [`EncoderError::Format`] and
    /// [`EncoderError::Pickle`] for files that are damaged, hostile or of another format.
    pub fn open(folder: &Path) -> Result<Self, EncoderError> {
        Self::open_by(folder, Access::Map)
    }

    /// As [`open`](Self::open), with tensors taken as `access` says.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_by(folder: &Path, access: Access) -> Result<Self, EncoderError> {
        let path = if folder.is_file() { folder.to_owned() } else { find(folder)? };
        let shards = match path.file_name().and_then(|name| name.to_str()) {
            Some(name) if name.ends_with(".index.json") => shards::files(&path)?,
            _ => vec![path.clone()],
        };
        let mut weights = Self { access, ..Self::empty(path) };
        for shard in shards {
            weights.add(shard)?;
        }
        if weights.place.extension().is_some_and(|extension| extension == "json") {
            shards::check(&weights.place, |name| weights.entries.contains_key(name))?;
        }
        if !folder.is_file() {
            weights.adapted_from = adapter::merge(folder, &mut weights)?;
        }
        Ok(weights)
    }

    fn empty(place: PathBuf) -> Self {
        Self {
            place,
            files: Vec::new(),
            entries: BTreeMap::new(),
            metadata: BTreeMap::new(),
            low_rank: BTreeMap::new(),
            adapted_from: None,
            access: Access::default(),
        }
    }

    /// The tensors of a safetensors file in memory, called `place` in errors.
    pub(crate) fn of_bytes(bytes: Arc<Cow<'static, [u8]>>, place: &Path) -> Result<Self, EncoderError> {
        let contents = safetensors::read_bytes(&bytes, place)?;
        Ok(Self {
            files: vec![Opened { path: place.to_owned(), source: Source::Memory(bytes) }],
            entries: contents.entries.into_iter().collect(),
            metadata: contents.metadata,
            ..Self::empty(place.to_owned())
        })
    }

    /// All but the tensors that `leave_out` names.
    pub(crate) fn without(mut self, leave_out: impl Fn(&str) -> bool) -> Self {
        self.entries.retain(|name, _| !leave_out(name));
        self
    }

    /// The bytes of the file that a tensor takes.
    pub(crate) fn range(&self, name: &str) -> Option<std::ops::Range<usize>> {
        let entry = self.entries.get(name)?;
        let start = usize::try_from(entry.offset).ok()?;
        Some(start..start.checked_add(entry.len)?)
    }

    /// Takes in one file.
    fn add(&mut self, path: PathBuf) -> Result<(), EncoderError> {
        let file = File::open(&path).map_err(EncoderError::io(&path))?;
        let contents = read(&file, &path, self.files.len())?;
        for (name, entry) in contents.entries {
            let name = modern(&name);
            if self.entries.insert(name.clone(), entry).is_some() {
                let problem = format!("holds the tensor `{name}`, which another file or name holds too");
                return Err(EncoderError::format(&path, problem, "remove one of them"));
            }
        }
        self.metadata.extend(contents.metadata);
        let source = match self.access {
            Access::Map => Source::Mapped(file),
            Access::Copy => Source::Copied(Mutex::new(file)),
        };
        self.files.push(Opened { path, source });
        Ok(())
    }

    /// The way in which its tensors are taken from files.
    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// The model that the merged adapter was made for, as its configuration names it; `None` without an adapter.
    pub(crate) fn adapted_from(&self) -> Option<&str> {
        self.adapted_from.as_deref()
    }

    /// The files of the tensors: several where there are shards or an adapter.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|opened| opened.path.as_path())
    }

    /// Names of the tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// A tensor's shape.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    /// The type of a tensor's elements.
    #[must_use]
    pub fn dtype(&self, name: &str) -> Option<Dtype> {
        self.entries.get(name).map(|entry| entry.dtype)
    }

    /// The `__metadata__` of safetensors files; empty for PyTorch's.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The file of weights, or the index of its shards.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.place
    }

    /// A tensor as `f32`, row-major; `F16`, `BF16` and `F64` are converted.
    ///
    /// # Errors
    /// [`EncoderError::TensorMissing`], [`EncoderError::TensorShape`], [`EncoderError::TensorType`];
    /// [`EncoderError::NonFinite`] for the first element that is infinite or not a number;
    /// [`EncoderError::Io`].
    pub fn f32(&self, name: &str, shape: &[usize]) -> Result<Tensor<f32>, EncoderError> {
        let (entry, opened) = self.entry(name, shape)?;
        let tensor = Self::finite(name, entry, opened)?;
        let Some(LowRank { a, b, scale }) = self.low_rank.get(name) else { return Ok(tensor) };
        let read = |entry: &Entry| {
            let opened = self.files.get(entry.file).ok_or_else(|| self.missing(name, shape))?;
            Self::finite(name, entry, opened)
        };
        let mut numbers = tensor.to_vec();
        adapter::add(&mut numbers, shape.last().copied().unwrap_or(0), &read(a)?, &read(b)?, *scale);
        Self::check_finite(name, opened, Tensor::from(numbers))
    }

    /// A tensor as it is stored.
    fn finite(name: &str, entry: &Entry, opened: &Opened) -> Result<Tensor<f32>, EncoderError> {
        let fail = EncoderError::io(&opened.path);
        let wrong_type = || wrong_type(name, entry, opened, "F32, F16, BF16 or F64");
        let tensor = tensor::read_f32(&opened.source, entry).map_err(fail)?.ok_or_else(wrong_type)?;
        Self::check_finite(name, opened, tensor)
    }

    fn check_finite(name: &str, opened: &Opened, tensor: Tensor<f32>) -> Result<Tensor<f32>, EncoderError> {
        match tensor::first_non_finite(&tensor) {
            None => Ok(tensor),
            Some((index, value)) => Err(EncoderError::NonFinite {
                file: opened.path.clone(),
                tensor: name.to_owned(),
                index,
                value,
            }),
        }
    }

    /// A tensor of signed bytes, row-major, as quantised files hold them.
    ///
    /// # Errors
    /// As [`Weights::f32`], without conversion.
    pub fn i8(&self, name: &str, shape: &[usize]) -> Result<Tensor<i8>, EncoderError> {
        let (entry, opened) = self.entry(name, shape)?;
        let fail = EncoderError::io(&opened.path);
        let wrong_type = || wrong_type(name, entry, opened, "I8");
        tensor::read_i8(&opened.source, entry).map_err(fail)?.ok_or_else(wrong_type)
    }

    fn entry(&self, name: &str, shape: &[usize]) -> Result<(&Entry, &Opened), EncoderError> {
        let found = self.entries.get(name).and_then(|entry| Some((entry, self.files.get(entry.file)?)));
        let (entry, opened) = found.ok_or_else(|| self.missing(name, shape))?;
        if entry.shape != shape {
            return Err(EncoderError::TensorShape {
                file: opened.path.clone(),
                tensor: name.to_owned(),
                found: entry.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        Ok((entry, opened))
    }

    fn missing(&self, name: &str, shape: &[usize]) -> EncoderError {
        EncoderError::TensorMissing {
            file: self.place.clone(),
            tensor: name.to_owned(),
            expected: shape.to_vec(),
            fix: "use the weights that were published with this config.json".to_owned(),
        }
    }
}

fn wrong_type(name: &str, entry: &Entry, opened: &Opened, expected: &'static str) -> EncoderError {
    let (file, tensor) = (opened.path.clone(), name.to_owned());
    EncoderError::TensorType { file, tensor, found: entry.dtype, expected }
}

/// True if a folder has a file of weights, or an index of them.
pub(crate) fn has_weights(folder: &Path) -> bool {
    WEIGHT_FILES.iter().any(|name| folder.join(name).is_file())
}

/// The file of weights of a folder.
fn find(folder: &Path) -> Result<PathBuf, EncoderError> {
    WEIGHT_FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file()).ok_or_else(|| {
        adapter_alone(folder).unwrap_or_else(|| EncoderError::FileMissing {
            folder: folder.to_owned(),
            expected: WEIGHT_FILES.join(" or "),
            fix: "give the folder of a PyTorch checkpoint as Hugging Face stores it".to_owned(),
        })
    })
}

/// Reads a file's headers, by its first bytes rather than its name.
fn read(file: &File, path: &Path, index: usize) -> Result<Contents, EncoderError> {
    let length = file.metadata().map_err(EncoderError::io(path))?.len();
    let mut head = [0; 16];
    let known = read_head(file, &mut head).map_err(EncoderError::io(path))?;
    match head.get(..known).unwrap_or_default() {
        [] => Err(EncoderError::format(path, "is empty", DOWNLOAD_AGAIN)),
        head if head.starts_with(b"version https://") => Err(EncoderError::pointer(path)),
        head if head.starts_with(b"PK\x03\x04") => torch_zip::read(file, path, length, index),
        head if head.starts_with(b"\x80\x02")
            || head.starts_with(b"\x80\x03")
            || head.starts_with(b"\x80\x04") =>
        {
            if path.extension().is_some_and(|extension| extension == "safetensors") {
                return safetensors::read(file, path, length, index);
            }
            Err(EncoderError::format(
                path,
                "has the form that PyTorch wrote before version 1.6",
                torch_zip::CONVERT,
            ))
        }
        _ => safetensors::read(file, path, length, index),
    }
}

/// Up to a buffer's length of a file's beginning.
fn read_head(mut file: &File, buffer: &mut [u8]) -> std::io::Result<usize> {
    use std::io::{Read, Seek};
    file.rewind()?;
    let mut known = 0;
    while let Some(rest) = buffer.get_mut(known..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            n => known += n,
        }
    }
    Ok(known)
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
