//! The objects of a stream of JSON documents, one at a time.
//!
//! Documents are an object, or arrays of objects, one behind another. The scanner follows strings and brackets alone and
//! hands out the bytes of each object, so that a malformed record is one error. An object that is too long to be read
//! whole, as the official feeds are with their hundreds of megabytes, is gone into: the members of the arrays that stand
//! under one of the given keys are handed out instead, so that memory stays bounded.

use std::io::{self, BufRead};

use super::rewound::Rewound;
use super::scan::{Scan, Step};
use crate::limits::Limits;
use crate::problem::Problem;
use crate::sources::object::Object;

/// The objects of a stream of documents.
pub(super) struct Objects<R> {
    reader: Rewound<R>,
    keys: Vec<&'static str>,
    /// Longest object that is held.
    longest: usize,
    /// Longest object that is read whole although it has an array that can be gone into.
    whole: usize,
    bytes: Vec<u8>,
    number: u64,
    /// The arrays and objects that the place in the stream lies in.
    within: Vec<Within>,
    /// The keys of an object that is gone into, as far as they stand before its array or soon behind it.
    around: Vec<u8>,
    done: bool,
}

/// Arrays and objects that may lie within one another.
const DEEPEST: usize = 64;
/// Bytes around an array that are looked at.
const AROUND: usize = 64 << 10;

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
enum Within {
    /// An array, under a key of an object or at the top.
    Array(Option<&'static str>),
    /// An object that is gone into, behind an array.
    Object,
}

/// The end of a read of an object.
enum Read {
    /// It lies in `bytes`.
    Whole,
    /// It is gone into: an array under this key is open.
    Entered(&'static str),
}

impl<R: BufRead> Objects<R> {
    pub(super) fn new(reader: R, keys: Vec<&'static str>, limits: &Limits) -> Self {
        Self {
            reader: Rewound::new(reader),
            keys,
            longest: limits.record_bytes,
            whole: limits.document_bytes.min(limits.record_bytes),
            bytes: Vec::new(),
            number: 0,
            within: Vec::new(),
            around: Vec::new(),
            done: false,
        }
    }

    /// The next object and its bytes. The bytes of an object that the stream ends in are handed out, too: its reader
    /// says what is wrong with it.
    pub(super) fn next_object(&mut self) -> Option<(Found, Result<&[u8], Problem>)> {
        let next = self.find();
        let key = if let Some(Within::Array(key)) = self.within.last() { *key } else { None };
        let is_document = self.within.is_empty();
        let found = match next {
            Ok(false) => return None,
            Ok(true) => Ok(()),
            Err(problem) => {
                self.done |= !matches!(problem, Problem::TooLong(_) | Problem::Json(_));
                Err(problem)
            }
        };
        self.number = self.number.saturating_add(1);
        let found = found.map(|()| self.bytes.as_slice());
        Some((Found { number: self.number, key, is_document }, found))
    }

    /// Reads the next object into `bytes`; false at the end of the stream.
    fn find(&mut self) -> Result<bool, Problem> {
        while !self.done {
            if self.within.len() > DEEPEST {
                return Err(Problem::Damaged(format!(
                    "arrays lie within one another more than {DEEPEST} deep"
                )));
            }
            match self.within.last().copied() {
                Some(Within::Object) => self.pass_over_rest()?,
                Some(Within::Array(_)) => match self.next_byte(b",")?.ok_or(Problem::Truncated)? {
                    b']' => {
                        self.within.pop();
                    }
                    b'[' => self.within.push(Within::Array(None)),
                    b'{' if self.read_object()? => return Ok(true),
                    b'{' => {}
                    byte => {
                        self.pass_over_scalar(byte)?;
                        let found = format!("{:?} where a record should begin", char::from(byte));
                        return Err(Problem::Json(found));
                    }
                },
                // Between documents some tools write a record separator (RFC 7464) or a byte order mark.
                None => match self.next_byte(b"\x1E\xEF\xBB\xBF")? {
                    None => self.done = true,
                    Some(b'[') => self.within.push(Within::Array(None)),
                    Some(b'{') if self.read_object()? => return Ok(true),
                    Some(b'{') => {}
                    Some(byte) => return Err(Problem::NotADocument(format!("{:?}", char::from(byte)))),
                },
            }
        }
        Ok(false)
    }

