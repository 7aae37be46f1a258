//! `evaluate`: the tables that a model, or a peer, is judged by.

mod candidate;

use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use vulnlens::encoder::LoadOptions;
use vulnlens::model::TaxonomyVersions;
use vulnlens::{KnowledgeBase, NgramModel};
use vulnlens_train::ngram::Decisions;
use vulnlens_train::{
    Calibration, Detail, Evaluation, EvaluationRun, Example, PUBLISHED_TASKS, Part, PeerScores,
    RecordedLogits, SCHEMA_VERSION, SetScores, calibrate, calibrate_as_given, choose_combination, combined,
    evaluate, tables,
};

use self::candidate::Candidate;
use super::train::{Fit, SettingArguments, failure};
use crate::arguments::{thread_count, threads};
use crate::failure::{Failure, Kind};
use crate::lens::{self, KnowledgeBaseArguments};
use crate::model::PrecisionName;
use crate::output::{Output, print_text};
use crate::terminal::Terminal;
use crate::training_data::{SplitName, TrainingData, on_threads};

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
    /// encoders that were trained on CWE sets
    #[arg(long, value_name = "NAME|FILE|FOLDER", num_args = 1..)]
    model: Vec<String>,

    /// Two models as one: their answers are averaged, in probabilities or logarithms and with the weights that make the
    /// validation labels most likely; called NAME, if that is given
    #[arg(long, value_name = "[NAME=]MODEL,MODEL", num_args = 1.., value_parser = two)]
    combine: Vec<Combined>,

    /// How encoders compute
    #[arg(long, value_enum, value_name = "PRECISION", default_value_t)]
    precision: PrecisionName,

    /// Fit models on the training parts, and evaluate them
    #[arg(long)]
    fit: bool,

    /// Seeds of the fits
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,2,3", requires = "fit")]
    seeds: Vec<u64>,

    /// A folder where fitted models are kept; those that are there already are not fitted again
    #[arg(long, value_name = "FOLDER", requires = "fit")]
    keep: Option<PathBuf>,

    /// A peer's answers: its name, and a folder with `SPLIT-validation.jsonl` and `SPLIT-test.jsonl`
    #[arg(long, value_name = "NAME=FOLDER", value_parser = peer)]
    peer: Vec<(String, PathBuf)>,

    /// Splits to evaluate on
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST", default_value = "random,temporal")]
    split: Vec<SplitName>,

    /// The part to evaluate on
    #[arg(long, value_enum, value_name = "PART", default_value_t)]
    part: PartName,

    /// Write all figures as JSON
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Leave the figures of single labels out of the JSON
    #[arg(long, requires = "out")]
    summary: bool,

    /// Print the headline figures alone
    #[arg(long)]
    headline: bool,

    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    settings: SettingArguments,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

/// Parts that can be evaluated on.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum PartName {
    /// For choosing settings
    Validation,
    /// For publishing, once
    #[default]
    Test,
}

