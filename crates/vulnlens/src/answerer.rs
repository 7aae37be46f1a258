//! Answers for outputs: predictions with the keys of their records, and the weaknesses as records assign them.

use std::sync::Arc;

use vulnlens_model::{
    Classifier, Explainer, Input, LabelMode, Options, Outputs, PredictBuffers, Prediction, Prepared,
    ScoredLabel, Task,
};
use vulnlens_report::{Answer, AttackView, RecordKey};
use vulnlens_taxonomy::CweId;

/// Weaknesses as assigned that a format gets: the chain's ways begin with them.
const ASSIGNED: usize = 10;

/// Answers records, with the weaknesses as assigned where a format needs them.
pub struct Answerer {
    prepared: Prepared,
    assigned: Assigned,
    /// Set where the reasons of the answers are asked for.
    explainer: Option<Arc<Explainer>>,
    /// True if answers hold the texts of their records.
    keeps_texts: bool,
    view: Option<AttackView>,
    buffers: PredictBuffers,
}

/// The source of the weaknesses as assigned.
#[derive(Clone)]
enum Assigned {
    /// None: they are not needed.
    Unneeded,
    /// Another label space of the same model.
    Space(Prepared),
    /// The checkpoint's own answer, which may not be asked for itself.
    Answer { asked: bool },
}

impl Answerer {
    /// An answerer by `classifier`, for a format that [needs](vulnlens_report::Format::needs_assigned) the weaknesses as
    /// assigned or not.
    #[must_use]
    pub fn new(classifier: &Classifier, options: &Options, needs_assigned: bool) -> Self {
        let (mut options, mut assigned) = (*options, Assigned::Unneeded);
        match classifier.network().outputs() {
            _ if !needs_assigned => {}
            Outputs::CweSets(_) => {
                let of_assigned = options.labels(LabelMode::Assigned).tasks(Task::Cwe).top_k(ASSIGNED);
                assigned = Assigned::Space(classifier.prepare(&of_assigned));
            }
            _ => {
                assigned = Assigned::Answer { asked: options.tasks.contains(Task::Cwe) };
                options.tasks = options.tasks.with(Task::Cwe);
            }
        }
        let prepared = classifier.prepare(&options);
        let buffers = PredictBuffers::default();
        Self { prepared, assigned, view: None, explainer: None, keeps_texts: false, buffers }
    }

    /// The answerer with reasons for its answers, each of which takes many times as long.
    #[must_use]
    pub fn explaining(self) -> Self {
        let explainer = Explainer::new(self.prepared.classifier(), self.prepared.options());
        Self { explainer: Some(Arc::new(explainer)), ..self }
    }

    /// The answerer whose answers hold the texts of their records, for a format that
    /// [needs](vulnlens_report::Format::needs_text) them, or do not.
    #[must_use]
    pub fn keeping_texts(self, keeps_texts: bool) -> Self {
        Self { keeps_texts, ..self }
    }

    /// The answerer whose answers have ATT&CK's labels as `view` shows them.
    #[must_use]
    pub fn view(self, view: Option<AttackView>) -> Self {
        Self { view, ..self }
    }

    /// Another one for another thread, which shares all that was made ready.
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            prepared: self.prepared.clone(),
            assigned: self.assigned.clone(),
            view: self.view.clone(),
            explainer: self.explainer.clone(),
            keeps_texts: self.keeps_texts,
            buffers: PredictBuffers::default(),
        }
    }

    /// The classifier, made ready.
    #[must_use]
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The number of texts that are longer than the model reads.
    #[must_use]
    pub fn count_cut(&self, inputs: &[Input<'_>]) -> u64 {
        inputs.iter().filter(|input| self.prepared.is_cut(input)).count() as u64
    }

    /// The answers to records, given as inputs and, one for each, keys.
    pub fn answer(&mut self, inputs: &[Input<'_>], keys: impl IntoIterator<Item = RecordKey>) -> Vec<Answer> {
        let answered: Vec<(Prediction, Vec<ScoredLabel<CweId>>)> = match &self.assigned {
            Assigned::Space(space) => {
                let both = self.prepared.predict_batch_twice(space, inputs, &mut self.buffers).into_iter();
                both.map(|(prediction, assigned)| (prediction, assigned.cwe.map_or(vec![], |cwe| cwe.labels)))
                    .collect()
            }
            Assigned::Unneeded => self.own(inputs, |_| Vec::new()),
            Assigned::Answer { asked } => {
                let asked = *asked;
                self.own(inputs, |prediction| own_assigned(prediction, asked))
            }
        };
        let answers =
            keys.into_iter().zip(inputs).zip(answered).map(|((key, input), (mut prediction, cwes))| {
                self.view.iter().for_each(|view| view.apply(&mut prediction));
                let mut answer = Answer::new(key, prediction).with_assigned(cwes);
                answer.text = self.keeps_texts.then(|| input.text.to_owned());
                match &self.explainer {
                    Some(explainer) => answer.with_explanation(explainer.explain(*input)),
                    None => answer,
                }
            });
        answers.collect()
    }

    /// Predictions, each with the weaknesses as assigned that it gives itself.
    fn own(
        &mut self,
        inputs: &[Input<'_>],
        assigned: impl Fn(&mut Prediction) -> Vec<ScoredLabel<CweId>>,
    ) -> Vec<(Prediction, Vec<ScoredLabel<CweId>>)> {
        let predictions = self.prepared.predict_batch(inputs, &mut self.buffers).into_iter();
        predictions
            .map(|mut prediction| {
                let cwes = assigned(&mut prediction);
                (prediction, cwes)
            })
            .collect()
    }
}

/// The best weaknesses of a checkpoint's own answer, which is dropped if it was not asked for.
fn own_assigned(prediction: &mut Prediction, asked: bool) -> Vec<ScoredLabel<CweId>> {
    let labels = prediction.cwe.iter().flat_map(|cwe| &cwe.labels);
    let best = labels.take(ASSIGNED).copied().collect();
    if !asked {
        prediction.cwe = None;
    }
    best
}
