//! A label space as a tree: parents, and the labels below each.

use std::collections::{BTreeMap, BTreeSet};

use vulnlens_encoder::Conditions;
use vulnlens_evaluation::Example;
use vulnlens_taxonomy::{Abstraction, CapecId, CweId, KnowledgeBase, TechniqueId};

use super::settings::HierarchySettings;
use crate::encoder::labels::LabelKind;
use crate::encoder::output_space::{OutputSpace, natural};
use crate::error::TrainError;

/// The folder of the network that scores the parents.
pub(crate) const MASTER: &str = "master";

/// The folder of a parent's network.
pub(crate) fn slave(parent: &str) -> String {
    format!("slave_{parent}")
}

/// A label space with the parents of its labels.
#[derive(Debug)]
pub(crate) struct Tree {
    /// All labels, as a flat classifier has them.
    pub(crate) flat: OutputSpace,
    /// In the order of their names.
    pub(crate) parents: Vec<Parent>,
}

/// A parent.
#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) name: String,
    /// The labels below it, by their places in the flat space, rising.
    pub(crate) children: Vec<u32>,
    /// The label that it is itself, in spaces that have it.
    pub(crate) label: Option<u32>,
    /// Whether it has labels and texts enough for a part of its own.
    pub(crate) is_refined: bool,
}

impl Parent {
    /// Whether it applies to a record with these labels of the flat space.
    pub(crate) fn applies(&self, labels: &[u32]) -> bool {
        labels.iter().any(|label| self.label == Some(*label) || self.children.binary_search(label).is_ok())
    }
}

impl Tree {
    /// The tree of a training part. Records of `others` have labels, too, but make none.
    pub(crate) fn new(
        settings: &HierarchySettings,
        kb: &KnowledgeBase,
        training: &[&Example],
        others: &[&Example],
    ) -> Result<Self, TrainError> {
        let labels = settings.classifier.labels;
        let refused =
            |problem: String, fix: &'static str| TrainError::NoTree { space: labels.name(), problem, fix };
        if matches!(labels, LabelKind::CweSets | LabelKind::Tactics) {
            let fix = "choose attack, techniques, cwe, cwe-with-ancestors, cwe-allowed or capec";
            return Err(refused("have no level above them".to_owned(), fix));
        }
        let flat = OutputSpace::new(labels, kb, training, others)?;
        let mut below: BTreeMap<(usize, String), Vec<u32>> = BTreeMap::new();
        for (label, name) in (0..).zip(&flat.names) {
            for parent in parents_of(labels, kb, name) {
                let children = below.entry(natural(&parent)).or_default();
                // A pillar is no label below itself.
                children.extend((parent != *name).then_some(label));
            }
        }
        if below.len() < 2 {
            let problem = format!("of the training part lie below {} parents", below.len());
            return Err(refused(problem, "train a flat classifier, or give more data"));
        }
        let place =
            |name: &String| (0..).zip(&flat.names).find(|(_, other)| *other == name).map(|(at, _)| at);
        let parents = below.into_iter().map(|((_, name), children)| {
            let label = place(&name);
            Parent { name, children, label, is_refined: false }
        });
        let mut tree = Self { parents: parents.collect(), flat };
        tree.find_refined(settings.fewest_texts, training);
        if tree.refined().next().is_none() {
            let problem = format!("have no parent with two labels and {} texts", settings.fewest_texts);
            return Err(refused(problem, "let parents with fewer texts have parts, or give more data"));
        }
        Ok(tree)
    }

    fn find_refined(&mut self, fewest_texts: u64, training: &[&Example]) {
        for parent in &mut self.parents {
            let applies = |labels: &&[u32]| parent.applies(labels);
            let texts = training.iter().filter_map(|text| self.flat.outputs(text)).filter(applies).count();
            parent.is_refined = parent.children.len() >= 2 && texts as u64 >= fewest_texts;
        }
    }

    /// The parents with parts of their own, by their places among all.
    pub(crate) fn refined(&self) -> impl Iterator<Item = (usize, &Parent)> {
        self.parents.iter().enumerate().filter(|(_, parent)| parent.is_refined)
    }

    /// Labels that are not parents and that no part has: the master's own. By their places, rising.
    pub(crate) fn loose(&self) -> Vec<u32> {
        let elsewhere: BTreeSet<u32> =
            self.refined().flat_map(|(_, parent)| &parent.children).copied().collect();
        self.leaves().into_iter().filter(|label| !elsewhere.contains(label)).collect()
    }

    /// Labels that are not parents, by their places, rising.
    pub(crate) fn leaves(&self) -> Vec<u32> {
        let parents: BTreeSet<u32> = self.parents.iter().filter_map(|parent| parent.label).collect();
        (0..self.flat.names.len() as u32).filter(|label| !parents.contains(label)).collect()
    }

    /// The outputs of the master: the parents, and the labels that no part has.
    pub(crate) fn master(&self, training: &[&Example]) -> OutputSpace {
        self.above(&self.loose(), training)
    }

