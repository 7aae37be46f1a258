//! A hierarchy in one network: labels that are scored given that a label above them applies.
//!
//! A folder says so by a file `hierarchy.json` beside its `config.json`: an object whose `form` is `shared` and whose
//! `children` lead from each parent to the labels below it. transformers ignores the file, and gives scores under the
//! condition.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use vulnlens_files::names::HIERARCHY;

use crate::error::EncoderError;
use crate::repository::files::Files;

/// Longest file that is read.
const MOST: u64 = 16 << 20;
/// The form that one network has.
const SHARED: &str = "shared";

/// Parents of a network's labels: a label's score holds where at least one of its parents applies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    parents: Vec<Vec<usize>>,
}

/// The keys of the file that are read.
#[derive(Deserialize)]
struct File {
    form: String,
    children: BTreeMap<String, Vec<String>>,
}

impl Conditions {
    /// Conditions of labels that lie below parents: `parents` has a list for each label, in the order of the scores;
    /// a label with an empty list is scored for itself. Parents are such labels.
    ///
    /// # Panics
    /// When a parent is not a label, or has parents.
    #[must_use]
    pub fn new(parents: Vec<Vec<usize>>) -> Self {
        let is_top = |&parent: &usize| parents.get(parent).is_some_and(Vec::is_empty);
        assert!(parents.iter().flatten().all(is_top), "parents are labels without parents");
        Self { parents }
    }

    /// Those of a checkpoint's folder; `None` where its file does not exist.
    ///
    /// # Errors
    /// [`EncoderError::Io`]; [`EncoderError::Format`] when it is of another form, names something other than a label, or has more
    /// than two levels.
    pub(crate) fn open(folder: &Path, labels: &[String]) -> Result<Option<Self>, EncoderError> {
        let files = Files::Folder(folder);
        let Some(json) = files.bytes(HIERARCHY, MOST)? else { return Ok(None) };
        let path = files.path(HIERARCHY);
        Self::read(&json, labels).map(Some).map_err(|problem| {
            EncoderError::format(&path, problem, "remove it to read the checkpoint without its hierarchy")
        })
    }

    fn read(json: &[u8], labels: &[String]) -> Result<Self, String> {
        let file: File = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if file.form != SHARED {
            return Err(format!("the form `{}` is not that of one checkpoint, `{SHARED}`", file.form));
        }
        let places: BTreeMap<&str, usize> = labels.iter().map(String::as_str).zip(0..).collect();
        let place = |label: &String| {
            places
                .get(label.as_str())
                .copied()
                .ok_or_else(|| format!("`{label}` is not a label of config.json"))
        };
        let mut parents = vec![vec![]; labels.len()];
        for (parent, children) in &file.children {
            let parent = place(parent)?;
            for child in children {
                parents[place(child)?].push(parent);
            }
        }
        let is_below = |label: &&String| place(label).is_ok_and(|place| !parents[place].is_empty());
        match file.children.keys().find(is_below) {
            Some(both) => Err(format!("`{both}` is both a parent and below one")),
            None => Ok(Self { parents }),
        }
    }

    /// The parents of a label, by their places; none of a label that is scored for itself.
    #[must_use]
    pub fn parents(&self, label: usize) -> &[usize] {
        self.parents.get(label).map_or(&[], Vec::as_slice)
    }

    /// True if no label has parents.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parents.iter().all(Vec::is_empty)
    }

    /// Makes scores of one text, a label each, what they are without the condition: each times the greatest of its
    /// parents'. That is the probability of the label where the likeliest parent stands for all of them.
    pub fn weigh(&self, scores: &mut [f32]) {
        for (label, parents) in self.parents.iter().enumerate() {
            // Parents have none themselves, so theirs are as the network gave them.
            let above = parents.iter().filter_map(|&parent| scores.get(parent)).copied().reduce(f32::max);
            if let (Some(above), Some(score)) = (above, scores.get_mut(label)) {
                *score *= above;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["A", "B", "a", "ab", "alone"].map(str::to_owned).to_vec()
    }

    #[test]
    fn scores_are_weighed_by_the_likeliest_parent() {
        let json = br#"{"form": "shared", "children": {"A": ["a", "ab"], "B": ["ab"]}, "more": 1}"#;
        let conditions = Conditions::read(json, &labels()).unwrap();
        assert_eq!(conditions, Conditions::new(vec![vec![], vec![], vec![0], vec![0, 1], vec![]]));
        let mut scores = [0.25, 0.5, 0.5, 0.5, 0.75];
        conditions.weigh(&mut scores);
        assert_eq!(scores, [0.25, 0.5, 0.125, 0.25, 0.75]);
        assert!(!conditions.is_empty() && Conditions::default().is_empty());
    }

    #[test]
    fn what_is_no_hierarchy_of_the_labels_is_refused() {
        for (json, problem) in [
            (r#"{"form": "cascade", "children": {}}"#, "form `cascade`"),
            (r#"{"form": "shared", "children": {"A": ["c"]}}"#, "`c` is not a label"),
            (r#"{"form": "shared", "children": {"C": []}}"#, "`C` is not a label"),
            (r#"{"form": "shared", "children": {"A": ["B"], "B": ["a"]}}"#, "`B` is both"),
            (r#"{"form": "shared", "children": {"A": ["A"]}}"#, "`A` is both"),
            (r#"{"form": "shared"}"#, "children"),
            ("[]", "expected"),
        ] {
            let error = Conditions::read(json.as_bytes(), &labels()).unwrap_err();
            assert!(error.contains(problem), "{json}: {error}");
        }
    }
}
