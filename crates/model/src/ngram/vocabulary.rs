//! The features that a model knows, and a text as a weighted list of them.

use super::text::{Cutter, Feature};

/// The known features: sorted keys, each with a weight (the square root of its inverse document
/// frequency), found through an index over the keys' upper bits.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    keys: Vec<u32>,
    weights: Vec<u8>,
    /// The keys by their upper [`GROUP_BITS`] bits.
    groups: Vec<Group>,
}

/// Bits of a key that tell its group.
const GROUP_BITS: u32 = 13;
/// Parts of a group: a key's part are the bits between those of its group and its lower half.
const PARTS: usize = 1 << (16 - GROUP_BITS);
/// Keys that a group has room for; hardly any has more.
const MOST_KEYS: usize = 22;
/// Keys that are compared at once; few parts have more.
const AT_ONCE: usize = 4;

/// Neighbouring keys in one line of the cache: memory is asked once to find a key, or to know that there is none.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Group {
    /// The row of the first key.
    first: u32,
    /// Where the parts begin among the keys, and where the last of them ends; too many keys end beyond [`MOST_KEYS`].
    starts: [u8; PARTS + 1],
    /// The keys' lower halves, part by part, rising in each; as many places more as are compared with the last.
    halves: [u16; MOST_KEYS + AT_ONCE - 1],
}

impl Group {
    /// The group of `keys`, which rise from the row `first` on.
    fn of(first: u32, keys: &[u32]) -> Self {
        let mut group = Self { first, ..Self::default() };
        for (part, start) in group.starts.iter_mut().enumerate() {
            let before = keys.partition_point(|key| part_of(*key) < part);
            *start = u8::try_from(before).unwrap_or(u8::MAX);
        }
        group.halves.iter_mut().zip(keys).for_each(|(half, key)| *half = *key as u16);
        group
    }

    /// True when the group has all of its keys.
    fn is_whole(&self) -> bool {
        usize::from(self.starts[PARTS]) <= MOST_KEYS
    }
}

/// The part of its group that a key belongs to.
fn part_of(key: u32) -> usize {
    (key >> 16) as usize % PARTS
}

/// Keys that are not strictly rising, or not as many as the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the vocabulary's keys must rise strictly, with one weight each, 2^24 at most")]
pub struct VocabularyError;

/// One known feature of a text: its row in the embedding and its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Row of the embedding.
    pub row: u32,
    /// Value; the values of a text have the Euclidean norm 1.
    pub value: f32,
}

/// The words of a text and those of them that are known, each as often as it occurs; numbers and single letters left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KnownWords {
    /// Words of the text.
    pub words: u32,
    /// Words that the vocabulary has.
    pub known: u32,
}

/// Buffers for turning texts into entries; reused, they allocate nothing.
#[derive(Debug, Default)]
pub struct Vectorizer {
    cutter: Cutter,
    features: Vec<(u32, Feature)>,
    /// The row of each feature, or [`UNKNOWN`].
    rows: Vec<u32>,
    /// A bit for each row that occurred, and for each that did again: few bytes, which stay in the cache.
    seen: Vec<u64>,
    repeated: Vec<u64>,
    /// Further occurrences of each row.
    repeats: Vec<u32>,
    entries: Vec<Entry>,
    known: KnownWords,
}

/// Stands for the row of a feature that the vocabulary does not have.
const UNKNOWN: u32 = u32::MAX;

impl Vocabulary {
    /// Weights are stored as bytes: code 0 is 1, code 255 is 4.
    const WEIGHT_STEP: f32 = 3.0 / 255.0;

    /// A vocabulary of `keys`, which must rise strictly, and the codes of their weights.
    ///
    /// # Errors
    /// When the keys do not rise strictly or the lengths differ.
    pub fn new(keys: Vec<u32>, weights: Vec<u8>) -> Result<Self, VocabularyError> {
        let rising = keys.is_sorted_by(|a, b| a < b);
        if !rising || keys.len() != weights.len() || keys.len() > 1 << 24 {
            return Err(VocabularyError);
        }
        let mut groups = Vec::with_capacity(1 << GROUP_BITS);
        let mut rest = keys.as_slice();
        for number in 0..1u32 << GROUP_BITS {
            let (own, others) = rest.split_at(rest.partition_point(|key| key >> (32 - GROUP_BITS) == number));
            groups.push(Group::of((keys.len() - rest.len()) as u32, own));
            rest = others;
        }
        Ok(Self { keys, weights, groups })
    }

