//! The source of the texts: an argument, a file, standard input, or a data set.

use std::io;
use std::path::PathBuf;

use vulnlens::CveId;

use super::arguments::ClassifyArguments;
use crate::failure::{Failure, Kind};
use crate::progress::Position;
use crate::terminal::Terminal;
use crate::text_argument::{TextArgument, file};

/// The source of the texts.
pub(super) enum Source {
    Text(String),
    Records(vulnlens_corpus::Input, Option<Position>),
    Cves(Vec<CveId>, PathBuf),
}

/// Chooses the source by the arguments and standard input.
pub(super) fn source(arguments: &ClassifyArguments, terminal: &Terminal) -> Result<Source, Failure> {
    if let (false, Some(data)) = (arguments.cve_id.is_empty(), &arguments.data) {
        return Ok(Source::Cves(arguments.cve_id.clone(), data.clone()));
    }
    if let Some(data) = &arguments.data {
        let message = format!("{}: a data set is for looking CVEs up", data.display());
        return Err(Failure::new(Kind::Arguments, message)
            .hint("name them by --cve-id; --input classifies all its records"));
    }
    match (&arguments.input, &arguments.text) {
        (Some(path), _) if path.as_os_str() == "-" => Ok(stdin()),
        (Some(path), _) => file(path).map(|(input, position)| Source::Records(input, position)),
        // A checkpoint has scores for the empty sequence, as transformers gives them.
        (None, Some(text)) if text.trim().is_empty() && arguments.model.is_checkpoint() => {
            Ok(Source::Text(text.clone()))
        }
        (None, Some(text)) => Ok(match TextArgument::new(text, terminal)? {
            TextArgument::Stdin => stdin(),
            TextArgument::File(input, position) => Source::Records(input, position),
            TextArgument::Text(text) => Source::Text(text),
        }),
        (None, None) if !terminal.stdin_is_terminal => Ok(stdin()),
        (None, None) => Err(Failure::new(Kind::Arguments, "there is nothing to classify")
            .hint("give a text in quotes, a file, or `-` to type or paste texts, one a line")),
    }
}

fn stdin() -> Source {
    Source::Records(vulnlens_corpus::Input::stream("standard input", io::stdin()), None)
}
