//! A checkpoint in one file: its tensors, and the small files of its folder beside them.
//!
//! The file is sealed: its checksum covers all its bytes. The folder's files are tensors of bytes called `file:<name>`,
//! and its description (`vulnlens.json`, which means nothing to this crate) is that of the seal. Nothing in it is
//! executed, and every range is checked against the file's length before it is read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::SafeTensors;
use safetensors::tensor::{Metadata, TensorView};
use serde_json::value::RawValue;
use vulnlens_files::names::{
    ADAPTER_CONFIG, CARD, CONFIG, DESCRIPTION, SAFETENSORS, SPECIAL_TOKENS, TOKENIZER, TOKENIZER_CONFIG,
};
use vulnlens_files::read_at_most;
use vulnlens_files::sealed::{self, SealedError};

use crate::dtype::Dtype;
use crate::error::{DOWNLOAD_AGAIN, EncoderError};
use crate::weights::Weights;

/// The beginning of the names of tensors that are files.
const FILE: &str = "file:";
/// The key of the metadata that marked packed models before they were sealed.
const UNSEALED: &str = "vulnlens_package";
/// The files that are packed, if they are there. The weights are packed as tensors.
const PACKED: [&str; 5] = [CONFIG, TOKENIZER, TOKENIZER_CONFIG, SPECIAL_TOKENS, CARD];
/// Longest package that is read: it is held in memory.
const MOST_BYTES: u64 = 4 << 30;
/// Longest header that is read to recognise a packed model of an older version.
const MOST_HEADER: u64 = 16 << 20;
/// Longest file that is packed.
const MOST_FILE: u64 = 64 << 20;

/// A checkpoint in one file.
#[derive(Debug, Clone)]
pub struct Package {
    /// The name that errors use.
    place: PathBuf,
    bytes: Arc<Cow<'static, [u8]>>,
    model: Box<RawValue>,
    revision: String,
    /// Ranges of the folder's files.
    files: BTreeMap<String, std::ops::Range<usize>>,
}

impl Package {
    /// True if the header of a file is that of a packed model of an older version, which [`read`](Self::read) refuses.
    #[must_use]
    pub fn is_of_older_version(path: &Path) -> bool {
        let header = || {
            let mut file = File::open(path).ok()?;
            let mut length = [0; 8];
            file.read_exact(&mut length).ok()?;
            let mut header = Vec::new();
            file.take(u64::from_le_bytes(length).min(MOST_HEADER)).read_to_end(&mut header).ok()?;
            serde_json::from_slice(&header).ok()
        };
        header().is_some_and(|header| is_unsealed(&header))
    }

    /// Reads a package's file and verifies its checksum.
    ///
    /// # Errors
    /// [`EncoderError::Io`]; [`EncoderError::Format`] if it is damaged, or is not a package.
    pub fn read(path: &Path) -> Result<Self, EncoderError> {
        let bytes = read_at_most(path, MOST_BYTES).map_err(|error| EncoderError::io(path)(error.source))?;
        Self::from_bytes(Cow::Owned(bytes), path)
    }

    /// A package in memory, called `place` in errors. The checksum is verified unless the bytes are part of the program.
    ///
    /// # Errors
    /// As [`Package::read`].
    pub fn from_bytes(bytes: Cow<'static, [u8]>, place: &Path) -> Result<Self, EncoderError> {
        let bytes = Arc::new(bytes);
        let sealed = sealed::open(&bytes).and_then(|sealed| match &*bytes {
            Cow::Borrowed(_) => Ok(sealed),
            Cow::Owned(_) => sealed.verify().map(|()| sealed),
        });
        let sealed = sealed.map_err(|error| refusal(&bytes, &error, place))?;
        let (model, revision) = (sealed.model().to_owned(), sealed.revision().to_owned());
        let weights = Weights::of_bytes(Arc::clone(&bytes), place)?;
        let files = weights.names().filter_map(|name| {
            let range = weights.range(name).filter(|_| weights.dtype(name) == Some(Dtype::U8))?;
            Some((name.strip_prefix(FILE)?.to_owned(), range))
        });
        let files: BTreeMap<_, _> = files.collect();
        if !files.contains_key(CONFIG) {
            let fix = "give a file that `model pack` made";
            return Err(EncoderError::format(place, "is not a packed model", fix));
        }
        Ok(Self { place: place.to_owned(), model, revision, files, bytes })
    }

