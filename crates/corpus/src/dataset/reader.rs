//! Reading the data set back, row by row or one row by its id.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection, RowSelector};
use vulnlens_taxonomy::{BaseVector, ChainLabels, CveId, CweId, Outcome};

use super::{curated, schema};
use crate::columns::{self, Kind};
use crate::curated::CuratedPair;
use crate::date::Date;
use crate::error::{CorpusError, RecordError};
use crate::groups::{GroupId, Part};
use crate::limits::Limits;
use crate::parquet_file::{self, Batches};
use crate::place::Place;
use crate::problem::Problem;
use crate::text_kind::TextKind;

/// One text of the data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataRow {
    /// The row's own id: that of the record, the advisory, the package or the weakness. Only records have one each.
    pub name: String,
    /// The CVE that the text is about; every record has one.
    pub cve: Option<CveId>,
    /// Other CVEs that the text is about.
    pub aliases: Vec<CveId>,
    /// The kind of the text.
    pub kind: TextKind,
    /// The source of a text that is not a record.
    pub style: Option<String>,
    /// The outcome of reading the text, where it is known and no set of weaknesses.
    pub outcome: Option<Outcome>,
    /// The day of publication.
    pub published: Option<Date>,
    /// The English text.
    pub text: String,
    /// The weaknesses assigned, sorted, without ancestors; may be empty.
    pub cwes: Vec<CweId>,
    /// The techniques that people assigned to the CVE, by technique, role and source; records alone have them.
    pub curated: Vec<CuratedPair>,
    /// The base vector of CVSS 3.x that the CVE was rated with; records alone have one.
    pub cvss: Option<BaseVector>,
    /// The assigner of that vector: `nvd`, `cna` or `adp`.
    pub cvss_source: Option<String>,
    /// The rows with the same folded text.
    pub group: GroupId,
    /// The part in the random split.
    pub random: Part,
    /// The part in the temporal split.
    pub temporal: Part,
}

impl DataRow {
    /// The year whose habits of assignment apply: that of publication, else that of the CVE id.
    #[must_use]
    pub fn year(&self) -> Option<u16> {
        self.published.map(Date::year).or_else(|| self.cve.map(CveId::year))
    }
}

/// The columns that a [`DataRow`] is made of, and what they must hold.
const ROW: [(&str, Kind); 7] = [
    (schema::CVE_ID, Kind::Text),
    (schema::PUBLISHED, Kind::Date),
    (schema::DESCRIPTION, Kind::Text),
    (schema::CWE_IDS, Kind::List),
    (schema::GROUP, Kind::Text),
    (schema::SPLIT_RANDOM, Kind::Text),
    (schema::SPLIT_TEMPORAL, Kind::Text),
];
/// The columns that earlier versions of the layout did not have.
const LATER: [(&str, Kind); 8] = [
    (schema::NAME, Kind::Text),
    (schema::ALIASES, Kind::List),
    (schema::KIND, Kind::Text),
    (schema::STYLE, Kind::Text),
    (schema::OUTCOME, Kind::Text),
    (schema::CURATED, Kind::Structures),
    (schema::CVSS, Kind::Text),
    (schema::CVSS_SOURCE, Kind::Text),
];
/// The columns of the labels that the chain derived.
const DERIVED: [(&str, Kind); 3] =
    [(schema::CWE_DERIVED, Kind::List), (schema::CAPEC_IDS, Kind::List), (schema::ATTACK_IDS, Kind::List)];

/// A data set that `build` wrote.
pub struct DatasetReader {
    name: Arc<str>,
    file: File,
    rows: u64,
    metadata: BTreeMap<String, String>,
}

