//! Answers that were written as record output, judged as a system: what a file says, whoever answered.
//!
//! Answers are lists and not distributions. A label that is not listed has the score 0; a weakness stands for its
//! ancestors, and leads to patterns and techniques by the chain where the answer has no list of these itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vulnlens_metrics::RowView;
use vulnlens_model::decode::SpaceKind;
use vulnlens_model::{Basis, Labels, Prediction, Run, ScoredLabel};
use vulnlens_report::{GeneratedStatus, SavedAnswers, SavedError};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use crate::cwe_answers::{CweAnswer, LISTED};
use crate::error::EvaluationError;
use crate::evaluate::PUBLISHED_TASKS;
use crate::example::Example;
use crate::system::{System, Tally};
use crate::task_labels::TaskLabels;

/// Answers of a file of record output, by the ids of their records.
#[derive(Debug, Clone, Default)]
pub struct WrittenAnswers {
    answers: BTreeMap<String, Prediction>,
    run: Option<Arc<Run>>,
    /// True if a text-generation model gave a label: scores are not probabilities then.
    pub(crate) is_generated: bool,
}

impl WrittenAnswers {
    /// Reads answers; of several with one id the last counts, and those of a text-generation model that failed are none.
    ///
    /// # Errors
    /// The first answer that cannot be read.
    pub fn read(saved: SavedAnswers) -> Result<Self, SavedError> {
        let mut answers = Self::default();
        for saved in saved {
            let saved = saved?;
            let answer = saved.answer;
            answers.is_generated |= answer.generated.is_some() || has_generated(&answer.prediction);
            answers.run = Some(saved.run);
            let Some(id) = answer.record.id else { continue };
            let has_failed = answer.generated.as_ref().is_some_and(|generated| {
                generated.status == GeneratedStatus::Failed && generated.changed.is_none()
            });
            if has_failed {
                answers.answers.remove(&id);
            } else {
                answers.answers.insert(id, answer.prediction);
            }
        }
        Ok(answers)
    }

    /// True if the record with this id is answered.
    #[must_use]
    pub fn answers(&self, id: &str) -> bool {
        self.answers.contains_key(id)
    }

    /// The revision of the model, as the last answer has it.
    pub(crate) fn revision(&self) -> Option<&str> {
        self.run.as_ref().map(|run| run.model_revision.as_str())
    }
}

fn has_generated(prediction: &Prediction) -> bool {
    fn any<L>(labels: &Option<Labels<L>>) -> bool {
        labels.iter().flat_map(|list| &list.labels).any(|scored| scored.basis == Some(Basis::Generated))
    }
    any(&prediction.cwe) || any(&prediction.capec) || any(&prediction.attack)
}

/// Written answers as a system.
pub(crate) struct WrittenSystem<'a> {
    answers: &'a WrittenAnswers,
    kb: &'a KnowledgeBase,
    tasks: Vec<TaskLabels>,
    has_cwe: bool,
}

impl<'a> WrittenSystem<'a> {
    /// The system of some answers. Its labels are those of the sets, and all that are answered.
    ///
    /// # Errors
    /// The answers have no list of weaknesses, patterns or techniques.
    pub(crate) fn new(
        name: &str,
        answers: &'a WrittenAnswers,
        sets: &BTreeSet<&[CweId]>,
        kb: &'a KnowledgeBase,
    ) -> Result<Self, EvaluationError> {
        let predictions = || answers.answers.values();
        let has_cwe = predictions().any(|prediction| prediction.cwe.is_some());
        let has_capec = has_cwe || predictions().any(|prediction| prediction.capec.is_some());
        let has_attack = has_cwe || predictions().any(|prediction| prediction.attack.is_some());
        let has = |kind: &SpaceKind| match kind {
            SpaceKind::ReferenceCapec => has_capec,
            SpaceKind::ReferenceAttack => has_attack,
            _ => has_cwe,
        };
        let task = |kind: SpaceKind| {
            let answered = || predictions().map(|prediction| Lists::of(prediction, kb));
            match kind {
                SpaceKind::ReferenceCapec => TaskLabels::of_capec(
                    sets.iter().map(|set| kind.capec_labels(kb, set)),
                    answered().flat_map(|lists| lists.capec.into_keys()),
                ),
                SpaceKind::ReferenceAttack => TaskLabels::of_attack(
                    sets.iter().map(|set| kind.attack_labels(kb, set)),
                    answered().flat_map(|lists| lists.attack.into_keys()),
                ),
                _ => TaskLabels::of_cwe(
                    kind,
                    sets.iter().map(|set| kind.cwe_labels(kb, set)),
                    answered()
                        .flat_map(|lists| lists.cwe.into_keys())
                        .filter(|id| kind != SpaceKind::ReferenceWeaknesses || kb.is_weakness(*id)),
                ),
            }
        };
        let tasks: Vec<TaskLabels> = PUBLISHED_TASKS.into_iter().filter(has).map(task).collect();
        if tasks.is_empty() {
            return Err(EvaluationError::NoKnownLabels { name: name.to_owned() });
        }
        Ok(Self { answers, kb, tasks, has_cwe })
    }
}

