//! The network, the addresses and the key of `data fetch` and `watch`, and the progress that these show.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{HumanBytes, ProgressBar};
use vulnlens_fetch::{Fetcher, Hosts, NvdBy, NvdKey, Progress, SystemClock};
use vulnlens_hub::Network;

use crate::failure::{Failure, Kind};
use crate::terminal::{Terminal, harmless};

/// The variable that holds the key to NVD's API.
const KEY: &str = "NVD_API_KEY";
/// The words that NVD asks users of its API to show.
const NVD_NOTICE: &str = "This product uses the NVD API but is not endorsed or certified by the NVD.";

/// Arguments about the publishers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Publishers")]
pub(crate) struct PublisherArguments {
    /// Ask NVD's API instead of its feeds: slower, and up to the minute; the variable NVD_API_KEY may hold a key, which
    /// makes it ten times as fast
    #[arg(long)]
    api: bool,

    /// Other addresses than those that ship, such as mirrors: lines `key = "https://…"` with the keys that
    /// docs/fetch.md lists
    #[arg(long, value_name = "FILE")]
    hosts: Option<PathBuf>,
}

/// The way to the publishers, as the arguments and the environment describe it.
pub(crate) struct Publishers {
    network: Network,
    hosts: Hosts,
    pub(crate) nvd: NvdBy,
}

impl PublisherArguments {
    /// The way to the publishers.
    pub(crate) fn publishers(&self, terminal: &Terminal) -> Result<Publishers, Failure> {
        let hosts = self.hosts.as_deref().map_or_else(|| Ok(Hosts::default()), Hosts::with_file)?;
        let network = Network::from_variables(|name| std::env::var_os(name), std::env::home_dir())?;
        let nvd = if self.api {
            terminal.note(NVD_NOTICE);
            NvdBy::Api(key()?)
        } else {
            NvdBy::Feeds
        };
        Ok(Publishers { network, hosts, nvd })
    }

    /// True if NVD's API is asked for.
    pub(crate) fn asks_api(&self) -> bool {
        self.api
    }
}

impl Publishers {
    /// The fetcher that tells of its progress to `progress`.
    pub(crate) fn fetcher<'a>(&'a self, progress: &'a dyn Progress) -> Fetcher<'a> {
        Fetcher { network: &self.network, hosts: &self.hosts, clock: &SystemClock, progress }
    }
}

/// The key to NVD's API that the environment has.
fn key() -> Result<Option<NvdKey>, Failure> {
    let Some(value) = std::env::var_os(KEY).filter(|value| !value.is_empty()) else { return Ok(None) };
    let key = value.to_str().and_then(NvdKey::new);
    let failure =
        || Failure::new(Kind::Arguments, format!("{KEY}: is not a key")).hint("unset it, or set a key");
    key.map(Some).ok_or_else(failure)
}

/// Shows a fetch on the terminal.
pub(crate) struct Shown<'t> {
    terminal: &'t Terminal,
    bar: ProgressBar,
    /// The file that comes in.
    file: RefCell<String>,
}

impl<'t> Shown<'t> {
    pub(crate) fn new(terminal: &'t Terminal) -> Self {
        Self { terminal, bar: terminal.progress("{spinner} {msg}, {elapsed}"), file: RefCell::default() }
    }

    /// Takes the progress off the terminal.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Shown<'_> {
    fn advance(&self, file: &str, done: u64, total: Option<u64>) {
        if *self.file.borrow() != file {
            file.clone_into(&mut self.file.borrow_mut());
            self.terminal.detail(&format!("fetching {file}"));
            self.bar.reset_elapsed();
        }
        if !self.bar.is_hidden() {
            let of = total.map(|total| format!(" of {}", HumanBytes(total))).unwrap_or_default();
            self.bar.set_message(format!("{} {}{of}", harmless(file), HumanBytes(done)));
        }
    }

    fn records(&self, window: &str, done: u64, total: u64) {
        self.bar.set_message(format!("changes of {window}: {done} of {total} records"));
    }

    fn waiting(&self, reason: &str, time: Duration) {
        self.terminal.detail(&format!("{reason}; asked again in {} s", time.as_secs()));
    }

    fn note(&self, text: &str) {
        self.terminal.note(text);
    }
}
