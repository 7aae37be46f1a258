//! Distributions over CWE sets, by models or by the recorded answers of a peer.

use vulnlens_model::{CweSets, Input, Network, NgramModel, Room};
use vulnlens_taxonomy::CweId;

use crate::example::Example;

/// Gives a distribution over CWE sets to each text.
pub trait SetScores: Sync {
    /// The sets, in the order of the scores.
    fn sets(&self) -> &[Vec<CweId>];

    /// Log-probabilities (up to a constant a row) for each example, `examples × sets`, into `out`.
    fn logits(&self, examples: &[&Example], room: &mut Room, out: &mut Vec<f32>);
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

    fn logits(&self, examples: &[&Example], room: &mut Room, out: &mut Vec<f32>) {
        score(self.network, examples, room, out);
    }
}

impl SetScores for NgramModel {
    fn sets(&self) -> &[Vec<CweId>] {
        NgramModel::sets(self)
    }

    fn logits(&self, examples: &[&Example], room: &mut Room, out: &mut Vec<f32>) {
        score(self, examples, room, out);
    }
}

fn score(network: &dyn Network, examples: &[&Example], room: &mut Room, out: &mut Vec<f32>) {
    let inputs: Vec<Input<'_>> = examples.iter().map(|e| Input::text(&e.text).year(e.year)).collect();
    network.score(&inputs, room, out);
}
