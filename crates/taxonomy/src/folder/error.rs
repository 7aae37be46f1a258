//! Notes for the user of a folder of official files, and the reasons why one gives no knowledge base.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use vulnlens_files::{Classified, ErrorKind, FileError};

use crate::builder::BuildError;
use crate::compiled::KbFormatError;
use crate::error::{ParseError, ParseIssue};

/// The name of ATT&CK's release where a folder of files does not say it.
pub(super) const UNSTATED: &str = "unstated";

/// A fact about files that their user should know.
#[derive(Debug)]
#[non_exhaustive]
pub enum FolderNote {
    /// Other releases of a catalogue are in the folder, too.
    OlderReleases {
        /// The newest, which is taken.
        taken: PathBuf,
        /// The number of the others.
        others: usize,
    },
    /// Entries or fields of a file were left out.
    LeftOut {
        /// The file.
        file: PathBuf,
        /// The reasons, one for each.
        issues: Vec<ParseIssue>,
    },
    /// A file does not say its release, and its name does.
    ReleaseByName {
        /// The file or folder.
        file: PathBuf,
        /// The release.
        release: String,
    },
    /// ATT&CK's bundles do not say their release.
    UnstatedAttackVersion {
        /// The folder.
        folder: PathBuf,
    },
}

impl fmt::Display for FolderNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OlderReleases { taken, others } => {
                write!(f, "{}: taken, {others} other releases in the folder are not", taken.display())
            }
            Self::LeftOut { file, issues } => {
                write!(f, "{}: {} entries or fields were left out", file.display(), issues.len())
            }
            Self::ReleaseByName { file, release } => {
                write!(f, "{}: taken as release {release}, by its name", file.display())
            }
            Self::UnstatedAttackVersion { folder } => write!(
                f,
                "{}: ATT&CK's bundles do not say their release; answers call it \"{UNSTATED}\"",
                folder.display()
            ),
        }
    }
}

/// A file or a folder that does not give a knowledge base.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file or the folder cannot be read.
    #[error(transparent)]
    Read(#[from] FileError),
    /// A folder in place of a file.
    #[error("{}: is a folder; give {wanted}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The file that is wanted, and where it is.
        wanted: &'static str,
    },
    /// A file is not the catalogue that it should be.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A compiled knowledge base cannot be used.
    #[error("{}: {source}", path.display())]
    Compiled {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: KbFormatError,
    },
    /// The files do not make a knowledge base.
    #[error("{}: {source}", folder.display())]
    Build {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        source: BuildError,
    },
}

impl Classified for FolderError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        let needed = "the folder needs CWE's XML (cwec_*.xml or .xml.zip) or REST API (cwe-*api*.zip), CAPEC's STIX bundle or XML \
                      (*capec*.json, .json.gz or .xml) and ATT&CK's bundles (enterprise-attack.json …)";
        let Self::Build { source, .. } = self else { return None };
        Some(source.hint().unwrap_or(needed.into()))
    }
}
