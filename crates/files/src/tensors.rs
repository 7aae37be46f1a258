//! Writing safetensors files without holding them in memory.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufWriter, Write};

use safetensors::View;
use safetensors::tensor::{Metadata, TensorInfo};

/// Bytes of the length that a file begins with; its header is a multiple of them.
pub(crate) const LENGTH: usize = 8;
/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;

/// Writes a safetensors file with one entry of metadata, byte by byte as the safetensors crate does: tensors are ordered
/// by type and name.
///
/// # Errors
/// Those of `out`; two tensors have one name, or one has another number of bytes than its type and shape ask for.
pub fn write_tensors<V: View>(
    out: impl Write,
    entry: (&str, String),
    tensors: impl IntoIterator<Item = (String, V)>,
) -> io::Result<()> {
    let layout = Layout::new(tensors)?;
    let header = layout.header(entry)?;
    layout.write(out, &header)
}

/// Tensors in the order of the file.
pub(crate) struct Layout<V> {
    tensors: Vec<(String, V)>,
}

impl<V: View> Layout<V> {
    pub(crate) fn new(tensors: impl IntoIterator<Item = (String, V)>) -> io::Result<Self> {
        let mut tensors: Vec<_> = tensors.into_iter().collect();
        tensors.sort_by(|(name, tensor), (other_name, other)| {
            other.dtype().cmp(&tensor.dtype()).then_with(|| name.cmp(other_name))
        });
        let mut names = HashSet::new();
        match tensors.iter().find(|(name, _)| !names.insert(name.as_str())) {
            Some((name, _)) => Err(invalid(format!("there are two tensors called {name:?}"))),
            None => Ok(Self { tensors }),
        }
    }

    /// The header with its length in front, up to the tensors' bytes.
    pub(crate) fn header(&self, (key, value): (&str, String)) -> io::Result<Vec<u8>> {
        let mut offset = 0_usize;
        let infos = self.tensors.iter().map(|(name, tensor)| {
            let start = offset;
            offset = offset.saturating_add(tensor.data_len());
            let (dtype, shape) = (tensor.dtype(), tensor.shape().to_vec());
            (name.clone(), TensorInfo { dtype, shape, data_offsets: (start, offset) })
        });
        let entries = HashMap::from([(key.to_owned(), value)]);
        let metadata = Metadata::new(Some(entries), infos.collect()).map_err(invalid)?;
        let mut json = serde_json::to_vec(&metadata)?;
        json.resize(json.len().next_multiple_of(LENGTH), b' ');
        Ok([(json.len() as u64).to_le_bytes().as_slice(), &json].concat())
    }

    /// Hands each tensor's bytes to `put`, in the order of the file.
    pub(crate) fn each_data(&self, mut put: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        for (name, tensor) in &self.tensors {
            let data = tensor.data();
            if data.len() != tensor.data_len() {
                return Err(invalid(format!("tensor {name:?} has another length than it says")));
            }
            put(&data)?;
        }
        Ok(())
    }

    pub(crate) fn write(&self, out: impl Write, header: &[u8]) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(BUFFER, out);
        out.write_all(header)?;
        self.each_data(|data| out.write_all(data))?;
        out.flush()
    }
}

fn invalid(problem: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, problem.to_string())
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;

    use super::*;

    fn view(dtype: Dtype, shape: &[usize], data: &'static [u8]) -> TensorView<'static> {
        TensorView::new(dtype, shape.to_vec(), data).unwrap()
    }

    #[test]
    fn files_are_those_of_the_safetensors_crate() {
        let tensors = || {
            [
                ("b".to_owned(), view(Dtype::U8, &[3], b"abc")),
                ("z \"quoted\"".to_owned(), view(Dtype::F32, &[1, 2], b"01234567")),
                ("a".to_owned(), view(Dtype::U8, &[0], b"")),
                ("c".to_owned(), view(Dtype::BF16, &[], b"xy")),
            ]
        };
        let entry = ("key", "a \"value\"\n".to_owned());
        let mut file = Vec::new();
        write_tensors(&mut file, entry.clone(), tensors()).unwrap();
        let metadata = HashMap::from([(entry.0.to_owned(), entry.1)]);
        assert_eq!(file, safetensors::serialize(tensors(), Some(metadata)).unwrap());
    }

    #[test]
    fn a_name_stands_once() {
        let tensors = [b"abc", b"def"].map(|data| ("a".to_owned(), view(Dtype::U8, &[3], data)));
        let error = write_tensors(Vec::new(), ("key", String::new()), tensors).unwrap_err();
        assert_eq!(error.to_string(), "there are two tensors called \"a\"");
    }
}
