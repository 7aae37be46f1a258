//! CAPEC's catalogue as MITRE publishes it: the STIX 2.1 bundle `stix-capec.json`, or the XML file `capec_vX.Y.xml`.

mod catalog;
mod stix;
mod xml;

use std::io::BufRead;

pub use catalog::CapecCatalog;

use crate::error::ParseError;
use crate::sniff::{Form, sniff};

/// Reads CAPEC's catalogue, in STIX or in XML; `file` names it in messages.
///
/// Entries other than attack patterns are passed over. An unreadable pattern is left out and an
/// unreadable reference of a pattern dropped; both stand in [`CapecCatalog::issues`].
///
/// # Errors
/// The reader's, malformed JSON or XML, any document type declaration, a file that is another
/// catalogue or holds no CAPEC pattern.
pub fn parse(mut reader: impl BufRead, file: &str) -> Result<CapecCatalog, ParseError> {
    match sniff(&mut reader).map_err(ParseError::read(file))? {
        (Form::Xml, _) => xml::parse(reader, file),
        _ => stix::parse(reader, file),
    }
}
