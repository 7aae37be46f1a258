//! The records of a source that is one large JSON document.

use std::io::BufRead;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::{Place, Problem, RecordError};
use crate::json_items::JsonItems;
use crate::record::SourceRecord;

/// How a member of the document's array is read.
pub(crate) trait Parse {
    /// Name of the array in the top object.
    const ARRAY: &'static str;

    /// The record in the bytes of one member; or its id, if readable, and what is wrong with it.
    fn parse(item: &[u8]) -> Result<SourceRecord, (Option<String>, Problem)>;
}

/// The records of such a document.
pub(crate) struct ItemRecords<R, P> {
    file: Arc<str>,
    items: JsonItems<R>,
    parse: PhantomData<fn() -> P>,
}

impl<R: BufRead, P: Parse> ItemRecords<R, P> {
    pub(crate) fn new(file: Arc<str>, reader: R, limit: usize) -> Self {
        Self { file, items: JsonItems::new(reader, P::ARRAY, limit), parse: PhantomData }
    }
}

impl<R: BufRead, P: Parse> Iterator for ItemRecords<R, P> {
    type Item = Result<SourceRecord, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (number, item) = self.items.next_item()?;
        let record = item.map_err(|problem| (None, problem)).and_then(P::parse);
        let error = |(id, problem)| RecordError {
            file: Arc::clone(&self.file),
            place: Place::Item(number),
            id,
            problem,
        };
        Some(record.map_err(error))
    }
}
