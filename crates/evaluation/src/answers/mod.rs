//! Measures of answers as `classify` shows them: what is answered, to which texts, and what sways it.
//!
//! They are taken from predictions in the recommended label mode, which every kind of model makes.

mod asker;
mod tails;
mod texts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vulnlens_corpus::Part;
use vulnlens_model::Classifier;
use vulnlens_taxonomy::{CveId, CweId, KnowledgeBase};

use self::asker::{Asker, Facts};
pub use self::tails::Tail;
use self::texts::Texts;
use crate::example::{Example, spread};
use crate::first_cwe::{FirstCwe, FirstCweCounts};

/// The most records that are asked again with a tail: some thousands tell a share to a hundredth.
const MOST_WITH_TAILS: usize = 2_000;

/// Measures of a model's answers to the texts of a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// Number of labelled records.
    pub records: u64,
    /// Share of them with a predicted CWE.
    pub coverage: f64,
    /// Number of them with a predicted pattern or technique, but without a predicted CWE that it could follow from.
    pub without_cwe: u64,
    /// Mean number of predicted patterns.
    pub mean_patterns: f64,
    /// Mean number of predicted techniques.
    pub mean_techniques: f64,
    /// Number of records with a predicted CWE that the catalogue links to patterns by itself, not by an ancestor.
    pub linked_records: u64,
    /// Share of those whose first pattern is one of the linked ones.
    pub linked_first: f64,
    /// Changes of the first CWE by tails that say nothing about the weakness.
    pub tails: Vec<TailFigures>,
    /// Answers to texts without a vulnerability, where the part has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negatives: Option<FalseAnswers>,
    /// The same by the style of the text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub negatives_by_style: BTreeMap<String, FalseAnswers>,
    /// Answers to texts in other styles than the records', by style.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub styles: BTreeMap<String, StyleFigures>,
}

/// Changes of the first CWE by a tail: text at the end that says nothing about the weakness.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TailFigures {
    /// The tail.
    pub tail: Tail,
    /// Number of records, evenly spread over the part.
    pub records: u64,
    /// Share of them whose first CWE is another one with the tail.
    pub changed: f64,
}

/// Shares of texts without a vulnerability to which something is answered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FalseAnswers {
    /// Number of texts.
    pub texts: u64,
    /// Share with a predicted CWE.
    pub cwe: f64,
    /// Share with a predicted pattern.
    pub capec: f64,
    /// Share with a predicted technique.
    pub attack: f64,
}

/// Answers to texts of one style.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StyleFigures {
    /// First-CWE accuracy on the labelled texts of the style.
    pub first_cwe: FirstCwe,
    /// Number of texts whose CVE has a record in the part.
    pub pairs: u64,
    /// Share of those whose first CWE is that of the record.
    pub agreement: f64,
}

/// Measures the answers to the texts of a part; `None` for a model that does not answer with CWEs.
pub(crate) fn measure(classifier: &Classifier, examples: &[Example], part: Part) -> Option<Answers> {
    let asker = Asker::new(classifier);
    asker.answers_cwe().then(|| answers(&asker, classifier.knowledge_base(), &Texts::of(examples, part)))
}

fn answers(asker: &Asker, kb: &KnowledgeBase, texts: &Texts<'_>) -> Answers {
    let said = asker.ask(&texts.records);
    let (linked_records, linked_first) = share(said.iter().filter_map(|said| said.linked_first));
    let mean =
        |count: fn(&Facts) -> usize| said.iter().map(count).sum::<usize>() as f64 / said.len().max(1) as f64;
    let is_without = |said: &&Facts| !said.has_cwe && said.patterns + said.techniques > 0;
    let negatives: Vec<&Example> = texts.negatives.iter().map(|&(_, example)| example).collect();
    let said_of_negatives = asker.ask(&negatives);
    let by_style = grouped(texts.negatives.iter().map(|&(style, _)| style).zip(&said_of_negatives));
    Answers {
        records: said.len() as u64,
        coverage: share(said.iter().map(|said| said.has_cwe)).1,
        without_cwe: said.iter().filter(is_without).count() as u64,
        mean_patterns: mean(|said| said.patterns),
        mean_techniques: mean(|said| said.techniques),
        linked_records,
        linked_first,
        tails: tails(asker, &texts.records, &said),
        negatives: (!negatives.is_empty()).then(|| false_answers(said_of_negatives.iter())),
        negatives_by_style: by_style
            .into_iter()
            .map(|(style, said)| (style.to_owned(), false_answers(said.into_iter())))
            .collect(),
        styles: styles(asker, kb, texts, &said),
    }
}

