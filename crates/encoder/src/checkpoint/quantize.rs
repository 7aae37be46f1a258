//! Writing a checkpoint with its layers in eight bits: a quarter of the size, and nothing to do at load.
//!
//! The result is a folder like any other: `model.safetensors` holds, for each linear layer of the encoder and for the
//! table of words, signed bytes under the tensor's name and their scales, one a row, under that name and `_scale`; all
//! other tensors stay as they are. Only this crate reads such files: `config.json` says so under `quantization_config`,
//! with which transformers refuses them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::View;
use vulnlens_files::names::{ADAPTER_CONFIG, CONFIG, SAFETENSORS};
use vulnlens_files::{FileError, WholeFolder};

use crate::config::{Config, QUANTIZATION};
use crate::dtype::Dtype;
use crate::error::EncoderError;
use crate::forward::{TensorUse, check, expected_tensors, is_bare, quantize as quantize_rows, scale_name};
use crate::kernels::WEIGHT_LIMIT;
use crate::repository::layout::Layout;
use crate::weights::Weights;

/// The largest magnitude of a byte in the table of words, which no product reads.
const WORD_LIMIT: i8 = 127;
/// Bytes of the largest file beside the weights that is copied.
const LARGEST_COPY: u64 = 256 << 20;

/// The result of [`quantize`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantization {
    /// Checkpoints that were written: several of a hierarchy.
    pub checkpoints: usize,
    /// Bytes of the numbers before.
    pub bytes_before: u64,
    /// Bytes of the weights' files after.
    pub bytes_after: u64,
}

/// Writes the checkpoint, or every one of the hierarchy, in `from` to the new folder `to`.
///
/// All is written to a folder beside `to`, which takes its name when it is whole.
///
/// # Errors
/// As [`Encoder::open`](crate::Encoder::open) for the source; [`EncoderError::Layout`] when `to` exists already, or the
/// source is quantised already; [`EncoderError::Io`], [`EncoderError::File`].
pub fn quantize(from: &Path, to: &Path) -> Result<Quantization, EncoderError> {
    if to.exists() {
        return Err(EncoderError::Layout {
            folder: to.to_owned(),
            problem: "exists already".to_owned(),
            fix: "name a folder that does not exist yet".to_owned(),
        });
    }
    let layout = Layout::of(from)?;
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(FileError::write(parent))?;
    }
    let folder = WholeFolder::create(to)?;
    let done = write_all(&layout, folder.aside())?;
    folder.finish()?;
    Ok(done)
}

fn write_all(layout: &Layout, aside: &Path) -> Result<Quantization, EncoderError> {
    let mut done = Quantization { checkpoints: 0, bytes_before: 0, bytes_after: 0 };
    match layout {
        Layout::Single(folder) => write_one(folder, aside, &mut done)?,
        Layout::Hierarchy(levels) => {
            for node in levels.iter().flat_map(|level| &level.nodes) {
                let name = node.folder.file_name().unwrap_or_default();
                write_one(&node.folder, &aside.join(name), &mut done)?;
            }
            // What the whole has, such as thresholds, stands beside the folders.
            let whole = levels.iter().flat_map(|level| &level.nodes).find_map(|node| node.folder.parent());
            whole.map_or(Ok(()), |whole| copy_others(whole, aside))?;
        }
    }
    Ok(done)
}

fn write_one(from: &Path, to: &Path, done: &mut Quantization) -> Result<(), EncoderError> {
    fs::create_dir_all(to).map_err(FileError::write(to))?;
    let file = from.join(CONFIG);
    let json = fs::read(&file).map_err(EncoderError::io(&file))?;
    EncoderError::refuse_pointer(&json, &file)?;
    let config = Config::from_json(&json, &file)?;
    let weights = Weights::open(from)?;
    let bare = is_bare(&weights, &config);
    check(&weights, &config, bare)?;
    let tensors = tensors(&weights, &config, bare, done)?;
    let file = to.join(SAFETENSORS);
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    // Not `serialize_to_file`, whose files only their owner may read.
    let bytes = safetensors::serialize(&tensors, Some(metadata))
        .map_err(|error| EncoderError::format(&file, error.to_string(), "use the published checkpoint"))?;
    fs::write(&file, bytes).map_err(FileError::write(&file))?;
    done.bytes_after += fs::metadata(&file).map_err(EncoderError::io(&file))?.len();
    done.checkpoints += 1;
    write_config(&json, &to.join(CONFIG))?;
    copy_others(from, to)
}

