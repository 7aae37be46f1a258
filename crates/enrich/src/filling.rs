//! The labels of an answer that may be filled in.

use vulnlens::taxonomy::Versions;
use vulnlens::{CweId, KnowledgeBase, Prediction, Run, Said, ScoredLabel, Via};

use crate::json::Json;

/// The least score of a label that is filled in, unless another is asked for.
pub const MIN_SCORE: f32 = 0.9;

/// A label to be filled in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    /// The id as its catalogue writes it: `CWE-79`, `CAPEC-63`, `T1190`.
    pub(crate) id: String,
    /// The number of the id.
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) score: f32,
}

/// The labels to be filled into a finding: weaknesses, of which there is at least one, and what follows from them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filling {
    pub(crate) weaknesses: Vec<Label>,
    pub(crate) patterns: Vec<Label>,
    pub(crate) techniques: Vec<Label>,
}

/// The result of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Judgement {
    Fill(Filling),
    /// The weaknesses that are asserted are below the bound, or CWE discourages mapping to them.
    Left,
    /// No single weakness is asserted.
    Unsure,
    NoVulnerability,
    NoText,
}

impl Judgement {
    /// Judges a prediction: filled in are the weaknesses that it asserts, from the score `min_score` on, to which CWE
    /// lets vulnerabilities be mapped; and of patterns and techniques those that are asserted from that score on and are
    /// linked to one of these weaknesses itself, or that analysts assign.
    pub(crate) fn of(prediction: &Prediction, kb: &KnowledgeBase, min_score: f32) -> Self {
        match prediction.said {
            Some(Said::NotAVulnerability | Said::Withdrawn) => return Self::NoVulnerability,
            Some(Said::NoText) => return Self::NoText,
            _ => {}
        }
        let asserted: Vec<_> =
            prediction.cwe.iter().flat_map(|cwe| &cwe.labels).filter(|label| label.predicted).collect();
        if asserted.is_empty() {
            return Self::Unsure;
        }
        let is_fit = |label: &&&ScoredLabel<CweId>| {
            let permits = |weakness: &vulnlens::taxonomy::Weakness| weakness.usage.permits_mapping();
            label.score >= min_score && kb.weakness(label.label).is_some_and(permits)
        };
        let fit: Vec<_> = asserted.iter().filter(is_fit).collect();
        if fit.is_empty() {
            return Self::Left;
        }
        let is_direct = |via: Option<Via>| {
            via.is_some_and(|via| via.distance == 0 && fit.iter().any(|label| label.label == via.weakness))
        };
        let name = |name: Option<&str>| name.unwrap_or_default().to_owned();
        let weaknesses = fit.iter().map(|label| Label {
            id: label.label.to_string(),
            number: label.label.0,
            name: name(kb.name_of_cwe(label.label)),
            score: label.score,
        });
        let patterns = prediction.capec.iter().flat_map(|capec| &capec.labels);
        let patterns =
            patterns.filter(|label| label.predicted && label.score >= min_score && is_direct(label.via));
        let patterns = patterns.map(|label| Label {
            id: label.label.to_string(),
            number: label.label.0,
            name: name(kb.pattern(label.label).map(|pattern| pattern.name.as_str())),
            score: label.score,
        });
        let derived = prediction.attack.iter().flat_map(|attack| &attack.labels);
        let derived = derived.filter(|label| is_direct(label.via));
        let assigned = prediction.attack_curated.iter().flat_map(|attack| &attack.labels);
        let mut techniques: Vec<Label> = Vec::new();
        for label in assigned.chain(derived).filter(|label| label.predicted && label.score >= min_score) {
            let id = label.label.to_string();
            if techniques.iter().any(|known| known.id == id) {
                continue;
            }
            let name = name(kb.technique(label.label).map(|technique| technique.name.as_str()));
            techniques.push(Label { id, number: 0, name, score: label.score });
        }
        Self::Fill(Filling { weaknesses: weaknesses.collect(), patterns: patterns.collect(), techniques })
    }
}

