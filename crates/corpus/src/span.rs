//! The bytes of a JSON document that a record was read from.

use std::ops::Range;

/// The bytes that a record was read from, counted from the beginning of the document that the reader was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The object of a known format: a report, an advisory, a record.
    pub document: Range<usize>,
    /// The object in it in which the weaknesses of the record stand: the finding, or the rule that it names.
    pub finding: Range<usize>,
}

impl Span {
    /// The place of `finding`, a part of `document`; none where it is not a part of it.
    pub(crate) fn within(document: &[u8], finding: &[u8]) -> Option<Self> {
        Some(Self { document: 0..document.len(), finding: range_in(document, finding)? })
    }

    /// The same in a larger document, of which `start` bytes stand before.
    pub(crate) fn behind(&self, start: usize) -> Self {
        let behind =
            |range: &Range<usize>| start.saturating_add(range.start)..start.saturating_add(range.end);
        Self { document: behind(&self.document), finding: behind(&self.finding) }
    }
}

/// The place of `part` in `whole`; none where it is not a part of it.
pub(crate) fn range_in(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_a_place_and_another_slice_has_none() {
        let whole = b"0123456789";
        let span = Span::within(whole, &whole[3..5]).unwrap();
        assert_eq!(span, Span { document: 0..10, finding: 3..5 });
        assert_eq!(span.behind(7), Span { document: 7..17, finding: 10..12 });
        assert_eq!(range_in(&whole[..4], &whole[3..5]), None);
        assert_eq!(range_in(&whole[4..], &whole[3..5]), None);
    }
}
