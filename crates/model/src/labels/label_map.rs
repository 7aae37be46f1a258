//! The entries of the catalogues that a checkpoint's labels name.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use vulnlens_taxonomy::{CapecId, CweId, CweLevel, KnowledgeBase, Standing, TechniqueId};

use super::numbers::{are_positions, id, taxonomy_of_numbers};
use super::written::{Id, Written};
use crate::prediction::LabelSource;
use crate::task::{Task, Tasks};

/// A checkpoint's labels by taxonomy.
///
/// Ids that the knowledge base does not know or that are withdrawn are labels like all others. An id
/// that several outputs name is one label of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelMap {
    pub(crate) cwe: Vec<OutputsOf<CweId>>,
    pub(crate) capec: Vec<OutputsOf<CapecId>>,
    pub(crate) attack: Vec<OutputsOf<TechniqueId>>,
    /// Labels that name no weakness, pattern or technique, as written.
    pub(crate) other: Vec<OutputsOf<Arc<str>>>,
    unnamed: usize,
    tactics: usize,
}

/// A label, and the outputs of the checkpoint that speak for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputsOf<L> {
    /// The label.
    pub label: L,
    /// The outputs, rising and without duplicates.
    pub outputs: Vec<u32>,
}

/// The number of a checkpoint's labels of one taxonomy, by their standing in the knowledge base.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// All of them.
    pub labels: usize,
    /// Withdrawn for others.
    pub revoked: usize,
    /// Withdrawn.
    pub deprecated: usize,
    /// In none of the catalogues.
    pub unknown: usize,
}

/// A checkpoint's labels, counted by taxonomy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LabelCounts {
    /// Weaknesses.
    pub cwe: Count,
    /// Attack patterns.
    pub capec: Count,
    /// Techniques.
    pub attack: Count,
    /// Labels of no taxonomy, and tactics.
    pub other: usize,
}

impl LabelMap {
    /// Reads the labels of a checkpoint, in the order of its outputs. `numbers` is the taxonomy of those that are bare
    /// numbers, if it is known.
    ///
    /// A label with one id in it, as `CWE-79`, `cwe_79`, `T1562.003` or `CWE-79: Cross-site
    /// Scripting`, is that id. A label with several different ids, with a tactic's, with one of ATLAS
    /// (`AML.T0051`) or with none is kept as written, under `other`.
    ///
    /// `1562.003` is a technique, a form that ATT&CK alone has. Labels that are bare numbers are all of one
    /// taxonomy, the first that these rules give:
    /// 1. It is `numbers`.
    /// 2. Where other labels say their taxonomy, it is theirs, if that is one.
    /// 3. Where others have the form `1562.003`, it is ATT&CK, if the numbers have four digits.
    ///
    /// Numbers to which no rule applies are kept under `other`, and counted by [`unnamed`](Self::unnamed).
    #[must_use]
    pub fn new(labels: &[String], numbers: Option<Task>) -> Self {
        let written: Vec<Written> = labels.iter().map(|label| Written::of(label)).collect();
        let numbers = taxonomy_of_numbers(&written, numbers);
        let counts_outputs = are_positions(&written);
        let (mut cwe, mut capec, mut attack) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (mut other, mut unnamed, mut tactics) = (Vec::new(), 0, 0);
        for ((label, written), output) in labels.iter().zip(written).zip(0u32..) {
            let id = match written {
                Written::Id(id) => Some(id),
                Written::Bare(bare) if bare.sub.is_some() => bare.technique.map(Id::Technique),
                Written::Bare(bare) => numbers.filter(|_| !counts_outputs).and_then(|of| id(of, bare)),
                Written::Words => None,
            };
            unnamed +=
                usize::from(id.is_none() && (matches!(written, Written::Bare(_)) || is_default(label)));
            match id {
                Some(Id::Cwe(id)) => note(&mut cwe, id, output),
                Some(Id::Capec(id)) => note(&mut capec, id, output),
                Some(Id::Technique(id)) => note(&mut attack, id, output),
                Some(Id::Tactic(_)) | None => {
                    tactics += usize::from(id.is_some());
                    other.push(OutputsOf { label: Arc::from(label.as_str()), outputs: vec![output] });
                }
            }
        }
        Self { cwe: sorted(cwe), capec: sorted(capec), attack: sorted(attack), other, unnamed, tactics }
    }

    /// The number of labels that are not names: numbers of no known taxonomy, and `LABEL_0` as transformers calls outputs
    /// without a name. Numbers that only count the outputs from 0 on are such, whatever their taxonomy is said to be.
    #[must_use]
    pub fn unnamed(&self) -> usize {
        self.unnamed
    }

