//! A range of a file as memory, and memory as numbers: the only unsafe code of the loader.

#![expect(
    unsafe_code,
    reason = "mapping a file and reading its bytes as numbers; the conditions are beside each call"
)]

use std::fs::File;
use std::io;

use memmap2::{Mmap, MmapOptions};

/// Maps `len` bytes from `offset`, read-only. The caller has checked that the file is that long.
pub(super) fn map(file: &File, offset: u64, len: usize) -> io::Result<Mmap> {
    // SAFETY: the mapping is private and read-only, and only ever read as plain numbers, for which
    // every bit pattern is valid. What remains is the file changing under us: another process that
    // truncates a checkpoint while it is loaded ends this one by SIGBUS, as it does for every
    // program that maps its weights. A mapping lives only until its tensor is packed.
    unsafe { MmapOptions::new().offset(offset).len(len).map(file) }
}

/// Little-endian bytes as `f32`, where the machine is little-endian and the bytes are aligned.
pub(super) fn as_f32(bytes: &[u8]) -> Option<&[f32]> {
    if cfg!(target_endian = "big") {
        return None;
    }
    // SAFETY: every pattern of 32 bits is an `f32`.
    let (before, numbers, after) = unsafe { bytes.align_to::<f32>() };
    (before.is_empty() && after.is_empty()).then_some(numbers)
}

/// Bytes as `i8`.
pub(super) fn as_i8(bytes: &[u8]) -> &[i8] {
    // SAFETY: `u8` and `i8` have the same size and alignment, and every pattern is valid for both.
    unsafe { bytes.align_to::<i8>().1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misaligned_or_ragged_bytes_are_no_numbers() {
        let numbers = [1.5_f32, -2.0];
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_ne_bytes()).collect();
        let mut room = [0_u8; 16];
        let start = room.as_ptr().align_offset(4);
        room[start..start + 8].copy_from_slice(&bytes);
        if cfg!(target_endian = "little") {
            assert_eq!(as_f32(&room[start..start + 8]), Some(&numbers[..]));
        }
        assert_eq!(as_f32(&room[start + 1..start + 5]), None);
        assert_eq!(as_f32(&room[start..start + 7]), None);
        assert_eq!(as_i8(&[0xff, 3]), [-1, 3]);
    }
}
