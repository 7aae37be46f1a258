//! `explain`: an answer, the words that carried it, and the ways of the chain from it.

use std::path::{Path, PathBuf};

use clap::Args;
use vulnlens::records::text_record;
use vulnlens::report::{JsonLines, Records, Setup, explanation_text};
use vulnlens::stream::shown;
use vulnlens::{Answerer, Classifier, Input, NearestRecords, TextRecord};
use vulnlens_evaluation::Split;

use crate::attack_arguments::AttackArguments;
use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::ModelArguments;
use crate::options::{THREADS, ViewFormat, thread_count, threads};
use crate::output::Output;
use crate::question::QuestionArguments;
use crate::source::{Source, SourceArguments, look_up, report_missing, stdin};
use crate::tally::{Tally, tell_cut};
use crate::terminal::Terminal;
use crate::text_argument::empty;

/// Explain an answer: the words that carried it, and the ways from CWE to ATT&CK
///
/// The answer is that of `classify` with the same options. Words are weighed for its best label, in log-odds; n-gram
/// models know what each adds, other models are asked again without each of them (in texts of more than 128 words,
/// without each group of words). Beside the words stands what is left of the label without them. Records are explained
/// one after the other; standard input is one text, unless it holds records.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The text, in quotes or not; or a file, if there is one of that name; or `-` for standard input
    #[arg(num_args = 1.., group = "source")]
    text: Vec<String>,

    #[command(flatten)]
    source: SourceArguments,

    /// A data set that `data build` made: its records most like the text are named, with their weaknesses
    #[arg(long, value_name = "FILE")]
    nearest: Option<PathBuf>,

    #[command(flatten)]
    question: QuestionArguments,

    #[command(flatten)]
    attack: AttackArguments,

    /// Format of the explanation; JSON is one object a record, with the keys of record output first
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,

    /// Threads that a checkpoint computes on [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    model: ModelArguments,
}

pub(crate) fn run(arguments: &ExplainArguments, terminal: &Terminal) -> Result<(), Failure> {
    let text = text(&arguments.text)?;
    let source = arguments.source.source(text.as_deref(), terminal)?;
    let classifier = arguments.model.load(threads(arguments.threads), terminal)?;
    arguments.question.check(&classifier, terminal);
    let nearest = arguments.nearest.as_deref().map(|path| nearest(path, &classifier)).transpose()?;
    let is_table = arguments.format == ViewFormat::Table;
    let asked = arguments.question.options(is_table);
    let view = arguments.attack.view(&classifier, &asked, terminal)?;
    let options = arguments.attack.options(asked);
    let setup = Setup::new(classifier.run(&options), classifier.knowledge_base().clone())
        .layout(arguments.question.layout(terminal));
    let setup = view.iter().fold(setup, |setup, view| view.names(setup));
    let mut explaining = Explaining {
        answerer: Answerer::new(&classifier, &options, is_table).view(view).explaining(),
        nearest,
        json: JsonLines::new(&setup),
        setup,
        is_table,
        output: Output::stdout(),
        terminal,
    };
    match source {
        Source::Text(text) => explaining.all([TextRecord::new(text, ())]),
        Source::Cves(ids, data) => {
            let (found, missing) = look_up(&ids, &data)?;
            explaining.all(found)?;
            report_missing(&missing, &ids, &data)
        }
        Source::Records(input, _) => explaining.records(&arguments.source, input),
        Source::Stdin => explaining.records(&arguments.source, stdin()),
    }
}

/// The labelled records of a data set, to be compared with.
fn nearest(path: &Path, classifier: &Classifier) -> Result<NearestRecords, Failure> {
    let network = &**classifier.network();
    if network.entries("SQL injection").is_empty() {
        let failure =
            Failure::new(Kind::Arguments, "--nearest: the model knows no features to compare texts by");
        return Err(failure.hint("ask `fast`, `accurate` or another n-gram model"));
    }
    let examples = data_set::read(path)?.examples(Split::Random).into_iter();
    let labelled = examples.filter(|example| !example.cwes.is_empty());
    Ok(NearestRecords::new(network, labelled.filter_map(|e| Some((e.cve?, e.cwes, e.text)))))
}

/// The words of a text; files among them are a slip, as each would be taken for a word.
fn text(words: &[String]) -> Result<Option<String>, Failure> {
    if let Some(file) = words.iter().filter(|_| words.len() > 1).find(|word| Path::new(word).is_file()) {
        let failure = Failure::new(Kind::Arguments, format!("{file}: is a file among other words"));
        return Err(failure.hint("give one file or folder at a time; put a text that names a file in quotes"));
    }
    Ok(Some(words.join(" ")).filter(|_| !words.is_empty()))
}

/// Explanations on their way to the output.
struct Explaining<'a> {
    answerer: Answerer,
    nearest: Option<NearestRecords>,
    json: JsonLines,
    setup: Setup,
    is_table: bool,
    output: Output,
    terminal: &'a Terminal,
}

impl Explaining<'_> {
    /// Explains a few texts.
    fn all(&mut self, texts: impl IntoIterator<Item = TextRecord>) -> Result<(), Failure> {
        for record in texts {
            if record.text.trim().is_empty() {
                return Err(empty());
            }
            self.write(record)?;
        }
        self.output.flushed()
    }

    /// Explains records one after the other.
    fn records(&mut self, source: &SourceArguments, input: vulnlens_corpus::Input) -> Result<(), Failure> {
        let name = &input.name().to_owned();
        let inputs = source.open(input)?;
        let mut tally = Tally::new(self.terminal);
        for item in inputs {
            match item {
                Err(error) => tally.add_error(&error),
                Ok(record) => {
                    self.write(text_record(record))?;
                    tally.add_answered(1);
                }
            }
        }
        tally.check_answered(name)?;
        self.output.flushed()?;
        tally.result(name)
    }

    fn write<P>(&mut self, record: TextRecord<P>) -> Result<(), Failure> {
        let TextRecord { key, text, year, .. } = record;
        let input = Input::text(shown(&text)).year(year);
        tell_cut(self.answerer.count_cut(&[input]), self.terminal);
        // What the normaliser takes out is not weighed, wherever it stands.
        let header = self.answerer.prepared().network().header();
        let read = header.map_or_else(|| text.as_str().into(), |header| header.normalised(&text));
        let whose = key.text().map(|key| format!("{key}: ")).unwrap_or_default();
        for mut answer in self.answerer.answer(&[input], [key]) {
            if let (Some(nearest), Some(explanation)) = (&self.nearest, &mut answer.explanation) {
                explanation.records = nearest.of(self.answerer.prepared().network(), input.text);
            }
            let words = answer.explanation.as_ref().map_or(&[][..], |explanation| &explanation.words);
            let end = words.last().map_or(0, |word| word.end);
            let is_cut = read.get(end..).is_some_and(|rest| rest.contains(char::is_alphanumeric));
            // Of a text that is not classified no word is weighed.
            if is_cut && !words.is_empty() {
                let count = answer.explanation.as_ref().map_or(0, |explanation| explanation.weighed);
                self.terminal.warn(&format!("{whose}only the first {count} words of the text were weighed"));
            }
            if self.is_table {
                self.output.text(explanation_text(&answer, &self.setup).as_bytes())?;
                continue;
            }
            let mut json = Vec::new();
            self.json.push(&answer, &mut json);
            self.output.data(&json)?;
        }
        Ok(())
    }
}