    /// Reads an object whose bracket was read; false where it is gone into.
    fn read_object(&mut self) -> Result<bool, Problem> {
        match self.read()? {
            Read::Whole => Ok(true),
            Read::Entered(key) => {
                self.within.extend([Within::Object, Within::Array(Some(key))]);
                Ok(false)
            }
        }
    }

    /// Reads on to the end of the object, or into it.
    fn read(&mut self) -> Result<Read, Problem> {
        self.bytes.clear();
        self.bytes.push(b'{');
        let mut scan = Scan::new(&self.keys);
        let mut too_long = false;
        // The first array that can be gone into: where in `bytes` its first member begins, and its key.
        let mut array: Option<(usize, &'static str)> = None;
        loop {
            // Of a document that is cut off, the members before the cut are whole.
            let buffer = match (fill(&mut self.reader), array) {
                (Ok(buffer), _) => buffer,
                (Err(error), None) => return Err(error.into()),
                (Err(error), Some((start, key))) => {
                    self.reader.fail_later(error);
                    return Ok(self.enter(start, key));
                }
            };
            if buffer.is_empty() {
                if let Some((start, key)) = array {
                    return Ok(self.enter(start, key));
                }
                if !self.within.is_empty() {
                    return Err(Problem::Truncated);
                }
                self.done = true;
                return if too_long { Err(Problem::TooLong(self.longest as u64)) } else { Ok(Read::Whole) };
            }
            let step = scan.advance(buffer);
            let used = step.as_ref().map_or(buffer.len(), |(used, _)| *used);
            too_long |= array.is_none() && used > self.longest.saturating_sub(self.bytes.len());
            if too_long {
                self.bytes.clear();
            } else {
                self.bytes.extend_from_slice(buffer.get(..used).unwrap_or_default());
            }
            self.reader.consume(used);
            if let Some((_, Step::Array(key))) = step {
                scan.enter();
                array = array.or(Some((self.bytes.len(), key)));
            }
            if let Some((start, key)) = array
                && (too_long || self.bytes.len() > self.whole)
            {
                return Ok(self.enter(start, key));
            }
            match step {
                Some((_, Step::End)) if too_long => return Err(Problem::TooLong(self.longest as u64)),
                Some((_, Step::End)) => return Ok(Read::Whole),
                _ => {}
            }
        }
    }

    /// Gives back what was read behind the opening of an array, to go into it.
    fn enter(&mut self, start: usize, key: &'static str) -> Read {
        self.reader.rewind(self.bytes.split_off(start.min(self.bytes.len())));
        self.around.clear();
        self.around.extend_from_slice(self.bytes.get(..AROUND).unwrap_or(&self.bytes));
        self.around.extend_from_slice(b"]");
        Read::Entered(key)
    }

    /// The object that was gone into last, without its members.
    pub(super) fn around(&self) -> Object<'_> {
        Object::new(&self.around)
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
            let room = AROUND.saturating_mul(2).saturating_sub(self.around.len());
            self.around.extend_from_slice(buffer.get(..used.min(room)).unwrap_or_default());
            self.reader.consume(used);
            match step {
                None => {}
                Some((_, Step::Array(key))) => {
                    self.within.push(Within::Array(Some(key)));
                    return Ok(());
                }
                Some((_, Step::End)) => {
                    self.within.pop();
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

fn fill<R: BufRead>(reader: &mut R) -> io::Result<&[u8]> {
    loop {
        match reader.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // What is in the buffer is lent again without another read.
    reader.fill_buf()
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// Each object with the key of its array, or what is wrong.
    fn objects(bytes: &[u8], buffer: usize, longest: usize) -> Vec<Result<String, Problem>> {
        objects_with(bytes, buffer, longest, longest)
    }

    fn objects_with(
        bytes: &[u8],
        buffer: usize,
        longest: usize,
        whole: usize,
    ) -> Vec<Result<String, Problem>> {
        let reader = BufReader::with_capacity(buffer, bytes);
        let limits = Limits { record_bytes: longest, document_bytes: whole, ..Limits::default() };
        let mut objects = Objects::new(reader, vec!["list", "more"], &limits);
        let mut out = Vec::new();
        while let Some((found, object)) = objects.next_object() {
            let key = found.key.unwrap_or(if found.is_document { "" } else { "array" });
            out.push(object.map(|object| format!("{key}{}", String::from_utf8_lossy(object))));
            assert_eq!(found.number, out.len() as u64);
        }
        out
    }

    #[test]
    fn a_long_document_gives_the_members_of_the_arrays_of_the_object_itself() {
        let document = br#" {"a":"list","b":{"list":[{"no":1}]}, "c":["list",[]], "list" : [ {"x":"}\"]"} ,[{"z":1}],{}], "d":[{}],"more":[{"y":1}]}"#;
        for buffer in [1, 7, 1000] {
            for whole in [10, 60, 80, 100] {
                let want = [r#"list{"x":"}\"]"}"#, r#"array{"z":1}"#, "list{}", r#"more{"y":1}"#];
                let got = objects_with(document, buffer, 100, whole);
                assert_eq!(got, want.map(|item| Ok(item.to_owned())), "{buffer} {whole}");
            }
            assert_eq!(
                objects(document, buffer, 1000),
                [Ok(String::from_utf8_lossy(&document[1..]).into_owned())]
            );
        }
    }

    #[test]
    fn a_long_member_is_gone_into_as_well() {
        let document =
            br#"{"list":[{"a":"12345678901234567890","more":[{"b":1},{"b":2}]},{"c":1}],"d":1}[{}]"#;
        for buffer in [1, 1000] {
            let got = objects_with(document, buffer, 30, 15);
            let want = [r#"more{"b":1}"#, r#"more{"b":2}"#, r#"list{"c":1}"#, "array{}"];
            assert_eq!(got, want.map(|item| Ok(item.to_owned())));
        }
    }

    #[test]
    fn objects_stand_alone_in_arrays_and_behind_one_another() {
        for (documents, want) in [
            ("{\n\"a\": 1}", &["{\n\"a\": 1}"][..]),
            ("[{\"a\":1},\n{\"list\":[{}]}, {}]", &["array{\"a\":1}", "array{\"list\":[{}]}", "array{}"]),
            ("{\"b\":1}\n[{}]{}", &["{\"b\":1}", "array{}", "{}"]),
            ("[[{}],[{}]]", &["array{}", "array{}"]),
            ("\u{feff}{}\u{1e}{}\n", &["{}", "{}"]),
            ("", &[]),
            (" [] ", &[]),
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
            (r#"{"list":[{},{"a1234"#, vec![Ok("list{}".to_owned()), Err(Problem::Truncated)]),
            (r#"{"list":[{} ]  "#, vec![Ok("list{}".to_owned()), Err(Problem::Truncated)]),
            ("[{}", vec![Ok("array{}".to_owned()), Err(Problem::Truncated)]),
            (r#"{"list":[{},nonsense]}"#, vec![Ok("list{}".to_owned()), no_record("'n'")]),
            (
                r#"[null,{},"a,]\"",{}]"#,
                vec![no_record("'n'"), Ok("array{}".into()), no_record("'\"'"), Ok("array{}".into())],
            ),
            (r#"{"list":[{"a":"12345678"},{}]}"#, vec![Err(Problem::TooLong(11)), Ok("list{}".to_owned())]),
            (r#"{"a":"123456789","list":[{}]}"#, vec![Ok("list{}".to_owned())]),
            (r#"{"a":"123456789"}{}"#, vec![Err(Problem::TooLong(11)), Ok("{}".to_owned())]),
            (
                &"[".repeat(100),
                vec![Err(Problem::Damaged("arrays lie within one another more than 64 deep".to_owned()))],
            ),
        ] {
            assert_eq!(objects_with(document.as_bytes(), 4, 11, 11), want, "{document}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_objects_or_errors(tail in "[\\[\\]{}\",:\\\\a ]{0,60}", buffer in 1usize..9, whole in 1usize..20) {
            for head in ["{\"list\":[", "[", ""] {
                let document = format!("{head}{tail}");
                prop_assert!(objects_with(document.as_bytes(), buffer, 20, whole).len() <= document.len());
            }
        }
    }
}
