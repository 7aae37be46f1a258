//! Parquet: the same rows and columns, and new columns behind them. The bytes are not those of the file: a file of
//! columns cannot be inserted into.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use arrow_array::builder::{GenericStringBuilder, ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use vulnlens_corpus::sources::ParquetTable;
use vulnlens_corpus::{Limits, Record, RecordError};
use vulnlens_files::copy_at_most;

use super::columns::Column;
use crate::documents::is_labelled;
use crate::error::EnrichError;
use crate::filling::{Filling, Origin};
use crate::options::EnrichOptions;
use crate::predictor::Predictor;
use crate::questions::{Questions, Tell, filling};
use crate::summary::EnrichSummary;

/// Fills the rows of a Parquet file.
pub(crate) struct Parquet<'a, P> {
    pub(crate) predictor: &'a mut P,
    pub(crate) origin: &'a Origin,
    pub(crate) options: &'a EnrichOptions,
    pub(crate) file: Arc<str>,
    pub(crate) summary: EnrichSummary,
}

impl<P: Predictor> Parquet<'_, P> {
    /// Fills the file of `reader`, which goes through an unnamed temporary file: it is read from its end.
    pub(crate) fn run(
        mut self,
        mut reader: impl Read,
        out: &mut (dyn Write + Send),
        tell: Tell<'_>,
    ) -> Result<EnrichSummary, EnrichError> {
        if self.options.container {
            return Err(self.wrong("--container is for records of the CVE list, and this is a table"));
        }
        let failed = |source| EnrichError::Read { file: self.file.to_string(), source };
        let mut file = tempfile::tempfile().map_err(failed)?;
        copy_at_most(&mut reader, &mut file, Limits::default().unpacked_bytes).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut table = ParquetTable::open(Arc::clone(&self.file), file, self.options.columns.clone())?;
        let weaknesses = table.weaknesses();
        let names: Vec<String> = table.schema().fields().iter().map(|field| field.name().clone()).collect();
        let new = Column::new_ones(&names, weaknesses.is_some());
        let mut fields: Vec<Arc<Field>> = table.schema().fields().iter().cloned().collect();
        if let Some(field) = weaknesses.and_then(|place| fields.get_mut(place)) {
            if !is_fillable(field.data_type()) {
                let problem = format!(
                    "column {} holds {}; make it strings or lists of strings",
                    field.name(),
                    field.data_type()
                );
                return Err(self.wrong(&problem));
            }
            *field = Arc::new(field.as_ref().clone().with_nullable(true));
        }
        fields.extend(new.iter().map(|column| Arc::new(Field::new(column.name(), DataType::Utf8, true))));
        let schema = Arc::new(Schema::new_with_metadata(fields, table.schema().metadata().clone()));
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let broken = |error: parquet::errors::ParquetError| EnrichError::Write(io::Error::other(error));
        let mut writer =
            ArrowWriter::try_new(Passing(out), Arc::clone(&schema), Some(properties)).map_err(broken)?;
        loop {
            let rows = match table.next_rows() {
                Ok(Some(rows)) => rows,
                Ok(None) => break,
                Err(error) => return Err(self.wrong(&error.problem.to_string())),
            };
            let (batch, records) = rows;
            let fillings = self.fillings(&records, tell)?;
            let fillings: Vec<Option<&Filling>> = fillings.iter().map(Option::as_ref).collect();
            let mut columns = batch.columns().to_vec();
            if let Some(column) = weaknesses.and_then(|place| columns.get_mut(place)) {
                *column = filled(column, &fillings);
            }
            columns.extend(new.iter().map(|column| self.column(*column, &fillings)));
            let batch = RecordBatch::try_new(Arc::clone(&schema), columns);
            let batch = batch.map_err(|error| self.wrong(&error.to_string()))?;
            writer.write(&batch).map_err(broken)?;
        }
        writer.close().map_err(broken)?;
        Ok(self.summary)
    }

    /// The fillings of rows.
    fn fillings(
        &mut self,
        records: &[Result<Record, RecordError>],
        tell: Tell<'_>,
    ) -> Result<Vec<Option<Filling>>, EnrichError> {
        let mut questions = Questions::default();
        let mut asked = Vec::with_capacity(records.len());
        for record in records {
            let summary = &mut self.summary;
            let mut question = None;
            let count = match record {
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
            asked.push(question);
        }
        let judgements = questions.judge(self.predictor, self.options.min_score)?;
        let fillings = asked.into_iter().map(|question| {
            let judgement = question.and_then(|question| judgements.get(question));
            let filling = filling(judgement, &mut self.summary).cloned();
            self.summary.filled = self.summary.filled.saturating_add(u64::from(filling.is_some()));
            filling
        });
        Ok(fillings.collect())
    }

    fn column(&self, column: Column, fillings: &[Option<&Filling>]) -> ArrayRef {
        let cell = |filling: &Option<&Filling>| {
            let cell = column.cell((*filling)?, self.origin);
            (!cell.is_empty()).then_some(cell)
        };
        Arc::new(fillings.iter().map(cell).collect::<StringArray>())
    }

    fn wrong(&self, problem: &str) -> EnrichError {
        EnrichError::Format { file: self.file.to_string(), problem: problem.to_owned() }
    }
}

/// Tests for a type of cells of weaknesses that can be filled.
fn is_fillable(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 => true,
        DataType::List(items) => *items.data_type() == DataType::Utf8,
        _ => false,
    }
}

/// A column of weaknesses whose blank cells are filled.
fn filled(column: &ArrayRef, fillings: &[Option<&Filling>]) -> ArrayRef {
    let ids = |filling: &Filling| filling.weaknesses.iter().map(|label| label.id.clone()).collect::<Vec<_>>();
    match column.data_type() {
        DataType::Utf8 => filled_texts::<i32>(column, fillings),
        DataType::LargeUtf8 => filled_texts::<i64>(column, fillings),
        DataType::List(items) => {
            let lists = column.as_list::<i32>();
            let mut builder = ListBuilder::new(StringBuilder::new()).with_field(Arc::clone(items));
            for (row, filling) in fillings.iter().enumerate() {
                match filling {
                    Some(filling) => {
                        ids(filling).iter().for_each(|id| builder.values().append_value(id));
                        builder.append(true);
                    }
                    None if lists.is_null(row) => builder.append(false),
                    None => {
                        let items = lists.value(row);
                        items.as_string::<i32>().iter().for_each(|item| builder.values().append_option(item));
                        builder.append(true);
                    }
                }
            }
            Arc::new(builder.finish())
        }
        _ => Arc::clone(column),
    }
}

fn filled_texts<O: OffsetSizeTrait>(column: &ArrayRef, fillings: &[Option<&Filling>]) -> ArrayRef {
    let mut builder = GenericStringBuilder::<O>::new();
    for (cell, filling) in column.as_string::<O>().iter().zip(fillings) {
        match filling {
            Some(filling) => {
                let ids: Vec<&str> = filling.weaknesses.iter().map(|label| &*label.id).collect();
                builder.append_value(ids.join(" "));
            }
            None => builder.append_option(cell),
        }
    }
    Arc::new(builder.finish())
}

/// The output, for a writer that wants to own it and send it between threads.
struct Passing<'a>(&'a mut (dyn Write + Send));

impl Write for Passing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
