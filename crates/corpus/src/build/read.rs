//! Reading the sources side by side into the index and the file of texts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use vulnlens_files::folder_of;
use vulnlens_taxonomy::CveId;
use vulnlens_text::is_withdrawal_notice;

use super::merge::{Index, Place};
use super::options::{BuildOptions, Progress};
use super::ratings::Ratings;
use super::spill::SpillWriter;
use super::tally::Tally;
use crate::dataset::writer::unwritable;
use crate::error::{CorpusError, RecordError};
use crate::groups::GroupId;
use crate::input::{BytesRead, Input};
use crate::record::Record;
use crate::records::Records;
use crate::sources::{self, Needs, Options, expand};

/// Records handed over at once.
const BATCH: usize = 256;
/// Batches that may wait; with [`BATCH`] it bounds what is read ahead.
const WAITING: usize = 8;

/// A record on its way.
struct Arrived {
    place: Place,
    record: Result<Read, RecordError>,
}

/// A record with its CVE and the group of its text.
struct Read {
    cve: Option<CveId>,
    record: Record,
    group: Option<GroupId>,
}

/// A source, whether a folder was given that it lies in, and what it is read for.
struct SourcePath {
    path: PathBuf,
    is_member: bool,
    purpose: Purpose,
}

/// The use that a source is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Records,
    /// Its word on untold weaknesses alone.
    Untold,
    /// Its base vectors of CVSS alone.
    Cvss,
}

type Batch = Result<Vec<Arrived>, CorpusError>;

/// Everything that the sources hold.
pub(super) struct Gathered {
    pub(super) index: Index,
    pub(super) texts: SpillWriter,
    pub(super) tallies: Vec<Tally>,
    pub(super) ratings: Ratings,
}

pub(super) fn read(
    sources: &[PathBuf],
    out: &Path,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Gathered, CorpusError> {
    let mut paths = Vec::new();
    let purposes =
        [(sources, Purpose::Records), (&options.untold, Purpose::Untold), (&options.cvss, Purpose::Cvss)];
    for (given, purpose) in
        purposes.iter().flat_map(|(given, purpose)| given.iter().map(|path| (path, *purpose)))
    {
        let expanded = expand(given)?.into_iter();
        paths.extend(expanded.map(|path| SourcePath { is_member: path != *given, purpose, path }));
    }
    let folder = folder_of(out);
    let (sender, receiver) = sync_channel(WAITING);
    let next = AtomicUsize::new(0);
    let (read, total) = (BytesRead::default(), paths.iter().map(|source| size(&source.path)).sum());
    std::thread::scope(|scope| {
        for _ in 0..options.threads.clamp(1, paths.len().max(1)) {
            let (sender, next, paths, read) = (sender.clone(), &next, &paths, &read);
            scope.spawn(move || work(paths, next, folder, options, read, &sender));
        }
        drop(sender);
        gather(&paths, receiver, (folder, out), options, &mut |records| {
            progress(Progress::Read { records, bytes: read.get(), total });
        })
    })
}

/// Reads one source after another, each the next that nobody reads yet, until none is left or nobody listens.
fn work(
    sources: &[SourcePath],
    next: &AtomicUsize,
    spool: &Path,
    options: &BuildOptions,
    read: &BytesRead,
    sender: &SyncSender<Batch>,
) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(source) = sources.get(number) else { return };
        if let Err(error) = read_source(source, number, spool, options, read, sender) {
            // Nobody listens when the build has already failed for another reason.
            let _ = sender.send(Err(error));
            return;
        }
    }
}

fn read_source(
    SourcePath { path, is_member, .. }: &SourcePath,
    number: usize,
    spool: &Path,
    options: &BuildOptions,
    read: &BytesRead,
    sender: &SyncSender<Batch>,
) -> Result<(), CorpusError> {
    let source = u16::try_from(number).map_err(|_| CorpusError::Format {
        file: path.display().to_string(),
        problem: "is beyond the 65,536 sources of one build; merge some of them".to_owned(),
    })?;
    let opened = sources::open(
        Input::path(path).at_depth(u8::from(*is_member)),
        &Options {
            format: None,
            needs: Needs { cve: true },
            columns: options.columns.clone(),
            limits: options.limits,
            spool: Some(spool.to_owned()),
            read: Some(read.clone()),
        },
    );
    let records = match opened {
        Ok(records) => records,
        // One odd file of a folder does not lose the others.
        Err(error) if *is_member => Records::failed(error.into_record_error(path)),
        Err(error) => return Err(error),
    };
    let mut batch = Vec::with_capacity(BATCH);
    for (record, item) in (0u32..).zip(records) {
        let read = |record| Read::new(record, options.splits.seed);
        batch.push(Arrived { place: Place { source, record }, record: item.map(read) });
        if batch.len() == BATCH
            && sender.send(Ok(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))).is_err()
        {
            return Ok(());
        }
    }
    let _ = sender.send(Ok(batch));
    Ok(())
}

/// The bytes of a file, or of all files in a folder, as far as they can be told.
fn size(path: &Path) -> u64 {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| size(&entry.path())).sum()
        }
        Ok(_) => path.metadata().map_or(0, |metadata| metadata.len()),
        Err(_) => 0,
    }
}

impl Read {
    fn new(mut record: Record, seed: u64) -> Self {
        let text = record.text.as_deref().ok();
        let group = text.map(|text| GroupId::of(text, seed));
        // A table has the feeds' notice in the place of a text, too.
        record.withdrawn |= text.is_some_and(is_withdrawal_notice);
        Self { cve: record.cve(), group, record }
    }
}

fn gather(
    sources: &[SourcePath],
    receiver: Receiver<Batch>,
    (folder, out): (&Path, &Path),
    options: &BuildOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<Gathered, CorpusError> {
    let failed = |source| unwritable(out, source);
    let mut texts = SpillWriter::create(folder).map_err(failed)?;
    let mut index = Index::default();
    let mut tallies: Vec<Tally> = sources.iter().map(|source| Tally::of(&source.path)).collect();
    let mut ratings = Ratings::default();
    let mut records = 0u64;
    for batch in receiver {
        for Arrived { place, record } in batch? {
            let number = usize::from(place.source);
            let (Some(tally), Some(source)) = (tallies.get_mut(number), sources.get(number)) else {
                continue;
            };
            let (id, Read { record, group, .. }) = match record {
                Err(error) => {
                    tally.add_error(&error, options.bad_records_shown);
                    continue;
                }
                Ok(Read { cve: None, .. }) => {
                    tally.add_without_cve();
                    continue;
                }
                Ok(read @ Read { cve: Some(id), .. }) => (id, read),
            };
            match source.purpose {
                Purpose::Records => {}
                Purpose::Untold => {
                    let again = index.note_untold(id, &record, place);
                    tally.add(&record, again);
                    continue;
                }
                Purpose::Cvss => {
                    ratings.add(id, &record, place);
                    let again = index.again(id, place);
                    tally.add(&record, again);
                    continue;
                }
            }
            let text = record.text.as_deref().ok().zip(group).filter(|_| index.wants_text(id, place));
            let span = text.map(|(text, group)| texts.push(text, group)).transpose().map_err(failed)?;
            let again = index.add(id, &record, place, span);
            tally.add(&record, again);
            records = records.saturating_add(1);
        }
        progress(records);
    }
    Ok(Gathered { index, texts, tallies, ratings })
}
