//! News of a source: each record once for each state that it comes in.
//!
//! A look fetches the changes of the source into its folder; the files there that the cursor has not finished are
//! read, and records whose state it does not know are handed out, some at a time. With an output file, a record is
//! answered exactly once, whenever the process ends: answers are appended and on the disk before the cursor is
//! written, which holds the length of the output; what stands beyond that length at the next start is cut off. Without
//! one, the caller hands answers on before the cursor is written: a record is answered at least once.

mod cursor;
mod output;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use vulnlens_corpus::sources::{self, Options};
use vulnlens_corpus::{Input, Limits, Record, RecordError, Records};
use vulnlens_files::sha256_hex;

use crate::clock::{after, written};
use crate::cvelist::Contents;
use crate::error::FetchError;
use crate::nvd_api::{in_name, page_until};
use crate::nvd_feeds::{MODIFIED, file_name};
use crate::run::{Fetcher, NvdBy};
use crate::source::Source;
use crate::store::Store;
use crate::summary::Summary;
use cursor::Cursor;
use output::OutputFile;

/// The cursor's name in the folder where no other is given.
const CURSOR: &str = ".watch-cursor.json";
/// The longest record that is read, as everywhere.
const RECORD_BYTES: usize = 16 << 20;
/// New records that are handed out at once.
const BATCH: usize = 256;
/// Records that are looked at for one batch: so that the cursor moves on where hardly anything is new.
const LOOKED_AT: usize = 64 * BATCH;
/// Days that the feed of what was modified reaches back, by NVD's word.
const FEED_DAYS: i64 = 8;
const DAY_SECONDS: i64 = 24 * 3600;
/// Digits of a checksum that stand for a state of a record.
const STATE_DIGITS: usize = 16;

/// The settings of a watch.
#[derive(Debug, Clone)]
pub struct WatchSettings {
    /// The source: [`Source::Nvd`] or [`Source::CveList`].
    pub source: Source,
    /// The way in which NVD's records come.
    pub nvd: NvdBy,
    /// The folder that the changes are fetched into.
    pub folder: PathBuf,
    /// The cursor, where it does not lie in the folder.
    pub cursor: Option<PathBuf>,
    /// The file that answers are appended to.
    pub output: Option<PathBuf>,
}

/// A watch on a source. Nobody else works in its folder meanwhile.
pub struct Watch {
    store: Store,
    nvd: NvdBy,
    cursor: Cursor,
    output: Option<OutputFile>,
    /// The files that are still to be read, the next one last.
    ahead: Vec<FileState>,
    /// The file that is being read.
    current: Option<(FileState, Records)>,
}

/// A file in one state.
#[derive(Debug, Clone)]
struct FileState {
    name: String,
    sha256: String,
}

/// Some records that are new, or changed.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Batch {
    /// The records; each has a text.
    pub records: Vec<Record>,
    /// Records that could not be read, and notes.
    pub errors: Vec<RecordError>,
    /// The number of new records that were withdrawn or have no text.
    pub without_text: u64,
    /// The state of each new record.
    states: Vec<(String, String)>,
    /// The file that was read to its end.
    finished: Option<FileState>,
}

impl Watch {
    /// Opens a watch where it left off, or begins one.
    ///
    /// # Errors
    /// Another process works in the folder; the cursor belongs to another source or output, or says more than the
    /// output has; a file cannot be read or written.
    pub fn open(settings: WatchSettings, fetcher: &Fetcher<'_>) -> Result<Self, FetchError> {
        let store = Store::open(&settings.folder, settings.source)?;
        let path = settings.cursor.unwrap_or_else(|| settings.folder.join(CURSOR));
        let begun = after(fetcher.clock.now(), -FEED_DAYS * DAY_SECONDS);
        let (cursor, output) =
            Cursor::open(path, settings.source, settings.output.as_deref(), &written(begun))?;
        let watch = Self { store, nvd: settings.nvd, cursor, output, ahead: vec![], current: None };
        watch.note_gap(fetcher);
        Ok(watch)
    }

    /// Tells of the time that NVD's feed does not reach back to.
    fn note_gap(&self, fetcher: &Fetcher<'_>) {
        let is_feed = self.store.fetched().source == Source::Nvd && matches!(self.nvd, NvdBy::Feeds);
        let looked = self.cursor.looked().and_then(|time| time.parse::<Timestamp>().ok());
        let Some(looked) = looked.filter(|_| is_feed) else { return };
        let days = (fetcher.clock.now().as_second() - looked.as_second()) / DAY_SECONDS;
        if days >= FEED_DAYS {
            fetcher.progress.note(&format!(
                "the last look was {days} days ago, and the feed reaches back {FEED_DAYS}: records that changed in \
                 between are missing; `--api` has them"
            ));
        }
    }

