//! The training loop: batches, updates, evaluations, checkpoints.

use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::Value;
use vulnlens_encoder::training::{
    AdamW, AdamWSettings, Gradients, Noise, Schedule, Training, TrainingNetwork, Update, clip_factor,
    layer_factors,
};

use super::batches::{Batches, micro_batches};
use super::control::{Control, RunPlan, StepReport};
use super::objective::{Figures, MicroBatch, Objective};
use super::state::{Best, Bits, LogEntry, State};
use super::store::Store;
use super::trainer_state::TrainerState;
use crate::encoder::settings::{BatchSize, FitSettings};
use crate::error::TrainError;

/// The end of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoopEnd {
    /// All updates were made, or there was no more gain; the network has the best parameters.
    Finished,
    /// It was asked to stop, and can be resumed.
    Stopped,
}

/// The loop of a run.
pub(crate) struct TrainingLoop<'a> {
    objective: &'a dyn Objective,
    settings: &'a FitSettings,
    pub(crate) network: TrainingNetwork,
    optimizer: AdamW,
    pub(crate) state: State,
    store: &'a mut Store,
    control: Control<'a>,
    pub(crate) steps: u64,
    gradients: Gradients,
}

impl<'a> TrainingLoop<'a> {
    /// A loop at its beginning, or at the checkpoint of its folder.
    pub(crate) fn new(
        objective: &'a dyn Objective,
        settings: &'a FitSettings,
        mut network: TrainingNetwork,
        store: &'a mut Store,
        control: Control<'a>,
    ) -> Result<Self, TrainError> {
        let table = network.parameters().table().clone();
        let factors = layer_factors(&table, network.settings(), settings.layer_decay);
        let adamw = AdamWSettings { decay: settings.weight_decay, ..AdamWSettings::default() };
        let mut optimizer = AdamW::new(&table, adamw, factors);
        let state = store.load(network.parameters_mut(), &mut optimizer)?.unwrap_or_default();
        let steps = steps(objective.lengths(), settings);
        let gradients = Gradients::new(network.parameters());
        store.write_lines(&state.log)?;
        Ok(Self { objective, settings, network, optimizer, state, store, control, steps, gradients })
    }

    /// The plan, for the observer.
    pub(crate) fn plan(&self) -> RunPlan {
        let lengths = self.objective.lengths();
        let config = self.network.config();
        RunPlan {
            texts: lengths.len(),
            tokens: lengths.iter().sum(),
            cut: self.objective.cut(),
            validation_texts: self.objective.validation_texts(),
            outputs: match self.network.settings().training {
                Training::Classification => config.labels.len(),
                Training::MaskedLanguage => config.vocabulary,
            },
            parameters: self.network.parameters().count(),
            step: self.state.step,
            steps: self.steps,
            evaluations: self.state.evaluations(),
        }
    }

    /// Trains to the end, or until it is asked to stop.
    pub(crate) fn run(&mut self) -> Result<LoopEnd, TrainError> {
        while self.state.step < self.steps && !self.has_no_more_gain() {
            let epoch = self.state.epoch;
            let batches = self.batches(epoch);
            while self.state.epoch == epoch && self.state.step < self.steps {
                if self.control.stop.load(Ordering::Relaxed) {
                    self.save()?;
                    return Ok(LoopEnd::Stopped);
                }
                self.step(batches.of(self.state.batch), batches.count())?;
                if self.has_no_more_gain() {
                    break;
                }
            }
        }
        if let Some(best) = self.state.best {
            self.store.load_best(self.network.parameters_mut(), best.step)?;
        }
        self.store.write_logs(&self.state.log, &self.trainer_state())?;
        Ok(LoopEnd::Finished)
    }

    fn batches(&self, epoch: u64) -> Batches {
        Batches::new(self.objective.lengths(), self.settings.batch_size(), self.settings.seed, epoch)
    }

    fn has_no_more_gain(&self) -> bool {
        self.settings.patience.is_some_and(|patience| self.state.evaluations_without_gain >= patience)
    }

    /// Makes one update, and the log line, evaluation and checkpoint that are due after it.
    fn step(&mut self, texts: &[usize], batches: usize) -> Result<(), TrainError> {
        let tokens = texts.iter().map(|&text| self.objective.lengths()[text]).sum();
        let schedule = Schedule {
            peak: self.settings.rate,
            warmup: (self.settings.warmup * self.steps as f64).round() as u64,
            total: self.steps,
            decay: self.settings.decay,
        };
        let rate = schedule.rate(self.state.step);
        let (loss, norm) = self.update(texts, rate)?;
        let state = &mut self.state;
        state.step += 1;
        state.batch += 1;
        state.tokens += tokens as u64;
        state.loss_sum = Bits::of(state.loss_sum.number() + loss);
        state.losses += 1;
        let epoch = state.epoch as f64 + state.batch as f64 / batches as f64;
        let is_end_of_pass = state.batch == batches;
        if is_end_of_pass {
            (state.epoch, state.batch) = (state.epoch + 1, 0);
        }
        self.control.observer.stepped(&StepReport { step: self.state.step, epoch, loss, rate, tokens });
        self.log_loss(epoch, rate, norm)?;
        self.evaluate_if_due(epoch, is_end_of_pass)?;
        if self.state.step.is_multiple_of(self.settings.save_every) && self.state.step < self.steps {
            self.save()?;
        }
        Ok(())
    }

