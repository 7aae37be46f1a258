//! `enrich`: missing weaknesses, filled into documents that are there.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use vulnlens::Options;
use vulnlens_corpus::RecordError;
use vulnlens_enrich::{EnrichFormat, EnrichOptions, EnrichSummary, Enricher, MIN_SCORE, ThreadedPredictor};
use vulnlens_files::FileError;

use crate::choice::one_of;
use crate::failure::{Failure, Kind};
use crate::model_arguments::ModelArguments;
use crate::options::{THREADS, thread_count, threads};
use crate::output::Output;
use crate::question::probability;
use crate::records::ColumnArguments;
use crate::tally::Tally;
use crate::terminal::Terminal;

/// Fill missing weaknesses into an advisory, a report of a scanner, records or a table
///
/// The document is written as it is, byte for byte, with insertions: where a finding has no weakness and its text tells
/// one, the CWE, and where the format has room, CAPEC and ATT&CK. Nothing that is there is changed. Written is what the
/// model asserts with a score from --min-score on and CWE allows for mapping, marked with model, release and score
/// where the format has room. docs/enrich.md lists the formats and shows each one.
///
/// Standard error tells how many findings were filled. Exit code 7 says that there are findings of --fail-on.
#[derive(Debug, Args)]
pub(crate) struct EnrichArguments {
    /// A document, plain or packed; `-` for standard input
    #[arg(value_name = "FILE")]
    input: PathBuf,

    /// Write to a file, which appears when it is whole and is compressed if its name ends in `.gz` or `.zst`; it may be
    /// the input itself; `-` for standard output
    #[arg(short, long, alias = "output", value_name = "FILE")]
    out: Option<PathBuf>,

    /// Least score of a weakness that is written
    #[arg(long, value_name = "P", default_value_t = MIN_SCORE, value_parser = probability)]
    min_score: f32,

    /// Format of the document [default: by its structure]
    #[arg(short, long, value_name = "FORMAT", value_parser = format_parser())]
    format: Option<EnrichFormat>,

    /// Write, of records of the CVE list, only the containers that would be added, for pasting
    #[arg(long)]
    container: bool,

    /// Findings that make the command end with exit code 7
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    #[arg(value_parser = one_of(&Unfilled::ALL, Unfilled::name, Unfilled::help))]
    fail_on: Vec<Unfilled>,

    #[command(flatten)]
    columns: ColumnArguments,

    /// Answer as of this year, whatever the finding's
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1980..=2200))]
    as_of: Option<u16>,

    /// Threads that classify [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    model: ModelArguments,
}

/// The names of the formats that are filled.
fn format_parser() -> impl TypedValueParser<Value = EnrichFormat> {
    let value = |format: EnrichFormat| PossibleValue::new(format.name()).help(format.about());
    let parser = PossibleValuesParser::new(EnrichFormat::all().into_iter().map(value));
    parser.try_map(|name| EnrichFormat::named(&name).ok_or("not the name of a format"))
}

/// Findings without a weakness that `--fail-on` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unfilled {
    Unsure,
    Left,
    Bad,
}

impl Unfilled {
    const ALL: [Self; 3] = [Self::Unsure, Self::Left, Self::Bad];

    fn name(self) -> &'static str {
        match self {
            Self::Unsure => "unsure",
            Self::Left => "left",
            Self::Bad => "bad",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Unsure => "The text tells no single weakness",
            Self::Left => "The score is below the bound, or CWE discourages the weakness",
            Self::Bad => "The finding cannot be read, or has no room",
        }
    }

    fn count(self, summary: &EnrichSummary) -> u64 {
        match self {
            Self::Unsure => summary.unsure,
            Self::Left => summary.left,
            Self::Bad => summary.bad,
        }
    }
}

pub(crate) fn run(arguments: &EnrichArguments, terminal: &Terminal) -> Result<(), Failure> {
    let (name, input) = open(&arguments.input)?;
    let threads = threads(arguments.threads);
    let classifier = arguments.model.load(threads, terminal)?;
    let predictor = ThreadedPredictor::new(&classifier, Options::default().as_of(arguments.as_of), threads);
    let options = EnrichOptions::default().min_score(arguments.min_score).format(arguments.format);
    let options = options.columns(arguments.columns.names()).container(arguments.container);
    let mut output = Output::packed(arguments.out.as_deref())?;
    let out = arguments.out.as_deref().filter(|path| path.as_os_str() != "-");
    let mut enricher = Enricher::new(predictor, options);
    let mut tally = Tally::new(terminal);
    let mut tell = |error: &RecordError| tally.add_error(error);
    let summary = if out.is_none() && terminal.stdout_is_terminal {
        // On a terminal, nothing of a document may command it.
        let mut document = Vec::new();
        let summary = enricher.enrich(&name, input, &mut document, &mut tell)?;
        output.data(&document)?;
        summary
    } else {
        enricher.enrich(&name, input, &mut output, &mut tell)?
    };
    output.finish()?;
    terminal.note(&format!("{name}: {}", summary.line()));
    check(&arguments.fail_on, &summary, &name)?;
    if summary.bad > 0 {
        let findings = if summary.bad == 1 {
            "1 finding is".to_owned()
        } else {
            format!("{} findings are", summary.bad)
        };
        let message = format!("{name}: {findings} bad, and passed on unchanged");
        return Err(Failure::new(Kind::SomeRecords, message));
    }
    Ok(())
}

/// The failure that findings are which should not be there.
fn check(fail_on: &[Unfilled], summary: &EnrichSummary, name: &str) -> Result<(), Failure> {
    let named = Unfilled::ALL.into_iter().filter(|kind| fail_on.contains(kind) && kind.count(summary) > 0);
    let found: Vec<String> = named.map(|kind| format!("{} {}", kind.count(summary), kind.name())).collect();
    if found.is_empty() {
        return Ok(());
    }
    let message = format!("{name}: there are findings of --fail-on: {}", found.join(", "));
    Err(Failure::new(Kind::Unfilled, message))
}

/// The document and its name.
fn open(path: &Path) -> Result<(String, Box<dyn Read + Send>), Failure> {
    if path.as_os_str() == "-" {
        return Ok(("standard input".to_owned(), Box::new(io::stdin())));
    }
    let name = path.display().to_string();
    if path.is_dir() {
        return Err(Failure::new(Kind::Input, format!("{name}: is a folder")).hint("give one file at a time"));
    }
    let file = File::open(path).map_err(FileError::read(path))?;
    Ok((name, Box::new(file)))
}
