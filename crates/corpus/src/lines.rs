//! Lines of a byte stream, lent without a copy where they lie whole in the reader's buffer.

use std::io::{self, BufRead};

use crate::problem::Problem;

/// The lines of `reader`, each at most `limit` bytes: a longer one is skipped without being held.
pub(crate) struct Lines<R> {
    reader: R,
    limit: usize,
    skip_blank: bool,
    number: u64,
    /// Bytes of the reader's buffer that the line lent last takes up.
    lent: usize,
    gathered: Vec<u8>,
    done: bool,
}

/// Where the line found lies.
enum Found {
    /// In the reader's buffer, this long without its line end.
    Lent(usize),
    Gathered,
    TooLong,
    End,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, skip_blank: false, number: 0, lent: 0, gathered: Vec::new(), done: false }
    }

    /// Lends no line of white space alone; such lines are still counted.
    pub(crate) fn skip_blank(self) -> Self {
        Self { skip_blank: true, ..self }
    }

    /// The next line without `\n` or `\r\n`, and its number from 1. A failure to read ends the lines, and the line
    /// that it cut is not lent.
    pub(crate) fn next_line(&mut self) -> Option<(u64, Result<&[u8], Problem>)> {
        if self.done {
            return None;
        }
        let found = loop {
            let found = self.advance();
            if !(self.skip_blank && self.is_blank(&found)) {
                break found;
            }
        };
        let line = match found {
            Ok(Found::End) => {
                self.done = true;
                return None;
            }
            Ok(Found::TooLong) => return Some((self.number, Err(Problem::TooLong(self.limit as u64)))),
            Ok(Found::Gathered) => Ok(self.gathered.as_slice()),
            Ok(Found::Lent(length)) => {
                self.reader.fill_buf().map(|buffer| buffer.get(..length).unwrap_or_default())
            }
            Err(error) => Err(error),
        };
        if line.is_err() {
            self.done = true;
        }
        let line = line.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).map_err(Problem::from);
        Some((self.number, line))
    }

    /// Lends no further line.
    pub(crate) fn end(&mut self) {
        self.done = true;
    }

    /// Gives the line lent last back and finds the next one.
    fn advance(&mut self) -> io::Result<Found> {
        self.reader.consume(std::mem::take(&mut self.lent));
        self.gathered.clear();
        self.number = self.number.saturating_add(1);
        let found = self.find();
        if let Ok(Found::Lent(length)) = found {
            self.lent = length.saturating_add(1);
        }
        found
    }

    fn is_blank(&mut self, found: &io::Result<Found>) -> bool {
        match found {
            Ok(Found::Gathered) => self.gathered.trim_ascii().is_empty(),
            Ok(Found::Lent(length)) => self
                .reader
                .fill_buf()
                .is_ok_and(|buffer| buffer.get(..*length).is_some_and(|line| line.trim_ascii().is_empty())),
            _ => false,
        }
    }

    fn find(&mut self) -> io::Result<Found> {
        let mut too_long = false;
        let mut empty = true;
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let end = memchr::memchr(b'\n', buffer);
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            too_long |= part.len() > self.limit.saturating_sub(self.gathered.len());
            if let (Some(length), true, false) = (end, empty, too_long) {
                return Ok(Found::Lent(length));
            }
            if too_long {
                self.gathered.clear();
            } else {
                self.gathered.extend_from_slice(part);
            }
            let at_end = buffer.is_empty();
            empty &= at_end;
            let used = end.map_or(buffer.len(), |length| length.saturating_add(1));
            self.reader.consume(used);
            match (at_end, end) {
                (true, _) if empty => return Ok(Found::End),
                (true, _) | (_, Some(_)) => {
                    return Ok(if too_long { Found::TooLong } else { Found::Gathered });
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8], buffer: usize, limit: usize) -> Vec<Result<Vec<u8>, Problem>> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, bytes), limit);
        let mut out = Vec::new();
        while let Some((_, line)) = lines.next_line() {
            out.push(line.map(<[u8]>::to_vec));
        }
        out
    }

    #[test]
    fn a_line_that_is_too_long_is_reported_and_the_others_are_kept() {
        for buffer in [1, 3, 1000] {
            let lines = all(b"ab\n0123456789\r\ncd\r\n\nlast", buffer, 5);
            let long = Err(Problem::TooLong(5));
            let want = [Ok(b"ab".to_vec()), long, Ok(b"cd".to_vec()), Ok(vec![]), Ok(b"last".to_vec())];
            assert_eq!(lines, want, "buffer of {buffer}");
        }
    }

    #[test]
    fn a_failure_to_read_ends_the_lines() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }
        let reader = BufReader::new(b"whole\ncut".chain(Broken));
        let mut lines = Lines::new(reader, 100);
        assert_eq!(lines.next_line(), Some((1, Ok(b"whole".as_slice()))));
        assert_eq!(lines.next_line(), Some((2, Err(Problem::Truncated))));
        assert_eq!(lines.next_line(), None);
    }

    proptest! {
        #[test]
        fn lines_are_those_of_split(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a')], 0..60), buffer in 1usize..9) {
            let mut want: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()).collect();
            if bytes.is_empty() || bytes.ends_with(b"\n") {
                want.pop();
            }
            let got: Vec<_> = all(&bytes, buffer, 1000).into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(got, want);
        }
    }
}
