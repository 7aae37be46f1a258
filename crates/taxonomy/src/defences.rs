//! MITRE D3FEND: countermeasures, and what they are against by the artifacts that both touch.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::ids::{CountermeasureId, CweId, TechniqueId};
use crate::terms::DefensiveTactic;

/// Countermeasures of D3FEND, and the artifacts by which they, techniques of ATT&CK and weaknesses are related.
///
/// A countermeasure is against a technique or a weakness where both are related to one artifact: the technique to the
/// artifact itself, the countermeasure to the same or to a more general one, as D3FEND's own mappings say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct D3fend {
    /// The release, where the file or the builder says it.
    pub version: Option<String>,
    /// The day of the release, `YYYY-MM-DD` or its beginning, where the file says it.
    pub date: Option<String>,
    /// The countermeasures, in id order.
    pub countermeasures: Vec<Countermeasure>,
    /// The names of relations, in their order.
    pub(crate) relations: Vec<String>,
    /// The artifacts that anything is related to, and those above them.
    pub(crate) artifacts: Vec<Artifact>,
    /// What techniques do to artifacts, in the order of their ids.
    pub(crate) techniques: Vec<(TechniqueId, Vec<Link>)>,
    /// The artifacts that weaknesses are of, in the order of their ids.
    pub(crate) weaknesses: Vec<(CweId, Vec<Link>)>,
}

/// A countermeasure of D3FEND.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Countermeasure {
    /// Its id.
    pub id: CountermeasureId,
    /// Its name.
    pub name: String,
    /// The tactic that it serves.
    pub tactic: DefensiveTactic,
    /// The countermeasure that it is a kind of.
    pub parent: Option<CountermeasureId>,
    /// What it does to artifacts.
    pub(crate) links: Vec<Link>,
}

/// An artifact: something digital that attacks and countermeasures touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Artifact {
    pub(crate) name: String,
    /// The places of the artifacts that it is a kind of.
    pub(crate) parents: Vec<u16>,
}

/// A relation to an artifact, both by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) relation: u16,
    pub(crate) artifact: u16,
}

/// The thing that a countermeasure is against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threat {
    /// A technique of ATT&CK: the route through what the technique does to an artifact.
    Technique(TechniqueId),
    /// A weakness: the route through the artifact that it is a weakness of.
    Weakness(CweId),
}

/// A countermeasure against a technique or a weakness, with the shortest way of artifacts between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter<'a> {
    /// The countermeasure.
    pub countermeasure: &'a Countermeasure,
    /// The relation of the countermeasure to its artifact, such as `analyzes`.
    pub relation: &'a str,
    /// Its artifact.
    pub artifact: &'a str,
    /// The relation of the technique or weakness to the other artifact, such as `modifies` or `weakness-of`.
    pub threat_relation: &'a str,
    /// The artifact of the technique or weakness: the same, or one that is a kind of it.
    pub threat_artifact: &'a str,
    /// Steps from that artifact up to the countermeasure's.
    pub distance: u8,
}

impl D3fend {
    /// The countermeasure with this id.
    #[must_use]
    pub fn countermeasure(&self, id: CountermeasureId) -> Option<&Countermeasure> {
        let found = self.countermeasures.binary_search_by_key(&id, |countermeasure| countermeasure.id).ok();
        found.and_then(|at| self.countermeasures.get(at))
    }