impl DatasetReader {
    /// Opens the data set at `path`.
    ///
    /// # Errors
    /// A file that cannot be read, is no Parquet, or lacks a column of the data set (named, with those that exist).
    pub fn open(path: &Path) -> Result<Self, CorpusError> {
        let name: Arc<str> = path.display().to_string().into();
        let unreadable = |source| CorpusError::Open { file: name.to_string(), source };
        let file = File::open(path).map_err(unreadable)?;
        if !begins_as_parquet(&file).map_err(unreadable)? {
            let problem = "is not a Parquet file; make a data set with `vulnlens data build`".to_owned();
            return Err(CorpusError::Format { file: name.to_string(), problem });
        }
        let mut reader = Self { name, file, rows: 0, metadata: BTreeMap::new() };
        let builder = reader.builder()?;
        for (column, kind) in ROW.into_iter().chain(DERIVED) {
            let fields = builder.schema().fields();
            let Some((_, field)) = fields.find(column) else {
                let columns = fields.iter().map(|field| field.name().clone()).collect();
                let (file, column) = (reader.name.to_string(), format!("{column} of a data set"));
                return Err(CorpusError::MissingColumn { file, column, columns });
            };
            columns::check(&reader.name, field, kind)?;
        }
        for (column, kind) in LATER {
            let field = builder.schema().fields().find(column);
            field.map_or(Ok(()), |(_, field)| columns::check(&reader.name, field, kind))?;
        }
        let file = builder.metadata().file_metadata();
        reader.rows = u64::try_from(file.num_rows()).unwrap_or_default();
        let pairs = file.key_value_metadata().into_iter().flatten();
        reader.metadata = pairs.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect();
        Ok(reader)
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// True when there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The file's metadata: `vulnlens.seed`, `vulnlens.knowledge_base`, `vulnlens.splits`, …
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The rows, records first and by rising id, without their derived labels.
    ///
    /// # Errors
    /// A file that can no longer be read.
    pub fn rows(&self) -> Result<impl Iterator<Item = Result<DataRow, RecordError>> + use<>, CorpusError> {
        let rows = self.scan(&row_columns(), None)?;
        Ok(rows.map(|row| row.map(|(row, _)| row)))
    }

    /// The rows, records first and by rising id, with the labels that the chain derived when the data set was built.
    ///
    /// # Errors
    /// A file that can no longer be read.
    pub fn labelled_rows(&self) -> Result<LabelledRows, CorpusError> {
        let columns: Vec<_> = row_columns().into_iter().chain(DERIVED).collect();
        self.scan(&columns, None)
    }

    /// The row of one CVE's record.
    ///
    /// # Errors
    /// A file that can no longer be read, or a damaged row.
    pub fn find(&self, id: CveId) -> Result<Option<DataRow>, CorpusError> {
        let Some(at) = self.position(id)? else { return Ok(None) };
        let selection = RowSelection::from(vec![RowSelector::skip(at), RowSelector::select(1)]);
        let row = self.scan(&row_columns(), Some(selection))?.next();
        Ok(row.transpose()?.map(|(row, _)| row))
    }

    /// The number of rows before that of `id`'s record.
    fn position(&self, id: CveId) -> Result<Option<usize>, CorpusError> {
        let wanted = id.to_string();
        let mut before = 0usize;
        for batch in self.batches(&[(schema::CVE_ID, Kind::Text), (schema::KIND, Kind::Text)], None)? {
            let batch = batch.map_err(|problem| self.error(Place::Whole, problem))?;
            let is_wanted = |at: &usize| {
                let cells = Cells { batch: &batch, at: *at };
                cells.optional(schema::CVE_ID).is_some_and(|id| id == wanted)
                    && cells.kind() == Ok(TextKind::Record)
            };
            if let Some(row) = (0..batch.num_rows()).find(is_wanted) {
                return Ok(Some(before.saturating_add(row)));
            }
            before = before.saturating_add(batch.num_rows());
        }
        Ok(None)
    }

    fn builder(&self) -> Result<ParquetRecordBatchReaderBuilder<File>, CorpusError> {
        let file = self.file.try_clone();
        let file = file.map_err(|source| CorpusError::Open { file: self.name.to_string(), source })?;
        parquet_file::open(&self.name, file, &Limits::default(), parquet_file::Types::OfParquet)
    }

    fn batches(
        &self,
        columns: &[(&str, Kind)],
        selection: Option<RowSelection>,
    ) -> Result<Batches, CorpusError> {
        let builder = self.builder()?;
        let position = |(name, _): &(&str, Kind)| builder.schema().fields().find(name).map(|(at, _)| at);
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().filter_map(position));
        let mut builder = builder.with_projection(mask).with_batch_size(1024);
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        Batches::new(&self.name, builder)
    }

    /// Every batch of rows with all columns, as they stand.
    pub(crate) fn raw_batches(
        &self,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, RecordError>> + use<>, CorpusError> {
        let columns = schema::schema();
        let columns: Vec<_> =
            columns.fields().iter().map(|field| (field.name().as_str(), Kind::Text)).collect();
        let name = Arc::clone(&self.name);
        let batches = self.batches(&columns, None)?;
        Ok(batches.map(move |batch| batch.map_err(|problem| whole(&name, problem))))
    }

    fn scan(
        &self,
        columns: &[(&str, Kind)],
        selection: Option<RowSelection>,
    ) -> Result<LabelledRows, CorpusError> {
        let batches = self.batches(columns, selection)?;
        Ok(LabelledRows { name: Arc::clone(&self.name), batches, batch: None, at: 0, number: 0 })
    }

    fn error(&self, place: Place, problem: Problem) -> RecordError {
        RecordError { file: Arc::clone(&self.name), place, id: None, problem }
    }
}

/// The columns of a [`DataRow`] in any version of the layout.
fn row_columns() -> Vec<(&'static str, Kind)> {
    ROW.into_iter().chain(LATER).collect()
}

/// Whether the file's first bytes are Parquet's magic number.
fn begins_as_parquet(mut file: &File) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(4).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(head == b"PAR1")
}

fn whole(name: &Arc<str>, problem: Problem) -> RecordError {
    RecordError { file: Arc::clone(name), place: Place::Whole, id: None, problem }
}

/// The rows of a data set, with their derived labels where those were asked for.
pub struct LabelledRows {
    name: Arc<str>,
    batches: Batches,
    batch: Option<RecordBatch>,
    at: usize,
    number: u64,
}

