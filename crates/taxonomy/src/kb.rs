//! The knowledge base: every entry by its id, and what follows from the entries' relations.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::defences::D3fend;
use crate::descriptions::Descriptions;
use crate::entries::{Atlas, AttackPattern, Grouping, Tactic, Technique, Versions, Weakness};
use crate::graph::{Hierarchy, TooTangled};
use crate::ids::{CapecId, CweId, TacticId, TechniqueId};
use crate::mapping::{MappingNotes, MappingTable};
use crate::sections::{Lazy, Supplement};
use crate::stix_object::{StixObject, StixTable, find};
use crate::terms::Usage;
use crate::timestamp::Timestamp;

/// What a knowledge base is made of; every list is in strictly rising id order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tables {
    pub(crate) versions: Versions,
    pub(crate) weaknesses: Vec<Weakness>,
    pub(crate) groupings: Vec<Grouping>,
    pub(crate) view_1003: Vec<CweId>,
    pub(crate) patterns: Vec<AttackPattern>,
    pub(crate) tactics: Vec<Tactic>,
    pub(crate) techniques: Vec<Technique>,
    pub(crate) mapping: MappingTable,
    pub(crate) stix: StixTable,
}

/// CWE, CAPEC and ATT&CK of known releases, linked, with ATLAS and D3FEND; immutable, and cheap to share by
/// reference.
///
/// An id that no catalogue knows is never an error: look-ups answer `None` or an empty list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnowledgeBase {
    pub(crate) tables: Tables,
    hierarchy: Hierarchy,
    pub(crate) supplement: Lazy<Supplement>,
    pub(crate) descriptions: Lazy<Descriptions>,
    /// SHA-256 of the compiled form.
    pub(crate) checksum: [u8; 32],
}

/// The release of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Release {
    /// The catalogue's name.
    pub catalogue: &'static str,
    /// The release, where it is known.
    pub version: Option<String>,
    /// Its day, `YYYY-MM-DD` or the beginning of it.
    pub date: Option<String>,
}

impl Release {
    /// The whole days from that day until a moment; 0 for a moment before it, none where the day is not known.
    #[must_use]
    pub fn days_until(&self, moment: Timestamp) -> Option<u64> {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        let date = self.date.as_ref()?;
        // A month alone begins with its first day.
        let date = if date.len() == 7 { format!("{date}-01") } else { date.clone() };
        let day: Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
        let passed = moment.milliseconds().checked_sub(day.milliseconds())?;
        Some(u64::try_from(passed / DAY).unwrap_or(0))
    }
}

impl KnowledgeBase {
    /// Links `tables`, which with the other parts have a compiled form of this `checksum`.
    pub(crate) fn link(
        tables: Tables,
        supplement: Lazy<Supplement>,
        descriptions: Lazy<Descriptions>,
        checksum: [u8; 32],
    ) -> Result<Self, TooTangled> {
        let hierarchy = Hierarchy::of(&tables.weaknesses)?;
        Ok(Self { tables, hierarchy, supplement, descriptions, checksum })
    }

    /// MITRE ATLAS, where the knowledge base was made with it.
    #[must_use]
    pub fn atlas(&self) -> Option<&Atlas> {
        self.supplement.get().atlas.as_ref()
    }

    /// MITRE D3FEND, where the knowledge base was made with it.
    #[must_use]
    pub fn d3fend(&self) -> Option<&D3fend> {
        self.supplement.get().d3fend.as_ref()
    }

    /// The descriptions of the techniques that a text can only be compared with.
    #[must_use]
    pub fn descriptions(&self) -> &Descriptions {
        self.descriptions.get()
    }

    /// The releases of all catalogues, with their days as far as they are known: that of the release or, where a
    /// catalogue does not say it, of the newest change in it.
    #[must_use]
    pub fn releases(&self) -> Vec<Release> {
        let (versions, supplement) = (self.versions(), self.supplement.get());
        let of = |catalogue, version: &str, date: Option<&String>| Release {
            catalogue,
            version: Some(version.to_owned()),
            date: date.cloned(),
        };
        let mut releases = vec![
            of("CWE", &versions.cwe, versions.cwe_date.as_ref()),
            of("CAPEC", &versions.capec, supplement.capec_date.as_ref()),
            of("ATT&CK", &versions.attack, versions.attack_date.as_ref().or(supplement.attack_date.as_ref())),
        ];
        releases.extend(supplement.atlas.as_ref().map(|atlas| Release {
            catalogue: "ATLAS",
            version: atlas.version.clone(),
            date: atlas.date.clone(),
        }));
        releases.extend(supplement.d3fend.as_ref().map(|d3fend| Release {
            catalogue: "D3FEND",
            version: d3fend.version.clone(),
            date: d3fend.date.clone(),
        }));
        releases
    }

    /// The releases it was made of.
    #[must_use]
    pub fn versions(&self) -> &Versions {
        &self.tables.versions
    }

    /// The weakness with this id; `None` for unknown ids, categories and views.
    #[must_use]
    pub fn weakness(&self, id: CweId) -> Option<&Weakness> {
        self.tables.weaknesses.get(self.weakness_position(id)?)
    }