    /// The description: JSON whose meaning is that of the program that packed it.
    #[must_use]
    pub fn model(&self) -> &RawValue {
        &self.model
    }

    /// The first digits of the checksum over all bytes.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The name that errors use.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Its size.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True without a byte, which never happens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// One of the folder's files.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).and_then(|range| self.bytes.get(range.clone()))
    }

    /// The tensors of the network.
    pub(crate) fn weights(&self) -> Result<Weights, EncoderError> {
        Ok(Weights::of_bytes(Arc::clone(&self.bytes), &self.place)?.without(|name| name.starts_with(FILE)))
    }
}

/// A checkpoint's folder as the bytes of a package: what `quantize` wrote stays in eight bits.
///
/// # Errors
/// The folder lacks its configuration, its weights or its description, or they cannot be read.
pub fn pack(folder: &Path) -> Result<Vec<u8>, EncoderError> {
    let adapter = folder.join(ADAPTER_CONFIG);
    if adapter.is_file() {
        let fix = "run `model quantize`, which merges it, and pack the result";
        return Err(EncoderError::format(&adapter, "is that of an adapter, which is not packed", fix));
    }
    let file = folder.join(SAFETENSORS);
    let weights = fs::read(&file).map_err(EncoderError::io(&file))?;
    let damaged =
        |error: safetensors::SafeTensorError| EncoderError::format(&file, error.to_string(), DOWNLOAD_AGAIN);
    let tensors = SafeTensors::deserialize(&weights).map_err(damaged)?;
    let model = description(folder)?;
    let small = small_files(folder)?;
    let mut all: BTreeMap<String, TensorView<'_>> = tensors.tensors().into_iter().collect();
    for (name, bytes) in &small {
        let view = TensorView::new(safetensors::Dtype::U8, vec![bytes.len()], bytes).map_err(damaged)?;
        all.insert(format!("{FILE}{name}"), view);
    }
    sealed::write(&model, all).map_err(EncoderError::io(folder))
}

/// True for the header of a packed model of before packed models were sealed.
fn is_unsealed(header: &Metadata) -> bool {
    header.metadata().as_ref().is_some_and(|entries| entries.contains_key(UNSEALED))
}

/// The error for bytes that are not sealed, or not as they were written.
fn refusal(bytes: &[u8], error: &SealedError, place: &Path) -> EncoderError {
    if SafeTensors::read_metadata(bytes).is_ok_and(|(_, header)| is_unsealed(&header)) {
        let problem = "was packed by an older version, without a checksum";
        return EncoderError::format(place, problem, "run `model pack` again");
    }
    let fix = match error {
        SealedError::NotSealed(_) => "give a file that `model pack` made",
        _ => "get the file again, or pack the folder again",
    };
    EncoderError::format(place, format!("is not a packed model: {error}"), fix)
}

/// The description of a folder that vulnlens trained.
fn description(folder: &Path) -> Result<Box<RawValue>, EncoderError> {
    let path = folder.join(DESCRIPTION);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let problem = "is not there: only models that vulnlens trained are packed".to_owned();
            return Err(EncoderError::format(&path, problem, "give the folder instead"));
        }
        read => read.map_err(EncoderError::io(&path))?,
    };
    let value: Result<serde_json::Value, _> = serde_json::from_slice(&bytes);
    let raw = value.and_then(|value| serde_json::value::to_raw_value(&value));
    raw.map_err(|error| EncoderError::format(&path, error.to_string(), "train the model again"))
}

/// The small files of a folder that go into a package.
fn small_files(folder: &Path) -> Result<Vec<(&'static str, Vec<u8>)>, EncoderError> {
    let mut small = vec![];
    for name in PACKED {
        let path = folder.join(name);
        match fs::metadata(&path) {
            Ok(about) if about.len() > MOST_FILE => {
                let problem = format!("is longer than {MOST_FILE} bytes");
                return Err(EncoderError::format(&path, problem, "pack a model of one language"));
            }
            Ok(_) => small.push((name, fs::read(&path).map_err(EncoderError::io(&path))?)),
            Err(error) if name == CONFIG || name == TOKENIZER => {
                return Err(EncoderError::io(&path)(error));
            }
            Err(_) => {}
        }
    }
    Ok(small)
}
