//! Reading the sources side by side into the index and the file of texts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::merge::{Index, Place};
use super::report::Tally;
use super::spill::{SpillReader, SpillWriter};
use super::{BuildOptions, Progress};
use crate::dataset::writer::{folder_of, unwritable};
use crate::error::{CorpusError, RecordError};
use crate::groups::GroupId;
use crate::record::SourceRecord;
use crate::sources::open_source;

/// Records handed over at once.
const BATCH: usize = 256;
/// Batches that may wait; with [`BATCH`] it bounds what is read ahead.
const WAITING: usize = 8;

/// A record on its way, with the group of its text.
struct Arrived {
    place: Place,
    record: Result<(SourceRecord, Option<GroupId>), RecordError>,
}

type Batch = Result<Vec<Arrived>, CorpusError>;

/// Everything that the sources said.
pub(super) struct Gathered {
    pub(super) index: Index,
    pub(super) texts: SpillReader,
    pub(super) tallies: Vec<Tally>,
}

pub(super) fn read(
    sources: &[PathBuf],
    out: &Path,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Gathered, CorpusError> {
    let folder = folder_of(out);
    let (sender, receiver) = sync_channel(WAITING);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..options.threads.clamp(1, sources.len().max(1)) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || work(sources, next, folder, options, &sender));
        }
        drop(sender);
        gather(sources, receiver, folder, out, options, progress)
    })
}

/// Reads one source after another, each the next that nobody reads yet, until none is left or nobody listens.
fn work(
    sources: &[PathBuf],
    next: &AtomicUsize,
    spool: &Path,
    options: &BuildOptions,
    sender: &SyncSender<Batch>,
) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(path) = sources.get(number) else { return };
        if let Err(error) = read_source(path, number, spool, options, sender) {
            // Nobody listens when the build has already failed for another reason.
            let _ = sender.send(Err(error));
            return;
        }
    }
}

fn read_source(
    path: &Path,
    number: usize,
    spool: &Path,
    options: &BuildOptions,
    sender: &SyncSender<Batch>,
) -> Result<(), CorpusError> {
    let source = u16::try_from(number).map_err(|_| CorpusError::Format {
        file: path.display().to_string(),
        problem: "is beyond the 65,536 sources of one build; merge some of them".to_owned(),
    })?;
    let mut batch = Vec::with_capacity(BATCH);
    for (record, item) in (0u32..).zip(open_source(path, &options.limits, spool)?.records) {
        let ends = item.as_ref().is_err_and(RecordError::ends_input);
        let with_group = |record: SourceRecord| {
            let group = record.text.as_deref().map(|text| GroupId::of(text, options.splits.seed));
            (record, group)
        };
        batch.push(Arrived { place: Place { source, record }, record: item.map(with_group) });
        if batch.len() == BATCH
            && sender.send(Ok(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))).is_err()
        {
            return Ok(());
        }
        if ends {
            break;
        }
    }
    let _ = sender.send(Ok(batch));
    Ok(())
}

fn gather(
    sources: &[PathBuf],
    receiver: Receiver<Batch>,
    folder: &Path,
    out: &Path,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Gathered, CorpusError> {
    let failed = |source| unwritable(out, source);
    let mut texts = SpillWriter::create(folder).map_err(failed)?;
    let mut index = Index::default();
    let mut tallies: Vec<Tally> = sources.iter().map(|path| Tally::of(path)).collect();
    let mut records = 0u64;
    for batch in receiver {
        for Arrived { place, record } in batch? {
            let Some(tally) = tallies.get_mut(usize::from(place.source)) else { continue };
            let (record, group) = match record {
                Err(error) => {
                    tally.bad(&error, options.bad_records_shown);
                    continue;
                }
                Ok(record) => record,
            };
            let text = record.text.as_deref().zip(group).filter(|_| index.wants_text(record.id, place));
            let span = text.map(|(text, group)| texts.push(text, group)).transpose().map_err(failed)?;
            let again = index.add(&record, place, span);
            tally.count(&record, again);
            records = records.saturating_add(1);
        }
        progress(Progress::Read { records });
    }
    Ok(Gathered { index, texts: texts.finish().map_err(failed)?, tallies })
}

impl Tally {
    fn of(path: &Path) -> Self {
        let mut tally = Self::default();
        tally.report.source = path.display().to_string();
        tally
    }

    fn count(&mut self, record: &SourceRecord, again: bool) {
        let report = &mut self.report;
        let add = |count: &mut u64, applies: bool| *count = count.saturating_add(u64::from(applies));
        add(&mut report.records, true);
        add(&mut report.duplicates, again);
        add(&mut report.rejected, record.rejected);
        add(&mut report.without_description, record.text.is_none() && !record.rejected);
        record.unreadable_labels.iter().for_each(|label| self.unreadable(label));
    }
}
