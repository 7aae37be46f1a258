//! `explain`: which words carried an answer, and the ways of the chain from it.

use std::io::Read;

use clap::Args;
use vulnlens::model::ngram::text::MAX_WORDS;
use vulnlens::report::{RecordKey, explanation_json, explanation_text};
use vulnlens::stream::TEXT_BYTES;
use vulnlens::{Classifier, Input, Options};
use vulnlens_corpus::{Record, RecordError, RecordId};

use crate::failure::{Failure, Kind};
use crate::model_arguments::ModelArguments;
use crate::options::ViewFormat;
use crate::output::Output;
use crate::records::{self, RecordArguments};
use crate::tally::Tally;
use crate::terminal::Terminal;
use crate::text_argument::{TextArgument, empty};

/// Explain an answer: the words that carried it, and the ways from CWE to ATT&CK
///
/// The records of a file are explained one after the other, as `classify` answers them.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The text, in quotes or not; or a file, if there is one of that name; or `-` for standard input, taken as one
    /// text
    #[arg(required = true, num_args = 1..)]
    text: Vec<String>,

    /// Format of the explanation
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,

    /// Answer as of this year [default: the newest that the model knows]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1980..=2200))]
    as_of: Option<u16>,

    #[command(flatten)]
    records: RecordArguments,

    #[command(flatten)]
    model: ModelArguments,
}

pub(crate) fn run(arguments: &ExplainArguments, terminal: &Terminal) -> Result<(), Failure> {
    let argument = match arguments.text.as_slice() {
        [only] => TextArgument::new(only, terminal)?,
        words => TextArgument::Text(words.join(" ")),
    };
    let load = || arguments.model.load_ngram("`explain`", terminal);
    let explainer = |classifier| Explainer { classifier, arguments, terminal };
    match argument {
        TextArgument::File(input, _) => {
            let name = input.name().to_owned();
            let inputs = records::open(input, &arguments.records)?;
            explainer(load()?).records(inputs, &name)
        }
        TextArgument::Stdin => explainer(load()?).text(&stdin()?),
        TextArgument::Text(text) => explainer(load()?).text(&text),
    }
}

/// All of standard input, as far as the model may look at it.
fn stdin() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    // One byte more tells that something is left out.
    let most = (TEXT_BYTES as u64).saturating_add(1);
    let read = std::io::stdin().lock().take(most).read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(Kind::Input, format!("standard input: cannot be read: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).replace('\0', " "))
}

struct Explainer<'a> {
    classifier: Classifier,
    arguments: &'a ExplainArguments,
    terminal: &'a Terminal,
}

impl Explainer<'_> {
    fn text(&self, text: &str) -> Result<(), Failure> {
        if text.trim().is_empty() {
            return Err(empty());
        }
        let mut output = Output::stdout();
        self.write(&RecordKey::default(), Input::text(text), &mut output)?;
        output.finish()
    }

    fn records(
        &self,
        inputs: impl Iterator<Item = Result<Record, RecordError>>,
        name: &str,
    ) -> Result<(), Failure> {
        let mut output = Output::stdout();
        let mut tally = Tally::new(self.terminal);
        for item in inputs {
            match item {
                Err(error) => tally.add_error(&error),
                Ok(record) => {
                    let id = record.id.as_ref().map(RecordId::to_string);
                    let key = RecordKey { id, line: record.line() };
                    let text = record.text.as_deref().unwrap_or_default();
                    self.write(&key, Input::text(text).year(record.year()), &mut output)?;
                    tally.add_answered(1);
                }
            }
        }
        tally.check_answered(name)?;
        output.finish()?;
        tally.result(name)
    }

    fn write(&self, key: &RecordKey, input: Input<'_>, output: &mut Output) -> Result<(), Failure> {
        let text = input.text;
        let shown = text.get(..text.floor_char_boundary(TEXT_BYTES)).unwrap_or(text);
        let options = Options::default().as_of(self.arguments.as_of);
        let explanation = self.classifier.explain(Input::text(shown).year(input.year), &options);
        let explanation = explanation.ok_or_else(|| {
            Failure::new(Kind::Arguments, "the model cannot tell which words carried its answer")
        })?;
        let count = explanation.words.len();
        let end = explanation.words.last().map_or(0, |word| word.end);
        let is_more = text.get(end..).is_some_and(|rest| rest.contains(char::is_alphanumeric));
        if is_more && (count == MAX_WORDS || shown.len() < text.len()) {
            let whose = key.text().map(|key| format!("{key}: ")).unwrap_or_default();
            self.terminal.warn(&format!("{whose}only the first {count} words of the text were read"));
        }
        if self.arguments.format == ViewFormat::Table {
            let kb = self.classifier.knowledge_base();
            return output
                .text(explanation_text(key, &explanation, kb, self.terminal.layout(None)).as_bytes());
        }
        let json = explanation_json(key, &explanation, &self.classifier.run(&options))
            .map_err(|error| Failure::new(Kind::Failed, error.to_string()))?;
        output.data(json.as_bytes())
    }
}
