//! A checkpoint and a knowledge base together: texts in, predictions out.

use std::borrow::Cow;
use std::sync::Arc;

use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use super::label_map::LabelMap;
use super::outputs::{Union, Voiced};
use super::thresholds::{ThresholdsError, read_thresholds};
use crate::classifier::{Classifier, PredictBuffers};
use crate::listing::Listing;
use crate::prediction::{Input, LabelMode, LabelSource, Labels, Options, Prediction, ScoredLabel};
use crate::space::current_techniques;
use crate::task::Task;

/// What scores texts: a checkpoint, whatever runs it.
pub trait LabelScores: Send + Sync {
    /// The labels as the checkpoint writes them, in the order of its outputs.
    fn labels(&self) -> &[String];

    /// Whether the labels exclude each other, so that their scores add up to 1 (softmax), or each
    /// is scored for itself (sigmoid).
    fn is_exclusive(&self) -> bool;

    /// A text as the checkpoint reads it: as it is, or behind its year.
    fn text<'t>(&self, input: &Input<'t>) -> Cow<'t, str> {
        Cow::Borrowed(input.text)
    }

    /// The scores of each text, one a label, text after text; `None` for a label that is ruled out,
    /// as a hierarchy of checkpoints does with children of parents that do not apply.
    fn scores(&self, texts: &[&str]) -> Vec<Option<f32>>;
}

/// A classifier of vulnerability texts by a checkpoint.
///
/// The checkpoint scores its own labels. Of a taxonomy that it has no labels of, but that follows
/// from them ([`LabelMap::derived`]), a label's score is that of the checkpoint's labels that the
/// chain leads to it from: the greatest of scores that were made each for itself, the sum of scores
/// that exclude each other.
#[derive(Debug, Clone)]
pub struct CheckpointLens<S> {
    scores: S,
    name: String,
    revision: String,
    kb: KnowledgeBase,
    map: LabelMap,
    thresholds: Vec<f32>,
}

/// From this score on a label is answered, if it was scored for itself: as the reference system has
/// it. Of labels that exclude each other the best is answered, whatever its score.
const USUAL_THRESHOLD: f32 = 0.5;

/// How many texts are scored at once.
const BATCH: usize = 512;

impl<S: LabelScores> CheckpointLens<S> {
    /// A classifier by `scores`, whose labels are read with `kb` and, where they are bare numbers,
    /// with the model's name.
    #[must_use]
    pub fn new(scores: S, name: impl Into<String>, revision: impl Into<String>, kb: KnowledgeBase) -> Self {
        let name = name.into();
        let map = LabelMap::new(scores.labels(), &name, &kb);
        let usual = if scores.is_exclusive() { 0.0 } else { USUAL_THRESHOLD };
        let thresholds = vec![usual; scores.labels().len()];
        Self { scores, name, revision: revision.into(), kb, map, thresholds }
    }

    /// The classifier with thresholds of its own, given as [`read_thresholds`] reads them.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn with_thresholds(mut self, json: &[u8]) -> Result<Self, ThresholdsError> {
        let usual = if self.scores.is_exclusive() { 0.0 } else { USUAL_THRESHOLD };
        self.thresholds = read_thresholds(json, self.scores.labels(), usual)?;
        Ok(self)
    }

    /// What scores the texts.
    #[must_use]
    pub fn scores(&self) -> &S {
        &self.scores
    }

    /// The model's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which checkpoint of that name.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The knowledge base.
    #[must_use]
    pub fn knowledge_base(&self) -> &KnowledgeBase {
        &self.kb
    }

    /// The labels by taxonomy.
    #[must_use]
    pub fn label_map(&self) -> &LabelMap {
        &self.map
    }

    /// Prepares what `options` ask for (a few milliseconds; reuse it). Of the label mode only this
    /// matters: whether the chain's techniques are given as CAPEC writes them, or current ones.
    #[must_use]
    pub fn predictor(&self, options: &Options) -> CheckpointPredictor<'_, S> {
        CheckpointPredictor::new(self, *options)
    }

    /// Classifies one text. For more than one, make a [`predictor`](Self::predictor) and keep it.
    #[must_use]
    pub fn predict(&self, input: Input<'_>, options: &Options) -> Prediction {
        let mut predictions = self.predictor(options).predict_batch(&[input], &mut PredictBuffers::default());
        predictions.pop().unwrap_or_default()
    }
}

