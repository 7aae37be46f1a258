//! Rated texts as a fit sees them: each a list of features with values.

use rayon::prelude::*;
use vulnlens_evaluation::{Part, RatedText};
use vulnlens_model::severity::{SeverityOutputs, SeverityYears, features};
use vulnlens_model::{Input, NgramModel};
use vulnlens_taxonomy::{BaseVector, CweId, KnowledgeBase};

use super::fit::{Rated, Sparse};

/// Fewest training texts with some probability of a weakness that is read.
const FEWEST_WITH_CWE: usize = 50;
/// Fewest training texts of a row of the vocabulary.
const FEWEST_WITH_ROW: u32 = 3;
/// The oldest year that a head tells apart: CVSS 3 is of 2015.
const OLDEST_YEAR: u16 = 2015;
/// Texts read at once: one job of a thread.
pub(super) const AT_ONCE: usize = 512;

/// Texts read by a model: rows of its vocabulary, and behind these the dense features.
pub(super) struct Texts {
    sparse: Vec<Sparse>,
    vectors: Vec<BaseVector>,
    /// The description of a head that reads these features.
    pub(super) outputs: SeverityOutputs,
    /// The number of rows of the vocabulary.
    pub(super) rows: usize,
    /// The number of all features.
    pub(super) features: usize,
}

impl Texts {
    /// Reads texts, each value of a row of the vocabulary times `gain`. The training part tells what weaknesses are worth
    /// reading, and the newest year.
    pub(super) fn read(
        texts: &[RatedText],
        model: &NgramModel,
        kb: &KnowledgeBase,
        newest: u16,
        gain: f32,
    ) -> Self {
        let mut all: Vec<CweId> = model.sets().iter().flatten().copied().collect();
        all.extend(all.clone().iter().flat_map(|id| kb.ancestors(*id)));
        all.sort_unstable();
        all.dedup();
        let rows = model.features();
        let block = |block: &[RatedText]| {
            let inputs: Vec<Input<'_>> = block.iter().map(|e| Input::text(&e.text).year(e.year)).collect();
            let sparse = features(model, kb, &all, &inputs).into_iter().map(|read| {
                let cwes = read.cwes.iter().enumerate().filter(|(_, value)| **value != 0.0);
                let cwes = cwes.map(|(at, value)| ((rows + at) as u32, *value));
                read.text.iter().map(|entry| (entry.row, entry.value * gain)).chain(cwes).collect()
            });
            sparse.collect::<Vec<Sparse>>()
        };
        let mut sparse: Vec<Sparse> = texts.par_chunks(AT_ONCE).flat_map_iter(block).collect();
        let mut counts = vec![0usize; all.len()];
        for (text, _) in sparse.iter().zip(texts).filter(|(_, text)| text.part == Part::Train) {
            for at in text.iter().filter_map(|(feature, _)| (*feature as usize).checked_sub(rows)) {
                counts.get_mut(at).into_iter().for_each(|count| *count += 1);
            }
        }
        let is_read = |(_, count): &(&CweId, &usize)| **count >= FEWEST_WITH_CWE;
        let cwes: Vec<CweId> = all.iter().zip(&counts).filter(is_read).map(|(id, _)| *id).collect();
        let years = SeverityYears { oldest: OLDEST_YEAR.min(newest), newest };
        let outputs = SeverityOutputs { cwes, years };
        for (sparse, text) in sparse.iter_mut().zip(texts) {
            sparse.retain_mut(|(feature, _)| {
                let Some(at) = (*feature as usize).checked_sub(rows) else { return true };
                let place = all.get(at).and_then(|id| outputs.cwes.binary_search(id).ok());
                place.inspect(|place| *feature = (rows + place) as u32).is_some()
            });
            sparse.push(((rows + outputs.cwes.len() + outputs.year(text.year)) as u32, 1.0));
        }
        let vectors = texts.iter().map(|text| text.vector).collect();
        let features = rows + outputs.dense();
        Self { sparse, vectors, outputs, rows, features }
    }

    /// Leaves out the rows of the vocabulary that hardly any of these texts has.
    pub(super) fn drop_rare(&mut self, texts: &[usize]) {
        let mut counts = vec![0u32; self.rows];
        for (feature, _) in texts.iter().filter_map(|at| self.sparse.get(*at)).flatten() {
            counts.get_mut(*feature as usize).into_iter().for_each(|count| *count += 1);
        }
        self.keep(|row| counts.get(row).is_none_or(|count| *count >= FEWEST_WITH_ROW));
    }

    /// Leaves out all rows of the vocabulary but these, which rise.
    pub(super) fn keep_rows(&mut self, rows: &[u32]) {
        let vocabulary = self.rows;
        self.keep(|feature| feature >= vocabulary || rows.binary_search(&(feature as u32)).is_ok());
    }

    fn keep(&mut self, is_kept: impl Fn(usize) -> bool) {
        for text in &mut self.sparse {
            text.retain(|(feature, _)| is_kept(*feature as usize));
        }
    }

    /// Some of the texts with their vectors.
    pub(super) fn of(&self, texts: &[usize]) -> Vec<Rated<'_>> {
        texts
            .iter()
            .filter_map(|at| Some((self.sparse.get(*at)?.as_slice(), *self.vectors.get(*at)?)))
            .collect()
    }

    /// For each row of the vocabulary, the sum of the squares of its values in these texts.
    pub(super) fn squares(&self, texts: &[usize]) -> Vec<f64> {
        let mut sums = vec![0.0f64; self.rows];
        for (feature, value) in texts.iter().filter_map(|at| self.sparse.get(*at)).flatten() {
            sums.get_mut(*feature as usize).into_iter().for_each(|sum| *sum += f64::from(value * value));
        }
        sums
    }
}
