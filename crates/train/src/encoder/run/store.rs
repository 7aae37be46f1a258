//! The folder of a run: checkpoints, logs and the files of the model.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vulnlens_encoder::Weights;
use vulnlens_encoder::training::{AdamW, Moments, Parameters};
use vulnlens_files::{UNFINISHED_PREFIX, WholeFile, write_tensors};

use super::curves;
use super::identity::Identity;
use super::lock::FolderLock;
use super::state::{LogEntry, State};
use super::trainer_state::TrainerState;
use crate::encoder::whole_file::{Numbers, write_whole};
use crate::error::TrainError;

const CHECKPOINT: &str = "checkpoint.safetensors";
const BEST: &str = "best.safetensors";
/// The metadata's key.
const KEY: &str = "vulnlens";

/// The folder of a run.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    lock: FolderLock,
    identity: Identity,
    has_checkpoint: bool,
}

/// The metadata of a checkpoint.
#[derive(Serialize, Deserialize)]
struct Saved {
    identity: Identity,
    state: State,
}

impl Store {
    /// Takes a folder for a run. `resume`: goes on from its checkpoint, if there is one.
    pub(crate) fn open(folder: &Path, resume: bool) -> Result<Self, TrainError> {
        let lock = FolderLock::take(folder)?;
        let has_checkpoint = lock.run.join(CHECKPOINT).is_file();
        let refused = |problem: &str, fix: &str| Err(TrainError::refused(folder, problem, fix));
        if folder.join("config.json").exists() {
            return refused("holds a finished model", "give another folder");
        }
        if has_checkpoint && !resume {
            return refused("holds an unfinished run", "resume it, or give another folder");
        }
        let store = Self { folder: folder.to_owned(), lock, identity: Identity::default(), has_checkpoint };
        store.remove_remains()?;
        Ok(store)
    }

    /// Sets the identity of the run.
    pub(crate) fn set_identity(&mut self, identity: Identity) {
        self.identity = identity;
    }

    /// Removes the half-written files of a run that was killed.
    fn remove_remains(&self) -> Result<(), TrainError> {
        for entry in fs::read_dir(&self.lock.run).map_err(TrainError::io(&self.lock.run))? {
            let path = entry.map_err(TrainError::io(&self.lock.run))?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED_PREFIX)) {
                fs::remove_file(&path).map_err(TrainError::io(&path))?;
            }
        }
        Ok(())
    }

    /// Writes a file of the model's folder.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
        let path = self.folder.join(name);
        write_whole(&self.lock.run, &path, |file| file.write_all(bytes)).map_err(TrainError::io(&path))
    }

    /// Writes parameters as Hugging Face's weights.
    pub(crate) fn write_model(&self, parameters: &Parameters) -> Result<(), TrainError> {
        let path = self.folder.join("model.safetensors");
        let write =
            |file: &mut WholeFile| write_tensors(file, ("format", "pt".to_owned()), named("", parameters));
        write_whole(&self.lock.run, &path, write).map_err(TrainError::io(&path))
    }

    /// Writes the whole state of a run.
    pub(crate) fn save(
        &mut self,
        parameters: &Parameters,
        optimizer: &AdamW,
        state: &State,
    ) -> Result<(), TrainError> {
        let path = self.lock.run.join(CHECKPOINT);
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
        let write = |file: &mut WholeFile| write_tensors(file, (KEY, json), tensors);
        write_whole(&self.lock.run, &path, write).map_err(|error| failed(error.to_string(), self))?;
        self.has_checkpoint = true;
        Ok(())
    }

    /// Reads the checkpoint, if there is one, into a network's parameters and optimiser.
    pub(crate) fn load(
        &self,
        parameters: &mut Parameters,
        optimizer: &mut AdamW,
    ) -> Result<Option<State>, TrainError> {
        let path = self.lock.run.join(CHECKPOINT);
        if !self.has_checkpoint {
            return Ok(None);
        }
        let weights = Weights::open(&path)?;
        let damaged =
            || TrainError::refused(&path, "is not a checkpoint of a run", "remove it to begin anew");
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
        let of = |prefix: &str, initial: &[Vec<f32>]| -> Result<Vec<Vec<f32>>, TrainError> {
            let tensors = table.tensors().iter().zip(initial);
            let numbers = tensors.map(|(tensor, initial)| match initial.len() {
                0 => Ok(vec![]),
                _ => Ok(weights.f32(&format!("{prefix}{}", tensor.name), &tensor.shape)?.to_vec()),
            });
            numbers.collect()
        };
        let initial = optimizer.moments();
        let moments = Moments {
            steps: saved.state.updates,
            first: of("m:", &initial.first)?,
            second: of("v:", &initial.second)?,
        };
        optimizer.resume(moments).map_err(|_| damaged())?;
        Ok(Some(saved.state))
    }

    /// Keeps the parameters of the best evaluation.
    pub(crate) fn save_best(&self, parameters: &Parameters, step: u64) -> Result<(), TrainError> {
        let path = self.lock.run.join(BEST);
        let write =
            |file: &mut WholeFile| write_tensors(file, (KEY, step.to_string()), named("", parameters));
        let failed = |error: std::io::Error| TrainError::Save {
            file: path.clone(),
            step,
            problem: error.to_string(),
            kept: self.kept(),
        };
        write_whole(&self.lock.run, &path, write).map_err(failed)
    }

    /// Brings the best evaluation's parameters back.
    pub(crate) fn load_best(&self, parameters: &mut Parameters, step: u64) -> Result<(), TrainError> {
        let path = self.lock.run.join(BEST);
        let weights = Weights::open(&path)?;
        if weights.metadata().get(KEY) != Some(&step.to_string()) {
            let problem = format!("does not hold the parameters of step {step}");
            return Err(TrainError::refused(&path, problem, "begin the run anew"));
        }
        read(&weights, "", parameters)
    }

    /// The remains of the run if it ends now, in words.
    pub(crate) fn kept(&self) -> String {
        if self.has_checkpoint {
            format!("the checkpoint before it is kept in {}", self.lock.run.display())
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

    /// Removes the files that only an unfinished run needs.
    pub(crate) fn finish(self) -> Result<(), TrainError> {
        self.lock.release()
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