/// The score of a label that is listed or follows, and whether it is answered.
type Said = (f32, bool);

/// All labels of an answer, with those that follow.
#[derive(Default)]
struct Lists {
    cwe: BTreeMap<CweId, Said>,
    capec: BTreeMap<CapecId, Said>,
    attack: BTreeMap<TechniqueId, Said>,
}

impl Lists {
    fn of(prediction: &Prediction, kb: &KnowledgeBase) -> Self {
        let mut lists = Self::default();
        for (id, said) in ranked(prediction.cwe.as_ref()) {
            add(&mut lists.cwe, id, said);
            kb.ancestors(id).iter().for_each(|ancestor| add(&mut lists.cwe, *ancestor, said));
            if prediction.capec.is_none() || prediction.attack.is_none() {
                let chain = kb.chain(&[id]);
                if prediction.capec.is_none() {
                    chain.capec.into_iter().for_each(|pattern| add(&mut lists.capec, pattern, said));
                }
                if prediction.attack.is_none() {
                    chain
                        .techniques
                        .into_iter()
                        .for_each(|technique| add(&mut lists.attack, technique, said));
                }
            }
        }
        ranked(prediction.capec.as_ref()).for_each(|(id, said)| add(&mut lists.capec, id, said));
        ranked(prediction.attack.as_ref()).for_each(|(id, said)| add(&mut lists.attack, id, said));
        lists
    }
}

/// Adds a label; of several ways to it the best counts.
fn add<L: Ord>(list: &mut BTreeMap<L, Said>, id: L, (score, is_answered): Said) {
    let said = list.entry(id).or_insert((score, is_answered));
    *said = (said.0.max(score), said.1 || is_answered);
}

/// The labels of a list with scores that fall strictly: the order of the list counts, which need not be that of the
/// scores where a text-generation model chose.
fn ranked<L: Copy>(labels: Option<&Labels<L>>) -> impl Iterator<Item = (L, Said)> {
    let labels = labels.map_or(&[][..], |labels| &labels.labels);
    let mut ranked: Vec<(L, Said)> = Vec::with_capacity(labels.len());
    let mut below = 0.0_f32;
    for scored in labels.iter().rev() {
        let score = if scored.score > below { scored.score } else { below.next_up() };
        below = score;
        ranked.push((scored.label, (score, scored.predicted)));
    }
    ranked.into_iter().rev()
}

/// Room of a block of rows.
#[derive(Default)]
pub(crate) struct WrittenRoom {
    scores: Vec<f32>,
    predicted: Vec<u32>,
}

impl System for WrittenSystem<'_> {
    type Room = WrittenRoom;

    fn tasks(&self) -> &[TaskLabels] {
        &self.tasks
    }

    fn answer(
        &self,
        _: usize,
        rows: &[&Example],
        room: &mut WrittenRoom,
        tally: &mut Tally<'_>,
    ) -> Result<(), EvaluationError> {
        let none = Prediction::default();
        for example in rows {
            let prediction = self.answers.answers.get(&example.name).unwrap_or(&none);
            let lists = Lists::of(prediction, self.kb);
            for (number, task) in self.tasks.iter().enumerate() {
                let Some(gold) = tally.gold(number, example) else { continue };
                room.read(task, &lists);
                let (scores, predicted) = (&room.scores[..], &room.predicted[..]);
                tally.add(number, RowView { scores, gold: &gold.known, predicted })?;
            }
            if self.has_cwe {
                let labels = prediction.cwe.as_ref().map_or(&[][..], |cwe| &cwe.labels);
                tally.add_cwe(example, cwe_answer(labels, &mut vec![], &mut vec![]));
            }
        }
        Ok(())
    }
}

/// The CWE answer of a list, in the order of the list.
fn cwe_answer<'r>(
    labels: &[ScoredLabel<CweId>],
    listed: &'r mut Vec<(CweId, f32)>,
    predicted: &'r mut Vec<CweId>,
) -> CweAnswer<'r> {
    listed.extend(labels.iter().take(LISTED).map(|scored| (scored.label, scored.score)));
    predicted.extend(labels.iter().filter(|scored| scored.predicted).map(|scored| scored.label));
    CweAnswer { listed, predicted, ladder: None }
}

impl WrittenRoom {
    /// Reads scores and answers of the task's labels.
    fn read(&mut self, task: &TaskLabels, lists: &Lists) {
        self.scores.clear();
        self.scores.resize(task.lists().label_count(), 0.0);
        self.predicted.clear();
        match task.kind {
            SpaceKind::ReferenceCapec => self.fill(&lists.capec, |id| task.place_of_capec(id)),
            SpaceKind::ReferenceAttack => self.fill(&lists.attack, |id| task.place_of_technique(id)),
            _ => self.fill(&lists.cwe, |id| task.place_of_cwe(id)),
        }
        self.predicted.sort_unstable();
    }

