//! The vocabulary of a corpus, and its texts as lists of features.

use std::collections::HashSet;

use rayon::prelude::*;
use vulnlens_model::ngram::text::{Cutter, Feature};
use vulnlens_model::ngram::vocabulary::{Entry, Vectorizer, Vocabulary};

use super::settings::Settings;
use crate::error::TrainError;

/// Chooses the features: words and pairs of the `terms`, which are the names of things that are to be known however
/// rarely a text has them, and those that at least `min_documents` of `texts` have, the more frequent first where there
/// are too many (of equals the smaller key).
pub(crate) fn choose_vocabulary(
    texts: &[&str],
    terms: &[&str],
    settings: &Settings,
) -> Result<Vocabulary, TrainError> {
    let terms = keys_of_terms(terms);
    let mut keys: Vec<u32> = texts.par_chunks(1024).flat_map_iter(keys_of).collect();
    keys.par_sort_unstable();
    let mut counted: Vec<(u32, u32)> = keys
        .chunk_by(|a, b| a == b)
        .map(|same| (same[0], u32::try_from(same.len()).unwrap_or(u32::MAX)))
        .filter(|&(key, documents)| documents >= settings.min_documents || terms.contains(&key))
        .collect();
    drop(keys);
    let rank = |&(key, documents): &(u32, u32)| (!terms.contains(&key), std::cmp::Reverse(documents), key);
    counted.sort_unstable_by_key(rank);
    counted.truncate(settings.max_features);
    counted.sort_unstable();
    let code = |documents: u32| Vocabulary::weight_code(u64::from(documents), texts.len() as u64);
    let weights = counted.iter().map(|&(_, documents)| code(documents)).collect();
    let keys: Vec<u32> = counted.into_iter().map(|(key, _)| key).collect();
    if keys.is_empty() {
        return Err(TrainError::NoFeatures { texts: texts.len(), min_documents: settings.min_documents });
    }
    Vocabulary::new(keys, weights).map_err(|e| TrainError::Inconsistent(e.to_string()))
}

/// The keys of the words and pairs of some terms.
fn keys_of_terms(terms: &[&str]) -> HashSet<u32> {
    let (mut cutter, mut keys) = (Cutter::default(), HashSet::new());
    for term in terms {
        cutter.cut(term, |key, feature| {
            if matches!(feature, Feature::Word(_) | Feature::Pair(_)) {
                keys.insert(key);
            }
        });
    }
    keys
}

/// The keys of some texts, each key once a text.
fn keys_of(texts: &[&str]) -> Vec<u32> {
    let mut cutter = Cutter::default();
    let (mut all, mut of_text) = (vec![], vec![]);
    for text in texts {
        of_text.clear();
        cutter.cut(text, |key, _| of_text.push(key));
        of_text.sort_unstable();
        of_text.dedup();
        all.extend_from_slice(&of_text);
    }
    all
}

/// Lists of features, one a text, end to end.
#[derive(Debug)]
pub(crate) struct FeatureLists {
    entries: Vec<Entry>,
    /// `starts[i]..starts[i + 1]` is the list of text i.
    starts: Vec<usize>,
}

impl FeatureLists {
    pub(crate) fn new(texts: &[&str], vocabulary: &Vocabulary) -> Self {
        let lists: Vec<(Vec<Entry>, Vec<usize>)> = texts
            .par_chunks(4096)
            .map_init(Vectorizer::default, |vectorizer, chunk| {
                let (mut entries, mut lengths) = (vec![], vec![]);
                for text in chunk {
                    let list = vectorizer.vectorize(vocabulary, text);
                    lengths.push(list.len());
                    entries.extend_from_slice(list);
                }
                (entries, lengths)
            })
            .collect();
        let mut all = Self { entries: vec![], starts: vec![0] };
        let mut end = 0;
        for (entries, lengths) in lists {
            all.entries.extend_from_slice(&entries);
            all.starts.extend(lengths.iter().map(|length| {
                end += length;
                end
            }));
        }
        all
    }

    pub(crate) fn of(&self, text: usize) -> &[Entry] {
        &self.entries[self.starts[text]..self.starts[text + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_frequent_features_and_the_order_of_texts() {
        let texts = ["heap overflow", "heap spray", "heap overflow again"];
        let settings = Settings { min_documents: 2, ..Settings::default() };
        let vocabulary = choose_vocabulary(&texts, &[], &settings).unwrap();
        let lists = FeatureLists::new(&texts, &vocabulary);
        let mut vectorizer = Vectorizer::default();
        for (i, text) in texts.iter().enumerate() {
            assert_eq!(lists.of(i), vectorizer.vectorize(&vocabulary, text));
        }
        assert!(lists.of(1).len() < lists.of(0).len());
    }

    #[test]
    fn the_terms_of_the_catalogue_are_known_however_rare() {
        let texts = ["heap overflow", "heap overflow", "mass assignment in heap"];
        let settings = Settings { min_documents: 2, max_features: 6, ..Settings::default() };
        let vocabulary = choose_vocabulary(&texts, &["mass assignment"], &settings).unwrap();
        let mut entries = 0;
        Cutter::default().cut("mass assignment", |key, feature| {
            let is_known = vocabulary.row(key).is_some();
            let is_term = matches!(feature, Feature::Word(_) | Feature::Pair(_));
            assert!(is_known || !is_term);
            entries += usize::from(is_known && is_term);
        });
        assert_eq!(entries, 3, "two words and their pair");
        assert!(vocabulary.len() <= 6);
    }

    #[test]
    fn says_so_when_nothing_is_frequent_enough() {
        let settings = Settings { min_documents: 5, ..Settings::default() };
        let error = choose_vocabulary(&["heap"], &[], &settings).unwrap_err();
        assert!(matches!(error, TrainError::NoFeatures { texts: 1, .. }));
    }
}
