//! `id2label` or `label2id`, `num_labels` and `problem_type`: what the outputs mean.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::keys::Keys;
use crate::error::EncoderError;

/// The function from logits to scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Every label by itself: the sigmoid of its logit.
    MultiLabel,
    /// One of the labels: the softmax over the logits.
    SingleLabel,
}

impl Problem {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::MultiLabel, Self::SingleLabel];

    /// The function's name in arguments.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MultiLabel => "sigmoid",
            Self::SingleLabel => "softmax",
        }
    }

    /// Its description in the help of an argument.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::MultiLabel => "Each label by itself",
            Self::SingleLabel => "One of the labels: their scores add up to 1",
        }
    }
}

/// Most outputs that are believed; all CVE-relevant taxonomies together have some 3,000 entries.
const MOST_LABELS: usize = 1_000_000;

const NUMBERED: &str =
    "number the labels \"0\", \"1\", … without gaps, in the order of the classifier's rows";

/// The keys about the outputs.
pub(super) struct Outputs {
    pub(super) labels: Vec<String>,
    pub(super) problem: Problem,
    pub(super) problem_is_stated: bool,
}

pub(super) fn read(keys: &Keys<'_>) -> Result<Outputs, EncoderError> {
    let labels = names(keys)?;
    let problem = problem(keys, labels.len())?;
    let problem_is_stated = labels.len() == 1 || keys.is_filled("problem_type");
    Ok(Outputs { labels, problem, problem_is_stated })
}

/// As the text-classification pipeline of transformers decides when no function is asked for: one
/// label is always scored by the sigmoid, several by the softmax unless they are said to be multi-label.
fn problem(keys: &Keys<'_>, labels: usize) -> Result<Problem, EncoderError> {
    match keys.string("problem_type")?.as_deref() {
        Some("multi_label_classification") => Ok(Problem::MultiLabel),
        None | Some("single_label_classification") if labels == 1 => Ok(Problem::MultiLabel),
        None | Some("single_label_classification") => Ok(Problem::SingleLabel),
        Some("regression") => Err(keys.error(
            "problem_type",
            "is `regression`: its outputs are quantities, not scores of labels",
            "use a classification checkpoint",
        )),
        Some(other) => Err(keys.error(
            "problem_type",
            format!("is `{other}`, which transformers does not know"),
            "it must be multi_label_classification or single_label_classification",
        )),
    }
}

fn names(keys: &Keys<'_>) -> Result<Vec<String>, EncoderError> {
    let count = keys.count("num_labels", MOST_LABELS)?;
    let Some((key, entries)) = entries(keys)? else {
        return Ok((0..count.unwrap_or(2)).map(|i| format!("LABEL_{i}")).collect());
    };
    if let Some(count) = count.filter(|count| *count != entries.len()) {
        let problem = format!("is {count}, but `{key}` has {} labels", entries.len());
        return Err(keys.error(
            "num_labels",
            problem,
            "correct the one that is wrong; the classifier's rows tell",
        ));
    }
    in_order(keys, key, entries)
}

/// A key of the file, and its pairs of a number and a label in the order of the file, repeated keys included.
type Entries = (&'static str, Vec<(String, String)>);

/// The labels by `id2label` or, in a file without it, by `label2id`, which has the pairs the other way round.
fn entries(keys: &Keys<'_>) -> Result<Option<Entries>, EncoderError> {
    let broken = |key: &str, error: serde_json::Error| {
        keys.error(key, format!("is not an object of numbers and label names: {error}"), NUMBERED)
    };
    let file: IdToLabel = serde_json::from_slice(keys.json()).map_err(|error| broken("id2label", error))?;
    let (key, pairs) = match file.id2label {
        Some(Pairs(pairs)) => ("id2label", pairs),
        None => {
            let file: LabelToId =
                serde_json::from_slice(keys.json()).map_err(|error| broken("label2id", error))?;
            let Some(Pairs(pairs)) = file.label2id else { return Ok(None) };
            ("label2id", pairs.into_iter().map(|(label, number)| (number, label)).collect())
        }
    };
    if pairs.is_empty() || pairs.len() > MOST_LABELS {
        let problem = format!("has {} labels, expected 1 to {MOST_LABELS}", pairs.len());
        return Err(keys.error(key, problem, "use the published config.json"));
    }
    Ok(Some((key, pairs)))
}

fn in_order(keys: &Keys<'_>, key: &str, entries: Vec<(String, String)>) -> Result<Vec<String>, EncoderError> {
    let mut labels: Vec<Option<String>> = vec![None; entries.len()];
    let mut seen = BTreeSet::new();
    for (number, label) in entries {
        // "01" or " 1" would be read as 1 by Python, but can only be a mistake.
        let index = number.parse::<usize>().ok().filter(|index| index.to_string() == number);
        let slot = index.and_then(|index| labels.get_mut(index)).ok_or_else(|| {
            let problem =
                format!("has the key \"{number}\", which is not a number below the count of labels");
            keys.error(key, problem, NUMBERED)
        })?;
        if slot.is_some() {
            return Err(keys.error(key, format!("has the key \"{number}\" twice"), NUMBERED));
        }
        if !seen.insert(label.clone()) {
            let problem = format!("gives the label `{label}` to two outputs");
            return Err(keys.error(key, problem, "give every output a name of its own"));
        }
        *slot = Some(label);
    }
    // As many distinct indices below the count as there are entries: no slot is left empty.
    Ok(labels.into_iter().flatten().collect())
}

/// A key of the file whose repetitions matter.
#[derive(serde::Deserialize)]
struct IdToLabel {
    id2label: Option<Pairs>,
}

/// A key that is not looked at where the other one is there: files carry wrong ones along.
#[derive(serde::Deserialize)]
struct LabelToId {
    label2id: Option<Pairs>,
}

struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairVisitor;
        impl<'de> Visitor<'de> for PairVisitor {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some((key, label)) = map.next_entry::<String, Label>()? {
                    pairs.push((key, label.into_text()));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairVisitor)
    }
}

/// A label's name; bare numbers (CWE 79 as `79`) are names too.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Label {
    Text(String),
    Number(i64),
}

impl Label {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}
