//! `classify`: texts in, weaknesses, attack patterns and techniques out.

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use vulnlens::report::Run;
use vulnlens::{CveId, Input, LabelMode, Lens, Options, Taxonomies};
use vulnlens_corpus::{DatasetReader, InputFormat, Limits, RecordError, open_inputs};

use crate::arguments::threads;
use crate::failure::{Failure, Kind};
use crate::lens::{LensArguments, run_of};
use crate::output::Output;
use crate::record_format::{Answer, Answerer, RecordFormat, RecordOutput, Renderer};
use crate::stream::{self, Answered, Job};
use crate::terminal::{self, Terminal};

/// Labels of each taxonomy that a table shows unless told otherwise.
const TABLE_ROWS: usize = 5;
/// Longest record that is taken in; a longer one is reported, so that memory stays bounded.
const RECORD_BYTES: usize = 16 << 20;
/// Bad records that are told of one by one, unless `--verbose`.
const ERRORS_TOLD: u64 = 20;

/// Classify a text, a file of records or CVEs of a data set
///
/// Without TEXT, standard input is read. A terminal gets a short table, a file or a pipe gets one JSON object a
/// record; --format always wins. Input records need `description` (or `text`), and take `id` and `published`; the
/// year, which the answer depends on, is that of `published`, else of a CVE id, else the newest that the model knows.
/// The model reads the first 2,000 words of a text (and 64 KiB of it at most).
#[derive(Debug, Args)]
pub(crate) struct ClassifyArguments {
    /// The text; or a file, if there is one of that name; or `-` for standard input
    #[arg(group = "source")]
    text: Option<String>,

    /// A file of records, plain or gzip; `-` for standard input
    #[arg(short, long, value_name = "FILE", group = "source")]
    input: Option<PathBuf>,

    /// CVEs to look up in --data
    #[arg(long, value_name = "CVE", value_delimiter = ',', group = "source", requires = "data")]
    cve_id: Vec<CveId>,

    /// A data set that `data build` made
    #[arg(long, value_name = "FILE", requires = "cve_id")]
    data: Option<PathBuf>,

    /// The format of the records
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    input_format: InputFormatName,

    /// What is asked for
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST", default_value = "cwe,capec,attack")]
    taxonomy: Vec<TaxonomyName>,

    /// Which labels, and so what the probabilities mean
    #[arg(long, value_enum, value_name = "SPACE", default_value_t)]
    labels: LabelModeName,

    /// Labels of each taxonomy, the best: a number or `all` [default: 5 in a table, else all]
    #[arg(long, value_name = "N")]
    top_k: Option<TopK>,

    /// Least probability of a label that is listed; 0 lists every label of the space
    #[arg(long, value_name = "P", default_value = "0.05", value_parser = probability)]
    threshold: f32,

    /// How the records are written [default: table on a terminal, by --output's name, else jsonl]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    format: Option<RecordFormat>,

    /// Write to a file, which appears when it is whole
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Answer as of this year, whatever the record's
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1980..=2200))]
    as_of: Option<u16>,

    /// Threads that classify [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    lens: LensArguments,
}

/// Formats of input records.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum InputFormatName {
    /// By the name, or by the first bytes
    #[default]
    Auto,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
    /// Apache Parquet
    Parquet,
    /// One text a line
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TaxonomyName {
    /// Weaknesses
    Cwe,
    /// Attack patterns
    Capec,
    /// ATT&CK techniques
    Attack,
}

/// Label spaces.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum LabelModeName {
    /// What an analyst may use: CWE ids allowed for mapping, current ATT&CK ids
    #[default]
    Recommended,
    /// The reference system's: CWE with ancestors and categories, all CAPEC, the chain's ATT&CK; given that some label applies
    Reference,
    /// CWE ids as records assign them, no ancestors added
    Assigned,
}

/// How many labels: `all`, or a number from 1.
#[derive(Debug, Clone, Copy)]
struct TopK(Option<usize>);

