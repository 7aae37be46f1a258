//! Lines of a stream, with a bound on what one of them may take up.

use std::io::{BufRead, Read as _};

use super::error::SavedProblem;

/// The longest line that is read, so that memory stays bounded: answers with all labels and reasons are far shorter.
const LONGEST: u64 = 64 << 20;

/// The lines of a stream, one at a time.
pub(super) struct Lines {
    reader: Box<dyn BufRead + Send>,
    number: u64,
    line: Vec<u8>,
}

impl Lines {
    /// The lines of `reader`.
    pub(super) fn new(reader: Box<dyn BufRead + Send>) -> Self {
        Self { reader, number: 0, line: vec![] }
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line that is not blank, without its end; a failure to read ends the lines.
    pub(super) fn next(&mut self) -> Option<Result<&[u8], SavedProblem>> {
        loop {
            self.line.clear();
            self.number = self.number.saturating_add(1);
            match self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut self.line) {
                Err(error) => return Some(Err(error.into())),
                Ok(0) => return None,
                Ok(length) if length as u64 == LONGEST && !self.line.ends_with(b"\n") => {
                    return Some(Err(match self.skip() {
                        Ok(()) => SavedProblem::TooLong(LONGEST),
                        Err(error) => error.into(),
                    }));
                }
                Ok(_) if self.line.trim_ascii().is_empty() => {}
                Ok(_) => break,
            }
        }
        let line = self.line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.line);
        Some(Ok(line.trim_ascii()))
    }

    /// Reads to the end of the line without holding it.
    fn skip(&mut self) -> std::io::Result<()> {
        self.line.clear();
        loop {
            let length = self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut self.line)?;
            if length == 0 || self.line.ends_with(b"\n") {
                return Ok(());
            }
            self.line.clear();
        }
    }
}