    /// The code of the weight of a feature that `documents_with` of `documents` texts have:
    /// √(1 + ln((1 + N) / (1 + n))), scikit-learn's smoothed idf under a root.
    #[must_use]
    pub fn weight_code(documents_with: u64, documents: u64) -> u8 {
        let idf = 1.0 + ((1 + documents) as f64 / (1 + documents_with) as f64).ln();
        ((idf.sqrt() as f32 - 1.0) / Self::WEIGHT_STEP).round().clamp(0.0, 255.0) as u8
    }

    /// The number of known features.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True when no feature is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, rising.
    #[must_use]
    pub fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// The codes of the weights.
    #[must_use]
    pub fn weights(&self) -> &[u8] {
        &self.weights
    }

    /// The row of a key.
    #[must_use]
    pub fn row(&self, key: u32) -> Option<u32> {
        let group = &self.groups[(key >> (32 - GROUP_BITS)) as usize];
        if !group.is_whole() {
            return self.keys.binary_search(&key).ok().map(|row| row as u32);
        }
        let part = part_of(key);
        let (start, end) = (usize::from(group.starts[part]), usize::from(group.starts[part + 1]));
        if end - start > AT_ONCE {
            let place = group.halves.get(start..end)?.iter().position(|half| *half == key as u16)?;
            return Some(group.first + (start + place) as u32);
        }
        // Without a branch that waits for memory: many keys are then looked for at the same time.
        let halves = group.halves.get(start..)?.first_chunk::<AT_ONCE>()?;
        let found = halves
            .iter()
            .enumerate()
            .rev()
            .fold(AT_ONCE, |found, (place, half)| if *half == key as u16 { place } else { found });
        (start + found < end).then(|| group.first + (start + found) as u32)
    }

    fn weight(&self, row: u32) -> f32 {
        1.0 + f32::from(self.weights[row as usize]) * Self::WEIGHT_STEP
    }
}

impl Vectorizer {
    /// The known features of `text`, in the order in which they first occur; `each` is told of every
    /// occurrence. A feature that occurs n times has the value (1 + ln n) · weight, before all are
    /// scaled to norm 1.
    pub fn vectorize_with(
        &mut self,
        vocabulary: &Vocabulary,
        text: &str,
        mut each: impl FnMut(u32, Feature),
    ) -> &[Entry] {
        let Self { cutter, features, rows, seen, repeated, repeats, entries, known } = self;
        features.clear();
        cutter.cut(text, |key, feature| features.push((key, feature)));
        rows.clear();
        rows.extend(features.iter().map(|(key, _)| vocabulary.row(*key).unwrap_or(UNKNOWN)));
        let blocks = vocabulary.len().div_ceil(64);
        if seen.len() < blocks {
            seen.resize(blocks, 0);
            repeated.resize(blocks, 0);
            repeats.resize(blocks * 64, 0);
        }
        entries.clear();
        *known = KnownWords::default();
        for (&row, &(_, feature)) in rows.iter().zip(features.iter()) {
            if let Feature::Word(_) = feature {
                known.words += 1;
                known.known += u32::from(row != UNKNOWN);
            }
            if row == UNKNOWN {
                continue;
            }
            let (block, bit) = (row as usize / 64, 1u64 << (row % 64));
            if seen[block] & bit == 0 {
                seen[block] |= bit;
                entries.push(Entry { row, value: 0.0 });
            } else {
                repeated[block] |= bit;
                repeats[row as usize] += 1;
            }
            each(row, feature);
        }
        let mut squares = 0.0f32;
        for entry in entries.iter_mut() {
            let (block, bit) = (entry.row as usize / 64, 1u64 << (entry.row % 64));
            seen[block] &= !bit;
            let tf = if repeated[block] & bit == 0 {
                1.0
            } else {
                repeated[block] &= !bit;
                let count = 1 + std::mem::take(&mut repeats[entry.row as usize]);
                1.0 + (count as f32).ln()
            };
            entry.value = tf * vocabulary.weight(entry.row);
            squares += entry.value * entry.value;
        }
        if squares > 0.0 {
            let scale = 1.0 / squares.sqrt();
            entries.iter_mut().for_each(|entry| entry.value *= scale);
        }
        entries
    }

