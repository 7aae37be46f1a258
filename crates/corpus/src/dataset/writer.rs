//! Writing the data set: row groups of a fixed size into a file that appears when it is whole.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{Date32Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use vulnlens_files::WholeFile;
use vulnlens_taxonomy::{BaseVector, ChainLabels, CveId, CweId, Outcome};

use super::curated::PairsBuilder;
use super::schema;
use crate::components::Parts;
use crate::curated::CuratedPair;
use crate::date::Date;
use crate::error::CorpusError;
use crate::groups::GroupId;
use crate::text_kind::TextKind;

/// Rows of a row group: enough to compress, few enough that one is small in memory.
pub(crate) const ROW_GROUP: usize = 16 << 10;
/// Rows handed to the encoder at once.
const BATCH: usize = 2 << 10;

/// One row as it is written.
pub(crate) struct NewRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) cve: Option<CveId>,
    pub(crate) aliases: &'a [CveId],
    pub(crate) kind: TextKind,
    pub(crate) style: Option<&'a str>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) published: Option<Date>,
    pub(crate) modified: Option<Date>,
    pub(crate) text: &'a str,
    pub(crate) cwes: &'a [CweId],
    pub(crate) cwe_sources: &'a [String],
    pub(crate) derived: &'a ChainLabels,
    pub(crate) curated: &'a [CuratedPair],
    /// The base vector and the name of its assigner.
    pub(crate) cvss: Option<(BaseVector, &'static str)>,
    pub(crate) group: GroupId,
    pub(crate) parts: Parts,
}

/// A Parquet file that appears under its name only when it is whole.
pub(crate) struct FileWriter {
    writer: ArrowWriter<WholeFile>,
    path: PathBuf,
}

impl FileWriter {
    /// Begins the file that is to stand at `path`, which [`target`] gave.
    pub(crate) fn create(path: &Path, metadata: Vec<(String, String)>) -> Result<Self, CorpusError> {
        let file = WholeFile::create(path)?;
        let metadata = metadata.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_key_value_metadata(Some(metadata))
            .build();
        let writer = ArrowWriter::try_new(file, schema::schema(), Some(properties));
        let writer = writer.map_err(|error| parquet_error(path, error))?;
        Ok(Self { writer, path: path.to_owned() })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), CorpusError> {
        self.writer.write(batch).map_err(|error| parquet_error(&self.path, error))
    }

    /// Ends the file and gives it its name.
    pub(crate) fn finish(self) -> Result<(), CorpusError> {
        let Self { writer, path } = self;
        let file = writer.into_inner().map_err(|error| parquet_error(&path, error))?;
        Ok(file.finish()?)
    }
}

/// The file that the output `path` names, links followed, so that a link stays one.
///
/// A rename would put a file in the place of a device, a pipe or a socket, so these are refused.
pub(crate) fn target(path: &Path) -> Result<PathBuf, CorpusError> {
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(path.to_owned()) };
    if !metadata.is_file() {
        let problem = "is a folder, a device or a pipe; name a regular file, or one that does not exist yet";
        return Err(unwritable(path, io::Error::new(io::ErrorKind::InvalidInput, problem)));
    }
    if path.is_symlink() {
        return path.canonicalize().map_err(|source| unwritable(path, source));
    }
    Ok(path.to_owned())
}

pub(crate) fn unwritable(path: &Path, source: io::Error) -> CorpusError {
    CorpusError::Write { file: path.display().to_string(), source }
}

fn parquet_error(path: &Path, error: ParquetError) -> CorpusError {
    unwritable(path, io::Error::other(error))
}

/// Rows on their way into the file.
pub(crate) struct RowWriter {
    file: FileWriter,
    rows: usize,
    kb_version: String,
    texts: [StringBuilder; 12],
    dates: [Date32Builder; 2],
    lists: [ListBuilder<StringBuilder>; 6],
    curated: PairsBuilder,
}

impl RowWriter {
    pub(crate) fn new(file: FileWriter, kb_version: String) -> Self {
        let list = || ListBuilder::new(StringBuilder::new()).with_field(schema::list_item());
        Self {
            file,
            rows: 0,
            kb_version,
            texts: Default::default(),
            dates: Default::default(),
            lists: std::array::from_fn(|_| list()),
            curated: PairsBuilder::new(),
        }
    }

    pub(crate) fn push(&mut self, row: &NewRow<'_>) -> Result<(), CorpusError> {
        let [name, cve, kind, style, outcome, text, cvss, cvss_source, group, random, temporal, kb] =
            &mut self.texts;
        name.append_value(row.name);
        cve.append_option(row.cve.map(|cve| cve.to_string()));
        kind.append_value(row.kind.name());
        style.append_option(row.style);
        outcome.append_option(row.outcome.map(Outcome::name));
        text.append_value(row.text);
        cvss.append_option(row.cvss.map(|(vector, _)| vector.to_string()));
        cvss_source.append_option(row.cvss.map(|(_, source)| source));
        group.append_value(row.group.to_string());
        random.append_value(row.parts.random.name());
        temporal.append_value(row.parts.temporal.name());
        kb.append_value(&self.kb_version);
        let [published, modified] = &mut self.dates;
        published.append_option(row.published.map(Date::to_epoch_days));
        modified.append_option(row.modified.map(Date::to_epoch_days));
        let [aliases, cwes, sources, derived, capec, techniques] = &mut self.lists;
        append(aliases, row.aliases);
        append(cwes, row.cwes);
        append(sources, row.cwe_sources);
        append(derived, &row.derived.cwe);
        append(capec, &row.derived.capec);
        append(techniques, &row.derived.techniques);
        self.curated.push(row.curated);
        self.rows = self.rows.saturating_add(1);
        if self.rows < BATCH { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), CorpusError> {
        self.rows = 0;
        let [name, cve, kind, style, outcome, text, cvss, cvss_source, group, random, temporal, kb] =
            self.texts.each_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
        let [published, modified] = self.dates.each_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
        let [aliases, cwes, sources, derived, capec, techniques] =
            self.lists.each_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
        let columns = vec![
            name,
            cve,
            aliases,
            kind,
            style,
            outcome,
            published,
            modified,
            text,
            cwes,
            sources,
            derived,
            capec,
            techniques,
            self.curated.finish(),
            cvss,
            cvss_source,
            group,
            random,
            temporal,
            kb,
        ];
        let batch = RecordBatch::try_new(schema::schema(), columns);
        let batch = batch.map_err(|error| unwritable(&self.file.path, io::Error::other(error)))?;
        self.file.write(&batch)
    }

    /// Writes what is held, ends the file and gives it its name.
    pub(crate) fn finish(mut self) -> Result<(), CorpusError> {
        self.flush()?;
        self.file.finish()
    }
}

fn append<T: ToString>(list: &mut ListBuilder<StringBuilder>, items: &[T]) {
    items.iter().for_each(|item| list.values().append_value(item.to_string()));
    list.append(true);
}
