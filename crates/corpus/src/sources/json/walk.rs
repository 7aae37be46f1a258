//! The objects of a stream of JSON documents, one at a time.
//!
//! The official feeds are one object with one array of records, hundreds of megabytes long. The scanner follows
//! strings and brackets alone and hands out the bytes of each object, so that a malformed record is one error and
//! memory holds one record at most.

use std::io::{self, BufRead};

use super::scan::{Scan, Step};
use crate::error::Problem;

/// The objects of a stream of documents: the members of the arrays that stand under one of the given keys, and every
/// other object whole. A document is an object, or an array of them.
pub(super) struct Objects<R> {
    reader: R,
    keys: Vec<&'static str>,
    limit: usize,
    bytes: Vec<u8>,
    number: u64,
    state: State,
    /// Set while the object in hand is a member of an array at the top.
    in_array: bool,
}

/// An object that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Its number, from 1.
    pub(super) number: u64,
    /// The key of the array that it is a member of.
    pub(super) key: Option<&'static str>,
    /// Set where it is a document of its own.
    pub(super) is_document: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Before a document.
    Top,
    /// In an array of documents.
    Array,
    /// In an array under a key of an object.
    Members(&'static str),
    /// In an object, behind such an array.
    Rest,
    Done,
}

impl<R: BufRead> Objects<R> {
    pub(super) fn new(reader: R, keys: Vec<&'static str>, limit: usize) -> Self {
        Self { reader, keys, limit, bytes: Vec::new(), number: 0, state: State::Top, in_array: false }
    }

    /// The next object and its bytes. The bytes of an object that the stream ends in are handed out, too: its reader
    /// says what is wrong with it.
    pub(super) fn next_object(&mut self) -> Option<(Found, Result<&[u8], Problem>)> {
        let next = self.find();
        let key = if let State::Members(key) = self.state { Some(key) } else { None };
        let is_document = key.is_none() && !self.in_array;
        let found = match next {
            Ok(false) => return None,
            Ok(true) => Ok(()),
            Err(problem) => {
                if !matches!(problem, Problem::TooLong(_) | Problem::Json(_)) {
                    self.state = State::Done;
                }
                Err(problem)
            }
        };
        self.number = self.number.saturating_add(1);
        let found = found.map(|()| self.bytes.as_slice());
        Some((Found { number: self.number, key, is_document }, found))
    }

    /// Reads the next object into `bytes`; false at the end of the stream.
    fn find(&mut self) -> Result<bool, Problem> {
        loop {
            let byte = match self.state {
                State::Done => return Ok(false),
                State::Rest => {
                    self.pass_over_rest()?;
                    continue;
                }
                State::Top => match self.next_byte(b"")? {
                    None => {
                        self.state = State::Done;
                        return Ok(false);
                    }
                    Some(byte) => byte,
                },
                State::Array | State::Members(_) => self.next_byte(b",")?.ok_or(Problem::Truncated)?,
            };
            match (self.state, byte) {
                (State::Array, b']') => (self.state, self.in_array) = (State::Top, false),
                (State::Members(_), b']') => self.state = State::Rest,
                (State::Top, b'[') => (self.state, self.in_array) = (State::Array, true),
                (State::Top | State::Array, b'{') => {
                    if self.read_object()? {
                        return Ok(true);
                    }
                }
                (State::Members(_), b'{' | b'[') | (State::Array, b'[') => {
                    self.bytes.clear();
                    self.bytes.push(byte);
                    return self.read(&[]).map(|_| true);
                }
                (State::Top, _) => return Err(Problem::NotADocument(format!("{:?}", char::from(byte)))),
                _ => {
                    self.pass_over_scalar(byte)?;
                    let found = format!("{:?} where a record should begin", char::from(byte));
                    return Err(Problem::Json(found));
                }
            }
        }
    }

