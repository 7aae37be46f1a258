//! The members of one array of a large JSON document, one at a time.
//!
//! The official feeds are one object with one array of records, hundreds of megabytes long. The scanner follows
//! strings and brackets alone and hands out the bytes of each member, so that a malformed record is one error and
//! memory holds one record at most.

use std::io::{self, BufRead};

use crate::error::Problem;

/// The members of the array under `key` of the document's top object.
pub(crate) struct JsonItems<R> {
    reader: R,
    key: &'static str,
    limit: usize,
    item: Vec<u8>,
    number: u64,
    state: State,
}

#[derive(PartialEq)]
enum State {
    BeforeArray,
    InArray,
    Done,
}

/// Where in a JSON value the scanner is.
#[derive(Default)]
struct Cursor {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Cursor {
    /// Goes through `bytes`; says after how many of them a value that began with `{` or `[` ends.
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at = at.saturating_add(1);
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => at = skip_to_mark(bytes, at),
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// The next place from `at` on where a string ends or escapes.
fn skip_to_mark(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    memchr::memchr2(b'"', b'\\', rest).map_or(bytes.len(), |skipped| at.saturating_add(skipped))
}

impl<R: BufRead> JsonItems<R> {
    pub(crate) fn new(reader: R, key: &'static str, limit: usize) -> Self {
        Self { reader, key, limit, item: Vec::new(), number: 0, state: State::BeforeArray }
    }

    /// The number of the next member, from 1, and its bytes.
    pub(crate) fn next_item(&mut self) -> Option<(u64, Result<&[u8], Problem>)> {
        let next = match self.state {
            State::Done => return None,
            State::BeforeArray => self.find_array().and_then(|()| self.read_item()),
            State::InArray => self.read_item(),
        };
        self.number = self.number.saturating_add(1);
        match next {
            Ok(true) => Some((self.number, Ok(&self.item))),
            Ok(false) => {
                self.state = State::Done;
                None
            }
            Err(problem) => {
                if !matches!(problem, Problem::TooLong(_)) {
                    self.state = State::Done;
                }
                Some((self.number, Err(problem)))
            }
        }
    }

    /// Reads into `item` up to the end of the next member; false at the array's end.
    fn read_item(&mut self) -> Result<bool, Problem> {
        self.item.clear();
        let first = loop {
            match self.byte()?.ok_or(Problem::Truncated)? {
                b',' | b' ' | b'\t' | b'\n' | b'\r' => {}
                byte => break byte,
            }
        };
        match first {
            b']' => return Ok(false),
            b'{' | b'[' => self.item.push(first),
            _ => return Err(Problem::Json(format!("{:?} where a record should begin", char::from(first)))),
        }
        let mut cursor = Cursor { depth: 1, ..Cursor::default() };
        let mut too_long = false;
        loop {
            let buffer = fill(&mut self.reader)?;
            if buffer.is_empty() {
                return Err(Problem::Truncated);
            }
            let end = cursor.find_end(buffer);
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            too_long |= part.len() > self.limit.saturating_sub(self.item.len());
            if too_long {
                self.item.clear();
            } else {
                self.item.extend_from_slice(part);
            }
            let used = part.len();
            self.reader.consume(used);
            if end.is_some() {
                return if too_long { Err(Problem::TooLong(self.limit as u64)) } else { Ok(true) };
            }
        }
    }

    /// Goes to behind the `[` that opens the array.
    fn find_array(&mut self) -> Result<(), Problem> {
        let missing = Problem::MissingField(self.key);
        let mut depth = 0u64;
        let mut last_string = Vec::new();
        let mut under_key = false;
        while let Some(byte) = self.byte()? {
            match byte {
                b'"' => last_string = self.string()?,
                b':' if depth == 1 => {
                    under_key = last_string == self.key.as_bytes();
                    continue;
                }
                b'[' if under_key => {
                    self.state = State::InArray;
                    return Ok(());
                }
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' => depth = depth.saturating_sub(1),
                b' ' | b'\t' | b'\n' | b'\r' => continue,
                _ if depth == 0 => return Err(missing),
                _ => {}
            }
            under_key = false;
        }
        Err(missing)
    }

    /// The rest of a string whose quote was read, as far as a key may be long.
    fn string(&mut self) -> Result<Vec<u8>, Problem> {
        let mut string = Vec::new();
        let mut escaped = false;
        loop {
            match self.byte()?.ok_or(Problem::Truncated)? {
                b'"' if !escaped => return Ok(string),
                byte => {
                    escaped = byte == b'\\' && !escaped;
                    if string.len() < 64 {
                        string.push(byte);
                    }
                }
            }
        }
    }

    fn byte(&mut self) -> Result<Option<u8>, Problem> {
        let byte = fill(&mut self.reader)?.first().copied();
        if byte.is_some() {
            self.reader.consume(1);
        }
        Ok(byte)
    }
}

fn fill<R: BufRead>(reader: &mut R) -> Result<&[u8], Problem> {
    loop {
        match reader.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    // What is in the buffer is lent again without another read.
    reader.fill_buf().map_err(Problem::from)
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    fn items(bytes: &[u8], buffer: usize, limit: usize) -> Vec<Result<String, Problem>> {
        let mut items = JsonItems::new(BufReader::with_capacity(buffer, bytes), "list", limit);
        let mut out = Vec::new();
        while let Some((_, item)) = items.next_item() {
            out.push(item.map(|item| String::from_utf8_lossy(item).into_owned()));
        }
        out
    }

    #[test]
    fn finds_the_array_of_the_top_object_alone() {
        let document = br#" {"a":"list","b":{"list":[{"no":1}]}, "c":["list",[]], "list" : [ {"x":"}\"]"} ,[1],{}], "d":[{}]}"#;
        for buffer in [1, 7, 1000] {
            assert_eq!(
                items(document, buffer, 100),
                [Ok(r#"{"x":"}\"]"}"#.to_owned()), Ok("[1]".into()), Ok("{}".into())]
            );
        }
    }

    #[test]
    fn what_is_broken_is_told() {
        let missing = Err(Problem::MissingField("list"));
        for (document, want) in [
            ("", vec![missing.clone()]),
            ("<html>", vec![missing.clone()]),
            (r#"{"list":{}}"#, vec![missing]),
            (r#"{"list":[{},{"a"#, vec![Ok("{}".to_owned()), Err(Problem::Truncated)]),
            (
                r#"{"list":[{},nonsense]}"#,
                vec![Ok("{}".to_owned()), Err(Problem::Json("'n' where a record should begin".into()))],
            ),
            (r#"{"list":[{"a":"123456789"},{}]}"#, vec![Err(Problem::TooLong(9)), Ok("{}".to_owned())]),
        ] {
            assert_eq!(items(document.as_bytes(), 4, 9), want, "{document}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_items_or_errors(tail in "[\\[\\]{}\",:\\\\a ]{0,60}", buffer in 1usize..9) {
            let document = format!("{{\"list\":[{tail}");
            prop_assert!(items(document.as_bytes(), buffer, 20).len() <= document.len());
        }
    }
}
