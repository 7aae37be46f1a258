//! Decoding of distributions over CWE sets, by label spaces and decision rules.

use std::fmt::Display;
use std::sync::{Arc, OnceLock};

use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, Outcome, TechniqueId};

use super::families::Families;
use super::links::{LinkedLabels, Links};
use super::listing::Listing;
use super::marginals::{LANES, Sums, put_beside};
use super::rules::DecisionRule;
use super::spaces::{LabelSpace, SpaceKind};
use super::{Beside, DecodeBuffers, ListBuffers};
use crate::outputs::CweSets;
use crate::prediction::{Basis, LabelMode, Labels, Options, Prediction, ScoredLabel};
use crate::said::Said;
use crate::softmax::temper;
use crate::task::Task;

/// The label spaces and rules of some options over a network's CWE sets.
pub(crate) struct SetDecoder {
    outputs: CweSets,
    kb: Arc<KnowledgeBase>,
    cwe: Option<Space<CweId>>,
    capec: Option<Space<CapecId>>,
    attack: Option<Space<TechniqueId>>,
    /// The parts of answers besides label spaces; none in the reference's, each of which stands by itself.
    answers: Option<Answers>,
}

/// A label space with its decision rule.
struct Space<L> {
    labels: LabelSpace<L>,
    rule: DecisionRule,
}

/// Parts of answers, each made ready when it is first needed: few runs need all of them.
struct Answers {
    /// The weaknesses that chains begin at, rising, and their links.
    beginnings: Vec<CweId>,
    links: Vec<OnceLock<Links>>,
    families: OnceLock<Families>,
}

impl Answers {
    fn new(kb: &KnowledgeBase, sets: &[Vec<CweId>]) -> Self {
        let assigned = sets.iter().flatten();
        let mut beginnings: Vec<CweId> =
            assigned.flat_map(|id| kb.ancestors(*id).iter().chain([id])).copied().collect();
        beginnings.sort_unstable();
        beginnings.dedup();
        let links = beginnings.iter().map(|_| OnceLock::new()).collect();
        Self { beginnings, links, families: OnceLock::new() }
    }
}

/// Probability from which on an outcome that is not a weakness rules all of them out: it is more probable than all else.
const OUTCOME: f32 = 0.5;
/// The factor by which the best weakness must be more probable than "not a vulnerability" to be answered: texts about
/// programs seldom have one that is, records of a year hardly ever lose one by it.
const CLEARLY: f32 = 3.0;
/// Probability from which on it is said that a text does not describe a vulnerability. To be wrong here is worse than to
/// be unsure.
const NO_VULNERABILITY: f32 = 0.75;
/// Weaknesses that are not answered, the first of which that leads to a label is where its way begins.
const CANDIDATES: usize = 3;

impl SetDecoder {
    pub(crate) fn new(outputs: &CweSets, kb: &Arc<KnowledgeBase>, options: &Options) -> Self {
        let (cwe, capec, attack) = kinds(options.labels);
        let (sets, asked) = (&outputs.sets, |task| options.tasks.contains(task));
        let rule = |kind| outputs.rule(kind);
        let answers = (options.labels != LabelMode::Reference).then(|| Answers::new(kb, sets));
        // What is derived depends on the weaknesses that are answered, whether they are asked for or not.
        let needs_cwe = asked(Task::Cwe) || answers.is_some();
        Self {
            cwe: needs_cwe.then(|| Space { labels: LabelSpace::cwe(cwe, kb, sets), rule: rule(cwe) }),
            capec: asked(Task::Capec)
                .then(|| Space { labels: LabelSpace::capec(capec, kb, sets), rule: rule(capec) }),
            attack: asked(Task::Attack)
                .then(|| Space { labels: LabelSpace::attack(attack, kb, sets), rule: rule(attack) }),
            answers,
            outputs: outputs.clone(),
            kb: Arc::clone(kb),
        }
    }

