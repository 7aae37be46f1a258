//! A checkpoint in one file: its tensors, and the small files of its folder beside them.
//!
//! The file is safetensors. The folder's files are tensors of bytes called `file:<name>`, and the metadata say
//! `vulnlens_package`. Nothing in it is executed, and every range is checked against the file's length before it is read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::tensor::TensorView;

use crate::dtype::Dtype;
use crate::error::{DOWNLOAD_AGAIN, EncoderError};
use crate::names::{CONFIG, SAFETENSORS, TOKENIZER};
use crate::weights::Weights;

/// The key of the metadata that marks a package, and the version of the form.
const KEY: &str = "vulnlens_package";
const VERSION: &str = "1";
/// What the names of tensors that are files begin with.
const FILE: &str = "file:";
/// The files that are packed, if they are there. The weights are packed as tensors.
const PACKED: [&str; 8] = [
    CONFIG,
    TOKENIZER,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "taxonomy.json",
    "thresholds.json",
    "combination.json",
    "README.md",
];
/// Longest package that is read: it is held in memory.
const MOST_BYTES: u64 = 4 << 30;
/// Longest file that is packed.
const MOST_FILE: u64 = 64 << 20;
/// Bytes of a file that are looked at to know what it is.
const HEAD: u64 = 1 << 20;

/// A checkpoint in one file.
#[derive(Debug, Clone)]
pub struct Package {
    /// What errors call it.
    place: PathBuf,
    bytes: Arc<Cow<'static, [u8]>>,
    /// Ranges of the folder's files.
    files: BTreeMap<String, std::ops::Range<usize>>,
}

impl Package {
    /// Whether a file looks like a package. One that cannot be read does not.
    #[must_use]
    pub fn is_package(path: &Path) -> bool {
        let head = || {
            let mut bytes = vec![];
            fs::File::open(path).ok()?.take(HEAD).read_to_end(&mut bytes).ok()?;
            Some(bytes)
        };
        // Writers put the metadata first; should another one not, the file is not known as a package.
        head().is_some_and(|head| head.windows(KEY.len()).any(|window| window == KEY.as_bytes()))
    }

    /// Reads a package's file.
    ///
    /// # Errors
    /// [`EncoderError::Io`]; [`EncoderError::Format`] if it is damaged or none.
    pub fn read(path: &Path) -> Result<Self, EncoderError> {
        let mut bytes = Vec::new();
        let file = fs::File::open(path).map_err(EncoderError::io(path))?;
        file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(EncoderError::io(path))?;
        Self::from_bytes(Cow::Owned(bytes), path)
    }

    /// A package in memory, called `place` in errors.
    ///
    /// # Errors
    /// As [`Package::read`].
    pub fn from_bytes(bytes: Cow<'static, [u8]>, place: &Path) -> Result<Self, EncoderError> {
        let bytes = Arc::new(bytes);
        let weights = Weights::of_bytes(Arc::clone(&bytes), place)?;
        match weights.metadata().get(KEY).map(String::as_str) {
            Some(VERSION) => {}
            None => {
                let fix = "give a file that `model pack` made";
                return Err(EncoderError::format(place, "is not a packed model".to_owned(), fix));
            }
            Some(other) => {
                let problem = format!("is a package of version {other:?}; this version reads {VERSION:?}");
                return Err(EncoderError::format(
                    place,
                    problem,
                    "use the version that packed it, or pack it again",
                ));
            }
        }
        let files = weights.names().filter_map(|name| {
            let range = weights.range(name).filter(|_| weights.dtype(name) == Some(Dtype::U8))?;
            Some((name.strip_prefix(FILE)?.to_owned(), range))
        });
        Ok(Self { place: place.to_owned(), files: files.collect(), bytes })
    }

    /// What errors call it.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Its size.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no byte; none has.
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
/// The folder lacks its configuration or its weights, or they cannot be read.
pub fn pack(folder: &Path) -> Result<Vec<u8>, EncoderError> {
    let file = folder.join(SAFETENSORS);
    let weights = fs::read(&file).map_err(EncoderError::io(&file))?;
    let damaged =
        |error: safetensors::SafeTensorError| EncoderError::format(&file, error.to_string(), DOWNLOAD_AGAIN);
    let tensors = safetensors::SafeTensors::deserialize(&weights).map_err(damaged)?;
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
    let mut all: BTreeMap<String, TensorView<'_>> = tensors.tensors().into_iter().collect();
    for (name, bytes) in &small {
        let view = TensorView::new(safetensors::Dtype::U8, vec![bytes.len()], bytes).map_err(damaged)?;
        all.insert(format!("{FILE}{name}"), view);
    }
    let metadata = [(KEY.to_owned(), VERSION.to_owned())].into();
    safetensors::serialize(&all, Some(metadata)).map_err(damaged)
}
