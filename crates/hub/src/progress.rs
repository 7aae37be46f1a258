//! Progress reports while files are downloaded.

/// Receives the state of a download; `()` ignores it.
///
/// Files that are already in the cache are not reported. Calls come from the thread that called
/// [`Hub::resolve`](crate::Hub::resolve) or [`Hub::pull`](crate::Hub::pull), for one file after the other.
pub trait Progress {
    /// `done` of `total` bytes of `file` are on disk: called first with what an earlier, interrupted download
    /// left, last with `done == total`.
    fn advance(&self, file: &str, done: u64, total: u64);

    /// Another process is downloading `file`; this one waits for it.
    fn waiting(&self, file: &str) {
        let _ = file;
    }
}

impl Progress for () {
    fn advance(&self, _file: &str, _done: u64, _total: u64) {}
}
