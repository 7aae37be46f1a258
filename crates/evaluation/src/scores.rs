//! Distributions over CWE sets, by models or by the recorded answers of a peer.

use std::collections::BTreeMap;

use vulnlens_model::{CweSets, Input, Network, NgramModel, Room};
use vulnlens_taxonomy::{CweId, Outcome};

use crate::example::Example;

/// Gives a distribution over CWE sets to each text.
pub trait SetScores: Sync {
    /// The sets, in the order of the scores; behind them an empty one for each outcome.
    fn sets(&self) -> &[Vec<CweId>];

    /// The outcomes that the last of the sets stand for.
    fn outcomes(&self) -> &[Outcome] {
        &[]
    }

    /// Log-probabilities (up to a constant a row) for each example, `examples × sets`, into `out`.
    fn logits(&self, examples: &[&Example], room: &mut Room, out: &mut Vec<f32>);
}

/// The output that each example is to lead to.
pub(crate) struct TargetIndex<'a> {
    sets: BTreeMap<&'a [CweId], usize>,
    outcomes: Vec<(Outcome, usize)>,
}

impl<'a> TargetIndex<'a> {
    pub(crate) fn new(scores: &'a dyn SetScores) -> Self {
        Self::of(scores.sets(), scores.outcomes())
    }

    /// The index of sets, the last of which stand for these outcomes.
    pub(crate) fn of(sets: &'a [Vec<CweId>], outcomes: &[Outcome]) -> Self {
        let first = sets.len().saturating_sub(outcomes.len());
        let weaknesses = sets.iter().take(first).map(Vec::as_slice);
        Self {
            sets: weaknesses.zip(0..).collect(),
            outcomes: outcomes.iter().copied().zip(first..).collect(),
        }
    }

    /// The output of an example; `None` if the outputs have none for it.
    pub(crate) fn of_example(&self, example: &Example) -> Option<usize> {
        match example.outcome.filter(|_| !example.is_labelled()) {
            Some(outcome) => self.outcomes.iter().find(|(known, _)| *known == outcome).map(|(_, at)| *at),
            None => self.sets.get(example.cwes.as_slice()).copied(),
        }
    }
}

/// The distributions of a network of CWE sets.
#[derive(Clone, Copy)]
pub struct NetworkScores<'a> {
    network: &'a dyn Network,
    outputs: &'a CweSets,
}

impl<'a> NetworkScores<'a> {
    /// The distributions of `network`; `None` if its outputs are not CWE sets.
    #[must_use]
    pub fn new(network: &'a dyn Network) -> Option<Self> {
        network.outputs().cwe_sets().map(|outputs| Self { network, outputs })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &'a dyn Network {
        self.network
    }

    /// The outputs, with the temperature and the rules of the network's file.
    #[must_use]
    pub fn outputs(&self) -> &'a CweSets {
        self.outputs
    }
}

impl SetScores for NetworkScores<'_> {
    fn sets(&self) -> &[Vec<CweId>] {
        &self.outputs.sets
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outputs.outcomes
    }

    fn logits(&self, examples: &[&Example], room: &mut Room, out: &mut Vec<f32>) {
        score(self.network, examples, room, out);
    }
}

impl SetScores for NgramModel {
    fn sets(&self) -> &[Vec<CweId>] {
        NgramModel::sets(self)
    }

    fn outcomes(&self) -> &[Outcome] {
        Network::outputs(self).cwe_sets().map_or(&[], |outputs| &outputs.outcomes)
    }

    fn logits(&self, examples: &[&Example], room: &mut Room, out: &mut Vec<f32>) {
        score(self, examples, room, out);
    }
}

fn score(network: &dyn Network, examples: &[&Example], room: &mut Room, out: &mut Vec<f32>) {
    let inputs: Vec<Input<'_>> = examples.iter().map(|e| Input::text(&e.text).year(e.year)).collect();
    network.score(&inputs, room, out);
}