impl FromStr for TopK {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "all" => Ok(Self(None)),
            Ok(0) | Err(_) => Err("expected a number from 1, or `all`"),
            Ok(number) => Ok(Self(Some(number))),
        }
    }
}

fn probability(text: &str) -> Result<f32, &'static str> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or("expected a number from 0 to 1")
}

impl From<InputFormatName> for InputFormat {
    fn from(name: InputFormatName) -> Self {
        match name {
            InputFormatName::Auto => Self::Auto,
            InputFormatName::Jsonl => Self::Jsonl,
            InputFormatName::Csv => Self::Csv,
            InputFormatName::Parquet => Self::Parquet,
            InputFormatName::Plain => Self::Plain,
        }
    }
}

impl From<LabelModeName> for LabelMode {
    fn from(name: LabelModeName) -> Self {
        match name {
            LabelModeName::Recommended => Self::Recommended,
            LabelModeName::Reference => Self::Reference,
            LabelModeName::Assigned => Self::Assigned,
        }
    }
}

/// Where the texts come from.
enum Source {
    Text(String),
    Records(vulnlens_corpus::Input),
    Cves(Vec<CveId>, PathBuf),
}

/// What the arguments mean on this terminal.
struct Settings {
    options: Options,
    format: RecordFormat,
    /// Rows of a table's section.
    rows: Option<usize>,
    threads: usize,
}

pub(crate) fn run(arguments: ClassifyArguments, terminal: &Terminal) -> Result<(), Failure> {
    let settings = settings(&arguments, terminal)?;
    let source = source(&arguments, terminal)?;
    let lens = arguments.lens.load(terminal)?;
    let run = run_of(&lens, settings.options.labels);
    let output = || Output::open(arguments.output.as_deref());
    match source {
        Source::Text(text) => {
            let mut answerer = Answerer::new(&lens, &settings.options, settings.format);
            let answers = answerer.answer(&[Input::text(&text)], [None]);
            write_all(answers, &settings, &lens, &run, output()?, terminal)
        }
        Source::Cves(ids, data) => {
            let (answers, missing) = look_up(&ids, &data, &settings, &lens)?;
            write_all(answers, &settings, &lens, &run, output()?, terminal)?;
            report_missing(&missing, &ids, &data)
        }
        Source::Records(input) => {
            let format = arguments.input_format.into();
            classify_records(input, format, &settings, lens, &run, output, terminal)
        }
    }
}

fn settings(arguments: &ClassifyArguments, terminal: &Terminal) -> Result<Settings, Failure> {
    let by_name = || arguments.output.as_deref().and_then(RecordFormat::of_name);
    let to_terminal = terminal.stdout_is_terminal && arguments.output.is_none();
    let usual = if to_terminal { RecordFormat::Table } else { RecordFormat::Jsonl };
    let format = arguments.format.or_else(by_name).unwrap_or(usual);
    if format == RecordFormat::Parquet && to_terminal {
        return Err(Failure::new(Kind::Arguments, "Parquet is nothing for a terminal")
            .hint("name a file by --output"));
    }
    let asked = |name| arguments.taxonomy.contains(&name);
    let top_k = arguments.top_k.map(|top_k| top_k.0);
    let is_table = format == RecordFormat::Table;
    Ok(Settings {
        options: Options {
            labels: arguments.labels.into(),
            taxonomies: Taxonomies {
                cwe: asked(TaxonomyName::Cwe),
                capec: asked(TaxonomyName::Capec),
                attack: asked(TaxonomyName::Attack),
            },
            // A table says how many labels it does not show, so it has to be given them all.
            top_k: if is_table { None } else { top_k.flatten() },
            threshold: arguments.threshold,
            as_of: arguments.as_of,
        },
        format,
        rows: top_k.unwrap_or(Some(TABLE_ROWS)),
        threads: threads(arguments.threads),
    })
}

