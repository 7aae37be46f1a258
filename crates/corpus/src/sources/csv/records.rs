//! Records of a CSV stream.

use std::io::{self, BufRead};

use csv_core::ReadRecordResult;

use crate::problem::Problem;

/// Records of a CSV stream, each at most `limit` bytes: a longer one is skipped without being held.
pub(crate) struct Records<R> {
    reader: R,
    parser: csv_core::Reader,
    limit: usize,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Bytes and fields of the record in hand.
    filled: usize,
    pub(crate) fields: usize,
    quotes: Quotes,
    /// Whether the bytes given to the parser end in `\r`, whose `\n` may stand in the next buffer.
    after_return: bool,
    /// Whether the parser was told that the last line ends.
    at_end: bool,
    done: bool,
}

impl<R: BufRead> Records<R> {
    pub(crate) fn new(reader: R, delimiter: u8, first_line: u64, limit: usize) -> Self {
        let mut parser = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        parser.set_line(first_line);
        Self {
            reader,
            parser,
            limit,
            bytes: vec![0; 1024.min(limit.max(1))],
            ends: vec![0; 16],
            filled: 0,
            fields: 0,
            quotes: Quotes { delimiter, state: Quote::Outside, has_stray: false },
            after_return: false,
            at_end: false,
            done: false,
        }
    }

    /// Reads the next record; says on which line it begins, or `None` at the end.
    pub(crate) fn advance(&mut self) -> Option<(u64, Result<(), Problem>)> {
        if self.done {
            return None;
        }
        (self.filled, self.fields) = (0, 0);
        self.quotes.begin();
        let mut too_long = false;
        self.finish_line_end();
        let line = self.parser.line();
        loop {
            let input = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.done = true;
                    return Some((line, Err(error.into())));
                }
                Ok(input) => input,
            };
            // The end of the file ends a line: the parser takes the last record as whole, unless it stands within
            // quotes, where a line end is a byte of the field.
            let last_line_end = input.is_empty() && !self.at_end;
            let input = if last_line_end { b"\n" } else { input };
            let bytes = self.bytes.get_mut(self.filled..).unwrap_or_default();
            let ends = self.ends.get_mut(self.fields..).unwrap_or_default();
            let (result, read, wrote, ended) = self.parser.read_record(input, bytes, ends);
            self.quotes.look_at(input.get(..read).unwrap_or_default());
            if let Some(last) = read.checked_sub(1) {
                self.after_return = input.get(last) == Some(&b'\r');
            }
            self.filled = self.filled.saturating_add(wrote);
            self.fields = self.fields.saturating_add(ended);
            if last_line_end {
                self.at_end = read > 0;
            } else {
                self.reader.consume(read);
            }
            match result {
                ReadRecordResult::InputEmpty if last_line_end && wrote > 0 => {
                    self.done = true;
                    return Some((line, Err(self.open_quote(line, too_long))));
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    too_long |= !grow(&mut self.bytes, &mut self.filled, self.limit)
                }
                ReadRecordResult::OutputEndsFull => {
                    too_long |= !grow(&mut self.ends, &mut self.fields, self.limit / size_of::<usize>());
                }
                ReadRecordResult::Record if too_long => {
                    return Some((line, Err(Problem::TooLong(self.limit as u64))));
                }
                ReadRecordResult::Record => return Some((line, Ok(()))),
                ReadRecordResult::End => {
                    self.done = true;
                    return None;
                }
            }
        }
    }

    /// The problem of a record, begun on `line`, that has another number of fields than the header, or joins lines.
    pub(crate) fn whole(&self, line: u64, expected: usize) -> Result<(), Problem> {
        let found = self.fields;
        if found == expected {
            return self.joined_lines(line);
        }
        Err(match line_ends(self.bytes.get(..self.filled).unwrap_or_default()) {
            0 => Problem::Fields { found, expected },
            more => Problem::FieldsOfLines { found, expected, last_line: line.saturating_add(more) },
        })
    }

    /// The problem of a record, begun on `line`, in which a quote joins lines and closes before its field ends: its
    /// partner is that of another record.
    fn joined_lines(&self, line: u64) -> Result<(), Problem> {
        match line_ends(self.bytes.get(..self.filled).unwrap_or_default()) {
            more if more > 0 && self.quotes.has_stray => {
                Err(Problem::JoinedLines { last_line: line.saturating_add(more) })
            }
            _ => Ok(()),
        }
    }

    /// Steps over the `\n` of a `\r\n`: the parser ends a record at its `\r` and would count the line only later.
    fn finish_line_end(&mut self) {
        // A failure to read stays for the record to tell.
        if std::mem::take(&mut self.after_return)
            && self.reader.fill_buf().is_ok_and(|buffer| buffer.starts_with(b"\n"))
        {
            self.reader.consume(1);
            self.parser.set_line(self.parser.line().saturating_add(1));
        }
    }

    /// The problem of the record in hand, begun on `line`, at whose end the parser stands within quotes. What was too
    /// long is not held, so that where in it the quote opens is not known.
    fn open_quote(&self, line: u64, too_long: bool) -> Problem {
        let last_end = self.fields.checked_sub(1).and_then(|last| self.ends.get(last));
        let field = self.bytes.get(last_end.copied().unwrap_or(0)..self.filled).unwrap_or_default();
        let opens = if too_long { line } else { self.parser.line().saturating_sub(line_ends(field)) };
        Problem::OpenQuote { line: opens }
    }

    pub(crate) fn field(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        let end = self.ends.get(..self.fields)?.get(index).copied()?;
        self.bytes.get(start..end)
    }
}

/// Line ends in `bytes`.
fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Makes room for more elements; at the limit, forgets those that are held and says so.
fn grow<T: Clone + Default>(buffer: &mut Vec<T>, filled: &mut usize, limit: usize) -> bool {
    if buffer.len() >= limit {
        *filled = 0;
        return false;
    }
    buffer.resize(buffer.len().saturating_mul(2).clamp(1, limit), T::default());
    true
}

/// The quotes of the record in hand: the parser takes what stands behind a closing one for part of its field.
struct Quotes {
    delimiter: u8,
    state: Quote,
    /// Set where something else than a delimiter or a line end stands behind a closing quote.
    has_stray: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Quote {
    /// Before the first byte of a field.
    Outside,
    /// In a field without quotes.
    Plain,
    Within,
    /// Behind a quote that closes, or is the first of a double one.
    Behind,
}

impl Quotes {
    fn begin(&mut self) {
        (self.state, self.has_stray) = (Quote::Outside, false);
    }

    fn look_at(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let is_end = *byte == self.delimiter || matches!(byte, b'\r' | b'\n');
            self.state = match (self.state, byte) {
                (Quote::Within, b'"') => Quote::Behind,
                (Quote::Within, _) | (Quote::Outside | Quote::Behind, b'"') => Quote::Within,
                (_, _) if is_end => Quote::Outside,
                (Quote::Behind, _) => {
                    self.has_stray = true;
                    Quote::Plain
                }
                _ => Quote::Plain,
            };
        }
    }
}
