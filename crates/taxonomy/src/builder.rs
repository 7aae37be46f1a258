//! From parsed catalogues to a knowledge base.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use vulnlens_files::{Classified, ErrorKind};

use crate::atlas::AtlasCatalog;
use crate::attack::AttackCatalog;
use crate::capec::CapecCatalog;
use crate::compiled;
use crate::cwe::CweCatalog;
use crate::d3fend::D3fendCatalog;
use crate::descriptions::Descriptions;
use crate::entries::{Grouping, Tactic, Technique, Versions, Weakness};
use crate::graph::TooTangled;
use crate::ids::{CweId, TacticId, TechniqueId};
use crate::kb::{KnowledgeBase, Tables};
use crate::mapping::{MappingNotes, MappingTable};
use crate::sections::{Lazy, Supplement};
use crate::stix_object::{StixObject, StixTable};
use crate::terms::Domain;

/// NVD's simplified view, whose members are listed in the knowledge base.
const SIMPLIFIED_VIEW: u32 = 1003;

/// Collects catalogues and links them; the same catalogues in the same order give the same
/// knowledge base, byte for byte.
#[derive(Debug, Clone, Default)]
pub struct KnowledgeBaseBuilder {
    cwe: Option<CweCatalog>,
    categories: Option<CweCatalog>,
    capec: Option<CapecCatalog>,
    attack: Vec<AttackCatalog>,
    cwe_version: Option<String>,
    attack_version: Option<String>,
    atlas: Option<AtlasCatalog>,
    d3fend: Option<D3fendCatalog>,
    d3fend_version: Option<String>,
}

