//! The outputs of a classifier, made from the labels of a training part.

use std::collections::BTreeMap;

use vulnlens_encoder::Conditions;
use vulnlens_encoder::training::MarginalLoss;
use vulnlens_evaluation::Example;
use vulnlens_taxonomy::{CweId, KnowledgeBase, Outcome};

use super::label_table::LabelTable;
use super::labels::{AuxiliaryLabels, LabelKind};
use crate::error::TrainError;
use crate::sets::{catalogue_only, counts, in_order, outcomes_of, sets_of};

/// The outputs of a classifier: the labels of a training part, and which texts have which.
#[derive(Debug, Clone)]
pub(crate) struct OutputSpace {
    pub(crate) labels: LabelKind,
    /// `id2label`, in the order of the outputs.
    pub(crate) names: Vec<String>,
    /// The CWE sets behind the names; empty for other kinds of labels.
    pub(crate) sets: Vec<Vec<CweId>>,
    /// Training texts with each label.
    pub(crate) counts: Vec<u64>,
    /// Training texts that have a label of the kind.
    pub(crate) texts: u64,
    /// The outputs that are scored given others.
    pub(crate) conditions: Conditions,
    /// The outputs that apply to a record with these ids.
    outputs: BTreeMap<Vec<CweId>, Vec<u32>>,
    /// The outputs that apply to a text of this name, of labels of a table.
    by_name: BTreeMap<String, Vec<u32>>,
    /// The outcomes that the last outputs stand for, of CWE sets.
    pub(crate) outcomes: Vec<Outcome>,
    /// The weaknesses of CWE sets that no record taught.
    pub(crate) catalogue_only: Vec<CweId>,
    /// The output of each outcome.
    outcome_outputs: BTreeMap<Outcome, Vec<u32>>,
}

impl OutputSpace {
    /// The space of a training part. Records of `others` have outputs, too, but make no labels.
    pub(crate) fn new(
        labels: LabelKind,
        kb: &KnowledgeBase,
        training: &[&Example],
        others: &[&Example],
    ) -> Result<Self, TrainError> {
        let sets = sets_of(training)?;
        if labels == LabelKind::CweSets {
            let (mut all, mut numbers) = (in_order(&sets), counts(&sets));
            let outputs = (0..).zip(&all).map(|(number, set)| (set.clone(), vec![number])).collect();
            let mut names: Vec<String> = all.iter().map(|set| written(set)).collect();
            let outcomes = outcomes_of(training);
            let numbered = outcomes.iter().zip(all.len() as u32..);
            let outcome_outputs = numbered.map(|((outcome, _), number)| (*outcome, vec![number])).collect();
            names.extend(outcomes.iter().map(|(outcome, _)| outcome.to_string()));
            numbers.extend(outcomes.iter().map(|(_, count)| *count));
            all.extend(outcomes.iter().map(|_| vec![]));
            return Ok(Self {
                labels,
                names,
                sets: all,
                texts: numbers.iter().sum(),
                counts: numbers,
                conditions: Conditions::default(),
                outputs,
                by_name: BTreeMap::new(),
                outcomes: outcomes.into_iter().map(|(outcome, _)| outcome).collect(),
                outcome_outputs,
                catalogue_only: catalogue_only(training),
            });
        }
        let mut of_sets: BTreeMap<&[CweId], Vec<String>> = BTreeMap::new();
        let labelled = training.iter().chain(others).filter(|example| example.is_labelled());
        labelled.for_each(|example| {
            of_sets.entry(&example.cwes).or_insert_with(|| labels.of(kb, &example.cwes));
        });
        let (mut order, mut names) = (BTreeMap::new(), vec![]);
        for name in sets.keys().flat_map(|set| &of_sets[set.as_slice()]) {
            order.entry(natural(name)).or_insert_with(|| name.clone());
        }
        names.extend(order.into_values());
        if names.len() < 2 {
            return Err(TrainError::TooFewLabels { space: labels.name(), found: names.len() });
        }
        let number: BTreeMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
        let outputs_of = |list: &Vec<String>| {
            let mut outputs: Vec<u32> =
                list.iter().filter_map(|name| number.get(name.as_str()).copied()).collect();
            outputs.sort_unstable();
            outputs
        };
        let outputs: BTreeMap<Vec<CweId>, Vec<u32>> =
            of_sets.iter().map(|(set, list)| (set.to_vec(), outputs_of(list))).collect();
        let (mut label_counts, mut texts) = (vec![0; names.len()], 0);
        for (set, &(_, count)) in &sets {
            texts += count;
            outputs[set].iter().for_each(|&output| label_counts[output as usize] += count);
        }
        Ok(Self::of_labels(labels, names, (label_counts, texts), outputs))
    }