/// The configuration, with a word to other readers.
fn write_config(json: &[u8], to: &Path) -> Result<(), EncoderError> {
    let broken =
        |error: serde_json::Error| EncoderError::format(to, error.to_string(), "use the published file");
    let mut config: BTreeMap<String, serde_json::Value> = serde_json::from_slice(json).map_err(broken)?;
    let about = serde_json::json!({"quant_method": QUANTIZATION, "bits": 8});
    config.insert("quantization_config".to_owned(), about);
    let text = serde_json::to_vec_pretty(&config).map_err(broken)?;
    Ok(fs::write(to, text).map_err(FileError::write(to))?)
}

/// Copies what is neither weights nor configuration: tokenizer, thresholds, card. An adapter is merged into the weights.
fn copy_others(from: &Path, to: &Path) -> Result<(), EncoderError> {
    let weights = [".safetensors", ".bin", ".index.json", ".h5", ".msgpack", ".onnx", ".pt", ".pth", ".ckpt"];
    for entry in fs::read_dir(from).map_err(EncoderError::io(from))? {
        let path = entry.map_err(EncoderError::io(from))?.path();
        let (Some(name), Ok(about)) = (path.file_name().and_then(|name| name.to_str()), fs::metadata(&path))
        else {
            continue;
        };
        let is_weights = weights.iter().any(|end| name.ends_with(end));
        if about.is_file()
            && !is_weights
            && ![CONFIG, ADAPTER_CONFIG].contains(&name)
            && about.len() <= LARGEST_COPY
        {
            fs::copy(&path, to.join(name)).map_err(EncoderError::io(&path))?;
        }
    }
    Ok(())
}

/// The tensors of the new file.
fn tensors(
    weights: &Weights,
    config: &Config,
    bare: bool,
    done: &mut Quantization,
) -> Result<BTreeMap<String, Stored>, EncoderError> {
    let mut out = BTreeMap::new();
    for tensor in expected_tensors(config, bare) {
        let (name, shape) = (tensor.name, tensor.shape);
        if weights.dtype(&name) == Some(Dtype::I8) {
            return Err(EncoderError::Layout {
                folder: weights.file().to_owned(),
                problem: "is quantised already".to_owned(),
                fix: "use it as it is".to_owned(),
            });
        }
        let numbers = weights.f32(&name, &shape)?;
        done.bytes_before += 4 * numbers.len() as u64;
        let limit = match tensor.usage {
            TensorUse::Words => Some(WORD_LIMIT),
            TensorUse::Layer if shape.len() == 2 => Some(WEIGHT_LIMIT),
            TensorUse::Layer | TensorUse::Other => None,
        };
        match (limit, shape.as_slice()) {
            (Some(limit), &[rows, inner]) => {
                let quantized = quantize_rows(&numbers, inner, limit);
                out.insert(scale_name(&name), Stored::f32(vec![rows], &quantized.scales));
                let bytes = quantized.values.iter().map(|value| value.to_le_bytes()[0]).collect();
                out.insert(name, Stored { dtype: safetensors::Dtype::I8, shape, bytes });
            }
            _ => {
                out.insert(name, Stored::f32(shape, &numbers));
            }
        }
    }
    Ok(out)
}

/// A tensor as it will stand in the file.
struct Stored {
    dtype: safetensors::Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Stored {
    fn f32(shape: Vec<usize>, numbers: &[f32]) -> Self {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        Self { dtype: safetensors::Dtype::F32, shape, bytes }
    }
}

impl View for &Stored {
    fn dtype(&self) -> safetensors::Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
