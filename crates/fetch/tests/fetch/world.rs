//! A publisher, a folder and a clock that takes no time.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use vulnlens_fetch::{Clock, FetchError, Fetcher, Hosts, NvdBy, Progress, Source, Summary};
use vulnlens_hub::Network;

use crate::site::{Site, hosts};

/// A clock that moves when somebody waits.
pub(crate) struct StillClock {
    now: RefCell<Timestamp>,
    /// The waits, in seconds.
    pub(crate) waits: RefCell<Vec<u64>>,
}

impl StillClock {
    fn new() -> Self {
        Self { now: RefCell::new("2024-03-10T12:00:00Z".parse().unwrap()), waits: RefCell::default() }
    }

    pub(crate) fn advance(&self, time: Duration) {
        let now = *self.now.borrow();
        *self.now.borrow_mut() = now + time;
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn wait(&self, time: Duration) {
        self.waits.borrow_mut().push(time.as_secs());
        self.advance(time);
    }
}

/// Keeps what is told.
#[derive(Default)]
pub(crate) struct Told(pub(crate) RefCell<Vec<String>>);

impl Progress for Told {
    fn note(&self, text: &str) {
        self.0.borrow_mut().push(text.to_owned());
    }
}

/// A publisher, a folder to fetch into, and the way between them.
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) folder: TempDir,
    pub(crate) clock: StillClock,
    pub(crate) network: Network,
    pub(crate) told: Told,
    pub(crate) hosts: Hosts,
}

impl World {
    pub(crate) fn new() -> Self {
        let site = Site::start();
        let mut network = Network::default();
        network.timeouts.stall = Duration::from_millis(300);
        network.timeouts.response = Duration::from_millis(2000);
        let folder = tempfile::tempdir().unwrap();
        let hosts = table(&hosts(&site.server.url()));
        Self { site, folder, clock: StillClock::new(), network, told: Told::default(), hosts }
    }

    pub(crate) fn fetcher(&self) -> Fetcher<'_> {
        Fetcher { network: &self.network, hosts: &self.hosts, clock: &self.clock, progress: &self.told }
    }

    /// The folder that is fetched into.
    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    pub(crate) fn fetch(&self, source: Source) -> Result<Summary, FetchError> {
        self.fetcher().fetch(source, &NvdBy::Feeds, &self.out())
    }

    /// The bytes of a file that was fetched.
    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.out().join(name)).unwrap()
    }

    /// The names in the folder, sorted; without the lock.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.out())
    }

    pub(crate) fn waits(&self) -> Vec<u64> {
        self.clock.waits.take()
    }
}

/// The names in a folder, sorted; without the lock.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter(|name| name != ".fetch.lock").collect();
    names.sort_unstable();
    names
}

/// The table that ships with the keys of `text` replaced.
pub(crate) fn table(text: &str) -> Hosts {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    Hosts::with_file(file.path()).unwrap()
}
