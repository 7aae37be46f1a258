//! A hierarchy in one network: labels that are scored given that a label above them applies.
//!
//! A folder says so by a file `hierarchy.json` beside its `config.json`: an object whose `form` is `shared` and whose
//! `children` lead from each parent to the labels below it. transformers ignores the file, and gives scores under the
//! condition.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use vulnlens_files::names::HIERARCHY;

use super::hierarchy::Branch;
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
    /// The labels with parents, each behind those above it.
    order: Vec<usize>,
}

/// The keys of the file that are read.
#[derive(Deserialize)]
struct File {
    form: String,
    children: BTreeMap<String, Vec<String>>,
}

impl Conditions {
    /// Conditions of labels that lie below parents: `parents` has a list for each label, in the order of the scores;
    /// a label with an empty list is scored for itself. Parents are labels, and may have parents themselves. `None` if a
    /// parent is not a label, or a label lies below itself.
    #[must_use]
    pub fn new(parents: Vec<Vec<usize>>) -> Option<Self> {
        let mut is_ready: Vec<bool> = parents.iter().map(Vec::is_empty).collect();
        let mut open: Vec<usize> = (0..parents.len()).filter(|&label| !is_ready[label]).collect();
        let mut order = Vec::with_capacity(open.len());
        while !open.is_empty() {
            let above =
                |label: &usize| parents[*label].iter().all(|&parent| is_ready.get(parent) == Some(&true));
            let (ready, rest): (Vec<usize>, Vec<usize>) = open.iter().copied().partition(above);
            if ready.is_empty() {
                return None;
            }
            ready.iter().for_each(|&label| is_ready[label] = true);
            order.extend(ready);
            open = rest;
        }
        Some(Self { parents, order })
    }

    /// Those of a checkpoint's folder; `None` where its file does not exist.
    ///
    /// # Errors
    /// [`EncoderError::Io`]; [`EncoderError::Format`] when it is of another form, names something other than a label, or has a
    /// label below itself.
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
        Self::new(parents).ok_or_else(|| "a label lies below itself".to_owned())
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
        for &label in &self.order {
            let above =
                self.parents(label).iter().filter_map(|&parent| scores.get(parent)).copied().reduce(f32::max);
            if let (Some(above), Some(score)) = (above, scores.get_mut(label)) {
                *score *= above;
            }
        }
    }

    /// The labels as parts of a hierarchy: those that are scored for themselves, and for each parent those below it.
    pub(crate) fn branches(&self, labels: usize) -> Vec<Branch> {
        let branch = |parent, labels| Branch { parent, labels, exclusive: false };
        let top = (0..labels).filter(|&label| self.parents(label).is_empty()).collect();
        let mut branches = vec![branch(None, top)];
        // A parent's part comes behind every part that the parent is in: its own order is that of its last one.
        let mut of_parents: Vec<usize> = self.parents.iter().flatten().copied().collect();
        let place =
            |label: &usize| self.order.iter().position(|other| other == label).map_or(0, |place| place + 1);
        of_parents.sort_by_key(|parent| (place(parent), *parent));
        of_parents.dedup();
        for parent in of_parents {
            let below = (0..labels).filter(|&label| self.parents(label).contains(&parent)).collect();
            branches.push(branch(Some(parent), below));
        }
        branches
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
        assert_eq!(
            Some(&conditions),
            Conditions::new(vec![vec![], vec![], vec![0], vec![0, 1], vec![]]).as_ref()
        );
        let mut scores = [0.25, 0.5, 0.5, 0.5, 0.75];
        conditions.weigh(&mut scores);
        assert_eq!(scores, [0.25, 0.5, 0.125, 0.25, 0.75]);
        assert!(!conditions.is_empty() && Conditions::default().is_empty());
        let branches = conditions.branches(5);
        let branches: Vec<_> =
            branches.iter().map(|branch| (branch.parent, branch.labels.as_slice())).collect();
        assert_eq!(branches, [(None, &[0, 1, 4][..]), (Some(0), &[2, 3]), (Some(1), &[3])]);
    }

    #[test]
    fn parents_may_have_parents() {
        // The file's order is not that of the levels.
        let json = br#"{"form": "shared", "children": {"A": ["ab"], "a": ["A", "alone"], "B": ["a"]}}"#;
        let conditions = Conditions::read(json, &labels()).unwrap();
        let mut scores = [0.5, 0.5, 0.5, 0.5, 1.0];
        conditions.weigh(&mut scores);
        assert_eq!(scores, [0.125, 0.5, 0.25, 0.0625, 0.25]);
        let branches: Vec<_> = conditions.branches(5).into_iter().map(|branch| branch.parent).collect();
        assert_eq!(branches, [None, Some(1), Some(2), Some(0)]);
    }

    #[test]
    fn what_is_no_hierarchy_of_the_labels_is_refused() {
        for (json, problem) in [
            (r#"{"form": "cascade", "children": {}}"#, "form `cascade`"),
            (r#"{"form": "shared", "children": {"A": ["c"]}}"#, "`c` is not a label"),
            (r#"{"form": "shared", "children": {"C": []}}"#, "`C` is not a label"),
            (r#"{"form": "shared", "children": {"A": ["B"], "B": ["A"]}}"#, "below itself"),
            (r#"{"form": "shared", "children": {"A": ["A"]}}"#, "below itself"),
            (r#"{"form": "shared"}"#, "children"),
            ("[]", "expected"),
        ] {
            let error = Conditions::read(json.as_bytes(), &labels()).unwrap_err();
            assert!(error.contains(problem), "{json}: {error}");
        }
    }
}
