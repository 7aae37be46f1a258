//! Distributions over CWE sets, by models or by the recorded answers of a peer.

use vulnlens_model::{Input, Scorer, SetModel};
use vulnlens_taxonomy::CweId;

use crate::example::Example;

/// Gives a distribution over CWE sets to each text.
pub trait SetScores: Sync {
    /// The sets, in the order of the scores.
    fn sets(&self) -> &[Vec<CweId>];

    /// Log-probabilities (up to a constant a row) for each example, `examples × sets`, into `out`.
    fn logits(&self, examples: &[&Example], scorer: &mut Scorer, out: &mut Vec<f32>);
}

impl<M: SetModel> SetScores for M {
    fn sets(&self) -> &[Vec<CweId>] {
        SetModel::sets(self)
    }

    fn logits(&self, examples: &[&Example], scorer: &mut Scorer, out: &mut Vec<f32>) {
        let inputs: Vec<Input<'_>> = examples.iter().map(|e| Input::text(&e.text).year(e.year)).collect();
        out.clear();
        out.extend_from_slice(SetModel::logits(self, &inputs, scorer));
    }
}
