//! `hierarchy.json`: the labels below each parent, and the identity of a cascade's run.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::encoder::labels::LabelKind;
use crate::encoder::output_space::OutputSpace;
use crate::encoder::run::Identity;
use crate::error::TrainError;

/// The form of a hierarchy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HierarchyForm {
    /// A network for the parents, and one for each parent's labels.
    Cascade,
    /// One network for all.
    Shared,
}

impl HierarchyForm {
    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cascade => "cascade",
            Self::Shared => "shared",
        }
    }
}

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
    /// The identity of the run of a cascade, whose other files are those of its networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<Identity>,
}

impl HierarchyFile {
    /// The file of a cascade: the labels below each refined parent, and the identity of the run.
    pub(crate) fn cascade(labels: LabelKind, children: BTreeMap<String, Vec<String>>, run: Identity) -> Self {
        Self {
            format_version: VERSION,
            form: HierarchyForm::Cascade.name().to_owned(),
            labels: labels.name().to_owned(),
            children,
            run: Some(run),
        }
    }

    /// The file of a network with conditional outputs; `None` for one without.
    pub(crate) fn shared(space: &OutputSpace) -> Option<Self> {
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
            TrainError::refused(
                &path,
                format!("does not describe a hierarchy: {error}"),
                "give another folder",
            )
        })?;
        if file.format_version != VERSION {
            let problem = format!("has format version {}, not {VERSION}", file.format_version);
            return Err(TrainError::refused(&path, problem, "use the version that wrote it"));
        }
        Ok(Some(file))
    }

    /// The bytes of the file.
    pub(crate) fn written(&self) -> Vec<u8> {
        // Maps of texts can always be written.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}
