//! `classify`: texts in, weaknesses, attack patterns and techniques out.

mod arguments;

use vulnlens::records::text_record;
use vulnlens::report::{Answer, Format, RecordKey, Renderer, Setup};
use vulnlens::stream::{self, Job, StreamError};
use vulnlens::taxonomy::AttackLevel;
use vulnlens::{Answerer, Input, Options};

pub(crate) use arguments::{ClassifyArguments, task_name};

use crate::failure::{Failure, Kind};
use crate::options::threads;
use crate::progress::Reading;
use crate::record_folder::RecordFolder;
use crate::record_format::{RecordOutput, format_of_file};
use crate::source::{Source, SourceArguments, look_up, report_missing, stdin};
use crate::tally::{Tally, tell_cut};
use crate::terminal::Terminal;

/// The settings that follow from the arguments on this terminal.
struct Settings {
    options: Options,
    format: &'static Format,
    threads: usize,
    /// Set if the answers appear on the terminal.
    to_terminal: bool,
}

pub(crate) fn run(arguments: ClassifyArguments, terminal: &Terminal) -> Result<(), Failure> {
    let settings = settings(&arguments, terminal)?;
    let source = arguments.source.source(arguments.text.as_deref(), terminal)?;
    let classifier = arguments.model.load(settings.threads, terminal)?;
    arguments.question.check(&classifier, terminal);
    arguments.check(&classifier, &settings.options, terminal);
    let view = arguments.attack.view(&classifier, &settings.options, terminal)?;
    let options = arguments.attack.options(settings.options);
    let setup = Setup::new(classifier.run(&options), classifier.knowledge_base().clone())
        .layout(arguments.question.layout(terminal))
        .safe_csv(arguments.safe_csv);
    let setup = view.iter().fold(setup, |setup, view| view.names(setup));
    let mut answerer = Answerer::new(&classifier, &options, settings.format.needs_assigned())
        .keeping_texts(settings.format.needs_text())
        .view(view);
    if arguments.evidence {
        answerer = answerer.explaining();
    }
    let output = || RecordOutput::begin(settings.format, &setup, arguments.out.as_deref());
    let records = |input, position, answerer| {
        let reading = Reading::new(position, settings.to_terminal, terminal);
        classify_records(&arguments.source, input, settings.threads, answerer, output, reading, terminal)
    };
    match source {
        Source::Text(text) => {
            let inputs = [Input::text(&text)];
            let answers = answerer.answer(&inputs, [RecordKey::default()]);
            tell_cut(answerer.count_cut(&inputs), terminal);
            write_all(answers, output()?)
        }
        Source::Cves(ids, data) => {
            let (found, missing) = look_up(&ids, &data)?;
            let inputs: Vec<Input<'_>> =
                found.iter().map(|record| Input::text(&record.text).year(record.year)).collect();
            let mut answers = answerer.answer(&inputs, found.iter().map(|record| record.key.clone()));
            for (answer, record) in answers.iter_mut().zip(&found) {
                answer.published = record.published;
            }
            write_all(answers, output()?)?;
            report_missing(&missing, &ids, &data)
        }
        Source::Stdin => records(stdin(), None, answerer),
        Source::Records(input, position) => records(input, position, answerer),
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
    if arguments.evidence && format != Format::JSON_LINES {
        let message = format!("--evidence is for jsonl, and the output is {}", format.name());
        return Err(
            Failure::new(Kind::Arguments, message).hint("add --format jsonl, or ask `vulnlens explain`")
        );
    }
    if format.needs_techniques() && arguments.attack.attack_level == AttackLevel::Tactic {
        let message = format!("--attack-level tactic: the format {} holds techniques", format.name());
        return Err(
            Failure::new(Kind::Arguments, message).hint("leave the level out, or choose another format")
        );
    }
    arguments.additions.check_format(format)?;
    let options = arguments.question.options(format.is_for_people()).tasks(arguments.tasks());
    Ok(Settings {
        options: options.additions(arguments.additions.additions()),
        format,
        threads: threads(arguments.threads),
        to_terminal,
    })
}

/// Writes a few answers.
fn write_all(answers: Vec<Answer>, (renderer, mut output): (Renderer, RecordOutput)) -> Result<(), Failure> {
    output.write(renderer.render(answers))?;
    output.finish()
}

fn classify_records(
    source: &SourceArguments,
    input: vulnlens_corpus::Input,
    threads: usize,
    answerer: Answerer,
    output: impl FnOnce() -> Result<(Renderer, RecordOutput), Failure>,
    mut reading: Reading,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let name = input.name().to_owned();
    let inputs = source.open(input)?;
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