    fn fill<L: Copy>(&mut self, list: &BTreeMap<L, Said>, place: impl Fn(L) -> Option<usize>) {
        for (id, &(score, is_answered)) in list {
            let Some(place) = place(*id) else { continue };
            self.scores[place] = score;
            if is_answered {
                self.predicted.push(place as u32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use vulnlens_corpus::Part;
    use vulnlens_taxonomy::CveId;

    use super::*;
    use crate::evaluate::judge;

    fn line(id: &str, cwe: &str, more: &str) -> String {
        format!(
            "{{\"schema_version\":1,\"id\":{id:?},\"model\":\"tiny\",\"model_revision\":\"0123456789ab\",\"taxonomies\":\
             {{\"cwe\":\"4.18\",\"capec\":\"3.9\",\"attack\":\"18.1\"}},\"cwe\":[{cwe}],\"capec\":[],\"attack\":[],\
             \"attack_curated\":[],\"none\":{{\"cwe\":0}}{more}}}\n"
        )
    }

    fn read(lines: String, kb: &KnowledgeBase) -> WrittenAnswers {
        let saved = SavedAnswers::stream("answers", std::io::Cursor::new(lines.into_bytes()), kb);
        WrittenAnswers::read(saved).unwrap()
    }

    fn example(number: u32, cwe: u32) -> Example {
        Example::record(CveId::new(2025, number), String::new(), 2025, vec![CweId(cwe)], Part::Test)
    }

    #[test]
    fn written_answers_are_judged_by_their_order_and_what_they_mark() {
        let kb = KnowledgeBase::embedded();
        let label = |id: u32, score: f32, predicted: bool| {
            format!(
                "{{\"label\":\"CWE-{id}\",\"name\":\"\",\"score\":{score},\"predicted\":{predicted},\"basis\":\"generated\"}}"
            )
        };
        let failed = ",\"generated\":{\"status\":\"failed\",\"model\":\"tiny\",\"template\":\"\",\"candidates_of\":\"\",\
                      \"candidates\":5,\"examples\":0}";
        // The first is right, though it has the lower score; the second is wrong; the third failed; the fourth is missing.
        let lines =
            line("CVE-2025-0001", &format!("{},{}", label(89, 0.25, true), label(79, 0.5, false)), "")
                + &line("CVE-2025-0002", &label(787, 1.0, true), "")
                + &line("CVE-2025-0003", "", failed);
        let answers = read(lines, &kb);
        assert!(
            answers.is_generated && answers.answers("CVE-2025-0002") && !answers.answers("CVE-2025-0003")
        );
        let examples = [(1, 89), (2, 416), (3, 79), (4, 79)].map(|(number, cwe)| example(number, cwe));
        let rows: Vec<&Example> = examples.iter().collect();
        let sets = examples.iter().map(|example| example.cwes.as_slice()).collect();
        let system = WrittenSystem::new("tiny", &answers, &sets, &kb).unwrap();
        let figures = judge(&system, &kb, &rows, |_| (1.0, vulnlens_model::DecisionRule::default())).unwrap();
        let first = figures.cwe.unwrap().first;
        assert_eq!((first.records, first.exact), (4, 0.25));
        let weaknesses =
            figures.tasks.iter().find(|task| task.task == SpaceKind::ReferenceWeaknesses).unwrap();
        assert_eq!(weaknesses.table.rows, 4);
        // CWE-787, which no record has, is a label that can be answered wrongly.
        let of = |id: &str| {
            let at = weaknesses.labels.iter().position(|label| label == id).unwrap();
            (weaknesses.table.per_label[at].predicted, weaknesses.table.per_label[at].true_positives)
        };
        assert_eq!(
            (of("CWE-89"), of("CWE-787"), of("CWE-416"), of("CWE-79")),
            ((1, 1), (1, 0), (0, 0), (0, 0))
        );
        // The ancestor of both.
        assert_eq!(of("CWE-943"), (1, 1));
        // Patterns and techniques would follow by the chain, if the answers had no lists of their own.
        let has_capec = figures.tasks.iter().any(|task| task.task == SpaceKind::ReferenceCapec);
        assert!(has_capec, "{:?}", figures.tasks.iter().map(|task| task.task).collect::<Vec<_>>());
    }

    #[test]
    fn the_order_of_a_list_counts_more_than_its_scores() {
        let labels = [0.25, 0.5, 0.5, 0.0].map(|score| ScoredLabel::new(CweId(79), score, false)).to_vec();
        let ranked: Vec<f32> = ranked(Some(&Labels::new(labels, 0.0))).map(|(_, (score, _))| score).collect();
        assert!(ranked.is_sorted_by(|a, b| a > b) && ranked[3] > 0.0, "{ranked:?}");
        assert!((ranked[0] - 0.5).abs() < 1e-6, "{ranked:?}");
    }
}
