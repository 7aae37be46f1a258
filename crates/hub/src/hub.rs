//! From an id to a folder.

use std::path::PathBuf;

use crate::cache::RepoCache;
use crate::client::{Client, Listing};
use crate::contents;
use crate::download::Download;
use crate::error::HubError;
use crate::files::{self, Lack};
use crate::id::{Commit, HubId};
use crate::lock;
use crate::metadata::Etag;
use crate::progress::Progress;
use crate::settings::Settings;

/// A hub and the cache of what came from it.
#[derive(Debug)]
pub struct Hub {
    settings: Settings,
    client: Client,
}

/// The files of a repository at a commit, as a local folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The folder, `<cache>/models--ORG--NAME/snapshots/<commit>`.
    pub folder: PathBuf,
    /// The commit.
    pub commit: Commit,
    /// The number of bytes that came over the network for it: 0 when all was in the cache.
    pub fetched: u64,
}

impl Hub {
    /// A hub under `settings`; asks nothing yet.
    ///
    /// # Errors
    /// When the file of root certificates cannot be used.
    pub fn new(settings: Settings) -> Result<Self, HubError> {
        let client = Client::new(&settings)?;
        Ok(Self { settings, client })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The folder of `id` as the cache has it, without asking the network.
    ///
    /// A branch means the commit that it was at when somebody last downloaded it. The snapshot has to be whole:
    /// configuration, weights with all their shards, and a tokenizer.
    ///
    /// # Errors
    /// [`HubError::NotCached`] with what is missing; [`HubError::Disk`].
    pub fn cached(&self, id: &HubId) -> Result<Snapshot, HubError> {
        let cache = self.repo(id);
        let Some(commit) = cache.commit(&id.revision) else { return Err(not_cached(id, &cache, Vec::new())) };
        let folder = cache.snapshot(&commit);
        match contents::lacking(&folder)? {
            Some(lacking) if lacking.is_empty() => Ok(Snapshot { folder, commit, fetched: 0 }),
            lacking => Err(not_cached(id, &cache, lacking.unwrap_or_default())),
        }
    }

    /// The folder of `id`: from the cache if it is whole there, else from the hub.
    ///
    /// # Errors
    /// [`HubError::NotCached`] when offline; else as [`Hub::pull`].
    pub fn resolve(&self, id: &HubId, progress: &dyn Progress) -> Result<Snapshot, HubError> {
        match self.cached(id) {
            Err(HubError::NotCached { .. }) if !self.settings.offline => self.pull(id, progress),
            result => result,
        }
    }

    /// The folder of `id` at the newest commit of its revision, which the hub is asked for; only files that the
    /// cache lacks are downloaded.
    ///
    /// # Errors
    /// Everything in [`HubError`]; [`HubError::NotCached`] when offline and the cache does not have it.
    pub fn pull(&self, id: &HubId, progress: &dyn Progress) -> Result<Snapshot, HubError> {
        if self.settings.offline {
            return self.cached(id);
        }
        let Listing { commit, files } = self.client.listing(id)?;
        let selected = files::select(files.iter().map(String::as_str)).map_err(|lack| unusable(id, lack))?;
        let cache = self.repo(id);
        let folder = cache.snapshot(&commit);
        let mut fetched = 0;
        let mut arrived = Vec::new();
        for file in selected.iter().filter(|file| !folder.join(file).is_file()) {
            let (etag, bytes) = self.fetch(id, &commit, file, &cache, progress)?;
            fetched += bytes;
            arrived.push((file, etag));
        }
        for (file, etag) in arrived {
            cache.link(&commit, file, &etag)?;
        }
        let missing = contents::missing_shards(&folder, &selected);
        if !missing.is_empty() {
            return Err(HubError::MissingShards { id: id.clone(), missing });
        }
        cache.record(&id.revision, &commit)?;
        Ok(Snapshot { folder, commit, fetched })
    }

    fn repo(&self, id: &HubId) -> RepoCache {
        RepoCache::new(&self.settings.cache, &id.repo)
    }

    /// Makes sure that the blob of `file` is in the cache; returns its name and how many bytes came over the
    /// network.
    fn fetch(
        &self,
        id: &HubId,
        commit: &Commit,
        file: &str,
        cache: &RepoCache,
        progress: &dyn Progress,
    ) -> Result<(Etag, u64), HubError> {
        let client = &self.client;
        let metadata = client.metadata(id, commit, file)?;
        let blob = cache.blob(&metadata.etag);
        let _lock = lock::acquire(&cache.lock(&metadata.etag), || progress.waiting(file))?;
        let download = Download { client, id, commit, file, metadata: &metadata, blob: &blob, progress };
        let fetched = download.run()?;
        Ok((metadata.etag, fetched))
    }
}

fn not_cached(id: &HubId, cache: &RepoCache, missing: Vec<String>) -> HubError {
    HubError::NotCached { id: id.clone(), folder: cache.folder().to_owned(), missing }
}

fn unusable(id: &HubId, lack: Lack) -> HubError {
    let id = id.clone();
    match lack {
        Lack::Config(folder) => HubError::NoConfig { id, folder },
        Lack::Weights(folder, found) => HubError::NoWeights { id, folder, found },
    }
}
