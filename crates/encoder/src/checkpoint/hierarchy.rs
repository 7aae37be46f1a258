//! A master checkpoint and the slaves that refine its answers, asked from the top down.

use std::collections::BTreeMap;
use std::path::Path;

use super::encoder::{Encoder, LoadOptions};
use crate::config::Problem;
use crate::error::EncoderError;
use crate::repository::layout::{Level, Node};

/// A parent is answered above this score: the threshold that the published checkpoints are used with.
const ANSWERED: f32 = 0.5;

/// A part of a hierarchy: labels that are scored given that a parent applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The place of the label that the part refines; `None` for the part at the top.
    pub parent: Option<usize>,
    /// The places of its labels, in the order of its scores.
    pub labels: Vec<usize>,
    /// True if its labels exclude each other.
    pub exclusive: bool,
}

/// Checkpoints by level.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    master: Part,
    slaves: Vec<Part>,
    labels: Vec<String>,
}

/// One checkpoint of the hierarchy.
#[derive(Debug)]
struct Part {
    encoder: Encoder,
    /// The label that must be answered for the part to be asked; `None` for the master.
    parent: Option<usize>,
    /// The place of each of its labels among all.
    columns: Vec<usize>,
}

impl Hierarchy {
    /// Opens every checkpoint. The levels are those of [`Layout::of`](crate::Layout::of): the first has the master.
    pub(crate) fn open(folder: &Path, levels: &[Level], options: &LoadOptions) -> Result<Self, EncoderError> {
        let whole = if folder.is_dir() { folder } else { folder.parent().unwrap_or(folder) };
        let mut labels = Labels::default();
        let mut parts = Vec::new();
        for level in levels {
            // A slave refines a label of a level above, never one of its own level.
            let above = labels.names.len();
            for node in &level.nodes {
                let parent = node.parent.as_deref();
                let parent = parent.map(|parent| labels.parent(parent, above, node)).transpose()?;
                let encoder = Encoder::open_part(&node.folder, whole, options)?;
                let columns = encoder.labels().iter().map(|label| labels.column(label)).collect();
                parts.push(Part { encoder, parent, columns });
            }
        }
        let mut parts = parts.into_iter();
        let Some(master) = parts.next() else {
            return Err(EncoderError::Layout {
                folder: folder.to_owned(),
                problem: "has no master".to_owned(),
                fix: "download the repository again".to_owned(),
            });
        };
        Ok(Self { master, slaves: parts.collect(), labels: labels.names })
    }

    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    pub(crate) fn master(&self) -> &Encoder {
        &self.master.encoder
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &Encoder> {
        std::iter::once(&self.master).chain(&self.slaves).map(|part| &part.encoder)
    }

    /// The parts, from the top down.
    pub(crate) fn branches(&self) -> Vec<Branch> {
        let parts = std::iter::once(&self.master).chain(&self.slaves);
        let branch = |part: &Part| Branch {
            parent: part.parent,
            labels: part.columns.clone(),
            exclusive: part.encoder.config().problem == Problem::SingleLabel,
        };
        parts.map(branch).collect()
    }

    /// The scores of every part for every text, part after part in a row.
    pub(crate) fn branch_scores(&self, texts: &[&str]) -> Vec<f32> {
        let of_parts: Vec<Vec<f32>> = self.parts().map(|encoder| encoder.scores(texts)).collect();
        let widths: Vec<usize> = self.parts().map(|encoder| encoder.labels().len()).collect();
        let row = |text: usize| {
            let parts = of_parts.iter().zip(&widths);
            parts.flat_map(move |(scores, &width)| scores[text * width..][..width].iter().copied())
        };
        (0..texts.len()).flat_map(row).collect()
    }

    /// See [`Checkpoint::scores`](crate::Checkpoint::scores).
    pub(crate) fn scores(&self, texts: &[&str]) -> Vec<Option<f32>> {
        let mut answers = Answers::new(texts.len(), self.labels.len());
        let every: Vec<usize> = (0..texts.len()).collect();
        self.master.ask(texts, &every, &mut answers);
        for slave in &self.slaves {
            let asked: Vec<usize> =
                every.iter().copied().filter(|&text| slave.is_asked(text, &answers)).collect();
            slave.ask(texts, &asked, &mut answers);
        }
        answers.scores
    }
}

impl Part {
    fn is_asked(&self, text: usize, answers: &Answers) -> bool {
        self.parent.is_none_or(|parent| answers.is_answered[text * answers.labels + parent])
    }

