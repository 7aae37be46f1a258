//! Explanations: the words that carried an answer, what is left of it without them, and the paths by which it leads to
//! ATT&CK.
//!
//! They are about the best label of the answer, by the score that the answer gives it. Networks that can tell what each
//! word adds do so; others are asked again, once for each word that is left out, or each group of words of a long text.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use vulnlens_taxonomy::{CapecId, ChainPath, CveId, CweId, KnowledgeBase, TechniqueId};

use crate::additions::Additions;
use crate::classifier::Classifier;
use crate::curated::CuratedEvidence;
use crate::evidence::WordEvidence;
use crate::ngram::text::Cutter;
use crate::outputs::CweSets;
use crate::prediction::{Input, Labels, Options, Prediction, ScoredLabel, TopK};
use crate::prepared::{PredictBuffers, Prepared};
use crate::room::Room;
use crate::softmax::temper;
use crate::task::Task;

/// Words that are left out at most, the first: encoders hardly read as many.
const MOST_WORDS: usize = 512;
/// Texts that a network is asked about at most to weigh words: those of longer texts are left out in groups of equal
/// size.
const MOST_TEXTS: usize = 128;
/// Parents of a label that are shown at most.
const MOST_PARENTS: usize = 64;
/// Words that the check takes out of the text.
const NAMED: usize = 10;
/// The least weight of a word that speaks for an answer: weights are shown with two decimals.
const LEAST_WEIGHT: f32 = 0.005;
/// The nearest that a score comes to 0 and 1 in log-odds.
const NEAREST: f32 = 1e-6;

/// The label that an explanation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A weakness.
    Cwe(CweId),
    /// An attack pattern.
    Capec(CapecId),
    /// An ATT&CK technique.
    Attack(TechniqueId),
    /// A label of no task, as the model writes it.
    Other(Arc<str>),
}

impl Target {
    /// The task that the label belongs to.
    #[must_use]
    pub fn task(&self) -> Option<Task> {
        match self {
            Self::Cwe(_) => Some(Task::Cwe),
            Self::Capec(_) => Some(Task::Capec),
            Self::Attack(_) => Some(Task::Attack),
            Self::Other(_) => None,
        }
    }

    /// The first label of a prediction, with its score.
    fn of(prediction: &Prediction) -> Option<(Self, f32)> {
        fn best<L: Copy>(labels: Option<&Labels<L>>, target: fn(L) -> Target) -> Option<(Target, f32)> {
            labels?.labels.first().map(|scored| (target(scored.label), scored.score))
        }
        let other = || prediction.other.first().map(|best| (Self::Other(best.label.clone()), best.score));
        best(prediction.cwe.as_ref(), Self::Cwe)
            .or_else(|| best(prediction.capec.as_ref(), Self::Capec))
            .or_else(|| best(prediction.attack.as_ref(), Self::Attack))
            .or_else(other)
    }

    /// The label's score in a prediction of all labels; 0 where it is ruled out.
    fn score(&self, prediction: &Prediction) -> f32 {
        fn find<L: Copy + PartialEq>(labels: Option<&Labels<L>>, label: L) -> Option<f32> {
            labels?.labels.iter().find(|scored| scored.label == label).map(|scored| scored.score)
        }
        let score = match self {
            Self::Cwe(id) => find(prediction.cwe.as_ref(), *id),
            Self::Capec(id) => find(prediction.capec.as_ref(), *id),
            Self::Attack(id) => find(prediction.attack.as_ref(), *id),
            Self::Other(label) => {
                prediction.other.iter().find(|scored| scored.label == *label).map(|scored| scored.score)
            }
        };
        score.unwrap_or(0.0)
    }
}

/// The label as outputs have it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cwe(id) => id.fmt(f),
            Self::Capec(id) => id.fmt(f),
            Self::Attack(id) => id.fmt(f),
            Self::Other(label) => label.fmt(f),
        }
    }
}

