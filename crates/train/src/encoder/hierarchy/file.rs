//! `hierarchy.json`: which labels lie below which, and of a cascade, what its run is of.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vulnlens_model::labels::TaxonomyFile;

use super::tree::Tree;
use super::{HierarchyForm, HierarchySettings};
use crate::encoder::labels::LabelSpace;
use crate::encoder::state::Identity;
use crate::encoder::train::merged;
use crate::error::TrainError;
use crate::ngram::Description;

/// The version of the file's form.
const VERSION: u32 = 1;
/// Its name.
pub(crate) const NAME: &str = "hierarchy.json";

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HierarchyFile {
    format_version: u32,
    /// `cascade` or `shared`.
    form: String,
    /// The label space.
    labels: String,
    /// The labels that are refined, with those below them.
    children: BTreeMap<String, Vec<String>>,
    /// What the run is of; of a cascade, whose other files are those of its networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<Identity>,
}

impl HierarchyFile {
    pub(crate) fn cascade(tree: &Tree, run: Identity) -> Self {
        let children = tree.refined().map(|(_, parent)| (parent.name.clone(), tree.names(&parent.children)));
        Self {
            format_version: VERSION,
            form: HierarchyForm::Cascade.name().to_owned(),
            labels: tree.flat.labels.name().to_owned(),
            children: children.collect(),
            run: Some(run),
        }
    }

    /// That of a space with outputs that are given others; `None` for other spaces.
    pub(crate) fn shared(space: &LabelSpace) -> Option<Self> {
        let mut children: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (output, name) in space.names.iter().enumerate() {
            for &parent in space.conditions.parents(output) {
                children.entry(space.names[parent].clone()).or_default().push(name.clone());
            }
        }
        let file = Self {
            format_version: VERSION,
            form: HierarchyForm::Shared.name().to_owned(),
            labels: space.labels.name().to_owned(),
            children,
            run: None,
        };
        (!space.conditions.is_empty()).then_some(file)
    }

    /// The file in a folder; `None` where there is none.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, TrainError> {
        let path = folder.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TrainError::io(&path)(error)),
        };
        let file: Self = serde_json::from_slice(&bytes).map_err(|error| {
            TrainError::refused(&path, format!("says of no hierarchy: {error}"), "give another folder")
        })?;
        if file.format_version != VERSION {
            let problem = format!("has format version {}, not {VERSION}", file.format_version);
            return Err(TrainError::refused(&path, problem, "use the version that wrote it"));
        }
        Ok(Some(file))
    }

    /// As it stands on disk.
    pub(crate) fn written(&self) -> Vec<u8> {
        // Maps of texts can always be written.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// Whether a folder holds this shared hierarchy already, whole. One of other settings or data is refused.
pub(crate) fn is_finished_shared(
    folder: &Path,
    tree: &Tree,
    settings: &HierarchySettings,
    about: &Description,
) -> Result<bool, TrainError> {
    if !folder.join("config.json").exists() {
        return Ok(false);
    }
    let expected = HierarchyFile::shared(&tree.whole(&[]));
    let path = folder.join("taxonomy.json");
    let other = |problem: &str| TrainError::refused(folder, problem, "give another folder");
    let bytes = fs::read(&path).map_err(TrainError::io(&path))?;
    let record =
        TaxonomyFile::read(&bytes).map_err(|error| other(&format!("taxonomy.json {error}")))?.provenance;
    // Read back, as the other was: reading may change a number's last bit.
    let all = merged(settings.classifier.to_json(), settings.words());
    let all: Option<Value> = serde_json::from_str(&all.to_string()).ok();
    let is_same = HierarchyFile::read(folder)? == expected
        && Some(record.settings) == all
        && (record.data_sha256.as_str(), record.split.as_str()) == (&about.data_sha256, &about.split);
    if is_same { Ok(true) } else { Err(other("holds a finished model of other settings or data")) }
}
