//! A format whose findings are filled in.

use std::ops::Range;

use vulnlens_corpus::Record;

use crate::filling::{Filling, Origin};
use crate::json::{Edits, Node, Unfit};

/// A format whose findings are filled in.
pub(crate) trait Format: Sync {
    /// The name of the format of records.
    fn name(&self) -> &'static str;

    /// Tests for a finding of a special kind of the format: the first format that accepts it wins.
    fn accepts(&self, _finding: &Node<'_>, _root: &Node<'_>) -> bool {
        true
    }

    /// The version of the format that a document is written in, as far as it matters.
    fn version(&self, _document: &Node<'_>) -> Option<String> {
        None
    }

    /// Fills a finding.
    ///
    /// # Errors
    /// The finding has no room: nothing of it is inserted then.
    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        origin: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit>;

    /// Fills in what a document needs around the findings that were filled, which are given by their places.
    ///
    /// # Errors
    /// The document has no room: the findings stay filled.
    fn close(
        &self,
        _document: &Node<'_>,
        _filled: &[(Range<usize>, &Filling)],
        _origin: &Origin,
        _edits: &mut Edits,
    ) -> Result<(), Unfit> {
        Ok(())
    }

    /// The part of a document that holds nothing but a filling, for those who paste it themselves; none where the format
    /// has no such part.
    fn container(&self, _filling: &Filling, _origin: &Origin, _record: &Record) -> Option<String> {
        None
    }
}

/// A finding to be filled.
pub(crate) struct Finding<'a> {
    /// The object in which the weaknesses stand.
    pub(crate) node: Node<'a>,
    /// The record that the finding was read as.
    pub(crate) record: &'a Record,
    /// The version of the document.
    pub(crate) version: Option<&'a str>,
}

impl Finding<'_> {
    /// The CVE id, otherwise the id.
    pub(crate) fn id(&self) -> Option<String> {
        let cve = self.record.cve().map(|cve| cve.to_string());
        cve.or_else(|| self.record.id.as_ref().map(ToString::to_string))
    }
}
