//! A text of JSON in pieces: documents, and the bytes between them, which are passed on as they are.

use std::io::{self, BufRead};

use vulnlens_corpus::sources::begins_with_a_line;

/// Bytes between documents that are held; more are handed out without a document.
const BETWEEN: usize = 1 << 20;

/// Some bytes, and the document that follows them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The bytes between the document before and this one.
    pub(crate) before: Vec<u8>,
    /// The document; none at the end, and in the middle of what is too long.
    pub(crate) document: Option<Vec<u8>>,
    /// True where the document was longer than the bound: its bytes are those before.
    pub(crate) is_too_long: bool,
    /// The line that the document begins on, from 1.
    pub(crate) line: u64,
}

/// The layout of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Each line is a document, so that a broken one loses no other.
    Lines,
    /// Documents end where they end, and may stand in arrays.
    Documents,
}

/// The pieces of a text.
pub(crate) struct Pieces<R> {
    reader: R,
    layout: Layout,
    /// The longest document that is held.
    longest: usize,
    line: u64,
    done: bool,
}

impl<R: BufRead> Pieces<R> {
    /// The pieces of `reader`, whose first bytes are `head`.
    pub(crate) fn new(reader: R, head: &[u8], longest: usize) -> Self {
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        let layout = if begins_with_a_line(head) { Layout::Lines } else { Layout::Documents };
        Self { reader, layout, longest, line: 1, done: false }
    }

    /// The layout.
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The next piece; none at the end.
    pub(crate) fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        if self.done {
            return Ok(None);
        }
        let mut piece = Piece::default();
        let found = match self.layout {
            Layout::Lines => self.next_line(&mut piece)?,
            Layout::Documents => self.next_document(&mut piece)?,
        };
        self.done = !found;
        Ok((found || !piece.before.is_empty()).then_some(piece))
    }

    /// Reads the next line that is not blank; false at the end.
    fn next_line(&mut self, piece: &mut Piece) -> io::Result<bool> {
        loop {
            let mut line = Vec::new();
            let mut is_too_long = false;
            let ended = self.until(b'\n', &mut line, &mut is_too_long, piece)?;
            if line.is_empty() && !ended {
                return Ok(false);
            }
            let begun = self.line;
            self.line = self.line.saturating_add(u64::from(ended));
            let mark = if begun == 1 && line.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
            let start = blanks(line.iter().skip(mark)).saturating_add(mark);
            let content = line.len().saturating_sub(blanks(line.iter().rev()));
            if is_too_long || start >= content {
                piece.before.extend_from_slice(&line);
                if is_too_long {
                    (piece.is_too_long, piece.line) = (true, begun);
                    return Ok(true);
                }
                if piece.before.len() > BETWEEN {
                    return Ok(true);
                }
                continue;
            }
            // The line end stands before the next document.
            piece.before.extend_from_slice(line.get(..start).unwrap_or_default());
            piece.document = Some(line.get(start..).unwrap_or_default().to_vec());
            piece.line = begun;
            return Ok(true);
        }
    }

    /// Reads up to and with a byte; false at the end of the input. What is too long goes to the piece.
    fn until(
        &mut self,
        end: u8,
        line: &mut Vec<u8>,
        is_too_long: &mut bool,
        piece: &mut Piece,
    ) -> io::Result<bool> {
        loop {
            let buffer = fill(&mut self.reader)?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let found = buffer.iter().position(|byte| *byte == end);
            let length = found.map_or(buffer.len(), |at| at.saturating_add(1));
            line.extend_from_slice(buffer.get(..length).unwrap_or_default());
            self.reader.consume(length);
            if line.len() > self.longest {
                *is_too_long = true;
                piece.before.append(line);
            }
            if found.is_some() {
                return Ok(true);
            }
        }
    }

    /// Reads up to the end of the next document; false at the end of the input.
    fn next_document(&mut self, piece: &mut Piece) -> io::Result<bool> {
        let (mut scan, mut document) = (Scan::default(), Vec::new());
        loop {
            let buffer = fill(&mut self.reader)?;
            if buffer.is_empty() {
                let is_cut = scan.depth > 0 && !piece.is_too_long;
                piece.document = is_cut.then_some(document);
                return Ok(is_cut);
            }
            let (start, length, ended) = scan.advance(buffer);
            let (before, within) =
                buffer.get(..length).unwrap_or_default().split_at_checked(start).unwrap_or_default();
            let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            piece.before.extend_from_slice(before);
            self.line = self.line.saturating_add(lines(before));
            if document.is_empty() && !piece.is_too_long {
                piece.line = self.line;
            }
            self.line = self.line.saturating_add(lines(within));
            if piece.is_too_long { &mut piece.before } else { &mut document }.extend_from_slice(within);
            self.reader.consume(length);
            if document.len() > self.longest {
                piece.is_too_long = true;
                piece.before.append(&mut document);
            }
            if ended {
                piece.document = (!piece.is_too_long).then_some(document);
                return Ok(true);
            }
            if scan.depth == 0 && piece.before.len() > BETWEEN {
                return Ok(true);
            }
        }
    }
}

