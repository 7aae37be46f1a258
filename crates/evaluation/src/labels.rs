//! Systems that score labels of their own: published checkpoints, and what was trained label by label.
//!
//! They are judged as `classify` answers: an id that several outputs name is one label, patterns and techniques that the
//! system has no labels of follow by the chain, and the thresholds of the system answer (of outputs that exclude each
//! other the best one). Beside that stand the answers by other thresholds and, of a hierarchy, by the parents that really
//! apply, those that it predicts, and their scores as factors: whoever reads a figure of such a system elsewhere finds the
//! one that it compares with.

use vulnlens_metrics::{RowView, ScoredRow};
use vulnlens_model::decode::SpaceKind;
use vulnlens_model::{
    Classifier, Input, LabelMode, Labels, Options, Parents, PredictBuffers, Prediction, Prepared, Room,
    Routes, ScoredLabel, Task, TopK,
};
use vulnlens_taxonomy::KnowledgeBase;

use crate::cwe_answers::{CweAnswer, LISTED};
use crate::error::EvaluationError;
use crate::evaluate::{LabelRule, PUBLISHED_TASKS};
use crate::example::Example;
use crate::file::ParentsTaken;
use crate::system::{System, Tally};
use crate::task_labels::TaskLabels;
use crate::thresholds::{ThresholdRule, answered, thresholds};

/// A classifier that scores labels of its own.
pub(crate) struct LabelSystem {
    prepared: Prepared,
    tasks: Vec<TaskLabels>,
    has_cwe: bool,
    /// For each output, the places of its labels in the tasks: a task's number and the label's place in it.
    places: Vec<Vec<(usize, u32)>>,
}

/// The scores of some rows before a hierarchy's routes are taken.
pub(crate) struct RecordedLabels {
    scores: Vec<f32>,
    width: usize,
}

/// One way to read the scores of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The parents for which labels below them count, of a hierarchy.
    pub(crate) parents: Option<ParentsTaken>,
    pub(crate) rule: LabelRule,
}

impl Reading {
    /// What is said of it behind the name of a system.
    pub(crate) fn words(self) -> String {
        let parents = self.parents.map(|parents| format!(", {}", parents.words())).unwrap_or_default();
        format!("{parents}, {}", self.rule.words())
    }
}

impl LabelSystem {
    /// The system of a classifier; its tasks are those of the published ones that it has labels of.
    ///
    /// # Errors
    /// It has labels of none of them.
    pub(crate) fn new(classifier: &Classifier) -> Result<Self, EvaluationError> {
        let (map, kb) = (classifier.label_map(), classifier.knowledge_base());
        let task = |kind| TaskLabels::of_labels(kind, map, kb);
        let tasks: Vec<TaskLabels> = PUBLISHED_TASKS.into_iter().filter_map(task).collect();
        if tasks.is_empty() {
            return Err(EvaluationError::NoKnownLabels { name: classifier.network().name().to_owned() });
        }
        let mut places = vec![vec![]; classifier.network().outputs().len()];
        for (number, task) in tasks.iter().enumerate() {
            let mut note = |outputs: &[u32], place: Option<usize>| {
                let Some(place) = place else { return };
                outputs.iter().for_each(|&output| places[output as usize].push((number, place as u32)));
            };
            // Labels that follow by the chain have no output of their own.
            match task.kind {
                SpaceKind::ReferenceCapec => {
                    map.capec_outputs()
                        .iter()
                        .for_each(|of| note(&of.outputs, task.place_of_capec(of.label)));
                }
                SpaceKind::ReferenceAttack => {
                    map.attack_outputs()
                        .iter()
                        .for_each(|of| note(&of.outputs, task.place_of_technique(of.label)));
                }
                _ => map.cwe_outputs().iter().for_each(|of| note(&of.outputs, task.place_of_cwe(of.label))),
            }
        }
        let asked = [Task::Cwe, Task::Capec, Task::Attack];
        let options = Options::default()
            .labels(LabelMode::Reference)
            .tasks(asked.into_iter().collect::<vulnlens_model::Tasks>())
            .top_k(TopK::All)
            .threshold(0.0);
        Ok(Self { prepared: classifier.prepare(&options), tasks, has_cwe: map.cwe().len() > 0, places })
    }

    /// The rule of the system itself.
    pub(crate) fn rule(&self) -> LabelRule {
        let outputs = self.prepared.network().outputs().labels();
        if outputs.is_some_and(|outputs| outputs.exclusive) { LabelRule::Best } else { LabelRule::Thresholds }
    }

