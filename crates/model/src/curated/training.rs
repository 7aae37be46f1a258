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

/// The probabilities of weaknesses by a model, text by text, as heads read them.
pub(crate) struct CweReader<'m> {
    model: &'m NgramModel,
    places: Vec<Vec<u16>>,
    count: usize,
    room: Room,
    scores: Vec<f32>,
    found: Vec<f32>,
}

impl<'m> CweReader<'m> {
    /// A reader of the probabilities of `cwes`, which asks the heads that `room` says, too.
    pub(crate) fn new(model: &'m NgramModel, kb: &KnowledgeBase, cwes: &[CweId], room: Room) -> Self {
        let places = places_of(cwes, model.sets(), kb);
        Self { model, places, count: cwes.len(), room, scores: vec![], found: vec![] }
    }

    /// The probabilities for a text, and what the network left for its heads.
    pub(crate) fn read(&mut self, input: &Input<'_>) -> (&[f32], &Room) {
        self.model.score(std::slice::from_ref(input), &mut self.room, &mut self.scores);
        temper(&mut self.scores, self.model.temperature());
        cwe_probabilities(&self.places, &self.scores, self.count, &mut self.found);
        (&self.found, &self.room)
    }
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
    let mut reader = CweReader::new(model, kb, cwes, Room::default());
    let of_text = |input: &Input<'_>| {
        let text = model.entries(input.text);
        let (found, _) = reader.read(input);
        let has = |rows: &BTreeSet<u32>| text.iter().any(|entry| rows.contains(&entry.row));
        let holds: Vec<bool> = rows_of_rules.iter().map(has).collect();
        let mut dense = Vec::new();
        dense_features(&rule_cwes, &holds, found, year_read(input.year), &mut dense);
        CuratedFeatures { text, dense }
    };
    inputs.iter().map(of_text).collect()
}

/// The scores that the head of a model gives to texts, by technique, before they are calibrated; none without a head.
#[must_use]
pub fn scores(model: &NgramModel, kb: &KnowledgeBase, inputs: &[Input<'_>]) -> Vec<Vec<f32>> {
    let Some(head) = &model.curated else { return vec![] };
    let room = Room { asks_curated: true, ..Room::default() };
    let mut reader = CweReader::new(model, kb, &head.outputs().cwes, room);
    let mut scores = CuratedScores::default();
    let of_text = |input: &Input<'_>| {
        let (cwes, room) = reader.read(input);
        if let Some(text) = room.curated.first() {
            head.score(text, cwes, &mut scores);
        }
        scores.sums.iter().take(head.outputs().techniques.len()).copied().collect()
    };
    inputs.iter().map(of_text).collect()
}