/// A [`CheckpointLens`] with the labels of some [`Options`] made ready.
pub struct CheckpointPredictor<'a, S> {
    lens: &'a CheckpointLens<S>,
    options: Options,
    union: Union,
    cwe: Option<Outputs<CweId>>,
    capec: Option<Outputs<CapecId>>,
    attack: Option<Outputs<TechniqueId>>,
    other: Outputs<Arc<str>>,
}

/// The labels of one taxonomy, and the outputs that speak for them.
struct Outputs<L> {
    labels: Vec<L>,
    outputs: Vec<Vec<u32>>,
    /// The outputs that speak for any of them.
    all: Vec<u32>,
}

impl<L> Outputs<L> {
    fn new(voiced: Vec<Voiced<L>>) -> Self {
        let (labels, outputs): (_, Vec<Vec<u32>>) =
            voiced.into_iter().map(|voiced| (voiced.label, voiced.outputs)).unzip();
        let mut all: Vec<u32> = outputs.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        Self { labels, outputs, all }
    }
}

impl<'a, S: LabelScores> CheckpointPredictor<'a, S> {
    fn new(lens: &'a CheckpointLens<S>, options: Options) -> Self {
        let (map, kb) = (&lens.map, &lens.kb);
        let derived = map.derived();
        let as_written = options.labels == LabelMode::Reference;
        let written =
            |ids: &[TechniqueId]| if as_written { ids.to_vec() } else { current_techniques(kb, ids) };
        let capec = || if derived.contains(Task::Capec) { map.capec_by_chain(kb) } else { map.capec.clone() };
        let attack = || {
            if derived.contains(Task::Attack) { map.attack_by_chain(kb, written) } else { map.attack.clone() }
        };
        let asked = options.tasks;
        let has_capec = derived.contains(Task::Capec) || !map.capec.is_empty();
        let has_attack = derived.contains(Task::Attack) || !map.attack.is_empty();
        Self {
            lens,
            options,
            union: if lens.scores.is_exclusive() { Union::Sum } else { Union::Greatest },
            cwe: (asked.contains(Task::Cwe) && !map.cwe.is_empty()).then(|| Outputs::new(map.cwe.clone())),
            capec: (asked.contains(Task::Capec) && has_capec).then(|| Outputs::new(capec())),
            attack: (asked.contains(Task::Attack) && has_attack).then(|| Outputs::new(attack())),
            other: Outputs::new(map.other.clone()),
        }
    }

    fn dated<'t>(&self, input: Input<'t>) -> Input<'t> {
        Input { year: self.options.as_of.or(input.year), ..input }
    }

    fn prediction(&self, scores: &[Option<f32>], buffers: &mut PredictBuffers) -> Prediction {
        let mut by_output = std::mem::take(&mut buffers.by_output);
        self.union.answer(scores, &self.lens.thresholds, &mut by_output);
        let mut lister = Lister { predictor: self, scores, by_output: &by_output, buffers };
        let prediction = Prediction {
            cwe: self.cwe.as_ref().map(|task| lister.labels(task)),
            capec: self.capec.as_ref().map(|task| lister.labels(task)),
            attack: self.attack.as_ref().map(|task| lister.labels(task)),
            attack_curated: None,
            other: lister.list(&self.other),
        };
        buffers.by_output = by_output;
        prediction
    }
}

impl<S: LabelScores> Classifier for CheckpointPredictor<'_, S> {
    fn name(&self) -> &str {
        &self.lens.name
    }

    fn revision(&self) -> &str {
        &self.lens.revision
    }

    fn knowledge_base(&self) -> &KnowledgeBase {
        &self.lens.kb
    }

    fn label_source(&self) -> LabelSource {
        let derived = self.lens.map.derived().and(self.options.tasks);
        LabelSource::Checkpoint { derived, other: !self.other.labels.is_empty() }
    }

    fn predict_batch(&self, inputs: &[Input<'_>], buffers: &mut PredictBuffers) -> Vec<Prediction> {
        let labels = self.lens.scores.labels().len();
        let mut predictions = Vec::with_capacity(inputs.len());
        for batch in inputs.chunks(BATCH) {
            let dated: Vec<Input<'_>> = batch.iter().map(|input| self.dated(*input)).collect();
            let texts: Vec<Cow<'_, str>> = dated.iter().map(|input| self.lens.scores.text(input)).collect();
            let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
            let mut rest = &self.lens.scores.scores(&texts)[..];
            for _ in &texts {
                let (scores, after) = rest.split_at(labels.min(rest.len()));
                predictions.push(self.prediction(scores, buffers));
                rest = after;
            }
        }
        predictions
    }
}

