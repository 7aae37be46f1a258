//! The sources that are fetched.

use serde::{Deserialize, Serialize};

/// A source that is fetched into a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// NVD's yearly feeds in the schema 2.0 and the one of the last eight days, or what its API gives.
    Nvd,
    /// The CVE list: the release of midnight, and the changes since.
    CveList,
    /// CWE, CAPEC and ATT&CK.
    Mitre,
    /// CISA's Known Exploited Vulnerabilities.
    Kev,
    /// MITRE ATLAS.
    Atlas,
    /// MITRE D3FEND.
    D3fend,
}

impl Source {
    /// The sources, in the order of their names in help.
    pub const ALL: [Self; 6] = [Self::Nvd, Self::CveList, Self::Mitre, Self::Kev, Self::Atlas, Self::D3fend];

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nvd => "nvd",
            Self::CveList => "cvelist",
            Self::Mitre => "mitre",
            Self::Kev => "kev",
            Self::Atlas => "atlas",
            Self::D3fend => "d3fend",
        }
    }

    /// A line of help.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Nvd => "NVD's yearly feeds (2.0) and the one of the last eight days; or its API, by --api",
            Self::CveList => "The CVE list: the release of midnight, and the changes since",
            Self::Mitre => "CWE, CAPEC and ATT&CK, as `kb build` reads them",
            Self::Kev => "CISA's Known Exploited Vulnerabilities",
            Self::Atlas => "MITRE ATLAS",
            Self::D3fend => "MITRE D3FEND",
        }
    }
}