    /// The number of labels that belong to no taxonomy: tactics belong to ATT&CK.
    #[must_use]
    pub fn of_no_taxonomy(&self) -> usize {
        self.other.len() - self.tactics
    }

    /// True if a label is a weakness, a pattern, a technique or a tactic.
    #[must_use]
    pub fn has_ids(&self) -> bool {
        !self.cwe.is_empty() || !self.capec.is_empty() || !self.attack.is_empty() || self.tactics > 0
    }

    /// The weaknesses among the labels, by rising id.
    pub fn cwe(&self) -> impl ExactSizeIterator<Item = CweId> {
        self.cwe.iter().map(|of| of.label)
    }

    /// The attack patterns among the labels, by rising id.
    pub fn capec(&self) -> impl ExactSizeIterator<Item = CapecId> {
        self.capec.iter().map(|of| of.label)
    }

    /// The techniques among the labels, by rising id.
    pub fn attack(&self) -> impl ExactSizeIterator<Item = TechniqueId> {
        self.attack.iter().map(|of| of.label)
    }

    /// The weaknesses among the labels with their outputs, by rising id.
    #[must_use]
    pub fn cwe_outputs(&self) -> &[OutputsOf<CweId>] {
        &self.cwe
    }

    /// The attack patterns among the labels with their outputs, by rising id.
    #[must_use]
    pub fn capec_outputs(&self) -> &[OutputsOf<CapecId>] {
        &self.capec
    }

    /// The techniques among the labels with their outputs, by rising id.
    #[must_use]
    pub fn attack_outputs(&self) -> &[OutputsOf<TechniqueId>] {
        &self.attack
    }

    /// The labels of no taxonomy and the tactics, as written and in the order of the outputs.
    pub fn other(&self) -> impl ExactSizeIterator<Item = &str> {
        self.other.iter().map(|of| of.label.as_ref())
    }

    /// The outputs that stand for a weakness, a pattern or a technique, rising.
    #[must_use]
    pub fn outputs_with_ids(&self) -> Vec<u32> {
        let Self { cwe, capec, attack, .. } = self;
        let (cwe, capec) = (cwe.iter().map(|of| &of.outputs), capec.iter().map(|of| &of.outputs));
        rising(cwe.chain(capec).chain(attack.iter().map(|of| &of.outputs)))
    }

    /// The outputs that speak for a weakness.
    pub(crate) fn outputs_of_cwe(&self, id: CweId) -> &[u32] {
        outputs_of(&self.cwe, |of| *of == id)
    }

    /// The outputs that speak for a pattern.
    pub(crate) fn outputs_of_capec(&self, id: CapecId) -> &[u32] {
        outputs_of(&self.capec, |of| *of == id)
    }

    /// The outputs that speak for a technique.
    pub(crate) fn outputs_of_attack(&self, id: TechniqueId) -> &[u32] {
        outputs_of(&self.attack, |of| *of == id)
    }

    /// The outputs that speak for a label of no taxonomy.
    pub(crate) fn outputs_of_other(&self, label: &str) -> &[u32] {
        outputs_of(&self.other, |of| **of == *label)
    }

    /// The outputs that apply to a record with these weaknesses, rising: weaknesses with the ancestors of the assigned
    /// ones, patterns and techniques that the chain reaches.
    #[must_use]
    pub fn outputs_that_apply(&self, kb: &KnowledgeBase, assigned: &[CweId]) -> Vec<u32> {
        fn of<'m, L: Ord>(known: &'m [OutputsOf<L>], ids: &'m [L]) -> impl Iterator<Item = &'m Vec<u32>> {
            let known = |id| known.binary_search_by(|of| of.label.cmp(id)).ok().and_then(|at| known.get(at));
            ids.iter().filter_map(known).map(|of| &of.outputs)
        }
        let (weaknesses, chain) = (kb.cwe_at(CweLevel::WithAncestors, assigned), kb.chain(assigned));
        let by_chain = of(&self.capec, &chain.capec).chain(of(&self.attack, &chain.techniques));
        rising(of(&self.cwe, &weaknesses).chain(by_chain))
    }

    /// The tasks of which the checkpoint has no label, but that follow from its labels by the
    /// chain: CAPEC from CWE, ATT&CK from CAPEC or else from CWE.
    #[must_use]
    pub fn derived(&self) -> Tasks {
        let (has_cwe, has_capec) = (!self.cwe.is_empty(), !self.capec.is_empty());
        let capec = (has_cwe && !has_capec).then_some(Task::Capec);
        let attack = (self.attack.is_empty() && (has_cwe || has_capec)).then_some(Task::Attack);
        capec.into_iter().chain(attack).collect()
    }

