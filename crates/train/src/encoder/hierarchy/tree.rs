//! A label space as a tree: parents, and the labels below each.

use std::collections::{BTreeMap, BTreeSet};

use vulnlens_encoder::Conditions;
use vulnlens_evaluation::Example;
use vulnlens_taxonomy::{Abstraction, CapecId, CweId, KnowledgeBase, TechniqueId};

use super::settings::HierarchySettings;
use crate::encoder::labels::LabelKind;
use crate::encoder::output_space::{OutputSpace, natural};
use crate::error::TrainError;

/// A label space with the parents of its labels.
#[derive(Debug)]
pub(crate) struct Tree {
    /// All labels, as a flat classifier has them.
    pub(crate) flat: OutputSpace,
    /// Those of the first level, then those of the second, each in the order of their names.
    pub(crate) parents: Vec<Parent>,
    /// Levels, that of the labels included.
    levels: usize,
}

/// A parent.
#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) name: String,
    /// The parents of the first level that it lies below, by their places, rising; none for one of the first level.
    pub(crate) above: Vec<usize>,
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

    /// Whether it is of the first level.
    pub(crate) fn is_top(&self) -> bool {
        self.above.is_empty()
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
        if matches!(labels, LabelKind::CweSets | LabelKind::Tactics | LabelKind::Own) {
            let fix = "choose attack, techniques, cwe, cwe-with-ancestors, cwe-allowed or capec";
            return Err(refused("have no level above them".to_owned(), fix));
        }
        let flat = OutputSpace::new(labels, kb, training, others)?;
        let (mut tops, mut middles) = (Below::new(), BTreeMap::new());
        for (label, name) in (0..).zip(&flat.names) {
            for parent in tops_of(labels, kb, name) {
                let children = tops.entry(natural(&parent)).or_default();
                // A pillar is no label below itself.
                children.extend((parent != *name).then_some(label));
            }
            for (parent, above) in middles_of(labels, kb, name).into_iter().filter(|_| settings.levels > 2) {
                let (children, _) = middles.entry(natural(&parent)).or_insert_with(|| (vec![], above));
                children.extend((parent != *name).then_some(label));
            }
        }
        if tops.len() < 2 {
            let problem = format!("of the training part lie below {} parents", tops.len());
            return Err(refused(problem, "train a flat classifier, or give more data"));
        }
        let place =
            |name: &String| (0..).zip(&flat.names).find(|(_, other)| *other == name).map(|(at, _)| at);
        let places: BTreeMap<String, usize> = tops.keys().map(|(_, name)| name.clone()).zip(0..).collect();
        let mut parents: Vec<Parent> = vec![];
        for ((_, name), children) in tops {
            let label = place(&name);
            parents.push(Parent { name, above: vec![], children, label, is_refined: false });
        }
        for ((_, name), (children, above)) in middles {
            let above: BTreeSet<usize> = above.iter().filter_map(|name| places.get(name).copied()).collect();
            let (label, above) = (place(&name), above.into_iter().collect());
            parents.push(Parent { name, above, children, label, is_refined: false });
        }
        let mut tree = Self { parents, flat, levels: settings.levels };
        tree.find_refined(settings.fewest_texts, training);
        // What is between two levels and has no part of its own is a label like others.
        tree.parents.retain(|parent| parent.is_top() || parent.is_refined);
        if tree.refined().next().is_none() {
            let problem = format!("have no parent with two labels and {} texts", settings.fewest_texts);
            return Err(refused(problem, "let parents with fewer texts have parts, or give more data"));
        }
        if tree.levels > 2 && tree.parents.iter().all(Parent::is_top) {
            let problem =
                "have nothing between their parents and themselves with two labels and texts enough";
            let fix = "train a hierarchy of two levels, or give more data";
            return Err(refused(problem.to_owned(), fix));
        }
        Ok(tree)
    }

    fn find_refined(&mut self, fewest_texts: u64, training: &[&Example]) {
        for parent in &mut self.parents {
            let applies = |labels: &&[u32]| parent.applies(labels);
            let texts = training.iter().filter_map(|text| self.flat.outputs(text)).filter(applies).count();
            parent.is_refined = parent.children.len() >= 2 && texts as u64 >= fewest_texts;
        }
        // A part asks for its parent's score, which only a part of the first level can give.
        let tops: Vec<bool> =
            self.parents.iter().map(|parent| parent.is_refined && parent.is_top()).collect();
        for parent in self.parents.iter_mut().filter(|parent| !parent.is_top()) {
            parent.above.retain(|&top| tops[top]);
            parent.is_refined &= !parent.above.is_empty();
        }
    }

    /// The parents with parts of their own, by their places among all.
    pub(crate) fn refined(&self) -> impl Iterator<Item = (usize, &Parent)> {
        self.parents.iter().enumerate().filter(|(_, parent)| parent.is_refined)
    }

    /// The name of the folder of the master's network.
    pub(crate) fn master_folder(&self) -> String {
        match self.levels {
            2 => MASTER.to_owned(),
            _ => format!("{}_level_0_{MASTER}", self.flat.labels.name()),
        }
    }

    /// The name of the folder of a parent's network.
    pub(crate) fn folder(&self, parent: &Parent) -> String {
        let slave = format!("slave_{}", parent.name);
        match self.levels {
            2 => slave,
            _ => format!("{}_level_{}_{slave}", self.flat.labels.name(), if parent.is_top() { 1 } else { 2 }),
        }
    }

    /// Labels that are not parents and that no part has: the master's own. By their places, rising.
    fn loose(&self) -> Vec<u32> {
        let elsewhere: BTreeSet<u32> =
            self.refined().flat_map(|(_, parent)| &parent.children).copied().collect();
        self.leaves().into_iter().filter(|label| !elsewhere.contains(label)).collect()
    }

    /// Labels that are not parents, by their places, rising.
    pub(crate) fn leaves(&self) -> Vec<u32> {
        let parents: BTreeSet<u32> = self.parents.iter().filter_map(|parent| parent.label).collect();
        (0..self.flat.names.len() as u32).filter(|label| !parents.contains(label)).collect()
    }

    /// The parents right below a refined parent, by their places, and the labels right below it, by theirs: those that
    /// do not lie below one of these parents.
    fn below(&self, at: usize) -> (Vec<usize>, Vec<u32>) {
        let middles = self.refined().filter(|(_, parent)| parent.above.contains(&at)).map(|(at, _)| at);
        let middles: Vec<usize> = middles.collect();
        let covered: BTreeSet<u32> =
            middles.iter().flat_map(|&middle| &self.parents[middle].children).copied().collect();
        let own: BTreeSet<u32> = self.parents.iter().filter_map(|parent| parent.label).collect();
        let is_own = |label: &&u32| !covered.contains(label) && !own.contains(label);
        let labels = self.parents[at].children.iter().filter(is_own).copied().collect();
        (middles, labels)
    }

    /// The outputs of the master: the parents of the first level, and the labels that no part has.
    pub(crate) fn master(&self, training: &[&Example]) -> OutputSpace {
        let tops = (0..self.parents.len()).filter(|&at| self.parents[at].is_top()).collect();
        self.space((tops, self.loose()), training)
    }

    /// The outputs of one network for the whole tree: all parents, and all labels that are not parents. What lies below a
    /// parent with a part of its own is scored given that such a parent applies.
    pub(crate) fn whole(&self, training: &[&Example]) -> OutputSpace {
        let leaves = self.leaves();
        let mut parents = vec![vec![]; self.parents.len() + leaves.len()];
        for (at, _) in self.refined() {
            let (middles, labels) = self.below(at);
            middles.into_iter().for_each(|middle| parents[middle].push(at));
            for place in places(&leaves, &labels) {
                parents[self.parents.len() + place as usize].push(at);
            }
        }
        let mut space = self.space(((0..self.parents.len()).collect(), leaves), training);
        // Parents of the second level lie below those of the first alone.
        space.conditions = Conditions::new(parents).unwrap_or_default();
        space
    }

    /// The outputs of a parent's part: the parents and the labels right below it.
    pub(crate) fn part(&self, at: usize, training: &[&Example]) -> OutputSpace {
        self.space(self.below(at), training)
    }

    /// The names of the outputs of a parent's part.
    pub(crate) fn part_names(&self, at: usize) -> Vec<String> {
        let (middles, labels) = self.below(at);
        middles.iter().map(|&middle| self.parents[middle].name.clone()).chain(self.names(&labels)).collect()
    }

    /// Some parents, and some labels after them.
    fn space(&self, (parents, labels): (Vec<usize>, Vec<u32>), training: &[&Example]) -> OutputSpace {
        let parents: Vec<&Parent> = parents.into_iter().map(|at| &self.parents[at]).collect();
        let names = parents.iter().map(|parent| parent.name.clone()).chain(self.names(&labels)).collect();
        let count = parents.len() as u32;
        self.flat.regrouped(names, training, |applying| {
            let parents = (0..).zip(&parents).filter(|(_, parent)| parent.applies(applying));
            let labels = places(&labels, applying).into_iter().map(|place| count + place);
            parents.map(|(at, _)| at).chain(labels).collect()
        })
    }

    pub(crate) fn names(&self, labels: &[u32]) -> Vec<String> {
        labels.iter().filter_map(|&label| self.flat.names.get(label as usize).cloned()).collect()
    }
}