/// The number of blanks that some bytes begin with.
fn blanks<'a>(bytes: impl Iterator<Item = &'a u8>) -> usize {
    bytes.take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x1E).count()
}

fn fill<R: BufRead>(reader: &mut R) -> io::Result<&[u8]> {
    loop {
        match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    reader.fill_buf()
}

/// The way to the next object and through it, by strings and brackets alone.
#[derive(Default)]
struct Scan {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Goes on through `bytes`: where in them the object begins, how many of them are done, and whether it ended.
    fn advance(&mut self, bytes: &[u8]) -> (usize, usize, bool) {
        let mut start = if self.depth > 0 { 0 } else { bytes.len() };
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' if self.depth == 0 => {
                    (start, self.depth) = (at, 1);
                }
                // Brackets around the object are not its own.
                b'{' | b'[' if self.depth > 0 => self.depth = self.depth.saturating_add(1),
                b'}' | b']' if self.depth > 0 => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return (start, at.saturating_add(1), true);
                    }
                }
                _ => {}
            }
        }
        (start, bytes.len(), false)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    fn pieces(text: &str, room: usize, longest: usize) -> Vec<Piece> {
        let reader = BufReader::with_capacity(room, text.as_bytes());
        let mut pieces = Pieces::new(reader, text.as_bytes(), longest);
        std::iter::from_fn(|| pieces.next_piece().unwrap()).collect()
    }

    fn documents(text: &str) -> Vec<(u64, String)> {
        let pieces = pieces(text, 5, 1 << 20);
        let text = |piece: &Piece| String::from_utf8(piece.document.clone()?).ok();
        pieces.iter().filter_map(|piece| Some((piece.line, text(piece)?.trim_end().to_owned()))).collect()
    }

    #[test]
    fn documents_are_found_in_every_layout() {
        for (text, want) in [
            ("{\"a\":1}\n\n{\"b\": \"}\"}\r\n", vec![(1, "{\"a\":1}"), (3, "{\"b\": \"}\"}")]),
            ("{\"a\": \"cut\n{\"b\":2}", vec![(1, "{\"a\": \"cut"), (2, "{\"b\":2}")]),
            ("\u{feff}{\n\"a\":[1]\n}\n{\n}", vec![(1, "{\n\"a\":[1]\n}"), (4, "{\n}")]),
            ("[ {\"a\":[{}]},\n 7, \"{\", [{\"b\":1}] ]", vec![(1, "{\"a\":[{}]}"), (2, "{\"b\":1}")]),
            ("\u{1e}{\n}\u{1e}{\n}", vec![(1, "{\n}"), (2, "{\n}")]),
            ("[{\"a\":", vec![(1, "{\"a\":")]),
            ("[]", vec![]),
        ] {
            let want: Vec<_> = want.into_iter().map(|(line, text)| (line, text.to_owned())).collect();
            assert_eq!(documents(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_is_passed_on() {
        for text in ["[{\"a\":\"0123456789\"},{\"b\":1}]", "{\"a\":\"0123456789\"}\n{\"b\":1}\n"] {
            let pieces = pieces(text, 4, 10);
            assert!(pieces.iter().any(|piece| piece.is_too_long), "{text}");
            let held: Vec<_> = pieces.iter().filter_map(|piece| piece.document.as_deref()).collect();
            assert!(matches!(held[..], [document] if document.trim_ascii_end() == b"{\"b\":1}"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(text in "[\\[\\]{}\",:\\\\a \n\u{feff}]{0,60}", room in 1_usize..9, longest in 1_usize..30) {
            let mut all = Vec::new();
            for piece in pieces(&text, room, longest) {
                all.extend(piece.before);
                all.extend(piece.document.unwrap_or_default());
            }
            prop_assert_eq!(String::from_utf8(all).unwrap(), text);
        }
    }
}
