//! The ways of the chain between two entries, or the weaknesses that reach one.

use vulnlens_files::{Classified, ErrorKind};
use vulnlens_taxonomy::{ChainPath, Counter, CweId, GroupingKind, KnowledgeBase, Threat};

use crate::entry::{Entry, EntryId};

/// The answer to a question for the ways of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ways {
    /// The ways from a weakness to its end, each as its ids, the shortest first.
    Paths(Vec<Vec<String>>),
    /// The weaknesses from which the chain reaches an end.
    From(Vec<CweId>),
}

/// The reason why there are no ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoWays {
    /// The knowledge base does not have an id.
    #[error("the knowledge base does not know {0}")]
    Unknown(EntryId),
    /// Ids between which the chain has no ways at all.
    #[error("a way leads from a weakness to a technique or an attack pattern")]
    NotEnds(EntryId, Option<EntryId>),
    /// A weakness from which the chain does not lead to an end; the last is set for a category or a view.
    #[error("the chain knows no way from {0} to {1}")]
    NoneBetween(CweId, EntryId, Option<GroupingKind>),
    /// An end that no weakness leads to.
    #[error("the chain knows no way to {0} from any weakness")]
    NoneTo(EntryId),
}

impl Classified for NoWays {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotEnds(..) => ErrorKind::Arguments,
            _ => ErrorKind::Input,
        }
    }
}

impl Ways {
    /// The ways from a weakness to an attack pattern or a technique; without `to`, the weaknesses that reach `from`.
    ///
    /// # Errors
    /// An id is unknown, the ids are not the ends of a way, or there is none.
    pub fn of(from: EntryId, to: Option<EntryId>, kb: &KnowledgeBase) -> Result<Self, NoWays> {
        for id in [Some(from), to].into_iter().flatten() {
            Entry::of(id, kb).ok_or(NoWays::Unknown(id))?;
        }
        let (start, paths) = match (from, to) {
            (EntryId::Cwe(start), Some(EntryId::Technique(end))) => {
                let ways = kb.paths(start, end).into_iter();
                (
                    start,
                    ways.map(|way| steps(&way.cwe, [&way.capec.to_string(), &way.technique.to_string()]))
                        .collect(),
                )
            }
            (EntryId::Cwe(start), Some(EntryId::Capec(end))) => {
                let ways = kb.paths_to_capec(start, end).into_iter();
                (start, ways.map(|cwes| steps(&cwes, [&end.to_string()])).collect::<Vec<_>>())
            }
            (EntryId::Cwe(start), Some(EntryId::AtlasTechnique(end))) => {
                let attack = kb.atlas().and_then(|atlas| atlas.technique(end)?.attack);
                let ways = attack.into_iter().flat_map(|technique| kb.paths(start, technique));
                let ends =
                    |way: &ChainPath| [way.capec.to_string(), way.technique.to_string(), end.to_string()];
                (start, ways.map(|way| steps(&way.cwe, ends(&way).each_ref())).collect())
            }
            (EntryId::Cwe(start), Some(EntryId::Countermeasure(end))) => {
                let counters = kb.d3fend().map(|d3fend| d3fend.against(Threat::Weakness(start)));
                let counters = counters.unwrap_or_default().into_iter();
                let way = counters.filter(|counter| counter.countermeasure.id == end);
                (start, way.map(|counter| artifacts(&start.to_string(), &counter)).collect())
            }
            (EntryId::AtlasTechnique(end), None) => {
                let attack = kb.atlas().and_then(|atlas| atlas.technique(end)?.attack);
                return reaching(from, attack.map(|end| kb.cwes_reaching(end)).unwrap_or_default());
            }
            (EntryId::Countermeasure(end), None) => {
                let threats = kb.d3fend().map(|d3fend| d3fend.threats(end)).unwrap_or_default().into_iter();
                let weaknesses = threats.filter_map(|threat| match threat {
                    Threat::Weakness(id) => Some(id),
                    Threat::Technique(_) => None,
                });
                return reaching(from, weaknesses.collect());
            }
            (EntryId::Technique(end), None) => return reaching(from, kb.cwes_reaching(end)),
            (EntryId::Capec(end), None) => return reaching(from, kb.cwes_reaching_capec(end)),
            _ => return Err(NoWays::NotEnds(from, to)),
        };
        match to {
            Some(to) if paths.is_empty() => {
                Err(NoWays::NoneBetween(start, to, kb.grouping(start).map(|grouping| grouping.kind)))
            }
            _ => Ok(Self::Paths(paths)),
        }
    }
}

fn steps<const N: usize>(cwes: &[CweId], rest: [&String; N]) -> Vec<String> {
    cwes.iter().map(CweId::to_string).chain(rest.into_iter().cloned()).collect()
}

/// The way from a weakness to a countermeasure: its artifact, the countermeasure's if that is another, and that one.
fn artifacts(start: &str, counter: &Counter<'_>) -> Vec<String> {
    let other = (counter.artifact != counter.threat_artifact).then_some(counter.artifact);
    let steps = [Some(start), Some(counter.threat_artifact), other].into_iter().flatten();
    steps.map(str::to_owned).chain([counter.countermeasure.id.to_string()]).collect()
}

fn reaching(end: EntryId, cwes: Vec<CweId>) -> Result<Ways, NoWays> {
    if cwes.is_empty() { Err(NoWays::NoneTo(end)) } else { Ok(Ways::From(cwes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_lead_from_a_weakness_to_an_end() {
        let kb = KnowledgeBase::embedded();
        let id = |text: &str| text.parse::<EntryId>().unwrap();
        let ways = |from: &str, to: Option<&str>| Ways::of(id(from), to.map(id), &kb);
        let Ok(Ways::Paths(paths)) = ways("CWE-79", Some("T1027")) else { panic!("no paths") };
        assert!(
            paths.iter().all(|path| path.first().unwrap() == "CWE-79" && path.last().unwrap() == "T1027")
        );
        let Ok(Ways::Paths(paths)) = ways("CWE-79", Some("CAPEC-63")) else { panic!("no paths") };
        assert_eq!(paths.first().unwrap(), &["CWE-79", "CAPEC-63"]);
        let Ok(Ways::From(cwes)) = ways("CAPEC-63", None) else { panic!("no weaknesses") };
        assert!(cwes.contains(&CweId(79)));
        let Ok(Ways::From(cwes)) = ways("AML.T0107", None) else { panic!("no weaknesses") };
        assert_eq!(
            kb.atlas()
                .unwrap()
                .technique("AML.T0107".parse().unwrap())
                .unwrap()
                .attack
                .map(|id| kb.cwes_reaching(id)),
            Some(cwes)
        );
        let Ok(Ways::Paths(paths)) = ways("CWE-787", Some("D3-TL")) else { panic!("no paths") };
        assert_eq!(paths, [["CWE-787", "Raw Memory Access Function", "Subroutine", "D3-TL"]]);
        assert_eq!(ways("CWE-99999", Some("T1027")), Err(NoWays::Unknown(id("CWE-99999"))));
        assert_eq!(ways("T1027", Some("CWE-79")), Err(NoWays::NotEnds(id("T1027"), Some(id("CWE-79")))));
        let category = ways("CWE-1034", Some("T1027"));
        assert!(matches!(category, Err(NoWays::NoneBetween(_, _, Some(_)))), "{category:?}");
    }
}