    /// The ways to read the scores: first that of the system itself, then the others, which differ from it. Labels that
    /// exclude each other are read in one way alone.
    pub(crate) fn readings(&self) -> Vec<Reading> {
        let own = Reading { parents: self.own_parents(), rule: self.rule() };
        let mut readings = vec![own];
        if own.rule == LabelRule::Best {
            return readings;
        }
        let outputs = self.prepared.network().outputs().labels();
        let has_thresholds =
            outputs.is_some_and(|outputs| outputs.thresholds.iter().any(|&threshold| threshold != HALF));
        let parents = match own.parents {
            None => vec![None],
            Some(_) => ParentsTaken::ALL.map(Some).to_vec(),
        };
        for parents in parents {
            let is_own = |rule| rule == LabelRule::Half && parents == own.parents && !has_thresholds;
            let rules = [LabelRule::Half, LabelRule::FittedForAll, LabelRule::FittedForEach];
            let rules = rules.into_iter().filter(|&rule| !is_own(rule));
            readings.extend(rules.map(|rule| Reading { parents, rule }));
        }
        readings
    }

    fn own_parents(&self) -> Option<ParentsTaken> {
        self.routes().map(|routes| match routes.own() {
            Parents::Multiplied => ParentsTaken::Multiplied,
            _ => ParentsTaken::Predicted,
        })
    }

    fn routes(&self) -> Option<&Routes> {
        self.prepared.network().routes()
    }

    /// The scores of some rows, with which the network computes once for all readings. They take 4 bytes for each row and
    /// label.
    pub(crate) fn record(&self, rows: &[&Example]) -> RecordedLabels {
        let network = self.prepared.network();
        let width = self.routes().map_or(network.outputs().len(), Routes::scores);
        let (mut scores, mut room, mut block) =
            (Vec::with_capacity(rows.len() * width), Room::default(), vec![]);
        for rows in rows.chunks(network.texts_at_once().max(1)) {
            let inputs: Vec<Input<'_>> =
                rows.iter().map(|row| Input::text(&row.text).year(row.year)).collect();
            network.score_branches(&inputs, &mut room, &mut block);
            scores.extend_from_slice(&block);
        }
        RecordedLabels { scores, width }
    }

    /// The thresholds of each task by a rule that is fitted, to recorded rows; none for other rules.
    ///
    /// # Errors
    /// A score is not a number.
    pub(crate) fn fit(
        &self,
        reading: Reading,
        (recorded, rows): (&RecordedLabels, &[&Example]),
        kb: &KnowledgeBase,
    ) -> Result<Option<Vec<Vec<f32>>>, EvaluationError> {
        let one = |labels| vec![HALF; labels];
        let widths = self.tasks.iter().map(|task| task.lists().label_count());
        let rule = match reading.rule {
            LabelRule::Thresholds | LabelRule::Best | LabelRule::AsWritten => return Ok(None),
            LabelRule::Half => return Ok(Some(widths.map(one).collect())),
            LabelRule::FittedForAll => ThresholdRule::One,
            LabelRule::FittedForEach => ThresholdRule::Each,
        };
        let mut tasks = vec![(vec![], vec![]); self.tasks.len()];
        let mut room = LabelRoom::default();
        let unread = Read { system: self, recorded, reading, thresholds: None };
        for (number, &row) in rows.iter().enumerate() {
            let prediction = unread.prediction(number, row, kb, &mut room);
            for (task, (scores, gold)) in self.tasks.iter().zip(&mut tasks) {
                let known = task.gold(kb, &row.cwes).known;
                if !known.is_empty() {
                    room.read(task, &prediction);
                    scores.extend_from_slice(&room.scores);
                    gold.push(known);
                }
            }
        }
        let fitted =
            widths.zip(&tasks).map(|(width, (scores, gold)): (usize, &(Vec<f32>, Vec<Vec<u32>>))| {
                let rows = scores.chunks_exact(width).zip(gold);
                let rows: Vec<ScoredRow<'_>> =
                    rows.map(|(scores, gold)| ScoredRow { scores, gold }).collect();
                thresholds(width, &rows, rule)
            });
        Ok(Some(fitted.collect::<Result<_, _>>()?))
    }

    /// The labels that apply to a row, by outputs; those above them are not among them yet.
    fn gold(&self, row: &Example, kb: &KnowledgeBase) -> Vec<bool> {
        let tasks: Vec<Vec<u32>> = self.tasks.iter().map(|task| task.gold(kb, &row.cwes).known).collect();
        let applies = |&(task, place): &(usize, u32)| tasks[task].binary_search(&place).is_ok();
        self.places.iter().map(|places| places.iter().any(applies)).collect()
    }
}

