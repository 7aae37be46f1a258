//! Dividing a data set anew: another seed, other shares, other years.

use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray, new_null_array};
use arrow_schema::DataType;

use crate::columns;
use crate::components::{Components, Member, Parts};
use crate::dataset::curated::PairsBuilder;
use crate::dataset::writer::{FileWriter, target, unwritable};
use crate::dataset::{DatasetReader, schema};
use crate::date::Date;
use crate::error::CorpusError;
use crate::groups::{GroupId, Part, SplitOptions};
use crate::text_kind::TextKind;

/// Writes the data set at `input` to `out`, divided by `splits`; everything else stays. Returns the number of rows.
/// `out` may be `input`, and the input may be of an older version of the layout.
///
/// # Errors
/// A data set that cannot be read, lacks a column or has a damaged row, an output that is no regular file, or
/// a failure to write.
pub fn resplit(input: &Path, out: &Path, splits: &SplitOptions) -> Result<u64, CorpusError> {
    let out = &target(out)?;
    let reader = DatasetReader::open(input)?;
    let mut parts = parts(&reader, splits)?.into_iter();
    let kb = reader.metadata().get(schema::KB_KEY).map_or("", String::as_str);
    let mut file = FileWriter::create(out, schema::metadata(kb, splits))?;
    for batch in reader.raw_batches()? {
        let batch = batch?;
        let parts: Vec<Parts> = parts.by_ref().take(batch.num_rows()).collect();
        file.write(&divided(&batch, &parts, splits, input, out)?)?;
    }
    file.finish()?;
    Ok(reader.len())
}

/// The parts of each row.
fn parts(reader: &DatasetReader, splits: &SplitOptions) -> Result<Vec<Parts>, CorpusError> {
    let mut components = Components::default();
    for row in reader.rows()? {
        let row = row?;
        components.add(&Member {
            kind: row.kind,
            outcome: row.outcome,
            cve: row.cve,
            aliases: &row.aliases,
            published_year: row.published.map(Date::year),
            text: &row.text,
            group: GroupId::of(&row.text, splits.seed),
        });
    }
    Ok(components.parts(splits))
}

fn divided(
    batch: &RecordBatch,
    parts: &[Parts],
    splits: &SplitOptions,
    input: &Path,
    out: &Path,
) -> Result<RecordBatch, CorpusError> {
    let texts = batch.column_by_name(schema::DESCRIPTION).map(Arc::as_ref);
    let group = |row| {
        let text = texts.and_then(|column| columns::text(column, row)).unwrap_or_default();
        GroupId::of(&text, splits.seed).to_string()
    };
    let strings = |cells: Vec<String>| Arc::new(StringArray::from(cells)) as ArrayRef;
    let names = |part: fn(&Parts) -> Part| strings(parts.iter().map(|of| part(of).to_string()).collect());
    let schema = schema::schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        schema::GROUP => Ok(strings((0..batch.num_rows()).map(group).collect())),
        schema::SPLIT_RANDOM => Ok(names(|parts| parts.random)),
        schema::SPLIT_TEMPORAL => Ok(names(|parts| parts.temporal)),
        name => match batch.column_by_name(name) {
            Some(column) => Ok(Arc::clone(column)),
            None => of_earlier_layout(name, batch).ok_or_else(|| missing(name, batch, input)),
        },
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(&schema), columns)
        .map_err(|error| unwritable(out, io::Error::other(error)))
}

/// A column that an earlier version of the layout did not have: all rows of the first one were records.
fn of_earlier_layout(name: &str, batch: &RecordBatch) -> Option<ArrayRef> {
    let rows = batch.num_rows();
    match name {
        schema::NAME => batch.column_by_name(schema::CVE_ID).cloned(),
        schema::KIND => Some(Arc::new(StringArray::from(vec![TextKind::Record.name(); rows]))),
        schema::STYLE | schema::OUTCOME | schema::CVSS | schema::CVSS_SOURCE => {
            Some(new_null_array(&DataType::Utf8, rows))
        }
        schema::ALIASES => {
            let mut lists = ListBuilder::new(StringBuilder::new()).with_field(schema::list_item());
            (0..rows).for_each(|_| lists.append(true));
            Some(Arc::new(lists.finish()))
        }
        schema::CURATED => {
            let mut pairs = PairsBuilder::new();
            (0..rows).for_each(|_| pairs.push(&[]));
            Some(pairs.finish())
        }
        _ => None,
    }
}

fn missing(name: &str, batch: &RecordBatch, input: &Path) -> CorpusError {
    let columns = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    CorpusError::MissingColumn {
        file: input.display().to_string(),
        column: format!("{name} of a data set"),
        columns,
    }
}
