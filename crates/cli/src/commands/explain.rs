//! `explain`: which words carried an answer, and the ways of the chain from it.

use std::io::Read;

use clap::Args;
use vulnlens::report::{explanation_json, explanation_text};
use vulnlens::{Input, Options};

use crate::arguments::ViewFormat;
use crate::failure::{Failure, Kind};
use crate::lens::{LensArguments, run_of};
use crate::output::{Output, print_text};
use crate::stream::TEXT_BYTES;
use crate::terminal::Terminal;

/// Explain an answer: the words that carried it, and the ways from CWE to ATT&CK
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The text, in quotes or not; `-` for standard input, taken as one text
    #[arg(required = true, num_args = 1..)]
    text: Vec<String>,

    /// How the explanation is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,

    /// Answer as of this year [default: the newest that the model knows]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1980..=2200))]
    as_of: Option<u16>,

    #[command(flatten)]
    lens: LensArguments,
}

pub(crate) fn run(arguments: ExplainArguments, terminal: &Terminal) -> Result<(), Failure> {
    let text = text(&arguments.text)?;
    let lens = arguments.lens.load(terminal)?;
    let options = Options { as_of: arguments.as_of, ..Options::default() };
    let explanation = lens.explain(Input::text(&text), &options);
    if arguments.format == ViewFormat::Table {
        return print_text(&explanation_text(&explanation, lens.knowledge_base(), terminal.layout(None)));
    }
    let run = run_of(&lens, options.labels);
    let json = explanation_json(&explanation, &run)
        .map_err(|error| Failure::new(Kind::Failed, error.to_string()))?;
    let mut output = Output::stdout();
    output.data(json.as_bytes())?;
    output.finish()
}

fn text(words: &[String]) -> Result<String, Failure> {
    let text = match words {
        [only] if only == "-" => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().take(TEXT_BYTES as u64).read_to_end(&mut bytes);
            read.map_err(|error| {
                Failure::new(Kind::Input, format!("standard input: cannot be read: {error}"))
            })?;
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        }
        words => words.join(" "),
    };
    if text.trim().is_empty() {
        return Err(
            Failure::new(Kind::Input, "the text is empty").hint("give a description of the vulnerability")
        );
    }
    Ok(text)
}
