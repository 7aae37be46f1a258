//! Insertions into a document.

use std::ops::Range;

/// A new text in the place of some bytes: of none, or of a value that says nothing, such as `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    at: Range<usize>,
    text: String,
}

/// Insertions into one document, in any order; those at one place stand there in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<Edit>);

impl Edits {
    /// Inserts `text` at a byte of the document.
    pub(crate) fn insert(&mut self, at: usize, text: String) {
        self.0.push(Edit { at: at..at, text });
    }

    /// Puts `text` in the place of a value that says nothing.
    pub(crate) fn replace_blank(&mut self, at: Range<usize>, text: String) {
        self.0.push(Edit { at, text });
    }

    /// The number of insertions so far, to go back to.
    pub(crate) fn mark(&self) -> usize {
        self.0.len()
    }

    /// Takes the insertions since `mark` back.
    pub(crate) fn back_to(&mut self, mark: usize) {
        self.0.truncate(mark);
    }

    /// The document with the insertions, at the end of `out`. One that lies outside of the document or overlaps another
    /// is left out.
    pub(crate) fn apply(mut self, document: &[u8], out: &mut Vec<u8>) {
        self.0.sort_by_key(|edit| (edit.at.start, edit.at.end));
        let mut passed = 0usize;
        for edit in &self.0 {
            let Some(between) = document.get(passed..edit.at.start) else { continue };
            if edit.at.end > document.len() {
                continue;
            }
            out.extend_from_slice(between);
            out.extend_from_slice(edit.text.as_bytes());
            passed = edit.at.end;
        }
        out.extend_from_slice(document.get(passed..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insertions_keep_their_order_and_the_document() {
        let mut edits = Edits::default();
        edits.insert(4, "d".to_owned());
        edits.insert(2, "b".to_owned());
        edits.insert(2, "c".to_owned());
        let mark = edits.mark();
        edits.insert(0, "gone".to_owned());
        edits.back_to(mark);
        edits.replace_blank(5..6, "e".to_owned());
        edits.insert(99, "outside".to_owned());
        let mut out = Vec::new();
        edits.apply(b"012345", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "01bc23d4e");
    }
}
