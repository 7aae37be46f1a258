//! The model file: safetensors, with everything that is not numbers as JSON in its metadata.
//!
//! The metadata has one entry, `vulnlens`: `{"sha256": …, "model": {…}}`. The checksum covers the
//! text of `model` and the tensors' bytes, in their order; the table of tensors is held to the shapes
//! that the description asks for. A file
//! from a stranger can be wrong, but it cannot do harm: sizes are bounded by the file's own length,
//! and every shape, index and number is checked before it is used.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use vulnlens_files::{Classified, ErrorKind};

use super::network::{Codes, NgramModel, PackedRows};
use super::vocabulary::Vocabulary;
use crate::header::{FEATURES, FORMAT_VERSION, ModelHeader};
use crate::network::{CweSets, Outputs};

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// Not safetensors, or cut short.
    #[error("not a whole safetensors file: {0}")]
    NotSafetensors(String),
    /// A safetensors file of something else.
    #[error("not a vulnlens model: {0}")]
    NotAModel(String),
    /// Written by a newer version.
    #[error(
        "the file has layout version {found}, this version reads up to {FORMAT_VERSION}; upgrade vulnlens"
    )]
    FutureVersion {
        /// Version of the file.
        found: u32,
    },
    /// The bytes are not those that were written.
    #[error(
        "the checksum does not fit: the file says {expected}, its content gives {found}; get the file again"
    )]
    Checksum {
        /// What the file states.
        expected: String,
        /// What its content gives.
        found: String,
    },
    /// A tensor is missing, or not as it must be.
    #[error("tensor {tensor:?}: {problem}")]
    Tensor {
        /// The tensor's name.
        tensor: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The description contradicts itself.
    #[error("field {field:?} of the description: {problem}")]
    Header {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl Classified for ModelFileError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }
}

/// The numbers of a model as a file holds them.
#[derive(Debug, Clone)]
pub struct Tensors {
    /// Rising keys of the features.
    pub keys: Vec<u32>,
    /// Codes of the features' weights.
    pub weights: Vec<u8>,
    /// Embedding, `features × dimensions / 2`, two numbers a byte.
    pub embedding: Vec<u8>,
    /// Scale of each row of the embedding, as the upper half of an f32.
    pub embedding_scales: Vec<u16>,
    /// Hidden bias.
    pub hidden_bias: Vec<f32>,
    /// `years × dimensions`.
    pub year_hidden: Vec<f32>,
    /// Output weights, `sets × dimensions`.
    pub output: Vec<i8>,
    /// Scale of each row of the output weights.
    pub output_scales: Vec<f32>,
    /// Output bias.
    pub output_bias: Vec<f32>,
    /// `years × sets`, as the upper halves of f32.
    pub year_output: Vec<u16>,
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    sha256: String,
    #[serde(borrow)]
    model: &'a RawValue,
}

/// The name of the one metadata entry.
const ENTRY: &str = "vulnlens";

/// Widest hidden layer: a bound that keeps a hostile description from asking for absurd memory.
const MAX_DIMENSIONS: usize = 4096;
/// Most CWE sets that a model may tell apart, for the same reason; the corpus has some 2,000.
pub const MAX_SETS: usize = 1 << 13;
const MAX_SET_SIZE: usize = 64;