    /// Adds up the gradients of a batch and makes the update; gives loss and norm.
    fn update(&mut self, texts: &[usize], rate: f64) -> Result<(f64, f64), TrainError> {
        self.gradients.clear();
        let dropout = self.settings.dropout();
        let rows = self.objective.rows(texts, self.state.epoch);
        let mut loss = 0.0;
        for part in micro_batches(texts, self.objective.lengths(), self.settings.part_tokens) {
            let noise = Noise { dropout, seed: self.settings.seed, step: self.state.parts };
            self.state.parts += 1;
            let noise = (self.settings.dropout > 0.0).then_some(&noise);
            let part = MicroBatch { texts: part, epoch: self.state.epoch, noise, rows };
            loss += self.objective.learn(&mut self.network, part, &mut self.gradients);
        }
        self.check("loss", loss, texts)?;
        if rows == 0 {
            return Ok((0.0, 0.0));
        }
        let norm = self.gradients.norm();
        self.check("norm of the gradients", norm, texts)?;
        let gradient_factor = clip_factor(norm, self.settings.clip);
        self.network.step(&mut self.optimizer, &self.gradients, Update { rate, gradient_factor });
        self.state.updates += 1;
        Ok((loss, norm))
    }

    fn check(&self, what: &'static str, value: f64, texts: &[usize]) -> Result<(), TrainError> {
        if value.is_finite() {
            return Ok(());
        }
        Err(TrainError::Diverged {
            what,
            value,
            step: self.state.step,
            epoch: self.state.epoch,
            batch: self.state.batch,
            text: texts.first().copied().unwrap_or_default(),
            kept: self.store.kept(),
        })
    }

    fn log_loss(&mut self, epoch: f64, rate: f64, norm: f64) -> Result<(), TrainError> {
        let state = &mut self.state;
        if !state.step.is_multiple_of(self.settings.log_every) && state.step < self.steps {
            return Ok(());
        }
        let loss = state.loss_sum.number() / state.losses.max(1) as f64;
        (state.loss_sum, state.losses) = (Bits::default(), 0);
        let numbers = [("epoch", epoch), ("grad_norm", norm), ("learning_rate", rate), ("loss", loss)];
        let tokens = state.tokens;
        let mut entry = entry(state.step, numbers);
        entry.insert("num_input_tokens_seen".to_owned(), tokens.into());
        self.log(entry)
    }

    fn log(&mut self, entry: LogEntry) -> Result<(), TrainError> {
        self.store.add_line(&entry)?;
        self.state.log.push(entry);
        Ok(())
    }

    fn evaluate_if_due(&mut self, epoch: f64, is_end_of_pass: bool) -> Result<(), TrainError> {
        let is_last = self.state.step == self.steps;
        let is_due = match self.settings.evaluate_every {
            Some(every) => self.state.step.is_multiple_of(every),
            None => is_end_of_pass,
        };
        if !is_due && !is_last {
            return Ok(());
        }
        let start = Instant::now();
        let Some(Figures { score, texts, figures }) = self.objective.evaluate(&mut self.network)? else {
            return Ok(());
        };
        let seconds = start.elapsed().as_secs_f64();
        let mut entry = entry(self.state.step, [("epoch", epoch), ("eval_runtime", seconds)]);
        let rate = texts as f64 / seconds.max(1e-9);
        entry.insert("eval_samples_per_second".to_owned(), rate.into());
        entry.extend(figures.into_iter().map(|(name, figure)| (name, figure.into())));
        self.control.observer.evaluated(&entry);
        self.log(entry)?;
        self.keep_if_best(score)
    }

    fn keep_if_best(&mut self, score: f64) -> Result<(), TrainError> {
        let is_best = self.state.best.is_none_or(|best| score > best.score.number());
        if !is_best {
            self.state.evaluations_without_gain += 1;
            return Ok(());
        }
        let step = self.state.step;
        self.state.best = Some(Best { step, score: Bits::of(score) });
        self.state.evaluations_without_gain = 0;
        self.store.save_best(self.network.parameters(), step)
    }

    /// Writes a checkpoint, and the logs as they stand.
    fn save(&mut self) -> Result<(), TrainError> {
        self.store.save(self.network.parameters(), &self.optimizer, &self.state)?;
        self.store.write_logs(&self.state.log, &self.trainer_state())
    }

    fn trainer_state(&self) -> TrainerState {
        let passed = self.batches(self.state.epoch).count().max(1);
        TrainerState {
            best: self.state.best.map(|best| (best.step, best.score.number())),
            epoch: self.state.epoch as f64 + self.state.batch as f64 / passed as f64,
            step: self.state.step,
            steps: self.steps,
            epochs: self.settings.epochs,
            evaluate_every: self.settings.evaluate_every.unwrap_or(passed as u64),
            save_every: self.settings.save_every,
            log_every: self.settings.log_every,
            batch: match self.settings.batch_size() {
                BatchSize::Texts(amount) | BatchSize::Tokens(amount) => amount,
            },
            tokens: self.state.tokens,
        }
    }
}

fn entry<const N: usize>(step: u64, numbers: [(&str, f64); N]) -> LogEntry {
    let numbers = numbers.into_iter().map(|(name, number)| (name.to_owned(), Value::from(number)));
    numbers.chain([("step".to_owned(), step.into())]).collect()
}

/// Updates of all passes.
fn steps(lengths: &[usize], settings: &FitSettings) -> u64 {
    let of_pass = |epoch| Batches::new(lengths, settings.batch_size(), settings.seed, epoch).count() as u64;
    let all = match settings.batch_size() {
        BatchSize::Texts(_) => settings.epochs * of_pass(0),
        BatchSize::Tokens(_) => (0..settings.epochs).map(of_pass).sum(),
    };
    settings.max_steps.map_or(all, |most| all.min(most))
}
