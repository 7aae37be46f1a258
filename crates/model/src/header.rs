//! The description of a model: its heads, versions, rules and origin. It is the one form of what a model file says of
//! itself: the metadata of an n-gram file and of a packed encoder, and the file `vulnlens.json` of a trained folder.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use vulnlens_files::{Classified, ErrorKind};
use vulnlens_taxonomy::{CweId, Outcome};
use vulnlens_text::{NORMALISER, collapsed, normalise};

use crate::combination::Combination;
use crate::curated::CuratedOutputs;
use crate::decode::{DecisionRule, SpaceKind};
use crate::outputs::CweSets;
use crate::provenance::{Provenance, TaxonomyVersions};
use crate::severity::SeverityOutputs;
use crate::task::Task;

/// The newest version of the description that this library writes and reads.
pub const FORMAT_VERSION: u32 = 2;

/// The feature scheme of [`crate::ngram::text`]; a model made with another one cannot be read.
pub const FEATURES: &str = "words-pairs-pieces4/1";

/// The kinds of networks in files of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NetworkKind {
    /// Hashed n-grams and one hidden layer.
    Ngram,
    /// A transformer encoder.
    Encoder,
}

/// The description of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The form of the description.
    pub format_version: u32,
    /// The kind of network.
    pub kind: NetworkKind,
    /// The model's name, as predictions state it.
    pub name: String,
    /// The heads: groups of outputs that answer tasks together.
    pub heads: Vec<Head>,
    /// The years that the model reads; none if a record's year changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub years: Option<Years>,
    /// The version of the normaliser that texts went through, in training and therefore in answering; none if the model
    /// reads texts as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normaliser: Option<u32>,
    /// Catalogue versions at training time.
    pub taxonomies: TaxonomyVersions,
    /// The origin of the model.
    pub provenance: Provenance,
    /// The shape of an n-gram network; an encoder's stands in its `config.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ngram: Option<NgramShape>,
    /// The model that it answers together with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combined_with: Option<Partner>,
}

/// A head: outputs, and the way from their scores to answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The tasks that it answers.
    pub tasks: Vec<Task>,
    /// The outputs.
    pub outputs: HeadOutputs,
    /// The divisor of the logits; fitted on validation.
    pub temperature: f32,
    /// The rules that say which labels are answered, for each label space; of CWE sets.
    pub rules: BTreeMap<SpaceKind, DecisionRule>,
    /// The scores from which labels are answered, where that is not 0.5; of labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, f32>,
    /// The data that temperature, rules and thresholds were fitted on.
    pub fitted_on: String,
}

/// The outputs of a head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum HeadOutputs {
    /// Sets of CWE ids, one of which applies.
    CweSets {
        /// The sets, in the order of the outputs; left out where `config.json` lists them (`CWE-122+CWE-787`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sets: Option<Vec<Vec<CweId>>>,
        /// The outcomes that are not weaknesses, which stand behind the sets. Their names in `config.json` are those
        /// that outputs have: `not-a-vulnerability`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        outcomes: Vec<Outcome>,
        /// Weaknesses of the sets that no record of the training part has: the catalogue alone taught them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        catalogue_only: Vec<CweId>,
    },
    /// Techniques as analysts assign them; the head's `thresholds` are by technique.
    Curated(CuratedOutputs),
    /// Base vectors of CVSS.
    Severity(SeverityOutputs),
    /// Labels, which `config.json` lists.
    Labels {
        /// The label space, by the name that training calls it.
        space: String,
    },
}

/// The years that a model tells apart. Records of earlier years count as the oldest; later ones and those without a year
/// as the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Years {
    /// The oldest; none if all earlier years are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<u16>,
    /// The newest.
    pub newest: u16,
}

/// The shape of an n-gram network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NgramShape {
    /// The feature scheme.
    pub features: String,
    /// Width of the hidden layer.
    pub dimensions: usize,
}

/// The model that an encoder answers together with, and the way in which both become one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partner {
    /// The partner's name.
    pub name: String,
    /// The revision of its file.
    pub revision: String,
    /// The mean, and the weight of the model that this description is of.
    #[serde(flatten)]
    pub combination: Combination,
    /// The divisor of the combined logits; either model's own temperature comes before.
    pub temperature: f32,
    /// The rules that say which labels are answered, for each label space.
    pub rules: BTreeMap<SpaceKind, DecisionRule>,
    /// The data that all this was fitted on, and the model that stood in for the partner.
    pub fitted_on: String,
}

/// A description that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// JSON of another form.
    #[error("not a description of a model: {0}")]
    Form(String),
    /// Written by another version.
    #[error("the description has version {found}, this version reads {FORMAT_VERSION}; {}", remedy(*.found))]
    Version {
        /// The version of the description.
        found: u64,
    },
    /// A field that contradicts the others.
    #[error("field {field:?} of the description: {problem}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// The problem with it.
        problem: String,
    },
}

impl Classified for HeaderError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }
}

fn remedy(found: u64) -> &'static str {
    if found > u64::from(FORMAT_VERSION) {
        "upgrade vulnlens"
    } else {
        "make the model again with this version"
    }
}

impl Header {
    /// The name of the description's file in a folder.
    pub const FILE: &str = "vulnlens.json";

