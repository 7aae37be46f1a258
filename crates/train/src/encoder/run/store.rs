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
/// The file of a finished folder that says of which run it is.
const IDENTITY: &str = "run.json";
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
    /// Takes a folder for the run of this identity. `resume`: goes on from its checkpoint, if there is one; `None` if that
    /// run is finished.
    pub(crate) fn open(folder: &Path, resume: bool, identity: Identity) -> Result<Option<Self>, TrainError> {
        let lock = FolderLock::take(folder)?;
        if folder.join("config.json").exists() {
            lock.release()?;
            return check_finished(folder, resume, &identity).map(|()| None);
        }
        let has_checkpoint = lock.run.join(CHECKPOINT).is_file();
        if has_checkpoint && !resume {
            let fix = "resume it, or give another folder";
            return Err(TrainError::taken(folder, "holds an unfinished run", fix));
        }
        let store = Self { folder: folder.to_owned(), lock, identity, has_checkpoint };
        store.remove_remains()?;
        Ok(Some(store))
    }

    /// Writes the identity of the run, by which a finished folder is known again.
    pub(crate) fn write_identity(&self) -> Result<(), TrainError> {
        self.write(IDENTITY, format!("{:#}\n", serde_json::json!(self.identity)).as_bytes())
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
            return Err(TrainError::taken(&path, problem, "resume with the same, or give another folder"));
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

/// Checks that the finished model of a folder is that of the run which is to be resumed.
fn check_finished(folder: &Path, resume: bool, identity: &Identity) -> Result<(), TrainError> {
    let found = fs::read(folder.join(IDENTITY)).ok();
    let found: Option<Identity> = found.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let difference = match found.filter(|_| resume) {
        None => String::new(),
        Some(found) => match identity.difference(&found) {
            None => return Ok(()),
            Some(what) => format!(" with another {what}"),
        },
    };
    let problem = format!("holds a finished model{difference}");
    Err(TrainError::taken(folder, problem, "give another folder"))
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
