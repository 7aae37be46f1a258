//! The source of the answers: a model on any number of threads, or whatever a test gives.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use vulnlens::stream::shown;
use vulnlens::{Classifier, Input, Options, PredictBuffers, Prediction, Prepared, Run};
use vulnlens::{KnowledgeBase, TopK};

/// Texts that a thread answers at once.
const CHUNK: usize = 64;

/// Answers texts in their order. An answer depends on its text and year alone.
pub trait Predictor {
    /// The answers, one for each input; fewer only if the predictor is at fault.
    fn predict(&mut self, inputs: &[Input<'_>]) -> Vec<Prediction>;

    /// The model and the releases that the answers are by.
    fn run(&self) -> Run;

    /// The knowledge base of the answers.
    fn knowledge_base(&self) -> &KnowledgeBase;
}

/// A classifier on several threads.
pub struct ThreadedPredictor {
    prepared: Prepared,
    buffers: Vec<PredictBuffers>,
}

impl ThreadedPredictor {
    /// A predictor by `classifier` on so many threads. A network that shares a batch out over threads of its own is asked
    /// by one. The answers hold what the model asserts, whatever number of labels `options` list.
    #[must_use]
    pub fn new(classifier: &Classifier, options: Options, threads: usize) -> Self {
        let prepared = classifier.prepare(&options.top_k(TopK::Predicted { and_best: 0 }));
        let threads = if prepared.network().computes_in_parallel() { 1 } else { threads.max(1) };
        let buffers = (0..threads).map(|_| PredictBuffers::default()).collect();
        Self { prepared, buffers }
    }
}

impl Predictor for ThreadedPredictor {
    fn predict(&mut self, inputs: &[Input<'_>]) -> Vec<Prediction> {
        let inputs: Vec<Input<'_>> =
            inputs.iter().map(|input| Input::text(shown(input.text)).year(input.year)).collect();
        let chunks: Vec<&[Input<'_>]> = inputs.chunks(CHUNK).collect();
        let next = AtomicUsize::new(0);
        let answered = Mutex::new(Vec::with_capacity(chunks.len()));
        let prepared = &self.prepared;
        thread::scope(|scope| {
            for buffers in self.buffers.iter_mut().take(chunks.len()) {
                let (chunks, next, answered) = (&chunks, &next, &answered);
                scope.spawn(move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(chunk) = chunks.get(number) else { return };
                        let predictions = prepared.predict_batch(chunk, buffers);
                        let Ok(mut answered) = answered.lock() else { return };
                        answered.push((number, predictions));
                    }
                });
            }
        });
        let mut answered = answered.into_inner().unwrap_or_default();
        answered.sort_unstable_by_key(|(number, _)| *number);
        answered.into_iter().flat_map(|(_, predictions)| predictions).collect()
    }

    fn run(&self) -> Run {
        self.prepared.run()
    }

    fn knowledge_base(&self) -> &KnowledgeBase {
        self.prepared.knowledge_base()
    }
}
