//! Numbers that begin at a cache line, so that no vector load touches two.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE: usize = 64;

/// A slice on the heap that begins at a cache line.
#[derive(Debug)]
pub(crate) struct Aligned<T> {
    numbers: Vec<T>,
    start: usize,
    length: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// `length` zeros.
    pub(crate) fn zeroed(length: usize) -> Self {
        let spare = LINE / size_of::<T>().max(1);
        let numbers = vec![T::default(); length + spare];
        // The vector never grows, so where it lies does not change.
        let start = numbers.as_ptr().align_offset(LINE).min(spare);
        Self { numbers, start, length }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.numbers[self.start..self.start + self.length]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.numbers[self.start..self.start + self.length]
    }
}
