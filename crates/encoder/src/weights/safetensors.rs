//! The safetensors format: eight bytes of length, a JSON header, the numbers.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use safetensors::tensor::Metadata;

use super::entry::{Contents, Entry};
use crate::dtype::Dtype;
use crate::error::{DOWNLOAD_AGAIN, EncoderError};

/// Longest header that is read. Those of the largest encoders have some 50 kB; the format allows
/// 100 MB, which would become gigabytes once parsed.
const MOST_HEADER: u64 = 16 << 20;

/// Most axes of a tensor.
pub(super) const MOST_AXES: usize = 8;

/// The header of a file that is `length` bytes long.
pub(super) fn read(
    mut file: &File,
    path: &Path,
    length: u64,
    index: usize,
) -> Result<Contents, EncoderError> {
    let fail = |problem: String| EncoderError::format(path, problem, DOWNLOAD_AGAIN);
    if length < 8 {
        return Err(fail(format!("has {length} bytes, too few for safetensors or PyTorch weights")));
    }
    let mut size = [0; 8];
    file.seek(SeekFrom::Start(0)).map_err(EncoderError::io(path))?;
    file.read_exact(&mut size).map_err(EncoderError::io(path))?;
    let size = u64::from_le_bytes(size);
    if size > MOST_HEADER || size > length - 8 {
        let problem = format!(
            "is not a safetensors file, or is truncated: its first bytes announce a header of {size} bytes, \
             the file has {length}, and a header may have {MOST_HEADER}"
        );
        return Err(fail(problem));
    }
    let mut header = Vec::new();
    file.take(size).read_to_end(&mut header).map_err(EncoderError::io(path))?;
    contents(&header, path, length, index)
}

/// The header of a file in memory.
pub(super) fn read_bytes(bytes: &[u8], path: &Path) -> Result<Contents, EncoderError> {
    let fail = |problem: &str| EncoderError::format(path, problem, DOWNLOAD_AGAIN);
    let (size, rest) =
        bytes.split_first_chunk().ok_or_else(|| fail("has too few bytes for a safetensors file"))?;
    let size = u64::from_le_bytes(*size);
    let size = usize::try_from(size).ok().filter(|_| size <= MOST_HEADER);
    let header = size.and_then(|size| rest.get(..size));
    let header = header.ok_or_else(|| fail("is not a safetensors file, or is truncated"))?;
    contents(header, path, bytes.len() as u64, 0)
}

/// The tensors that a header announces. The numbers begin right after it.
pub(super) fn contents(
    header: &[u8],
    path: &Path,
    length: u64,
    index: usize,
) -> Result<Contents, EncoderError> {
    let fail = |problem: String| EncoderError::format(path, problem, DOWNLOAD_AGAIN);
    // Reading it checks that the tensors follow each other without gap or overlap, each of the
    // length that its shape and type say.
    let header_error = |error| fail(format!("its safetensors header is invalid: {error}"));
    let table: Metadata = serde_json::from_slice(header).map_err(header_error)?;
    let start = 8 + header.len() as u64;
    let end = start.checked_add(table.data_len() as u64);
    if end != Some(length) {
        let problem = format!(
            "has {length} bytes, but its header announces {start} and {} of numbers: it is truncated or damaged",
            table.data_len()
        );
        return Err(fail(problem));
    }
    let mut entries = Vec::new();
    for (name, info) in table.tensors() {
        let Some(dtype) = Dtype::from_safetensors(info.dtype) else {
            let problem = format!("tensor `{name}` holds {:?}, which no encoder uses", info.dtype);
            return Err(EncoderError::format(path, problem, "save the checkpoint anew in F32"));
        };
        if info.shape.len() > MOST_AXES {
            return Err(fail(format!("tensor `{name}` has {} axes", info.shape.len())));
        }
        let (from, to) = info.data_offsets;
        let (shape, offset, len) = (info.shape.clone(), start + from as u64, to.saturating_sub(from));
        entries.push((name, Entry { file: index, dtype, shape, strides: None, offset, len }));
    }
    // The crate's map has no order.
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    let metadata = table.metadata().clone().unwrap_or_default().into_iter().collect();
    Ok(Contents { entries, metadata })
}