/// Labels below parents, in the order of the parents' names.
type Below = BTreeMap<(usize, String), Vec<u32>>;

/// The end of the name of the folder of the network that scores the parents of the first level.
const MASTER: &str = "master";

/// Where those of the `applying` labels stand among `labels`; both rise.
fn places(labels: &[u32], applying: &[u32]) -> Vec<u32> {
    applying.iter().filter_map(|label| labels.binary_search(label).ok()).map(|place| place as u32).collect()
}

/// The names of the parents of a label on the first level. A parent has its own id where that cannot be taken for a label
/// of the space that means less: a group of patterns is not the pattern that it is named after.
fn tops_of(labels: LabelKind, kb: &KnowledgeBase, name: &str) -> Vec<String> {
    match labels {
        LabelKind::CweSets | LabelKind::Tactics | LabelKind::Own => vec![],
        LabelKind::Attack | LabelKind::Techniques => {
            let id = name.parse::<TechniqueId>().ok();
            let tactics = id.map_or(&[][..], |id| kb.tactics_of(id));
            tactics.iter().map(ToString::to_string).collect()
        }
        LabelKind::Cwe | LabelKind::CweAllowed | LabelKind::CweWithAncestors => {
            let id = name.parse::<CweId>().ok();
            id.map_or(vec![], |id| pillars(kb, id)).into_iter().map(|id| weakness_name(labels, id)).collect()
        }
        LabelKind::Capec => {
            let id = name.parse::<CapecId>().ok();
            id.map_or(vec![], |id| tops(kb, id)).into_iter().map(pattern_name).collect()
        }
    }
}