    /// The space of the labels that a table gives to a training part. Texts of `others` have outputs, too, but make no
    /// labels.
    pub(crate) fn of_table(
        table: &LabelTable,
        training: &[&Example],
        others: &[&Example],
    ) -> Result<Self, TrainError> {
        let labels = LabelKind::Own;
        let given = |example: &&Example| table.of(example).unwrap_or_default().to_vec();
        let sorted: BTreeMap<_, String> =
            training.iter().flat_map(given).map(|name| (natural(&name), name)).collect();
        let names: Vec<String> = sorted.into_values().collect();
        if names.len() < 2 {
            return Err(TrainError::TooFewLabels { space: labels.name(), found: names.len() });
        }
        let number: BTreeMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
        let outputs = |example: &&Example| {
            let known = table.of(example).unwrap_or_default().iter();
            let mut outputs: Vec<u32> = known.filter_map(|name| number.get(name.as_str()).copied()).collect();
            outputs.sort_unstable();
            outputs
        };
        let (mut counts, mut texts) = (vec![0; names.len()], 0);
        for of_text in training.iter().map(outputs) {
            texts += u64::from(!of_text.is_empty());
            of_text.iter().for_each(|&output| counts[output as usize] += 1);
        }
        let all = training.iter().chain(others);
        let by_name = all.map(|example| (example.name.clone(), outputs(example))).collect();
        Ok(Self { by_name, ..Self::of_labels(labels, names, (counts, texts), BTreeMap::new()) })
    }

    /// The space of labels that are not CWE sets: how many texts have each, and how many have any.
    fn of_labels(
        labels: LabelKind,
        names: Vec<String>,
        (counts, texts): (Vec<u64>, u64),
        outputs: BTreeMap<Vec<CweId>, Vec<u32>>,
    ) -> Self {
        Self {
            labels,
            names,
            sets: vec![],
            counts,
            texts,
            conditions: Conditions::default(),
            outputs,
            by_name: BTreeMap::new(),
            outcomes: vec![],
            catalogue_only: vec![],
            outcome_outputs: BTreeMap::new(),
        }
    }

    /// Other outputs for the same records: those that `outputs` makes of the outputs that apply here. Only records to
    /// which any applies have something to say.
    pub(crate) fn regrouped(
        &self,
        names: Vec<String>,
        training: &[&Example],
        outputs: impl Fn(&[u32]) -> Vec<u32>,
    ) -> Self {
        let outputs: BTreeMap<Vec<CweId>, Vec<u32>> =
            self.outputs.iter().map(|(set, of_set)| (set.clone(), outputs(of_set))).collect();
        let (mut counts, mut texts) = (vec![0; names.len()], 0);
        for of_text in training.iter().filter_map(|example| outputs.get(&example.cwes)) {
            texts += u64::from(!of_text.is_empty());
            of_text.iter().for_each(|&output| counts[output as usize] += 1);
        }
        Self::of_labels(self.labels, names, (counts, texts), outputs)
    }

    /// The outputs that apply to a record; `None` where nothing is known of it: it has no label, or a CWE set that neither
    /// the training part nor the others have.
    pub(crate) fn outputs(&self, example: &Example) -> Option<&[u32]> {
        if self.labels == LabelKind::Own {
            return self.by_name.get(&example.name).map(Vec::as_slice);
        }
        let of_set = || self.outputs.get(&example.cwes).filter(|_| example.is_labelled());
        let of_outcome = |outcome| self.outcome_outputs.get(&outcome);
        let outcome = example.outcome.filter(|_| !example.is_labelled());
        outcome.and_then(of_outcome).or_else(of_set).map(Vec::as_slice)
    }

    /// The output of a CWE set, or of the outcome in its place.
    pub(crate) fn output_of(&self, set: &[CweId], outcome: Option<Outcome>) -> Option<u32> {
        let outputs = match outcome {
            Some(outcome) => self.outcome_outputs.get(&outcome),
            None => self.outputs.get(set),
        };
        outputs?.first().copied()
    }

