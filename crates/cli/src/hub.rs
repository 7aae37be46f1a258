//! Models by their Hugging Face ids: the one place where the hub's environment variables are read.

use std::cell::RefCell;

use indicatif::ProgressBar;
use vulnlens_hub::{Hub, HubId, Progress, Settings, Snapshot};

use crate::failure::Failure;
use crate::terminal::{Terminal, harmless};

/// The settings of the hub and its cache that the environment gives.
pub(crate) fn settings() -> Result<Settings, Failure> {
    let settings = Settings::from_variables(|name| std::env::var_os(name), std::env::home_dir());
    Ok(settings?)
}

/// The hub that the environment names.
pub(crate) fn hub() -> Result<Hub, Failure> {
    Ok(Hub::new(settings()?)?)
}

/// The newest files of `id` as a folder.
pub(crate) fn pull(id: &HubId, terminal: &Terminal) -> Result<Snapshot, Failure> {
    let download = Download::new(terminal);
    let snapshot = hub()?.pull(id, &download);
    download.finish();
    Ok(snapshot?)
}

/// Shows a download on the terminal.
pub(crate) struct Download<'t> {
    terminal: &'t Terminal,
    bar: ProgressBar,
    /// The file that comes in.
    file: RefCell<String>,
}

impl<'t> Download<'t> {
    pub(crate) fn new(terminal: &'t Terminal) -> Self {
        let bar = terminal.progress("{spinner} {msg} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
        Self { terminal, bar, file: RefCell::default() }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Download<'_> {
    fn advance(&self, file: &str, done: u64, total: u64) {
        if *self.file.borrow() != file {
            file.clone_into(&mut self.file.borrow_mut());
            self.terminal.detail(&format!("downloading {file}, {total} bytes"));
            self.bar.reset();
            self.bar.set_message(harmless(file).into_owned());
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    fn waiting(&self, file: &str) {
        self.terminal.note(&format!("another process is downloading {file}; waiting for it"));
    }
}
