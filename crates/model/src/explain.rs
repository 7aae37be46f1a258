//! Explanations: the words that carried an answer, and the paths by which it leads to ATT&CK.

use vulnlens_taxonomy::{ChainPath, CweId, KnowledgeBase};

use crate::evidence::WordEvidence;
use crate::network::Network;
use crate::prediction::{Input, Options};
use crate::room::Room;
use crate::softmax::temper;

/// A CWE set with its probability.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SetAnswer {
    /// The ids, as records assign them.
    pub cwes: Vec<CweId>,
    /// Probability that the record's ids are exactly these.
    pub probability: f32,
}

impl SetAnswer {
    /// A set, in the order of its ids, with its probability.
    #[must_use]
    pub fn new(cwes: Vec<CweId>, probability: f32) -> Self {
        Self { cwes, probability }
    }
}

/// Reasons of an answer: about the CWE sets as records assign them, before any label space makes another answer of
/// them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The most probable CWE sets, by falling probability.
    pub answers: Vec<SetAnswer>,
    /// The text's words in text order; those that the model does not know have the weight 0.
    pub words: Vec<WordEvidence>,
    /// The chain's paths from the first answer's ids to each technique that they reach.
    pub paths: Vec<ChainPath>,
}

impl Explanation {
    /// An explanation of these parts.
    #[must_use]
    pub fn new(answers: Vec<SetAnswer>, words: Vec<WordEvidence>, paths: Vec<ChainPath>) -> Self {
        Self { answers, words, paths }
    }
}

/// The number of sets that an explanation lists.
const ANSWERS: usize = 5;

/// Explains the answer of a network of CWE sets; `None` for a network that cannot tell.
pub(crate) fn explain(
    network: &dyn Network,
    kb: &KnowledgeBase,
    input: Input<'_>,
    options: &Options,
) -> Option<Explanation> {
    let outputs = network.outputs().cwe_sets()?;
    let input = Input { year: options.as_of.or(input.year), ..input };
    let mut probabilities = Vec::new();
    network.score(&[input], &mut Room::default(), &mut probabilities);
    temper(&mut probabilities, outputs.temperature);
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let words = network.word_evidence(&input, &probabilities, *order.first()?)?;
    let answers: Vec<SetAnswer> = order
        .iter()
        .take(ANSWERS)
        .map(|&set| SetAnswer { cwes: outputs.sets[set].clone(), probability: probabilities[set] })
        .collect();
    let paths = answers.first().map_or(vec![], |answer| paths(kb, &answer.cwes));
    Some(Explanation { answers, words, paths })
}

fn paths(kb: &KnowledgeBase, cwes: &[CweId]) -> Vec<ChainPath> {
    let techniques = kb.chain(cwes).techniques;
    let pairs = techniques.iter().flat_map(|&technique| cwes.iter().map(move |&cwe| (cwe, technique)));
    pairs.flat_map(|(cwe, technique)| kb.paths(cwe, technique)).collect()
}