impl Filling {
    /// All labels: weaknesses, patterns, techniques.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &Label> {
        self.weaknesses.iter().chain(&self.patterns).chain(&self.techniques)
    }
}

/// The origin of what is filled in, for those who read it later.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Origin {
    pub(crate) model: String,
    pub(crate) revision: String,
    pub(crate) versions: Versions,
}

impl Origin {
    pub(crate) fn of(run: Run) -> Self {
        Self { model: run.model, revision: run.model_revision, versions: run.versions }
    }

    /// The mark of a filling, for formats that have room for an object: its basis, the model, the releases and the score
    /// of each label.
    pub(crate) fn mark(&self, filling: &Filling) -> Json {
        let scores = filling.labels().map(|label| (label.id.clone(), Json::Score(label.score))).collect();
        let mut versions = vec![("cwe", Json::text(&*self.versions.cwe))];
        if !filling.patterns.is_empty() {
            versions.push(("capec", Json::text(&*self.versions.capec)));
        }
        if !filling.techniques.is_empty() {
            versions.push(("attack", Json::text(&*self.versions.attack)));
        }
        Json::Object(vec![
            ("basis", Json::text(BASIS)),
            ("model", Json::text(&*self.model)),
            ("model_revision", Json::text(&*self.revision)),
            ("taxonomies", Json::Object(versions)),
            ("scores", Json::Map(scores)),
        ])
    }
}

/// The basis of everything that is filled in.
pub(crate) const BASIS: &str = "predicted";

#[cfg(test)]
mod tests {
    use vulnlens::{CapecId, Labels};

    use super::*;

    fn prediction(cwes: &[(u32, f32, bool)]) -> Prediction {
        let labels =
            cwes.iter().map(|(cwe, score, predicted)| ScoredLabel::new(CweId(*cwe), *score, *predicted));
        let mut prediction = Prediction::default();
        prediction.cwe = Some(Labels::new(labels.collect(), 0.0));
        prediction
    }

    #[test]
    fn only_what_is_asserted_sure_and_allowed_is_filled_in() {
        let kb = vulnlens::embedded_knowledge_base();
        let judged = |cwes: &[_]| match Judgement::of(&prediction(cwes), &kb, MIN_SCORE) {
            Judgement::Fill(filling) => {
                filling.weaknesses.iter().map(|label| label.id.clone()).collect::<Vec<_>>().join(",")
            }
            other => format!("{other:?}"),
        };
        assert_eq!(judged(&[(79, 0.95, true), (89, 0.97, false), (78, 0.5, true)]), "CWE-79");
        assert_eq!(judged(&[(79, 0.89, true)]), "Left");
        assert_eq!(judged(&[(20, 0.99, true)]), "Left", "CWE discourages it");
        assert_eq!(judged(&[(1_000_000, 0.99, true)]), "Left", "nobody knows it");
        assert_eq!(judged(&[(79, 0.99, false)]), "Unsure");
        let mut other = prediction(&[(79, 0.99, true)]);
        other.said = Some(Said::NotAVulnerability);
        assert_eq!(Judgement::of(&other, &kb, MIN_SCORE), Judgement::NoVulnerability);
    }

    #[test]
    fn patterns_follow_from_the_weakness_itself() {
        let kb = vulnlens::embedded_knowledge_base();
        let mut answer = prediction(&[(79, 0.99, true)]);
        let pattern = |capec, weakness, distance| {
            let via = Via { weakness: CweId(weakness), ancestor: CweId(weakness), pattern: None, distance };
            let mut label = ScoredLabel::new(CapecId(capec), 0.95, true);
            label.via = Some(via);
            label
        };
        answer.capec =
            Some(Labels::new(vec![pattern(63, 79, 0), pattern(21, 79, 3), pattern(66, 89, 0)], 0.0));
        let Judgement::Fill(filling) = Judgement::of(&answer, &kb, MIN_SCORE) else { panic!("it is sure") };
        assert_eq!(filling.patterns.iter().map(|label| label.number).collect::<Vec<_>>(), [63]);
        assert!(!filling.patterns[0].name.is_empty());
    }
}
