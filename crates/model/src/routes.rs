//! The routes of a hierarchy of classifiers: the parents for which the scores of the labels below them count.

/// A part of a hierarchy: labels that are scored given that a parent applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The label that the part refines; `None` for the part at the top.
    pub parent: Option<usize>,
    /// The labels of the part, in the order of its scores.
    pub labels: Vec<usize>,
    /// True if its labels exclude each other, so that the best of them is answered.
    pub exclusive: bool,
}

/// The parents for which the labels below them count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parents<'a> {
    /// Those that apply, by their places: what the literature calls evaluation with gold parents.
    Gold(&'a [bool]),
    /// Those that are answered, with a score above 0.5 or as the best of labels that exclude each other; labels below others
    /// have no score.
    Predicted,
    /// All, and each label's score is multiplied by its parent's.
    Multiplied,
}

/// The parts of a hierarchy, from the top down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    branches: Vec<Branch>,
    labels: usize,
    multiplies: bool,
}

/// A parent is answered above this score: the rule that hierarchies are published with.
const ANSWERED: f32 = 0.5;

impl Routes {
    /// The routes of `labels` labels; `multiplies` where the hierarchy's own scores are multiplied by the parents', and not
    /// ruled out by them. `None` if a branch names a label that does not exist, or a parent that no branch before it has.
    #[must_use]
    pub fn new(labels: usize, branches: Vec<Branch>, multiplies: bool) -> Option<Self> {
        let mut known = vec![false; labels];
        for branch in &branches {
            if branch.parent.is_some_and(|parent| known.get(parent) != Some(&true)) {
                return None;
            }
            for &label in &branch.labels {
                *known.get_mut(label)? = true;
            }
        }
        Some(Self { branches, labels, multiplies })
    }

    /// The number of labels.
    #[must_use]
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// The number of scores of a text: one for each label of each branch.
    #[must_use]
    pub fn scores(&self) -> usize {
        self.branches.iter().map(|branch| branch.labels.len()).sum()
    }

    /// The way that the hierarchy itself is read.
    #[must_use]
    pub fn own(&self) -> Parents<'static> {
        if self.multiplies { Parents::Multiplied } else { Parents::Predicted }
    }

    /// The labels that a label lies directly below, by their places, rising.
    #[must_use]
    pub fn parents_of(&self, label: usize) -> Vec<usize> {
        let scoring = self.branches.iter().filter(|branch| branch.labels.contains(&label));
        let mut parents: Vec<usize> = scoring.filter_map(|branch| branch.parent).collect();
        parents.sort_unstable();
        parents.dedup();
        parents
    }

    /// The labels that apply where some do: those, and all that have one of them below them.
    #[must_use]
    pub fn applying(&self, mut gold: Vec<bool>) -> Vec<bool> {
        gold.resize(self.labels, false);
        // From the bottom up, so that a label has its own children's word before its parent asks for it.
        for branch in self.branches.iter().rev() {
            if let Some(parent) = branch.parent.filter(|_| branch.labels.iter().any(|&label| gold[label])) {
                gold[parent] = true;
            }
        }
        gold
    }

    /// Replaces `out` by a score for each label, from one for each label of each branch ([`Self::scores`]). A label of several
    /// branches has the greatest of its scores; NaN stands for one that is ruled out.
    ///
    /// # Panics
    /// When the numbers of scores or gold labels do not fit.
    pub fn route(&self, scores: &[f32], parents: Parents<'_>, out: &mut Vec<f32>) {
        assert_eq!(scores.len(), self.scores(), "a score for each label of each branch");
        out.clear();
        out.resize(self.labels, f32::NAN);
        let mut answered = vec![false; self.labels];
        let mut rest = scores;
        for branch in &self.branches {
            let (own, after) = rest.split_at(branch.labels.len());
            rest = after;
            let weight = match (branch.parent, parents) {
                (None, _) => 1.0,
                (Some(parent), Parents::Gold(gold)) if gold[parent] => 1.0,
                (Some(parent), Parents::Predicted) if answered[parent] => 1.0,
                (Some(parent), Parents::Multiplied) => out[parent],
                _ => continue,
            };
            let best = own.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for (&label, &score) in branch.labels.iter().zip(own) {
                // `max` takes the other one where one is NaN.
                out[label] = out[label].max(weight * score);
                #[expect(clippy::float_cmp, reason = "the best is one of them")]
                let is_answered = if branch.exclusive { score == best } else { score > ANSWERED };
                answered[label] |= is_answered;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(parent: Option<usize>, labels: &[usize]) -> Branch {
        Branch { parent, labels: labels.to_vec(), exclusive: false }
    }

    /// Two parents, 0 and 1; 2 below 0, 3 below both; 4 below 2.
    fn routes() -> Routes {
        let branches = vec![
            branch(None, &[0, 1]),
            branch(Some(0), &[2, 3]),
            branch(Some(1), &[3]),
            branch(Some(2), &[4]),
        ];
        Routes::new(5, branches, false).unwrap()
    }

    fn routed(scores: [f32; 6], parents: Parents<'_>) -> Vec<f32> {
        let mut out = vec![7.0; 9];
        routes().route(&scores, parents, &mut out);
        // A number that equals itself in place of NaN.
        out.into_iter().map(|score| if score.is_nan() { -1.0 } else { score }).collect()
    }

    #[test]
    fn each_kind_of_parents_counts_in_its_own_way() {
        let scores = [0.75, 0.25, 0.5, 0.25, 1.0, 0.5];
        assert_eq!(routed(scores, Parents::Predicted), [0.75, 0.25, 0.5, 0.25, -1.0]);
        assert_eq!(routed(scores, Parents::Multiplied), [0.75, 0.25, 0.375, 0.25, 0.1875]);
        let gold = routes().applying(vec![false, false, false, true]);
        assert_eq!(gold, [true, true, false, true, false]);
        assert_eq!(routed(scores, Parents::Gold(&gold)), [0.75, 0.25, 0.5, 1.0, -1.0]);
        let deep = routes().applying(vec![false, false, false, false, true]);
        assert_eq!(deep, [true, false, true, false, true]);
        assert_eq!(routed(scores, Parents::Gold(&deep)), [0.75, 0.25, 0.5, 0.25, 0.5]);
        assert_eq!((routes().parents_of(3), routes().parents_of(0)), (vec![0, 1], vec![]));
        assert_eq!(routes().own(), Parents::Predicted);
    }

    #[test]
    fn of_labels_that_exclude_each_other_the_best_is_answered() {
        let top = Branch { exclusive: true, ..branch(None, &[0, 1]) };
        let routes = Routes::new(3, vec![top, branch(Some(0), &[2])], false).unwrap();
        let mut out = vec![];
        routes.route(&[0.375, 0.25, 0.125], Parents::Predicted, &mut out);
        assert_eq!(out, [0.375, 0.25, 0.125]);
    }

    #[test]
    fn what_is_no_hierarchy_is_refused() {
        for branches in [
            vec![branch(None, &[0]), branch(Some(1), &[2])],
            vec![branch(Some(0), &[1]), branch(None, &[0])],
            vec![branch(None, &[3])],
        ] {
            assert_eq!(Routes::new(3, branches, false), None);
        }
    }
}
