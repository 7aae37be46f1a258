//! `evaluate`: the tables that a model, or a peer, is judged by.

mod fitted;
mod peer;
mod written;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use vulnlens::encoder::LoadOptions;
use vulnlens::model::TaxonomyVersions;
use vulnlens::{Classifier, KnowledgeBase, Network};
use vulnlens_evaluation::{
    DataSet, Detail, Evaluation, EvaluationError, EvaluationRun, Figure, NetworkScores, Part, SCHEMA_VERSION,
    Session, Split, WrittenAnswers, figures, tables,
};
use vulnlens_files::FileError;
use vulnlens_train::ngram::Settings;

use self::fitted::Fits;
use self::peer::Peer;
use self::written::Written;
use super::train::FIT;
use crate::checkpoint_arguments::CheckpointArguments;
use crate::choice::one_of;
use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::{self, KnowledgeBaseArguments};
use crate::options::{THREADS, thread_count, threads};
use crate::output::{Output, json, print_text};
use crate::settings::SettingArguments;
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// Evaluate models, fits of them, or a peer's answers on a data set
///
/// Prints tables in Markdown: each task is scored on the records that have a label of it. Thresholds and temperature
/// are those of the model's file; a peer's are fitted on its validation answers by the same rule.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// A data set that `data build` made
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// Models to evaluate, each on the split that it was fitted on: `fast`, `accurate`; model files; folders of
    /// checkpoints, or files in them; ids of the Hugging Face hub. Checkpoints that score labels of their own are judged
    /// by the tasks that they have labels of
    #[arg(long, value_name = "NAME|FILE|FOLDER|ID", num_args = 1..)]
    model: Vec<String>,

    /// Two models as one: their answers are averaged, in probabilities or logarithms and with the weights that make the
    /// validation labels most likely; called NAME, if that is given
    #[arg(long, value_name = "[NAME=]MODEL,MODEL", num_args = 1.., value_parser = Combined::parse)]
    combine: Vec<Combined>,

    #[command(flatten)]
    checkpoint: CheckpointArguments,

    /// Fit models on the training parts, and evaluate them
    #[arg(long)]
    fit: bool,

    /// Seeds of the fits
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,2,3", requires = "fit")]
    seeds: Vec<u64>,

    /// A folder where fitted models are kept; those that are there already are not fitted again
    #[arg(long, value_name = "FOLDER", requires = "fit")]
    keep: Option<PathBuf>,

    /// Styles of texts that are left out of the fits, to be judged on
    #[arg(long, value_name = "STYLE", num_args = 1.., value_delimiter = ',', requires = "fit")]
    held_out_styles: Vec<String>,

    /// A peer's answers: its name, and a folder with `SPLIT-validation.jsonl` and `SPLIT-test.jsonl`
    #[arg(long, value_name = "NAME=FOLDER", value_parser = Peer::parse)]
    peer: Vec<Peer>,

    /// Answers that were written as record output, by `prompt`, `classify` or another program: a name, and a file of JSON
    /// Lines or Parquet. They are judged by what they list and mark as predicted
    #[arg(long, value_name = "NAME=FILE", num_args = 1.., value_parser = Written::parse)]
    answers: Vec<Written>,

    /// Judge all systems on the records alone that every file of --answers answers
    #[arg(long, requires = "answers")]
    answered_only: bool,

    /// Splits to evaluate on
    #[arg(long, value_parser = data_set::split(), value_delimiter = ',', value_name = "LIST", default_value = "random,temporal")]
    split: Vec<Split>,

    /// The part to evaluate on
    #[arg(long, value_parser = one_of(&Part::EVALUATED, Part::name, Part::help), value_name = "PART", default_value = Part::Test.name())]
    part: Part,

    /// Write all figures as JSON
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Leave the figures of single labels and the points of curves out of the JSON
    #[arg(long, requires = "out")]
    summary: bool,

    /// Draw reliability, risk against coverage, F1 over the threshold and of each label over its support, confusions
    /// among siblings, and figures by year as SVG, into this folder
    #[arg(long, value_name = "FOLDER")]
    figures: Option<PathBuf>,

    /// Print the headline figures alone
    #[arg(long)]
    headline: bool,

    /// Threads [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten, next_help_heading = FIT)]
    settings: SettingArguments<Settings>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

