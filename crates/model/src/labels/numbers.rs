//! Labels that are bare numbers: which taxonomy they are of is decided for all of them together.

use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase};

use super::written::{Bare, Id, Written};

/// A taxonomy that numbers may be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taxonomy {
    Cwe,
    Capec,
    Attack,
}

impl Taxonomy {
    const ALL: [Self; 3] = [Self::Cwe, Self::Capec, Self::Attack];

    /// What this taxonomy calls `bare`; none where it has no ids of that form.
    pub(super) fn id(self, bare: Bare) -> Option<Id> {
        match self {
            Self::Cwe => bare.sub.is_none().then_some(Id::Cwe(CweId(bare.number))),
            Self::Capec => bare.sub.is_none().then_some(Id::Capec(CapecId(bare.number))),
            Self::Attack => bare.technique.map(Id::Technique),
        }
    }

    fn of(id: Id) -> Option<Self> {
        match id {
            Id::Cwe(_) => Some(Self::Cwe),
            Id::Capec(_) => Some(Self::Capec),
            Id::Technique(_) => Some(Self::Attack),
            Id::Tactic(_) => None,
        }
    }

    /// The words by which a model's name tells of this taxonomy.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Cwe => &["cwe", "weakness"],
            Self::Capec => &["capec"],
            Self::Attack => &["attack", "att&ck", "technique", "ttp"],
        }
    }
}

/// Fewer numbers than this prove nothing by being ids.
const FEWEST: usize = 5;

/// The taxonomy of the bare numbers among a checkpoint's labels, `written` in the order of its
/// outputs; `None` where it cannot be told. [`LabelMap::new`](super::LabelMap::new) states the rule.
pub(super) fn taxonomy_of_numbers(written: &[Written], hint: &str, kb: &KnowledgeBase) -> Option<Taxonomy> {
    let bare = || written.iter().filter_map(Written::bare);
    let numbers: Vec<Bare> = bare().filter(|bare| bare.sub.is_none()).collect();
    if numbers.is_empty() || are_positions(written) {
        return None;
    }
    if let Some(beside) = taxonomy_beside(written) {
        return beside;
    }
    if numbers.len() < bare().count() && numbers.iter().all(|bare| bare.technique.is_some()) {
        return Some(Taxonomy::Attack);
    }
    let known = |taxonomy| share_known(taxonomy, &numbers, kb);
    if let Some(named) = taxonomy_named(hint).filter(|named| known(*named) >= 0.5) {
        return Some(named);
    }
    let fits = |taxonomy: &Taxonomy| known(*taxonomy) >= 0.95;
    let is_alone = |one: &Taxonomy| Taxonomy::ALL.iter().all(|other| other == one || known(*other) <= 0.8);
    let mut fitting = Taxonomy::ALL.into_iter().filter(fits).filter(is_alone);
    fitting.next().filter(|_| numbers.len() >= FEWEST)
}

/// True when the labels only number the outputs, from 0 or 1 on.
fn are_positions(written: &[Written]) -> bool {
    let from = |first: usize| {
        let mut numbered = (first..).zip(written);
        numbered.all(|(at, written)| {
            written.bare().is_some_and(|bare| bare.sub.is_none() && bare.number as usize == at)
        })
    };
    from(0) || from(1)
}

/// The taxonomy of the labels beside the numbers that say theirs: of one taxonomy, `Some(Some)`; of
/// several, `Some(None)`; where there are none, `None`.
fn taxonomy_beside(written: &[Written]) -> Option<Option<Taxonomy>> {
    let mut said = written.iter().filter_map(|written| match written {
        Written::Id(id) => Taxonomy::of(*id),
        _ => None,
    });
    let first = said.next()?;
    Some(said.all(|other| other == first).then_some(first))
}

/// The taxonomy that a model's name tells of last: `vuln2attack`, `cwe-to-capec`.
fn taxonomy_named(hint: &str) -> Option<Taxonomy> {
    let hint = hint.to_lowercase();
    let last = |taxonomy: &Taxonomy| taxonomy.words().iter().filter_map(|word| hint.rfind(word)).max();
    Taxonomy::ALL.into_iter().filter(|one| last(one).is_some()).max_by_key(last)
}

/// The share of the numbers that are ids of entries, withdrawn ones included. Of CWE, weaknesses alone count: with its
/// categories, nearly every number up to 1,400 is an id, and would prove nothing.
fn share_known(taxonomy: Taxonomy, numbers: &[Bare], kb: &KnowledgeBase) -> f64 {
    let is_known = |bare: &&Bare| match taxonomy.id(**bare) {
        Some(Id::Cwe(id)) => kb.is_weakness(id),
        Some(Id::Capec(id)) => kb.pattern(id).is_some(),
        Some(Id::Technique(id)) => kb.technique(id).is_some(),
        Some(Id::Tactic(_)) | None => false,
    };
    numbers.iter().filter(is_known).count() as f64 / numbers.len() as f64
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

    fn taxonomy(labels: &[&str], hint: &str) -> Option<Taxonomy> {
        let kb = KnowledgeBase::embedded();
        let written: Vec<Written> = labels.iter().map(|label| Written::of(label)).collect();
        taxonomy_of_numbers(&written, hint, &kb)
    }

    #[test]
    fn numbers_are_read_together_and_never_by_a_guess() {
        use Taxonomy::{Attack, Capec, Cwe};
        let weaknesses = ["79", "787", "862", "918", "1021", "1321"];
        let patterns = ["79", "89", "22", "94", "78"];
        let techniques = ["1027", "1040", "1059", "1574"];
        for (labels, hint, want) in [
            (&weaknesses[..], "", Some(Cwe)),
            (&weaknesses, "Sana9/securebert-vuln2capec-flat", Some(Cwe)),
            (&patterns, "", None),
            (&patterns, "Sana9/bert-vuln2capec-flat", Some(Capec)),
            (&["79", "89"], "Sana9/securebert-vuln2cwe-flat", Some(Cwe)),
            (&["79", "89"], "models/nvd", None),
            (&techniques, "", None),
            (&techniques, "securebert-VULN2ATTACK", Some(Attack)),
            (&techniques, "cwe-to-technique", Some(Attack)),
            (&["1027", "1562.003"], "", Some(Attack)),
            (&["79", "1562.003"], "", None),
            (&["79", "CWE-89", "1562.003"], "", Some(Cwe)),
            (&["79", "CWE-89", "Other"], "", Some(Cwe)),
            (&["79", "CWE-89", "CAPEC-63"], "vuln2cwe", None),
            (&["0", "1", "2"], "vuln2cwe", None),
            (&["1", "2", "3", "4", "5"], "vuln2capec", None),
            (&["Other", "LABEL_1"], "vuln2cwe", None),
        ] {
            assert_eq!(taxonomy(labels, hint), want, "{labels:?} of {hint:?}");
        }
    }
}
