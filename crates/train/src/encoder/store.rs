//! A run's folder: its lock, checkpoints and logs.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vulnlens_encoder::Weights;
use vulnlens_encoder::training::{AdamW, Moments, Parameters};

use super::curves;
use super::state::{Identity, LogEntry, State};
use super::whole_file::{ASIDE, Numbers, write_tensors, write_whole};
use crate::error::TrainError;

/// The folder of what only an unfinished run needs.
pub(crate) const RUN: &str = "run";
const CHECKPOINT: &str = "checkpoint.safetensors";
const BEST: &str = "best.safetensors";
/// The metadata's key.
const KEY: &str = "vulnlens";

/// A folder that no other run can use meanwhile.
#[derive(Debug)]
pub(crate) struct Claim {
    run: PathBuf,
    /// Locked by the system as long as it is open: a crash unlocks it.
    _lock: File,
}

impl Claim {
    /// Takes a folder, unless another run has it.
    pub(crate) fn of(folder: &Path) -> Result<Self, TrainError> {
        let run = folder.join(RUN);
        fs::create_dir_all(&run).map_err(TrainError::io(&run))?;
        let path = run.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(TrainError::io(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { run, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(TrainError::Locked { folder: folder.to_owned() }),
            Err(TryLockError::Error(error)) => Err(TrainError::io(&path)(error)),
        }
    }

    /// Gives the folder back, without what a finished run needs no more.
    pub(crate) fn release(self) -> Result<(), TrainError> {
        fs::remove_dir_all(&self.run).map_err(TrainError::io(&self.run))
    }
}

/// A run's folder.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    claim: Claim,
    identity: Identity,
    has_checkpoint: bool,
}

/// What a checkpoint's metadata hold.
#[derive(Serialize, Deserialize)]
struct Saved {
    identity: Identity,
    state: State,
}

impl Store {
    /// Takes a folder for a run. `resume`: goes on from its checkpoint, if there is one.
    pub(crate) fn open(folder: &Path, resume: bool) -> Result<Self, TrainError> {
        let claim = Claim::of(folder)?;
        let has_checkpoint = claim.run.join(CHECKPOINT).is_file();
        let refused = |problem: &str, fix: &str| Err(TrainError::refused(folder, problem, fix));
        if folder.join("config.json").exists() {
            return refused("holds a finished model", "give another folder");
        }
        if has_checkpoint && !resume {
            return refused("holds an unfinished run", "resume it, or give another folder");
        }
        let identity = Identity {
            tool: String::new(),
            settings: String::new(),
            data: String::new(),
            model: String::new(),
        };
        let store = Self { folder: folder.to_owned(), claim, identity, has_checkpoint };
        store.remove_remains()?;
        Ok(store)
    }

    /// Says what the run is of.
    pub(crate) fn set_identity(&mut self, identity: Identity) {
        self.identity = identity;
    }

    /// Removes what a run that was killed left half-written.
    fn remove_remains(&self) -> Result<(), TrainError> {
        for entry in fs::read_dir(&self.claim.run).map_err(TrainError::io(&self.claim.run))? {
            let path = entry.map_err(TrainError::io(&self.claim.run))?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(ASIDE)) {
                fs::remove_file(&path).map_err(TrainError::io(&path))?;
            }
        }
        Ok(())
    }

