//! `review`: the weaknesses that records carry against those that the model suggests.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use vulnlens::records::{Mapped, PassedOver, mapped_record, review_options};
use vulnlens::report::{Renderer, Review, ReviewFormat, ReviewReport, ReviewSummary, Setup, Verdict};
use vulnlens::stream::{self, Answered, Job, StreamError};
use vulnlens::{Answerer, KnowledgeBase};

use crate::choice::one_of;
use crate::failure::{Failure, Kind};
use crate::model_arguments::ModelArguments;
use crate::options::{THREADS, thread_count, threads};
use crate::output::Output;
use crate::progress::Reading;
use crate::question::probability;
use crate::records::{self, RecordArguments};
use crate::source::stdin;
use crate::tally::Tally;
use crate::terminal::{self, Terminal};
use crate::text_argument::file;

/// Review the weaknesses that records carry against those that their texts tell
///
/// Records are read as by `classify`; those without a weakness are counted and passed over. Each of the others gets one
/// verdict, the first that applies: `discouraged`, where a mapped id is one that CWE discourages, prohibits or has
/// withdrawn, a category, a view or unknown; `agree`, where a suggested weakness is mapped; `unsure`, where the model
/// asserts none; `more-specific`, `less-specific` and `sibling`, where one that it asserts is below, above or next to a
/// mapped one; and `differs`. docs/review.md says more.
///
/// Exit code 6 says that a record has one of the verdicts of --fail-on.
#[derive(Debug, Args)]
pub(crate) struct ReviewArguments {
    /// A file of records, plain or packed, or a folder of them; `-` for standard input
    #[arg(value_name = "FILE|FOLDER")]
    input: PathBuf,

    #[command(flatten)]
    records: RecordArguments,

    /// Least probability of a suggestion: a weakness below it is neither listed nor asserted
    #[arg(long, value_name = "P", default_value = "0.05", value_parser = probability)]
    threshold: f32,

    /// Answer as of this year, whatever the record's
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1980..=2200))]
    as_of: Option<u16>,

    /// Verdicts that make the command end with exit code 6
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = one_of(&Verdict::ALL, Verdict::name, Verdict::help))]
    fail_on: Vec<Verdict>,

    /// Format of the output [default: table on a terminal, by --out's name, otherwise jsonl]
    #[arg(short, long, value_name = "FORMAT", value_parser = one_of(&ReviewFormat::ALL, ReviewFormat::name, ReviewFormat::help))]
    format: Option<ReviewFormat>,

    /// Write to a file, which appears when it is whole and is compressed if its name ends in `.gz` or `.zst`
    #[arg(short, long, alias = "output", value_name = "FILE")]
    out: Option<PathBuf>,

    /// Threads that classify [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    model: ModelArguments,
}

pub(crate) fn run(arguments: &ReviewArguments, terminal: &Terminal) -> Result<(), Failure> {
    let out = arguments.out.as_deref().filter(|path| path.as_os_str() != "-");
    let to_terminal = terminal.stdout_is_terminal && out.is_none();
    let usual = if to_terminal { ReviewFormat::Table } else { ReviewFormat::JsonLines };
    let format = arguments.format.or_else(|| ReviewFormat::of_file(out?)).unwrap_or(usual);
    let (input, position) = match arguments.input.as_os_str() {
        path if path == "-" => (stdin(), None),
        path => file(Path::new(path))?,
    };
    let threads = threads(arguments.threads);
    let classifier = arguments.model.load(threads, terminal)?;
    let options = review_options().threshold(arguments.threshold).as_of(arguments.as_of);
    let setup = Setup::new(classifier.run(&options), classifier.knowledge_base().clone());
    let mut reviewing = Reviewing {
        report: ReviewReport::new(format, setup.layout(terminal.layout())),
        output: Output::packed(arguments.out.as_deref())?,
        is_styled: format == ReviewFormat::Table,
        tally: Tally::new(terminal),
        reading: Reading::new(position, to_terminal, terminal),
    };
    let name = input.name().to_owned();
    let texts = records::open(input, &arguments.records)?.with_text().map(mapped_record);
    let job = Job::new(Answerer::new(&classifier, &options, false), Renderer::default(), threads);
    let kb = classifier.knowledge_base();
    let streamed = stream::classify(&job, texts, |answered| reviewing.add(answered, kb));
    streamed.map_err(|error| match error {
        StreamError::Write(failure) => failure,
        StreamError::Stopped(stopped) => Failure::new(Kind::Failed, stopped.to_string()),
    })?;
    reviewing.reading.finish();
    reviewing.tally.check_answered(&name)?;
    let Reviewing { report, mut output, tally, .. } = reviewing;
    output.text(report.finish().as_bytes())?;
    output.finish()?;
    if format == ReviewFormat::JsonLines {
        terminal.note(&report.summary().line());
    }
    let done = tally.result(&name);
    let Err(found) = check(&arguments.fail_on, report.summary(), &name) else { return done };
    if let Err(failure) = done {
        terminal::error(&failure.message);
    }
    Err(found)
}

/// The failure that verdicts are which should not be there.
fn check(fail_on: &[Verdict], summary: &ReviewSummary, name: &str) -> Result<(), Failure> {
    let mut verdicts = fail_on.to_vec();
    verdicts.sort_unstable();
    verdicts.dedup();
    let count = |verdict: &Verdict| summary.records.of(*verdict);
    let found: Vec<String> = verdicts
        .iter()
        .filter(|verdict| count(verdict) > 0)
        .map(|verdict| format!("{} {}", count(verdict), verdict.name()))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Verdicts,
        format!("{name}: records have verdicts of --fail-on: {}", found.join(", ")),
    ))
}

/// Reviews on their way to the output.
struct Reviewing<'a> {
    report: ReviewReport,
    output: Output,
    is_styled: bool,
    tally: Tally<'a>,
    reading: Reading,
}

impl Reviewing<'_> {
    /// Reviews and writes some records.
    fn add(&mut self, answered: Answered<Mapped, PassedOver>, kb: &KnowledgeBase) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let answers = answered.piece.into_answers().into_iter().zip(answered.places);
        for review in answers.filter_map(|(answer, (_, mapped))| Review::of(answer, mapped, kb)) {
            self.report.add(&review, &mut bytes)?;
        }
        self.reading.add(answered.count);
        self.tally.add_answered(answered.count);
        self.tally.add_cut(answered.cut);
        for passed_over in &answered.errors {
            match passed_over {
                PassedOver::Bad(error) => self.tally.add_error(error),
                PassedOver::Unmapped => {
                    self.tally.add_answered(1);
                    self.report.add_unmapped();
                }
            }
        }
        answered.repeated.iter().for_each(|(id, (place, _))| self.tally.add_repeated(id, place));
        if self.is_styled { self.output.text(&bytes) } else { self.output.data(&bytes) }
    }
}
