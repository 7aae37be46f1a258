//! Countermeasures of D3FEND against what is answered.

use std::collections::BTreeMap;

use vulnlens_taxonomy::{CountermeasureId, CweId, D3fend, TechniqueId, Threat};

use super::answer::{Countered, CountermeasureAnswer};
use crate::decimals::rounded;
use crate::prediction::{Labels, Prediction, TopK};
use crate::task::Task;

/// Most of what a countermeasure is against that an answer names.
const MOST_AGAINST: usize = 5;

/// The countermeasures against the weaknesses and techniques that a prediction answers: those against the most probable
/// ones first, then those by the shortest ways. Techniques that follow by the chain count where none is answered that
/// analysts assign.
pub(super) fn countermeasures(
    d3fend: &D3fend,
    prediction: &Prediction,
    most: TopK,
) -> Vec<CountermeasureAnswer> {
    let mut threats: BTreeMap<Threat, (f32, Task)> = BTreeMap::new();
    add(&prediction.cwe, Task::Cwe, |id: CweId| Threat::Weakness(id), &mut threats);
    add(
        &prediction.attack_curated,
        Task::AttackCurated,
        |id: TechniqueId| Threat::Technique(id),
        &mut threats,
    );
    // What follows from a weakness by the chain is much, and far from the text: it counts where nothing better is known.
    if !threats.keys().any(|threat| matches!(threat, Threat::Technique(_))) {
        add(&prediction.attack, Task::Attack, |id: TechniqueId| Threat::Technique(id), &mut threats);
    }
    let mut found: BTreeMap<CountermeasureId, (CountermeasureAnswer, u8)> = BTreeMap::new();
    for (threat, (score, task)) in threats {
        let (label, route) = match threat {
            Threat::Technique(id) => (id.to_string(), "technique"),
            Threat::Weakness(id) => (id.to_string(), "weakness"),
        };
        for counter in d3fend.against(threat) {
            let of = counter.countermeasure;
            let (answer, nearest) = found.entry(of.id).or_insert_with(|| {
                let answer = CountermeasureAnswer {
                    label: of.id.to_string(),
                    name: of.name.clone(),
                    tactic: of.tactic.as_str(),
                    weight: 0.0,
                    against: vec![],
                };
                (answer, u8::MAX)
            });
            *nearest = counter.distance.min(*nearest);
            answer.weight += f64::from(score);
            answer.against.push(Countered {
                label: label.clone(),
                taxonomy: task.key(),
                route,
                score: rounded(score),
                threat_relation: counter.threat_relation.to_owned(),
                threat_artifact: counter.threat_artifact.to_owned(),
                relation: counter.relation.to_owned(),
                artifact: counter.artifact.to_owned(),
                distance: counter.distance,
            });
        }
    }
    let mut found: Vec<(CountermeasureAnswer, u8)> = found.into_values().collect();
    found.sort_by(|(a, a_nearest), (b, b_nearest)| {
        b.weight.total_cmp(&a.weight).then(a_nearest.cmp(b_nearest)).then(a.label.cmp(&b.label))
    });
    match most {
        TopK::All => {}
        TopK::Best(most) | TopK::Predicted { and_best: most } => found.truncate(most),
    }
    let answers = found.into_iter().map(|(mut answer, _)| {
        answer.weight = (answer.weight * 1e6).round() / 1e6;
        answer.against.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.distance.cmp(&b.distance)));
        answer.against.truncate(MOST_AGAINST);
        answer
    });
    answers.collect()
}

/// Adds the answered labels of a task, each with its greatest probability.
fn add<Id: Copy>(
    labels: &Option<Labels<Id>>,
    task: Task,
    threat: impl Fn(Id) -> Threat,
    threats: &mut BTreeMap<Threat, (f32, Task)>,
) {
    let labels = labels.as_ref().map_or(&[][..], |labels| &labels.labels);
    for scored in labels.iter().filter(|scored| scored.predicted) {
        let known = threats.entry(threat(scored.label)).or_insert((scored.score, task));
        if scored.score > known.0 {
            *known = (scored.score, task);
        }
    }
}
