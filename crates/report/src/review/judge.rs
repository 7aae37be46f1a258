//! The review of one record: its mapping, the suggestions, the verdict and the reason for it.

use std::sync::Arc;

use vulnlens_model::{Family, Said, ScoredLabel};
use vulnlens_taxonomy::{CweId, KnowledgeBase};

use super::objection::Objection;
use super::verdict::Verdict;
use crate::answer::{Answer, RecordKey};
use crate::mapping::{AdvisedCwe, MappingAdvice};

/// A weakness, category or view that a record carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappedCwe {
    /// The id, as assigned.
    pub cwe: CweId,
    /// The one who assigned it.
    pub assigner: Arc<str>,
}

impl MappedCwe {
    /// The id, assigned by `assigner`.
    #[must_use]
    pub fn new(cwe: CweId, assigner: impl Into<Arc<str>>) -> Self {
        Self { cwe, assigner: assigner.into() }
    }
}

/// The review of a record's mapping.
///
/// ```
/// use vulnlens_model::{Labels, Prediction, ScoredLabel};
/// use vulnlens_report::{Answer, MappedCwe, RecordKey, Review, Verdict};
/// use vulnlens_taxonomy::{CweId, KnowledgeBase};
///
/// let kb = KnowledgeBase::embedded();
/// let mut prediction = Prediction::default();
/// prediction.cwe = Some(Labels::new(vec![ScoredLabel::new(CweId(79), 0.9, true)], 0.0));
/// let answer = Answer::new(RecordKey::of_id("CVE-2024-1"), prediction);
/// let review = Review::of(answer, vec![MappedCwe::new(CweId(80), "cna")], &kb).unwrap();
/// assert_eq!(review.verdict, Verdict::LessSpecific);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Review {
    /// The record's key.
    pub record: RecordKey,
    /// The weaknesses that it carries, of all assigners.
    pub mapped: Vec<MappedCwe>,
    /// The weaknesses that the model lists, the best first.
    pub suggested: Vec<ScoredLabel<CweId>>,
    /// The family of the weakness, where the model answers with one in place of a weakness.
    pub family: Option<Family>,
    /// The verdict on the ids of all assigners together.
    pub verdict: Verdict,
    /// The verdict on the ids of each assigner, in the order of the record.
    pub by_assigner: Vec<(Arc<str>, Verdict)>,
    /// The reason for the verdict: CWE's own words about ids that are not to be mapped to.
    pub rationale: String,
    /// Entries that CWE suggests in place of such ids.
    pub suggestions: Vec<AdvisedCwe>,
}

impl Review {
    /// The review of a record that carries `mapped`; none of one that carries nothing. The answer needs the task
    /// [`Cwe`](vulnlens_model::Task::Cwe).
    #[must_use]
    pub fn of(answer: Answer, mapped: Vec<MappedCwe>, kb: &KnowledgeBase) -> Option<Self> {
        let Answer { record, prediction, .. } = answer;
        let (said, family) = (prediction.said, prediction.family);
        let suggested = prediction.cwe.map(|cwe| cwe.labels).unwrap_or_default();
        let judge = Judge { suggested: &suggested, said, kb };
        let ids: Vec<CweId> = mapped.iter().map(|mapped| mapped.cwe).collect();
        ids.first()?;
        let (verdict, rationale) = judge.judge(&ids);
        let mut suggestions = vec![];
        for id in ids.iter().filter(|id| Objection::to(**id, kb).is_some()) {
            let better = MappingAdvice::of(*id, kb).suggestions;
            suggestions.extend(
                better.into_iter().filter(|better| !ids.iter().any(|id| id.to_string() == better.cwe)),
            );
        }
        let by_assigner = assigners(&mapped).into_iter().map(|assigner| {
            let own: Vec<CweId> =
                mapped.iter().filter(|mapped| mapped.assigner == assigner).map(|mapped| mapped.cwe).collect();
            let (verdict, _) = judge.judge(&own);
            (assigner, verdict)
        });
        let by_assigner = by_assigner.collect();
        Some(Self { record, mapped, suggested, family, verdict, by_assigner, rationale, suggestions })
    }

