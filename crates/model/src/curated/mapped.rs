//! The CVEs that analysts mapped, with their techniques and reasons, as a model's file carries them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vulnlens_taxonomy::{CveId, Role, TechniqueId};

use super::sparse::SparseTexts;

/// A CVE that analysts mapped to techniques.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedCve {
    /// The CVE.
    pub cve: CveId,
    /// Its techniques.
    pub pairs: Vec<MappedTechnique>,
}

/// A technique of a mapped CVE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedTechnique {
    /// The technique or sub-technique.
    pub technique: TechniqueId,
    /// Its role in an attack by the CVE.
    pub role: Role,
    /// The project that assigned it.
    pub project: String,
    /// The analyst's words, where there are any.
    pub reason: Option<String>,
}

impl MappedTechnique {
    /// True for a technique or one below it.
    #[must_use]
    pub fn is_of(&self, technique: TechniqueId) -> bool {
        self.technique == technique || self.technique.parent() == technique
    }
}

/// The mapped CVEs and the features of their texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappedCves {
    /// The CVEs.
    pub cves: Vec<MappedCve>,
    /// Their texts, in the same order.
    pub texts: SparseTexts,
}

/// A technique in a file: with the places of the project and of the reason.
type NotedPair = (TechniqueId, Role, usize, Option<usize>);

/// The form of the CVEs in a file: words that repeat stand once.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Notes {
    projects: Vec<String>,
    reasons: Vec<String>,
    cves: Vec<(CveId, Vec<NotedPair>)>,
}

/// Words in the order in which they first came.
#[derive(Default)]
struct Words {
    places: BTreeMap<String, usize>,
}

impl Words {
    fn place(&mut self, words: &str) -> usize {
        let next = self.places.len();
        *self.places.entry(words.to_owned()).or_insert(next)
    }

    fn in_order(self) -> Vec<String> {
        let mut words: Vec<(usize, String)> = self.places.into_iter().map(|(word, at)| (at, word)).collect();
        words.sort_unstable();
        words.into_iter().map(|(_, word)| word).collect()
    }
}

/// Most similar mapped CVEs that are named for a technique.
const NEAREST: usize = 3;
/// The least similarity of a CVE that is named.
const LEAST_SIMILAR: f32 = 0.1;

impl MappedCves {
    /// The CVEs as JSON.
    pub(crate) fn notes(&self) -> serde_json::Result<Vec<u8>> {
        let (mut projects, mut reasons) = (Words::default(), Words::default());
        let mut pair = |pair: &MappedTechnique| {
            let reason = pair.reason.as_deref().map(|reason| reasons.place(reason));
            (pair.technique, pair.role, projects.place(&pair.project), reason)
        };
        let cves = self.cves.iter().map(|cve| (cve.cve, cve.pairs.iter().map(&mut pair).collect())).collect();
        serde_json::to_vec(&Notes { projects: projects.in_order(), reasons: reasons.in_order(), cves })
    }

    /// The CVEs of a file.
    ///
    /// # Errors
    /// The words do not fit the texts; the message says how.
    pub(crate) fn of_notes(notes: &[u8], texts: SparseTexts) -> Result<Self, String> {
        let Notes { projects, reasons, cves } = serde_json::from_slice(notes).map_err(|e| e.to_string())?;
        if cves.len() != texts.len() {
            return Err(format!("has {} CVEs, but there are {} texts", cves.len(), texts.len()));
        }
        let pair = |(technique, role, project, reason): (_, _, usize, Option<usize>)| {
            let reason = match reason {
                None => None,
                Some(at) => Some(reasons.get(at).cloned()?),
            };
            Some(MappedTechnique { technique, role, project: projects.get(project).cloned()?, reason })
        };
        let cve = |(cve, pairs): (CveId, Vec<_>)| {
            Some(MappedCve { cve, pairs: pairs.into_iter().map(pair).collect::<Option<_>>()? })
        };
        let cves = cves.into_iter().map(cve).collect::<Option<_>>();
        Ok(Self { cves: cves.ok_or("names a project or reason that it does not list")?, texts })
    }

    /// The CVEs most similar to a text, of those that have the technique or one below it; their places, with the
    /// similarities.
    pub(crate) fn nearest(&self, cosines: &[f32], technique: TechniqueId) -> Vec<(usize, f32)> {
        let of_technique = self.cves.iter().zip(cosines).enumerate();
        let mut near: Vec<(usize, f32)> = of_technique
            .filter(|(_, (cve, cosine))| {
                **cosine >= LEAST_SIMILAR && cve.pairs.iter().any(|pair| pair.is_of(technique))
            })
            .map(|(place, (_, cosine))| (place, *cosine))
            .collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near.truncate(NEAREST);
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped() -> MappedCves {
        let pair = |technique: &str, reason: Option<&str>| MappedTechnique {
            technique: technique.parse().unwrap(),
            role: Role::Exploitation,
            project: "ctid-kev".to_owned(),
            reason: reason.map(str::to_owned),
        };
        let cves = vec![
            MappedCve {
                cve: CveId::new(2021, 44228),
                pairs: vec![pair("T1190", Some("a request")), pair("T1059", None)],
            },
            MappedCve { cve: CveId::new(2017, 144), pairs: vec![pair("T1210", Some("a request"))] },
            MappedCve { cve: CveId::new(2008, 2992), pairs: vec![pair("T1204.002", Some("a file"))] },
        ];
        MappedCves { cves, texts: SparseTexts::new([&[][..], &[], &[]]) }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let mapped = mapped();
        let notes = mapped.notes().unwrap();
        assert_eq!(String::from_utf8_lossy(&notes).matches("a request").count(), 1, "words stand once");
        assert_eq!(MappedCves::of_notes(&notes, mapped.texts.clone()), Ok(mapped));
    }

    #[test]
    fn wrong_notes_are_told() {
        let texts = SparseTexts::new([&[][..]]);
        for (notes, problem) in [
            ("{", "EOF"),
            (r#"{"projects":[],"reasons":[],"cves":[]}"#, "0 CVEs"),
            (
                r#"{"projects":[],"reasons":[],"cves":[["CVE-2021-0001",[["T1190","exploitation",0,null]]]]}"#,
                "does not list",
            ),
            (
                r#"{"projects":["a"],"reasons":[],"cves":[["CVE-2021-0001",[["T1190","exploitation",0,0]]]]}"#,
                "does not list",
            ),
        ] {
            let error = MappedCves::of_notes(notes.as_bytes(), texts.clone()).unwrap_err();
            assert!(error.contains(problem), "{notes}: {error}");
        }
    }

    #[test]
    fn the_nearest_have_the_technique_or_one_below_it() {
        let mapped = mapped();
        let nearest = |id: &str| mapped.nearest(&[0.2, 0.9, 0.05], id.parse().unwrap());
        assert_eq!(nearest("T1190"), [(0, 0.2)]);
        assert_eq!(nearest("T1204"), [], "not similar enough");
        assert_eq!(mapped.nearest(&[0.0, 0.0, 0.5], "T1204".parse().unwrap()), [(2, 0.5)]);
    }
}