/// Writes a model as a file's bytes: the same model gives the same bytes.
///
/// # Errors
/// When the tensors do not fit the header; a fit never makes such.
pub fn write(header: &ModelHeader, tensors: &Tensors) -> Result<Vec<u8>, ModelFileError> {
    check_header(header)?;
    let (v, d, s) = (tensors.keys.len(), header.dimensions, header.sets.len());
    let y = years(header)?;
    let parts: Vec<(&'static str, Dtype, Vec<usize>, Vec<u8>)> = vec![
        ("vocabulary.keys", Dtype::U32, vec![v], bytes(&tensors.keys, u32::to_le_bytes)),
        ("vocabulary.weights", Dtype::U8, vec![v], tensors.weights.clone()),
        ("embedding.codes", Dtype::U8, vec![v, d / 2], tensors.embedding.clone()),
        ("embedding.scales", Dtype::BF16, vec![v], bytes(&tensors.embedding_scales, u16::to_le_bytes)),
        ("hidden.bias", Dtype::F32, vec![d], bytes(&tensors.hidden_bias, f32::to_le_bytes)),
        ("year.hidden", Dtype::F32, vec![y, d], bytes(&tensors.year_hidden, f32::to_le_bytes)),
        ("output.codes", Dtype::I8, vec![s, d], bytes(&tensors.output, i8::to_le_bytes)),
        ("output.scales", Dtype::F32, vec![s], bytes(&tensors.output_scales, f32::to_le_bytes)),
        ("output.bias", Dtype::F32, vec![s], bytes(&tensors.output_bias, f32::to_le_bytes)),
        ("year.output", Dtype::BF16, vec![y, s], bytes(&tensors.year_output, u16::to_le_bytes)),
    ];
    let view = |(name, dtype, shape, data)| match TensorView::new(dtype, shape, data) {
        Ok(view) => Ok((String::from(name), view)),
        Err(e) => Err(ModelFileError::Tensor { tensor: name, problem: e.to_string() }),
    };
    let parts =
        parts.iter().map(|(name, dtype, shape, data)| (*name, *dtype, shape.clone(), data.as_slice()));
    let views = parts.map(view).collect::<Result<Vec<_>, _>>()?;
    serialise(header, views)
}

/// The same model with another header: for new thresholds, or a new name.
///
/// # Errors
/// When `bytes` are not a model's, or the header does not fit its tensors.
pub fn with_header(bytes: &[u8], header: &ModelHeader) -> Result<Vec<u8>, ModelFileError> {
    verify(bytes)?;
    let tensors =
        SafeTensors::deserialize(bytes).map_err(|e| ModelFileError::NotSafetensors(e.to_string()))?;
    let changed = serialise(header, tensors.tensors())?;
    read(&changed)?;
    Ok(changed)
}

fn serialise(header: &ModelHeader, views: Vec<(String, TensorView<'_>)>) -> Result<Vec<u8>, ModelFileError> {
    let model = serde_json::value::to_raw_value(header).map_err(not_a_model)?;
    let whole = |sha256: String| {
        let envelope = serde_json::to_string(&Envelope { sha256, model: &model }).map_err(not_a_model)?;
        let metadata = HashMap::from([(ENTRY.to_owned(), envelope)]);
        let views = views.iter().map(|(name, view)| (name.as_str(), view));
        safetensors::serialize(views, Some(metadata))
            .map_err(|e| ModelFileError::NotSafetensors(e.to_string()))
    };
    // The library orders the tensors' bytes; the checksum is taken over them as they end up, behind
    // a header whose length does not depend on the digits of the checksum.
    let draft = whole("0".repeat(64))?;
    whole(checksum(model.get(), data_part(&draft)?))
}

impl NgramModel {
    /// Reads a model file that is compiled into the binary. Its checksum is not verified (see [`verify`]): the binary
    /// would have to be damaged itself.
    ///
    /// # Errors
    /// The file is not a readable model of this version.
    pub fn embedded(bytes: &'static [u8]) -> Result<Self, ModelFileError> {
        read_embedded(bytes)
    }

    /// Reads a model file, verifying its checksum and every shape, index and number in it.
    ///
    /// # Errors
    /// The file is not a readable, whole model of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelFileError> {
        read(bytes)
    }
}

/// Reads a model file and verifies its checksum.
fn read(bytes: &[u8]) -> Result<NgramModel, ModelFileError> {
    verify(bytes)?;
    let codes = |codes: &[u8]| Codes::Owned(codes.to_vec());
    assemble(bytes, codes)
}

/// Reads a model file that lives as long as the program.
fn read_embedded(bytes: &'static [u8]) -> Result<NgramModel, ModelFileError> {
    let start = bytes.as_ptr() as usize;
    let codes = |codes: &[u8]| {
        let offset = codes.as_ptr() as usize - start;
        Codes::Embedded(&bytes[offset..offset + codes.len()])
    };
    assemble(bytes, codes)
}

