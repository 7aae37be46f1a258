//! Features and scores of texts, for training a head.

use std::collections::BTreeSet;

use vulnlens_taxonomy::{CweId, KnowledgeBase};

use super::head::{CuratedScores, cwe_probabilities, dense_features, year_read};
use super::method::{Rule, rules};
use super::outputs::places_of;
use crate::network::Network;
use crate::ngram::NgramModel;
use crate::ngram::vocabulary::Entry;
use crate::prediction::Input;
use crate::room::Room;
use crate::softmax::temper;

/// The features of a text as the head reads them, for training.
#[derive(Debug, Clone, PartialEq)]
pub struct CuratedFeatures {
    /// The known features of the text: rows of the vocabulary and values of norm 1.
    pub text: Vec<Entry>,
    /// The dense features: rules, weaknesses, years.
    pub dense: Vec<f32>,
}

/// Reads the features of texts as a head with these `cwes` does, by the model's answers to them.
#[must_use]
pub fn features(
    model: &NgramModel,
    kb: &KnowledgeBase,
    cwes: &[CweId],
    inputs: &[Input<'_>],
) -> Vec<CuratedFeatures> {
    let rules = rules();
    let place = |id: &CweId| cwes.binary_search(id).ok();
    let rule_cwes: Vec<Vec<usize>> =
        rules.iter().map(|rule| rule.cwes.iter().filter_map(place).collect()).collect();
    let keys = |rule: &Rule| {
        let rows = rule.keys().into_iter().filter_map(|key| model.vocabulary().row(key));
        rows.collect::<BTreeSet<u32>>()
    };
    let rows_of_rules: Vec<BTreeSet<u32>> = rules.iter().map(keys).collect();
    let places = places_of(cwes, model.sets(), kb);
    let (mut room, mut scores, mut found) = (Room::default(), Vec::new(), Vec::new());
    let of_text = |input: &Input<'_>| {
        let text = model.entries(input.text);
        model.score(std::slice::from_ref(input), &mut room, &mut scores);
        temper(&mut scores, model.temperature());
        cwe_probabilities(&places, &scores, cwes.len(), &mut found);
        let has = |rows: &BTreeSet<u32>| text.iter().any(|entry| rows.contains(&entry.row));
        let holds: Vec<bool> = rows_of_rules.iter().map(has).collect();
        let mut dense = Vec::new();
        dense_features(&rule_cwes, &holds, &found, year_read(input.year), &mut dense);
        CuratedFeatures { text, dense }
    };
    inputs.iter().map(of_text).collect()
}

/// The scores that the head of a model gives to texts, by technique, before they are calibrated; none without a head.
#[must_use]
pub fn scores(model: &NgramModel, kb: &KnowledgeBase, inputs: &[Input<'_>]) -> Vec<Vec<f32>> {
    let Some(head) = &model.curated else { return vec![] };
    let places = head.outputs().places(model.sets(), kb);
    let mut room = Room { asks_curated: true, ..Room::default() };
    let (mut probabilities, mut cwes, mut scores) = (Vec::new(), Vec::new(), CuratedScores::default());
    let of_text = |input: &Input<'_>| {
        model.score(std::slice::from_ref(input), &mut room, &mut probabilities);
        temper(&mut probabilities, model.temperature());
        cwe_probabilities(&places, &probabilities, head.outputs().cwes.len(), &mut cwes);
        if let Some(text) = room.curated.first() {
            head.score(text, &cwes, &mut scores);
        }
        scores.sums.iter().take(head.outputs().techniques.len()).copied().collect()
    };
    inputs.iter().map(of_text).collect()
}
