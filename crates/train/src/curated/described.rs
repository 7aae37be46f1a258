//! Techniques that hardly a text has, by their descriptions.

use vulnlens_model::NgramModel;
use vulnlens_model::curated::{DescribedTechniques, SparseTexts};
use vulnlens_model::ngram::vocabulary::Entry;
use vulnlens_taxonomy::{Domain, KnowledgeBase, TechniqueId, plain_description};

use super::Descriptions;
use super::prepared::Prepared;
use super::thresholds::logistic;

/// The techniques of Enterprise in force that no head scores, with the features of their names and descriptions.
pub(super) struct Described {
    pub(super) techniques: Vec<TechniqueId>,
    pub(super) texts: SparseTexts,
}

impl Described {
    pub(super) fn new(
        descriptions: &Descriptions,
        space: &[TechniqueId],
        model: &NgramModel,
        kb: &KnowledgeBase,
    ) -> Self {
        let is_wanted = |id: TechniqueId| {
            let technique = kb.technique(id)?;
            let in_force =
                !technique.revoked && !technique.deprecated && technique.domain == Domain::Enterprise;
            (in_force && !id.is_sub_technique() && space.binary_search(&id).is_err())
                .then_some(&technique.name)
        };
        let wanted: Vec<(TechniqueId, Vec<Entry>)> = descriptions
            .iter()
            .filter_map(|(id, text)| {
                Some((*id, model.entries(&format!("{}. {}", is_wanted(*id)?, plain_description(text)))))
            })
            .collect();
        Self {
            techniques: wanted.iter().map(|(id, _)| *id).collect(),
            texts: SparseTexts::new(wanted.iter().map(|(_, entries)| entries.as_slice())),
        }
    }

    /// The similarity of each mapped text to each description, with whether the text has the technique.
    pub(super) fn compared(&self, prepared: &Prepared, mapped: &[usize]) -> Vec<Vec<(f64, bool)>> {
        let of_text = |at: &usize| {
            let truth = prepared.techniques(*at, None);
            let cosines = self.texts.cosines(&prepared.features[*at].text).into_iter();
            let techniques = self.techniques.iter().map(|id| truth.contains(id));
            cosines.map(f64::from).zip(techniques).collect()
        };
        mapped.iter().map(of_text).collect()
    }

    /// The description for a model's file.
    pub(super) fn outputs(&self, prepared: &Prepared, mapped: &[usize]) -> DescribedTechniques {
        if self.techniques.is_empty() {
            return DescribedTechniques::default();
        }
        let calibration = logistic(&self.compared(prepared, mapped).concat());
        DescribedTechniques { techniques: self.techniques.clone(), calibration }
    }
}
