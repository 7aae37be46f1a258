//! Checkpoints from folders, packed files and the hub as networks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vulnlens_encoder::{Checkpoint, Encoder, LoadOptions, Package};
use vulnlens_files::names::{CONFIG, THRESHOLDS};
use vulnlens_files::{read_if_there, revision};
use vulnlens_model::{Combined, Head, HeadOutputs, Header, Network, Partner};

use crate::encoder_network::{EncoderNetwork, Setting, label_outputs};
use crate::error::OpenError;
use crate::naming;
use crate::open::{ACCURATE, FoundModel, LARGEST, ModelKind, Open};

/// A checkpoint, or a hierarchy of them, in a folder.
#[derive(Debug, Clone)]
pub struct CheckpointFolder {
    path: PathBuf,
    name: String,
    commit: Option<String>,
}

/// An encoder that was opened, not yet together with the model that it answers with.
pub struct OpenedEncoder {
    network: EncoderNetwork,
    /// The file that describes it.
    place: PathBuf,
}

/// Finds a checkpoint of a kind that [`ModelKind::of`] told.
pub(crate) fn find(name: &str, kind: ModelKind, open: &Open<'_>) -> Result<FoundModel, OpenError> {
    let path = Path::new(name);
    match kind {
        ModelKind::Accurate => accurate().map(FoundModel::Package),
        ModelKind::Package => Ok(FoundModel::Package(Package::read(path)?)),
        ModelKind::Hub => from_hub(name, open).map(FoundModel::Folder),
        ModelKind::Folder | ModelKind::Ngram => Ok(FoundModel::Folder(CheckpointFolder::at(path))),
    }
}

#[cfg(feature = "accurate")]
fn accurate() -> Result<Package, OpenError> {
    let bytes = std::borrow::Cow::Borrowed(crate::embedded::ACCURATE_MODEL);
    Ok(Package::from_bytes(bytes, Path::new(ACCURATE))?)
}

#[cfg(not(feature = "accurate"))]
fn accurate() -> Result<Package, OpenError> {
    let (what, feature) = ("embedded encoder", "accurate");
    Err(OpenError::NotBuilt { name: ACCURATE.to_owned(), what, feature })
}

#[cfg(feature = "hub")]
fn from_hub(name: &str, open: &Open<'_>) -> Result<CheckpointFolder, OpenError> {
    let (Some((hub, progress)), Ok(id)) = (open.hub, name.parse::<vulnlens_hub::HubId>()) else {
        return Err(OpenError::NoSuchModel(name.to_owned()));
    };
    let snapshot = hub.resolve(&id, progress)?;
    let commit = Some(snapshot.commit.as_str().to_owned());
    Ok(CheckpointFolder { path: snapshot.folder, name: id.repo.as_str().to_owned(), commit })
}

#[cfg(not(feature = "hub"))]
fn from_hub(name: &str, _: &Open<'_>) -> Result<CheckpointFolder, OpenError> {
    Err(OpenError::NoSuchModel(name.to_owned()))
}

