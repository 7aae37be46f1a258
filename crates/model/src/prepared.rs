//! A classifier made ready for some options, to be asked by any number of threads.

use std::sync::Arc;

use vulnlens_taxonomy::KnowledgeBase;

use crate::classifier::{Classifier, Run};
use crate::decode::{DecodeBuffers, LabelDecoder, SetDecoder};
use crate::gate::refusal;
use crate::network::Network;
use crate::outputs::Outputs;
use crate::prediction::{Input, Options, Prediction};
use crate::room::Room;
use crate::said::Said;

/// A [`Classifier`] with the label spaces of some [`Options`] made ready. Clones share them.
#[derive(Clone)]
pub struct Prepared {
    classifier: Classifier,
    options: Options,
    decoder: Arc<Decoder>,
}

/// The way from scores to predictions.
enum Decoder {
    Sets(Box<SetDecoder>),
    Labels(Box<LabelDecoder>),
}

/// Buffers of a prepared classifier, one for each thread; reused, they save allocations.
#[derive(Debug, Default)]
pub struct PredictBuffers {
    room: Room,
    scores: Vec<f32>,
    decode: DecodeBuffers,
}

impl Prepared {
    pub(crate) fn new(classifier: Classifier, options: Options) -> Self {
        let kb = classifier.knowledge_base();
        let decoder = match classifier.network().outputs() {
            Outputs::CweSets(outputs) => Decoder::Sets(Box::new(SetDecoder::new(outputs, kb, &options))),
            Outputs::Labels(outputs) => {
                Decoder::Labels(Box::new(LabelDecoder::new(outputs, classifier.label_map(), kb, &options)))
            }
        };
        Self { classifier, options, decoder: Arc::new(decoder) }
    }

    /// The classifier.
    #[must_use]
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &dyn Network {
        &**self.classifier.network()
    }

    /// The knowledge base.
    #[must_use]
    pub fn knowledge_base(&self) -> &KnowledgeBase {
        self.classifier.knowledge_base()
    }

    /// The options.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The facts that all records have in common.
    #[must_use]
    pub fn run(&self) -> Run {
        self.classifier.run(&self.options)
    }

    /// True when a text is longer than the part of it that is read, if that is worth telling.
    #[must_use]
    pub fn is_cut(&self, input: &Input<'_>) -> bool {
        self.network().is_cut(&self.dated(*input))
    }

    /// Classifies one text.
    #[must_use]
    pub fn predict(&self, input: Input<'_>) -> Prediction {
        let mut predictions = self.predict_batch(&[input], &mut PredictBuffers::default());
        predictions.pop().unwrap_or_default()
    }

    /// Classifies texts, in their order. A prediction depends on its text alone, not on the batch.
    #[must_use]
    pub fn predict_batch(&self, inputs: &[Input<'_>], buffers: &mut PredictBuffers) -> Vec<Prediction> {
        let mut predictions = Vec::with_capacity(inputs.len());
        self.for_blocks(inputs, buffers, |rows, refusals, buffers| {
            self.decode(rows, refusals, buffers, &mut predictions);
        });
        predictions
    }

    /// Classifies texts as [`predict_batch`](Self::predict_batch) does, and reads the same scores by the options of
    /// `other`, which is of the same classifier and as of the same year: the network runs once for both.
    #[must_use]
    pub fn predict_batch_twice(
        &self,
        other: &Self,
        inputs: &[Input<'_>],
        buffers: &mut PredictBuffers,
    ) -> Vec<(Prediction, Prediction)> {
        let (mut own, mut others) = (Vec::with_capacity(inputs.len()), Vec::with_capacity(inputs.len()));
        let mut copy = Vec::new();
        self.for_blocks(inputs, buffers, |rows, refusals, buffers| {
            // Decoding turns the scores into probabilities in place.
            copy.clear();
            copy.extend_from_slice(rows);
            self.decode(rows, refusals, buffers, &mut own);
            other.decode(&mut copy, refusals, buffers, &mut others);
        });
        own.into_iter().zip(others).collect()
    }

    /// Scores texts, and gives the scores of those that are scored at once, with the reasons not to answer them.
    fn for_blocks(
        &self,
        inputs: &[Input<'_>],
        buffers: &mut PredictBuffers,
        mut each: impl FnMut(&mut [f32], &[Option<Said>], &mut DecodeBuffers),
    ) {
        let network = self.network();
        let PredictBuffers { room, scores, decode } = buffers;
        for block in inputs.chunks(network.texts_at_once().max(1)) {
            let asked: Vec<Input<'_>> = block.iter().map(|input| self.dated(*input)).collect();
            room.known.clear();
            network.score(&asked, room, scores);
            let refusals = block.iter().enumerate();
            let refusals =
                refusals.map(|(number, input)| refusal(input.text, room.known.get(number).copied()));
            each(scores, &refusals.collect::<Vec<_>>(), decode);
        }
    }

    /// Appends the predictions for rows of scores.
    fn decode(
        &self,
        rows: &mut [f32],
        refusals: &[Option<Said>],
        buffers: &mut DecodeBuffers,
        predictions: &mut Vec<Prediction>,
    ) {
        match &*self.decoder {
            Decoder::Sets(decoder) => decoder.decode(rows, refusals, &self.options, buffers, predictions),
            Decoder::Labels(decoder) => {
                let width = self.network().outputs().len().max(1);
                let rows = rows.chunks_exact(width).take(refusals.len());
                predictions.extend(rows.map(|row| decoder.decode(row, &self.options, buffers)));
            }
        }
    }

    fn dated<'t>(&self, input: Input<'t>) -> Input<'t> {
        Input { year: self.options.as_of.or(input.year), ..input }
    }
}
