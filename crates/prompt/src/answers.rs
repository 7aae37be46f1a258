//! Predictions from what a model states: a list of its own, or the classifier's in another order.

use vulnlens_model::{Basis, Labels, Prediction, ScoredLabel, Task};
use vulnlens_report::EntryId;
use vulnlens_taxonomy::{CapecId, CweId, TechniqueId};

/// A label that a model stated, and that is a candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) id: EntryId,
    /// The confidence that the model stated.
    pub(crate) confidence: Option<f32>,
    /// The probability by the classifier.
    pub(crate) probability: f32,
}

/// A label that stands in one list of a prediction.
trait Listed: Copy + PartialEq {
    /// The label with this id, if it is of the kind.
    fn of(id: EntryId) -> Option<Self>;
    /// The list.
    fn list(prediction: &mut Prediction) -> &mut Option<Labels<Self>>;
}

impl Listed for CweId {
    fn of(id: EntryId) -> Option<Self> {
        if let EntryId::Cwe(id) = id { Some(id) } else { None }
    }

    fn list(prediction: &mut Prediction) -> &mut Option<Labels<Self>> {
        &mut prediction.cwe
    }
}

impl Listed for CapecId {
    fn of(id: EntryId) -> Option<Self> {
        if let EntryId::Capec(id) = id { Some(id) } else { None }
    }

    fn list(prediction: &mut Prediction) -> &mut Option<Labels<Self>> {
        &mut prediction.capec
    }
}

impl Listed for TechniqueId {
    fn of(id: EntryId) -> Option<Self> {
        if let EntryId::Technique(id) = id { Some(id) } else { None }
    }

    fn list(prediction: &mut Prediction) -> &mut Option<Labels<Self>> {
        &mut prediction.attack
    }
}

/// The prediction that lists what a model stated, and nothing else: by falling confidence, otherwise in its order. A
/// score is the stated confidence, or 1 where there is none.
pub(crate) fn stated(task: Task, accepted: &[Accepted]) -> Prediction {
    match task {
        Task::Cwe => stated_in::<CweId>(accepted),
        Task::Capec => stated_in::<CapecId>(accepted),
        _ => stated_in::<TechniqueId>(accepted),
    }
}

fn stated_in<L: Listed>(accepted: &[Accepted]) -> Prediction {
    let score = |accepted: &Accepted| accepted.confidence.unwrap_or(1.0);
    let label = |accepted: &Accepted| Some(generated(L::of(accepted.id)?, score(accepted)));
    let mut labels: Vec<ScoredLabel<L>> = accepted.iter().filter_map(label).collect();
    labels.sort_by(|a, b| b.score.total_cmp(&a.score));
    // The model says that none applies, or that some does; how surely it does not say.
    let none = if labels.is_empty() { 1.0 } else { 0.0 };
    let mut prediction = Prediction::default();
    *L::list(&mut prediction) = Some(Labels::new(labels, none));
    prediction
}

/// The classifier's prediction with what a model stated in front and alone predicted, and true if the first label is
/// another one. Scores stay the classifier's; where nothing was stated, all stays as it is.
pub(crate) fn reordered(own: Prediction, task: Task, accepted: &[Accepted]) -> (Prediction, bool) {
    match task {
        _ if accepted.is_empty() => (own, false),
        Task::Cwe => reordered_in::<CweId>(own, accepted),
        Task::Capec => reordered_in::<CapecId>(own, accepted),
        _ => reordered_in::<TechniqueId>(own, accepted),
    }
}

fn reordered_in<L: Listed>(mut own: Prediction, accepted: &[Accepted]) -> (Prediction, bool) {
    let Some(Labels { labels, .. }) = L::list(&mut own) else { return (own, false) };
    let first = labels.first().map(|scored| scored.label);
    let mut front: Vec<ScoredLabel<L>> = vec![];
    for (label, probability) in accepted.iter().filter_map(|one| Some((L::of(one.id)?, one.probability))) {
        let listed = labels.iter().position(|scored| scored.label == label).map(|at| labels.remove(at));
        let mut scored = listed.unwrap_or_else(|| ScoredLabel::new(label, probability, true));
        (scored.basis, scored.predicted) = (Some(Basis::Generated), true);
        front.push(scored);
    }
    labels.iter_mut().for_each(|scored| scored.predicted = false);
    labels.splice(..0, front);
    let is_changed = labels.first().map(|scored| scored.label) != first;
    // The answer in a word, and the family, were those of the classifier.
    (own.said, own.family) = (None, None);
    own.outcomes.clear();
    (own, is_changed)
}

fn generated<L>(label: L, score: f32) -> ScoredLabel<L> {
    let mut scored = ScoredLabel::new(label, score, true);
    scored.basis = Some(Basis::Generated);
    scored
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(id: u32, confidence: Option<f32>) -> Accepted {
        Accepted { id: EntryId::Cwe(CweId(id)), confidence, probability: 0.125 }
    }

    fn shown(prediction: &Prediction) -> Vec<(u32, f32, bool, bool)> {
        let labels = prediction.cwe.iter().flat_map(|cwe| &cwe.labels);
        labels.map(|it| (it.label.0, it.score, it.predicted, it.basis == Some(Basis::Generated))).collect()
    }

    #[test]
    fn a_list_of_ones_own_keeps_the_order_and_the_confidences() {
        let plain = stated(Task::Cwe, &[accepted(89, None), accepted(79, None)]);
        assert_eq!(shown(&plain), [(89, 1.0, true, true), (79, 1.0, true, true)]);
        let rated = stated(Task::Cwe, &[accepted(89, Some(0.25)), accepted(79, Some(0.5))]);
        assert_eq!(shown(&rated), [(79, 0.5, true, true), (89, 0.25, true, true)]);
        assert_eq!(rated.cwe.map(|cwe| cwe.none), Some(0.0));
        assert_eq!(stated(Task::Cwe, &[]).cwe.map(|cwe| cwe.none), Some(1.0));
        assert!(stated(Task::Capec, &[]).cwe.is_none());
    }

    #[test]
    fn the_choice_stands_first_with_the_probability_of_the_classifier() {
        let own = || {
            let mut own = Prediction::default();
            let labels = [(79, 0.5, true), (89, 0.25, false)];
            let labels = labels.map(|(id, score, predicted)| ScoredLabel::new(CweId(id), score, predicted));
            own.cwe = Some(Labels::new(labels.to_vec(), 0.0));
            own
        };
        let (changed, is_changed) = reordered(own(), Task::Cwe, &[accepted(89, Some(0.875))]);
        assert_eq!(
            (shown(&changed), is_changed),
            (vec![(89, 0.25, true, true), (79, 0.5, false, false)], true)
        );
        // One that the classifier's answer does not list has the probability that the candidate had.
        let (added, is_changed) = reordered(own(), Task::Cwe, &[accepted(22, None)]);
        assert_eq!((shown(&added)[0], is_changed), ((22, 0.125, true, true), true));
        let (kept, is_changed) = reordered(own(), Task::Cwe, &[accepted(79, None)]);
        assert_eq!((shown(&kept)[0], is_changed), ((79, 0.5, true, true), false));
        assert_eq!(reordered(own(), Task::Cwe, &[]), (own(), false));
    }
}
