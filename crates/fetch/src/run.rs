//! The fetch of a source into a folder.

use std::path::Path;

use jiff::Timestamp;
use vulnlens_hub::Network;

use crate::client::Client;
use crate::clock::Clock;
use crate::error::FetchError;
use crate::hosts::Hosts;
use crate::nvd_api::{Api, NvdKey};
use crate::progress::Progress;
use crate::source::Source;
use crate::store::Store;
use crate::summary::Summary;
use crate::{cvelist, nvd_feeds, single};

/// The way to the publishers.
pub struct Fetcher<'a> {
    /// The network.
    pub network: &'a Network,
    /// The addresses that may be asked.
    pub hosts: &'a Hosts,
    /// The time of day, and waiting.
    pub clock: &'a dyn Clock,
    /// The receiver of progress reports.
    pub progress: &'a dyn Progress,
}

/// The way in which NVD's records come.
#[derive(Debug, Clone, Default)]
pub enum NvdBy {
    /// By its feeds.
    #[default]
    Feeds,
    /// By its API, with a key if there is one.
    Api(Option<NvdKey>),
}

impl Fetcher<'_> {
    /// Fetches `source` into `folder`, which is made if it is not there: what changed, and what an earlier fetch that
    /// was ended left out.
    ///
    /// # Errors
    /// No file or a damaged one is ever left under a name of its own; what came before the failure stays and is not
    /// fetched again.
    pub fn fetch(&self, source: Source, nvd: &NvdBy, folder: &Path) -> Result<Summary, FetchError> {
        let client = self.client()?;
        let (mut store, mut summary) = (Store::open(folder, source)?, Summary::default());
        match (source, nvd) {
            (Source::Nvd, NvdBy::Feeds) => nvd_feeds::run(&client, &mut store, &mut summary)?,
            (Source::Nvd, NvdBy::Api(key)) => {
                Api::new(&client, key.as_ref()).run(&mut store, None, &mut summary)?;
            }
            (Source::CveList, _) => cvelist::run(&client, &mut store, &mut summary)?,
            _ => single::run(&client, &mut store, &mut summary)?,
        }
        Ok(summary)
    }

    /// Fetches into an open folder what changed in its source: the feed of the last days, what the API gives since
    /// `since` in a new folder, or the CVE list's changes since the day `day`.
    pub(crate) fn fetch_changes(
        &self,
        store: &mut Store,
        nvd: &NvdBy,
        since: Timestamp,
        day: Option<&str>,
    ) -> Result<Summary, FetchError> {
        let (client, mut summary) = (self.client()?, Summary::default());
        match (store.fetched().source, nvd) {
            (Source::CveList, _) => cvelist::changes(&client, store, day, &mut summary)?,
            (_, NvdBy::Feeds) => nvd_feeds::modified(&client, store, &mut summary)?,
            (_, NvdBy::Api(key)) => Api::new(&client, key.as_ref()).run(store, Some(since), &mut summary)?,
        }
        Ok(summary)
    }

    fn client(&self) -> Result<Client<'_>, FetchError> {
        Client::new(self.network, self.hosts, self.clock, self.progress)
    }
}