    /// True when the id is a weakness of the catalogue (not a category, a view or unknown).
    #[must_use]
    pub fn is_weakness(&self, id: CweId) -> bool {
        self.weakness_position(id).is_some()
    }

    /// The category or view with this id.
    #[must_use]
    pub fn grouping(&self, id: CweId) -> Option<&Grouping> {
        let groupings = &self.tables.groupings;
        groupings.binary_search_by_key(&id, |g| g.id).ok().and_then(|at| groupings.get(at))
    }

    /// The permission to map vulnerabilities to a weakness, category or view; `None` for unknown ids.
    #[must_use]
    pub fn usage_of_cwe(&self, id: CweId) -> Option<Usage> {
        let weakness = self.weakness(id).map(|weakness| weakness.usage);
        weakness.or_else(|| self.grouping(id).map(|grouping| grouping.usage))
    }

    /// CWE's notes on mapping vulnerabilities to a weakness, category or view, where its catalogue has any.
    #[must_use]
    pub fn mapping_notes(&self, id: CweId) -> Option<MappingNotes> {
        self.tables.mapping.get(id)
    }

    /// The name of a weakness, category or view.
    #[must_use]
    pub fn name_of_cwe(&self, id: CweId) -> Option<&str> {
        let weakness = self.weakness(id).map(|weakness| weakness.name.as_str());
        weakness.or_else(|| self.grouping(id).map(|grouping| grouping.name.as_str()))
    }

    /// The attack pattern with this id.
    #[must_use]
    pub fn pattern(&self, id: CapecId) -> Option<&AttackPattern> {
        let patterns = &self.tables.patterns;
        patterns.binary_search_by_key(&id, |p| p.id).ok().and_then(|at| patterns.get(at))
    }

    /// The technique or sub-technique with this id, of any domain, withdrawn ones included.
    #[must_use]
    pub fn technique(&self, id: TechniqueId) -> Option<&Technique> {
        let techniques = &self.tables.techniques;
        techniques.binary_search_by_key(&id, |t| t.id).ok().and_then(|at| techniques.get(at))
    }

    /// The object that MITRE publishes a technique as in STIX; none where the knowledge base was made of other files.
    #[must_use]
    pub fn stix_of_technique(&self, id: TechniqueId) -> Option<StixObject> {
        find(&self.tables.stix.techniques, id)
    }

    /// The object that MITRE publishes an attack pattern as in STIX; none where the knowledge base was made of XML.
    #[must_use]
    pub fn stix_of_pattern(&self, id: CapecId) -> Option<StixObject> {
        find(&self.tables.stix.patterns, id)
    }

    /// The tactic with this id.
    #[must_use]
    pub fn tactic(&self, id: TacticId) -> Option<&Tactic> {
        let tactics = &self.tables.tactics;
        tactics.binary_search_by_key(&id, |t| t.id).ok().and_then(|at| tactics.get(at))
    }

    /// Every weakness, in id order.
    pub fn weaknesses(&self) -> impl ExactSizeIterator<Item = &Weakness> {
        self.tables.weaknesses.iter()
    }

    /// Every category and view, in id order.
    pub fn groupings(&self) -> impl ExactSizeIterator<Item = &Grouping> {
        self.tables.groupings.iter()
    }

    /// Every attack pattern, in id order.
    pub fn patterns(&self) -> impl ExactSizeIterator<Item = &AttackPattern> {
        self.tables.patterns.iter()
    }

    /// Every technique and sub-technique of every domain, in id order.
    pub fn techniques(&self) -> impl ExactSizeIterator<Item = &Technique> {
        self.tables.techniques.iter()
    }

    /// Every tactic of every domain, in id order.
    pub fn tactics(&self) -> impl ExactSizeIterator<Item = &Tactic> {
        self.tables.tactics.iter()
    }

    /// The weakness's parents in view 1000, sorted; empty for an id that is not a weakness.
    #[must_use]
    pub fn parents(&self, id: CweId) -> &[CweId] {
        self.weakness_position(id).map_or(&[], |at| self.hierarchy.parents(at))
    }

    /// The weakness's ancestors in view 1000 without itself, sorted; empty for an id that is not a weakness.
    #[must_use]
    pub fn ancestors(&self, id: CweId) -> &[CweId] {
        self.weakness_position(id).map_or(&[], |at| self.hierarchy.ancestors(at))
    }

    /// The technique that stands for `id` today: what revoked it, what revoked that, and so on.
    /// An id that is current or unknown is its own; a circle is left before an id comes twice.
    #[must_use]
    pub fn current(&self, id: TechniqueId) -> TechniqueId {
        last_of(id, |id| self.technique(id).and_then(|technique| technique.revoked_by))
    }

    fn weakness_position(&self, id: CweId) -> Option<usize> {
        self.tables.weaknesses.binary_search_by_key(&id, |weakness| weakness.id).ok()
    }
}

/// The end of the way from `id` by what revoked it; a circle is left before an id comes twice.
pub(crate) fn last_of(
    id: TechniqueId,
    revoked_by: impl Fn(TechniqueId) -> Option<TechniqueId>,
) -> TechniqueId {
    let mut visited = BTreeSet::new();
    let mut last = id;
    while let Some(next) = revoked_by(last)
        && next != id
        && visited.insert(next)
    {
        last = next;
    }
    last
}