    /// The patterns that the weaknesses among the labels lead to.
    pub(crate) fn capec_by_chain(&self, kb: &KnowledgeBase) -> Vec<OutputsOf<CapecId>> {
        reached(&self.cwe, |id| kb.chain(&[id]).capec)
    }

    /// The techniques that the patterns among the labels lead to, or else the weaknesses; `written`
    /// gives the chain's ids a form.
    pub(crate) fn attack_by_chain(
        &self,
        kb: &KnowledgeBase,
        written: impl Fn(&[TechniqueId]) -> Vec<TechniqueId>,
    ) -> Vec<OutputsOf<TechniqueId>> {
        if self.capec.is_empty() {
            return reached(&self.cwe, |id| written(&kb.chain(&[id]).techniques));
        }
        reached(&self.capec, |id| kb.pattern(id).map_or(vec![], |pattern| written(&pattern.techniques)))
    }

    /// The patterns of an answer, by rising id: those among the labels or, without any, those that follow by the chain.
    #[must_use]
    pub fn capec_answered(&self, kb: &KnowledgeBase) -> Vec<CapecId> {
        match self.capec.is_empty() {
            true => self.capec_by_chain(kb).into_iter().map(|of| of.label).collect(),
            false => self.capec().collect(),
        }
    }

    /// The techniques of an answer, by rising id: those among the labels or, without any, those that follow by the chain
    /// as it writes them.
    #[must_use]
    pub fn attack_answered(&self, kb: &KnowledgeBase) -> Vec<TechniqueId> {
        match self.attack.is_empty() {
            true => self.attack_by_chain(kb, <[_]>::to_vec).into_iter().map(|of| of.label).collect(),
            false => self.attack().collect(),
        }
    }

    /// The source of the labels of an answer that these tasks are asked for.
    #[must_use]
    pub fn source(&self, asked: Tasks) -> LabelSource {
        LabelSource::Checkpoint { derived: self.derived().and(asked), other: !self.other.is_empty() }
    }

    /// The labels, counted.
    #[must_use]
    pub fn counts(&self, kb: &KnowledgeBase) -> LabelCounts {
        LabelCounts {
            cwe: count(self.cwe().map(|id| kb.standing_of_cwe(id))),
            capec: count(self.capec().map(|id| kb.standing_of_capec(id))),
            attack: count(self.attack().map(|id| kb.standing_of_technique(id))),
            other: self.other.len(),
        }
    }
}