    /// The predictions for some rows of logits, which become probabilities; one for each of `refusals`, which are the
    /// reasons not to answer.
    pub(crate) fn decode(
        &self,
        logits: &mut [f32],
        refusals: &[Option<Said>],
        options: &Options,
        buffers: &mut DecodeBuffers,
        predictions: &mut Vec<Prediction>,
    ) {
        let width = self.outputs.sets.len().max(1);
        for (rows, refusals) in logits.chunks_mut(LANES * width).zip(refusals.chunks(LANES)) {
            rows.chunks_exact_mut(width).for_each(|row| temper(row, self.outputs.temperature));
            self.add_up(rows, &mut buffers.beside);
            for ((lane, row), refusal) in rows.chunks_exact(width).enumerate().zip(refusals) {
                predictions.push(self.decode_lane(lane, row, *refusal, options, buffers));
            }
        }
    }

    /// Adds up the probabilities of some texts in all spaces that every answer needs.
    fn add_up(&self, rows: &[f32], beside: &mut Beside) {
        let Beside { probabilities, cwe, capec, attack, has_families, .. } = beside;
        put_beside(rows, self.outputs.sets.len(), self.answers.is_none(), probabilities);
        self.cwe.iter().for_each(|space| space.labels.lists().add_up(probabilities, cwe));
        self.capec.iter().for_each(|space| space.labels.lists().add_up(probabilities, capec));
        self.attack.iter().for_each(|space| space.labels.lists().add_up(probabilities, attack));
        *has_families = false;
    }

    /// The prediction for the text in a lane.
    fn decode_lane(
        &self,
        lane: usize,
        probabilities: &[f32],
        refusal: Option<Said>,
        options: &Options,
        buffers: &mut DecodeBuffers,
    ) -> Prediction {
        match (&self.answers, &self.cwe, refusal) {
            (Some(_), Some(_), Some(said)) => self.refuse(said, options),
            (Some(answers), Some(cwe), None) => {
                self.answer(answers, cwe, (lane, probabilities), options, buffers)
            }
            _ => {
                let DecodeBuffers { beside, lists } = buffers;
                let Beside { cwe, capec, attack, .. } = &*beside;
                Prediction {
                    cwe: self.cwe.as_ref().map(|space| space.list(lane, cwe, options, lists)),
                    capec: self.capec.as_ref().map(|space| space.list(lane, capec, options, lists)),
                    attack: self.attack.as_ref().map(|space| space.list(lane, attack, options, lists)),
                    ..Prediction::default()
                }
            }
        }
    }

    /// The prediction for a text that is not classified: nothing is listed.
    fn refuse(&self, said: Said, options: &Options) -> Prediction {
        Prediction {
            cwe: options.tasks.contains(Task::Cwe).then(|| Labels::new(vec![], 1.0)),
            capec: self.capec.as_ref().map(|_| Labels::new(vec![], 1.0)),
            attack: self.attack.as_ref().map(|_| Labels::new(vec![], 1.0)),
            said: Some(said),
            ..Prediction::default()
        }
    }

