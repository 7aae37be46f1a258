//! A built data set as the examples that fitting and evaluating work on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use vulnlens_corpus::{CorpusError, DataRow, DatasetReader, GroupId, Part, RecordError, TextKind};
use vulnlens_files::{Classified, ErrorKind, FileError, sha256_of};
use vulnlens_taxonomy::{BaseVector, CveId, Outcome};

use crate::example::Example;
use crate::split::Split;

/// The rows of a data set, with its name and checksum.
#[derive(Debug, Clone)]
pub struct DataSet {
    /// The file's name without its folder.
    pub name: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    rows: Vec<DataRow>,
}

/// An error of reading a data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataSetError {
    /// The file cannot be opened, or is not a data set.
    #[error(transparent)]
    Open(CorpusError),
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(CorpusError),
    /// A row is damaged.
    #[error(transparent)]
    Row(#[from] RecordError),
    /// The file cannot be read a second time, for its checksum.
    #[error(transparent)]
    Read(FileError),
}

impl Classified for DataSetError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rows(_) | Self::Row(_) => ErrorKind::Input,
            Self::Open(_) | Self::Read(_) => ErrorKind::Unavailable,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Open(error) | Self::Rows(error) => error.hint(),
            Self::Row(_) => Some("build the data set again with `data build`".into()),
            Self::Read(_) => None,
        }
    }
}

/// A text with the base vector that its CVE was rated with.
#[derive(Debug, Clone)]
pub struct RatedText {
    /// The text.
    pub text: String,
    /// The year of publication, else of the id.
    pub year: Option<u16>,
    /// The vector.
    pub vector: BaseVector,
    /// The assigner of the vector: `nvd`, `cna` or `adp`.
    pub source: String,
    /// True for the CVE's record, false for a text about it in another style.
    pub is_record: bool,
    /// The part of the split that the text is in.
    pub part: Part,
}

impl DataSet {
    /// Reads a data set that `data build` made.
    ///
    /// # Errors
    /// See [`DataSetError`].
    pub fn read(path: &Path) -> Result<Self, DataSetError> {
        let reader = DatasetReader::open(path).map_err(DataSetError::Open)?;
        let rows = reader.rows().map_err(DataSetError::Rows)?.collect::<Result<Vec<_>, _>>()?;
        let sha256 = File::open(path).and_then(sha256_of);
        let sha256 = sha256.map_err(|error| DataSetError::Read(FileError::read(path)(error)))?;
        Ok(Self {
            name: path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            sha256,
            rows,
        })
    }

    /// The number of records with a CWE.
    #[must_use]
    pub fn labelled_rows(&self) -> u64 {
        let is_labelled = |row: &&DataRow| row.kind == TextKind::Record && !row.cwes.is_empty();
        self.rows.iter().filter(is_labelled).count() as u64
    }

    /// The rows of CVEs to which people have assigned techniques.
    pub fn curated(&self) -> impl Iterator<Item = &DataRow> {
        self.rows.iter().filter(|row| !row.curated.is_empty())
    }

    /// The texts with a base vector of CVSS, with their parts of one split: records that were rated, and texts in other
    /// styles about such a CVE.
    #[must_use]
    pub fn rated(&self, split: Split) -> Vec<RatedText> {
        let of_row =
            |row: &DataRow| Some((row.cve?, (row.cvss?, row.cvss_source.clone().unwrap_or_default())));
        let vectors: BTreeMap<CveId, (BaseVector, String)> = self.rows.iter().filter_map(of_row).collect();
        let rated = |row: &DataRow| {
            let (vector, source) = vectors.get(&row.cve?)?.clone();
            let is_record = row.kind == TextKind::Record;
            (is_record || row.kind == TextKind::Style).then(|| RatedText {
                text: row.text.clone(),
                year: row.year(),
                vector,
                source,
                is_record,
                part: split.part(row),
            })
        };
        self.rows.iter().filter_map(rated).collect()
    }

    /// The rows with their parts of one split.
    ///
    /// A text without a year, and one that does not tell its weakness (which feeds of some years alone say), gets the
    /// year of a record of its part, drawn by a hash: its year tells nothing.
    #[must_use]
    pub fn examples(&self, split: Split) -> Vec<Example> {
        let years = Years::of(&self.rows, split);
        let example = |row: &DataRow| {
            let mut cwes = row.cwes.clone();
            cwes.sort_unstable();
            cwes.dedup();
            let part = split.part(row);
            let year = row.year().filter(|_| row.outcome != Some(Outcome::NotTold));
            Example {
                name: row.name.clone(),
                cve: row.cve,
                kind: row.kind,
                style: row.style.clone(),
                text: row.text.clone(),
                year: year.unwrap_or_else(|| years.draw(part, row)),
                cwes,
                outcome: row.outcome,
                part,
            }
        };
        self.rows.iter().map(example).collect()
    }
}

/// The years of the records of each part, one for each record.
struct Years(BTreeMap<Part, Vec<u16>>);

impl Years {
    fn of(rows: &[DataRow], split: Split) -> Self {
        let mut years: BTreeMap<Part, Vec<u16>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.kind == TextKind::Record && row.outcome.is_none()) {
            years.entry(split.part(row)).or_default().extend(row.year());
        }
        years.values_mut().for_each(|years| years.sort_unstable());
        Self(years)
    }

    /// A year of the records of `part`, as likely as it is frequent, by a hash of the row's name and text; 0 where the
    /// part has no record.
    fn draw(&self, part: Part, row: &DataRow) -> u16 {
        let years = self.0.get(&part).map_or(&[][..], Vec::as_slice);
        let place = GroupId::of(&format!("{} {}", row.name, row.text), 0).fraction();
        years.get((place * years.len() as f64) as usize).or(years.last()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u32, year: u16, kind: TextKind) -> DataRow {
        let cve = vulnlens_taxonomy::CveId::new(year, number);
        let is_record = kind == TextKind::Record;
        DataRow {
            name: format!("row {number}"),
            cve: Some(cve).filter(|_| is_record),
            aliases: vec![],
            kind,
            style: None,
            outcome: None,
            published: None,
            text: format!("text {number}"),
            cwes: vec![],
            curated: vec![],
            cvss: None,
            cvss_source: None,
            group: GroupId::of("", 0),
            random: if year < 2020 { Part::Train } else { Part::Test },
            temporal: Part::Train,
        }
    }

    #[test]
    fn a_year_is_drawn_among_the_records_of_the_part_as_often_as_they_have_it() {
        let records = (0..100).map(|n| row(n, if n < 75 { 2010 } else { 2011 }, TextKind::Record));
        let later = (100..200).map(|n| row(n, 2025, TextKind::Record));
        let negatives = (200..1200).map(|n| row(n, 2000, TextKind::Negative));
        let rows = records.chain(later).chain(negatives).collect();
        let data = DataSet { name: String::new(), sha256: String::new(), rows };
        let examples = data.examples(Split::Random);
        let drawn = |year| examples.iter().skip(200).filter(|example| example.year == year).count();
        assert_eq!(drawn(2010) + drawn(2011), 1000);
        assert!((700..800).contains(&drawn(2010)), "{}", drawn(2010));
        assert_eq!(examples[150].year, 2025);
    }
}