    /// Writes a file of the model's folder.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
        let path = self.folder.join(name);
        write_whole(&self.claim.run, &path, |aside| fs::write(aside, bytes)).map_err(TrainError::io(&path))
    }

    /// Writes parameters as Hugging Face's weights.
    pub(crate) fn write_model(&self, parameters: &Parameters) -> Result<(), TrainError> {
        let path = self.folder.join("model.safetensors");
        let write = |aside: &Path| write_tensors(aside, named("", parameters), ("format", "pt".to_owned()));
        write_whole(&self.claim.run, &path, write).map_err(TrainError::io(&path))
    }

    /// Writes the whole state of a run.
    pub(crate) fn save(
        &mut self,
        parameters: &Parameters,
        optimizer: &AdamW,
        state: &State,
    ) -> Result<(), TrainError> {
        let path = self.claim.run.join(CHECKPOINT);
        let failed = |problem: String, store: &Self| TrainError::Save {
            file: path.clone(),
            step: state.step,
            problem,
            kept: store.kept(),
        };
        let mut tensors = named("p:", parameters);
        let moments = optimizer.moments();
        for (prefix, numbers) in [("m:", &moments.first), ("v:", &moments.second)] {
            let of_tensor = parameters.table().tensors().iter().zip(numbers);
            let trained = of_tensor.filter(|(_, numbers)| !numbers.is_empty());
            tensors.extend(trained.map(|(tensor, numbers)| {
                (format!("{prefix}{}", tensor.name), Numbers { shape: tensor.shape.clone(), numbers })
            }));
        }
        let saved = Saved { identity: self.identity.clone(), state: state.clone() };
        let json = serde_json::to_string(&saved).map_err(|error| failed(error.to_string(), self))?;
        let write = |aside: &Path| write_tensors(aside, tensors, (KEY, json));
        write_whole(&self.claim.run, &path, write).map_err(|error| failed(error.to_string(), self))?;
        self.has_checkpoint = true;
        Ok(())
    }

    /// Reads the checkpoint, if there is one, into a network's parameters and optimiser.
    pub(crate) fn load(
        &self,
        parameters: &mut Parameters,
        optimizer: &mut AdamW,
    ) -> Result<Option<State>, TrainError> {
        let path = self.claim.run.join(CHECKPOINT);
        if !self.has_checkpoint {
            return Ok(None);
        }
        let weights = Weights::open(&path)?;
        let damaged = || TrainError::refused(&path, "is no checkpoint of a run", "remove it to begin anew");
        let saved: Saved = weights
            .metadata()
            .get(KEY)
            .and_then(|json| serde_json::from_str(json).ok())
            .ok_or_else(damaged)?;
        if let Some(what) = self.identity.difference(&saved.identity) {
            let problem = format!("is of a run with another {what}");
            return Err(TrainError::refused(&path, problem, "resume with the same, or give another folder"));
        }
        read(&weights, "p:", parameters)?;
        let table = parameters.table().clone();
        let of = |prefix: &str, begun: &[Vec<f32>]| -> Result<Vec<Vec<f32>>, TrainError> {
            let tensors = table.tensors().iter().zip(begun);
            let numbers = tensors.map(|(tensor, begun)| match begun.len() {
                0 => Ok(vec![]),
                _ => Ok(weights.f32(&format!("{prefix}{}", tensor.name), &tensor.shape)?.to_vec()),
            });
            numbers.collect()
        };
        let begun = optimizer.moments();
        let moments = Moments {
            steps: saved.state.updates,
            first: of("m:", &begun.first)?,
            second: of("v:", &begun.second)?,
        };
        optimizer.resume(moments).map_err(|_| damaged())?;
        Ok(Some(saved.state))
    }

    /// Keeps the parameters of the best evaluation.
    pub(crate) fn save_best(&self, parameters: &Parameters, step: u64) -> Result<(), TrainError> {
        let path = self.claim.run.join(BEST);
        let write = |aside: &Path| write_tensors(aside, named("", parameters), (KEY, step.to_string()));
        let failed = |error: std::io::Error| TrainError::Save {
            file: path.clone(),
            step,
            problem: error.to_string(),
            kept: self.kept(),
        };
        write_whole(&self.claim.run, &path, write).map_err(failed)
    }

    /// Brings the best evaluation's parameters back.
    pub(crate) fn load_best(&self, parameters: &mut Parameters, step: u64) -> Result<(), TrainError> {
        let path = self.claim.run.join(BEST);
        let weights = Weights::open(&path)?;
        if weights.metadata().get(KEY) != Some(&step.to_string()) {
            let problem = format!("does not hold the parameters of step {step}");
            return Err(TrainError::refused(&path, problem, "begin the run anew"));
        }
        read(&weights, "", parameters)
    }

    /// What is left of the run if it ends now, in words.
    pub(crate) fn kept(&self) -> String {
        if self.has_checkpoint {
            format!("the checkpoint before it is kept in {}", self.claim.run.display())
        } else {
            "no checkpoint was written yet".to_owned()
        }
    }

    /// Writes the log as lines, as the Trainer's state, and as curves.
    pub(crate) fn write_logs(&self, log: &[LogEntry], about: &TrainerState) -> Result<(), TrainError> {
        self.write_lines(log)?;
        let state = format!("{:#}\n", about.json(log));
        self.write("trainer_state.json", state.as_bytes())?;
        for (name, svg) in curves::draw(log) {
            self.write(name, svg.as_bytes())?;
        }
        Ok(())
    }

    /// Writes all lines anew, as a resumed run begins: those after its checkpoint will come again.
    pub(crate) fn write_lines(&self, log: &[LogEntry]) -> Result<(), TrainError> {
        let lines: String = log.iter().map(|entry| format!("{}\n", Value::Object(entry.clone()))).collect();
        self.write("metrics.jsonl", lines.as_bytes())
    }

    /// Adds a line.
    pub(crate) fn add_line(&self, entry: &LogEntry) -> Result<(), TrainError> {
        let path = self.folder.join("metrics.jsonl");
        let line = format!("{}\n", Value::Object(entry.clone()));
        let write = || File::options().create(true).append(true).open(&path)?.write_all(line.as_bytes());
        write().map_err(TrainError::io(&path))
    }

    /// Removes what a finished run needs no more.
    pub(crate) fn finish(self) -> Result<(), TrainError> {
        self.claim.release()
    }
}

