//! Checkpoints from folders, packed files and the hub as networks.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vulnlens_encoder::{Checkpoint, Encoder, LoadOptions, Package};
use vulnlens_model::Network;
use vulnlens_model::labels::{TaxonomyFile, TaxonomyFileError};

use crate::combination::{COMBINATION, CombinationFile};
use crate::encoder_network::{EncoderNetwork, Setting, label_outputs};
use crate::error::OpenError;
use crate::open::{ACCURATE, FoundModel, ModelKind, Open};

/// The file beside a checkpoint's that says what its outputs are, and from what it was trained.
const TAXONOMY: &str = "taxonomy.json";
/// The file beside a checkpoint's that says from which score on labels are answered.
const THRESHOLDS: &str = "thresholds.json";
/// Digits of a revision that is shown.
const REVISION_DIGITS: usize = 12;

/// A checkpoint, or a hierarchy of them, in a folder.
#[derive(Debug, Clone)]
pub struct CheckpointFolder {
    path: PathBuf,
    name: String,
    commit: Option<String>,
}

/// An encoder that was opened, with the description of the model that it answers together with, if it does.
pub struct OpenedEncoder {
    network: EncoderNetwork,
    combination: Option<(CombinationFile, PathBuf)>,
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

    /// The same folder, known by another name and of this commit.
    #[must_use]
    pub fn known_as(self, name: &str, commit: Option<&str>) -> Self {
        Self { name: name.to_owned(), commit: commit.map(str::to_owned), ..self }
    }

    /// Opens the checkpoint: as an encoder of CWE sets where its description says so, else for its labels.
    ///
    /// A file `thresholds.json` in the folder says from which score on labels are answered, where that is not 0.5.
    ///
    /// # Errors
    /// A file cannot be used: which, what is wrong, and what to do.
    pub fn open(&self, open: &Open<'_>) -> Result<OpenedEncoder, OpenError> {
        let (pool, options) = (open.pool()?, &open.load);
        let load = || match self.description()? {
            Some((about, file)) if about.outputs_are_cwe_sets => self.sets(about, &file, options),
            about => self.labels(about.map(|(about, _)| about), options),
        };
        let mut opened = pool.as_ref().map_or_else(load, |pool| pool.install(load))?;
        opened.network.compute_on(pool);
        opened.network.parts().flat_map(Encoder::notices).for_each(|notice| open.tell(notice));
        Ok(opened)
    }

    /// Opens the checkpoint for its labels as they are written, whatever they stand for.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_labels(&self, open: &Open<'_>) -> Result<OpenedEncoder, OpenError> {
        let opened = self.labels(self.description()?.map(|(about, _)| about), &open.load)?;
        opened.network.parts().flat_map(Encoder::notices).for_each(|notice| open.tell(notice));
        Ok(opened)
    }

    fn beside(&self, name: &str) -> PathBuf {
        if self.path.is_dir() { self.path.join(name) } else { self.path.with_file_name(name) }
    }

    fn description(&self) -> Result<Option<(TaxonomyFile, PathBuf)>, OpenError> {
        let file = self.beside(TAXONOMY);
        let Some(json) = read_if_there(&file)? else { return Ok(None) };
        match TaxonomyFile::read(&json) {
            Ok(about) => Ok(Some((about, file))),
            Err(problem) => Err(OpenError::Taxonomy { file, problem }),
        }
    }

    fn setting(&self, revision: &str, options: &LoadOptions) -> Setting {
        let revision = shown(self.commit.as_deref().unwrap_or(revision));
        Setting { name: self.name.clone(), revision, cuts: options.window_overlap.is_none() }
    }

    fn sets(
        &self,
        about: TaxonomyFile,
        file: &Path,
        options: &LoadOptions,
    ) -> Result<OpenedEncoder, OpenError> {
        let folder = if self.path.is_dir() { &self.path } else { self.path.parent().unwrap_or(&self.path) };
        let encoder = Encoder::open(folder, options)?;
        let place = self.beside(COMBINATION);
        let combination = read_if_there(&place)?.map(|json| CombinationFile::read(&json, &place));
        let setting = self.setting(encoder.revision(), options);
        OpenedEncoder::of_sets(encoder, about, file, combination.transpose()?.zip(Some(place)), setting)
    }

    fn labels(&self, about: Option<TaxonomyFile>, options: &LoadOptions) -> Result<OpenedEncoder, OpenError> {
        let checkpoint = Checkpoint::open(&self.path, options)?;
        let mut outputs = label_outputs(&checkpoint);
        let file = self.beside(THRESHOLDS);
        if let Some(json) = read_if_there(&file)? {
            let read = outputs.with_thresholds(&json);
            outputs = read.map_err(|problem| OpenError::Thresholds { file, problem })?;
        }
        let setting = self.setting(checkpoint.revision(), options);
        let network = EncoderNetwork::of_labels(checkpoint, outputs, about, setting);
        Ok(OpenedEncoder { network, combination: None })
    }
}

