//! Thresholds of checkpoints that score label by label, fitted to the validation part.

use std::collections::BTreeMap;

use vulnlens_corpus::Part;
use vulnlens_metrics::{Accumulator, RowView, ScoredRow, Table};
use vulnlens_model::{Classifier, Input, LabelOutputs, Network, Room};

use crate::error::EvaluationError;
use crate::example::{Example, labelled_part};
use crate::thresholds::{ThresholdRule, answered, thresholds};

/// Thresholds that were fitted to the validation part of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedThresholds {
    /// The threshold of each label that stands for a weakness, a pattern or a technique, by its name in the checkpoint.
    pub by_label: BTreeMap<String, f32>,
    /// Texts that they were fitted to: those of the validation part to which any of the labels applies.
    pub texts: usize,
    /// The figures of these texts by the thresholds that the checkpoint had.
    pub before: ThresholdFigures,
    /// The figures of the same texts by the fitted ones: they compare thresholds, and are not for publishing.
    pub after: ThresholdFigures,
}

/// Figures of all labels by some thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdFigures {
    /// Micro-F1.
    pub micro_f1: f64,
    /// Macro-F1 over all labels.
    pub macro_f1: f64,
}

/// Fits thresholds of a classifier that scores label by label to the validation part. `names` are the labels as the
/// checkpoint writes them, in the order of its outputs.
///
/// A text counts if any of the labels applies to it: a weakness with the assigned ones and their ancestors, a pattern
/// or technique with those that the chain reaches.
///
/// # Errors
/// The outputs are CWE sets or exclude each other, none of them is a weakness, a pattern or a technique, no text of the
/// validation part has one of them, or a score is not a number.
pub fn fit_thresholds(
    classifier: &Classifier,
    names: &[String],
    examples: &[Example],
    rule: ThresholdRule,
) -> Result<FittedThresholds, EvaluationError> {
    let network = &**classifier.network();
    let outputs = label_outputs(network)?;
    let labels = Columns::new(names, classifier);
    if labels.names.is_empty() {
        return Err(EvaluationError::NoKnownLabels { name: network.name().to_owned() });
    }
    let judged = Judged::new(classifier, &labels, examples);
    if judged.texts.is_empty() {
        return Err(EvaluationError::NoTextOfLabels { name: network.name().to_owned() });
    }
    let scores = scores(network, &labels, &judged.texts);
    let width = labels.names.len();
    let rows: Vec<ScoredRow<'_>> = scores
        .chunks_exact(width)
        .zip(&judged.gold)
        .map(|(scores, gold)| ScoredRow { scores, gold })
        .collect();
    let fitted = thresholds(width, &rows, rule)?;
    Ok(FittedThresholds {
        texts: rows.len(),
        before: figures(&rows, &labels.least(&outputs.thresholds))?,
        after: figures(&rows, &fitted)?,
        by_label: labels.names.into_iter().zip(fitted).collect(),
    })
}

/// The labels of a network that scores each for itself.
fn label_outputs(network: &dyn Network) -> Result<&LabelOutputs, EvaluationError> {
    let refused =
        |problem, cure| EvaluationError::NoThresholds { name: network.name().to_owned(), problem, cure };
    match network.outputs().labels() {
        None => Err(refused(
            "answers by one distribution over CWE sets and carries rules of its own",
            "n-gram models are calibrated as a whole, and encoders of CWE sets when they are trained",
        )),
        Some(outputs) if outputs.exclusive => Err(refused(
            "has labels that exclude each other, of which the best is answered",
            "give `--scores sigmoid` if its labels are scored each for itself",
        )),
        Some(outputs) => Ok(outputs),
    }
}

/// The labels that thresholds are fitted for, each once.
struct Columns {
    names: Vec<String>,
    /// The label of each output; `None` for one that stands for nothing that records are labelled with.
    of_output: Vec<Option<u32>>,
}

impl Columns {
    fn new(names: &[String], classifier: &Classifier) -> Self {
        let with_ids = classifier.label_map().outputs_with_ids();
        let mut columns = Self { names: vec![], of_output: vec![None; names.len()] };
        let mut known: BTreeMap<&str, u32> = BTreeMap::new();
        for output in with_ids {
            let (Some(name), Some(place)) =
                (names.get(output as usize), columns.of_output.get_mut(output as usize))
            else {
                continue;
            };
            let next = columns.names.len() as u32;
            let column = *known.entry(name).or_insert(next);
            *place = Some(column);
            if column == next {
                columns.names.push(name.clone());
            }
        }
        columns
    }

    /// The labels of some outputs, rising and without duplicates.
    fn of(&self, outputs: &[u32]) -> Vec<u32> {
        let place = |output: &u32| self.of_output.get(*output as usize).copied().flatten();
        let mut columns: Vec<u32> = outputs.iter().filter_map(place).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The least threshold of the outputs of each label.
    fn least(&self, thresholds: &[f32]) -> Vec<f32> {
        let mut least = vec![f32::INFINITY; self.names.len()];
        for (column, threshold) in self.of_output.iter().zip(thresholds) {
            let known = column.and_then(|column| least.get_mut(column as usize));
            known.into_iter().for_each(|known| *known = known.min(*threshold));
        }
        least
    }
}

/// The texts that thresholds are fitted to, and the labels that apply to them.
struct Judged<'e> {
    texts: Vec<&'e Example>,
    gold: Vec<Vec<u32>>,
}

