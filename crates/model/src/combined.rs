//! Two models of CWE sets as one: the mean of their answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vulnlens_taxonomy::{CweId, Outcome, TechniqueId};

use crate::combination::Combination;
use crate::curated::{CuratedEvidence, CuratedHead};
use crate::decode::{DecisionRule, SpaceKind};
use crate::header::Header;
use crate::network::{Network, Origin};
use crate::ngram::vocabulary::Entry;
use crate::outputs::{CweSets, Outputs};
use crate::prediction::Input;
use crate::room::Room;
use crate::severity::SeverityHead;
use crate::softmax::{softmax, temper};

/// Two networks of CWE sets that answer as one.
pub struct Combined {
    name: String,
    revision: String,
    networks: [Arc<dyn Network>; 2],
    /// Divisors of the networks' own logits.
    temperatures: [f32; 2],
    combination: Combination,
    union: SetUnion,
    outputs: Outputs,
}

impl Combined {
    /// Two networks as one, known by the name and the revision of the first. `temperature` divides the combined logits;
    /// either network's own comes before. `None` if the outputs of one are not CWE sets.
    #[must_use]
    pub fn new(
        networks: [Arc<dyn Network>; 2],
        combination: Combination,
        temperature: f32,
        rules: BTreeMap<SpaceKind, DecisionRule>,
    ) -> Option<Self> {
        let [first, second] = [networks[0].outputs().cwe_sets()?, networks[1].outputs().cwe_sets()?];
        let temperatures = [first.temperature, second.temperature];
        let union = SetUnion::new([first, second].map(|outputs| (&*outputs.sets, &*outputs.outcomes)));
        let (sets, outcomes) = (union.sets().to_vec(), union.outcomes().to_vec());
        let catalogue_only = catalogue_only([first, second]);
        let outputs = Outputs::CweSets(CweSets { sets, outcomes, catalogue_only, temperature, rules });
        let (name, revision) = (networks[0].name().to_owned(), networks[0].revision().to_owned());
        Some(Self { name, revision, networks, temperatures, combination, union, outputs })
    }

    /// The two networks.
    #[must_use]
    pub fn networks(&self) -> &[Arc<dyn Network>; 2] {
        &self.networks
    }
}

impl Network for Combined {
    fn name(&self) -> &str {
        &self.name
    }

    fn revision(&self) -> &str {
        &self.revision
    }

    fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    fn header(&self) -> Option<&Header> {
        self.networks[0].header()
    }

    /// That of the second network, which is the one that others answer together with, or else of the first.
    fn curated(&self) -> Option<&CuratedHead> {
        let [first, second] = &self.networks;
        second.curated().or(first.curated())
    }

    /// Those of the network that knows features.
    fn entries(&self, text: &str) -> Vec<Entry> {
        let of = self.networks.iter().map(|network| network.entries(text));
        of.into_iter().find(|entries| !entries.is_empty()).unwrap_or_default()
    }

    fn curated_evidence(
        &self,
        input: &Input<'_>,
        cwes: &[f32],
        techniques: &[TechniqueId],
    ) -> Vec<CuratedEvidence> {
        let [first, second] = &self.networks;
        let with_head = if second.curated().is_some() { second } else { first };
        with_head.curated_evidence(input, cwes, techniques)
    }

    /// That of the second network, as of curated techniques.
    fn severity(&self) -> Option<&SeverityHead> {
        let [first, second] = &self.networks;
        second.severity().or(first.severity())
    }

    /// The rows of the first network or, where the second was fitted on others, of that one: a text is unseen by both
    /// only if it is in neither.
    fn origin(&self) -> Option<Origin<'_>> {
        let [first, second] = [self.networks[0].origin()?, self.networks[1].origin()?];
        Some(if first.split == second.split { first } else { Origin { split: second.split, ..first } })
    }

    fn reads_years(&self) -> bool {
        self.networks.iter().any(|network| network.reads_years())
    }

    fn texts_at_once(&self) -> usize {
        self.networks[0].texts_at_once()
    }

    fn computes_in_parallel(&self) -> bool {
        self.networks[0].computes_in_parallel()
    }

    fn is_cut(&self, input: &Input<'_>) -> bool {
        self.networks[0].is_cut(input)
    }

    fn score(&self, inputs: &[Input<'_>], room: &mut Room, scores: &mut Vec<f32>) {
        let widths = [0, 1].map(|network: usize| self.networks[network].outputs().len().max(1));
        let (mut first, mut second) = (Vec::new(), Vec::new());
        self.networks[0].score(inputs, room, &mut first);
        self.networks[1].score(inputs, room, &mut second);
        scores.clear();
        let rows = first.chunks_exact_mut(widths[0]).zip(second.chunks_exact_mut(widths[1]));
        for (own, other) in rows {
            // A quotient here and, in `temper`, a product by the inverse: combinations were fitted and published with
            // just this rounding, which the sixth digit of a score shows.
            own.iter_mut().for_each(|logit| *logit /= self.temperatures[0]);
            softmax(own);
            temper(other, self.temperatures[1]);
            scores.extend(self.combination.logits(&self.union.spread(0, own), &self.union.spread(1, other)));
        }
    }
}