    /// The outputs of one network for the whole tree: all parents, and all labels that are not parents. Labels of a parent
    /// with a part of its own are scored given that such a parent applies.
    pub(crate) fn whole(&self, training: &[&Example]) -> OutputSpace {
        let leaves = self.leaves();
        let mut parents = vec![vec![]; self.parents.len() + leaves.len()];
        for (at, parent) in self.refined() {
            for child in &parent.children {
                if let Ok(place) = leaves.binary_search(child) {
                    parents[self.parents.len() + place].push(at);
                }
            }
        }
        let mut space = self.above(&leaves, training);
        space.conditions = Conditions::new(parents);
        space
    }

    /// The outputs of a parent's part: the labels below it.
    pub(crate) fn part(&self, parent: &Parent, training: &[&Example]) -> OutputSpace {
        self.flat.regrouped(self.names(&parent.children), training, |labels| places(&parent.children, labels))
    }

    /// Parents, and labels after them.
    fn above(&self, labels: &[u32], training: &[&Example]) -> OutputSpace {
        let parents = self.parents.iter().map(|parent| parent.name.clone());
        let names = parents.chain(self.names(labels)).collect();
        let count = self.parents.len() as u32;
        self.flat.regrouped(names, training, |applying| {
            let parents = (0..).zip(&self.parents).filter(|(_, parent)| parent.applies(applying));
            let labels = places(labels, applying).into_iter().map(|place| count + place);
            parents.map(|(at, _)| at).chain(labels).collect()
        })
    }

    pub(crate) fn names(&self, labels: &[u32]) -> Vec<String> {
        labels.iter().filter_map(|&label| self.flat.names.get(label as usize).cloned()).collect()
    }
}

/// Where those of the `applying` labels stand among `labels`; both rise.
fn places(labels: &[u32], applying: &[u32]) -> Vec<u32> {
    applying.iter().filter_map(|label| labels.binary_search(label).ok()).map(|place| place as u32).collect()
}

/// The names of a label's parents. A parent has its own id where that cannot be taken for a label of the space that
/// means less: a group of patterns is not the pattern that it is named after.
fn parents_of(labels: LabelKind, kb: &KnowledgeBase, name: &str) -> Vec<String> {
    match labels {
        LabelKind::CweSets | LabelKind::Tactics => vec![],
        LabelKind::Attack | LabelKind::Techniques => {
            let id = name.parse::<TechniqueId>().ok();
            let tactics = id.map_or(&[][..], |id| kb.tactics_of(id));
            tactics.iter().map(ToString::to_string).collect()
        }
        LabelKind::Cwe | LabelKind::CweAllowed | LabelKind::CweWithAncestors => {
            let id = name.parse::<CweId>().ok();
            let as_label = labels == LabelKind::CweWithAncestors;
            let written = |id: CweId| if as_label { id.to_string() } else { format!("cwe_group_{}", id.0) };
            id.map_or(vec![], |id| pillars(kb, id)).into_iter().map(written).collect()
        }
        LabelKind::Capec => {
            let id = name.parse::<CapecId>().ok();
            let tops = id.map_or(vec![], |id| tops(kb, id));
            tops.into_iter().map(|id| format!("capec_group_{}", id.0)).collect()
        }
    }
}

/// The pillars that a weakness is or lies below.
fn pillars(kb: &KnowledgeBase, id: CweId) -> Vec<CweId> {
    let is_pillar =
        |id: &CweId| kb.weakness(*id).is_some_and(|weakness| weakness.abstraction == Abstraction::Pillar);
    kb.ancestors(id).iter().copied().chain([id]).filter(is_pillar).collect()
}

