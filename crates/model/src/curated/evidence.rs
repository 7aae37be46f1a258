//! Evidence for curated techniques: what raised and lowered a score, and the mapped CVEs that are most like the text.
//!
//! The head is linear, so a score is the sum of what each word, rule and weakness adds to it.

use std::collections::HashMap;

use vulnlens_taxonomy::{CweId, TechniqueId};

use super::head::{CuratedHead, CuratedScores, CuratedText};
use super::mapped::MappedCve;
use super::method::rules;
use crate::evidence::{Occurrences, WordEvidence};
use crate::ngram::vocabulary::Entry;

/// Reasons of the score of a curated technique: what `words`, `rules`, `weaknesses`, `year` and `base` add to it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CuratedEvidence {
    /// The technique.
    pub technique: TechniqueId,
    /// Its score, before it becomes a probability: about 0 to 1.
    pub score: f32,
    /// The text's words in text order; those that the head does not read have the weight 0.
    pub words: Vec<WordEvidence>,
    /// The rules of the published method that hold of the text, the weightiest first.
    pub rules: Vec<RuleEvidence>,
    /// The weaknesses that the model finds, with what they add, the weightiest first.
    pub weaknesses: Vec<WeaknessEvidence>,
    /// The addition of the year.
    pub year: f32,
    /// The score before anything of the text is read.
    pub base: f32,
    /// The mapped CVEs with the technique whose texts are most similar, the most similar first.
    pub nearest: Vec<NearCve>,
}

/// A rule's part in a score.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleEvidence {
    /// The rule's name: `injection`.
    pub name: String,
    /// The degree to which it holds of the text, from 0 to 1.
    pub degree: f32,
    /// Its addition to the score.
    pub weight: f32,
    /// True if the method names the technique, or one below or above it, for the rule.
    pub is_named: bool,
}

/// A weakness's part in a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeaknessEvidence {
    /// The weakness.
    pub cwe: CweId,
    /// The probability of the weakness or one below it.
    pub probability: f32,
    /// Its addition to the score.
    pub weight: f32,
}

/// A mapped CVE with a text like the one that is explained.
#[derive(Debug, Clone, PartialEq)]
pub struct NearCve {
    /// The CVE, with the technique and those below it.
    pub mapped: MappedCve,
    /// The cosine of both texts' features.
    pub similarity: f32,
}

/// A text as evidence is found in it.
pub(crate) struct ReadText<'t> {
    pub(crate) entries: &'t [Entry],
    pub(crate) occurrences: &'t Occurrences<'t>,
    pub(crate) year: Option<u16>,
    /// The probabilities of the weaknesses that the head reads.
    pub(crate) cwes: &'t [f32],
}

impl CuratedHead {
    /// The reasons of the scores of some techniques; none for one that the head does not score.
    pub(crate) fn evidence(&self, read: &ReadText<'_>, techniques: &[TechniqueId]) -> Vec<CuratedEvidence> {
        let (mut text, mut scores) = (CuratedText::default(), CuratedScores::default());
        self.read(read.entries, read.year, &mut text);
        self.score(&text, read.cwes, &mut scores);
        let cosines = self.mapped().texts.cosines(read.entries);
        let of = |technique: &TechniqueId| self.of_technique(*technique, read, &text, &scores, &cosines);
        techniques.iter().filter_map(of).collect()
    }

    fn of_technique(
        &self,
        technique: TechniqueId,
        read: &ReadText<'_>,
        text: &CuratedText,
        scores: &CuratedScores,
        cosines: &[f32],
    ) -> Option<CuratedEvidence> {
        let output = self.outputs().techniques.binary_search(&technique).ok()?;
        let gains: HashMap<u32, f32> = self.word_gains(text, output).collect();
        let weight = self.dense_weights(scores, output);
        let dense = scores.dense();
        let rules = rules();
        let (of_rules, others) = dense.split_at_checked(rules.len())?;
        let (of_cwes, of_years) = others.split_at_checked(self.outputs().cwes.len())?;
        let is_named = |named: &TechniqueId| {
            *named == technique || named.parent() == technique || technique.parent() == *named
        };
        let mut rule_evidence: Vec<RuleEvidence> = rules
            .iter()
            .zip(of_rules)
            .enumerate()
            .filter(|(_, (_, degree))| **degree > 0.0)
            .map(|(place, (rule, degree))| RuleEvidence {
                name: rule.name.clone(),
                degree: *degree,
                weight: degree * weight(place),
                is_named: rule.techniques.iter().any(|(id, _)| is_named(id)),
            })
            .collect();
        rule_evidence.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        let cwes = self.outputs().cwes.iter().zip(read.cwes).zip(of_cwes).enumerate();
        let mut weaknesses: Vec<WeaknessEvidence> = cwes
            .filter(|(_, (_, feature))| **feature > 0.0)
            .map(|(place, ((cwe, probability), feature))| WeaknessEvidence {
                cwe: *cwe,
                probability: *probability,
                weight: feature * weight(rules.len() + place),
            })
            .collect();
        weaknesses.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        let first = rules.len() + of_cwes.len();
        let year = of_years.iter().enumerate().map(|(place, feature)| feature * weight(first + place)).sum();
        let near = |(place, similarity): (usize, f32)| {
            let mut mapped = self.mapped().cves.get(place)?.clone();
            mapped.pairs.retain(|pair| pair.is_of(technique));
            Some(NearCve { mapped, similarity })
        };
        Some(CuratedEvidence {
            technique,
            score: scores.sum(output),
            words: read.occurrences.words(|row| gains.get(&row).copied().unwrap_or(0.0)),
            rules: rule_evidence,
            weaknesses,
            year,
            base: self.base(scores, output),
            nearest: self.mapped().nearest(cosines, technique).into_iter().filter_map(near).collect(),
        })
    }
}