    /// The suggestions that the model asserts.
    pub fn asserted(&self) -> impl Iterator<Item = &ScoredLabel<CweId>> {
        self.suggested.iter().filter(|scored| scored.predicted)
    }
}

/// The assigners, each once, in the order of the record.
fn assigners(mapped: &[MappedCwe]) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = vec![];
    for mapped in mapped {
        if !all.contains(&mapped.assigner) {
            all.push(Arc::clone(&mapped.assigner));
        }
    }
    all
}

/// The judge of mappings of one text.
struct Judge<'a> {
    suggested: &'a [ScoredLabel<CweId>],
    said: Option<Said>,
    kb: &'a KnowledgeBase,
}

impl Judge<'_> {
    /// The verdict on some mapped ids, and its reason.
    fn judge(&self, mapped: &[CweId]) -> (Verdict, String) {
        if let Some(objections) = self.objections(mapped) {
            return (Verdict::Discouraged, objections);
        }
        let asserted = || self.suggested.iter().filter(|scored| scored.predicted).map(|scored| scored.label);
        let first = self.suggested.first().filter(|_| may_tell(self.said)).map(|scored| scored.label);
        if let Some(id) = asserted().chain(first).find(|id| mapped.contains(id)) {
            return (Verdict::Agree, format!("{id} is mapped and suggested."));
        }
        if asserted().next().is_none() {
            let sentence = match self.said {
                Some(said) if said != Said::Weaknesses => said.sentence(),
                _ => "The model asserts no weakness.",
            };
            return (Verdict::Unsure, sentence.to_owned());
        }
        // Every pair, the suggestions first: the best one that is related gives the reason.
        let pairs = || asserted().flat_map(|id| mapped.iter().map(move |mapped| (id, *mapped)));
        let is_below = |low: CweId, high: CweId| self.kb.ancestors(low).contains(&high);
        if let Some((id, mapped)) = pairs().find(|(id, mapped)| is_below(*id, *mapped)) {
            return (Verdict::MoreSpecific, format!("{id} is below the mapped {mapped}."));
        }
        if let Some((id, mapped)) = pairs().find(|(id, mapped)| is_below(*mapped, *id)) {
            return (Verdict::LessSpecific, format!("{id} is above the mapped {mapped}."));
        }
        if let Some((id, mapped, above)) =
            pairs().find_map(|(id, mapped)| Some((id, mapped, self.common(id, mapped)?)))
        {
            return (Verdict::Sibling, format!("{id} and the mapped {mapped} are both below {above}."));
        }
        let others: Vec<String> = asserted().map(|id| id.to_string()).collect();
        (Verdict::Differs, format!("The text tells {}.", others.join(", ")))
    }

    /// The objections to ids, in CWE's own words where it has any.
    fn objections(&self, mapped: &[CweId]) -> Option<String> {
        let of = |id: &CweId| {
            let objection = Objection::to(*id, self.kb)?;
            let rationale = MappingAdvice::of(*id, self.kb).rationale;
            let words = if rationale.is_empty() { objection.sentence() } else { rationale.as_str() };
            Some(format!("{id} ({}): {words}", objection.name()))
        };
        let all: Vec<String> = mapped.iter().filter_map(of).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// The parent or the class that two weaknesses have in common.
    fn common(&self, one: CweId, other: CweId) -> Option<CweId> {
        let first = |a: &[CweId], b: &[CweId]| a.iter().find(|id| b.contains(id)).copied();
        let parent = first(self.kb.parents(one), self.kb.parents(other));
        parent.or_else(|| first(&self.kb.classes_of(one), &self.kb.classes_of(other)))
    }
}

/// True for a text that may tell its weakness, be it sure or not.
fn may_tell(said: Option<Said>) -> bool {
    matches!(said, None | Some(Said::Weaknesses | Said::Family | Said::Unsure))
}
