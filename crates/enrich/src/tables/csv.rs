//! CSV: insertions at the ends of rows and into blank cells, so that every quote and line end stays as it is.

use std::io::{BufRead, Write};
use std::ops::Range;
use std::sync::Arc;

use vulnlens_corpus::sources::{CsvRecord, CsvTable, fields};

use super::columns::Column;
use crate::documents::is_labelled;
use crate::error::EnrichError;
use crate::filling::{Filling, Judgement, Origin};
use crate::json::Edits;
use crate::options::EnrichOptions;
use crate::predictor::Predictor;
use crate::questions::{Questions, Tell, filling};
use crate::summary::EnrichSummary;

/// Fills the rows of a table.
pub(crate) struct Csv<'a, P> {
    pub(crate) predictor: &'a mut P,
    pub(crate) origin: &'a Origin,
    pub(crate) options: &'a EnrichOptions,
    pub(crate) file: Arc<str>,
    pub(crate) summary: EnrichSummary,
}

/// The layout of a table.
struct Layout {
    delimiter: u8,
    /// The number of columns that it has.
    columns: usize,
    /// The column of weaknesses that it has.
    weaknesses: Option<usize>,
    /// The columns that it gets.
    new: Vec<Column>,
}

/// A row that waits for its answer.
struct Waiting {
    bytes: Vec<u8>,
    question: Option<usize>,
    /// False for a row that has not the columns of the header: it stays as it is.
    is_whole: bool,
}

impl<P: Predictor> Csv<'_, P> {
    /// Fills the table of `reader`.
    pub(crate) fn run(
        mut self,
        reader: impl BufRead,
        out: &mut (dyn Write + Send),
        tell: Tell<'_>,
    ) -> Result<EnrichSummary, EnrichError> {
        if self.options.container {
            let problem = "--container is for records of the CVE list, and this is a table".to_owned();
            return Err(EnrichError::Format { file: self.file.to_string(), problem });
        }
        let is_tabs = self.file.to_ascii_lowercase().ends_with(".tsv");
        let mut table =
            CsvTable::open(Arc::clone(&self.file), reader, is_tabs, self.options.columns.clone())?;
        let weaknesses = table.weaknesses();
        let new = Column::new_ones(table.names(), weaknesses.is_some());
        let layout = Layout { delimiter: table.delimiter(), columns: table.names().len(), weaknesses, new };
        let mut bytes = Vec::new();
        layout.header().apply_at_end(table.header(), &mut bytes);
        out.write_all(&bytes).map_err(EnrichError::Write)?;
        let (mut questions, mut waiting) = (Questions::default(), Vec::new());
        while let Some(record) = table.next_record() {
            questions.hold(record.bytes.len());
            waiting.push(self.waiting(record, &layout, &mut questions, tell));
            if questions.is_full() {
                self.write(&mut waiting, &mut questions, &layout, out)?;
            }
        }
        self.write(&mut waiting, &mut questions, &layout, out)?;
        out.write_all(&table.rest()).map_err(EnrichError::Write)?;
        Ok(self.summary)
    }

    fn waiting(
        &mut self,
        record: CsvRecord,
        layout: &Layout,
        questions: &mut Questions,
        tell: Tell<'_>,
    ) -> Waiting {
        let CsvRecord { bytes, record } = record;
        let summary = &mut self.summary;
        let mut question = None;
        let count = match &record {
            Err(error) => {
                tell(error);
                Some(&mut summary.bad)
            }
            Ok(record) if is_labelled(record) => Some(&mut summary.had),
            Ok(record) => match &record.text {
                Err(_) => Some(&mut summary.without_text),
                Ok(text) => {
                    question = Some(questions.add(text.clone(), record.year()));
                    None
                }
            },
        };
        if let Some(count) = count {
            *count = count.saturating_add(1);
        }
        let is_whole = record.is_ok() || fields(&bytes, layout.delimiter).len() == layout.columns;
        Waiting { bytes, question, is_whole }
    }

    fn write(
        &mut self,
        waiting: &mut Vec<Waiting>,
        questions: &mut Questions,
        layout: &Layout,
        out: &mut (dyn Write + Send),
    ) -> Result<(), EnrichError> {
        let judgements: Vec<Judgement> = questions.judge(self.predictor, self.options.min_score)?;
        let mut bytes = Vec::new();
        for row in waiting.drain(..) {
            if !row.is_whole {
                bytes.extend_from_slice(&row.bytes);
                continue;
            }
            let judgement = row.question.and_then(|question| judgements.get(question));
            let filling = filling(judgement, &mut self.summary);
            self.summary.filled = self.summary.filled.saturating_add(u64::from(filling.is_some()));
            layout.row(&row.bytes, filling, self.origin).apply(&row.bytes, &mut bytes);
        }
        out.write_all(&bytes).map_err(EnrichError::Write)
    }
}

/// Cells at the end of a row.
struct End(String);

impl End {
    fn apply_at_end(&self, row: &[u8], out: &mut Vec<u8>) {
        let mut edits = Edits::default();
        edits.insert(end(row), self.0.clone());
        edits.apply(row, out);
    }
}

impl Layout {
    /// The names of the new columns.
    fn header(&self) -> End {
        End(self.cells(self.new.iter().map(|column| column.name().to_owned())))
    }

    /// The insertions into a row; one that is not filled gets empty cells.
    fn row(&self, row: &[u8], filling: Option<&Filling>, origin: &Origin) -> Edits {
        let cell = |column: &Column| filling.map(|filling| column.cell(filling, origin)).unwrap_or_default();
        let mut edits = Edits::default();
        let known = self.weaknesses.and_then(|column| fields(row, self.delimiter).get(column).cloned());
        if let (Some(at), Some(filling)) = (known, filling) {
            edits.replace_blank(blank(row, at), self.quoted(&Column::Weaknesses.cell(filling, origin)));
        }
        edits.insert(end(row), self.cells(self.new.iter().map(cell)));
        edits
    }

    fn cells(&self, cells: impl Iterator<Item = String>) -> String {
        let delimiter = char::from(self.delimiter);
        cells.map(|cell| format!("{delimiter}{}", self.quoted(&cell))).collect()
    }

    /// A cell, in quotes where it needs them.
    fn quoted(&self, cell: &str) -> String {
        let needs_quotes =
            cell.bytes().any(|byte| byte == self.delimiter || matches!(byte, b'"' | b'\n' | b'\r'));
        if needs_quotes { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
    }
}

/// The place of a cell that is nothing, blanks or empty quotes; the end of any other.
fn blank(row: &[u8], at: Range<usize>) -> Range<usize> {
    let cell = row.get(at.clone()).unwrap_or_default();
    if cell.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b'"') { at } else { at.end..at.end }
}

/// The end of a row, in front of its line end.
fn end(row: &[u8]) -> usize {
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    row.iter().rposition(|byte| !is_line_end(byte)).map_or(0, |last| last.saturating_add(1))
}
