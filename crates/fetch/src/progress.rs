//! Progress reports while files are fetched.

use std::time::Duration;

/// Receives the state of a fetch; `()` ignores it. Calls come from the thread that fetches, for one file after the
/// other.
pub trait Progress {
    /// `done` bytes of `file` are on disk, of `total` where the server says it.
    fn advance(&self, file: &str, done: u64, total: Option<u64>) {
        let _ = (file, done, total);
    }

    /// `done` records of those that changed in `window` are on disk, of `total`.
    fn records(&self, window: &str, done: u64, total: u64) {
        let _ = (window, done, total);
    }

    /// A request failed for `reason` and is made again after `time`; or a server's limit on requests leaves no other.
    fn waiting(&self, reason: &str, time: Duration) {
        let _ = (reason, time);
    }

    /// Something worth knowing that stops nothing.
    fn note(&self, text: &str) {
        let _ = text;
    }
}

impl Progress for () {}
