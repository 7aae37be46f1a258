//! The keys of a JSON object, found without reading its values.

use std::cell::RefCell;

use super::json_text::Text;

/// Keys that are remembered: an object with more of them is a map, in which nobody looks for many.
const REMEMBERED: usize = 256;

/// A JSON object that was not read yet.
pub(crate) struct Object<'a> {
    bytes: &'a [u8],
    /// The entries that were passed so far, so that the values before a key are not passed again for the next one.
    passed: RefCell<Passed<'a>>,
}

struct Passed<'a> {
    entries: Vec<Entry<'a>>,
    rest: Entries<'a>,
}

/// A key, and the bytes from its value on.
type Entry<'a> = (&'a [u8], &'a [u8]);

impl<'a> Object<'a> {
    /// The object that `bytes` begin with; bytes that are not an object have no keys.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.trim_ascii_start();
        let passed = Passed { entries: Vec::new(), rest: Entries::new(bytes) };
        Self { bytes, passed: RefCell::new(passed) }
    }

    /// Tests for a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.has_any(&[key])
    }

    /// Tests for one of some keys.
    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        self.value(keys).is_some()
    }

    /// The object under a key, if the value is one.
    pub(crate) fn object(&self, key: &str) -> Option<Self> {
        self.value(&[key]).filter(|value| value.starts_with(b"{")).map(Self::new)
    }

    /// The array under a key, if the value is one.
    pub(crate) fn array(&self, key: &str) -> Option<Elements<'a>> {
        self.value(&[key]).and_then(Elements::new)
    }

    /// The whole number under a key, if the value is one.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        let value = self.value(&[key])?;
        let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(value.get(..digits)?).ok()?.parse().ok()
    }

    /// The string under a key, if the value is one; a number stands for its digits.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let text: Text<'_> = serde_json::from_slice(self.whole(key)?).ok()?;
        Some(text.0.into_owned())
    }

    /// Tests whether the value under a key is the string `wanted`, which holds no escape.
    pub(crate) fn is(&self, key: &str, wanted: &str) -> bool {
        let string = self.value(&[key]).and_then(|value| string(value.strip_prefix(b"\"")?));
        string.is_some_and(|(text, _)| text == wanted.as_bytes())
    }

    /// The value under a key, up to its end.
    pub(crate) fn whole(&self, key: &str) -> Option<&'a [u8]> {
        self.value(&[key]).and_then(whole)
    }

    /// The keys, as they are written, each with its value up to its end; a value that is cut off is left out.
    pub(crate) fn members(&self) -> impl Iterator<Item = Entry<'a>> {
        self.entries().filter_map(|(key, value)| Some((key, whole(value)?)))
    }

    /// The keys, as they are written, each with the bytes from its value on.
    pub(crate) fn entries(&self) -> Entries<'a> {
        Entries::new(self.bytes)
    }

    /// The bytes from the value of the first of `keys` on.
    fn value(&self, keys: &[&str]) -> Option<&'a [u8]> {
        let is_wanted = |(name, _): &Entry<'_>| keys.iter().any(|key| key.as_bytes() == *name);
        let mut passed = self.passed.borrow_mut();
        let Passed { entries, rest } = &mut *passed;
        if let Some((_, value)) = entries.iter().find(|entry| is_wanted(entry)) {
            return Some(value);
        }
        while entries.len() < REMEMBERED {
            let entry = rest.next()?;
            entries.push(entry);
            if is_wanted(&entry) {
                return Some(entry.1);
            }
        }
        rest.clone().find(is_wanted).map(|(_, value)| value)
    }
}

/// The value that `bytes` begin with, unless it is cut off.
pub(crate) fn whole(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(..value_length(bytes)?)
}

/// The keys of an object and the bytes from their values on.
#[derive(Clone)]
pub(crate) struct Entries<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Entries<'a> {
    fn new(object: &'a [u8]) -> Self {
        Self { rest: object.strip_prefix(b"{") }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = after(self.rest.take()?, |byte| byte == b'"')?;
        let (name, behind) = string(rest)?;
        let value = after(behind, |byte| byte == b':')?.trim_ascii_start();
        self.rest = value_length(value).and_then(|length| value.get(length..));
        Some((name, value))
    }
}

/// The members of a JSON array, each from its first byte on.
pub(crate) struct Elements<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Elements<'a> {
    /// The members of the array that `bytes` begin with; none if they begin with something else.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        bytes.trim_ascii_start().strip_prefix(b"[").map(|rest| Self { rest: Some(rest) })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let is_between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        let rest = self.rest.take()?;
        let start = rest.iter().position(|byte| !is_between(byte))?;
        let rest = rest.get(start..).filter(|rest| !rest.starts_with(b"]"))?;
        // What cannot be told apart is one member, and the last.
        let (member, behind) = rest.split_at_checked(value_length(rest).unwrap_or(rest.len()))?;
        self.rest = Some(behind).filter(|_| !member.is_empty());
        Some(member)
    }
}