    /// The countermeasures against a technique or a weakness, those by the shortest ways first, then in id order. A
    /// technique or weakness that D3FEND does not relate to an artifact has none.
    #[must_use]
    pub fn against(&self, threat: Threat) -> Vec<Counter<'_>> {
        let links = self.links(threat);
        let above: Vec<(Link, BTreeMap<u16, u8>)> =
            links.iter().map(|link| (*link, self.above(link.artifact))).collect();
        let mut counters: Vec<Counter<'_>> =
            self.countermeasures.iter().filter_map(|of| self.nearest(of, &above)).collect();
        counters.sort_by_key(|counter| (counter.distance, counter.countermeasure.id));
        counters
    }

    /// The techniques and weaknesses that a countermeasure is against, in id order.
    #[must_use]
    pub fn threats(&self, id: CountermeasureId) -> Vec<Threat> {
        let Some(countermeasure) = self.countermeasure(id) else { return vec![] };
        let is_against = |links: &[Link]| {
            let own = |above: &BTreeMap<u16, u8>| {
                countermeasure.links.iter().any(|link| above.contains_key(&link.artifact))
            };
            links.iter().any(|link| own(&self.above(link.artifact)))
        };
        let techniques = self.techniques.iter().filter(|(_, links)| is_against(links));
        let weaknesses = self.weaknesses.iter().filter(|(_, links)| is_against(links));
        let techniques = techniques.map(|(id, _)| Threat::Technique(*id));
        techniques.chain(weaknesses.map(|(id, _)| Threat::Weakness(*id))).collect()
    }

    /// The relations of a countermeasure to artifacts, with the artifacts.
    pub fn touched<'a>(
        &'a self,
        countermeasure: &'a Countermeasure,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        countermeasure.links.iter().map(|link| self.names(*link))
    }

    fn links(&self, threat: Threat) -> &[Link] {
        match threat {
            Threat::Technique(id) => links_of(&self.techniques, id),
            Threat::Weakness(id) => links_of(&self.weaknesses, id),
        }
    }

    /// The artifact and those that it is a kind of, with the steps up to them.
    fn above(&self, artifact: u16) -> BTreeMap<u16, u8> {
        let mut steps = BTreeMap::from([(artifact, 0u8)]);
        let mut next = VecDeque::from([artifact]);
        while let Some(artifact) = next.pop_front() {
            let step = steps.get(&artifact).copied().unwrap_or(0).saturating_add(1);
            let parents =
                self.artifacts.get(usize::from(artifact)).map(|artifact| artifact.parents.as_slice());
            for parent in parents.unwrap_or_default() {
                steps.entry(*parent).or_insert_with(|| {
                    next.push_back(*parent);
                    step
                });
            }
        }
        steps
    }

    /// The shortest way from a countermeasure to one of the artifacts of a threat.
    fn nearest<'a>(
        &'a self,
        countermeasure: &'a Countermeasure,
        above: &[(Link, BTreeMap<u16, u8>)],
    ) -> Option<Counter<'a>> {
        let ways = above.iter().flat_map(|(threat, above)| {
            countermeasure
                .links
                .iter()
                .filter_map(move |link| above.get(&link.artifact).map(|distance| (*distance, *threat, *link)))
        });
        let (distance, threat, link) = ways.min()?;
        let (relation, artifact) = self.names(link);
        let (threat_relation, threat_artifact) = self.names(threat);
        Some(Counter { countermeasure, relation, artifact, threat_relation, threat_artifact, distance })
    }

    fn names(&self, link: Link) -> (&str, &str) {
        let relation = self.relations.get(usize::from(link.relation)).map_or("", String::as_str);
        let artifact = self.artifacts.get(usize::from(link.artifact)).map_or("", |artifact| &artifact.name);
        (relation, artifact)
    }

    /// True when every list that is searched by halving is in order.
    pub(crate) fn is_in_order(&self) -> bool {
        self.countermeasures.is_sorted_by(|a, b| a.id < b.id)
            && self.techniques.is_sorted_by(|a, b| a.0 < b.0)
            && self.weaknesses.is_sorted_by(|a, b| a.0 < b.0)
    }
}

/// The links of an id in a list in id order.
fn links_of<Id: Ord + Copy>(list: &[(Id, Vec<Link>)], id: Id) -> &[Link] {
    let found = list.binary_search_by_key(&id, |(id, _)| *id).ok().and_then(|at| list.get(at));
    found.map_or(&[], |(_, links)| links.as_slice())
}
