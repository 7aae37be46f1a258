//! The keys of a JSON object, found without reading its values.

/// A JSON object that was not read yet.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    bytes: &'a [u8],
}

impl<'a> Object<'a> {
    /// The object that `bytes` begin with; bytes that are not an object have no keys.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.trim_ascii_start() }
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

    /// The bytes from the value of the first of `keys` on.
    fn value(&self, keys: &[&str]) -> Option<&'a [u8]> {
        let mut rest = self.bytes.strip_prefix(b"{")?;
        loop {
            rest = after(rest, |byte| byte == b'"')?;
            let (name, behind) = string(rest)?;
            let value = after(behind, |byte| byte == b':')?.trim_ascii_start();
            if keys.iter().any(|key| key.as_bytes() == name) {
                return Some(value);
            }
            rest = behind_value(value)?;
        }
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

/// The bytes behind the value that `bytes` begin with: from the comma or bracket that ends it.
fn behind_value(bytes: &[u8]) -> Option<&[u8]> {
    let mut depth = 0u32;
    let mut rest = bytes;
    loop {
        let at = rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']' | b','))?;
        let (before, behind) = rest.split_at_checked(at.checked_add(1)?)?;
        match before.last()? {
            b'"' => rest = string(behind)?.1,
            b'{' | b'[' => (depth, rest) = (depth.checked_add(1)?, behind),
            b',' if depth > 0 => rest = behind,
            b',' => return Some(behind),
            _ if depth > 0 => (depth, rest) = (depth.checked_sub(1)?, behind),
            // The object's own end.
            _ => return None,
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
        assert!(Object::new(b"{\"cut\":").has("cut"), "a key counts though its value is cut off");
        assert!(!Object::new(b"[{\"a\":1}]").has("a"));
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
        fn any_bytes_have_keys_or_none(text in "[\\[\\]{}\",:\\\\a ]{0,60}") {
            let _ = Object::new(text.as_bytes()).object("a").map(|object| object.has("a"));
        }
    }
}