/// The number of flags, and the share that is set.
fn share(flags: impl Iterator<Item = bool>) -> (u64, f64) {
    let (all, set) = flags.fold((0, 0), |(all, set), flag| (all + 1, set + u64::from(flag)));
    (all, set as f64 / all.max(1) as f64)
}

fn grouped<K: Ord, V>(pairs: impl Iterator<Item = (K, V)>) -> BTreeMap<K, Vec<V>> {
    let mut groups: BTreeMap<K, Vec<V>> = BTreeMap::new();
    pairs.for_each(|(key, value)| groups.entry(key).or_default().push(value));
    groups
}

fn false_answers<'s>(said: impl Iterator<Item = &'s Facts> + Clone) -> FalseAnswers {
    let (texts, cwe) = share(said.clone().map(|said| said.has_cwe));
    let capec = share(said.clone().map(|said| said.patterns > 0)).1;
    let attack = share(said.map(|said| said.techniques > 0)).1;
    FalseAnswers { texts, cwe, capec, attack }
}

/// Asks evenly spread records again with each tail.
fn tails(asker: &Asker, records: &[&Example], said: &[Facts]) -> Vec<TailFigures> {
    let numbers = spread(records.len(), MOST_WITH_TAILS);
    let figures = |tail: Tail| {
        let with_tail = |&number: &usize| {
            let example = records[number];
            Example { text: format!("{}{}", example.text, tail.written(number)), ..example.clone() }
        };
        let asked: Vec<Example> = numbers.iter().map(with_tail).collect();
        let again = asker.ask(&asked.iter().collect::<Vec<_>>());
        let changes = numbers.iter().zip(&again).map(|(&number, again)| again.first != said[number].first);
        let (records, changed) = share(changes);
        TailFigures { tail, records, changed }
    };
    Tail::ALL.into_iter().map(figures).collect()
}

/// The figures of each style; `said` are the answers to the labelled records.
fn styles(
    asker: &Asker,
    kb: &KnowledgeBase,
    texts: &Texts<'_>,
    said: &[Facts],
) -> BTreeMap<String, StyleFigures> {
    let mut first_of: BTreeMap<CveId, Option<CweId>> = texts
        .records
        .iter()
        .zip(said)
        .filter_map(|(example, said)| Some((example.cve?, said.first)))
        .collect();
    let unlabelled = asker.ask(&texts.unlabelled);
    first_of.extend(
        texts
            .unlabelled
            .iter()
            .zip(&unlabelled)
            .filter_map(|(example, said)| Some((example.cve?, said.first))),
    );
    let examples: Vec<&Example> = texts.styles.iter().map(|&(_, example)| example).collect();
    let said = asker.ask(&examples);
    let figures = |(style, texts): (&str, Vec<(&Example, &Facts)>)| {
        let mut first_cwe = FirstCweCounts::default();
        for (example, said) in texts.iter().filter(|(example, _)| example.is_labelled()) {
            first_cwe.add(kb, example, said.first);
        }
        let pairs =
            texts.iter().filter_map(|(example, said)| Some(*first_of.get(&example.cve?)? == said.first));
        let (pairs, agreement) = share(pairs);
        (style.to_owned(), StyleFigures { first_cwe: first_cwe.finish(), pairs, agreement })
    };
    let by_style =
        grouped(texts.styles.iter().zip(&said).map(|(&(style, example), said)| (style, (example, said))));
    by_style.into_iter().map(figures).collect()
}

#[cfg(test)]
mod tests {
    use vulnlens_corpus::TextKind;
    use vulnlens_model::{Input, LabelOutputs, Network, Outputs, Room};

    use super::*;