/// The threshold of whoever has no other.
const HALF: f32 = 0.5;

/// A system whose recorded scores are read in one way.
pub(crate) struct Read<'a> {
    pub(crate) system: &'a LabelSystem,
    pub(crate) recorded: &'a RecordedLabels,
    pub(crate) reading: Reading,
    /// The thresholds of each task; the system's own where there are none.
    pub(crate) thresholds: Option<Vec<Vec<f32>>>,
}

/// Room of a block of rows.
#[derive(Default)]
pub(crate) struct LabelRoom {
    buffers: PredictBuffers,
    routed: Vec<f32>,
    scores: Vec<f32>,
    predicted: Vec<u32>,
}

impl Read<'_> {
    /// The prediction for the row of this number.
    fn prediction(
        &self,
        number: usize,
        row: &Example,
        kb: &KnowledgeBase,
        room: &mut LabelRoom,
    ) -> Prediction {
        let RecordedLabels { scores, width } = self.recorded;
        let scores = &scores[number * width..][..*width];
        let scores = match (self.system.routes(), self.reading.parents) {
            (Some(routes), Some(parents)) => {
                let gold = match parents {
                    ParentsTaken::Gold => routes.applying(self.system.gold(row, kb)),
                    _ => vec![],
                };
                let parents = match parents {
                    ParentsTaken::Gold => Parents::Gold(&gold),
                    ParentsTaken::Predicted => Parents::Predicted,
                    ParentsTaken::Multiplied => Parents::Multiplied,
                };
                routes.route(scores, parents, &mut room.routed);
                &room.routed[..]
            }
            _ => scores,
        };
        self.system.prepared.read_labels(scores, &mut room.buffers).pop().unwrap_or_default()
    }
}

impl System for Read<'_> {
    type Room = LabelRoom;

    fn tasks(&self) -> &[TaskLabels] {
        &self.system.tasks
    }

    fn answer(
        &self,
        first: usize,
        rows: &[&Example],
        room: &mut LabelRoom,
        tally: &mut Tally<'_>,
    ) -> Result<(), EvaluationError> {
        let kb = self.system.prepared.knowledge_base();
        for (number, &example) in (first..).zip(rows) {
            let prediction = self.prediction(number, example, kb, room);
            for (number, task) in self.system.tasks.iter().enumerate() {
                let Some(gold) = tally.gold(number, example) else { continue };
                room.read(task, &prediction);
                if let Some(thresholds) = &self.thresholds {
                    room.predicted = answered(&room.scores, &thresholds[number]);
                }
                let (scores, predicted) = (&room.scores[..], &room.predicted[..]);
                tally.add(number, RowView { scores, gold: &gold.known, predicted })?;
            }
            // First answers and risk are of the system as it is used.
            if self.system.has_cwe && self.thresholds.is_none() {
                let labels = prediction.cwe.as_ref().map_or(&[][..], |cwe| &cwe.labels);
                let listed: Vec<_> =
                    labels.iter().take(LISTED).map(|scored| (scored.label, scored.score)).collect();
                let predicted: Vec<_> =
                    labels.iter().filter(|scored| scored.predicted).map(|scored| scored.label).collect();
                let (listed, predicted) = (&listed[..], &predicted[..]);
                tally.add_cwe(example, CweAnswer { listed, predicted, ladder: None });
            }
        }
        Ok(())
    }
}

impl LabelRoom {
    /// Reads scores and answers of the task's labels. A label that is ruled out, as a hierarchy does with those below
    /// parents that do not apply, has the score 0.
    fn read(&mut self, task: &TaskLabels, prediction: &Prediction) {
        self.scores.clear();
        self.scores.resize(task.lists().label_count(), 0.0);
        self.predicted.clear();
        match task.kind {
            SpaceKind::ReferenceCapec => {
                self.fill(prediction.capec.as_ref(), |scored| task.place_of_capec(scored.label));
            }
            SpaceKind::ReferenceAttack => {
                self.fill(prediction.attack.as_ref(), |scored| task.place_of_technique(scored.label));
            }
            _ => self.fill(prediction.cwe.as_ref(), |scored| task.place_of_cwe(scored.label)),
        }
        self.predicted.sort_unstable();
    }

    fn fill<L>(&mut self, labels: Option<&Labels<L>>, place: impl Fn(&ScoredLabel<L>) -> Option<usize>) {
        for scored in labels.into_iter().flat_map(|labels| &labels.labels) {
            let Some(place) = place(scored) else { continue };
            self.scores[place] = scored.score;
            if scored.predicted {
                self.predicted.push(place as u32);
            }
        }
    }
}