/// The patterns without parents that a pattern is or lies below.
fn tops(kb: &KnowledgeBase, id: CapecId) -> Vec<CapecId> {
    let parents = |id: CapecId| kb.pattern(id).map_or(&[][..], |pattern| &pattern.parents);
    let (mut tops, mut seen, mut open) = (BTreeSet::new(), BTreeSet::from([id]), vec![id]);
    while let Some(id) = open.pop() {
        if kb.pattern(id).is_some() && parents(id).is_empty() {
            tops.insert(id);
        }
        open.extend(parents(id).iter().copied().filter(|&parent| seen.insert(parent)));
    }
    tops.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use vulnlens_model::labels::LabelMap;
    use vulnlens_taxonomy::CveId;

    use super::*;
    use crate::encoder::{ClassifierSettings, HierarchyForm};
    use vulnlens_evaluation::Part;

    fn kb() -> KnowledgeBase {
        KnowledgeBase::embedded()
    }

    fn example(cwes: &[u32]) -> Example {
        let cwes = cwes.iter().copied().map(CweId).collect();
        Example::record(CveId::new(2020, 1), "text".into(), 2020, cwes, Part::Train)
    }

    fn tree_of(
        labels: LabelKind,
        fewest_texts: u64,
        cwes: &[&[u32]],
    ) -> Result<(Tree, Vec<Example>), TrainError> {
        let settings = HierarchySettings {
            classifier: ClassifierSettings::new(labels),
            form: HierarchyForm::Cascade,
            fewest_texts,
        };
        let examples: Vec<Example> = cwes.iter().map(|cwes| example(cwes)).collect();
        let training: Vec<&Example> = examples.iter().collect();
        Tree::new(&settings, &kb(), &training, &[]).map(|tree| (tree, examples))
    }

    const CWES: [&[u32]; 6] = [&[79], &[89], &[862], &[863, 22], &[16], &[284]];

    #[test]
    fn weaknesses_lie_below_pillars_that_are_labels_where_ancestors_are() {
        let (tree, examples) = tree_of(LabelKind::CweWithAncestors, 1, &CWES).unwrap();
        let names: Vec<&str> = tree.parents.iter().map(|parent| parent.name.as_str()).collect();
        assert_eq!(names, ["CWE-284", "CWE-664", "CWE-707"]);
        assert!(tree.parents.iter().all(|parent| parent.label.is_some() && parent.is_refined));
        let access = &tree.parents[0];
        assert_eq!(tree.names(&access.children), ["CWE-285", "CWE-862", "CWE-863"]);
        assert!(access.applies(tree.flat.outputs(&example(&[284])).unwrap()));
        assert!(!access.applies(tree.flat.outputs(&example(&[79])).unwrap()));
        // A category lies below nothing.
        assert_eq!(tree.names(&tree.loose()), ["CWE-16"]);
        let training: Vec<&Example> = examples.iter().collect();
        let master = tree.master(&training);
        assert_eq!(master.names, ["CWE-284", "CWE-664", "CWE-707", "CWE-16"]);
        assert_eq!(master.counts, [3, 1, 2, 1]);
        assert_eq!(master.outputs(&examples[3]), Some(&[0, 1][..]));
        let part = tree.part(access, &training);
        assert_eq!((part.counts.as_slice(), part.texts), (&[2, 1, 1][..], 2));
        assert_eq!(part.outputs(&examples[5]), Some(&[][..]), "the pillar alone says nothing below it");
    }

    #[test]
    fn groups_are_no_labels_of_the_space() {
        for (labels, group) in [(LabelKind::Cwe, "cwe_group_284"), (LabelKind::Capec, "capec_group_")] {
            let (tree, _) = tree_of(labels, 1, &CWES).unwrap();
            assert!(tree.parents.iter().any(|parent| parent.name.starts_with(group)), "{:?}", tree.parents);
            assert!(tree.parents.iter().all(|parent| parent.label.is_none()));
            let names: Vec<String> = tree.parents.iter().map(|parent| parent.name.clone()).collect();
            assert_eq!(LabelMap::new(&names, None).other().len(), names.len(), "{names:?}");
        }
        let (tree, _) = tree_of(LabelKind::Cwe, 1, &CWES).unwrap();
        let access = tree.parents.iter().find(|parent| parent.name == "cwe_group_284").unwrap();
        assert_eq!(tree.names(&access.children), ["CWE-284", "CWE-862", "CWE-863"]);
    }

    #[test]
    fn techniques_lie_below_all_their_tactics() {
        let (tree, examples) = tree_of(LabelKind::Attack, 1, &CWES).unwrap();
        assert!(tree.parents.iter().all(|parent| parent.name.starts_with("TA")));
        let training: Vec<&Example> = examples.iter().collect();
        let whole = tree.whole(&training);
        assert_eq!(whole.names.len(), tree.parents.len() + tree.flat.names.len());
        let of = |label: &str| {
            let at = whole.names.iter().position(|name| name == label).unwrap();
            let parents = whole.conditions.parents(at).iter();
            parents.map(|&parent| whole.names[parent].as_str()).collect::<Vec<_>>()
        };
        let kb = kb();
        let several = whole.names.iter().filter(|name| of(name).len() > 1).count();
        assert!(several > 0);
        for name in tree.flat.names.iter().filter(|name| !of(name).is_empty()) {
            let tactics = kb.tactics_of(name.parse().unwrap()).iter().map(ToString::to_string);
            let tactics: Vec<String> = tactics.collect();
            assert!(of(name).iter().all(|parent| tactics.iter().any(|tactic| tactic == parent)));
        }
    }

    #[test]
    fn small_parents_leave_their_labels_to_the_master() {
        let (tree, _) = tree_of(LabelKind::CweWithAncestors, 2, &CWES).unwrap();
        let refined: Vec<&str> = tree.refined().map(|(_, parent)| parent.name.as_str()).collect();
        assert_eq!(refined, ["CWE-284", "CWE-707"]);
        assert!(tree.names(&tree.loose()).contains(&"CWE-22".to_owned()));
        let error = tree_of(LabelKind::CweWithAncestors, 100, &CWES).unwrap_err().to_string();
        assert!(error.contains("no parent with two labels and 100 texts"), "{error}");
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        for labels in [LabelKind::CweSets, LabelKind::Tactics] {
            let error = tree_of(labels, 1, &CWES).unwrap_err().to_string();
            assert!(error.contains("no level above") && error.contains("choose attack"), "{error}");
        }
        let error = tree_of(LabelKind::Cwe, 1, &[&[862], &[863]]).unwrap_err().to_string();
        assert!(error.contains("below 1 parents"), "{error}");
    }
}
