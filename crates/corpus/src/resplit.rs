//! Dividing a data set anew: another seed, other shares, other years.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};

use crate::columns;
use crate::dataset::writer::{FileWriter, target, unwritable};
use crate::dataset::{DatasetReader, schema};
use crate::error::CorpusError;
use crate::groups::{GroupId, Part, SplitOptions};

/// Writes the data set at `input` to `out`, divided by `splits`; everything else stays. Returns the number of rows.
/// `out` may be `input`.
///
/// # Errors
/// A data set that cannot be read, lacks a column or has a damaged row, an output that is no regular file, or
/// a failure to write.
pub fn resplit(input: &Path, out: &Path, splits: &SplitOptions) -> Result<u64, CorpusError> {
    let out = &target(out)?;
    let reader = DatasetReader::open(input)?;
    let parts = temporal_parts(&reader, splits)?;
    let kb = reader.metadata().get(schema::KB_KEY).map_or("", String::as_str);
    let mut file = FileWriter::create(out, schema::metadata(kb, splits))?;
    for batch in reader.raw_batches()? {
        file.write(&divided(&batch?, &parts, splits, input, out)?)?;
    }
    file.finish()?;
    Ok(reader.len())
}

/// The part of each group in the temporal split: the earliest of its members'.
fn temporal_parts(
    reader: &DatasetReader,
    splits: &SplitOptions,
) -> Result<HashMap<GroupId, Part>, CorpusError> {
    let mut parts = HashMap::new();
    for row in reader.rows()? {
        let row = row?;
        let part = splits.temporal(row.id.year());
        let earliest = parts.entry(GroupId::of(&row.text, splits.seed)).or_insert(part);
        *earliest = part.min(*earliest);
    }
    Ok(parts)
}

fn divided(
    batch: &RecordBatch,
    parts: &HashMap<GroupId, Part>,
    splits: &SplitOptions,
    input: &Path,
    out: &Path,
) -> Result<RecordBatch, CorpusError> {
    let texts = batch.column_by_name(schema::DESCRIPTION).map(Arc::as_ref);
    let text = |row| texts.and_then(|column| columns::text(column, row)).unwrap_or_default();
    let groups: Vec<GroupId> =
        (0..batch.num_rows()).map(|row| GroupId::of(&text(row), splits.seed)).collect();
    let temporal = |group: &GroupId| parts.get(group).copied().unwrap_or(Part::Train).name();
    let strings = |cells: Vec<String>| Arc::new(StringArray::from(cells)) as ArrayRef;
    let schema = schema::schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        schema::GROUP => Ok(strings(groups.iter().map(GroupId::to_string).collect())),
        schema::SPLIT_RANDOM => {
            Ok(strings(groups.iter().map(|group| splits.random(*group).to_string()).collect()))
        }
        schema::SPLIT_TEMPORAL => {
            Ok(strings(groups.iter().map(|group| temporal(group).to_owned()).collect()))
        }
        name => batch.column_by_name(name).cloned().ok_or_else(|| missing(name, batch, input)),
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(&schema), columns)
        .map_err(|error| unwritable(out, io::Error::other(error)))
}

fn missing(name: &str, batch: &RecordBatch, input: &Path) -> CorpusError {
    let columns = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    CorpusError::MissingColumn {
        file: input.display().to_string(),
        column: format!("{name} of a data set"),
        columns,
    }
}
