//! The build of a network: what distinguishes the architectures beyond their sizes, as data.

use super::architecture::Activation;

/// The build of a network. The forward pass, the backward pass and the list of tensors read it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    pub(crate) norms: Norms,
    /// True if the feed-forward part multiplies its activated half by another half.
    pub(crate) is_gated: bool,
    /// True if a table of absolute positions is added to the words.
    pub(crate) has_position_table: bool,
    pub(crate) distances: Distances,
    pub(crate) local: Option<Local>,
    pub(crate) biases: Biases,
    pub(crate) head: HeadForm,
    pub(crate) dropout: DropoutPlaces,
}

/// The place of layer normalisation in each half of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Norms {
    /// Normalisation of the sum with the input (Vaswani et al., arXiv 1706.03762).
    After,
    /// Normalisation of the input, which is added as it is (Xiong et al., arXiv 2002.04745). The first layer has none
    /// before attention, as the embeddings are normalised, and one more stands behind the last layer.
    Before,
}

/// The way in which attention knows the distance between two tokens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Distances {
    /// Nothing but what the embeddings say.
    None,
    /// Queries and keys are rotated by their positions (Su et al., arXiv 2104.09864): the bases of the wavelengths in
    /// layers that see all tokens, and in local ones.
    Rotary { global: f32, local: f32 },
    /// Embeddings of distances take part in the scores (He et al., arXiv 2006.03654).
    Relative(Relative),
}

/// Embeddings of distances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relative {
    /// Distances on each side that have a row of the table.
    pub(crate) span: usize,
    /// Far distances share rows.
    pub(crate) buckets: Option<Buckets>,
    /// Queries meet the embeddings of distances as keys.
    pub(crate) as_keys: bool,
    /// Keys meet them as queries.
    pub(crate) as_queries: bool,
    /// The embeddings go through the layers of the words' own queries and keys.
    pub(crate) shares_projections: bool,
    /// The table is normalised.
    pub(crate) is_normalized: bool,
}

/// Rows of distances that are exact up to half of `count`, and then logarithmic up to `most`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buckets {
    pub(crate) count: usize,
    pub(crate) most: usize,
}

/// Layers that see near tokens alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Local {
    /// Tokens seen on each side.
    pub(crate) reach: usize,
    /// Every layer of a number that is a multiple sees all tokens.
    pub(crate) global_every: usize,
}

/// The parts that have biases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Biases {
    pub(crate) norms: bool,
    pub(crate) attention: bool,
    pub(crate) feed_forward: bool,
    /// The head's first layer.
    pub(crate) head: bool,
    /// The output over the vocabulary, of a masked-language head.
    pub(crate) vocabulary: bool,
}

/// A classification head: a linear layer, a function, perhaps a normalisation, and a linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadForm {
    pub(crate) pooling: Pooling,
    pub(crate) function: HeadFunction,
    pub(crate) has_norm: bool,
}

/// The vector of a text that a head reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// That of its first token.
    First,
    /// The mean over its tokens.
    Mean,
}

/// The function between a head's two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadFunction {
    Tanh,
    Activation(Activation),
}

/// The places of dropout, beside those that all networks have: embeddings, attention probabilities, the head's last layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DropoutPlaces {
    /// Between attention and its residual.
    pub(crate) attention_out: Option<AttentionRate>,
    pub(crate) feed_forward: FeedForwardDropout,
    /// Before the head's first layer.
    pub(crate) head_in: bool,
}

/// The rate of dropout between attention and its residual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttentionRate {
    /// That of hidden states.
    Hidden,
    /// That of attention probabilities.
    Attention,
}

/// The place of dropout in the feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeedForwardDropout {
    /// Before its residual.
    Out,
    /// Before its second layer.
    Inside,
}