impl CheckpointFolder {
    /// The checkpoint in a folder, or the one that a file belongs to, known by the folder's name.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        let folder = if path.is_dir() { Some(path) } else { path.parent() };
        let whole = folder.and_then(|folder| std::path::absolute(folder).ok());
        let name = whole.as_deref().and_then(Path::file_name);
        let name =
            name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        Self { path: path.to_owned(), name, commit: None }
    }

    /// The folder, or a file in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the checkpoint: as an encoder of CWE sets where its description says so, else for its labels.
    ///
    /// The thresholds of labels are those of the description or, beside a checkpoint that was published by others, of
    /// a file `thresholds.json`; 0.5 where neither gives one.
    ///
    /// # Errors
    /// A file cannot be used: which, what is wrong, and what to do. So are labels that do not say what they stand for.
    pub fn open(&self, open: &Open<'_>) -> Result<OpenedEncoder, OpenError> {
        let opened = self.open_unchecked(open)?;
        match opened.network.outputs().labels() {
            // What training called otherwise than an id, it meant so.
            Some(outputs) if opened.network.header().is_none() => {
                naming::check(outputs, open, &self.beside(CONFIG))?;
            }
            Some(_) => {}
            None => naming::tell_unused(open, &opened.network),
        }
        Ok(opened)
    }

    /// Opens the checkpoint, whether or not its labels say what they stand for.
    pub(crate) fn open_unchecked(&self, open: &Open<'_>) -> Result<OpenedEncoder, OpenError> {
        let (pool, options) = (open.pool()?, &open.load);
        let header = self.header()?;
        let load = move || match header {
            Some(header) if header.cwe_head().is_some() => self.sets(header, options),
            header => self.labels(header, options),
        };
        let mut opened = match &pool {
            None => load(),
            Some(pool) => pool.install(load),
        }?;
        opened.network.compute_on(pool);
        opened.network.notices().for_each(|notice| open.tell(notice));
        opened.network.name_labels(|outputs| naming::named(outputs, open, &self.beside(CONFIG)))?;
        Ok(opened)
    }

    /// Opens the checkpoint for its labels as they are written, whatever they stand for.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_labels(&self, open: &Open<'_>) -> Result<OpenedEncoder, OpenError> {
        let opened = self.labels(self.header()?, &open.load)?;
        opened.network.notices().for_each(|notice| open.tell(notice));
        Ok(opened)
    }

    /// The description that training left in the folder; `None` for a checkpoint that was published by others.
    ///
    /// # Errors
    /// It cannot be read, or is not one of this version.
    pub fn header(&self) -> Result<Option<Header>, OpenError> {
        let file = self.beside(Header::FILE);
        let json = read_if_there(&file, LARGEST).map_err(OpenError::unreadable)?;
        let header = json.map(|json| Header::read(&json)).transpose();
        header.map_err(|problem| OpenError::Header { file, problem })
    }

    /// The path of a file in the folder.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        if self.path.is_dir() { self.path.join(name) } else { self.path.with_file_name(name) }
    }

    fn setting(&self, options: &LoadOptions) -> Result<Setting, OpenError> {
        let revision = match &self.commit {
            Some(commit) => revision(commit).to_owned(),
            None => vulnlens_encoder::revision(&self.path)?,
        };
        Ok(Setting { name: self.name.clone(), revision, cuts: options.window_overlap.is_none() })
    }

    fn sets(&self, header: Header, options: &LoadOptions) -> Result<OpenedEncoder, OpenError> {
        let folder = if self.path.is_dir() { &self.path } else { self.path.parent().unwrap_or(&self.path) };
        let encoder = Encoder::open(folder, options)?;
        let setting = self.setting(options)?;
        OpenedEncoder::of_sets(encoder, header, self.beside(Header::FILE), setting)
    }

    fn labels(&self, header: Option<Header>, options: &LoadOptions) -> Result<OpenedEncoder, OpenError> {
        let checkpoint = Checkpoint::open(&self.path, options)?;
        let mut outputs = label_outputs(&checkpoint);
        let (file, json) = self.thresholds(header.as_ref())?;
        if let Some(json) = json {
            let read = outputs.with_thresholds(&json);
            outputs = read.map_err(|problem| OpenError::Thresholds { file: file.clone(), problem })?;
        }
        let setting = self.setting(options)?;
        let network = EncoderNetwork::of_labels(checkpoint, outputs, header, setting);
        Ok(OpenedEncoder { network, place: file })
    }

    /// The thresholds of labels as JSON, if there are any, and the file that they stand in.
    fn thresholds(&self, header: Option<&Header>) -> Result<(PathBuf, Option<Vec<u8>>), OpenError> {
        let is_labels = |head: &&Head| matches!(head.outputs, HeadOutputs::Labels { .. });
        let Some(header) = header else {
            let file = self.beside(THRESHOLDS);
            let json = read_if_there(&file, LARGEST).map_err(OpenError::unreadable)?;
            return Ok((file, json));
        };
        let file = self.beside(Header::FILE);
        let head = header.heads.iter().find(is_labels).filter(|head| !head.thresholds.is_empty());
        let json = head.map(|head| serde_json::to_vec(&head.thresholds)).transpose();
        let json =
            json.map_err(|error| OpenError::Misfit { file: file.clone(), problem: error.to_string() })?;
        Ok((file, json))
    }
}