/// Reasons of an answer: of its best label, whatever the threshold.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Explanation {
    /// The label that is explained; none where the model scores no label.
    pub target: Option<Target>,
    /// Its score, that of the answer.
    pub score: f32,
    /// The text's words in text order; those that the model does not know have the weight 0.
    pub words: Vec<WordEvidence>,
    /// The number of words that speak most for the label, and are named for it.
    pub named: usize,
    /// The way in which the words were weighed; none where no label is explained.
    pub method: Option<EvidenceMethod>,
    /// The number of words that were weighed, in groups or one by one: all, or the first ones of a long text.
    pub weighed: usize,
    /// In a hierarchy, the labels that the explained one lies below, the nearest first, with their scores; one that is
    /// ruled out has the score 0.
    pub parents: Vec<ScoredLabel<Arc<str>>>,
    /// The score of the label in the text without these words: an explanation that holds leaves little of it.
    pub score_without: f32,
    /// The chain's paths from the predicted weaknesses, or the best one, to each technique that they reach.
    pub paths: Vec<ChainPath>,
    /// The reasons of the techniques that are answered as analysts assign them, or of the best one.
    pub curated: Vec<CuratedEvidence>,
    /// The records most like the text, of those that it was compared with.
    pub records: Vec<NearRecord>,
}

/// A way to weigh the words of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvidenceMethod {
    /// The network's score is a sum of what the words add, and these parts are the weights.
    Contributions,
    /// The network is asked again without each word, or each group of words; the weight is the fall of the log-odds.
    Occlusion,
}

impl EvidenceMethod {
    /// Its name in outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contributions => "contributions",
            Self::Occlusion => "occlusion",
        }
    }
}

/// A record with a text like the one that is explained.
#[derive(Debug, Clone, PartialEq)]
pub struct NearRecord {
    /// The record.
    pub cve: CveId,
    /// The cosine of both texts' features.
    pub similarity: f32,
    /// The weaknesses that it carries.
    pub cwes: Vec<CweId>,
}

/// A classifier made ready to explain its answers to some options.
pub struct Explainer {
    /// The classifier with all labels listed, whatever their scores.
    whole: Prepared,
}

impl Explainer {
    /// An explainer of the answers of `classifier` to `options`.
    #[must_use]
    pub fn new(classifier: &Classifier, options: &Options) -> Self {
        Self {
            whole: classifier.prepare(&options.top_k(TopK::All).threshold(0.0).additions(Additions::NOTHING)),
        }
    }

    /// Explains the answer to one text.
    #[must_use]
    pub fn explain(&self, input: Input<'_>) -> Explanation {
        let prediction = self.whole.predict(input);
        let (dated, probabilities) = self.set_probabilities(&input);
        let curated = self.curated(&dated, &probabilities, &prediction);
        let Some((target, score)) = Target::of(&prediction) else {
            return Explanation { curated, ..Explanation::default() };
        };
        let (words, weighed, method) = match self.evidence(&dated, &probabilities, &target) {
            Some(words) => {
                let weighed = words.len();
                (words, weighed, EvidenceMethod::Contributions)
            }
            None => {
                let (words, weighed) = self.by_occlusion(input, &target, score);
                (words, weighed, EvidenceMethod::Occlusion)
            }
        };
        let named = named(&words);
        let score_without = match named.is_empty() {
            true => score,
            false => {
                let text = without(input.text, &named);
                target.score(&self.whole.predict(Input { text: &text, ..input }))
            }
        };
        let paths = paths(self.whole.knowledge_base(), &prediction, &target);
        Explanation {
            parents: self.parents(&dated, &target),
            target: Some(target),
            score,
            words,
            named: named.len(),
            method: Some(method),
            weighed,
            score_without,
            paths,
            curated,
            records: vec![],
        }
    }

    /// The reasons of the techniques that are answered as analysts assign them; where none is, of the best one.
    fn curated(
        &self,
        input: &Input<'_>,
        probabilities: &[f32],
        prediction: &Prediction,
    ) -> Vec<CuratedEvidence> {
        let Some(labels) = &prediction.attack_curated else { return vec![] };
        let answered = labels.labels.iter().filter(|scored| scored.predicted);
        let mut techniques: Vec<TechniqueId> = answered.map(|scored| scored.label).collect();
        if techniques.is_empty() {
            techniques.extend(labels.labels.first().map(|scored| scored.label));
        }
        let cwes = self.whole.curated_cwes(probabilities);
        cwes.map_or_else(Vec::new, |cwes| self.whole.network().curated_evidence(input, &cwes, &techniques))
    }