impl<'e> Judged<'e> {
    fn new(classifier: &Classifier, labels: &Columns, examples: &'e [Example]) -> Self {
        let (map, kb) = (classifier.label_map(), classifier.knowledge_base());
        let mut judged = Self { texts: vec![], gold: vec![] };
        for example in labelled_part(examples, Part::Validation) {
            let gold = labels.of(&map.outputs_that_apply(kb, &example.cwes));
            if !gold.is_empty() {
                judged.texts.push(example);
                judged.gold.push(gold);
            }
        }
        judged
    }
}

/// The score of each label for each text: the greatest of its outputs, 0 where it is ruled out.
fn scores(network: &dyn Network, labels: &Columns, texts: &[&Example]) -> Vec<f32> {
    let (mut room, mut given) = (Room::default(), vec![]);
    let mut scores = vec![0.0_f32; texts.len() * labels.names.len()];
    let mut rows = scores.chunks_exact_mut(labels.names.len());
    for block in texts.chunks(network.texts_at_once().max(1)) {
        let inputs: Vec<Input<'_>> = block.iter().map(|e| Input::text(&e.text).year(e.year)).collect();
        network.score(&inputs, &mut room, &mut given);
        for (outputs, row) in given.chunks_exact(labels.of_output.len().max(1)).zip(&mut rows) {
            for (column, score) in labels.of_output.iter().zip(outputs) {
                let known = column.and_then(|column| row.get_mut(column as usize));
                // Of a score that is not a number, `max` keeps the other one.
                known.into_iter().for_each(|known| *known = known.max(*score));
            }
        }
    }
    scores
}

fn figures(rows: &[ScoredRow<'_>], thresholds: &[f32]) -> Result<ThresholdFigures, EvaluationError> {
    let mut accumulator = Accumulator::new(thresholds.len());
    for row in rows {
        let predicted = answered(row.scores, thresholds);
        accumulator.add(RowView { scores: row.scores, gold: row.gold, predicted: &predicted })?;
    }
    let Table { micro_f1, macro_f1, .. } = accumulator.finish();
    Ok(ThresholdFigures { micro_f1, macro_f1 })
}

#[cfg(test)]
mod tests {
    use vulnlens_model::Outputs;
    use vulnlens_taxonomy::{CveId, CweId, KnowledgeBase};

    use super::*;

    /// A checkpoint that scores SQL injection at 0.4 where the text has "sql" and at 0.1 elsewhere, and one of its
    /// outputs never.
    struct Timid(Outputs);

    impl Network for Timid {
        fn name(&self) -> &str {
            "timid"
        }

        fn revision(&self) -> &str {
            "0123456789ab"
        }

        fn outputs(&self) -> &Outputs {
            &self.0
        }

        fn reads_years(&self) -> bool {
            false
        }

        fn texts_at_once(&self) -> usize {
            3
        }

        fn score(&self, inputs: &[Input<'_>], _: &mut Room, scores: &mut Vec<f32>) {
            scores.clear();
            for input in inputs {
                let is_sql = input.text.contains("sql");
                scores.extend(if is_sql { [0.4, 0.1, f32::NAN] } else { [0.1, 0.3, f32::NAN] });
            }
        }
    }

    fn names() -> Vec<String> {
        ["CWE-89", "CWE-79", "something"].map(str::to_owned).to_vec()
    }

    fn classifier(exclusive: bool) -> Classifier {
        let outputs = Outputs::Labels(LabelOutputs::new(names(), exclusive));
        Classifier::new(Timid(outputs), KnowledgeBase::embedded())
    }

    fn examples(part: Part) -> Vec<Example> {
        let record = |number: u32, text: &str, cwe: u32| {
            let (cve, cwes) = (CveId::new(2020, number), vec![CweId(cwe)]);
            Example::record(cve, format!("{text} {number}"), 2020, cwes, part)
        };
        let sql = (0..20).map(|number| record(number, "sql", 89));
        let script = (20..40).map(|number| record(number, "script", 79));
        sql.chain(script).chain([record(40, "sql", 416)]).collect()
    }

    #[test]
    fn thresholds_let_a_timid_checkpoint_answer() {
        let fit =
            |rule| fit_thresholds(&classifier(false), &names(), &examples(Part::Validation), rule).unwrap();
        let each = fit(ThresholdRule::Each);
        assert_eq!(each.by_label, [("CWE-79".to_owned(), 0.3), ("CWE-89".to_owned(), 0.4)].into());
        assert_eq!(each.texts, 40, "texts to which no label applies are left out");
        assert_eq!((each.before.micro_f1, each.after.micro_f1, each.after.macro_f1), (0.0, 1.0, 1.0));
        let one = fit(ThresholdRule::One);
        assert_eq!(one.by_label, [("CWE-79".to_owned(), 0.3), ("CWE-89".to_owned(), 0.3)].into());
    }

    #[test]
    fn what_has_no_thresholds_to_fit_is_told() {
        let problem = |exclusive, names: &[String], part| {
            let fitted = fit_thresholds(&classifier(exclusive), names, &examples(part), ThresholdRule::One);
            fitted.unwrap_err().to_string()
        };
        assert!(problem(true, &names(), Part::Validation).contains("exclude each other"));
        assert!(problem(false, &names(), Part::Test).contains("no text of the validation part"));
        assert!(problem(false, &[], Part::Validation).contains("none of its labels is a weakness"));
    }
}
