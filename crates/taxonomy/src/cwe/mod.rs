//! CWE's catalogue as MITRE publishes it: the XML file `cwec_vX.Y.xml`, or what the REST API answers.

mod api;
mod catalog;
mod prose;
mod xml;

use std::io::BufRead;

pub use api::ApiAnswers;
pub use catalog::CweCatalog;
pub use prose::{AlternateTerm, ObservedExample, WeaknessProse};

use crate::error::ParseError;
use crate::sniff::{Form, sniff};

/// Reads CWE's catalogue in XML, or in one JSON document of the REST API; `file` names it in messages.
///
/// Prose is passed over, except for the mapping notes. An unreadable weakness, category or view is left out and an
/// unreadable relation dropped; both stand in [`CweCatalog::issues`]. Answers of the REST API in several files are
/// collected by [`ApiAnswers`].
///
/// # Errors
/// The reader's, malformed or cut-off content, any document type declaration (entities could expand
/// without end), a file that is not a CWE catalogue or holds no weakness.
pub fn parse(mut reader: impl BufRead, file: &str) -> Result<CweCatalog, ParseError> {
    let (form, kind) = sniff(&mut reader).map_err(ParseError::read(file))?;
    if form != Form::Json {
        return xml::parse(reader, file);
    }
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(ParseError::read(file))?;
    ApiAnswers::of_document(file, &bytes)?.finish(file).map_err(|_| {
        ParseError::not_catalogue(file, catalog::EXPECTED, format!("it is {kind}; {}", catalog::WANTED))
    })
}