    /// Scores the texts of these numbers.
    fn ask(&self, texts: &[&str], asked: &[usize], answers: &mut Answers) {
        let subset: Vec<&str> = asked.iter().map(|&text| texts[text]).collect();
        let scores = self.encoder.scores(&subset);
        for (&text, row) in asked.iter().zip(scores.chunks_exact(self.columns.len())) {
            let best = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for (&column, &score) in self.columns.iter().zip(row) {
                let is_answered = match self.encoder.config().problem {
                    Problem::MultiLabel => score > ANSWERED,
                    Problem::SingleLabel => score == best,
                };
                answers.add(text * answers.labels + column, score, is_answered);
            }
        }
    }
}

/// Scores of all labels, one row a text, and which of them are answers.
struct Answers {
    labels: usize,
    scores: Vec<Option<f32>>,
    is_answered: Vec<bool>,
}

impl Answers {
    fn new(texts: usize, labels: usize) -> Self {
        Self { labels, scores: vec![None; texts * labels], is_answered: vec![false; texts * labels] }
    }

    fn add(&mut self, at: usize, score: f32, is_answered: bool) {
        let greatest = self.scores[at].map_or(score, |known| known.max(score));
        self.scores[at] = Some(greatest);
        self.is_answered[at] |= is_answered;
    }
}

/// The labels of all parts, each once.
#[derive(Default)]
struct Labels {
    names: Vec<String>,
    columns: BTreeMap<String, usize>,
}

impl Labels {
    fn column(&mut self, label: &str) -> usize {
        let next = self.names.len();
        *self.columns.entry(label.to_owned()).or_insert_with(|| {
            self.names.push(label.to_owned());
            next
        })
    }

    /// The one of the first `above` labels that a folder is named after: by its text, or else by its number, or else the number
    /// is the label's place.
    fn parent(&self, name: &str, above: usize, node: &Node) -> Result<usize, EncoderError> {
        let names = &self.names[..above];
        let by_text = names.iter().position(|label| plain(label) == plain(name));
        let by_number = || {
            let mut found =
                (0..above).filter(|&at| is_number_of(name, &names[at]) || is_number_of(&names[at], name));
            found.next().filter(|_| found.next().is_none())
        };
        let by_place = || name.parse().ok().filter(|&place: &usize| place < above);
        by_text.or_else(by_number).or_else(by_place).ok_or_else(|| EncoderError::Layout {
            folder: node.folder.clone(),
            problem: format!("is named after `{name}`, which is not a label of the level above"),
            fix: "name it `…slave_` and a label of the level above, such as those in its config.json's id2label".to_owned(),
        })
    }
}

/// A label's letters and digits, so that `CWE_284` is `cwe-284`.
fn plain(label: &str) -> String {
    label.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// True if `number` is the only number in `label`, so that `284` is `CWE-284`.
fn is_number_of(number: &str, label: &str) -> bool {
    let mut numbers = label.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    numbers.next() == Some(number) && numbers.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> Node {
        Node { folder: "slave_x".into(), parent: None }
    }

    fn labels(names: &[&str]) -> Labels {
        let mut labels = Labels::default();
        for name in names {
            labels.column(name);
        }
        labels
    }

    #[test]
    fn folders_are_named_after_labels_in_many_ways() {
        let labels = labels(&["CWE-284", "CWE-664", "7", "CAPEC-664", "Other 3"]);
        for (name, parent) in
            [("CWE-284", 0), ("cwe_284", 0), ("284", 0), ("7", 2), ("CAPEC_664", 3), ("1", 1)]
        {
            assert_eq!(labels.parent(name, 5, &node()).unwrap(), parent, "{name}");
        }
        // Two labels have the number, and it is not a place either; the level of the label is not above.
        for (name, above) in [("664", 5), ("CWE-999", 5), ("CAPEC-664", 3)] {
            assert!(labels.parent(name, above, &node()).is_err(), "{name}");
        }
    }

    #[test]
    fn a_label_of_several_parts_keeps_its_greatest_score() {
        let mut answers = Answers::new(1, 2);
        answers.add(1, 0.7, true);
        answers.add(1, 0.2, false);
        assert_eq!((answers.scores, answers.is_answered), (vec![None, Some(0.7)], vec![false, true]));
    }
}
