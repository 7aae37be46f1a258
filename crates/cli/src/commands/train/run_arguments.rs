//! Arguments and steps that `train mlm` and `train encoder` share: data, folders, the start and the end of a run.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use vulnlens::FoundModel;
use vulnlens_evaluation::{Example, Split};
use vulnlens_train::Description;
use vulnlens_train::TrainError;
use vulnlens_train::encoder::{Control, Ending, NetworkSize, Start};

use super::progress::Progress;
use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::find;
use crate::options::{THREADS, thread_count, threads};
use crate::signals;
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// Data, folder, seed.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// A data set that `data build` made
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// The folder that the model goes to; checkpoints and logs of the run stand in it, too
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) out: PathBuf,

    /// The split whose training part is trained on
    #[arg(long, value_parser = data_set::split(), value_name = "SPLIT", default_value = "random")]
    pub(crate) split: Split,

    /// Go on from the folder's checkpoint, if there is one: to the same bits as without the break
    #[arg(long)]
    resume: bool,

    /// Put the record's year before each text
    #[arg(long)]
    pub(crate) year: bool,

    /// The name that the model card states [default: the folder's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Seed of every random choice
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Threads [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,
}

/// The network to begin with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct StartArguments {
    /// A checkpoint to begin with: a folder, or an id of the Hugging Face hub
    #[arg(long, value_name = "FOLDER|ID", conflicts_with = "tokenizer")]
    from: Option<String>,

    /// The tokenizer of a new network: a folder that `train tokenizer` made
    #[arg(long, value_name = "FOLDER", required_unless_present = "from")]
    tokenizer: Option<PathBuf>,

    /// Layers of a new network
    #[arg(long, value_name = "N", default_value_t = 4)]
    layers: usize,

    /// Width of a new network
    #[arg(long, value_name = "N", default_value_t = 256)]
    hidden: usize,

    /// Attention heads of a new network [default: one for each 64 of the width]
    #[arg(long, value_name = "N")]
    heads: Option<usize>,

    /// Width within a layer of a new network [default: four times the width]
    #[arg(long, value_name = "N")]
    intermediate: Option<usize>,

    /// Tokens of the longest text that a new network can ever read
    #[arg(long, value_name = "N", default_value_t = 512)]
    positions: usize,
}

impl StartArguments {
    pub(crate) fn start(&self, terminal: &Terminal) -> Result<Start, Failure> {
        if let Some(name) = &self.from {
            return match find(name, terminal)? {
                FoundModel::Folder(folder) => Ok(Start::Checkpoint(folder.path().to_owned())),
                _ => {
                    let failure = Failure::new(Kind::Unavailable, format!("{name}: is not a checkpoint"));
                    Err(failure.hint("give the folder of a checkpoint, or an id of the hub"))
                }
            };
        }
        let size = NetworkSize {
            layers: self.layers,
            hidden: self.hidden,
            heads: self.heads.unwrap_or((self.hidden / 64).max(1)),
            intermediate: self.intermediate.unwrap_or(4 * self.hidden),
            positions: self.positions,
        };
        Ok(Start::New(self.tokenizer.clone().unwrap_or_default(), size))
    }
}

/// A run that can begin.
pub(crate) struct Run<'a> {
    arguments: &'a RunArguments,
    pub(crate) examples: Vec<Example>,
    pub(crate) about: Description,
    terminal: &'a Terminal,
}

impl RunArguments {
    pub(crate) fn open<'a>(&'a self, terminal: &'a Terminal) -> Result<Run<'a>, Failure> {
        let data = data_set::read(&self.data)?;
        let folder = std::path::absolute(&self.out).ok();
        let folder = folder.as_deref().and_then(|path| path.file_name()).unwrap_or_default();
        let about = Description {
            held_out_styles: vec![],
            name: self.name.clone().unwrap_or_else(|| folder.to_string_lossy().into_owned()),
            data: data.name.clone(),
            data_sha256: data.sha256.clone(),
            split: self.split.name().to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Ok(Run { arguments: self, examples: data.examples(self.split), about, terminal })
    }
}

impl Run<'_> {
    /// Runs with signals caught and progress shown.
    pub(crate) fn watched<T: Send>(
        &self,
        work: impl FnOnce(Control<'_>, &Progress<'_>) -> Result<T, TrainError> + Send,
    ) -> Result<T, Failure> {
        let stop = signals::stop_flag();
        let progress = Progress::new(self.terminal);
        let control = Control { observer: &progress, stop: &stop, resume: self.arguments.resume };
        let ending = on_threads(threads(self.arguments.threads), || work(control, &progress))?;
        progress.finish();
        Ok(ending?)
    }

    /// Trains, and says how it ended.
    pub(crate) fn train(
        &self,
        train: impl FnOnce(Control<'_>) -> Result<Ending, TrainError> + Send,
    ) -> Result<(), Failure> {
        match self.watched(|control, _| train(control))? {
            Ending::Finished { steps: 0, .. } => {
                let out = self.arguments.out.display();
                self.terminal.note(&format!("{out}: the run is finished; there is nothing to do"));
                Ok(())
            }
            Ending::Finished { steps, best } => {
                let best = best.and_then(|entry| entry.get("step").cloned());
                let kept = best.map_or(String::new(), |step| format!(", the parameters of step {step}"));
                let out = self.arguments.out.display();
                self.terminal.note(&format!("{out}: {steps} updates{kept}"));
                Ok(())
            }
            Ending::Stopped { step, steps } => {
                let failure =
                    Failure::new(Kind::Interrupted, format!("stopped after step {step} of {steps}"));
                Err(failure.hint("give the same command with --resume to go on"))
            }
        }
    }
}