fn named<'a>(prefix: &str, parameters: &'a Parameters) -> Vec<(String, Numbers<'a>)> {
    let tensor = |(tensor, numbers): (&vulnlens_encoder::training::TensorSpec, &'a [f32])| {
        (format!("{prefix}{}", tensor.name), Numbers { shape: tensor.shape.clone(), numbers })
    };
    parameters.iter().map(tensor).collect()
}

fn read(weights: &Weights, prefix: &str, parameters: &mut Parameters) -> Result<(), TrainError> {
    let table = parameters.table().clone();
    for tensor in table.tensors() {
        let numbers = weights.f32(&format!("{prefix}{}", tensor.name), &tensor.shape)?;
        if let Some(place) = parameters.get_mut(&tensor.name) {
            place.copy_from_slice(&numbers);
        }
    }
    Ok(())
}

/// What `trainer_state.json` says beside the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrainerState {
    pub(crate) best: Option<(u64, f64)>,
    pub(crate) epoch: f64,
    pub(crate) step: u64,
    pub(crate) steps: u64,
    pub(crate) epochs: u64,
    pub(crate) evaluate_every: u64,
    pub(crate) save_every: u64,
    pub(crate) log_every: u64,
    pub(crate) batch: usize,
    pub(crate) tokens: u64,
}

impl TrainerState {
    fn json(&self, log: &[LogEntry]) -> Value {
        json!({
            "best_global_step": self.best.map(|best| best.0),
            "best_metric": self.best.map(|best| best.1),
            "best_model_checkpoint": null,
            "epoch": self.epoch,
            "eval_steps": self.evaluate_every,
            "global_step": self.step,
            "is_hyper_param_search": false,
            "is_local_process_zero": true,
            "is_world_process_zero": true,
            "log_history": log,
            "logging_steps": self.log_every,
            "max_steps": self.steps,
            "num_input_tokens_seen": self.tokens,
            "num_train_epochs": self.epochs,
            "save_steps": self.save_every,
            "stateful_callbacks": {},
            "total_flos": 0.0,
            "train_batch_size": self.batch,
            "trial_name": null,
            "trial_params": null,
        })
    }
}
