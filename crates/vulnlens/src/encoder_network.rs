//! Encoders as networks: checkpoints that score their own labels, and encoders that were trained on CWE sets.

use rayon::ThreadPool;
use vulnlens_encoder::{Checkpoint, Encoder, Notice, Problem};
use vulnlens_model::{Branch, CweSets, Header, Input, LabelOutputs, Network, Outputs, Room, Routes};

/// An encoder that answers as a [`Network`].
pub struct EncoderNetwork {
    scorer: Scorer,
    /// The description that training left beside the weights.
    header: Option<Header>,
    name: String,
    revision: String,
    outputs: Outputs,
    /// The routes of a hierarchy.
    routes: Option<Routes>,
    /// The threads that it computes on; those of the caller's rayon pool if there are none.
    pool: Option<ThreadPool>,
    /// Whether long texts are cut off.
    cuts: bool,
}

/// The part that computes.
enum Scorer {
    /// One network of CWE sets.
    Sets(Box<Encoder>),
    /// A checkpoint, or a hierarchy of them, with labels of its own.
    Labels(Box<Checkpoint>),
}

/// The name of a network, its revision and the way it computes.
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) revision: String,
    /// Whether long texts are cut off.
    pub(crate) cuts: bool,
}

/// Texts that an encoder is given at once: its threads share them out.
const TEXTS_AT_ONCE: usize = 512;

impl EncoderNetwork {
    /// An encoder of CWE sets.
    pub(crate) fn of_sets(encoder: Encoder, outputs: CweSets, header: Header, setting: Setting) -> Self {
        Self::new(Scorer::Sets(Box::new(encoder)), Some(header), Outputs::CweSets(outputs), setting)
    }

    /// A checkpoint with labels of its own.
    pub(crate) fn of_labels(
        checkpoint: Checkpoint,
        outputs: LabelOutputs,
        header: Option<Header>,
        setting: Setting,
    ) -> Self {
        Self::new(Scorer::Labels(Box::new(checkpoint)), header, Outputs::Labels(outputs), setting)
    }

    fn new(scorer: Scorer, header: Option<Header>, outputs: Outputs, setting: Setting) -> Self {
        let Setting { name, revision, cuts } = setting;
        let routes = match &scorer {
            Scorer::Sets(_) => None,
            Scorer::Labels(checkpoint) => routes(checkpoint),
        };
        Self { scorer, header, name, revision, outputs, routes, pool: None, cuts }
    }

    /// Computes on the threads of a pool, or on the caller's.
    pub(crate) fn compute_on(&mut self, pool: Option<ThreadPool>) {
        self.pool = pool;
    }

    /// The encoders, from the top of a hierarchy on.
    pub fn parts(&self) -> impl Iterator<Item = &Encoder> {
        let (one, checkpoint) = match &self.scorer {
            Scorer::Sets(encoder) => (Some(&**encoder), None),
            Scorer::Labels(checkpoint) => (None, Some(&**checkpoint)),
        };
        one.into_iter().chain(checkpoint.into_iter().flat_map(Checkpoint::parts))
    }

