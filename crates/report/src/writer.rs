//! A format at work: threads render pieces of its output, and one writer puts them together in order.

use std::sync::Arc;

use crate::answer::Answer;
use crate::rendering::{Document, FormatError, Records};

/// The half of a format that threads share: it renders answers, as far as they can be on their own.
#[derive(Clone, Default)]
pub struct Renderer(Option<Arc<dyn Records>>);

/// Answers on their way to an output.
#[derive(Debug, Default)]
pub struct Piece {
    /// The bytes of records that are rendered.
    bytes: Vec<u8>,
    /// The answers that are not: they go into a document.
    answers: Vec<Answer>,
}

/// The half of a format that one thread has: it takes pieces in their order.
pub struct Writer(Making);

/// The making of an output.
enum Making {
    /// The end of a format that streams, and whether a record is written.
    Records(Arc<dyn Records>, bool),
    Document(Box<dyn Document>),
}

impl Renderer {
    /// The renderer of a format that streams.
    pub(crate) fn of(records: Arc<dyn Records>) -> Self {
        Self(Some(records))
    }

    /// Renders answers.
    #[must_use]
    pub fn render(&self, answers: Vec<Answer>) -> Piece {
        let Some(records) = &self.0 else { return Piece { bytes: vec![], answers } };
        let mut bytes = Vec::new();
        for answer in &answers {
            let end = bytes.len();
            if end > 0 {
                bytes.extend_from_slice(records.separator());
            }
            let begin = bytes.len();
            records.push(answer, &mut bytes);
            if bytes.len() == begin {
                bytes.truncate(end);
            }
        }
        Piece { bytes, answers: vec![] }
    }
}

impl Piece {
    /// The answers that are not rendered: all of them by [`Renderer::default`], which renders none.
    #[must_use]
    pub fn into_answers(self) -> Vec<Answer> {
        self.answers
    }
}

impl Writer {
    /// The writer of a format that streams.
    pub(crate) fn of_records(records: Arc<dyn Records>) -> Self {
        Self(Making::Records(records, false))
    }

    /// The writer of a document.
    pub(crate) fn of(document: Box<dyn Document>) -> Self {
        Self(Making::Document(document))
    }

    /// Adds a piece, and appends the bytes that are ready.
    ///
    /// # Errors
    /// An answer cannot be encoded.
    pub fn write(&mut self, mut piece: Piece, out: &mut Vec<u8>) -> Result<(), FormatError> {
        match &mut self.0 {
            Making::Records(records, is_begun) => {
                if *is_begun && !piece.bytes.is_empty() {
                    out.extend_from_slice(records.separator());
                }
                *is_begun |= !piece.bytes.is_empty();
                out.append(&mut piece.bytes);
                Ok(())
            }
            Making::Document(document) => {
                piece.answers.iter().try_for_each(|answer| document.push(answer, out))
            }
        }
    }

    /// Ends the output, and appends the rest of its bytes.
    ///
    /// # Errors
    /// The document cannot be encoded.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        match self.0 {
            Making::Records(records, _) => {
                records.tail(out);
                Ok(())
            }
            Making::Document(document) => document.finish(out),
        }
    }
}