/// Two models that are evaluated as one.
#[derive(Debug, Clone)]
struct Combined {
    name: Option<String>,
    first: String,
    second: String,
}

impl Combined {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, models) = match text.split_once('=') {
            Some((name, models)) => (Some(name.to_owned()), models),
            None => (None, text),
        };
        let (first, second) = models.split_once(',').ok_or("expected two models as MODEL,MODEL")?;
        Ok(Self { name, first: first.to_owned(), second: second.to_owned() })
    }
}

pub(crate) fn run(arguments: &EvaluateArguments, terminal: &Terminal) -> Result<(), Failure> {
    check(arguments)?;
    let kb = arguments.kb.load(terminal)?;
    let written = arguments.answers.iter().map(|written| written.read(&kb)).collect::<Result<Vec<_>, _>>()?;
    let command = Command { arguments, kb: &kb, written, threads: threads(arguments.threads), terminal };
    command.check_before_work()?;
    let mut output = arguments.out.as_deref().map(|path| Output::open(Some(path))).transpose()?;
    let data = data_set::read(&arguments.data)?;
    let mut runs = vec![];
    for &split in &arguments.split {
        runs.extend(command.split(&data, split)?);
    }
    let evaluation = Evaluation {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        data: data.name.clone(),
        data_sha256: data.sha256.clone(),
        labelled_rows: data.labelled_rows(),
        taxonomies: TaxonomyVersions::of(&kb),
        runs,
    };
    let detail = if arguments.headline { Detail::Headline } else { Detail::Full };
    let text = tables(&evaluation, detail);
    if let Some(folder) = &arguments.figures {
        write_figures(folder, &evaluation)?;
    }
    if let Some(output) = output.take() {
        write_json(output, if arguments.summary { evaluation.summary() } else { evaluation })?;
    }
    print_text(&text)
}

fn check(arguments: &EvaluateArguments) -> Result<(), Failure> {
    let models = arguments.model.len() + arguments.combine.len();
    if models == 0 && !arguments.fit && arguments.peer.is_empty() && arguments.answers.is_empty() {
        let failure = Failure::new(Kind::Arguments, "there is nothing to evaluate");
        return Err(failure.hint("name models by --model, a peer's answers by --peer, files of answers by --answers, or give --fit"));
    }
    if let Some(split) = arguments.split.iter().find(|split| !split.has_test_part()) {
        let message = format!("the split `{}` has no part to evaluate on", split.name());
        let failure = Failure::new(Kind::Arguments, message);
        return Err(failure.hint("evaluate on `random`, `temporal` or both"));
    }
    Ok(())
}

fn write_figures(folder: &Path, evaluation: &Evaluation) -> Result<(), Failure> {
    for Figure { file, svg } in figures(evaluation) {
        let mut output = Output::open(Some(&folder.join(file)))?;
        output.data(svg.as_bytes())?;
        output.finish()?;
    }
    Ok(())
}

fn write_json(mut output: Output, evaluation: Evaluation) -> Result<(), Failure> {
    output.data(&json(&evaluation)?)?;
    output.finish()
}

/// The command under way.
struct Command<'a> {
    arguments: &'a EvaluateArguments,
    kb: &'a KnowledgeBase,
    /// The answers of `--answers`, in their order.
    written: Vec<WrittenAnswers>,
    threads: usize,
    terminal: &'a Terminal,
}

