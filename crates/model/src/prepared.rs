//! A classifier made ready for some options, to be asked by any number of threads.

use std::sync::Arc;

use vulnlens_taxonomy::KnowledgeBase;

use crate::additions::AdditionDecoder;
use crate::classifier::{Classifier, Run};
use crate::curated::CuratedText;
use crate::decode::{
    CuratedBuffers, CuratedDecoder, DecodeBuffers, LabelDecoder, SetDecoder, SeverityDecodeBuffers,
    SeverityDecoder,
};
use crate::gate::refusal;
use crate::network::Network;
use crate::outputs::Outputs;
use crate::prediction::{Input, LabelMode, Labels, Options, Prediction, TopK};
use crate::room::Room;
use crate::said::Said;
use crate::severity::SeverityText;
use crate::task::Task;

/// A [`Classifier`] with the label spaces of some [`Options`] made ready. Clones share them.
#[derive(Clone)]
pub struct Prepared {
    classifier: Classifier,
    options: Options,
    decoder: Arc<Decoder>,
    /// Made ready where curated techniques are asked for and the network has a head of such.
    curated: Option<Arc<CuratedDecoder>>,
    /// Made ready where severities are asked for and the network has a head of such.
    severity: Option<Arc<SeverityDecoder>>,
    /// Made ready where anything in addition to the model's own labels is asked for.
    additions: Option<Arc<AdditionDecoder>>,
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
    curated: CuratedBuffers,
    severity: SeverityDecodeBuffers,
}

/// Texts that were scored at once, beside their scores.
struct Block<'a> {
    /// The reasons not to answer them.
    refusals: Vec<Option<Said>>,
    /// The texts as the head of curated techniques reads them, if one is asked.
    curated: &'a [CuratedText],
    /// The same of the head of severities.
    severity: &'a [SeverityText],
}

/// The buffers of decoding.
struct Decoding<'a> {
    decode: &'a mut DecodeBuffers,
    curated: &'a mut CuratedBuffers,
    severity: &'a mut SeverityDecodeBuffers,
}

impl Prepared {
    pub(crate) fn new(classifier: Classifier, options: Options) -> Self {
        let kb = classifier.knowledge_base();
        let asks_curated =
            options.tasks.contains(Task::AttackCurated) && options.labels != LabelMode::Reference;
        let curated = match (classifier.network().curated(), classifier.network().outputs()) {
            (Some(head), Outputs::CweSets(sets)) if asks_curated => {
                Some(Arc::new(CuratedDecoder::new(head, sets, kb)))
            }
            _ => None,
        };
        let severity = match (classifier.network().severity(), classifier.network().outputs()) {
            (Some(head), Outputs::CweSets(sets)) if options.severity => {
                Some(Arc::new(SeverityDecoder::new(head, sets, kb)))
            }
            _ => None,
        };
        let decoder = match classifier.network().outputs() {
            Outputs::CweSets(outputs) => Decoder::Sets(Box::new(SetDecoder::new(outputs, kb, &options))),
            Outputs::Labels(outputs) => {
                Decoder::Labels(Box::new(LabelDecoder::new(outputs, classifier.label_map(), kb, &options)))
            }
        };
        let additions = AdditionDecoder::new(options.additions, kb, &**classifier.network()).map(Arc::new);
        Self { classifier, options, decoder: Arc::new(decoder), curated, severity, additions }
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
        self.for_blocks(inputs, buffers, |rows, block, buffers| {
            self.decode(rows, block, buffers, &mut predictions);
        });
        self.add_additions(inputs, &mut predictions);
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
        self.for_blocks(inputs, buffers, |rows, block, buffers| {
            // Decoding turns the scores into probabilities in place.
            copy.clear();
            copy.extend_from_slice(rows);
            self.decode(rows, block, buffers, &mut own);
            other.decode(&mut copy, block, buffers, &mut others);
        });
        self.add_additions(inputs, &mut own);
        own.into_iter().zip(others).collect()
    }

    /// Reads scores of the labels of a network that has labels of its own, `texts × outputs`, as if it had given them; none
    /// where its outputs are CWE sets.
    #[must_use]
    pub fn read_labels(&self, scores: &[f32], buffers: &mut PredictBuffers) -> Vec<Prediction> {
        let Decoder::Labels(decoder) = &*self.decoder else { return vec![] };
        let rows = scores.chunks_exact(self.network().outputs().len().max(1));
        rows.map(|row| decoder.decode(row, &self.options, &mut buffers.decode)).collect()
    }