    fn answer(
        &self,
        answers: &Answers,
        cwe: &Space<CweId>,
        (lane, probabilities): (usize, &[f32]),
        options: &Options,
        buffers: &mut DecodeBuffers,
    ) -> Prediction {
        let DecodeBuffers { beside, lists } = buffers;
        let outcomes = self.outcomes(probabilities);
        let outcome =
            outcomes.iter().find(|(_, probability)| *probability >= OUTCOME).map(|(outcome, _)| *outcome);
        let marginals = beside.cwe.of_lane(lane, cwe.labels.lists(), &mut lists.marginals);
        let answered_labels = &mut lists.answered;
        cwe.rule.answer(&marginals, answered_labels);
        let no_vulnerability = probability_of(&outcomes, Outcome::NotAVulnerability);
        let is_clear = |probability: f32| outcome.is_none() && probability > CLEARLY * no_vulnerability;
        let answered = marginals.labels.iter().zip(answered_labels.iter()).filter(|(_, answered)| **answered);
        if !is_clear(answered.map(|(score, _)| *score).fold(0.0, f32::max)) {
            answered_labels.fill(false);
        }
        let ids = &cwe.labels.labels;
        let listing =
            Listing { labels: ids, scores: marginals.labels, answered: answered_labels, ranks: None };
        let mut listed = listing.list(options, &mut lists.order);
        let taught = &self.outputs.catalogue_only;
        let of_catalogue = |scored: &&mut ScoredLabel<CweId>| taught.binary_search(&scored.label).is_ok();
        listed.iter_mut().filter(of_catalogue).for_each(|scored| scored.basis = Some(Basis::Catalogue));
        let answered = ids.iter().zip(answered_labels.iter()).filter(|(_, answered)| **answered);
        let answered: Vec<CweId> = answered.map(|(id, _)| *id).collect();
        let none = marginals.none;
        let family = answered.is_empty().then(|| {
            let families = answers.families.get_or_init(|| Families::new(&self.kb, &self.outputs.sets));
            let Beside { probabilities, families: sums, has_families, .. } = &mut *beside;
            if !std::mem::replace(has_families, true) {
                families.add_up(probabilities, sums);
            }
            families.family(sums, lane, (ids.as_slice(), marginals.labels), &self.kb)
        });
        let family = family.flatten().filter(|family| is_clear(family.score));
        let said = match outcome {
            Some(Outcome::NotAVulnerability) if is_no_vulnerability(&outcomes) => Said::NotAVulnerability,
            Some(Outcome::NotAVulnerability) => Said::Unsure,
            Some(Outcome::NotTold) => Said::NotTold,
            None if !answered.is_empty() => Said::Weaknesses,
            None if family.is_some() => Said::Family,
            None => Said::Unsure,
        };
        let support = match &family {
            // Nothing follows from a text without a vulnerability.
            None if said == Said::NotAVulnerability => Support::Family(None),
            Some(family) => Support::Family(self.links(answers, family.label)),
            None if answered.is_empty() => {
                let first = listed.iter().take(CANDIDATES).map(|scored| scored.label);
                Support::Candidates(first.filter_map(|id| self.links(answers, id)).collect())
            }
            None => Support::Answered(answered.iter().filter_map(|&id| self.links(answers, id)).collect()),
        };
        Prediction {
            cwe: options.tasks.contains(Task::Cwe).then(|| Labels::new(listed, none)),
            capec: self.capec.as_ref().map(|space| {
                space.derived((lane, &beside.capec), &support, |links| &links.capec, options, lists)
            }),
            attack: self.attack.as_ref().map(|space| {
                space.derived((lane, &beside.attack), &support, |links| &links.attack, options, lists)
            }),
            said: Some(said),
            family,
            outcomes,
            ..Prediction::default()
        }
    }

    /// The probabilities of the outcomes that are not weaknesses.
    fn outcomes(&self, probabilities: &[f32]) -> Vec<(Outcome, f32)> {
        let first = self.outputs.weaknesses().len();
        let own = probabilities.get(first..).unwrap_or_default();
        self.outputs.outcomes.iter().copied().zip(own.iter().copied()).collect()
    }

    fn links<'a>(&'a self, answers: &'a Answers, id: CweId) -> Option<&'a Links> {
        fn labels<L>(space: &Option<Space<L>>) -> &[L] {
            space.as_ref().map_or(&[], |space| &space.labels.labels)
        }
        let place = answers.beginnings.binary_search(&id).ok()?;
        let links = || Links::of(id, &self.kb, labels(&self.capec), labels(&self.attack));
        answers.links.get(place).map(|cell| cell.get_or_init(links))
    }
}