    /// The loss of the labels that the sets lead to by the chain.
    pub(crate) fn auxiliary_loss(&self, auxiliary: AuxiliaryLabels, kb: &KnowledgeBase) -> MarginalLoss {
        let mut numbers = BTreeMap::new();
        let mut number = |label: String| {
            let next = numbers.len() as u32;
            *numbers.entry(label).or_insert(next)
        };
        let labels_of =
            |set: &Vec<CweId>| auxiliary.labels.of(kb, set).into_iter().map(&mut number).collect();
        MarginalLoss::new(self.sets.iter().map(labels_of).collect(), auxiliary.weight)
    }

    /// The outputs' biases at which an untrained network says what is frequent: log-probabilities of classes, or
    /// log-odds of labels; of labels that are given parents, where the most frequent of these applies.
    pub(crate) fn biases(&self) -> Vec<f32> {
        let bias = |(output, &count): (usize, &u64)| {
            let parents = self.conditions.parents(output).iter().map(|&parent| self.counts[parent]);
            let total = parents.max().unwrap_or(self.texts) as f64;
            let p = (count as f64 + 0.5) / (total + 1.0);
            if self.labels == LabelKind::CweSets { p.ln() } else { (p / (1.0 - p).max(1e-6)).ln() }
        };
        self.counts.iter().enumerate().map(|counted| bias(counted) as f32).collect()
    }
}

/// A set as labels and peers' answers write it.
fn written(set: &[CweId]) -> String {
    let ids: Vec<String> = set.iter().map(ToString::to_string).collect();
    ids.join("+")
}

/// A sort key that orders ids by their numbers: 79 before 1004.
pub(crate) fn natural(name: &str) -> (usize, String) {
    let number = name.split('.').next().unwrap_or_default().len();
    (number, name.to_owned())
}

#[cfg(test)]
mod tests {
    use vulnlens_taxonomy::CveId;

    use super::*;
    use vulnlens_evaluation::Part;

    fn kb() -> KnowledgeBase {
        KnowledgeBase::embedded()
    }

    fn example(cwes: &[u32]) -> Example {
        let cwes = cwes.iter().copied().map(CweId).collect();
        Example::record(CveId::new(2020, 1), "text".into(), 2020, cwes, Part::Train)
    }

    fn space(labels: LabelKind) -> OutputSpace {
        let training = [example(&[79]), example(&[79, 89]), example(&[79]), example(&[]), example(&[1004])];
        let training: Vec<&Example> = training.iter().collect();
        OutputSpace::new(labels, &kb(), &training, &[&example(&[22]), &example(&[89])]).unwrap()
    }

    #[test]
    fn sets_are_classes() {
        let space = space(LabelKind::CweSets);
        assert_eq!(space.names, ["CWE-79", "CWE-79+CWE-89", "CWE-1004"]);
        assert_eq!((space.counts.as_slice(), space.texts), (&[2, 1, 1][..], 4));
        assert_eq!(space.outputs(&example(&[79, 89])), Some(&[1][..]));
        assert!(space.outputs(&example(&[])).is_none() && space.outputs(&example(&[22])).is_none());
        let mass: f32 = space.biases().iter().map(|bias| bias.exp()).sum();
        assert!((0.9..1.2).contains(&mass), "{mass}");
    }

    #[test]
    fn labels_are_those_of_the_training_part() {
        let space = space(LabelKind::Cwe);
        assert_eq!(space.names, ["CWE-79", "CWE-89", "CWE-1004"]);
        assert_eq!(space.counts, [3, 1, 1]);
        assert_eq!(space.outputs(&example(&[89])), Some(&[1][..]));
        assert_eq!(space.outputs(&example(&[22])), Some(&[][..]), "a label that was never seen");
        assert!(space.outputs(&example(&[])).is_none());
        let all = LabelKind::ALL.map(|labels| self::space(labels).names.len());
        assert!(all.iter().all(|&count| count >= 2), "{all:?}");
        assert!(self::space(LabelKind::Tactics).names.iter().all(|name| name.starts_with("TA")));
    }

    #[test]
    fn one_label_alone_is_refused() {
        let training = [example(&[79]), example(&[79])];
        let training: Vec<&Example> = training.iter().collect();
        assert!(OutputSpace::new(LabelKind::CweSets, &kb(), &training, &[]).is_err());
        let unknown = [example(&[90_001]), example(&[90_002])];
        let unknown: Vec<&Example> = unknown.iter().collect();
        let error = OutputSpace::new(LabelKind::Capec, &kb(), &unknown, &[]).unwrap_err();
        assert!(error.to_string().contains("capec in the training part are 0"), "{error}");
    }
}
