//! Decoding of the scores of a checkpoint's own labels.
//!
//! Of a taxonomy that the checkpoint has no labels of, but that follows from them ([`LabelMap::derived`]), a label's score
//! is that of the checkpoint's labels that the chain leads to it from: the greatest of scores that were made each for
//! itself, the sum of scores that exclude each other.

use std::sync::Arc;

use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use super::listing::Listing;
use super::spaces::current_techniques;
use super::unions::Union;
use super::{DecodeBuffers, ListBuffers};
use crate::labels::{LabelMap, OutputsOf};
use crate::outputs::LabelOutputs;
use crate::prediction::{LabelMode, Labels, Options, Prediction, ScoredLabel};
use crate::task::Task;

/// The labels of some options, and the outputs of a checkpoint that each follows from.
pub(crate) struct LabelDecoder {
    union: Union,
    thresholds: Vec<f32>,
    cwe: Option<Column<CweId>>,
    capec: Option<Column<CapecId>>,
    attack: Option<Column<TechniqueId>>,
    other: Column<Arc<str>>,
}

/// The labels of one taxonomy with their outputs.
struct Column<L> {
    labels: Vec<L>,
    outputs: Vec<Vec<u32>>,
    /// The outputs of any of the labels.
    all: Vec<u32>,
}

impl<L> Column<L> {
    fn new(labels: Vec<OutputsOf<L>>) -> Self {
        let (labels, outputs): (_, Vec<Vec<u32>>) =
            labels.into_iter().map(|of| (of.label, of.outputs)).unzip();
        let mut all: Vec<u32> = outputs.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        Self { labels, outputs, all }
    }
}

impl LabelDecoder {
    /// Of the label mode only this matters: whether the chain's techniques are given as CAPEC writes them, or current
    /// ones.
    pub(crate) fn new(outputs: &LabelOutputs, map: &LabelMap, kb: &KnowledgeBase, options: &Options) -> Self {
        let (derived, asked) = (map.derived(), options.tasks);
        let as_written = options.labels == LabelMode::Reference;
        let written =
            |ids: &[TechniqueId]| if as_written { ids.to_vec() } else { current_techniques(kb, ids) };
        let capec = || if derived.contains(Task::Capec) { map.capec_by_chain(kb) } else { map.capec.clone() };
        let attack = || {
            if derived.contains(Task::Attack) { map.attack_by_chain(kb, written) } else { map.attack.clone() }
        };
        let has_capec = derived.contains(Task::Capec) || !map.capec.is_empty();
        let has_attack = derived.contains(Task::Attack) || !map.attack.is_empty();
        Self {
            union: if outputs.exclusive { Union::Sum } else { Union::Greatest },
            thresholds: outputs.thresholds.clone(),
            cwe: (asked.contains(Task::Cwe) && !map.cwe.is_empty()).then(|| Column::new(map.cwe.clone())),
            capec: (asked.contains(Task::Capec) && has_capec).then(|| Column::new(capec())),
            attack: (asked.contains(Task::Attack) && has_attack).then(|| Column::new(attack())),
            other: Column::new(map.other.clone()),
        }
    }

    /// The prediction for one row of scores; NaN stands for what is ruled out.
    pub(crate) fn decode(
        &self,
        scores: &[f32],
        options: &Options,
        buffers: &mut DecodeBuffers,
    ) -> Prediction {
        let buffers = &mut buffers.lists;
        let mut by_output = std::mem::take(&mut buffers.by_output);
        self.union.answer(scores, &self.thresholds, &mut by_output);
        let mut lister = Lister { union: self.union, options, scores, by_output: &by_output, buffers };
        let prediction = Prediction {
            cwe: self.cwe.as_ref().map(|column| lister.labels(column)),
            capec: self.capec.as_ref().map(|column| lister.labels(column)),
            attack: self.attack.as_ref().map(|column| lister.labels(column)),
            other: lister.list(&self.other),
            ..Prediction::default()
        };
        buffers.by_output = by_output;
        prediction
    }
}

/// Makes the lists of one text from the scores of the outputs.
struct Lister<'l> {
    union: Union,
    options: &'l Options,
    scores: &'l [f32],
    /// The outputs that are answered.
    by_output: &'l [bool],
    buffers: &'l mut ListBuffers,
}

