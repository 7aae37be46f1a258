//! The source of the texts: an argument, a file, standard input, or a data set.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use vulnlens::report::RecordKey;
use vulnlens::taxonomy::Timestamp;
use vulnlens::{CveId, TextRecord};
use vulnlens_corpus::{CorpusError, DatasetReader, Date, Input, Problem, Record, RecordError};
use vulnlens_fetch::FetchedTexts;

use crate::failure::{Failure, Kind};
use crate::progress::Position;
use crate::records::{self, RecordArguments};
use crate::terminal::Terminal;
use crate::text_argument::{TextArgument, file};

/// The records, where they are not an argument.
#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    /// A file of records, plain or packed, or a folder of them; `-` for standard input
    #[arg(short, long, value_name = "FILE", group = "source")]
    input: Option<PathBuf>,

    /// CVEs to look up in --data
    #[arg(long, value_name = "CVE", value_delimiter = ',', group = "source", requires = "data")]
    cve_id: Vec<CveId>,

    /// A data set that `data build` made, or a folder that `data fetch` made, or one of such folders: the texts of --cve-id, or
    /// of records that have none of their own
    #[arg(long, value_name = "FILE|FOLDER")]
    data: Option<PathBuf>,

    #[command(flatten)]
    records: RecordArguments,
}

/// The source of the texts.
pub(crate) enum Source {
    Text(String),
    Stdin,
    Records(Input, Option<Position>),
    Cves(Vec<CveId>, PathBuf),
}

impl SourceArguments {
    /// Chooses the source by the arguments and standard input.
    pub(crate) fn source(&self, text: Option<&str>, terminal: &Terminal) -> Result<Source, Failure> {
        if let Some(data) = self.data.as_ref().filter(|_| !self.cve_id.is_empty()) {
            return Ok(Source::Cves(self.cve_id.clone(), data.clone()));
        }
        let source = self.given(text, terminal)?;
        if let (Source::Text(_), Some(data)) = (&source, &self.data) {
            let message =
                format!("{}: a data set has the texts of CVEs, and the text is given", data.display());
            return Err(
                Failure::new(Kind::Arguments, message).hint("name CVEs by --cve-id, or records by --input")
            );
        }
        Ok(source)
    }

    fn given(&self, text: Option<&str>, terminal: &Terminal) -> Result<Source, Failure> {
        match (&self.input, text) {
            (Some(path), _) if path.as_os_str() == "-" => Ok(Source::Stdin),
            (Some(path), _) => file(path).map(|(input, position)| Source::Records(input, position)),
            (None, Some(text)) => Ok(match TextArgument::new(text, terminal)? {
                TextArgument::Stdin => Source::Stdin,
                TextArgument::File(input, position) => Source::Records(input, position),
                TextArgument::Text(text) => Source::Text(text),
            }),
            (None, None) if !terminal.stdin_is_terminal => Ok(Source::Stdin),
            (None, None) => Err(Failure::new(Kind::Arguments, "there is no text")
                .hint("give a text in quotes, a file, or `-` to type or paste texts, one a line")),
        }
    }
}

impl SourceArguments {
    /// The data set, or fetched folder, that has the texts of CVEs.
    pub(crate) fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// Streams the records of `input` that have a text, of their own or in the data set.
    pub(crate) fn open(
        &self,
        input: Input,
    ) -> Result<impl Iterator<Item = Result<Record, RecordError>> + Send + 'static, Failure> {
        let texts = self.data.as_deref().map(CveData::open).transpose()?;
        let records = records::open(input, &self.records)?;
        Ok(records.with_text_by(move |cve| {
            let found = texts.as_ref().map(|texts| texts.find(cve)).transpose();
            found
                .map(|found| found.flatten().map(|found| found.text))
                .map_err(|failure| Problem::Unreadable(failure.message))
        }))
    }
}

/// Standard input as records.
pub(crate) fn stdin() -> Input {
    Input::stream("standard input", io::stdin())
}

/// The texts of CVEs: a data set, or fetched folders.
pub(crate) enum CveData {
    DataSet(Box<DatasetReader>),
    Fetched(FetchedTexts),
}

/// The text of a CVE.
pub(crate) struct CveText {
    pub(crate) text: String,
    pub(crate) published: Option<Date>,
    pub(crate) year: Option<u16>,
}

impl CveData {
    /// Opens what `--data` names.
    pub(crate) fn open(data: &Path) -> Result<Self, Failure> {
        if !data.is_dir() {
            return Ok(Self::DataSet(Box::new(DatasetReader::open(data).map_err(unavailable)?)));
        }
        let texts = FetchedTexts::open(data).map_err(|error| Failure::from(error).unavailable())?;
        texts.map(Self::Fetched).ok_or_else(|| {
            let message = format!("{}: holds no records of CVEs that were fetched", data.display());
            Failure::new(Kind::Unavailable, message)
                .hint("`vulnlens data fetch nvd --out FOLDER` fetches them")
        })
    }

    /// The text of a CVE; none where there is none.
    pub(crate) fn find(&self, cve: CveId) -> Result<Option<CveText>, Failure> {
        match self {
            Self::DataSet(reader) => {
                let row = reader.find(cve).map_err(unavailable)?;
                Ok(row.map(|row| CveText { year: row.year(), published: row.published, text: row.text }))
            }
            Self::Fetched(texts) => {
                let found = texts.find(cve).map_err(|error| Failure::from(error).unavailable())?;
                Ok(found.map(|found| CveText {
                    year: found.year,
                    published: found.published,
                    text: found.text,
                }))
            }
        }
    }
}

/// The failure that a data set which cannot be read is.
fn unavailable(error: CorpusError) -> Failure {
    let hint =
        "--data takes a data set that `vulnlens data build` made, or a folder of `vulnlens data fetch`";
    Failure::from(error).unavailable().hint(hint)
}

/// CVEs of a data set, and those that it does not hold.
pub(crate) fn look_up(ids: &[CveId], data: &Path) -> Result<(Vec<TextRecord>, Vec<CveId>), Failure> {
    let texts = CveData::open(data)?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in ids {
        match texts.find(*id)? {
            None => missing.push(*id),
            Some(CveText { text, published, year }) => {
                let key = RecordKey::of_id(id.to_string());
                let published = published.map(|day| Timestamp::of_day(day.to_epoch_days()));
                found.push(TextRecord::new(text, ()).key(key).year(year).published(published));
            }
        }
    }
    Ok((found, missing))
}

/// The failure that missing CVEs are.
pub(crate) fn report_missing(missing: &[CveId], ids: &[CveId], data: &Path) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let kind = if missing.len() == ids.len() { Kind::Input } else { Kind::SomeRecords };
    Err(Failure::new(kind, format!("{}: does not hold {}", data.display(), names.join(", "))))
}