    /// Reads a description and checks it.
    ///
    /// # Errors
    /// It is of another form or version, or contradicts itself.
    pub fn read(json: &[u8]) -> Result<Self, HeaderError> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u64,
        }
        let form = |error: serde_json::Error| HeaderError::Form(error.to_string());
        let header = serde_json::from_slice::<Self>(json);
        // The version before all else that is wrong: another one may have other fields.
        let found = match &header {
            Ok(header) => u64::from(header.format_version),
            Err(_) => serde_json::from_slice::<Version>(json).map_err(form)?.format_version,
        };
        if found != u64::from(FORMAT_VERSION) {
            return Err(HeaderError::Version { found });
        }
        let header = header.map_err(form)?;
        header.check()?;
        Ok(header)
    }

    /// The first head of CWE sets.
    #[must_use]
    pub fn cwe_head(&self) -> Option<&Head> {
        self.heads.iter().find(|head| matches!(head.outputs, HeadOutputs::CweSets { .. }))
    }

    /// The first head of CWE sets, to be changed.
    pub fn cwe_head_mut(&mut self) -> Option<&mut Head> {
        self.heads.iter_mut().find(|head| matches!(head.outputs, HeadOutputs::CweSets { .. }))
    }

    /// The head of curated techniques.
    #[must_use]
    pub fn curated_head(&self) -> Option<&Head> {
        self.heads.iter().find(|head| matches!(head.outputs, HeadOutputs::Curated(_)))
    }

    /// The head of severities.
    #[must_use]
    pub fn severity_head(&self) -> Option<&Head> {
        self.heads.iter().find(|head| matches!(head.outputs, HeadOutputs::Severity(_)))
    }

    /// A text as the model reads it, by the normaliser that it learnt with.
    #[must_use]
    pub fn normalised<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.normaliser == Some(NORMALISER) { normalise(text) } else { Cow::Borrowed(text) }
    }

    /// A text as an encoder reads it: normalised, and behind its year, if it reads years.
    #[must_use]
    pub fn text(&self, text: &str, year: Option<u16>) -> String {
        let text = match self.normalised(text) {
            Cow::Borrowed(text) if self.normaliser.is_none() => text.to_owned(),
            // What was taken out leaves nothing behind: places do not matter to an encoder.
            text => collapsed(&text),
        };
        match self.years {
            Some(Years { newest, .. }) => format!("{} {text}", year.unwrap_or(newest).min(newest)),
            None => text,
        }
    }
}

impl Head {
    /// The tasks of a head of CWE sets: all that the chain leads to.
    pub const CHAIN: [Task; 3] = [Task::Cwe, Task::Capec, Task::Attack];

    /// The head's outputs as a network has them, given the labels of `config.json` if the head lists no sets itself;
    /// `None` for a head of labels.
    ///
    /// # Errors
    /// A label names no set, or one that another label names.
    pub fn cwe_sets(&self, labels: &[String]) -> Result<Option<CweSets>, HeaderError> {
        let HeadOutputs::CweSets { sets, outcomes, catalogue_only } = &self.outputs else { return Ok(None) };
        let mut sets = match sets {
            Some(sets) => sets.clone(),
            None => sets_of(labels_of_sets(labels, outcomes)?)?,
        };
        sets.extend(outcomes.iter().map(|_| vec![]));
        Ok(Some(CweSets {
            sets,
            outcomes: outcomes.clone(),
            catalogue_only: catalogue_only.clone(),
            temperature: self.temperature,
            rules: self.rules.clone(),
        }))
    }
}

impl Head {
    /// The outputs of a head of curated techniques.
    pub(crate) fn curated(&self) -> Option<&CuratedOutputs> {
        match &self.outputs {
            HeadOutputs::Curated(outputs) => Some(outputs),
            _ => None,
        }
    }

    /// The outputs of a head of severities.
    pub(crate) fn severity(&self) -> Option<&SeverityOutputs> {
        match &self.outputs {
            HeadOutputs::Severity(outputs) => Some(outputs),
            _ => None,
        }
    }
}

/// The labels that name CWE sets: those before the outcomes' names, which must be the last.
fn labels_of_sets<'l>(labels: &'l [String], outcomes: &[Outcome]) -> Result<&'l [String], HeaderError> {
    let first = labels.len().checked_sub(outcomes.len());
    let parts = first.and_then(|first| labels.split_at_checked(first));
    let (sets, named) = parts.unwrap_or((labels, &[]));
    if named.iter().map(String::as_str).eq(outcomes.iter().map(|outcome| outcome.name())) {
        return Ok(sets);
    }
    let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.name()).collect();
    let problem = format!("are not the last labels of id2label, in this order: {}", names.join(", "));
    Err(HeaderError::Field { field: "outcomes", problem })
}

/// The CWE sets that labels such as `CWE-122+CWE-787` name.
fn sets_of(labels: &[String]) -> Result<Vec<Vec<CweId>>, HeaderError> {
    let mut seen = BTreeSet::new();
    let set = |label: &String| {
        let ids = label.split('+').map(str::parse).collect::<Result<BTreeSet<CweId>, _>>();
        let ids = ids.ok().map(|ids| ids.into_iter().collect::<Vec<_>>());
        ids.filter(|ids| seen.insert(ids.clone())).ok_or_else(|| HeaderError::Field {
            field: "outputs",
            problem: format!(
                "are CWE sets, but id2label has {label:?}; expected ids as CWE-122+CWE-787, each set once"
            ),
        })
    };
    labels.iter().map(set).collect()
}

impl fmt::Display for Partner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.name, self.revision, self.combination.described("own", &self.name))
    }
}

impl Years {
    /// The number of years that are told apart; `None` if it makes no sense. Where the oldest is open, 1.
    #[must_use]
    pub fn span(self) -> Option<usize> {
        let span = self.newest.checked_sub(self.oldest.unwrap_or(self.newest)).filter(|&span| span < 200);
        span.map(|span| usize::from(span) + 1)
    }
}