impl PartName {
    pub(crate) fn part(self) -> Part {
        match self {
            Self::Validation => Part::Validation,
            Self::Test => Part::Test,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

fn peer(text: &str) -> Result<(String, PathBuf), &'static str> {
    let (name, folder) = text.split_once('=').ok_or("expected NAME=FOLDER")?;
    Ok((name.to_owned(), PathBuf::from(folder)))
}

/// Two models that are evaluated as one.
#[derive(Debug, Clone)]
struct Combined {
    name: Option<String>,
    first: String,
    second: String,
}

fn two(text: &str) -> Result<Combined, &'static str> {
    let (name, models) = match text.split_once('=') {
        Some((name, models)) => (Some(name.to_owned()), models),
        None => (None, text),
    };
    let (first, second) = models.split_once(',').ok_or("expected two models as MODEL,MODEL")?;
    Ok(Combined { name, first: first.to_owned(), second: second.to_owned() })
}

pub(crate) fn run(arguments: &EvaluateArguments, terminal: &Terminal) -> Result<(), Failure> {
    let models = arguments.model.len() + arguments.combine.len();
    if models == 0 && !arguments.fit && arguments.peer.is_empty() {
        let failure = Failure::new(Kind::Arguments, "there is nothing to evaluate");
        return Err(failure.hint("name models by --model, a peer's answers by --peer, or give --fit"));
    }
    if let Some(split) =
        arguments.split.iter().find(|split| matches!(split, SplitName::All | SplitName::Both))
    {
        let message = format!("the split `{}` has no part to evaluate on", split.name());
        let failure = Failure::new(Kind::Arguments, message);
        return Err(failure.hint("evaluate on `random`, `temporal` or both"));
    }
    let kb = arguments.kb.load(terminal)?;
    check_before_work(arguments, &kb, terminal)?;
    let mut output = arguments.out.as_deref().map(|path| Output::open(Some(path))).transpose()?;
    let data = TrainingData::read(&arguments.data)?;
    let session = Session { arguments, terminal, kb: &kb, data: &data };
    let mut runs = vec![];
    for &split in &arguments.split {
        runs.extend(session.split(split)?);
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
    if let Some(output) = output.take() {
        write_json(output, if arguments.summary { evaluation.summary() } else { evaluation })?;
    }
    print_text(&text)
}

/// What would fail after hours of fitting is looked at before.
fn check_before_work(
    arguments: &EvaluateArguments,
    kb: &KnowledgeBase,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let combined = arguments.combine.iter().flat_map(|combined| [&combined.first, &combined.second]);
    for name in arguments.model.iter().chain(combined) {
        Candidate::open(name, &LoadOptions::default(), 1, kb, terminal)?;
    }
    if let Some(folder) = &arguments.keep {
        let refused = |error| Failure::output(&folder.display().to_string(), &error);
        std::fs::create_dir_all(folder).map_err(refused)?;
    }
    for (_, folder) in &arguments.peer {
        for split in &arguments.split {
            for part in ["validation", arguments.part.name()] {
                open_peer(&peer_file(folder, *split, part))?;
            }
        }
    }
    Ok(())
}

fn write_json(mut output: Output, evaluation: Evaluation) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&evaluation)
        .map_err(|error| Failure::new(Kind::Failed, error.to_string()))?;
    output.data((text + "\n").as_bytes())?;
    output.finish()
}

struct Session<'a> {
    arguments: &'a EvaluateArguments,
    terminal: &'a Terminal,
    kb: &'a KnowledgeBase,
    data: &'a TrainingData,
}

