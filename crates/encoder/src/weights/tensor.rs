//! One tensor in memory: the file's own pages where they can be used as they are, else a copy.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use half::slice::HalfFloatSliceExt;
use memmap2::Mmap;

use super::entry::{Entry, Source};
use super::map;
use crate::dtype::Dtype;

/// The elements of a tensor, row-major. Dropping it gives its memory back.
#[derive(Debug)]
pub struct Tensor<T = f32>(Storage<T>);

#[derive(Debug)]
enum Storage<T> {
    /// Checked when it was made: aligned and of whole elements.
    Mapped(Mmap),
    Owned(Vec<T>),
}

impl<T> From<Vec<T>> for Tensor<T> {
    fn from(numbers: Vec<T>) -> Self {
        Self(Storage::Owned(numbers))
    }
}

impl Deref for Tensor<f32> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.0 {
            Storage::Mapped(bytes) => map::as_f32(bytes).unwrap_or_default(),
            Storage::Owned(numbers) => numbers,
        }
    }
}

impl Deref for Tensor<i8> {
    type Target = [i8];

    fn deref(&self) -> &[i8] {
        match &self.0 {
            Storage::Mapped(bytes) => map::as_i8(bytes),
            Storage::Owned(numbers) => numbers,
        }
    }
}

/// A floating-point tensor as `f32`; `None` when it is of another type.
pub(super) fn read_f32(source: &Source, entry: &Entry) -> io::Result<Option<Tensor<f32>>> {
    if !matches!(entry.dtype, Dtype::F32 | Dtype::F16 | Dtype::Bf16 | Dtype::F64) {
        return Ok(None);
    }
    if entry.len == 0 {
        return Ok(Some(Tensor(Storage::Owned(Vec::new()))));
    }
    let owned = |bytes: &[u8]| {
        let numbers = convert(bytes, entry.dtype);
        Tensor(Storage::Owned(match &entry.strides {
            Some(strides) => gather(&numbers, &entry.shape, strides),
            None => numbers,
        }))
    };
    Ok(Some(match source {
        Source::Memory(bytes) => owned(within(bytes, entry)?),
        Source::Copied(file) => owned(&copied(file, entry)?),
        Source::Mapped(file) => {
            let bytes = map::map(file, entry.offset, entry.len)?;
            let is_as_stored = entry.dtype == Dtype::F32 && entry.strides.is_none();
            let can_stay = is_as_stored && map::as_f32(&bytes).is_some();
            if can_stay { Tensor(Storage::Mapped(bytes)) } else { owned(&bytes) }
        }
    }))
}

/// A tensor of signed bytes; `None` when it is of another type.
pub(super) fn read_i8(source: &Source, entry: &Entry) -> io::Result<Option<Tensor<i8>>> {
    if entry.dtype != Dtype::I8 {
        return Ok(None);
    }
    if entry.len == 0 {
        return Ok(Some(Tensor(Storage::Owned(Vec::new()))));
    }
    let owned = |bytes: &[u8]| {
        let numbers = map::as_i8(bytes);
        Tensor(Storage::Owned(match &entry.strides {
            Some(strides) => gather(numbers, &entry.shape, strides),
            None => numbers.to_vec(),
        }))
    };
    Ok(Some(match source {
        Source::Memory(bytes) => owned(within(bytes, entry)?),
        Source::Copied(file) => owned(&copied(file, entry)?),
        Source::Mapped(file) => {
            let bytes = map::map(file, entry.offset, entry.len)?;
            if entry.strides.is_none() { Tensor(Storage::Mapped(bytes)) } else { owned(&bytes) }
        }
    }))
}

/// An entry's bytes, read from the file.
fn copied(file: &Mutex<File>, entry: &Entry) -> io::Result<Vec<u8>> {
    // A thread that panicked left the place anywhere, which does not matter: it is set here.
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(entry.offset))?;
    let mut bytes = vec![0; entry.len];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// An entry's bytes of a file in memory; such files are safetensors, which has no strides.