/// Why catalogues do not make a knowledge base.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A catalogue was not given: the chain needs all three.
    #[error(
        "no {0} catalogue was given; a knowledge base needs CWE, CAPEC and at least one of ATT&CK's bundles"
    )]
    MissingCatalogue(&'static str),
    /// A catalogue does not say its release, and the caller did not either.
    #[error("the {0} files do not say which release they are; name it")]
    MissingVersion(&'static str),
    /// The ATT&CK bundles are of different releases.
    #[error("the ATT&CK bundles are of different releases ({0} and {1}); give bundles of one release")]
    MixedVersions(String, String),
    /// The relations are no hierarchy.
    #[error(transparent)]
    TooTangled(#[from] TooTangled),
}

impl Classified for BuildError {
    fn kind(&self) -> ErrorKind {
        match self {
            // The file is right: an argument is missing.
            Self::MissingVersion(_) => ErrorKind::Arguments,
            _ => ErrorKind::Input,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::MissingVersion("ATT&CK") => Some("name it by --attack-version, such as 18.1".into()),
            Self::MissingVersion("CWE") => Some(
                "name it by --cwe-version, or by the name of the file or folder, such as cwe-4.19.1-api.zip"
                    .into(),
            ),
            _ => None,
        }
    }
}

impl KnowledgeBaseBuilder {
    /// A builder without catalogues.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the CWE catalogue.
    #[must_use]
    pub fn cwe(mut self, catalog: CweCatalog) -> Self {
        self.cwe = Some(catalog);
        self
    }

    /// Sets the CWE catalogue whose categories and views are taken in place of those of the first, and whose mapping
    /// notes are where the first has none and gives the same usage: reduced catalogues have neither.
    /// [`Versions::cwe_categories`] then names its release.
    #[must_use]
    pub fn categories(mut self, catalog: CweCatalog) -> Self {
        self.categories = Some(catalog);
        self
    }

    /// Sets the CAPEC catalogue.
    #[must_use]
    pub fn capec(mut self, catalog: CapecCatalog) -> Self {
        self.capec = Some(catalog);
        self
    }

    /// Adds one of ATT&CK's bundles. An object that several bundles hold is taken from the first.
    #[must_use]
    pub fn attack(mut self, catalog: AttackCatalog) -> Self {
        self.attack.push(catalog);
        self
    }

    /// Names the CWE release, for a catalogue that does not; it wins over what the catalogue says.
    #[must_use]
    pub fn cwe_version(mut self, version: impl Into<String>) -> Self {
        self.cwe_version = Some(version.into());
        self
    }

    /// Names the ATT&CK release, for bundles that do not; it wins over what they say.
    #[must_use]
    pub fn attack_version(mut self, version: impl Into<String>) -> Self {
        self.attack_version = Some(version.into());
        self
    }

    /// Sets ATLAS, which a knowledge base may do without.
    #[must_use]
    pub fn atlas(mut self, catalog: AtlasCatalog) -> Self {
        self.atlas = Some(catalog);
        self
    }

    /// Sets D3FEND, which a knowledge base may do without.
    #[must_use]
    pub fn d3fend(mut self, catalog: D3fendCatalog) -> Self {
        self.d3fend = Some(catalog);
        self
    }

    /// Names D3FEND's release, for a file that does not; it wins over what the file says. One that is a day, or the
    /// beginning of one (`2025-08`), is the day of the release, too.
    #[must_use]
    pub fn d3fend_version(mut self, version: impl Into<String>) -> Self {
        self.d3fend_version = Some(version.into());
        self
    }

    /// Links what was given.
    ///
    /// # Errors
    /// A catalogue or its version is missing, the ATT&CK bundles' releases differ, or the CWE
    /// relations are no hierarchy.
    pub fn build(self) -> Result<KnowledgeBase, BuildError> {
        let versions = self.versions()?;
        let cwe = self.cwe.ok_or(BuildError::MissingCatalogue("CWE"))?;
        let capec = self.capec.ok_or(BuildError::MissingCatalogue("CAPEC"))?;
        let weaknesses = in_order(cwe.weaknesses, |weakness| weakness.id);
        let (mapping, taken) = match self.categories {
            None => (cwe.mapping_notes, cwe.groupings),
            Some(other) => (mapping_notes(cwe.mapping_notes, &weaknesses, &other), other.groupings),
        };
        let groupings = groupings(taken, &weaknesses);
        let view_1003 = members_of_view_1003(&weaknesses, &groupings);
        let stix = StixTable {
            techniques: objects(&self.attack).into_iter().collect(),
            patterns: capec.objects.into_iter().collect(),
        };
        let mut supplement = Supplement {
            capec_date: capec.date,
            attack_date: self.attack.iter().filter_map(|catalog| catalog.newest.clone()).max(),
            ..Supplement::default()
        };
        let mut descriptions = described_alone(&self.attack);
        let (techniques, tactics) = merge(self.attack);
        descriptions.retain(|id, _| {
            let at = techniques.binary_search_by_key(id, |technique| technique.id).ok();
            at.and_then(|at| techniques.get(at))
                .is_some_and(|technique| technique.domain != Domain::Enterprise)
        });
        let atlas = self.atlas.unwrap_or_default();
        supplement.atlas = (!atlas.atlas.techniques.is_empty()).then_some(atlas.atlas);
        let descriptions = Descriptions::new(atlas.descriptions, descriptions);
        supplement.d3fend = self.d3fend.map(|catalog| catalog.d3fend);
        if let (Some(d3fend), Some(version)) = (&mut supplement.d3fend, self.d3fend_version) {
            d3fend.date = is_day(&version).then(|| version.clone()).or(d3fend.date.take());
            d3fend.version = Some(version);
        }
        let tables = Tables {
            versions,
            view_1003,
            weaknesses,
            groupings,
            patterns: in_order(capec.patterns, |pattern| pattern.id),
            tactics,
            techniques,
            mapping: MappingTable::of(&mapping),
            stix,
        };
        let (supplement, descriptions) = (Lazy::new(supplement), Lazy::new(descriptions));
        let content =
            compiled::content(&compiled::payload(&tables), supplement.bytes(), descriptions.bytes());
        Ok(KnowledgeBase::link(tables, supplement, descriptions, compiled::checksum(&content))?)
    }

    fn versions(&self) -> Result<Versions, BuildError> {
        let cwe = self.cwe.as_ref().ok_or(BuildError::MissingCatalogue("CWE"))?;
        let capec = self.capec.as_ref().ok_or(BuildError::MissingCatalogue("CAPEC"))?;
        if self.attack.is_empty() {
            return Err(BuildError::MissingCatalogue("ATT&CK"));
        }
        let attack = match &self.attack_version {
            Some(version) => version.clone(),
            None => common_version(&self.attack)?.ok_or(BuildError::MissingVersion("ATT&CK"))?,
        };
        let release = self.cwe_version.clone().or(cwe.version.clone());
        let release = release.ok_or(BuildError::MissingVersion("CWE"))?;
        let categories = match &self.categories {
            Some(catalog) => Some(catalog.version.clone().ok_or(BuildError::MissingVersion("CWE"))?),
            None => None,
        };
        Ok(Versions {
            cwe_date: cwe.date.clone(),
            cwe_categories: categories.filter(|categories| *categories != release),
            cwe: release,
            capec: capec.version.clone().ok_or(BuildError::MissingVersion("CAPEC"))?,
            attack,
            attack_date: self.attack.iter().filter_map(|catalog| catalog.date.clone()).max(),
        })
    }
}

/// The descriptions of the techniques in force of ICS and Mobile, as the bundles have them.
fn described_alone(bundles: &[AttackCatalog]) -> BTreeMap<TechniqueId, String> {
    let mut descriptions = BTreeMap::new();
    for bundle in bundles {
        let in_force = bundle.techniques.iter().filter(|of| !of.revoked && !of.deprecated);
        for technique in in_force.filter(|technique| technique.domain != Domain::Enterprise) {
            if let Some(text) = bundle.descriptions.get(&technique.id) {
                descriptions.entry(technique.id).or_insert_with(|| text.clone());
            }
        }
    }
    descriptions
}

/// True for a day, `YYYY-MM-DD`, or the beginning of one from the month on.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    parts.iter().all(is_number) && matches!(lengths.as_slice(), [4, 2] | [4, 2, 2])
}

/// The objects of the techniques of several bundles. One that several hold is taken from the first.
pub(crate) fn objects(bundles: &[AttackCatalog]) -> BTreeMap<TechniqueId, StixObject> {
    bundles.iter().rev().flat_map(|bundle| bundle.objects.iter().map(|(id, object)| (*id, *object))).collect()
}

/// The entries in id order, each id once: the parsers' catalogues are so already, but their lists
/// are open to callers, and every look-up relies on it.
fn in_order<T, Id: Ord>(mut entries: Vec<T>, id: impl Fn(&T) -> Id) -> Vec<T> {
    entries.sort_by_key(&id);
    entries.dedup_by_key(|entry| id(entry));
    entries
}

/// The one release that the bundles name, if any does.
fn common_version(bundles: &[AttackCatalog]) -> Result<Option<String>, BuildError> {
    let named: BTreeSet<&String> = bundles.iter().filter_map(|catalog| catalog.version.as_ref()).collect();
    let mut named = named.into_iter();
    match (named.next(), named.next()) {
        (Some(one), Some(other)) => Err(BuildError::MixedVersions(one.clone(), other.clone())),
        (one, _) => Ok(one.cloned()),
    }
}

/// The mapping notes of `own`, the catalogue of `weaknesses`, and those of `other` for its categories and views and for
/// weaknesses that `own` has none of. The notes of a weakness explain its usage: where the usages differ, they would
/// explain the wrong one.
fn mapping_notes(
    mut own: BTreeMap<CweId, MappingNotes>,
    weaknesses: &[Weakness],
    other: &CweCatalog,
) -> BTreeMap<CweId, MappingNotes> {
    let usage = |weaknesses: &[Weakness], id| {
        let at = weaknesses.binary_search_by_key(&id, |weakness| weakness.id).ok();
        at.and_then(|at| weaknesses.get(at)).map(|weakness| weakness.usage)
    };
    let is_weakness = |id| usage(weaknesses, id).is_some();
    own.retain(|id, _| is_weakness(*id));
    for (id, notes) in &other.mapping_notes {
        if !is_weakness(*id) || usage(weaknesses, *id) == usage(&other.weaknesses, *id) {
            own.entry(*id).or_insert_with(|| notes.clone());
        }
    }
    own
}

/// The categories and views in id order, without those whose ids are weaknesses.
fn groupings(taken: Vec<Grouping>, weaknesses: &[Weakness]) -> Vec<Grouping> {
    let is_weakness = |id: CweId| weaknesses.binary_search_by_key(&id, |weakness| weakness.id).is_ok();
    let mut groupings = in_order(taken, |grouping| grouping.id);
    groupings.retain(|grouping| !is_weakness(grouping.id));
    groupings
}

/// The weaknesses of view 1003: those at its top, and both ends of every relation in it.
fn members_of_view_1003(weaknesses: &[Weakness], groupings: &[Grouping]) -> Vec<CweId> {
    let known: BTreeSet<CweId> = weaknesses.iter().map(|weakness| weakness.id).collect();
    let related = weaknesses.iter().flat_map(|weakness| {
        let in_view = weakness.relations.iter().filter(|relation| relation.view == SIMPLIFIED_VIEW);
        in_view.flat_map(move |relation| [weakness.id, relation.target])
    });
    let view = groupings.iter().filter(|grouping| grouping.id == CweId(SIMPLIFIED_VIEW));
    let top = view.flat_map(|view| view.members.iter().copied());
    let members: BTreeSet<CweId> = related.chain(top).collect();
    members.intersection(&known).copied().collect()
}

/// The bundles' objects, each once, in id order.
pub(crate) fn merge(bundles: Vec<AttackCatalog>) -> (Vec<Technique>, Vec<Tactic>) {
    let mut techniques: BTreeMap<TechniqueId, Technique> = BTreeMap::new();
    let mut tactics: BTreeMap<TacticId, Tactic> = BTreeMap::new();
    for catalog in bundles {
        for technique in catalog.techniques {
            techniques.entry(technique.id).or_insert(technique);
        }
        for tactic in catalog.tactics {
            tactics.entry(tactic.id).or_insert(tactic);
        }
    }
    (techniques.into_values().collect(), tactics.into_values().collect())
}
