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
pub struct Writer(Option<Box<dyn Document>>);

impl Renderer {
    /// The renderer of a format that streams.
    pub(crate) fn of(records: Box<dyn Records>) -> Self {
        Self(Some(Arc::from(records)))
    }

    /// Renders answers.
    #[must_use]
    pub fn render(&self, answers: Vec<Answer>) -> Piece {
        let Some(records) = &self.0 else { return Piece { bytes: vec![], answers } };
        let mut bytes = Vec::new();
        answers.iter().for_each(|answer| records.push(answer, &mut bytes));
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
    pub(crate) fn of_records() -> Self {
        Self(None)
    }

    /// The writer of a document.
    pub(crate) fn of(document: Box<dyn Document>) -> Self {
        Self(Some(document))
    }

    /// Adds a piece, and appends the bytes that are ready.
    ///
    /// # Errors
    /// An answer cannot be encoded.
    pub fn write(&mut self, mut piece: Piece, out: &mut Vec<u8>) -> Result<(), FormatError> {
        out.append(&mut piece.bytes);
        let Some(document) = &mut self.0 else { return Ok(()) };
        piece.answers.iter().try_for_each(|answer| document.push(answer, out))
    }

    /// Ends the output, and appends the rest of its bytes.
    ///
    /// # Errors
    /// The document cannot be encoded.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.0.map_or(Ok(()), |document| document.finish(out))
    }
}