    /// The known features of `text`, in the order in which they first occur.
    pub fn vectorize(&mut self, vocabulary: &Vocabulary, text: &str) -> &[Entry] {
        self.vectorize_with(vocabulary, text, |_, _| {})
    }

    /// The words of the text that was vectorised last, and how many of them the vocabulary has.
    #[must_use]
    pub fn known_words(&self) -> KnownWords {
        self.known
    }

    /// The byte ranges of the words of the text that was vectorised last.
    #[must_use]
    pub fn spans(&self) -> &[std::ops::Range<usize>] {
        self.cutter.spans()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary_of(text: &str) -> Vocabulary {
        let mut keys = vec![];
        Cutter::default().cut(text, |key, _| keys.push(key));
        keys.sort_unstable();
        keys.dedup();
        let weights = vec![Vocabulary::weight_code(1, 1000); keys.len()];
        Vocabulary::new(keys, weights).unwrap()
    }

    #[test]
    fn finds_every_key_and_no_other() {
        let vocabulary = vocabulary_of("heap overflow in the parser of heap dumps");
        for (row, &key) in vocabulary.keys().iter().enumerate() {
            assert_eq!(vocabulary.row(key), Some(row as u32));
            assert_eq!(vocabulary.row(key ^ 1), None);
        }
        assert_eq!(vocabulary.row(0), None);
        assert_eq!(vocabulary.row(u32::MAX), None);
    }

    #[test]
    fn keys_of_a_crowded_group_are_found() {
        let keys: Vec<u32> = (0..300u32).map(|i| 0x1234_0000 + i * 1021).chain([0xFFFF_FFFF]).collect();
        let vocabulary = Vocabulary::new(keys.clone(), vec![0; keys.len()]).unwrap();
        for (row, &key) in keys.iter().enumerate() {
            assert_eq!(vocabulary.row(key), Some(row as u32));
            assert_eq!(vocabulary.row(key ^ 2), None);
        }
    }

    #[test]
    fn values_have_norm_one_and_repetition_counts_logarithmically() {
        let vocabulary = vocabulary_of("overflow");
        let mut vectorizer = Vectorizer::default();
        let once = vectorizer.vectorize(&vocabulary, "overflow").to_vec();
        let thrice = vectorizer.vectorize(&vocabulary, "overflow; Overflow, OVERFLOW").to_vec();
        for (a, b) in once.iter().zip(&thrice) {
            assert!(
                a.row == b.row && (a.value - b.value).abs() < 1e-6,
                "all counts grow alike: {a:?}, {b:?}"
            );
        }
        let norm: f32 = once.iter().map(|e| e.value * e.value).sum();
        assert!((norm - 1.0).abs() < 1e-6);
        assert!(vectorizer.vectorize(&vocabulary, "nothing known").is_empty());
        assert_eq!(vectorizer.vectorize(&vocabulary, "overflow"), once, "buffers come back clean");
    }

    #[test]
    fn refuses_unsorted_and_repeated_keys() {
        assert!(Vocabulary::new(vec![2, 1], vec![0, 0]).is_err());
        assert!(Vocabulary::new(vec![1, 1], vec![0, 0]).is_err());
        assert!(Vocabulary::new(vec![1], vec![]).is_err());
        assert!(Vocabulary::new(vec![], vec![]).unwrap().is_empty());
    }

    #[test]
    fn weights_fall_with_frequency() {
        let codes: Vec<u8> = [1, 10, 1000, 100_000].map(|n| Vocabulary::weight_code(n, 100_000)).into();
        assert!(codes.is_sorted_by(|a, b| a > b), "{codes:?}");
        assert_eq!(codes[3], 0);
    }
}
