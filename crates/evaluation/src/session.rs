//! The evaluation of models, combinations and peers on one part of one split.

use std::collections::{BTreeMap, BTreeSet};

use vulnlens_corpus::{Part, TextKind};
use vulnlens_model::{Classifier, DecisionRule, Network, Outputs};
use vulnlens_taxonomy::{CweId, KnowledgeBase};

use crate::answers;
use crate::calibrate::{Calibration, calibrate, calibrate_as_given};
use crate::choose::{ChosenCombination, RecordedPair};
use crate::dataset::DataSet;
use crate::error::EvaluationError;
use crate::evaluate::{Figures, LabelRule, PUBLISHED_TASKS, evaluate, judge};
use crate::example::{Example, judged_part, labelled_part, training_part};
use crate::file::EvaluationRun;
use crate::labels::{LabelSystem, Read, Reading};
use crate::peer::PeerScores;
use crate::recorded::RecordedLogits;
use crate::scores::{NetworkScores, SetScores};
use crate::sets::SetSystem;
use crate::split::Split;
use crate::written::{WrittenAnswers, WrittenSystem};

/// One part of one split of a data set, for systems to be evaluated on.
///
/// Works on the threads of the current rayon pool; their number changes nothing but the time.
#[derive(Debug)]
pub struct Session<'a> {
    kb: &'a KnowledgeBase,
    split: Split,
    part: Part,
    examples: Vec<Example>,
}

impl<'a> Session<'a> {
    /// A session on one part of a split.
    #[must_use]
    pub fn new(kb: &'a KnowledgeBase, data: &DataSet, split: Split, part: Part) -> Self {
        Self { kb, split, part, examples: data.examples(split) }
    }

    /// Refuses a classifier that [`model`](Self::model) cannot judge, before any work.
    ///
    /// # Errors
    /// Its labels are of no taxonomy.
    pub fn check(classifier: &Classifier) -> Result<(), EvaluationError> {
        match classifier.network().outputs() {
            Outputs::Labels(_) => LabelSystem::new(classifier).map(drop),
            _ => Ok(()),
        }
    }

    /// The figures of a model, by the temperature and the rules, or the thresholds, of its file. Behind them, of a model that
    /// scores labels of its own, those by the threshold 0.5 and by fitted ones and, of a hierarchy, with gold parents, with
    /// predicted ones and with their scores as factors.
    ///
    /// # Errors
    /// A score is not a number, or the labels are of no taxonomy.
    pub fn model(&self, classifier: &Classifier) -> Result<Vec<EvaluationRun>, EvaluationError> {
        let network = &**classifier.network();
        let mut runs = match NetworkScores::new(network) {
            Some(scores) => vec![self.set_figures(scores)?],
            None => self.label_figures(classifier)?,
        };
        for run in &mut runs {
            run.system.insert_str(0, network.name());
            run.revision = Some(network.revision().to_owned());
            run.seed = network.origin().map(|origin| origin.seed);
            run.seen_in_training = self.has_seen(network);
        }
        if let Some(own) = runs.first_mut() {
            own.answers = answers::measure(classifier, &self.examples, self.part);
        }
        Ok(runs)
    }