impl Form {
    /// BERT's build, which the others are variants of, with a head's function.
    pub(crate) fn bert(function: HeadFunction) -> Self {
        let all = true;
        Self {
            norms: Norms::After,
            is_gated: false,
            has_position_table: true,
            distances: Distances::None,
            local: None,
            biases: Biases { norms: all, attention: all, feed_forward: all, head: all, vocabulary: all },
            head: HeadForm { pooling: Pooling::First, function, has_norm: false },
            dropout: DropoutPlaces {
                attention_out: Some(AttentionRate::Hidden),
                feed_forward: FeedForwardDropout::Out,
                head_in: false,
            },
        }
    }

    /// Tokens that a layer sees on each side of one; all, if none is given.
    pub(crate) fn reach(&self, layer: usize) -> Option<usize> {
        let local = self.local.filter(|local| !layer.is_multiple_of(local.global_every));
        local.map(|local| local.reach)
    }

    /// The base of the wavelengths by which a layer rotates queries and keys.
    pub(crate) fn wavelength(&self, layer: usize) -> Option<f32> {
        match self.distances {
            Distances::Rotary { global, local } => {
                Some(if self.reach(layer).is_some() { local } else { global })
            }
            Distances::None | Distances::Relative(_) => None,
        }
    }

    /// The embeddings of distances, if attention has them.
    pub(crate) fn relative(&self) -> Option<&Relative> {
        match &self.distances {
            Distances::Relative(relative) => Some(relative),
            Distances::None | Distances::Rotary { .. } => None,
        }
    }

    /// Products that a score of attention adds up.
    pub(crate) fn score_terms(&self) -> usize {
        self.relative().map_or(1, Relative::terms)
    }

    /// True if a layer before attention normalises its input.
    pub(crate) fn normalizes_attention(&self, layer: usize) -> bool {
        self.norms == Norms::After || layer > 0
    }
}

impl Relative {
    fn terms(&self) -> usize {
        1 + usize::from(self.as_keys) + usize::from(self.as_queries)
    }

    /// The table's rows of the distances `−far..=far` from a key to a query.
    pub(crate) fn rows(&self, far: usize) -> Vec<usize> {
        let side = (0..=far).map(|distance| self.buckets.map_or(distance, |buckets| buckets.of(distance)));
        let side: Vec<usize> = side.collect();
        let below = side.iter().skip(1).rev().map(|&distance| self.span.saturating_sub(distance));
        let above = side.iter().map(|&distance| (self.span + distance).min(2 * self.span - 1));
        below.chain(above).collect()
    }
}

impl Buckets {
    /// The bucket of a distance, computed in the steps and the precision of transformers.
    fn of(self, distance: usize) -> usize {
        let middle = self.count / 2;
        if distance <= middle {
            return distance;
        }
        let half = middle as f32;
        let share = (distance as f32 / half).ln() / ((self.most - 1) as f32 / half).ln();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred at most")]
        let steps = (share * (middle - 1) as f32).ceil() as usize;
        steps + middle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_distances_have_their_own_rows_and_far_ones_share() {
        let relative = Relative {
            span: 8,
            buckets: Some(Buckets { count: 8, most: 64 }),
            as_keys: true,
            as_queries: true,
            shares_projections: true,
            is_normalized: true,
        };
        let rows = relative.rows(100);
        assert_eq!(rows.len(), 201);
        assert!(rows.is_sorted() && rows.iter().all(|&row| row < 16));
        assert_eq!(rows[96..=104], [4, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!((rows[0], rows[37], rows[163], rows[200]), (0, 1, 15, 15));
        let exact = Relative { buckets: None, ..relative };
        assert_eq!(exact.rows(9), [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 15]);
    }

    #[test]
    fn every_so_many_layers_see_all_tokens() {
        let mut form = Form::bert(HeadFunction::Tanh);
        assert_eq!((form.reach(1), form.wavelength(1)), (None, None));
        form.local = Some(Local { reach: 64, global_every: 3 });
        form.distances = Distances::Rotary { global: 1.6e5, local: 1e4 };
        assert_eq!([0, 1, 2, 3].map(|layer| form.reach(layer)), [None, Some(64), Some(64), None]);
        assert_eq!([0, 1].map(|layer| form.wavelength(layer)), [Some(1.6e5), Some(1e4)]);
    }
}