impl OpenedEncoder {
    /// The encoder of CWE sets in a package: one file that [`pack`](vulnlens_encoder::pack) made of a folder. It is
    /// known by the name that it was trained under.
    ///
    /// # Errors
    /// As [`CheckpointFolder::open`]; the package holds a checkpoint of another kind.
    pub fn of_package(package: &Package, open: &Open<'_>) -> Result<Self, OpenError> {
        let place = package.place().to_owned();
        let header = Header::read(package.model().get().as_bytes());
        let header = header.map_err(|problem| OpenError::Header { file: place.clone(), problem })?;
        let (pool, options) = (open.pool()?, &open.load);
        let load = || Encoder::open_package(package, options);
        let encoder = pool.as_ref().map_or_else(load, |pool| pool.install(load))?;
        let (name, revision) = (header.name.clone(), package.revision().to_owned());
        let setting = Setting { name, revision, cuts: options.window_overlap.is_none() };
        let mut opened = Self::of_sets(encoder, header, place, setting)?;
        opened.network.compute_on(pool);
        Ok(opened)
    }

    fn of_sets(
        encoder: Encoder,
        header: Header,
        place: PathBuf,
        setting: Setting,
    ) -> Result<Self, OpenError> {
        let no_sets = || OpenError::Misfit {
            file: place.clone(),
            problem: "its outputs are not CWE sets, and only such models are packed; give the folder instead"
                .into(),
        };
        let sets = header.cwe_head().ok_or_else(no_sets)?.cwe_sets(encoder.labels());
        let sets = sets.map_err(|problem| OpenError::Header { file: place.clone(), problem })?;
        let sets = sets.ok_or_else(no_sets)?;
        if sets.sets.len() != encoder.labels().len() {
            let problem = format!(
                "lists {} CWE sets, and the network has {} outputs",
                sets.sets.len(),
                encoder.labels().len()
            );
            return Err(OpenError::Misfit { file: place, problem });
        }
        Ok(Self { network: EncoderNetwork::of_sets(encoder, sets, header, setting), place })
    }

    /// The encoder by itself.
    #[must_use]
    pub fn encoder(&self) -> &EncoderNetwork {
        &self.network
    }

    /// The way in which it answers together with the embedded n-gram model, if it does.
    #[must_use]
    pub fn partner(&self) -> Option<&Partner> {
        self.network.header().and_then(|header| header.combined_with.as_ref())
    }

    /// The network that answers: the encoder, together with the embedded n-gram model where its description says so.
    ///
    /// # Errors
    /// The description is for another n-gram model than the embedded one.
    pub fn into_network(self) -> Result<Arc<dyn Network>, OpenError> {
        let wrong = |problem: String| OpenError::Misfit { file: self.place.clone(), problem };
        let Some(partner) = self.partner().cloned() else { return Ok(Arc::new(self.network)) };
        let ngram = crate::embedded_model();
        if ngram.revision() != partner.revision {
            return Err(wrong(format!(
                "is combined with the n-gram model {} {}, and this program carries {}: run `model combine` again",
                partner.name,
                partner.revision,
                ngram.revision()
            )));
        }
        let not_sets = wrong("is combined, and its outputs are not CWE sets".to_owned());
        let networks: [Arc<dyn Network>; 2] = [Arc::new(self.network), Arc::new(ngram)];
        let combined = Combined::new(networks, partner.combination, partner.temperature, partner.rules);
        combined.map(|combined| Arc::new(combined) as Arc<dyn Network>).ok_or(not_sets)
    }
}
