//! Models by their Hugging Face ids: the one place where the hub's environment variables are read.

use std::cell::RefCell;

use indicatif::ProgressBar;
use vulnlens_hub::{Hub, HubError, HubId, Progress, Settings, Snapshot};

use crate::failure::{Failure, Kind};
use crate::terminal::Terminal;

/// Where what is asked for may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The cache, if it has it, else the hub.
    Cached,
    /// The hub, which may know a newer commit.
    Newest,
}

/// What the environment says of the hub and its cache.
pub(crate) fn settings() -> Result<Settings, Failure> {
    let settings = Settings::from_variables(|name| std::env::var_os(name), std::env::home_dir());
    settings.map_err(|error| Failure::new(Kind::Unavailable, error.to_string()))
}

/// The files of `id` as a folder.
pub(crate) fn snapshot(id: &HubId, freshness: Freshness, terminal: &Terminal) -> Result<Snapshot, Failure> {
    let unavailable = |error: HubError| Failure::new(Kind::Unavailable, error.to_string());
    let hub = Hub::new(settings()?).map_err(unavailable)?;
    let bar = terminal.long_progress("{spinner} {msg} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
    let download = Download { terminal, bar, file: RefCell::default() };
    let snapshot = match freshness {
        Freshness::Cached => hub.resolve(id, &download),
        Freshness::Newest => hub.pull(id, &download),
    };
    download.bar.finish_and_clear();
    snapshot.map_err(unavailable)
}

/// Shows a download on the terminal.
struct Download<'t> {
    terminal: &'t Terminal,
    bar: ProgressBar,
    /// The file that comes in.
    file: RefCell<String>,
}

impl Progress for Download<'_> {
    fn advance(&self, file: &str, done: u64, total: u64) {
        if *self.file.borrow() != file {
            file.clone_into(&mut self.file.borrow_mut());
            self.terminal.detail(&format!("downloading {file}, {total} bytes"));
            self.bar.reset();
            self.bar.set_message(file.to_owned());
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    fn waiting(&self, file: &str) {
        self.terminal.note(&format!("another process is downloading {file}; waiting for it"));
    }
}
