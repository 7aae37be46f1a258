//! A training run: the loop over batches, its folder with checkpoints and logs, and how it is watched and stopped.

mod batches;
mod control;
mod curves;
mod identity;
mod lock;
mod objective;
mod state;
mod store;
mod trainer_state;
mod training_loop;

use vulnlens_encoder::Config;
use vulnlens_encoder::training::{Parameters, Training, TrainingNetwork, TrainingSettings};

pub(crate) use batches::micro_batches;
pub use control::{Control, Observer, RunPlan, StepReport};
pub(crate) use identity::{Identity, identity, merged};
pub(crate) use lock::{FolderLock, RUN};
pub(crate) use objective::{Figures, MicroBatch, Objective};
pub use state::LogEntry;
pub(crate) use store::Store;

use super::settings::FitSettings;
use crate::error::TrainError;
use training_loop::{LoopEnd, TrainingLoop};

/// The end of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The folder holds the model.
    Finished {
        /// Updates that were made; 0 where the run was finished before.
        steps: u64,
        /// The evaluation that chose the parameters, if there was one.
        best: Option<LogEntry>,
    },
    /// It was asked to stop and can be resumed.
    Stopped {
        /// Updates that were made.
        step: u64,
        /// Updates in all.
        steps: u64,
    },
}

/// A network that is ready to be trained.
pub(crate) struct Run<'a> {
    pub(crate) objective: &'a dyn Objective,
    pub(crate) settings: &'a FitSettings,
    pub(crate) config: Config,
    pub(crate) parameters: Parameters,
    pub(crate) training: Training,
}

/// The outcome of [`train`].
pub(crate) enum Outcome {
    /// The network has the parameters of the best evaluation, if there was one.
    Trained { network: Box<TrainingNetwork>, steps: u64, best: Option<LogEntry> },
    /// The run was asked to stop; its folder has a checkpoint.
    Stopped { step: u64, steps: u64 },
}

/// Trains a network, from the checkpoint of its folder on if there is one.
pub(crate) fn train(run: Run<'_>, store: &mut Store, control: Control<'_>) -> Result<Outcome, TrainError> {
    let Run { objective, settings, config, parameters, training } = run;
    let network = network(config, parameters, training, settings)?;
    let mut training = TrainingLoop::new(objective, settings, network, store, control)?;
    control.observer.started(&training.plan());
    if training.run()? == LoopEnd::Stopped {
        return Ok(Outcome::Stopped { step: training.state.step, steps: training.steps });
    }
    let (steps, best) = (training.state.step, training.state.best_entry());
    Ok(Outcome::Trained { network: Box::new(training.network), steps, best })
}

fn network(
    config: Config,
    parameters: Parameters,
    training: Training,
    settings: &FitSettings,
) -> Result<TrainingNetwork, TrainError> {
    if settings.frozen_layers.is_some_and(|frozen| frozen > config.layers) {
        let problem = format!("frozen layers must be at most {}", config.layers);
        return Err(TrainError::Setting(problem));
    }
    let settings = TrainingSettings {
        recompute: settings.recompute,
        frozen_layers: settings.frozen_layers,
        ..TrainingSettings::new(training)
    };
    Ok(TrainingNetwork::new(config, parameters, settings))
}
