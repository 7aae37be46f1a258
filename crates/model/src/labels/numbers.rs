//! Labels that are bare numbers: which taxonomy they are of is decided for all of them together.

use vulnlens_taxonomy::{CapecId, CweId};

use super::written::{Bare, Id, Written};
use crate::task::Task;

/// The id that a number is in the taxonomy of a task; `None` where it has no ids of that form.
pub(super) fn id(taxonomy: Task, bare: Bare) -> Option<Id> {
    match taxonomy {
        Task::Cwe => bare.sub.is_none().then_some(Id::Cwe(CweId(bare.number))),
        Task::Capec => bare.sub.is_none().then_some(Id::Capec(CapecId(bare.number))),
        Task::Attack | Task::AttackCurated => bare.technique.map(Id::Technique),
    }
}

/// The taxonomy of the bare numbers among a checkpoint's labels; `None` where it cannot be told.
/// [`LabelMap::new`](super::LabelMap::new) states the rule.
pub(super) fn taxonomy_of_numbers(written: &[Written], given: Option<Task>) -> Option<Task> {
    let bare = || written.iter().filter_map(Written::bare);
    let numbers: Vec<Bare> = bare().filter(|bare| bare.sub.is_none()).collect();
    if given.is_some() {
        return given;
    }
    if let Some(beside) = taxonomy_beside(written) {
        return beside;
    }
    let has_subs = numbers.len() < bare().count();
    (has_subs && numbers.iter().all(|bare| bare.technique.is_some())).then_some(Task::Attack)
}

/// The taxonomy of the labels beside the numbers that say theirs: of one taxonomy, `Some(Some)`; of
/// several, `Some(None)`; where there are none, `None`.
fn taxonomy_beside(written: &[Written]) -> Option<Option<Task>> {
    let mut said = written.iter().filter_map(|written| match written {
        Written::Id(Id::Cwe(_)) => Some(Task::Cwe),
        Written::Id(Id::Capec(_)) => Some(Task::Capec),
        Written::Id(Id::Technique(_)) => Some(Task::Attack),
        Written::Id(Id::Tactic(_)) | Written::Bare(_) | Written::Words => None,
    });
    let first = said.next()?;
    Some(said.all(|other| other == first).then_some(first))
}

/// True when the labels only number the outputs, from 0 on: no taxonomy has an id 0.
pub(super) fn are_positions(written: &[Written]) -> bool {
    let mut numbered = (0..).zip(written);
    numbered.all(|(at, written)| {
        written.bare().is_some_and(|bare| bare.sub.is_none() && u64::from(bare.number) == at)
    })
}

impl Written {
    fn bare(&self) -> Option<Bare> {
        match self {
            Self::Bare(bare) => Some(*bare),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(labels: &[&str]) -> Vec<Written> {
        labels.iter().map(|label| Written::of(label)).collect()
    }

    #[test]
    fn numbers_are_read_together_and_never_by_a_guess() {
        use Task::{Attack, Capec, Cwe};
        let weaknesses = ["79", "787", "862", "918", "1021", "1321"];
        let techniques = ["1027", "1040", "1059", "1574"];
        for (labels, given, want) in [
            (&weaknesses[..], None, None),
            (&weaknesses, Some(Cwe), Some(Cwe)),
            (&weaknesses, Some(Capec), Some(Capec)),
            (&techniques, None, None),
            (&techniques, Some(Attack), Some(Attack)),
            (&["1027", "1562.003"], None, Some(Attack)),
            (&["79", "1562.003"], None, None),
            (&["79", "CWE-89", "1562.003"], None, Some(Cwe)),
            (&["79", "CWE-89", "Other"], None, Some(Cwe)),
            (&["79", "CWE-89", "CAPEC-63"], None, None),
            (&["79", "CWE-89", "CAPEC-63"], Some(Capec), Some(Capec)),
            (&["Other", "LABEL_1"], None, None),
        ] {
            assert_eq!(taxonomy_of_numbers(&written(labels), given), want, "{labels:?} given {given:?}");
        }
    }

    #[test]
    fn positions_begin_at_nought() {
        assert!(are_positions(&written(&["0", "1", "2"])));
        for labels in [&["1", "2"][..], &["0", "2"], &["0", "one"], &["79"]] {
            assert!(!are_positions(&written(labels)), "{labels:?}");
        }
    }
}
