//! The bounds of calls.

/// The bounds of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Most records of a call.
    pub records: usize,
    /// Most bytes of a message.
    pub message_bytes: usize,
    /// Calls that are computed at once; others wait.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { records: 1_000, message_bytes: 2 << 20, threads }
    }
}
