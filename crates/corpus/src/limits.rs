//! Bounds on one input, beyond which it is called hostile.

use vulnlens_files::UnpackLimits;

/// Bounds on what one input may make the readers hold or unpack.
///
/// The defaults let every official file through with a wide margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest line, CSV record or JSON item in bytes; a longer one is reported and skipped.
    pub record_bytes: usize,
    /// Longest JSON document in bytes that is read whole; of a longer one, the members of its arrays of records are read
    /// one at a time, and what else it holds is not looked at.
    pub document_bytes: usize,
    /// Largest unpacked file inside an archive in bytes; a larger one is reported and skipped.
    pub entry_bytes: u64,
    /// Most bytes that one input may unpack to, over all its entries; then reading stops.
    pub unpacked_bytes: u64,
    /// Most unpacked bytes for one packed byte, looked at once [`Limits::ratio_from`] bytes are unpacked.
    pub ratio: u64,
    /// Unpacked bytes below which [`Limits::ratio`] is not looked at: short inputs harm nobody.
    pub ratio_from: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes: 64 << 20,
            document_bytes: 16 << 20,
            entry_bytes: 8 << 30,
            unpacked_bytes: 64 << 30,
            ratio: 250,
            ratio_from: 256 << 20,
        }
    }
}

impl Limits {
    /// The bounds on unpacking.
    pub(crate) fn unpacking(&self) -> UnpackLimits {
        UnpackLimits { bytes: self.unpacked_bytes, ratio: self.ratio, ratio_from: self.ratio_from }
    }
}
