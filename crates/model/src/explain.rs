//! Explanations: the words that carried an answer, what is left of it without them, and the paths by which it leads to
//! ATT&CK.
//!
//! They are about the best label of the answer, by the score that the answer gives it. Networks that can tell what each
//! word adds do so; others are asked again, once for each word that is left out.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use vulnlens_taxonomy::{CapecId, ChainPath, CveId, CweId, KnowledgeBase, TechniqueId};

use crate::classifier::Classifier;
use crate::curated::CuratedEvidence;
use crate::evidence::WordEvidence;
use crate::ngram::text::Cutter;
use crate::outputs::CweSets;
use crate::prediction::{Input, Labels, Options, Prediction, TopK};
use crate::prepared::{PredictBuffers, Prepared};
use crate::room::Room;
use crate::softmax::temper;
use crate::task::Task;

/// Words that are left out one by one at most, the first: encoders hardly read as many.
const MOST_WORDS: usize = 512;
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
    /// The score of the label in the text without these words: an explanation that holds leaves little of it.
    pub score_without: f32,
    /// The chain's paths from the predicted weaknesses, or the best one, to each technique that they reach.
    pub paths: Vec<ChainPath>,
    /// The reasons of the techniques that are answered as analysts assign them, or of the best one.
    pub curated: Vec<CuratedEvidence>,
    /// The records most like the text, of those that it was compared with.
    pub records: Vec<NearRecord>,
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
        Self { whole: classifier.prepare(&options.top_k(TopK::All).threshold(0.0)) }
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
        let words = self
            .evidence(&dated, &probabilities, &target)
            .unwrap_or_else(|| self.by_occlusion(input, &target, score));
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
            target: Some(target),
            score,
            words,
            named: named.len(),
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

    /// The fall of the label's log-odds when a word is left out, for each of the first words.
    fn by_occlusion(&self, input: Input<'_>, target: &Target, score: f32) -> Vec<WordEvidence> {
        let mut cutter = Cutter::default();
        cutter.cut(input.text, |_, _| {});
        let spans = cutter.spans().iter().take(MOST_WORDS);
        let texts: Vec<String> =
            spans.clone().map(|span| without(input.text, std::slice::from_ref(span))).collect();
        let inputs: Vec<Input<'_>> = texts.iter().map(|text| Input { text, ..input }).collect();
        let predictions = self.whole.predict_batch(&inputs, &mut PredictBuffers::default());
        let words = spans.zip(&predictions).map(|(span, prediction)| WordEvidence {
            text: input.text.get(span.clone()).unwrap_or_default().to_owned(),
            start: span.start,
            end: span.end,
            weight: log_odds(score) - log_odds(target.score(prediction)),
        });
        words.collect()
    }
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