/// True for transformers' name of an output without a name.
fn is_default(label: &str) -> bool {
    let number =
        label.split_at_checked("LABEL_".len()).filter(|(head, _)| head.eq_ignore_ascii_case("LABEL_"));
    number.is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn note<L: Ord>(labels: &mut BTreeMap<L, Vec<u32>>, label: L, output: u32) {
    labels.entry(label).or_default().push(output);
}

fn sorted<L>(labels: BTreeMap<L, Vec<u32>>) -> Vec<OutputsOf<L>> {
    labels.into_iter().map(|(label, outputs)| OutputsOf { label, outputs }).collect()
}

fn outputs_of<L>(known: &[OutputsOf<L>], is_it: impl Fn(&L) -> bool) -> &[u32] {
    known.iter().find(|of| is_it(&of.label)).map_or(&[], |of| &of.outputs)
}

/// All of some outputs, rising and without duplicates.
fn rising<'o>(outputs: impl Iterator<Item = &'o Vec<u32>>) -> Vec<u32> {
    let mut all: Vec<u32> = outputs.flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What `from` leads to by `step`, each with all outputs that lead to it.
fn reached<From: Copy, To: Ord>(
    from: &[OutputsOf<From>],
    step: impl Fn(From) -> Vec<To>,
) -> Vec<OutputsOf<To>> {
    let mut labels: BTreeMap<To, Vec<u32>> = BTreeMap::new();
    for OutputsOf { label, outputs } in from {
        for reached in step(*label) {
            labels.entry(reached).or_default().extend_from_slice(outputs);
        }
    }
    for outputs in labels.values_mut() {
        outputs.sort_unstable();
        outputs.dedup();
    }
    sorted(labels)
}

fn count(standings: impl Iterator<Item = Standing>) -> Count {
    let mut count = Count::default();
    for standing in standings {
        count.labels += 1;
        match standing {
            Standing::Current => {}
            Standing::Revoked { .. } => count.revoked += 1,
            Standing::Deprecated => count.deprecated += 1,
            Standing::Unknown => count.unknown += 1,
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kb() -> KnowledgeBase {
        KnowledgeBase::embedded()
    }

    fn map(labels: &[&str], numbers: Option<Task>) -> LabelMap {
        let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
        LabelMap::new(&labels, numbers)
    }

    #[test]
    fn labels_go_to_their_taxonomies_and_the_rest_is_kept() {
        let map = map(&["T1190", "CWE-79", "TA0005", "CAPEC-63", "cwe_79", "LABEL_5", "CWE-999999"], None);
        assert_eq!(map.cwe().collect::<Vec<_>>(), [CweId(79), CweId(999_999)]);
        assert_eq!(map.cwe[0].outputs, [1, 4], "an id that stands twice is one label");
        assert_eq!(map.capec().collect::<Vec<_>>(), [CapecId(63)]);
        assert_eq!(map.attack().collect::<Vec<_>>(), [TechniqueId::technique(1190)]);
        assert_eq!(map.other().collect::<Vec<_>>(), ["TA0005", "LABEL_5"]);
        assert_eq!((map.unnamed(), map.of_no_taxonomy()), (1, 1));
        let atlas = self::map(&["AML.T0051", "AML.T0051.001", "T1190"], None);
        assert_eq!((atlas.attack().len(), atlas.other().len(), atlas.unnamed()), (1, 2, 0));
    }

    #[test]
    fn bare_numbers_are_of_the_taxonomy_that_is_given() {
        let capec = map(&["63", "66"], Some(Task::Capec));
        assert_eq!((capec.capec().len(), capec.unnamed()), (2, 0));
        let open = map(&["63", "66", "LABEL_2", "none"], None);
        assert_eq!((open.other().len(), open.unnamed(), open.has_ids()), (4, 3, false));
        assert_eq!(map(&["1027", "1562.003"], None).attack().len(), 2);
        let mixed = map(&["CWE-79", "89", "1190.001", "no label"], None);
        assert_eq!((mixed.cwe().len(), mixed.attack().len(), mixed.other().len()), (2, 1, 1));
        let wrong = map(&["79", "1190"], Some(Task::Attack));
        assert_eq!((wrong.attack().len(), wrong.unnamed()), (1, 1), "79 is not a technique");
        let positions = map(&["0", "1", "2"], Some(Task::Cwe));
        assert_eq!((positions.cwe().len(), positions.unnamed()), (0, 3));
    }

    #[test]
    fn what_a_checkpoint_has_no_labels_of_follows_by_the_chain() {
        for (labels, want) in [
            (&["CWE-79"][..], Tasks::from(Task::Capec).with(Task::Attack)),
            (&["CAPEC-63"], Task::Attack.into()),
            (&["CWE-79", "CAPEC-63"], Task::Attack.into()),
            (&["CWE-79", "T1190"], Task::Capec.into()),
            (&["T1190"], Tasks::NONE),
            (&["LABEL_0"], Tasks::NONE),
        ] {
            assert_eq!(map(labels, None).derived(), want, "{labels:?}");
        }
    }

    #[test]
    fn the_chain_takes_all_outputs_along() {
        let (kb, map) = (kb(), map(&["CWE-79", "CWE-89", "CWE-74"], None));
        let capec = map.capec_by_chain(&kb);
        let of = |id: u32| capec.iter().find(|of| of.label == CapecId(id)).map(|v| v.outputs.clone());
        assert_eq!(of(63), Some(vec![0]), "of CWE-79 alone");
        assert_eq!(of(267), Some(vec![0, 1, 2]), "of their ancestor CWE-74");
        let expected = kb.chain(&[CweId(79), CweId(89)]).techniques;
        let attack = map.attack_by_chain(&kb, <[_]>::to_vec);
        assert_eq!(attack.iter().map(|of| of.label).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn labels_are_counted_as_they_stand() {
        let kb = kb();
        let revoked = kb.techniques().find(|technique| technique.revoked_by.is_some()).unwrap().id;
        let deprecated = kb.techniques().find(|technique| technique.deprecated).unwrap().id;
        let labels = [revoked.to_string(), deprecated.to_string(), "T1190".into(), "T9999".into()];
        let counts = LabelMap::new(&labels, None).counts(&kb);
        assert_eq!(counts.attack, Count { labels: 4, revoked: 1, deprecated: 1, unknown: 1 });
    }
}