impl Iterator for LabelledRows {
    type Item = Result<(DataRow, ChainLabels), RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.num_rows()) {
            self.at = 0;
            match self.batches.next()? {
                Ok(batch) => self.batch = Some(batch),
                Err(problem) => return Some(Err(whole(&self.name, problem))),
            }
        }
        let batch = self.batch.as_ref()?;
        let at = self.at;
        self.at = self.at.saturating_add(1);
        self.number = self.number.saturating_add(1);
        let place = Place::Row(self.number);
        let error = |problem| RecordError { file: Arc::clone(&self.name), place, id: None, problem };
        Some(Cells { batch, at }.row().map_err(error))
    }
}

/// The cells of one row.
struct Cells<'a> {
    batch: &'a RecordBatch,
    at: usize,
}

impl<'a> Cells<'a> {
    fn column(&self, name: &str) -> Option<&'a dyn Array> {
        self.batch.column_by_name(name).map(|column| column as &dyn Array)
    }

    fn optional(&self, name: &str) -> Option<Cow<'a, str>> {
        self.column(name).and_then(|column| columns::text(column, self.at))
    }

    fn text(&self, name: &'static str) -> Result<Cow<'a, str>, Problem> {
        self.optional(name).ok_or(Problem::MissingField(name))
    }

    /// The kind of the text; the first version of the layout had records alone.
    fn kind(&self) -> Result<TextKind, Problem> {
        let Some(kind) = self.optional(schema::KIND) else { return Ok(TextKind::Record) };
        let expected = "record, style, negative or catalogue";
        TextKind::named(&kind).ok_or_else(|| Problem::bad_field(schema::KIND, &kind, expected))
    }

    fn outcome(&self) -> Result<Option<Outcome>, Problem> {
        let Some(outcome) = self.optional(schema::OUTCOME) else { return Ok(None) };
        let bad = || Problem::bad_field(schema::OUTCOME, &outcome, "not-a-vulnerability or not-told");
        Outcome::named(&outcome).map(Some).ok_or_else(bad)
    }

    /// The CVE, which a record must have.
    fn cve(&self, kind: TextKind) -> Result<Option<CveId>, Problem> {
        match self.optional(schema::CVE_ID) {
            None if kind != TextKind::Record => Ok(None),
            _ => self.parsed(schema::CVE_ID, "a CVE id").map(Some),
        }
    }

    fn parsed<T: std::str::FromStr>(&self, name: &'static str, expected: &'static str) -> Result<T, Problem> {
        let text = self.text(name)?;
        text.parse().map_err(|_| Problem::bad_field(name, &text, expected))
    }

    fn split(&self, name: &'static str) -> Result<Part, Problem> {
        let text = self.text(name)?;
        Part::from_name(&text).ok_or_else(|| Problem::bad_field(name, &text, "train, validation or test"))
    }

    fn list<T: std::str::FromStr>(&self, name: &'static str) -> Result<Vec<T>, Problem> {
        let items = self.column(name).map(|column| columns::list(column, self.at)).unwrap_or_default();
        let parse = |item: &Cow<'_, str>| {
            item.parse().map_err(|_| {
                Problem::bad_field(name, item, "ids such as CVE-2021-44228, CWE-79, CAPEC-63 or T1027")
            })
        };
        items.iter().map(parse).collect()
    }

    fn curated(&self) -> Result<Vec<CuratedPair>, Problem> {
        self.column(schema::CURATED).map_or(Ok(Vec::new()), |column| curated::pairs(column, self.at))
    }

    fn cvss(&self) -> Result<Option<BaseVector>, Problem> {
        let Some(text) = self.optional(schema::CVSS) else { return Ok(None) };
        let expected = "a base vector such as CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        text.parse().map(Some).map_err(|_| Problem::bad_field(schema::CVSS, &text, expected))
    }

    fn row(&self) -> Result<(DataRow, ChainLabels), Problem> {
        let published = self.column(schema::PUBLISHED);
        let kind = self.kind()?;
        let cve = self.cve(kind)?;
        let name = match (self.optional(schema::NAME), cve) {
            (Some(name), _) => name.into_owned(),
            (None, Some(cve)) => cve.to_string(),
            (None, None) => return Err(Problem::MissingField(schema::NAME)),
        };
        let row = DataRow {
            name,
            cve,
            aliases: self.list(schema::ALIASES)?,
            kind,
            style: self.optional(schema::STYLE).map(Cow::into_owned),
            outcome: self.outcome()?,
            published: published.and_then(|column| columns::when(column, self.at).day()),
            text: self.text(schema::DESCRIPTION)?.into_owned(),
            cwes: self.list(schema::CWE_IDS)?,
            curated: self.curated()?,
            cvss: self.cvss()?,
            cvss_source: self.optional(schema::CVSS_SOURCE).map(Cow::into_owned),
            group: self.parsed(schema::GROUP, "32 hexadecimal digits")?,
            random: self.split(schema::SPLIT_RANDOM)?,
            temporal: self.split(schema::SPLIT_TEMPORAL)?,
        };
        let derived = ChainLabels {
            cwe: self.list(schema::CWE_DERIVED)?,
            capec: self.list(schema::CAPEC_IDS)?,
            techniques: self.list(schema::ATTACK_IDS)?,
        };
        Ok((row, derived))
    }
}