    /// Remarks on the encoders for the user, to be shown once.
    pub(crate) fn notices(&self) -> Box<dyn Iterator<Item = &Notice> + '_> {
        match &self.scorer {
            Scorer::Sets(encoder) => Box::new(encoder.notices().iter()),
            Scorer::Labels(checkpoint) => Box::new(checkpoint.notices()),
        }
    }

    /// Changes the labels, if the outputs are such.
    pub(crate) fn name_labels<E>(
        &mut self,
        change: impl FnOnce(LabelOutputs) -> Result<LabelOutputs, E>,
    ) -> Result<(), E> {
        if let Outputs::Labels(outputs) = &mut self.outputs {
            *outputs = change(outputs.clone())?;
        }
        Ok(())
    }

    /// The outputs as `config.json` names them, whatever they are answered as.
    #[must_use]
    pub fn written_labels(&self) -> &[String] {
        match &self.scorer {
            Scorer::Sets(encoder) => encoder.labels(),
            Scorer::Labels(checkpoint) => checkpoint.labels(),
        }
    }

    /// Tokens of a text that are read at most, special tokens included.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.parts().map(Encoder::max_tokens).min().unwrap_or(0)
    }

    /// A text as the encoder reads it: as it is, or behind its year.
    fn text(&self, input: &Input<'_>) -> String {
        match &self.header {
            Some(header) => header.text(input.text, input.year),
            None => input.text.to_owned(),
        }
    }

    /// What is computed of texts as the encoder reads them, on its threads.
    fn computed(&self, inputs: &[Input<'_>], compute: impl Fn(&[&str]) -> Vec<f32> + Sync) -> Vec<f32> {
        let texts: Vec<String> = inputs.iter().map(|input| self.text(input)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        match &self.pool {
            Some(pool) => pool.install(|| compute(&texts)),
            None => compute(&texts),
        }
    }
}

/// The routes of a hierarchy.
fn routes(checkpoint: &Checkpoint) -> Option<Routes> {
    let branches = checkpoint.branches()?.into_iter();
    let branches = branches.map(|vulnlens_encoder::Branch { parent, labels, exclusive }| Branch {
        parent,
        labels,
        exclusive,
    });
    Routes::new(checkpoint.labels().len(), branches.collect(), checkpoint.multiplies())
}

/// The labels of a checkpoint as outputs.
pub(crate) fn label_outputs(checkpoint: &Checkpoint) -> LabelOutputs {
    LabelOutputs::new(checkpoint.labels().to_vec(), checkpoint.problem() == Problem::SingleLabel)
}

impl Network for EncoderNetwork {
    fn name(&self) -> &str {
        &self.name
    }

    fn revision(&self) -> &str {
        &self.revision
    }

    fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    fn reads_years(&self) -> bool {
        self.header.as_ref().is_some_and(|header| header.years.is_some())
    }

    fn texts_at_once(&self) -> usize {
        TEXTS_AT_ONCE
    }

    fn computes_in_parallel(&self) -> bool {
        true
    }

    fn is_cut(&self, input: &Input<'_>) -> bool {
        self.cuts && self.parts().next().is_some_and(|encoder| encoder.is_cut(&self.text(input)))
    }

    fn score(&self, inputs: &[Input<'_>], _: &mut Room, scores: &mut Vec<f32>) {
        *scores = self.computed(inputs, |texts| match &self.scorer {
            Scorer::Sets(encoder) => encoder.logits(texts),
            Scorer::Labels(checkpoint) => {
                let given = checkpoint.scores(texts).into_iter();
                given.map(|score| score.unwrap_or(f32::NAN)).collect()
            }
        });
    }

    fn routes(&self) -> Option<&Routes> {
        self.routes.as_ref()
    }

    fn score_branches(&self, inputs: &[Input<'_>], room: &mut Room, scores: &mut Vec<f32>) {
        match &self.scorer {
            Scorer::Sets(_) => self.score(inputs, room, scores),
            Scorer::Labels(checkpoint) => {
                *scores = self.computed(inputs, |texts| checkpoint.branch_scores(texts))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use vulnlens_encoder::LoadOptions;

    use super::*;

    #[test]
    fn routes_give_the_scores_of_the_hierarchy_itself() {
        let texts =
            ["SQL injection in the login form", "", "A buffer overflow in the parser", "Improper access"];
        for name in ["hierarchy-cwe", "hierarchy-capec"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/fixtures").join(name);
            let checkpoint = Checkpoint::open(&folder, &LoadOptions::default()).unwrap();
            let outputs = label_outputs(&checkpoint);
            let setting = Setting { name: name.to_owned(), revision: String::new(), cuts: true };
            let network = EncoderNetwork::of_labels(checkpoint, outputs, None, setting);
            let inputs = texts.map(Input::text);
            let (mut own, mut branches, mut routed) = (vec![], vec![], vec![]);
            network.score(&inputs, &mut Room::default(), &mut own);
            network.score_branches(&inputs, &mut Room::default(), &mut branches);
            let routes = network.routes().unwrap();
            let rows = own.chunks_exact(routes.labels()).zip(branches.chunks_exact(routes.scores()));
            for (own, branches) in rows {
                routes.route(branches, routes.own(), &mut routed);
                let bits = |scores: &[f32]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(own), bits(&routed), "{name}");
            }
            assert!(own.iter().any(|score| score.is_nan()) && branches.iter().all(|score| !score.is_nan()));
        }
    }
}