/// Makes the lists of one text from the scores of the outputs.
struct Lister<'l, S> {
    predictor: &'l CheckpointPredictor<'l, S>,
    scores: &'l [Option<f32>],
    /// Which outputs are answered.
    by_output: &'l [bool],
    buffers: &'l mut PredictBuffers,
}

impl<S> Lister<'_, S> {
    /// The list of a taxonomy. That none of its labels applies is what is left of all of them.
    fn labels<L: Clone>(&mut self, task: &Outputs<L>) -> Labels<L> {
        let any = self.predictor.union.score(&task.all, self.scores);
        Labels { labels: self.list(task), none: 1.0 - any.unwrap_or(0.0) }
    }

    fn list<L: Clone>(&mut self, task: &Outputs<L>) -> Vec<ScoredLabel<L>> {
        let PredictBuffers { label_scores, answered, order, .. } = &mut *self.buffers;
        let union = self.predictor.union;
        // No threshold lets NaN pass, so what is ruled out is never listed.
        let score = |outputs: &Vec<u32>| union.score(outputs, self.scores).unwrap_or(f32::NAN);
        label_scores.clear();
        label_scores.extend(task.outputs.iter().map(score));
        let is_answered = |output: &u32| self.by_output.get(*output as usize) == Some(&true);
        answered.clear();
        answered.extend(task.outputs.iter().map(|outputs| outputs.iter().any(is_answered)));
        let listing = Listing { labels: &task.labels, scores: label_scores, answered };
        listing.list(&self.predictor.options, order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkpoint that answers every text alike.
    struct Fixed {
        labels: Vec<String>,
        scores: Vec<Option<f32>>,
        is_exclusive: bool,
    }

    impl LabelScores for Fixed {
        fn labels(&self) -> &[String] {
            &self.labels
        }

        fn is_exclusive(&self) -> bool {
            self.is_exclusive
        }

        fn scores(&self, texts: &[&str]) -> Vec<Option<f32>> {
            self.scores.repeat(texts.len())
        }
    }

    fn lens<const N: usize>(labels: [(&str, Option<f32>); N], is_exclusive: bool) -> CheckpointLens<Fixed> {
        let kb = KnowledgeBase::from_bytes(include_bytes!("../../../../assets/kb.bin")).unwrap();
        let (labels, scores) = labels.iter().map(|(label, score)| ((*label).to_owned(), *score)).unzip();
        CheckpointLens::new(Fixed { labels, scores, is_exclusive }, "made-up", "0123456789ab", kb)
    }

    fn shown<L: ToString>(labels: &[ScoredLabel<L>]) -> Vec<(String, f32, bool)> {
        labels.iter().map(|scored| (scored.label.to_string(), scored.score, scored.predicted)).collect()
    }

    fn ask(lens: &CheckpointLens<Fixed>, options: Options) -> Prediction {
        lens.predict(Input::text("text"), &options)
    }

    #[test]
    fn labels_of_ones_own_are_answered_from_a_half_on() {
        let labels = [("T1190", Some(0.5)), ("T1059", Some(0.25)), ("T1027", None), ("Other", Some(0.75))];
        let lens = lens(labels, false);
        let prediction = ask(&lens, Options { threshold: 0.0, ..Options::default() });
        assert_eq!((prediction.cwe, prediction.capec), (None, None), "nothing leads there");
        let attack = prediction.attack.unwrap();
        let want = [("T1190".to_owned(), 0.5, true), ("T1059".to_owned(), 0.25, false)];
        assert_eq!(shown(&attack.labels), want, "what is ruled out is not listed");
        assert_eq!(attack.none, 0.5);
        assert_eq!(shown(&prediction.other), [("Other".to_owned(), 0.75, true)]);
        let best = ask(&lens, Options { top_k: Some(1), ..Options::default() });
        assert_eq!(best.attack.unwrap().labels.len(), 1);
    }

    #[test]
    fn what_follows_has_the_greatest_score_of_what_leads_to_it() {
        let labels = [("CWE-79", Some(0.75)), ("CWE-89", Some(0.25)), ("CWE-416", Some(0.125))];
        let lens = lens(labels, false);
        let prediction = ask(&lens, Options { threshold: 0.0, ..Options::default() });
        let capec = prediction.capec.unwrap();
        let of = |id| capec.labels.iter().find(|scored| scored.label == id).copied();
        let scored = |label, score, predicted| Some(ScoredLabel { label, score, predicted });
        assert_eq!(of(CapecId(63)), scored(CapecId(63), 0.75, true));
        assert_eq!(of(CapecId(66)), scored(CapecId(66), 0.25, false), "CWE-89 alone leads there");
        assert_eq!(of(CapecId(267)), scored(CapecId(267), 0.75, true), "both do");
        assert_eq!((capec.none, prediction.attack.unwrap().none), (0.25, 0.25));
    }

    #[test]
    fn scores_that_exclude_each_other_add_up_and_the_best_is_answered() {
        let labels = [("CWE-79", Some(0.375)), ("CWE-89", Some(0.25)), ("CWE-416", Some(0.375))];
        let lens = lens(labels, true);
        let prediction = ask(&lens, Options::default());
        let cwe: Vec<_> = prediction.cwe.unwrap().labels.iter().map(|scored| scored.predicted).collect();
        assert_eq!(cwe, [true, false, false], "of equals the first");
        let capec = prediction.capec.unwrap();
        let both = capec.labels.iter().find(|scored| scored.label == CapecId(267)).unwrap();
        assert_eq!((both.score, both.predicted), (0.625, true));
    }

    #[test]
    fn the_chain_gives_current_techniques_unless_the_reference_is_asked_for() {
        let kb = KnowledgeBase::from_bytes(include_bytes!("../../../../assets/kb.bin")).unwrap();
        let reaches_old = |id: &CweId| kb.chain(&[*id]).techniques.iter().any(|t| kb.current(*t) != *t);
        let cwe = kb.weaknesses().map(|weakness| weakness.id).find(reaches_old).unwrap();
        let lens = lens([(&*cwe.to_string(), Some(1.0))], false);
        let techniques = |labels| {
            let attack = ask(&lens, Options { labels, ..Options::default() }).attack.unwrap();
            attack.labels.iter().map(|scored| scored.label).collect::<Vec<_>>()
        };
        let written = kb.chain(&[cwe]).techniques;
        assert_eq!(techniques(LabelMode::Reference), written);
        assert_eq!(techniques(LabelMode::Recommended), current_techniques(&kb, &written));
    }

    #[test]
    fn thresholds_of_ones_own_decide() {
        let lens = lens([("CWE-79", Some(0.75)), ("CWE-89", Some(0.25))], false);
        let lens = lens.with_thresholds(br#"{"CWE-79": 0.8, "CWE-89": 0.2}"#).unwrap();
        let cwe = ask(&lens, Options::default()).cwe.unwrap();
        assert_eq!(shown(&cwe.labels).iter().map(|shown| shown.2).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn only_what_is_asked_for_is_answered_and_many_texts_in_their_order() {
        let lens = lens([("CWE-79", Some(0.75))], false);
        let predictor = lens.predictor(&Options::default().tasks(Task::Capec));
        let inputs = vec![Input::text("text"); BATCH + 1];
        let predictions = predictor.predict_batch(&inputs, &mut PredictBuffers::default());
        assert_eq!(predictions.len(), BATCH + 1);
        assert!(predictions.iter().all(|p| p.cwe.is_none() && p.capec.is_some() && p.attack.is_none()));
        let derived = Task::Capec.into();
        assert_eq!(predictor.label_source(), LabelSource::Checkpoint { derived, other: false });
    }
}
