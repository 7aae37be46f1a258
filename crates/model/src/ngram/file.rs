//! The file of an n-gram model: a sealed file, its description being the [`Header`].
//!
//! A file from a stranger can be wrong, but it cannot do harm: sizes are bounded by the file's own length, and every
//! shape, index and number is checked before it is used.

use std::borrow::Cow;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use vulnlens_files::sealed::{self, Sealed, SealedError};
use vulnlens_files::{Classified, ErrorKind};
use vulnlens_taxonomy::BaseVector;

use super::network::NgramModel;
use super::rows::{Codes, PackedRows};
use super::vocabulary::Vocabulary;
use crate::curated::{CuratedHead, CuratedTensors, rules};
use crate::header::{Head, Header, HeaderError, NetworkKind};
use crate::outputs::{CweSets, Outputs};
use crate::severity::{SEVERITY_WIDTH, SeverityHead, SeverityTensors};

/// The reason why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// The file is not sealed, or was damaged.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// Its description.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A tensor is missing, or not as it must be.
    #[error("tensor {tensor:?}: {problem}")]
    Tensor {
        /// The tensor's name.
        tensor: &'static str,
        /// The problem with it.
        problem: String,
    },
    /// A model of another kind.
    #[error("not an n-gram model: {0}")]
    OtherKind(&'static str),
}

impl Classified for ModelFileError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Sealed(SealedError::NotSealed(_)) => {
                Some("of a checkpoint, give the folder, with its config.json and tokenizer".into())
            }
            _ => None,
        }
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

/// Writes a model as a file's bytes: the same model gives the same bytes.
///
/// # Errors
/// The tensors do not fit the header; a fit never makes such.
pub fn write(header: &Header, tensors: &Tensors) -> Result<Vec<u8>, ModelFileError> {
    let (d, s, y) = Shape::of(header)?.sizes();
    let v = tensors.keys.len();
    let parts = [
        ("vocabulary.keys", Dtype::U32, vec![v], bytes_of(&tensors.keys, u32::to_le_bytes)),
        ("vocabulary.weights", Dtype::U8, vec![v], tensors.weights.clone()),
        ("embedding.codes", Dtype::U8, vec![v, d / 2], tensors.embedding.clone()),
        ("embedding.scales", Dtype::BF16, vec![v], bytes_of(&tensors.embedding_scales, u16::to_le_bytes)),
        ("hidden.bias", Dtype::F32, vec![d], bytes_of(&tensors.hidden_bias, f32::to_le_bytes)),
        ("year.hidden", Dtype::F32, vec![y, d], bytes_of(&tensors.year_hidden, f32::to_le_bytes)),
        ("output.codes", Dtype::I8, vec![s, d], bytes_of(&tensors.output, i8::to_le_bytes)),
        ("output.scales", Dtype::F32, vec![s], bytes_of(&tensors.output_scales, f32::to_le_bytes)),
        ("output.bias", Dtype::F32, vec![s], bytes_of(&tensors.output_bias, f32::to_le_bytes)),
        ("year.output", Dtype::BF16, vec![y, s], bytes_of(&tensors.year_output, u16::to_le_bytes)),
    ];
    seal(header, views(&parts)?)
}

/// The same model with another header: for new thresholds, or a new name.
///
/// # Errors
/// `bytes` are not a model's, or the header does not fit its tensors.
pub fn with_header(bytes: &[u8], header: &Header) -> Result<Vec<u8>, ModelFileError> {
    let sealed = sealed::verify(bytes)?;
    let changed = seal(header, sealed.tensors().tensors())?;
    NgramModel::from_bytes(&changed)?;
    Ok(changed)
}

