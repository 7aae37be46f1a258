//! The files of a folder or archive, and their records one after another.

use std::sync::Arc;

use crate::error::{CorpusError, RecordError};
use crate::input::Input;
use crate::place::Place;
use crate::problem::Problem;
use crate::record::Record;
use crate::records::Records;

/// A file of a folder or archive.
pub(crate) struct Member {
    /// Its path within the folder or archive; none for a problem of the whole.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) input: Result<Input, Problem>,
}

/// The records of all files, in the order of the files.
pub(crate) struct MemberRecords<M, F> {
    file: Arc<str>,
    members: M,
    open: F,
    /// The file whose records are given now.
    current: Option<(Arc<str>, Records)>,
}

impl<M, F> MemberRecords<M, F>
where
    M: Iterator<Item = Member>,
    F: FnMut(Input) -> Result<Records, CorpusError>,
{
    /// The records of the `members` of `file`, each opened by `open`.
    pub(crate) fn new(file: Arc<str>, members: M, open: F) -> Self {
        Self { file, members, open, current: None }
    }

    fn error(&self, name: Option<Arc<str>>, problem: Problem) -> RecordError {
        let place = name.map_or(Place::Whole, |name| Place::within(&name, Place::Whole));
        RecordError { file: Arc::clone(&self.file), place, id: None, problem }
    }
}

impl<M, F> Iterator for MemberRecords<M, F>
where
    M: Iterator<Item = Member>,
    F: FnMut(Input) -> Result<Records, CorpusError>,
{
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((name, records)) = &mut self.current {
                if let Some(item) = records.next() {
                    return Some(within(item, &self.file, name));
                }
                self.current = None;
            }
            let Member { name, input } = self.members.next()?;
            let opened = input.and_then(|input| {
                let file = input.name().to_owned();
                (self.open)(input).map_err(|error| error.into_problem(&file))
            });
            match (opened, name) {
                (Ok(records), Some(name)) => self.current = Some((name, records)),
                (Ok(_), None) => {}
                (Err(problem), name) => return Some(Err(self.error(name, problem))),
            }
        }
    }
}

/// A record or error of the file `name` as one of the folder or archive `file`.
fn within(
    item: Result<Record, RecordError>,
    file: &Arc<str>,
    name: &Arc<str>,
) -> Result<Record, RecordError> {
    let place = |place| Place::within(name, place);
    let file = Arc::clone(file);
    match item {
        Ok(record) => Ok(Record { file, place: place(record.place), ..record }),
        Err(error) => Err(RecordError { file, place: place(error.place), ..error }),
    }
}