    /// Reads an object whose bracket was read; false where an array that is looked for opens in it.
    fn read_object(&mut self) -> Result<bool, Problem> {
        self.bytes.clear();
        self.bytes.push(b'{');
        let keys = std::mem::take(&mut self.keys);
        let read = self.read(&keys);
        self.keys = keys;
        match read? {
            Some(key) => {
                self.state = State::Members(key);
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// Reads on to the end of the value that `bytes` begin, or to the opening of an array under one of `keys`.
    fn read(&mut self, keys: &[&'static str]) -> Result<Option<&'static str>, Problem> {
        let mut scan = Scan::new(keys);
        let mut too_long = false;
        loop {
            let buffer = fill(&mut self.reader)?;
            if buffer.is_empty() {
                let is_member = matches!(self.state, State::Members(_));
                if is_member || self.in_array {
                    return Err(Problem::Truncated);
                }
                self.state = State::Done;
                return if too_long { Err(Problem::TooLong(self.limit as u64)) } else { Ok(None) };
            }
            let step = scan.advance(buffer);
            let used = step.as_ref().map_or(buffer.len(), |(used, _)| *used);
            too_long |= used > self.limit.saturating_sub(self.bytes.len());
            if too_long {
                self.bytes.clear();
            } else {
                self.bytes.extend_from_slice(buffer.get(..used).unwrap_or_default());
            }
            self.reader.consume(used);
            match step {
                None => {}
                Some((_, Step::Array(key))) => return Ok(Some(key)),
                Some((_, Step::End)) if too_long => return Err(Problem::TooLong(self.limit as u64)),
                Some((_, Step::End)) => return Ok(None),
            }
        }
    }

    /// Goes on behind an array to the end of its object, or to the next array that is looked for.
    fn pass_over_rest(&mut self) -> Result<(), Problem> {
        let mut scan = Scan::new(&self.keys);
        loop {
            let buffer = fill(&mut self.reader)?;
            if buffer.is_empty() {
                return Err(Problem::Truncated);
            }
            let step = scan.advance(buffer);
            let used = step.as_ref().map_or(buffer.len(), |(used, _)| *used);
            self.reader.consume(used);
            match step {
                None => {}
                Some((_, Step::Array(key))) => {
                    self.state = State::Members(key);
                    return Ok(());
                }
                Some((_, Step::End)) => {
                    self.state = if self.in_array { State::Array } else { State::Top };
                    return Ok(());
                }
            }
        }
    }

    /// Goes on to the end of a value that is neither object nor array, whose first byte was read.
    fn pass_over_scalar(&mut self, first: u8) -> Result<(), Problem> {
        let (mut in_string, mut escaped) = (first == b'"', false);
        loop {
            match fill(&mut self.reader)?.first().copied().ok_or(Problem::Truncated)? {
                b'"' if !escaped => in_string = !in_string,
                b',' | b']' | b'{' | b'[' if !in_string => return Ok(()),
                byte => escaped = in_string && byte == b'\\' && !escaped,
            }
            self.reader.consume(1);
        }
    }

    /// The next byte that is neither white space nor one of `others`.
    fn next_byte(&mut self, others: &[u8]) -> Result<Option<u8>, Problem> {
        loop {
            let Some(byte) = fill(&mut self.reader)?.first().copied() else { return Ok(None) };
            self.reader.consume(1);
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') && !others.contains(&byte) {
                return Ok(Some(byte));
            }
        }
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

    /// Each object with the key of its array, or what is wrong.
    fn objects(bytes: &[u8], buffer: usize, limit: usize) -> Vec<Result<String, Problem>> {
        let reader = BufReader::with_capacity(buffer, bytes);
        let mut objects = Objects::new(reader, vec!["list", "more"], limit);
        let mut out = Vec::new();
        while let Some((found, object)) = objects.next_object() {
            let key = found.key.unwrap_or(if found.is_document { "" } else { "array" });
            out.push(object.map(|object| format!("{key}{}", String::from_utf8_lossy(object))));
            assert_eq!(found.number, out.len() as u64);
        }
        out
    }

    #[test]
    fn members_are_those_of_the_arrays_of_the_object_itself() {
        let document = br#" {"a":"list","b":{"list":[{"no":1}]}, "c":["list",[]], "list" : [ {"x":"}\"]"} ,[1],{}], "d":[{}],"more":[{"y":1}]}"#;
        for buffer in [1, 7, 1000] {
            let want = [r#"list{"x":"}\"]"}"#, "list[1]", "list{}", r#"more{"y":1}"#];
            assert_eq!(objects(document, buffer, 100), want.map(|item| Ok(item.to_owned())));
        }
    }

    #[test]
    fn objects_stand_alone_in_arrays_and_behind_one_another() {
        for (documents, want) in [
            ("{\n\"a\": 1}", &["{\n\"a\": 1}"][..]),
            ("[{\"a\":1},\n{\"list\":[{}]}, {}]", &["array{\"a\":1}", "list{}", "array{}"]),
            ("{\"list\":[{}]}{\"b\":1}\n[{}]{}", &["list{}", "{\"b\":1}", "array{}", "{}"]),
            ("{\"list\":{}}", &["{\"list\":{}}"]),
            ("", &[]),
            (" [] ", &[]),
            ("{\"list\":[]}", &[]),
        ] {
            for buffer in [1, 1000] {
                let want: Vec<_> = want.iter().map(|item| Ok((*item).to_owned())).collect();
                assert_eq!(objects(documents.as_bytes(), buffer, 100), want, "{documents}");
            }
        }
    }

    #[test]
    fn broken_documents_are_told() {
        let no_record = |text: &str| Err(Problem::Json(format!("{text} where a record should begin")));
        for (document, want) in [
            ("<html>", vec![Err(Problem::NotADocument("'<'".into()))]),
            ("{}<html>", vec![Ok("{}".to_owned()), Err(Problem::NotADocument("'<'".into()))]),
            ("{\"a", vec![Ok("{\"a".to_owned())]),
            (r#"{"list":[{},{"a"#, vec![Ok("list{}".to_owned()), Err(Problem::Truncated)]),
            (r#"{"list":[{}]"#, vec![Ok("list{}".to_owned()), Err(Problem::Truncated)]),
            ("[{}", vec![Ok("array{}".to_owned()), Err(Problem::Truncated)]),
            (r#"{"list":[{},nonsense]}"#, vec![Ok("list{}".to_owned()), no_record("'n'")]),
            (
                r#"[null,{},"a,]\"",{}]"#,
                vec![no_record("'n'"), Ok("array{}".into()), no_record("'\"'"), Ok("array{}".into())],
            ),
            (r#"{"list":[{"a":"123456789"},{}]}"#, vec![Err(Problem::TooLong(9)), Ok("list{}".to_owned())]),
            (r#"{"a":"123456789","list":[{}]}"#, vec![Ok("list{}".to_owned())]),
        ] {
            assert_eq!(objects(document.as_bytes(), 4, 9), want, "{document}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_objects_or_errors(tail in "[\\[\\]{}\",:\\\\a ]{0,60}", buffer in 1usize..9) {
            for head in ["{\"list\":[", "[", ""] {
                let document = format!("{head}{tail}");
                prop_assert!(objects(document.as_bytes(), buffer, 20).len() <= document.len());
            }
        }
    }
}
