//! `watch`: the new and changed records of a source, answered as they come.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::TypedValueParser;
use vulnlens::records::text_record;
use vulnlens::report::{Format, RecordKey, Setup};
use vulnlens::{Answerer, Input};
use vulnlens_corpus::Record;
use vulnlens_fetch::{Source, Watch, WatchSettings};

use crate::choice::one_of;
use crate::failure::{Failure, Kind};
use crate::fetching::{PublisherArguments, Publishers, Shown};
use crate::model_arguments::ModelArguments;
use crate::options::{THREADS, thread_count, threads};
use crate::output::Output;
use crate::question::QuestionArguments;
use crate::tally::Tally;
use crate::terminal::Terminal;

/// The sources that changes are fetched of.
const SOURCES: [Source; 2] = [Source::Nvd, Source::CveList];

/// Answer the new and changed records of a source as they come
///
/// Looks for changes, answers the records whose text, date, weaknesses or withdrawal changed (JSON Lines, as
/// `classify` writes them), and looks again. The first look answers what the source calls its changes: eight days of
/// NVD's, a day of the CVE list's. With --out, each state of a record is answered exactly once, whenever the program
/// ends or is killed; on standard output at least once.
#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// The source
    #[arg(value_name = "SOURCE", value_parser = one_of(&SOURCES, Source::name, Source::help))]
    source: Source,

    /// The folder that changes are fetched into; one that `data fetch` made is kept up to date
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,

    /// The file that says what was answered [default: a hidden file in the folder]
    #[arg(long, value_name = "FILE")]
    cursor: Option<PathBuf>,

    /// Append to a file, which nothing else writes to [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Look once and end: for cron and timers
    #[arg(long, conflicts_with = "every")]
    once: bool,

    /// Minutes from one look to the next; NVD asks for no more than one in two hours
    #[arg(long, value_name = "MINUTES", default_value_t = 120, value_parser = minutes())]
    every: u32,

    /// Threads that classify [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    question: QuestionArguments,

    #[command(flatten)]
    publishers: PublisherArguments,

    #[command(flatten)]
    model: ModelArguments,
}

/// Parses the minutes between two looks: a week at most.
fn minutes() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=7 * 24 * 60)
}

pub(crate) fn run(arguments: &WatchArguments, terminal: &Terminal) -> Result<(), Failure> {
    if arguments.publishers.asks_api() && arguments.source != Source::Nvd {
        let message = format!("--api is for `nvd`, and the source is `{}`", arguments.source.name());
        return Err(Failure::new(Kind::Arguments, message).hint("leave --api out"));
    }
    let publishers = arguments.publishers.publishers(terminal)?;
    let classifier = arguments.model.load(threads(arguments.threads), terminal)?;
    arguments.question.check(&classifier, terminal);
    let options = arguments.question.options(false);
    let setup = Setup::new(classifier.run(&options), classifier.knowledge_base().clone());
    let mut answerer = Answerer::new(&classifier, &options, Format::JSON_LINES.needs_assigned());
    let mut answer = |records: Vec<Record>| -> Result<Vec<u8>, Failure> {
        let records: Vec<_> = records.into_iter().map(text_record).collect();
        let inputs: Vec<Input<'_>> =
            records.iter().map(|record| Input::text(&record.text).year(record.year)).collect();
        // The place in a feed says nothing once the feed is another.
        let keys = records.iter().map(|record| RecordKey { line: None, ..record.key.clone() });
        let mut bytes = Vec::new();
        let (renderer, mut writer) = Format::JSON_LINES.open(&setup, &mut bytes)?;
        writer.write(renderer.render(answerer.answer(&inputs, keys)), &mut bytes)?;
        Ok(bytes)
    };
    let mut watch = open(arguments, &publishers, terminal)?;
    loop {
        let begun = Instant::now();
        let looked = look(&mut watch, arguments, &publishers, &mut answer, terminal);
        match looked {
            Err(failure) if failure.kind == Kind::Unavailable && !arguments.once => {
                terminal.warn(&format!("{}; the next look tries again", failure.message));
            }
            looked => looked?,
        }
        if arguments.once {
            return Ok(());
        }
        let every = Duration::from_secs(u64::from(arguments.every) * 60);
        std::thread::sleep(every.saturating_sub(begun.elapsed()));
    }
}

fn open(arguments: &WatchArguments, publishers: &Publishers, terminal: &Terminal) -> Result<Watch, Failure> {
    let settings = WatchSettings {
        source: arguments.source,
        nvd: publishers.nvd.clone(),
        folder: arguments.folder.clone(),
        cursor: arguments.cursor.clone(),
        output: arguments.out.clone().filter(|path| path.as_os_str() != "-"),
    };
    let shown = Shown::new(terminal);
    let watch = Watch::open(settings, &publishers.fetcher(&shown));
    shown.finish();
    Ok(watch?)
}

/// Looks once: fetches what changed, and answers what is new.
fn look(
    watch: &mut Watch,
    arguments: &WatchArguments,
    publishers: &Publishers,
    answer: &mut impl FnMut(Vec<Record>) -> Result<Vec<u8>, Failure>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let shown = Shown::new(terminal);
    let looked = watch.look(&publishers.fetcher(&shown));
    shown.finish();
    looked?;
    let (mut answered, mut without_text, mut tally) = (0, 0u64, Tally::new(terminal));
    let is_on_stdout = arguments.out.as_ref().is_none_or(|path| path.as_os_str() == "-");
    while let Some(mut batch) = watch.next_batch()? {
        batch.errors.iter().for_each(|error| tally.add_error(error));
        without_text = without_text.saturating_add(batch.without_text);
        let records = std::mem::take(&mut batch.records);
        answered += records.len();
        let bytes = if records.is_empty() { Vec::new() } else { answer(records)? };
        if is_on_stdout {
            let mut output = Output::stdout();
            output.data(&bytes)?;
            output.finish()?;
        }
        watch.commit(batch, &bytes)?;
    }
    terminal.note(&format!("{answered} records answered; {without_text} withdrawn or without a text"));
    Ok(())
}