    /// The figures of two models as one: weights, temperature and rules are chosen on the validation part.
    ///
    /// # Errors
    /// The validation part has no labelled text, or a score is not a number.
    pub fn combination(
        &self,
        name: Option<&str>,
        models: [NetworkScores<'_>; 2],
    ) -> Result<EvaluationRun, EvaluationError> {
        let recorded = |part| RecordedPair::of(models, &judged_part(&self.examples, part));
        let validation = recorded(Part::Validation);
        let ChosenCombination { way, calibration } = validation.choose(self.kb, &self.examples)?;
        let scored = if self.part == Part::Validation { validation } else { recorded(self.part) };
        let scores = scored.combined(way);
        let [first, second] = models.map(|model| model.network());
        let made_of = way.described(first.name(), second.name());
        Ok(EvaluationRun {
            system: name.map_or_else(|| made_of.clone(), str::to_owned),
            combination: Some(made_of),
            seen_in_training: self.has_seen(first) || self.has_seen(second),
            ..self.figures(&scores, &calibration)?
        })
    }

    fn set_figures(&self, model: NetworkScores<'_>) -> Result<EvaluationRun, EvaluationError> {
        let calibration = Calibration::of(model.outputs());
        // A network that shares a batch out by itself is asked once, not by every thread.
        if model.network().computes_in_parallel() {
            let rows = labelled_part(&self.examples, self.part);
            return self.figures(&RecordedLogits::of(model, &rows), &calibration);
        }
        self.figures(&model, &calibration)
    }

    /// The figures of each way to read the scores of a model's labels; the systems are called by what is said of the way.
    fn label_figures(&self, classifier: &Classifier) -> Result<Vec<EvaluationRun>, EvaluationError> {
        let system = LabelSystem::new(classifier)?;
        let rows = labelled_part(&self.examples, self.part);
        let validation = labelled_part(&self.examples, Part::Validation);
        let mut readings = system.readings();
        readings.retain(|reading| !reading.rule.is_fitted() || !validation.is_empty());
        let recorded = system.record(&rows);
        let is_fitted = readings.iter().any(|reading| reading.rule.is_fitted());
        let fits_elsewhere = is_fitted && self.part != Part::Validation;
        let fitting = fits_elsewhere.then(|| (system.record(&validation), &validation));
        let fitting = fitting.as_ref().map_or((&recorded, &rows), |(recorded, rows)| (recorded, *rows));
        let run = |(number, reading): (usize, Reading)| {
            let thresholds = system.fit(reading, (fitting.0, fitting.1), self.kb)?;
            let read = Read { system: &system, recorded: &recorded, reading, thresholds };
            let mut figures = judge(&read, self.kb, &rows, |_| (1.0, DecisionRule::default()))?;
            figures.tasks.iter_mut().for_each(|task| task.label_rule = Some(reading.rule));
            let words = if number == 0 { String::new() } else { reading.words() };
            Ok(EvaluationRun { system: words, parents: reading.parents, ..self.run(figures) })
        };
        readings.into_iter().enumerate().map(run).collect()
    }

    /// True if the network was fitted on other rows than the training part of the split.
    fn has_seen(&self, network: &dyn Network) -> bool {
        network.origin().is_none_or(|origin| origin.split != self.split.name())
    }

    /// The figures of a peer's answers, by rules that are fitted to its answers to the validation part.
    ///
    /// # Errors
    /// When the validation part has no labelled text, or a score is not a number.
    pub fn peer(
        &self,
        name: &str,
        validation: &PeerScores,
        scores: &PeerScores,
    ) -> Result<EvaluationRun, EvaluationError> {
        let calibration = self.peer_calibration(validation)?;
        let run = self.figures(scores, &calibration)?;
        Ok(EvaluationRun { system: name.to_owned(), ..run })
    }

    /// The session on the records of the part that are wanted; texts of other kinds and other parts stay.
    #[must_use]
    pub fn only(mut self, is_wanted: impl Fn(&str) -> bool) -> Self {
        let part = self.part;
        self.examples.retain(|example| {
            example.part != part || example.kind != TextKind::Record || is_wanted(&example.name)
        });
        self
    }

    /// The figures of answers that were written as record output, by what they mark as predicted. Where a
    /// text-generation model gave them, those of probabilities are left out.
    ///
    /// # Errors
    /// The answers have no list of a taxonomy.
    pub fn written(&self, name: &str, answers: &WrittenAnswers) -> Result<EvaluationRun, EvaluationError> {
        let rows = labelled_part(&self.examples, self.part);
        let mut sets: BTreeSet<&[CweId]> =
            training_part(&self.examples).into_iter().map(|example| example.cwes.as_slice()).collect();
        if sets.is_empty() {
            sets = rows.iter().map(|example| example.cwes.as_slice()).collect();
        }
        let system = WrittenSystem::new(name, answers, &sets, self.kb)?;
        let mut figures = judge(&system, self.kb, &rows, |_| (1.0, DecisionRule::default()))?;
        for task in &mut figures.tasks {
            task.label_rule = Some(LabelRule::AsWritten);
            if answers.is_generated {
                (task.reliability, task.f1_curve) = (None, vec![]);
            }
        }
        let revision = answers.revision().map(str::to_owned);
        Ok(EvaluationRun { system: name.to_owned(), revision, ..self.run(figures) })
    }

    /// The number of rows of the part that written answers do not answer.
    #[must_use]
    pub fn unwritten(&self, answers: &WrittenAnswers) -> usize {
        labelled_part(&self.examples, self.part).iter().filter(|row| !answers.answers(&row.name)).count()
    }

    /// The number of rows of the part that a peer has not answered.
    #[must_use]
    pub fn unanswered(&self, scores: &PeerScores) -> usize {
        labelled_part(&self.examples, self.part).iter().filter(|example| !scores.answers(example)).count()
    }

    /// A peer's probabilities are taken as given or tempered, whichever answers the validation part better over all
    /// tasks.
    fn peer_calibration(&self, scores: &PeerScores) -> Result<Calibration, EvaluationError> {
        let micro_f1 = |calibration: &Calibration| {
            let tasks =
                evaluate(scores, calibration, self.kb, &self.examples, Part::Validation, &PUBLISHED_TASKS);
            tasks.map(|tasks| tasks.iter().map(|task| task.table.micro_f1).sum::<f64>())
        };
        let tempered = calibrate(scores, self.kb, &self.examples)?;
        let given = calibrate_as_given(scores, self.kb, &self.examples)?;
        Ok(if micro_f1(&tempered)? > micro_f1(&given)? { tempered } else { given })
    }

    fn figures(
        &self,
        scores: &dyn SetScores,
        calibration: &Calibration,
    ) -> Result<EvaluationRun, EvaluationError> {
        let rows = labelled_part(&self.examples, self.part);
        let system = SetSystem::new(scores, calibration, self.kb, &PUBLISHED_TASKS).with_cwe_answers(self.kb);
        let rule = |kind| (calibration.temperature, calibration.rule(kind));
        Ok(self.run(judge(&system, self.kb, &rows, rule)?))
    }

    /// A run with these figures, of a system that is not named yet.
    fn run(&self, figures: Figures) -> EvaluationRun {
        let cwe = figures.cwe;
        EvaluationRun {
            system: String::new(),
            combination: None,
            revision: None,
            seed: None,
            split: self.split.name().to_owned(),
            part: self.part.name().to_owned(),
            seen_in_training: false,
            parents: None,
            first_cwe: cwe.as_ref().map(|cwe| cwe.first),
            hierarchical: cwe.as_ref().map(|cwe| cwe.hierarchical),
            rare: cwe.as_ref().map(|cwe| cwe.rare),
            first_cwe_by_year: cwe.as_ref().map_or_else(BTreeMap::new, |cwe| cwe.by_year.clone()),
            confusions: cwe.as_ref().map(|cwe| cwe.confusions.clone()),
            risk: cwe.map(|cwe| cwe.risk),
            answers: None,
            tasks: figures.tasks,
        }
    }
}