impl Session<'_> {
    /// Everything that is asked for on one split.
    fn split(&self, split: SplitName) -> Result<Vec<EvaluationRun>, Failure> {
        let examples = self.data.examples(split);
        let mut runs = vec![];
        for name in &self.arguments.model {
            let model = self.open(name)?;
            if self.is_for(name, &model, split) {
                runs.push(self.candidate(&model, split, &examples)?);
            }
        }
        if self.arguments.fit {
            for &seed in &self.arguments.seeds {
                let model = Candidate::Ngram(Box::new(self.fitted(split, seed)?));
                runs.push(self.candidate(&model, split, &examples)?);
            }
        }
        for Combined { name, first, second } in &self.arguments.combine {
            let models = [self.open(first)?, self.open(second)?];
            let [of_first, of_second] = [(first, &models[0]), (second, &models[1])]
                .map(|(name, model)| self.is_for(name, model, split));
            if of_first && of_second {
                runs.push(self.combined(name.as_deref(), &models, split, &examples)?);
            }
        }
        for (name, folder) in &self.arguments.peer {
            runs.push(self.peer(name, folder, split, &examples)?);
        }
        Ok(runs)
    }

    /// The model of one split and seed, fitted now or before.
    fn fitted(&self, split: SplitName, seed: u64) -> Result<NgramModel, Failure> {
        let settings = self.arguments.settings.resolve(seed)?;
        let kept = self
            .arguments
            .keep
            .as_ref()
            .map(|folder| folder.join(format!("fast-{}-{seed}.safetensors", split.name())));
        if let Some(path) = kept.as_ref().filter(|path| path.exists()) {
            let model = lens::model(&path.to_string_lossy())?;
            let about = &model.header().provenance;
            let same =
                about.settings == settings.to_map() && about.seed == seed && about.split == split.name();
            let taxonomies = TaxonomyVersions::of(self.kb);
            if same && about.data_sha256 == self.data.sha256 && model.header().taxonomies == taxonomies {
                return Ok(model);
            }
            self.terminal.warn(&format!("{} has other settings or data; fitting anew", path.display()));
        }
        self.terminal.note(&format!("fitting on the {} split, seed {seed}", split.name()));
        let decisions = Decisions::Validation;
        let fit = Fit { data: self.data, split, name: "fast", settings, decisions };
        let bytes = fit.run(&self.arguments.kb, threads(self.arguments.threads), self.terminal)?;
        if let Some(path) = kept {
            let mut output = Output::open(Some(&path))?;
            output.data(&bytes)?;
            output.finish()?;
        }
        NgramModel::from_bytes(&bytes).map_err(|error| Failure::new(Kind::Failed, error.to_string()))
    }

    fn open(&self, name: &str) -> Result<Candidate, Failure> {
        let options = LoadOptions { precision: self.arguments.precision.into(), ..LoadOptions::default() };
        Candidate::open(name, &options, threads(self.arguments.threads), self.kb, self.terminal)
    }

    /// Whether a model is evaluated on `split`: where several are asked for, only on the one that it was fitted on, if
    /// that is among them.
    fn is_for(&self, name: &str, model: &Candidate, split: SplitName) -> bool {
        if model.split() == split.name() {
            return true;
        }
        let has_own = self.arguments.split.iter().any(|asked| asked.name() == model.split());
        if !has_own {
            self.terminal.warn(&format!(
                "{name} was fitted on {:?}, so its figures on the {} split prove nothing",
                model.split(),
                split.name()
            ));
        }
        !has_own
    }

    fn candidate(
        &self,
        model: &Candidate,
        split: SplitName,
        examples: &[Example],
    ) -> Result<EvaluationRun, Failure> {
        let calibration = model.calibration();
        let figures = match model {
            Candidate::Ngram(ngram) => self.figures(&**ngram, &calibration, split, examples)?,
            Candidate::Encoder(_) => {
                let rows = labelled(examples, self.arguments.part.part());
                self.figures(&model.record(&rows), &calibration, split, examples)?
            }
        };
        Ok(EvaluationRun {
            system: model.name().to_owned(),
            revision: Some(model.revision().to_owned()),
            seed: Some(model.seed()),
            seen_in_training: model.split() != split.name(),
            ..figures
        })
    }

    /// Two models as one: weights, temperature and rules are chosen on the validation part.
    fn combined(
        &self,
        name: Option<&str>,
        [first, second]: &[Candidate; 2],
        split: SplitName,
        examples: &[Example],
    ) -> Result<EvaluationRun, Failure> {
        let temperatures = [first, second].map(|model| model.calibration().temperature);
        let on = |part: Part| {
            let rows = labelled(examples, part);
            [first, second].map(|model| model.record(&rows))
        };
        let threads = threads(self.arguments.threads);
        let validation = on(Part::Validation);
        let [a, b] = tempered(&validation, temperatures);
        let chosen = on_threads(threads, || {
            let way = choose_combination(a, b, examples)?;
            Ok((way, calibrate(&combined(way, a, b), self.kb, examples)?))
        })?;
        let (way, calibration) = chosen.map_err(failure)?;
        let scored = match self.arguments.part.part() {
            Part::Validation => validation,
            part => on(part),
        };
        let [a, b] = tempered(&scored, temperatures);
        let scores = on_threads(threads, || combined(way, a, b))?;
        let made_of = way.described(first.name(), second.name());
        Ok(EvaluationRun {
            system: name.map_or_else(|| made_of.clone(), str::to_owned),
            combination: Some(made_of),
            seen_in_training: [first, second].iter().any(|model| model.split() != split.name()),
            ..self.figures(&scores, &calibration, split, examples)?
        })
    }

    fn peer(
        &self,
        name: &str,
        folder: &Path,
        split: SplitName,
        examples: &[Example],
    ) -> Result<EvaluationRun, Failure> {
        let answers = |part: &str| peer_scores(&peer_file(folder, split, part));
        let validation = answers("validation")?;
        let threads = threads(self.arguments.threads);
        let calibration = on_threads(threads, || self.peer_calibration(&validation, examples))??;
        let scores = answers(self.arguments.part.name())?;
        let part = self.arguments.part.part();
        let unanswered =
            examples.iter().filter(|e| e.part == part && e.is_labelled() && !scores.answers(e.id)).count();
        if unanswered > 0 {
            self.terminal.warn(&format!("{name} has no answer for {unanswered} rows"));
        }
        let run = self.figures(&scores, &calibration, split, examples)?;
        Ok(EvaluationRun { system: name.to_owned(), ..run })
    }

    /// A peer's probabilities are taken as given or tempered, whichever answers the validation part
    /// better over all tasks.
    fn peer_calibration(&self, scores: &PeerScores, examples: &[Example]) -> Result<Calibration, Failure> {
        let micro_f1 = |calibration: &Calibration| {
            let tasks = evaluate(scores, calibration, self.kb, examples, Part::Validation, &PUBLISHED_TASKS);
            tasks.map(|tasks| tasks.iter().map(|task| task.table.micro_f1).sum::<f64>())
        };
        let tempered = calibrate(scores, self.kb, examples).map_err(failure)?;
        let given = calibrate_as_given(scores, self.kb, examples).map_err(failure)?;
        let better = micro_f1(&tempered).map_err(failure)? > micro_f1(&given).map_err(failure)?;
        Ok(if better { tempered } else { given })
    }

    fn figures(
        &self,
        scores: &impl SetScores,
        calibration: &Calibration,
        split: SplitName,
        examples: &[Example],
    ) -> Result<EvaluationRun, Failure> {
        let part = self.arguments.part;
        let work = || evaluate(scores, calibration, self.kb, examples, part.part(), &PUBLISHED_TASKS);
        let tasks = on_threads(threads(self.arguments.threads), work)?.map_err(failure)?;
        Ok(EvaluationRun {
            system: String::new(),
            combination: None,
            revision: None,
            seed: None,
            split: split.name().to_owned(),
            part: part.name().to_owned(),
            seen_in_training: false,
            tasks,
        })
    }
}

/// The rows of a part that have a label.
fn labelled(examples: &[Example], part: Part) -> Vec<&Example> {
    examples.iter().filter(|example| example.part == part && example.is_labelled()).collect()
}

fn tempered<'a>(
    [a, b]: &'a [RecordedLogits<'static>; 2],
    temperatures: [f32; 2],
) -> [vulnlens_train::Tempered<'a>; 2] {
    [(a, temperatures[0]), (b, temperatures[1])]
}

/// Where a peer's answers to one part of a split stand.
fn peer_file(folder: &Path, split: SplitName, part: &str) -> PathBuf {
    folder.join(format!("{}-{part}.jsonl", split.name()))
}

fn peer_scores(path: &Path) -> Result<PeerScores, Failure> {
    let name = path.display().to_string();
    let file = open_peer(path)?;
    PeerScores::read(BufReader::new(file), &name)
        .map_err(|error| Failure::new(Kind::Unavailable, error.to_string()))
}

fn open_peer(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        Failure::new(Kind::Unavailable, format!("{}: cannot be read: {error}", path.display()))
            .hint("a peer's folder holds SPLIT-validation.jsonl and SPLIT-test.jsonl")
    })
}