    /// The text as of the year that is asked for, and the probabilities of the network's CWE sets; empty without such.
    fn set_probabilities<'t>(&self, input: &Input<'t>) -> (Input<'t>, Vec<f32>) {
        let network = self.whole.network();
        let input = Input { year: self.whole.options().as_of.or(input.year), ..*input };
        let mut probabilities = Vec::new();
        if let Some(outputs) = network.outputs().cwe_sets() {
            network.score(&[input], &mut Room::default(), &mut probabilities);
            temper(&mut probabilities, outputs.temperature);
        }
        (input, probabilities)
    }

    /// The words' weights for the most probable CWE set that has the label, if the network can tell.
    fn evidence(
        &self,
        input: &Input<'_>,
        probabilities: &[f32],
        target: &Target,
    ) -> Option<Vec<WordEvidence>> {
        let network = self.whole.network();
        let outputs = network.outputs().cwe_sets()?;
        let first = best_set(outputs, probabilities, target, self.whole.knowledge_base())?;
        network.word_evidence(input, probabilities, first)
    }

    /// The fall of the label's log-odds when a word is left out, for each of the first words or, in a long text, each
    /// group of them; and the number of these words.
    fn by_occlusion(&self, input: Input<'_>, target: &Target, score: f32) -> (Vec<WordEvidence>, usize) {
        let mut cutter = Cutter::default();
        cutter.cut(input.text, |_, _| {});
        let spans = cutter.spans();
        let spans = spans.get(..MOST_WORDS).unwrap_or(spans);
        let groups = groups(spans);
        let texts: Vec<String> =
            groups.iter().map(|group| without(input.text, std::slice::from_ref(group))).collect();
        let inputs: Vec<Input<'_>> = texts.iter().map(|text| Input { text, ..input }).collect();
        let predictions = self.whole.predict_batch(&inputs, &mut PredictBuffers::default());
        let words = groups.iter().zip(&predictions).map(|(group, prediction)| WordEvidence {
            text: input.text.get(group.clone()).unwrap_or_default().to_owned(),
            start: group.start,
            end: group.end,
            weight: log_odds(score) - log_odds(target.score(prediction)),
        });
        (words.collect(), spans.len())
    }

    /// The labels above the explained one with their scores, the nearest first.
    fn parents(&self, input: &Input<'_>, target: &Target) -> Vec<ScoredLabel<Arc<str>>> {
        let (network, map) = (self.whole.network(), self.whole.classifier().label_map());
        let Some(outputs) = network.outputs().labels() else { return vec![] };
        let own = match target {
            Target::Cwe(id) => map.outputs_of_cwe(*id),
            Target::Capec(id) => map.outputs_of_capec(*id),
            Target::Attack(id) => map.outputs_of_attack(*id),
            Target::Other(label) => map.outputs_of_other(label),
        };
        let Some(routes) = network.routes() else { return vec![] };
        let above = above(own, |output| routes.parents_of(output));
        if above.is_empty() {
            return vec![];
        }
        let mut scores = Vec::new();
        network.score(&[*input], &mut Room::default(), &mut scores);
        let scored = above.into_iter().filter_map(|parent| {
            let (label, threshold) = (outputs.labels.get(parent)?, outputs.thresholds.get(parent)?);
            let score = scores.get(parent).copied().filter(|score| !score.is_nan()).unwrap_or(0.0);
            Some(ScoredLabel::new(Arc::from(label.as_str()), score, score >= *threshold))
        });
        scored.collect()
    }
}

/// The outputs that some outputs lie below, the nearest first, each once.
fn above(outputs: &[u32], parents: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
    let mut level: Vec<usize> = outputs.iter().map(|&output| output as usize).collect();
    let mut above: Vec<usize> = vec![];
    while !level.is_empty() && above.len() < MOST_PARENTS {
        let next: Vec<usize> = level.iter().flat_map(|&output| parents(output)).collect();
        level.clear();
        for parent in next {
            let is_own = outputs.iter().any(|&output| output as usize == parent);
            if !is_own && !above.contains(&parent) {
                above.push(parent);
                level.push(parent);
            }
        }
    }
    above.truncate(MOST_PARENTS);
    above
}

/// Words that follow each other in groups of equal size, as few words each as there may be texts.
fn groups(words: &[Range<usize>]) -> Vec<Range<usize>> {
    let size = words.len().div_ceil(MOST_TEXTS).max(1);
    let whole = |group: &[Range<usize>]| Some(group.first()?.start..group.last()?.end);
    words.chunks(size).filter_map(whole).collect()
}