    /// Adds what is asked for in addition to the model's own labels.
    fn add_additions(&self, inputs: &[Input<'_>], predictions: &mut [Prediction]) {
        let Some(additions) = &self.additions else { return };
        for (input, prediction) in inputs.iter().zip(predictions) {
            additions.add(input.text, prediction, self.knowledge_base(), self.network(), self.options.top_k);
        }
    }

    /// Scores texts, and gives the scores of those that are scored at once, with what else is known of them.
    fn for_blocks(
        &self,
        inputs: &[Input<'_>],
        buffers: &mut PredictBuffers,
        mut each: impl FnMut(&mut [f32], &Block<'_>, &mut Decoding<'_>),
    ) {
        let network = self.network();
        let PredictBuffers { room, scores, decode, curated, severity } = buffers;
        room.asks_curated = self.curated.is_some();
        // What is known by its description alone is never among the answers, and hardly among the best.
        room.asks_described = !matches!(self.options.top_k, TopK::Predicted { .. });
        room.asks_severity = self.severity.is_some();
        for block in inputs.chunks(network.texts_at_once().max(1)) {
            let asked: Vec<Input<'_>> = block.iter().map(|input| self.dated(*input)).collect();
            room.known.clear();
            network.score(&asked, room, scores);
            let refusals = block.iter().enumerate();
            let refusals =
                refusals.map(|(number, input)| refusal(input.text, room.known.get(number).copied()));
            let block =
                Block { refusals: refusals.collect(), curated: &room.curated, severity: &room.severity };
            each(scores, &block, &mut Decoding { decode, curated, severity });
        }
    }

    /// Appends the predictions for rows of scores.
    fn decode(
        &self,
        rows: &mut [f32],
        block: &Block<'_>,
        buffers: &mut Decoding<'_>,
        predictions: &mut Vec<Prediction>,
    ) {
        let width = self.network().outputs().len().max(1);
        let first = predictions.len();
        match &*self.decoder {
            Decoder::Sets(decoder) => {
                decoder.decode(rows, &block.refusals, &self.options, buffers.decode, predictions);
            }
            Decoder::Labels(decoder) => {
                let rows = rows.chunks_exact(width).take(block.refusals.len());
                predictions.extend(rows.map(|row| decoder.decode(row, &self.options, buffers.decode)));
            }
        }
        let rows = rows.chunks_exact(width);
        if let Some((decoder, head)) = self.severity.as_ref().zip(self.network().severity()) {
            let new = predictions.iter_mut().skip(first);
            for ((prediction, row), text) in new.zip(rows.clone()).zip(block.severity) {
                let none = prediction.no_vulnerability();
                prediction.severity = Some(match prediction.said {
                    Some(said) if said.rules_out_techniques() => None,
                    _ => decoder.decode(head, text, row, none, buffers.severity),
                });
            }
        }
        if self.options.severity {
            // Asked for, and not answered: the same as of a text that has none.
            predictions.iter_mut().skip(first).for_each(|prediction| {
                prediction.severity.get_or_insert(None);
            });
        }
        let Some((decoder, head)) = self.curated.as_ref().zip(self.network().curated()) else { return };
        let new = predictions.iter_mut().skip(first);
        for ((prediction, row), text) in new.zip(rows).zip(block.curated) {
            let none = prediction.no_vulnerability();
            prediction.attack_curated = Some(match prediction.said {
                Some(said) if said.rules_out_techniques() => Labels::new(vec![], 1.0),
                _ => decoder.decode(head, text, row, none, &self.options, buffers.curated),
            });
        }
    }

    /// The probabilities of the weaknesses that the head of curated techniques reads, by those of the network's CWE
    /// sets; none where that head is not asked.
    pub(crate) fn curated_cwes(&self, probabilities: &[f32]) -> Option<Vec<f32>> {
        let (decoder, head) = self.curated.as_ref().zip(self.network().curated())?;
        let mut cwes = Vec::new();
        decoder.cwes(head, probabilities, &mut cwes);
        Some(cwes)
    }

    fn dated<'t>(&self, input: Input<'t>) -> Input<'t> {
        Input { year: self.options.as_of.or(input.year), ..input }
    }
}