/// The names of the parents of a label on the second level, each with those of the first level right above it: a
/// sub-technique's technique, classes right below pillars, patterns right below those without a parent.
fn middles_of(labels: LabelKind, kb: &KnowledgeBase, name: &str) -> Vec<(String, Vec<String>)> {
    match labels {
        LabelKind::CweSets | LabelKind::Tactics | LabelKind::Techniques | LabelKind::Own => vec![],
        LabelKind::Attack => {
            let Some(id) = name.parse::<TechniqueId>().ok() else { return vec![] };
            let technique = id.parent();
            let tactics = kb.tactics_of(technique).iter().map(ToString::to_string).collect();
            vec![(format!("technique_group_{technique}"), tactics)]
        }
        LabelKind::Cwe | LabelKind::CweAllowed | LabelKind::CweWithAncestors => {
            let Some(id) = name.parse::<CweId>().ok() else { return vec![] };
            let above = |id: CweId| {
                let pillars = kb.parents(id).iter().filter(|&&parent| is_pillar(kb, parent));
                pillars.map(|&pillar| weakness_name(labels, pillar)).collect::<Vec<String>>()
            };
            let all = kb.ancestors(id).iter().copied().chain([id]);
            let named = all.map(|id| (weakness_name(labels, id), above(id)));
            named.filter(|(_, above)| !above.is_empty()).collect()
        }
        LabelKind::Capec => {
            let Some(id) = name.parse::<CapecId>().ok() else { return vec![] };
            let above = |id: CapecId| {
                let tops = pattern_parents(kb, id).iter().filter(|&&parent| is_top(kb, parent));
                tops.map(|&top| pattern_name(top)).collect::<Vec<String>>()
            };
            let named = with_ancestors(kb, id).into_iter().map(|id| (pattern_name(id), above(id)));
            named.filter(|(_, above)| !above.is_empty()).collect()
        }
    }
}

