//! Random numbers by counting: what is drawn depends on where it is needed, not on when.

use rayon::prelude::*;

use crate::config::Architecture;

/// Rows that are worth a thread of their own.
const AT_ONCE: usize = 32;

/// Rates of dropout (Srivastava et al., JMLR 15, 2014): the share of numbers that a training step sets to zero,
/// at least 0 and below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Rate for embeddings and for the sum of each half of a layer: `hidden_dropout_prob`, DistilBERT's `dropout`; of
    /// ModernBERT, for embeddings and inside the feed-forward part: `embedding_dropout`, `mlp_dropout`.
    pub hidden: f32,
    /// Rate for attention probabilities, of ModernBERT also for attention's results: `attention_probs_dropout_prob`,
    /// `attention_dropout`.
    pub attention: f32,
    /// Rate for the classification head: `classifier_dropout`, `seq_classif_dropout`.
    pub classifier: f32,
}

impl Dropout {
    /// No dropout.
    pub const NONE: Self = Self { hidden: 0.0, attention: 0.0, classifier: 0.0 };

    /// True if every rate is at least 0 and below 1.
    #[must_use]
    pub fn is_valid(self) -> bool {
        [self.hidden, self.attention, self.classifier].iter().all(|rate| (0.0..1.0).contains(rate))
    }

    /// transformers' rates where a configuration names none.
    #[must_use]
    pub fn usual(architecture: Architecture) -> Self {
        match architecture {
            Architecture::ModernBert => Self::NONE,
            Architecture::DistilBert => Self { hidden: 0.1, attention: 0.1, classifier: 0.2 },
            _ => Self { hidden: 0.1, attention: 0.1, classifier: 0.1 },
        }
    }
}

/// Dropout of one step. The mask of a number is a hash of the seed, the step, the layer, which dropout of it, the text's
/// place in the batch, the token's place in its text and the column: the same for any number of threads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// The rates, each from 0 to below 1.
    pub dropout: Dropout,
    /// The run's seed.
    pub seed: u64,
    /// The step, counted over everything that goes through the network: parts of an accumulated batch need numbers of
    /// their own.
    pub step: u64,
}

/// A place in the network where numbers are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    Embeddings,
    Attention {
        layer: usize,
        head: usize,
    },
    AttentionOut {
        layer: usize,
    },
    LayerOut {
        layer: usize,
    },
    /// As `AttentionOut`, at the rate of attention probabilities.
    AttentionResult {
        layer: usize,
    },
    /// Between the two layers of the feed-forward part.
    FeedForward {
        layer: usize,
    },
    HeadIn,
    HeadHidden,
}

/// A token: its text in the batch, and its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) text: u32,
    pub(crate) token: u32,
}

impl Noise {
    /// The dropout of a site; none where its rate is zero.
    pub(crate) fn mask(&self, site: Site) -> Option<Mask> {
        let rate = match site {
            Site::Embeddings
            | Site::AttentionOut { .. }
            | Site::LayerOut { .. }
            | Site::FeedForward { .. } => self.dropout.hidden,
            Site::Attention { .. } | Site::AttentionResult { .. } => self.dropout.attention,
            Site::HeadIn | Site::HeadHidden => self.dropout.classifier,
        };
        if rate <= 0.0 {
            return None;
        }
        let (kind, layer, head) = match site {
            Site::Embeddings => (0, 0, 0),
            Site::Attention { layer, head } => (1, layer, head),
            Site::AttentionOut { layer } => (2, layer, 0),
            Site::LayerOut { layer } => (3, layer, 0),
            Site::HeadIn => (4, 0, 0),
            Site::HeadHidden => (5, 0, 0),
            Site::AttentionResult { layer } => (6, layer, 0),
            Site::FeedForward { layer } => (7, layer, 0),
        };
        let key = key([self.seed, self.step, kind, layer as u64, head as u64]);
        // At most 2³² − 1 as a conversion to an integer saturates.
        let threshold = (f64::from(rate) * 4_294_967_296.0) as u32;
        Some(Mask { key, threshold, scale: 1.0 / (1.0 - rate) })
    }
}

/// The dropout of one site.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask {
    key: u64,
    threshold: u32,
    scale: f32,
}

/// The dropout of one row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowMask {
    low: u32,
    high: u32,
    threshold: u32,
    scale: f32,
}

impl Mask {
    #[inline(always)]
    pub(crate) fn row(&self, place: Place) -> RowMask {
        let hash = mix(self.key ^ (u64::from(place.text) << 32 | u64::from(place.token)));
        RowMask { low: hash as u32, high: (hash >> 32) as u32, threshold: self.threshold, scale: self.scale }
    }
}

/// Dropout of the first `width` numbers of rows `stride` apart, each of a place; of nothing without a mask.
pub(crate) fn drop_rows(mask: Option<Mask>, places: &[Place], rows: &mut [f32], stride: usize, width: usize) {
    if let Some(mask) = mask {
        let rows = rows.par_chunks_mut(stride).zip(places).with_min_len(AT_ONCE);
        rows.for_each(|(row, &place)| mask.row(place).apply(&mut row[..width]));
    }
}