impl Lister<'_> {
    /// The list of a taxonomy. The probability that none of its labels applies is the rest of all of them.
    fn labels<L: Clone>(&mut self, column: &Column<L>) -> Labels<L> {
        let any = self.union.score(&column.all, self.scores);
        Labels { labels: self.list(column), none: 1.0 - any.unwrap_or(0.0) }
    }

    fn list<L: Clone>(&mut self, column: &Column<L>) -> Vec<ScoredLabel<L>> {
        let ListBuffers { label_scores, answered, order, .. } = &mut *self.buffers;
        // No threshold lets NaN pass, so a label that is ruled out is never listed.
        let score = |outputs: &Vec<u32>| self.union.score(outputs, self.scores).unwrap_or(f32::NAN);
        label_scores.clear();
        label_scores.extend(column.outputs.iter().map(score));
        let is_answered = |output: &u32| self.by_output.get(*output as usize) == Some(&true);
        answered.clear();
        answered.extend(column.outputs.iter().map(|outputs| outputs.iter().any(is_answered)));
        let listing = Listing { labels: &column.labels, scores: label_scores, answered, ranks: None };
        listing.list(self.options, order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::Classifier;
    use crate::network::Network;
    use crate::outputs::Outputs;
    use crate::prediction::{Input, LabelSource, TopK};
    use crate::prepared::PredictBuffers;
    use crate::room::Room;
    use crate::task::Tasks;

    /// A checkpoint that answers every text alike.
    #[derive(Clone)]
    struct Fixed {
        outputs: Outputs,
        scores: Vec<Option<f32>>,
    }

    /// Texts that are scored at once.
    const BATCH: usize = 512;

    impl Network for Fixed {
        fn name(&self) -> &str {
            "made-up"
        }

        fn revision(&self) -> &str {
            "0123456789ab"
        }

        fn outputs(&self) -> &Outputs {
            &self.outputs
        }

        fn reads_years(&self) -> bool {
            false
        }

        fn texts_at_once(&self) -> usize {
            BATCH
        }

        fn score(&self, inputs: &[Input<'_>], _: &mut Room, scores: &mut Vec<f32>) {
            let row = self.scores.iter().map(|score| score.unwrap_or(f32::NAN));
            scores.clear();
            inputs.iter().for_each(|_| scores.extend(row.clone()));
        }
    }

    fn made_up<const N: usize>(labels: [(&str, Option<f32>); N], exclusive: bool) -> Fixed {
        let (labels, scores) = labels.iter().map(|(label, score)| ((*label).to_owned(), *score)).unzip();
        Fixed { outputs: Outputs::Labels(LabelOutputs::new(labels, exclusive)), scores }
    }

    fn kb() -> KnowledgeBase {
        KnowledgeBase::embedded()
    }

    fn classifier<const N: usize>(labels: [(&str, Option<f32>); N], exclusive: bool) -> Classifier {
        Classifier::new(made_up(labels, exclusive), kb())
    }

    fn shown<L: ToString>(labels: &[ScoredLabel<L>]) -> Vec<(String, f32, bool)> {
        labels.iter().map(|scored| (scored.label.to_string(), scored.score, scored.predicted)).collect()
    }

    fn ask(classifier: &Classifier, options: Options) -> Prediction {
        classifier.predict(Input::text("text"), &options)
    }

    #[test]
    fn labels_of_ones_own_are_answered_from_a_half_on() {
        let labels = [("T1190", Some(0.5)), ("T1059", Some(0.25)), ("T1027", None), ("Other", Some(0.75))];
        let classifier = classifier(labels, false);
        let prediction = ask(&classifier, Options { threshold: 0.0, top_k: TopK::All, ..Options::default() });
        assert_eq!((prediction.cwe, prediction.capec), (None, None), "nothing leads there");
        let attack = prediction.attack.unwrap();
        let want = [("T1190".to_owned(), 0.5, true), ("T1059".to_owned(), 0.25, false)];
        assert_eq!(shown(&attack.labels), want, "what is ruled out is not listed");
        assert_eq!(attack.none, 0.5);
        assert_eq!(shown(&prediction.other), [("Other".to_owned(), 0.75, true)]);
        let best = ask(&classifier, Options { top_k: TopK::Best(1), ..Options::default() });
        assert_eq!(best.attack.unwrap().labels.len(), 1);
    }

    #[test]
    fn what_follows_has_the_greatest_score_of_what_leads_to_it() {
        let labels = [("CWE-79", Some(0.75)), ("CWE-89", Some(0.25)), ("CWE-416", Some(0.125))];
        let classifier = classifier(labels, false);
        let prediction = ask(&classifier, Options { threshold: 0.0, top_k: TopK::All, ..Options::default() });
        let capec = prediction.capec.unwrap();
        let of = |id| capec.labels.iter().find(|scored| scored.label == id).copied();
        let scored = |label, score, predicted| Some(ScoredLabel::new(label, score, predicted));
        assert_eq!(of(CapecId(63)), scored(CapecId(63), 0.75, true));
        assert_eq!(of(CapecId(66)), scored(CapecId(66), 0.25, false), "CWE-89 alone leads there");
        assert_eq!(of(CapecId(267)), scored(CapecId(267), 0.75, true), "both do");
        assert_eq!((capec.none, prediction.attack.unwrap().none), (0.25, 0.25));
    }

    #[test]
    fn scores_that_exclude_each_other_add_up_and_the_best_is_answered() {
        let labels = [("CWE-79", Some(0.375)), ("CWE-89", Some(0.25)), ("CWE-416", Some(0.375))];
        let classifier = classifier(labels, true);
        let prediction = ask(&classifier, Options::default());
        let cwe: Vec<_> = prediction.cwe.unwrap().labels.iter().map(|scored| scored.predicted).collect();
        assert_eq!(cwe, [true, false, false], "of equals the first");
        let capec = prediction.capec.unwrap();
        let both = capec.labels.iter().find(|scored| scored.label == CapecId(267)).unwrap();
        assert_eq!((both.score, both.predicted), (0.625, true));
    }

    #[test]
    fn the_chain_gives_current_techniques_unless_the_reference_is_asked_for() {
        let kb = kb();
        let reaches_old = |id: &CweId| kb.chain(&[*id]).techniques.iter().any(|t| kb.current(*t) != *t);
        let cwe = kb.weaknesses().map(|weakness| weakness.id).find(reaches_old).unwrap();
        let classifier = classifier([(&*cwe.to_string(), Some(1.0))], false);
        let techniques = |labels| {
            let attack =
                ask(&classifier, Options { labels, top_k: TopK::All, ..Options::default() }).attack.unwrap();
            attack.labels.iter().map(|scored| scored.label).collect::<Vec<_>>()
        };
        let written = kb.chain(&[cwe]).techniques;
        assert_eq!(techniques(LabelMode::Reference), written);
        assert_eq!(techniques(LabelMode::Recommended), current_techniques(&kb, &written));
    }

    #[test]
    fn thresholds_of_ones_own_decide() {
        let mut network = made_up([("CWE-79", Some(0.75)), ("CWE-89", Some(0.25))], false);
        let outputs = network.outputs.labels().unwrap().clone();
        let thresholds = br#"{"CWE-79": 0.8, "CWE-89": 0.2}"#;
        network.outputs = Outputs::Labels(outputs.with_thresholds(thresholds).unwrap());
        let classifier = Classifier::new(network, kb());
        let cwe = ask(&classifier, Options::default()).cwe.unwrap();
        assert_eq!(shown(&cwe.labels).iter().map(|shown| shown.2).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn only_what_is_asked_for_is_answered_and_many_texts_in_their_order() {
        let classifier = classifier([("CWE-79", Some(0.75))], false);
        let prepared = classifier.prepare(&Options::default().tasks(Task::Capec));
        let inputs = vec![Input::text("text"); BATCH + 1];
        let predictions = prepared.predict_batch(&inputs, &mut PredictBuffers::default());
        assert_eq!(predictions.len(), BATCH + 1);
        assert!(predictions.iter().all(|p| p.cwe.is_none() && p.capec.is_some() && p.attack.is_none()));
        let derived = Tasks::from(Task::Capec);
        assert_eq!(prepared.run().labels, LabelSource::Checkpoint { derived, other: false });
    }
}