fn weakness_name(labels: LabelKind, id: CweId) -> String {
    if labels == LabelKind::CweWithAncestors { id.to_string() } else { format!("cwe_group_{}", id.0) }
}

fn pattern_name(id: CapecId) -> String {
    format!("capec_group_{}", id.0)
}

fn is_pillar(kb: &KnowledgeBase, id: CweId) -> bool {
    kb.weakness(id).is_some_and(|weakness| weakness.abstraction == Abstraction::Pillar)
}

/// The pillars that a weakness is or lies below.
fn pillars(kb: &KnowledgeBase, id: CweId) -> Vec<CweId> {
    kb.ancestors(id).iter().copied().chain([id]).filter(|&id| is_pillar(kb, id)).collect()
}

fn pattern_parents(kb: &KnowledgeBase, id: CapecId) -> &[CapecId] {
    kb.pattern(id).map_or(&[], |pattern| &pattern.parents)
}

fn is_top(kb: &KnowledgeBase, id: CapecId) -> bool {
    kb.pattern(id).is_some_and(|pattern| pattern.parents.is_empty())
}

/// A pattern and all patterns above it, by rising id.
fn with_ancestors(kb: &KnowledgeBase, id: CapecId) -> BTreeSet<CapecId> {
    let (mut seen, mut open) = (BTreeSet::from([id]), vec![id]);
    while let Some(id) = open.pop() {
        open.extend(pattern_parents(kb, id).iter().copied().filter(|&parent| seen.insert(parent)));
    }
    seen
}

/// The patterns without parents that a pattern is or lies below.
fn tops(kb: &KnowledgeBase, id: CapecId) -> Vec<CapecId> {
    with_ancestors(kb, id).into_iter().filter(|&id| is_top(kb, id)).collect()
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
            levels: 2,
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
        let part = tree.part(0, &training);
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
    fn classes_stand_between_pillars_and_what_lies_below_them() {
        let cwes: [&[u32]; 6] = [&[79], &[862], &[863], &[863, 22], &[284], &[306]];
        for (labels, class, pillar) in [
            (LabelKind::CweWithAncestors, "CWE-285", "CWE-284"),
            (LabelKind::Cwe, "cwe_group_285", "cwe_group_284"),
        ] {
            let settings = HierarchySettings {
                classifier: ClassifierSettings::new(labels),
                form: HierarchyForm::Cascade,
                fewest_texts: 1,
                levels: 3,
            };
            let examples: Vec<Example> = cwes.iter().map(|cwes| example(cwes)).collect();
            let training: Vec<&Example> = examples.iter().collect();
            let tree = Tree::new(&settings, &kb(), &training, &[]).unwrap();
            let at = |name: &str| tree.parents.iter().position(|parent| parent.name == name).unwrap();
            let (middle, top) = (at(class), at(pillar));
            assert_eq!(tree.parents[middle].above, [top]);
            assert_eq!(
                tree.folder(&tree.parents[middle]),
                format!("{}_level_2_slave_{class}", labels.name())
            );
            assert_eq!(tree.folder(&tree.parents[top]), format!("{}_level_1_slave_{pillar}", labels.name()));
            assert_eq!(tree.master_folder(), format!("{}_level_0_master", labels.name()));
            assert_eq!(tree.part_names(middle), ["CWE-862", "CWE-863"]);
            let below = tree.part_names(top);
            assert!(below.contains(&class.to_owned()) && !below.contains(&"CWE-862".to_owned()), "{below:?}");
            // Every label that is no parent stands in a part.
            let mut leaves: BTreeSet<String> = tree.names(&tree.leaves()).into_iter().collect();
            let parts = tree.refined().flat_map(|(at, _)| tree.part_names(at));
            parts.chain(tree.master(&training).names).for_each(|name| {
                leaves.remove(&name);
            });
            assert!(leaves.is_empty(), "{leaves:?}");
            let whole = tree.whole(&training);
            let of = |name: &str| {
                let at = whole.names.iter().position(|other| other == name).unwrap();
                let parents = whole.conditions.parents(at).iter();
                parents.map(|&parent| whole.names[parent].clone()).collect::<Vec<_>>()
            };
            assert_eq!((of("CWE-862"), of(class)), (vec![class.to_owned()], vec![pillar.to_owned()]));
        }
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