impl OpenedEncoder {
    /// The encoder of CWE sets in a package: one file that [`pack`](vulnlens_encoder::pack) made of a folder. It is
    /// known by the name that it was trained under.
    ///
    /// # Errors
    /// As [`CheckpointFolder::open`]; the package holds a checkpoint of another kind.
    pub fn of_package(package: &Package, open: &Open<'_>) -> Result<Self, OpenError> {
        let file = package.place().join(TAXONOMY);
        let wrong = |problem| OpenError::Taxonomy { file: file.clone(), problem };
        let no_sets = || wrong(TaxonomyFileError::NoSets);
        let about = TaxonomyFile::read(package.file(TAXONOMY).ok_or_else(no_sets)?).map_err(wrong)?;
        if !about.outputs_are_cwe_sets {
            return Err(no_sets());
        }
        let (pool, options) = (open.pool()?, &open.load);
        let load = || Encoder::open_package(package, options);
        let encoder = pool.as_ref().map_or_else(load, |pool| pool.install(load))?;
        let place = package.place().join(COMBINATION);
        let combination = package.file(COMBINATION).map(|json| CombinationFile::read(json, &place));
        let combination = combination.transpose()?.zip(Some(place));
        let (name, revision) = (about.provenance.name.clone(), shown(encoder.revision()));
        let setting = Setting { name, revision, cuts: options.window_overlap.is_none() };
        let mut opened = Self::of_sets(encoder, about, &file, combination, setting)?;
        opened.network.compute_on(pool);
        Ok(opened)
    }

    fn of_sets(
        encoder: Encoder,
        about: TaxonomyFile,
        file: &Path,
        combination: Option<(CombinationFile, PathBuf)>,
        setting: Setting,
    ) -> Result<Self, OpenError> {
        let wrong = |problem| OpenError::Taxonomy { file: file.to_owned(), problem };
        let no_sets = || wrong(TaxonomyFileError::NoSets);
        let sets = about.sets(encoder.labels()).map_err(wrong)?.ok_or_else(no_sets)?;
        Ok(Self { network: EncoderNetwork::of_sets(encoder, sets, about, setting), combination })
    }

    /// The encoder by itself.
    #[must_use]
    pub fn encoder(&self) -> &EncoderNetwork {
        &self.network
    }

    /// The way in which it answers together with the embedded n-gram model, if it does.
    #[must_use]
    pub fn combination(&self) -> Option<&CombinationFile> {
        self.combination.as_ref().map(|(file, _)| file)
    }

    /// The network that answers: the encoder, together with the embedded n-gram model where its description says so.
    ///
    /// # Errors
    /// The description is for another n-gram model than the embedded one.
    pub fn into_network(self) -> Result<Arc<dyn Network>, OpenError> {
        match self.combination {
            None => Ok(Arc::new(self.network)),
            Some((file, place)) => file.combine(self.network, &place),
        }
    }
}

/// The part of a revision that is shown.
fn shown(revision: &str) -> String {
    revision.chars().take(REVISION_DIGITS).collect()
}

fn read_if_there(file: &Path) -> Result<Option<Vec<u8>>, OpenError> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::io(file)(error)),
    }
}