/// The model with a head of curated techniques, in place of the one that it has, if any.
///
/// # Errors
/// `bytes` are not a model's, or the head does not fit it.
pub fn with_curated(bytes: &[u8], head: Head, tensors: &CuratedTensors) -> Result<Vec<u8>, ModelFileError> {
    let sealed = sealed::verify(bytes)?;
    let mut header = Header::read(sealed.model().get().as_bytes())?;
    header.heads.retain(|head| head.curated().is_none());
    let outputs = head.curated().ok_or(ModelFileError::OtherKind("the head scores no techniques"))?;
    let (w, p, rows) = (outputs.width(), outputs.projects.len(), tensors.rows.len());
    let features = outputs.dense(rules().len());
    header.heads.push(head);
    let dense: Vec<u16> = tensors.dense.iter().map(|value| upper_half(*value)).collect();
    let parts = [
        ("curated.rows", Dtype::U32, vec![rows], bytes_of(&tensors.rows, u32::to_le_bytes)),
        ("curated.text", Dtype::I8, vec![rows, w], bytes_of(&tensors.text, i8::to_le_bytes)),
        ("curated.scales", Dtype::F32, vec![rows], bytes_of(&tensors.text_scales, f32::to_le_bytes)),
        ("curated.dense", Dtype::BF16, vec![1 + p, features, w], bytes_of(&dense, u16::to_le_bytes)),
        ("curated.bias", Dtype::F32, vec![p, w], bytes_of(&tensors.bias, f32::to_le_bytes)),
    ];
    let mut all: Vec<(String, TensorView<'_>)> = sealed.tensors().tensors();
    all.retain(|(name, _)| !name.starts_with("curated."));
    all.extend(views(&parts)?);
    let changed = seal(&header, all)?;
    NgramModel::from_bytes(&changed)?;
    Ok(changed)
}

/// The model with a head of severities, in place of the one that it has, if any.
///
/// # Errors
/// `bytes` are not a model's, or the head does not fit it.
pub fn with_severity(bytes: &[u8], head: Head, tensors: &SeverityTensors) -> Result<Vec<u8>, ModelFileError> {
    let sealed = sealed::verify(bytes)?;
    let mut header = Header::read(sealed.model().get().as_bytes())?;
    header.heads.retain(|head| head.severity().is_none());
    let outputs = head.severity().ok_or(ModelFileError::OtherKind("the head scores no severities"))?;
    let (w, rows, features) = (SEVERITY_WIDTH, tensors.rows.len(), outputs.dense());
    header.heads.push(head);
    let dense: Vec<u16> = tensors.dense.iter().map(|value| upper_half(*value)).collect();
    let parts = [
        ("severity.rows", Dtype::U32, vec![rows], bytes_of(&tensors.rows, u32::to_le_bytes)),
        ("severity.text", Dtype::I8, vec![rows, w], bytes_of(&tensors.text, i8::to_le_bytes)),
        ("severity.scales", Dtype::F32, vec![rows], bytes_of(&tensors.text_scales, f32::to_le_bytes)),
        ("severity.dense", Dtype::BF16, vec![features, w], bytes_of(&dense, u16::to_le_bytes)),
        ("severity.bias", Dtype::F32, vec![w], bytes_of(&tensors.bias, f32::to_le_bytes)),
        ("severity.joint", Dtype::F32, vec![BaseVector::COUNT], bytes_of(&tensors.joint, f32::to_le_bytes)),
    ];
    let mut all: Vec<(String, TensorView<'_>)> = sealed.tensors().tensors();
    all.retain(|(name, _)| !name.starts_with("severity."));
    all.extend(views(&parts)?);
    let changed = seal(&header, all)?;
    NgramModel::from_bytes(&changed)?;
    Ok(changed)
}

/// The upper half of a number, rounded.
fn upper_half(value: f32) -> u16 {
    ((value.to_bits() + 0x8000) >> 16) as u16
}

/// A tensor on its way into a file: name, type, shape and bytes.
type Part = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn views(parts: &[Part]) -> Result<Vec<(String, TensorView<'_>)>, ModelFileError> {
    let mut views = Vec::with_capacity(parts.len());
    for (tensor, dtype, shape, data) in parts {
        let view = TensorView::new(*dtype, shape.clone(), data)
            .map_err(|e| ModelFileError::Tensor { tensor, problem: e.to_string() })?;
        views.push(((*tensor).to_owned(), view));
    }
    Ok(views)
}

fn seal(header: &Header, tensors: Vec<(String, TensorView<'_>)>) -> Result<Vec<u8>, ModelFileError> {
    header.check()?;
    let form = |error: std::io::Error| HeaderError::Form(error.to_string());
    let model = serde_json::value::to_raw_value(header).map_err(|error| form(error.into()))?;
    Ok(sealed::write(&model, tensors).map_err(form)?)
}

impl NgramModel {
    /// Reads a model file that is compiled into the binary. Its checksum is not verified: the binary would have to be
    /// damaged itself.
    ///
    /// # Errors
    /// The file is not a readable model of this version.
    pub fn embedded(bytes: &'static [u8]) -> Result<Self, ModelFileError> {
        let start = bytes.as_ptr() as usize;
        let codes = |codes: &[u8]| {
            let offset = codes.as_ptr() as usize - start;
            Codes::Embedded(&bytes[offset..offset + codes.len()])
        };
        let sealed = sealed::open(bytes)?;
        let header = Header::read(sealed.model().get().as_bytes())?;
        assemble(&sealed, header, codes)
    }

    /// Reads a model file, verifying its checksum and every shape, index and number in it.
    ///
    /// # Errors
    /// The file is not a readable, whole model of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelFileError> {
        let sealed = sealed::open(bytes)?;
        // The description before the checksum: a file of another version is told as such.
        let header = Header::read(sealed.model().get().as_bytes())?;
        sealed.verify()?;
        assemble(&sealed, header, |codes| Codes::Owned(codes.to_vec()))
    }
}

/// The parts of a description that an n-gram network needs.
struct Shape {
    dimensions: usize,
    oldest: u16,
    newest: u16,
    outputs: CweSets,
}

impl Shape {
    fn of(header: &Header) -> Result<Self, ModelFileError> {
        let other = ModelFileError::OtherKind;
        if header.kind != NetworkKind::Ngram {
            return Err(other("its description is of another kind"));
        }
        let shape = header.ngram.as_ref().ok_or(other("its description has no `ngram`"))?;
        let years = header.years.and_then(|years| Some((years.oldest?, years.newest)));
        let (oldest, newest) = years.ok_or(other("its description has no years"))?;
        let head = header.heads.first().map(|head| head.cwe_sets(&[])).transpose()?.flatten();
        let outputs = head.filter(|outputs| !outputs.weaknesses().is_empty());
        let outputs = outputs.ok_or(other("its first head has no CWE sets"))?;
        Ok(Self { dimensions: shape.dimensions, oldest, newest, outputs })
    }

    /// The numbers of hidden units, CWE sets and years.
    fn sizes(&self) -> (usize, usize, usize) {
        (self.dimensions, self.outputs.sets.len(), usize::from(self.newest - self.oldest) + 1)
    }
}

fn bytes_of<T: Copy, const N: usize>(values: &[T], encode: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| encode(value)).collect()
}

/// The tensors of a file, taken out by name with the shape that they must have.
struct TensorTable<'t, 'a>(&'t SafeTensors<'a>);

impl<'a> TensorTable<'_, 'a> {
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

/// The head of curated techniques.
fn curated_head(
    head: &Head,
    table: &TensorTable<'_, '_>,
    vocabulary: &Vocabulary,
) -> Result<CuratedHead, ModelFileError> {
    let other = ModelFileError::OtherKind;
    let outputs = head.curated().ok_or(other("its head of curated techniques has no techniques"))?;
    let (w, p) = (outputs.width(), outputs.projects.len());
    let features = outputs.dense(rules().len());
    let rows = table.0.tensor("curated.rows").map_or(0, |view| view.data().len() / 4);
    let words = table.take("curated.rows", Dtype::U32, &[rows])?;
    let codes = table.take("curated.text", Dtype::I8, &[rows, w])?;
    let tensors = CuratedTensors {
        rows: words.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect(),
        text: codes.iter().map(|code| code.cast_signed()).collect(),
        text_scales: table.floats("curated.scales", &[rows])?,
        dense: table.halves("curated.dense", &[1 + p, features, w])?,
        bias: table.floats("curated.bias", &[p, w])?,
    };
    let problem = || ModelFileError::Tensor {
        tensor: "curated.rows",
        problem: "rows must rise, within the vocabulary, some 32,000 at most".to_owned(),
    };
    CuratedHead::new(head, tensors, vocabulary).ok_or_else(problem)
}

/// The head of severities.
fn severity_head(
    head: &Head,
    table: &TensorTable<'_, '_>,
    vocabulary: &Vocabulary,
) -> Result<SeverityHead, ModelFileError> {
    let outputs =
        head.severity().ok_or(ModelFileError::OtherKind("its head of severities has no outputs"))?;
    let (w, features) = (SEVERITY_WIDTH, outputs.dense());
    let rows = table.0.tensor("severity.rows").map_or(0, |view| view.data().len() / 4);
    let words = table.take("severity.rows", Dtype::U32, &[rows])?;
    let codes = table.take("severity.text", Dtype::I8, &[rows, w])?;
    let tensors = SeverityTensors {
        rows: words.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect(),
        text: codes.iter().map(|code| code.cast_signed()).collect(),
        text_scales: table.floats("severity.scales", &[rows])?,
        dense: table.halves("severity.dense", &[features, w])?,
        bias: table.floats("severity.bias", &[w])?,
        joint: table.floats("severity.joint", &[BaseVector::COUNT])?,
    };
    let problem = || ModelFileError::Tensor {
        tensor: "severity.rows",
        problem: "rows must rise, within the vocabulary, 65,534 at most".to_owned(),
    };
    SeverityHead::new(head, tensors, vocabulary).ok_or_else(problem)
}

fn assemble(
    sealed: &Sealed<'_>,
    header: Header,
    codes: impl Fn(&[u8]) -> Codes,
) -> Result<NgramModel, ModelFileError> {
    let table = TensorTable(sealed.tensors());
    let shape = Shape::of(&header)?;
    let (d, s, y) = shape.sizes();
    let keys = table.0.tensor("vocabulary.keys").map_or(0, |view| view.data().len() / 4);
    let (v, keys) = (keys, table.take("vocabulary.keys", Dtype::U32, &[keys])?);
    let keys = keys.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
    let weights = table.take("vocabulary.weights", Dtype::U8, &[v])?.to_vec();
    let vocabulary = Vocabulary::new(keys, weights)
        .map_err(|e| ModelFileError::Tensor { tensor: "vocabulary.keys", problem: e.to_string() })?;
    let embedding = PackedRows {
        codes: codes(table.take("embedding.codes", Dtype::U8, &[v, d / 2])?),
        scales: table.halves("embedding.scales", &[v])?,
        width: d,
    };
    let output_scales = table.floats("output.scales", &[s])?;
    let codes = table.take("output.codes", Dtype::I8, &[s, d])?;
    let mut output: Vec<f32> = Vec::with_capacity(s * d);
    for t in 0..d {
        let column = codes.iter().skip(t).step_by(d).zip(&output_scales);
        output.extend(column.map(|(&code, scale)| f32::from(code.cast_signed()) * scale));
    }
    let curated = header.curated_head().map(|head| curated_head(head, &table, &vocabulary)).transpose()?;
    let severity = header.severity_head().map(|head| severity_head(head, &table, &vocabulary)).transpose()?;
    Ok(NgramModel {
        curated,
        severity,
        revision: sealed.revision().to_owned(),
        vocabulary,
        embedding,
        hidden_bias: table.floats("hidden.bias", &[d])?,
        year_hidden: table.floats("year.hidden", &[y, d])?,
        output,
        output_bias: table.floats("output.bias", &[s])?,
        year_output: table.halves("year.output", &[y, s])?,
        outputs: Outputs::CweSets(shape.outputs),
        dimensions: d,
        oldest_year: shape.oldest,
        newest_year: shape.newest,
        header,
    })
}