pub(super) fn within<'a>(bytes: &'a [u8], entry: &Entry) -> io::Result<&'a [u8]> {
    let start = usize::try_from(entry.offset).ok();
    let range = start.and_then(|start| Some(start..start.checked_add(entry.len)?));
    range.and_then(|range| bytes.get(range)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Little-endian floating-point numbers of any width as `f32`.
fn convert(bytes: &[u8], dtype: Dtype) -> Vec<f32> {
    fn each<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks().0.iter().map(|bytes| read(*bytes)).collect()
    }
    match dtype {
        Dtype::F16 => {
            let halves: Vec<half::f16> =
                bytes.as_chunks().0.iter().map(|bytes| half::f16::from_le_bytes(*bytes)).collect();
            halves.to_f32_vec()
        }
        Dtype::Bf16 => each(bytes, |bytes| half::bf16::from_le_bytes(bytes).to_f32()),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the network computes in f32, as PyTorch would load it"
        )]
        Dtype::F64 => each(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        _ => each(bytes, f32::from_le_bytes),
    }
}

/// The elements at `strides`, in row-major order. Entries are checked to stay within their span.
fn gather<T: Copy>(span: &[T], shape: &[usize], strides: &[usize]) -> Vec<T> {
    let mut starts = vec![0_usize];
    for (&size, &stride) in shape.iter().zip(strides) {
        starts = starts.iter().flat_map(|start| (0..size).map(move |i| start + i * stride)).collect();
    }
    starts.iter().filter_map(|&start| span.get(start).copied()).collect()
}

/// Index and value of the first element that is infinite or not a number.
pub(super) fn first_non_finite(numbers: &[f32]) -> Option<(usize, f32)> {
    // Whole blocks first: without an early exit the compiler compares many at a time.
    const BLOCK: usize = 4096;
    let damaged = |block: &[f32]| block.iter().fold(false, |found, x| found | !x.is_finite());
    let (number, block) = numbers.chunks(BLOCK).enumerate().find(|(_, block)| damaged(block))?;
    let (index, value) = block.iter().enumerate().find(|(_, x)| !x.is_finite())?;
    Some((number * BLOCK + index, *value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_and_double_become_single() {
        let f16: Vec<u8> =
            [1.5, -0.1, 65504.0].iter().flat_map(|x| half::f16::from_f32(*x).to_le_bytes()).collect();
        assert_eq!(convert(&f16, Dtype::F16), [1.5, half::f16::from_f32(-0.1).to_f32(), 65504.0]);
        let bf16: Vec<u8> = [1.5, 3e38].iter().flat_map(|x| half::bf16::from_f32(*x).to_le_bytes()).collect();
        assert_eq!(convert(&bf16, Dtype::Bf16), [1.5, half::bf16::from_f32(3e38).to_f32()]);
        let f64: Vec<u8> = [0.1_f64, 1e300].iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(convert(&f64, Dtype::F64), [0.1, f32::INFINITY]);
    }

    #[test]
    fn strided_elements_are_brought_into_row_major_order() {
        let span = [0, 1, 2, 3, 4, 5];
        assert_eq!(gather(&span, &[3, 2], &[1, 3]), [0, 3, 1, 4, 2, 5]);
        assert_eq!(gather(&span, &[2], &[5]), [0, 5]);
        assert_eq!(gather(&span, &[], &[]), [0]);
    }

    #[test]
    fn the_first_damaged_element_is_found_in_any_block() {
        let mut numbers = vec![1.0; 10_000];
        assert_eq!(first_non_finite(&numbers), None);
        numbers[9_000] = f32::NEG_INFINITY;
        numbers[5_001] = f32::NAN;
        assert_eq!(first_non_finite(&numbers).map(|(index, _)| index), Some(5_001));
    }
}