impl Command<'_> {
    /// Looks first at what would fail after hours of fitting.
    fn check_before_work(&self) -> Result<(), Failure> {
        let Self { arguments, .. } = self;
        for name in &arguments.model {
            Session::check(&self.open(name, *self.terminal)?)?;
        }
        for name in arguments.combine.iter().flat_map(|combined| [&combined.first, &combined.second]) {
            scores(name, &self.open(name, *self.terminal)?)?;
        }
        for folder in [&arguments.keep, &arguments.figures].into_iter().flatten() {
            std::fs::create_dir_all(folder).map_err(FileError::write(folder))?;
        }
        for peer in &arguments.peer {
            for &split in &arguments.split {
                peer.check(split, Part::Validation)?;
                peer.check(split, arguments.part)?;
            }
        }
        Ok(())
    }

    /// Everything that is asked for on one split.
    fn split(&self, data: &DataSet, split: Split) -> Result<Vec<EvaluationRun>, Failure> {
        let Self { arguments, kb, written, threads, terminal } = self;
        let mut session = Session::new(kb, data, split, arguments.part);
        if arguments.answered_only {
            session = session.only(|id| written.iter().all(|answers| answers.answers(id)));
        }
        let session = session;
        let mut runs = vec![];
        for name in &arguments.model {
            let model = self.open(name, self.terminal.silent())?;
            if self.is_for(name, &**model.network(), split) {
                runs.extend(self.figures(|| session.model(&model))?);
            }
        }
        if arguments.fit {
            let (keep, settings) = (arguments.keep.as_deref(), &arguments.settings);
            let held_out_styles = arguments.held_out_styles.as_slice();
            let fits = Fits { data, kb, settings, held_out_styles, keep, threads: *threads, terminal };
            for &seed in &arguments.seeds {
                let model = Classifier::new(fits.model(split, seed)?, (*kb).clone());
                runs.extend(self.figures(|| session.model(&model))?);
            }
        }
        for Combined { name, first, second } in &arguments.combine {
            let open = |name| self.open(name, self.terminal.silent());
            let models = [open(first)?, open(second)?];
            let [of_first, of_second] = [(first, &models[0]), (second, &models[1])]
                .map(|(name, model)| self.is_for(name, &**model.network(), split));
            if of_first && of_second {
                let pair = [scores(first, &models[0])?, scores(second, &models[1])?];
                runs.push(self.figures(|| session.combination(name.as_deref(), pair))?);
            }
        }
        for peer in &arguments.peer {
            runs.push(self.peer(&session, peer, split)?);
        }
        for (Written { name, .. }, answers) in arguments.answers.iter().zip(written) {
            let unanswered = session.unwritten(answers);
            if unanswered > 0 {
                self.terminal
                    .warn(&format!("{name} has no answer for {unanswered} rows; they count as wrong"));
            }
            runs.push(self.figures(|| session.written(name, answers))?);
        }
        Ok(runs)
    }

    fn peer(&self, session: &Session<'_>, peer: &Peer, split: Split) -> Result<EvaluationRun, Failure> {
        let validation = peer.read(split, Part::Validation)?;
        let scores = peer.read(split, self.arguments.part)?;
        let unanswered = session.unanswered(&scores);
        if unanswered > 0 {
            self.terminal.warn(&format!("{} has no answer for {unanswered} rows", peer.name));
        }
        self.figures(|| session.peer(&peer.name, &validation, &scores))
    }

    /// Evaluates on the command's threads.
    fn figures<T: Send>(
        &self,
        work: impl FnOnce() -> Result<T, EvaluationError> + Send,
    ) -> Result<T, Failure> {
        Ok(on_threads(self.threads, work)??)
    }

    /// The classifier of the model called `name`. Notices about it are told once, before the work.
    fn open(&self, name: &str, terminal: Terminal) -> Result<Classifier, Failure> {
        let settings = self.arguments.checkpoint.settings(LoadOptions::default())?;
        let settings = settings.knowledge_base(self.kb.clone()).threads(self.threads);
        model_arguments::open(name, settings, &terminal)
    }

    /// True when a model is evaluated on `split`: where several are asked for, only on the one that it was fitted on, if
    /// that is among them.
    fn is_for(&self, name: &str, model: &dyn Network, split: Split) -> bool {
        let Some(origin) = model.origin() else {
            let problem =
                "does not say what it was trained on, so it may have seen the rows that it is evaluated on";
            self.terminal.warn(&format!("{name} {problem}"));
            return true;
        };
        let fitted_on = origin.split;
        if fitted_on == split.name() {
            return true;
        }
        let has_own = self.arguments.split.iter().any(|asked| asked.name() == fitted_on);
        if !has_own {
            self.terminal.warn(&format!(
                "{name} was fitted on {fitted_on:?}, so its figures on the {} split prove nothing",
                split.name()
            ));
        }
        !has_own
    }
}

/// The distributions of the model called `name`, which is to answer together with another.
fn scores<'m>(name: &str, model: &'m Classifier) -> Result<NetworkScores<'m>, Failure> {
    NetworkScores::new(&**model.network()).ok_or_else(|| {
        let message = format!("{name}: its outputs are labels of their own, not CWE sets");
        let failure = Failure::new(Kind::Arguments, message);
        failure
            .hint("`--combine` takes n-gram models and what `train encoder` made with --objective cwe-sets")
    })
}