fn source(arguments: &ClassifyArguments, terminal: &Terminal) -> Result<Source, Failure> {
    if let (false, Some(data)) = (arguments.cve_id.is_empty(), &arguments.data) {
        return Ok(Source::Cves(arguments.cve_id.clone(), data.clone()));
    }
    match (&arguments.input, &arguments.text) {
        (Some(path), _) if path.as_os_str() == "-" => Ok(stdin()),
        (Some(path), _) => file(path),
        (None, Some(text)) => text_source(text, terminal),
        (None, None) if !terminal.stdin_is_terminal => Ok(stdin()),
        (None, None) => Err(Failure::new(Kind::Arguments, "there is nothing to classify")
            .hint("give a text in quotes, a file, or `-` to type or paste texts, one a line")),
    }
}

fn stdin() -> Source {
    Source::Records(vulnlens_corpus::Input::stream("standard input", io::stdin()))
}

fn file(path: &Path) -> Result<Source, Failure> {
    if path.is_dir() {
        let failure = Failure::new(Kind::Input, format!("{}: is a folder", path.display()));
        return Err(
            failure.hint("give one file of records; to make one of many sources, see `vulnlens data build`")
        );
    }
    Ok(Source::Records(vulnlens_corpus::Input::path(path)))
}

/// What the argument TEXT means: standard input, a file, or a text.
fn text_source(text: &str, terminal: &Terminal) -> Result<Source, Failure> {
    let path = Path::new(text);
    if text == "-" {
        return Ok(stdin());
    }
    if text.trim().is_empty() {
        return Err(
            Failure::new(Kind::Input, "the text is empty").hint("give a description of the vulnerability")
        );
    }
    if path.exists() {
        terminal.note(&format!("reading the file {text}"));
        return file(path);
    }
    if looks_like_a_file(path) {
        let failure = Failure::new(Kind::Input, format!("{text}: there is no such file"));
        return Err(failure.hint(
            "check the path; a text that looks like one can be given by `echo … | vulnlens classify`",
        ));
    }
    if text.parse::<CveId>().is_ok() {
        let failure = Failure::new(Kind::Arguments, format!("{text} is the id of a record, not its text"));
        return Err(failure.hint("look it up in a data set: --cve-id ID --data FILE"));
    }
    Ok(Source::Text(text.to_owned()))
}

/// Whether a person who wrote this meant a file: one word that ends like one.
fn looks_like_a_file(path: &Path) -> bool {
    let endings = ["jsonl", "ndjson", "json", "csv", "parquet", "txt", "gz"];
    let is_known = |ending: &std::ffi::OsStr| endings.iter().any(|known| ending.eq_ignore_ascii_case(known));
    path.extension().is_some_and(is_known) && !path.to_string_lossy().contains(char::is_whitespace)
}

/// Writes a few answers.
fn write_all(
    answers: Vec<Answer>,
    settings: &Settings,
    lens: &Lens,
    run: &Run,
    output: Output,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let kb = lens.knowledge_base();
    let mut output = RecordOutput::begin(settings.format, output, run, kb)?;
    let renderer = Renderer::new(settings.format, terminal.layout(settings.rows), run, kb);
    output.write(renderer.render(kb, answers))?;
    output.finish()
}

/// The answers for CVEs of a data set, and those that it does not hold.
fn look_up(
    ids: &[CveId],
    data: &Path,
    settings: &Settings,
    lens: &Lens,
) -> Result<(Vec<Answer>, Vec<CveId>), Failure> {
    let unavailable = |failure: Failure| {
        failure.unavailable().hint("--data takes a data set that `vulnlens data build` made")
    };
    let reader = DatasetReader::open(data).map_err(|error| unavailable(error.into()))?;
    let mut answerer = Answerer::new(lens, &settings.options, settings.format);
    let (mut answers, mut missing) = (Vec::new(), Vec::new());
    for id in ids {
        match reader.find(*id).map_err(|error| unavailable(error.into()))? {
            None => missing.push(*id),
            Some(row) => {
                let input = Input { text: &row.text, year: Some(row.year()) };
                answers.extend(answerer.answer(&[input], [Some(id.to_string())]));
            }
        }
    }
    Ok((answers, missing))
}

