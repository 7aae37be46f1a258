//! How much of one input is taken in before it is called hostile.

/// Bounds on what one input may make the readers hold or unpack.
///
/// The defaults let every official file through with a wide margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest line, CSV record or JSON item in bytes; a longer one is reported and skipped.
    pub record_bytes: usize,
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
            entry_bytes: 64 << 20,
            unpacked_bytes: 64 << 30,
            ratio: 250,
            ratio_from: 256 << 20,
        }
    }
}

impl Limits {
    /// Whether `packed` bytes may have become `unpacked` bytes; says why not.
    pub(crate) fn check(&self, packed: u64, unpacked: u64) -> Result<(), TooMuch> {
        if unpacked > self.unpacked_bytes {
            return Err(TooMuch { limit: format!("{} bytes", self.unpacked_bytes) });
        }
        if unpacked > self.ratio_from && unpacked / packed.max(1) > self.ratio {
            return Err(TooMuch { limit: format!("{} times its packed size", self.ratio) });
        }
        Ok(())
    }
}

/// An input that unpacks to more than its limits allow.
#[derive(Debug, thiserror::Error)]
#[error("unpacks to more than {limit}")]
pub(crate) struct TooMuch {
    pub(crate) limit: String,
}

impl From<TooMuch> for std::io::Error {
    fn from(error: TooMuch) -> Self {
        Self::other(error)
    }
}
