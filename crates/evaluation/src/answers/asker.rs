//! Texts asked in the recommended label mode, with what counts of each answer.

use std::collections::BTreeSet;

use rayon::prelude::*;
use vulnlens_model::{
    Classifier, Input, LabelMode, Labels, Options, PredictBuffers, Prediction, Prepared, Task, Tasks,
};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase};

use crate::example::Example;

/// Texts that a thread works on at once.
const BLOCK: usize = 256;

/// A model that is asked as `classify` asks it.
pub(super) struct Asker {
    prepared: Prepared,
}

/// The facts of an answer that are measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    /// The first CWE that is listed, predicted or not.
    pub(super) first: Option<CweId>,
    /// True if a CWE is predicted.
    pub(super) has_cwe: bool,
    /// The number of predicted patterns.
    pub(super) patterns: usize,
    /// The number of predicted techniques.
    pub(super) techniques: usize,
    /// True if the first pattern is linked to a predicted CWE; `None` if no pattern is.
    pub(super) linked_first: Option<bool>,
}

impl Asker {
    pub(super) fn new(classifier: &Classifier) -> Self {
        let tasks: Tasks = [Task::Cwe, Task::Capec, Task::Attack].into_iter().collect();
        // From 0 on, so that every record has a first CWE.
        let options = Options::default().labels(LabelMode::Recommended).tasks(tasks).threshold(0.0);
        Self { prepared: classifier.prepare(&options) }
    }

    /// True if the model answers with CWEs.
    pub(super) fn answers_cwe(&self) -> bool {
        self.prepared.network().outputs().cwe_sets().is_some()
            || self.prepared.classifier().label_map().cwe().len() > 0
    }

    /// Asks the model, and returns the answers in the order of the texts.
    pub(super) fn ask(&self, examples: &[&Example]) -> Vec<Facts> {
        let ask = |buffers: &mut PredictBuffers, block: &[&Example]| -> Vec<Facts> {
            let inputs: Vec<Input<'_>> =
                block.iter().map(|example| Input::text(&example.text).year(example.year)).collect();
            let kb = self.prepared.knowledge_base();
            self.prepared.predict_batch(&inputs, buffers).iter().map(|said| Facts::of(said, kb)).collect()
        };
        let blocks: Vec<Vec<Facts>> = if self.prepared.network().computes_in_parallel() {
            let mut buffers = PredictBuffers::default();
            examples.chunks(BLOCK).map(|block| ask(&mut buffers, block)).collect()
        } else {
            examples.par_chunks(BLOCK).map_init(PredictBuffers::default, ask).collect()
        };
        blocks.into_iter().flatten().collect()
    }
}

impl Facts {
    fn of(prediction: &Prediction, kb: &KnowledgeBase) -> Self {
        let weaknesses = prediction.cwe.as_ref().map_or(&[][..], |cwe| &cwe.labels);
        let predicted = weaknesses.iter().filter(|scored| scored.predicted);
        let linked: BTreeSet<CapecId> = predicted
            .clone()
            .filter_map(|scored| kb.weakness(scored.label))
            .flat_map(|weakness| weakness.capecs.iter().copied())
            .collect();
        let patterns = prediction.capec.as_ref().filter(|_| !linked.is_empty());
        let is_linked = |patterns: &Labels<CapecId>| {
            patterns.labels.first().is_some_and(|scored| linked.contains(&scored.label))
        };
        Self {
            first: weaknesses.first().map(|scored| scored.label),
            has_cwe: predicted.count() > 0,
            patterns: predicted_count(prediction.capec.as_ref()),
            techniques: predicted_count(prediction.attack.as_ref()),
            linked_first: patterns.map(is_linked),
        }
    }
}

fn predicted_count<L>(labels: Option<&Labels<L>>) -> usize {
    labels.map_or(0, |labels| labels.labels.iter().filter(|scored| scored.predicted).count())
}

#[cfg(test)]
mod tests {
    use vulnlens_model::ScoredLabel;
    use vulnlens_taxonomy::TechniqueId;

    use super::*;

    fn labels<L>(labels: Vec<(L, bool)>) -> Option<Labels<L>> {
        let scored = labels.into_iter().map(|(label, predicted)| ScoredLabel::new(label, 0.5, predicted));
        Some(Labels::new(scored.collect(), 0.0))
    }

    #[test]
    fn predicted_labels_are_counted_and_links_are_those_of_the_weakness_itself() {
        let kb = KnowledgeBase::embedded();
        let own = kb.weakness(CweId(79)).unwrap().capecs[0];
        let mut prediction = Prediction::default();
        prediction.cwe = labels(vec![(CweId(79), true), (CweId(89), false)]);
        prediction.capec = labels(vec![(own, true), (CapecId(66), false)]);
        prediction.attack = labels::<TechniqueId>(vec![]);
        let said = Facts::of(&prediction, &kb);
        let want = Facts {
            first: Some(CweId(79)),
            has_cwe: true,
            patterns: 1,
            techniques: 0,
            linked_first: Some(true),
        };
        assert_eq!(said, want);
        prediction.capec = labels(vec![(CapecId(66), true), (own, true)]);
        assert_eq!(Facts::of(&prediction, &kb).linked_first, Some(false), "CAPEC-66 is SQL injection");
        prediction.cwe = labels(vec![(CweId(79), false)]);
        let said = Facts::of(&prediction, &kb);
        assert_eq!((said.has_cwe, said.patterns, said.linked_first), (false, 2, None));
    }
}