impl RowMask {
    /// Zero, or what keeps the expectation.
    ///
    /// The hash is `lowbias32` (C. Wellons, "Prospecting for hash functions", 2018) of the column's place on the row's own
    /// sequence.
    #[inline(always)]
    pub(crate) fn factor(&self, column: usize) -> f32 {
        let mut hash = self.low.wrapping_add((column as u32).wrapping_mul(0x9e37_79b9));
        hash ^= hash >> 16;
        hash = hash.wrapping_mul(0x7feb_352d).wrapping_add(self.high);
        hash ^= hash >> 15;
        hash = hash.wrapping_mul(0x846c_a68b);
        hash ^= hash >> 16;
        if hash < self.threshold { 0.0 } else { self.scale }
    }

    /// Drops numbers of a row, in place.
    #[inline(always)]
    pub(crate) fn apply(&self, row: &mut [f32]) {
        row.iter_mut().enumerate().for_each(|(column, number)| *number *= self.factor(column));
    }
}

/// The output function of SplitMix64 (Steele et al., OOPSLA 2014).
#[inline(always)]
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A hash of words in their order.
pub(crate) fn key(words: impl IntoIterator<Item = u64>) -> u64 {
    words.into_iter().fold(0x6a09_e667_f3bc_c908, |key, word| {
        mix(key.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ mix(word.wrapping_add(0x9e37_79b9_7f4a_7c15)))
    })
}

/// Number `at` of a stream of standard normal numbers, by the transformation of Box and Muller.
pub(crate) fn normal(stream: u64, at: u64) -> f32 {
    let uniform = |half: u64| {
        let bits = mix(stream.wrapping_add((2 * at + half).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let radius = (-2.0 * uniform(0).ln()).sqrt();
    (radius * (std::f64::consts::TAU * uniform(1)).cos()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOISE: Noise =
        Noise { dropout: Dropout { hidden: 0.1, attention: 0.25, classifier: 0.0 }, seed: 3, step: 9 };

    fn dropped(noise: Noise, site: Site) -> Vec<bool> {
        let mask = noise.mask(site).unwrap();
        let rows = (0..200).map(|token| mask.row(Place { text: token % 3, token }));
        rows.flat_map(|row| (0..300).map(move |column| row.factor(column) == 0.0)).collect()
    }

    fn share(flags: impl Iterator<Item = bool>) -> f64 {
        let flags: Vec<bool> = flags.collect();
        flags.iter().filter(|&&flag| flag).count() as f64 / flags.len() as f64
    }

    #[test]
    fn as_many_are_dropped_as_asked_for() {
        let hidden = dropped(NOISE, Site::LayerOut { layer: 1 });
        assert!((share(hidden.iter().copied()) - 0.1).abs() < 0.005);
        let attention = dropped(NOISE, Site::Attention { layer: 1, head: 2 });
        assert!((share(attention.iter().copied()) - 0.25).abs() < 0.006);
        assert!(NOISE.mask(Site::HeadIn).is_none());
        assert_eq!(NOISE.mask(Site::Embeddings).unwrap().scale, 1.0 / 0.9);
    }

    #[test]
    fn expectations_stay() {
        let mask = NOISE.mask(Site::Attention { layer: 0, head: 1 }).unwrap();
        let rows = (0..400).map(|token| mask.row(Place { text: 1, token }));
        let sum: f32 = rows.map(|row| (0..500).map(|column| row.factor(column)).sum::<f32>()).sum();
        // The deviation of such a mean is 0.0013.
        assert!((sum / 200_000.0 - 1.0).abs() < 0.005, "{sum}");
    }

    #[test]
    fn no_two_places_share_their_masks() {
        let one = dropped(NOISE, Site::LayerOut { layer: 1 });
        let others = [
            dropped(NOISE, Site::LayerOut { layer: 2 }),
            dropped(NOISE, Site::AttentionOut { layer: 1 }),
            dropped(Noise { seed: 4, ..NOISE }, Site::LayerOut { layer: 1 }),
            dropped(Noise { step: 10, ..NOISE }, Site::LayerOut { layer: 1 }),
            one[300..].iter().chain(&one[..300]).copied().collect(),
            one[1..].iter().chain(&one[..1]).copied().collect(),
        ];
        for other in others {
            // Both are dropped as often as chance has it: a hundredth.
            let both = share(one.iter().zip(&other).map(|(a, b)| *a && *b));
            assert!((both - 0.01).abs() < 0.002, "{both}");
        }
    }

    #[test]
    fn a_step_repeats_its_masks() {
        let site = Site::Attention { layer: 0, head: 0 };
        assert_eq!(dropped(NOISE, site), dropped(NOISE, site));
    }
}