/// The weaknesses that derived labels follow from.
enum Support<'a> {
    /// Those that are answered: what they are nearest to is answered, too.
    Answered(Vec<&'a Links>),
    /// The family's ancestor alone, from which nothing follows for sure.
    Family(Option<&'a Links>),
    /// The first that are listed, from which nothing follows for sure.
    Candidates(Vec<&'a Links>),
}

fn is_no_vulnerability(outcomes: &[(Outcome, f32)]) -> bool {
    probability_of(outcomes, Outcome::NotAVulnerability) >= NO_VULNERABILITY
}

/// The probability of an outcome; 0 where the model does not know it.
fn probability_of(outcomes: &[(Outcome, f32)], wanted: Outcome) -> f32 {
    outcomes.iter().find(|(outcome, _)| *outcome == wanted).map_or(0.0, |(_, probability)| *probability)
}

/// The label spaces of a mode.
fn kinds(mode: LabelMode) -> (SpaceKind, SpaceKind, SpaceKind) {
    use SpaceKind::{
        AssignedCwe, RecommendedAttack, RecommendedCapec, RecommendedCwe, ReferenceAttack, ReferenceCapec,
        ReferenceCwe,
    };
    match mode {
        LabelMode::Recommended => (RecommendedCwe, RecommendedCapec, RecommendedAttack),
        LabelMode::Reference => (ReferenceCwe, ReferenceCapec, ReferenceAttack),
        LabelMode::Assigned => (AssignedCwe, RecommendedCapec, RecommendedAttack),
    }
}

impl<L: Ord + Copy + Display> Space<L> {
    fn list(
        &self,
        lane: usize,
        sums: &Sums<LANES>,
        options: &Options,
        buffers: &mut ListBuffers,
    ) -> Labels<L> {
        let ListBuffers { marginals, answered, order, .. } = buffers;
        let marginals = sums.of_lane(lane, self.labels.lists(), marginals);
        self.rule.answer(&marginals, answered);
        let listing =
            Listing { labels: &self.labels.labels, scores: marginals.labels, answered, ranks: None };
        Labels::new(listing.list(options, order), marginals.none)
    }

    /// The list of labels that follow from weaknesses: the nearest to those that are answered first.
    fn derived(
        &self,
        (lane, sums): (usize, &Sums<LANES>),
        support: &Support<'_>,
        of: impl Fn(&Links) -> &LinkedLabels,
        options: &Options,
        buffers: &mut ListBuffers,
    ) -> Labels<L> {
        let ListBuffers { marginals, answered, order, label_scores, ranks, .. } = buffers;
        let marginals = sums.of_lane(lane, self.labels.lists(), marginals);
        let (width, none) = (marginals.labels.len(), marginals.none);
        answered.clear();
        answered.resize(width, false);
        ranks.clear();
        ranks.resize(width, u8::MAX);
        let mut scores = marginals.labels;
        match support {
            Support::Answered(links) => {
                for linked in links.iter().map(|links| of(links)) {
                    let nearest = linked.nearest();
                    for (label, via) in linked.iter() {
                        let at = label as usize;
                        ranks[at] = ranks[at].min(via.distance);
                        answered[at] |= nearest == Some(via.distance);
                    }
                }
            }
            Support::Family(links) => {
                // Nothing is said of what only some members lead to.
                label_scores.clear();
                label_scores.resize(width, f32::NAN);
                for (label, via) in links.iter().flat_map(|links| of(links).iter()) {
                    let at = label as usize;
                    label_scores[at] = marginals.labels[at];
                    ranks[at] = via.distance;
                }
                scores = label_scores;
            }
            Support::Candidates(_) => {}
        }
        let listing = Listing { labels: &self.labels.labels, scores, answered, ranks: Some(ranks) };
        let mut labels = listing.list(options, order);
        let via = |label: u32| match support {
            Support::Answered(links) | Support::Candidates(links) => {
                let ways = links.iter().filter_map(|links| of(links).via(label));
                // Of equally short ways the first.
                ways.min_by_key(|via| via.distance)
            }
            Support::Family(links) => links.and_then(|links| of(links).via(label)),
        };
        for (scored, label) in labels.iter_mut().zip(order.iter()) {
            scored.via = via(*label);
        }
        Labels::new(labels, none)
    }
}