    /// Fetches what changed. The records are then taken by [`Watch::next_batch`].
    ///
    /// # Errors
    /// As [`Fetcher::fetch`].
    pub fn look(&mut self, fetcher: &Fetcher<'_>) -> Result<Summary, FetchError> {
        let begun = self.cursor.begun().parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let day = self.cursor.day().map(str::to_owned);
        let summary = fetcher.fetch_changes(&mut self.store, &self.nvd, begun, day.as_deref())?;
        self.cursor.set_looked(written(fetcher.clock.now()));
        let in_name = in_name(begun);
        let is_change = |name: &str| match (Contents::of(name), &self.nvd) {
            (Some(contents), _) => matches!(contents, Contents::Delta(..)),
            (None, NvdBy::Feeds) => name == file_name(MODIFIED),
            (None, NvdBy::Api(_)) => page_until(name).is_some_and(|until| *until >= *in_name),
        };
        // The files are in the order of what counts first: the newest change leads, and is to be read last.
        let files = self.store.fetched().files.iter().filter(|file| is_change(&file.name));
        let unread = files.filter(|file| !self.cursor.has_read(&file.name, &file.sha256));
        self.ahead =
            unread.map(|file| FileState { name: file.name.clone(), sha256: file.sha256.clone() }).collect();
        self.current = None;
        Ok(summary)
    }

    /// Some records that are new; none when all were handed out. Each batch is to be answered and then kept by
    /// [`Watch::commit`] before the next one is taken.
    ///
    /// # Errors
    /// A file of the folder cannot be read.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, FetchError> {
        let Some((file, mut records)) = self.current_file()? else {
            self.end_of_look()?;
            return Ok(None);
        };
        let mut batch = Batch::default();
        for _ in 0..LOOKED_AT {
            match records.next() {
                None => {
                    batch.finished = Some(file);
                    return Ok(Some(batch));
                }
                Some(Err(error)) => batch.errors.push(error),
                Some(Ok(record)) => batch.add(record, &self.cursor),
            }
            if batch.states.len() >= BATCH || batch.errors.len() >= BATCH {
                break;
            }
        }
        self.current = Some((file, records));
        Ok(Some(batch))
    }

    fn current_file(&mut self) -> Result<Option<(FileState, Records)>, FetchError> {
        if let Some(current) = self.current.take() {
            return Ok(Some(current));
        }
        let Some(file) = self.ahead.pop() else { return Ok(None) };
        let limits = Limits { record_bytes: RECORD_BYTES, ..Limits::default() };
        let options = Options { limits, ..Options::default() };
        let records = sources::open(Input::path(self.store.folder().join(&file.name)), &options)?;
        Ok(Some((file, records)))
    }

    /// Appends the answers of a batch to the output, if there is one, and then moves the cursor on.
    ///
    /// # Errors
    /// The output or the cursor cannot be written.
    pub fn commit(&mut self, batch: Batch, answers: &[u8]) -> Result<(), FetchError> {
        if let Some(output) = &mut self.output {
            self.cursor.set_output_length(output.append(answers)?);
        }
        for (id, state) in batch.states {
            self.cursor.see(id, state);
        }
        if let Some(file) = batch.finished {
            self.cursor.finish(file.name, file.sha256);
        }
        self.cursor.write()
    }

    /// Notes how far the look came, and takes out what is of no use any more.
    fn end_of_look(&mut self) -> Result<(), FetchError> {
        let files = &self.store.fetched().files;
        let days = files.iter().filter_map(|file| match Contents::of(&file.name)? {
            Contents::Delta(day, _) => Some(day.to_owned()),
            Contents::All(_) => None,
        });
        let newest = days.max();
        let has_all = files.iter().any(|file| matches!(Contents::of(&file.name), Some(Contents::All(_))));
        self.cursor.end_look(newest.clone(), |name| files.iter().any(|file| file.name == name));
        self.cursor.write()?;
        // Where the records of midnight are kept, the changes since are, too.
        let Some(newest) = newest.filter(|_| !has_all) else { return Ok(()) };
        let is_old =
            |name: &str| matches!(Contents::of(name), Some(Contents::Delta(day, _)) if *day < *newest);
        if files.iter().any(|file| is_old(&file.name)) { self.store.take_out(is_old) } else { Ok(()) }
    }

    /// The cursor's file.
    #[must_use]
    pub fn cursor(&self) -> &Path {
        self.cursor.path()
    }
}

impl Batch {
    /// Takes in a record, if its state is a new one.
    fn add(&mut self, record: Record, cursor: &Cursor) {
        let Some(id) = record.cve().map(|cve| cve.to_string()) else { return };
        let state = state(&record);
        let is_in_batch = self.states.iter().any(|(other, known)| (other, known) == (&id, &state));
        if is_in_batch || cursor.knows(&id, &state) {
            return;
        }
        self.states.push((id, state));
        if record.withdrawn || record.text.is_err() {
            self.without_text = self.without_text.saturating_add(1);
        } else {
            self.records.push(record);
        }
    }
}

/// The state of a record, as far as answers depend on it: its text, its date, its weaknesses and its withdrawal.
fn state(record: &Record) -> String {
    let labels = record.labels.iter().map(|label| format!("{} {}", label.assigner.name, label.cwe));
    let (text, labels) = (record.text.as_ref().ok(), labels.collect::<Vec<_>>());
    let parts = format!("{}\n{:?}\n{labels:?}\n{text:?}", record.withdrawn, record.dates.published);
    sha256_hex(parts).get(..STATE_DIGITS).unwrap_or_default().to_owned()
}