/// The bytes behind the first one of the kind, unless the object ends before it.
fn after(bytes: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<&[u8]> {
    let at = bytes.iter().position(|byte| is_wanted(*byte) || *byte == b'}')?;
    let (before, behind) = bytes.split_at_checked(at.checked_add(1)?)?;
    before.last().filter(|byte| is_wanted(**byte)).map(|_| behind)
}

/// The rest of a string whose quote was read, and the bytes behind it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0usize;
    loop {
        let found = memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        at = at.checked_add(found)?;
        if bytes.get(at) == Some(&b'"') {
            return Some((bytes.get(..at)?, bytes.get(at.checked_add(1)?..)?));
        }
        at = at.checked_add(2)?;
    }
}

/// The length of the value that `bytes` begin with; none if it is cut off.
pub(crate) fn value_length(bytes: &[u8]) -> Option<usize> {
    let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
    let mut depth = 0u32;
    let mut rest = bytes;
    loop {
        let at = match depth {
            0 => 0,
            _ => rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'))?,
        };
        let (before, behind) = rest.split_at_checked(at.checked_add(1)?)?;
        rest = behind;
        match before.last()? {
            b'"' => rest = string(behind)?.1,
            b'{' | b'[' => depth = depth.checked_add(1)?,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => return bytes.iter().position(is_end),
        }
        if depth == 0 {
            return bytes.len().checked_sub(rest.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_those_of_the_object_itself() {
        let bytes = br#" {"a":"b\"c", "x":[{"no":1},"}"], "cve" : {"id":"}","deep":{}}, "n":1.5 ,"last":null}, "behind":1"#;
        let object = Object::new(bytes);
        for (key, has) in [
            ("a", true),
            ("x", true),
            ("cve", true),
            ("n", true),
            ("last", true),
            ("no", false),
            ("behind", false),
        ] {
            assert_eq!(object.has(key), has, "{key}");
        }
        assert!(object.object("cve").is_some_and(|cve| cve.has("deep") && !cve.has("n")));
        assert!(object.object("x").is_none());
        assert_eq!((object.number("n"), object.number("a"), object.is("last", "x")), (Some(1), None, false));
        assert!(Object::new(br#"{"type" : "bundle","n":12}"#).is("type", "bundle"));
        assert!(Object::new(b"{\"cut\":").has("cut"), "a key counts though its value is cut off");
        assert!(!Object::new(b"[{\"a\":1}]").has("a"));
        assert_eq!((object.text("n").as_deref(), object.text("a").as_deref()), (Some("1.5"), Some("b\"c")));
        assert_eq!((object.text("x"), object.whole("last")), (None, Some(&b"null"[..])));
        assert_eq!(Object::new(b"{\"a\":1,\"cut\":[1,").members().count(), 1);
    }

    #[test]
    fn keys_are_found_in_any_order_and_number() {
        let map: Vec<_> = (0..3 * REMEMBERED).map(|number| format!("\"k{number}\":{number}")).collect();
        let text = format!("{{{}}}", map.join(","));
        let object = Object::new(text.as_bytes());
        for number in [3 * REMEMBERED - 1, 0, REMEMBERED - 1, REMEMBERED, REMEMBERED + 1, 7] {
            assert_eq!(object.number(&format!("k{number}")), Some(number as u64));
        }
        assert!(!object.has("k") && object.has_any(&["k", "k5"]));
    }

    proptest! {
        #[test]
        fn keys_agree_with_a_json_parser(keys in proptest::collection::vec("[a-c\"\\\\ é]{0,3}", 0..5), wanted in "[a-c]{1,2}") {
            let map: serde_json::Map<String, serde_json::Value> =
                keys.iter().map(|key| (key.clone(), serde_json::json!({"a": [key, {"b": key}]}))).collect();
            let has = map.contains_key(&wanted);
            let text = serde_json::Value::Object(map).to_string();
            prop_assert_eq!(Object::new(text.as_bytes()).has(&wanted), has);
        }

        #[test]
        fn members_agree_with_a_json_parser(members in proptest::collection::vec("[a-c\"\\\\{\\[,é]{0,3}", 0..5), blank in "[ \n]{0,2}") {
            let members: Vec<serde_json::Value> =
                members.iter().map(|text| serde_json::json!([text, {"b": 1}, null])).chain([serde_json::json!(1.5)]).collect();
            let texts: Vec<String> = members.iter().map(ToString::to_string).collect();
            let array = format!("[{blank}{}{blank}] , 1", texts.join(&format!("{blank},{blank}")));
            let got: Vec<_> = Elements::new(array.as_bytes()).unwrap().map(String::from_utf8_lossy).collect();
            prop_assert_eq!(got, texts);
        }

        #[test]
        fn any_bytes_have_keys_or_none(text in "[\\[\\]{}\",:\\\\a ]{0,60}") {
            let _ = Object::new(text.as_bytes()).object("a").map(|object| object.has("a"));
            prop_assert!(Elements::new(text.as_bytes()).map_or(0, Iterator::count) <= text.len());
        }
    }
}