/// Verifies the checksum of a model file.
///
/// # Errors
/// When the file is not a model, of a future version, or changed since it was written.
pub fn verify(bytes: &[u8]) -> Result<(), ModelFileError> {
    let entry = metadata_entry(bytes)?;
    let envelope: Envelope<'_> = serde_json::from_str(&entry).map_err(not_a_model)?;
    check_version(envelope.model)?;
    let found = checksum(envelope.model.get(), data_part(bytes)?);
    if found == envelope.sha256 {
        Ok(())
    } else {
        Err(ModelFileError::Checksum { expected: envelope.sha256, found })
    }
}

fn metadata_entry(bytes: &[u8]) -> Result<String, ModelFileError> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| ModelFileError::NotSafetensors(e.to_string()))?;
    let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY)).cloned();
    entry.ok_or_else(|| ModelFileError::NotAModel(format!("its metadata has no entry {ENTRY:?}")))
}

/// The version is read by itself first: a future file may have any other shape.
fn check_version(model: &RawValue) -> Result<(), ModelFileError> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let Version { format_version: found } = serde_json::from_str(model.get()).map_err(not_a_model)?;
    if found > FORMAT_VERSION { Err(ModelFileError::FutureVersion { found }) } else { Ok(()) }
}

fn not_a_model(error: serde_json::Error) -> ModelFileError {
    ModelFileError::NotAModel(error.to_string())
}

/// The bytes behind the safetensors header.
fn data_part(bytes: &[u8]) -> Result<&[u8], ModelFileError> {
    let cut = || ModelFileError::NotSafetensors("shorter than its header".to_owned());
    let length = bytes.first_chunk::<8>().map(|n| u64::from_le_bytes(*n)).ok_or_else(cut)?;
    let start = usize::try_from(length).ok().and_then(|n| n.checked_add(8)).ok_or_else(cut)?;
    bytes.get(start..).ok_or_else(cut)
}

fn checksum(model: &str, data: &[u8]) -> String {
    let digest = Sha256::new().chain_update(model).chain_update(data).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<T: Copy, const N: usize>(values: &[T], encode: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| encode(value)).collect()
}

fn years(header: &ModelHeader) -> Result<usize, ModelFileError> {
    let span = header.newest_year.checked_sub(header.oldest_year).filter(|&span| span < 200);
    span.map(|span| usize::from(span) + 1).ok_or_else(|| ModelFileError::Header {
        field: "newest_year",
        problem: "must be at most 199 years after oldest_year".to_owned(),
    })
}

fn check_header(header: &ModelHeader) -> Result<(), ModelFileError> {
    let d = header.dimensions;
    let sets = &header.sets;
    let rules = header.decisions.values().all(|rule| !rule.label.is_nan() && !rule.whole_list.is_nan());
    let sorted = sets.is_sorted_by(|a, b| a < b) && sets.iter().all(|set| set.is_sorted_by(|a, b| a < b));
    let plain = words(header).into_iter().all(|word| !word.chars().any(char::is_control));
    let checks = [
        ("kind", header.kind == "ngram", "must be \"ngram\""),
        ("features", header.features == FEATURES, "is not a scheme that this version has"),
        ("dimensions", d > 0 && d.is_multiple_of(2) && d <= MAX_DIMENSIONS, "must be even, 2 to 4096"),
        ("sets", !sets.is_empty() && sets.len() <= MAX_SETS, "must be 1 to 8192"),
        ("sets", sets.iter().all(|set| (1..=MAX_SET_SIZE).contains(&set.len())), "have 1 to 64 ids each"),
        (
            "temperature",
            header.temperature.is_finite() && header.temperature >= 1e-3,
            "must be at least 0.001",
        ),
        ("decisions", rules, "must be numbers"),
        ("sets", sorted, "must be in order, each once, with their ids in order, each once"),
        ("name", plain, "must be, like the provenance, free of control characters"),
    ];
    match checks.into_iter().find(|(_, fine, _)| !fine) {
        Some((field, _, problem)) => Err(ModelFileError::Header { field, problem: problem.to_owned() }),
        None => Ok(()),
    }
}

/// Every string of a header that people are shown: a stranger's must not command their terminals.
fn words(header: &ModelHeader) -> Vec<&str> {
    let about = &header.provenance;
    let taxonomies = &header.taxonomies;
    let mut words = vec![
        header.name.as_str(),
        &taxonomies.cwe,
        &taxonomies.capec,
        &taxonomies.attack,
        &about.data,
        &about.data_sha256,
        &about.split,
        &about.decisions_from,
        &about.tool_version,
    ];
    words.extend(about.settings.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
    words
}

/// The tensors of a file, taken out by name with the shape that they must have.
struct Shelf<'a>(SafeTensors<'a>);

