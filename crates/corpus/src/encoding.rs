//! Texts in other encodings than UTF-8: UTF-16, told by its byte order mark or its zeros, and Windows-1252.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;

/// The kind of UTF-16 that a text begins with: by its byte order mark, or by the zeros of its ASCII letters.
pub(crate) fn utf16(head: &[u8]) -> Option<&'static Encoding> {
    match head {
        [0xFF, 0xFE, ..] => Some(UTF_16LE),
        [0xFE, 0xFF, ..] => Some(UTF_16BE),
        [first @ 1..0x80, 0, second @ 1..0x80, 0, ..] if first.is_ascii() && second.is_ascii() => {
            Some(UTF_16LE)
        }
        [0, first @ 1..0x80, 0, second @ 1..0x80, ..] if first.is_ascii() && second.is_ascii() => {
            Some(UTF_16BE)
        }
        _ => None,
    }
}

/// The text of `reader`, which is in `encoding`, as UTF-8.
pub(crate) fn decoded(
    reader: impl Read + Send + 'static,
    encoding: &'static Encoding,
) -> Box<dyn Read + Send> {
    Box::new(DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(reader))
}

/// Reads a text in which bytes that are not UTF-8 are taken for Windows-1252, as old tools write it: one odd letter does
/// not spoil a text, and what is UTF-8 stays what it is.
pub(crate) struct Lenient<R> {
    reader: R,
    /// Decoded bytes that are still to be given.
    ready: Vec<u8>,
    at: usize,
    /// Bytes that a character begins with whose rest was not read yet.
    open: Vec<u8>,
    odd: OddBytes,
}

/// The number of bytes that were taken for Windows-1252.
#[derive(Debug, Clone, Default)]
pub(crate) struct OddBytes(Arc<AtomicU64>);

impl OddBytes {
    /// The number so far.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<R: BufRead> Lenient<R> {
    pub(crate) fn new(reader: R, odd: OddBytes) -> Self {
        Self { reader, ready: Vec::new(), at: 0, open: Vec::new(), odd }
    }

    /// Decodes the next bytes; nothing is ready then at the end alone.
    fn advance(&mut self) -> io::Result<()> {
        (self.at, self.ready) = (0, std::mem::take(&mut self.ready));
        self.ready.clear();
        while self.ready.is_empty() {
            let part = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let (length, is_end) = (part.len(), part.is_empty());
            let mut bytes = std::mem::take(&mut self.open);
            bytes.extend_from_slice(part);
            self.reader.consume(length);
            self.decode(&bytes, is_end);
            if is_end {
                break;
            }
        }
        Ok(())
    }

    fn decode(&mut self, bytes: &[u8], is_end: bool) {
        let mut rest = bytes;
        loop {
            let valid = match std::str::from_utf8(rest) {
                Ok(_) => return self.ready.extend_from_slice(rest),
                Err(error) => error,
            };
            let (text, odd) = rest.split_at(valid.valid_up_to());
            self.ready.extend_from_slice(text);
            let length = match valid.error_len() {
                Some(length) => length,
                None if is_end => odd.len(),
                None => {
                    self.open = odd.to_vec();
                    return;
                }
            };
            let (odd, behind) = odd.split_at(length);
            let (letters, _) = WINDOWS_1252.decode_without_bom_handling(odd);
            self.ready.extend_from_slice(letters.as_bytes());
            self.odd.0.fetch_add(odd.len() as u64, Ordering::Relaxed);
            rest = behind;
        }
    }
}

impl<R: BufRead> Read for Lenient<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Lenient<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.ready.len() {
            self.advance()?;
        }
        Ok(self.ready.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, length: usize) {
        self.at = self.at.saturating_add(length);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    fn lenient(bytes: &[u8], buffer: usize) -> (String, u64) {
        let odd = OddBytes::default();
        let mut text = String::new();
        Lenient::new(BufReader::with_capacity(buffer, bytes), odd.clone()).read_to_string(&mut text).unwrap();
        (text, odd.count())
    }

    #[test]
    fn odd_bytes_are_those_of_windows() {
        for buffer in [1, 2, 100] {
            assert_eq!(
                lenient(b"Beh\xF6rde \x93quoted\x94 \xE2\x82\xAC", buffer),
                ("Behörde “quoted” €".to_owned(), 3)
            );
            assert_eq!(lenient(b"cut \xE2\x82", buffer).1, 2);
        }
    }

    #[test]
    fn utf16_is_known_with_and_without_its_mark() {
        for (bytes, encoding) in [
            (b"\xFF\xFEa\0".as_slice(), Some(UTF_16LE)),
            (b"\xFE\xFF\0a", Some(UTF_16BE)),
            (b"i\0d\0,\0", Some(UTF_16LE)),
            (b"\0i\0d\0,", Some(UTF_16BE)),
            (b"id,", None),
        ] {
            assert_eq!(utf16(bytes), encoding, "{bytes:?}");
        }
        let mut text = String::new();
        decoded(b"\xFF\xFEa\0\xE9\0".as_slice(), UTF_16LE).read_to_string(&mut text).unwrap();
        assert_eq!(text, "aé");
    }

    proptest! {
        #[test]
        fn utf8_stays_what_it_is(text in ".{0,40}", buffer in 1usize..9) {
            prop_assert_eq!(lenient(text.as_bytes(), buffer), (text, 0));
        }

        #[test]
        fn any_bytes_become_a_text(bytes in proptest::collection::vec(any::<u8>(), 0..40), buffer in 1usize..9) {
            prop_assert_eq!(lenient(&bytes, buffer), lenient(&bytes, 100));
        }
    }
}