fn report_missing(missing: &[CveId], ids: &[CveId], data: &Path) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let kind = if missing.len() == ids.len() { Kind::Input } else { Kind::SomeRecords };
    Err(Failure::new(kind, format!("{}: does not hold {}", data.display(), names.join(", "))))
}

fn classify_records(
    input: vulnlens_corpus::Input,
    format: InputFormat,
    settings: &Settings,
    lens: Lens,
    run: &Run,
    output: impl FnOnce() -> Result<Output, Failure>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let name = input.name().to_owned();
    let limits = Limits { record_bytes: RECORD_BYTES, ..Limits::default() };
    let inputs = open_inputs(input, format, &limits)?;
    // Threads that wait for a silent standard input outlive the command when its output is closed.
    let lens: &'static Lens = Box::leak(Box::new(lens));
    let kb = lens.knowledge_base();
    let mut output = RecordOutput::begin(settings.format, output()?, run, kb)?;
    let renderer = Arc::new(Renderer::new(settings.format, terminal.layout(settings.rows), run, kb));
    let job =
        Job { lens, options: settings.options, format: settings.format, renderer, threads: settings.threads };
    let mut tally = Tally::new(terminal);
    let progress = terminal.progress("{spinner} {pos} records, {per_sec}, {elapsed}");
    stream::classify(&job, inputs, |answered| {
        progress.inc(answered.count);
        tally.add(&answered);
        output.write(answered.rendered)
    })?;
    progress.finish_and_clear();
    tally.check_input(&name)?;
    output.finish()?;
    tally.result(&name)
}

/// What became of the records.
struct Tally<'a> {
    terminal: &'a Terminal,
    answered: u64,
    failed: u64,
    repeated: u64,
    ended_by: Option<RecordError>,
}

impl<'a> Tally<'a> {
    fn new(terminal: &'a Terminal) -> Self {
        Self { terminal, answered: 0, failed: 0, repeated: 0, ended_by: None }
    }

    fn add(&mut self, answered: &Answered) {
        self.answered = self.answered.saturating_add(answered.count);
        for error in &answered.errors {
            self.failed = self.failed.saturating_add(1);
            if self.failed <= ERRORS_TOLD || self.terminal.is_verbose() {
                terminal::error(&error.to_string());
            } else if self.failed == ERRORS_TOLD.saturating_add(1) {
                terminal::error("more bad records follow; they are only counted (-v tells of each)");
            }
            if error.ends_input() {
                self.ended_by = Some(error.clone());
            }
        }
        for (id, line) in &answered.repeated {
            self.repeated = self.repeated.saturating_add(1);
            let text =
                format!("id {id:?} at {line} stood in the input before; each record is answered by itself");
            if self.repeated == 1 { self.terminal.warn(&text) } else { self.terminal.detail(&text) }
        }
    }

    /// Whether there was anything to answer at all.
    fn check_input(&self, name: &str) -> Result<(), Failure> {
        match &self.ended_by {
            Some(error) if self.answered == 0 => Err(Failure::new(Kind::Input, error.to_string())),
            None if self.answered == 0 && self.failed == 0 => {
                Err(Failure::new(Kind::Input, format!("{name}: holds no records"))
                    .hint("one text a line, or JSON Lines, CSV or Parquet with a column `description`"))
            }
            _ => Ok(()),
        }
    }

    fn result(&self, name: &str) -> Result<(), Failure> {
        let Self { answered, failed, repeated, .. } = self;
        if *repeated > 1 {
            self.terminal.warn(&format!("{repeated} ids stood in the input more than once"));
        }
        if *failed == 0 {
            self.terminal.detail(&format!("{answered} records answered"));
            return Ok(());
        }
        let ended = if self.ended_by.is_some() { ", and the rest could not be read" } else { "" };
        let message = format!("{name}: {failed} records failed, {answered} were answered{ended}");
        Err(Failure::new(Kind::SomeRecords, message))
    }
}