impl<'a> Shelf<'a> {
    fn take(&self, tensor: &'static str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8], ModelFileError> {
        let wrong = |problem: String| ModelFileError::Tensor { tensor, problem };
        let view = self.0.tensor(tensor).map_err(|e| wrong(e.to_string()))?;
        if view.dtype() != dtype || view.shape() != shape {
            let found = format!("{:?} {:?}", view.dtype(), view.shape());
            return Err(wrong(format!("expected {dtype:?} {shape:?}, found {found}")));
        }
        Ok(view.data())
    }

    fn floats(&self, tensor: &'static str, shape: &[usize]) -> Result<Vec<f32>, ModelFileError> {
        let data = self.take(tensor, Dtype::F32, shape)?;
        finite(tensor, data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }

    fn halves(&self, tensor: &'static str, shape: &[usize]) -> Result<Vec<f32>, ModelFileError> {
        let data = self.take(tensor, Dtype::BF16, shape)?;
        let widen = |b: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*b)) << 16);
        finite(tensor, data.as_chunks().0.iter().map(widen).collect())
    }
}

/// Numbers far beyond any that a fit makes would overflow later.
fn finite(tensor: &'static str, values: Vec<f32>) -> Result<Vec<f32>, ModelFileError> {
    match values.iter().position(|value| value.is_nan() || value.abs() > 1e6) {
        None => Ok(values),
        Some(at) => {
            let problem = format!("value {at} is {}, outside of ±1e6", values[at]);
            Err(ModelFileError::Tensor { tensor, problem })
        }
    }
}

fn assemble(bytes: &[u8], codes: impl Fn(&[u8]) -> Codes) -> Result<NgramModel, ModelFileError> {
    let entry = metadata_entry(bytes)?;
    let envelope: Envelope<'_> = serde_json::from_str(&entry).map_err(not_a_model)?;
    check_version(envelope.model)?;
    let header: ModelHeader = serde_json::from_str(envelope.model.get()).map_err(not_a_model)?;
    check_header(&header)?;
    let shelf =
        Shelf(SafeTensors::deserialize(bytes).map_err(|e| ModelFileError::NotSafetensors(e.to_string()))?);
    let (d, s, y) = (header.dimensions, header.sets.len(), years(&header)?);
    let keys = shelf.0.tensor("vocabulary.keys").map_or(0, |view| view.data().len() / 4);
    let (v, keys) = (keys, shelf.take("vocabulary.keys", Dtype::U32, &[keys])?);
    let keys = keys.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
    let weights = shelf.take("vocabulary.weights", Dtype::U8, &[v])?.to_vec();
    let vocabulary = Vocabulary::new(keys, weights)
        .map_err(|e| ModelFileError::Tensor { tensor: "vocabulary.keys", problem: e.to_string() })?;
    let embedding = PackedRows {
        codes: codes(shelf.take("embedding.codes", Dtype::U8, &[v, d / 2])?),
        scales: shelf.halves("embedding.scales", &[v])?,
        width: d,
    };
    let output_scales = shelf.floats("output.scales", &[s])?;
    let mut output: Vec<f32> = Vec::with_capacity(s * d);
    for (row, scale) in shelf.take("output.codes", Dtype::I8, &[s, d])?.chunks_exact(d).zip(&output_scales) {
        output.extend(row.iter().map(|&code| f32::from(code.cast_signed()) * scale));
    }
    Ok(NgramModel {
        revision: envelope.sha256.chars().take(12).collect(),
        vocabulary,
        embedding,
        hidden_bias: shelf.floats("hidden.bias", &[d])?,
        year_hidden: shelf.floats("year.hidden", &[y, d])?,
        output,
        output_bias: shelf.floats("output.bias", &[s])?,
        year_output: shelf.halves("year.output", &[y, s])?,
        outputs: Outputs::CweSets(CweSets {
            sets: header.sets.clone(),
            temperature: header.temperature,
            rules: header.decisions.clone(),
        }),
        header,
    })
}