    /// A network that reads words: `sql` is CWE-89, a link is CWE-79, nothing else is anything.
    struct Words(Outputs);

    impl Network for Words {
        fn name(&self) -> &str {
            "words"
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
            7
        }

        fn score(&self, inputs: &[Input<'_>], _: &mut Room, scores: &mut Vec<f32>) {
            let score = |is_there: bool, there: f32| if is_there { there } else { 0.0 };
            scores.clear();
            for Input { text, .. } in inputs {
                scores.extend([score(text.contains("https"), 0.9), score(text.contains("sql"), 0.8)]);
            }
        }
    }

    fn classifier(labels: [&str; 2]) -> Classifier {
        let outputs = LabelOutputs::new(labels.map(str::to_owned).to_vec(), false);
        Classifier::new(Words(Outputs::Labels(outputs)), KnowledgeBase::embedded())
    }

    fn record(number: u32, text: &str) -> Example {
        let (cve, cwes) = (CveId::new(2024, number), vec![CweId(89)]);
        Example::record(cve, text.to_owned(), 2024, cwes, Part::Test)
    }

    #[test]
    fn coverage_links_and_tails_are_measured() {
        let texts = ["sql", "sql", "sql", "nothing"];
        let examples: Vec<Example> = (1..).zip(texts).map(|(number, text)| record(number, text)).collect();
        let answers = measure(&classifier(["CWE-79", "CWE-89"]), &examples, Part::Test).unwrap();
        assert_eq!((answers.records, answers.coverage, answers.without_cwe), (4, 0.75, 0));
        assert_eq!(answers.linked_records, 3);
        assert!(answers.mean_patterns > 0.0);
        let changed = |tail| answers.tails.iter().find(|figures| figures.tail == tail).unwrap().changed;
        // The first of equals is CWE-79, so a link changes nothing where there was nothing.
        assert_eq!((changed(Tail::Links), changed(Tail::Credit)), (0.75, 0.0));
        assert_eq!((&answers.negatives, answers.styles.len()), (&None, 0));
    }

    #[test]
    fn other_kinds_of_texts_are_measured_by_style() {
        let of_kind = |kind, style: &str, example: Example| {
            let style = Some(style.to_owned());
            Example { kind, style, ..example }
        };
        let (labelled, other) = (record(1, "sql"), record(2, "sql"));
        let unlabelled = Example { cwes: vec![], ..other };
        let unpaired = Example { cwes: vec![], ..record(3, "sql https") };
        let negative = |text| Example { cve: None, cwes: vec![], ..record(9, text) };
        let examples = [
            of_kind(TextKind::Style, "advisory", record(1, "a sql flaw")),
            of_kind(TextKind::Style, "advisory", record(2, "see https://example.com")),
            of_kind(TextKind::Style, "advisory", record(4, "sql")),
            of_kind(TextKind::Negative, "readme", negative("a sql driver")),
            of_kind(TextKind::Negative, "readme", negative("a parser")),
            of_kind(TextKind::Negative, "note", negative("a note")),
            of_kind(TextKind::Negative, "note", Example { part: Part::Train, ..negative("sql") }),
            labelled,
            unlabelled,
            unpaired,
        ];
        let answers = measure(&classifier(["CWE-79", "CWE-89"]), &examples, Part::Test).unwrap();
        assert_eq!(answers.records, 1);
        let negatives = answers.negatives.unwrap();
        assert_eq!((negatives.texts, negatives.cwe), (3, 1.0 / 3.0));
        assert!(negatives.capec > 0.0 && negatives.attack <= negatives.capec);
        let readme = answers.negatives_by_style["readme"];
        assert_eq!((readme.texts, readme.cwe, answers.negatives_by_style["note"].cwe), (2, 0.5, 0.0));
        let advisory = answers.styles["advisory"];
        assert_eq!((advisory.first_cwe.records, advisory.pairs, advisory.agreement), (3, 2, 0.5));
        assert_eq!(advisory.first_cwe.exact, 2.0 / 3.0);
    }

    #[test]
    fn models_without_weaknesses_are_not_measured() {
        assert_eq!(measure(&classifier(["T1190", "T1059"]), &[record(1, "sql")], Part::Test), None);
    }
}