/// The weaknesses that both models know from the catalogue alone, or one does and the other not at all; rising.
fn catalogue_only(models: [&CweSets; 2]) -> Vec<CweId> {
    let of_records = models.iter().flat_map(|model| {
        model.sets.iter().flatten().filter(|id| model.catalogue_only.binary_search(id).is_err())
    });
    let of_records: BTreeSet<&CweId> = of_records.collect();
    let of_catalogue: BTreeSet<&CweId> = models.iter().flat_map(|model| &model.catalogue_only).collect();
    of_catalogue.difference(&of_records).copied().copied().collect()
}

/// The least probability of a set, and that of a set that a model does not know.
const LEAST: f32 = 1e-7;

/// The CWE sets of two models: those of the first, those that only the second has, and behind them an empty one for each
/// outcome that either knows.
#[derive(Debug, Clone, PartialEq)]
pub struct SetUnion {
    sets: Vec<Vec<CweId>>,
    outcomes: Vec<Outcome>,
    /// The place of each of a model's sets among all.
    places: [Vec<usize>; 2],
}

impl SetUnion {
    /// The union of both models' sets, each given as in [`CweSets`]: with the outcomes that the last ones stand for.
    #[must_use]
    pub fn new(models: [(&[Vec<CweId>], &[Outcome]); 2]) -> Self {
        let mut number: BTreeMap<&[CweId], usize> = BTreeMap::new();
        let mut sets = vec![];
        let mut places = models.map(|(of_model, outcomes)| {
            let weaknesses = of_model.len().saturating_sub(outcomes.len());
            let mut places = Vec::with_capacity(of_model.len());
            for set in of_model.iter().take(weaknesses) {
                let place = *number.entry(set).or_insert_with(|| {
                    sets.push(set.clone());
                    sets.len() - 1
                });
                places.push(place);
            }
            places
        });
        let mut outcomes: Vec<Outcome> = models.iter().flat_map(|(_, outcomes)| *outcomes).copied().collect();
        outcomes.sort_unstable();
        outcomes.dedup();
        for ((_, of_model), places) in models.iter().zip(&mut places) {
            let place = |outcome: &Outcome| outcomes.iter().position(|known| known == outcome);
            places.extend(of_model.iter().filter_map(place).map(|place| sets.len() + place));
        }
        sets.extend(outcomes.iter().map(|_| vec![]));
        Self { sets, outcomes, places }
    }

    /// All sets.
    #[must_use]
    pub fn sets(&self) -> &[Vec<CweId>] {
        &self.sets
    }

    /// The outcomes that the last of the sets stand for.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The probabilities that a model (0 or 1) gives to its own sets, as probabilities of all sets.
    ///
    /// # Panics
    /// When there is no such model, or its sets are fewer than the probabilities.
    #[must_use]
    pub fn spread(&self, model: usize, own: &[f32]) -> Vec<f32> {
        let mut all = vec![LEAST; self.sets.len()];
        self.places[model].iter().zip(own).for_each(|(&place, p)| all[place] = p.max(LEAST));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(ids: &[u32]) -> Vec<Vec<CweId>> {
        ids.iter().map(|&id| vec![CweId(id)]).collect()
    }

    #[test]
    fn what_one_model_learnt_from_records_is_known_from_records() {
        let model = |of_records: &[u32], of_catalogue: &[u32]| CweSets {
            sets: sets(&[of_records, of_catalogue].concat()),
            outcomes: vec![],
            catalogue_only: of_catalogue.iter().map(|&id| CweId(id)).collect(),
            temperature: 1.0,
            rules: BTreeMap::new(),
        };
        // 79: both from records; 89: one from the catalogue; 20: both from the catalogue; 22: one, the other not at all.
        let (first, second) = (model(&[79], &[20, 89]), model(&[79, 89], &[20, 22]));
        assert_eq!(catalogue_only([&first, &second]), [CweId(20), CweId(22)]);
        assert_eq!(catalogue_only([&second, &first]), [CweId(20), CweId(22)]);
    }

    #[test]
    fn sets_are_matched_by_their_ids() {
        let union = SetUnion::new([(&sets(&[79, 89]), &[]), (&sets(&[89, 20]), &[])]);
        assert_eq!(union.sets(), sets(&[79, 89, 20]));
        assert_eq!(union.spread(0, &[0.75, 0.25]), [0.75, 0.25, LEAST]);
        assert_eq!(union.spread(1, &[0.5, 0.0]), [LEAST, 0.5, LEAST]);
    }
}