/// The most probable set that has the label, or a weakness below it; of all sets where none does.
fn best_set(outputs: &CweSets, probabilities: &[f32], target: &Target, kb: &KnowledgeBase) -> Option<usize> {
    let leads_there = |set: &[CweId]| match target {
        Target::Cwe(id) => set.iter().any(|cwe| cwe == id || kb.ancestors(*cwe).contains(id)),
        _ => false,
    };
    let key = |(number, set): (usize, &Vec<CweId>)| {
        let probability = probabilities.get(number).copied().unwrap_or_default();
        (leads_there(set), probability, number)
    };
    let better = |a: &(bool, f32, usize), b: &(bool, f32, usize)| -> Ordering {
        // Of equals the first.
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(b.2.cmp(&a.2))
    };
    outputs.sets.iter().enumerate().map(key).max_by(better).map(|(_, _, number)| number)
}

/// The words that speak most for the label, in text order.
fn named(words: &[WordEvidence]) -> Vec<Range<usize>> {
    let mut heavy: Vec<&WordEvidence> = words.iter().filter(|word| word.weight >= LEAST_WEIGHT).collect();
    heavy.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.start.cmp(&b.start)));
    let mut spans: Vec<Range<usize>> = heavy.iter().take(NAMED).map(|word| word.start..word.end).collect();
    spans.sort_by_key(|span| span.start);
    spans
}

/// `text` without some spans, which are in order, and without the blank that each leaves behind.
fn without(text: &str, spans: &[Range<usize>]) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for span in spans {
        out += text.get(at..span.start).unwrap_or_default();
        at = span.end;
        let rest = text.get(at..).unwrap_or_default();
        if (out.is_empty() || out.ends_with(' ')) && rest.starts_with(' ') {
            at = at.saturating_add(1);
        }
    }
    out + text.get(at..).unwrap_or_default()
}

fn log_odds(score: f32) -> f32 {
    let score = score.clamp(NEAREST, 1.0 - NEAREST);
    (score / (1.0 - score)).ln()
}

fn paths(kb: &KnowledgeBase, prediction: &Prediction, target: &Target) -> Vec<ChainPath> {
    let labels = prediction.cwe.iter().flat_map(|cwe| &cwe.labels);
    let mut cwes: Vec<CweId> = labels.filter(|scored| scored.predicted).map(|scored| scored.label).collect();
    if let (true, Target::Cwe(id)) = (cwes.is_empty(), target) {
        cwes.push(*id);
    }
    let techniques = kb.chain(&cwes).techniques;
    let pairs = techniques.iter().flat_map(|&technique| cwes.iter().map(move |&cwe| (cwe, technique)));
    pairs.flat_map(|(cwe, technique)| kb.paths(cwe, technique)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_out_with_the_blank_that_they_leave() {
        let text = "SQL injection in x.php";
        for (spans, want) in [
            (&[(0, 3)][..], "injection in x.php"),
            (&[(4, 13)], "SQL in x.php"),
            (&[(0, 3), (4, 13)], "in x.php"),
            (&[(17, 18)], "SQL injection in .php"),
            (&[(19, 22)], "SQL injection in x."),
            (&[], text),
        ] {
            let spans: Vec<Range<usize>> = spans.iter().map(|(start, end)| *start..*end).collect();
            assert_eq!(without(text, &spans), want, "{spans:?}");
        }
    }

    #[test]
    fn words_of_long_texts_are_left_out_in_groups() {
        let words = |count: usize| (0..count).map(|word| 3 * word..3 * word + 2).collect::<Vec<_>>();
        assert_eq!(groups(&words(MOST_TEXTS)), words(MOST_TEXTS), "a text that is short enough: one by one");
        let two = groups(&words(MOST_TEXTS + 1));
        assert_eq!((two.len(), &two[0], &two[64]), (65, &(0..5), &(384..386)));
        assert_eq!(groups(&words(MOST_WORDS)).len(), MOST_TEXTS);
        assert!(groups(&[]).is_empty());
    }

    #[test]
    fn parents_are_found_level_by_level() {
        let parents = |output: usize| match output {
            4 => vec![2, 3],
            2 | 3 => vec![1],
            // A folder may say so: no way leads round for ever.
            1 => vec![4],
            _ => vec![],
        };
        assert_eq!(above(&[4], parents), [2, 3, 1]);
        assert_eq!(above(&[0], parents), [0; 0]);
    }

    #[test]
    fn the_words_that_speak_most_are_named() {
        let word =
            |start: usize, weight| WordEvidence { text: "w".to_owned(), start, end: start + 1, weight };
        let words: Vec<WordEvidence> =
            (0..20u8).map(|n| word(usize::from(n) * 2, f32::from(n) - 12.0)).collect();
        let spans = named(&words);
        assert_eq!(spans.len(), 7, "those against it and those without weight are not");
        assert_eq!(spans.first(), Some(&(26..27)));
    }
}
