//! `classify`: texts in, weaknesses, attack patterns and techniques out.

mod arguments;
mod source;

use std::path::Path;

use vulnlens::report::{Answer, Format, RecordKey, Renderer, Setup};
use vulnlens::stream::{self, Job, StreamError};
use vulnlens::{Answerer, CveId, Input, Options, Tasks, TextRecord, TopK};
use vulnlens_corpus::{DatasetReader, Place, Record, RecordId};

pub(crate) use arguments::ClassifyArguments;

use crate::failure::{Failure, Kind};
use crate::options::threads;
use crate::progress::Reading;
use crate::record_folder::RecordFolder;
use crate::record_format::{RecordOutput, format_of_file};
use crate::records::{self, RecordArguments};
use crate::tally::{Tally, tell_cut};
use crate::terminal::Terminal;
use source::{Source, source};

/// Labels of each taxonomy that a table shows unless told otherwise.
const TABLE_ROWS: usize = 5;

/// The settings that follow from the arguments on this terminal.
struct Settings {
    options: Options,
    format: &'static Format,
    /// Rows of a table's section.
    rows: Option<usize>,
    threads: usize,
    /// Set if the answers appear on the terminal.
    to_terminal: bool,
}

pub(crate) fn run(arguments: ClassifyArguments, terminal: &Terminal) -> Result<(), Failure> {
    let settings = settings(&arguments, terminal)?;
    let source = source(&arguments, terminal)?;
    let classifier = arguments.model.load(settings.threads, terminal)?;
    if arguments.as_of.is_some() && !classifier.network().reads_years() {
        terminal.warn("a checkpoint knows no years: --as-of changes nothing");
    }
    let mut answerer = Answerer::new(&classifier, &settings.options, settings.format.needs_assigned());
    let run = classifier.run(&settings.options);
    let setup = Setup::new(run, classifier.knowledge_base().clone())
        .layout(terminal.layout(settings.rows))
        .safe_csv(arguments.safe_csv);
    let output = || RecordOutput::begin(settings.format, &setup, arguments.out.as_deref());
    match source {
        Source::Text(text) => {
            let inputs = [Input::text(&text)];
            let answers = answerer.answer(&inputs, [RecordKey::default()]);
            tell_cut(answerer.count_cut(&inputs), terminal);
            write_all(answers, output()?)
        }
        Source::Cves(ids, data) => {
            let (answers, missing) = look_up(&ids, &data, &mut answerer)?;
            write_all(answers, output()?)?;
            report_missing(&missing, &ids, &data)
        }
        Source::Records(input, position) => {
            let records = &arguments.records;
            let reading = Reading::new(position, settings.to_terminal, terminal);
            classify_records(input, records, settings.threads, answerer, output, reading, terminal)
        }
    }
}

fn settings(arguments: &ClassifyArguments, terminal: &Terminal) -> Result<Settings, Failure> {
    let file = arguments.out.as_deref().filter(|path| path.as_os_str() != "-");
    let to_terminal = terminal.stdout_is_terminal && file.is_none();
    let usual = if to_terminal { Format::TABLE } else { Format::JSON_LINES };
    let named = file.filter(|path| !RecordFolder::is_meant(path));
    let by_name = named.map(|path| format_of_file(path, arguments.format)).transpose()?.flatten();
    let format = by_name.or(arguments.format).unwrap_or(usual);
    if format.is_binary() && to_terminal {
        let message = format!("--format {} cannot be written to a terminal", format.name());
        return Err(Failure::new(Kind::Arguments, message).hint("name a file by --out"));
    }
    if arguments.safe_csv && Some(format) != Format::named("csv") {
        let message = format!("--safe-csv is for CSV, and the output is {}", format.name());
        return Err(Failure::new(Kind::Arguments, message).hint("add --format csv, or leave --safe-csv out"));
    }
    let rows = match arguments.top_k {
        None => Some(TABLE_ROWS),
        Some(TopK::Best(number)) => Some(number),
        Some(_) => None,
    };
    // A table says how many labels it does not show, so it has to be given them all.
    let top_k = if format.is_for_people() { Some(TopK::All) } else { arguments.top_k };
    Ok(Settings {
        options: Options::default()
            .labels(arguments.labels)
            .tasks(arguments.taxonomy.iter().copied().collect::<Tasks>())
            .top_k(top_k.unwrap_or_default())
            .threshold(arguments.threshold)
            .as_of(arguments.as_of),
        format,
        rows,
        threads: threads(arguments.threads),
        to_terminal,
    })
}

/// Writes a few answers.
fn write_all(answers: Vec<Answer>, (renderer, mut output): (Renderer, RecordOutput)) -> Result<(), Failure> {
    output.write(renderer.render(answers))?;
    output.finish()
}

/// The answers for CVEs of a data set, and those that it does not hold.
fn look_up(
    ids: &[CveId],
    data: &Path,
    answerer: &mut Answerer,
) -> Result<(Vec<Answer>, Vec<CveId>), Failure> {
    let unavailable = |failure: Failure| {
        failure.unavailable().hint("--data takes a data set that `vulnlens data build` made")
    };
    let reader = DatasetReader::open(data).map_err(|error| unavailable(error.into()))?;
    let (mut answers, mut missing) = (Vec::new(), Vec::new());
    for id in ids {
        match reader.find(*id).map_err(|error| unavailable(error.into()))? {
            None => missing.push(*id),
            Some(row) => {
                let input = Input::text(&row.text).year(row.year());
                let key = RecordKey::of_id(id.to_string());
                answers.extend(answerer.answer(&[input], [key]));
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
    arguments: &RecordArguments,
    threads: usize,
    answerer: Answerer,
    output: impl FnOnce() -> Result<(Renderer, RecordOutput), Failure>,
    mut reading: Reading,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let name = input.name().to_owned();
    let inputs = records::open(input, arguments)?;
    let (renderer, mut output) = output()?;
    let job = Job::new(answerer, renderer, threads);
    let mut tally = Tally::new(terminal);
    let texts = inputs.map(|record| record.map(text_record));
    let streamed = stream::classify(&job, texts, |answered| {
        reading.add(answered.count);
        tally.add_answered(answered.count);
        tally.add_cut(answered.cut);
        answered.errors.iter().for_each(|error| tally.add_error(error));
        answered.repeated.iter().for_each(|(id, place)| tally.add_repeated(id, place));
        output.write(answered.piece)
    });
    streamed.map_err(|error| match error {
        StreamError::Write(failure) => failure,
        StreamError::Stopped(stopped) => Failure::new(Kind::Failed, stopped.to_string()),
    })?;
    reading.finish();
    tally.check_answered(&name)?;
    output.finish()?;
    tally.result(&name)
}

/// A record as the stream classifies it.
fn text_record(record: Record) -> TextRecord<Place> {
    let key = RecordKey { id: record.id.as_ref().map(RecordId::to_string), line: record.line() };
    let year = record.year();
    TextRecord::new(record.text.unwrap_or_default(), record.place).key(key).year(year)
}
