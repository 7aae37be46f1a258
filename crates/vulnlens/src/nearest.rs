//! Records with texts like one that is asked about.

use vulnlens_model::curated::SparseTexts;
use vulnlens_model::{NearRecord, Network};
use vulnlens_taxonomy::{CveId, CweId};

/// Records that are named for a text.
const NAMED: usize = 5;
/// The least similarity of one that is named.
const LEAST: f32 = 0.1;

/// Records whose texts are compared with others, by the features that an n-gram model knows.
///
/// Each takes some 250 bytes, however long its text is.
pub struct NearestRecords {
    records: Vec<(CveId, Vec<CweId>)>,
    texts: SparseTexts,
}

impl NearestRecords {
    /// The records with their weaknesses and texts, as `network` reads them; a network without features compares none.
    #[must_use]
    pub fn new(
        network: &dyn Network,
        records: impl IntoIterator<Item = (CveId, Vec<CweId>, String)>,
    ) -> Self {
        let (mut ids, mut texts) = (vec![], SparseTexts::default());
        for (cve, cwes, text) in records {
            texts.push(&network.entries(&text));
            ids.push((cve, cwes));
        }
        Self { records: ids, texts }
    }

    /// Texts without ids, which are found by their places.
    #[must_use]
    pub fn of_texts<'t>(network: &dyn Network, texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut compared = SparseTexts::default();
        texts.into_iter().for_each(|text| compared.push(&network.entries(text)));
        Self { records: vec![], texts: compared }
    }

    /// The places of the records that are like a text, the most similar first, with their similarities.
    #[must_use]
    pub fn places(&self, network: &dyn Network, text: &str) -> Vec<(usize, f32)> {
        let cosines = self.texts.cosines(&network.entries(text)).into_iter().enumerate();
        let mut near: Vec<(usize, f32)> = cosines.filter(|(_, similarity)| *similarity >= LEAST).collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near
    }

    /// The records most like a text, the most similar first.
    #[must_use]
    pub fn of(&self, network: &dyn Network, text: &str) -> Vec<NearRecord> {
        let cosines = self.texts.cosines(&network.entries(text));
        let near = self.records.iter().zip(&cosines).filter(|(_, similarity)| **similarity >= LEAST);
        let mut near: Vec<NearRecord> = near
            .map(|((cve, cwes), similarity)| NearRecord {
                cve: *cve,
                similarity: *similarity,
                cwes: cwes.clone(),
            })
            .collect();
        near.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.cve.cmp(&b.cve)));
        near.truncate(NAMED);
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_record_stands_first() {
        let classifier = crate::embedded();
        let record =
            |number: u32, cwe: u32, text: &str| (CveId::new(2024, number), vec![CweId(cwe)], text.to_owned());
        let records = [
            record(1, 416, "Use after free in the renderer of a browser"),
            record(2, 89, "SQL injection in login.php via the id parameter"),
            record(3, 89, "SQL injection in the search form"),
        ];
        let network = &**classifier.network();
        let nearest = NearestRecords::new(network, records).of(network, "SQL injection in login.php");
        assert_eq!(
            nearest.first().map(|near| (near.cve.number(), near.cwes.clone())),
            Some((2, vec![CweId(89)]))
        );
        assert!(nearest.is_sorted_by(|a, b| a.similarity >= b.similarity), "{nearest:?}");
        assert!(nearest.iter().all(|near| near.cve.number() != 1), "{nearest:?}");
    }
}
