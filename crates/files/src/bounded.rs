//! Bounds on readers, beyond which their input is called hostile.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds on what an input may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Most unpacked bytes.
    pub bytes: u64,
    /// Most unpacked bytes for one packed byte, beyond [`UnpackLimits::ratio_from`].
    pub ratio: u64,
    /// Unpacked bytes that are allowed whatever the ratio: short inputs harm nobody.
    pub ratio_from: u64,
}

impl UnpackLimits {
    /// Checks that `packed` bytes may have become `unpacked` bytes.
    ///
    /// # Errors
    /// The limit that is passed.
    pub fn check(&self, packed: u64, unpacked: u64) -> Result<(), TooMuch> {
        if unpacked > self.bytes {
            return Err(TooMuch::Unpacked(self.bytes));
        }
        if unpacked > self.ratio_from && unpacked / packed.max(1) > self.ratio {
            return Err(TooMuch::Ratio { ratio: self.ratio, from: self.ratio_from });
        }
        Ok(())
    }
}

/// An input that gives more than its limits allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// A file that is longer.
    #[error("is longer than {}", Bytes(*.0))]
    Length(u64),
    /// A packed input that unpacks to more.
    #[error("unpacks to more than {}", Bytes(*.0))]
    Unpacked(u64),
    /// A packed input that unpacks to more, for its size.
    #[error("unpacks to more than {} and more than {ratio} times its size", Bytes(*.from))]
    Ratio {
        /// Most unpacked bytes for one packed byte.
        ratio: u64,
        /// Unpacked bytes that are allowed whatever the ratio.
        from: u64,
    },
}

impl TooMuch {
    /// The limit that `error` is about, if it is about one.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<TooMuch> for io::Error {
    fn from(error: TooMuch) -> Self {
        Self::other(error)
    }
}

/// A number of bytes, in mebibytes where it is a round number of them.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 1 << 20 && bytes.trailing_zeros() >= 20 => write!(f, "{} MiB", bytes >> 20),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

/// The size of the packed input that a reader unpacks.
#[derive(Debug, Clone)]
pub enum PackedSize {
    /// The size of a file.
    Known(u64),
    /// The bytes read so far, counted by a [`Counted`] below.
    SoFar(Arc<AtomicU64>),
    /// A stream whose size is not known: only the number of bytes is bounded.
    Unknown,
}

/// A reader that fails once it has given more than its limits allow.
#[derive(Debug)]
pub struct Bounded<R> {
    inner: R,
    limits: UnpackLimits,
    packed: PackedSize,
    unpacked: u64,
}

impl<R> Bounded<R> {
    /// Bounds `inner`, which unpacks an input of the size `packed`.
    pub fn new(inner: R, limits: UnpackLimits, packed: PackedSize) -> Self {
        Self { inner, limits, packed, unpacked: 0 }
    }

    /// The reader below.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Counts `length` more unpacked bytes.
    pub(crate) fn count(&mut self, length: usize) -> Result<(), TooMuch> {
        self.unpacked = self.unpacked.saturating_add(length as u64);
        let packed = match &self.packed {
            PackedSize::Known(size) => *size,
            PackedSize::SoFar(count) => count.load(Ordering::Relaxed),
            PackedSize::Unknown => u64::MAX,
        };
        self.limits.check(packed, self.unpacked)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count(length)?;
        Ok(length)
    }
}

/// A reader that counts the bytes read through it.
#[derive(Debug)]
pub struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    /// Counts what is read of `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, count: Arc::default() }
    }

    /// The count, for a [`Bounded`] above.
    pub fn size(&self) -> PackedSize {
        PackedSize::SoFar(Arc::clone(&self.count))
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: UnpackLimits = UnpackLimits { bytes: 64 << 20, ratio: 20, ratio_from: 1 << 20 };

    /// Reads an endless input until it fails.
    fn failure(packed: PackedSize) -> TooMuch {
        let mut reader = Bounded::new(io::repeat(0), LIMITS, packed);
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        TooMuch::of(&error).unwrap()
    }

    #[test]
    fn the_ratio_counts_beyond_what_is_harmless() {
        let by_ratio = TooMuch::Ratio { ratio: 20, from: 1 << 20 };
        assert_eq!(failure(PackedSize::Known(10)), by_ratio);
        assert_eq!(by_ratio.to_string(), "unpacks to more than 1 MiB and more than 20 times its size");
        assert_eq!(failure(PackedSize::Known(60 << 20)), TooMuch::Unpacked(64 << 20));
        assert_eq!(failure(PackedSize::Unknown), TooMuch::Unpacked(64 << 20));
        assert_eq!(LIMITS.check(1, 1 << 20), Ok(()));
        assert_eq!(LIMITS.check(1 << 20, 20 << 20), Ok(()));
        assert_eq!(LIMITS.check(1 << 20, (21 << 20) - 1), Ok(()));
        assert_eq!(LIMITS.check(1 << 20, 21 << 20), Err(by_ratio));
    }

    #[test]
    fn the_packed_bytes_are_counted_as_they_are_read() {
        let packed = Counted::new(io::repeat(0));
        let size = packed.size();
        let mut reader = Bounded::new(packed, LIMITS, size);
        let copied = io::copy(&mut reader.by_ref().take(40 << 20), &mut io::sink()).unwrap();
        assert_eq!(copied, 40 << 20, "as many unpacked bytes as packed ones are no bomb");
    }
}
